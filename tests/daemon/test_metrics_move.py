"""Each metric moves: what it counts happens, and the number changes."""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest

from lucidtrond.cli.connection import RpcFailure
from lucidtrond.testing.fixtures import TronDevnet, running_devnet
from tests.daemon.outside import config_over
from tests.daemon.process import PASSPHRASE, DaemonProcess

ROOT: Final = Path(__file__).parents[2]
PATIENCE_S: Final = 40.0
STRANGERS: Final = 40
ELSEWHERE: Final = {
    "lucidtrond_blocks_unproven": (
        "chain/test_unproven_blocks.py",
        "test_it_is_followed_and_its_rows_are_one_endpoints_word",
    ),
    "lucidtrond_finality_signatures": (
        "chain/test_finality_tables.py",
        "test_an_older_database_is_proven_from_its_solid_head_on",
    ),
    "lucidtrond_finality_behind": (
        "chain/test_finality_tables.py",
        "test_what_stops_it_is_told_once_and_when_it_ends",
    ),
    "lucidtrond_payments_unproven": (
        "daemon/test_node_events.py",
        "test_a_lie_becomes_an_event_and_a_metric",
    ),
    "lucidtrond_payments_set_aside": (
        "daemon/test_edited_database.py",
        "test_an_edited_attempt_is_named_and_not_signed_and_others_are_paid",
    ),
    "lucidtrond_foreign_transactions": (
        "daemon/test_restored_database.py",
        "test_a_restored_copy_pays_nothing_twice",
    ),
    "lucidtrond_possible_restore": (
        "daemon/test_restored_database.py",
        "test_a_restored_copy_pays_nothing_twice",
    ),
    "lucidtrond_endpoint_behind_blocks": (
        "node/test_pool.py",
        "test_the_state_of_endpoints_is_plain_data",
    ),
    "lucidtrond_subscriptions_lagged_total": (
        "transports/test_websocket.py",
        "test_a_slow_peer_hears_lagged_and_can_go_on_from_there",
    ),
    "lucidtrond_endpoint_changes_lost_total": (
        "node/health/test_endpoint_health.py",
        "test_changes_that_nobody_reads_are_counted_not_kept",
    ),
    "lucidtrond_store_queued": (
        "store/test_database.py",
        "test_a_caller_cancelled_before_its_turn_in_the_full_queue_writes_nothing",
    ),
    "lucidtrond_ledger_problems_total": (
        "chain/test_reconcile.py",
        "test_more_than_the_ledger_says_is_a_drift_of_that_account",
    ),
    "lucidtrond_ledger_drifting": (
        "chain/test_reconcile.py",
        "test_more_than_the_ledger_says_is_a_drift_of_that_account",
    ),
    "lucidtrond_endpoints_without_internal_transactions": (
        "chain/test_reconcile.py",
        "test_unexplained_trx_tells_a_node_without_internal_transactions",
    ),
}
"""What takes too long to provoke in a daemon, and the test in which it moves."""


class Numbers:
    """All that was ever shown by one daemon, by metric and labels."""

    def __init__(self, daemon: DaemonProcess) -> None:
        self._daemon = daemon
        self._seen: dict[str, dict[str, set[float]]] = {}
        self.look()

    def look(self) -> None:
        for row in self._daemon.call("daemon.metrics")["metrics"]:
            samples = self._seen.setdefault(row["name"], {})
            for sample in row["samples"]:
                samples.setdefault(str(sample["labels"]), set()).add(sample["value"])

    def names(self) -> set[str]:
        return set(self._seen)

    def moved(self) -> set[str]:
        return {
            name
            for name, samples in self._seen.items()
            if any(len(values) > 1 for values in samples.values())
        }

    def still(self) -> set[str]:
        return set(self._seen) - self.moved() - set(ELSEWHERE)

    def wait_for(self, *names: str, act: Callable[[], object] = lambda: None) -> None:
        """Look, and *act*, until all of these moved."""
        deadline = time.monotonic() + PATIENCE_S
        while not set(names) <= self.moved():
            late = set(names) - self.moved()
            assert time.monotonic() < deadline, f"{late}: {self._daemon.tail()}"
            act()
            self.look()
            time.sleep(0.05)


@pytest.fixture(name="chain")
def _chain() -> Iterator[TronDevnet]:
    with running_devnet(block_time_s=0.3, witnesses=3, replicas=1) as chain:
        yield chain


@pytest.fixture(name="daemon")
def _daemon(chain: TronDevnet, tmp_path: Path) -> Iterator[DaemonProcess]:
    config = config_over(chain, tmp_path / "config.toml")
    budget = r"\1\nrequests_per_day = 90_000\nrequests_per_second = 60"
    config.write_text(re.sub(r"(url = .*)", budget, config.read_text()))
    daemon = DaemonProcess(tmp_path, config=config).start()
    try:
        yield daemon
    finally:
        daemon.end()


@pytest.mark.process
def test_each_metric_moves_here_or_in_a_test_of_its_own(
    chain: TronDevnet, daemon: DaemonProcess
) -> None:
    numbers = Numbers(daemon)
    daemon.call("keystore.init", passphrase=PASSPHRASE)
    wallet = daemon.call("wallet.create")
    with daemon.connect() as subscriber:
        subscriber.call("events.subscribe", {})
        chain.fund(wallet["address"], 100_000_000)
        numbers.wait_for(
            *("tron_network_latest_block", "lucidtrond_solid_block"),
            *("lucidtrond_events_seq", "lucidtrond_events_pushed_total"),
            *("lucidtrond_subscriptions", "lucidtrond_cache_total"),
        )

    chain.fault(fault="wrong_id", path="/wallet*/getblock*", port=0)
    numbers.wait_for("lucidtrond_endpoint_lies_total", "lucidtrond_endpoint_ok")
    chain.clear()

    chain.fault(fault="status", status=429, path="*", chance=0.5)
    numbers.wait_for("lucidtrond_endpoint_pace", "lucidtrond_endpoint_errors_total")
    chain.clear()

    chain.fault(fault="reset", path="/wallet*")
    numbers.wait_for(
        *("tron_network_status", "tron_service_health"),
        "lucidtrond_endpoint_failures_in_a_row",
    )
    chain.clear()
    _ask_of_strangers(daemon, chain, numbers)
    assert numbers.still() == set()
    assert set(ELSEWHERE) <= numbers.names()


def _ask_of_strangers(
    daemon: DaemonProcess, chain: TronDevnet, numbers: Numbers
) -> None:
    """More questions at once than there are connections."""
    chain.fault(fault="delay", delay_s=0.5, path="/wallet/*")
    addresses = [wallet["address"] for wallet in _wallets(daemon)]

    def ask(address: str) -> Any:
        try:
            return daemon.call("account.get", address=address)
        except RpcFailure as failure:
            return failure

    with ThreadPoolExecutor(STRANGERS) as pool:
        asked = [pool.submit(ask, address) for address in addresses]
        numbers.wait_for("lucidtrond_endpoint_waiting")
        # As slow as these were, it is seen before quick ones are averaged in.
        numbers.wait_for("lucidtrond_endpoint_latency_ms")
        chain.clear()
        for call in asked:
            call.result()


def _wallets(daemon: DaemonProcess) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = daemon.call("wallet.batch_create", count=STRANGERS)[
        "wallets"
    ]
    return made


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_metric_that_moves_elsewhere_names_a_test_that_is_there(name: str) -> None:
    file, test = ELSEWHERE[name]
    assert f"def {test}(" in (ROOT / "tests" / file).read_text()
