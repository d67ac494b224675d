"""What each kind of contract checks and does, with java-tron's texts in its order.

Each kind is a pair of plain functions: *validate* raises `Invalid`, *execute* changes
the world and gives what it burned beside bandwidth (TransactionResult.fee), a call of
a contract how it ended; who has more to say gives a receipt without bandwidth.
"""

from collections.abc import Callable
from typing import Final

from attrs import frozen
from msgspec.structs import replace

from lucidtrond.devnet.state import assets, trading
from lucidtrond.devnet.state.accounts import is_address, new_account, owner_of
from lucidtrond.devnet.state.bandwidth import burn
from lucidtrond.devnet.state.blocks import CallRow, ReceiptRow
from lucidtrond.devnet.state.candidate import (
    ACCOUNT_CREATE,
    ACCOUNT_PERMISSION_UPDATE,
    ACCOUNT_UPDATE,
    ASSET_ISSUE,
    CANCEL_ALL_UNFREEZE_V2,
    CLEAR_ABI,
    DELEGATE_RESOURCE,
    EXCHANGE_CREATE,
    EXCHANGE_INJECT,
    EXCHANGE_TRANSACTION,
    EXCHANGE_WITHDRAW,
    FREEZE_BALANCE,
    FREEZE_BALANCE_V2,
    MARKET_CANCEL_ORDER,
    MARKET_SELL_ASSET,
    PARTICIPATE_ASSET_ISSUE,
    PROPOSAL_APPROVE,
    PROPOSAL_CREATE,
    PROPOSAL_DELETE,
    SET_ACCOUNT_ID,
    TRANSFER,
    TRANSFER_ASSET,
    TRIGGER_SMART_CONTRACT,
    UNDELEGATE_RESOURCE,
    UNFREEZE_ASSET,
    UNFREEZE_BALANCE,
    UNFREEZE_BALANCE_V2,
    UPDATE_ASSET,
    UPDATE_BROKERAGE,
    UPDATE_ENERGY_LIMIT,
    UPDATE_SETTING,
    VOTE_WITNESS,
    WITHDRAW_BALANCE,
    WITHDRAW_EXPIRE_UNFREEZE,
    WITNESS_CREATE,
    WITNESS_UPDATE,
    Candidate,
)
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.kinds import (
    contract_settings,
    delegation,
    old_stakes,
    proposals,
    stake,
    votes,
)
from lucidtrond.devnet.state.kinds.issuing import validate_issue
from lucidtrond.devnet.state.kinds.permissions import (
    execute_permissions,
    validate_permissions,
)
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.triggering import execute_trigger, validate_trigger
from lucidtrond.devnet.state.world import World
from lucidtrond.tron.units import MAX_SUN, Sun

MAX_NAME_BYTES: Final = 200
MIN_ID_BYTES: Final = 8
MAX_ID_BYTES: Final = 32


@frozen
class ContractKind:
    """One ContractType."""

    validate: Callable[[World, Candidate, Genesis], None]
    execute: Callable[[World, Candidate, Genesis], Sun | CallRow | ReceiptRow]
    creates: Callable[[World, Candidate], bool] = lambda _world, _candidate: False


def _validate_transfer(world: World, candidate: Candidate, genesis: Genesis) -> None:
    # TransferActuator.validate
    to, amount = candidate.bytes_field(2), candidate.int_field(3)
    if not is_address(candidate.owner):
        raise Invalid("Invalid ownerAddress!")
    if not is_address(to):
        raise Invalid("Invalid toAddress!")
    if to == candidate.owner:
        raise Invalid("Cannot transfer TRX to yourself.")
    owner = world.accounts.get(candidate.owner)
    if owner is None:
        raise Invalid("Validate TransferContract error, no OwnerAccount.")
    if amount <= 0:
        raise Invalid("Amount must be greater than 0.")
    recipient = world.accounts.get(to)
    if world.contracts.get(to) is not None:
        raise Invalid("Cannot transfer TRX to a smartContract.")
    needed = amount + (0 if recipient else genesis.parameters.activation_fee)
    if needed > MAX_SUN:
        raise Invalid("long overflow")
    if owner.balance < needed:
        raise Invalid("Validate TransferContract error, balance is not sufficient.")
    if recipient is not None and recipient.balance + amount > MAX_SUN:
        raise Invalid("long overflow")


def _execute_transfer(world: World, candidate: Candidate, genesis: Genesis) -> Sun:
    to, amount = candidate.bytes_field(2), candidate.int_field(3)
    recipient = world.accounts.get(to)
    fee = Sun(0)
    if recipient is None:
        recipient = new_account(world, to)
        fee = genesis.parameters.activation_fee
        burn(world, fee)
    owner = owner_of(world, candidate)
    world.put_account(replace(owner, balance=Sun(owner.balance - amount - fee)))
    world.put_account(replace(recipient, balance=Sun(recipient.balance + amount)))
    return fee


def _makes_recipient(world: World, candidate: Candidate) -> bool:
    return world.accounts.get(candidate.bytes_field(2)) is None


def _validate_create(world: World, candidate: Candidate, genesis: Genesis) -> None:
    # CreateAccountActuator.validate
    address = candidate.bytes_field(2)
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


def _execute_create(world: World, candidate: Candidate, genesis: Genesis) -> Sun:
    fee = genesis.parameters.activation_fee
    owner = owner_of(world, candidate)
    world.put_account(new_account(world, candidate.bytes_field(2)))
    world.put_account(replace(owner, balance=Sun(owner.balance - fee)))
    burn(world, fee)
    return fee


def _validate_update(world: World, candidate: Candidate, _genesis: Genesis) -> None:
    # UpdateAccountActuator.validate, with getAllowUpdateAccountName = 1
    if len(candidate.bytes_field(1)) > MAX_NAME_BYTES:
        raise Invalid("Invalid accountName")
    if not is_address(candidate.owner):
        raise Invalid("Invalid ownerAddress")
    if world.accounts.get(candidate.owner) is None:
        raise Invalid("Account does not exist")


def _execute_update(world: World, candidate: Candidate, _genesis: Genesis) -> Sun:
    owner = owner_of(world, candidate)
    world.put_account(replace(owner, name=candidate.bytes_field(1)))
    return Sun(0)


def _validate_set_id(world: World, candidate: Candidate, _genesis: Genesis) -> None:
    # SetAccountIdActuator.validate, TransactionUtil.validAccountId
    account_id = candidate.bytes_field(1)
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


def _execute_set_id(world: World, candidate: Candidate, _genesis: Genesis) -> Sun:
    account_id = candidate.bytes_field(1)
    world.put_account(replace(owner_of(world, candidate), account_id=account_id))
    world.account_ids.put(account_id.lower(), candidate.owner)
    return Sun(0)


KINDS: Final[dict[int, ContractKind]] = {
    ACCOUNT_CREATE: ContractKind(
        _validate_create, _execute_create, creates=lambda _world, _candidate: True
    ),
    TRANSFER: ContractKind(
        _validate_transfer, _execute_transfer, creates=_makes_recipient
    ),
    TRANSFER_ASSET: ContractKind(
        assets.validate_transfer,
        assets.execute_transfer,
        creates=assets.makes_recipient,
    ),
    ASSET_ISSUE: ContractKind(validate_issue, assets.execute_issue),
    PARTICIPATE_ASSET_ISSUE: ContractKind(
        assets.validate_purchase, assets.execute_purchase
    ),
    UNFREEZE_ASSET: ContractKind(assets.validate_unfreeze, assets.execute_unfreeze),
    UPDATE_ASSET: ContractKind(assets.validate_update, assets.execute_update),
    ACCOUNT_UPDATE: ContractKind(_validate_update, _execute_update),
    ACCOUNT_PERMISSION_UPDATE: ContractKind(validate_permissions, execute_permissions),
    SET_ACCOUNT_ID: ContractKind(_validate_set_id, _execute_set_id),
    TRIGGER_SMART_CONTRACT: ContractKind(validate_trigger, execute_trigger),
    FREEZE_BALANCE_V2: ContractKind(stake.validate_freeze, stake.execute_freeze),
    UNFREEZE_BALANCE_V2: ContractKind(stake.validate_unfreeze, stake.execute_unfreeze),
    WITHDRAW_EXPIRE_UNFREEZE: ContractKind(
        stake.validate_withdraw, stake.execute_withdraw
    ),
    CANCEL_ALL_UNFREEZE_V2: ContractKind(stake.validate_cancel, stake.execute_cancel),
    DELEGATE_RESOURCE: ContractKind(
        delegation.validate_delegate, delegation.execute_delegate
    ),
    UNDELEGATE_RESOURCE: ContractKind(
        delegation.validate_undelegate, delegation.execute_undelegate
    ),
    VOTE_WITNESS: ContractKind(votes.validate_vote, votes.execute_vote),
    WITNESS_CREATE: ContractKind(votes.validate_create, votes.execute_create),
    WITNESS_UPDATE: ContractKind(votes.validate_url, votes.execute_url),
    WITHDRAW_BALANCE: ContractKind(votes.validate_withdraw, votes.execute_withdraw),
    UPDATE_BROKERAGE: ContractKind(votes.validate_brokerage, votes.execute_brokerage),
    PROPOSAL_CREATE: ContractKind(proposals.validate_create, trading.execute),
    PROPOSAL_APPROVE: ContractKind(proposals.validate_use, trading.execute),
    PROPOSAL_DELETE: ContractKind(proposals.validate_use, trading.execute),
    UPDATE_SETTING: ContractKind(
        contract_settings.validate_percent, contract_settings.execute_percent
    ),
    UPDATE_ENERGY_LIMIT: ContractKind(
        contract_settings.validate_limit, contract_settings.execute_limit
    ),
    CLEAR_ABI: ContractKind(
        contract_settings.validate_clearing, contract_settings.execute_clearing
    ),
    FREEZE_BALANCE: ContractKind(old_stakes.validate_freeze, old_stakes.execute),
    UNFREEZE_BALANCE: ContractKind(old_stakes.validate_unfreeze, old_stakes.execute),
    EXCHANGE_CREATE: ContractKind(trading.validate_exchange, trading.execute),
    EXCHANGE_INJECT: ContractKind(trading.validate_exchange_use, trading.execute),
    EXCHANGE_WITHDRAW: ContractKind(trading.validate_exchange_use, trading.execute),
    EXCHANGE_TRANSACTION: ContractKind(trading.validate_exchange_use, trading.execute),
    MARKET_SELL_ASSET: ContractKind(trading.validate_sale, trading.execute),
    MARKET_CANCEL_ORDER: ContractKind(trading.validate_cancel, trading.execute),
}
"""The kinds this chain executes; a transaction of any other is refused."""
