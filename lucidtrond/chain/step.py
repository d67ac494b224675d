"""A step of the follower: what one transaction reverts and applies. Pure."""

from msgspec import Struct

from lucidtrond.chain.finality import Finality
from lucidtrond.chain.plan import Held
from lucidtrond.chain.producers import KeyChange
from lucidtrond.chain.read import ReadBlock
from lucidtrond.chain.receipts import CheckedReceipts
from lucidtrond.chain.tables import Cursor
from lucidtrond.tron.block import Block, BlockId


class CheckedBlock(Struct, frozen=True):
    """A block whose signer, root and receipts were checked, ready to be written."""

    block: Block
    id: BlockId
    receipts: CheckedReceipts
    contents: ReadBlock


class Step(Struct, frozen=True):
    """What one transaction writes: reverts first, then *blocks*, then the cursor."""

    revert_to: int | None
    """Our blocks above it are reverted; None: there are none."""
    blocks: tuple[CheckedBlock, ...]
    before: Cursor | None
    """None before the first block."""
    cursor: Cursor
    held: Held
    """The blocks that we hold after it."""
    keys: KeyChange
    finality: Finality | None
    """What signatures prove after it, with what happened to the set; None where no set
    of producers is known."""

    @property
    def solid_before(self) -> int:
        """Our solid head before it; -1 before the first block."""
        return -1 if self.before is None else self.before.solid


def first_step(
    block: CheckedBlock, *, keys: KeyChange, finality: Finality | None = None
) -> Step:
    """Begin with *block*, which is final."""
    number = block.block.header.number
    return Step(
        revert_to=None,
        blocks=(block,),
        before=None,
        cursor=Cursor(number, number, complete_from=number),
        held=Held(number, (block.id,)),
        keys=keys,
        finality=finality,
    )


def next_step(
    held: Held,
    before: Cursor,
    *,
    revert_to: int,
    blocks: tuple[CheckedBlock, ...],
    solid_to: int,
    keys: KeyChange,
    finality: Finality | None = None,
) -> Step:
    """Revert above *revert_to*, apply *blocks*, make our solid head *solid_to*."""
    after = held.extended(revert_to, [checked.id for checked in blocks], solid_to)
    return Step(
        revert_to=revert_to,
        blocks=blocks,
        before=before,
        cursor=Cursor(after.head, after.solid, before.complete_from),
        held=after,
        keys=keys,
        finality=finality,
    )
