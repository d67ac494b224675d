"""Token payments over loopback HTTP: what nodes print of calls, contracts and logs."""

from pathlib import Path

import pytest

from lucidtrond.devnet.describe import tokens_of
from lucidtrond.errors import WouldFail
from lucidtrond.orders import PaymentOrder
from lucidtrond.tron.address import Address
from tests.sending.test_on_devnet import LAG, Gateway, shop

HELD, PAID = 5_000_000, 2_000_000


async def funded(made: Gateway, wallet: Address, symbol: str) -> Address:
    [token] = [each for each in tokens_of(made.devnet.chain) if each.symbol == symbol]
    await made.devnet.fund_token(wallet, token.address, HELD)
    await made.mine(LAG)
    return token.address


@pytest.mark.parametrize(
    ("symbol", "energy", "burned"),
    [
        ("IUSD", 28_297, 2_829_700),
        ("ZERO", 28_297, 2_829_700),  # as mainnet's USDT answers
        ("TOPIC1", 28_297, 2_829_700),
        ("FEE", 33_297, 3_329_700),
        ("SPONSOR", 28_297, 849_000),
    ],
)
async def test_a_token_is_estimated_sent_solidified_and_booked(
    tmp_path: Path, symbol: str, energy: int, burned: int
) -> None:
    sorts = () if symbol == "IUSD" else (symbol,)
    async with shop(tmp_path / "db", *sorts) as (made, wallet):
        token = await funded(made, wallet, symbol)
        recipient = await made.new_address()
        order = PaymentOrder(
            key="k", owner=wallet, to=recipient, asset=token.base58, amount=PAID
        )
        estimate = await made.sender.estimate(order)
        assert (estimate.energy, estimate.energy_burn_sun) == (energy, str(burned))
        sent = await made.sender.send(order)
        await made.mine(LAG + 1)
        paid = await made.sender.wait(sent.payment_id, until="solidified")
        assert paid.state == "solidified"
        assert paid.fee_sun == estimate.total_burn_sun
        assert paid.arrived_raw == estimate.arrives_raw
        entries, _, _ = await made.ledger.entries(recipient)
        [entry] = [each for each in entries if each.kind == "trc20"]
        assert entry.amount == paid.arrived_raw
        assert (entry.success, entry.solidified) == (True, True)


async def test_a_token_that_moves_nothing_is_refused_or_never_called_paid(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with shop(tmp_path / "db", "LIAR", "REFUSER", "FICKLE") as (made, wallet):
        recipient = await made.new_address()
        for symbol in ("LIAR", "REFUSER", "FICKLE"):
            token = (await funded(made, wallet, symbol)).base58
            order = PaymentOrder(
                key=symbol, owner=wallet, to=recipient, asset=token, amount=PAID
            )
            if symbol != "FICKLE":
                with pytest.raises(WouldFail, match="no Transfer log"):
                    await made.sender.send(order)
                continue
            sent = await made.sender.send(order)
            assert sent.state == "pending"
            await made.mine(LAG + 1)
            ended = await made.sender.wait(sent.payment_id, until="solidified")
            assert (ended.state, ended.safe_to_retry) == ("unproven", False)
            assert ended.arrived_raw == "0"
            assert caplog.messages.count("payment unproven") == 1
        _, _, total = await made.ledger.entries(recipient)
        assert total == 0
