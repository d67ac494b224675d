"""The judge of contract calls: recordings in which somebody deploys first.

This chain can't deploy, so the token is there from the beginning, its deployer poorer
by what deploying cost, and the steps about deploying are left out. In `06-builders` the
contract is another one: what its own code does is left out, what the node says before
any code runs is not.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from lucidtrond.devnet.state.genesis import parse_genesis

pytestmark = pytest.mark.process

RECORDINGS: Final = Path(__file__).parents[1] / "data/recordings"
DEPLOYER: Final = "TSfJf9aSnCe84HSQNoSZezqVfKuCX2kSDW"
DEPLOYMENT_FEE: Final = 70_982_900
TOKEN: Final = {"owner": DEPLOYER, "name": "Fixtoken ", "symbol": "FXT"}
# A contract's energy statistics are not kept.
# Logs since block 0 begin with the deployment's.
NOT_IN_ETHEREUM: Final = frozenset({57, 59, 64})
STATISTICS: Final = frozenset({10})
PROBE_RUNS: Final = frozenset({*range(27, 30), *range(35, 42), 43, 44, 51, 55, 58})
# What a contract's maker changes; the others show another contract's code.
SETTINGS: Final = frozenset({*range(6, 21), *range(23, 29)})
DEPLOYS: Final = frozenset({*range(1, 6), 59, 60})


def without_deployment(
    name: str, *, left_out: frozenset[int], contract: str, address: str
) -> dict[str, Any]:
    (path,) = RECORDINGS.glob(f"*/{name}.json")
    conversation: dict[str, Any] = json.loads(path.read_text())
    steps = [
        step
        for number, step in enumerate(conversation["steps"])
        if number not in left_out
    ]
    steps.insert(0, {"kind": "let", "values": {contract: address}})
    return {**conversation, "steps": steps}


@pytest.mark.parametrize(
    ("name", "contract", "left_out", "paid"),
    [
        (
            "06-trc20-life",
            "token",
            frozenset({*range(1, 7)}) | STATISTICS,
            DEPLOYMENT_FEE,
        ),
        (
            "11-jsonrpc",
            "token",
            frozenset({*range(1, 6)}) | NOT_IN_ETHEREUM,
            DEPLOYMENT_FEE,
        ),
        ("06-builders", "probe", DEPLOYS | PROBE_RUNS, DEPLOYMENT_FEE),
        ("07-stake", "token", frozenset({*range(24, 30)}), DEPLOYMENT_FEE),
        ("13-other-contracts", "probe", frozenset(range(54)) - SETTINGS, 0),
        # Here the deployer is looked at before it pays.
        ("07-delegate", "token", frozenset({*range(46, 52)}), 0),
    ],
)
def test_calls_of_a_contract_answer_as_the_node_did(
    tmp_path: Path, name: str, contract: str, left_out: frozenset[int], paid: int
) -> None:
    chain = json.loads((RECORDINGS / "chain.json").read_text())
    for row in chain["accounts"]:
        if row["address"] == DEPLOYER:
            row["balance"] -= paid
    definition = tmp_path / "chain.json"
    definition.write_text(json.dumps({**chain, "token": TOKEN}))
    world = parse_genesis(definition.read_bytes()).world()
    (address,) = (contract.address.hex() for contract in world.contracts.values())
    conversation = tmp_path / "conversation.json"
    conversation.write_text(
        json.dumps(
            without_deployment(
                name, left_out=left_out, contract=contract, address=address
            )
        )
    )
    assert_answers(conversation, definition)


def assert_answers(conversation: Path, definition: Path) -> None:
    command = [sys.executable, "-m", "lucidtrond.cli.operator", "devnet"]
    flags = ["--listen", "127.0.0.1:0", "--block-time", "0.3"]
    with subprocess.Popen(
        [*command, *flags, "--genesis", str(definition)],
        stdout=subprocess.PIPE,
        text=True,
    ) as chain:
        assert chain.stdout is not None
        try:
            url = re.search(r"http://\S+", chain.stdout.readline())
            assert url is not None
            done = subprocess.run(
                [
                    *(sys.executable, str(RECORDINGS / "replay.py"), str(conversation)),
                    *("--chain", str(RECORDINGS / "chain.json")),
                    *("--full", url[0], "--solidity", url[0]),
                ],
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        finally:
            chain.terminate()
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert ", 0 differences" in done.stdout
