"""Looking payments up, and waiting for one to get somewhere."""

from typing import Final

from lucidtrond.errors import InvalidInput, NotFound
from lucidtrond.events.types import Payment, PaymentState
from lucidtrond.ports import Store, Tx
from lucidtrond.sending.journal import queries
from lucidtrond.sending.journal.entry import Entry
from lucidtrond.sending.recorder import Recorder
from lucidtrond.tron.address import Address
from lucidtrond.tron.transaction import TxId

MAX_PAGE: Final = 1000
_INCLUDED: Final[tuple[PaymentState, ...]] = (
    "included",
    "solidified",
    "failed",
    "unproven",
    "expired",
)
_GOALS: Final[dict[str, tuple[PaymentState, ...]]] = {
    "included": _INCLUDED,
    "solidified": _INCLUDED[1:],
}


class PaymentLookup:
    """Reads the journal; writes nothing."""

    def __init__(self, store: Store, *, recorder: Recorder) -> None:
        self._store = store
        self._recorder = recorder

    async def find(
        self,
        *,
        payment_id: str | None = None,
        key: str | None = None,
        txid: str | None = None,
    ) -> Payment | None:
        """By exactly one of them; a dead transaction's id finds what followed it.

        Raises:
            InvalidInput: none of them or several.
        """

        def read(tx: Tx) -> Entry | None:
            match payment_id, key, txid:
                case str(), None, None:
                    return queries.by_payment_id(tx, payment_id)
                case None, str(), None:
                    row = queries.by_key(tx, key)
                    return None if row is None else row[0]
                case None, None, str():
                    attempt = queries.by_txid(tx, TxId(txid))
                    if attempt is None:
                        return None
                    return queries.by_payment_id(tx, attempt.payment.payment_id)
                case _:
                    raise InvalidInput("expected one of payment_id, key and txid")

        entry = await self._store.read(read)
        return None if entry is None else entry.payment

    async def page(
        self,
        *,
        limit: int,
        cursor: str | None,
        owner: Address | None,
        unresolved: bool,
    ) -> tuple[list[Payment], str | None]:
        """Newest first, with the cursor of the next page or None.

        Raises:
            InvalidInput
        """
        if not 1 <= limit <= MAX_PAGE:
            raise InvalidInput(f"limit: expected 1 to {MAX_PAGE}, got {limit}")
        return await self._store.read(
            lambda tx: queries.page(
                tx, limit=limit, cursor=cursor, owner=owner, unresolved=unresolved
            )
        )

    async def attempt(self, txid: TxId) -> Entry:
        """This very attempt, the latest of its payment or not.

        Raises:
            NotFound
        """
        entry = await self._store.read(lambda tx: queries.by_txid(tx, txid))
        if entry is None:
            raise NotFound("no payment of ours has this txid")
        return entry

    async def wait(self, payment_id: str, *, until: str) -> Payment:
        """Until ``included`` or ``solidified`` or an end that is neither.

        Raises:
            NotFound: no such payment.
            InvalidInput: *until* is neither.
        """
        goals = _GOALS.get(until)
        if goals is None:
            raise InvalidInput("until: expected included or solidified")
        while True:
            changed = self._recorder.changed(payment_id)
            payment = await self.find(payment_id=payment_id)
            if payment is None:
                self._recorder.wake(payment_id)
                raise NotFound("no such payment")
            if payment.state in goals and not _goes_on(payment):
                self._recorder.wake(payment_id)
                return payment
            await changed.wait()


def _goes_on(payment: Payment) -> bool:
    """Dead, and another transaction is to follow."""
    return payment.state == "expired" and not payment.safe_to_retry
