"""Probes: small questions to endpoints whose state is not known from others.

An endpoint that fails or is silent is asked last or not at all by questions of callers;
whether it is back is determined here, every `PROBE_EVERY_S`, so that neither a caller
nor the follower pays for it with a timeout. One without questions is probed every
`STANDBY_S`, so that a dead second endpoint shows before it is needed. An endpoint that
asked to be left alone, is on another network or has no budget left is not probed.

Probes have connections of their own (`Lane.PROBES`) and pass an open breaker. Several
may be under way, each for as long as any small question: an endpoint that is slow but
alive responds in time.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic

import trio

from lucidtrond.errors import NodeError
from lucidtrond.node.health.endpoint_health import EndpointHealth
from lucidtrond.node.health.observed import C

PROBE_EVERY_S: Final = 2.0
STANDBY_S: Final = 60.0
"""1,440 requests a day, of an endpoint that nothing else is asked."""


class Prober(Generic[C]):
    """Probes *members* by *probe*, which notes the outcome; at most *at_once* each."""

    def __init__(
        self,
        members: Sequence[EndpointHealth[C]],
        probe: Callable[[EndpointHealth[C]], Awaitable[object]],
        *,
        at_once: int,
    ) -> None:
        self._members = members
        self._send = probe
        self._at_once = at_once
        self._probed_at: dict[str, float] = {}
        self._under_way: dict[str, int] = {}

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Probe the endpoints that need it, until cancelled."""
        async with trio.open_nursery() as nursery:
            task_status.started()
            while True:
                now = trio.current_time()
                for member in self._members:
                    if self._take(member, now):
                        nursery.start_soon(self._probe, member)
                await trio.sleep(PROBE_EVERY_S)

    def _take(self, member: EndpointHealth[C], now: float) -> bool:
        """Whether *member* is to be probed now; then its probe is counted."""
        under_way = self._under_way.get(member.name, 0)
        if under_way >= self._at_once or not member.may_be_probed:
            return False
        if not member.is_doubtful:
            last = max(
                now - member.admission.contact.without_response_s(now),
                self._probed_at.get(member.name, float("-inf")),
            )
            if now - last < STANDBY_S:
                return False
        self._probed_at[member.name] = now
        self._under_way[member.name] = under_way + 1
        return True

    async def _probe(self, member: EndpointHealth[C]) -> None:
        try:
            await self._send(member)
        except NodeError:
            pass  # noted where it is sent
        finally:
            self._under_way[member.name] -= 1
