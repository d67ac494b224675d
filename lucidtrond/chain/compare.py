"""Two endpoints' receipts of one block: what they agree on, which to believe. Pure.

Each part of a receipt is compared for itself, since a node that keeps no internal
transactions (``vm.saveInternalTx = false``) agrees with others on all else. Where one
of two has internal transactions and the other has none, those that are there count, as
one endpoint's word. Where they differ otherwise the first one's count, unless the
second one's logs fit the committed calls better (`chain.committed`).
"""

from collections.abc import Collection, Sequence

from attrs import evolve
from msgspec import Struct

from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import TxId


class Agreed(Struct, frozen=True):
    """Transactions of which two endpoints gave the same logs, internal transactions
    and costs."""

    logs: frozenset[TxId] = frozenset()
    internal: frozenset[TxId] = frozenset()
    cost: frozenset[TxId] = frozenset()


NOTHING_AGREED = Agreed()
"""One endpoint's word."""


class Compared(Struct, frozen=True):
    """Receipts to go on with; *differing* are those that can not both be true."""

    receipts: tuple[Receipt, ...]
    agreed: Agreed
    differing: tuple[TxId, ...]


def compare(
    first: Sequence[Receipt],
    second: Sequence[Receipt],
    *,
    missing: Collection[TxId] = (),
    missing_in_second: Collection[TxId] = (),
) -> Compared:
    """Compare receipts of the same transactions in the same order.

    *missing* are transactions whose committed log the first has not, as
    *missing_in_second* of the second.
    """
    chosen: list[Receipt] = []
    logs: set[TxId] = set()
    internal: set[TxId] = set()
    cost: set[TxId] = set()
    differing: list[TxId] = []
    for ours, other in zip(first, second, strict=True):
        txid = ours.txid
        kept = ours
        differs = False
        if ours.logs == other.logs:
            logs.add(txid)
        else:
            differs = True
            if txid in missing and txid not in missing_in_second:
                kept = evolve(kept, logs=other.logs)
        if ours.internal == other.internal:
            internal.add(txid)
        elif not ours.internal:
            kept = evolve(kept, internal=other.internal)
        elif other.internal:
            differs = True
        if _cost(ours) == _cost(other):
            cost.add(txid)
        else:
            differs = True
        chosen.append(kept)
        if differs:
            differing.append(txid)
    agreed = Agreed(frozenset(logs), frozenset(internal), frozenset(cost))
    return Compared(tuple(chosen), agreed, tuple(differing))


def _cost(receipt: Receipt) -> tuple[object, ...]:
    return (
        receipt.fee,
        receipt.net_usage,
        receipt.net_fee,
        receipt.energy_usage,
        receipt.energy_usage_total,
        receipt.energy_fee,
        receipt.vm_result,
        receipt.failed,
    )
