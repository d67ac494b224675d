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
    verdict = _verdict(f"  {getattr(address, form)} ")
    assert (verdict.valid, verdict.form, verdict.address) == (
        True,
        form,
        address.base58,
    )
    assert verdict.reason is None


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
    verdict = _verdict(text[:place] + letter + text[place + 1 :])
    assert (verdict.valid, verdict.address) == (False, None)
    assert verdict.reason is not None


@given(st.text(max_size=100))
def test_any_text_gets_a_verdict(text: str) -> None:
    verdict = _verdict(text)
    assert verdict.valid == (verdict.address is not None) == (verdict.reason is None)


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
        verdict = await bench.call("address.validate", {"address": shop.address})
        assert (verdict.valid, verdict.ours, verdict.online) == (True, True, False)
        assert (verdict.activated, verdict.balance_sun, verdict.as_of_block) == (
            None,
        ) * 3
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
            verdicts = await bench.host.call(
                "address.validate_many", {"addresses": texts}
            )
            nursery.cancel_scope.cancel()
        assert turns >= 90
        assert verdicts.valid == 5_000
        assert [result.valid for result in verdicts.results] == [True, False] * 5_000
        with pytest.raises(InvalidInput, match="length <= 10000"):
            await bench.call("address.validate_many", {"addresses": [*texts, "T1"]})


@given(addresses(), st.sampled_from(FORMS))
@settings(max_examples=10, deadline=None)
def test_converting_gives_all_forms(address: Address, form: str) -> None:
    async def main() -> None:
        async with open_shipped(keystore=False) as bench:
            forms = await bench.call(
                "address.convert", {"address": getattr(address, form)}
            )
            assert [forms.base58, forms.hex, forms.evm] == [
                address.base58,
                address.hex,
                address.evm,
            ]

    trio.run(main, clock=MockClock(autojump_threshold=0))
