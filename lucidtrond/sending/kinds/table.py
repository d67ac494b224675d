"""The kinds of orders that there are. Pure."""

from typing import Final

from lucidtrond.errors import InvalidInput
from lucidtrond.orders import PaymentOrder
from lucidtrond.sending.intent import TRX, Intent, check_key
from lucidtrond.sending.kinds.base import OrderKind
from lucidtrond.sending.kinds.trc20_transfer import Trc20Transfer
from lucidtrond.sending.kinds.trx_transfer import TrxTransfer
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import Contract

KINDS: Final[tuple[OrderKind, ...]] = (TrxTransfer(), Trc20Transfer())
BY_NAME: Final = {kind.name: kind for kind in KINDS}


def kind_of(intent: Intent) -> OrderKind:
    """The kind of an intent that `read_intent` or the journal gave."""
    return BY_NAME[intent.kind]


def read_contract(owner: Address, contract: Contract) -> Intent | None:
    """The order that *contract* may carry out, but for its key, memo and limits."""
    intents = (kind.read(owner, contract) for kind in BY_NAME.values())
    return next((intent for intent in intents if intent is not None), None)


def read_intent(order: PaymentOrder) -> Intent:
    """What is ordered, without the terms.

    Raises:
        InvalidInput, RecipientRefused: it can't be an order, whatever the chain says.
    """
    name = _transfer_of(order.asset) if order.kind is None else order.kind
    kind = BY_NAME.get(name)
    if kind is None:
        raise InvalidInput(f"kind: expected one of {', '.join(BY_NAME)}, got {name}")
    check_key(order.key)
    intent = Intent(
        kind.name,
        order.key,
        order.owner,
        order.to,
        order.asset,
        order.amount,
        memo=order.memo,
        fee_limit=order.fee_limit,
        max_burn=order.max_burn,
        details=order.details,
    )
    kind.check(intent)
    return intent


def _transfer_of(asset: str) -> str:
    return TrxTransfer.name if asset == TRX else Trc20Transfer.name
