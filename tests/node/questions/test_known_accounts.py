"""Accounts that one node does not know, and whether there are any."""

import contextlib

import pytest
import trio
import trio.testing

from lucidtrond.errors import NodeUnavailable
from lucidtrond.node.health.policy import RetryPolicy
from lucidtrond.tron.address import Address
from tests.node.nodes import RecordedNode, answer, answering, only, open_nodes
from tests.tron.chainrun import load

FUNDED = [
    Address.from_hex(address)
    for address, account in load()["accounts"].items()
    if account.get("balance")
]


async def test_who_knows_an_account_outweighs_who_does_not() -> None:
    lagging, second = RecordedNode(), RecordedNode()
    funded = FUNDED[0]
    async with open_nodes(lagging, second) as pool:
        lagging.fault = only("getaccount", lambda: answer("{}"))
        for account in (
            await pool.fetch_account(funded),
            await pool.fetch_account(funded, solid=True),
        ):
            assert account.value.activated
            assert account.value.balance > 0
        nobody = Address(b"\x41" + b"\x05" * 20)
        assert not (await pool.fetch_account(nobody)).value.activated
        assert len(second.questions("getaccount")) == 3
        lagging.fault = only("getaccountresource", lambda: answer("{}"))
        assert (await pool.fetch_resources(funded)).value.free_net_limit == 600


async def test_one_endpoint_alone_does_not_say_that_there_is_no_account(
    autojump_clock: trio.testing.MockClock,
) -> None:
    lagging, second = RecordedNode(), RecordedNode()
    funded, other = FUNDED[:2]
    async with open_nodes(lagging, second, policy=RetryPolicy(max_retries=1)) as pool:
        lagging.fault = only("getaccount", lambda: answer("{}"))
        second.fault = answering(answer("", 500), only="getaccount")
        assert (await pool.fetch_account(funded)).value.activated
        second.fault = only("getaccount", lambda: answer("", 500))
        with pytest.raises(NodeUnavailable, match="HTTP 500"):
            await pool.fetch_account(other)
        while pool.endpoints()[1]["state"] == "failing":  # until it is given up
            with contextlib.suppress(NodeUnavailable):
                await pool.fetch_account(other)
        assert not (await pool.fetch_account(other)).value.activated
        # What was seen once is not gone, whoever can't be asked.
        with pytest.raises(NodeUnavailable, match="unknown to it"):
            await pool.fetch_account(funded)


async def test_who_is_left_alone_for_a_moment_is_waited_for(
    autojump_clock: trio.testing.MockClock,
) -> None:
    lagging, second = RecordedNode(), RecordedNode()
    funded = FUNDED[0]
    async with open_nodes(lagging, second) as pool:
        second.fault = answering(answer("", 503, Retry_After="1"), only="getaccount")
        lagging.fault = answering(answer("{}"), answer("{}"), only="getaccount")
        assert (await pool.fetch_account(funded)).value.activated
        assert trio.current_time() >= 1


async def test_blocks_that_were_taken_back_may_take_an_account_along(
    autojump_clock: trio.testing.MockClock,
) -> None:
    node = RecordedNode()
    funded = FUNDED[0]
    async with open_nodes(node, policy=RetryPolicy(max_retries=1)) as pool:
        assert (await pool.fetch_account(funded)).value.activated
        node.fault = only("getaccount", lambda: answer("{}"))
        with pytest.raises(NodeUnavailable, match="unknown to it"):
            await pool.fetch_account(funded)
        # KnownAccounts at the head, it may not be final yet.
        assert not (await pool.fetch_account(funded, solid=True)).value.activated
        pool.forget_accounts()
        assert not (await pool.fetch_account(funded)).value.activated
