"""Measure following by gRPC against following by HTTP: requests, bytes, CPU a block.

    .venv/bin/python contrib/bench/grpc.py [--blocks 100] [--rounds 5] [--profile]

A devnet in a process of its own makes blocks of 0, 20 and 200 transactions, half of
them TRX and half a token's, with logs. The client is what the daemon asks with: it
fetches the blocks in pages of 100 and the receipts of each, and checks ids, roots and
signatures as always. Protocols take turns, round after round; CPU is this process's
alone, and the least of the rounds counts: neighbours only add to it. Bytes are those of
the sockets, both ways. Nodes zip no JSON by themselves; what a gateway that does would
send is the last column but one (gzip, level 6, bodies alone).
"""

import argparse
import cProfile
import gzip
import os
import pstats
import subprocess
import sys
import time
from collections.abc import Sequence

import msgspec
import trio
from attrs import define

from lucidtrond.devnet.server import DevnetConfig, open_devnet
from lucidtrond.node.endpoint import Endpoint
from lucidtrond.node.questions.block_source import LARGE_BYTES
from lucidtrond.node.questions.client import NodeClient
from lucidtrond.node.transport.line import Transport, open_transport
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.units import Sun

SIZES = (0, 20, 200)
PAGE = 100


class _Clock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class Chain(msgspec.Struct):
    """What the server says of itself: where the blocks of each size begin."""

    url: str
    grpc_url: str
    genesis_id: str
    starts: dict[int, int]


async def serve(blocks: int) -> None:
    """Make the chain, print `Chain`, and answer until the input ends."""
    config = DevnetConfig(block_time_s=0, witnesses=3, grpc=("127.0.0.1", 0))
    async with open_devnet(config, clock=_Clock()) as devnet:
        info = devnet.info()
        token = Address.from_base58(info["tokens"][0]["address"])
        starts = {}
        for size in SIZES:
            starts[size] = devnet.head_number + 1
            for number in range(blocks):
                for index in range(size):
                    to = Address(b"\x41" + (number * 1000 + index).to_bytes(20, "big"))
                    if index % 2:
                        await devnet.fund_token(to, token, 1 + index)
                    else:
                        await devnet.fund(to, Sun(1 + index))
                await devnet.mine(1)
        chain = Chain(devnet.url, devnet.grpc_url or "", devnet.genesis_id, starts)
        print(msgspec.json.encode(chain).decode(), flush=True)
        await trio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)


@define
class Traffic:
    """Bytes through this process's sockets."""

    count: int = 0

    def watch(self) -> None:
        receive, send = trio.SocketStream.receive_some, trio.SocketStream.send_all

        async def receive_some(
            stream: trio.SocketStream, max_bytes: int | None = None
        ) -> bytes | bytearray:
            data = await receive(stream, max_bytes)
            self.count += len(data)
            return data

        async def send_all(stream: trio.SocketStream, data: bytes) -> None:
            self.count += len(data)
            await send(stream, data)

        trio.SocketStream.receive_some = receive_some  # type: ignore[method-assign]
        trio.SocketStream.send_all = send_all  # type: ignore[assignment, method-assign]


@define
class Figures:
    """Of one block on average."""

    requests: float
    sent_bytes: float
    cpu_ms: float
    wall_ms: float


async def follow(
    client: NodeClient, start: int, blocks: int, traffic: Traffic
) -> Figures:
    """Fetch *blocks* from *start* on with their receipts."""
    requests, count = client.requests, traffic.count
    cpu, wall = time.process_time(), time.perf_counter()
    for at in range(start, start + blocks, PAGE):
        page = await client.fetch_blocks(at, min(at + PAGE, start + blocks))
        for block in page:
            if block.transactions:
                await client.fetch_receipts(block)
    return Figures(
        (client.requests - requests) / blocks,
        (traffic.count - count) / blocks,
        (time.process_time() - cpu) / blocks * 1000,
        (time.perf_counter() - wall) / blocks * 1000,
    )


async def zipped(transport: Transport, endpoint: Endpoint, start: int) -> float:
    """Bytes of a block and its receipts in JSON, zipped: a page's share, and one."""
    line = transport.line(endpoint)
    page = await line.ask(
        "/wallet/getblockbylimitnext",
        msgspec.json.encode({"startNum": start, "endNum": start + PAGE}),
        limit_bytes=LARGE_BYTES,
    )
    receipts = await line.ask(
        "/wallet/gettransactioninfobyblocknum",
        msgspec.json.encode({"num": start}),
        limit_bytes=LARGE_BYTES,
    )
    return len(gzip.compress(page, 6)) / PAGE + len(gzip.compress(receipts, 6))


def least(rounds: Sequence[Figures]) -> Figures:
    return Figures(
        rounds[0].requests,
        rounds[0].sent_bytes,
        min(figures.cpu_ms for figures in rounds),
        min(figures.wall_ms for figures in rounds),
    )


async def measure(chain: Chain, blocks: int, rounds: int, *, profile: bool) -> None:
    traffic = Traffic()
    traffic.watch()
    by_http = Endpoint(chain.url)
    by_grpc = Endpoint(
        chain.url, grpc_url=chain.grpc_url, grpc_solidity_url=chain.grpc_url
    )
    profiler = cProfile.Profile()
    print("| transactions | protocol | requests | bytes | zipped | CPU ms | wall ms |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    async with open_transport([by_http, by_grpc], timeout_s=120) as transport:
        clients = {
            "HTTP": NodeClient(transport.line(by_http)),
            "gRPC": NodeClient(transport.line(by_grpc)),
        }
        for size, start in chain.starts.items():
            taken: dict[str, list[Figures]] = {name: [] for name in clients}
            for client in clients.values():  # connections, imports
                assert await client.fetch_genesis_id() == BlockId(chain.genesis_id)
                await follow(client, start, PAGE, traffic)
            for _ in range(rounds):
                for name, client in clients.items():
                    if profile and name == "gRPC":
                        profiler.enable()
                    taken[name].append(await follow(client, start, blocks, traffic))
                    profiler.disable()
            assert clients["gRPC"].grpc_state == "ok"
            zipped_bytes = await zipped(transport, by_http, start)
            for name, figures in taken.items():
                best = least(figures)
                shown = f"{zipped_bytes:,.0f}" if name == "HTTP" else ""
                print(
                    f"| {size} | {name} | {best.requests:.2f} |"
                    f" {best.sent_bytes:,.0f} | {shown} |"
                    f" {best.cpu_ms:.2f} | {best.wall_ms:.2f} |",
                    flush=True,
                )
    if profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=PAGE)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        trio.run(serve, args.blocks)
        return
    with subprocess.Popen(
        [sys.executable, __file__, "--serve", "--blocks", str(args.blocks)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    ) as server:
        try:
            assert server.stdout is not None
            chain = msgspec.json.decode(server.stdout.readline(), type=Chain)
            trio.run(_measure, chain, args)
        finally:
            server.kill()


async def _measure(chain: Chain, args: argparse.Namespace) -> None:
    await measure(chain, args.blocks, args.rounds, profile=args.profile)


if __name__ == "__main__":
    main()
