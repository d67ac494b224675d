"""The node's HTTP face, asked without a socket. Answers are java-tron 4.8.0's."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.devnet.http.requests import MAX_BODY_BYTES
from lucidtrond.devnet.http.routes import ROUTES
from lucidtrond.devnet.java.errors import JavaError
from lucidtrond.devnet.java.fastjson import parse, parse_object
from lucidtrond.devnet.router import HTML_TYPE, JSON_TYPE, Router
from lucidtrond.devnet.state.kinds.base import Get
from lucidtrond.transports.http import HttpRequest, HttpResponse
from lucidtrond.tron.transaction import Transaction
from tests.devnet.making import ALICE, BOB, FIVE, NOVA, Lab

PARSE_ERROR = "class org.tron.core.services.http.JsonFormat$ParseException : "
INVALID = "class org.tron.core.exception.ContractValidateException : "
NULL_POINTER = "class java.lang.NullPointerException : null"


@define
class Client:
    """Asks one chain."""

    lab: Lab = field(factory=Lab)
    router: Router = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.router = Router(
            self.lab.chain, now_ms=lambda: self.lab.chain.head.globals.timestamp
        )

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        query: str = "",
        kind: bytes = b"application/json",
    ) -> HttpResponse:
        headers = {b"content-type": kind}
        return self.router.answer(HttpRequest(method, path, query, headers, body))

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        data = b"" if body is None else json.dumps(body).encode()
        return json.loads(self.ask("POST", path, data, **more).body)

    def get(self, path: str, **parameters: Any) -> Any:
        return json.loads(self.ask("GET", path, query=urlencode(parameters)).body)

    def signed(self, built: dict[str, Any]) -> dict[str, Any]:
        raw = bytes.fromhex(built["raw_data_hex"])
        signature = ALICE.sign(Transaction(raw).digest)
        return {**built, "signature": [signature.hex()]}


@pytest.fixture
def client() -> Client:
    client = Client()
    client.lab.mine(10)
    return client


def test_a_payment_shows_on_every_side_when_it_should(client: Client) -> None:
    built = client.post(
        "/wallet/createtransaction",
        {
            "owner_address": ALICE.address.hex,
            "to_address": BOB.address.hex,
            "amount": 12_345_678,
        },
    )
    txid = built["txID"]
    value = {"value": txid}
    sent = client.post("/wallet/broadcasttransaction", client.signed(built))
    assert sent == {"result": True, "txid": txid}
    assert client.get("/wallet/getpendingsize") == {"pendingSize": 1}
    assert client.get("/wallet/gettransactionlistfrompending") == {"txId": [txid]}
    pending = client.post("/wallet/gettransactionbyid", value)
    assert pending["ret"] == [{"contractRet": "SUCCESS"}]
    assert client.post("/wallet/gettransactioninfobyid", value) == {}
    bob = {"address": BOB.address.base58, "visible": True}
    assert client.post("/wallet/getaccount", bob)["balance"] == 1_000_012_345_678
    assert client.post("/walletsolidity/getaccount", bob)["balance"] == 10**12
    client.lab.mine()
    info = client.post("/wallet/gettransactioninfobyid", value)
    assert info["id"] == txid
    assert info["receipt"] == {"net_usage": 268}
    assert info["contractResult"] == [""]
    assert "fee" not in info
    assert client.post("/walletsolidity/gettransactioninfobyid", value) == {}
    client.lab.mine(4)
    assert client.post("/walletsolidity/gettransactioninfobyid", value) == {}
    client.lab.mine()
    assert client.post("/walletsolidity/gettransactioninfobyid", value) == info
    assert (
        client.post("/walletsolidity/getaccount", bob)["balance"] == 1_000_012_345_678
    )


def test_broadcasthex_takes_the_same_bytes_and_talks_plainly(client: Client) -> None:
    transaction = client.lab.transfer(ALICE, BOB.address, 5)
    body = {"transaction": transaction.encode().hex()}
    first = client.post("/wallet/broadcasthex", body)
    assert (first["result"], first["code"], first["txid"]) == (
        True,
        "SUCCESS",
        transaction.txid,
    )
    again = client.post("/wallet/broadcasthex", body)
    assert (again["result"], again["code"], again["message"]) == (
        False,
        "DUP_TRANSACTION_ERROR",
        "Dup transaction.",
    )
    spoken = json.loads(again["transaction"])
    [contract] = spoken["raw_data"]["contract"]
    assert contract["type"] == "TransferContract"
    assert bytes.fromhex(contract["parameter"]["value"]).endswith(b"\x18\x05")


@pytest.mark.parametrize("data", ["ffffff", "0a05ff", "00"])
def test_broadcasthex_of_bytes_that_are_no_transaction_is_an_error(
    client: Client, data: str
) -> None:
    answer = client.post("/wallet/broadcasthex", {"transaction": data})
    assert answer["Error"].startswith(
        "class com.google.protobuf.InvalidProtocolBufferException : "
    )


def test_messages_are_hex_unless_the_transaction_is_visible(client: Client) -> None:
    built = client.post(
        "/wallet/createtransaction",
        {
            "owner_address": ALICE.address.base58,
            "to_address": BOB.address.base58,
            "amount": 1,
            "visible": True,
        },
    )
    text = "Validate signature error: miss sig or contract"
    plain = client.post("/wallet/broadcasttransaction", built)
    assert plain == {"code": "SIGERROR", "txid": built["txID"], "message": text}
    built["visible"] = False
    built["raw_data"]["contract"][0]["parameter"]["value"] = {
        "owner_address": ALICE.address.hex,
        "to_address": BOB.address.hex,
        "amount": 1,
    }
    hexed = client.post("/wallet/broadcasttransaction", built)
    assert bytes.fromhex(hexed["message"]).decode() == text


def test_a_new_account_has_permissions_and_a_genesis_account_none(
    client: Client,
) -> None:
    client.lab.send(client.lab.transfer(ALICE, NOVA.address, 2_000_000))
    client.lab.mine()
    nova = client.post("/wallet/getaccount", {"address": NOVA.address.hex})
    assert nova["owner_permission"]["keys"] == [
        {"address": NOVA.address.hex, "weight": 1}
    ]
    assert nova["active_permission"][0]["operations"] == (
        FIVE.file.default_active_operations
    )
    assert nova["frozenV2"] == [{}, {"type": "ENERGY"}, {"type": "TRON_POWER"}]
    alice = client.post("/wallet/getaccount", {"address": ALICE.address.hex})
    assert not {"owner_permission", "active_permission", "create_time"} & set(alice)


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("getaccount", "", PARSE_ERROR + '1:1: Expected "{".'),
        ("getaccount", "null", NULL_POINTER),
        (
            "getaccount",
            "[]",
            "class com.alibaba.fastjson.JSONException : can not cast to JSONObject.",
        ),
        ("getaccount", '{"address":"zz"}', PARSE_ERROR + "1:12: INVALID hex String"),
        ("getaccount", '{"address":5}', PARSE_ERROR + "1:12: Expected string."),
        (
            "getblockbynum",
            '{"num":"0"}',
            PARSE_ERROR + '1:8: Couldn\'t parse integer: For input string: ""0""',
        ),
        ("broadcasttransaction", "", NULL_POINTER),
        ("broadcasttransaction", '{"raw_data":null}', NULL_POINTER),
        ("getblock", '{"id_or_num":"-1"}', "num must be non-positive number."),
        ("getblock", '{"id_or_num":"x"}', "id must be legal block hash."),
        ("createaccount", "{}", INVALID + "Invalid ownerAddress"),
        ("createtransaction", "{}", INVALID + "Invalid ownerAddress!"),
    ],
)
def test_bad_bodies_get_java_trons_words(
    client: Client, path: str, body: str, error: str
) -> None:
    response = client.ask("POST", f"/wallet/{path}", body.encode())
    assert response.status == 200
    assert json.loads(response.body) == {"Error": error}


def test_a_body_above_four_mebibytes_is_refused_in_words(client: Client) -> None:
    response = client.ask("POST", "/wallet/getaccount", b" " * (MAX_BODY_BYTES + 1))
    assert json.loads(response.body)["Error"].endswith("the limit is 4194304")


@pytest.mark.parametrize("name", ["address", "id_or_num", "extra_data"])
@pytest.mark.parametrize("visible", [True, False])
def test_letters_that_utf8_cannot_hold_do_no_harm(
    client: Client, name: str, *, visible: bool
) -> None:
    body = {"owner_address": "41", name: "\ud800" * 34, "visible": visible}
    for path in ROUTES:
        data = json.dumps(body).encode()
        assert client.ask("POST", path, data).status in (200, 404)


def test_deep_nesting_is_answered_not_died_of(client: Client) -> None:
    for body in (b"[" * 200_000, b'{"x":' * 200_000):
        response = client.ask("POST", "/wallet/getaccount", body)
        assert "Error" in json.loads(response.body)


def test_forms_are_taken_by_reads(client: Client) -> None:
    answer = client.ask(
        "POST",
        "/wallet/getaccount",
        f"address={BOB.address.base58}&visible=true".encode(),
        kind=b"application/x-www-form-urlencoded",
    )
    assert json.loads(answer.body)["address"] == BOB.address.base58


def test_a_form_is_one_only_by_the_exact_content_type(client: Client) -> None:
    for kind in (
        b"application/x-www-form-urlencoded; charset=utf-8",
        b"Application/X-WWW-Form-Urlencoded",
    ):
        body = f"address={BOB.address.hex}".encode()
        answer = client.ask("POST", "/wallet/getaccount", body, kind=kind)
        assert "JSONException : syntax error" in json.loads(answer.body)["Error"]


def test_verbs_and_paths_are_told_apart_as_jetty_does(client: Client) -> None:
    def seen(method: str, path: str) -> tuple[int, str]:
        response = client.ask(method, path)
        return response.status, response.content_type

    assert seen("GET", "/wallet/nosuchthing") == (404, HTML_TYPE)
    assert seen("POST", "/wallet/nosuchthing") == (405, HTML_TYPE)
    assert seen("GET", "/wallet/getnowblock/") == (404, HTML_TYPE)
    assert seen("GET", "/wallet/GetNowBlock") == (404, HTML_TYPE)
    assert seen("PUT", "/wallet/getnowblock") == (405, "")
    assert seen("DELETE", "/wallet/getnowblock") == (405, "")
    assert seen("PATCH", "/wallet/getnowblock") == (501, "")
    assert seen("PUT", "/wallet/nosuchthing") == (405, "")
    assert seen("PATCH", "/wallet/nosuchthing") == (501, "")
    assert seen("HEAD", "/wallet/nosuchthing") == (404, HTML_TYPE)
    assert seen("GET", "/jsonrpc") == (405, HTML_TYPE)
    assert seen("DELETE", "/jsonrpc") == (405, "")
    assert seen("OPTIONS", "/wallet/getnowblock") == (200, JSON_TYPE)
    assert seen("HEAD", "/wallet/getnowblock") == (200, JSON_TYPE)
    assert seen("GET", "/wallet/createtransaction") == (200, JSON_TYPE)
    assert client.ask("GET", "/wallet/createtransaction").body == b""
    assert seen("GET", "/wallet/broadcasthex") == (405, HTML_TYPE)
    assert seen("GET", "/walletsolidity/getchainparameters") == (404, HTML_TYPE)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/wallet/getnowblock", "GET, HEAD, POST, TRACE, OPTIONS"),
        ("/wallet/createtransaction", "GET, HEAD, POST, TRACE, OPTIONS"),
        ("/wallet/createaccount", "POST, TRACE, OPTIONS"),
        ("/jsonrpc", "POST, TRACE, OPTIONS"),
        ("/wallet/nosuchthing", "GET, HEAD, TRACE, OPTIONS"),
    ],
)
def test_options_name_the_verbs_that_a_servlet_has(
    client: Client, path: str, allowed: str
) -> None:
    response = client.ask("OPTIONS", path)
    assert (response.status, response.body) == (200, b"")
    assert ("Allow", allowed) in response.headers


def test_the_solid_side_says_only_the_message_of_two_lookups_errors(
    client: Client,
) -> None:
    for path in ("gettransactionbyid", "gettransactioninfobyid"):
        for body, text in (
            (b'{"value":"zz"}', "1:10: INVALID hex String"),
            (b"null", "null"),
        ):
            solid = client.ask("POST", f"/walletsolidity/{path}", body)
            assert solid.status == 200
            assert solid.content_type == JSON_TYPE
            assert solid.body.decode() == text + "\n"
            assert "Error" in client.post(f"/wallet/{path}", json.loads(body))
        hexless = client.ask("GET", f"/walletsolidity/{path}", query="value=zz")
        assert hexless.body.startswith(b"exception decoding Hex string: ")
    whole = client.ask("POST", "/walletsolidity/getblockbyid", b'{"value":"zz"}')
    assert b'"Error"' in whole.body


def test_every_servlet_answers_an_empty_object_and_an_empty_query(
    client: Client,
) -> None:
    for path, route in ROUTES.items():
        assert client.ask("POST", path, b"{}").status == 200, path
        if route.get is Get.ANSWERS:
            assert client.ask("GET", path).status == 200, path


@given(st.binary(max_size=60), st.sampled_from(sorted(ROUTES)))
def test_no_body_makes_a_servlet_raise(body: bytes, path: str) -> None:
    assert FUZZED.ask("POST", path, body).status in (200, 404)


letters = st.characters(exclude_categories=())  # lone surrogates too
words = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(letters, max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "raw_data",
                    "contract",
                    "type",
                    "parameter",
                    "value",
                    "owner_address",
                    "signature",
                    "visible",
                    "transaction",
                    "address",
                    "num",
                    "amount",
                    "Permission_id",
                    "extra_data",
                    "block_identifier",
                    "account_identifier",
                ]
            )
            | st.text(max_size=4),
            inner | st.sampled_from(["TransferContract", "41" * 21, "00"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(words, st.sampled_from(sorted(ROUTES)))
def test_no_json_makes_a_servlet_raise(body: Any, path: str) -> None:
    data = json.dumps(body).encode()
    assert FUZZED.ask("POST", path, data).status in (200, 404)


@given(
    st.dictionaries(
        st.sampled_from(
            ["num", "value", "address", "startNum", "endNum", "id_or_num", "visible"]
        ),
        st.text(max_size=8) | st.sampled_from(["true", "41" * 21, "1", "-1"]),
    ),
    st.sampled_from(sorted(ROUTES)),
)
def test_no_query_makes_a_servlet_raise(query: dict[str, str], path: str) -> None:
    status = FUZZED.ask("GET", path, query=urlencode(query)).status
    assert status in (200, 404, 405)


permission_ids = words | st.text("0123456789-xnul", max_size=4)


@given(permission_ids, words)
def test_no_permission_id_or_memo_makes_a_builder_raise(number: Any, memo: Any) -> None:
    body = {
        "owner_address": ALICE.address.hex,
        "to_address": BOB.address.hex,
        "amount": 1,
        "Permission_id": number,
        "extra_data": memo,
    }
    answer = FUZZED.post("/wallet/createtransaction", body)
    assert "Error" in answer or "txID" in answer


FUZZED = Client()
FUZZED.lab.mine(3)


@given(words)
def test_good_json_is_read_as_anybody_reads_it(value: Any) -> None:
    assert parse(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a':1}", {"a": 1}),
        ("{a:1,}", {"a": 1}),
        ('{/*x*/"a":1}', {"a": 1}),
        ('{"a":1,"a":2}', {"a": 2}),
        ("{a:[1,2,],b:null,c:true}", {"a": [1, 2], "b": None, "c": True}),
    ],
)
def test_fastjsons_leniencies_are_shared(text: str, value: Any) -> None:
    assert parse_object(text) == value


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("hello", "syntax error, pos 1, line 1, column 2hello"),
        ('{"a":', 'unterminated json string, pos 5, line 1, column 6{"a":'),
        ("{}{}", "not close json text, token : {"),
        ('{"address":"41"', "syntax error, position at 0, name address"),
        ("5", "can not cast to JSONObject."),
    ],
)
def test_fastjsons_complaints_are_shared(text: str, error: str) -> None:
    with pytest.raises(JavaError) as caught:
        parse_object(text)
    assert str(caught.value) == f"class com.alibaba.fastjson.JSONException : {error}"
