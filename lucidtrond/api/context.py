"""What a plugin may touch at run time, as Protocols that lower layers satisfy."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, Protocol

import msgspec
from attrs import frozen
from typing_extensions import TypeVar

from lucidtrond.events.types import (
    Emit,
    ForeignRow,
    LedgerEntry,
    Payment,
    PaymentEstimate,
    Proof,
    QueuedPayments,
)
from lucidtrond.orders import PaymentOrder
from lucidtrond.ports import (
    BalanceDrift,
    Clock,
    KeystoreStatus,
    LedgerHealth,
    Store,
    Tx,
)
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import (
    ChainPosition,
)
from lucidtrond.tron.broadcast import BroadcastAnswer
from lucidtrond.tron.hd import DerivedAddress
from lucidtrond.tron.questions import (
    AccountQuestions,
    BlockQuestions,
    CallQuestions,
    HeadQuestions,
    ParameterQuestions,
    TransactionQuestions,
)
from lucidtrond.tron.tokens import KnownTokens
from lucidtrond.tron.transaction import Transaction, TxId
from lucidtrond.tron.units import Sun, UnixMillis

C = TypeVar("C", bound=msgspec.Struct, default=Any)


class Node(
    AccountQuestions,
    ParameterQuestions,
    HeadQuestions,
    BlockQuestions,
    TransactionQuestions,
    CallQuestions,
    Protocol,
):
    """Questions to the network; answers are checked.

    Kept until a block touches the address: accounts and their resources. Kept for a
    while: chain parameters, which change by vote only. Heads, blocks and calls are
    asked for each time.

    All raise `errors.NodeError`; deadlines are the caller's cancel scope.
    """

    def endpoints(self) -> Sequence[Mapping[str, Any]]:
        """State of each endpoint, JSON-able, without keys."""


class Ledger(Protocol):
    """The follower's record of transfers that touched watched addresses."""

    def position(self) -> ChainPosition:
        """From memory; cheap."""

    async def drifts(self, address: Address) -> Sequence[BalanceDrift]:
        """Balances of *address* that are not what the ledger says."""

    def health(self) -> LedgerHealth:
        """What is known to be wrong with it; from memory."""

    def watch(self, tx: Tx, address: Address) -> None:
        """Watch from now on; part of the caller's own transaction."""

    def is_watched(self, tx: Tx, address: Address) -> bool: ...

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

        A cursor names the last row of its page, so pages are stable under new blocks.
        *min_proof* leaves out rows that rest on less.
        """

    async def wait_block_beyond(self, number: int) -> None:
        """Return when the head is above *number*."""


class RestoreHold(Protocol):
    """Nothing new is paid before a final block is past *until* (chain time)."""

    @property
    def until(self) -> UnixMillis: ...
    @property
    def reason(self) -> str: ...


class Sender(Protocol):
    """Pays at most once per idempotency key."""

    async def send(self, order: PaymentOrder, *, check: bool = False) -> Payment:
        """Journal, sign and broadcast; the same key finds the same payment again.

        *order.to* is a text's address by `read_recipient`, which sees to its checksum.
        *check* is a dry run: what would be refused is refused, and nothing is
        journaled.

        Raises:
            Conflict: the key was used with other content.
            KeystoreLocked, NoSuchKey, InsufficientFunds, LimitTooLow,
            RecipientRefused, WouldFail, TooLarge, InvalidInput.
        """

    async def estimate(self, order: PaymentOrder) -> PaymentEstimate:
        """What a payment would burn now; the owner need not be ours.

        Of the order, its content counts and neither key nor attempts.

        Raises:
            InsufficientFunds: of the token. TRX that are missing are no error here.
            RecipientRefused, WouldFail, TooLarge, InvalidInput, NodeError.
        """

    async def find(
        self,
        *,
        payment_id: str | None = None,
        key: str | None = None,
        txid: str | None = None,
    ) -> Payment | None:
        """By exactly one of them."""

    async def payments(
        self,
        *,
        limit: int = 100,
        cursor: str | None = None,
        owner: Address | None = None,
        unresolved: bool = False,
    ) -> tuple[list[Payment], str | None]:
        """Newest first, with the cursor of the next page or None."""

    async def wait(self, payment_id: str, *, until: str) -> Payment:
        """Until ``included`` or ``solidified`` or an end that is neither.

        Cancelling the waiting does not cancel the payment.
        """

    async def rebroadcast(self, txid: TxId, *, check: bool = False) -> Payment:
        """Send the same bytes again; signs them if they were not signed yet.

        With *check* it only says whether that can be done.

        Raises:
            NotFound: not sent by us.
            AlreadyFinal, Expired: nothing can or must be done.
            InDoubt: no block can take it any more, which is not proven yet.
            KeystoreLocked: it waits for its signature.
        """

    async def queued(self, payment_ids: Sequence[str] | None = None) -> QueuedPayments:
        """What was not accepted while the keystore was unlocked; it waits for approval.

        *payment_ids*: these instead, also if only a renewal by hand would sign them.

        Raises:
            NotFound: a payment does not wait for approval.
            InDoubt: its row was edited.
        """

    async def approve(
        self, *, fingerprint: str, payment_ids: Sequence[str] | None = None
    ) -> list[str]:
        """Let be signed what `queued` gave for the same *payment_ids*; gives their ids.

        Raises:
            KeystoreLocked.
            Conflict: it is not what was shown any more.
            NotFound, InDoubt: as `queued`.
        """

    @property
    def hold(self) -> RestoreHold | None:
        """Why nothing new is paid: the state may be an old copy; None: it is not."""

    async def foreign(
        self,
        *,
        limit: int = 100,
        cursor: str | None = None,
        owner: Address | None = None,
        unexplained: bool = False,
    ) -> tuple[list[ForeignRow], str | None]:
        """Transactions of ours that the journal does not know, newest seen first.

        *unexplained*: those that are neither adopted nor acknowledged nor flagged.
        """

    async def acknowledge(self, txids: Sequence[TxId]) -> list[ForeignRow]:
        """Say that foreign transactions are meant: they stop no wallet any more.

        Raises:
            NotFound: one of them is none; then nothing changes.
        """

    async def acknowledge_restore(self) -> bool:
        """Say that the state is no old copy, or that it lacks no payment.

        False: nothing was held back.
        """

    async def relay(self, transaction: Transaction) -> BroadcastAnswer:
        """Send what was signed elsewhere; nothing of it is kept. Raises NodeError."""

    async def renew(
        self, txid: TxId, *, even_failed: bool = False, check: bool = False
    ) -> Payment:
        """Pay with a new transaction what a dead one did not; the same payment.

        *even_failed*: also what failed in its block and cost its fee there. With
        *check* it only says what it would be: state ``checked``, without a txid.

        Raises:
            NotFound: not sent by us.
            AlreadyFinal: it is paid.
            InDoubt: it may still land, until ``in_flight_until_ms`` if that is there.
            FailedOnChain: it failed in its block, and *even_failed* was not said.
            KeystoreLocked, and whatever keeps it from being paid: see `send`.
        """


class Keys(Protocol):
    """Which addresses are ours; signatures are the sender's business."""

    def allocate(self, tx: Tx, count: int) -> list[DerivedAddress]:
        """Derive the next *count* addresses; works while locked.

        Raises:
            KeystoreMissing: `keystore.init` was never called.
        """

    def owns(self, tx: Tx, address: Address) -> bool: ...


class Keystore(Protocol):
    """The vault's operations; only for plugins whose section grants ``keystore``."""

    async def init(self, passphrase: str) -> None:
        """Make seed and keystore, leave it unlocked. Raises Conflict."""

    async def unlock(self, passphrase: str, *, for_s: float | None) -> None:
        """Raises WrongPassphrase, KeystoreMissing."""

    def lock(self) -> None: ...

    async def status(self) -> KeystoreStatus: ...

    async def reveal_mnemonic(self, passphrase: str) -> str:
        """The 24 words. Raises WrongPassphrase, KeystoreMissing."""


class DevnetControl(Protocol):
    """The embedded chain; only on the devnet and with the grant ``devnet``."""

    async def fund(self, address: Address, amount: Sun) -> TxId:
        """A signed transfer from the funded account; gives its txid."""

    async def fund_token(self, address: Address, token: Address, amount: int) -> TxId:
        """The same with a token's smallest units."""

    async def mine(self, count: int) -> int:
        """Make blocks now; gives the head number."""

    def info(self) -> Mapping[str, Any]:
        """URL, head, block time, witnesses, funded accounts (test keys)."""

    async def control(self, verb: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Forks, faults, leaps in time, snapshots: ``/devnet/VERB`` of the chain.

        Raises:
            InvalidInput: names what came and what was wanted.
        """


@frozen(kw_only=True)
class Context(Generic[C]):
    """All a plugin may touch. One per plugin and daemon."""

    name: str
    config: C
    network: str
    clock: Clock
    log: logging.Logger
    node: Node
    store: Store
    ledger: Ledger
    tokens: KnownTokens
    """The TRC-20 contracts of this network that somebody vouched for."""
    sender: Sender
    keys: Keys
    emit: Emit
    """Only within ``store.write``: whoever listens hears of it after the commit."""
    call: Callable[..., Awaitable[Any]]
    """``await ctx.call("other.method", {...})``: params as JSON-able mapping or Struct,
    result as that method's Struct; runs with this daemon's own authority. Raises
    PluginDisabled when no enabled plugin offers the method."""
    _keystore: Keystore | None = None
    _devnet: DevnetControl | None = None

    @property
    def keystore(self) -> Keystore:
        """Needs ``grants = ["keystore"]`` in the plugin's section."""
        if self._keystore is None:
            raise AttributeError(f"plugin {self.name} has no grant for the keystore")
        return self._keystore

    @property
    def devnet(self) -> DevnetControl:
        """Needs ``grants = ["devnet"]`` and the devnet."""
        if self._devnet is None:
            raise AttributeError(f"plugin {self.name} has no devnet here")
        return self._devnet
