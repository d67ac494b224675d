"""Who may sign a producer's blocks: rows of keys, and what they decide. Pure.

Theory. A block is valid when it is signed by the key that its producer's account named
in the state after the parent block. We follow without a gap, so once a producer's key
is known every later change is read from blocks. A row says *from* which block a key
counts and how that became known:

    genesis      the definition of the chain (the devnet's)
    block        a transaction of the block before it, which the block's root proves
    set          the set that finality is counted by names it (`chain.finality`)
    two nodes    two endpoints name this key for the producer
    node         one endpoint names it
    signature    the producer's own key signed a final block that is older than what the
                 nodes' accounts tell of, or of which they tell nothing

The newest row that is not above a block decides. Only where there is none, or where it
names another key, the endpoints are asked (`judge` gets what they report):

- An endpoint confirms the signer when its account of the producer names it, in the
  newest state or in the final one: between the two the key may have changed. A state
  that is older than the row which names another key confirms nothing.
- It contradicts the signer when it names other keys in both, is not behind the block's
  parent, and the block is not history to it.
- The block is history to an endpoint when it is final there and no row covers it: the
  key may have been changed since, and nodes keep no older accounts. Then the producer's
  own key is taken (it is the default of every producer). Any other key needs two
  endpoints that have this very block as final.
- Where a row names another key, all endpoints have to confirm, up to two.
- What one confirms and another contradicts is taken from neither.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, get_args

from attrs import define, evolve, field, frozen
from msgspec import Struct

from lucidtrond.node.health.agreement import SOURCES, KeyReport
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockHeader

KeyOrigin = Literal["genesis", "block", "set", "two nodes", "node", "signature"]
ORIGINS: Final[tuple[str, ...]] = get_args(KeyOrigin)
MAX_ROWS: Final = 16
"""Kept for one producer; the oldest are dropped."""
MAX_PRODUCERS: Final = 4096
"""Of more, those whose newest row is oldest are dropped: they are looked up again."""


@frozen
class KeyRow:
    """*producer* signs with *key* from block *from_block* on."""

    producer: Address
    key: Address
    from_block: int
    origin: KeyOrigin

    def is_made_by(self, number: int) -> bool:
        """Whether it goes when block *number* is reverted."""
        made_by = self.from_block - 1 if self.origin == "block" else self.from_block
        return made_by == number


class KeyChange(Struct, frozen=True):
    """Rows as they are stored, and as they are to be."""

    before: Sequence[KeyRow]
    after: Sequence[KeyRow]


@define(eq=False)
class KeyTable:
    """Rows in memory, ascending for each producer; `copy` is cheap."""

    _rows: dict[Address, tuple[KeyRow, ...]] = field(factory=dict)

    @classmethod
    def of(cls, rows: Iterable[KeyRow]) -> "KeyTable":
        table = cls()
        for row in rows:
            table.put(row)
        return table

    def copy(self) -> "KeyTable":
        return KeyTable(dict(self._rows))

    def rows(self) -> Sequence[KeyRow]:
        return [row for rows in self._rows.values() for row in rows]

    def knows(self, producer: Address) -> bool:
        return producer in self._rows

    def at(self, producer: Address, number: int) -> KeyRow | None:
        """The row that decides on block *number*, if there is one."""
        newest = None
        for row in self._rows.get(producer, ()):
            if row.from_block <= number:
                newest = row
        return newest

    def put(self, row: KeyRow) -> None:
        """Add a row; it replaces one of the same producer and block."""
        kept = [
            stored
            for stored in self._rows.get(row.producer, ())
            if stored.from_block != row.from_block
        ]
        kept.append(row)
        kept.sort(key=lambda stored: stored.from_block)
        self._rows[row.producer] = tuple(kept[-MAX_ROWS:])
        if len(self._rows) > MAX_PRODUCERS:
            oldest = min(
                self._rows, key=lambda producer: self._rows[producer][-1].from_block
            )
            del self._rows[oldest]

    def revert(self, number: int) -> None:
        """Drop the rows that block *number* made."""
        for producer, rows in list(self._rows.items()):
            kept = tuple(row for row in rows if not row.is_made_by(number))
            if len(kept) == len(rows):
                continue
            if kept:
                self._rows[producer] = kept
            else:
                del self._rows[producer]


class Signed(Struct, frozen=True):
    """What `judge` needs of a block's header."""

    number: int
    producer: Address
    signer: Address

    @classmethod
    def of(cls, header: BlockHeader) -> "Signed":
        """Recover the signer.

        Raises:
            BadSignature, InvalidAddress: no key signed it; its producer is no address.
        """
        return cls(header.number, Address(header.witness), header.signer())


@frozen
class Taken:
    """The signature counts; *row* is what was learned."""

    row: KeyRow


class NeedsHistory(Struct, frozen=True):
    """Only two endpoints that have the block as final can tell; else *refusal*."""

    row: KeyRow
    refusal: "Refused"


@frozen
class Refused:
    """The signature does not count; *disputed* says that the endpoints disagree."""

    reason: str
    disputed: bool = False


class Unknown(Struct, frozen=True):
    """No endpoint could be asked."""

    reason: str


Verdict = Taken | NeedsHistory | Refused | Unknown


def judge(signed: Signed, row: KeyRow | None, reports: Sequence[KeyReport]) -> Verdict:
    """Decide on a signer that *row* does not name.

    *reports* are one of each configured endpoint, whether it could be asked or not.
    """
    endpoints = len({report.endpoint for report in reports})
    answered = [report for report in reports if report.error is None]
    if not answered:
        reasons = "; ".join(f"{report.endpoint}: {report.error}" for report in reports)
        return Unknown(f"{_about(signed)}: no endpoint reports its key ({reasons})")
    since = 0 if row is None else row.from_block - 1
    confirming = [
        report for report in answered if signed.signer in _named(report, since)
    ]
    names = {report.endpoint for report in confirming}
    opposing = [report for report in answered if _contradicts(report, signed, row)]
    origin: KeyOrigin = "two nodes" if len(names) >= SOURCES else "node"
    fresh = KeyRow(signed.producer, signed.signer, signed.number, origin)
    confirmed_by = f"; confirmed only by {', '.join(sorted(names))}" if names else ""
    refused = Refused(
        f"{_about(signed)} is not signed by its producer's key:"
        f" expected {_expected(signed, row, answered)}{confirmed_by}",
        disputed=bool(names),
    )
    wanted = 1 if row is None else min(SOURCES, endpoints)
    verdict: Verdict = refused
    if opposing:
        pass
    elif names:
        verdict = Taken(fresh) if len(names) >= wanted else refused
    elif row is None and signed.signer == signed.producer:
        verdict = Taken(evolve(fresh, origin="signature"))
    elif row is None and endpoints >= SOURCES:
        verdict = NeedsHistory(evolve(fresh, origin="two nodes"), refused)
    return verdict


def _named(report: KeyReport, since: int) -> set[Address | None]:
    """The keys that it names in states not older than that of block *since*."""
    states = ((report.head, report.head_number), (report.solid, report.solid_number))
    return {key for key, number in states if key is not None and number >= since}


def _contradicts(report: KeyReport, signed: Signed, row: KeyRow | None) -> bool:
    if report.head is None or signed.signer in (report.head, report.solid):
        return False
    is_behind = report.head_number < signed.number - 1
    is_history = row is None and signed.number <= report.solid_number
    return not is_behind and not is_history


def _about(signed: Signed) -> str:
    return f"block {signed.number} of {signed.producer}, signed by {signed.signer},"


def _expected(signed: Signed, row: KeyRow | None, reports: Sequence[KeyReport]) -> str:
    keys: dict[Address, str] = {}
    if row is not None:
        keys[row.key] = f"{row.origin}, from block {row.from_block}"
    for report in reports:
        if report.head is not None:
            keys.setdefault(report.head, report.endpoint)
    if not keys:
        keys[signed.producer] = "the producer itself"
    return ", ".join(f"{key} ({source})" for key, source in keys.items())


def genesis_rows(keys: Mapping[Address, Address]) -> list[KeyRow]:
    """Rows of producers whose keys the chain's definition names."""
    return [KeyRow(producer, key, 0, "genesis") for producer, key in keys.items()]
