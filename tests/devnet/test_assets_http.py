"""Reading TRC-10 tokens over HTTP, beside what 10-trc10 asks."""

import json
from typing import Any

import pytest

from lucidtrond.devnet.state.assets import put_asset
from lucidtrond.tron import tron_pb2 as pb
from tests.devnet.making import ALICE, BOB, CAROL, NOVA
from tests.devnet.sending import receipt
from tests.devnet.test_assets import give_stake, issue, send
from tests.devnet.test_http import Client


@pytest.fixture
def client() -> Client:
    """Two tokens named Coin, of Alice and Bob, one named 1000001 of Carol."""
    client = Client()
    lab = client.lab
    lab.mine(3)
    receipt(lab, issue(lab, ALICE))
    receipt(lab, issue(lab, BOB))
    receipt(lab, issue(lab, CAROL, name=b"1000001"))
    return client


def ids(answer: dict[str, Any]) -> list[str]:
    return [issued["id"] for issued in answer.get("assetIssue", [])]


def test_a_name_that_means_several_tokens_is_refused(client: Client) -> None:
    path = "/wallet/getassetissuebyname"
    for name in ("Coin", "1000001"):  # the second: also the id of the first
        answer = client.post(path, {"value": name, "visible": True})
        assert answer == {
            "Error": (
                "class org.tron.core.exception.NonUniqueObjectException : To get more"
                " than one asset, please use getAssetIssueById syntax"
            )
        }
    by_id = client.get(path, value=b"1000002".hex())
    assert by_id["id"] == "1000002"
    assert client.post(path, {"value": ""}) == {}
    assert client.post(path, {"value": b"None".hex()}) == {}


def test_lists_are_ordered_by_id_pages_by_name(client: Client) -> None:
    everything = ["1000001", "1000002", "1000003"]
    assert ids(client.post("/wallet/getassetissuelist")) == everything
    named = {"value": "Coin", "visible": True}
    path = "/wallet/getassetissuelistbyname"
    assert ids(client.post(path, named)) == everything[:2]
    path = "/wallet/getpaginatedassetissuelist"
    pages = ["1000003", "1000001", "1000002"]
    assert ids(client.post(path, {"offset": 0, "limit": 2})) == pages[:2]
    assert ids(client.get(path, offset=2, limit=2)) == pages[2:]
    for offset, limit in ((3, 1), (0, 0), (-1, 1), (0, -1)):
        assert client.post(path, {"offset": offset, "limit": limit}) == {}


def test_the_list_sees_visible_in_the_query_alone(client: Client) -> None:
    path = "/wallet/getassetissuelist"
    posted = client.post(path, {"visible": True})["assetIssue"][0]
    assert posted["name"] == b"Coin".hex()
    asked = client.get(path, visible="true")["assetIssue"][0]
    assert asked["name"] == "Coin"
    assert asked["owner_address"] == ALICE.address.base58


def test_a_number_names_a_token_too(client: Client) -> None:
    answer = client.post("/wallet/getassetissuebyid", {"value": 1000002})
    assert answer["id"] == "1000002"
    assert client.post("/wallet/getassetissuebyid", {"value": None}) == {}
    empty = json.loads(client.ask("POST", "/wallet/getassetissuebyid").body)
    assert empty == {"Error": "class java.lang.NullPointerException : null"}


def test_an_unsolidified_token_is_not_on_the_solid_side(client: Client) -> None:
    path = "/walletsolidity/getassetissuelist"
    assert ids(client.get(path)) == []
    client.lab.mine(10)
    assert len(ids(client.get(path))) == 3


def test_resources_tell_what_was_sent_at_the_issuers_cost(client: Client) -> None:
    lab = client.lab
    receipt(lab, send(lab, ALICE, BOB, 5))
    give_stake(lab, ALICE)
    used = receipt(lab, send(lab, BOB, CAROL, 1)).net_usage
    answer = client.post("/wallet/getaccountresource", {"address": BOB.address.hex})
    (mine,) = [limit for limit in answer["assetNetUsed"] if limit["key"] == "1000001"]
    assert used - 2 <= mine["value"] <= used
    limits = {limit["key"]: limit["value"] for limit in answer["assetNetLimit"]}
    assert limits == {"1000001": 1000, "1000002": 1000}
    kept = client.post("/wallet/getaccount", {"address": BOB.address.hex})
    (since,) = kept["latest_asset_operation_timeV2"]
    assert since["key"] == "1000001"
    by_id = client.post("/wallet/getassetissuebyid", {"value": "1000001"})
    assert used - 2 <= by_id["public_free_asset_net_usage"] <= used


def test_pages_hold_a_thousand(client: Client) -> None:
    for number in range(1_100_000, 1_101_001):
        put_asset(client.lab.chain.head, pb.AssetIssueContract(id=str(number)))
    path = "/wallet/getpaginatedassetissuelist"
    assert len(ids(client.post(path, {"offset": 0, "limit": 5000}))) == 1000


def test_an_unknown_owner_of_a_frozen_supply_is_named_in_hex(client: Client) -> None:
    body = {"owner_address": NOVA.address.hex}
    assert client.post("/wallet/unfreezeasset", body) == {
        "Error": "class org.tron.core.exception.ContractValidateException"
        f" : Account[{NOVA.address.hex}] not exists"
    }
