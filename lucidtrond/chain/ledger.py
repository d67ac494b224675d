"""The ledger: our position, the watch list, and the transfers that touched it.

Positions are read from memory and written by the follower only. Pages are keyset
pages, newest first: a cursor names the last row of its page, so new blocks on top
move nothing.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import trio
from attrs import evolve
from msgspec import Struct

from lucidtrond.chain import (
    balances,
    exact_tables,
    finality_tables,
    producer_tables,
    tables,
    unproven,
)
from lucidtrond.chain.entries import ENTRY_COLUMNS, entry_of
from lucidtrond.chain.exact import DEFAULT_POLICY, ExactPolicy
from lucidtrond.chain.internals import InternalsOf, lacking
from lucidtrond.errors import AnotherChain, InvalidInput
from lucidtrond.events.types import (
    LedgerEntry,
    LedgerProblem,
    Problem,
    Proof,
    proofs_from,
)
from lucidtrond.ports import BalanceDrift, LedgerHealth, Store, Tx
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockId, ChainPosition, FinalityStatus
from lucidtrond.tron.tokens import NO_TOKENS, KnownTokens

_LOGGED: Final = ("problem", "reason", "block_number", "txids", "address", "asset")
log = logging.getLogger(__name__)
MIGRATIONS: Final = (
    *tables.MIGRATIONS,
    *balances.MIGRATIONS,
    *producer_tables.MIGRATIONS,
    *unproven.MIGRATIONS,
    *exact_tables.MIGRATIONS,
    *finality_tables.MIGRATIONS,
)
MAX_PAGE: Final = 1000
STARTING: Final = "starting: no node has been asked yet"
_NOWHERE: Final = ChainPosition(
    head=None,
    solid=None,
    complete_from=None,
    synced=False,
    not_synced_reason=STARTING,
)


class _Filter(Struct, frozen=True):
    """Conditions on rows as SQL text and parameters."""

    sql: str
    params: tuple[object, ...]

    def also(self, sql: str, *params: object) -> "_Filter":
        return _Filter(f"{self.sql} AND {sql}", (*self.params, *params))


class Ledger:
    """Satisfies `api.context.Ledger`; one per database. *now_ms* is the wall clock."""

    def __init__(
        self,
        store: Store,
        *,
        tokens: KnownTokens = NO_TOKENS,
        exact: ExactPolicy = DEFAULT_POLICY,
        wait_unproven: bool = False,
        now_ms: Callable[[], int] | None = None,
    ) -> None:
        self._store = store
        self.tokens = tokens
        self.exact = exact
        self.wait_unproven = wait_unproven
        """Rows of blocks whose root does not fit are not final from one source."""
        self.waiting = 0
        """Such rows, of final blocks."""
        self.problems: Counter[Problem] = Counter()
        """Met since the start, of each kind."""
        self.internals: dict[str, InternalsOf] = {}
        """Whether each endpoint keeps internal transactions, as its receipts show."""
        self.reconcile_per_minute = 0
        self.drifting = 0
        """Balances that are not what the ledger says."""
        self._now_ms = now_ms
        self._position = evolve(_NOWHERE, since_ms=self._time_ms())
        self._moved = trio.Event()

    async def load(self, genesis_id: BlockId) -> None:
        """Take up the position that the database holds.

        Raises:
            AnotherChain: the database belongs to another network.
        """

        def read(tx: Tx) -> ChainPosition:
            row = tables.read_cursor(tx)
            if row is None:
                return _NOWHERE
            cursor, genesis = row
            if genesis != genesis_id:
                raise AnotherChain(
                    f"the database follows the chain of genesis {genesis},"
                    f" the configuration asks for {genesis_id}"
                )
            return evolve(
                _NOWHERE,
                head=tables.held_header(tx, cursor.head),
                solid=tables.held_header(tx, cursor.solid),
                complete_from=cursor.complete_from,
                unproven=unproven.summary(tx),
            )

        self.move(evolve(await self._store.read(read), since_ms=self._time_ms()))
        self.drifting = await self._store.read(balances.count_drifting)

    def _time_ms(self) -> int | None:
        return None if self._now_ms is None else self._now_ms()

    def position(self) -> ChainPosition:
        """Where the follower stands; from memory."""
        return self._position

    def health(self) -> LedgerHealth:
        """What is known to be wrong with the ledger or its sources; from memory."""
        keeping = {name: evidence.keeping for name, evidence in self.internals.items()}
        without = tuple(name for name in keeping if keeping[name] == "missing")
        warnings: list[str] = []
        if without:
            warnings.append(lacking(", ".join(without)))
        if self.drifting:
            warnings.append(
                f"{self.drifting} balances are not what the ledger says; events of"
                " topic ledger name them, account.get shows them"
            )
        return LedgerHealth(
            without_internals=without,
            internals_seen="kept" in keeping.values(),
            problems=dict(self.problems),
            drifting=self.drifting,
            reconcile_per_minute=self.reconcile_per_minute,
            warnings=tuple(warnings),
        )

    def move(self, position: ChainPosition) -> None:
        """Take the follower's new position and wake who waits for it."""
        self._position = position
        self._moved.set()
        self._moved = trio.Event()

    def note_problems(self, problems: Iterable[LedgerProblem]) -> None:
        """Count and log what was written."""
        for problem in problems:
            self.problems[problem.problem] += 1
            extra = {name: getattr(problem, name) for name in _LOGGED}
            log.warning("ledger problem", extra=extra)

    def set_synced(self, *, synced: bool, reason: str | None = None) -> None:
        """Say whether the follower stands where its node stands, or the *reason*."""
        before = self._position
        since_ms = self._time_ms() if before.synced != synced else before.since_ms
        reason = None if synced else reason or before.not_synced_reason
        after = evolve(
            before, synced=synced, not_synced_reason=reason, since_ms=since_ms
        )
        if after != before:
            self.move(after)

    def set_finality(self, finality: FinalityStatus) -> None:
        """Say what our solid head stands on."""
        if finality != self._position.finality:
            self.move(evolve(self._position, finality=finality))

    async def wait_block_beyond(self, number: int) -> None:
        """Return when the head is above *number*."""
        while (head := self._position.head) is None or head.number <= number:
            await self._moved.wait()

    async def wait_solid_at(self, number: int) -> None:
        """Return when all final blocks up to *number* are held."""
        while (solid := self._position.solid) is None or solid.number < number:
            await self._moved.wait()

    async def drifts(self, address: Address) -> Sequence[BalanceDrift]:
        """Balances of *address* that are not what the ledger says."""
        return await self._store.read(lambda tx: balances.read_drifts(tx, address))

    def watch(self, tx: Tx, address: Address) -> None:
        """Watch from the next block on; harmless when it is watched already."""
        row = tables.read_cursor(tx)
        since = None if row is None else row[0].head + 1
        tx.execute(
            "INSERT INTO chain_watch (address, since_number) VALUES (?, ?)"
            " ON CONFLICT (address) DO NOTHING",
            (address.raw, since),
        )

    def is_watched(self, tx: Tx, address: Address) -> bool:
        """Whether transfers of *address* are kept."""
        return bool(tables.watched_among(tx, [address]))

    async def entries(
        self,
        address: Address | None = None,
        *,
        limit: int = 100,
        cursor: str | None = None,
        skip: int = 0,
        from_ms: int | None = None,
        to_ms: int | None = None,
        kinds: Sequence[str] = (),
        asset: str | None = None,
        min_proof: Proof | None = None,
    ) -> tuple[list[LedgerEntry], str | None, int]:
        """Newest first: (entries, cursor of the next page or None, total matching).

        *from_ms* and *to_ms* are block times, both inclusive. *cursor* and *skip*
        exclude each other. *min_proof* leaves out rows that rest on less.

        Raises:
            InvalidInput: a limit out of range, no cursor of ours.
        """
        if not 1 <= limit <= MAX_PAGE:
            raise InvalidInput(f"limit: expected 1 to {MAX_PAGE}, got {limit}")
        if skip < 0 or (skip > 0 and cursor is not None):
            raise InvalidInput("skip: expected 0 or more, and no cursor beside it")
        wanted = _filter(
            from_ms=from_ms,
            to_ms=to_ms,
            kinds=kinds,
            asset=asset,
            min_proof=min_proof,
        )
        after = None if cursor is None else parse_cursor(cursor)

        def read(tx: Tx) -> tuple[list[LedgerEntry], str | None, int]:
            stored = tables.read_cursor(tx)
            solid = -1 if stored is None else stored[0].solid
            page = wanted
            if after is not None:
                number, place = after
                page = wanted.also(
                    "(block_number < ? OR (block_number = ? AND place < ?))",
                    number,
                    number,
                    place,
                )
            sql, params = _select(address, page)
            rows = tx.execute(
                f"{sql} ORDER BY block_number DESC, place DESC LIMIT ? OFFSET ?",
                (*params, limit + 1, skip),
            )
            more = len(rows) > limit
            rows = rows[:limit]
            following = f"{rows[-1][0]}.{rows[-1][1]}" if more else None
            return (
                [entry_of(row, solid=solid, tokens=self.tokens) for row in rows],
                following,
                _count(tx, address, wanted),
            )

        return await self._store.read(read)


def parse_cursor(text: str) -> tuple[int, int]:
    """Read ``number.place``.

    Raises:
        InvalidInput: not a cursor that `Ledger.entries` gave.
    """
    number, dot, place = text.partition(".")
    digits = number + place
    if not (dot and number and place and digits.isascii() and digits.isdigit()):
        raise InvalidInput("cursor: not one that this method gave")
    if len(number) > 18 or len(place) > 18:
        raise InvalidInput("cursor: not one that this method gave")
    return int(number), int(place)


def _filter(
    *,
    from_ms: int | None,
    to_ms: int | None,
    kinds: Sequence[str],
    asset: str | None,
    min_proof: Proof | None,
) -> _Filter:
    wanted = _Filter("1 = 1", ())
    if from_ms is not None:
        wanted = wanted.also("block_timestamp_ms >= ?", from_ms)
    if to_ms is not None:
        wanted = wanted.also("block_timestamp_ms <= ?", to_ms)
    if kinds:
        marks = ", ".join("?" * len(kinds))
        wanted = wanted.also(f"kind IN ({marks})", *kinds)
    if asset is not None:
        wanted = wanted.also("asset = ?", asset)
    if min_proof is not None:
        proofs = proofs_from(min_proof)
        marks = ", ".join("?" * len(proofs))
        wanted = wanted.also(f"proof IN ({marks})", *proofs)
    return wanted


def _select(address: Address | None, wanted: _Filter) -> tuple[str, tuple[object, ...]]:
    base = f"SELECT {ENTRY_COLUMNS} FROM chain_entry WHERE {wanted.sql}"  # noqa: S608 - constants and marks
    if address is None:
        return base, wanted.params
    # Two walks along two indexes, merged; one OR would sort all rows of the address.
    sql = (
        f"{base} AND from_address = ?"
        f" UNION ALL {base} AND to_address = ? AND from_address <> ?"
    )
    raw = address.raw
    return sql, (*wanted.params, raw, *wanted.params, raw, raw)


def _count(tx: Tx, address: Address | None, wanted: _Filter) -> int:
    sql, params = _select(address, wanted)
    [(total,)] = tx.execute(f"SELECT count(*) FROM ({sql}) AS found", params)  # noqa: S608 - constants and marks
    return int(total)
