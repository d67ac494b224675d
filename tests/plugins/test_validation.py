"""Addresses: every form read, every fault named, thousands at a time."""

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from lucidtrond.api import InvalidInput, NodeUnavailable
from lucidtrond.testing.strategies import addresses
from lucidtrond.tron.address import Address
from lucidtrond_validation import _verdict
from tests.plugins.bench import STRANGER, make_shop, open_shipped

FORMS = ("base58", "hex", "evm")


@given(addresses(), st.sampled_from(FORMS))
def test_every_form_of_an_address_is_recognised(address: Address, form: str) -> None:
    found = _verdict(f"  {getattr(address, form)} ")
    assert (found.valid, found.form, found.address) == (True, form, address.base58)
    assert found.reason is None


@given(addresses(), st.data())
def test_one_wrong_letter_is_found_by_the_checksum(
    address: Address, data: st.DataObject
) -> None:
    text = address.base58
    place = data.draw(st.integers(1, len(text) - 1))
    letter = data.draw(
        st.sampled_from(
            "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
        ).filter(lambda letter: letter != text[place])
    )
    found = _verdict(text[:place] + letter + text[place + 1 :])
    assert (found.valid, found.address) == (False, None)
    assert found.reason is not None


@given(st.text(max_size=100))
def test_any_text_gets_a_verdict(text: str) -> None:
    found = _verdict(text)
    assert found.valid == (found.address is not None) == (found.reason is None)


async def test_an_address_of_ours_and_a_strangers_are_told_apart(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        ours = await bench.call("address.validate", {"address": shop.address})
        assert (ours.valid, ours.ours, ours.activated, ours.online) == (True,) * 4
        assert (ours.balance_sun, ours.is_contract) == ("100000000", False)
        theirs = await bench.call("address.validate", {"address": STRANGER})
        assert (theirs.valid, theirs.ours, theirs.activated) == (True, False, False)
        none = await bench.call("address.validate", {"address": STRANGER[:-1]})
        assert (none.valid, none.ours, none.online) == (False, None, False)


async def test_without_a_node_the_offline_part_is_still_answered(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        bench.node.trouble = NodeUnavailable("local", 3)
        found = await bench.call("address.validate", {"address": shop.address})
        assert (found.valid, found.ours, found.online) == (True, True, False)
        assert (found.activated, found.balance_sun, found.as_of_block) == (None,) * 3
        bench.node.trouble = None


async def test_ten_thousand_are_checked_in_order_and_let_others_work(
    autojump_clock: MockClock,
) -> None:
    texts = [STRANGER, "T1"] * 5_000
    async with open_shipped() as bench:
        turns = 0

        async def turn() -> None:
            nonlocal turns
            while True:
                turns += 1
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(turn)
            found = await bench.host.call("address.validate_many", {"addresses": texts})
            nursery.cancel_scope.cancel()
        assert turns >= 90
        assert found.valid == 5_000
        assert [each.valid for each in found.results] == [True, False] * 5_000
        with pytest.raises(InvalidInput, match="length <= 10000"):
            await bench.call("address.validate_many", {"addresses": [*texts, "T1"]})


@given(addresses(), st.sampled_from(FORMS))
@settings(max_examples=10, deadline=None)
def test_converting_gives_all_forms(address: Address, form: str) -> None:
    async def main() -> None:
        async with open_shipped(keystore=False) as bench:
            found = await bench.call(
                "address.convert", {"address": getattr(address, form)}
            )
            assert [found.base58, found.hex, found.evm] == [
                address.base58,
                address.hex,
                address.evm,
            ]

    trio.run(main, clock=MockClock(autojump_threshold=0))
