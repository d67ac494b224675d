"""The same bytes are sent again when somebody asks for it."""

import pytest

from lucidtrond.errors import (
    AlreadyFinal,
    Expired,
    InDoubt,
    KeystoreLocked,
    NotFound,
)
from lucidtrond.tron.transaction import TxId
from tests.sending.model import (
    pay,
    process,
)


async def test_rebroadcasting_by_hand_sends_the_same_bytes_or_says_why_not() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        lost = await pay(made, "lost")
        assert lost.txid is not None
        again = await made.sender.rebroadcast(TxId(lost.txid))
        assert again.txid == lost.txid
        assert made.chain.broadcasts == [lost.txid] * 2
        with pytest.raises(NotFound):
            await made.sender.rebroadcast(TxId("00" * 32))
        with pytest.raises(NotFound):
            await made.sender.rebroadcast(TxId("no txid"))
        made.chain.reply = lambda _: "take"
        good = await pay(made, "good")
        assert good.txid is not None
        made.chain.pool.pop(TxId(lost.txid), None)
        await made.mine()
        included = await made.sender.rebroadcast(TxId(good.txid))
        assert included.state == "included"
        made.chain.reply = lambda _: "drop"
        await made.mine(70)
        with pytest.raises(AlreadyFinal):
            await made.sender.rebroadcast(TxId(good.txid))
        with pytest.raises(Expired):
            await made.sender.rebroadcast(TxId(lost.txid))


async def test_what_waits_for_its_signature_is_signed_when_asked_for_again() -> None:
    async with process() as made:
        made.signer.locks_first = True
        waiting = await pay(made, "waiting")
        assert waiting.state == "queued"
        assert waiting.txid is not None
        with pytest.raises(KeystoreLocked):
            await made.sender.rebroadcast(TxId(waiting.txid))
        made.signer.locked = False
        sent = await made.sender.rebroadcast(TxId(waiting.txid))
        assert (sent.state, sent.txid) == ("pending", waiting.txid)
        assert made.chain.broadcasts == [waiting.txid]


async def test_what_no_block_can_take_is_not_sent_and_not_called_dead() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        lost = await pay(made, "lost", lifetime_ms=12_000)
        assert lost.txid is not None
        await made.mine(5)
        sent = len(made.chain.broadcasts)
        with pytest.raises(InDoubt) as caught:
            await made.sender.rebroadcast(TxId(lost.txid))
        assert caught.value.data["safe_to_retry"] is False
        assert caught.value.data["in_flight_until_ms"] == lost.expiration_ms
        assert len(made.chain.broadcasts) == sent
