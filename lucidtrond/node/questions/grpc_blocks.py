"""Heads, blocks and receipts of one endpoint by gRPC."""

from typing import Final

import trio
from attrs import frozen
from google.protobuf.message import Message

from lucidtrond.node.questions import grpc_translate
from lucidtrond.node.questions.block_source import SMALL_BYTES, BlockSource, Page
from lucidtrond.node.questions.judging import judging
from lucidtrond.node.transport.line import Lane, NodeLine
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.block import Block, BlockHeader, BlockId
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import TxId

_HEIGHT_DIGITS: Final = 16
"""Of a block's id: the number."""


@frozen
class GrpcBlocks(BlockSource):
    """Asks over *line*; *large_bytes* bounds answers with blocks."""

    _line: NodeLine
    _large_bytes: int

    async def read_header(
        self, number: int | None, *, solid: bool, lane: Lane
    ) -> BlockHeader | None:
        """See `BlockSource`."""
        name = "" if number is None else str(number)
        message = await self._ask_for_block(
            "GetBlock", pb.BlockReq(id_or_num=name), solid=solid, lane=lane
        )
        if message is None:
            return None
        with judging(self._name):
            return grpc_translate.read_header(message)

    async def read_block(self, which: int | BlockId) -> Block | None:
        """See `BlockSource`."""
        number = which if isinstance(which, int) else int(which[:_HEIGHT_DIGITS], 16)
        if number >= 2**63:
            return None
        message = await self._ask_for_block(
            "GetBlockByNum2", pb.NumberMessage(num=number), is_large=True
        )
        if message is None:
            return None
        with judging(self._name):
            block = grpc_translate.read_block(message)
        is_other = isinstance(which, str) and block.header.number == number
        # There is no question for an id: another block of that height has another id.
        return None if is_other and block.header.id != which else block

    async def read_page(self, start: int, end: int) -> Page:
        """See `BlockSource`."""
        data = await self._call(
            "GetBlockByLimitNext2",
            pb.BlockLimit(startNum=start, endNum=end),
            is_large=True,
        )
        with judging(self._name):
            answer = grpc_translate.decode(pb.BlockListExtention, data)
        blocks: list[Block] = []
        for message in answer.block:
            await trio.lowlevel.checkpoint()  # a full block takes milliseconds
            with judging(self._name):
                blocks.append(grpc_translate.read_block(message))
        return Page(blocks, len(data))

    async def read_receipts(self, number: int) -> tuple[Receipt, ...]:
        """See `BlockSource`."""
        data = await self._call(
            "GetTransactionInfoByBlockNum", pb.NumberMessage(num=number), is_large=True
        )
        with judging(self._name):
            infos = grpc_translate.decode(pb.TransactionInfoList, data)
            return grpc_translate.read_receipts(infos, number)

    async def read_receipt(self, txid: TxId, *, solid: bool) -> Receipt | None:
        """See `BlockSource`."""
        data = await self._call(
            "GetTransactionInfoById",
            pb.BytesMessage(value=bytes.fromhex(txid)),
            is_large=True,
            solid=solid,
        )
        if not data:
            return None
        with judging(self._name):
            info = grpc_translate.decode(pb.TransactionInfo, data)
            return grpc_translate.read_receipt(info)

    @property
    def _name(self) -> str:
        return self._line.endpoint.name

    async def _ask_for_block(
        self,
        method: str,
        request: Message,
        *,
        is_large: bool = False,
        solid: bool = False,
        lane: Lane = Lane.QUESTIONS,
    ) -> pb.BlockExtention | None:
        data = await self._call(
            method, request, is_large=is_large, solid=solid, lane=lane
        )
        if not data:  # what a node says of a block that it does not have
            return None
        with judging(self._name):
            return grpc_translate.decode(pb.BlockExtention, data)

    async def _call(
        self,
        method: str,
        request: Message,
        *,
        is_large: bool = False,
        solid: bool = False,
        lane: Lane = Lane.QUESTIONS,
    ) -> bytes:
        return await self._line.call(
            method,
            request.SerializeToString(),
            limit_bytes=self._large_bytes if is_large else SMALL_BYTES,
            solid=solid,
            lane=lane,
            brief=not is_large,
        )
