"""History: what the ledger holds, page by page."""

from typing import Any

import pytest
from trio.testing import MockClock

from lucidtrond.api import InvalidInput
from lucidtrond.tron.address import Address
from tests.plugins.bench import STRANGER, make_shop, open_shipped, payment


async def test_pages_stay_the_same_while_new_blocks_come(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await bench.call("wallet.create")
        for number in range(1, 6):
            await bench.fund(shop.address, number * 1_000_000)
        seen: list[str] = []
        params: dict[str, Any] = {"address": shop.address, "limit": 2}
        while True:
            page = await bench.call("history.list", params)
            seen += [entry.amount for entry in page.entries]
            await bench.fund(shop.address, 9_000_000)  # above the first page
            if page.next_cursor is None:
                break
            params["cursor"] = page.next_cursor
        assert seen == [str(number * 1_000_000) for number in (5, 4, 3, 2, 1)]


async def test_history_is_narrowed_by_time_kind_and_asset(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        await bench.call("transfer.send", payment(shop))
        await bench.settle()

        async def amounts(**narrower: Any) -> list[str]:
            page = await bench.call(
                "history.list", {"address": shop.address, **narrower}
            )
            assert page.total == len(page.entries) + narrower.get("skip", 0)
            return [entry.amount for entry in page.entries]

        newest, oldest = (
            await bench.call("history.list", {"address": shop.address})
        ).entries
        first, last = oldest.block_timestamp_ms, newest.block_timestamp_ms
        assert await amounts() == [newest.amount, oldest.amount]
        assert await amounts(from_ms=last) == [newest.amount]
        assert await amounts(to_ms=first) == [oldest.amount]
        assert await amounts(from_ms=last, to_ms=last) == [newest.amount]
        assert await amounts(skip=1) == [oldest.amount]
        assert await amounts(from_ms=first + 1, to_ms=last - 1) == []
        assert len(await amounts(kinds=["trx"])) == 2
        assert await amounts(kinds=["trc20", "internal"]) == []
        assert len(await amounts(asset="TRX")) == 2
        for other in (STRANGER, Address.from_base58(STRANGER).hex, "1000001"):
            assert await amounts(asset=other) == []


async def test_one_page_counts_and_an_unwatched_payee_shows_what_we_paid(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        await bench.call("transfer.send", payment(shop))
        await bench.settle()
        ours = await bench.call("history.list", {"address": shop.address, "limit": 1})
        assert (len(ours.entries), ours.total, ours.watched) == (1, 2, True)
        theirs = await bench.call("history.list", {"address": STRANGER})
        assert (len(theirs.entries), theirs.total, theirs.watched) == (1, 1, False)


async def test_an_empty_history_says_whether_anyone_looked(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await bench.call("wallet.create")
        mine = await bench.call("history.list", {"address": shop.address})
        theirs = await bench.call("history.list", {"address": STRANGER})
        everyones = await bench.call("history.list")
        assert (mine.entries, mine.watched) == ([], True)
        assert (theirs.entries, theirs.watched) == ([], False)
        assert everyones.watched is None
        assert mine.complete_from == bench.ledger.position().complete_from


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"skip": -1}, "skip"),
        ({"cursor": "x"}, "cursor: not one that this method gave"),
        ({"cursor": "1.1", "skip": 1}, "skip"),
        ({"from_ms": 2, "to_ms": 1}, r"from_ms: expected at most to_ms \(1\), got 2"),
        ({"from_ms": -1}, "from_ms"),
        ({"kinds": ["gold"]}, "kinds"),
        ({"min_proof": "three_sources"}, "three_sources.*min_proof"),
        ({"address": "shop"}, "address: expected base58"),
        ({"asset": "shop"}, "asset: expected a contract's address or a known symbol"),
    ],
)
async def test_an_impossible_question_is_refused(
    params: dict[str, Any], problem: str, autojump_clock: MockClock
) -> None:
    async with open_shipped() as bench:
        with pytest.raises(InvalidInput, match=problem):
            await bench.call("history.list", params)
