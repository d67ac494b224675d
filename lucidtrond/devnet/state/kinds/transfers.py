"""Transfers of TRX and of TRC-10 tokens, which make an account of a new recipient."""

from typing import Final

from msgspec.structs import replace

from lucidtrond.devnet.state.account import Account
from lucidtrond.devnet.state.accounts import is_address, new_account, owner_of
from lucidtrond.devnet.state.assets import held, with_more
from lucidtrond.devnet.state.bandwidth import burn
from lucidtrond.devnet.state.candidate import CandidateOf
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.kinds.base import ContractKind
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.units import MAX_SUN, Sun


def _validate_transfer(
    world: World, candidate: CandidateOf[pb.TransferContract], genesis: Genesis
) -> None:
    # TransferActuator.validate
    to, amount = candidate.message.to_address, candidate.message.amount
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


def _execute_transfer(
    world: World, candidate: CandidateOf[pb.TransferContract], genesis: Genesis
) -> Sun:
    to, amount = candidate.message.to_address, candidate.message.amount
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


def _validate_asset(
    world: World, candidate: CandidateOf[pb.TransferAssetContract], genesis: Genesis
) -> None:
    """TransferAssetActuator.validate."""
    moved = candidate.message
    token, to, amount = moved.asset_name, moved.to_address, moved.amount
    if not is_address(candidate.owner):
        raise Invalid("Invalid ownerAddress")
    if not is_address(to):
        raise Invalid("Invalid toAddress")
    if amount <= 0:
        raise Invalid("Amount must be greater than 0.")
    if candidate.owner == to:
        raise Invalid("Cannot transfer asset to yourself.")
    owner = world.accounts.get(candidate.owner)
    if owner is None:
        raise Invalid("No owner account!")
    _check_holding(world, owner, token, amount)
    if world.contracts.get(to) is not None:
        raise Invalid("Cannot transfer asset to smartContract.")
    makes = world.accounts.get(to) is None
    if makes and owner.balance < genesis.parameters.activation_fee:
        raise Invalid("Validate TransferAssetActuator error, insufficient fee.")


def _check_holding(world: World, owner: Account, token: bytes, amount: int) -> None:
    if world.assets.get(token) is None:
        raise Invalid("No asset!")
    balance = held(owner, token) or 0
    if balance <= 0:
        raise Invalid("assetBalance must be greater than 0.")
    if amount > balance:
        raise Invalid("assetBalance is not sufficient.")


def _execute_asset(
    world: World, candidate: CandidateOf[pb.TransferAssetContract], genesis: Genesis
) -> Sun:
    """Move the tokens; burns the fee when the recipient is new."""
    moved = candidate.message
    token, to, amount = moved.asset_name, moved.to_address, moved.amount
    recipient = world.accounts.get(to)
    fee = Sun(0)
    if recipient is None:
        recipient = new_account(world, to)
        fee = genesis.parameters.activation_fee
        burn(world, fee)
    owner = with_more(owner_of(world, candidate), token, -amount)
    world.put_account(replace(owner, balance=Sun(owner.balance - fee)))
    world.put_account(with_more(recipient, token, amount))
    return fee


def _makes_recipient(
    world: World,
    candidate: CandidateOf[pb.TransferContract] | CandidateOf[pb.TransferAssetContract],
) -> bool:
    return world.accounts.get(candidate.message.to_address) is None


KINDS: Final = (
    ContractKind(
        message=pb.TransferContract,
        validate=_validate_transfer,
        execute=_execute_transfer,
        creates=_makes_recipient,
        path="createtransaction",
        takes_memo=True,
        eth_to=lambda transfer: transfer.to_address,
        eth_value=lambda transfer: transfer.amount,
    ),
    ContractKind(
        message=pb.TransferAssetContract,
        validate=_validate_asset,
        execute=_execute_asset,
        creates=_makes_recipient,
        issuer_pays=lambda transfer: transfer.asset_name,
        path="transferasset",
        eth_to=lambda transfer: transfer.to_address,
        eth_value=lambda transfer: transfer.amount,
    ),
)
