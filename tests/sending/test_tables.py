"""Payments that an older program journaled are still known, and still looked after."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lucidtrond.chain.ledger import MIGRATIONS as CHAIN_MIGRATIONS
from lucidtrond.errors import InDoubt, InsufficientFunds
from lucidtrond.ports import Tx
from lucidtrond.sending.sender import MIGRATIONS
from lucidtrond.store.database import open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.tron.contracts import Transfer
from lucidtrond.tron.transaction import (
    RawData,
    Reference,
    Transaction,
    TxId,
    decode_raw,
)
from lucidtrond.tron.units import Sun, UnixMillis
from tests.chain.model import OUTBOX, CrashingStore
from tests.sending.model import OWNERS, TO, TOKEN, PayingChain, Process, pay


def write_oldest(tx: Tx, raw: bytes, state: str, *, unresolved: bool) -> None:
    """As the first version of the tables had it."""
    tx.execute(
        "INSERT INTO sending_payment (payment_id, idempotency_key, content, owner,"
        " recipient, asset, amount, memo, created_ms)"
        " VALUES ('old', 'old', x'00', ?, ?, 'TRX', ?, x'', 1)",
        (OWNERS[0].raw, TO.raw, (7).to_bytes(32, "big")),
    )
    tx.execute(
        "INSERT INTO sending_attempt (txid, payment_seq, number, raw, reference_number,"
        " expiration_ms, state, unresolved, sent, message, accepted, updated_ms)"
        " VALUES (?, 1, 1, ?, 0, ?, ?, ?, 1, '', 1, 1)",
        (
            Transaction(raw).digest,
            raw,
            decode_raw(raw).expiration,
            state,
            int(unresolved),
        ),
    )


@asynccontextmanager
async def upgraded(state: str, *, unresolved: bool) -> AsyncIterator[Process]:
    chain = PayingChain()
    header = chain.blocks[0].header
    raw = RawData(
        Transfer(OWNERS[0], TO, Sun(7)),
        Reference.to_block(header.id),
        # Dead as soon as the first final block is known, or for a day in flight.
        expiration=UnixMillis(header.timestamp + (86_400_000 if unresolved else 0)),
        timestamp=header.timestamp,
    ).encode()
    async with open_store(None) as store:
        await migrate(store, [*CHAIN_MIGRATIONS, *MIGRATIONS[:1], OUTBOX])
        await store.write(
            lambda tx: write_oldest(tx, raw, state, unresolved=unresolved)
        )
        await migrate(store, [*CHAIN_MIGRATIONS, *MIGRATIONS, OUTBOX])
        made = Process(CrashingStore(store), chain)
        await made.start()
        await made.level()
        yield made


async def test_what_was_in_flight_is_still_set_aside() -> None:
    async with upgraded("pending", unresolved=True) as made:
        found = await made.sender.find(key="old")
        assert found is not None
        assert (found.state, found.amount, found.attempts_left) == ("pending", "7", 0)
        made.chain.balance = 345_000
        with pytest.raises(InsufficientFunds) as caught:
            await pay(made, amount=345_000 - 265_000 - 6)
        assert caught.value.data["available_sun"] == str(345_000 - 7)


async def test_what_was_dead_stays_safe_to_retry_and_can_be_renewed() -> None:
    async with upgraded("expired", unresolved=False) as made:
        found = await made.sender.find(key="old")
        assert found is not None
        assert (found.state, found.safe_to_retry) == ("expired", True)
        assert await made.sender.payments(unresolved=True) == ([], None)
        assert found.txid is not None
        # What an older program wrote is not authenticated.
        with pytest.raises(InDoubt, match="waits for approval"):
            await made.sender.renew(TxId(found.txid))
        shown = await made.sender.queued([found.payment_id])
        assert shown.payments == [found]
        approved = await made.sender.approve(
            fingerprint=shown.fingerprint, payment_ids=[found.payment_id]
        )
        assert approved == [found.payment_id]
        renewed = await made.sender.renew(TxId(found.txid))
        assert (renewed.attempt, renewed.state) == (2, "pending")


async def test_what_was_journaled_before_kinds_were_is_a_transfer_of_its_asset() -> (
    None
):
    async with open_store(None) as store:
        await migrate(store, MIGRATIONS[:8])

        def write(tx: Tx) -> None:
            for key, asset in (("a", "TRX"), ("b", TOKEN.base58)):
                tx.execute(
                    "INSERT INTO sending_payment (payment_id, idempotency_key, content,"
                    " owner, recipient, asset, amount, memo, created_ms)"
                    " VALUES (?, ?, x'00', ?, ?, ?, x'07', x'', 1)",
                    (key, key, OWNERS[0].raw, TO.raw, asset),
                )

        await store.write(write)
        await migrate(store, MIGRATIONS)
        rows = await store.read(
            lambda tx: tx.execute(
                "SELECT kind, details FROM sending_payment ORDER BY seq"
            )
        )
        assert rows == [("trx_transfer", b""), ("trc20_transfer", b"")]
