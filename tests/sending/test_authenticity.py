"""Whatever value of the journal is edited, only what was accepted is ever signed."""

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
import trio
from attrs import evolve
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lucidtrond.keystore.authenticator import Authenticator
from lucidtrond.sending.authenticity import (
    ATTEMPT_COLUMNS,
    LABEL,
    PAYMENT_COLUMNS,
    check_authentic,
    message,
)
from lucidtrond.sending.journal import queries
from lucidtrond.sending.journal.entry import Entry, Stored
from lucidtrond.sending.journal.fault import NotApproved, RowRefused
from lucidtrond.tron.contracts import Transfer
from lucidtrond.tron.transaction import Transaction, decode_raw
from lucidtrond.tron.units import Sun
from tests.chain.model import address
from tests.sending.model import OWNERS, TO, Process, pay, process
from tests.sending.test_set_aside import queue

PAYMENT, ATTEMPT = "sending_payment", "sending_attempt"
ATTACKER = address(123)
AMOUNTS: Final = {b"bad": 5, b"good": 7}
NAMED: Final = {
    *((PAYMENT, column) for column in (*PAYMENT_COLUMNS, "seq", "mac")),
    *((ATTEMPT, column) for column in (*ATTEMPT_COLUMNS, "payment_seq", "mac")),
    *((ATTEMPT, column) for column in ("renewals", "renewal_mac", "signature")),
}
"""Edits of these are named; the others change while the keystore is locked."""


def read_columns() -> dict[tuple[str, str], tuple[str, bool]]:
    """Type and "may be NULL" of each column of both tables."""

    async def make(path: Path) -> None:
        async with process(path):
            pass

    with TemporaryDirectory() as folder:
        path = Path(folder) / "db"
        trio.run(make, path)
        with closing(sqlite3.connect(path)) as database:
            sql = 'SELECT name, type, "notnull" OR pk FROM pragma_table_info(?)'
            return {
                (table, name): (kind, not required)
                for table in (PAYMENT, ATTEMPT)
                for name, kind, required in database.execute(sql, (table,))
            }


COLUMNS: Final = read_columns()
VALUES: Final = {
    "INTEGER": st.one_of(
        st.integers(-(2**63), 2**63 - 1), st.integers(-2, 3), st.just(2**50)
    ),
    "TEXT": st.one_of(
        st.text(max_size=9),
        st.sampled_from(["TRX", "expired", "failed", "queued", "signed", "pending"]),
        st.sampled_from(["included", "solidified", "unproven", "trc20_transfer"]),
    ),
    "BLOB": st.one_of(
        st.binary(max_size=80),
        st.just(ATTACKER.raw),
        st.just(OWNERS[1].raw),
        st.integers(0, 2**64).map(lambda number: number.to_bytes(32, "big")),
    ),
}


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, str, Any]:
    table, column = draw(st.sampled_from(sorted(COLUMNS)))
    kind, nullable = COLUMNS[table, column]
    values = VALUES[kind]
    return table, column, draw(st.none() | values if nullable else values)


def edit(path: Path, table: str, column: str, value: Any) -> bool:
    """Whether the first payment's row says something else now."""
    key = "seq" if table == PAYMENT else "payment_seq"
    with closing(sqlite3.connect(path)) as other, other:
        row = other.execute(f"SELECT {column} FROM {table} WHERE {key} = 1").fetchone()
        if row is None:
            return False  # an edit took its number away
        try:
            other.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = 1", (value,))
        except sqlite3.IntegrityError:
            return False  # another row has this number
        return bool(row[0] != value)


async def check_edit(
    path: Path, change: tuple[str, str, Any], *, attempts: int
) -> None:
    table, column, value = change
    async with process(path) as made:
        await queue(made, "bad", memo=b"bad", attempts=attempts)
        await queue(made, "good", amount=7, memo=b"good")
        made.signer.locked = True
        await made.start()
        changed = edit(path, table, column, value)
        sent: list[Transaction] = []

        def keep(transaction: Transaction) -> str:
            sent.append(transaction)
            return "take"

        made.chain.reply = keep
        await made.mine(2)
        assert sent == []
        made.signer.locked = False
        await made.mine(30)
        for transaction in sent:
            decoded = decode_raw(transaction.raw)
            assert decoded.contract == Transfer(
                OWNERS[0], TO, Sun(AMOUNTS[decoded.memo])
            )
        included = [
            decode_raw(row.transaction.raw).memo
            for block in made.chain.blocks
            for row in block.transactions
        ]
        assert len(included) == len(set(included))
        assert b"good" in included
        if not changed or (table, column) not in NAMED:
            return
        assert b"bad" not in included
        if column == "mac" and value is None:
            assert made.sender.waiting_for_approval == 1
        else:
            assert len(made.sender.set_aside) == 1


@settings(max_examples=150, deadline=None)
@example((ATTEMPT, "state", "expired"), 3)
@example((ATTEMPT, "renewals", 50), 1)
@example((ATTEMPT, "renewals", 0), 3)
@example((ATTEMPT, "payment_seq", 2), 1)
@example((ATTEMPT, "payment_seq", 99), 1)
@example((ATTEMPT, "mac", None), 1)
@example((PAYMENT, "mac", None), 1)
@example((PAYMENT, "recipient", ATTACKER.raw), 1)
@example((PAYMENT, "lifetime_ms", 80_000_000), 3)
@given(edits(), st.sampled_from([1, 3]))
def test_one_edited_value_pays_nobody_else_nothing_twice_and_is_named(
    change: tuple[str, str, Any], attempts: int
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "db"
        trio.run(lambda: check_edit(path, change, attempts=attempts))


async def check_lost(path: Path, changes: list[tuple[str, str, Any]]) -> None:
    """Both payments die unseen, rows of the first are edited, then nodes take all."""
    async with process(path) as made:
        made.chain.reply = lambda _: "drop"
        await pay(made, "bad", memo=b"bad", attempts=3, lifetime_ms=30_000)
        await pay(made, "good", amount=7, memo=b"good", attempts=3, lifetime_ms=30_000)
        await made.mine(20)
        made.signer.locked = True
        await made.start()
        for change in changes:
            edit(path, *change)
        made.chain.reply = lambda _: "drop"
        await made.mine(15)
        made.signer.locked = False
        made.chain.reply = lambda _: "take"
        await made.mine(40)
        included = [
            decode_raw(row.transaction.raw)
            for block in made.chain.blocks
            for row in block.transactions
        ]
        memos = [decoded.memo for decoded in included]
        assert len(memos) == len(set(memos))
        assert b"good" in memos
        for decoded in included:
            assert decoded.contract == Transfer(
                OWNERS[0], TO, Sun(AMOUNTS[decoded.memo])
            )


@settings(max_examples=40, deadline=None)
@example([(ATTEMPT, "state", "failed")])
@example([(ATTEMPT, "expiration_ms", 1), (ATTEMPT, "state", "expired")])
@example([(PAYMENT, "mac", None), (PAYMENT, "recipient", ATTACKER.raw)])
@given(st.lists(edits(), min_size=1, max_size=4))
def test_several_edited_values_pay_nobody_else_and_nothing_twice(
    changes: list[tuple[str, str, Any]],
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "db"
        trio.run(check_lost, path, changes)


@pytest.mark.parametrize("column", sorted(COLUMNS))
def test_each_column_has_edits_of_its_type(column: tuple[str, str]) -> None:
    assert COLUMNS[column][0] in VALUES


async def entry_with_attempts(made: Process) -> Entry:
    await pay(made, attempts=3)
    row = await made.store.read(lambda tx: queries.by_key(tx, "a"))
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("table", "column"),
    [
        *((PAYMENT, column) for column in PAYMENT_COLUMNS),
        *((ATTEMPT, column) for column in ATTEMPT_COLUMNS),
    ],
)
async def test_each_column_that_never_changes_is_authenticated(
    table: str, column: str
) -> None:
    async with process() as made:
        entry = await entry_with_attempts(made)
        key = made.signer.authenticator(LABEL)
        check_authentic(entry, key)
        stored = entry.stored
        other: Any = "something else"
        if table == PAYMENT:
            edited = evolve(stored, payment={**stored.payment, column: other})
        else:
            edited = evolve(stored, attempt={**stored.attempt, column: other})
        with pytest.raises(RowRefused) as caught:
            check_authentic(evolve(entry, stored=edited), key)
        assert caught.value.fault.payment_id == entry.payment.payment_id


async def test_macs_of_another_payment_or_another_keystore_do_not_fit() -> None:
    async with process() as made:
        entry = await entry_with_attempts(made)
        await pay(made, "b")
        row = await made.store.read(lambda tx: queries.by_key(tx, "b"))
        assert row is not None
        other = row[0].stored
        key = made.signer.authenticator(LABEL)
        mixed = Stored(entry.stored.payment, other.attempt)
        with pytest.raises(RowRefused):
            check_authentic(evolve(entry, stored=mixed), key)
        mac = {"mac": other.payment["mac"]}
        moved = evolve(entry.stored, payment={**entry.stored.payment, **mac})
        with pytest.raises(RowRefused):
            check_authentic(evolve(entry, stored=moved), key)
        with pytest.raises(RowRefused):
            check_authentic(entry, Authenticator(b"another data key", LABEL))
        none = evolve(entry.stored, attempt={**entry.stored.attempt, "mac": None})
        with pytest.raises(NotApproved):
            check_authentic(evolve(entry, stored=none), key)


values = st.lists(
    st.none() | st.integers() | st.text(max_size=5) | st.binary(max_size=5), max_size=4
)


@given(values, values)
def test_other_values_give_other_messages(one: list[Any], other: list[Any]) -> None:
    same = [(type(value), value) for value in one] == [
        (type(value), value) for value in other
    ]
    assert (message("kind", one) == message("kind", other)) == same
    assert message("kind", one) != message("another", one)
