"""What a payment would cost, and whether its owner can afford it: before any signature.

Balances change and other payments are under way, so a payment that passes may still be
refused by the chain. A payment of TRX costs four questions, all cached; one of a token
also two calls that a node simulates.
"""

from typing import Final

from attrs import evolve, frozen

from lucidtrond.errors import (
    InsufficientFunds,
    InvalidInput,
    LimitTooLow,
    NodeRefused,
    RecipientRefused,
    TooLarge,
    WouldFail,
)
from lucidtrond.sending.cost import (
    Cost,
    PaymentShape,
    cost_of,
    fee_limits,
)
from lucidtrond.sending.intent import Intent, Limits
from lucidtrond.sending.needs import PaymentNode
from lucidtrond.sending.reserved import View
from lucidtrond.tron import trc20
from lucidtrond.tron.abi_types import WORD, AbiError
from lucidtrond.tron.account import Account
from lucidtrond.tron.address import Address
from lucidtrond.tron.parameters import ChainParameters
from lucidtrond.tron.reading import Reading
from lucidtrond.tron.transaction import RESULT_ALLOWANCE_BYTES
from lucidtrond.tron.units import Sun

_CREATION_KEY: Final = "getMaxCreateAccountTxSize"
_CREATION_BYTES: Final = 1000
"""java-tron's default of it (DynamicPropertiesStore)."""
_SIGNATURE_BYTES: Final = 65
_NO_CONTRACT: Final = "contract is not exist"
"""VMActuator's "Smart contract is not exist."."""


@frozen
class Quote:
    """What a payment would cost now, and what its owner has.

    *fee_limit* is None for TRX. *views* holds one, or two when the solid one was asked
    for, too.
    """

    size: int
    cost: Cost
    views: tuple[View, ...]
    energy: int = 0
    needed_fee_limit: Sun = Sun(0)
    fee_limit: Sun | None = None
    fee_limit_cap: Sun = Sun(0)
    creates: bool = False
    joined: Sun | None = None
    """The worst when *creates*, but another payment makes the account first."""


async def fetch_quote(
    node: PaymentNode, intent: Intent, limits: Limits, *, size: int, solid: bool
) -> Quote:
    """Ask what it takes. *size* is the bandwidth it is charged.

    *solid* asks for the solidified balances as well.

    Raises:
        RecipientRefused: TRX for a contract, which the chain refuses.
        InvalidInput: the asset is no token.
        InsufficientFunds: less of the token than is to be paid.
        WouldFail: the token refuses this payment.
        TooLarge: no account may be made by so big a transaction.
        NodeError
    """
    payer = await node.fetch_account(intent.owner)
    prices = (await node.fetch_parameters()).value
    token = intent.token
    if token is not None:
        quote = await _token_quote(
            node, intent, limits, token=token, size=size, payer=payer
        )
        return await _with_solid(node, intent, quote) if solid else quote
    recipient = (await node.fetch_account(intent.to)).value
    _check_recipient(recipient, prices, size)
    shape = PaymentShape(size, has_memo=bool(intent.memo))
    view = View(payer.value.balance, payer.as_of_block)
    resources = (await node.fetch_resources(intent.owner)).value
    creates = not recipient.activated
    cost = cost_of(shape, prices, creates=creates, resources=resources)
    later = cost_of(shape, prices, creates=False, resources=resources)
    quote = Quote(
        size,
        cost,
        (view,),
        creates=creates,
        joined=later.worst if creates else None,
    )
    return await _with_solid(node, intent, quote) if solid else quote


async def _with_solid(node: PaymentNode, intent: Intent, quote: Quote) -> Quote:
    account = await node.fetch_account(intent.owner, solid=True)
    token, held = intent.token, None
    if token is not None:
        held = await _token_balance(node, token, intent.owner, solid=True)
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


async def _token_quote(
    node: PaymentNode,
    intent: Intent,
    limits: Limits,
    *,
    token: Address,
    size: int,
    payer: Reading[Account],
) -> Quote:
    prices = (await node.fetch_parameters()).value
    resources = await node.fetch_resources(intent.owner)
    held = await _token_balance(node, token, intent.owner)
    if held < intent.amount:
        raise InsufficientFunds(
            "the token balance does not cover the payment",
            asset=intent.asset,
            needed_raw=str(intent.amount),
            available_raw=str(held),
        )
    data = trc20.transfer(intent.to, intent.amount)
    tried = await node.call_constant(owner=intent.owner, contract=token, data=data)
    if tried.reverted:
        raise WouldFail(
            f"the token refuses this payment: {tried.reason}",
            asset=intent.asset,
            reason=tried.reason,
        )
    if len(tried.result) == WORD and not any(tried.result):
        raise WouldFail(
            "the token answers that it would not pay (false)", asset=intent.asset
        )
    needed, proposed = fee_limits(tried.energy_used, prices)
    cap = min(
        limits.fee_limit if intent.fee_limit is None else intent.fee_limit,
        prices.max_fee_limit,
    )
    shape = PaymentShape(
        size,
        has_memo=bool(intent.memo),
        energy=tried.energy_used,
        fee_limit=min(proposed, cap),
    )
    as_of = min(payer.as_of_block, resources.as_of_block)
    return Quote(
        size,
        cost_of(shape, prices, creates=False, resources=resources.value),
        (View(payer.value.balance, as_of, held),),
        energy=tried.energy_used,
        needed_fee_limit=needed,
        fee_limit=shape.fee_limit,
        fee_limit_cap=cap,
    )


async def _token_balance(
    node: PaymentNode, token: Address, owner: Address, *, solid: bool = False
) -> int:
    try:
        answer = await node.call_constant(
            owner=owner, contract=token, data=trc20.balance_of(owner), solid=solid
        )
        if not answer.reverted:
            return trc20.parse_amount_result(answer.result)
    except NodeRefused as refusal:
        if _NO_CONTRACT not in refusal.reason:
            raise
    except AbiError:
        pass
    raise InvalidInput(f"asset: there is no TRC-20 token at {token.base58}")


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
