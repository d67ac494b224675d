"""Accounts and their resources. Pure."""

from lucidtrond.node.questions import wire
from lucidtrond.node.questions.translate.checks import (
    Contradiction,
    InvalidAnswer,
    read_address,
    unsigned,
)
from lucidtrond.tron.account import Account, Resources
from lucidtrond.tron.address import Address
from lucidtrond.tron.units import Sun, UnixMillis


def read_account(answer: wire.AccountJson, address: Address) -> Account:
    """The account that was asked for, which exists."""
    if read_address(answer.address) != address:
        raise Contradiction(f"another account than {address}")
    stakes = {"BANDWIDTH": 0, "ENERGY": 0}
    for stake in answer.frozen_v2:
        if stake.type in stakes:
            stakes[str(stake.type)] += stake.amount
    stakes["BANDWIDTH"] += sum(stake.frozen_balance for stake in answer.frozen)
    stakes["ENERGY"] += answer.account_resource.frozen_balance_for_energy.frozen_balance
    created = answer.create_time
    return Account(
        address,
        activated=True,
        balance=Sun(answer.balance),
        is_contract=answer.type == "Contract",
        created_ms=None if created is None else UnixMillis(created),
        staked_bandwidth=Sun(stakes["BANDWIDTH"]),
        staked_energy=Sun(stakes["ENERGY"]),
        witness_key=_witness_key(answer.witness_permission),
    )


def _witness_key(permission: wire.PermissionJson) -> Address | None:
    if not permission.keys:
        return None
    if len(permission.keys) > 1:
        raise InvalidAnswer("a witness permission with more than one key")
    return read_address(permission.keys[0].address)


def read_resources(answer: wire.ResourcesJson) -> Resources:
    """Bandwidth and energy of an account that exists."""
    if not answer.total_net_limit:
        raise InvalidAnswer("resources without TotalNetLimit")
    return Resources(
        free_net_used=unsigned(answer.free_net_used, "freeNetUsed"),
        free_net_limit=unsigned(answer.free_net_limit, "freeNetLimit"),
        net_used=unsigned(answer.net_used, "NetUsed"),
        net_limit=unsigned(answer.net_limit, "NetLimit"),
        energy_used=unsigned(answer.energy_used, "EnergyUsed"),
        energy_limit=unsigned(answer.energy_limit, "EnergyLimit"),
    )
