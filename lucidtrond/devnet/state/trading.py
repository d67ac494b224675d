"""Exchanges and market orders of TRC-10 tokens: what the node says before any exists.

This chain trades nothing: what would make an exchange or an order is checked as the
actuators do it, can be built, and is refused when it is to be executed. So no exchange
and no order is ever known.
"""

from typing import Final, NoReturn

from lucidtrond.devnet.state.account import Account
from lucidtrond.devnet.state.accounts import is_address
from lucidtrond.devnet.state.assets import asset_of, held
from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.world import World

TRX: Final = b"_"
"""Stands for TRX where a token's id is asked for."""
MAX_AMOUNT: Final = 1_000_000_000_000_000
"""DynamicPropertiesStore: EXCHANGE_BALANCE_LIMIT and MARKET_QUANTITY_LIMIT."""


def is_number(token: bytes) -> bool:
    """TransactionUtil.isNumber: digits that do not begin with 0 unless it is 0."""
    return token.isdigit() and (len(token) == 1 or token[:1] != b"0")


def is_token(token: bytes) -> bool:
    """MarketUtils.checkTokenValid: TRX, or the digits of an id."""
    return token == TRX or is_number(token)


def validate_exchange(world: World, candidate: Candidate, genesis: Genesis) -> None:
    """ExchangeCreateActuator.validate."""
    owner = _trader(world, candidate)
    fee = genesis.parameters.exchange_fee
    if owner.balance < fee:
        raise Invalid("No enough balance for exchange create fee!")
    sides = (
        ("first", candidate.bytes_field(2), candidate.int_field(3)),
        ("second", candidate.bytes_field(4), candidate.int_field(5)),
    )
    for name, token, _ in sides:
        if not is_token(token):
            raise Invalid(f"{name} token id is not a valid number")
    if sides[0][1] == sides[1][1]:
        raise Invalid("cannot exchange same tokens")
    if any(amount <= 0 for _, _, amount in sides):
        raise Invalid("token balance must greater than zero")
    if any(amount > MAX_AMOUNT for _, _, amount in sides):
        raise Invalid(f"token balance must less than {MAX_AMOUNT}")
    for name, token, amount in sides:
        if token == TRX and owner.balance < amount + fee:
            raise Invalid("balance is not enough")
        if token != TRX and (held(owner, token) or 0) < amount:
            raise Invalid(f"{name} token balance is not enough")


def validate_exchange_use(
    world: World, candidate: Candidate, _genesis: Genesis
) -> None:
    """ExchangeInject-, ExchangeWithdraw- and ExchangeTransactionActuator.validate."""
    _trader(world, candidate)
    raise Invalid(f"Exchange[{candidate.int_field(2)}] not exists")


def validate_sale(world: World, candidate: Candidate, genesis: Genesis) -> None:
    """MarketSellAssetActuator.validate."""
    owner = _market_trader(world, candidate)
    sell, sold = candidate.bytes_field(2), candidate.int_field(3)
    buy, bought = candidate.bytes_field(4), candidate.int_field(5)
    for name, token in (("sell", sell), ("buy", buy)):
        if not is_token(token):
            raise Invalid(f"{name}TokenId is not a valid number")
    if sell == buy:
        raise Invalid("cannot exchange same tokens")
    if sold <= 0 or bought <= 0:
        raise Invalid("token quantity must greater than zero")
    if sold > MAX_AMOUNT or bought > MAX_AMOUNT:
        raise Invalid(f"token quantity must less than {MAX_AMOUNT}")
    fee = genesis.parameters.market_sell_fee
    if owner.balance < fee + (sold if sell == TRX else 0):
        raise Invalid("No enough balance !")
    if sell != TRX and asset_of(world, sell) is None:
        raise Invalid("No sellTokenId !")
    if sell != TRX and (held(owner, sell) or 0) < sold:
        raise Invalid("SellToken balance is not enough !")
    if buy != TRX and asset_of(world, buy) is None:
        raise Invalid("No buyTokenId !")


def validate_cancel(world: World, candidate: Candidate, _genesis: Genesis) -> None:
    """MarketCancelOrderActuator.validate."""
    _market_trader(world, candidate)
    raise Invalid("orderId not exists")


def execute(_world: World, candidate: Candidate, _genesis: Genesis) -> NoReturn:
    raise Invalid(f"contract type {candidate.type} is not executed by this devnet")


def _trader(world: World, candidate: Candidate) -> Account:
    if not is_address(candidate.owner):
        raise Invalid("Invalid address")
    owner = world.accounts.get(candidate.owner)
    if owner is None:
        raise Invalid(f"account[{candidate.owner.hex()}] not exists")
    return owner


def _market_trader(world: World, candidate: Candidate) -> Account:
    if not is_address(candidate.owner):
        raise Invalid("Invalid address")
    owner = world.accounts.get(candidate.owner)
    if owner is None:
        raise Invalid("Account does not exist!")
    return owner
