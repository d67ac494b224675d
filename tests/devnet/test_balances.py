"""The balance history, and reads and builders that clients seldom ask."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.devnet.making import ALICE, BOB, CAROL, FIVE, NOVA
from tests.devnet.test_http import Client
from tests.devnet.test_http_reads import HEAD, balance_at

MISSING = "class org.tron.core.exception.ItemNotFoundException"


@pytest.fixture
def client() -> Client:
    client = Client()
    client.lab.mine(HEAD)
    return client


def test_blocks_and_accounts_of_the_history_are_named_in_full(client: Client) -> None:
    illegal = "class java.lang.IllegalArgumentException : "
    nobody = balance_at(client, 0, account_identifier={})
    assert nobody == {"Error": illegal + "account_identifier address is null"}
    block = client.post("/wallet/getblockbynum", {"num": 0})["blockID"]
    refusals: tuple[tuple[dict[str, Any], str], ...] = (
        ({"number": -1}, illegal + "block_identifier number less than 0"),
        ({"hash": "00"}, illegal + "block_identifier hash length not equals 32"),
        ({"hash": block, "number": 1}, illegal + "number and hash do not match"),
        (
            {"hash": block, "number": 99},
            f"{MISSING} : number: 99 is not found!",
        ),
    )
    for identifier, error in refusals:
        wrong = balance_at(client, 0, block_identifier=identifier)
        assert wrong == {"Error": error}
        assert client.post("/wallet/getblockbalance", identifier) == {"Error": error}
    for path in ("getaccountbalance", "getblockbalance"):
        assert client.ask("GET", f"/wallet/{path}").status == 405


def test_a_block_tells_how_its_transactions_moved_balances(client: Client) -> None:
    sent = [
        client.lab.transfer(ALICE, BOB.address, 7),
        client.lab.transfer(ALICE, NOVA.address, 5),
        client.lab.transfer(ALICE, BOB.address, 3, memo=b"memo"),
    ]
    for transaction in sent:
        client.lab.send(transaction)
    client.lab.mine()
    block = client.post("/wallet/getblockbynum", {"num": HEAD + 1})
    asked = {"hash": block["blockID"], "number": HEAD + 1}
    answer = client.post("/wallet/getblockbalance", asked)
    assert answer["block_identifier"] == asked
    assert answer["timestamp"] == block["block_header"]["raw_data"]["timestamp"]
    traces = answer["transaction_balance_trace"]
    assert [trace["transaction_identifier"] for trace in traces] == [
        transaction.txid for transaction in sent
    ]
    kinds = {(trace["type"], trace["status"]) for trace in traces}
    assert kinds == {("TransferContract", "SUCCESS")}

    def moves(number: int) -> list[tuple[str, int]]:
        operations = traces[number]["operation"]
        order = [operation["operation_identifier"] for operation in operations]
        assert order == list(range(len(operations)))
        return [(operation["address"], operation["amount"]) for operation in operations]

    alice, bob, nova = (key.address.hex for key in (ALICE, BOB, NOVA))
    assert moves(0) == [(alice, -7), (bob, 7)]
    # The fee for the account, then its price together with the amount.
    assert moves(1) == [(alice, -100_000), (alice, -1_000_005), (nova, 5)]
    assert moves(2) == [(alice, -1_000_000), (alice, -3), (bob, 3)]
    shown = client.post("/wallet/getblockbalance", asked | {"visible": True})
    first = shown["transaction_balance_trace"][0]["operation"][0]
    assert first["address"] == ALICE.address.base58
    genesis = client.post("/wallet/getblockbynum", {"num": 0})["blockID"]
    assert client.post("/wallet/getblockbalance", {"hash": genesis}) == {
        "block_identifier": {"hash": genesis},
        "timestamp": FIVE.timestamp,
        "transaction_balance_trace": [],
    }


@given(amounts=st.lists(st.integers(1, 10**9), min_size=1, max_size=6))
def test_moves_add_up_to_what_balances_are(amounts: list[int]) -> None:
    lab = Client().lab
    lab.mine(3)
    accounts = (ALICE, BOB, CAROL)
    expected = {key.address.raw: lab.balance(key.address) for key in accounts}
    for number, amount in enumerate(amounts):
        owner, to = accounts[number % 3], accounts[(number + 1) % 3]
        lab.send(lab.transfer(owner, to.address, amount))
    lab.mine()
    row = lab.chain.block(4)
    assert row is not None
    for transaction in row.transactions:
        for address, amount in transaction.moves:
            expected[address] += amount
    assert expected == {key.address.raw: lab.balance(key.address) for key in accounts}


def test_stake_of_old_is_asked_about_in_vain(client: Client) -> None:
    pair = {"fromAddress": ALICE.address.hex, "toAddress": BOB.address.hex}
    assert client.post("/wallet/getdelegatedresource", pair) == {}
    assert client.get("/walletsolidity/getdelegatedresource", **pair) == {}
    for path in (
        "getdelegatedresourceaccountindex",
        "getdelegatedresourceaccountindexv2",
    ):
        one = {"value": ALICE.address.hex}
        echo = {"account": ALICE.address.hex}
        assert client.post(f"/wallet/{path}", one) == echo
        assert client.get(f"/walletsolidity/{path}", **one) == echo
        shown = {"value": ALICE.address.base58, "visible": True}
        assert client.post(f"/wallet/{path}", shown)["account"] == ALICE.address.base58
        assert client.post(f"/wallet/{path}", {}) == client.get(f"/wallet/{path}") == {}
        broken = client.get(f"/wallet/{path}", value="zz")
        assert "DecoderException" in broken["Error"]


def test_any_contract_is_built_by_its_type(client: Client) -> None:
    fields = {
        "owner_address": ALICE.address.hex,
        "to_address": BOB.address.hex,
        "amount": 1,
    }

    def common(**more: Any) -> Any:
        return client.post("/wallet/createCommonTransaction", fields | more)

    plain = client.post("/wallet/createtransaction", fields)
    assert common(contractType="TransferContract") == plain
    refusal = common(contractType="TransferContract", amount=0)["Error"]
    assert refusal.endswith(
        "ContractValidateException : Amount must be greater than 0."
    )
    call = common(contractType="TriggerSmartContract", contract_address="41")
    assert call["raw_data"]["contract"][0]["type"] == "TriggerSmartContract"
    error = "class java.lang.IllegalArgumentException : No enum constant "
    assert common(contractType="Nothing")["Error"] == (
        error + "org.tron.protos.Protocol.Transaction.Contract.ContractType.Nothing"
    )
    null = "class java.lang.NullPointerException : Name is null"
    assert common() == {"Error": null}
    custom = common(contractType="CustomContract")["Error"]
    assert custom.endswith("don't have this type: CustomContract")
    assert client.ask("GET", "/wallet/createCommonTransaction").status == 405


def test_some_reads_have_a_second_address(client: Client) -> None:
    assert client.get("/net/listnodes") == {}
    info = client.get("/monitor/getnodeinfo")
    assert info.keys() == client.get("/wallet/getnodeinfo").keys()
