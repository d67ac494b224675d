"""What nodes said lately: three caches with trio locks, forgotten block by block.

*account*: balances and resources, until a block (or a transaction of ours) touches the
address. *network*: chain parameters and contracts' terms, for minutes; heads and blocks
are not kept, only equal questions at the same moment asked once. *transactions*: until
the next block, which may change what became of them.

How equal questions become one is in `single_flight`.
"""

from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from functools import partial, wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast

import trio

from lucidtrond.node.health.endpoint_health import Changes
from lucidtrond.node.pool import NodePool
from lucidtrond.node.questions.pool_questions import PoolQuestions
from lucidtrond.node.questions.question_key import QuestionKey
from lucidtrond.node.questions.single_flight import Cache, Counts
from lucidtrond.tron import contracts
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockHeader, BlockId
from lucidtrond.tron.broadcast import BroadcastAnswer
from lucidtrond.tron.questions import NodeQuestions
from lucidtrond.tron.reading import Reading
from lucidtrond.tron.transaction import (
    MalformedTransaction,
    Transaction,
    decode_raw,
)

ACCOUNTS: Final = 12_288
ACCOUNT_AGE_S: Final = 300.0
"""Not all that changes an account is a transfer that names it."""
RESOURCES_AGE_S: Final = 30.0
"""These recover with time, block or not."""
NETWORK: Final = 64
PARAMETERS_AGE_S: Final = 300.0
CONTRACT_AGE_S: Final = 300.0
AGREEMENT_AGE_S: Final = 60.0
TRANSACTIONS: Final = 4096
TRANSACTION_AGE_S: Final = 3.0
"""A block's time, for when no blocks are noted."""

_ACCOUNT: Final = QuestionKey(NodeQuestions.fetch_account)
_RESOURCES: Final = QuestionKey(NodeQuestions.fetch_resources)
_TRANSACTION: Final = QuestionKey(NodeQuestions.fetch_transaction)

P = ParamSpec("P")
T = TypeVar("T")


def _kept(
    cache: Callable[["CachedNode"], Cache],
    question: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]],
    *,
    age_s: float | Callable[["CachedNode", T], float],
    keeps_solid: bool = True,
) -> Callable[Concatenate["CachedNode", P], Coroutine[Any, Any, T]]:
    """The same question, put to the pool where *cache* has no answer.

    An answer is kept for *age_s* (0: not at all), none of solid state unless
    *keeps_solid*; equal questions at one moment are one.
    """
    keys = QuestionKey(question)
    name, solid_at = keys.question, 0 if keeps_solid else keys.place_of("solid")
    age_s_of = age_s if callable(age_s) else lambda _, __: age_s

    @wraps(question)
    async def ask(node: "CachedNode", /, *args: P.args, **kwargs: P.kwargs) -> T:
        key = keys.of(args, kwargs)
        is_kept = keeps_solid or not key[solid_at]
        return await cache(node).get(
            key,
            partial(getattr(node.pool, name), *args, **kwargs),
            age_s=partial(age_s_of, node) if is_kept else _not_kept,
        )

    return cast("Callable[Concatenate[CachedNode, P], Coroutine[Any, Any, T]]", ask)


def _forwarded(
    question: Callable[Concatenate[Any, P], T],
) -> Callable[Concatenate["CachedNode", P], T]:
    """The same question, straight to the pool."""
    name = question.__name__

    @wraps(question)
    def ask(node: "CachedNode", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return cast("T", getattr(node.pool, name)(*args, **kwargs))

    return cast("Callable[Concatenate[CachedNode, P], T]", ask)


def _accounts(node: "CachedNode") -> Cache:
    return node.accounts


def _network(node: "CachedNode") -> Cache:
    return node.network


def _transactions(node: "CachedNode") -> Cache:
    return node.transactions


def _not_kept(_: object) -> float:
    return 0.0


class CachedNode(NodeQuestions, PoolQuestions):
    """Satisfies `api.Node`, and what the follower and the sender ask of a node.

    Each question is one line here: whether, where and for how long its answer is kept.
    """

    def __init__(self, pool: NodePool) -> None:
        self.pool = pool
        self.accounts = Cache(size=ACCOUNTS)
        self.network = Cache(size=NETWORK)
        self.transactions = Cache(size=TRANSACTIONS)
        self._noted: BlockHeader | None = None

    @property
    def genesis_id(self) -> BlockId:
        """Of the configured network."""
        return self.pool.genesis_id

    @property
    def changes(self) -> Changes:
        """Of the pool's endpoints."""
        return self.pool.changes

    async def watch(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """See `NodePool.watch`."""
        await self.pool.watch(task_status=task_status)

    async def wait_recovered(self, within_s: float) -> None:
        """Return when an endpoint that failed answers again, or after *within_s*."""
        with trio.move_on_after(within_s):
            await self.pool.changes.recovered.wait()

    def statistics(self) -> Mapping[str, Counts]:
        """Of each cache, by its name."""
        return {
            "account": self.accounts.counts,
            "network": self.network.counts,
            "transactions": self.transactions.counts,
        }

    def endpoints(self) -> Sequence[Mapping[str, Any]]:
        """State of each endpoint, JSON-able, without keys."""
        return self.pool.endpoints()

    def note_block(self, header: BlockHeader, touched: Collection[Address]) -> None:
        """Forget what *header*'s block changed; called once per applied block.

        A block that does not follow the one before means that others were reverted:
        then no answer about an account holds.
        """
        before, self._noted = self._noted, header
        self.transactions.forget_all()
        if before is not None and header.parent_id != before.id:
            self.accounts.forget_all()
            self.pool.forget_accounts()
            return
        for address in touched:
            self._forget_account(address)

    def _forget_account(self, address: Address) -> None:
        self.accounts.forget(_ACCOUNT.of_call(address))
        self.accounts.forget(_RESOURCES.of_call(address))

    def reading_age_s(self, reading: Reading[Any], age_s: float) -> float:
        """Nothing is kept from a node that is behind the blocks we noted."""
        is_behind = self._noted is not None and reading.as_of_block < self._noted.number
        return 0.0 if is_behind else age_s

    # Accounts, until a block touches the address. Blocks are noted when they are
    # applied: what is said of solid state changes when they are final.

    fetch_account = _kept(
        _accounts,
        NodeQuestions.fetch_account,
        age_s=lambda node, reading: node.reading_age_s(reading, ACCOUNT_AGE_S),
        keeps_solid=False,
    )
    fetch_resources = _kept(
        _accounts,
        NodeQuestions.fetch_resources,
        age_s=lambda node, reading: node.reading_age_s(reading, RESOURCES_AGE_S),
    )
    read_solid_balances = _forwarded(PoolQuestions.read_solid_balances)
    show_block = _forwarded(PoolQuestions.show_block)
    read_solid_numbers = _forwarded(PoolQuestions.read_solid_numbers)

    # The network, for minutes: contracts' terms are changed by their makers only.

    fetch_parameters = _kept(
        _network,
        NodeQuestions.fetch_parameters,
        age_s=PARAMETERS_AGE_S,
    )
    fetch_contract = _kept(
        _network,
        NodeQuestions.fetch_contract,
        age_s=lambda _, terms: 0.0 if terms is None else CONTRACT_AGE_S,
    )
    confirm_solid = _kept(
        _network,
        PoolQuestions.confirm_solid,
        age_s=lambda _, agreement: AGREEMENT_AGE_S if agreement.holds else 0.0,
    )

    # Never kept: any block may change it. Equal questions at one moment are one.

    fetch_head = _kept(_network, NodeQuestions.fetch_head, age_s=0)
    fetch_block = _kept(_network, NodeQuestions.fetch_block, age_s=0)
    call_constant = _kept(_network, NodeQuestions.call_constant, age_s=0)
    fetch_info = _kept(_network, NodeQuestions.fetch_info, age_s=0)

    # What following and paying ask: once each, or when what is there does not fit.

    fetch_blocks = _forwarded(NodeQuestions.fetch_blocks)
    fetch_receipts = _forwarded(NodeQuestions.fetch_receipts)
    fetch_receipts_by = _forwarded(PoolQuestions.fetch_receipts_by)
    has_second_source = _forwarded(PoolQuestions.has_second_source)
    fetch_second_receipts = _forwarded(PoolQuestions.fetch_second_receipts)
    fetch_proven = _forwarded(PoolQuestions.fetch_proven)
    report_keys = _forwarded(PoolQuestions.report_keys)
    report_producers = _forwarded(PoolQuestions.report_producers)
    note_lie = _forwarded(PoolQuestions.note_lie)
    fetch_same = _forwarded(PoolQuestions.fetch_same)
    fetch_others = _forwarded(PoolQuestions.fetch_others)
    fetch_headers = _forwarded(PoolQuestions.fetch_headers)
    look_for = _forwarded(PoolQuestions.look_for)
    find_receipts = _forwarded(PoolQuestions.find_receipts)

    # Transactions, until the next block: a pending one's result is only a forecast.

    fetch_transaction = _kept(
        _transactions,
        NodeQuestions.fetch_transaction,
        age_s=TRANSACTION_AGE_S,
    )
    fetch_receipt = _kept(
        _transactions,
        NodeQuestions.fetch_receipt,
        age_s=TRANSACTION_AGE_S,
    )

    async def broadcast(self, transaction: Transaction) -> BroadcastAnswer:
        """Straight to the nodes; the accounts it names are asked for anew afterwards.

        Raises:
            NodeError: none answered; it may be included all the same.
        """
        try:
            return await self.pool.broadcast(transaction)
        finally:
            self.transactions.forget(_TRANSACTION.of_call(transaction.txid))
            # The node's view of accounts contains its pool.
            for address in _named(transaction):
                self._forget_account(address)


def _named(transaction: Transaction) -> Collection[Address]:
    try:
        return contracts.addresses_in(decode_raw(transaction.raw).contract)
    except MalformedTransaction:
        return ()
