"""How one endpoint of the pool stands, and the changes of it that are reported."""

import logging
from collections.abc import Sequence
from typing import Any, Final, Generic

import trio
from attrs import define, field
from msgspec import Struct

from lucidtrond.errors import (
    CallNotRun,
    NodeError,
    NodeLied,
    NodeTimeout,
    NodeUnavailable,
    QuotaSpent,
)
from lucidtrond.node.health import policy as policies
from lucidtrond.node.health.admission import Admission
from lucidtrond.node.health.errors import (
    BudgetSpent,
    NotAsked,
    SimulationUnsupported,
    SlowDown,
    Suspended,
)
from lucidtrond.node.health.observed import C
from lucidtrond.tron.block import BlockId

log = logging.getLogger(__name__)

LIE_REST_S: Final = 600.0
"""An endpoint that lied is asked for so long only when no other can be."""
AWHILE_S: Final = 5.0
"""No question waits for an endpoint that asked for a longer pause."""
SILENT_S: Final = 2.0
"""An endpoint without any response for so long is asked after the others."""
LAG: Final = 5
"""With more final blocks behind than this, others are preferred."""
UNSUPPORTED_REST_S: Final = 600.0
"""An endpoint that simulates no calls is tried first again after so long."""
REPORT_EVERY_S: Final = 60.0
"""An endpoint that comes and goes makes no flood of events."""
CHANGES: Final = 64
"""Held until they are read; of more, only the log has a record."""


class Change(Struct, frozen=True):
    """An endpoint's state changed; *state* as `EndpointHealth.status` has it."""

    endpoint: str
    state: str
    reason: str


class Changes:
    """A queue of changes that become events; never waits, may lose some."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[Change](CHANGES)
        self._queued_at: dict[tuple[str, str], float] = {}
        self.lost = 0
        self.recovered = trio.Event()
        """Set, and replaced, when an endpoint that failed answers again."""

    def report(self, endpoint: str, state: str, reason: str) -> None:
        """Put a change into the queue, once a minute for each endpoint and state."""
        now = trio.current_time()
        last = self._queued_at.get((endpoint, state))
        if last is not None and now - last < REPORT_EVERY_S:
            return
        self._queued_at[endpoint, state] = now
        try:
            self._send.send_nowait(Change(endpoint, state, reason))
        except trio.WouldBlock:
            self.lost += 1

    async def next(self) -> Change:
        """Wait for the next one."""
        return await self._receive.receive()


@define(eq=False)
class EndpointHealth(Generic[C]):
    """One endpoint's standing. Keeps no exception: their tracebacks hold answers."""

    client: C
    changes: Changes
    is_ours: bool = field(init=False, default=False)
    """Its genesis was seen to be the configured network's."""
    other_genesis: BlockId | None = field(init=False, default=None)
    """It is on another network."""
    paused_until: float = field(init=False, default=0.0)
    """Not asked: it said so."""
    distrusted_until: float = field(init=False, default=float("-inf"))
    """It lied."""
    lie: str | None = field(init=False, default=None)
    """The newest one; an answer that is right does not take it back."""
    lies: int = field(init=False, default=0)
    errors: int = field(init=False, default=0)
    behind: int | None = field(init=False, default=None)
    """Final blocks behind the best of all, when they were last compared."""
    quota_spent: bool = field(init=False, default=False)
    trouble: str | None = field(init=False, default=None)
    trouble_since: float | None = field(init=False, default=None)
    no_calls_until: float = field(init=False, default=float("-inf"))
    """It simulates no calls, as far as is known until then."""

    @property
    def name(self) -> str:
        return self.client.name

    @property
    def operator(self) -> str:
        return self.client.operator

    @property
    def admission(self) -> Admission:
        return self.client.admission

    @property
    def is_silent(self) -> bool:
        """It was asked and has not responded for so long that others are preferred."""
        return self.admission.contact.waiting_s(trio.current_time()) >= SILENT_S

    @property
    def is_doubtful(self) -> bool:
        """Whether it is back, or there at all, is not known from what it was asked."""
        return (
            self.admission.contact.silent_s(trio.current_time()) >= SILENT_S
            or self.admission.breaker.failures > 0
            or (
                self.trouble is not None
                and self.distrusted_until <= trio.current_time()
            )
            or not self.is_ours
        )

    @property
    def may_be_probed(self) -> bool:
        """It is on our network as far as is known, did not ask to be left alone, and
        its day has requests left."""
        return (
            self.other_genesis is None
            and self.paused_until <= trio.current_time()
            and self.admission.day.may_take(self.admission.today)
        )

    @property
    def rank(self) -> tuple[bool, bool, bool]:
        """What keeps it from being asked first; smaller is better."""
        now = trio.current_time()
        return (
            self.distrusted_until > now,
            self.is_silent
            or self.admission.breaker.rests_until > now
            or (self.behind or 0) > LAG,
            self.admission.is_busy(self.client.waiting),
        )

    @property
    def simulates(self) -> bool:
        """As far as is known; see `SimulationUnsupported`."""
        return self.no_calls_until <= trio.current_time()

    @property
    def is_given_up(self) -> bool:
        """It is on another network, or nothing can be had of it for a while."""
        gone = self.paused_until > trio.current_time() + AWHILE_S
        gone = gone or self.is_silent or self.admission.breaker.is_open
        return gone or self.other_genesis is not None

    def note_answer(self) -> None:
        """It answered, and nothing was wrong with it."""
        if self.trouble is not None:
            log.info("endpoint answers again", extra={"endpoint": self.name})
            self.changes.report(self.name, "ok", "it answers again")
            self.changes.recovered.set()
            self.changes.recovered = trio.Event()
        self.trouble, self.trouble_since = None, None
        self.admission.breaker.note_answer()
        self.admission.pace.note_answer(trio.current_time())

    def note_failure(self, error: NodeError) -> None:
        """It gave no answer, or not the one that was wanted."""
        if isinstance(error, NotAsked | BudgetSpent):
            return
        if isinstance(error, CallNotRun):
            self.note_answer()
            return
        if isinstance(error, SimulationUnsupported):
            self._note_unsupported(error)
            return
        self.errors += 1
        now = trio.current_time()
        if isinstance(error, NodeLied):
            self._note_lie(error, now)
        elif self.trouble is None:
            extra = {"endpoint": self.name, "reason": str(error)}
            log.warning("endpoint fails", extra=extra)
            self.changes.report(self.name, "failing", str(error))
        if self.trouble_since is None:
            self.trouble_since = now
        self.trouble = str(error)
        if isinstance(error, SlowDown):
            punished = isinstance(error, Suspended)
            self.admission.pace.note_refusal(now, punished=punished)
        paused_until = now + (policies.retry_after_s(error) or 0.0)
        if paused_until > max(now, self.paused_until):  # others may still be under way
            self.paused_until = paused_until
            self.quota_spent = isinstance(error, QuotaSpent)
        if policies.counts_as_failure(error):
            self.admission.breaker.note_failure(now)

    def note_given_up(self, *, waited_s: float) -> None:
        """A question was cancelled: a failure if the endpoint was silent meanwhile."""
        silent_s = self.admission.contact.silent_s(trio.current_time())
        if min(waited_s, silent_s) >= SILENT_S:
            reason = f"no response for {silent_s:.0f} s"
            self.note_failure(NodeTimeout(self.name, 1, reason))

    def _note_unsupported(self, error: SimulationUnsupported) -> None:
        """It answers everything else: only calls are better put to others."""
        if self.simulates:
            extra = {"endpoint": self.name, "reason": error.reason}
            log.warning("endpoint does not simulate calls", extra=extra)
            self.changes.report(self.name, "does not simulate calls", error.reason)
        self.no_calls_until = trio.current_time() + UNSUPPORTED_REST_S
        self.note_answer()

    def _note_lie(self, error: NodeLied, now: float) -> None:
        self.lies, self.lie = self.lies + 1, str(error)
        self.distrusted_until = now + LIE_REST_S
        extra = {"endpoint": self.name, "reason": error.reason}
        log.error("endpoint lied and is set aside", extra=extra)
        self.changes.report(self.name, "lied", error.reason)

    def note_genesis(self, genesis_id: BlockId, ours: BlockId) -> None:
        """It showed its block 0."""
        if genesis_id == ours:
            self.is_ours = True
            return
        self.other_genesis = genesis_id
        reason = f"genesis {genesis_id}, wanted {ours}"
        extra = {"endpoint": self.name, "reason": reason}
        log.error("endpoint is on another network", extra=extra)
        self.changes.report(self.name, "wrong network", reason)

    def status(self) -> dict[str, Any]:
        """Its state in plain data, without keys; null is what is not known."""
        client, admission, now = self.client, self.admission, trio.current_time()
        latency_s, rate = admission.latency_s, admission.pace.rate
        return {
            "endpoint": self.name,
            "operator": self.operator,
            "state": self._state(now),
            "head_number": client.head_number,
            "solid_number": client.solid_number,
            "behind_blocks": self.behind,
            "requests": client.requests,
            "requests_today": admission.day.used_on(admission.today),
            "left_today": admission.left_today,
            "per_day": admission.budget.per_day,
            "per_second": admission.budget.per_second,
            "pace_per_second": None if rate is None else round(rate, 2),
            "waiting": client.waiting,
            "latency_ms": None if latency_s is None else round(latency_s * 1000),
            "errors": self.errors,
            "lies": self.lies,
            "failures_in_a_row": admission.breaker.failures,
            "trouble": self.lie if self.distrusted_until > now else self.trouble,
            "simulates_calls": self.simulates,
            "grpc": client.grpc_state,
            "grpc_failures": client.grpc_failures,
            "silent_s": round(admission.contact.silent_s(now), 1),
            "trouble_s": (
                None
                if self.trouble_since is None
                else round(now - self.trouble_since, 1)
            ),
            "left_alone_s": max(0.0, round(self.paused_until - now, 1)),
        }

    def _state(self, now: float) -> str:
        states = (
            ("wrong network", self.other_genesis is not None),
            ("lied", self.distrusted_until > now),
            ("left alone", self.paused_until > now),
            ("budget spent", not self.admission.day.may_take(self.admission.today)),
            ("not asked: failing", self.admission.breaker.is_open),
            ("failing", self.trouble is not None or self.is_silent),
            ("lagging", (self.behind or 0) > LAG),
            ("ok", self.is_ours),
        )
        return next((state for state, applies in states if applies), "not asked yet")


def pause_error(members: Sequence[EndpointHealth[Any]], now: float) -> NodeError:
    """Why none of *members* can be asked: all asked for a pause."""
    soonest = min(members, key=lambda member: member.paused_until)
    if soonest.quota_spent:
        return QuotaSpent(f"{soonest.name}: the daily quota is used up")
    return NodeUnavailable(
        soonest.name,
        1,
        "it asked to be left alone",
        retry_after_s=soonest.paused_until - now,
    )
