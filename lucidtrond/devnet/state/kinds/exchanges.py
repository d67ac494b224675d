"""Exchanges of TRC-10 tokens: what the node says before any exists.

This chain trades nothing: what would make an exchange is checked as the actuators do
it, can be built, and is refused when it is to be executed. So none is ever known.
"""

from typing import Final

from google.protobuf.message import Message

from lucidtrond.devnet.state.account import Account
from lucidtrond.devnet.state.accounts import is_address
from lucidtrond.devnet.state.assets import held
from lucidtrond.devnet.state.candidate import CandidateOf
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.kinds.base import ContractKind, Get
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.trading import MAX_AMOUNT, TRX, is_token
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb


def _validate_create(
    world: World, candidate: CandidateOf[pb.ExchangeCreateContract], genesis: Genesis
) -> None:
    """ExchangeCreateActuator.validate."""
    owner = _trader(world, candidate)
    fee = genesis.parameters.exchange_fee
    if owner.balance < fee:
        raise Invalid("No enough balance for exchange create fee!")
    wanted = candidate.message
    sides = (
        ("first", wanted.first_token_id, wanted.first_token_balance),
        ("second", wanted.second_token_id, wanted.second_token_balance),
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


def _validate_use(
    world: World,
    candidate: CandidateOf[pb.ExchangeInjectContract]
    | CandidateOf[pb.ExchangeWithdrawContract]
    | CandidateOf[pb.ExchangeTransactionContract],
    _genesis: Genesis,
) -> None:
    """ExchangeInject-, ExchangeWithdraw- and ExchangeTransactionActuator.validate."""
    _trader(world, candidate)
    raise Invalid(f"Exchange[{candidate.message.exchange_id}] not exists")


def _trader(world: World, candidate: CandidateOf[Message]) -> Account:
    if not is_address(candidate.owner):
        raise Invalid("Invalid address")
    owner = world.accounts.get(candidate.owner)
    if owner is None:
        raise Invalid(f"account[{candidate.owner.hex()}] not exists")
    return owner


KINDS: Final = (
    ContractKind(
        message=pb.ExchangeCreateContract,
        validate=_validate_create,
        path="exchangecreate",
        get=Get.REFUSED,
    ),
    ContractKind(
        message=pb.ExchangeInjectContract,
        validate=_validate_use,
        path="exchangeinject",
        get=Get.REFUSED,
    ),
    ContractKind(
        message=pb.ExchangeWithdrawContract,
        validate=_validate_use,
        path="exchangewithdraw",
        get=Get.REFUSED,
    ),
    ContractKind(
        message=pb.ExchangeTransactionContract,
        validate=_validate_use,
        path="exchangetransaction",
        get=Get.REFUSED,
    ),
)
