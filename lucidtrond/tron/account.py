"""What the chain knows of an address, in our words."""

from msgspec import Struct

from lucidtrond.tron.address import Address
from lucidtrond.tron.units import Sun, UnixMillis


class Account(Struct, frozen=True):
    """An account; one that was never activated has ``activated=False`` and nothing."""

    address: Address
    activated: bool
    balance: Sun = Sun(0)
    is_contract: bool = False
    created_ms: UnixMillis | None = None
    staked_bandwidth: Sun = Sun(0)
    staked_energy: Sun = Sun(0)
    witness_key: Address | None = None
    """The one key of its witness permission, if it has one."""

    @property
    def block_key(self) -> Address:
        """What it signs blocks with (AccountCapsule.getWitnessPermissionAddress)."""
        return self.address if self.witness_key is None else self.witness_key


class Resources(Struct, frozen=True):
    """Bandwidth in bytes and energy units, as of one block; *_used decays with time."""

    free_net_used: int = 0
    free_net_limit: int = 0
    net_used: int = 0
    net_limit: int = 0
    energy_used: int = 0
    energy_limit: int = 0
