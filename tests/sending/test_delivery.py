"""What is due is signed and sent, by the call that asks for it or by the service."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import trio
import trio.testing

from lucidtrond.errors import (
    CommitUnknown,
    StoreError,
)
from lucidtrond.sending.tag import EXPIRATION_STEP_MS
from lucidtrond.tron.transaction import Transaction
from tests.chain.model import Crash
from tests.sending.model import (
    drive,
    must_find,
    pay,
    process,
)


async def test_run_sends_what_is_due_after_each_block() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "lost request"
        sent = await pay(made)
        async with trio.open_nursery() as nursery:
            await nursery.start(made.sender.run)
            made.chain.reply = lambda _: "take"
            for _ in range(20):  # blocks; it is due again after some of them
                made.chain.grow()
                await made.follower._turn()
                await trio.testing.wait_all_tasks_blocked(0.01)
                if made.chain.pool:
                    break
            assert list(made.chain.pool) == [sent.txid]
            nursery.cancel_scope.cancel()


async def test_a_lost_reply_leaves_it_pending_and_the_same_bytes_are_sent_again() -> (
    None
):
    async with process() as made:
        made.chain.reply = lambda _: "lost request"
        sent = await pay(made)
        assert (sent.state, sent.broadcast_code) == ("pending", None)
        assert sent.reason is not None
        assert not sent.safe_to_retry
        made.chain.reply = lambda _: "take"
        await made.mine(2)
        assert made.chain.included() == [sent.txid]
        assert set(made.chain.broadcasts) == {sent.txid}


async def test_bytes_are_sent_again_after_a_while_but_not_every_block() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        await pay(made)
        for _ in range(38):
            made.chain.grow()
            await made.level()
            await made.turn()
        # 114 s: at once, after 20 s, after 60 s, after another 60 s not yet.
        assert len(made.chain.broadcasts) == 3


async def test_after_a_restart_what_was_signed_is_sent_again_though_locked() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        sent = await pay(made)
        made.signer.locked = True
        await made.start()
        await made.turn()
        await made.mine()
        assert made.chain.included() == [sent.txid]


async def test_bytes_that_no_block_can_take_any_more_are_not_sent() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        sent = await pay(made)
        for _ in range(40):
            made.chain.grow()
        await made.level()
        assert sent.expiration_ms is not None
        assert 0 <= made.head_time() - sent.expiration_ms < EXPIRATION_STEP_MS
        made.chain.broadcasts.clear()
        await made.start()
        await made.turn()
        await made.turn()
        assert (await must_find(made)).state == "pending"
        assert made.chain.broadcasts == []


async def test_what_was_accepted_but_not_signed_waits_for_the_keystore() -> None:
    async with process() as made:
        made.signer.locks_first = True
        sent = await pay(made)
        assert (sent.state, sent.txid is not None) == ("queued", True)
        await made.mine(2)
        assert made.chain.broadcasts == []
        made.signer.locked = False
        await made.mine(2)
        assert made.chain.included() == [sent.txid]


async def test_a_store_that_refuses_stops_nothing_but_an_unknown_commit_does() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "lost request"
        sent = await pay(made)
        made.chain.grow()
        await made.follower._turn()
        made.store.nth, made.store.error = 0, StoreError
        await drive(made.sender, everything=True)
        made.chain.grow()
        await made.follower._turn()
        made.chain.reply = lambda _: "take"
        made.store.nth, made.store.error, made.store.after = 0, CommitUnknown, True
        with pytest.RaisesGroup(CommitUnknown):
            await drive(made.sender, everything=True)
        await made.mine(25)
        assert made.chain.included() == [sent.txid]


async def test_when_the_first_byte_leaves_the_journal_holds_it(tmp_path: Path) -> None:
    async with process(tmp_path / "db") as made:
        held: list[bytes] = []

        def look(transaction: Transaction) -> str:
            with closing(sqlite3.connect(tmp_path / "db")) as other:
                rows = other.execute(
                    "SELECT raw, signature FROM sending_attempt WHERE txid = ?",
                    (transaction.digest,),
                ).fetchall()
            held.extend(
                Transaction(raw, (signature,)).encode() for raw, signature in rows
            )
            assert held[-1] == transaction.encode()
            return "take"

        made.chain.reply = look
        await pay(made)
        assert len(held) == 1


async def test_what_is_never_signed_expires() -> None:
    async with process() as made:
        made.store.nth = 1  # the signature's write
        with pytest.raises(Crash):
            await pay(made)
        made.signer.locked = True
        await made.start()
        await made.mine(60)
        assert (await must_find(made)).state == "expired"
        made.signer.locked = False
        await made.mine(5)
        assert made.chain.broadcasts == []
