"""What is still in flight, and asking for a payment once more.

What that does is decided by what is proven about the payment's latest transaction:

    unknown to us         its bytes, as a node has them, are sent again; else not found
    queued                it is signed (the bytes are fixed already) and sent
    signed pending        the same bytes are sent again: one txid lands at most once
    reverted
      past expiration     refused: no block can take it, which is not proven yet
    included              nothing; it is in a block that is not final
    solidified            refused: it is paid
    failed                refused without *pay_again*: it cost its fee, and may again
    expired               proven dead: a new transaction, the payment's next attempt
      not yet agreed on   refused: in doubt

With *check* everything is looked at and refused as it would be, and nothing is done.

What the chain shows of ours and the journal does not know stops its wallet until its
key is asked again or somebody says that it is meant: `sending.foreign`,
`sending.acknowledge`.

What was not accepted while the keystore was unlocked is signed only once somebody has
looked at it: `sending.queued` shows it, `sending.approve` lets it go on.
"""

from typing import Annotated, Literal

import msgspec

from lucidtrond.api import (
    AddressText,
    AlreadyFinal,
    Conflict,
    Context,
    Cursor,
    Expired,
    FailedOnChain,
    ForeignRow,
    ForeignTransaction,
    InDoubt,
    InsufficientFunds,
    InvalidInput,
    KeystoreLocked,
    Limit,
    LimitTooLow,
    NoConfig,
    NodeError,
    NotFound,
    Params,
    Payment,
    Plugin,
    PossibleRestore,
    QueuedPayments,
    Result,
    TxIdText,
    WouldFail,
    read_address,
    read_txid,
)
from lucidtrond.tron.keys import BadSignature
from lucidtrond.tron.recovery import recover_signer
from lucidtrond.tron.transaction import (
    MalformedTransaction,
    Transaction,
    TxId,
    decode_raw,
)

plugin = Plugin("retry")

MAX_HEX = 1_024_000
"""Characters of a transaction: 500 KiB (getMaxTransactionSize) and its results."""

Action = Literal["sent_again", "paid_anew", "nothing"]


class Retry(Params, frozen=True):
    """*pay_again*: also when it failed in its block, where it has cost its fee.
    *check* is a dry run: what would be done, or why it would be refused."""

    txid: TxIdText
    pay_again: bool = False
    check: bool = False


class Retried(Result, frozen=True):
    """*txid* is the transaction to look at now; *original_txid* the one that was given.

    *action*: ``sent_again`` (the same bytes), ``paid_anew`` (a new transaction of the
    same payment, since the last is proven not to pay) or ``nothing`` (it is in a block
    already). *payment* is null when it is none of ours. With *checked* nothing of that
    was done: a payment that would be paid anew is in state ``checked``.
    """

    original_txid: str
    txid: str
    action: Action
    payment: Payment | None
    broadcast_code: str | None
    checked: bool = False


@plugin.method(
    "tx.retry",
    caller="spend",
    timeout_s=60,
    example={"txid": "0" * 64},
    errors=(
        NotFound,
        AlreadyFinal,
        InDoubt,
        FailedOnChain,
        ForeignTransaction,
        PossibleRestore,
        KeystoreLocked,
        InsufficientFunds,
        LimitTooLow,
        WouldFail,
        InvalidInput,
        NodeError,
    ),
)
async def retry(ctx: Context[NoConfig], params: Retry) -> Retried:
    """Ask for a payment once more; never pays twice."""
    txid = read_txid(params.txid)
    existing = await ctx.sender.find(txid=txid)
    if existing is None or existing.txid is None:
        return await _relay_known(ctx, txid, check=params.check)
    latest = TxId(existing.txid)
    action: Action = "sent_again"
    if existing.state in ("solidified", "failed", "unproven", "expired"):
        # Refuses what is paid, what may still land, and what was not agreed to.
        payment = await ctx.sender.renew(
            latest, even_failed=params.pay_again, check=params.check
        )
        action = "paid_anew"
    elif existing.state == "included":
        payment, action = existing, "nothing"
    else:
        payment = await ctx.sender.rebroadcast(latest, check=params.check)
    return Retried(
        original_txid=txid,
        txid=payment.txid or latest,
        action=action,
        payment=payment,
        broadcast_code=payment.broadcast_code,
        checked=params.check,
    )


async def _relay_known(ctx: Context[NoConfig], txid: TxId, *, check: bool) -> Retried:
    """Signed elsewhere: its bytes, if a node has them, and nothing else."""
    held = await ctx.node.fetch_transaction(txid)
    if held is None:
        raise NotFound(
            f"no payment of ours and no node knows {txid}; who has its bytes may give"
            " them to tx.broadcast"
        )
    if await ctx.node.fetch_receipt(txid, solid=True) is not None:
        raise AlreadyFinal("its block is solidified", txid=txid)
    action: Action = "nothing"
    code = None
    if await ctx.node.fetch_receipt(txid) is None:
        action = "sent_again"
        if not check:
            code = (await ctx.sender.relay(held.transaction)).code
    return Retried(
        original_txid=txid,
        txid=txid,
        action=action,
        payment=None,
        broadcast_code=code,
        checked=check,
    )


class Broadcast(Params, frozen=True):
    """A whole signed transaction, as protobuf in hex. *check* is a dry run."""

    transaction_hex: Annotated[str, msgspec.Meta(max_length=MAX_HEX)]
    check: bool = False


class Broadcasted(Result, frozen=True):
    """What the node said: *code* SUCCESS is "taken into the pool", not "paid". After a
    *check* it is CHECKED, which says that it can be sent, not that it will be taken."""

    txid: str
    accepted: bool
    code: str
    message: str


@plugin.method(
    "tx.broadcast",
    caller="spend",
    timeout_s=60,
    example={"transaction_hex": "0a020801124100"},
    errors=(InvalidInput, AlreadyFinal, Expired, NodeError),
)
async def broadcast(ctx: Context[NoConfig], params: Broadcast) -> Broadcasted:
    """Send a transaction that was signed elsewhere; it is not kept and not followed."""
    transaction = _read(params.transaction_hex)
    if params.check:
        return await _checked(ctx, transaction)
    answer = await ctx.sender.relay(transaction)
    return Broadcasted(
        txid=transaction.txid,
        accepted=answer.accepted,
        code=answer.code,
        message=answer.message,
    )


async def _checked(ctx: Context[NoConfig], transaction: Transaction) -> Broadcasted:
    txid = transaction.txid
    try:
        expiration = decode_raw(transaction.raw).expiration
        for signature in transaction.signatures:
            recover_signer(transaction.digest, signature)
    except (MalformedTransaction, BadSignature) as why:
        raise InvalidInput(f"transaction_hex: {why}") from None
    if await ctx.node.fetch_receipt(txid, solid=True) is not None:
        raise AlreadyFinal("its block is solidified", txid=txid)
    head = ctx.ledger.position().head
    if head is not None and head.timestamp >= expiration:
        text = f"it expired at {expiration}, the chain is at {head.timestamp}"
        raise Expired(text, txid=txid)
    message = "signed and not expired; nothing was sent"
    return Broadcasted(txid=txid, accepted=False, code="CHECKED", message=message)


def _read(text: str) -> Transaction:
    try:
        transaction = Transaction.from_bytes(bytes.fromhex(text))
    except ValueError as why:  # MalformedTransaction is one
        raise InvalidInput(f"transaction_hex: {why}") from None
    if not transaction.signatures:
        raise InvalidInput("transaction_hex: expected a signed transaction, got none")
    return transaction


class PendingRow(Result, frozen=True):
    """*safe_to_retry*: a new payment would not be a second one. Until
    *in_flight_until_ms* (chain time) it may land; *dead* is proven by final blocks."""

    payment: Payment
    safe_to_retry: bool
    in_flight_until_ms: int | None
    dead: bool


class ListPending(Params, frozen=True):
    limit: Limit = 100
    cursor: Cursor | None = None


class Pending(Result, frozen=True):
    """Newest first. *next_cursor* is null on the last page."""

    pending: list[PendingRow]
    next_cursor: str | None


@plugin.method("tx.pending", example={"limit": 100}, errors=(InvalidInput,))
async def pending(ctx: Context[NoConfig], params: ListPending) -> Pending:
    """List payments that are not settled yet."""
    payments, following = await ctx.sender.payments(
        limit=params.limit, cursor=params.cursor, unresolved=True
    )
    return Pending(
        next_cursor=following,
        pending=[
            PendingRow(
                payment=payment,
                safe_to_retry=payment.safe_to_retry,
                in_flight_until_ms=payment.in_flight_until_ms,
                dead=payment.state == "expired",
            )
            for payment in payments
        ],
    )


PaymentIds = Annotated[
    list[Annotated[str, msgspec.Meta(max_length=64)]],
    msgspec.Meta(min_length=1, max_length=1000),
]


class ListQueued(Params, frozen=True):
    """*payment_ids*: these instead, also if only a `tx.retry` would sign them."""

    payment_ids: PaymentIds | None = None


@plugin.method(
    "sending.queued",
    example={"payment_ids": ["0" * 32]},
    errors=(NotFound, InDoubt),
)
async def queued(ctx: Context[NoConfig], params: ListQueued) -> QueuedPayments:
    """List payments that wait for approval, with totals, and what is set aside."""
    return await ctx.sender.queued(params.payment_ids)


class Approve(Params, frozen=True):
    """*fingerprint* is that of `sending.queued` with the same *payment_ids*."""

    fingerprint: Annotated[str, msgspec.Meta(min_length=64, max_length=64)]
    payment_ids: PaymentIds | None = None


class Approved(Result, frozen=True):
    """Payments that go on like any other from now on."""

    payment_ids: list[str]


@plugin.method(
    "sending.approve",
    caller="admin",
    example={"fingerprint": "0" * 64},
    errors=(KeystoreLocked, Conflict, NotFound, InDoubt),
)
async def approve(ctx: Context[NoConfig], params: Approve) -> Approved:
    """Let payments be signed that were queued while the keystore was locked."""
    approved = await ctx.sender.approve(
        fingerprint=params.fingerprint, payment_ids=params.payment_ids
    )
    return Approved(payment_ids=approved)


class ListForeign(Params, frozen=True):
    """*address* is of a wallet; *unexplained*: only what stops one, or would if its
    policy was ``stop``."""

    address: AddressText | None = None
    unexplained: bool = False
    limit: Limit = 100
    cursor: Cursor | None = None


class HeldBack(Result, frozen=True):
    """No new payment of any wallet before a final block is past *until_ms*."""

    until_ms: int
    reason: str


class Foreign(Result, frozen=True):
    """Newest seen first. *next_cursor* is null on the last page; *held_back* is null
    unless the database may be an old copy."""

    transactions: list[ForeignRow]
    next_cursor: str | None
    held_back: HeldBack | None


@plugin.method("sending.foreign", example={"unexplained": True}, errors=(InvalidInput,))
async def foreign(ctx: Context[NoConfig], params: ListForeign) -> Foreign:
    """List transactions of ours that the journal does not know."""
    owner = None
    if params.address is not None:
        owner = read_address(params.address)
    rows, following = await ctx.sender.foreign(
        limit=params.limit,
        cursor=params.cursor,
        owner=owner,
        unexplained=params.unexplained,
    )
    hold = ctx.sender.hold
    return Foreign(
        transactions=rows,
        next_cursor=following,
        held_back=None
        if hold is None
        else HeldBack(until_ms=hold.until, reason=hold.reason),
    )


class Acknowledge(Params, frozen=True):
    """*txids*: these are meant. *restore*: the database is no old copy, or nothing was
    paid since the copy was made: new payments need not wait any more."""

    txids: Annotated[tuple[TxIdText, ...], msgspec.Meta(max_length=1000)] = ()
    restore: bool = False


class Acknowledged(Result, frozen=True):
    """*released*: payments were held back, and are not any more."""

    transactions: list[ForeignRow]
    released: bool


@plugin.method(
    "sending.acknowledge",
    caller="admin",
    example={"txids": ["0" * 64]},
    errors=(NotFound, InvalidInput),
)
async def acknowledge(ctx: Context[NoConfig], params: Acknowledge) -> Acknowledged:
    """Say that foreign transactions, or a start on an old copy, are meant."""
    if not params.txids and not params.restore:
        raise InvalidInput("expected txids, restore or both")
    rows = await ctx.sender.acknowledge([read_txid(txid) for txid in params.txids])
    released = params.restore and await ctx.sender.acknowledge_restore()
    return Acknowledged(transactions=rows, released=released)
