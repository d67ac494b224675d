"""What ``GET /metrics`` shows; names of the older Lucid service where they fit."""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from lucidtrond.chain.ledger import Ledger
from lucidtrond.events.bus import Bus
from lucidtrond.ports import Clock
from lucidtrond.store.database import Database
from lucidtrond.transports.rpc_metrics import Metric


class House(Protocol):
    """The floors that count something."""

    @property
    def clock(self) -> Clock: ...
    @property
    def store(self) -> Database: ...
    @property
    def bus(self) -> Bus: ...
    @property
    def ledger(self) -> Ledger: ...


def collect(
    house: House, checks: Mapping[str, Callable[[], str | None]], *, started_ms: int
) -> Iterator[Metric]:
    """Read all counters, from memory."""
    position, events = house.ledger.position(), house.bus.statistics()
    store = house.store.statistics()
    head, solid = position.head, position.solid
    yield Metric(
        "tron_network_status",
        "gauge",
        "1 when level with the chain.",
        float(position.synced),
    )
    if head is not None:
        yield Metric(
            "tron_network_latest_block", "gauge", "Newest block read.", head.number
        )
    if solid is not None:
        yield Metric(
            "lucidtrond_solid_block", "gauge", "Newest final block.", solid.number
        )
    yield Metric(
        "tron_service_health",
        "gauge",
        "1 for each part that is well.",
        samples={
            (("component", name),): float(check() is None)
            for name, check in checks.items()
        },
    )
    yield Metric(
        "tron_service_uptime_seconds",
        "gauge",
        "Since the daemon began to start.",
        (house.clock.now_ms() - started_ms) / 1000,
    )
    yield Metric(
        "lucidtrond_events_seq", "gauge", "Newest event's number.", events.last_seq
    )
    yield Metric("lucidtrond_subscriptions", "gauge", "Held now.", events.subscriptions)
    yield Metric(
        "lucidtrond_events_pushed_total",
        "counter",
        "Events handed to live subscribers.",
        events.pushed,
    )
    yield Metric(
        "lucidtrond_subscriptions_lagged_total",
        "counter",
        "Subscriptions ended because their peer read too slowly.",
        events.lagged,
    )
    for name, text, value in (
        ("writes", "Write transactions committed.", store.writes),
        ("groups", "Commits, each of one write or several.", store.groups),
        ("reads", "Read transactions.", store.reads),
    ):
        yield Metric(f"lucidtrond_store_{name}_total", "counter", text, value)
    yield Metric("lucidtrond_store_queued", "gauge", "Waiting now.", store.queued)
