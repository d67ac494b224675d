"""What the daemon itself answers: ``rpc.``, ``daemon.`` and ``plugin.`` methods."""

import resource
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Annotated, Any

import msgspec
from attrs import asdict
from msgspec import Struct

from lucidtrond.api.manifest import Manifest
from lucidtrond.daemon.health import COMPONENTS, Conditions
from lucidtrond.errors import NotFound
from lucidtrond.ports import Clock
from lucidtrond.rpc.audit import Audit
from lucidtrond.rpc.describe import describe
from lucidtrond.rpc.dispatch import Call, Dispatcher, Method
from lucidtrond.transports.rpc_metrics import Metric

VERSION = version("lucidtrond")


class DaemonInfo(msgspec.Struct, frozen=True):
    """Who answers. *uptime_s* is in seconds, *peak_rss_bytes* the peak resident set.
    *instance* is random, new at each start; the state directory's `socket.json` has
    the same."""

    version: str
    instance: str
    network: str
    genesis_id: str | None
    started_ms: int
    uptime_s: float
    peak_rss_bytes: int
    plugins: list[str]
    http_url: str | None


class HealthCondition(msgspec.Struct, frozen=True):
    """One problem: its *kind* (a name for programs), what it is about (*subject*, if
    there are several such things), and what to do. *since_ms* is wall clock: since when
    it holds, or was noticed."""

    kind: str
    component: str
    subject: str | None
    text: str
    remedy: str
    since_ms: int | None


class Health(msgspec.Struct, frozen=True):
    """``status`` is ok or degraded; *problems* says in words what is not well, and
    *conditions* the same for programs."""

    status: str
    problems: list[str]
    checks: dict[str, bool]
    conditions: list[HealthCondition]


class PluginRow(msgspec.Struct, frozen=True):
    """One enabled plugin; *reason* says why it failed."""

    name: str
    distribution: str
    version: str
    state: str
    methods: list[str]
    reason: str | None = None


class PluginList(msgspec.Struct, frozen=True):
    plugins: list[PluginRow]


class Sample(msgspec.Struct, frozen=True):
    labels: dict[str, str]
    value: float


class MetricRow(msgspec.Struct, frozen=True):
    """One family of ``GET /metrics``; *kind* is counter or gauge."""

    name: str
    kind: str
    text: str
    samples: list[Sample]


class Metrics(msgspec.Struct, frozen=True):
    metrics: list[MetricRow]


class DescribeParams(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    name: str


class PluginMethod(msgspec.Struct, frozen=True):
    """*internal*: for other plugins, served to no client."""

    name: str
    caller: str
    summary: str
    internal: bool


class PluginRoute(msgspec.Struct, frozen=True):
    """An HTTP route; a caller must be allowed all that it *calls*."""

    verb: str
    path: str
    calls: list[str]


class PluginDescription(msgspec.Struct, frozen=True):
    """What one enabled plugin declares. *needs* are its grants, *networks* the only
    ones it runs on (empty: all), *settings* the JSON schema of its section."""

    plugin: PluginRow
    needs: list[str]
    networks: list[str]
    methods: list[PluginMethod]
    routes: list[PluginRoute]
    services: list[str]
    handlers: list[str]
    settings: dict[str, Any]


class AuditParams(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Rows with a number under *before*, newest first; without it the newest."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    before: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)] | None = None


class AuditEntry(msgspec.Struct, frozen=True):
    """*asked* and *outcome* are JSON texts: the hash covers them as they stand."""

    seq: int
    at_ms: int
    who: str
    method: str
    asked: str
    outcome: str
    hash: str


class AuditPage(msgspec.Struct, frozen=True):
    """*broken_at*: the first number of this page that does not follow the one before
    it (changed, taken out or put in), or null."""

    calls: list[AuditEntry]
    broken_at: int | None


class Facts(Struct, frozen=True):
    """Where the answers come from; callables are asked at each call."""

    instance: str
    network: str
    genesis_id: Callable[[], str | None]
    started_ms: int
    clock: Clock
    conditions: Conditions
    plugins: Callable[[], Sequence[PluginRow]]
    audit: Audit
    metrics: Callable[[], Iterable[Metric]]
    manifest: Callable[[str], Manifest | None]
    http_url: str | None = None


def register(dispatcher: Dispatcher, facts: Facts) -> None:
    """Add the daemon's own methods; call it last, `rpc.discover` describes them all."""

    async def info(_call: Call) -> DaemonInfo:
        return DaemonInfo(
            version=VERSION,
            instance=facts.instance,
            network=facts.network,
            genesis_id=facts.genesis_id(),
            started_ms=facts.started_ms,
            uptime_s=(facts.clock.now_ms() - facts.started_ms) / 1000,
            peak_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            plugins=[row.name for row in facts.plugins()],
            http_url=facts.http_url,
        )

    async def health(_call: Call) -> Health:
        conditions = facts.conditions.now()
        failing = {condition.component for condition in conditions}
        return Health(
            status="degraded" if conditions else "ok",
            problems=[
                f"{condition.component}: {condition.text}" for condition in conditions
            ],
            checks={name: name not in failing for name in COMPONENTS},
            conditions=[
                HealthCondition(
                    kind=condition.kind,
                    component=condition.component,
                    subject=condition.subject,
                    text=condition.text,
                    remedy=condition.remedy,
                    since_ms=condition.since_ms,
                )
                for condition in conditions
            ],
        )

    async def metrics(_call: Call) -> Metrics:
        return Metrics([_shown(metric) for metric in facts.metrics()])

    _register_plugins(dispatcher, facts)
    document: dict[str, Any] = {}

    async def discover(_call: Call) -> Mapping[str, Any]:
        if not document:  # takes milliseconds, so it is made once
            document.update(describe(dispatcher.methods.values(), version=VERSION))
        return document

    async def audited(_call: Call, params: AuditParams) -> AuditPage:
        rows, broken = await facts.audit.page(limit=params.limit, before=params.before)
        calls = [AuditEntry(**{**asdict(row), "hash": row.hash.hex()}) for row in rows]
        return AuditPage(calls, broken)

    dispatcher.add(
        Method(
            name="daemon.audit",
            handler=audited,
            params=AuditParams,
            result=AuditPage,
            caller="admin",
            summary="List the calls that spend: who asked, for what, how it ended.",
            example={"limit": 100},
        )
    )
    for name, handler, result, summary in (
        ("daemon.info", info, DaemonInfo, "Say who answers, on which network."),
        ("daemon.health", health, Health, "Say what is well and what is not."),
        ("daemon.metrics", metrics, Metrics, "Give the numbers of GET /metrics."),
        ("rpc.discover", discover, dict, "Describe all methods as OpenRPC."),
    ):
        dispatcher.add(
            Method(
                name=name,
                handler=handler,
                params=None,
                result=result,
                caller="read",
                inline=True,
                summary=summary,
                example={},
            )
        )


def _register_plugins(dispatcher: Dispatcher, facts: Facts) -> None:
    async def plugin_list(_call: Call) -> PluginList:
        return PluginList(list(facts.plugins()))

    async def plugin_describe(_call: Call, params: DescribeParams) -> PluginDescription:
        manifest = facts.manifest(params.name)
        rows = [row for row in facts.plugins() if row.name == params.name]
        if manifest is None or not rows:
            raise NotFound("no enabled plugin has this name")
        return _described(rows[0], manifest)

    dispatcher.add(
        Method(
            name="plugin.describe",
            handler=plugin_describe,
            params=DescribeParams,
            result=PluginDescription,
            inline=True,
            summary="Say what one enabled plugin offers, needs and can be told.",
            example={"name": "wallets"},
            errors=(NotFound,),
        )
    )
    dispatcher.add(
        Method(
            name="plugin.list",
            handler=plugin_list,
            result=PluginList,
            inline=True,
            summary="List the enabled plugins.",
            example={},
        )
    )


def _shown(metric: Metric) -> MetricRow:
    samples = [Sample(dict(labels), value) for labels, value in metric.samples.items()]
    if metric.value is not None:
        samples.append(Sample({}, metric.value))
    return MetricRow(metric.name, metric.kind, metric.text, samples)


def _described(row: PluginRow, manifest: Manifest) -> PluginDescription:
    return PluginDescription(
        plugin=row,
        needs=sorted(manifest.needs),
        networks=sorted(manifest.networks),
        methods=[
            PluginMethod(method.name, method.caller, method.summary, method.internal)
            for method in manifest.methods
        ],
        routes=[
            PluginRoute(route.verb, route.path, list(route.calls))
            for route in manifest.routes
        ],
        services=[service.name for service in manifest.services],
        handlers=[handler.name for handler in manifest.handlers],
        settings=msgspec.json.schema(manifest.config),
    )
