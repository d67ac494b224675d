"""The whole way over loopback HTTP, to a chain that really checks."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import trio

from lucidtrond.devnet.server import Devnet, DevnetConfig, open_devnet
from lucidtrond.errors import WrongNetwork
from lucidtrond.node.cache import CachedNode
from lucidtrond.node.pool import Endpoint, open_pool
from lucidtrond.node.transport.line import open_transport
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.contracts import Transfer
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.transaction import RawData, Reference, Transaction
from lucidtrond.tron.units import Sun, UnixMillis
from tests.node.nodes import RecordedNode

NEW = Address(b"A" + b"\x42" * 20)


class Clock:
    def now_ms(self) -> int:
        return 1_800_000_000_000


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[tuple[Devnet, CachedNode]]:
    config = DevnetConfig(block_time_s=0, witnesses=5)
    async with (
        open_devnet(config, clock=Clock()) as devnet,
        open_pool([Endpoint(devnet.url)], genesis_id=devnet.genesis_id) as pool,
    ):
        yield devnet, CachedNode(pool)


async def note_new(node: CachedNode, number: int) -> None:
    """What the follower does with a block."""
    [block] = await node.fetch_blocks(number, number + 1)
    node.note_block(block.header, [NEW])


async def test_a_payment_from_its_bytes_to_the_solid_receipt() -> None:
    async with running() as (devnet, node):
        payer = PrivateKey.from_hex(devnet.info()["accounts"][1]["private_key"])
        before = (await node.fetch_account(payer.address)).value
        assert before.activated
        assert not (await node.fetch_account(NEW)).value.activated
        prices = (await node.fetch_parameters()).value
        head, solid = await node.fetch_head(), await node.fetch_head(solid=True)
        assert solid.number < head.number
        assert (await node.confirm_solid(solid.number, solid.id)).holds
        assert (await node.confirm_solid(head.number, head.id)).behind
        [report] = await node.report_producers()
        assert report.error is None
        assert report.keys == devnet.chain.genesis.producers
        raw = RawData(
            Transfer(payer.address, NEW, Sun(5_000_000)),
            Reference.to_block(solid.id),
            expiration=UnixMillis(head.timestamp + 120_000),
            timestamp=head.timestamp,
        ).encode()
        unsigned = Transaction(raw)
        refused = await node.broadcast(unsigned)
        assert refused.code == "SIGERROR"
        signed = unsigned.with_signature(payer.sign(unsigned.digest))
        assert (await node.broadcast(signed)).accepted
        again = await node.broadcast(signed)
        assert (again.code, again.txid) == ("DUP_TRANSACTION_ERROR", signed.txid)
        pending = await node.fetch_transaction(signed.txid)
        assert pending is not None
        assert pending.transaction == signed
        assert await node.fetch_receipt(signed.txid) is None

        number = await devnet.mine(1)
        await note_new(node, number)
        block = await node.fetch_block(number)
        assert block is not None
        assert [included.transaction for included in block.transactions] == [signed]
        [receipt] = await node.fetch_receipts(block)
        assert receipt.fee == prices.activation_fee + prices.create_account_fee
        assert await node.fetch_receipt(signed.txid) == receipt
        assert await node.fetch_receipt(signed.txid, solid=True) is None
        assert (await node.fetch_account(NEW)).value.balance == 5_000_000

        await note_new(node, await devnet.mine(20))
        assert await node.fetch_receipt(signed.txid, solid=True) == receipt
        assert (await node.fetch_resources(NEW)).value.free_net_limit == 600
        assert (await node.fetch_info()).head_number == number + 20


async def test_its_whole_chain_is_believed_and_another_networks_is_not() -> None:
    async with running() as (devnet, node):
        await devnet.mine(100)
        blocks = await node.fetch_blocks(0, 100)
        blocks += await node.fetch_blocks(100, 200)
        assert [block.header.number for block in blocks] == [*range(137)]
        assert blocks[0].header.id == devnet.genesis_id
        with pytest.raises(WrongNetwork):
            async with open_pool([Endpoint(devnet.url)], genesis_id=BlockId("00" * 32)):
                pass


EDGES: list[tuple[str, dict[str, Any]]] = [
    ("/wallet/getblockbynum", {"num": 99_999_999}),
    ("/wallet/getblockbyid", {"value": "00" * 32}),
    ("/wallet/getblock", {"id_or_num": "99999999", "detail": False}),
    ("/walletsolidity/getblock", {"id_or_num": "99999999", "detail": False}),
    ("/wallet/getblockbylimitnext", {"startNum": 99_999_000, "endNum": 99_999_050}),
    ("/wallet/getblockbylimitnext", {"startNum": 5, "endNum": 5}),
    ("/wallet/getblockbylimitnext", {"startNum": 0, "endNum": 101}),
    ("/wallet/gettransactionbyid", {"value": "00" * 32}),
    ("/wallet/gettransactioninfobyid", {"value": "00" * 32}),
    ("/walletsolidity/gettransactioninfobyid", {"value": "00" * 32}),
    ("/wallet/gettransactioninfobyblocknum", {"num": 0}),
    ("/wallet/gettransactioninfobyblocknum", {"num": 99_999_999}),
    ("/wallet/getaccount", {"address": NEW.hex}),
    ("/wallet/getaccountresource", {"address": NEW.hex}),
]


async def test_the_recorded_node_says_what_the_devnet_says() -> None:
    recorded = RecordedNode()
    async with running() as (devnet, _):
        there, here = Endpoint(devnet.url), Endpoint("http://recorded")
        mock = httpx.MockTransport(recorded.handle)
        async with (
            open_transport([there]) as real,
            open_transport([here], http=mock) as fake,
        ):
            for path, question in EDGES:
                answers = [
                    json.loads(
                        await transport.ask(
                            path, json.dumps(question).encode(), limit_bytes=999
                        )
                    )
                    for transport in (real.line(there), fake.line(here))
                ]
                assert answers[0] == answers[1], (path, question)


async def test_a_thousand_questions_go_over_eight_connections() -> None:
    async with running() as (devnet, node):
        await note_new(node, await devnet.mine(1))
        before = node.endpoints()[0]["requests"]
        addresses = [
            Address(b"A" + number.to_bytes(20, "big")) for number in range(200)
        ]
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                for address in addresses:
                    nursery.start_soon(node.fetch_account, address)
        assert node.endpoints()[0]["requests"] - before == len(addresses)
