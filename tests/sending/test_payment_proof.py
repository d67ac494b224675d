"""A payment tells what its state rests on: the block, two endpoints, or one."""

from pathlib import Path

import pytest

from lucidtrond.events.types import Payment, Proof
from lucidtrond.sending.plan import Inclusion
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.units import Sun, UnixMillis
from tests.sending.model import OWNERS, TOKEN, Process, pay, process

LAG = 20


async def settled(made: Process, *, asset: str) -> Payment:
    assert (await pay(made, asset=asset)).proof is None
    await made.mine(LAG + 2)
    found = await made.sender.find(key="a")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("asset", "roots_fit", "second", "proof"),
    [
        ("TRX", True, False, "signatures"),
        ("TRX", False, False, "one_source"),
        ("TRX", False, True, "one_source"),
        (TOKEN.base58, True, False, "one_source"),
        (TOKEN.base58, True, True, "two_sources"),
        (TOKEN.base58, False, True, "two_sources"),
    ],
)
async def test_what_is_paid_tells_what_proves_it(
    asset: str, *, roots_fit: bool, second: bool, proof: Proof
) -> None:
    async with process() as made:
        made.chain.roots_fit, made.chain.second = roots_fit, second
        await made.store.write(lambda tx: made.ledger.watch(tx, OWNERS[0]))
        found = await settled(made, asset=asset)
        assert (found.state, found.proof) == ("solidified", proof)


@pytest.mark.parametrize("arrived", [None, 0])
@pytest.mark.parametrize(
    ("committed", "proof"), [(True, "signatures"), (False, "one_source")]
)
def test_a_failure_rests_on_its_block(
    arrived: int | None, *, committed: bool, proof: Proof
) -> None:
    failed = Inclusion(7, BlockId("07"), UnixMillis(5), 2, Sun(3), arrived)
    for agreed in (False, True):
        assert failed.with_proof(committed=committed, agreed=agreed).proof == proof


async def test_a_log_that_was_found_later_is_one_endpoints_word() -> None:
    async with process() as made:
        made.chain.moved = 0
        found = await settled(made, asset=TOKEN.base58)
        assert (found.state, found.proof) == ("unproven", "one_source")
        made.chain.moved = None
        await made.sender._proving.ask_due()
        found = await made.sender.find(key="a")  # type: ignore[assignment]
        assert (found.state, found.proof) == ("solidified", "one_source")


async def test_a_fork_takes_the_proof_back_and_a_row_of_before_has_none(
    tmp_path: Path,
) -> None:
    async with process(tmp_path / "db") as made:
        await pay(made)
        await made.mine(2)
        found = await made.sender.find(key="a")
        assert found is not None
        assert (found.state, found.proof) == ("included", "signatures")
        await made.store.write(
            lambda tx: tx.execute("UPDATE sending_attempt SET proof = NULL")
        )
        await made.mine(LAG)
        found = await made.sender.find(key="a")
        assert found is not None
        assert (found.state, found.proof) == ("solidified", None)


async def test_the_proven_block_counts_though_an_unproven_one_came_first() -> None:
    async with process() as made:
        made.chain.roots_fit = False
        sent = await pay(made)
        await made.mine(1)
        first = await made.sender.find(key="a")
        assert first is not None
        assert (first.state, first.proof) == ("included", "one_source")
        assert sent.txid is not None
        [held] = made.chain.blocks[first.block_number or 0].transactions
        made.chain.roots_fit = True
        made.chain.grow(held.transaction)
        await made.mine(LAG + 2)
        found = await made.sender.find(key="a")
        assert found is not None
        assert (found.state, found.proof) == ("solidified", "signatures")
        assert found.block_number == (first.block_number or 0) + 1
