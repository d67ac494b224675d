"""How many requests a day the configuration will use, and whether budgets hold them.

Following the chain is nearly all of it and does not depend on how many watch. What
callers ask comes on top: the caches keep most of it away from the nodes, and what is
left is counted, see ``requests_today``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lucidtrond.api import Result

DAY_S: Final = 86_400
BLOCK_S: Final = 3
"""Of every TRON network."""
ROUNDS_PER_BLOCK: Final = 1.35
"""At most: the follower comes a little early now and then, and looks again."""
REQUESTS_PER_ROUND: Final = 2
"""The newest final block, and the blocks since the last round."""
RECEIPTS_PER_BLOCK: Final = 1
COMPARISONS: Final = DAY_S // 300
"""All endpoints are asked every five minutes how far they are."""
KEPT_FOR_FOLLOWING: Final = 0.5
"""Part of the second endpoint's budget that its receipts are not asked from."""
HEADS_PER_MINUTE: Final = 4
"""Two groups of balances a minute, each between two solid heads."""
FOR_PAYMENTS: Final = 0.05
"""Part of a day's budget that only payments may use."""


class EndpointPlan(Result, frozen=True):
    """One endpoint's day; *fits* is null when no budget is configured."""

    endpoint: str
    needed_per_day: int
    per_day: int | None
    left_today: int | None
    requests_today: int
    fits: bool | None


class Plan(Result, frozen=True):
    """Requests of a day without those of callers; the first endpoint follows."""

    blocks_per_day: int
    following_per_day: int
    comparing_per_day: int
    """For each endpoint where there are several."""
    cross_checking_per_day: int
    """At most: receipts of each block from the second endpoint, where there is one."""
    reconciling_per_day: int
    """At most: balances held against the ledger, and the heads around them."""
    endpoints: list[EndpointPlan]


def make_plan(
    endpoints: Sequence[Mapping[str, Any]], *, reconcile_per_minute: int
) -> Plan:
    """Plan a day for *endpoints*, as ``network.endpoints`` shows them, in order."""
    blocks = DAY_S // BLOCK_S
    per_block = ROUNDS_PER_BLOCK * REQUESTS_PER_ROUND + RECEIPTS_PER_BLOCK
    following = round(blocks * per_block)
    comparing = COMPARISONS if len(endpoints) > 1 else 0
    heads = HEADS_PER_MINUTE if reconcile_per_minute else 0
    reconciling = DAY_S // 60 * (reconcile_per_minute + heads)
    checking = 0
    if len(endpoints) > 1:
        per_day = endpoints[1]["per_day"]
        checking = blocks * RECEIPTS_PER_BLOCK
        if per_day is not None:
            checking = min(checking, round(per_day * (1 - KEPT_FOR_FOLLOWING)))
    needed = (following + reconciling, checking)
    return Plan(
        blocks_per_day=blocks,
        following_per_day=following,
        comparing_per_day=comparing,
        cross_checking_per_day=checking,
        reconciling_per_day=reconciling,
        endpoints=[
            _plan_one(endpoint, comparing + (needed[index] if index < 2 else 0))
            for index, endpoint in enumerate(endpoints)
        ],
    )


def _plan_one(endpoint: Mapping[str, Any], needed: int) -> EndpointPlan:
    per_day = endpoint["per_day"]
    return EndpointPlan(
        endpoint=endpoint["endpoint"],
        needed_per_day=needed,
        per_day=per_day,
        left_today=endpoint["left_today"],
        requests_today=endpoint["requests_today"],
        fits=None if per_day is None else needed <= per_day * (1 - FOR_PAYMENTS),
    )
