"""What ``GET /metrics`` shows; names of the older Lucid service where they fit."""

from collections.abc import Iterator, Sequence
from typing import Final, Literal, Protocol, get_args

from lucidtrond.chain.ledger import Ledger
from lucidtrond.daemon.health import Conditions
from lucidtrond.events.bus import Bus
from lucidtrond.events.types import Problem
from lucidtrond.node.cache import CachedNode
from lucidtrond.ports import Clock
from lucidtrond.sending.sender import Sender
from lucidtrond.store.database import Database
from lucidtrond.transports.rpc_metrics import Metric


class MetricSources(Protocol):
    """The services that count something."""

    @property
    def clock(self) -> Clock: ...
    @property
    def store(self) -> Database: ...
    @property
    def bus(self) -> Bus: ...
    @property
    def node(self) -> CachedNode: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def sender(self) -> Sender: ...


def collect(
    services: MetricSources, conditions: Conditions, *, started_ms: int
) -> Iterator[Metric]:
    """Read all counters, from memory."""
    position, events = services.ledger.position(), services.bus.statistics()
    store = services.store.statistics()
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
        "lucidtrond_finality_signatures",
        "gauge",
        "1 where producers' signatures prove what is final, 0 where nodes say so.",
        float(position.finality.basis == "signatures"),
    )
    yield Metric(
        "lucidtrond_finality_behind",
        "gauge",
        "Blocks that a node calls final and signatures do not prove yet.",
        position.finality.unproven_blocks,
    )
    yield Metric(
        "lucidtrond_blocks_unproven",
        "gauge",
        "Blocks, of the newest 70,000, whose transaction root was not recomputed.",
        position.unproven.count,
    )
    yield Metric(
        "tron_service_health",
        "gauge",
        "1 for each part that is well.",
        samples={
            (("component", name),): float(problem is None)
            for name, problem in conditions.by_component().items()
        },
    )
    yield Metric(
        "tron_service_uptime_seconds",
        "gauge",
        "Since the daemon began to start.",
        (services.clock.now_ms() - started_ms) / 1000,
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
    yield Metric(
        "lucidtrond_payments_unproven",
        "gauge",
        "Token payments in final blocks that no Transfer log proves.",
        services.sender.unproven,
    )
    yield Metric(
        "lucidtrond_payments_set_aside",
        "gauge",
        "Payments whose rows were edited or are damaged.",
        len(services.sender.set_aside),
    )
    yield Metric(
        "lucidtrond_foreign_transactions",
        "gauge",
        "Transactions of ours that the journal does not know and nobody explained.",
        services.sender.unexplained,
    )
    yield Metric(
        "lucidtrond_possible_restore",
        "gauge",
        "1 while nothing new is paid because the database may be an old copy.",
        int(services.sender.hold is not None),
    )
    yield from _nodes(services.node)
    health = services.ledger.health()
    yield Metric(
        "lucidtrond_ledger_problems_total",
        "counter",
        "What nodes said that does not fit together, by kind.",
        samples={
            (("problem", kind),): health.problems.get(kind, 0)
            for kind in get_args(Problem)
        },
    )
    yield Metric(
        "lucidtrond_ledger_drifting",
        "gauge",
        "Balances that are not what the ledger says.",
        health.drifting,
    )
    yield Metric(
        "lucidtrond_endpoints_without_internal_transactions",
        "gauge",
        "Endpoints that keep none, so TRX paid out by contracts is not seen.",
        len(health.without_internals),
    )
    yield Metric("lucidtrond_store_queued", "gauge", "Waiting now.", store.queued)


_ENDPOINT: Final[Sequence[tuple[str, str, Literal["counter", "gauge"], str]]] = (
    ("requests", "requests_total", "counter", "Requests sent."),
    ("errors", "errors_total", "counter", "Questions without the wanted answer."),
    ("lies", "lies_total", "counter", "Answers that contradict themselves or us."),
    ("waiting", "waiting", "gauge", "Questions that wait for a connection."),
    ("latency_ms", "latency_ms", "gauge", "Moving average of answers' times."),
    ("behind_blocks", "behind_blocks", "gauge", "Final blocks behind the best."),
    ("left_today", "left_today", "gauge", "Requests left of the day's budget."),
    ("pace_per_second", "pace", "gauge", "Requests per second allowed now."),
    ("failures_in_a_row", "failures_in_a_row", "gauge", "Until it answers again."),
)


def _nodes(node: CachedNode) -> Iterator[Metric]:
    """Of each endpoint and each cache; what is not known has no sample."""
    shown = node.endpoints()
    yield Metric(
        "lucidtrond_endpoint_ok",
        "gauge",
        "1 for each endpoint that is well.",
        samples={
            (("endpoint", endpoint["endpoint"]),): float(endpoint["state"] == "ok")
            for endpoint in shown
        },
    )
    for key, name, kind, text in _ENDPOINT:
        yield Metric(
            f"lucidtrond_endpoint_{name}",
            kind,
            text,
            samples={
                (("endpoint", endpoint["endpoint"]),): endpoint[key]
                for endpoint in shown
                if endpoint[key] is not None
            },
        )
    yield Metric(
        "lucidtrond_endpoint_changes_lost_total",
        "counter",
        "Changes of endpoints' states that became no event.",
        node.changes.lost,
    )
    yield Metric(
        "lucidtrond_cache_total",
        "counter",
        "Questions by cache and by how they were answered.",
        samples={
            (("cache", name), ("answered", how)): getattr(counts, how)
            for name, counts in node.statistics().items()
            for how in ("kept", "joined", "asked")
        },
    )
