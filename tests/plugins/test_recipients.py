"""Who is paid: an address in which a typo would be seen, unless a flag says so."""

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond import pluginhost
from lucidtrond.api import (
    AddressText,
    InvalidInput,
    RecipientRefused,
    read_recipient,
)
from lucidtrond.daemon.config import load_config
from lucidtrond.tron.address import ZERO, Address
from lucidtrond.tron.eip55 import checksummed
from tests.plugins.bench import STRANGER, make_shop, open_shipped, payment

TO = Address(b"\x41" + bytes.fromhex("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"))
UNCHECKED = [TO.evm, "0x" + TO.evm[2:].upper(), TO.hex, "0x" + TO.hex, f" {TO.evm} "]
raws = st.binary(min_size=20, max_size=20).map(lambda raw: Address(b"\x41" + raw))


@given(raws)
def test_hex_without_a_checksum_needs_the_flag(to: Address) -> None:
    for text in (to.evm, to.hex):
        with pytest.raises(RecipientRefused, match="allow_unchecked_recipient") as no:
            read_recipient(text, allow_unchecked=False)
        assert no.value.data["recipient"] == to.base58
        assert read_recipient(text, allow_unchecked=True) == to
    assert read_recipient(to.base58, allow_unchecked=False) == to


async def test_a_payment_to_hex_needs_the_flag() -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        for check in (True, False):
            for text in UNCHECKED:
                asked = payment(shop, to=text, check=check)
                with pytest.raises(RecipientRefused) as refused:
                    await bench.call("transfer.send", asked)
                assert text.strip() in refused.value.message
                assert refused.value.data["flag"] == "allow_unchecked_recipient"
        good = checksummed(TO.raw[1:])
        sent = await bench.call("transfer.send", payment(shop, to=good))
        assert sent.to_address == TO.base58
        meant = payment(shop, to=TO.evm, allow_unchecked_recipient=True)
        assert (await bench.call("transfer.send", meant)).txid == sent.txid
        with pytest.raises(InvalidInput, match="EIP-55"):
            await bench.call(
                "transfer.send",
                payment(shop, to=good.swapcase().replace("X", "x"), check=True),
            )


async def test_the_zero_address_needs_its_own_flag() -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        for text in (ZERO.base58, ZERO.evm, ZERO.hex):
            asked = payment(shop, to=text, allow_unchecked_recipient=True)
            with pytest.raises(RecipientRefused, match="allow_zero_address"):
                await bench.call("transfer.send", asked)
        asked = payment(shop, to=ZERO.base58, allow_zero_address=True)
        first = await bench.call("transfer.send", asked)
        assert first.to_address == ZERO.base58
        # Whoever asks again finds it, whatever they say about it.
        again = await bench.call("transfer.send", payment(shop, to=ZERO.base58))
        assert again.txid == first.txid


async def test_an_estimate_warns_of_what_a_payment_would_be_refused_for() -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)

        async def warned(to: str) -> list[str]:
            asked = {"from": shop.wallet_id, "to": to, "amount_sun": "1"}
            warnings: list[str] = (
                await bench.call("transfer.estimate", asked)
            ).warnings
            return warnings

        assert await warned(STRANGER) == []
        [unchecked] = await warned(TO.hex)
        assert "allow_unchecked_recipient" in unchecked
        [zero] = await warned(ZERO.base58)
        assert "zero address" in zero
        assert len(await warned(ZERO.evm)) == 2


async def test_test_money_too_needs_the_flag() -> None:
    async with open_shipped() as bench:
        await make_shop(bench)
        asked: dict[str, Any] = {"address": TO.evm, "amount_sun": "1"}
        with pytest.raises(RecipientRefused):
            await bench.call("devnet.fund", asked)


def test_no_method_that_spends_reads_a_recipient_in_another_way() -> None:
    """Whoever adds one takes RecipientText and `read_recipient`, or is named here."""
    exempt = {
        # A look-alike's transfer of nothing: nobody is paid.
        ("devnet.zero_transfer", "sender"),
        ("devnet.zero_transfer", "recipient"),
        ("devnet.nil", "sender"),
        ("devnet.nil", "recipient"),
    }
    host = pluginhost.load(load_config(file=None, environ={}, flags={}).plugins)
    [plain] = [m for m in get_args(AddressText) if isinstance(m, msgspec.Meta)]
    parameters = set()
    for method in host.methods():
        if method.caller == "read" or method.params is None:
            continue
        schema = msgspec.json.schema_components([method.params])[1]
        for name, part in schema[method.params.__name__]["properties"].items():
            if str(plain.description) in str(part):
                parameters.add((method.name, name))
    assert parameters == exempt
