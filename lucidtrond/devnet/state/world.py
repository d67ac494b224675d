"""The chain's state as layers: a base, one layer per unsolidified block, the pool's.

A layer holds only what changed over the one below it. Reading walks down, so views of
the head, of the pool and of the solidified block exist side by side without copies; a
block is reverted by dropping its layer and made permanent by merging it into the
base. Depth is bounded by the solid lag (20 blocks for 27 witnesses).

A view is good until the next block: merging changes what lies under older ones.
"""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import msgspec

from lucidtrond.devnet.state.account import Account, Delegation, Witness
from lucidtrond.devnet.state.deployed import Contract
from lucidtrond.tron.units import Sun, UnixMillis

V = TypeVar("V")


class Table(Generic[V]):
    """One map of the state, as changes over an older one."""

    __slots__ = ("changes", "older")

    def __init__(self, older: "Table[V] | None" = None) -> None:
        self.changes: dict[bytes, V] = {}
        self.older = older

    def get(self, key: bytes) -> V | None:
        """The newest value."""
        table: Table[V] | None = self
        while table is not None:
            value = table.changes.get(key)
            if value is not None:
                return value
            table = table.older
        return None

    def put(self, key: bytes, value: V) -> None:
        """Change it in this layer only."""
        self.changes[key] = value

    def values(self) -> Iterator[V]:
        """Newest values of all keys, oldest keys first."""
        return (value for _, value in self.items())

    def items(self) -> Iterator[tuple[bytes, V]]:
        """All keys with their newest values, oldest keys first."""
        layers = [self]
        while layers[-1].older is not None:
            layers.append(layers[-1].older)
        merged: dict[bytes, V] = {}
        for layer in reversed(layers):
            merged.update(layer.changes)
        return iter(merged.items())

    def absorb(self, newer: "Table[V]") -> None:
        """Take over the changes of the layer right above."""
        self.changes.update(newer.changes)

    def rebase(self, older: "Table[V] | None") -> None:
        """Stand on another table that holds the same."""
        self.older = older


class Globals(msgspec.Struct, frozen=True, array_like=True):
    """What the chain knows beside its tables (DynamicPropertiesStore)."""

    number: int
    timestamp: UnixMillis
    block_id: bytes
    next_maintenance: UnixMillis
    solid: int = 0
    burned: Sun = Sun(0)
    total_net_weight: int = 0
    total_energy_weight: int = 0
    public_net_usage: int = 0
    public_net_slot: int = 0
    in_maintenance: bool = False
    """The head began a maintenance period: two slots are skipped after it."""
    token_id: int = 1_000_000
    """The newest TRC-10 token's."""
    cycle: int = 0
    """Maintenances so far."""
    cycle_start: int = 0
    """The block that began the running one."""


class World:
    """One layer of the whole state."""

    __slots__ = (
        "account_ids",
        "accounts",
        "assets",
        "contracts",
        "delegations",
        "globals",
        "indexes",
        "moves",
        "slots",
        "witnesses",
    )

    def __init__(self, properties: Globals, older: "World | None" = None) -> None:
        self.globals = properties
        self.moves: list[tuple[bytes, int]] = []
        """What balances changed by over an older layer, one after the other."""
        self.accounts: Table[Account] = Table(older.accounts if older else None)
        self.account_ids: Table[bytes] = Table(older.account_ids if older else None)
        self.assets: Table[bytes] = Table(older.assets if older else None)
        """AssetIssueContract with its id, by that id's digits."""
        self.witnesses: Table[Witness] = Table(older.witnesses if older else None)
        self.contracts: Table[Contract] = Table(older.contracts if older else None)
        self.slots: Table[bytes] = Table(older.slots if older else None)
        self.delegations: Table[Delegation] = Table(
            older.delegations if older else None
        )

        self.indexes: Table[int] = Table(older.indexes if older else None)
        """Rewards per vote, see `rewards`; by witness and cycle."""

    def fork(self) -> "World":
        """A layer above this one; this one must not change any more."""
        return World(self.globals, self)

    def absorb(self, newer: "World") -> None:
        """Merge the layer right above into this one."""
        self.globals = newer.globals
        for table, above in zip(self.tables(), newer.tables(), strict=True):
            table.absorb(above)

    def rebase(self, older: "World") -> None:
        """Stand on *older*, into which the layer below was merged."""
        for table, below in zip(self.tables(), older.tables(), strict=True):
            table.rebase(below)

    def tables(self) -> tuple[Table[Any], ...]:
        """All of them, always in the same order."""
        return (
            self.accounts,
            self.account_ids,
            self.assets,
            self.witnesses,
            self.contracts,
            self.slots,
            self.delegations,
            self.indexes,
        )

    def put_account(self, account: Account) -> None:
        older = self.accounts.get(account.address)
        moved = account.balance - (older.balance if older else 0)
        if moved and self.accounts.older is not None:
            self.moves.append((account.address, moved))
        self.accounts.put(account.address, account)

    def index(self, witness: bytes, cycle: int) -> int:
        """Rewards per vote for *witness* from its beginning to the end of *cycle*."""
        return self.indexes.get(_index_key(witness, cycle)) or 0

    def put_index(self, witness: bytes, cycle: int, index: int) -> None:
        """Write one, once a cycle is over."""
        self.indexes.put(_index_key(witness, cycle), index)

    def put_slot(self, key: bytes, value: int) -> None:
        """Write 256 bits of a contract's storage: *key* is its address and a slot."""
        self.slots.put(key, _big(value))


def _index_key(witness: bytes, cycle: int) -> bytes:
    return witness + (cycle + 1).to_bytes(4)  # -1 is before the first


class WorldRows(msgspec.Struct, frozen=True, array_like=True):
    """A base layer on its way to or from a checkpoint."""

    globals: Globals
    accounts: tuple[Account, ...]
    witnesses: tuple[Witness, ...]
    account_ids: tuple[tuple[bytes, bytes], ...]
    contracts: tuple[Contract, ...] = ()
    slots: tuple[tuple[bytes, bytes], ...] = ()
    assets: tuple[tuple[bytes, bytes], ...] = ()
    delegations: tuple[Delegation, ...] = ()
    indexes: tuple[tuple[bytes, bytes], ...] = ()


def _big(value: int) -> bytes:
    """As few bytes as hold it: msgpack has no number beyond 64 bits."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def rows_of(world: World) -> WorldRows:
    """All rows of *world*, which must be a base layer or stand on one."""
    accounts = tuple(world.accounts.values())
    ids = tuple(
        (account.account_id, account.address)
        for account in accounts
        if account.account_id
    )
    return WorldRows(
        world.globals,
        accounts,
        tuple(world.witnesses.values()),
        ids,
        tuple(world.contracts.values()),
        tuple((key, value) for key, value in world.slots.items() if value),
        tuple(world.assets.items()),
        tuple(
            delegation
            for delegation in world.delegations.values()
            if not delegation.is_empty
        ),
        tuple((key, _big(value)) for key, value in world.indexes.items()),
    )


def world_of(rows: WorldRows) -> World:
    """A base layer holding *rows*."""
    world = World(rows.globals)
    for account in rows.accounts:
        world.put_account(account)
    for witness in rows.witnesses:
        world.witnesses.put(witness.address, witness)
    for account_id, address in rows.account_ids:
        world.account_ids.put(account_id.lower(), address)
    for contract in rows.contracts:
        world.contracts.put(contract.address, contract)
    for key, value in rows.slots:
        world.slots.put(key, value)
    for token, asset in rows.assets:
        world.assets.put(token, asset)
    for delegation in rows.delegations:
        world.delegations.put(delegation.key, delegation)
    for key, value in rows.indexes:
        world.indexes.put(key, int.from_bytes(value, "big"))
    return world
