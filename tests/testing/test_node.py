"""The local node keeps the real one's contract."""

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from lucidtrond.errors import InsufficientFunds, NodeUnavailable
from lucidtrond.testing import LocalNode, ManualClock
from lucidtrond.testing.strategies import addresses
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import check_block
from lucidtrond.tron.transaction import TxId
from lucidtrond.tron.units import MAX_SUN, Sun

SOMEBODY = Address(b"\x41" + bytes(range(20)))


async def test_every_block_it_gives_can_be_verified() -> None:
    node = LocalNode()
    await node.fund(SOMEBODY, Sun(5))
    head = await node.mine(3)
    blocks = await node.fetch_blocks(0, head + 10)
    assert [block.header.number for block in blocks] == list(range(head + 1))
    for block in blocks:
        block_id = check_block(block)
        assert await node.fetch_block(block_id) == block
        if block.header.number:
            producer = await node.fetch_account(Address(block.header.witness))
            assert block.header.signer() == producer.value.block_key
    receipts = [await node.fetch_receipts(block) for block in blocks]
    assert [len(block_receipts) for block_receipts in receipts] == [
        len(b.transactions) for b in blocks
    ]


async def test_a_payment_is_pending_then_included_then_final() -> None:
    node = LocalNode()
    txid = await node.fund(SOMEBODY, Sun(5))
    assert await node.fetch_transaction(txid) is not None
    assert await node.fetch_receipt(txid) is None
    number = await node.mine(1)
    receipt = await node.fetch_receipt(txid)
    assert receipt is not None
    assert (receipt.block_number, receipt.succeeded) == (number, True)
    assert await node.fetch_receipt(txid, solid=True) is None
    while (await node.fetch_head(solid=True)).number < number:
        await node.mine(1)
    assert await node.fetch_receipt(txid, solid=True) == receipt
    account = await node.fetch_account(SOMEBODY, solid=True)
    assert account.value.balance == 5


@given(addresses())
@settings(max_examples=20, deadline=None)
def test_what_it_does_not_know_is_none_or_empty(address: Address) -> None:
    node = LocalNode()

    async def main() -> None:
        account = await node.fetch_account(address)
        assert (account.value.activated, account.value.balance) == (False, 0)
        assert (await node.fetch_resources(address)).value.free_net_limit == 0
        assert await node.fetch_block(10**9) is None
        txid = TxId(address.raw.hex().ljust(64, "0"))
        assert await node.fetch_transaction(txid) is None
        assert await node.fetch_receipt(txid) is None

    trio.run(main)


async def test_trouble_and_slowness_are_as_asked_for(autojump_clock: MockClock) -> None:
    node = LocalNode()
    node.delay_s = 3.0
    await node.fetch_head()
    assert trio.current_time() == 3.0
    node.trouble = NodeUnavailable("local", 1)
    questions = node.questions
    with pytest.raises(NodeUnavailable):
        await node.fetch_head()
    assert node.questions == questions + 1


async def test_nobody_gets_more_than_there_is() -> None:
    with pytest.raises(InsufficientFunds, match="the devnet refused"):
        await LocalNode().fund(SOMEBODY, MAX_SUN)


@given(st.floats(0, 10**6))
def test_a_clock_stands_until_it_is_moved(seconds: float) -> None:
    clock = ManualClock(5)
    assert clock.now_ms() == clock.now_ms() == 5
    clock.advance(seconds)
    assert clock.now_ms() == 5 + round(seconds * 1000)
