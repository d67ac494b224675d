"""gRPC of the chain: the same blocks and receipts as by HTTP, as grpcio reads them."""

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
import trio
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ResponseReceived
from h2.exceptions import H2Error
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.devnet.grpc.methods import METHODS, CallFailed, answer
from lucidtrond.devnet.grpc.server import MESSAGE_BYTES, GrpcConnection, open_grpc
from lucidtrond.devnet.router import Router
from lucidtrond.devnet.state.chain import Chain
from lucidtrond.errors import ConfigError
from lucidtrond.transports.http import HttpRequest
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.hashing import sha256
from lucidtrond.tron.jsonformat import print_message, print_transaction
from tests.devnet.making import ALICE, BOB, NOVA, WHALE, Lab
from tests.devnet.sending import contract
from tests.devnet.test_server import running

FREE = ("127.0.0.1", 0)
WALLET, SOLIDITY = "protocol.Wallet", "protocol.WalletSolidity"
Ask = Callable[[str, str, Message], bytes]
"""Service, method and request; gives the response's message."""


@pytest.fixture(name="lab", scope="module")
def _lab() -> Lab:
    """Payments, calls that work, revert and run out, stake: 60 blocks."""
    lab = Lab()
    lab.mine(3)
    lab.send(lab.transfer(ALICE, NOVA.address, 5_000_000, memo=b"a memo"))
    lab.send(lab.call(WHALE, "transfer(address,uint256)", BOB.address, 1000))
    lab.mine()
    lab.send(lab.call(BOB, "transfer(address,uint256)", ALICE.address, 10**30))
    lab.send(lab.call(BOB, "approve(address,uint256)", ALICE.address, 7))
    lab.send(contract(lab, ALICE, "FreezeBalanceV2Contract", frozen_balance=10**9))
    lab.mine(2)
    unfreeze = {"unfreeze_balance": 10**8}
    lab.send(contract(lab, ALICE, "UnfreezeBalanceV2Contract", **unfreeze))
    lab.mine()
    lab.send(contract(lab, ALICE, "CancelAllUnfreezeV2Contract"))
    for _ in range(30):
        lab.send(lab.transfer(ALICE, BOB.address, 1))
    lab.mine(53)
    return lab


@contextlib.contextmanager
def serving(chain: Chain) -> Iterator[str]:
    """A server on a thread of its own; gives its address."""
    ready, places, tokens = threading.Event(), [""], []

    async def run() -> None:
        async with open_grpc(chain, FREE) as url:
            stop = trio.Event()
            tokens.append((trio.lowlevel.current_trio_token(), stop))
            places[0] = url.removeprefix("http://")
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=trio.run, args=[run])
    thread.start()
    try:
        assert ready.wait(10)
        yield places[0]
    finally:
        [(token, stop)] = tokens
        token.run_sync_soon(stop.set)
        thread.join(10)
        assert not thread.is_alive()


@contextlib.contextmanager
def asking(place: str) -> Iterator[Ask]:
    """By grpcio."""
    options = [("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(place, options=options) as channel:

        def ask(service: str, method: str, request: Message) -> bytes:
            call = channel.unary_unary(f"/{service}/{method}")
            got: bytes = call(request.SerializeToString(), timeout=20)
            return got

        yield ask


@pytest.fixture(name="ask", scope="module")
def _ask(lab: Lab) -> Iterator[Ask]:
    with serving(lab.chain) as place, asking(place) as ask:
        yield ask


def http(lab: Lab, path: str, **question: Any) -> Any:
    request = HttpRequest("POST", path, "", {}, json.dumps(question).encode())
    return json.loads(Router(lab.chain, lambda: 0).answer(request).body)


def printed(message: Message) -> dict[str, Any]:
    """As JSON names things: what equals its default is absent."""

    def value(field: FieldDescriptor, of: Any) -> Any:
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            return printed(of)
        if field.type == FieldDescriptor.TYPE_ENUM:
            assert field.enum_type is not None
            return field.enum_type.values_by_number[of].name
        return of.hex() if isinstance(of, bytes) else of

    def values(field: FieldDescriptor, of: Any) -> Any:
        if field.message_type and field.message_type.GetOptions().map_entry:
            return [{"key": key, "value": of[key]} for key in sorted(of)]
        return [value(field, one) for one in of]

    return {
        field.name: values(field, of) if field.is_repeated else value(field, of)
        for field, of in message.ListFields()
    }


def block_printed(block: pb.BlockExtention) -> dict[str, Any]:
    header = pb.BlockHeader.FromString(block.block_header)
    shown: dict[str, Any] = {
        "blockID": block.blockid.hex(),
        "block_header": print_message(header, visible=False),
    }
    if block.transactions:
        shown["transactions"] = [
            transaction_printed(transaction) for transaction in block.transactions
        ]
    return shown


def transaction_printed(extention: pb.TransactionExtention) -> dict[str, Any]:
    transaction = pb.Transaction.FromString(extention.transaction)
    raw = transaction.raw_data.SerializeToString()
    assert extention.txid == sha256(raw)
    assert extention.result.result
    shown = print_transaction(raw, list(transaction.signature), visible=False)
    results = [print_message(result, visible=False) for result in transaction.ret]
    return {**shown, "ret": results} if results else shown


def info_printed(info: pb.TransactionInfo) -> dict[str, Any]:
    shown = printed(info)
    shown.setdefault("receipt", {})
    return shown


def http_info(info: dict[str, Any]) -> dict[str, Any]:
    """A map has no order of its own."""
    amounts = info.get("cancel_unfreezeV2_amount")
    if amounts is None:
        return info
    ordered = sorted(amounts, key=lambda entry: str(entry["key"]))
    return {**info, "cancel_unfreezeV2_amount": ordered}


@pytest.mark.process
def test_every_block_is_that_of_http(lab: Lab, ask: Ask) -> None:
    head = lab.chain.head.globals.number
    assert head == 60
    for service, view in ((WALLET, "wallet"), (SOLIDITY, "walletsolidity")):
        held = 0
        for number in range(head + 2):
            shown = http(lab, f"/{view}/getblockbynum", num=number)
            data = ask(service, "GetBlockByNum2", pb.NumberMessage(num=number))
            assert bool(data) is bool(shown)
            if data:
                held += 1
                assert block_printed(pb.BlockExtention.FromString(data)) == shown
        solid = lab.chain.solid.globals.number
        assert held == 1 + (head if service == WALLET else solid)


@pytest.mark.process
def test_the_root_is_that_of_the_bytes_that_come(lab: Lab, ask: Ask) -> None:
    question = pb.BlockLimit(startNum=1, endNum=61)
    data = ask(WALLET, "GetBlockByLimitNext2", question)
    blocks = pb.BlockListExtention.FromString(data).block
    assert [block_printed(block) for block in blocks] == [
        http(lab, "/wallet/getblockbynum", num=number) for number in range(1, 61)
    ]
    full = [block for block in blocks if len(block.transactions) == 1]
    assert full
    for block in full:
        header = pb.BlockHeader.FromString(block.block_header)
        assert header.raw_data.txTrieRoot == sha256(block.transactions[0].transaction)


@pytest.mark.process
def test_every_receipt_is_that_of_http(lab: Lab, ask: Ask) -> None:
    kinds = set()
    for number in range(62):
        question = pb.NumberMessage(num=number)
        data = ask(WALLET, "GetTransactionInfoByBlockNum", question)
        infos = pb.TransactionInfoList.FromString(data).transactionInfo
        shown = http(lab, "/wallet/gettransactioninfobyblocknum", num=number) or []
        assert [info_printed(info) for info in infos] == [http_info(i) for i in shown]
        for info in infos:
            kinds |= {field.name for field, _ in info.ListFields()}
            value = pb.BytesMessage(value=info.id)
            one = ask(WALLET, "GetTransactionInfoById", value)
            assert pb.TransactionInfo.FromString(one) == info
            stored = ask(WALLET, "GetTransactionById", value)
            assert sha256(
                pb.Transaction.FromString(stored).raw_data.SerializeToString()
            )
    assert kinds >= {
        "fee",
        "log",
        "result",
        "resMessage",
        "contractResult",
        "cancel_unfreezeV2_amount",
    }


@pytest.mark.process
def test_heads_are_those_of_http(lab: Lab, ask: Ask) -> None:
    for service, view in ((WALLET, "wallet"), (SOLIDITY, "walletsolidity")):
        now = ask(service, "GetNowBlock2", pb.EmptyMessage())
        shown = http(lab, f"/{view}/getnowblock")
        assert block_printed(pb.BlockExtention.FromString(now)) == shown
        for name, detail in (("", True), ("", False), ("4", True), ("4", False)):
            question = pb.BlockReq(id_or_num=name, detail=detail)
            data = ask(service, "GetBlock", question)
            shown = http(lab, f"/{view}/getblock", id_or_num=name, detail=detail)
            assert block_printed(pb.BlockExtention.FromString(data)) == shown


@pytest.mark.process
@pytest.mark.parametrize(
    ("call", "request_", "status", "text"),
    [
        (f"/{WALLET}/Nothing", b"", "UNIMPLEMENTED", "Method not found"),
        ("/protocol.Database/GetBlock", b"", "UNIMPLEMENTED", "Method not found"),
        (f"/{SOLIDITY}/GetBlockByLimitNext2", b"", "UNIMPLEMENTED", "Method not found"),
        (f"/{WALLET}/GetBlockByNum2", b"\x08", "INTERNAL", "Invalid protobuf"),
        (f"/{WALLET}/GetBlock", b"\x0a\x02-1", "INVALID_ARGUMENT", "num must be"),
        (f"/{WALLET}/GetBlock", b"\x0a\x01x", "INVALID_ARGUMENT", "id must be legal"),
    ],
)
def test_what_can_not_be_answered_has_a_status(
    lab: Lab, call: str, request_: bytes, status: str, text: str
) -> None:
    with (
        serving(lab.chain) as place,
        grpc.insecure_channel(
            place, options=[("grpc.enable_http_proxy", 0)]
        ) as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        channel.unary_unary(call)(request_, timeout=20)
    error: Any = caught.value
    assert error.code().name == status
    assert text in error.details()


def test_an_odd_range_has_no_answer(lab: Lab) -> None:
    for start, end in ((-1, 3), (3, 3), (5, 3), (0, 101)):
        question = pb.BlockLimit(startNum=start, endNum=end).SerializeToString()
        assert answer(lab.chain, f"/{WALLET}/GetBlockByLimitNext2", question) == b""


@given(st.sampled_from([*METHODS, "x"]), st.binary(max_size=40))
@settings(max_examples=200, deadline=None)
def test_no_request_raises_anything_but_a_status(
    lab: Lab, method: str, request_: bytes
) -> None:
    with contextlib.suppress(CallFailed):
        answer(lab.chain, f"/{WALLET}/{method}", request_)


def client_of(body: bytes, *, whole: bool) -> H2Connection:
    client = H2Connection(H2Configuration(client_side=True))
    client.initiate_connection()
    pairs = [
        (":method", "POST"),
        (":path", f"/{WALLET}/GetNowBlock2"),
        (":scheme", "http"),
        (":authority", "n"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ]
    client.send_headers(1, pairs)
    client.send_data(1, body, end_stream=whole)
    return client


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_no_bytes_of_a_client_raise_anything_but_its_own_error(
    lab: Lab, data: st.DataObject
) -> None:
    changed = bytearray(client_of(bytes(5), whole=True).data_to_send())
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(changed) - 1))
        changed[place] = data.draw(st.integers(0, 255))
    connection = GrpcConnection(lab.chain)
    try:
        connection.receive(bytes(changed))
    except H2Error:
        assert connection.data_to_send()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", b"13"),
        (bytes(4), b"13"),
        (b"\1" + bytes(4), b"13"),
        (b"\0\0\0\0\2x", b"13"),
        (bytes(6), b"13"),
    ],
)
def test_a_body_that_is_no_message_has_a_status(
    lab: Lab, body: bytes, status: bytes
) -> None:
    client, connection = client_of(body, whole=True), GrpcConnection(lab.chain)
    connection.receive(client.data_to_send())
    assert failure(client, connection)[b"grpc-status"] == status


def test_a_request_that_is_too_long_is_not_kept(lab: Lab) -> None:
    client, connection = client_of(b"", whole=False), GrpcConnection(lab.chain)
    for _ in range(MESSAGE_BYTES // 16_000 + 1):
        connection.receive(client.data_to_send())
        client.receive_data(connection.data_to_send())
        client.send_data(1, bytes(16_000))
    connection.receive(client.data_to_send())
    assert not connection._calls
    assert failure(client, connection)[b"grpc-status"] == b"8"


def failure(client: H2Connection, connection: GrpcConnection) -> dict[bytes, bytes]:
    """The headers of a response that is nothing else."""
    events = client.receive_data(connection.data_to_send())
    [response] = [event for event in events if isinstance(event, ResponseReceived)]
    assert response.stream_ended is not None
    return dict(response.headers)


async def test_a_chain_serves_it_where_it_is_told_to() -> None:
    async with running(block_time_s=0) as devnet:
        assert devnet.grpc_url is None
    async with running(block_time_s=0, grpc=FREE) as devnet:
        assert devnet.grpc_url is not None
        place = devnet.grpc_url.removeprefix("http://")
        host, _, port = place.rpartition(":")
        assert host == "127.0.0.1"

        def ask_it() -> bytes:
            with asking(place) as ask:
                return ask(WALLET, "GetNowBlock2", pb.EmptyMessage())

        now = pb.BlockExtention.FromString(await trio.to_thread.run_sync(ask_it))
        assert now.blockid == devnet.chain.head.globals.block_id
        with pytest.raises(ConfigError, match=f"devnet: 127.0.0.1:{port}: "):
            async with open_grpc(devnet.chain, (host, int(port))):
                raise AssertionError


def test_without_it_nothing_of_http_2_is_imported() -> None:
    code = (
        "import sys, lucidtrond.devnet.server, lucidtrond.devnet.foreground;"
        "print('h2' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
