"""Wallets, one and many: a row, a key, a watch and an event, or nothing."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from lucidtrond.api import (
    Conflict,
    InvalidInput,
    KeystoreMissing,
    NotFound,
    PluginDisabled,
)
from lucidtrond.errors import StoreError
from lucidtrond.store.database import open_store
from lucidtrond.testing import LocalNode, Workbench, open_workbench
from lucidtrond.testing.strategies import addresses, labels
from lucidtrond.tron.address import Address
from tests.plugins.bench import SHIPPED, STRANGER, open_shipped


async def counts(bench: Workbench) -> tuple[int, int, int, int]:
    """Wallets, keys handed out, watched addresses, events."""
    return await bench.store.read(
        lambda tx: (
            tx.execute("SELECT count(*) FROM wallets_wallet")[0][0],
            tx.execute("SELECT count(*) FROM wallets_request")[0][0],
            tx.execute("SELECT count(*) FROM chain_watch")[0][0],
            tx.execute("SELECT count(*) FROM event_outbox WHERE topic = 'wallet'")[0][
                0
            ],
        )
    )


async def test_a_new_wallet_has_a_key_is_watched_and_is_told_of(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        made = await bench.call("wallet.create", {"label": "shop"})
        address = Address.from_base58(made.address)
        assert made.wallet_id.startswith("w_")
        assert (made.label, made.created_ms) == ("shop", bench.clock.now_ms())
        assert await bench.store.read(lambda tx: bench.vault.owns(tx, address))
        assert await bench.store.read(lambda tx: bench.ledger.is_watched(tx, address))
        [event] = await bench.events("wallet")
        assert msgspec.json.decode(event.payload) == {
            "wallet_id": made.wallet_id,
            "address": made.address,
        }


async def test_a_wallet_is_found_by_id_and_by_address_in_any_form(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        made = await bench.call("wallet.create")
        address = Address.from_base58(made.address)
        for text in (made.wallet_id, address.base58, address.hex, address.evm):
            assert await bench.call("wallet.get", {"wallet": text}) == made
        with pytest.raises(NotFound, match=f"no wallet of ours .*{STRANGER}"):
            await bench.call("wallet.get", {"wallet": STRANGER})
        with pytest.raises(NotFound, match="no wallet w_0"):
            await bench.call("wallet.get", {"wallet": "w_0"})
        with pytest.raises(InvalidInput, match="expected a wallet id or an address"):
            await bench.call("wallet.get", {"wallet": "shop"})


async def test_wallets_are_made_while_the_keystore_is_locked(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        await bench.call("keystore.lock")
        first = await bench.call("wallet.create")
        second = await bench.call("wallet.create")
        assert first.address != second.address


async def test_without_a_keystore_nothing_is_made(autojump_clock: MockClock) -> None:
    async with open_shipped(keystore=False) as bench:
        with pytest.raises(KeystoreMissing):
            await bench.call("wallet.batch_create", {"count": 3})
        assert await counts(bench) == (0, 0, 0, 0)


async def test_pages_of_the_list_hold_each_wallet_once(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        made = (await bench.call("wallet.batch_create", {"count": 7})).wallets
        listed: list[Any] = []
        cursor = None
        while True:
            page = await bench.call("wallet.list", {"limit": 3, "cursor": cursor})
            listed += page.wallets
            assert len(page.wallets) <= 3
            cursor = page.next_cursor
            if cursor is None:
                break
        assert [wallet.wallet_id for wallet in listed] == [
            wallet.wallet_id for wallet in made
        ]
        past_the_end = await bench.call("wallet.list", {"cursor": "9" * 18})
        assert past_the_end.wallets == []
        for wrong in ("x", "-1", "1.5", "٣", "9" * 19):
            with pytest.raises(InvalidInput, match="cursor: expected a next_cursor"):
                await bench.call("wallet.list", {"cursor": wrong})


async def test_a_page_that_is_just_full_is_the_last(autojump_clock: MockClock) -> None:
    async with open_shipped() as bench:
        await bench.call("wallet.batch_create", {"count": 3})
        page = await bench.call("wallet.list", {"limit": 3})
        assert (len(page.wallets), page.next_cursor) == (3, None)


async def test_a_batch_numbers_its_wallets(autojump_clock: MockClock) -> None:
    async with open_shipped() as bench:
        batch = await bench.call("wallet.batch_create", {"count": 3, "prefix": "till-"})
        assert batch.count == 3
        assert [wallet.label for wallet in batch.wallets] == [
            "till-1",
            "till-2",
            "till-3",
        ]
        assert len({wallet.address for wallet in batch.wallets}) == 3
        assert len({wallet.wallet_id for wallet in batch.wallets}) == 3
        assert await counts(bench) == (3, 0, 3, 3)


@pytest.mark.parametrize("count", [0, 101, -1, "3", 1.5])
async def test_a_batch_has_1_to_100_wallets(
    count: object, autojump_clock: MockClock
) -> None:
    async with open_shipped() as bench:
        with pytest.raises(InvalidInput, match="count"):
            await bench.call("wallet.batch_create", {"count": count})
        assert (await bench.call("wallet.batch_create", {"count": 100})).count == 100


async def test_the_same_key_finds_the_same_wallets(autojump_clock: MockClock) -> None:
    async with open_shipped() as bench:
        request = {"count": 5, "prefix": "a", "idempotency_key": "k"}
        first = await bench.call("wallet.batch_create", request)
        assert await bench.call("wallet.batch_create", request) == first
        assert await counts(bench) == (5, 1, 5, 5)
        for other in ({"count": 6}, {"prefix": "b"}):
            with pytest.raises(Conflict, match="'k' made other wallets before"):
                await bench.call("wallet.batch_create", {**request, **other})
        one = {"label": "x", "idempotency_key": "k1"}
        assert await bench.call("wallet.create", one) == await bench.call(
            "wallet.create", one
        )


async def test_a_key_is_remembered_over_a_restart(autojump_clock: MockClock) -> None:
    node = LocalNode()
    request = {"count": 2, "idempotency_key": "k"}
    async with open_store(None) as store:
        async with open_shipped(node=node, store=store) as bench:
            first = await bench.call("wallet.batch_create", request)
        async with open_shipped(node=node, store=store) as bench:
            assert (await bench.vault.status()).locked
            assert await bench.call("wallet.batch_create", request) == first


async def test_a_batch_that_fails_in_the_middle_leaves_nothing(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        before = await bench.call("wallet.create")
        allocated = await bench.vault.status()
        # The batch's third address is taken by a row that can't be there.
        await bench.store.write(
            lambda tx: tx.execute(
                "CREATE TRIGGER stop BEFORE INSERT ON wallets_wallet"
                " WHEN NEW.label = 'x3'"
                " BEGIN SELECT RAISE(ABORT, 'stopped by the test'); END"
            )
        )
        with pytest.raises(StoreError):
            await bench.call(
                "wallet.batch_create",
                {"count": 5, "prefix": "x", "idempotency_key": "k"},
            )
        assert await counts(bench) == (1, 0, 1, 1)
        assert (await bench.vault.status()).keys == allocated.keys
        await bench.store.write(lambda tx: tx.execute("DROP TRIGGER stop"))
        made = await bench.call(
            "wallet.batch_create", {"count": 5, "prefix": "x", "idempotency_key": "k"}
        )
        assert before.address not in {wallet.address for wallet in made.wallets}


@given(st.lists(labels(), min_size=1, max_size=5))
@settings(max_examples=10, deadline=None)
def test_any_printable_label_comes_back(texts: list[str]) -> None:
    import trio  # noqa: PLC0415 - hypothesis and trio's own clock, only here

    async def main() -> None:
        async with open_shipped() as bench:
            for text in texts:
                made = await bench.call("wallet.create", {"label": text})
                assert made.label == text

    trio.run(main, clock=MockClock(autojump_threshold=0))


@pytest.mark.parametrize("label", ["a\nb", "\x00", "a\u202eb", "x" * 101])
async def test_a_label_that_could_fool_a_reader_is_refused(
    label: str, autojump_clock: MockClock
) -> None:
    async with open_shipped() as bench:
        with pytest.raises(InvalidInput, match="label"):
            await bench.call("wallet.create", {"label": label})
        assert await counts(bench) == (0, 0, 0, 0)


async def test_a_balance_says_of_when_it_is(autojump_clock: MockClock) -> None:
    async with open_shipped() as bench:
        shop = await bench.call("wallet.create")
        empty = await bench.call("wallet.balance", {"wallet": shop.wallet_id})
        assert (empty.balance_sun, empty.activated) == ("0", False)
        await bench.fund(shop.address, 5_000_000)
        full = await bench.call("wallet.balance", {"wallet": shop.address})
        assert (full.balance_sun, full.activated) == ("5000000", True)
        assert full.as_of_block > empty.as_of_block


async def test_a_wallets_history_is_that_of_its_address(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await bench.call("wallet.create")
        for amount in (1_000_001, 1_000_002, 1_000_003):
            await bench.fund(shop.address, amount)
        first = await bench.call(
            "wallet.history", {"wallet": shop.wallet_id, "limit": 2}
        )
        assert (first.address, first.total) == (shop.address, 3)
        assert [entry.amount for entry in first.entries] == ["1000003", "1000002"]
        rest = await bench.call(
            "wallet.history",
            {"wallet": shop.wallet_id, "limit": 2, "cursor": first.next_cursor},
        )
        assert [entry.amount for entry in rest.entries] == ["1000001"]
        assert rest.next_cursor is None


async def test_batches_need_the_wallets_plugin(autojump_clock: MockClock) -> None:
    sections = {k: v for k, v in SHIPPED.items() if k != "wallets"}
    async with open_workbench(sections) as bench:
        with pytest.raises(PluginDisabled, match=r"wallet\.create_named"):
            await bench.call("wallet.batch_create", {"count": 1})


@given(addresses())
def test_an_address_is_never_taken_for_a_wallet_id(address: Address) -> None:
    assert not address.base58.startswith("w_")
