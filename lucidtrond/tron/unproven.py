"""Blocks whose transaction root did not fit what an endpoint shows of them.

Their header, id and signature are good; which transactions they hold, and with which
results, is one endpoint's word (`tron.block`).
"""

from bisect import bisect_right

from msgspec import Struct

from lucidtrond.tron.units import UnixMillis


class UnprovenSummary(Struct, frozen=True):
    """How many there are, and the *newest* few, ascending."""

    count: int = 0
    newest: tuple[int, ...] = ()


class UnprovenBlocks(Struct, frozen=True):
    """Numbers, ascending, and for each the time of the parent block.

    A parent's time of 0 stands for "any": older ones were forgotten, so this one stands
    for all blocks below it.
    """

    numbers: tuple[int, ...] = ()
    parent_times: tuple[UnixMillis, ...] = ()

    def holds(self, number: int) -> bool:
        """Whether block *number* is one of them, or may be one that was forgotten."""
        if self.numbers and not self.parent_times[0] and number <= self.numbers[0]:
            return True
        at = bisect_right(self.numbers, number)
        return at > 0 and self.numbers[at - 1] == number

    def may_hold(self, *, after: int, expiration: UnixMillis) -> int | None:
        """The first of them that may hold a transaction, None if there is none.

        *after* is its reference block. A block may hold it only if the parent's time is
        before the expiration (Manager.validateCommon); both ascend together.
        """
        at = bisect_right(self.numbers, after)
        if at < len(self.numbers) and self.parent_times[at] < expiration:
            return self.numbers[at]
        return None
