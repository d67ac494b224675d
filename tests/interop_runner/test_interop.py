"""TronWeb and tronpy, the libraries people use, against `lucidtrond devnet`.

The scripts in tests/interop also pass against java-tron. They are run from a copy
beside the libraries, made by contrib/setup-interop.
"""

import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs
import pytest

TOP: Final = Path(__file__).parents[2]
ROOM: Final = TOP / ".venv" / "interop"
NOT_YET: Final = tomllib.loads(Path(__file__).with_name("not_yet.toml").read_text())
COMMANDS: Final = {
    "tronweb": (str(ROOM / "python/bin/node"), "tronweb_e2e.mjs"),
    "tronpy": (str(ROOM / "python/bin/python"), "-I", "tronpy_e2e.py"),
}
BLOCK_TIME: Final = "0.3"
START_S: Final = 30
RUN_S: Final = 240

pytestmark = pytest.mark.process


@attrs.frozen
class Chain:
    """A development chain in a process of its own, as it introduced itself."""

    url: str
    funded_key: str
    token: str | None


def read_introduction(text: str) -> Chain | None:
    """What the devnet printed; None as long as it has not printed all of it."""
    url = re.search(r"^URL +(\S+)$", text, re.MULTILINE)
    whale = re.search(r"^ +whale +T\w{33} +([0-9a-f]{64}) ", text, re.MULTILINE)
    if url is None or whale is None or " of: " not in text:
        return None
    token = re.search(r"^token +(T\w{33})\b", text, re.MULTILINE | re.IGNORECASE)
    return Chain(url[1], whale[1], token and token[1])


@pytest.fixture(name="chain", scope="module")
def _chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    log = tmp_path_factory.mktemp("interop") / "devnet.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-u", "-m", "lucidtrond.cli.operator", "devnet"),
                *("--listen", "127.0.0.1:0"),
                *("--block-time", BLOCK_TIME, "--witnesses", "3"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + START_S
        while (chain := read_introduction(log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield chain
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(name="libraries", scope="module")
def _libraries() -> None:
    """Node, TronWeb and tronpy, downloaded once."""
    subprocess.run([TOP / "contrib" / "setup-interop"], check=True, timeout=600)


def read_verdicts(output: str) -> dict[str, str]:
    """What each step came to: "ok", "skipped" or the reason of its failure.

    Raises:
        AssertionError: the script did not come to its end or miscounted.
    """
    found = re.findall(r"^(ok|not ok) ([\w-]+)(.*)$", output, re.MULTILINE)
    plan = re.search(r"^1\.\.(\d+)$", output, re.MULTILINE)
    assert plan is not None, output
    verdicts = {}
    for verdict, name, rest in found:
        if verdict == "ok":
            verdicts[name] = "skipped" if rest.startswith(" # SKIP") else "ok"
        else:
            verdicts[name] = rest.removeprefix(": ")
    assert len(verdicts) == len(found) == int(plan[1]), output
    return verdicts


def faults(verdicts: dict[str, str], not_yet: list[str]) -> list[str]:
    """Where the list and the truth differ."""
    listed = set(not_yet)
    return [
        *(f"{name}: no such step" for name in sorted(listed - verdicts.keys())),
        *(
            f"{name} passes: take it off not_yet.toml"
            for name, verdict in verdicts.items()
            if name in listed and verdict == "ok"
        ),
        *(
            f"{name}: {verdict}"
            for name, verdict in verdicts.items()
            if name not in listed and verdict != "ok"
        ),
    ]


def test_a_fault_is_a_failure_a_skip_and_a_list_longer_than_the_truth() -> None:
    verdicts = read_verdicts(
        "ok a\nok b # SKIP why\nnot ok c: x [1]\nnot ok d: y\n1..4"
    )
    assert faults(verdicts, ["b", "c", "d"]) == []
    assert faults(verdicts, ["a", "c", "d", "e"]) == [
        "e: no such step",
        "a passes: take it off not_yet.toml",
        "b: skipped",
    ]
    assert faults(verdicts, ["b", "d"]) == ["c: x [1]"]


def test_a_script_that_dies_halfway_is_noticed() -> None:
    with pytest.raises(AssertionError):
        read_verdicts("ok a\nok b\n")
    with pytest.raises(AssertionError):
        read_verdicts("ok a\n1..2\n")


@pytest.mark.usefixtures("libraries")
@pytest.mark.parametrize("library", COMMANDS)
def test_the_library_cannot_tell_the_devnet_from_java_tron(
    chain: Chain, library: str
) -> None:
    done = subprocess.run(
        COMMANDS[library],
        cwd=ROOM,
        env={
            "PATH": os.environ["PATH"],
            "FULL_NODE": chain.url,
            "FUNDED_KEY": chain.funded_key,
            "BLOCK_WAIT_S": BLOCK_TIME,
            **({"TOKEN": chain.token} if chain.token else {}),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    verdicts = read_verdicts(done.stdout)
    assert not faults(verdicts, NOT_YET[library]), done.stderr
    assert (done.returncode == 0) == (set(verdicts.values()) == {"ok"})
