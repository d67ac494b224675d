"""AccountPermissionUpdate: who may sign for an account from now on."""

from collections.abc import Iterator
from itertools import chain
from typing import Final

from msgspec.structs import replace

from lucidtrond.devnet.state.account import (
    ACTIVE_PERMISSION,
    OWNER_PERMISSION,
    WITNESS_PERMISSION,
    Permission,
    Permissions,
    block_key,
)
from lucidtrond.devnet.state.accounts import is_address, owner_of
from lucidtrond.devnet.state.bandwidth import burn
from lucidtrond.devnet.state.candidate import CandidateOf
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.invariants import present
from lucidtrond.devnet.state.kinds.base import ContractKind
from lucidtrond.devnet.state.rejections import Failed, Invalid
from lucidtrond.devnet.state.signatures import MAX_SIGNATURES, allows
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.permissions import OPERATIONS_SIZE
from lucidtrond.tron.units import MAX_SUN, SUN_PER_TRX, Sun

MAX_ACTIVES: Final = 8
MAX_NAME_CHARS: Final = 32
FIRST_ACTIVE_ID: Final = 2
ETH_VALUE: Final = 100 * SUN_PER_TRX
"""What the Ethereum interface calls its value (JsonRpcApiUtil)."""
_OWN_NUMBER: Final = pb.Transaction.Contract.AccountPermissionUpdateContract


def _validate_permissions(
    world: World,
    candidate: CandidateOf[pb.AccountPermissionUpdateContract],
    genesis: Genesis,
) -> None:
    """AccountPermissionUpdateActuator.validate; the fee is not looked at."""
    wanted = candidate.message
    if not is_address(candidate.owner):
        raise Invalid("invalidate ownerAddress")
    account = world.accounts.get(candidate.owner)
    if account is None:
        raise Invalid("ownerAddress account does not exist")
    if not wanted.HasField("owner"):
        raise Invalid("owner permission is missed")
    if account.is_witness and not wanted.HasField("witness"):
        raise Invalid("witness permission is missed")
    if not account.is_witness and wanted.HasField("witness"):
        raise Invalid("account isn't witness can't set witness permission")
    if not wanted.actives:
        raise Invalid("active permission is missed")
    if len(wanted.actives) > MAX_ACTIVES:
        raise Invalid("active permission is too many")
    _check(wanted.owner, OWNER_PERMISSION, "owner", genesis)
    if account.is_witness:
        _check(wanted.witness, WITNESS_PERMISSION, "witness", genesis)
    for active in wanted.actives:
        _check(active, ACTIVE_PERMISSION, "active", genesis)
    _check_someone_signs(world, candidate.owner, wanted, genesis)


def _check_someone_signs(
    world: World,
    owner: bytes,
    wanted: pb.AccountPermissionUpdateContract,
    genesis: Genesis,
) -> None:
    """A rule of this chain alone: its last producer with a known key keeps one."""
    if owner not in genesis.schedule:
        return
    keys = [
        wanted.witness.keys[0].address
        if maker == owner
        else block_key(present(world.accounts.get(maker)))
        for maker in genesis.schedule
    ]
    if not any(key in genesis.known_keys for key in keys):
        raise Invalid("no producer of this chain could sign blocks any more")


def _execute_permissions(
    world: World,
    candidate: CandidateOf[pb.AccountPermissionUpdateContract],
    genesis: Genesis,
) -> Sun:
    """Replace all permissions; burns the fee.

    Raises:
        Failed: the account can't pay it, which validation does not check.
    """
    wanted = candidate.message
    fee = genesis.parameters.permission_fee
    owner = owner_of(world, candidate)
    if owner.balance < fee:
        raise Failed(
            f"{candidate.owner.hex()} insufficient balance,"
            f" balance: {owner.balance}, amount: {fee}"
        )
    permissions = Permissions(
        _row(wanted.owner, OWNER_PERMISSION),
        _row(wanted.witness, WITNESS_PERMISSION) if owner.is_witness else None,
        tuple(
            _row(active, number)
            for number, active in enumerate(wanted.actives, FIRST_ACTIVE_ID)
        ),
    )
    world.put_account(
        replace(owner, permissions=permissions, balance=Sun(owner.balance - fee))
    )
    burn(world, fee)
    return fee


def _row(permission: pb.Permission, number: int) -> Permission:
    return Permission(
        permission.type,
        number,
        permission.permission_name,
        permission.threshold,
        tuple((key.address, key.weight) for key in permission.keys),
        permission.operations,
    )


def _check(permission: pb.Permission, wanted: int, name: str, genesis: Genesis) -> None:
    # AccountPermissionUpdateActuator.checkPermission
    if permission.type != wanted:
        raise Invalid(f"{name} permission type is error")
    faults = chain(
        _faults(permission),
        _key_faults(permission),
        _operation_faults(permission, genesis),
    )
    for fault in faults:
        raise Invalid(fault)


def _faults(permission: pb.Permission) -> Iterator[str]:
    """What is wrong, first things first."""
    keys = permission.keys
    if len(keys) > MAX_SIGNATURES:
        yield (
            f"number of keys in permission should not be greater than {MAX_SIGNATURES}"
        )
    if not keys:
        yield "key's count should be greater than 0"
    if permission.type == WITNESS_PERMISSION and len(keys) != 1:
        yield "Witness permission's key count should be 1"
    if permission.threshold <= 0:
        yield "permission's threshold should be greater than 0"
    if len(permission.permission_name.encode("utf-16-le")) // 2 > MAX_NAME_CHARS:
        yield "permission's name is too long"
    if permission.parent_id:
        yield "permission's parent should be owner"


def _key_faults(permission: pb.Permission) -> Iterator[str]:
    kind = pb.Permission.PermissionType.Name(permission.type)
    keys = permission.keys
    if len({key.address for key in keys}) != len(keys):
        yield f"address should be distinct in permission {kind}"
    total = 0
    for key in keys:
        if not is_address(key.address):
            yield "key is not a validate address"
        if key.weight <= 0:
            yield "key's weight should be greater than 0"
        total += key.weight
        if total > MAX_SUN:
            yield "long overflow"
    if total < permission.threshold:
        yield (
            "sum of all key's weight should not be less than threshold in"
            f" permission {kind}"
        )


def _operation_faults(permission: pb.Permission, genesis: Genesis) -> Iterator[str]:
    operations = permission.operations
    if permission.type != ACTIVE_PERMISSION:
        if operations:
            kind = pb.Permission.PermissionType.Name(permission.type)
            yield f"{kind} permission needn't operations"
        return
    if len(operations) != OPERATIONS_SIZE:
        yield f"operations size must {OPERATIONS_SIZE}"
    wanted_row = _row(permission, FIRST_ACTIVE_ID)
    for number in range(OPERATIONS_SIZE * 8):
        if allows(wanted_row, number) and not _exists(number, genesis):
            yield f"{number} isn't a validate ContractType"


def _exists(number: int, genesis: Genesis) -> bool:
    """Available are the bits of new permissions and this contract's own.

    Both bitmaps of DynamicPropertiesStore grow by the same votes and begin with that
    difference.
    """
    at, bit = divmod(number, 8)
    default = bool(genesis.default_operations[at] >> bit & 1)
    return default or number == _OWN_NUMBER


KINDS: Final = (
    ContractKind(
        message=pb.AccountPermissionUpdateContract,
        validate=_validate_permissions,
        execute=_execute_permissions,
        changes_signers=True,
        path="accountpermissionupdate",
        eth_value=lambda _update: ETH_VALUE,
    ),
)
