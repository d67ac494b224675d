"""When a token is *exact*: its calls prove what they move. Pure.

Theory. A block's id covers a call's data and its SUCCESS, not its logs. Of a token
whose ``transfer`` that succeeds always moves exactly its amount, the call is proof
enough, and one node that is not trusted can show it. mainnet's USDT is such a token
while its fee and its ``deprecated`` are 0 (`KnownToken.zero_while_exact`), which its
owner may change in any block. So that is read on the solid state, and an `ExactRange`
says in which blocks it held::

    above            checked                       our head
      │  confirmed:     │  as long as it is open: taken │
      │  it was 0 after │  to be 0, for `interval_ms`   │
      │  `checked`      │  and no large credit          │

- A check is due at the start, at each maintenance (chain time divided by the interval),
  and where an amount of `ExactPolicy.large` or more stands above *checked*.
- A check that is good moves *checked*. One that is not, or none for `PATIENCE_MS` after
  it was due, ends the range at *checked*: what was taken to be exact above it is not.
- The next good check begins another range, above the block that it may be as of.

Left out on purpose: a fee that is set and taken back between two checks.
"""

from typing import Final

from msgspec import Struct

from lucidtrond.tron.tokens import KnownToken

MAINTENANCE_MS: Final = 6 * 3600 * 1000
"""Of public networks (getMaintenanceTimeInterval)."""
PATIENCE_MS: Final = 10 * 60 * 1000
"""Chain time in which a check that is due may be repeated before it counts as none."""
LARGE_CREDIT: Final = 10_000
"""Whole tokens."""


class ExactPolicy(Struct, frozen=True):
    """*large_credit*: whole tokens from which on a credit is not proven by its call
    before a check at or above its block; 0 is every credit."""

    large_credit: int = LARGE_CREDIT
    interval_ms: int = MAINTENANCE_MS

    def large(self, token: KnownToken) -> int:
        """The same in the token's smallest units."""
        return int(self.large_credit * 10**token.decimals)


DEFAULT_POLICY: Final = ExactPolicy()


class ExactRange(Struct, frozen=True):
    """Blocks above *above* in which one token was exact; *checked_ms* is the time of
    block *checked*. *ended_at*: the block at or above which it was seen to be over."""

    above: int
    checked: int
    checked_ms: int
    ended_at: int | None = None

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    def covers(
        self, number: int, time_ms: int, *, large: bool, interval_ms: int
    ) -> bool:
        """Whether a call in block *number* of *time_ms* is proof of what it moved."""
        if number <= self.above:
            return False
        if number <= self.checked:
            return True
        recent = time_ms - self.checked_ms <= interval_ms + PATIENCE_MS
        return self.is_open and not large and recent


class Check(Struct, frozen=True):
    """A reading of some block from *before* to *after*, solid heads; *is_zero*: all
    that has to be 0 was."""

    before: int
    before_ms: int
    after: int
    after_ms: int
    is_zero: bool


def due_since_ms(
    current: ExactRange | None,
    *,
    solid_ms: int,
    large_ms: int | None,
    interval_ms: int,
) -> int | None:
    """Since which chain time a check is due; None: it is not.

    *large_ms* is the time of the oldest final block above *checked* with a large
    credit.
    """
    if current is None or not current.is_open:
        return solid_ms
    maintenance = (current.checked_ms // interval_ms + 1) * interval_ms
    times = [time for time in (large_ms, maintenance) if time is not None]
    first = min(times)
    return first if first <= solid_ms else None


def has_lapsed(current: ExactRange | None, *, due_ms: int, solid_ms: int) -> bool:
    """Whether no answer by now ends *current*."""
    return current is not None and current.is_open and solid_ms - due_ms > PATIENCE_MS


def ended(current: ExactRange, *, at: int) -> ExactRange:
    """*current*, with nothing more than what was checked; it was over *at* a block."""
    last = at if current.ended_at is None else max(at, current.ended_at)
    return ExactRange(current.above, current.checked, current.checked_ms, last)


def after_check(
    current: ExactRange | None, check: Check, *, interval_ms: int
) -> tuple[ExactRange | None, ExactRange | None]:
    """(*current* as it is then, the range that begins); None: there is none.

    A reading that is older than the last one says nothing: an endpoint may lag. A good
    one that comes after a maintenance was missed goes on with nothing: what was between
    is not known. The first one, if it is not good, begins a range that is over.
    """
    begins = ExactRange(check.after, check.after, check.after_ms)
    if current is None:
        return None, begins if check.is_zero else ended(begins, at=check.after)
    if current.ended_at is not None:
        if not check.is_zero:
            return ended(current, at=check.after), None
        return current, begins if check.before > current.ended_at else None
    if check.before < current.checked:
        return current, None
    return _after_newer(current, check, begins, interval_ms)


def _after_newer(
    current: ExactRange, check: Check, begins: ExactRange, interval_ms: int
) -> tuple[ExactRange, ExactRange | None]:
    if not check.is_zero:
        return ended(current, at=check.after), None
    if check.before_ms - current.checked_ms > interval_ms + PATIENCE_MS:
        return ended(current, at=check.before), begins
    return ExactRange(current.above, check.before, check.before_ms), None
