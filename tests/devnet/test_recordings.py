"""The judge: what a real java-tron answered, asked again of the devnet.

Each conversation of tests/data/recordings is replayed against a fresh chain in a
process of its own, by the recordings' own replayer; any difference fails. The others
of the set (contracts, stake, votes, TRC-10, JSON-RPC) are not there yet.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

RECORDINGS = Path(__file__).parents[1] / "data/recordings"
CONVERSATIONS = sorted(RECORDINGS.glob("conversations/*.json"))


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda path: path.stem)
def test_the_devnet_answers_as_the_node_did(conversation: Path) -> None:
    command = [sys.executable, "-m", "lucidtrond.cli.operator", "devnet"]
    flags = ["--listen", "127.0.0.1:0", "--block-time", "0.3"]
    genesis = ["--genesis", str(RECORDINGS / "chain.json")]
    with subprocess.Popen(
        [*command, *flags, *genesis], stdout=subprocess.PIPE, text=True
    ) as chain:
        assert chain.stdout is not None
        try:
            url = re.search(r"http://\S+", chain.stdout.readline())
            assert url is not None
            done = subprocess.run(
                [
                    *(sys.executable, str(RECORDINGS / "replay.py"), str(conversation)),
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


def test_there_is_something_to_judge_by() -> None:
    assert len(CONVERSATIONS) == 15
