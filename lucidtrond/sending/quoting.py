"""What a payment would cost, and whether its owner can afford it: before any signature.

Balances change and other payments are under way, so a payment that passes may still be
refused by the chain. A payment of TRX costs four questions, all cached; one of a token
also two calls that a node simulates, and its contract's terms (see `token_quote`).
"""

from typing import Final

from attrs import evolve

from lucidtrond.errors import (
    InsufficientFunds,
    LimitTooLow,
    RecipientRefused,
    TooLarge,
)
from lucidtrond.sending.cost import PaymentShape, cost_of
from lucidtrond.sending.intent import Intent, Limits, size_of
from lucidtrond.sending.protocols import PaymentNode
from lucidtrond.sending.quote import Quote
from lucidtrond.sending.reserved import View
from lucidtrond.sending.token_quote import fetch_token_balance, fetch_token_quote
from lucidtrond.tron.account import Account
from lucidtrond.tron.block import BlockHeader
from lucidtrond.tron.parameters import ChainParameters
from lucidtrond.tron.reading import Reading
from lucidtrond.tron.transaction import RESULT_ALLOWANCE_BYTES

_CREATION_KEY: Final = "getMaxCreateAccountTxSize"
_CREATION_BYTES: Final = 1000
"""java-tron's default of it (DynamicPropertiesStore)."""
_SIGNATURE_BYTES: Final = 65


async def fetch_quote(
    node: PaymentNode, intent: Intent, limits: Limits, *, head: BlockHeader, solid: bool
) -> Quote:
    """Ask what it takes. *head* stands for the block that it will refer to.

    *solid* asks for the solidified balances as well.

    Raises:
        RecipientRefused: TRX for a contract, which the chain refuses.
        InvalidInput: the asset is no token.
        InsufficientFunds: less of the token than is to be paid.
        WouldFail: the token refuses this payment, or would not move anything.
        TooLarge: no account may be made by so big a transaction.
        NodeError
    """
    payer = await node.fetch_account(intent.owner)
    token = intent.token
    if token is None:
        quote = await _trx_quote(node, intent, head=head, payer=payer)
    else:
        quote = await fetch_token_quote(
            node, intent, limits, token=token, head=head, payer=payer
        )
    return await _with_solid(node, intent, quote) if solid else quote


async def _trx_quote(
    node: PaymentNode, intent: Intent, *, head: BlockHeader, payer: Reading[Account]
) -> Quote:
    prices = (await node.fetch_parameters()).value
    size = size_of(intent, head, fee_limit=None)
    recipient = (await node.fetch_account(intent.to)).value
    _check_recipient(recipient, prices, size)
    shape = PaymentShape(size, has_memo=bool(intent.memo))
    view = View(payer.value.balance, payer.as_of_block)
    resources = (await node.fetch_resources(intent.owner)).value
    creates = not recipient.activated
    cost = cost_of(shape, prices, creates=creates, resources=resources)
    later = cost_of(shape, prices, creates=False, resources=resources)
    return Quote(
        size,
        cost,
        (view,),
        creates=creates,
        joined=later.worst if creates else None,
    )


async def _with_solid(node: PaymentNode, intent: Intent, quote: Quote) -> Quote:
    account = await node.fetch_account(intent.owner, solid=True)
    token, held = intent.token, None
    if token is not None:
        held = await fetch_token_balance(node, token, intent.owner, solid=True)
    view = View(account.value.balance, account.as_of_block, held)
    return evolve(quote, views=(*quote.views, view))


def _check_recipient(recipient: Account, prices: ChainParameters, size: int) -> None:
    if recipient.is_contract:
        # TransferActuator.validate refuses it at every node.
        raise RecipientRefused("the recipient is a contract, which takes no plain TRX")
    if recipient.activated:
        return
    # BandwidthProcessor.consume: the transaction without its signatures.
    most = prices.every.get(_CREATION_KEY, _CREATION_BYTES)
    counted = size - RESULT_ALLOWANCE_BYTES - _SIGNATURE_BYTES
    if counted > most:
        raise TooLarge(
            f"the recipient has no account yet, and a transaction that makes one may"
            f" have {most} bytes; this has {counted}: shorten the memo",
            bytes=counted,
            most_bytes=most,
        )


def check_quote(intent: Intent, quote: Quote, limits: Limits) -> None:
    """Refuse what costs more than it may, or than there is.

    Raises:
        LimitTooLow, InsufficientFunds
    """
    if quote.needed_fee_limit > quote.fee_limit_cap:
        raise LimitTooLow(
            f"the call needs a fee limit of {quote.needed_fee_limit} sun, and it may"
            f" have {quote.fee_limit_cap}",
            needed_sun=str(quote.needed_fee_limit),
            fee_limit_sun=str(quote.fee_limit_cap),
        )
    most = quote.cost.most
    max_burn = limits.max_burn if intent.max_burn is None else intent.max_burn
    if most > max_burn:
        raise LimitTooLow(
            f"the payment could burn {most} sun, and it may burn {max_burn}",
            needed_sun=str(most),
            max_burn_sun=str(max_burn),
        )
    # Not the most: who can't pay the margin can still pay what it takes now.
    needed = intent.trx + quote.cost.expected
    balance = quote.views[0].trx
    if balance < needed:
        raise InsufficientFunds(
            "the balance does not cover the payment and what it burns",
            needed_sun=str(needed),
            available_sun=str(balance),
            burned_sun=str(quote.cost.expected),
        )
