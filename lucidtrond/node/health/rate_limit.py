"""How often one endpoint is asked: rate, day, and what it says of itself. Pure.

Decisions only: time comes as an argument, in seconds of a clock that never goes back
(*now*), or as the number of the UTC day (*day*).

`RateLimiter` is a token bucket whose rate follows the endpoint (additive increase,
multiplicative decrease): "too many requests" halves it, every answer raises it a
little, up to what is configured. Without a configured rate there is none until the
first such refusal.

A provider that punishes ("suspended for 30 s") counts, so one refusal is enough. Others
may refuse a share of the requests whatever the rate is (other clients' load, one broken
machine of many), and halving at each refusal would end at next to nothing: refusals
count when they are many, and the rate is not cut below most of what was answered in a
second of the last minute, since a limit on the rate lets no more than itself through.

`Day` counts against a daily quota. `Breaker` stops requests to an endpoint that failed
several times in a row, but for one probe at a time.
"""

from typing import Final

from attrs import define, field, frozen
from attrs.validators import ge, gt, optional

from lucidtrond.node.health.policy import rest_s

SLOWEST_PER_S: Final = 0.5
"""A pace is never cut below this; a node that wants less says so (`Retry-After`)."""
INCREASE_PER_S: Final = 0.2
"""Requests per second that a pace gains in a second in which it is used up."""
CUT_EVERY_S: Final = 1.0
"""Refusals of requests that were under way together are one refusal."""
PROVEN: Final = 0.9
"""This part of what was answered in a second lately is no reason to be refused."""
LATELY_S: Final = 30.0
"""Half of what "lately" means."""
MANY: Final = 0.22
"""From this share of refusals on, requests are too many."""
MOST: Final = 0.5
"""With this share of refusals nothing is proven any more."""
GROWTH: Final = 0.05
"""Part of itself that a pace gains in a second, after a cut without punishment."""
_NEWEST: Final = 0.05
"""Weight of the newest answer in the share of refusals."""
FREE_PER_S: Final = 200.0
"""A pace without a configured rate that has come back to this is none any more."""
BURST_S: Final = 0.25
"""So much of a second's requests may go at once after a pause."""
DEBT_S: Final = 2.0
"""Payments may bring the others no further behind than this."""
OPEN_AFTER: Final = 5
"""Failures in a row."""
FOR_PAYMENTS: Final = 0.05
"""Part of the daily quota that questions leave alone."""


@frozen
class Budget:
    """What the provider of an endpoint grants; None: no bound that we know of."""

    per_second: float | None = field(default=None, validator=optional(gt(0)))
    per_day: int | None = field(default=None, validator=optional(ge(1)))


@define
class _Goodput:
    """The most that was answered within a second, of the last minute or half of it."""

    _second: int = field(init=False, default=-1)
    _answers: int = field(init=False, default=0)
    _turned_at: float = field(init=False, default=float("-inf"))
    _best: tuple[int, int] = field(init=False, default=(0, 0))
    """In the half minute before this one, and in this one."""

    def note_answer(self, now: float) -> None:
        self._turn(now)
        if int(now) != self._second:
            self._second, self._answers = int(now), 0
        self._answers += 1
        self._best = self._best[0], max(self._best[1], self._answers)

    def best(self, now: float) -> int:
        self._turn(now)
        return max(self._best)

    def forget(self) -> None:
        self._best, self._answers = (0, 0), 0

    def _turn(self, now: float) -> None:
        passed = now - self._turned_at
        if passed >= LATELY_S:
            self._best = (self._best[1] if passed < 2 * LATELY_S else 0), 0
            self._turned_at = now


@define
class RateLimiter:
    """A token bucket; *ceiling* is the configured rate per second, or None."""

    ceiling: float | None
    rate: float | None = field(init=False)
    """What is allowed now, per second; None: anything."""
    tokens: float = field(init=False, default=0.0)
    """Below 0: so many requests hold a place in time that is still to come."""
    _at: float = field(init=False, default=float("-inf"))
    _cut_at: float = field(init=False, default=float("-inf"))
    _goodput: _Goodput = field(init=False, factory=_Goodput)
    _share: float = field(init=False, default=0.0)
    """Of refusals among the newest answers."""
    _punished: bool = field(init=False, default=False)
    _second: int = field(init=False, default=0)
    _counts: tuple[int, int] = field(init=False, default=(0, 0))
    """Requests in the second before this one, and in this one."""

    def __attrs_post_init__(self) -> None:
        self.rate = self.ceiling
        self.tokens = self._burst()

    def wait_s(self, now: float) -> float:
        """How long a request made now would have to wait."""
        self._refill(now)
        return self._behind(1.0)

    def take(self, now: float, *, urgent: bool = False) -> float:
        """Take the next place; says in how many seconds it is (0: now).

        An *urgent* request goes at once, and later ones pay for it.
        """
        self._count(now)
        self._refill(now)
        if self.rate is None:
            return 0.0
        wait_s = 0.0 if urgent else self._behind(1.0)
        self.tokens -= 1.0
        if urgent:
            owed = -max(DEBT_S * self.rate, 1.0)
            self.tokens = max(self.tokens, min(self.tokens + 1.0, owed))
        return wait_s

    def note_refusal(self, now: float, *, punished: bool) -> None:
        """It said "too many requests"; *punished*: and suspended us."""
        self._share += _NEWEST * (1 - self._share)
        if punished or self._share >= MOST:
            self._goodput.forget()
        if now - self._cut_at < CUT_EVERY_S:
            return
        if not punished and self._share < MANY:
            return
        self._punished = punished
        self._cut_at = now
        self._refill(now)
        lately = float(max(self._counts))
        before = min(self.rate or lately, max(lately, SLOWEST_PER_S))
        proven = min(PROVEN * self._goodput.best(now), before)
        self.rate = max(before / 2, proven, SLOWEST_PER_S)
        if self.ceiling is not None:
            self.rate = min(self.rate, self.ceiling)
        self.tokens = min(self.tokens, 0.0)

    def note_answer(self, now: float) -> None:
        """It answered."""
        self._share -= _NEWEST * self._share
        self._goodput.note_answer(now)
        if self.rate is None or self.rate == self.ceiling:
            return
        self._refill(now)
        self.rate += max(
            INCREASE_PER_S / max(self.rate, 1.0), 0.0 if self._punished else GROWTH
        )
        if self.ceiling is not None:
            self.rate = min(self.rate, self.ceiling)
        elif self.rate >= FREE_PER_S:
            self.rate = None

    def _burst(self) -> float:
        return 0.0 if self.rate is None else max(1.0, BURST_S * self.rate)

    def _behind(self, wanted: float) -> float:
        if self.rate is None:
            return 0.0
        return max(0.0, (wanted - self.tokens) / self.rate)

    def _refill(self, now: float) -> None:
        passed = max(0.0, now - self._at)
        self._at = max(self._at, now)
        if self.rate is not None:
            self.tokens = min(self._burst(), self.tokens + passed * self.rate)

    def _count(self, now: float) -> None:
        second = int(now)
        before, here = self._counts
        if second == self._second:
            self._counts = (before, here + 1)
        else:
            self._counts = (here if second == self._second + 1 else 0, 1)
            self._second = second


@define
class Day:
    """Requests of one UTC day against a quota of *per_day*; None: none."""

    per_day: int | None
    used: int = field(init=False, default=0)
    _day: int = field(init=False, default=-1)

    def left(self, day: int) -> int | None:
        """Requests that *day* still has; None: no quota."""
        self._turn(day)
        return None if self.per_day is None else max(0, self.per_day - self.used)

    def used_on(self, day: int) -> int:
        """Requests of *day* so far."""
        self._turn(day)
        return self.used

    def may_take(self, day: int, *, urgent: bool = False) -> bool:
        """Whether the quota has a request left.

        Questions leave a part for *urgent* requests: a payment must not fail because of
        too many reads.
        """
        left = self.left(day)
        if left is None or self.per_day is None:
            return True
        return left > (0 if urgent else int(self.per_day * FOR_PAYMENTS))

    def take(self, day: int, *, urgent: bool = False) -> bool:
        """Count a request, if it `may_take` it."""
        if not self.may_take(day, urgent=urgent):
            return False
        self.used += 1
        return True

    def _turn(self, day: int) -> None:
        if day > self._day:  # a clock that is set back brings no quota
            self._day, self.used = day, 0


@define
class Breaker:
    """Whether to ask an endpoint that fails."""

    failures: int = field(init=False, default=0)
    """In a row."""
    rests_until: float = field(init=False, default=float("-inf"))
    """Until then others are preferred; once open, no request is sent at all."""
    probing: bool = field(init=False, default=False)

    @property
    def is_open(self) -> bool:
        return self.failures >= OPEN_AFTER

    def may_ask(self, now: float) -> bool:
        """Closed: always. Open: one at a time, when it has rested."""
        return not self.is_open or (now >= self.rests_until and not self.probing)

    def begin(self) -> bool:
        """A request begins that `may_ask`; True: it is the probe, so `end` it."""
        self.probing = self.is_open
        return self.probing

    def end(self) -> None:
        """The probe is over, answered or not."""
        self.probing = False

    def note_answer(self) -> None:
        """It answered."""
        self.failures, self.rests_until = 0, float("-inf")

    def note_failure(self, now: float) -> None:
        """It failed."""
        self.failures += 1
        self.rests_until = now + rest_s(self.failures)
