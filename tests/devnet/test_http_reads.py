"""Reads of blocks, transactions, accounts and signatures, at their edges."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from lucidtrond.devnet.state.account import Permission, Permissions
from lucidtrond.tron import base58
from lucidtrond.tron.jsonformat import print_transaction
from lucidtrond.tron.transaction import Transaction
from tests.devnet.making import ALICE, BOB, CAROL, FIVE, NOVA, WHALE, raw_transfer, sign
from tests.devnet.test_http import Client

HEAD = 10


@pytest.fixture
def client() -> Client:
    client = Client()
    client.lab.mine(HEAD)
    return client


def numbers(answer: dict[str, Any]) -> list[int]:
    return [
        block["block_header"]["raw_data"].get("number", 0) for block in answer["block"]
    ]


def test_a_block_is_the_same_through_every_path(client: Client) -> None:
    client.lab.send(client.lab.transfer(ALICE, BOB.address, 7))
    client.lab.mine(6)
    block = client.get("/wallet/getblockbynum", num=HEAD + 1)
    assert len(block["transactions"]) == 1
    block_id = block["blockID"]
    value = {"value": block_id}
    for answer in (
        client.post("/wallet/getblockbynum", {"num": HEAD + 1}),
        client.post("/wallet/getblockbyid", value),
        client.get("/walletsolidity/getblockbyid", **value),
        client.post("/wallet/getblock", {"id_or_num": block_id, "detail": True}),
        client.get("/wallet/getblock", id_or_num=HEAD + 1, detail="true"),
    ):
        assert answer == block
    bare = client.post("/wallet/getblock", {"id_or_num": str(HEAD + 1)})
    assert bare == {key: block[key] for key in ("blockID", "block_header")}
    visible = client.get("/wallet/getblockbynum", num=HEAD + 1, visible="true")
    [transaction] = visible["transactions"]
    [contract] = transaction["raw_data"]["contract"]
    assert contract["parameter"]["value"]["owner_address"] == ALICE.address.base58
    assert visible["block_header"]["raw_data"]["witness_address"].startswith("T")
    count = client.get("/walletsolidity/gettransactioncountbyblocknum", num=HEAD + 1)
    assert count == {"count": 1}


def test_the_heads_of_both_sides_are_named_without_parameters(client: Client) -> None:
    def number(path: str) -> int:
        answer = client.post(path)
        result: int = answer["block_header"]["raw_data"]["number"]
        return result

    assert number("/wallet/getnowblock") == HEAD
    assert number("/walletsolidity/getnowblock") == HEAD - 5
    head = client.get("/wallet/getblock")
    assert head["blockID"] == client.get("/wallet/getnowblock")["blockID"]


def test_a_solid_side_shows_no_later_block(client: Client) -> None:
    newest = client.get("/wallet/getnowblock")["blockID"]
    assert client.get("/walletsolidity/getblockbynum", num=HEAD - 4) == {}
    assert client.get("/walletsolidity/getblockbynum", num=HEAD - 5) != {}
    assert client.get("/walletsolidity/getblockbyid", value=newest) == {}


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, None), (-1, None), (1, [10]), (3, [8, 9, 10]), (99, range(11)), (100, None)],
)
def test_the_latest_blocks_come_in_ascending_order(
    client: Client, count: int, expected: list[int] | None
) -> None:
    answer = client.post("/wallet/getblockbylatestnum", {"num": count})
    if expected is None:
        assert answer == {}
    else:
        assert numbers(answer) == list(expected)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 3, [0, 1, 2]),
        (9, 109, [9, 10]),
        (9, 110, None),
        (5, 5, None),
        (6, 5, None),
        (-1, 2, []),
        (1000, 1001, []),
        (0, 0, None),
    ],
)
def test_ranges_of_blocks_exclude_their_end(
    client: Client, start: int, end: int, expected: list[int] | None
) -> None:
    answer = client.post(
        "/wallet/getblockbylimitnext", {"startNum": start, "endNum": end}
    )
    if expected is None:
        assert answer == {}
    else:
        assert numbers(answer) == expected


def test_a_query_without_a_number_means_genesis_to_one_path_alone(
    client: Client,
) -> None:
    missing = "class java.lang.NumberFormatException : Cannot parse null string"
    assert client.get("/wallet/getblockbynum") == client.get(
        "/wallet/getblockbynum", num=0
    )
    for path in (
        "getblockbylatestnum",
        "gettransactioncountbyblocknum",
        "gettransactioninfobyblocknum",
    ):
        assert client.get(f"/wallet/{path}") == {"Error": missing}


def test_bodies_are_read_where_the_node_reads_them(client: Client) -> None:
    head = client.get("/wallet/getnowblock")
    bare = {key: head[key] for key in ("blockID", "block_header")}
    assert client.post("/wallet/getblock") == bare
    shown = client.post("/wallet/getnowblock", query="visible=true")
    assert shown == client.get("/wallet/getnowblock", visible="true") != head
    assert client.post("/wallet/getnowblock", {"visible": True}) == head
    null = {"Error": "class java.lang.NullPointerException : null"}
    for path in ("getaccountresource", "broadcasthex", "getassetissuebyid"):
        assert client.post(f"/wallet/{path}") == null
    assert client.post("/wallet/getaccountresource", {"address": 5}) == {}
    ill = client.ask("POST", "/wallet/gettransactionlistfrompending", b"hello")
    assert b"JSONException : syntax error" in ill.body
    assert client.post("/wallet/gettransactionlistfrompending") == {}


def test_queries_about_stake_decode_addresses_by_themselves(client: Client) -> None:
    whale = FIVE.funded[0].key.address
    for path, names in (
        ("getavailableunfreezecount", ("owner_address",)),
        ("getcanwithdrawunfreezeamount", ("owner_address",)),
        ("getcandelegatedmaxsize", ("owner_address",)),
        ("getdelegatedresourcev2", ("fromAddress", "toAddress")),
    ):
        plain = dict.fromkeys(names, whale.hex)
        shown = dict.fromkeys(names, whale.base58) | {"visible": "true"}
        answer = client.get(f"/wallet/{path}", **plain)
        assert answer == client.post(f"/wallet/{path}", plain)
        assert answer == client.get(f"/wallet/{path}", **shown)
        broken = shown | dict.fromkeys(names, whale.base58[:-1] + "1")
        assert client.get(f"/wallet/{path}", **broken) == {}
        letters = client.get(f"/wallet/{path}", **dict.fromkeys(names, "zz"))
        assert "DecoderException : exception decoding Hex string" in letters["Error"]
        ill = shown | dict.fromkeys(names, "T0")
        assert client.get(f"/wallet/{path}", **ill) == {
            "Error": "class java.lang.IllegalArgumentException :"
            " Illegal character 0 at 1"
        }
    number = client.get("/wallet/getcandelegatedmaxsize", type=2**31)
    assert "NumberFormatException : For input string" in number["Error"]


def test_a_log_names_its_contract_otherwise_on_the_solid_side(client: Client) -> None:
    call = client.lab.call(WHALE, "transfer(address,uint256)", BOB.address, 5)
    client.lab.send(call)
    client.lab.mine(10)

    def address(path: str, **more: Any) -> str:
        [log] = client.post(path, {"value": call.txid, **more})["log"]
        result: str = log["address"]
        return result

    [token] = client.lab.chain.head.contracts.values()
    for side in ("wallet", "walletsolidity"):
        assert address(f"/{side}/gettransactioninfobyid") == token.address[1:].hex()
    shown = address("/wallet/gettransactioninfobyid", visible=True)
    assert shown == base58.encode_check(token.address)
    # GetTransactionInfoByIdSolidityServlet prints what it finds: no 41 goes before.
    solid = address("/walletsolidity/gettransactioninfobyid", visible=True)
    assert solid == base58.encode_check(token.address[1:])


def test_an_id_names_a_block_only_if_its_number_exists(client: Client) -> None:
    block_id = client.get("/wallet/getnowblock")["blockID"]
    later = (HEAD + 1).to_bytes(8, "big").hex() + block_id[16:]
    other = block_id[:-1] + ("0" if block_id[-1] != "0" else "1")
    illegal = {"Error": "id must be legal block hash."}
    assert client.post("/wallet/getblock", {"id_or_num": later}) == illegal
    assert client.post("/wallet/getblock", {"id_or_num": other}) == {}
    assert client.post("/wallet/getblock", {"id_or_num": "0" * 64}) == client.post(
        "/wallet/getblock", {"id_or_num": "0"}
    )


def test_the_pool_is_read_by_id(client: Client) -> None:
    transaction = client.lab.transfer(ALICE, BOB.address, 7)
    value = {"value": transaction.txid}
    client.lab.send(transaction)
    waiting = client.post("/wallet/gettransactionfrompending", value)
    assert waiting["txID"] == transaction.txid
    client.lab.mine()
    assert client.post("/wallet/gettransactionfrompending", value) == {}
    receipt = client.post("/wallet/gettransactionreceiptbyid", value)
    assert set(receipt["Receipt"]) == {"net_usage"}


def test_infos_of_a_block_come_in_its_order(client: Client) -> None:
    sent = [client.lab.transfer(ALICE, BOB.address, n) for n in range(1, 6)]
    for transaction in sent:
        client.lab.send(transaction)
    client.lab.mine()
    infos = client.post("/wallet/gettransactioninfobyblocknum", {"num": HEAD + 1})
    assert [info["id"] for info in infos] == [transaction.txid for transaction in sent]
    fees = [info.get("fee", 0) for info in infos]
    burned = client.get("/wallet/getburntrx")["burnTrxAmount"]
    assert sum(fees) == burned > 0


def balance_at(client: Client, number: int, **changes: Any) -> Any:
    block = client.post("/wallet/getblockbynum", {"num": number})
    body = {
        "account_identifier": {"address": BOB.address.hex},
        "block_identifier": {"hash": block["blockID"], "number": number},
    }
    return client.post("/wallet/getaccountbalance", body | changes)


def test_a_balance_is_told_as_of_a_block_whose_state_is_kept(client: Client) -> None:
    client.lab.send(client.lab.transfer(ALICE, BOB.address, 7))
    client.lab.mine(3)
    assert balance_at(client, 0)["balance"] == 10**12
    assert balance_at(client, HEAD)["balance"] == 10**12
    after = balance_at(client, HEAD + 1)
    assert after["balance"] == 10**12 + 7
    assert after["block_identifier"]["number"] == HEAD + 1
    illegal = "class java.lang.IllegalArgumentException : "
    assert balance_at(client, 1) == {
        "Error": illegal + "the state of block 1 is not kept"
    }
    mismatch = {"block_identifier": {"hash": FIVE.id, "number": 1}}
    assert balance_at(client, 0, **mismatch) == {
        "Error": illegal + "number and hash do not match"
    }
    missing = {"Error": illegal + "account_identifier is null"}
    assert client.post("/wallet/getaccountbalance", {}) == missing


def weigh(client: Client, transaction: Transaction, path: str) -> Any:
    body = print_transaction(transaction.raw, transaction.signatures, visible=False)
    answer = client.post(f"/wallet/{path}", body)
    assert answer["transaction"]["txid"] == transaction.txid
    return answer


def test_signatures_are_weighed(client: Client) -> None:
    chain = client.lab.chain
    raw = raw_transfer(chain, ALICE.address, BOB.address, 1)
    unsigned = weigh(client, sign(raw), "getsignweight")
    assert unsigned["result"] == {"code": "NOT_ENOUGH_PERMISSION"}
    assert not {"approved_list", "current_weight"} & set(unsigned)
    signed = weigh(client, sign(raw, ALICE), "getsignweight")
    assert signed["result"] == {}
    assert signed["approved_list"] == [ALICE.address.hex]
    assert signed["current_weight"] == 1
    assert signed["permission"]["keys"] == [{"address": ALICE.address.hex, "weight": 1}]
    strange = weigh(client, sign(raw, CAROL), "getsignweight")["result"]
    assert strange["code"] == "PERMISSION_ERROR"
    assert strange["message"].endswith("is not contained of permission.")


def test_signatures_of_owners_and_permissions_that_are_missing(
    client: Client,
) -> None:
    chain = client.lab.chain
    nobody = sign(raw_transfer(chain, NOVA.address, BOB.address, 1), NOVA)
    assert weigh(client, nobody, "getsignweight")["result"] == {
        "code": "PERMISSION_ERROR",
        "message": "Account does not exist!",
    }
    raw = raw_transfer(chain, ALICE.address, BOB.address, 1, permission_id=3)
    assert weigh(client, sign(raw, ALICE), "getsignweight")["result"] == {
        "code": "PERMISSION_ERROR",
        "message": "Permission for this, does not exist!",
    }
    listed = weigh(client, nobody, "getapprovedlist")
    assert listed["result"] == {
        "code": "OTHER_ERROR",
        "message": "class org.tron.core.exception.PermissionException"
        " : Account does not exist!",
    }
    assert "approved_list" not in listed
    # No permission is asked: strangers are listed, and whoever signed twice.
    strange = weigh(client, sign(raw, ALICE, BOB, BOB), "getapprovedlist")
    assert strange["result"] == {}
    assert strange["approved_list"] == [key.address.hex for key in (ALICE, BOB, BOB)]


def test_only_active_permissions_are_weighed_by_their_id(client: Client) -> None:
    world = client.lab.chain.pending
    alice = world.accounts.get(ALICE.address.raw)
    assert alice is not None
    keys = ((ALICE.address.raw, 1),)
    owner, witness = Permission(0, 0, "o", 1, keys), Permission(1, 1, "w", 1, keys)
    world.put_account(replace(alice, permissions=Permissions(owner, witness, ())))
    raw = raw_transfer(client.lab.chain, ALICE.address, BOB.address, 1, permission_id=1)
    answer = weigh(client, sign(raw, ALICE), "getsignweight")
    assert answer["result"] == {
        "code": "PERMISSION_ERROR",
        "message": "Permission type is wrong!",
    }
    assert "permission" not in answer


@pytest.mark.parametrize(
    ("signature", "code", "message"),
    [
        (b"\1" * 64, "SIGNATURE_FORMAT_ERROR", "Signature size is 64"),
        (
            b"\1" * 64 + b"\x40",
            "COMPUTE_ADDRESS_ERROR",
            "java.security.SignatureException: Header byte out of range: 64",
        ),
        (
            (5).to_bytes(32) + b"\1" * 32 + b"\0",  # no point has this x
            "COMPUTE_ADDRESS_ERROR",
            "java.lang.IllegalArgumentException: Invalid point compression",
        ),
    ],
)
@pytest.mark.parametrize("path", ["getsignweight", "getapprovedlist"])
def test_signatures_nobody_can_have_made(
    client: Client, path: str, signature: bytes, code: str, message: str
) -> None:
    raw = raw_transfer(client.lab.chain, ALICE.address, BOB.address, 1)
    answer = weigh(client, sign(raw).with_signature(signature), path)
    assert answer["result"] == {"code": code, "message": message}
    assert "approved_list" not in answer


def test_who_signed_is_listed(client: Client) -> None:
    raw = raw_transfer(client.lab.chain, ALICE.address, BOB.address, 1)
    signed = weigh(client, sign(raw, ALICE), "getapprovedlist")
    assert signed["approved_list"] == [ALICE.address.hex]
    assert signed["result"] == {}
    unsigned = weigh(client, sign(raw), "getapprovedlist")
    assert "approved_list" not in unsigned
    assert unsigned["result"] == {}


def test_a_memo_is_hex_or_text_and_only_for_transfers(client: Client) -> None:
    def data(body: dict[str, Any], path: str = "createtransaction") -> Any:
        answer = client.post(f"/wallet/{path}", body)
        return answer["raw_data"].get("data")

    plain = {
        "owner_address": ALICE.address.hex,
        "to_address": BOB.address.hex,
        "amount": 1,
    }
    shown = {
        "owner_address": ALICE.address.base58,
        "to_address": BOB.address.base58,
        "amount": 1,
        "visible": True,
    }
    assert data(plain | {"extra_data": "6869"}) == "6869"
    assert data(shown | {"extra_data": "hi"}) == "6869"
    assert data(plain) is None
    assert data(plain | {"extra_data": ""}) is None
    assert data(plain | {"extra_data": 6869}) == "6869"
    assert data(shown | {"extra_data": True}) == b"true".hex()
    error = client.post("/wallet/createtransaction", plain | {"extra_data": None})
    assert error == {"Error": "class java.lang.NullPointerException : null"}
    named = {"owner_address": ALICE.address.hex, "account_name": "61"}
    assert data(named | {"extra_data": "6869"}, "updateaccount") is None


def test_built_transactions_refer_to_the_solid_block_and_live_a_minute(
    client: Client,
) -> None:
    built = client.post(
        "/wallet/createtransaction",
        {
            "owner_address": ALICE.address.hex,
            "to_address": BOB.address.hex,
            "amount": 1,
        },
    )
    raw = built["raw_data"]
    solid = client.get("/wallet/getblockbynum", num=HEAD - 3)["blockID"]
    assert raw["ref_block_bytes"] + raw["ref_block_hash"] == solid[12:32]
    head = client.get("/wallet/getnowblock")["block_header"]["raw_data"]
    assert raw["expiration"] == head["timestamp"] + 60_000


def test_addresses_are_judged_in_all_their_forms(client: Client) -> None:
    def judge(address: object) -> Any:
        return client.post("/wallet/validateaddress", {"address": address})

    good = ALICE.address
    assert judge(good.base58) == {"result": True, "message": "Base58check format"}
    assert judge(good.hex.upper()) == {"result": True, "message": "Hex string format"}
    assert judge("QbcXX30hARDE+vqG7GqYvbuZ+csn") == {
        "result": True,
        "message": "Base64 format",
    }
    assert judge("42" + good.hex[2:])["message"] == "Invalid address"
    assert judge(good.base58[:-1] + "0")["message"] == "Illegal character 0 at 33"
    assert judge("!" * 28)["message"] == "Illegal base64 character 21"
    assert judge("")["message"] == "Length error"
    assert judge(None) == {"result": False}
    # Bitcoin's addresses have 34 letters too, and another first byte.
    assert judge("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")["result"] is False


def test_accounts_are_read_by_both_verbs_and_both_spellings(client: Client) -> None:
    plain = {"address": ALICE.address.hex}
    shown = {"address": ALICE.address.base58, "visible": True}
    for path in ("getaccount", "getaccountnet", "getaccountresource"):
        one = client.post(f"/wallet/{path}", plain)
        assert one == client.get(f"/wallet/{path}", **plain)
        two = client.post(f"/wallet/{path}", shown)
        assert two == client.get(f"/wallet/{path}", **(shown | {"visible": "true"}))
        assert one
        assert set(one) == set(two)
    resources = client.post("/wallet/getaccountresource", plain)
    net = client.post("/wallet/getaccountnet", plain)
    assert net.items() <= resources.items()


def test_stake_gives_its_share_of_the_limits(client: Client) -> None:
    whale = {"address": FIVE.funded[0].key.address.hex}
    resources = client.post("/wallet/getaccountresource", whale)
    assert resources["NetLimit"] == resources["TotalNetLimit"]
    assert resources["EnergyLimit"] == resources["TotalEnergyLimit"]
    assert resources["tronPowerLimit"] == 46_000_000_000
    staked = client.post("/wallet/getaccount", whale)["frozenV2"]
    assert [stake.get("amount") for stake in staked] == [27 * 10**15, 19 * 10**15, None]


def test_node_info_names_both_heads(client: Client) -> None:
    info = client.get("/wallet/getnodeinfo")
    head = client.get("/wallet/getnowblock")["blockID"]
    solid = client.get("/wallet/getblockbynum", num=HEAD - 3)["blockID"]
    assert info["block"] == f"Num:{HEAD},ID:{head}"
    assert info["solidityBlock"] == f"Num:{HEAD - 3},ID:{solid}"
    json.dumps(info)


def test_witnesses_are_listed_with_their_work(client: Client) -> None:
    witnesses = client.get("/wallet/listwitnesses", visible="true")["witnesses"]
    names = {row.address for row in FIVE.file.witnesses}
    assert {witness["address"] for witness in witnesses} == names
    assert sum(witness["totalProduced"] for witness in witnesses) == HEAD
    assert {witness["latestBlockNum"] for witness in witnesses} == set(range(6, 11))


@pytest.mark.parametrize("side", ["wallet", "walletsolidity"])
def test_reward_and_brokerage_are_always_a_number(client: Client, side: str) -> None:
    somebody = ALICE.address
    for address in (somebody.hex, somebody.base58):
        assert client.post(f"/{side}/getReward", {"address": address}) == {"reward": 0}
        answer = client.get(f"/{side}/getBrokerage", address=address)
        assert answer == {"brokerage": 20}
    for given in ({}, {"address": "zz"}):
        assert client.post(f"/{side}/getReward", given) == {"reward": 0}
        assert client.post(f"/{side}/getBrokerage", given) == {"brokerage": 0}
