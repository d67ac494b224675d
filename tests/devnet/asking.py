"""A chain that listens, and a plain client of its HTTP side."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio
from attrs import frozen

from lucidtrond.devnet.server import Devnet
from lucidtrond.tron.transaction import Transaction
from tests.devnet.making import ALICE, BOB, raw_transfer, sign
from tests.devnet.test_server import TrioClock, running

Json = Any
NOW = "/wallet/getnowblock"


@frozen
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    broken: bool = False
    """The connection was reset."""

    @property
    def json(self) -> Json:
        return json.loads(self.body)


async def ask(url: str, path: str, body: Json = None) -> Answer:
    """One request on one connection, and all that came back."""
    host, _, port = url.removeprefix("http://").partition(":")
    data = json.dumps(body or {}).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n"
    got, broken = b"", False
    async with await trio.open_tcp_stream(host, int(port)) as stream:
        await stream.send_all(f"{head}Connection: close\r\n\r\n".encode() + data)
        try:
            while chunk := await stream.receive_some():
                got += chunk
        except trio.BrokenResourceError:
            broken = True
    top, _, content = got.partition(b"\r\n\r\n")
    lines = top.decode().split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in lines[1:])
    status = int(lines[0].split()[1]) if top else 0
    return Answer(status, fields, content, broken)


@asynccontextmanager
async def chain(**config: object) -> AsyncIterator[Devnet]:
    async with running(TrioClock(), block_time_s=0, **config) as devnet:
        yield devnet


def payment(devnet: Devnet, amount: int = 1_000_000, **changes: object) -> Transaction:
    raw = raw_transfer(devnet.chain, ALICE.address, BOB.address, amount, **changes)
    return sign(raw, ALICE)


async def broadcast(devnet: Devnet, transaction: Transaction) -> Answer:
    body = {"transaction": transaction.encode().hex()}
    return await ask(devnet.url, "/wallet/broadcasthex", body)
