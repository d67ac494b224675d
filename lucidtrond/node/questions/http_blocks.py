"""Heads, blocks and receipts of one endpoint by HTTP, in JSON."""

from collections.abc import Mapping

import trio
from attrs import frozen

from lucidtrond.errors import NodeUnavailable
from lucidtrond.node.questions import translate, wire
from lucidtrond.node.questions.block_source import BlockSource, Page
from lucidtrond.node.questions.json_questions import JsonQuestions, view
from lucidtrond.node.questions.judging import judging
from lucidtrond.node.questions.translate import InvalidAnswer
from lucidtrond.node.transport.line import Lane
from lucidtrond.tron.block import Block, BlockHeader, BlockId
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import TxId


@frozen
class HttpBlocks(BlockSource):
    """Asks by *json*."""

    _json: JsonQuestions

    async def read_header(
        self, number: int | None, *, solid: bool, lane: Lane
    ) -> BlockHeader | None:
        """See `BlockSource`."""
        question: dict[str, object] = {"detail": False}
        if number is not None:
            question["id_or_num"] = str(number)
        path = view("getblock", solid=solid)
        return await self._json.ask_for(
            wire.BlockJson, path, question, translate.read_header, lane=lane
        )

    async def read_block(self, which: int | BlockId) -> Block | None:
        """See `BlockSource`."""
        question: Mapping[str, object]
        if isinstance(which, int):
            path, question = "/wallet/getblockbynum", {"num": which}
        else:
            path, question = "/wallet/getblockbyid", {"value": which}
        return await self._json.ask_for(
            wire.BlockJson, path, question, translate.read_block, large=True
        )

    async def read_page(self, start: int, end: int) -> Page:
        """See `BlockSource`."""
        question = {"startNum": start, "endNum": end}
        path = "/wallet/getblockbylimitnext"
        body = await self._json.post(path, question, large=True)
        answer = self._json.decode(body, wire.BlockList)
        if answer.block is None:
            raise NodeUnavailable(self._json.name, 1, "no list of blocks")
        blocks: list[Block] = []
        for block in answer.block:
            await trio.lowlevel.checkpoint()  # a full block takes milliseconds
            with judging(self._json.name):
                blocks.append(translate.read_block(block))
        return Page(blocks, len(body))

    async def read_receipts(self, number: int) -> tuple[Receipt, ...]:
        """See `BlockSource`."""
        path = "/wallet/gettransactioninfobyblocknum"
        body = await self._json.post(path, {"num": number}, large=True)
        with judging(self._json.name):
            return translate.read_receipts(self._infos(body), number)

    def _infos(self, body: bytes) -> tuple[wire.InfoJson, ...]:
        if body[:64].lstrip().startswith(b"["):
            return self._json.decode_any(body, tuple[wire.InfoJson, ...])
        self._json.decode(body, wire.Answer)
        if not wire.is_empty(body):
            raise InvalidAnswer("no list of receipts")
        return ()

    async def read_receipt(self, txid: TxId, *, solid: bool) -> Receipt | None:
        """See `BlockSource`."""
        path = view("gettransactioninfobyid", solid=solid)
        question = {"value": txid}
        return await self._json.ask_for(
            wire.InfoJson, path, question, translate.read_receipt, large=True
        )
