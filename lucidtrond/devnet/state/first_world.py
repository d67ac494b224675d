"""The state that a chain starts from, as its definition says."""

import msgspec

from lucidtrond.devnet.state.account import (
    Account,
    Permissions,
    Witness,
    active_permission,
    owner_permission,
    witness_permission,
)
from lucidtrond.devnet.state.deployed import Contract
from lucidtrond.devnet.state.first_tokens import contract_of, deploy, odd_contract
from lucidtrond.devnet.state.genesis_file import GenesisFile, WitnessRow, tokens_in
from lucidtrond.devnet.state.token_sorts import SORTS, check_sorts
from lucidtrond.devnet.state.world import Globals, World
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockHeader, BlockId
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.units import SUN_PER_TRX, Sun


def first_world(file: GenesisFile, header: BlockHeader, operations: bytes) -> World:
    """The state that *file* begins with, after its genesis block's *header*.

    *operations* are those of a new account's active permission.
    """
    rows = {row.address: row for row in file.accounts}
    staked = {"BANDWIDTH": 0, "ENERGY": 0}
    accounts: dict[bytes, Account] = {}
    for asset in file.genesis_assets:
        row = rows.get(asset.address)
        stake = row.frozen_v2 if row else {}
        for resource in staked:
            staked[resource] += stake.get(resource, 0) // SUN_PER_TRX
        raw = _raw(asset.address)
        accounts[raw] = Account(
            raw,
            Sun(row.balance if row else asset.balance),
            name=asset.name.encode(),
            staked_net=Sun(stake.get("BANDWIDTH", 0)),
            staked_energy=Sun(stake.get("ENERGY", 0)),
        )
    world = World(
        Globals(
            number=0,
            timestamp=header.timestamp,
            block_id=bytes.fromhex(header.id),
            next_maintenance=header.timestamp,
            total_net_weight=staked["BANDWIDTH"],
            total_energy_weight=staked["ENERGY"],
        )
    )
    for witness in file.witnesses:
        raw = _raw(witness.address)
        account = accounts.get(raw, Account(raw))
        permissions = _permissions(raw, witness, operations)
        accounts[raw] = msgspec.structs.replace(
            account, is_witness=True, permissions=permissions
        )
        world.witnesses.put(raw, Witness(raw, witness.url, witness.votes))
    for account in accounts.values():
        world.put_account(account)
    for contract in _contracts(file, header.id):
        deploy(world, contract)
    return world


def _permissions(
    address: bytes, row: WitnessRow, operations: bytes
) -> Permissions | None:
    """As an AccountPermissionUpdate leaves them; a genesis account has none."""
    if not row.signing_key:
        return None
    return Permissions(
        owner_permission(address),
        witness_permission(PrivateKey.from_hex(row.signing_key).address.raw),
        (active_permission(address, operations),),
    )


def _contracts(file: GenesisFile, genesis_id: BlockId) -> list[Contract]:
    sorts = () if file.token_sorts is msgspec.UNSET else check_sorts(file.token_sorts)
    owner = next(account.address for account in file.accounts if account.exists)
    if file.token is not msgspec.UNSET:
        owner = file.token.owner
    return [
        *(contract_of(token, genesis_id) for token in tokens_in(file)),
        *(odd_contract(SORTS[symbol], owner, genesis_id) for symbol in sorts),
    ]


def _raw(address: str) -> bytes:
    return Address.from_base58(address).raw
