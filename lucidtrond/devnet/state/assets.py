"""TRC-10 tokens: issuing, moving, buying, unfreezing and describing them.

An asset is kept as its AssetIssueContract, with the id that it got. It is named by the
ASCII digits of that id everywhere (getAllowSameTokenName = 1).
"""

from typing import Final

from msgspec.structs import replace

from lucidtrond.devnet.state.account import Account, Holding
from lucidtrond.devnet.state.accounts import is_address, new_account, owner_of
from lucidtrond.devnet.state.bandwidth import burn
from lucidtrond.devnet.state.blocks import ReceiptRow
from lucidtrond.devnet.state.candidate import Candidate, read_contract
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.invariants import certain, present
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.units import MAX_SUN, Sun

DAY_MS: Final = 86_400_000
MAX_DESCRIPTION_BYTES: Final = 200
MAX_URL_BYTES: Final = 256
MAX_NET_LIMIT: Final = 57_600_000_000
"""DynamicPropertiesStore.ONE_DAY_NET_LIMIT, exclusive."""


def asset_of(world: World, token: bytes) -> pb.AssetIssueContract | None:
    """An asset by its id."""
    kept = world.assets.get(token)
    return None if kept is None else pb.AssetIssueContract.FromString(kept)


def put_asset(world: World, asset: pb.AssetIssueContract) -> None:
    """Keep an asset under its id."""
    world.assets.put(asset.id.encode(), asset.SerializeToString(deterministic=True))


def held(account: Account, token: bytes) -> int | None:
    """How much of a token an account has; None when it never had any."""
    return next((each.amount for each in account.tokens if each.token == token), None)


def with_more(account: Account, token: bytes, amount: int) -> Account:
    """The account with *amount* more of a token, or less when it is negative."""
    before = held(account, token)
    if before is None:
        return replace(account, tokens=(*account.tokens, Holding(token, amount)))
    certain(0 <= before + amount <= MAX_SUN, "a validated amount of a token fits")
    return replace(
        account,
        tokens=tuple(
            replace(each, amount=before + amount) if each.token == token else each
            for each in account.tokens
        ),
    )


def check_description(url: bytes, description: bytes) -> None:
    """Raises Invalid; TransactionUtil.validUrl and validAssetDescription."""
    if not 0 < len(url) <= MAX_URL_BYTES:
        raise Invalid("Invalid url")
    if len(description) > MAX_DESCRIPTION_BYTES:
        raise Invalid("Invalid description")


def check_net_limits(own: int, public: int) -> None:
    """Raises Invalid; bytes a day that the issuer gives."""
    if not 0 <= own < MAX_NET_LIMIT:
        raise Invalid("Invalid FreeAssetNetLimit")
    if not 0 <= public < MAX_NET_LIMIT:
        raise Invalid("Invalid PublicFreeAssetNetLimit")


# TransferAsset


def validate_transfer(world: World, candidate: Candidate, genesis: Genesis) -> None:
    """TransferAssetActuator.validate."""
    token, to = candidate.bytes_field(1), candidate.bytes_field(3)
    amount = candidate.int_field(4)
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


def execute_transfer(world: World, candidate: Candidate, genesis: Genesis) -> Sun:
    """Move the tokens; burns the fee when the recipient is new."""
    token, to = candidate.bytes_field(1), candidate.bytes_field(3)
    amount = candidate.int_field(4)
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


def makes_recipient(world: World, candidate: Candidate) -> bool:
    """Whether a transfer makes an account."""
    return world.accounts.get(candidate.bytes_field(3)) is None


# ParticipateAssetIssue


def validate_purchase(world: World, candidate: Candidate, _genesis: Genesis) -> None:
    """ParticipateAssetIssueActuator.validate."""
    to, token = candidate.bytes_field(2), candidate.bytes_field(3)
    cost = candidate.int_field(4)
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
    _check_offer(world, candidate, asset_of(world, token))


def _check_offer(
    world: World, candidate: Candidate, asset: pb.AssetIssueContract | None
) -> None:
    to, token = candidate.bytes_field(2), candidate.bytes_field(3)
    cost = candidate.int_field(4)
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


def execute_purchase(world: World, candidate: Candidate, _genesis: Genesis) -> Sun:
    """Swap sun for tokens at the issuer's rate, rounded down."""
    to, token = candidate.bytes_field(2), candidate.bytes_field(3)
    cost = candidate.int_field(4)
    asset = present(asset_of(world, token))
    bought = cost * asset.num // asset.trx_num
    owner, issuer = owner_of(world, candidate), present(world.accounts.get(to))
    owner = replace(owner, balance=Sun(owner.balance - cost))
    issuer = replace(issuer, balance=Sun(issuer.balance + cost))
    world.put_account(with_more(owner, token, bought))
    world.put_account(with_more(issuer, token, -bought))
    return Sun(0)


# AssetIssue's checks are in `issuing`.


def execute_issue(world: World, candidate: Candidate, genesis: Genesis) -> ReceiptRow:
    """Give the issuer the supply that is not frozen; burns the fee."""
    asset = read_contract(pb.AssetIssueContract, candidate)
    number = world.globals.token_id + 1
    world.globals = replace(world.globals, token_id=number)
    asset.id = str(number)
    put_asset(world, asset)
    fee = genesis.parameters.asset_issue_fee
    owner = owner_of(world, candidate)
    frozen = tuple(
        (each.frozen_amount, asset.start_time + each.frozen_days * DAY_MS)
        for each in asset.frozen_supply
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


# UnfreezeAsset


def validate_unfreeze(world: World, candidate: Candidate, _genesis: Genesis) -> None:
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


def execute_unfreeze(world: World, candidate: Candidate, _genesis: Genesis) -> Sun:
    """Give back what was frozen until now."""
    owner = owner_of(world, candidate)
    now = world.globals.timestamp
    due = sum(amount for amount, expires in owner.frozen_supply if expires <= now)
    left = tuple(each for each in owner.frozen_supply if each[1] > now)
    owner = with_more(owner, owner.issued, due)
    world.put_account(replace(owner, frozen_supply=left))
    return Sun(0)


# UpdateAsset


def validate_update(world: World, candidate: Candidate, _genesis: Genesis) -> None:
    """UpdateAssetActuator.validate."""
    if not is_address(candidate.owner):
        raise Invalid("Invalid ownerAddress")
    owner = world.accounts.get(candidate.owner)
    if owner is None:
        raise Invalid("Account does not exist")
    if not owner.issued:
        raise Invalid("Account has not issued any asset")
    check_description(candidate.bytes_field(3), candidate.bytes_field(2))
    check_net_limits(candidate.int_field(4), candidate.int_field(5))


def execute_update(world: World, candidate: Candidate, _genesis: Genesis) -> Sun:
    """Change what the issuer may change."""
    asset = present(asset_of(world, owner_of(world, candidate).issued))
    asset.description = candidate.bytes_field(2)
    asset.url = candidate.bytes_field(3)
    asset.free_asset_net_limit = candidate.int_field(4)
    asset.public_free_asset_net_limit = candidate.int_field(5)
    put_asset(world, asset)
    return Sun(0)
