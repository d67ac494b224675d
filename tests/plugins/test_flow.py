"""The way of one payment through all plugins."""

from trio.testing import MockClock

from tests.plugins.bench import open_shipped


async def test_a_payment_goes_through_all_plugins(autojump_clock: MockClock) -> None:
    async with open_shipped() as bench:
        shop = await bench.call("wallet.create", {"label": "shop"})
        supplier = await bench.call("wallet.create", {"label": "supplier"})
        funded = await bench.fund(shop.address, 100_000_000)
        payment = await bench.call(
            "transfer.send",
            {
                "from": shop.wallet_id,
                "to": supplier.address,
                "amount_sun": "12345678",
                "idempotency_key": "invoice-1",
            },
        )
        await bench.settle()
        settled = await bench.call("transfer.status", {"txid": payment.txid})
        assert settled.state == "solidified"
        receipt = await bench.call("tx.receipt", {"txid": payment.txid})
        assert (receipt.success, receipt.solidified, receipt.fee_sun) == (
            True,
            True,
            "1100000",
        )
        history = await bench.call("history.list", {"address": shop.address})
        assert [entry.txid for entry in history.entries] == [payment.txid, funded]
        balance = await bench.call("wallet.balance", {"wallet": shop.wallet_id})
        assert int(balance.balance_sun) == 100_000_000 - 12_345_678 - 1_100_000
