"""Market orders of TRC-10 tokens: what the node says before any exists.

This chain trades nothing: what would make an order is checked as the actuators do
it, can be built, and is refused when it is to be executed. So none is ever known.
"""

from typing import Final

from google.protobuf.message import Message

from lucidtrond.devnet.state.account import Account
from lucidtrond.devnet.state.accounts import is_address
from lucidtrond.devnet.state.assets import asset_of, held
from lucidtrond.devnet.state.candidate import CandidateOf
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.kinds.base import ContractKind
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.trading import MAX_AMOUNT, TRX, is_token
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb


def _validate_sale(
    world: World, candidate: CandidateOf[pb.MarketSellAssetContract], genesis: Genesis
) -> None:
    """MarketSellAssetActuator.validate."""
    owner = _trader(world, candidate)
    wanted = candidate.message
    sell, sold = wanted.sell_token_id, wanted.sell_token_quantity
    buy, bought = wanted.buy_token_id, wanted.buy_token_quantity
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


def _validate_cancel(
    world: World,
    candidate: CandidateOf[pb.MarketCancelOrderContract],
    _genesis: Genesis,
) -> None:
    """MarketCancelOrderActuator.validate."""
    _trader(world, candidate)
    raise Invalid("orderId not exists")


def _trader(world: World, candidate: CandidateOf[Message]) -> Account:
    if not is_address(candidate.owner):
        raise Invalid("Invalid address")
    owner = world.accounts.get(candidate.owner)
    if owner is None:
        raise Invalid("Account does not exist!")
    return owner


KINDS: Final = (
    ContractKind(
        message=pb.MarketSellAssetContract,
        validate=_validate_sale,
        path="marketsellasset",
        takes_memo=True,
    ),
    ContractKind(
        message=pb.MarketCancelOrderContract,
        validate=_validate_cancel,
        path="marketcancelorder",
        takes_memo=True,
    ),
)
