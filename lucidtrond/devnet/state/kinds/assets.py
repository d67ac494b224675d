"""TRC-10 tokens after they were issued: buying, unfreezing and describing them."""

from typing import Final

from msgspec.structs import replace

from lucidtrond.devnet.state.accounts import is_address, owner_of
from lucidtrond.devnet.state.assets import (
    asset_of,
    check_description,
    check_net_limits,
    held,
    put_asset,
    with_more,
)
from lucidtrond.devnet.state.candidate import CandidateOf
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.invariants import certain, present
from lucidtrond.devnet.state.kinds.base import ContractKind
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.units import MAX_SUN, Sun


def _validate_purchase(
    world: World,
    candidate: CandidateOf[pb.ParticipateAssetIssueContract],
    _genesis: Genesis,
) -> None:
    """ParticipateAssetIssueActuator.validate."""
    wanted = candidate.message
    to, token, cost = wanted.to_address, wanted.asset_name, wanted.amount
    if not is_address(candidate.owner):
        raise Invalid("Invalid ownerAddress")
    if not is_address(to):
        raise Invalid("Invalid toAddress")
    if cost <= 0:
        raise Invalid("Amount must greater than 0!")
    if candidate.owner == to:
        raise Invalid("Cannot participate asset Issue yourself !")
    owner = world.accounts.get(candidate.owner)
    if owner is None:
        raise Invalid("Account does not exist!")
    if owner.balance < cost:
        raise Invalid("No enough balance !")
    _check_offer(world, wanted, asset_of(world, token))


def _check_offer(
    world: World,
    wanted: pb.ParticipateAssetIssueContract,
    asset: pb.AssetIssueContract | None,
) -> None:
    to, token, cost = wanted.to_address, wanted.asset_name, wanted.amount
    if asset is None:
        name = token.decode("utf-8", "replace") or "null"
        raise Invalid(f"No asset named {name}")
    if asset.owner_address != to:
        raise Invalid(f"The asset is not issued by {to.hex()}")
    if not asset.start_time <= world.globals.timestamp < asset.end_time:
        raise Invalid("No longer valid period!")
    if cost * asset.num > MAX_SUN:
        raise Invalid("long overflow")
    bought = cost * asset.num // asset.trx_num
    if bought <= 0:
        raise Invalid("Can not process the exchange!")
    issuer = present(world.accounts.get(to))
    if bought > (held(issuer, token) or 0):
        raise Invalid("Asset balance is not enough !")


def _execute_purchase(
    world: World,
    candidate: CandidateOf[pb.ParticipateAssetIssueContract],
    _genesis: Genesis,
) -> Sun:
    """Swap sun for tokens at the issuer's rate, rounded down."""
    wanted = candidate.message
    to, token, cost = wanted.to_address, wanted.asset_name, wanted.amount
    asset = present(asset_of(world, token))
    bought = cost * asset.num // asset.trx_num
    owner, issuer = owner_of(world, candidate), present(world.accounts.get(to))
    owner = replace(owner, balance=Sun(owner.balance - cost))
    issuer = replace(issuer, balance=Sun(issuer.balance + cost))
    world.put_account(with_more(owner, token, bought))
    world.put_account(with_more(issuer, token, -bought))
    return Sun(0)


def _validate_unfreeze(
    world: World, candidate: CandidateOf[pb.UnfreezeAssetContract], _genesis: Genesis
) -> None:
    """UnfreezeAssetActuator.validate."""
    if not is_address(candidate.owner):
        raise Invalid("Invalid address")
    owner = world.accounts.get(candidate.owner)
    if owner is None:
        raise Invalid(f"Account[{candidate.owner.hex()}] not exists")
    if not owner.frozen_supply:
        raise Invalid("no frozen supply balance")
    certain(bool(owner.issued), "only issuers have a frozen supply")
    if all(expires > world.globals.timestamp for _, expires in owner.frozen_supply):
        raise Invalid("It's not time to unfreeze asset supply")


def _execute_unfreeze(
    world: World, candidate: CandidateOf[pb.UnfreezeAssetContract], _genesis: Genesis
) -> Sun:
    """Give back what was frozen until now."""
    owner = owner_of(world, candidate)
    now = world.globals.timestamp
    due = sum(amount for amount, expires in owner.frozen_supply if expires <= now)
    left = tuple(part for part in owner.frozen_supply if part[1] > now)
    owner = with_more(owner, owner.issued, due)
    world.put_account(replace(owner, frozen_supply=left))
    return Sun(0)


def _validate_update(
    world: World, candidate: CandidateOf[pb.UpdateAssetContract], _genesis: Genesis
) -> None:
    """UpdateAssetActuator.validate."""
    if not is_address(candidate.owner):
        raise Invalid("Invalid ownerAddress")
    owner = world.accounts.get(candidate.owner)
    if owner is None:
        raise Invalid("Account does not exist")
    if not owner.issued:
        raise Invalid("Account has not issued any asset")
    wanted = candidate.message
    check_description(wanted.url, wanted.description)
    check_net_limits(wanted.new_limit, wanted.new_public_limit)


def _execute_update(
    world: World, candidate: CandidateOf[pb.UpdateAssetContract], _genesis: Genesis
) -> Sun:
    """Change what the issuer may change."""
    asset = present(asset_of(world, owner_of(world, candidate).issued))
    wanted = candidate.message
    asset.description, asset.url = wanted.description, wanted.url
    asset.free_asset_net_limit = wanted.new_limit
    asset.public_free_asset_net_limit = wanted.new_public_limit
    put_asset(world, asset)
    return Sun(0)


KINDS: Final = (
    ContractKind(
        message=pb.ParticipateAssetIssueContract,
        validate=_validate_purchase,
        execute=_execute_purchase,
        path="participateassetissue",
        eth_to=lambda purchase: purchase.to_address,
    ),
    ContractKind(
        message=pb.UnfreezeAssetContract,
        validate=_validate_unfreeze,
        execute=_execute_unfreeze,
        path="unfreezeasset",
    ),
    ContractKind(
        message=pb.UpdateAssetContract,
        validate=_validate_update,
        execute=_execute_update,
        path="updateasset",
    ),
)
