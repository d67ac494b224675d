"""When to ask for the next block: about once per block time, soon after it came. Pure.

Chain time says nothing about real time (a devnet may make blocks as fast as it likes),
so the pace is learnt from when blocks were seen. Times are seconds of any monotonic
clock and come in as arguments.
"""

from typing import Final

from attrs import define, field

_FASTEST: Final = 30
"""The shortest interval is ``slowest_s / 30``: 0.1 s for blocks of 3 s."""
_LEARNING: Final = 0.3
"""Weight of the newest observation."""
_LOOK_AGAIN: Final = 0.25
"""Part of an interval after which a late block is asked for again."""


@define
class PollInterval:
    """The follower's sense of time; *slowest_s* is the network's block time."""

    slowest_s: float
    _interval_s: float = field(init=False)
    _last_seen_s: float | None = field(init=False, default=None)
    _misses: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self._interval_s = self.slowest_s

    def seen(self, blocks: int, now_s: float) -> float:
        """*blocks* new ones were received at *now_s*; say how long to sleep."""
        if self._last_seen_s is not None:
            observed = (now_s - self._last_seen_s) / blocks
            if self._misses == 0 and blocks == 1:
                # It may have come long before we asked: try a little earlier.
                observed *= 1 - _LOOK_AGAIN / 4
            self._learn(observed)
        self._last_seen_s, self._misses = now_s, 0
        return self._interval_s

    def caught_up(self, now_s: float) -> float:
        """After blocks that had been waiting for us, which teach nothing."""
        self._last_seen_s, self._misses = now_s, 0
        return self._interval_s

    def nothing(self) -> float:
        """No new block; say how long to sleep before asking again."""
        self._misses += 1
        late = self._interval_s * _LOOK_AGAIN * float(1 << min(self._misses - 1, 10))
        return min(late, self.slowest_s)

    def failed(self) -> float:
        """No answer at all: at the network's own pace, whatever was learnt."""
        self._misses += 1
        return self.slowest_s

    def _learn(self, observed: float) -> None:
        mixed = self._interval_s + _LEARNING * (observed - self._interval_s)
        fastest = self.slowest_s / _FASTEST
        self._interval_s = min(max(mixed, fastest), self.slowest_s)
