"""Making accounts, and the names that they may get."""

from typing import Final

from msgspec.structs import replace

from lucidtrond.devnet.state.accounts import is_address, new_account, owner_of
from lucidtrond.devnet.state.bandwidth import burn
from lucidtrond.devnet.state.candidate import CandidateOf
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.kinds.base import ContractKind, Get
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.units import Sun

MAX_NAME_BYTES: Final = 200
MIN_ID_BYTES: Final = 8
MAX_ID_BYTES: Final = 32


def _validate_create(
    world: World, candidate: CandidateOf[pb.AccountCreateContract], genesis: Genesis
) -> None:
    # CreateAccountActuator.validate
    address = candidate.message.account_address
    if not is_address(candidate.owner):
        raise Invalid("Invalid ownerAddress")
    owner = world.accounts.get(candidate.owner)
    if owner is None:
        raise Invalid(f"Account[{candidate.owner.hex()}] not exists")
    if owner.balance < genesis.parameters.activation_fee:
        raise Invalid("Validate CreateAccountActuator error, insufficient fee.")
    if not is_address(address):
        raise Invalid("Invalid account address")
    if world.accounts.get(address) is not None:
        raise Invalid("Account has existed")


def _execute_create(
    world: World, candidate: CandidateOf[pb.AccountCreateContract], genesis: Genesis
) -> Sun:
    fee = genesis.parameters.activation_fee
    owner = owner_of(world, candidate)
    world.put_account(new_account(world, candidate.message.account_address))
    world.put_account(replace(owner, balance=Sun(owner.balance - fee)))
    burn(world, fee)
    return fee


def _validate_update(
    world: World, candidate: CandidateOf[pb.AccountUpdateContract], _genesis: Genesis
) -> None:
    # UpdateAccountActuator.validate, with getAllowUpdateAccountName = 1
    if len(candidate.message.account_name) > MAX_NAME_BYTES:
        raise Invalid("Invalid accountName")
    if not is_address(candidate.owner):
        raise Invalid("Invalid ownerAddress")
    if world.accounts.get(candidate.owner) is None:
        raise Invalid("Account does not exist")


def _execute_update(
    world: World, candidate: CandidateOf[pb.AccountUpdateContract], _genesis: Genesis
) -> Sun:
    owner = owner_of(world, candidate)
    world.put_account(replace(owner, name=candidate.message.account_name))
    return Sun(0)


def _validate_set_id(
    world: World, candidate: CandidateOf[pb.SetAccountIdContract], _genesis: Genesis
) -> None:
    # SetAccountIdActuator.validate, TransactionUtil.validAccountId
    account_id = candidate.message.account_id
    readable = all(0x21 <= byte <= 0x7E for byte in account_id)
    if not (MIN_ID_BYTES <= len(account_id) <= MAX_ID_BYTES and readable):
        raise Invalid("Invalid accountId")
    if not is_address(candidate.owner):
        raise Invalid("Invalid ownerAddress")
    owner = world.accounts.get(candidate.owner)
    if owner is None:
        raise Invalid("Account does not exist")
    if owner.account_id:
        raise Invalid("This account id already set")
    if world.account_ids.get(account_id.lower()) is not None:
        raise Invalid("This id has existed")


def _execute_set_id(
    world: World, candidate: CandidateOf[pb.SetAccountIdContract], _genesis: Genesis
) -> Sun:
    account_id = candidate.message.account_id
    world.put_account(replace(owner_of(world, candidate), account_id=account_id))
    world.account_ids.put(account_id.lower(), candidate.owner)
    return Sun(0)


KINDS: Final = (
    ContractKind(
        message=pb.AccountCreateContract,
        validate=_validate_create,
        execute=_execute_create,
        creates=lambda _world, _candidate: True,
        path="createaccount",
        get=Get.REFUSED,
        eth_to=lambda creation: creation.account_address,
    ),
    ContractKind(
        message=pb.AccountUpdateContract,
        validate=_validate_update,
        execute=_execute_update,
        path="updateaccount",
    ),
    ContractKind(
        message=pb.SetAccountIdContract,
        validate=_validate_set_id,
        execute=_execute_set_id,
        path="setaccountid",
    ),
)
