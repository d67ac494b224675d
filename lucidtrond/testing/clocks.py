"""Clocks that a test moves."""

from attrs import define


@define
class ManualClock:
    """Wall time as the test says it; satisfies `api.Clock`."""

    ms: int = 1_700_000_000_000

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch."""
        return self.ms

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.ms += round(seconds * 1000)
