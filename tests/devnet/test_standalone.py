"""`lucidtrond devnet` as a process: killed anywhere, it loses nothing it has shown."""

import json
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

RUN = (
    "import argparse, sys; from lucidtrond.devnet.standalone import *;"
    "p = argparse.ArgumentParser(); add_arguments(p);"
    "sys.exit(run_standalone(p.parse_args()))"
)


@contextmanager
def standalone(
    directory: Path, *flags: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            RUN,
            "--listen",
            "127.0.0.1:0",
            "--state-dir",
            directory,
            *flags,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith("URL"), first
        yield process, first.split()[1]
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def ask(url: str, path: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(url + path, data, timeout=10) as answer:
        return json.load(answer)


@pytest.mark.process
def test_a_block_that_was_seen_is_there_after_any_kill(tmp_path: Path) -> None:
    chance = random.Random(7)
    seen: dict[int, str] = {}
    for _ in range(6):
        with standalone(tmp_path, "--block-time", "0.02", "--witnesses", "5") as (
            process,
            url,
        ):
            head = ask(url, "/wallet/getnowblock")
            number = head["block_header"]["raw_data"]["number"]
            assert number >= max(seen, default=0)
            for height, block_id in seen.items():
                assert ask(url, "/wallet/getblockbynum", {"num": height})[
                    "blockID"
                ] == (block_id)
            deadline = time.monotonic() + chance.uniform(0.05, 0.3)
            while time.monotonic() < deadline:
                head = ask(url, "/wallet/getnowblock")
                number = head["block_header"]["raw_data"]["number"]
                seen[number] = head["blockID"]
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert len(seen) > 10


@pytest.mark.process
def test_a_signal_ends_it_cleanly_and_a_second_one_is_refused(tmp_path: Path) -> None:
    with standalone(tmp_path) as (process, _url):
        second = subprocess.run(
            [
                sys.executable,
                "-c",
                RUN,
                "--listen",
                "127.0.0.1:0",
                "--state-dir",
                tmp_path,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 1
        assert "the chain is in use" in second.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    assert (tmp_path / "chain.checkpoint").exists()
