"""What stands before one endpoint: its budget and its breaker, put to use.

Every request enters here, also each of the several that one question makes. A request
that is refused here was not sent, and that says nothing of the endpoint's health.
"""

import time
from collections.abc import Callable
from typing import Final

import trio
from attrs import define, field

from lucidtrond.errors import NodeError
from lucidtrond.node.health.contact import Contact
from lucidtrond.node.health.errors import BudgetSpent, NotAsked
from lucidtrond.node.health.rate_limit import Breaker, Budget, Day, RateLimiter

DAY_MS: Final = 86_400_000
BUSY_S: Final = 0.25
"""With a longer wait for an endpoint, another one is asked first."""
LONGEST_QUEUE_S: Final = 30.0
"""A request that would have to wait longer is refused instead."""
_NEWEST: Final = 0.2
"""Weight of the newest answer in the average latency."""


def system_ms() -> int:
    """The machine's wall clock."""
    return time.time_ns() // 1_000_000


@define(eq=False)
class Admission:
    """Admits requests to endpoint *name*; *now_ms* is the wall clock, for days.

    What a day used is counted by this process alone, from 0 at its start, and begins
    anew at midnight UTC.
    """

    name: str
    budget: Budget
    _now_ms: Callable[[], int]
    breaker: Breaker = field(init=False, factory=Breaker)
    contact: Contact = field(init=False, factory=Contact)
    pace: RateLimiter = field(init=False)
    day: Day = field(init=False)
    latency_s: float | None = field(init=False, default=None)
    """A moving average of answers' times, without our own waiting."""

    def __attrs_post_init__(self) -> None:
        self.pace = RateLimiter(self.budget.per_second)
        self.day = Day(self.budget.per_day)

    @property
    def left_today(self) -> int | None:
        """Requests that today still has; None: no quota."""
        return self.day.left(self.today)

    def refusal(self) -> NodeError | None:
        """Why a question would not be let in now."""
        now = trio.current_time()
        if not self.breaker.may_ask(now):
            failures = self.breaker.failures
            silent_s = self.contact.silent_s(now)
            since = f"no response for {silent_s:.0f} s, " if silent_s >= 1 else ""
            text = f"not asked: {since}{failures} failures in a row"
            return NotAsked(self.name, 1, text)
        if not self.day.may_take(self.today):
            return BudgetSpent(f"{self.name}: the day's budget is used up")
        if self.pace.wait_s(now) > LONGEST_QUEUE_S:
            return NotAsked(self.name, 1, "not asked: its rate is used up")
        return None

    def is_busy(self, waiting: int) -> bool:
        """Whether so many *waiting* and the pace make another endpoint the better."""
        wait_s = self.pace.wait_s(trio.current_time())
        if self.pace.rate is not None:
            wait_s += waiting / self.pace.rate
        return wait_s > BUSY_S

    def enter(self, *, urgent: bool, probing: bool = False) -> tuple[float, bool]:
        """Count one request: how long it has to wait first, and whether it is a probe.

        A probe must be ended by `leave`. An *urgent* request passes an open breaker,
        waits for no rate, and may use what the day keeps for payments. A *probing* one
        passes an open breaker and waits for no rate either.

        Raises:
            NotAsked, BudgetSpent: it is not let in, and not counted.
        """
        refusal = None if urgent or probing else self.refusal()
        if refusal is not None:
            raise refusal
        if not self.day.take(self.today, urgent=urgent):
            raise BudgetSpent(f"{self.name}: the day's budget is used up")
        wait_s = self.pace.take(trio.current_time(), urgent=urgent or probing)
        return wait_s, not urgent and not probing and self.breaker.begin()

    def leave(self, *, probe: bool) -> None:
        """The request is over."""
        if probe:
            self.breaker.end()

    def note_latency(self, seconds: float) -> None:
        """So long an answer took."""
        before = seconds if self.latency_s is None else self.latency_s
        self.latency_s = before + _NEWEST * (seconds - before)

    @property
    def today(self) -> int:
        """The number of the UTC day."""
        return self._now_ms() // DAY_MS
