"""Who pays for the energy of a contract's calls: a part of SmartContract in our words.

The account that deployed a contract (its origin) may pay a part of each call from its
staked energy: ``consume_user_resource_percent`` and ``origin_energy_limit``, which it
may change at any time (UpdateSettingContract, UpdateEnergyLimitContract).
"""

from typing import Final

from attrs import frozen

from lucidtrond.tron.address import Address

WHOLE: Final = 100
"""Percent."""
DEFAULT_ORIGIN_ENERGY_LIMIT: Final = 10_000_000
"""Of contracts that state none (Constant.CREATOR_DEFAULT_ENERGY_LIMIT of java-tron)."""


@frozen
class ContractTerms:
    """*caller_percent* (0 to 100) of a call's energy is the caller's to pay.

    *origin* pays the rest from stake only, at most *origin_energy_limit* of it.
    """

    origin: Address
    caller_percent: int = WHOLE
    origin_energy_limit: int = DEFAULT_ORIGIN_ENERGY_LIMIT

    def shares_cost_with(self, caller: Address) -> bool:
        """Whether *origin* pays a part of this caller's calls, if it has energy."""
        return self.caller_percent < WHOLE and self.origin != caller


@frozen
class EnergyShares:
    """Who pays for a call's energy, and the least that its fee limit must allow.

    *needed* is the energy that the fee limit has to cover: the origin's part comes on
    top of it in proportion (VMActuator.getTotalEnergyLimitWithFixRatio).
    """

    caller: int
    origin: int
    needed: int


def share_energy(energy: int, percent: int, available: int) -> EnergyShares:
    """Split a call's *energy*; the origin has *available* of its own for it.

    *percent* is the caller's part. ReceiptCapsule.payEnergyBill; parts of the origin
    are rounded down.
    """
    origin = min(energy * (WHOLE - percent) // WHOLE, available)
    if percent == 0:
        needed = energy - origin
    else:
        # The least own limit x with x + min(x * (100 - p) // p, available) >= energy.
        needed = max(energy - available, -(-energy * percent // WHOLE))
    return EnergyShares(energy - origin, origin, needed)
