"""Odd tokens over the devnet's own port: named by symbol, and changed while it runs."""

from typing import Any

from lucidtrond.devnet.server import Devnet
from lucidtrond.devnet.state.token_sorts import SORTS
from lucidtrond.tron.address import Address
from tests.devnet.asking import ask, chain
from tests.devnet.making import ALICE, NOVA


async def paid(devnet: Devnet, who: Address, token: str, amount: int) -> Any:
    """The receipt of a payment out of the chain's own account."""
    asked = {"address": who.base58, "amount": amount, "token": token}
    txid = (await ask(devnet.url, "/devnet/fund", asked)).json["txid"]
    await devnet.mine(1)
    asked = {"value": txid}
    return (await ask(devnet.url, "/wallet/gettransactioninfobyid", asked)).json


async def test_every_sort_is_listed_with_what_is_odd_and_funded_by_symbol() -> None:
    async with chain(control=True, tokens=("all",)) as devnet:
        tokens = devnet.info()["tokens"]
        assert {token["symbol"]: token["about"] for token in tokens} == {
            "IUSD": "",
            **{sort.symbol: sort.about for sort in SORTS.values()},
        }
        for token in tokens:
            symbol = token["symbol"]
            info = await paid(devnet, ALICE.address, symbol.lower(), 100)
            assert info["receipt"]["result"] == "SUCCESS"
            assert info["contract_address"] == Address.from_base58(token["address"]).hex
            topics = len(info["log"][0]["topics"])
            odd = {"TOPIC1": 1, "TOPIC2": 2, "TOPIC4": 4}
            assert topics == odd.get(symbol, 3)


async def test_only_a_token_with_a_rule_has_it_changed() -> None:
    async with chain(control=True, tokens=("FICKLE",)) as devnet:
        for token, result in (("FICKLE", "SUCCESS"), ("IUSD", "REVERT")):
            asked = {"token": token, "honest": True}
            txid = (await ask(devnet.url, "/devnet/rule", asked)).json["txid"]
            await devnet.mine(1)
            path = "/wallet/gettransactioninfobyid"
            info = (await ask(devnet.url, path, {"value": txid})).json
            assert info["receipt"]["result"] == result
        asked = {"token": NOVA.address.base58, "honest": True}
        refused = await ask(devnet.url, "/devnet/rule", asked)
        assert refused.status == 400
        assert "no token" in refused.json["Error"]


async def test_what_getcontract_says_of_a_sponsored_token() -> None:
    async with chain(control=True, tokens=("SPONSOR",)) as devnet:
        [_, token] = devnet.info()["tokens"]
        asked = {"value": token["address"], "visible": True}
        shown = (await ask(devnet.url, "/wallet/getcontract", asked)).json
        assert shown["consume_user_resource_percent"] == 30
        assert shown["origin_energy_limit"] == 10_000_000
