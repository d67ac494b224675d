"""Whether an owner can afford a payment: advice before anything is signed.

Balances change and other payments are under way, so a payment that passes may still be
refused by the chain. Rich owners cost one cached question, others up to three.
"""

from lucidtrond.errors import InsufficientFunds, LimitTooLow
from lucidtrond.sending import cost
from lucidtrond.sending.cost import TransferShape
from lucidtrond.sending.intent import Intent
from lucidtrond.sending.needs import PaymentNode


async def check_funds(node: PaymentNode, intent: Intent, *, size: int) -> None:
    """Refuse what the balance can't cover; *size* is the bandwidth it is charged.

    Raises:
        InsufficientFunds, LimitTooLow, NodeError
    """
    shape = TransferShape(size, has_memo=bool(intent.memo))
    account = (await node.fetch_account(intent.owner)).value
    prices = (await node.fetch_parameters()).value
    enough = intent.amount + cost.most_burned(shape, prices)
    if account.balance >= enough and intent.max_burn is None:
        return
    recipient = (await node.fetch_account(intent.to)).value
    resources = (await node.fetch_resources(intent.owner)).value
    burn = cost.burned(
        shape, prices, creates=not recipient.activated, resources=resources
    )
    if intent.max_burn is not None and burn > intent.max_burn:
        raise LimitTooLow(
            "the payment would burn more than it may",
            needed_sun=str(burn),
            max_burn_sun=str(intent.max_burn),
        )
    needed = intent.amount + burn
    if account.balance < needed:
        raise InsufficientFunds(
            "the balance does not cover the payment and what it burns",
            needed_sun=str(needed),
            available_sun=str(account.balance),
            burned_sun=str(burn),
        )
