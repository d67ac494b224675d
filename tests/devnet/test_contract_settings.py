"""What a contract's maker changes, and the builder of deployments."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.devnet.state.blocks import CallRow
from lucidtrond.tron.hashing import keccak256
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.transaction import Transaction
from tests.devnet.making import ALICE, BOB, NOVA, WHALE, Lab
from tests.devnet.sending import contract, receipt, refused
from tests.devnet.test_http import INVALID, PARSE_ERROR, Client


def begun() -> Lab:
    """A chain that is old enough for transactions."""
    lab = Lab()
    lab.mine()
    return lab


def token(lab: Lab) -> bytes:
    (row,) = lab.chain.head.contracts.values()
    return row.address


def change(lab: Lab, name: str, **fields: Any) -> None:
    asked = contract(lab, WHALE, name, contract_address=token(lab), **fields)
    assert receipt(lab, asked).call is None


def called(lab: Lab, caller: PrivateKey) -> CallRow:
    row = receipt(lab, lab.call(caller, "approve(address,uint256)", NOVA.address, 1))
    assert row.call is not None
    return row.call


@pytest.mark.parametrize(
    ("name", "fields", "missing", "unknown"),
    [
        (
            "UpdateSettingContract",
            {"consume_user_resource_percent": 30},
            "Contract does not exist",
            "does not exist",
        ),
        (
            "UpdateEnergyLimitContract",
            {"origin_energy_limit": 1},
            "Contract does not exist",
            "does not exist",
        ),
        ("ClearABIContract", {}, "Contract not exists", "not exists"),
    ],
)
def test_only_its_maker_changes_a_contract(
    name: str, fields: dict[str, int], missing: str, unknown: str
) -> None:
    lab = Lab()

    def said(key: PrivateKey, **more: Any) -> str:
        asked = {"contract_address": token(lab), **fields, **more}
        return refused(lab, contract(lab, key, name, **asked))

    stranger = ALICE.address.hex
    assert said(ALICE) == f"Account[{stranger}] is not the owner of the contract"
    assert said(WHALE, contract_address=BOB.address.raw) == missing
    client = Client(lab)
    path = {"U": name[:-8].lower(), "C": "clearabi"}[name[0]]
    body = {"contract_address": token(lab).hex(), **fields}
    for owner, text in (
        (NOVA.address.hex, f"Account[{NOVA.address.hex}] {unknown}"),
        ("41", "Invalid address"),
    ):
        answer = client.post(f"/wallet/{path}", body | {"owner_address": owner})
        assert answer == {"Error": INVALID + text}


def test_percent_and_limit_have_bounds() -> None:
    lab = Lab()
    at = {"contract_address": token(lab)}
    for percent in (101, -1):
        asked = at | {"consume_user_resource_percent": percent}
        said = refused(lab, contract(lab, WHALE, "UpdateSettingContract", **asked))
        assert said == "percent not in [0, 100]"
    none = contract(lab, WHALE, "UpdateEnergyLimitContract", **at)
    assert refused(lab, none) == "origin energy limit must be > 0"


def test_settings_show_in_the_contract() -> None:
    client = Client(begun())
    lab = client.lab
    before = client.post("/wallet/getcontract", {"value": token(lab).hex()})
    change(lab, "UpdateSettingContract", consume_user_resource_percent=0)
    change(lab, "UpdateEnergyLimitContract", origin_energy_limit=77)
    change(lab, "ClearABIContract")
    after = client.post("/wallet/getcontract", {"value": token(lab).hex()})
    changed = {"abi": {}, "origin_energy_limit": 77}
    before.pop("consume_user_resource_percent")
    assert after == before | changed
    call = {
        "owner_address": BOB.address.hex,
        "contract_address": token(lab).hex(),
        "function_selector": "totalSupply()",
    }
    # Without an ABI nothing says that it only reads: it is built, not run.
    built = client.post("/wallet/triggersmartcontract", call)
    assert "constant_result" not in built
    assert "txID" in built["transaction"]


@given(percent=st.integers(0, 100), limit=st.integers(1, 40_000))
def test_the_maker_pays_his_share_from_stake(percent: int, limit: int) -> None:
    lab = begun()
    change(lab, "UpdateSettingContract", consume_user_resource_percent=percent)
    change(lab, "UpdateEnergyLimitContract", origin_energy_limit=limit)
    balance = lab.balance(BOB.address)
    row = called(lab, BOB)
    assert row.energy_total > 20_000
    share = row.energy_total * (100 - percent) // 100
    assert row.origin_usage == min(share, limit)
    price = lab.genesis.parameters.energy_fee
    assert row.energy_fee == (row.energy_total - row.origin_usage) * price
    assert balance - lab.balance(BOB.address) == row.energy_fee
    whale = lab.chain.head.accounts.get(WHALE.address.raw)
    assert whale is not None
    assert whale.energy_usage == row.origin_usage
    own = called(lab, WHALE)
    assert (own.origin_usage, own.energy_usage) == (0, own.energy_total)


def test_the_makers_share_lifts_what_a_call_may_use() -> None:
    lab = begun()
    change(lab, "UpdateSettingContract", consume_user_resource_percent=50)
    client = Client(lab)
    price = lab.genesis.parameters.energy_fee
    for own, result in ((10_000, "OUT_OF_ENERGY"), (13_000, "SUCCESS")):
        sent = lab.call(
            BOB, "approve(address,uint256)", NOVA.address, 1, fee_limit=own * price
        )
        lab.send(sent)
        lab.mine()
        info = client.post("/wallet/gettransactioninfobyid", {"value": sent.txid})
        assert info["receipt"]["result"] == result
        total = info["receipt"]["energy_usage_total"]
        assert info["receipt"]["origin_energy_usage"] == total // 2
        assert total == 2 * own or result == "SUCCESS"


def deploy(client: Client, **body: Any) -> Any:
    return client.post("/wallet/deploycontract", body)


def test_a_deployment_is_built_and_names_its_contract() -> None:
    client = Client()
    client.lab.mine(3)
    abi = [
        {"type": "function", "name": "f", "stateMutability": "view", "inputs": []},
        {"type": "constructor", "inputs": [{"name": "n", "type": "uint256"}]},
    ]
    asked = {
        "owner_address": ALICE.address.base58,
        "abi": json.dumps(abi),
        "bytecode": "6001",
        "parameter": "02",
        "name": "x",
        "consume_user_resource_percent": "50",
        "fee_limit": "1000",
        "Permission_id": 2,
        "visible": True,
    }
    built = deploy(client, **asked)
    [made] = built["raw_data"]["contract"]
    assert made["Permission_id"] == 2
    assert built["raw_data"]["fee_limit"] == 1000
    new = made["parameter"]["value"]["new_contract"]
    assert new["bytecode"] == "600102"
    assert new["origin_address"] == ALICE.address.base58
    assert new["consume_user_resource_percent"] == 50
    assert [entry["type"] for entry in new["abi"]["entrys"]] == [
        "Function",
        "Constructor",
    ]
    raw = Transaction(bytes.fromhex(built["raw_data_hex"]))
    expected = b"\x41" + keccak256(raw.digest + ALICE.address.raw)[12:]
    assert built["contract_address"] == expected.hex()
    assert deploy(client, **asked | {"abi": abi})["raw_data"]["contract"] == [made]
    plain = deploy(client, **asked | {"Permission_id": 0})
    sent = client.post("/wallet/broadcasttransaction", client.signed(plain))
    assert "is not executed by this devnet" in sent["message"]


def test_a_deployment_is_refused_for_its_form_alone() -> None:
    client = Client()
    for form in ({}, {"abi": "[]"}, {"parameter": "", "bytecode": ""}):
        assert "raw_data" in deploy(client, **form)
    decoder = "class org.bouncycastle.util.encoders.DecoderException : "
    refusals: tuple[tuple[dict[str, Any], str], ...] = (
        ({"abi": "x"}, PARSE_ERROR),
        ({"abi": None}, PARSE_ERROR),
        ({"bytecode": "zz"}, decoder),
        ({"parameter": "00"}, decoder),
        ({"owner_address": "zz"}, decoder),
        ({"consume_user_resource_percent": 101}, INVALID + "percent must be"),
        (
            {"origin_energy_limit": 1.5},
            "class java.lang.ArithmeticException : Rounding",
        ),
    )
    for body, error in refusals:
        assert deploy(client, **body)["Error"].startswith(error)
