"""The recorded chain by gRPC, beside the same chain by HTTP."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cache
from typing import Any

import httpx
from attrs import define, field
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from lucidtrond.node.endpoint import Endpoint
from lucidtrond.node.health.rate_limit import Budget
from lucidtrond.node.questions.block_source import LARGE_BYTES
from lucidtrond.node.questions.client import NodeClient
from lucidtrond.node.transport.line import open_transport
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.block import Block
from lucidtrond.tron.hashing import sha256
from tests.node.nodes import LAST, RecordedNode, infos_json
from tests.node.transport.grpc_peer import Exchange, Peer, listening, prefixed
from tests.tron.chainrun import load, make_block

Json = Any


@cache
def block_message(number: int) -> pb.BlockExtention:
    """A recorded block, from the bytes that its root is of."""
    return message_of(make_block(load()["blocks"][number]))


def message_of(block: Block) -> pb.BlockExtention:
    return pb.BlockExtention(
        transactions=[
            pb.TransactionExtention(
                transaction=stored.encode(), txid=sha256(stored.transaction.raw)
            )
            for stored in block.transactions
        ],
        block_header=block.header.encode(),
        blockid=bytes.fromhex(block.header.id),
    )


def fill(message: Message, printed: Json) -> Message:
    """Make of *message* what a node prints so."""
    for name, value in printed.items():
        described = message.DESCRIPTOR.fields_by_name[name]
        if described.message_type and described.message_type.GetOptions().map_entry:
            getattr(message, name).update({e["key"]: e["value"] for e in value})
        elif described.is_repeated and described.message_type:
            for entry in value:
                fill(getattr(message, name).add(), entry)
        elif described.message_type:
            fill(getattr(message, name), value)
            getattr(message, name).SetInParent()
        elif described.is_repeated:
            getattr(message, name).extend(_value(described, entry) for entry in value)
        else:
            setattr(message, name, _value(described, value))
    return message


def _value(described: Any, printed: Json) -> Json:
    if described.type == FieldDescriptor.TYPE_BYTES:
        return bytes.fromhex(printed)
    if described.enum_type:
        return described.enum_type.values_by_name[printed].number
    return printed


@define(eq=False)
class GrpcNode:
    """Answers as of block *head*, or of *solid*."""

    head: int = LAST
    solid: int = LAST - 18
    asked: list[tuple[str, bytes]] = field(factory=list)
    altered: Callable[[str, bytes], bytes] = field(default=lambda _, message: message)
    """What becomes of the message that answers a method."""
    instead: Callable[[str, Exchange], Awaitable[bool]] | None = None
    """Answers itself, and says whether it did."""

    async def answer(self, exchange: Exchange) -> None:
        service, method = exchange.headers[b":path"].decode().split("/")[1:]
        question = exchange.body[5:]
        self.asked.append((method, question))
        if self.instead is not None and await self.instead(method, exchange):
            return
        top = self.solid if service == "protocol.WalletSolidity" else self.head
        message = getattr(self, f"_{method}")(question, top)
        await exchange.respond(prefixed(self.altered(method, message)))

    def methods(self) -> list[str]:
        return [method for method, _ in self.asked]

    def _GetBlock(self, question: bytes, top: int) -> bytes:  # noqa: N802 - its name
        request = pb.BlockReq.FromString(question)
        number = int(request.id_or_num or top)
        if number > top:
            return b""
        block = pb.BlockExtention()
        block.CopyFrom(block_message(number))
        if not request.detail:
            block.ClearField("transactions")
        return block.SerializeToString()

    def _GetBlockByNum2(self, question: bytes, top: int) -> bytes:  # noqa: N802 - its name
        number = pb.NumberMessage.FromString(question).num
        return block_message(number).SerializeToString() if number <= top else b""

    def _GetBlockByLimitNext2(self, question: bytes, top: int) -> bytes:  # noqa: N802 - its name
        limit = pb.BlockLimit.FromString(question)
        numbers = range(limit.startNum, min(limit.endNum, top + 1))
        blocks = [block_message(number) for number in numbers]
        return pb.BlockListExtention(block=blocks).SerializeToString()

    def _GetTransactionInfoByBlockNum(self, question: bytes, top: int) -> bytes:  # noqa: N802 - its name
        number = pb.NumberMessage.FromString(question).num
        infos = infos_json(number) if number <= top else []
        messages: Any = [fill(pb.TransactionInfo(), info) for info in infos]
        return pb.TransactionInfoList(transactionInfo=messages).SerializeToString()

    def _GetTransactionInfoById(self, question: bytes, top: int) -> bytes:  # noqa: N802 - its name
        txid = pb.BytesMessage.FromString(question).value.hex()
        for number in range(top + 1):
            for info in infos_json(number):
                if info["id"] == txid:
                    return fill(pb.TransactionInfo(), info).SerializeToString()
        return b""


@contextlib.asynccontextmanager
async def open_both(
    grpc: GrpcNode,
    http: RecordedNode,
    *,
    large_bytes: int = LARGE_BYTES,
    budget: Budget | None = None,
    solid: bool = True,
) -> AsyncIterator[NodeClient]:
    """A client of one endpoint that has both."""
    async with listening(Peer(then=grpc.answer)) as url:
        endpoint = Endpoint(
            "http://node",
            grpc_url=url,
            grpc_solidity_url=url if solid else None,
            budget=budget or Budget(),
        )
        mock = httpx.MockTransport(http.handle)
        async with open_transport([endpoint], http=mock) as transport:
            yield NodeClient(transport.line(endpoint), large_bytes=large_bytes)
