"""The embedded chain's verbs as methods."""

from typing import Any

import pytest
from trio.testing import MockClock

from lucidtrond import pluginhost
from lucidtrond.api import CallerClass, InvalidInput, RecipientRefused
from lucidtrond.api.devnet import NAMES, VERBS
from lucidtrond.tron.address import ZERO
from tests.plugins.bench import SHIPPED, STRANGER, open_shipped
from tests.plugins.test_recipients import TO

METHODS = {method.name: method for method in pluginhost.load(SHIPPED).methods()}


def test_each_name_of_a_verb_is_a_method_and_nothing_else_is() -> None:
    offered = {name for name in METHODS if name.startswith("devnet.")}
    assert offered == {f"devnet.{name}" for name in NAMES}
    for name, verb in NAMES.items():
        method = METHODS[f"devnet.{name}"]
        caller: CallerClass = "spend" if verb.changes else "read"
        assert method.caller == caller
        if name in VERBS:
            assert method.summary == verb.summary
        else:
            assert f"`devnet.{verb.name}`" in method.summary


async def test_what_a_verb_gives_is_what_its_method_gives(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        info = await bench.call("devnet.info")
        assert info.witness_keys.keys() == set(info.witnesses)
        assert isinstance(info, VERBS["info"].result)


@pytest.mark.parametrize("text", [ZERO.base58, ZERO.evm, ZERO.hex])
async def test_the_zero_address_gets_test_money_only_if_it_is_meant(
    text: str, autojump_clock: MockClock
) -> None:
    async with open_shipped() as bench:
        asked: dict[str, Any] = {
            "address": text,
            "amount_sun": "1",
            "allow_unchecked_recipient": True,
        }
        with pytest.raises(RecipientRefused, match="allow_zero_address") as refused:
            await bench.call("devnet.fund", asked)
        assert refused.value.data["flag"] == "allow_zero_address"
        assert (
            await bench.call("devnet.fund", {**asked, "allow_zero_address": True})
        ).txid


async def test_a_token_is_not_named_by_hex_without_a_checksum(
    autojump_clock: MockClock,
) -> None:
    async with open_shipped() as bench:
        asked = {"address": STRANGER, "asset": TO.hex, "amount_raw": "1"}
        with pytest.raises(InvalidInput, match=r"asset: expected .* with a checksum"):
            await bench.call("devnet.fund", asked)
