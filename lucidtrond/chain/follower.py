"""The follower: asks for blocks, decides by `chain.plan`, writes each step at once.

A step (what is reverted, blocks, ledger rows, events, cursor, what observers do) is
one database transaction of up to 100 blocks (`chain.step_writer`). The memory of where
we are is changed only after it is durable, so a process that dies anywhere starts again
from what the database holds and comes to the same ledger.

A node that fails, lags or contradicts itself is asked again, for the same blocks:
nothing is skipped; a store that refuses a step is given it again. It is logged when
that begins and when it ends.

What the plan can't see of a block, its signer, root and receipts, is checked by
`chain.block_checker` before it is written. Which blocks are final is what producers'
signatures prove, where the producers are known (`chain.finality`); never more than the
node says.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol, assert_never

import trio
from attrs import evolve

from lucidtrond.chain import finality_tables, producer_tables, tables
from lucidtrond.chain import plan as planning
from lucidtrond.chain.block_checker import BlockChecker
from lucidtrond.chain.disputes import Disputes
from lucidtrond.chain.finality import ProducerSet
from lucidtrond.chain.finality_tables import FirstSet
from lucidtrond.chain.finality_tracker import FinalityTracker
from lucidtrond.chain.ledger import Ledger
from lucidtrond.chain.observer import BlockObserver
from lucidtrond.chain.plan import Held, Link, Unsettled
from lucidtrond.chain.poll_interval import PollInterval
from lucidtrond.chain.producers import KeyTable
from lucidtrond.chain.proving import RootProver
from lucidtrond.chain.receipts import ReceiptReader
from lucidtrond.chain.signers import SignerCheck
from lucidtrond.chain.step import Step, first_step, next_step
from lucidtrond.chain.step_writer import StepWriter, Written
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
from lucidtrond.events.types import Emit, FinalityChanged
from lucidtrond.node.health.agreement import agreed_producers
from lucidtrond.node.questions.pool_questions import (
    BranchQuestions,
    KeyQuestions,
    ProducerQuestions,
    ProofQuestions,
    ReceiptSources,
)
from lucidtrond.ports import Store, Tx
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader, BlockId
from lucidtrond.tron.questions import BlockRangeQuestions, HeadQuestions

log = logging.getLogger(__name__)


class BlockSource(
    HeadQuestions,
    BlockRangeQuestions,
    ReceiptSources,
    KeyQuestions,
    ProofQuestions,
    BranchQuestions,
    ProducerQuestions,
    Protocol,
):
    """What the follower asks a node; answers are verified block by block."""

    def note_block(self, header: BlockHeader, touched: Collection[Address]) -> None: ...


class Follower:
    """Keeps the ledger level with the chain; one per database.

    *poll_s* is the network's block time.
    *producers*, where the network's definition names them, are the only ones who make
    blocks, each with the key that it begins with. *first_set* is who finality is
    counted by at first; without one, final is what nodes call so, unless
    *asks_producers*: then endpoints have to agree on one. *wait_recovered*
    waits after a failure: for so many seconds, or until a node that failed responds
    again.
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
        first_set: FirstSet | None = None,
        asks_producers: bool = False,
        wait_recovered: Callable[[float], Awaitable[None]] = trio.sleep,
    ) -> None:
        self._node = node
        self._store = store
        self._ledger = ledger
        self._genesis_id = genesis_id
        self._tracker = FinalityTracker(first_set)
        self._signers = SignerCheck(
            node, producers=producers, proven_key=self._tracker.key_of
        )
        self._checker = BlockChecker(
            RootProver(node),
            self._signers,
            ReceiptReader(
                node, store, tokens=ledger.tokens, internals=ledger.internals
            ),
        )
        self._writer = StepWriter(
            genesis_id=genesis_id,
            tokens=ledger.tokens,
            exact=ledger.exact,
            wait_unproven=ledger.wait_unproven,
            emit=emit,
            observers=observers,
        )
        self._asks_producers = asks_producers
        self._disputes = Disputes(node, self._tracker, genesis_id=genesis_id)
        self._emit = emit
        self._interval = PollInterval(poll_s)
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
            row = tables.read_cursor(tx)
            if row is None:
                return None
            cursor, _ = row
            ids = tables.read_ids(tx, cursor.solid, cursor.head)
            return cursor, Held(cursor.solid, ids)

        self._signers.load(await self._store.read(producer_tables.read_rows))
        stored = await self._store.read(read)
        if stored is not None:
            self._cursor, self._held = stored
            first = self._tracker.first
            self._tracker.finality = await self._store.read(
                lambda tx: finality_tables.load(tx, first)
            )
            self._ledger.set_finality(self._tracker.status(self._cursor.solid))

    async def _turn(self) -> float:
        """Go one page on, or fail; give how long to sleep."""
        try:
            applied = await self._round()
        except CommitUnknown:
            raise
        except (NodeError, StoreError, Unsettled) as error:
            # A write that was refused (disk full) left nothing: the same step again.
            self._note_trouble(error)
            self._ledger.set_synced(synced=False, reason=_describe(error))
            return self._interval.failed()
        self._note_trouble(None)
        now_s = trio.current_time()
        if applied >= planning.PAGE:
            reason = f"catching up: block {self._head_number()} is the newest read"
            self._ledger.set_synced(synced=False, reason=reason)
            self._interval.caught_up(now_s)
            return 0
        was_synced = self._ledger.position().synced
        self._ledger.set_synced(synced=True)
        if applied == 0:
            return self._interval.nothing()
        if not was_synced:
            return self._interval.caught_up(now_s)
        return self._interval.seen(applied, now_s)

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
        if self._asks_producers and self._tracker.is_without_set:
            await self._ask_producers()
        header = await self._node.fetch_head(solid=True)
        if self._held is None and self._tracker.first is not None:
            await self._begin(header)
            applied = 1
        else:
            applied = await self._go_on(header)
        await self._note_finality(header)
        return applied

    async def _ask_producers(self) -> None:
        """Take the set that endpoints agree on; the only time that they are asked."""
        keys = agreed_producers(await self._node.report_producers())
        if isinstance(keys, str):
            raise Unsettled(keys)
        first = FirstSet(ProducerSet(len(keys), keys), "endpoints")
        self._tracker.first = first
        self._tracker.finality = await self._store.read(
            lambda tx: finality_tables.load(tx, first)
        )

    async def _begin(self, header: BlockHeader) -> None:
        """Begin with a block that is proven."""
        first = await self._disputes.find_first(header)
        # The block that was proven, not what an endpoint shows in its place now.
        blocks = await self._node.fetch_blocks(0, 1) if first is None else [first]
        links = [Link.of(block.header) for block in blocks]
        if not links or (first is None and links[0].id != self._genesis_id):
            raise Unsettled("no block 0, or another one")
        await self._take(blocks, links, revert_to=None, solid_to=links[0].number)

    async def _go_on(self, header: BlockHeader) -> int:
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
                    if self._tracker.finality is not None:
                        await self._disputes.decide(step, solid=header, page=blocks)
                    raise AnotherChain(
                        f"block {step.number}: we hold {step.ours} as final,"
                        f" the node says {step.theirs}"
                    )
                case _:
                    assert_never(step)

    async def _note_finality(self, header: BlockHeader) -> None:
        """Show how far what the node calls final is proven; tell if that stops."""
        before = self._ledger.position().finality.stalled_reason
        status = self._tracker.status(header.number)
        self._ledger.set_finality(status)
        if (before is None) != (status.stalled_reason is None):
            event = FinalityChanged(
                state="moving" if status.stalled_reason is None else "stalled",
                solid_number=0 if self._cursor is None else self._cursor.solid,
                unproven_blocks=status.unproven_blocks,
                reason=status.stalled_reason,
            )
            level = logging.INFO if event.reason is None else logging.ERROR
            extra = {"solid": event.solid_number, "reason": event.reason}
            log.log(level, "finality is %s", event.state, extra=extra)
            await self._store.write(lambda tx: self._emit(tx, event))
        if status.stalled_reason is not None and self._held is not None:
            await self._renew(header)
            await self._disputes.compare(header, self._held)

    async def _renew(self, header: BlockHeader) -> None:
        """Renew an old set that proved nothing yet above an older program's blocks."""
        finality = self._tracker.finality
        if finality is None or finality.is_proven:
            return
        if await self._disputes.renew(header):
            first = self._tracker.first
            self._tracker.finality = await self._store.read(
                lambda tx: finality_tables.load(tx, first)
            )

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
        solid_to = step.solid_to
        if not blocks and self._cursor:
            finality = self._tracker.after(
                (), revert_to=self._cursor.head, limit=solid_to
            )
            solid_to = solid_to if finality is None else finality.solid
            if solid_to == self._cursor.solid:
                return 0
        await self._take(blocks, links, revert_to=step.revert_to, solid_to=solid_to)
        return len(blocks)

    async def _take(
        self,
        blocks: Sequence[Block],
        links: Sequence[Link],
        *,
        revert_to: int | None,
        solid_to: int,
    ) -> None:
        """Check *blocks*, read them, write the step.

        *solid_to* is what the node calls final; with the first block, what is proven.
        """
        held, before = self._held, self._cursor
        if held is None or before is None or revert_to is None:
            [checked], keys = await self._checker.check(blocks, links)
            first = self._tracker.first
            finality = None
            if first is not None:
                finality = first.begin(solid_to, checked.id, is_proven=True)
            step = first_step(
                checked, keys=self._signers.change_to(keys), finality=finality
            )
        else:
            reverted = range(before.head, revert_to, -1)
            read, keys = await self._checker.check(blocks, links, reverted=reverted)
            finality = self._tracker.after(
                (checked.block for checked in read), revert_to=revert_to, limit=solid_to
            )
            step = next_step(
                held,
                before,
                revert_to=revert_to,
                blocks=read,
                solid_to=solid_to if finality is None else finality.solid,
                keys=self._signers.change_to(keys),
                finality=finality,
            )
        await self._write(step, keys)

    async def _write(self, step: Step, keys: KeyTable) -> None:
        written: list[Written] = []

        def write(tx: Tx) -> None:
            # Registered before the observers register anything: whoever is woken by
            # this step finds memory where the database is.
            tx.after_commit(lambda: self._move(step, keys, *written))
            written.append(self._writer.write(tx, step))

        await self._store.write(write)

    def _move(self, step: Step, keys: KeyTable, written: Written) -> None:
        """Let memory follow the database; the step is durable."""
        self._held, self._cursor = step.held, step.cursor
        self._tracker.keep(step.finality)
        self._signers.keep(keys)
        for checked in step.blocks:
            self._node.note_block(checked.block.header, checked.contents.touched)
            self._ledger.note_problems(checked.receipts.problems)
        self._ledger.move(
            evolve(
                self._ledger.position(),
                head=written.head,
                solid=written.solid,
                complete_from=step.cursor.complete_from,
                unproven=written.unproven,
            )
        )


def _describe(error: Exception) -> str:
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
