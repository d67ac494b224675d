"""Issuing a TRC-10 token."""

from typing import Final

from msgspec.structs import replace

from lucidtrond.devnet.state.accounts import is_address, owner_of
from lucidtrond.devnet.state.assets import (
    check_description,
    check_net_limits,
    put_asset,
    with_more,
)
from lucidtrond.devnet.state.bandwidth import burn
from lucidtrond.devnet.state.blocks import ReceiptRow
from lucidtrond.devnet.state.candidate import CandidateOf
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.kinds.base import ContractKind
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.units import SUN_PER_TRX, Sun

DAY_MS: Final = 86_400_000
MAX_NAME_BYTES: Final = 32
MAX_PRECISION: Final = 6
# DynamicPropertiesStore's defaults, days.
MAX_FROZEN_PARTS: Final = 10
MIN_FROZEN_DAYS: Final = 1
MAX_FROZEN_DAYS: Final = 3652
ISSUE_VALUE: Final = 1_024 * SUN_PER_TRX
"""What the Ethereum interface calls its value (JsonRpcApiUtil)."""


def _validate_issue(
    world: World, candidate: CandidateOf[pb.AssetIssueContract], genesis: Genesis
) -> None:
    """AssetIssueActuator.validate."""
    asset = candidate.message
    if not is_address(candidate.owner):
        raise Invalid("Invalid ownerAddress")
    _check_names(asset)
    check_description(asset.url, asset.description)
    _check_period(asset, world.globals.timestamp)
    _check_amounts(asset)
    check_net_limits(asset.free_asset_net_limit, asset.public_free_asset_net_limit)
    _check_frozen(asset)
    owner = world.accounts.get(candidate.owner)
    if owner is None:
        raise Invalid("Account not exists")
    if owner.issued:
        raise Invalid("An account can only issue one asset")
    if owner.balance < genesis.parameters.asset_issue_fee:
        raise Invalid("No enough balance for fee!")


def _check_names(asset: pb.AssetIssueContract) -> None:
    if not _is_name(asset.name):
        raise Invalid("Invalid assetName")
    if asset.name.lower() == b"trx":
        raise Invalid("assetName can't be trx")
    if not 0 <= asset.precision <= MAX_PRECISION:
        raise Invalid("precision cannot exceed 6")
    if asset.abbr and not _is_name(asset.abbr):
        raise Invalid("Invalid abbreviation for token")


def _is_name(name: bytes) -> bool:
    readable = all(0x21 <= byte <= 0x7E for byte in name)
    return 0 < len(name) <= MAX_NAME_BYTES and readable


def _check_period(asset: pb.AssetIssueContract, now: int) -> None:
    if not asset.start_time:
        raise Invalid("Start time should be not empty")
    if not asset.end_time:
        raise Invalid("End time should be not empty")
    if asset.end_time <= asset.start_time:
        raise Invalid("End time should be greater than start time")
    if asset.start_time <= now:
        raise Invalid("Start time should be greater than HeadBlockTime")


def _check_amounts(asset: pb.AssetIssueContract) -> None:
    if asset.total_supply <= 0:
        raise Invalid("TotalSupply must greater than 0!")
    if asset.trx_num <= 0:
        raise Invalid("TrxNum must greater than 0!")
    if asset.num <= 0:
        raise Invalid("Num must greater than 0!")
    if asset.public_free_asset_net_usage:
        raise Invalid("PublicFreeAssetNetUsage must be 0!")
    if len(asset.frozen_supply) > MAX_FROZEN_PARTS:
        raise Invalid("Frozen supply list length is too long")


def _check_frozen(asset: pb.AssetIssueContract) -> None:
    left = asset.total_supply
    for part in asset.frozen_supply:
        if part.frozen_amount <= 0:
            raise Invalid("Frozen supply must be greater than 0!")
        if part.frozen_amount > left:
            raise Invalid("Frozen supply cannot exceed total supply")
        if not MIN_FROZEN_DAYS <= part.frozen_days <= MAX_FROZEN_DAYS:
            raise Invalid(
                f"frozenDuration must be less than {MAX_FROZEN_DAYS} days"
                f" and more than {MIN_FROZEN_DAYS} days"
            )
        left -= part.frozen_amount


def _execute_issue(
    world: World, candidate: CandidateOf[pb.AssetIssueContract], genesis: Genesis
) -> ReceiptRow:
    """Give the issuer the supply that is not frozen; burns the fee."""
    asset = candidate.message
    number = world.globals.token_id + 1
    world.globals = replace(world.globals, token_id=number)
    asset.id = str(number)
    put_asset(world, asset)
    fee = genesis.parameters.asset_issue_fee
    owner = owner_of(world, candidate)
    frozen = tuple(
        (part.frozen_amount, asset.start_time + part.frozen_days * DAY_MS)
        for part in asset.frozen_supply
    )
    free = asset.total_supply - sum(amount for amount, _ in frozen)
    token = asset.id.encode()
    owner = replace(
        owner,
        balance=Sun(owner.balance - fee),
        issued=token,
        frozen_supply=owner.frozen_supply + frozen,
    )
    world.put_account(with_more(owner, token, free))
    burn(world, fee)
    return ReceiptRow(fee=fee, asset_issue_id=asset.id)


KINDS: Final = (
    ContractKind(
        message=pb.AssetIssueContract,
        validate=_validate_issue,
        execute=_execute_issue,
        path="createassetissue",
        eth_value=lambda _issue: ISSUE_VALUE,
    ),
)
