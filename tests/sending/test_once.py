"""Whatever fails, forks or dies: an intent is paid at most once, and it ends."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.errors import KeystoreLocked, PossibleRestore
from lucidtrond.sending.restore import RestoreTerms
from lucidtrond.tron.transaction import Transaction, decode_raw
from tests.chain.model import Crash, emitted
from tests.sending.model import Process, pay, process


def always(what: str) -> Callable[[Transaction], str]:
    return lambda _: what


LIFETIME_MS = 30_000
CRASHES = ("die before", "die after")
moves = st.lists(
    st.one_of(
        st.tuples(
            st.just("pay"),
            st.tuples(
                st.integers(0, 4),
                st.sampled_from(
                    [
                        "take",
                        "drop",
                        "lost request",
                        "lost reply",
                        "SERVER_BUSY",
                        "OTHER_ERROR",
                        "TAPOS_ERROR",
                        "CONTRACT_VALIDATE_ERROR",
                        *CRASHES,
                    ]
                ),
            ),
        ),
        st.tuples(
            st.just("pay and die"),
            st.tuples(st.integers(0, 4), st.tuples(st.integers(0, 3), st.booleans())),
        ),
        st.tuples(st.just("mine"), st.integers(1, 12)),
        st.tuples(st.just("mine nothing"), st.integers(1, 30)),
        st.tuples(st.just("fork"), st.tuples(st.integers(1, 8), st.booleans())),
        st.tuples(st.just("turn"), st.integers(1, 3)),
        st.tuples(st.just("lock"), st.booleans()),
        st.tuples(st.just("restart"), st.just(0)),
        st.tuples(
            st.just("die following"), st.tuples(st.integers(0, 6), st.booleans())
        ),
    ),
    max_size=25,
)


async def play(  # noqa: C901, PLR0912 - one branch per move
    made: Process, script: list[tuple[str, Any]]
) -> None:
    for at, (kind, size) in enumerate(script):
        match kind:
            case "pay":
                key, what = size
                made.chain.reply = always(what)
                await try_to_pay(made, key)
            case "pay and die":
                key, (made.store.nth, made.store.after) = size
                await try_to_pay(made, key)
            case "mine":
                for _ in range(size):
                    made.chain.mine()
                    made.chain.solidify(made.chain.head - 5)
                await made.turn()
            case "mine nothing":
                for _ in range(size):
                    made.chain.grow()
            case "fork":
                depth, forget = size
                made.chain.fork_and_repool(depth, salt=at + 1, forget=forget)
            case "turn":
                for _ in range(size):
                    await made.turn()
            case "lock":
                made.signer.locked = size
            case "restart":
                await made.start()
            case _:
                made.store.nth, made.store.after = size
                try:
                    for _ in range(4):
                        await made.turn()
                except* Crash:
                    pass
                await made.start()


async def try_to_pay(made: Process, key: int) -> None:
    try:
        await pay(
            made,
            f"key {key}",
            memo=str(key).encode(),
            amount=key + 1,
            attempts=1 + key % 3,
            lifetime_ms=LIFETIME_MS,
        )
    except (Crash, KeystoreLocked):
        await made.start()
    except PossibleRestore:
        # A start that found much newer blocks; nothing new may be paid yet. Of a head
        # that was not followed nothing is kept.
        assert made.sender.hold is not None or not made.ledger.position().synced
    made.store.nth = None
    made.chain.reply = lambda _: "take"


@settings(max_examples=30, deadline=None)
@given(moves)
def test_whatever_fails_forks_or_dies_an_intent_is_paid_at_most_once_and_ends(
    script: list[tuple[str, Any]],
) -> None:
    async def main() -> None:
        with TemporaryDirectory() as folder:
            terms = RestoreTerms(wait_ms=LIFETIME_MS)
            async with process(Path(folder) / "db", restore=terms) as made:
                await play(made, script)
                made.signer.locked = False
                await made.start()
                await made.mine(100)
                await audit(made)

    trio.run(main)


async def audit(made: Process) -> None:
    """Every payment's state is what the chain says, and none is there twice."""
    included = made.chain.included()
    memos = [
        decode_raw(each.transaction.raw).memo
        for block in made.chain.blocks
        for each in block.transactions
    ]
    assert len(set(memos)) == len(memos)
    assert len(set(included)) == len(included)
    page, _ = await made.sender.payments(limit=1000)
    for payment in page:
        paid = payment.txid in included
        assert payment.state == ("solidified" if paid else "expired")
        assert not payment.attempts_left or paid
    assert set(included) <= {payment.txid for payment in page}
    events = await made.store.read(lambda tx: emitted(tx, "transaction"))
    last = {event["payment"]["payment_id"]: event["payment"] for event in events}
    assert {key: each["state"] for key, each in last.items()} == {
        payment.payment_id: payment.state for payment in page
    }
