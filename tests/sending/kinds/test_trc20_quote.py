"""Token payments before the signature: what a simulation shows, and what it costs."""

import pytest
from attrs import evolve

from lucidtrond.errors import (
    CallNotRun,
    InvalidInput,
    NodeError,
    NodeRefused,
    WouldFail,
)
from lucidtrond.orders import PaymentOrder
from lucidtrond.tron.account import Resources
from lucidtrond.tron.contract_terms import ContractTerms
from lucidtrond.tron.transaction import RESULT_ALLOWANCE_BYTES, TxId
from tests.sending.model import OWNERS, TO, TOKEN, pay, process

ORDER = PaymentOrder(key="a", owner=OWNERS[0], to=TO, asset=TOKEN.base58, amount=5)


@pytest.mark.parametrize(
    "returned",
    [b"", bytes(32), (1).to_bytes(32, "big"), b"\xff" * 32, b"\x01", bytes(96)],
)
async def test_what_a_tokens_transfer_returns_decides_nothing(returned: bytes) -> None:
    """Mainnet's USDT returns 32 zero bytes when it has moved the amount."""
    async with process() as made:
        made.chain.returns = returned
        sent = await pay(made, asset=TOKEN.base58)
        assert sent.state == "pending"
        made.chain.simulated = 0
        with pytest.raises(WouldFail, match="no Transfer log"):
            await pay(made, key="b", asset=TOKEN.base58)


async def test_a_call_that_the_machine_stops_is_the_tokens_refusal() -> None:
    async with process() as made:
        made.chain.stops = "Invalid operation code: opCode[fe];"
        with pytest.raises(WouldFail, match=r"opCode\[fe\]"):
            await pay(made, asset=TOKEN.base58)
        assert made.signer.signatures == 0


@pytest.mark.parametrize(
    ("percent", "staked", "burned"),
    [
        (100, 10**9, 2_829_700),
        (30, 10**9, 849_000),
        (30, 10_000, 1_829_700),  # it has no more than that
        (0, 10**9, 0),
    ],
)
async def test_what_the_contracts_maker_pays_is_not_the_callers_to_burn(
    percent: int, staked: int, burned: int
) -> None:
    async with process() as made:
        chain = made.chain
        chain.energy = 28_297
        chain.terms = ContractTerms(TO, percent, 10**7)
        chain.resources_of[TO] = Resources(energy_limit=staked + 5, energy_used=5)
        chain.resources = Resources(free_net_limit=600)
        estimate = await made.sender.estimate(evolve(ORDER, to=OWNERS[1]))
        assert estimate.energy_burn_sun == str(burned)
        assert estimate.energy - estimate.origin_energy == burned // 100
        # Should the maker not pay any more, the call has still enough to end well.
        assert estimate.fee_limit_sun == str(2_829_700 * 120 // 100)
        chain.terms = ContractTerms(OWNERS[0], percent, 10**7)
        own = await made.sender.estimate(evolve(ORDER, to=OWNERS[1]))
        assert (own.energy_burn_sun, own.origin_energy) == ("2829700", 0)


@pytest.mark.parametrize("energy", [17_476, 17_477, 30_000])
async def test_the_size_estimated_is_that_of_the_bytes_signed(energy: int) -> None:
    """Below 2,097,152 sun a fee limit takes a byte less than the configured one."""
    async with process() as made:
        made.chain.energy = energy
        estimate = await made.sender.estimate(ORDER)
        sent = await pay(made, asset=TOKEN.base58)
        assert sent.txid is not None
        signed = made.chain.pool[TxId(sent.txid)]
        charged = len(signed.encode()) + RESULT_ALLOWANCE_BYTES
        assert estimate.bandwidth_bytes == charged
        assert int(sent.fee_limit_sun or 0) == energy * 120


async def test_a_fee_that_the_token_takes_is_seen_before_paying() -> None:
    async with process() as made:
        made.chain.simulated = 4
        assert (await made.sender.estimate(ORDER)).arrives_raw == "4"
        trx = evolve(ORDER, asset="TRX")
        assert (await made.sender.estimate(trx)).arrives_raw is None


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (NodeRefused("model", "does not support constant"), NodeError),
        (CallNotRun("model", "Smart contract is not exist."), InvalidInput),
    ],
)
async def test_a_node_that_can_not_simulate_says_nothing_of_the_token(
    raised: NodeError, error: type[Exception]
) -> None:
    async with process() as made:

        def fail(question: str) -> None:
            if question == "call":
                raise raised

        made.chain.before_answer = fail
        with pytest.raises(error):
            await pay(made, asset=TOKEN.base58)
