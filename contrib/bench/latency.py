"""What asking through the daemon adds to asking a node, 20 ms away, directly.

    .venv/bin/python contrib/bench/latency.py

Two questions with one upstream call each that the daemon has no answer to yet, in turns
with the same question to the node itself, over connections that stay: `account.get`,
each account once, and `tx.get`, each transaction once, for which the daemon also finds
out who signed.
"""

import http.client
import json
import statistics
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from lucidtrond.cli.connection import Connection
from lucidtrond.testing.fixtures import running_devnet
from lucidtrond.tron.address import Address
from tests.daemon.outside import config_over
from tests.daemon.process import DaemonProcess

ROUNDS = 200
NODE_S = 0.02
ACCOUNT, TRANSACTION = "/wallet/getaccount", "/wallet/gettransactionbyid"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running_devnet(replicas=0) as chain:
        people = [
            Address(b"\x41" + number.to_bytes(20)) for number in range(2 * ROUNDS)
        ]
        txids = []
        for number, person in enumerate(people):
            txids.append(chain.fund(person.base58, 1_000_000 + number))
            if number % 50 == 49:
                chain.mine()
        chain.mine(5)
        config = config_over(chain, Path(folder) / "config.toml")
        daemon = DaemonProcess(Path(folder), config=config).start()
        try:
            for path in (ACCOUNT, TRANSACTION):
                chain.fault(fault="delay", delay_s=NODE_S, path=path)
            node = http.client.HTTPConnection(urllib.parse.urlsplit(chain.url).netloc)
            with daemon.connect() as connection:
                accounts = [
                    (
                        {"address": person.raw.hex()},
                        {"address": person.base58},
                        "balance_sun",
                    )
                    for person in people
                ]
                measure("account.get", ACCOUNT, accounts, node, connection)
                transactions = [
                    ({"value": txid}, {"txid": txid}, "txid") for txid in txids
                ]
                measure("tx.get", TRANSACTION, transactions, node, connection)
        finally:
            daemon.end()


def measure(
    method: str,
    path: str,
    questions: list[tuple[dict[str, str], dict[str, str], str]],
    node: http.client.HTTPConnection,
    connection: Connection,
) -> None:
    """Ask every first question the node, every second one the daemon."""
    direct, through = [], []
    for (asked, _, _), (_, params, key) in zip(
        questions[::2], questions[1::2], strict=True
    ):
        began = time.perf_counter()
        node.request("POST", path, json.dumps(asked))
        assert len(json.loads(node.getresponse().read())) > 1
        between = time.perf_counter()
        answer = connection.call(method, params)
        through.append(time.perf_counter() - between)
        direct.append(between - began)
        assert answer[key]
    node_s, daemon_s = statistics.median(direct), statistics.median(through)
    print(
        f"{method}, median of {len(direct)}: the node {node_s * 1000:.2f} ms,"
        f" through the daemon {daemon_s * 1000:.2f} ms:"
        f" {(daemon_s / node_s - 1) * 100:+.1f} %"
    )


if __name__ == "__main__":
    main()
