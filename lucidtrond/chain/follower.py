"""The follower: asks for blocks, decides by `chain.plan`, writes each step at once.

A step (what is taken back, blocks, ledger rows, events, cursor, what observers do) is
one database transaction of up to 100 blocks. The memory of where we are is changed
only after it is durable, so a process that dies anywhere starts again from what the
database holds and comes to the same ledger.

A node that fails, lags or contradicts itself is asked again, for the same blocks:
nothing is skipped; a store that refuses a step is given it again. It is logged when
that begins and when it ends.

A block counts only if its producer's key signed it (`chain.signers`). One whose
transaction root could not be recomputed is followed all the same, after other endpoints
were asked for it; it is marked, in the database and for observers (`chain.unproven`).
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol, assert_never

import trio
from attrs import evolve, frozen

from lucidtrond.chain import balances, entries, producer_tables, tables
from lucidtrond.chain import plan as planning
from lucidtrond.chain import unproven as unproven_tables
from lucidtrond.chain.ledger import Ledger
from lucidtrond.chain.observer import BlockObserver
from lucidtrond.chain.plan import Held, Link, Unsettled
from lucidtrond.chain.poll_interval import PollInterval
from lucidtrond.chain.producers import KeyTable
from lucidtrond.chain.proving import ProofSource, RootProver
from lucidtrond.chain.read import Movement, ReadBlock, ReceiptsMismatch, read_block
from lucidtrond.chain.receipts import (
    NO_RECEIPTS,
    CheckedReceipts,
    ReceiptReader,
    ReceiptSource,
)
from lucidtrond.chain.signers import KeySource, SignerCheck
from lucidtrond.chain.tables import Cursor
from lucidtrond.errors import (
    AnotherChain,
    CommitUnknown,
    NodeError,
    NodeLied,
    NodeRefused,
    NodeUnavailable,
    StoreError,
)
from lucidtrond.events.types import (
    BlockApplied,
    BlockReverted,
    BlockUnproven,
    Emit,
    LedgerEntry,
    Solidified,
    TransferSeen,
)
from lucidtrond.ports import Store, Tx
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader, BlockId
from lucidtrond.tron.unproven import UnprovenBlocks, UnprovenSummary

log = logging.getLogger(__name__)

_RECEIPTS_AT_ONCE = 8
"""Concurrent receipt requests while catching up; the node's own limit is below."""


class BlockSource(ReceiptSource, KeySource, ProofSource, Protocol):
    """What the follower asks a node; answers are verified block by block."""

    async def fetch_head(self, *, solid: bool = False) -> BlockHeader: ...

    async def fetch_blocks(self, start: int, end: int) -> list[Block]: ...

    def note_block(self, header: BlockHeader, touched: Collection[Address]) -> None: ...


@frozen
class _Read:
    """A block, ready to be written."""

    block: Block
    id: BlockId
    checked: CheckedReceipts
    contents: ReadBlock


@frozen
class _Step:
    """What one transaction writes."""

    revert_to: int | None
    blocks: tuple[_Read, ...]
    cursor: Cursor
    solid_before: int
    """-1 before the first block."""
    keys: KeyTable
    """What is known of producers' keys after it."""


@frozen
class _Written:
    """What a step left in the database that is also kept in memory."""

    head: BlockHeader
    solid: BlockHeader
    unproven: UnprovenSummary


class Follower:
    """Keeps the ledger level with the chain; one per database.

    *poll_s* is the network's block time.
    *producers*, where the network's definition names them, are the only ones who make
    blocks, each with the key that it begins with. *wait_recovered* waits after a
    failure: for so many seconds, or until a node that failed responds again.
    """

    def __init__(
        self,
        node: BlockSource,
        store: Store,
        *,
        ledger: Ledger,
        emit: Emit,
        genesis_id: BlockId,
        observers: Sequence[BlockObserver] = (),
        poll_s: float = 3.0,
        producers: Mapping[Address, Address] | None = None,
        wait_recovered: Callable[[float], Awaitable[None]] = trio.sleep,
    ) -> None:
        self._node = node
        self._store = store
        self._ledger = ledger
        self._emit = emit
        self._genesis_id = genesis_id
        self._observers = tuple(observers)
        self._receipts = ReceiptReader(
            node, store, known=ledger.known, internals=ledger.internals
        )
        self._signers = SignerCheck(node, producers=producers)
        self._prover = RootProver(node)
        self._pace = PollInterval(poll_s)
        self._held: Held | None = None
        self._cursor: Cursor | None = None
        self._wait_recovered = wait_recovered
        self._trouble: type[Exception] | None = None

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Follow until cancelled; started after the first answer or failure.

        Raises:
            AnotherChain: the node's chain is not the one that the database holds.
            CommitUnknown: only a restart can tell what the database holds.
        """
        await self._load()
        started = False
        while True:
            delay_s = await self._turn()
            if not started:
                started = True
                task_status.started()
            failed = self._trouble is not None
            await (self._wait_recovered if failed else trio.sleep)(delay_s)

    async def _load(self) -> None:
        await self._ledger.load(self._genesis_id)

        def read(tx: Tx) -> tuple[Cursor, Held] | None:
            found = tables.read_cursor(tx)
            if found is None:
                return None
            cursor, _ = found
            ids = tables.read_ids(tx, cursor.solid, cursor.head)
            return cursor, Held(cursor.solid, ids)

        self._signers.load(await self._store.read(producer_tables.read_rows))
        found = await self._store.read(read)
        if found is not None:
            self._cursor, self._held = found

    async def _turn(self) -> float:
        """Go one page on, or fail; give how long to sleep."""
        try:
            applied = await self._round()
        except CommitUnknown:
            raise
        except (NodeError, StoreError, Unsettled) as error:
            # A write that was refused (disk full) left nothing: the same step again.
            self._note_trouble(error)
            self._ledger.set_synced(synced=False, reason=_in_words(error))
            return self._pace.failed()
        self._note_trouble(None)
        now_s = trio.current_time()
        if applied >= planning.PAGE:
            reason = f"catching up: block {self._head_number()} is the newest read"
            self._ledger.set_synced(synced=False, reason=reason)
            self._pace.caught_up(now_s)
            return 0
        was_synced = self._ledger.position().synced
        self._ledger.set_synced(synced=True)
        if applied == 0:
            return self._pace.nothing()
        if not was_synced:
            return self._pace.caught_up(now_s)
        return self._pace.seen(applied, now_s)

    def _note_trouble(self, trouble: Exception | None) -> None:
        """One line when a kind of trouble begins, one when all is well again."""
        kind = None if trouble is None else type(trouble)
        if kind is self._trouble:
            return
        self._trouble = kind
        head = self._head_number()
        if trouble is None:
            log.info("following again", extra={"head": head})
        else:
            log.warning("can not follow", extra={"reason": str(trouble), "head": head})

    def _head_number(self) -> int | None:
        return None if self._cursor is None else self._cursor.head

    async def _round(self) -> int:
        """Ask, decide, write; give how many blocks were applied."""
        header = await self._node.fetch_head(solid=True)
        solid = Link.of(header)
        asked = planning.ask(self._held, solid)
        stored = await self._stored(solid)
        while True:
            blocks = await self._node.fetch_blocks(asked.start, asked.end)
            links = [Link.of(block.header) for block in blocks]
            step = planning.plan(
                self._held, solid=solid, asked=asked, page=links, stored=stored
            )
            match step:
                case planning.Fetch(asked=asked):
                    continue
                case planning.Begin():
                    await self._take(
                        blocks, links, revert_to=None, solid_to=step.number
                    )
                    return 1
                case planning.Advance():
                    new = slice(step.skip, None)
                    return await self._advance(step, blocks[new], links[new])
                case planning.Wait():
                    if step.behind:
                        raise Unsettled(f"the node is behind, at {solid.number}")
                    return 0
                case planning.Contradiction():
                    raise Unsettled(step.reason)
                case planning.Another():
                    await self._signers.check_header(header)
                    await self._signers.check(blocks[:1])
                    raise AnotherChain(
                        f"block {step.number}: we hold {step.ours} as final,"
                        f" the node says {step.theirs}"
                    )
                case _:
                    assert_never(step)

    async def _stored(self, solid: Link) -> BlockId | None:
        """Our block where a lagging node stands."""
        if self._held is None or solid.number >= self._held.solid:
            return None
        ids = await self._store.read(
            lambda tx: tables.read_ids(tx, solid.number, solid.number)
        )
        return ids[0] if ids else None

    async def _advance(
        self, step: planning.Advance, blocks: Sequence[Block], links: Sequence[Link]
    ) -> int:
        if not blocks and self._cursor and step.solid_to == self._cursor.solid:
            return 0
        await self._take(
            blocks, links, revert_to=step.revert_to, solid_to=step.solid_to
        )
        return len(blocks)

    async def _take(
        self,
        blocks: Sequence[Block],
        links: Sequence[Link],
        *,
        revert_to: int | None,
        solid_to: int,
    ) -> None:
        """Check what the plan can't see of *blocks*, read them, write the step."""
        head, cursor = revert_to, self._cursor
        reverted = range(cursor.head, head, -1) if cursor and head is not None else ()
        proven = await self._prover.prove(blocks)
        keys = await self._signers.check(proven, reverted=reverted)
        read = await self._read(proven, links)
        await self._write(read, keys=keys, revert_to=revert_to, solid_to=solid_to)

    async def _read(
        self, blocks: Sequence[Block], links: Sequence[Link]
    ) -> tuple[_Read, ...]:
        """Fetch receipts where there are transactions, several at once, and read."""
        receipts: dict[int, CheckedReceipts] = {}

        async def fetch(block: Block) -> None:
            found = await self._receipts.fetch(block)
            receipts[block.header.number] = found

        wanting = [
            block for block in blocks if block.transactions and block.header.number > 0
        ]
        await _for_each(wanting, fetch)
        done: list[_Read] = []
        for block, link in zip(blocks, links, strict=True):
            await trio.lowlevel.checkpoint()
            of_block = receipts.get(link.number, NO_RECEIPTS)
            try:
                contents = read_block(
                    block,
                    of_block.receipts,
                    agreed=of_block.agreed,
                    missing=of_block.missing,
                )
            except ReceiptsMismatch as mismatch:
                # A fork between two questions, or a node that has not stored them yet.
                raise Unsettled(str(mismatch)) from None
            done.append(_Read(block, link.id, of_block, contents))
        return tuple(done)

    async def _write(
        self,
        blocks: tuple[_Read, ...],
        *,
        keys: KeyTable,
        revert_to: int | None,
        solid_to: int,
    ) -> None:
        held, cursor = self._held, self._cursor
        if held is None or cursor is None or revert_to is None:
            after = Held(solid_to, tuple(read.id for read in blocks))
            complete_from, solid_before = solid_to, -1
        else:
            after = held.extended(revert_to, [read.id for read in blocks], solid_to)
            complete_from, solid_before = cursor.complete_from, cursor.solid
        step = _Step(
            revert_to,
            blocks,
            cursor=Cursor(after.head, after.solid, complete_from),
            solid_before=solid_before,
            keys=keys,
        )
        written: list[_Written] = []

        def apply(tx: Tx) -> None:
            # Asked for before the observers ask for anything: whoever is woken by this
            # step finds memory where the database is.
            tx.after_commit(lambda: self._move(step, after, *written))
            written.append(self._apply(tx, step))

        await self._store.write(apply)

    def _move(self, step: _Step, after: Held, written: _Written) -> None:
        """Let memory follow the database; the step is durable."""
        self._held, self._cursor = after, step.cursor
        self._signers.keep(step.keys)
        for read in step.blocks:
            self._node.note_block(read.block.header, read.contents.touched)
            self._ledger.note_problems(read.checked.problems)
        self._ledger.move(
            evolve(
                self._ledger.position(),
                head=written.head,
                solid=written.solid,
                complete_from=step.cursor.complete_from,
                unproven=written.unproven,
            )
        )

    def _apply(self, tx: Tx, step: _Step) -> _Written:
        """Write the step; runs in the store's thread."""
        if step.revert_to is not None:
            self._revert(tx, step.revert_to)
        for read in step.blocks:
            self._apply_block(tx, read)
        cursor = step.cursor
        tables.write_cursor(tx, cursor, self._genesis_id)
        producer_tables.write_change(tx, *self._signers.change_to(step.keys))
        head = tables.held_header(tx, cursor.head)
        solid = tables.held_header(tx, cursor.solid)
        if cursor.solid > step.solid_before:
            self._solidify(tx, solid, step)
        return _Written(head, solid, unproven_tables.summary(tx))

    def _revert(self, tx: Tx, revert_to: int) -> None:
        cursor = self._cursor
        if cursor is None or revert_to < cursor.solid:
            raise AssertionError("the plan takes back nothing that is final")
        for number in range(cursor.head, revert_to, -1):
            for entry in reversed(self._entries(tx, number - 1, number, cursor.solid)):
                self._emit(tx, TransferSeen(change="reverted", entry=entry))
            entries.delete_entries(tx, number)
            balances.forget_block(tx, number)
            block_id = tables.delete_block(tx, number)
            unproven_tables.delete(tx, number)
            for observer in self._observers:
                observer.reverted(tx, number, block_id)
            self._emit(tx, BlockReverted(number=number, block_id=block_id))

    def _apply_block(self, tx: Tx, read: _Read) -> None:
        block, header = read.block, read.block.header
        tables.insert_block(tx, block, read.id)
        self._emit(
            tx,
            BlockApplied(
                number=header.number,
                block_id=read.id,
                parent_id=header.parent_id,
                timestamp_ms=header.timestamp,
                transactions=len(block.transactions),
            ),
        )
        for problem in read.checked.problems:
            self._emit(tx, problem)
        if not block.root_proven:
            unproven_tables.insert(tx, header.number, read.id)
            self._emit(tx, BlockUnproven(number=header.number, block_id=read.id))
        movements = read.contents.movements
        ends = {each.sender for each in movements}
        ends.update(each.recipient for each in movements)
        ends |= read.contents.owners
        watched = tables.watched_among(tx, ends)
        if watched:
            ours = self._once(
                tx,
                block,
                [
                    each
                    for each in movements
                    if each.sender in watched or each.recipient in watched
                ],
            )
            entries.insert_entries(tx, block, read.id, ours)
            number = header.number
            balances.note_block(
                tx,
                number,
                movements=ours,
                watched=watched,
                owners=read.contents.owners,
                known=self._ledger.known,
            )
            for entry in self._entries(tx, number - 1, number, -1):
                self._emit(tx, TransferSeen(change="included", entry=entry))
        for observer in self._observers:
            checked = read.checked
            observer.applied(tx, block, checked.receipts, agreed=checked.agreed.logs)

    def _once(
        self, tx: Tx, block: Block, movements: Sequence[Movement]
    ) -> list[Movement]:
        """Those to keep, where an earlier block of ours shows the same transaction.

        The network takes each once (Manager.validateDup), so one of the two blocks is
        not proven and shows what it does not hold: a proven one takes the place of an
        unproven one, else the first one stays.
        """
        earlier = entries.numbers_of(tx, {each.txid for each in movements})
        solid = -1 if self._cursor is None else self._cursor.solid
        for txid, number in list(earlier.items()):
            extra = {"txid": txid, "first": number, "second": block.header.number}
            log.error("two blocks show the same transaction", extra=extra)
            if block.root_proven and unproven_tables.is_marked(tx, number):
                del earlier[txid]
                known = self._ledger.known
                for entry in entries.take_out(tx, txid, solid=solid, known=known):
                    self._emit(tx, TransferSeen(change="reverted", entry=entry))
        return [each for each in movements if each.txid not in earlier]

    def _entries(self, tx: Tx, above: int, up_to: int, solid: int) -> list[LedgerEntry]:
        known = self._ledger.known
        return entries.entries_between(tx, above, up_to, solid=solid, known=known)

    def _solidify(self, tx: Tx, solid: BlockHeader, step: _Step) -> None:
        number, before = solid.number, step.solid_before
        for entry in self._entries(tx, before, number, number):
            self._emit(tx, TransferSeen(change="solidified", entry=entry))

        def unproven(after: int, held_in: int | None) -> UnprovenBlocks:
            return unproven_tables.around(tx, after=after, number=held_in)

        for observer in self._observers:
            observer.solidified(tx, solid, step.cursor.complete_from, unproven=unproven)
        self._emit(
            tx,
            Solidified(number=number, block_id=solid.id, timestamp_ms=solid.timestamp),
        )
        tables.prune_blocks(tx, number)
        unproven_tables.prune(tx, number)


def _in_words(error: Exception) -> str:
    """Why we do not follow, for an operator."""
    match error:
        case NodeLied():
            return f"endpoint {error.endpoint} lied: {error.reason}"
        case NodeUnavailable() | NodeRefused():
            return f"endpoint {error.endpoint}: {error.reason}"
        case StoreError():
            return f"the database: {error}"
        case _:
            return str(error)


async def _for_each(
    blocks: Sequence[Block], fetch: Callable[[Block], Awaitable[None]]
) -> None:
    """Fetch them all, a few at once; the first failure ends it and is raised."""
    failures: list[NodeError] = []
    remaining = iter(blocks)

    async def work(scope: trio.CancelScope) -> None:
        for block in remaining:
            try:
                await fetch(block)
            except NodeError as error:
                failures.append(error)
                scope.cancel()

    async with trio.open_nursery() as nursery:
        for _ in range(min(_RECEIPTS_AT_ONCE, len(blocks))):
            nursery.start_soon(work, nursery.cancel_scope)
    if failures:
        raise failures[0]
