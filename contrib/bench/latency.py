"""What asking through the daemon adds to asking a node, 20 ms away, directly.

    .venv/bin/python contrib/bench/latency.py

One question with one upstream call that nothing is kept of (`tx.get`, each transaction
once), in turns with the same question to the node itself, over connections that stay.
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

from lucidtrond.testing.fixtures import running_devnet
from tests.daemon.outside import config_over
from tests.daemon.process import DaemonProcess

ROUNDS = 200
NODE_S = 0.02
STRANGER = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH"


def main() -> None:
    with tempfile.TemporaryDirectory() as room, running_devnet(replicas=0) as chain:
        txids = []
        for number in range(2 * ROUNDS):
            txids.append(chain.fund(STRANGER, 1_000_000 + number))
            if number % 50 == 49:
                chain.mine()
        chain.mine(5)
        config = config_over(chain, Path(room) / "config.toml")
        daemon = DaemonProcess(Path(room), config=config).start()
        try:
            path = "/wallet/gettransactionbyid"
            chain.fault(fault="delay", delay_s=NODE_S, path=path)
            host = urllib.parse.urlsplit(chain.url).netloc
            node = http.client.HTTPConnection(host)
            direct, through = [], []
            with daemon.connect() as connection:
                for number in range(ROUNDS):
                    first, second = txids[2 * number : 2 * number + 2]
                    began = time.perf_counter()
                    body = json.dumps({"value": first})
                    node.request("POST", path, body)
                    assert json.loads(node.getresponse().read())["txID"] == first
                    between = time.perf_counter()
                    found = connection.call("tx.get", {"txid": second})
                    ended = time.perf_counter()
                    assert found["txid"] == second
                    direct.append(between - began)
                    through.append(ended - between)
        finally:
            daemon.end()
    asked, told = statistics.median(direct), statistics.median(through)
    print(
        f"median of {ROUNDS}: the node {asked * 1000:.2f} ms,"
        f" through the daemon {told * 1000:.2f} ms: {(told / asked - 1) * 100:+.1f} %"
    )


if __name__ == "__main__":
    main()
