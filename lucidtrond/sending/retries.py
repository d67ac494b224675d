"""Retries on request: the same bytes again, or a new transaction."""

from collections.abc import Callable

from lucidtrond.errors import AlreadyFinal, Expired, FailedOnChain, InDoubt, NotFound
from lucidtrond.events.types import Payment
from lucidtrond.sending import plan
from lucidtrond.sending.acceptance import check_unlocked
from lucidtrond.sending.approval import Approval
from lucidtrond.sending.delivery import Delivery
from lucidtrond.sending.journal.fault import NotApproved
from lucidtrond.sending.lookup import PaymentLookup
from lucidtrond.sending.protocols import Signer
from lucidtrond.sending.proving import Proving
from lucidtrond.sending.renewal import Renewal
from lucidtrond.tron.transaction import TxId
from lucidtrond.tron.units import UnixMillis


class Retries:
    """Retries payments by hand; *head_time* is the time of our newest block."""

    def __init__(
        self,
        *,
        lookup: PaymentLookup,
        signer: Signer,
        approval: Approval,
        delivery: Delivery,
        renewal: Renewal,
        proving: Proving,
        head_time: Callable[[], UnixMillis | None],
    ) -> None:
        self._lookup = lookup
        self._signer = signer
        self._approval = approval
        self._delivery = delivery
        self._renewal = renewal
        self._proving = proving
        self._head_time = head_time

    async def rebroadcast(self, txid: TxId, *, check: bool) -> Payment:
        """Send the same bytes again; signs them if they were not signed yet.

        With *check* it only says whether that can be done.

        Raises:
            NotFound: not sent by us.
            AlreadyFinal, Expired: nothing can or must be done.
            InDoubt: no block can take it any more, which is not proven yet; or its row
                was edited, or waits for approval.
            KeystoreLocked: it waits for its signature.
        """
        entry = await self._lookup.attempt(txid)
        payment = entry.payment
        head = self._head_time()
        match payment.state:
            case "solidified" | "failed" | "unproven":
                raise AlreadyFinal("its block is solidified", state=payment.state)
            case "expired":
                raise Expired("it is proven dead", safe_to_retry=True)
            case "included":
                return payment
            case _ if head is not None and head >= entry.attempt.expiration:
                raise _in_doubt(payment)
            case "queued":
                await check_unlocked(self._signer)
                if self._approval.is_awaited(entry):
                    raise NotApproved(payment.payment_id, entry.txid)
                if not check:
                    await self._delivery.deliver(entry)
                return (await self._lookup.attempt(txid)).payment
            case _ if check:
                return payment
            case _:
                return (await self._delivery.broadcast(entry)).payment

    async def renew(self, txid: TxId, *, even_failed: bool, check: bool) -> Payment:
        """Pay with a new transaction what a dead one did not; the same payment.

        *even_failed*: also what failed in its block and cost its fee there. With
        *check* it only says what it would be: state ``checked``, without a txid.

        Raises:
            NotFound: not sent by us.
            AlreadyFinal: it is paid.
            InDoubt: it may still land, until ``in_flight_until_ms`` if that is there;
                or it landed and nothing proves whether it paid.
            FailedOnChain: it failed in its block, and *even_failed* is false.
            KeystoreLocked, and whatever keeps it from being paid: see `Sender.send`.
        """
        payment = await self._lookup.find(txid=txid)
        if payment is None:
            raise NotFound("no payment of ours has this txid")
        if payment.state == "unproven" and payment.txid is not None and not check:
            unproven = await self._lookup.attempt(TxId(payment.txid))
            payment = (await self._proving.ask(unproven)).payment
        _check_renewable(payment, even_failed=even_failed)
        if payment.txid is None or payment.state not in plan.SAFE_TO_RETRY:
            raise _in_doubt(payment)
        await check_unlocked(self._signer)
        dead = await self._lookup.attempt(TxId(payment.txid))
        if check:
            return await self._renewal.check(dead)
        entry = await self._renewal.renew(dead, by_hand=True)
        await self._delivery.deliver(entry)
        return (await self._lookup.attempt(entry.txid)).payment


def _check_renewable(payment: Payment, *, even_failed: bool) -> None:
    """Refuse to pay again what is paid, may have been, or cost its fee."""
    if payment.state == "solidified":
        raise AlreadyFinal("it is paid, in a solidified block", state=payment.state)
    if payment.state == "failed" and not even_failed:
        raise FailedOnChain(
            f"it failed in its block, where it cost {payment.fee_sun} sun:"
            f" {payment.reason}",
            txid=payment.txid,
            fee_sun=payment.fee_sun,
            safe_to_retry=True,
        )
    if payment.state == "unproven":
        raise InDoubt(
            f"it may have paid, so it is not paid again: {payment.reason}; compare"
            " the balances of both sides",
            txid=payment.txid,
            state=payment.state,
            safe_to_retry=False,
        )


def _in_doubt(payment: Payment) -> InDoubt:
    return InDoubt(
        "it may still land",
        txid=payment.txid,
        state=payment.state,
        safe_to_retry=False,
        in_flight_until_ms=payment.in_flight_until_ms,
    )
