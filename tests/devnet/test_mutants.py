"""One byte changed: never taken with another meaning than the signature covers."""

import json
import multiprocessing
import os
import random
from concurrent.futures import ProcessPoolExecutor
from typing import Final

import pytest

from tests.devnet.asking import ask, chain
from tests.devnet.mutating import PATH, Mutants

SAMPLE: Final = 3_000
BY_HTTP: Final = 300
SHARE: Final = 50_000
SHARES: Final = 20


def send_many(seed: str, count: int) -> int:
    """Send *count* mutants to a chain of their own; gives how many were taken."""
    mutants = Mutants(random.Random(seed))
    for _ in range(count):
        mutants.send(*mutants.next())
    return mutants.taken


def test_what_is_not_changed_is_taken() -> None:
    mutants = Mutants(random.Random(0))
    for original in mutants.originals:
        mutants.send(original, original.transaction.encode())
    assert mutants.taken == len(mutants.originals)


def test_mutants_are_taken_for_what_was_signed_or_refused() -> None:
    assert send_many("sample", SAMPLE) > SAMPLE // 50


@pytest.mark.process
async def test_no_mutant_makes_the_server_fail() -> None:
    mutants = Mutants(random.Random("http"))
    async with chain() as devnet:
        for _ in range(BY_HTTP):
            _, data = mutants.next()
            answer = await ask(devnet.url, PATH, {"transaction": data.hex()})
            assert answer.status == 200
            json.loads(answer.body)


@pytest.mark.slow
def test_a_million_mutants() -> None:
    seeds = [f"share {number}" for number in range(SHARES)]
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=fresh) as workers:
        taken = list(workers.map(send_many, seeds, [SHARE] * SHARES))
    assert min(taken) > SHARE // 50
