"""Which endpoint is asked, when it is left alone, and what a start needs."""

import json
import logging

import httpx
import pytest
import trio
import trio.testing

from lucidtrond.errors import (
    ConfigError,
    NodeLied,
    NodeRefused,
    NodeUnavailable,
    QuotaSpent,
    WrongNetwork,
)
from lucidtrond.node.health.policy import QUOTA_REST_S, RetryPolicy
from lucidtrond.node.pool import CONNECT_S, Endpoint, open_pool
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.transaction import Transaction
from tests.node.nodes import (
    RecordedNode,
    always,
    answer,
    answering,
    block_json,
    forged,
    open_nodes,
)
from tests.tron.chainrun import make_block

OTHER_GENESIS = BlockId("00" * 8 + "77" * 24)
SIGNED = make_block(block_json(300)).transactions[0].transaction
FRESH = Transaction(SIGNED.raw + b"\x90\x01\x01", SIGNED.signatures)
NO_RETRIES = RetryPolicy(max_retries=0)
SUSPENDED = (
    '{"Error":"The key exceeds the frequency limit(15), and the query server is'
    ' suspended for 30 s"}'
)


def down() -> httpx.Response | Exception:
    return httpx.ConnectError("refused")


def states(pool: object) -> list[str]:
    return [status["state"] for status in pool.endpoints()]  # type: ignore[attr-defined] # any pool


# Starting


async def test_a_pool_is_open_once_it_has_an_answer(
    autojump_clock: trio.testing.MockClock,
) -> None:
    node = RecordedNode(fault=answering(httpx.ConnectError("a"), answer("", 503)))
    async with open_nodes(node) as pool:
        assert trio.current_time() == 3  # waits of 1 and 2 s
        assert states(pool) == ["ok"]
        assert (await pool.fetch_head()).number == 900
    assert len(node.asked) == 4


async def test_a_node_of_another_network_stops_the_start() -> None:
    for nodes in ([RecordedNode()], [RecordedNode(), RecordedNode()]):
        with pytest.raises(WrongNetwork) as caught:
            async with open_nodes(*nodes, genesis_id=OTHER_GENESIS):
                pass
        assert caught.value.wanted == OTHER_GENESIS
        assert all(len(node.asked) == 1 for node in nodes)


async def test_one_node_of_another_network_stops_the_start_too() -> None:
    stranger = RecordedNode(
        fault=always(lambda: answer(json.dumps(forged(0, "00" * 32))))
    )
    with pytest.raises(WrongNetwork, match="node1"):
        async with open_nodes(RecordedNode(), stranger):
            pass


async def test_without_any_answer_it_starts_degraded_and_says_so(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    node = RecordedNode(fault=always(down))
    async with open_nodes(node, max_connection_retries=3) as pool:
        assert trio.current_time() == 7
        assert len(node.asked) == 4
        assert "no node answers yet" in caplog.text
        [shown] = pool.endpoints()
        assert shown["state"] == "failing"
        assert shown["failures_in_a_row"] == 4
        assert "can't connect" in shown["trouble"]
        node.fault = None
        assert (await pool.fetch_head()).number == 900
        assert states(pool) == ["ok"]
    assert [path for path, _ in node.asked[4:]] == ["/wallet/getblock"] * 2


async def test_a_start_is_not_held_up_for_long(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_nodes(RecordedNode(delay_s=1e9)) as pool:
        assert trio.current_time() == CONNECT_S
        assert states(pool) == ["failing"]


async def test_who_asks_to_be_left_alone_is_not_asked_again_by_a_start(
    autojump_clock: trio.testing.MockClock,
) -> None:
    limited = RecordedNode(fault=answering(answer(SUSPENDED, 429)))
    dead = RecordedNode(fault=always(down))
    async with open_nodes(limited, dead, max_connection_retries=3) as pool:
        assert states(pool) == ["left alone", "failing"]
        assert len(limited.asked) == 1
        assert len(dead.asked) == 4


async def test_a_dead_second_endpoint_does_not_slow_the_start(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_nodes(RecordedNode(), RecordedNode(delay_s=1e9)) as pool:
        assert trio.current_time() <= 1
        assert states(pool) == ["ok", "not asked yet"]


async def test_a_pool_needs_an_endpoint() -> None:
    with pytest.raises(ConfigError):
        async with open_pool([], genesis_id=OTHER_GENESIS):
            pass


async def test_who_turns_out_to_be_on_another_network_is_never_asked_again(
    autojump_clock: trio.testing.MockClock,
) -> None:
    late = RecordedNode(fault=always(down))
    async with open_nodes(
        late, genesis_id=OTHER_GENESIS, max_connection_retries=0
    ) as pool:
        late.fault = None
        with pytest.raises(WrongNetwork):
            await pool.fetch_head()
        asked = len(late.asked)
        with pytest.raises(WrongNetwork):
            await pool.fetch_head()
        with pytest.raises(WrongNetwork):
            await pool.broadcast(FRESH)
        assert len(late.asked) == asked
        assert states(pool) == ["wrong network"]


# Reading


async def test_the_first_endpoint_answers_while_it_can() -> None:
    first, second = RecordedNode(), RecordedNode()
    async with open_nodes(first, second) as pool:
        for _ in range(5):
            await pool.fetch_head()
    assert (len(first.asked), len(second.asked)) == (6, 1)


@pytest.mark.parametrize(
    "failure",
    [
        down,
        lambda: answer("", 500),
        lambda: answer("{}", 404),
        lambda: answer("{}", 401),
        lambda: answer('{"Error":"class java.lang.NullPointerException : null"}'),
        lambda: answer("this API is closed because this node is a lite fullnode"),
        lambda: answer(json.dumps(block_json(7))[:99]),
    ],
)
async def test_what_one_endpoint_fails_at_the_next_is_asked_at_once(
    failure: object, autojump_clock: trio.testing.MockClock
) -> None:
    first, second = RecordedNode(), RecordedNode()
    async with open_nodes(first, second) as pool:
        first.fault = always(failure)  # type: ignore[arg-type] # a parameter
        assert (await pool.fetch_head()).number == 900
        assert trio.current_time() == 0
        assert states(pool) == ["failing", "ok"]
        first.fault = None
        await trio.sleep(60)
        await pool.fetch_head()
        assert states(pool) == ["ok", "ok"]


async def test_who_is_silent_is_asked_after_the_others_for_a_while(
    autojump_clock: trio.testing.MockClock,
) -> None:
    first, second = RecordedNode(), RecordedNode()
    async with open_nodes(first, second) as pool:
        first.fault = always(down)
        await pool.fetch_head()
        failed = len(first.asked)
        await pool.fetch_head()
        assert len(first.asked) == failed
        await trio.sleep(1.1)
        await pool.fetch_head()
        assert len(first.asked) == failed + 1
        await trio.sleep(1.1)  # the second rest is longer
        await pool.fetch_head()
        assert len(first.asked) == failed + 1


async def test_after_a_round_of_failures_comes_a_wait_and_then_the_error(
    autojump_clock: trio.testing.MockClock,
) -> None:
    nodes = RecordedNode(), RecordedNode()
    async with open_nodes(*nodes) as pool:
        for node in nodes:
            node.asked.clear()
            node.fault = always(down)
        with pytest.raises(NodeUnavailable, match="4 attempts"):
            await pool.fetch_head()
        assert trio.current_time() == 7
    assert [len(node.asked) for node in nodes] == [4, 4]


async def test_a_refusal_by_all_is_not_repeated(
    autojump_clock: trio.testing.MockClock,
) -> None:
    nodes = RecordedNode(), RecordedNode()
    async with open_nodes(*nodes) as pool:
        for node in nodes:
            node.fault = always(lambda: answer('{"Error":"no"}'))
        with pytest.raises(NodeRefused, match="node0: no"):
            await pool.fetch_head()
        assert trio.current_time() == 0


async def test_a_lie_is_not_accepted_from_a_single_endpoint(
    autojump_clock: trio.testing.MockClock,
) -> None:
    node = RecordedNode()
    async with open_nodes(node) as pool:
        node.fault = always(lambda: answer(json.dumps(block_json(7))))
        with pytest.raises(NodeLied):
            await pool.fetch_block(8)


async def test_who_asks_to_be_left_alone_is(
    autojump_clock: trio.testing.MockClock,
) -> None:
    node = RecordedNode()
    async with open_nodes(node, policy=NO_RETRIES) as pool:
        node.fault = answering(answer(SUSPENDED, 429))
        node.asked.clear()
        with pytest.raises(NodeUnavailable):
            await pool.fetch_head()
        assert states(pool) == ["left alone"]
        await trio.sleep(20)
        with pytest.raises(NodeUnavailable) as caught:
            await pool.fetch_head()
        assert caught.value.retry_after_s == pytest.approx(10)
        with pytest.raises(NodeUnavailable):
            await pool.broadcast(FRESH)
        assert len(node.asked) == 1
        await trio.sleep(10.1)
        assert (await pool.fetch_head()).number == 900
        assert states(pool) == ["ok"]


async def test_who_fails_otherwise_meanwhile_is_still_left_alone(
    autojump_clock: trio.testing.MockClock,
) -> None:
    node = RecordedNode()
    async with open_nodes(node, policy=NO_RETRIES) as pool:
        limits = [answer(SUSPENDED, 429)]

        async def limited_or_gone(path: str) -> httpx.Response | None:
            if limits:
                return limits.pop()
            await trio.sleep(1)
            raise httpx.ReadError("reset")

        node.asked.clear()
        node.fault = limited_or_gone

        async def fail() -> None:
            with pytest.raises(NodeUnavailable):
                await pool.fetch_head()

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(fail)
        assert states(pool) == ["left alone"]
        await fail()
        assert len(node.asked) == 3


async def test_one_who_asks_for_patience_does_not_keep_us_from_the_others(
    autojump_clock: trio.testing.MockClock,
) -> None:
    limited, shaky = RecordedNode(), RecordedNode()
    async with open_nodes(limited, shaky) as pool:
        limited.fault = answering(answer(SUSPENDED, 429))
        shaky.fault = answering(httpx.ReadError("reset"))
        limited.asked.clear()
        assert (await pool.fetch_head()).number == 900
        assert trio.current_time() == 1
        assert len(limited.asked) == 1


async def test_a_patient_caller_waits_as_long_as_asked(
    autojump_clock: trio.testing.MockClock,
) -> None:
    node = RecordedNode()
    async with open_nodes(node) as pool:
        node.fault = answering(answer(SUSPENDED, 403))
        assert (await pool.fetch_head()).number == 900
        assert trio.current_time() == pytest.approx(30)


async def test_a_spent_quota_is_said_and_not_asked_about_again(
    autojump_clock: trio.testing.MockClock,
) -> None:
    first, second = RecordedNode(), RecordedNode()
    async with open_nodes(first, second) as pool:
        first.fault = always(lambda: answer("Exceed the user daily usage", 403))
        await pool.fetch_head()
        await trio.sleep(60)
        asked = len(first.asked)
        second.fault = always(down)
        with pytest.raises(NodeUnavailable, match="node1"):
            await pool.fetch_head()
        assert len(first.asked) == asked
    alone = RecordedNode()
    async with open_nodes(alone) as pool:
        alone.fault = always(lambda: answer("Exceed the user daily usage", 403))
        for _ in range(3):
            with pytest.raises(QuotaSpent):
                await pool.fetch_head()
        assert len(alone.asked) == 2
        alone.fault = None
        await trio.sleep(QUOTA_REST_S)
        await pool.fetch_head()


async def test_many_first_questions_ask_for_the_genesis_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    node = RecordedNode(fault=always(down), delay_s=0.5)
    async with open_nodes(node, max_connection_retries=0) as pool:
        node.fault = None
        node.asked.clear()
        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(pool.fetch_head)
    assert sum("id_or_num" in question for _, question in node.asked) == 1
    assert len(node.asked) == 51


async def test_trouble_is_logged_when_it_begins_and_when_it_ends(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    node = RecordedNode()
    async with open_nodes(node, policy=NO_RETRIES) as pool:
        node.fault = always(down)
        for _ in range(5):
            with pytest.raises(NodeUnavailable):
                await pool.fetch_head()
        node.fault = None
        await trio.sleep(30)
        for _ in range(5):
            await pool.fetch_head()
    assert [record.message for record in caplog.records] == [
        "endpoint fails",
        "endpoint answers again",
    ]


async def test_the_state_of_endpoints_is_plain_data(
    autojump_clock: trio.testing.MockClock,
) -> None:
    first, second = RecordedNode(head=100, solid=82), RecordedNode(head=82, solid=64)
    async with open_nodes(first, second) as pool:
        await pool.fetch_head()
        await pool.fetch_head(solid=True)
        first.fault = always(down)
        await pool.fetch_head()
        shown = json.loads(json.dumps(pool.endpoints()))
    assert shown[0]["head_number"] == 100
    assert shown[0]["solid_number"] == 82
    assert shown[0]["trouble"] == "node0: can't connect"
    assert [status["behind_blocks"] for status in shown] == [0, 18]
    assert shown[1]["endpoint"] == "node1"


# Broadcasting


async def test_the_same_bytes_go_to_two_endpoints() -> None:
    nodes = [RecordedNode(), RecordedNode(), RecordedNode()]
    async with open_nodes(*nodes) as pool:
        taken = await pool.broadcast(FRESH)
    assert taken.accepted
    assert [node.questions("broadcasthex") for node in nodes] == [
        [{"transaction": FRESH.encode().hex()}],
        [{"transaction": FRESH.encode().hex()}],
        [],
    ]


def said(code: str) -> httpx.Response:
    body = {"result": code == "SUCCESS", "code": code, "txid": FRESH.txid}
    return answer(json.dumps(body))


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ("TAPOS_ERROR", "SUCCESS", "SUCCESS"),
        ("DUP_TRANSACTION_ERROR", "SUCCESS", "SUCCESS"),
        ("DUP_TRANSACTION_ERROR", "SIGERROR", "DUP_TRANSACTION_ERROR"),
        ("SERVER_BUSY", "DUP_TRANSACTION_ERROR", "DUP_TRANSACTION_ERROR"),
        (None, "SIGERROR", "SIGERROR"),
        ("SIGERROR", None, "SIGERROR"),
        (None, "SUCCESS", "SUCCESS"),
    ],
)
async def test_of_two_answers_the_one_that_says_most_counts(
    first: str | None,
    second: str | None,
    code: str,
    autojump_clock: trio.testing.MockClock,
) -> None:
    nodes = RecordedNode(), RecordedNode()
    async with open_nodes(*nodes) as pool:
        for node, word in zip(nodes, (first, second), strict=True):
            gone = httpx.ReadError("reset")
            node.fault = answering(gone if word is None else said(word))
        assert (await pool.broadcast(FRESH)).code == code
        assert trio.current_time() == 0


async def test_a_broadcast_that_nobody_answers_is_tried_once_only(
    autojump_clock: trio.testing.MockClock,
) -> None:
    nodes = RecordedNode(), RecordedNode()
    async with open_nodes(*nodes) as pool:
        for node in nodes:
            node.fault = always(down)
        with pytest.raises(NodeUnavailable):
            await pool.broadcast(FRESH)
    assert [len(node.questions("broadcasthex")) for node in nodes] == [1, 1]
    assert trio.current_time() == 0


async def test_a_node_that_read_another_transaction_did_not_take_ours(
    autojump_clock: trio.testing.MockClock,
) -> None:
    wrong = json.dumps({"result": True, "code": "SUCCESS", "txid": "00" * 32})
    nodes = RecordedNode(), RecordedNode()
    async with open_nodes(*nodes) as pool:
        for node in nodes:
            node.fault = always(lambda: answer(wrong))
        with pytest.raises(NodeLied):
            await pool.broadcast(FRESH)
        nodes[1].fault = None
        assert (await pool.broadcast(FRESH)).endpoint == "node1"


async def test_a_slow_second_endpoint_does_not_hold_up_a_payment(
    autojump_clock: trio.testing.MockClock,
) -> None:
    nodes = RecordedNode(), RecordedNode()
    async with open_nodes(*nodes) as pool:
        nodes[1].delay_s = 4
        assert (await pool.broadcast(FRESH)).accepted
        assert trio.current_time() <= 1
        nodes[0].fault = always(lambda: said("TAPOS_ERROR"))
        assert (await pool.broadcast(FRESH)).endpoint == "node1"
        assert trio.current_time() >= 4


async def test_a_payment_does_not_wait_behind_questions(
    autojump_clock: trio.testing.MockClock,
) -> None:
    node = RecordedNode()
    async with open_nodes(node) as pool, trio.open_nursery() as nursery:
        node.delay_s = 1.0
        for number in range(1000):
            nursery.start_soon(pool.fetch_block, number % 900)
        await trio.testing.wait_all_tasks_blocked()
        assert (await pool.broadcast(FRESH)).accepted
        assert trio.current_time() == 1.0  # the node's own time, once
        nursery.cancel_scope.cancel()


async def test_the_first_payment_to_an_endpoint_waits_for_its_genesis_only(
    autojump_clock: trio.testing.MockClock,
) -> None:
    late = RecordedNode(fault=answering(httpx.ConnectError("not yet")))
    async with open_nodes(RecordedNode(), late) as pool, trio.open_nursery() as nursery:
        late.delay_s = 0.1
        assert states(pool) == ["ok", "failing"]
        for number in range(1000):
            nursery.start_soon(pool.fetch_block, number % 900)
        assert (await pool.broadcast(FRESH)).accepted
        assert late.questions("broadcasthex")
        assert trio.current_time() < 0.3
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("after_s", [0, 0.2, 0.7, 1.2, 5])
async def test_a_pool_can_be_left_at_any_point(
    after_s: float, autojump_clock: trio.testing.MockClock
) -> None:
    node = RecordedNode(delay_s=0.5, fault=answering(httpx.ReadError("reset")))
    with trio.move_on_after(after_s):
        async with (
            open_nodes(node, RecordedNode(delay_s=0.25)) as pool,
            trio.open_nursery() as nursery,
        ):
            for _ in range(20):
                nursery.start_soon(pool.fetch_head)
                nursery.start_soon(pool.broadcast, FRESH)
    assert node.at_once == 0


def test_an_endpoint_is_shown_by_host_and_port() -> None:
    for url, name in {
        "https://api.trongrid.io": "api.trongrid.io",
        "http://127.0.0.1:8090/": "127.0.0.1:8090",
        "http://[::1]:8090": "[::1]:8090",
    }.items():
        assert Endpoint(url).name == name
