"""Each declared verb is carried out, with the parameters and the result declared."""

import inspect
from typing import Any

import pytest

from lucidtrond.api.devnet import NAMES, VERBS, ControlVerb
from lucidtrond.devnet.control import FUNCTIONS, control
from lucidtrond.errors import InsufficientFunds, InvalidInput, RecipientRefused
from lucidtrond.tron.address import ZERO, parse_address
from lucidtrond.tron.eip55 import checksummed
from tests.devnet.asking import NOW, ask, chain
from tests.devnet.making import ALICE, BOB, NOVA

TO = ALICE.address


@pytest.mark.parametrize("verb", VERBS.values(), ids=lambda verb: verb.name)
def test_each_verb_has_one_function_of_its_declared_types(verb: ControlVerb) -> None:
    types = inspect.get_annotations(FUNCTIONS[verb.name], eval_str=True)
    assert types["return"] is verb.result
    assert types.get("params", types.get("_params")) is verb.params


def test_nothing_is_carried_out_that_is_not_declared() -> None:
    assert set(FUNCTIONS) == set(VERBS)
    older = {name: verb.name for name, verb in NAMES.items() if name != verb.name}
    assert older == {"shut": "close_port", "nil": "zero_transfer"}


async def test_a_verb_is_carried_out_by_its_older_name_too() -> None:
    async with chain(control=True, replicas=1) as devnet:
        closed = await ask(devnet.url, "/devnet/shut", {"door": 1, "for_s": 0.1})
        assert (closed.status, closed.json) == (
            200,
            {"port": 1, "for_s": 0.1, "door": 1},
        )
        bad = await ask(devnet.url, "/devnet/shut", {"door": 2})
        assert bad.json == {"Error": "shut: expected a port from 0 to 1, got 2"}
        bad = await ask(devnet.url, "/devnet/shut", {"door": 1, "port": 2})
        assert "expected port or its older name door" in bad.json["Error"]
        planted = {
            "sender": BOB.address.base58,
            "recipient": TO.base58,
            "token": "IUSD",
        }
        txid = (await ask(devnet.url, "/devnet/nil", planted)).json["txid"]
        await devnet.mine(1)
        info = await ask(devnet.url, "/wallet/gettransactioninfobyid", {"value": txid})
        assert len(info.json["log"]) == 1


async def test_over_http_money_is_paid_in_both_forms() -> None:
    async with chain(control=True) as devnet:
        [token] = devnet.info()["tokens"]
        for params in (
            {"amount_sun": "5"},
            {"amount": 5},
            {"amount_raw": "5", "asset": "iusd"},
            {"amount": 5, "token": token["address"]},
        ):
            asked = {"address": TO.base58, **params}
            txid = (await ask(devnet.url, "/devnet/fund", asked)).json["txid"]
            await devnet.mine(1)
            asked = {"value": txid}
            sent = await ask(devnet.url, "/wallet/gettransactionbyid", asked)
            [contract] = sent.json["raw_data"]["contract"]
            value = contract["parameter"]["value"]
            if "asset" in params or "token" in params:
                assert value["data"].endswith(f"{TO.hex[2:]}{5:064x}")
            else:
                assert (value["to_address"], value["amount"]) == (TO.hex, 5)
        bad = await ask(devnet.url, "/devnet/fund", {"address": TO.base58, "amount": 0})
        assert bad.json["Error"].startswith("fund: Expected `int` >= 1")


@pytest.mark.parametrize("form", [{"amount_sun": "1"}, {"amount": 1}])
async def test_the_zero_address_gets_test_money_only_if_it_is_meant(
    form: dict[str, Any],
) -> None:
    async with chain(control=True) as devnet:
        asked = {"address": ZERO.base58, **form}
        refused = await ask(devnet.url, "/devnet/fund", asked)
        assert refused.status == 400
        assert refused.json["Error"].startswith("fund: address: the zero address T9y")
        assert not list(devnet.chain.pool)
        with pytest.raises(RecipientRefused, match="allow_zero_address"):
            await control(devnet, "fund", {"address": ZERO.base58, "amount_sun": "1"})
        meant = {**asked, "allow_zero_address": True}
        assert (await ask(devnet.url, "/devnet/fund", meant)).status == 200
        assert len(list(devnet.chain.pool)) == 1


async def test_a_token_is_not_named_by_hex_without_a_checksum() -> None:
    async with chain(control=True, tokens=("FICKLE",)) as devnet:
        for shown in devnet.info()["tokens"]:
            symbol, token = shown["symbol"], parse_address(shown["address"])
            mixed_case = checksummed(token.raw[1:])
            for verb, name, params in (
                ("fund", "asset", {"address": TO.base58, "amount_raw": "1"}),
                (
                    "zero_transfer",
                    "token",
                    {"sender": BOB.address.base58, "recipient": TO.base58},
                ),
                ("rule", "token", {"honest": True}),
            ):
                for text in (token.hex, f"0x{token.hex}", token.evm):
                    with pytest.raises(InvalidInput, match=f"{name}: .*a checksum"):
                        await control(devnet, verb, {**params, name: text})
                with pytest.raises(InvalidInput, match="there is no token"):
                    await control(devnet, verb, {**params, name: NOVA.address.base58})
                with pytest.raises(InvalidInput, match=f"{name}: expected .*FICKLE"):
                    await control(devnet, verb, {**params, name: "WICKLE"})
                for text in (symbol, token.base58, mixed_case):
                    assert await control(devnet, verb, {**params, name: text})


async def test_a_rule_is_taken_flat_and_wrapped() -> None:
    async with chain(control=True) as devnet:
        rule = {"fault": "empty", "path": "/nothing", "port": 0}
        for params in (rule, {"rule": rule}):
            assert (await ask(devnet.url, "/devnet/fault", params)).status == 200
        states = (await ask(devnet.url, "/devnet/faults")).json["faults"]
        assert [state["rule"]["path"] for state in states] == ["/nothing"] * 2
        assert states[0]["rule"] == states[1]["rule"]


async def test_a_payment_beyond_the_funds_is_refused_as_that() -> None:
    async with chain() as devnet:
        asked = {"address": TO.base58, "amount_sun": str(2**62)}
        with pytest.raises(InsufficientFunds):
            await control(devnet, "fund", asked)
        asked = {"address": TO.base58, "asset": "IUSD", "amount_raw": str(2**255)}
        with pytest.raises(InsufficientFunds, match="the most is"):
            await control(devnet, "fund", asked)


async def test_the_control_path_needs_leave_and_names_what_is_wrong() -> None:
    async with chain() as devnet:
        refused = await ask(devnet.url, "/devnet/mine", {"count": 1})
        assert (refused.status, refused.json) == (
            403,
            {"Error": "/devnet/ needs --control"},
        )
    async with chain(control=True) as devnet:
        before = devnet.head_number
        done = await ask(devnet.url, "/devnet/mine", {"count": 2})
        assert (done.status, done.json) == (200, {"head_number": before + 2})
        for verb, params, complaint in (
            ("mime", {}, "expected one of info, mine, jump"),
            ("mine", {"count": 0}, "mine: Expected `int` >= 1"),
            ("fault", {"fault": "lies"}, "fault: Invalid enum value 'lies'"),
            ("fork", {"depth": 1000}, "fork: expected a depth of 1 to"),
            ("restore", {"name": "x"}, "restore: no snapshot 'x'; there are: none"),
        ):
            bad = await ask(devnet.url, f"/devnet/{verb}", params)
            assert bad.status == 400
            assert bad.json["Error"].startswith(complaint)


async def test_faults_are_ruled_over_http() -> None:
    async with chain(control=True) as devnet:
        rule = {"fault": "empty", "path": NOW}
        added = await ask(devnet.url, "/devnet/fault", rule)
        assert added.json == {"number": 1}
        assert (await ask(devnet.url, NOW)).json == {}
        [state] = (await ask(devnet.url, "/devnet/faults")).json["faults"]
        assert (state["number"], state["struck"]) == (1, 1)
        assert (await ask(devnet.url, "/devnet/clear")).json == {"cleared": 1}
        assert "blockID" in (await ask(devnet.url, NOW)).json
