"""Exchanges, market orders and Stake 1.0: what is said of things that can't be."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.devnet.making import ALICE, BOB, NOVA, Lab
from tests.devnet.sending import contract, refused
from tests.devnet.test_http import INVALID, NULL_POINTER, PARSE_ERROR, Client

TRX, FIRST, UNKNOWN = b"_".hex(), b"1000001".hex(), b"1009999".hex()
MOST = 10**15


@pytest.fixture
def client() -> Client:
    client = Client()
    client.lab.mine(10)
    return client


def issue_token(client: Client) -> None:
    """Token 1000001, all of it ALICE's."""
    head = client.lab.chain.head.globals.timestamp
    client.lab.send(
        contract(
            client.lab,
            ALICE,
            "AssetIssueContract",
            name=b"Gold",
            total_supply=1000,
            trx_num=1,
            num=1,
            start_time=head + 3_600_000,
            end_time=head + 7_200_000,
            url=b"u",
        )
    )
    client.lab.mine()


EXCHANGE = {
    "first_token_id": TRX,
    "first_token_balance": 10,
    "second_token_id": FIRST,
    "second_token_balance": 10,
}
SALE = {
    "sell_token_id": TRX,
    "sell_token_quantity": 10,
    "buy_token_id": FIRST,
    "buy_token_quantity": 10,
}
STAKE = {"frozen_balance": 1_000_000, "frozen_duration": 3}


REFUSALS: dict[str, tuple[tuple[Mapping[str, Any], str], ...]] = {
    "exchangecreate": (
        (EXCHANGE | {"first_token_id": "78"}, "first token id is not a valid number"),
        (
            EXCHANGE | {"second_token_id": b"01".hex()},
            "second token id is not a valid number",
        ),
        (EXCHANGE | {"second_token_id": TRX}, "cannot exchange same tokens"),
        (
            EXCHANGE | {"second_token_balance": -1},
            "token balance must greater than zero",
        ),
        (
            EXCHANGE | {"first_token_balance": MOST + 1},
            f"token balance must less than {MOST}",
        ),
        (EXCHANGE | {"first_token_balance": MOST}, "balance is not enough"),
        (
            EXCHANGE | {"second_token_balance": 1001},
            "second token balance is not enough",
        ),
        (
            EXCHANGE | {"owner_address": NOVA.address.hex},
            f"account[{NOVA.address.hex}] not exists",
        ),
        (EXCHANGE | {"owner_address": ""}, "Invalid address"),
    ),
    "exchangeinject": (({"exchange_id": 7}, "Exchange[7] not exists"),),
    "exchangewithdraw": (({"exchange_id": -7}, "Exchange[-7] not exists"),),
    "exchangetransaction": (({}, "Exchange[0] not exists"),),
    "marketsellasset": (
        (SALE | {"sell_token_id": ""}, "sellTokenId is not a valid number"),
        (SALE | {"buy_token_id": "78"}, "buyTokenId is not a valid number"),
        (SALE | {"buy_token_id": TRX}, "cannot exchange same tokens"),
        (SALE | {"buy_token_quantity": 0}, "token quantity must greater than zero"),
        (
            SALE | {"buy_token_quantity": MOST + 1},
            f"token quantity must less than {MOST}",
        ),
        (SALE | {"sell_token_quantity": MOST}, "No enough balance !"),
        (SALE | {"sell_token_id": UNKNOWN}, "No sellTokenId !"),
        (
            SALE
            | {
                "sell_token_id": FIRST,
                "buy_token_id": TRX,
                "sell_token_quantity": 1001,
            },
            "SellToken balance is not enough !",
        ),
        (SALE | {"buy_token_id": UNKNOWN}, "No buyTokenId !"),
        (SALE | {"owner_address": NOVA.address.hex}, "Account does not exist!"),
    ),
    "marketcancelorder": (({"order_id": "00"}, "orderId not exists"),),
    "freezebalance": (
        (STAKE, "freeze v2 is open, old freeze is closed"),
        (STAKE | {"frozen_balance": 0}, "frozenBalance must be positive"),
        (
            STAKE | {"frozen_duration": 4},
            "frozenDuration must be less than 3 days and more than 3 days",
        ),
        (
            STAKE | {"resource": "TRON_POWER"},
            "ResourceCode error,valid ResourceCode[BANDWIDTH、ENERGY]",
        ),
        (
            STAKE | {"receiver_address": ALICE.address.hex},
            "receiverAddress must not be the same as ownerAddress",
        ),
        (STAKE | {"receiver_address": "41"}, "Invalid receiverAddress"),
        (
            STAKE | {"receiver_address": NOVA.address.hex},
            f"Account[{NOVA.address.hex}] not exists",
        ),
    ),
    "unfreezebalance": (
        ({}, "no frozenBalance(BANDWIDTH)"),
        ({"resource": "ENERGY"}, "no frozenBalance(Energy)"),
        ({"resource": 2}, "ResourceCode error.valid ResourceCode[BANDWIDTH、Energy]"),
        ({"receiver_address": BOB.address.hex}, "delegated Resource does not exist"),
        (
            {"owner_address": NOVA.address.hex},
            f"Account[{NOVA.address.hex}] does not exist",
        ),
    ),
}


@pytest.mark.parametrize("path", REFUSALS)
def test_a_builder_refuses_with_the_first_complaint(client: Client, path: str) -> None:
    issue_token(client)
    for body, text in REFUSALS[path]:
        asked = {"owner_address": ALICE.address.hex, **body}
        assert client.post(f"/wallet/{path}", asked) == {"Error": INVALID + text}


def test_what_could_trade_is_built_and_not_executed(client: Client) -> None:
    issue_token(client)
    for path, body, name in (
        ("exchangecreate", EXCHANGE, "ExchangeCreateContract"),
        ("marketsellasset", SALE | {"extra_data": "6869"}, "MarketSellAssetContract"),
    ):
        asked = {"owner_address": ALICE.address.hex, **body}
        built = client.post(f"/wallet/{path}", asked)
        raw = built["raw_data"]
        assert raw["contract"][0]["type"] == name
        assert raw.get("data") == body.get("extra_data")
        sent = client.post("/wallet/broadcasttransaction", client.signed(built))
        assert sent["code"] == "CONTRACT_VALIDATE_ERROR"
        assert (
            "is not executed by this devnet" in bytes.fromhex(sent["message"]).decode()
        )


def test_an_exchange_costs_a_fee_beside_its_trx() -> None:
    lab = Lab()
    balance = lab.balance(ALICE.address)
    fee = lab.genesis.parameters.exchange_fee
    fields = {
        "first_token_id": b"_",
        "second_token_id": b"1",
        "second_token_balance": 1,
    }
    for amount, text in (
        (balance - fee, "second token balance is not enough"),
        (balance - fee + 1, "balance is not enough"),
    ):
        asked = contract(
            lab, ALICE, "ExchangeCreateContract", first_token_balance=amount, **fields
        )
        # The free bandwidth covers it, so that the balance is whole.
        assert refused(lab, asked) == text


SIDES = ("wallet", "walletsolidity")


@pytest.mark.parametrize("side", SIDES)
def test_reads_of_what_never_was_are_empty_on_both_sides(
    client: Client, side: str
) -> None:
    for path, query in (
        ("listexchanges", {}),
        ("getmarketpairlist", {}),
        ("getmarketorderbyaccount", {"value": ALICE.address.hex}),
        ("getmarketorderbyid", {"value": "00"}),
        ("getmarketorderlistbypair", {"sell_token_id": TRX, "buy_token_id": FIRST}),
    ):
        assert client.get(f"/{side}/{path}", **query) == {}
        assert client.post(f"/{side}/{path}", query) == {}
    for given in (client.post, lambda path, body: client.get(path, **body)):
        assert given(f"/{side}/getexchangebyid", {"id": 1}) == {"Error": NULL_POINTER}


def test_an_exchange_is_asked_for_by_a_number_that_may_be_a_text(
    client: Client,
) -> None:
    def ask(number: Any) -> str:
        said: str = client.post("/wallet/getexchangebyid", {"id": number})["Error"]
        return said.removeprefix("class java.")

    assert ask("1") == ask(1.0) == ask("1e3") == "lang.NullPointerException : null"
    missing = "security.InvalidParameterException : key [id] does not exist"
    assert ask(None) == ask("") == missing
    assert ask(1.5) == "lang.ArithmeticException : Rounding necessary"
    assert ask(2**63) == ask("1e99999999") == "lang.ArithmeticException : Overflow"
    assert ask("x1") == (
        "lang.NumberFormatException : Character x is neither a decimal digit number,"
        ' decimal point, nor "e" notation exponential mark.'
    )


def test_a_pair_of_tokens_is_echoed_and_checked(client: Client) -> None:
    pair = {"sell_token_id": TRX, "buy_token_id": FIRST}
    assert client.post("/wallet/getmarketpricebypair", pair) == pair
    assert client.get("/wallet/getmarketpricebypair", **pair) == pair
    shown = {"sell_token_id": "_", "buy_token_id": "1000001"}
    posted = client.post("/wallet/getmarketpricebypair", shown | {"visible": True})
    assert posted == shown
    queried = client.get("/wallet/getmarketpricebypair", visible="true", **shown)
    assert queried == shown
    error = "class org.tron.core.exception.BadItemException : "
    for path in ("getmarketpricebypair", "getmarketorderlistbypair"):
        for given in (client.post, lambda path, body: client.get(path, **body)):
            said = given(f"/wallet/{path}", pair | {"buy_token_id": "78"})
            assert said == {"Error": error + "buyTokenId is not a valid number"}
            assert given(f"/wallet/{path}", {}) == {
                "Error": error + "sellTokenId is not a valid number"
            }


def test_a_page_of_exchanges_wants_numbers(client: Client) -> None:
    page = {"offset": 0, "limit": 5}
    assert client.post("/wallet/getpaginatedexchangelist", page) == {}
    assert client.get("/wallet/getpaginatedexchangelist", **page) == {}
    wrong = client.post("/wallet/getpaginatedexchangelist", page | {"limit": "5"})
    assert wrong["Error"].startswith(PARSE_ERROR)
    missing = client.get("/wallet/getpaginatedexchangelist", offset=0)
    assert missing["Error"].startswith("class java.lang.NumberFormatException : ")
