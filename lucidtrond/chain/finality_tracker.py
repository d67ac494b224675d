"""Keeps what `chain.finality` counts level with the follower, and judges branches.

Where no set of producers is known there is nothing to keep: then final is what the
endpoints say.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from lucidtrond.chain.finality import Finality, NotLinked, SignedBlock
from lucidtrond.chain.finality_tables import FirstSet
from lucidtrond.chain.plan import Unsettled
from lucidtrond.tron.address import Address, InvalidAddress
from lucidtrond.tron.block import Block, BlockId, FinalityStatus
from lucidtrond.tron.keys import BadSignature
from lucidtrond.tron.producers import key_changes

MAX_RECENT: Final = 20_000
"""Blocks followed above a final one that does not move; mainnet makes 28,800 a day."""
STALLED_ROUNDS: Final = 3
"""After so many rounds of blocks that only endpoints call final, something is wrong."""


class FinalityTracker:
    """One per follower; *first* is what a set begins with, if one is known."""

    def __init__(self, first: FirstSet | None) -> None:
        self.first = first
        self.finality: Finality | None = None
        """As of what the database holds; None before the first block, or for good."""

    @property
    def is_without_set(self) -> bool:
        """Whether no producers are known."""
        return self.first is None and self.finality is None

    def key_of(self, producer: Address) -> Address | None:
        """The key that *producer* is proven to sign with, as of our solid head."""
        if self.finality is not None:
            member = self.finality.members.get(producer)
            return None if member is None else member.key
        return None if self.first is None else self.first.producers.keys.get(producer)

    def after(
        self, blocks: Iterable[Block], *, revert_to: int, limit: int
    ) -> Finality | None:
        """What is final after a step; nothing changes until `keep`.

        *limit* is what the node calls final.

        Raises:
            Unsettled: nothing has become final for so long that we stop.
        """
        if self.finality is None:
            return None
        finality = self.finality.copy()
        finality.revert(revert_to)
        for block in blocks:
            finality.observe(signed_block(block))
            finality.advance(limit)
        finality.advance(limit)
        if finality.head - finality.solid > MAX_RECENT:
            raise Unsettled(
                f"{MAX_RECENT} blocks above block {finality.solid} are not proven"
                f" final: {describe(finality)}"
            )
        return finality

    def keep(self, finality: Finality | None) -> None:
        """*finality* is durable now, and with it all changes of its set."""
        if finality is not None:
            finality.changes.clear()
        self.finality = finality

    def status(self, node_solid: int) -> FinalityStatus:
        """*node_solid* is what the node calls final."""
        finality = self.finality
        if finality is None:
            return FinalityStatus()
        unproven = max(0, min(node_solid, finality.head) - finality.solid)
        stalled = unproven > STALLED_ROUNDS * finality.n or finality.is_blocked
        reason = describe(finality) if stalled else None
        # Where an older program stopped is the nodes' word until something follows.
        basis: Literal["signatures", "nodes"]
        basis = "signatures" if finality.is_proven else "nodes"
        return FinalityStatus(basis, unproven, reason)

    def is_proven(self, page: Sequence[Block], number: int) -> bool:
        """Whether signatures of *page* make its block *number* final.

        By the set as it is now, whatever *page* stands on.
        """
        finality = self._begin(page)
        return finality is not None and finality.solid >= number

    def proven_in(self, page: Sequence[Block], *, limit: int) -> Block | None:
        """The newest block of *page* that signatures make final, up to *limit*."""
        finality = self._begin(page, limit=limit)
        if finality is None or finality.solid < page[0].header.number:
            return None
        return page[finality.solid - page[0].header.number]

    def proven_beyond(self, page: Sequence[Block]) -> tuple[int, BlockId] | None:
        """The newest block of *page*, which follows our final one, that is proven."""
        if self.finality is None:
            return None
        finality = self.finality.copy()
        solid = finality.solid
        finality.revert(solid)
        _observe(finality, page)
        return (finality.solid, finality.solid_id) if finality.solid > solid else None

    def _begin(
        self, page: Sequence[Block], *, limit: int | None = None
    ) -> Finality | None:
        """Count *page* alone; None without a set or a page."""
        if not page:
            return None
        header = page[0].header
        if self.finality is not None:
            finality = self.finality.above(header.number - 1, header.parent_id)
        elif self.first is not None:
            finality = self.first.begin(header.number - 1, header.parent_id)
        else:
            return None
        _observe(finality, page, limit=limit)
        return finality


def signed_block(block: Block) -> SignedBlock:
    """What finality sees of a checked *block*."""
    changes = key_changes(block) if block.root_proven else ()
    return SignedBlock.of(block.header, changes)


def describe(finality: Finality) -> str:
    """Why the next block is not final, for an operator."""
    number = finality.solid + 1
    if finality.is_blocked:
        names = ", ".join(sorted(producer.base58 for producer in finality.unproven)[:9])
        return (
            f"{len(finality.unproven)} producers above block {finality.solid} sign with"
            f" keys that are not proven, more than {finality.n - finality.wanted}:"
            f" {names}; if they are right, name all {finality.n} in [network] producers"
        )
    return (
        f"{finality.next_votes} of {finality.n} producers are known to have built on"
        f" block {number}, {finality.wanted} are needed"
    )


def _observe(
    finality: Finality, page: Sequence[Block], *, limit: int | None = None
) -> None:
    """Count as much of *page* as follows."""
    for block in page:
        try:
            finality.observe(signed_block(block))
        except (NotLinked, BadSignature, InvalidAddress):
            break
        finality.advance(finality.head if limit is None else limit)
