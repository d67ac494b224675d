"""Rows of the chain's state: accounts, their permissions, witnesses.

They are msgspec structs because they are also written into checkpoints as they stand;
new fields go to the end, with a default, so that older checkpoints stay readable.
Addresses are the 21 bytes: the state is looked up by them many times per transaction.
"""

from typing import Final

import msgspec

from lucidtrond.tron.units import Sun, UnixMillis

OWNER_PERMISSION: Final = 0
WITNESS_PERMISSION: Final = 1
ACTIVE_PERMISSION: Final = 2


class Permission(msgspec.Struct, frozen=True, array_like=True):
    """Who may sign: *keys* are (address, weight); *operations* empty but for active."""

    type: int
    id: int
    name: str
    threshold: int
    keys: tuple[tuple[bytes, int], ...]
    operations: bytes = b""


class Permissions(msgspec.Struct, frozen=True, array_like=True):
    """What an account carries once permissions were set."""

    owner: Permission
    witness: Permission | None
    actives: tuple[Permission, ...]


class Holding(msgspec.Struct, frozen=True, array_like=True):
    """Of one TRC-10 token, by its id's digits; *net_usage* is at its issuer's cost."""

    token: bytes
    amount: int
    net_usage: int = 0
    net_slot: int = 0


class Unfreezing(msgspec.Struct, frozen=True, array_like=True):
    """Stake on its way back; *resource* is a ResourceCode."""

    resource: int
    amount: Sun
    expires_ms: UnixMillis


class Account(msgspec.Struct, frozen=True, array_like=True):
    """One account. Slots count 3 s since the genesis block's time.

    *born* accounts were made by a transaction and so have permissions: the default
    ones while `permissions` is None. Accounts of the genesis block have none at all.
    """

    address: bytes
    balance: Sun = Sun(0)
    name: bytes = b""
    born: bool = False
    created_ms: UnixMillis = UnixMillis(0)
    operation_ms: UnixMillis = UnixMillis(0)
    permissions: Permissions | None = None
    free_net_usage: int = 0
    free_net_slot: int = 0
    net_usage: int = 0
    net_slot: int = 0
    net_window: int = 0
    """In thousandths of a slot; 0 stands for the whole day."""
    staked_net: Sun = Sun(0)
    staked_energy: Sun = Sun(0)
    account_id: bytes = b""
    is_witness: bool = False
    tokens: tuple[Holding, ...] = ()
    issued: bytes = b""
    """The id of the TRC-10 token that it issued."""
    frozen_supply: tuple[tuple[int, UnixMillis], ...] = ()
    """Parts of that token, each with the time from which it may be unfrozen."""
    energy_usage: int = 0
    energy_slot: int = 0
    energy_window: int = 0
    """As `net_window`."""
    unfreezing: tuple[Unfreezing, ...] = ()
    lent_net: Sun = Sun(0)
    """Stake whose bandwidth others have; `staked_net` is without it."""
    lent_energy: Sun = Sun(0)
    borrowed_net: Sun = Sun(0)
    """Others' stake whose bandwidth this account has."""
    borrowed_energy: Sun = Sun(0)
    votes: tuple[tuple[bytes, int], ...] = ()
    counted_votes: tuple[tuple[bytes, int], ...] = ()
    """Those that the last maintenance counted."""
    allowance: Sun = Sun(0)
    """Rewards that are settled and may be withdrawn."""
    withdrawn_ms: UnixMillis = UnixMillis(0)
    """When rewards were withdrawn last."""
    begin_cycle: int = 0
    """The first cycle whose rewards are not settled."""
    cycle_votes: tuple[tuple[bytes, int], ...] | None = None
    """What it votes with in that cycle; None: it did not vote then."""


class Delegation(msgspec.Struct, frozen=True, array_like=True):
    """What one account lends another: all that is locked, or all that is not.

    A row without amounts is none.
    """

    owner: bytes
    receiver: bytes
    locked: bool
    net: Sun = Sun(0)
    energy: Sun = Sun(0)
    net_expires_ms: UnixMillis = UnixMillis(0)
    energy_expires_ms: UnixMillis = UnixMillis(0)
    since_ms: UnixMillis = UnixMillis(0)
    """When something was added last."""

    @property
    def is_empty(self) -> bool:
        return not self.net and not self.energy

    @property
    def key(self) -> bytes:
        return delegation_key(self.owner, self.receiver, locked=self.locked)


def delegation_key(owner: bytes, receiver: bytes, *, locked: bool) -> bytes:
    """Of the table of delegations."""
    return owner + receiver + bytes([locked])


class Witness(msgspec.Struct, frozen=True, array_like=True):
    """A block producer's record."""

    address: bytes
    url: str
    votes: int
    produced: int = 0
    missed: int = 0
    latest_block: int = 0
    latest_slot: int = 0
    brokerage: int = 20
    """Percent of its pay that are its own (DelegationStore.DEFAULT_BROKERAGE)."""
    next_brokerage: int = 20
    """The same from the next maintenance on."""
    cycle_produced: int = 0
    """What `produced` was at the last maintenance."""
    cycle_taken: Sun = Sun(0)
    """Of its own pay of the running cycle, already in its allowance."""


def owner_permission(address: bytes) -> Permission:
    """What java-tron assumes for id 0 where nothing is set (getDefaultPermission)."""
    return Permission(OWNER_PERMISSION, 0, "owner", 1, ((address, 1),))


def active_permission(address: bytes, operations: bytes) -> Permission:
    """The one that a new account gets beside it (createDefaultActivePermission)."""
    return Permission(ACTIVE_PERMISSION, 2, "active", 1, ((address, 1),), operations)


def witness_permission(key: bytes) -> Permission:
    """One that lets *key* sign the account's blocks (createDefaultWitnessPermission,
    there with the account's own key)."""
    return Permission(WITNESS_PERMISSION, 1, "witness", 1, ((key, 1),))


def block_key(account: Account) -> bytes:
    """Whose key signs its blocks (AccountCapsule.getWitnessPermissionAddress)."""
    permissions = account.permissions
    if permissions is None or permissions.witness is None:
        return account.address
    return permissions.witness.keys[0][0]


def permissions_of(account: Account, default_operations: bytes) -> Permissions | None:
    """Spell out what an account carries; None for a genesis account."""
    if account.permissions is not None or not account.born:
        return account.permissions
    return Permissions(
        owner_permission(account.address),
        None,
        (active_permission(account.address, default_operations),),
    )
