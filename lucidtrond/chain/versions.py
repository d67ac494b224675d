"""What several endpoints show of a block whose transaction root does not fit. Pure.

Theory. Its header is proven, what it holds is not: rows of it are one endpoint's word.
Each endpoint is asked for its own version of the block and of its receipts. A version
with a root that fits decides on what transactions order themselves; else two endpoints
of different operators that show the same movement are two sources of it. What only
receipts say stays with two sources at best, whatever the root. A version whose receipts
are not those of its transactions is left out.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final, Literal

from msgspec import Struct

from lucidtrond.chain.read import ReceiptsMismatch, read_block
from lucidtrond.node.questions.shown import Shown
from lucidtrond.tron.transaction import TxId

SOURCES: Final = 2
Verdict = Literal["signatures", "two_sources", "gone"]
"""``gone``: a version that is proven does not hold the movement."""


class MovementKey(Struct, frozen=True):
    """What tells movements of one block apart, and what each says."""

    txid: TxId
    kind: str
    index: int
    sender: bytes
    recipient: bytes
    asset: str
    amount: int
    success: bool


def judge(
    rows: Iterable[MovementKey], shown: Sequence[Shown]
) -> dict[MovementKey, Verdict]:
    """The verdict on each row that there is one on; others wait."""
    held: list[tuple[Shown, frozenset[MovementKey]]] = []
    for version in shown:
        with suppress(ReceiptsMismatch):
            held.append((version, _movements(version)))
    verdicts: dict[MovementKey, Verdict] = {}
    for row in rows:
        by_header = row.kind in ("trx", "trc10")
        proven = [keys for version, keys in held if version.block.root_proven]
        operators = {version.operator for version, keys in held if row in keys}
        if by_header and proven:
            is_held = any(row in keys for keys in proven)
            verdicts[row] = "signatures" if is_held else "gone"
        elif len(operators) >= SOURCES:
            verdicts[row] = "two_sources"
    return verdicts


def _movements(version: Shown) -> frozenset[MovementKey]:
    read = read_block(version.block, version.receipts)
    return frozenset(
        MovementKey(
            txid=movement.txid,
            kind=movement.kind,
            index=movement.index,
            sender=movement.sender.raw,
            recipient=movement.recipient.raw,
            asset=str(movement.asset),
            amount=movement.amount,
            success=movement.success,
        )
        for movement in read.movements
    )
