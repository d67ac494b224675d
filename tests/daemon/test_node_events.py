"""What the pool tells of its endpoints, as events and as metrics."""

import json
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import trio
import trio.testing

from lucidtrond.chain.ledger import Ledger
from lucidtrond.daemon.health import Conditions
from lucidtrond.daemon.metrics import MetricSources, collect
from lucidtrond.daemon.node_events import watch_nodes
from lucidtrond.events import outbox
from lucidtrond.events.bus import Bus
from lucidtrond.node.cache import CachedNode
from lucidtrond.store.database import open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.transports.rpc_metrics import encode_metrics
from lucidtrond.tron.tokens import KnownTokens
from tests.node.nodes import RecordedNode, answer, answering, block_json, open_nodes

LIE = json.dumps(block_json(7) | {"blockID": "00" * 32})


class StandingClock:
    def now_ms(self) -> int:
        return 1_795_400_000_000


async def test_a_lie_becomes_an_event_and_a_metric() -> None:
    liar = RecordedNode()
    clock = StandingClock()
    async with (
        open_store(None) as store,
        open_nodes(liar, RecordedNode()) as pool,
        trio.open_nursery() as nursery,
    ):
        await migrate(store, outbox.MIGRATIONS)
        bus = Bus(store, clock=clock)
        node = CachedNode(pool)
        await nursery.start(bus.run)
        await nursery.start(
            partial(watch_nodes, node.changes, store, emit=bus.emitter())
        )
        liar.fault = answering(answer(LIE))
        assert (await node.fetch_head()).number == 900
        await bus.wait_beyond(0)
        [event] = await store.read(lambda tx: outbox.read_since(tx, 0, limit=9))
        assert event.topic == "node"
        change = json.loads(event.payload)
        assert (change["endpoint"], change["state"]) == ("node0", "lied")
        nursery.cancel_scope.cancel()

        services = SimpleNamespace(
            clock=clock,
            store=store,
            bus=bus,
            ledger=Ledger(store, tokens=KnownTokens([])),
            node=node,
            sender=SimpleNamespace(unproven=3, set_aside=(), unexplained=0, hold=None),
        )
        well = cast(
            "Conditions", SimpleNamespace(by_component=lambda: {"network": None})
        )
        lines = _metrics(collect(cast("MetricSources", services), well, started_ms=0))
        assert 'tron_service_health{component="network"} 1.0' in lines
        assert 'lucidtrond_endpoint_lies_total{endpoint="node0"} 1' in lines
        assert 'lucidtrond_endpoint_lies_total{endpoint="node1"} 0' in lines
        assert "lucidtrond_payments_unproven 3" in lines
        assert 'lucidtrond_endpoint_ok{endpoint="node0"} 0.0' in lines
        assert 'lucidtrond_endpoint_ok{endpoint="node1"} 1.0' in lines
        assert 'lucidtrond_cache_total{cache="network",answered="asked"} 1' in lines
        # No budget, so nothing is left of it and nothing is said.
        assert not [line for line in lines if "left_today" in line]


def _metrics(metrics: Any) -> list[str]:
    return encode_metrics(metrics).decode().splitlines()
