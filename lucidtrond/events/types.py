"""Events and the two records they carry, in wire form.

Wire form: addresses base58, amounts strings of sun, times integer milliseconds, bytes
lower-case hex. An event is a row of the outbox and gets its sequence number there.
"""

from typing import ClassVar, Final, Literal, Protocol

import msgspec

from lucidtrond.ports import Tx

Proof = Literal["signatures", "two_sources", "one_source"]
"""What a fact of the chain rests on.

``signatures``: the block's id and its producer's signature cover it. ``two_sources``:
only receipts say so, which no header covers, and two endpoints gave the same ones.
``one_source``: one endpoint's word.
"""
PROOFS: Final[tuple[Proof, ...]] = ("one_source", "two_sources", "signatures")
"""From the least to the best."""


def proofs_from(least: Proof) -> tuple[Proof, ...]:
    """Those that are *least* or better."""
    return PROOFS[PROOFS.index(least) :]


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """One transfer of the chain that touched a watched address.

    Identity is (txid, kind, index): *index* is 0 for a native transfer, the log index
    for a token's, the internal transaction's index for an internal one. It is -1 while
    the call ended in SUCCESS and its receipt holds no log of it: then it may have
    moved, and is *contradicted*, so do not credit it; or its token is exact, and it
    moved. It becomes the log's when that was read, or the next that no other row of the
    transaction has.

    *proof* is what the movement rests on, *cost_proof* fee, energy and bandwidth:
    ``signatures`` of the block, receipts of ``two_sources``, or the word of
    ``one_source``. A plain transfer of an exact token rests on its call, so on
    ``signatures``.
    """

    txid: str
    kind: Literal["trx", "trc20", "trc10", "internal"]
    index: int
    from_address: str
    to_address: str
    asset: str
    """``TRX``, a TRC-20 contract's address or a TRC-10 id."""
    amount: str
    """Sun for TRX, raw units for tokens."""
    success: bool
    """Whether it moved, as far as known; false while *contradicted*."""
    block_number: int
    block_id: str
    block_timestamp_ms: int
    solidified: bool = False
    fee_sun: str = "0"
    memo_hex: str = ""
    proof: Proof = "one_source"
    """Of this movement."""
    cost_proof: Proof = "one_source"
    """Of *fee_sun*, *energy_used* and *bandwidth_used*."""
    contradicted: bool = False
    """The block holds a call that moves this and SUCCESS as its result, the receipt
    holds no log of it. It may have moved: neither a deposit nor a failure."""
    single_source: bool = True
    """The older name of ``proof == "one_source"``."""
    unknown_token: bool = False
    """A TRC-20 that is on no list of ours, or a TRC-10, whatever it calls itself."""
    energy_used: int | None = None
    """By the whole transaction; None where it was not written down."""
    bandwidth_used: int | None = None
    """Bytes that were not paid for in TRX, as *energy_used*."""


PaymentState = Literal[
    "queued",
    "signed",
    "pending",
    "included",
    "reverted",
    "solidified",
    "failed",
    "unproven",
    "expired",
    "checked",
]
"""``unproven``: a token's call succeeded, in a final block, without the Transfer log
that would prove the payment. ``checked`` is the answer to a dry run: it is in no
journal and nothing happens."""


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """One intent to pay and what became of its latest attempt.

    Only ``solidified`` is paid. ``unproven`` is in a final block that proves neither
    that it paid nor that it failed: do not pay again. *arrived_raw* is what the logs of
    a token say that the recipient got, once it is in a block; *proof* is what that and
    *state* rest on, as of a `LedgerEntry`.
    """

    payment_id: str
    idempotency_key: str
    state: PaymentState
    from_address: str
    to_address: str
    asset: str
    amount: str
    memo_hex: str = ""
    txid: str | None = None
    attempt: int = 0
    """Which of its transactions this is: a dead one may be followed by another."""
    attempts_left: int = 0
    """How many may follow by themselves, should this one be proven dead."""
    created_ms: int = 0
    updated_ms: int = 0
    expiration_ms: int | None = None
    block_number: int | None = None
    block_id: str | None = None
    block_timestamp_ms: int | None = None
    fee_sun: str | None = None
    """What it burned; only once it is in a block."""
    arrived_raw: str | None = None
    """Of a token, what its Transfer logs say the recipient got, once it is in a block:
    less than *amount* where the token takes a fee, 0 where there is no such log."""
    proof: Proof | None = None
    """Of what became of it, once it is in a block: ``one_source`` says that *state* is
    one endpoint's word (a token's log, or a block whose transaction root could not be
    recomputed). Null also for what an older version saw in its block."""
    fee_limit_sun: str | None = None
    """Of a token's call; it bounds the energy."""
    burn_sun: str | None = None
    """What is set aside for burning until it is settled; it mostly burns less."""
    reason: str | None = None
    """Why it failed, expired or was refused; text for people."""
    broadcast_code: str | None = None
    """What a node said last, for programs; `reason` is for people."""
    broadcasts: int = 0
    """How often its bytes were sent, to whichever nodes."""
    safe_to_retry: bool = False
    in_flight_until_ms: int | None = None
    adopted: bool = False
    """Its transaction was made for this key by a journal that is lost, and was found on
    the chain."""


ForeignFlag = Literal["co_signed", "zero_value", "spender"]
"""Why a foreign transaction stops no wallet: a key that is not of this keystore signed
it; a token transfer of nothing; sent by somebody who may spend the wallet's tokens."""


class ForeignRow(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction in a block that moved what is ours, and that the journal lacks.

    *stops*: no new payment of *from_address* is signed until it is adopted (its key is
    asked again) or acknowledged. Block fields are null after a fork took the block
    back; it may land again until *expiration_ms*.
    """

    txid: str
    from_address: str
    to_address: str | None
    """Null, as *asset* and *amount*, where it is no plain transfer."""
    asset: str | None
    amount: str | None
    memo_hex: str
    block_number: int | None
    block_id: str | None
    block_timestamp_ms: int | None
    expiration_ms: int
    flag: ForeignFlag | None
    stops: bool
    acknowledged: bool
    adopted: bool
    seen_ms: int


class PaymentEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """What a payment would burn beside its amount, as of one block; sun unless named.

    *total_burn_sun* is expected if nothing changes, *most_burn_sun* when a token's call
    takes all that its fee limit lets it. *fee_limit_sun* is null for TRX. *energy* is
    the whole call's; of it the stake of the contract's maker pays *origin_energy*.
    *arrives_raw* is what a token's simulation says the recipient gets, null for TRX:
    less than the amount where the token takes a fee.
    """

    bandwidth_bytes: int
    energy: int
    bandwidth_burn_sun: str
    energy_burn_sun: str
    activation_sun: str
    memo_sun: str
    total_burn_sun: str
    most_burn_sun: str
    fee_limit_sun: str | None
    balance_sun: str
    token_balance_raw: str | None
    activates_recipient: bool
    as_of_block: int
    origin_energy: int = 0
    arrives_raw: str | None = None


class AssetTotal(msgspec.Struct, frozen=True, kw_only=True):
    """What several payments move of one asset: sun, or the token's smallest units."""

    asset: str
    amount: str
    payments: int


class PaymentFault(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that is set aside; fields as in `PaymentSetAside`."""

    payment_id: str | None
    txid: str | None
    field: str
    wanted: str
    stored: str


class QueuedPayments(msgspec.Struct, frozen=True, kw_only=True):
    """Payments that were not accepted while the keystore was unlocked, oldest first.

    Nothing of them is signed before they are approved. *totals* are by asset, without
    what is burned; *fingerprint* names exactly this list. What is *set_aside* can't be
    approved.
    """

    payments: list[Payment]
    totals: list[AssetTotal]
    fingerprint: str
    set_aside: list[PaymentFault]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything that goes through the outbox.

    *topic* is what a subscriber asks for; `addresses` is what a filter looks at.
    """

    topic: ClassVar[str] = ""

    def addresses(self) -> tuple[str, ...]:
        """Base58 addresses this event is about."""
        return ()

    def proven_by(self) -> Proof | None:
        """What a subscriber's least proof is compared with; None: it comes anyway."""
        return None


class BlockApplied(Event, frozen=True, kw_only=True):
    """A block became part of our view of the chain."""

    topic: ClassVar[str] = "block"
    number: int
    block_id: str
    parent_id: str
    timestamp_ms: int
    transactions: int


class BlockReverted(Event, frozen=True, kw_only=True):
    """A fork took this block back, with everything in it."""

    topic: ClassVar[str] = "reverted"
    number: int
    block_id: str


class Solidified(Event, frozen=True, kw_only=True):
    """All blocks up to this one are final."""

    topic: ClassVar[str] = "solidified"
    number: int
    block_id: str
    timestamp_ms: int


class BlockUnproven(Event, frozen=True, kw_only=True):
    """A block of ours whose transaction root could not be recomputed.

    Its header and signature are good, but the endpoints do not show all that the root
    covers, so what it holds is one endpoint's word: `proof` of its ledger entries is
    ``one_source``, and no payment that it may hold is proven dead or failed. Where
    ``[chain] unproven`` is ``wait``, such entries are not *solidified* until a second
    source or a proof. Another endpoint may show more: configure a second one.
    """

    topic: ClassVar[str] = "unproven"
    number: int
    block_id: str


class TransferSeen(Event, frozen=True, kw_only=True):
    """A watched address sent or received; final only when ``entry.solidified``.

    ``corrected``: the log of *entry* was missing and was read now; it stands in place
    of the one with index -1. ``proven``: its *proof* is better now. ``downgraded``: its
    *proof* is less now, since its token was not exact; without its log it is
    *contradicted* again. ``reverted``: a fork took its block back; or a
    proven block shows the transaction that an unproven one had shown before, which may
    come after ``solidified``.
    """

    topic: ClassVar[str] = "transfer"
    change: Literal[
        "included", "reverted", "solidified", "corrected", "proven", "downgraded"
    ]
    entry: LedgerEntry

    def addresses(self) -> tuple[str, ...]:
        return (self.entry.from_address, self.entry.to_address)

    def proven_by(self) -> Proof | None:
        """None also of what takes back: who was told of it before is told of that."""
        return None if self.change in ("reverted", "downgraded") else self.entry.proof


class PaymentChanged(Event, frozen=True, kw_only=True):
    """A payment of ours reached another state, or its proof is another one."""

    topic: ClassVar[str] = "transaction"
    payment: Payment

    def addresses(self) -> tuple[str, ...]:
        return (self.payment.from_address, self.payment.to_address)


class PaymentSetAside(Event, frozen=True, kw_only=True):
    """A payment's row was edited or is damaged: nothing of it is signed or sent.

    *field* differs: ``row`` where the row can't be read, ``error`` where acting on it
    failed unexpectedly, ``block`` where reading a block that concerns it did. *wanted*
    and *stored* are text for people.
    """

    topic: ClassVar[str] = "set_aside"
    payment_id: str | None
    txid: str | None
    """As the row has it."""
    field: str
    wanted: str
    stored: str


class ForeignSeen(Event, frozen=True, kw_only=True):
    """A transaction that the journal does not know left an address of ours.

    ``included``: a block holds it. ``reverted``: a fork took the block back.
    ``expired``: it is proven not to land again. ``adopted``: it belongs to a key that
    was asked again. ``acknowledged``: an operator said that it is meant.
    """

    topic: ClassVar[str] = "foreign"
    change: Literal["included", "reverted", "expired", "adopted", "acknowledged"]
    transaction: ForeignRow

    def addresses(self) -> tuple[str, ...]:
        both = (self.transaction.from_address, self.transaction.to_address)
        return tuple(address for address in both if address is not None)


class RestoreSuspected(Event, frozen=True, kw_only=True):
    """The database may be an old copy: no new payment until a final block is past
    *until_ms* (``held``), or payments go on (``released``, ``acknowledged``)."""

    topic: ClassVar[str] = "restore"
    change: Literal["held", "released", "acknowledged"]
    reason: str
    until_ms: int


class WalletCreated(Event, frozen=True, kw_only=True):
    """A wallet was made."""

    topic: ClassVar[str] = "wallet"
    wallet_id: str
    address: str

    def addresses(self) -> tuple[str, ...]:
        return (self.address,)


class NodeChanged(Event, frozen=True, kw_only=True):
    """An endpoint's state changed, or it was caught lying."""

    topic: ClassVar[str] = "node"
    endpoint: str
    state: str
    reason: str


class FinalityChanged(Event, frozen=True, kw_only=True):
    """What endpoints call final is proven by producers' signatures no more, or again.

    ``stalled``: for three rounds of producers nothing above *solid_number* was proven,
    so no payment or deposit becomes final; *reason* says what is missing.
    ``moving``: blocks become final again.
    """

    topic: ClassVar[str] = "finality"
    state: Literal["stalled", "moving"]
    solid_number: int
    unproven_blocks: int
    """Above it, those that an endpoint calls final."""
    reason: str | None = None


Problem = Literal[
    "log_missing",
    "log_unreadable",
    "receipts_differ",
    "no_internal_transactions",
    "drift",
    "drift_over",
    "not_exact",
]


class LedgerProblem(Event, frozen=True, kw_only=True):
    """What nodes say does not fit together, so the ledger may be wrong.

    ``log_missing``: a block holds a transfer of a known token with SUCCESS, the receipt
    no log of it; a row of a watched address is *contradicted*. ``log_unreadable``: a
    known token wrote a Transfer or Approval event that can not be read.
    ``receipts_differ``: two endpoints contradict each other.
    ``no_internal_transactions``: an endpoint keeps none. ``drift``: an account holds
    another balance than the ledger says, since *block_number* or later;
    ``drift_over``: both agree again. ``not_exact``: from *block_number* on calls of the
    token *asset* are no proof of what they move, or nobody says that they are.
    """

    topic: ClassVar[str] = "ledger"
    problem: Problem
    reason: str
    """Text for people."""
    block_number: int
    block_id: str | None = None
    """Null for a drift."""
    txids: tuple[str, ...] = ()
    """Those concerned, at most 20."""
    address: str | None = None
    asset: str | None = None
    drift: str | None = None
    """What the account holds more than the ledger says; sun or raw units, signed."""

    def addresses(self) -> tuple[str, ...]:
        return () if self.address is None else (self.address,)


class PluginEvent(Event, frozen=True, kw_only=True):
    """What a plugin has to tell: *plugin* and *name* say which kind it is.

    *about* are the base58 addresses that a subscriber's filter may match.
    """

    topic: ClassVar[str] = "plugin"
    plugin: str
    name: str
    about: tuple[str, ...] = ()
    data: dict[str, str | int | bool | None] = {}

    def addresses(self) -> tuple[str, ...]:
        return self.about


EVENTS: frozenset[type[Event]] = frozenset(
    {
        BlockApplied,
        BlockReverted,
        Solidified,
        BlockUnproven,
        TransferSeen,
        PaymentChanged,
        PaymentSetAside,
        ForeignSeen,
        RestoreSuspected,
        WalletCreated,
        NodeChanged,
        FinalityChanged,
        LedgerProblem,
        PluginEvent,
    }
)
"""All that go through the outbox; each has a topic of its own."""

TOPICS = (
    "block",
    "solidified",
    "reverted",
    "unproven",
    "transfer",
    "transaction",
    "set_aside",
    "foreign",
    "restore",
    "wallet",
    "account",
    "node",
    "finality",
    "ledger",
    "plugin",
)


class Emit(Protocol):
    """Puts an event into the outbox, in the caller's transaction."""

    def __call__(self, tx: Tx, event: Event) -> int:
        """Write *event*; give its sequence number.

        Subscribers get it once the transaction is durable.
        """
