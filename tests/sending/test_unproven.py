"""A token payment is paid when its Transfer log stands in a final block, not before.

SUCCESS without the log may have paid or not: it is never paid, failed or paid again.
"""

from pathlib import Path

import pytest

from lucidtrond.errors import AlreadyFinal, InDoubt
from lucidtrond.events.types import Payment
from lucidtrond.tron.transaction import TxId
from tests.chain.model import emitted
from tests.sending.model import TOKEN, Process, pay, process

LAG = 20


async def settled(made: Process, *, moved: int | None) -> Payment:
    """A payment of 5 in a final block whose receipt says that *moved* moved."""
    made.chain.moved = moved
    await pay(made, asset=TOKEN.base58)
    await made.mine(LAG + 2)
    found = await made.sender.find(key="a")
    assert found is not None
    return found


async def test_success_without_its_log_is_never_paid_failed_or_paid_again() -> None:
    async with process() as made:
        found = await settled(made, moved=0)
        assert (found.state, found.safe_to_retry) == ("unproven", False)
        assert found.arrived_raw == "0"
        assert found.reason is not None
        assert "no Transfer log" in found.reason
        assert found.txid is not None
        txid = TxId(found.txid)
        with pytest.raises(InDoubt, match="may or may not have paid") as doubt:
            await made.sender.renew(txid, even_failed=True)
        assert doubt.value.data["state"] == "unproven"
        with pytest.raises(AlreadyFinal):
            await made.sender.rebroadcast(txid)
        again = await pay(made, asset=TOKEN.base58)
        assert again.txid == found.txid
        pending, _ = await made.sender.payments(unresolved=True)
        assert [each.state for each in pending] == ["unproven"]
        assert await made.sender.wait(found.payment_id, until="solidified") == found
        await made.mine(3)
        assert made.signer.signatures == 1
        told = await made.store.read(lambda tx: emitted(tx, "transaction"))
        states = [each["payment"]["state"] for each in told]
        assert states[-1] == "unproven"
        assert "solidified" not in states


@pytest.mark.parametrize(("moved", "arrived"), [(None, "5"), (4, "4"), (1, "1")])
async def test_a_payment_is_paid_by_its_log_and_says_what_arrived(
    moved: int | None, arrived: str
) -> None:
    async with process() as made:
        found = await settled(made, moved=moved)
        assert (found.state, found.arrived_raw) == ("solidified", arrived)
        assert found.reason is None


async def test_a_payment_in_trx_needs_no_log() -> None:
    async with process() as made:
        await pay(made)
        await made.mine(LAG + 2)
        found = await made.sender.find(key="a")
        assert found is not None
        assert (found.state, found.arrived_raw) == ("solidified", None)


async def test_a_row_of_before_logs_were_kept_is_not_taken_for_proven(
    tmp_path: Path,
) -> None:
    """Updated while the payment was in a block that was not final yet."""
    async with process(tmp_path / "db") as made:
        await pay(made, asset=TOKEN.base58)
        await made.mine(2)
        await made.store.write(
            lambda tx: tx.execute("UPDATE sending_attempt SET arrived = NULL")
        )
        await made.mine(LAG)
        found = await made.sender.find(key="a")
        assert found is not None
        assert found.state == "unproven"
