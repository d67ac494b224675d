"""A payment tells what its state rests on: the block, two endpoints, or one."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from attrs import define
from msgspec.structs import replace

from lucidtrond.chain.exact_checker import ExactChecker
from lucidtrond.events.types import Payment, Proof
from lucidtrond.node.questions.solid_numbers import SolidNumbers
from lucidtrond.sending.plan import Inclusion
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.tokens import TETHER_CHECKS, KnownToken, KnownTokens
from lucidtrond.tron.units import Sun, UnixMillis
from tests.chain.model import emit, emitted
from tests.sending.model import OWNERS, TOKEN, Process, must_find, pay, process

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


KNOWN = KnownToken(TOKEN, "USDT", "", 6, zero_while_exact=TETHER_CHECKS)
FOR_EVER = replace(KNOWN, zero_while_exact=())
WHOLE = 10**6


@define
class Getters:
    """What the token's getters return on the solid state."""

    made: Process
    numbers: tuple[int, ...] = (0, 0, 0)

    async def read_solid_numbers(
        self,
        contract: Address,  # noqa: ARG002 - the Protocol's
        functions: Sequence[str],  # noqa: ARG002
    ) -> SolidNumbers:
        head = self.made.ledger.position().solid
        assert head is not None
        return SolidNumbers(head, head, self.numbers)


@asynccontextmanager
async def with_exact(
    token: KnownToken = KNOWN,
) -> AsyncIterator[tuple[Process, Getters, ExactChecker]]:
    async with process() as made:
        made.known = KnownTokens([token])
        await made.start()
        await made.level()
        await made.store.write(lambda tx: made.ledger.watch(tx, OWNERS[0]))
        node = Getters(made)
        checker = ExactChecker(
            node,
            made.store,
            ledger=made.ledger,
            emit=emit,
            observers=[made.sender.outcomes],
        )
        yield made, node, checker


async def row_proof(made: Process) -> Proof:
    [row] = [row for row in (await made.ledger.entries())[0] if row.kind == "trc20"]
    return row.proof


async def proofs_in_events(made: Process) -> list[tuple[str, str | None]]:
    events = await made.store.read(lambda tx: emitted(tx, "transaction"))
    payments = [event["payment"] for event in events]
    return [(row["state"], row["proof"]) for row in payments if row["proof"]]


@pytest.mark.parametrize("token", [KNOWN, FOR_EVER])
@pytest.mark.parametrize("second", [False, True])
async def test_a_payment_of_an_exact_token_rests_on_its_call(
    token: KnownToken, *, second: bool
) -> None:
    async with with_exact(token) as (made, _, checker):
        made.chain.second = second
        await checker.turn()
        paid = await settled(made, asset=TOKEN.base58)
        assert (paid.state, paid.proof) == ("solidified", "signatures")
        assert await row_proof(made) == "signatures"


@pytest.mark.parametrize(
    ("second", "less"), [(False, "one_source"), (True, "two_sources")]
)
async def test_a_payment_is_proven_no_longer_than_its_row(
    *, second: bool, less: Proof
) -> None:
    async with with_exact() as (made, node, checker):
        made.chain.second = second
        await checker.turn()
        await settled(made, asset=TOKEN.base58)
        node.numbers = (1, 0, 0)
        checker._not_started.add(TOKEN)
        await checker.turn()
        assert await row_proof(made) == less
        paid = await must_find(made)
        assert (paid.state, paid.proof) == ("solidified", less)
        assert await proofs_in_events(made) == [
            ("included", "signatures"),
            ("solidified", "signatures"),
            ("solidified", less),
        ]


async def test_a_large_payment_is_proven_by_the_check_after_it() -> None:
    async with with_exact() as (made, _, checker):
        await checker.turn()
        made.chain.tokens = 10**6 * WHOLE
        await pay(made, asset=TOKEN.base58, amount=10_000 * WHOLE)
        await made.mine(LAG + 2)
        assert (await must_find(made)).proof == await row_proof(made) == "one_source"
        await checker.turn()
        assert (await must_find(made)).proof == await row_proof(made) == "signatures"
        assert (await proofs_in_events(made))[-1] == ("solidified", "signatures")


@pytest.mark.parametrize(
    ("moved", "state"), [(0, "unproven"), (4, "solidified"), (6, "solidified")]
)
@pytest.mark.parametrize("checked", [True, False])
async def test_logs_that_are_not_the_call_prove_no_more_than_they_do(
    moved: int, state: str, *, checked: bool
) -> None:
    async with with_exact() as (made, _, checker):
        made.chain.moved = moved
        if checked:
            await checker.turn()
        paid = await settled(made, asset=TOKEN.base58)
        await checker.turn()
        paid = await must_find(made)
        assert (paid.state, paid.proof) == (state, "one_source")


@pytest.mark.parametrize("off", [-1, 1])
async def test_a_check_proves_no_log_that_says_another_amount(off: int) -> None:
    amount = 10_000 * WHOLE
    async with with_exact() as (made, _, checker):
        await checker.turn()
        made.chain.tokens = 10**6 * WHOLE
        made.chain.moved = amount + off
        await pay(made, asset=TOKEN.base58, amount=amount)
        await made.mine(LAG + 2)
        await checker.turn()
        changes = await made.store.read(lambda tx: emitted(tx, "transfer"))
        assert changes[-1]["change"] == "proven"  # the row of the call
        paid = await must_find(made)
        assert (paid.state, paid.proof) == ("solidified", "one_source")


async def test_what_one_unproven_block_holds_is_proven_by_no_call() -> None:
    async with with_exact(FOR_EVER) as (made, _, _):
        made.chain.roots_fit = False
        paid = await settled(made, asset=TOKEN.base58)
        assert (paid.state, paid.proof) == ("solidified", "one_source")


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
