"""How far behind the wall clock a chain's time is: chosen once, kept with the chain.

Real time and chain time. A chain with a block time of 3 s or more keeps real time:
a block has the time of the slot in which it is made, slots in which the process did
not run are missed. A faster one still counts 3 s per block, so its time gains on ours;
it therefore begins in the past, and clients that date transactions by their own clock
stay inside the 24 h that a node accepts until the chain has overtaken the clock.

The distance is part of the chain. Were it chosen anew at each start, a restart could
move the chain's time, and every payment in flight would expire.
"""

from typing import Final

from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.tron.units import UnixMillis

HEAD_START_MS: Final = 22 * 3600 * 1000
"""How far behind the clock a chain begins that runs faster than it."""
QUIET_MS: Final = 3600 * 1000
"""Such a chain has no maintenance so soon: solidified blocks fall behind at one."""
SETTLED_MS: Final = 5 * 60 * 1000
"""So long after one its first blocks are as any others."""
MOST_BEHIND_S: Final = 86_400 - 60
"""A node accepts expirations less than 24 h after its head's time
(Manager.validateCommon), and clients that go by their own clock add a minute."""


def choose_behind_ms(genesis: Genesis, now_ms: UnixMillis, *, real_time: bool) -> int:
    """The distance of a new chain, where the operator chose none, in milliseconds.

    A fast one begins well before a maintenance; never a day behind, which clients see.
    """
    if real_time:
        return 0
    interval = genesis.parameters.maintenance_ms
    since = (now_ms - HEAD_START_MS - genesis.timestamp) % interval
    if SETTLED_MS <= since < interval - QUIET_MS:
        return HEAD_START_MS
    return HEAD_START_MS + QUIET_MS + SETTLED_MS


def assumed_behind_ms(*, real_time: bool) -> int:
    """The distance of a chain that was made before it was kept.

    The longest of those it may have been: too long makes no payment expire.
    """
    return 0 if real_time else HEAD_START_MS + QUIET_MS + SETTLED_MS
