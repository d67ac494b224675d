"""A node that answers from the recorded chain, over httpx's own interface.

It keeps java-tron's contract for the questions that we ask: `test_devnet` puts the same
ones to it and to the devnet. Faults are put in front of it.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import cache
from typing import Any

import httpx
import trio
from attrs import Factory, define

from lucidtrond.node.endpoint import Endpoint
from lucidtrond.node.health.policy import RetryPolicy
from lucidtrond.node.pool import NodePool, open_pool
from lucidtrond.node.questions.block_source import LARGE_BYTES
from lucidtrond.node.questions.client import NodeClient
from lucidtrond.node.transport.line import open_transport
from lucidtrond.tron.block import EMPTY_ROOT, BlockHeader, BlockId
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.transaction import Transaction
from lucidtrond.tron.units import UnixMillis
from tests.tron.chainrun import load
from tests.tron.vectors import DATA

GENESIS_ID = BlockId(load()["blocks"][0]["blockID"])
LAST = 900
FORGER = PrivateKey(b"\x01" * 32)
JSON_TYPE = "application/json;charset=utf-8"
Json = Any


@cache
def recorded() -> Mapping[str, Any]:
    answers: Mapping[str, Any] = json.loads(
        (DATA / "node" / "answers.json").read_text()
    )
    return answers


@cache
def rich() -> Mapping[str, Any]:
    """Answers with every field that is read; of contract and account 4111…11."""
    answers: Mapping[str, Any] = json.loads(
        (DATA / "node" / "rich-answers.json").read_text()
    )
    return answers


def block_json(number: int) -> Json:
    return load()["blocks"][number]


def infos_json(number: int) -> Json:
    return load()["infos"].get(str(number), [])


@cache
def places() -> Mapping[str, tuple[int, int]]:
    """Where each transaction is: (block, index)."""
    return {
        printed["txID"]: (number, index)
        for number, block in enumerate(load()["blocks"])
        for index, printed in enumerate(block.get("transactions", ()))
    }


@define(eq=False)
class RecordedNode:
    """Answers as of block *head*; knows what it was asked."""

    head: int = LAST
    solid: int = LAST - 18
    delay_s: float = 0.0
    asked: list[tuple[str, Json]] = Factory(list)
    seen: list[httpx.Request] = Factory(list)
    at_once: int = 0
    most_at_once: int = 0
    fault: Callable[[str], Awaitable[httpx.Response | None]] | None = None
    """Answers in its place, or None, or raises."""

    async def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        question = json.loads(request.content or b"{}")
        self.asked.append((path, question))
        self.seen.append(request)
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            await trio.sleep(self.delay_s)
            if self.fault is not None:
                instead = await self.fault(path)
                if instead is not None:
                    return instead
            return answer(json.dumps(self.answer(path, question)))
        finally:
            self.at_once -= 1

    def questions(self, name: str) -> list[Json]:
        return [body for path, body in self.asked if path.endswith("/" + name)]

    def answer(self, path: str, question: Json) -> Json:
        view, name = path.split("/")[-2:]
        top = self.solid if view == "walletsolidity" else self.head
        return getattr(self, f"_{name}")(top, question)

    def _block(self, number: int, top: int) -> Json:
        return block_json(number) if 0 <= number <= top else {}

    def _getblock(self, top: int, question: Json) -> Json:
        block = dict(self._block(int(question.get("id_or_num", top)), top))
        if not question.get("detail"):
            block.pop("transactions", None)
        return block

    def _getblockbynum(self, top: int, question: Json) -> Json:
        return self._block(question["num"], top)

    def _getblockbyid(self, top: int, question: Json) -> Json:
        block = self._block(int(question["value"][:16], 16), top)
        return block if block and block["blockID"] == question["value"] else {}

    def _getblockbylimitnext(self, top: int, question: Json) -> Json:
        start, end = question["startNum"], question["endNum"]
        if not 0 < end - start <= 100:
            return {}
        return {"block": [block_json(n) for n in range(start, min(end, top + 1))]}

    def _gettransactionbyid(self, top: int, question: Json) -> Json:
        number, index = places().get(question["value"], (top + 1, 0))
        return block_json(number)["transactions"][index] if number <= top else {}

    def _gettransactioninfobyid(self, top: int, question: Json) -> Json:
        number, index = places().get(question["value"], (top + 1, 0))
        return infos_json(number)[index] if 0 < number <= top else {}

    def _gettransactioninfobyblocknum(self, top: int, question: Json) -> Json:
        number = question["num"]
        if number <= 0:
            return {}
        return infos_json(number) if number <= top else []

    def _getaccount(self, _top: int, question: Json) -> Json:
        return load()["accounts"].get(question["address"], {})

    def _getaccountresource(self, _top: int, question: Json) -> Json:
        account = load()["accounts"].get(question["address"])
        return recorded()["getaccountresource"] if account else {}

    def _getcontract(self, _top: int, question: Json) -> Json:
        contract = rich()["contract"]
        return contract if contract["contract_address"] == question["value"] else {}

    def _triggerconstantcontract(self, _top: int, _question: Json) -> Json:
        return rich()["constant"]

    def _getchainparameters(self, _top: int, _question: Json) -> Json:
        return recorded()["getchainparameters"]

    def _getnodeinfo(self, _top: int, _question: Json) -> Json:
        def shown(number: int) -> str:
            return f"Num:{number},ID:{block_json(number)['blockID']}"

        return {
            "block": shown(self.head),
            "solidityBlock": shown(self.solid),
            "currentConnectCount": 0,
            "configNodeInfo": {"codeVersion": "4.8.0"},
        }

    def _broadcasthex(self, _top: int, question: Json) -> Json:
        data = bytes.fromhex(question["transaction"])
        txid = Transaction.from_bytes(data).txid
        is_duplicate = txid in places()
        return {
            "result": not is_duplicate,
            "code": "DUP_TRANSACTION_ERROR" if is_duplicate else "SUCCESS",
            "txid": txid,
            "message": "Dup transaction." if is_duplicate else "",
            "transaction": "{}",
        }


def forged(number: int, parent_id: str, *, timestamp: int | None = None) -> Json:
    """A block without transactions that is right by itself, signed by us."""
    at = 1_795_400_000_000 + 3000 * number if timestamp is None else timestamp
    header = BlockHeader(
        number=number,
        timestamp=UnixMillis(at),
        parent_id=BlockId(parent_id),
        tx_trie_root=EMPTY_ROOT,
        witness=FORGER.address.raw,
        version=32,
    )
    printed: Json = {
        "blockID": header.id,
        "block_header": {
            "raw_data": {
                "number": number,
                "txTrieRoot": EMPTY_ROOT.hex(),
                "witness_address": FORGER.address.hex,
                "parentHash": parent_id,
                "version": 32,
                "timestamp": header.timestamp,
            },
        },
    }
    if number:  # nobody signs block 0
        signature = FORGER.sign(header.digest).hex()
        printed["block_header"]["witness_signature"] = signature
    return printed


def answer(body: str | bytes, status: int = 200, **headers: str) -> httpx.Response:
    content = body.encode() if isinstance(body, str) else body
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(
        status, content=content, headers={"Content-Type": JSON_TYPE, **given}
    )


def answering(
    *answers: httpx.Response | Exception, only: str | None = None
) -> Callable[[str], Awaitable[httpx.Response | None]]:
    """Give these, one per request (for paths that end with *only*), then no more."""
    left = list(answers)

    async def fault(path: str) -> httpx.Response | None:
        await trio.lowlevel.checkpoint()
        if not left or (only is not None and not path.endswith("/" + only)):
            return None
        instead = left.pop(0)
        if isinstance(instead, Exception):
            raise instead
        return instead

    return fault


def only(
    name: str, make: Callable[[], httpx.Response]
) -> Callable[[str], Awaitable[httpx.Response | None]]:
    """Give this to requests whose path ends in *name*."""

    async def fault(path: str) -> httpx.Response | None:
        await trio.lowlevel.checkpoint()
        return make() if path.endswith("/" + name) else None

    return fault


def always(
    make: Callable[[], httpx.Response | Exception], *, but: Sequence[str] = ()
) -> Callable[[str], Awaitable[httpx.Response | None]]:
    """Give this to every request whose path does not end in one of *but*."""

    async def fault(path: str) -> httpx.Response | None:
        await trio.lowlevel.checkpoint()
        if path.rpartition("/")[2] in but:
            return None
        made = make()
        if isinstance(made, Exception):
            raise made
        return made

    return fault


@contextlib.asynccontextmanager
async def open_client(
    node: RecordedNode, *, large_bytes: int = LARGE_BYTES
) -> AsyncIterator[NodeClient]:
    endpoint = Endpoint("http://node")
    http = httpx.MockTransport(node.handle)
    async with open_transport([endpoint], http=http) as transport:
        yield NodeClient(transport.line(endpoint), large_bytes=large_bytes)


@contextlib.asynccontextmanager
async def open_nodes(
    *nodes: RecordedNode,
    policy: RetryPolicy | None = None,
    genesis_id: BlockId = GENESIS_ID,
    max_connection_retries: int = 5,
    operators: Sequence[str] = (),
) -> AsyncIterator[NodePool]:
    """A pool over nodes named node0, node1, ..., of *operators* or each of its own."""

    async def handle(request: httpx.Request) -> httpx.Response:
        return await nodes[int(request.url.host.removeprefix("node"))].handle(request)

    async with open_pool(
        [
            Endpoint(f"http://node{index}", operator=operator)
            for index, operator in enumerate(operators or [""] * len(nodes))
        ],
        genesis_id=genesis_id,
        policy=policy or RetryPolicy(),
        http=httpx.MockTransport(handle),
        max_connection_retries=max_connection_retries,
        chance=lambda: 0.5,
    ) as pool:
        yield pool
