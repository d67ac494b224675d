"""Tokens that are there from a chain's beginning, and where their contracts are."""

from typing import Annotated, Final

import msgspec

from lucidtrond.devnet.state.account import Account
from lucidtrond.devnet.state.deployed import Contract, artifact
from lucidtrond.devnet.state.token_slots import initial_slots
from lucidtrond.devnet.state.token_sorts import TokenSort
from lucidtrond.devnet.state.world import World
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.contract_address import created_by_transaction
from lucidtrond.tron.hashing import sha256

ODD_DECIMALS: Final = 6
ODD_SUPPLY: Final = 10**15
"""Of tokens of odd sorts, in their smallest units."""


class TokenRow(msgspec.Struct, frozen=True, kw_only=True):
    """An InteropToken that is there from the beginning; *owner* gets the supply."""

    owner: str
    name: str = "Interop Dollar"
    symbol: str = "IUSD"
    decimals: Annotated[int, msgspec.Meta(ge=0, le=255)] = 6
    supply: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 10**12


def place_of(row: TokenRow, genesis_id: BlockId) -> bytes:
    """Where a deploying transaction with the block's id would have put it."""
    return created_by_transaction(bytes.fromhex(genesis_id), _raw(row.owner)).raw


def contract_of(row: TokenRow, genesis_id: BlockId) -> Contract:
    """The contract of a chain definition's own row."""
    place, owner = place_of(row, genesis_id), _raw(row.owner)
    return Contract(place, owner, row.name, row.symbol, row.decimals, row.supply)


def odd_contract(sort: TokenSort, owner: str, genesis_id: BlockId) -> Contract:
    """A token of an odd sort, at a place of its own: one *owner* has many."""
    made_by = sha256(bytes.fromhex(genesis_id) + sort.symbol.encode())
    return Contract(
        created_by_transaction(made_by, _raw(owner)).raw,
        _raw(owner),
        sort.name,
        sort.symbol,
        ODD_DECIMALS,
        ODD_SUPPLY,
        caller_percent=sort.caller_percent,
        sort=sort.symbol,
    )


def deploy(world: World, contract: Contract) -> None:
    """Write its account, its row, and what the constructor leaves in its storage."""
    world.put_account(Account(contract.address, name=artifact().name.encode()))
    world.contracts.put(contract.address, contract)
    for slot, value in initial_slots(contract.origin[1:], contract.supply).items():
        world.put_slot(contract.address + slot, value)


def _raw(address: str) -> bytes:
    return Address.from_base58(address).raw
