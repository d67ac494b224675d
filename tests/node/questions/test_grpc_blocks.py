"""Blocks, receipts and heads by gRPC: those of HTTP, and nothing that contradicts."""

import contextlib
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import trio
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.errors import NodeError, NodeLied
from lucidtrond.node.endpoint import Endpoint
from lucidtrond.node.health.errors import BudgetSpent
from lucidtrond.node.health.rate_limit import Budget
from lucidtrond.node.questions import grpc_translate
from lucidtrond.node.questions.block_source import LARGE_BYTES
from lucidtrond.node.questions.client import NodeClient
from lucidtrond.node.questions.judging import judging
from lucidtrond.node.questions.translate import InvalidAnswer
from lucidtrond.node.transport.line import AnswerTooLarge, open_transport
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.transaction import TxId
from tests import mainnet, recorded
from tests.node.grpc_nodes import GrpcNode, block_message, message_of, open_both
from tests.node.nodes import GENESIS_ID, LAST, RecordedNode, infos_json, open_client
from tests.node.transport.grpc_peer import Exchange, Peer, listening, prefixed

FULL = max(range(LAST), key=lambda number: len(block_message(number).transactions))
"""The recorded block with the most transactions."""


async def test_all_recorded_blocks_and_receipts_are_those_of_http() -> None:
    grpc, http, other = GrpcNode(), RecordedNode(), RecordedNode()
    async with open_both(grpc, http) as client, open_client(other) as by_http:
        held = 0
        for start in range(0, LAST + 1, 100):
            blocks = await client.fetch_blocks(start, start + 100)
            assert blocks == await by_http.fetch_blocks(start, start + 100)
            assert all(block.root_proven for block in blocks)
            for block in blocks:
                if block.transactions and block.header.number:
                    receipts = await client.fetch_receipts(block)
                    assert receipts == await by_http.fetch_receipts(block)
                    held += len(receipts)
        assert held > 500
        for solid in (False, True):
            head = await client.fetch_head(solid=solid)
            assert head == await by_http.fetch_head(solid=solid)
        for which in (FULL, 0, LAST, LAST + 1):
            assert await client.fetch_block(which) == await by_http.fetch_block(which)
        assert client.head_number == LAST
    assert {path for path, _ in http.asked} == {"/wallet/getblock"}
    assert len(http.asked) == 1, "block 0, to see that both are on one network"
    assert set(grpc.methods()) == {
        "GetBlock",
        "GetBlockByNum2",
        "GetBlockByLimitNext2",
        "GetTransactionInfoByBlockNum",
    }


async def test_single_questions_are_answered_as_by_http() -> None:
    async with (
        open_both(GrpcNode(), RecordedNode()) as client,
        open_client(RecordedNode()) as by_http,
    ):
        txid = TxId(infos_json(FULL)[0]["id"])
        unknown = TxId("ab" * 32)
        for solid in (False, True):
            for one in (txid, unknown):
                receipt = await client.fetch_receipt(one, solid=solid)
                assert receipt == await by_http.fetch_receipt(one, solid=solid)
        assert await client.fetch_receipts(LAST + 5) == ()
        block = await client.fetch_block(FULL)
        assert block is not None
        assert await client.fetch_block(block.header.id) == block
        other = BlockId(block.header.id[:16] + "00" * 24)
        assert await client.fetch_block(other) is None
        assert await client.fetch_block(BlockId("ff" * 32)) is None
        assert await client.fetch_solid_id(FULL) == block.header.id
        assert await client.fetch_solid_id(LAST) is None
        assert await client.fetch_genesis_id() == GENESIS_ID
        assert await client.fetch_blocks(LAST + 1, LAST + 3) == []


async def test_what_is_not_by_grpc_goes_to_http() -> None:
    grpc, http = GrpcNode(), RecordedNode()
    async with open_both(grpc, http, solid=False) as client:
        await client.fetch_parameters()
        await client.fetch_head(solid=True)
        assert client.requests == len(grpc.asked) + len(http.asked)
    assert ("/walletsolidity/getblock", {"detail": False}) in http.asked
    assert "/wallet/getchainparameters" in {path for path, _ in http.asked}


@pytest.mark.mainnet
async def test_exact_bytes_prove_the_block_that_http_does_not_show_whole() -> None:
    [file] = [file for file in mainnet.block_files() if "79072107" in file.name]
    recording = recorded.read_json(file)
    exact = mainnet.make_block(recording)
    grpc, http = GrpcNode(), RecordedNode()
    message = message_of(exact).SerializeToString()
    grpc.altered = lambda method, data: message if "ByNum2" in method else data
    async with open_both(grpc, http) as client:
        block = await client.fetch_block(mainnet.UNPROVABLE)
    assert block == exact
    assert block.root_proven
    assert block.header.id == recording["id"]
    hidden = block.transactions[187]
    assert hidden.results[0].hex() == "1801d23e0cc83e81f6a50cd03ed4b6a20f"


# Contradictions


def altering(*numbers: int) -> pb.BlockListExtention:
    """The page of such blocks, to be changed."""
    page = pb.BlockListExtention()
    for number in numbers:
        page.block.add().CopyFrom(block_message(number))
    return page


async def fail_page(page: pb.BlockListExtention) -> NodeError:
    grpc, http = GrpcNode(), RecordedNode()
    data = page.SerializeToString()
    grpc.altered = lambda method, own: data if "Limit" in method else own
    async with open_both(grpc, http) as client:
        with pytest.raises(NodeError) as caught:
            await client.fetch_blocks(FULL, FULL + 2)
    assert "/wallet/getblockbylimitnext" not in {path for path, _ in http.asked}
    return caught.value


async def test_a_root_that_does_not_fit_exact_bytes_is_a_lie() -> None:
    page = altering(FULL, FULL + 1)
    page.block[0].transactions[0].transaction += b"\x9a\x06\x01x"
    assert isinstance(error := await fail_page(page), NodeLied)
    assert "transaction root does not fit" in str(error)


async def test_contradictions_are_lies() -> None:
    for change in ("id", "txid", "missing", "number", "link", "many"):
        page = altering(FULL, FULL + 1)
        block = page.block[0]
        match change:
            case "id":
                block.blockid = page.block[1].blockid
            case "txid":
                block.transactions[0].txid = bytes(32)
            case "missing":
                del block.transactions[-1]
            case "number":
                page = altering(FULL + 1)
            case "link":
                page = altering(FULL, FULL + 2)
            case "many":
                page = altering(FULL, FULL + 1, FULL + 2)
        assert isinstance(await fail_page(page), NodeLied), change


def replacing(data: bytes, method: str, own: bytes) -> bytes:
    """For pages *data*."""
    return data if method == "GetBlockByLimitNext2" else own


async def test_what_is_no_block_is_refused_and_asked_by_http() -> None:
    for change in ("header", "no header", "no id", "bytes"):
        page = altering(FULL, FULL + 1)
        match change:
            case "header":
                page.block[0].block_header = b"\xff"
            case "no header":
                page.block[0].ClearField("block_header")
            case "no id":
                page.block[0].ClearField("blockid")
        data = b"\xff" if change == "bytes" else page.SerializeToString()
        grpc, http = GrpcNode(), RecordedNode()
        grpc.altered = partial(replacing, data)
        async with open_both(grpc, http) as client:
            blocks = await client.fetch_blocks(FULL, FULL + 2)
        assert [block.header.number for block in blocks] == [FULL, FULL + 1]
        assert "/wallet/getblockbylimitnext" in {path for path, _ in http.asked}
        assert client.grpc_failures == 1
        assert client.grpc_state == "failing"


async def test_receipts_of_another_block_are_a_lie() -> None:
    other = GrpcNode()._GetTransactionInfoByBlockNum(
        pb.NumberMessage(num=FULL).SerializeToString(), LAST
    )
    grpc = GrpcNode()
    grpc.altered = lambda method, own: other if "Info" in method else own
    async with open_both(grpc, RecordedNode()) as client:
        with pytest.raises(NodeLied, match="another block"):
            await client.fetch_receipts(FULL + 1)
        block = await client.fetch_block(FULL)
        assert block is not None
        assert len(await client.fetch_receipts(block)) == len(block.transactions)
        fewer = evolve(block, transactions=block.transactions[1:])
        with pytest.raises(NodeLied, match="other transactions"):
            await client.fetch_receipts(fewer)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_no_change_of_a_block_is_believed_or_raises_anything_else(
    data: st.DataObject,
) -> None:
    whole = block_message(FULL).SerializeToString()
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(whole) - 1))
        changed[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(NodeError), judging("n"):
        message = grpc_translate.decode(pb.BlockExtention, bytes(changed))
        block = grpc_translate.read_block(message)
        right = grpc_translate.read_block(block_message(FULL))
        assert block.transactions == right.transactions
        assert block.header.id == right.header.id


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_no_change_of_receipts_raises_anything_else(data: st.DataObject) -> None:
    question = pb.NumberMessage(num=FULL).SerializeToString()
    changed = bytearray(GrpcNode()._GetTransactionInfoByBlockNum(question, LAST))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(changed) - 1))
        changed[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(NodeError), judging("n"):
        infos = grpc_translate.decode(pb.TransactionInfoList, bytes(changed))
        grpc_translate.read_receipts(infos, FULL)


# Bounds


async def test_a_page_that_is_too_large_is_asked_in_parts_by_grpc() -> None:
    grpc, http = GrpcNode(), RecordedNode()
    whole = grpc._GetBlockByLimitNext2(
        pb.BlockLimit(startNum=FULL, endNum=FULL + 8).SerializeToString(), LAST
    )
    async with open_both(grpc, http, large_bytes=len(whole) - 1) as client:
        blocks = await client.fetch_blocks(FULL, FULL + 8)
        assert len(blocks) == 8
        assert client.grpc_failures == 0
    assert grpc.methods().count("GetBlockByLimitNext2") > 1
    async with open_both(GrpcNode(), RecordedNode(), large_bytes=100) as client:
        with pytest.raises(AnswerTooLarge):
            await client.fetch_blocks(FULL, FULL + 1)


async def test_what_is_announced_as_too_large_is_not_waited_for() -> None:
    async def announce(method: str, exchange: Exchange) -> bool:
        if method != "GetBlockByNum2":
            return False
        head = [(":status", "200"), ("content-type", "application/grpc")]
        exchange.connection.send_headers(exchange.stream_id, head)
        exchange.connection.send_data(
            exchange.stream_id, prefixed(b"", size=LARGE_BYTES + 1)
        )
        await exchange.flush()
        await trio.sleep_forever()
        return True

    async with open_both(GrpcNode(instead=announce), RecordedNode()) as client:
        with trio.fail_after(5), pytest.raises(AnswerTooLarge):
            await client.fetch_block(FULL)


async def test_requests_count_in_the_budget_of_the_endpoint() -> None:
    grpc, http = GrpcNode(), RecordedNode()
    async with open_both(grpc, http, budget=Budget(per_day=1000)) as client:
        for _ in range(5):
            await client.fetch_head()
        assert client.requests == len(grpc.asked) + len(http.asked) == 7
        assert client.admission.left_today == 1000 - 7


async def test_a_spent_budget_is_spent_for_http_too() -> None:
    grpc, http = GrpcNode(), RecordedNode()
    async with open_both(grpc, http, budget=Budget(per_day=3)) as client:
        with pytest.raises(BudgetSpent):
            await fetch_heads(client, 4)
        assert client.requests == len(grpc.asked) + len(http.asked) <= 3
        assert client.grpc_failures == 0


async def fetch_heads(client: NodeClient, count: int) -> None:
    for _ in range(count):
        await client.fetch_head()


async def test_an_answer_that_drips_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def drip(method: str, exchange: Exchange) -> bool:
        if method != "GetBlockByNum2":
            return False
        exchange.connection.send_headers(
            exchange.stream_id,
            [(":status", "200"), ("content-type", "application/grpc")],
        )
        while True:
            exchange.connection.send_data(
                exchange.stream_id, prefixed(b"", size=9000)[:1]
            )
            await exchange.flush()
            await trio.sleep(0.01)

    grpc, http = GrpcNode(instead=drip), RecordedNode()
    async with open_both(grpc, http) as client:
        monkeypatch.setattr(client._line, "_timeout_s", 0.3)
        with trio.fail_after(5):
            block = await client.fetch_block(FULL)
    assert block is not None
    assert block.header.number == FULL
    assert client.grpc_failures == 1


async def test_a_key_goes_along_as_metadata() -> None:
    peer = Peer(then=GrpcNode().answer)
    async with listening(peer) as url:
        endpoint = Endpoint("http://node", api_key="secret", grpc_url=url)
        async with open_transport([endpoint]) as transport:
            line = transport.line(endpoint)
            await line.call("GetBlock", b"", limit_bytes=10_000)
            with pytest.raises(AssertionError):
                await line.call("GetBlock", b"", limit_bytes=10_000, solid=True)
    [request] = peer.requests
    assert request.headers[b"tron-pro-api-key"] == b"secret"
    assert request.headers[b"user-agent"].startswith(b"lucidtrond/")
    assert request.headers[b":path"] == b"/protocol.Wallet/GetBlock"


def test_an_unknown_result_has_its_number_for_a_name() -> None:
    info = pb.TransactionInfo(id=bytes(32), resMessage=b"why")
    info.receipt.MergeFromString(b"\x38\x63")  # field 7: 99
    receipt = grpc_translate.read_receipt(info)
    assert receipt.vm_result == "99"
    assert not receipt.succeeded
    assert receipt.message == "why"
    with pytest.raises(InvalidAnswer):
        grpc_translate.read_receipt(pb.TransactionInfo(id=bytes(31)))


@pytest.mark.process
def test_h2_is_imported_only_where_an_endpoint_has_a_grpc_url(tmp_path: Path) -> None:
    code = """
import sys, trio
import lucidtrond.daemon.main, lucidtrond.daemon.assemble
from lucidtrond.node.endpoint import Endpoint
from lucidtrond.node.pool import open_pool
from lucidtrond.node.transport.line import open_transport

async def main(endpoint):
    async with open_transport([endpoint]) as transport:
        transport.line(endpoint)
    return "h2" in sys.modules

for grpc_url in (None, "http://127.0.0.1:1"):
    print(trio.run(main, Endpoint("http://127.0.0.1:1", grpc_url=grpc_url)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert done.stdout.split() == ["False", "True"]
