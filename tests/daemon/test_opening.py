"""What a daemon's parts are told by its configuration."""

from pathlib import Path
from typing import Final

import pytest

from lucidtrond.daemon.opening import restore_terms
from lucidtrond.sending.restore import STALE_MS
from lucidtrond.sending.terms import LONGEST_MS
from lucidtrond.tron.units import UnixMillis
from tests.daemon.test_config import load

PRIVATE: Final = f"""name = "private"
genesis_id = "{"0" * 64}"
endpoints = [{{ url = "http://127.0.0.1:1" }}]
"""


@pytest.mark.parametrize(
    ("network", "stale_ms", "longest_ms"),
    [
        ('name = "mainnet"', STALE_MS, 90_000),
        ('name = "nile"\nblock_time_s = 0.3', STALE_MS, 90_000),
        (PRIVATE, STALE_MS, LONGEST_MS),
        (PRIVATE + "block_time_s = 0.3", 10 * STALE_MS, LONGEST_MS),
        ('name = "devnet"\nblock_time_s = 0.1', 30 * STALE_MS, LONGEST_MS),
    ],
)
def test_a_fast_chain_is_judged_by_its_blocks_and_a_public_one_bounds_lifetimes(
    tmp_path: Path, network: str, stale_ms: int, longest_ms: int
) -> None:
    text = f"[network]\n{network}\n[sending]\nrestore_wait_s = 90\n"
    config = load(text, tmp_path=tmp_path)
    terms = restore_terms(config, identity="file", head_at_start=UnixMillis(7))
    assert (terms.identity, terms.head_at_start) == ("file", 7)
    assert terms.wait_ms == 90_000
    assert terms.stale_ms == stale_ms
    assert terms.longest_ms == longest_ms
