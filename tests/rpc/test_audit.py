"""The audit log: one row for each call that spends, and none can be changed unseen."""

import json
from typing import Any

import attrs
import msgspec
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.api.caller import Caller
from lucidtrond.errors import InsufficientFunds
from lucidtrond.rpc.audit import (
    FIRST,
    LONGEST,
    MIGRATIONS,
    Audit,
    AuditRow,
    first_break,
    read_rows,
)
from lucidtrond.rpc.dispatch import Call, Dispatcher, Method
from lucidtrond.rpc.messages import parse
from lucidtrond.store.database import Database, open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.testing import ManualClock

SPENDER = Caller("unix", "uid=7", frozenset({"read", "spend"}))
READER = Caller("http", "local", frozenset({"read"}))


class Pay(msgspec.Struct, frozen=True):
    to: str
    amount_sun: str
    private_key: str = ""


class Paid(msgspec.Struct, frozen=True):
    txid: str
    private_key: str = "s3cret"


def chain(count: int) -> list[AuditRow]:
    rows, before = [], FIRST
    for seq in range(1, count + 1):
        row = AuditRow(seq, seq * 10, "unix uid=1", "pay", "{}", "{}", b"")
        before = row.hash_after(before)
        rows.append(attrs.evolve(row, hash=before))
    return rows


@given(st.integers(2, 8), st.data())
def test_a_changed_lost_or_swapped_row_shows(count: int, data: st.DataObject) -> None:
    rows = chain(count)
    assert first_break(rows, before=None) is None
    assert first_break(rows[1:], before=rows[0]) is None
    place = data.draw(st.integers(0, count - 2))
    change: dict[str, Any] = data.draw(
        st.sampled_from(
            [
                {"at_ms": 1},
                {"who": "unix uid=2"},
                {"method": "x"},
                {"asked": "{ }"},
                {"outcome": "[]"},
                {"hash": bytes(32)},
                {"seq": 99},
            ]
        )
    )
    changed = attrs.evolve(rows[place], **change)
    wrong = [*rows[:place], changed, *rows[place + 1 :]]
    assert first_break(wrong, before=None) == place + 1
    assert first_break(rows[:place] + rows[place + 1 :], before=None) == place + 1


@given(st.integers(2, 8), st.data())
def test_a_row_that_was_forged_with_its_hash_breaks_at_the_next(
    count: int, data: st.DataObject
) -> None:
    rows = chain(count)
    place = data.draw(st.integers(0, count - 2))
    before = rows[place - 1].hash if place else FIRST
    forged = attrs.evolve(rows[place], who="unix uid=2")
    forged = attrs.evolve(forged, hash=forged.hash_after(before))
    wrong = [*rows[:place], forged, *rows[place + 1 :]]
    assert first_break(wrong, before=None) == place + 2


async def open_log(store: Database) -> tuple[Dispatcher, Audit]:
    await migrate(store, MIGRATIONS)
    audit = Audit(store, ManualClock())
    dispatcher = Dispatcher(audit=audit)

    async def pay(_: Call, params: Pay) -> Paid:
        if params.to == "poor":
            raise InsufficientFunds("too little")
        if params.to == "bug":
            raise ZeroDivisionError
        if params.to == "slow":
            await trio.sleep_forever()
        return Paid("ab" * 32)

    async def look(_: Call, params: Pay) -> None:
        del params

    dispatcher.add(Method("pay", pay, params=Pay, caller="spend", inline=True))
    dispatcher.add(Method("look", look, params=Pay))
    return dispatcher, audit


async def ask(
    dispatcher: Dispatcher, caller: Caller, method: str, params: object, **more: Any
) -> None:
    text = {"jsonrpc": "2.0", "method": method, "params": params, **more}
    await dispatcher.answer(parse(json.dumps(text).encode()), Call(caller))


async def rows_of(audit: Audit) -> list[tuple[str, str, dict[str, Any], Any]]:
    rows, broken = await audit.page(limit=100, before=None)
    assert broken is None
    return [
        (row.who, row.method, json.loads(row.asked), json.loads(row.outcome))
        for row in reversed(rows)
    ]


async def test_each_way_a_spending_call_ends_is_one_row() -> None:
    async with open_store(None) as store:
        dispatcher, audit = await open_log(store)
        for to in ("me", "poor", "bug"):
            await ask(dispatcher, SPENDER, "pay", {"to": to, "amount_sun": "5"}, id=1)
        await ask(dispatcher, SPENDER, "pay", ["me", "6"])  # a notification
        await ask(dispatcher, SPENDER, "pay", {"private_key": "s3cret"}, id=1)
        await ask(dispatcher, READER, "pay", {"to": "me", "amount_sun": "7"}, id=1)
        await ask(dispatcher, SPENDER, "look", {"to": "me", "amount_sun": "7"}, id=1)
        done = {"ended": "done", "txid": "ab" * 32}
        asked = [
            {"to": to, "amount_sun": sun}
            for to, sun in (("me", "5"), ("poor", "5"), ("bug", "5"), ("me", "6"))
        ]
        refused = {"to": "me", "amount_sun": "7"}
        assert await rows_of(audit) == [
            ("unix uid=7", "pay", asked[0], done),
            ("unix uid=7", "pay", asked[1], {"ended": "error", "code": 300}),
            ("unix uid=7", "pay", asked[2], {"ended": "error", "code": -32603}),
            ("unix uid=7", "pay", asked[3], done),
            ("unix uid=7", "pay", {}, {"ended": "error", "code": -32602}),
            ("http local", "pay", refused, {"ended": "error", "code": 402}),
        ]


async def test_a_caller_that_goes_away_leaves_its_row() -> None:
    async with open_store(None) as store:
        dispatcher, audit = await open_log(store)
        with trio.move_on_after(0):
            params = {"to": "slow", "amount_sun": "1"}
            await ask(dispatcher, SPENDER, "pay", params, id=1)
        assert [row[3] for row in await rows_of(audit)] == [{"ended": "unanswered"}]


async def test_no_secret_and_no_endless_text_is_kept(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_store(None) as store:
        dispatcher, audit = await open_log(store)
        params = {"to": "x" * 9999, "amount_sun": "1", "private_key": "s3cret"}
        with caplog.at_level("INFO"):
            await ask(dispatcher, SPENDER, "pay", params, id=1)
        [row] = await store.read(lambda tx: read_rows(tx, limit=9))
        assert "s3cret" not in repr(row) + repr(
            [vars(record) for record in caplog.records]
        )
        assert json.loads(row.asked)["to"] == "x" * LONGEST
        assert [record.message for record in caplog.records] == ["spending call"]
        assert len((await audit.page(limit=1, before=None))[0]) == 1


async def test_what_is_edited_in_the_database_is_named_on_its_page() -> None:
    async with open_store(None) as store:
        dispatcher, audit = await open_log(store)
        for number in range(5):
            params = {"to": "me", "amount_sun": str(number)}
            await ask(dispatcher, SPENDER, "pay", params, id=1)
        await store.write(
            lambda tx: tx.execute("UPDATE audit_call SET who = 'x' WHERE seq = 3")
        )
        assert (await audit.page(limit=2, before=None))[1] is None
        assert (await audit.page(limit=100, before=None))[1] == 3
        rows, broken = await audit.page(limit=2, before=4)
        assert ([row.seq for row in rows], broken) == ([3, 2], 3)


async def test_a_method_that_is_audited_is_not_answered_inline() -> None:
    async with open_store(None) as store:
        dispatcher, _ = await open_log(store)
        text = b'{"jsonrpc":"2.0","id":1,"method":"pay"}'
        assert not dispatcher.is_inline(parse(text))
