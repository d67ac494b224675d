"""Subscribing and polling over the real bus and a real outbox."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing
from attrs import define
from msgspec.structs import replace

from lucidtrond.api.caller import Caller
from lucidtrond.events.bus import Bus
from lucidtrond.ports import Store
from lucidtrond.rpc.dispatch import Call, Dispatcher
from lucidtrond.rpc.events import events_methods
from lucidtrond.rpc.messages import parse
from lucidtrond.rpc.session import Session, SessionLimits
from tests.events.subscribers import (
    ListSink,
    block,
    emit,
    open_bus,
    transfer,
    wallet,
)

ADDRESS = "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"
READER = Caller("unix", "uid=1", frozenset({"read"}))


@define
class Client:
    bus: Bus
    store: Store
    dispatcher: Dispatcher
    sink: ListSink
    session: Session

    async def ask(self, method: str, *, held: bool = True, **params: Any) -> Any:
        message = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
        call = Call(READER, self.session if held else None)
        answer = await self.dispatcher.answer(parse(json.dumps(message).encode()), call)
        assert answer is not None
        decoded = json.loads(answer)
        return decoded["error"] if "error" in decoded else decoded["result"]


@asynccontextmanager
async def open_client(keep: int = 100_000) -> AsyncIterator[Client]:
    async with open_bus(keep) as (bus, store):
        dispatcher = Dispatcher(verify_results=True)
        for method in events_methods(bus, store):
            dispatcher.add(method)
        sink = ListSink()
        session = Session(READER, sink, SessionLimits(subscriptions=3))
        yield Client(bus, store, dispatcher, sink, session)


async def settle() -> None:
    await trio.testing.wait_all_tasks_blocked(0.01)


async def test_events_come_behind_the_answer_that_names_the_subscription() -> None:
    async with open_client() as client:
        await emit(client.bus, client.store, block(1), block(2))
        answer = await client.ask("events.subscribe", since=1)
        assert answer["since"] == 1
        assert not answer["gap"]
        await emit(client.bus, client.store, block(3))
        await settle()
        assert client.sink.seqs() == []
        client.session.answered()
        await settle()
        assert client.sink.seqs() == [2, 3]
        first = client.sink.messages()[0]["params"]
        assert isinstance(first, dict)
        assert first["subscription"] == answer["subscription"]


async def test_only_wished_topics_and_addresses_come() -> None:
    async with open_client() as client:
        await client.ask("events.subscribe", topics=["wallet"], address=ADDRESS)
        client.session.answered()
        await emit(
            client.bus, client.store, block(1), wallet("elsewhere"), wallet(ADDRESS)
        )
        await settle()
        assert client.sink.seqs() == [3]


async def test_a_subscription_ends_on_request_and_with_its_connection() -> None:
    async with open_client() as client:
        first = await client.ask("events.subscribe")
        await client.ask("events.subscribe")
        client.session.answered()
        name = first["subscription"]
        assert await client.ask("events.unsubscribe", subscription=name) == {
            "subscription": name
        }
        assert (await client.ask("events.unsubscribe", subscription=name))[
            "code"
        ] == 101
        assert client.bus.statistics().subscriptions == 1
        client.session.close()
        assert client.bus.statistics().subscriptions == 0
        await emit(client.bus, client.store, block(1))
        await settle()
        assert client.sink.frames == []


async def test_who_lags_hears_it_and_has_room_for_another_subscription(
    mock_clock: trio.testing.MockClock,
) -> None:
    async with open_client() as client:
        client.sink.room = 2
        await client.ask("events.subscribe")
        client.session.answered()
        await emit(client.bus, client.store, *map(block, range(5)))
        await settle()
        client.sink.room = 10
        mock_clock.jump(1)  # the bus tries a full sink again after a while
        await settle()
        assert client.sink.lagged() == [2]
        assert not client.session.has_subscriptions
        await client.ask("events.subscribe", since=2)
        client.session.answered()
        await settle()
        assert client.sink.seqs() == [1, 2, 3, 4, 5]


async def test_a_connection_has_a_bounded_number_of_subscriptions() -> None:
    async with open_client() as client:
        for _ in range(3):
            await client.ask("events.subscribe")
        assert (await client.ask("events.subscribe"))["code"] == 104
        assert client.bus.statistics().subscriptions == 3


@pytest.mark.parametrize(
    "params", [{"topics": ["weather"]}, {"address": "T123"}, {"since": 5}]
)
async def test_impossible_wishes_are_invalid(params: dict[str, Any]) -> None:
    async with open_client() as client:
        for method in ("events.subscribe", "events.poll"):
            assert (await client.ask(method, **params))["code"] == 100
        assert client.bus.statistics().subscriptions == 0


async def test_without_a_connection_one_can_only_poll() -> None:
    async with open_client() as client:
        assert (await client.ask("events.subscribe", held=False))["code"] == 100
        answer = await client.ask("events.unsubscribe", held=False, subscription="s1")
        assert answer["code"] == 100
        assert (await client.ask("events.poll", held=False, since=0))["events"] == []


async def poll_all(client: Client, limit: int) -> Sequence[int]:
    since = 0
    got: list[int] = []
    while True:
        page = await client.ask("events.poll", since=since, limit=limit)
        if not page["events"]:
            return got
        got += [event["seq"] for event in page["events"]]
        assert page["next_since"] == got[-1]
        since = page["next_since"]


async def test_polling_page_by_page_gives_every_event_once() -> None:
    async with open_client() as client:
        await emit(client.bus, client.store, *map(block, range(10)))
        assert await poll_all(client, 3) == list(range(1, 11))
        page = await client.ask("events.poll", since=9)
        assert page["events"][0]["event"]["number"] == 9
        assert page["events"][0]["topic"] == "block"


async def test_a_poll_waits_for_the_first_event_it_wants() -> None:
    async with open_client() as client:
        await emit(client.bus, client.store, block(1))
        answers: list[Any] = []

        async def poll(topics: list[str]) -> None:
            wish: dict[str, Any] = {"topics": topics, "since": 1, "wait_ms": 60_000}
            answers.append(await client.ask("events.poll", **wish))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(poll, ["wallet"])
            await settle()
            await emit(client.bus, client.store, block(2))
            await settle()
            assert answers == []
            await emit(client.bus, client.store, wallet(ADDRESS))
        assert [event["seq"] for event in answers[0]["events"]] == [3]


async def test_a_poll_that_waits_in_vain_says_where_to_go_on(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_client() as client:
        await emit(client.bus, client.store, block(1), block(2))
        page = await client.ask("events.poll", since=0, topics=["wallet"], wait_ms=5000)
        assert page == {"events": [], "next_since": 2, "gap": False}
        assert (await client.ask("events.poll"))["next_since"] == 2


async def test_a_poll_says_that_older_events_are_gone() -> None:
    async with open_client(keep=3) as client:
        await emit(client.bus, client.store, *map(block, range(20)))
        await settle()
        page = await client.ask("events.poll", since=0)
        assert page["gap"]
        assert page["events"][0]["seq"] > 1
        answer = await client.ask("events.subscribe", since=0)
        assert answer["gap"]
        assert answer["oldest_seq"] == page["events"][0]["seq"]


async def test_topics_are_listed() -> None:
    async with open_client() as client:
        topics = (await client.ask("events.topics"))["topics"]
        assert {"block", "transfer", "wallet"} <= set(topics)


async def test_only_what_is_proven_enough_comes_to_a_subscription_and_a_poll() -> None:
    async with open_client() as client:
        await client.ask("events.subscribe", min_proof="two_sources")
        client.session.answered()
        low, high = transfer("a", "b"), transfer("a", "b")
        high = replace(high, entry=replace(high.entry, proof="two_sources"))
        await emit(client.bus, client.store, low, high, block(1))
        await settle()
        assert client.sink.seqs() == [2, 3]
        polled = await client.ask("events.poll", since=0, min_proof="two_sources")
        assert [event["seq"] for event in polled["events"]] == [2, 3]


@pytest.mark.parametrize("method", ["events.subscribe", "events.poll"])
async def test_a_proof_that_there_is_not_is_a_clear_error(method: str) -> None:
    async with open_client() as client:
        error = await client.ask(method, min_proof="three_sources")
        assert error["code"] == -32602
        assert "min_proof" in str(error)
        assert "three_sources" in str(error)
