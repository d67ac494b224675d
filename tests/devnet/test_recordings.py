"""The judge: what a real java-tron answered, asked again of the devnet.

Each conversation of tests/data/recordings is replayed against a fresh chain in a
process of its own, by the recordings' own replayer; any difference fails. Those in
which somebody deploys a contract first are in `test_token_recordings`.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.process

RECORDINGS = Path(__file__).parents[1] / "data/recordings"
CONVERSATIONS = sorted(RECORDINGS.glob("conversations/*.json"))
STEPS: Final[Mapping[str, frozenset[int]]] = {
    # The rest is about contracts that are deployed.
    "13-other-contracts": frozenset({*range(29, 53)}),
}
"""Conversations of which only some steps, counted from 0, are replayed."""


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda path: path.stem)
def test_the_devnet_answers_as_the_node_did(conversation: Path, tmp_path: Path) -> None:
    if conversation.stem in STEPS:
        conversation = in_part(conversation, tmp_path)
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


def in_part(conversation: Path, directory: Path) -> Path:
    kept = STEPS[conversation.stem]
    whole = json.loads(conversation.read_text())
    steps = [step for number, step in enumerate(whole["steps"]) if number in kept]
    assert len(steps) == len(kept)
    part = directory / conversation.name
    part.write_text(json.dumps({**whole, "steps": steps}))
    return part


def test_there_is_something_to_judge_by() -> None:
    assert len(CONVERSATIONS) == 21, "a new conversation is counted, none is lost"
