"""The workbench is a daemon: what it shows is what the daemon would do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
import trio
from trio.testing import MockClock

from lucidtrond.api import Context, NoConfig, Plugin, Result
from lucidtrond.store.database import open_store
from lucidtrond.testing import LocalNode, open_workbench
from tests.plugins.bench import SHIPPED, make_shop, open_shipped, payment


async def test_two_workbenches_in_one_process_share_nothing(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as first, open_shipped() as second:
        made = await first.call("wallet.create")
        assert (await second.call("wallet.list")).wallets == []
        assert (await second.call("wallet.create")).address == made.address
        await first.mine(5)
        assert (await second.call("network.status")).head_number != (
            await first.call("network.status")
        ).head_number


async def test_settling_makes_everything_final(autojump_clock: MockClock) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        await bench.call("transfer.send", payment(shop))
        await bench.settle()
        assert (await bench.call("transfer.list", {"unresolved": True})).payments == []
        entries = (await bench.call("history.list")).entries
        assert len(entries) == 2
        assert all(entry.solidified for entry in entries)


async def test_a_restarted_workbench_goes_on_where_it_was(
    autojump_clock: MockClock,
) -> None:
    node = LocalNode()
    async with open_store(None) as store:
        async with open_shipped(node=node, store=store) as bench:
            shop = await make_shop(bench)
            sent = await bench.call("transfer.send", payment(shop))
        await node.mine(30)  # nobody is there
        async with open_shipped(node=node, store=store) as bench:
            assert (await bench.call("keystore.status")).locked
            await bench.mine()
            status = await bench.call("transfer.status", {"txid": sent.txid})
            assert status.state == "solidified"
            [paid, _] = (
                await bench.call("wallet.history", {"wallet": shop.wallet_id})
            ).entries
            assert paid.txid == sent.txid


async def test_a_result_that_is_not_of_its_type_is_found(
    autojump_clock: MockClock,
) -> None:
    class Answer(Result, frozen=True):
        number: int

    plugin = Plugin("some")

    @plugin.method("some.lie")
    async def lie(_ctx: Context[NoConfig]) -> Answer:
        """Give a text for a number."""
        wrong: Any = "seven"
        return Answer(number=wrong)

    async with open_workbench({"some": {}}, plugins=[plugin]) as bench:
        with pytest.raises(msgspec.ValidationError, match="Expected `int`, got `str`"):
            await bench.call("some.lie")


async def test_events_come_in_order_and_by_topic(autojump_clock: MockClock) -> None:
    async with open_shipped() as bench:
        await make_shop(bench)
        everything = await bench.events()
        assert [event.seq for event in everything] == sorted(e.seq for e in everything)
        wallets = await bench.events("wallet")
        assert [event.topic for event in wallets] == ["wallet"]
        assert await bench.events("wallet", since=wallets[0].seq) == []


async def test_leaving_it_in_the_middle_of_a_call_closes_everything(
    autojump_clock: MockClock,
) -> None:
    left: list[str] = []
    plugin = Plugin("some")

    @plugin.lifespan
    @asynccontextmanager
    async def life(_ctx: Context[NoConfig]) -> AsyncIterator[None]:
        try:
            yield
        finally:
            left.append("lifespan")

    with trio.move_on_after(50) as scope:
        async with open_workbench({**SHIPPED, "some": {}}, plugins=[plugin]) as bench:
            shop = await make_shop(bench)
            await bench.call("transfer.send", payment(shop, wait="solidified"))
    assert scope.cancelled_caught
    assert left == ["lifespan"]
    assert bench.vault.is_locked
