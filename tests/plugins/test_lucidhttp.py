"""The older service's routes, over the shipped plugins on a workbench."""

import json
from typing import Any

import pytest

from lucidtrond.api import Caller, RouteRequest
from lucidtrond.api.http import match
from lucidtrond.testing import Workbench
from lucidtrond_lucidhttp.routes import BASE, TABLE, plugin
from tests.plugins.bench import (
    NO_TXID,
    STRANGER,
    make_shop,
    open_shipped,
    payment,
)

LOCAL = Caller("http", "local", frozenset({"read", "spend"}))


async def ask(
    bench: Workbench, verb: str, path: str, body: object = None, **query: str
) -> tuple[int, Any]:
    """Find the route as the HTTP transport does and run it."""
    parts = tuple((BASE + path).split("/"))
    for route in sorted(bench.host.routes(), key=lambda route: route.path.count("{")):
        path_values = match(route.path, parts)
        if path_values is not None and route.verb == verb:
            data = b"" if body is None else json.dumps(body).encode()
            request = RouteRequest(
                caller=LOCAL, path=path_values, query=query, body=data
            )
            answer = await route.call(request)
            return answer.status, json.loads(answer.body)
    raise AssertionError(f"no route for {verb} {path}")


def test_both_families_of_paths_are_there() -> None:
    paths = {route.path for route in plugin.lucidtrond_manifest().routes}
    assert paths == {
        f"/api/v1/tron/{path}"
        for path in (
            "wallets/{wallet_id}/history",
            "transactions/{wallet_id}/history",
            "transactions/{txid}/receipt",
            "transactions/{txid}/retry",
            "network/validate-address",
            "wallet/validate-address",
            "transactions/validate-address",
            "wallets/batch/create",
            "transactions/batch/create",
            "wallets/{wallet_id}/export",
        )
    }
    assert len(TABLE) == 6


@pytest.mark.parametrize("family", ["wallets", "transactions"])
async def test_history_and_receipt_tell_what_was_paid(family: str) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        sent = await bench.call("transfer.send", payment(shop, memo="für Öl"))
        await bench.settle()
        status, body = await ask(
            bench, "GET", f"/{family}/{shop.wallet_id}/history", limit="1"
        )
        assert status == 200
        assert body["total_count"] == 2
        [row] = body["transactions"]
        assert (row["txid"], row["transaction_id"]) == (sent.txid, sent.txid)
        assert (row["amount"], row["amount_sun"]) == (1.0, "1000000")
        assert (row["currency"], row["transaction_type"]) == ("TRX", "trx_transfer")
        assert (row["from_address"], row["to_address"]) == (shop.address, STRANGER)
        assert (row["status"], row["memo"]) == ("success", "für Öl")
        _, older = await ask(
            bench, "GET", f"/{family}/{shop.wallet_id}/history", skip="1"
        )
        assert older["transactions"][0]["to_address"] == shop.address

        status, receipt = await ask(bench, "GET", f"/transactions/{sent.txid}/receipt")
        assert status == 200
        assert receipt["amount"] == 1_000_000
        assert receipt["amount_sun"] == "1000000"
        assert receipt["fee"] == int(receipt["fee_sun"]) == int(row["fee_sun"])
        assert receipt["block_number"] == row["block_number"]
        for name in ("energy_used", "bandwidth_used"):
            assert row[name] == receipt[name], name
        assert row["bandwidth_used"] == 0  # activating is paid in TRX
        assert receipt["status"] == "success"
        assert receipt["confirmation_count"] >= 0

        status, body = await ask(bench, "POST", f"/transactions/{sent.txid}/retry")
        assert status == 400
        assert body == {"detail": "Cannot retry successful transactions"}


async def test_what_is_not_known_is_404_and_no_txid_is_400() -> None:
    async with open_shipped() as bench:
        for verb, path, text in (
            ("GET", f"/transactions/{NO_TXID}/receipt", "Transaction not found"),
            (
                "POST",
                f"/transactions/{NO_TXID}/retry",
                "Original transaction not found",
            ),
            ("GET", "/wallets/w_no/history", "Wallet not found"),
            ("GET", "/wallets/nonsense/history", "Wallet not found"),
        ):
            assert await ask(bench, verb, path) == (404, {"detail": text})
        for txid in ("ab", "x" * 40):
            for verb, what in (("GET", "receipt"), ("POST", "retry")):
                status, body = await ask(bench, verb, f"/transactions/{txid}/{what}")
                assert (status, body["detail"]) == (
                    400,
                    "Invalid transaction ID format",
                )


@pytest.mark.parametrize(
    "path",
    [
        "/network/validate-address",
        "/wallet/validate-address",
        "/transactions/validate-address",
    ],
)
async def test_validation_checks_the_checksum(path: str) -> None:
    async with open_shipped() as bench:
        shop = await make_shop(bench)
        given = {"address": f" {shop.address} "}
        status, body = await ask(bench, "POST", path, given)
        assert status == 200
        assert body == {
            "address": shop.address,
            "is_valid": True,
            "is_contract": False,
            "balance_trx": 100.0,
            "balance_sun": "100000000",
            "activation_timestamp": None,
            "message": "Valid TRON address",
        }
        wrong = shop.address[:-1] + ("a" if shop.address[-1] != "a" else "b")
        status, body = await ask(bench, "POST", path, {"address": wrong})
        assert (status, body["is_valid"]) == (200, False)


async def test_batches_are_made_and_exported_without_keys() -> None:
    async with open_shipped() as bench:
        status, made = await ask(
            bench, "POST", "/wallets/batch/create", {"count": 3, "prefix": "till-"}
        )
        assert (status, made["count"], len(set(made["addresses"]))) == (200, 3, 3)
        first = made["wallet_ids"][0]
        path = f"/wallets/{first}/export"
        status, body = await ask(bench, "POST", path, {"wallet_id": first})
        assert status == 200
        assert body["wallet"]["address"] == made["addresses"][0]
        assert body["wallet"]["name"] == "till-1"
        asked = {"wallet_id": first, "include_private_key": True}
        assert (await ask(bench, "POST", path, asked))[0] == 403
        other = {"wallet_id": made["wallet_ids"][1]}
        assert (await ask(bench, "POST", path, other))[0] == 400


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({}, [["body", "count"]]),
        ({"count": 0}, [["body", "count"]]),
        ({"count": 101, "prefix": 1}, [["body", "count"], ["body", "prefix"]]),
        ({"count": True}, [["body", "count"]]),
        ([], [["body"]]),
        (None, [["body"]]),
    ],
)
async def test_a_body_that_does_not_fit_is_422_and_names_every_place(
    body: object, places: list[list[str]]
) -> None:
    async with open_shipped() as bench:
        status, answer = await ask(bench, "POST", "/transactions/batch/create", body)
        assert status == 422
        assert [fault["loc"] for fault in answer["detail"]] == places
        assert all({"loc", "msg", "type"} <= set(fault) for fault in answer["detail"])


async def test_a_query_that_does_not_fit_is_422() -> None:
    async with open_shipped() as bench:
        status, answer = await ask(
            bench, "GET", "/wallets/w_1/history", skip="-1", limit="1001"
        )
        assert status == 422
        assert [e["loc"] for e in answer["detail"]] == [
            ["query", "skip"],
            ["query", "limit"],
        ]


@pytest.mark.parametrize("name", ["private_key", "mnemonic"])
async def test_a_private_key_in_a_body_is_refused_and_not_repeated(name: str) -> None:
    async with open_shipped() as bench:
        status, body = await ask(
            bench, "POST", "/wallets/batch/create", {"count": 1, name: "5ec7e7"}
        )
        assert status == 400
        assert "wallet" in body["detail"]
        assert "5ec7e7" not in json.dumps(body)


@pytest.mark.parametrize(
    ("field", "given", "wanted"),
    [
        ("count", "3", 200),
        ("count", " 3 ", 200),
        ("count", 3.0, 200),
        ("count", True, "int_type"),
        ("count", 3.5, "int_from_float"),
        ("count", "3.5", "int_parsing"),
        ("count", "three", "int_parsing"),
        ("count", [3], "int_type"),
        ("count", 1e300, "less_than_equal"),
        ("include_private_key", "no", 404),
        ("include_private_key", 0, 404),
        ("include_private_key", 0.0, 404),
        ("include_private_key", "YES", 403),
        ("include_private_key", 1, 403),
        ("include_private_key", 2, "bool_parsing"),
        ("include_private_key", 0.5, "bool_parsing"),
        ("include_private_key", "maybe", "bool_parsing"),
        ("include_private_key", [], "bool_type"),
    ],
)
async def test_numbers_and_flags_are_read_as_leniently_as_they_were(
    field: str, given: object, wanted: int | str
) -> None:
    async with open_shipped() as bench:
        path = "/wallets/w_1/export"
        if field == "count":
            path = "/wallets/batch/create"
        body = {"wallet_id": "w_1", field: given}
        status, answer = await ask(bench, "POST", path, body)
        if isinstance(wanted, int):
            assert status == wanted
        else:
            assert (status, answer["detail"][0]["type"]) == (422, wanted)
