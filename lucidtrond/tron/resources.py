"""Bandwidth and energy: how usage recovers, what stake gives, what is burned. Pure.

Usage recorded at a slot decays linearly to nothing over a window of a day; using more
merges the rest with the new and starts a weighted window. Integers divide as java's do,
and the double factors are doubles here too: these figures decide who pays, so they must
come out equal to the node's. Slots are of three seconds, counted from the genesis
block's time; "now" is the head block's slot, never the wall clock.

ResourceProcessor, BandwidthProcessor and EnergyProcessor of java-tron; who pays for the
energy of a contract's calls is in `contract_terms`.
"""

import math
from typing import Final

from msgspec import Struct

from lucidtrond.tron.units import SUN_PER_TRX, Sun

DAY_SLOTS: Final = 28_800
"""24 h in slots (ChainConstant.WINDOW_SIZE_MS / BLOCK_PRODUCED_INTERVAL)."""
WINDOW_PRECISION: Final = 1000
"""Accounts keep their windows in thousandths of a slot."""
DAY_WINDOW: Final = DAY_SLOTS * WINDOW_PRECISION
_PRECISION: Final = 1_000_000
"""ChainConstant.PRECISION."""


class Usage(Struct, frozen=True):
    """How much of a stake's resource was used, when, and over which window it recovers.

    *window* is in thousandths of a slot, as getaccount's ``net_window_size`` is for
    accounts with ``net_window_optimized``; 0 stands for the whole day.
    """

    amount: int = 0
    slot: int = 0
    window: int = DAY_WINDOW

    def left(self, now: int) -> int:
        """What is left of it at slot *now*."""
        window = _whole_slots(self.window)
        return recovered(self.amount, self.slot, now, window=window)

    def increased(self, more: int, now: int) -> "Usage":
        """Recover until slot *now*, then add; the windows are merged (increaseV2)."""
        window = _whole_slots(self.window)
        average = _decayed_average(self.amount, self.slot, now, window)
        fresh = _divide_up(more * _PRECISION, DAY_SLOTS)
        total = (average * window + fresh * DAY_SLOTS) // _PRECISION
        left = average * window // _PRECISION
        if left == 0:
            return Usage(total, now, DAY_WINDOW)
        passed = (now - self.slot) * WINDOW_PRECISION
        left_window = (self.window or DAY_WINDOW) - passed
        merged = _divide_up(left * left_window + more * DAY_WINDOW, total)
        return Usage(total, now, min(merged, DAY_WINDOW))

    def joined(self, other: "Usage", now: int) -> "Usage":
        """Recover until slot *now*, then take over *other*, which has recovered.

        ResourceProcessor.unDelegateIncreaseV2.
        """
        own = self.increased(0, now)
        total = own.amount + other.amount
        if total == 0:
            return Usage(0, now, DAY_WINDOW)
        weighted = own.amount * own.window + other.amount * other.window
        return Usage(total, now, min(_divide_up(weighted, total), DAY_WINDOW))


def increase(
    usage: int, more: int, since: int, now: int, *, window: int = DAY_SLOTS
) -> int:
    """Give the usage at slot *now*, recorded at slot *since*, after using *more*.

    *window* is in whole slots. For free bandwidth, which keeps no window of its own.
    """
    average = _decayed_average(usage, since, now, window)
    return (average + _divide_up(more * _PRECISION, window)) * window // _PRECISION


def recovered(usage: int, since: int, now: int, *, window: int = DAY_SLOTS) -> int:
    """What is left at slot *now* of usage recorded at slot *since*."""
    return increase(usage, 0, since, now, window=window)


def limit_from_stake(staked: Sun, *, total_limit: int, total_weight: int) -> int:
    """Bandwidth or energy a day that *staked* sun give, delegations to it included.

    *total_weight* is in whole TRX, as getaccountresource prints it.
    """
    if total_weight == 0:
        return 0
    return int(float(staked) / SUN_PER_TRX * (total_limit / total_weight))


def stake_in_use(used: int, *, total_limit: int, total_weight: int) -> Sun:
    """The stake (in sun) whose day's share *used* is, so that it can't be lent.

    DelegateResourceActuator.
    """
    return Sun(int(used * SUN_PER_TRX * (total_weight / total_limit)))


def bandwidth_fee(
    size: int, *, creates_account: bool, transaction_fee: Sun, create_account_fee: Sun
) -> Sun:
    """What *size* bytes cost whose bandwidth is burned.

    Bandwidth comes whole from one source: stake, else the free allowance, else it is
    burned, at a flat price where an account is created.
    """
    return create_account_fee if creates_account else Sun(size * transaction_fee)


def has_bandwidth(
    size: int, *, staked_left: int, free_left: int, creates_account: bool
) -> bool:
    """Whether *size* bytes burn nothing; creating an account never uses free ones."""
    return staked_left >= size or (not creates_account and free_left >= size)


def energy_from_stake(energy: int, staked_left: int) -> int:
    """The part of *energy* that stake pays; stake goes before burned sun."""
    return min(energy, max(staked_left, 0))


def energy_burned(energy: int, *, staked_left: int, energy_fee: Sun) -> Sun:
    """What is burned for *energy* of which stake pays as much as it can."""
    return Sun((energy - energy_from_stake(energy, staked_left)) * energy_fee)


def energy_limit_of_call(
    fee_limit: Sun, *, staked_left: int, balance: Sun, call_value: Sun, energy_fee: Sun
) -> int:
    """Energy that the caller's side of a call may use at most.

    The fee limit caps staked energy too: at too low a limit a call fails although
    enough is staked. VMActuator.getAccountEnergyLimitWithFixRatio.
    """
    payable = max(balance - call_value, 0) // energy_fee
    return min(fee_limit // energy_fee, max(staked_left, 0) + payable)


def _decayed_average(usage: int, since: int, now: int, window: int) -> int:
    average = _divide_up(usage * _PRECISION, window)
    if since == now:
        return average
    if since + window <= now:
        return 0
    return _round(average * ((window - (now - since)) / window))


def _whole_slots(window: int) -> int:
    """AccountCapsule.getWindowSize: too small a window is a new one."""
    return DAY_SLOTS if window < WINDOW_PRECISION else window // WINDOW_PRECISION


def _divide_up(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


def _round(value: float) -> int:
    """java's Math.round: half goes up."""
    floor = math.floor(value)
    return floor + (value - floor >= 0.5)
