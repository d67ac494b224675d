"""A model chain that takes payments, and one process's objects around it."""

import hmac
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio
from attrs import define, evolve, field

from lucidtrond.chain.finality_tables import FirstSet
from lucidtrond.chain.follower import Follower
from lucidtrond.chain.ledger import Ledger
from lucidtrond.composition import Parts, connect, migrate_store
from lucidtrond.errors import CallNotRun, KeystoreLocked, NodeUnavailable
from lucidtrond.events.types import Payment
from lucidtrond.keystore.authenticator import Authenticator
from lucidtrond.node.health.agreement import Agreement, Sighting
from lucidtrond.orders import PaymentOrder
from lucidtrond.ports import KeystoreStatus, Tx
from lucidtrond.sending.foreign import ForeignPolicy
from lucidtrond.sending.restore import RestoreTerms
from lucidtrond.sending.sender import Sender
from lucidtrond.store.database import open_store
from lucidtrond.tron import trc20
from lucidtrond.tron.account import Account, Resources
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockId, BlockTransaction
from lucidtrond.tron.broadcast import BroadcastAnswer
from lucidtrond.tron.contract_terms import ContractTerms
from lucidtrond.tron.contracts_smart import Trigger
from lucidtrond.tron.keys import PrivateKey, recover
from lucidtrond.tron.parameters import ChainParameters
from lucidtrond.tron.reading import Reading
from lucidtrond.tron.receipt import ConstantResult, Log, Receipt
from lucidtrond.tron.tokens import NO_TOKENS, KnownTokens
from lucidtrond.tron.transaction import Transaction, TxId, decode_raw
from lucidtrond.tron.units import Sun, UnixMillis
from tests.chain.model import (
    OUTBOX,
    Crash,
    CrashingStore,
    ModelChain,
    address,
    emit,
    emitted,
)

KEYS = tuple(PrivateKey(bytes([*bytes(31), number])) for number in (1, 2))
OWNERS = tuple(key.address for key in KEYS)
TO = address(77)
TOKEN = address(99)
PRICES = ChainParameters(
    transaction_fee=Sun(1000),
    energy_fee=Sun(100),
    create_account_fee=Sun(100_000),
    activation_fee=Sun(1_000_000),
    memo_fee=Sun(1_000_000),
    multi_sign_fee=Sun(1_000_000),
    max_fee_limit=Sun(15_000_000_000),
    free_net_limit=600,
    every={},
)


def transfer_logs(owner: Address, data: bytes, moved: int | None) -> tuple[Log, ...]:
    """What the token writes for a transfer; *moved* None: the amount asked for."""
    call = trc20.parse_call(data)
    if not isinstance(call, trc20.TransferCall) or moved == 0:
        return ()
    ends = tuple(bytes(12) + each.raw[1:] for each in (owner, call.recipient))
    amount = call.amount if moved is None else moved
    topics = (trc20.TRANSFER_TOPIC, *ends)
    return (Log(TOKEN, topics, amount.to_bytes(32, "big")),)


@define
class PayingChain(ModelChain):
    """A node with a pool. *reply* may spoil what it says or does to a broadcast."""

    pool: dict[TxId, Transaction] = field(factory=dict)
    broadcasts: list[TxId] = field(factory=list)
    reply: Callable[[Transaction], str] = field(default=lambda _: "take")
    balance: int = 10**15
    activated: bool = True
    resources: Resources = Resources(free_net_limit=600)
    contracts: tuple[Address, ...] = ()
    tokens: int = 10**9
    energy: int = 30_000
    terms: ContractTerms = ContractTerms(TOKEN)
    refuses: str = ""
    spoil: Callable[[Receipt], Receipt] = field(default=lambda receipt: receipt)
    """What becomes of the receipts of all."""
    delay_s: float = 0.0
    """How long it takes for the receipts of all."""
    stops: str = ""
    """Why the machine stops its transfer."""
    resources_of: dict[Address, Resources] = field(factory=dict)
    """Those that are not *resources*."""
    returns: bytes = bytes(32)
    """By a simulated transfer; 32 zero bytes are what mainnet's USDT returns."""
    simulated: int | None = None
    """What its Transfer log says moves; None: what is asked for, 0: it has no log."""
    moved: int | None = None
    """The same in receipts."""
    ghosts: set[TxId] = field(factory=set)
    """What it knows though it is in no block."""
    sources: int = 1
    others: tuple[str, ...] = ()
    """How many nodes have to agree, and who agrees beside this one."""
    differing: tuple[str, ...] = ()
    """Who has another final block."""
    silence_s: float = 0.0
    """How long another node keeps those waiting who ask all of them."""
    asking_all: int = 0
    most_asking_all: int = 0
    """Questions to all nodes at once, now and at most."""
    roots_fit: bool = True
    spent: tuple[Log, ...] = ()
    """What calls write that are no plain transfers."""
    second: bool = False
    """Whether a second endpoint gives the same receipts."""

    async def fetch_blocks(self, start: int, end: int) -> list[Block]:
        blocks = await super().fetch_blocks(start, end)
        return [evolve(each, root_proven=self.roots_fit) for each in blocks]

    def has_second_source(self, besides: str) -> bool:  # noqa: ARG002 - a protocol's
        return self.second

    async def fetch_second_receipts(
        self,
        which: Block,
        *,
        besides: str,  # noqa: ARG002 - a protocol's
    ) -> tuple[Receipt, ...] | None:
        return await self.fetch_receipts(which) if self.second else None

    async def fetch_account(
        self,
        address: Address,
        *,
        solid: bool = False,  # noqa: ARG002 - the Protocol's
    ) -> Reading[Account]:
        self._ask("account")
        account = Account(
            address,
            self.activated,
            Sun(self.balance),
            is_contract=address in self.contracts,
        )
        return Reading(account, self.head)

    async def fetch_resources(
        self,
        address: Address,
    ) -> Reading[Resources]:
        self._ask("resources")
        return Reading(self.resources_of.get(address, self.resources), self.head)

    async def fetch_parameters(self) -> Reading[ChainParameters]:
        return Reading(PRICES, self.head)

    async def confirm_solid(self, number: int, block_id: BlockId) -> Agreement:
        self._ask("agreement")
        await self._wait_for_the_silent()
        agreeing = ("model",) if self.blocks[number].header.id == block_id else ()
        return Agreement(
            number,
            block_id,
            self.sources,
            (*agreeing, *self.others),
            differing=self.differing,
        )

    async def _wait_for_the_silent(self) -> None:
        self.asking_all += 1
        self.most_asking_all = max(self.most_asking_all, self.asking_all)
        try:
            await trio.sleep(self.silence_s)
        finally:
            self.asking_all -= 1

    async def look_for(self, txid: TxId) -> list[Sighting]:
        self._ask("sightings")
        await self._wait_for_the_silent()
        known = txid in self.pool or txid in self.included() or txid in self.ghosts
        return [Sighting("model", txid, is_present=known)]

    async def call_constant(
        self,
        *,
        owner: Address,
        contract: Address,
        data: bytes,
        solid: bool = False,  # noqa: ARG002 - the Protocol's
    ) -> ConstantResult:
        """One token; everybody has *tokens* of it. *refuses*: how it reverts."""
        self._ask("call")
        if contract != TOKEN:
            raise CallNotRun("model", "Smart contract is not exist.")
        if data[:4] == trc20.balance_of(TO)[:4]:
            return ConstantResult(self.tokens.to_bytes(32, "big"), 500)
        if self.stops:
            raise CallNotRun("model", self.stops)
        if self.refuses:
            return ConstantResult(b"", 900, reverted=True, reason=self.refuses)
        logs = transfer_logs(owner, data, self.simulated)
        return ConstantResult(self.returns, self.energy, logs=logs)

    async def fetch_contract(self, address: Address) -> ContractTerms | None:
        self._ask("contract")
        return self.terms if address == TOKEN else None

    async def fetch_receipts(self, which: Block) -> tuple[Receipt, ...]:
        receipts = await super().fetch_receipts(which)
        return tuple(
            self._with_logs(transaction, receipt)
            for transaction, receipt in zip(which.transactions, receipts, strict=False)
        )

    def _with_logs(self, included: BlockTransaction, receipt: Receipt) -> Receipt:
        call = decode_raw(included.transaction.raw).contract
        if not isinstance(call, Trigger):
            return receipt
        logs = transfer_logs(call.owner, call.data, self.moved)
        if isinstance(read := trc20.parse_call(call.data), trc20.TransferCall):
            logs = self.spent if read.sender is not None else logs
        return evolve(receipt, logs=logs, vm_result="SUCCESS")

    async def find_receipts(self, txid: TxId) -> list[Receipt]:
        self._ask("receipt of all")
        await trio.sleep(self.delay_s)
        return [
            self.spoil(receipt)
            for block in self.blocks[1 : self.solid + 1]
            for receipt in await self.fetch_receipts(block)
            if receipt.txid == txid
        ]

    async def broadcast(self, transaction: Transaction) -> BroadcastAnswer:
        """Take it into the pool, if it is good, and say so, if asked to."""
        txid = transaction.txid
        self.broadcasts.append(txid)
        what = self.reply(transaction)
        if what == "die before":
            raise Crash
        if what == "lost request":
            raise NodeUnavailable("model", 1)
        code, message = self._judge(transaction)
        if code == "SUCCESS" and what != "drop":
            self.pool[txid] = transaction
        if what == "lost reply":
            raise NodeUnavailable("model", 1)
        if what == "die after":
            raise Crash
        if what not in ("take", "drop"):
            code, message = what, "said so"
        return BroadcastAnswer(code, message, txid, "model")

    def _judge(self, transaction: Transaction) -> tuple[str, str]:
        raw = decode_raw(transaction.raw)
        head = self.blocks[-1].header.timestamp
        if not head < raw.expiration <= head + 86_400_000:
            return "TRANSACTION_EXPIRATION_ERROR", "Transaction expired"
        signers = {recover(transaction.digest, s) for s in transaction.signatures}
        if signers != {getattr(raw.contract, "owner", None)}:
            return "SIGERROR", "Validate signature error"
        if transaction.txid in self.pool or transaction.txid in self.included():
            return "DUP_TRANSACTION_ERROR", "Dup transaction."
        return "SUCCESS", ""

    def included(self) -> list[TxId]:
        return [
            each.transaction.txid
            for block in self.blocks
            for each in block.transactions
        ]

    def mine(self, *, salt: int = 0) -> None:
        """A block with all of the pool that may still land."""
        parent = self.blocks[-1].header
        alive = [
            transaction
            for transaction in self.pool.values()
            if parent.timestamp < decode_raw(transaction.raw).expiration
        ]
        self.pool.clear()
        self.grow(*alive, salt=salt)

    def fork_and_repool(self, depth: int, *, salt: int, forget: bool) -> None:
        """A longer branch without those blocks' transactions."""
        taken = self.fork(depth)
        for _ in range(len(taken) + 1):
            self.grow(salt=salt)
        if not forget:
            for block in taken:
                for each in block.transactions:
                    self.pool[each.transaction.txid] = each.transaction


@define
class ModelSigner:
    """Two keys and a lock."""

    locked: bool = False
    locks_first: bool = False
    """The next signature finds the keystore locked since its status was asked."""
    signatures: int = 0
    same_mac: bool = False
    """All keys of all addresses get one tag."""

    @property
    def is_locked(self) -> bool:
        return self.locked

    async def status(self) -> KeystoreStatus:
        return KeystoreStatus(
            exists=True, locked=self.locked, unlocked_until_ms=None, keys=len(KEYS)
        )

    def owns(self, tx: Tx, address: Address) -> bool:  # noqa: ARG002 - the Protocol's
        return address in OWNERS

    def owned_among(
        self,
        tx: Tx,  # noqa: ARG002 - the Protocol's
        addresses: Iterable[Address],
    ) -> frozenset[Address]:
        return frozenset(addresses) & frozenset(OWNERS)

    async def sign(self, address: Address, digest: bytes) -> bytes:
        self.locked = self.locked or self.locks_first
        self.locks_first = False
        if self.locked:
            raise KeystoreLocked("locked")
        self.signatures += 1
        return KEYS[OWNERS.index(address)].sign(digest)

    def authenticator(self, label: bytes) -> Authenticator:
        if self.locked:
            raise KeystoreLocked("locked")
        return Authenticator(b"data key", label)

    async def mac(self, address: Address, purpose: bytes, data: bytes) -> bytes:
        if self.locked:
            raise KeystoreLocked("locked")
        if self.same_mac:
            return bytes(32)
        secret = KEYS[OWNERS.index(address)].secret
        return hmac.digest(hmac.digest(secret, purpose, "sha256"), data, "sha256")


@define
class Ticking:
    """A wall clock that is wrong, as wall clocks are."""

    now: int = 0

    def now_ms(self) -> int:
        self.now += 1
        return self.now


async def drive(sender: Sender, *, everything: bool) -> None:
    """One round of what `Sender.run` does, settling first, until all of it is done."""
    await sender._guard.look()
    await sender._settling.settle_due()
    async with trio.open_nursery() as nursery:
        await sender._delivery.start_due(nursery, everything=everything)


@define
class Process:
    """Everything that dies together; the store's file and the chain live on."""

    store: CrashingStore
    chain: PayingChain
    signer: ModelSigner = field(factory=ModelSigner)
    clock: Ticking = field(factory=Ticking)
    ledger: Ledger = field(init=False)
    follower: Follower = field(init=False)
    sender: Sender = field(init=False)
    fresh: bool = True
    approve_queued: bool = True
    first_set: FirstSet | None = None
    restore: RestoreTerms = RestoreTerms()
    foreign: ForeignPolicy = ForeignPolicy()
    known: KnownTokens = NO_TOKENS
    wait_unproven: bool = False

    async def start(self) -> None:
        """Begin anew, as after a crash."""
        self.store.nth = None
        self.chain.before_answer = lambda _: None
        self.chain.reply = lambda _: "take"
        self.fresh = True
        services = connect(
            Parts(
                store=self.store,
                node=self.chain,
                clock=self.clock,
                genesis_id=self.chain.blocks[0].header.id,
                signer=self.signer,
                approve_queued=self.approve_queued,
                emit=emit,
                first_set=self.first_set,
                restore=self.restore,
                foreign=self.foreign,
                tokens=self.known,
                wait_unproven=self.wait_unproven,
            )
        )
        self.ledger = services.ledger
        self.sender = services.sender
        self.follower = services.follower
        await self.sender.begin()
        await self.follower._load()

    async def turn(self) -> None:
        """One turn of the follower, then what `run` does after it."""
        await self.follower._turn()
        await drive(self.sender, everything=self.fresh)
        self.fresh = False

    async def level(self) -> None:
        """Follow until we stand where the chain stands."""
        for _ in range(100):
            position = self.ledger.position()
            if (
                position.head == self.chain.blocks[-1].header
                and position.solid == self.chain.blocks[self.chain.solid].header
            ):
                return
            await self.turn()
        raise AssertionError("it does not come level")

    async def mine(self, count: int = 1, *, solid_lag: int = 19) -> None:
        for _ in range(count):
            self.chain.mine()
            self.chain.solidify(self.chain.head - solid_lag)
            await self.level()
            await self.turn()

    def head_time(self) -> UnixMillis:
        return self.chain.blocks[-1].header.timestamp


@asynccontextmanager
async def process(
    path: Path | None = None,
    *,
    chain: PayingChain | None = None,
    first_set: FirstSet | None = None,
    restore: RestoreTerms = RestoreTerms(),  # noqa: B008 - frozen
) -> AsyncIterator[Process]:
    """A process over a new database, or that at *path*, and a chain."""
    chain = chain or PayingChain()
    async with open_store(path) as store:
        await migrate_store(store, [OUTBOX])
        made = Process(
            CrashingStore(store), chain, first_set=first_set, restore=restore
        )
        await made.start()
        await made.level()
        yield made


async def pay(
    made: Process, key: str = "a", *, check: bool = False, **more: Any
) -> Payment:
    fields: dict[str, Any] = {
        "key": key,
        "owner": OWNERS[0],
        "to": TO,
        "asset": "TRX",
        "amount": 5,
        **more,
    }
    return await made.sender.send(PaymentOrder(**fields), check=check)


async def must_find(made: Process, key: str = "a") -> Payment:
    """The payment of this key, which is there."""
    payment = await made.sender.find(key=key)
    assert payment is not None
    return payment


async def states(made: Process) -> list[str]:
    """Of all payments, as events told them in order."""
    events = await made.store.read(lambda tx: emitted(tx, "transaction"))
    return [event["payment"]["state"] for event in events]
