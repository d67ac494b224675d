"""One module writes payments, and whatever it writes that shows is an event."""

import ast
from pathlib import Path
from typing import Final

import pytest

import lucidtrond.sending
from lucidtrond.tron.transaction import TxId
from tests.chain.model import emitted
from tests.sending.model import Process, pay, process

SENDING: Final = Path(lucidtrond.sending.__file__).parent
DEATH: Final = 60
"""Blocks until a payment that was never taken is proven dead."""


def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return imported | {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    }


@pytest.mark.parametrize(
    ("name", "modules"),
    [
        ("PaymentChanged", {"recorder.py"}),
        ("writes", {"recorder.py"}),
        ("keep_signature", {"recorder.py"}),
    ],
)
def test_one_module_writes_payments(name: str, modules: set[str]) -> None:
    users = {
        str(path.relative_to(SENDING))
        for path in SENDING.rglob("*.py")
        if name in names_in(path)
    }
    assert users == modules


async def events(made: Process) -> list[tuple[str, int, bool]]:
    rows = await made.store.read(lambda tx: emitted(tx, "transaction"))
    payments = [row["payment"] for row in rows]
    return [
        (payment["state"], payment["attempt"], payment["safe_to_retry"])
        for payment in payments
    ]


async def test_a_death_that_the_nodes_confirm_is_an_event_of_its_own() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        made.chain.sources = 2
        await pay(made)
        await made.mine(DEATH)
        assert (await events(made))[-1] == ("expired", 1, False)
        before = len(await events(made))
        await made.turn()
        assert len(await events(made)) == before
        made.chain.others = ("another",)
        await made.turn()
        assert (await events(made))[before:] == [("expired", 1, True)]
        await made.turn()
        assert len(await events(made)) == before + 1


async def test_an_attempt_that_follows_is_an_event() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        sent = await pay(made)
        await made.mine(DEATH)
        assert sent.txid is not None
        made.chain.reply = lambda _: "take"
        before = len(await events(made))
        await made.sender.renew(TxId(sent.txid))
        assert (await events(made))[before:] == [
            ("queued", 2, False),
            ("signed", 2, False),
            ("pending", 2, False),
        ]


async def test_what_changes_nothing_is_no_event() -> None:
    async with process() as made:
        await pay(made)
        await made.mine(2)
        before = await events(made)
        await made.mine(5)
        assert await events(made) == before
