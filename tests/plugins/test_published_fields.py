"""What `rpc.discover` publishes of results is what is there, and says what it means.

Clients see the schemas and the first texts of the types; texts of single fields stay in
the source. So what nobody could guess stands in the text of the type.
"""

import re

import msgspec
import pytest
from trio.testing import MockClock

from lucidtrond.daemon.methods import HealthCondition
from lucidtrond.events.types import LedgerEntry, Payment, PaymentEstimate
from lucidtrond.node.health.rate_limit import Budget
from lucidtrond_accounts import AccountView, DriftView
from lucidtrond_network import Endpoints, EndpointView, Status
from tests.node.health.test_endpoint_health import budgeted
from tests.node.nodes import RecordedNode


async def test_all_that_is_known_of_an_endpoint_is_published(
    autojump_clock: MockClock,
) -> None:
    async with budgeted((RecordedNode(), Budget())) as pool:
        await pool.fetch_info()
        [endpoint] = pool.endpoints()
        assert set(endpoint) == set(EndpointView.__struct_fields__)
        shown = msgspec.convert({"endpoints": [endpoint]}, Endpoints, strict=True)
        assert msgspec.to_builtins(shown)["endpoints"] == [dict(endpoint)]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (LedgerEntry, ["proof", "cost_proof", "contradicted"]),
        (Payment, ["arrived_raw"]),
        (PaymentEstimate, ["arrives_raw", "origin_energy"]),
        (
            Status,
            [
                "not_synced_reason",
                "since_ms",
                "internal_transactions",
                "drifting",
                "unproven_blocks",
                "finality",
                "finality_behind",
            ],
        ),
        (EndpointView, ["silent_s", "simulates_calls", "left_alone_s", "trouble_s"]),
        (AccountView, ["drifts"]),
        (DriftView, ["drift_raw", "since_block"]),
        (HealthCondition, ["kind", "subject", "since_ms"]),
    ],
)
def test_fields_that_nobody_could_guess_are_explained(
    kind: type[msgspec.Struct], fields: list[str]
) -> None:
    schema = msgspec.json.schema_components([kind])[1][kind.__name__]
    explained = set(re.findall(r"\*(\w+)\*", schema["description"]))
    assert set(fields) <= explained
    assert set(fields) <= set(schema["properties"])


def test_the_state_that_must_not_be_paid_again_is_explained() -> None:
    assert "unproven" in (Payment.__doc__ or "")
