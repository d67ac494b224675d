"""Bandwidth and energy: how usage recovers, what stake gives, what a payment costs.

Theory. Usage recorded at a slot decays linearly to nothing over a window of a day;
using more merges the rest with the new and starts a weighted window. Integers divide
as java's do, and the one double factor is a double here too: these figures decide who
pays, so they must come out equal to the node's. Slots are of three seconds, counted
from the genesis block's time; "now" is the head block's slot, never the wall clock.
"""

import math
from typing import Final

from attrs import frozen

from lucidtrond.tron.parameters import ChainParameters
from lucidtrond.tron.units import SUN_PER_TRX, Sun

DAY_SLOTS: Final = 28_800
"""24 h in slots (ChainConstant.WINDOW_SIZE_MS / BLOCK_PRODUCED_INTERVAL)."""
WINDOW_PRECISION: Final = 1000
"""Accounts keep their windows in thousandths of a slot."""
DAY_WINDOW: Final = DAY_SLOTS * WINDOW_PRECISION
_PRECISION: Final = 1_000_000
"""ChainConstant.PRECISION."""


@frozen
class Usage:
    """How much of a resource was used, when, and over which window it recovers.

    *window* is in thousandths of a slot, as getaccount's ``net_window_size`` is for
    accounts with ``net_window_optimized``.
    """

    amount: int = 0
    slot: int = 0
    window: int = DAY_WINDOW


def increase(
    last_usage: int, usage: int, *, last_slot: int, now: int, window: int = DAY_SLOTS
) -> int:
    """Give the usage at slot *now* after using *usage* more (ResourceProcessor).

    *window* in whole slots. For free bandwidth, and for anything that is only read.
    """
    average = _decayed_average(last_usage, last_slot, now, window)
    return (average + _divide_up(usage * _PRECISION, window)) * window // _PRECISION


def recovered(last: Usage, now: int) -> int:
    """What is left at slot *now* of earlier usage."""
    window = _whole_slots(last.window)
    return increase(last.amount, 0, last_slot=last.slot, now=now, window=window)


def use(last: Usage, amount: int, now: int) -> Usage:
    """Use *amount* more at slot *now*; the windows are merged (increaseV2)."""
    window = _whole_slots(last.window)
    average = _decayed_average(last.amount, last.slot, now, window)
    fresh = _divide_up(amount * _PRECISION, DAY_SLOTS)
    total = (average * window + fresh * DAY_SLOTS) // _PRECISION
    left = average * window // _PRECISION
    if left == 0:
        return Usage(total, now, DAY_WINDOW)
    left_window = last.window - (now - last.slot) * WINDOW_PRECISION
    merged = _divide_up(left * left_window + amount * DAY_WINDOW, total)
    return Usage(total, now, min(merged, DAY_WINDOW))


def limit_from_stake(staked: Sun, *, total_limit: int, total_weight: int) -> int:
    """Bandwidth or energy a day that *staked* sun give, delegations to it included.

    *total_weight* is in whole TRX, as getaccountresource prints it.
    """
    if total_weight == 0:
        return 0
    return int(staked / SUN_PER_TRX * (total_limit / total_weight))


def stake_for_limit(wanted: int, *, total_limit: int, total_weight: int) -> Sun:
    """The least whole-TRX stake (in sun) that gives at least *wanted* a day.

    As of these totals, which the stake itself changes a little.
    """
    trx = _divide_up(wanted * total_weight, total_limit)
    while limit_from_stake(
        Sun(trx * SUN_PER_TRX), total_limit=total_limit, total_weight=total_weight
    ) < min(wanted, total_limit):
        trx += 1  # the doubles above may round down
    return Sun(trx * SUN_PER_TRX)


@frozen
class Cost:
    """What a transaction would take: sun burned by reason, and resources used."""

    bandwidth_used: int = 0
    bandwidth_burned: Sun = Sun(0)
    activation: Sun = Sun(0)
    energy_used: int = 0
    energy_burned: Sun = Sun(0)
    memo: Sun = Sun(0)
    multi_sign: Sun = Sun(0)

    @property
    def burned(self) -> Sun:
        """Everything that leaves the balance beside the amount."""
        return Sun(
            self.bandwidth_burned
            + self.activation
            + self.energy_burned
            + self.memo
            + self.multi_sign
        )


def estimate_cost(
    size: int,
    parameters: ChainParameters,
    *,
    net_left: int,
    free_left: int,
    creates_account: bool = False,
    energy: int = 0,
    energy_left: int = 0,
    has_memo: bool = False,
    signatures: int = 1,
) -> Cost:
    """Work out a transaction's cost before it is sent.

    *size* is `transaction.bandwidth_bytes`. Bandwidth comes whole from one source:
    stake, else the free allowance, else it is burned; activating an account never uses
    the free allowance. *energy* is the caller's part.
    """
    if net_left >= size:
        bandwidth_used, bandwidth_burned = size, 0
    elif creates_account:
        bandwidth_used, bandwidth_burned = 0, parameters.create_account_fee
    elif free_left >= size:
        bandwidth_used, bandwidth_burned = size, 0
    else:
        bandwidth_used, bandwidth_burned = 0, size * parameters.transaction_fee
    energy_used = min(energy, max(energy_left, 0))
    return Cost(
        bandwidth_used,
        Sun(bandwidth_burned),
        activation=Sun(parameters.activation_fee if creates_account else 0),
        energy_used=energy_used,
        energy_burned=Sun((energy - energy_used) * parameters.energy_fee),
        memo=Sun(parameters.memo_fee if has_memo else 0),
        multi_sign=Sun(parameters.multi_sign_fee if signatures > 1 else 0),
    )


def energy_limit_of_call(
    fee_limit: Sun,
    parameters: ChainParameters,
    *,
    energy_left: int,
    balance: Sun,
    call_value: Sun,
) -> int:
    """Energy that the caller's side of a call may use at most.

    The fee limit caps staked energy too: at too low a limit a call fails although
    enough is staked.
    """
    payable = max(balance - call_value, 0) // parameters.energy_fee
    return min(fee_limit // parameters.energy_fee, max(energy_left, 0) + payable)


def fee_limit_for(energy: int, parameters: ChainParameters, *, margin: float) -> Sun:
    """A fee limit that lets a call use *energy* and *margin* (say 0.2) more.

    Never above what the chain accepts.
    """
    wanted = math.ceil(energy * (1 + margin)) * parameters.energy_fee
    return Sun(min(wanted, parameters.max_fee_limit))


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
