"""Restored from a copy taken at any step: each key is once on the chain, always.

A process pays and its database is copied after each write. Then each copy in turn is
what is left: another process opens it over the chain as it is, with the transaction in
a block, in a final one, or only in a pool, and every key is asked again. A seed draws
some copies of the longer lives (``SEED``); all of them are a slow test.
"""

import copy
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
from attrs import define, field, frozen

from lucidtrond.errors import ForeignTransaction, PossibleRestore
from lucidtrond.events.types import Payment
from lucidtrond.ports import Store
from lucidtrond.sending.restore import RestoreTerms
from lucidtrond.tron.transaction import TxId, decode_raw
from tests.chain.model import CrashingStore
from tests.sending.model import PayingChain, Process, must_find, pay, process

LIFETIME_MS: Final = 60_000
DRAWN: Final = 5
KEYS: Final = ("asked again", "another", "and another")


@define
class CopyingStore(CrashingStore):
    """Copies its file after each write; numbered from 0."""

    path: Path = field(default=Path())
    copies: int = 0

    async def write(self, fn: Callable[..., Any]) -> Any:
        done = await super().write(fn)
        for suffix in ("", "-wal"):
            source = f"{self.path}{suffix}"
            if os.path.exists(source):  # noqa: PTH110, ASYNC240 - a test's
                shutil.copy(source, self.path.with_name(f"copy-{self.copies}{suffix}"))
        self.copies += 1
        return done


async def ask(made: Process, key: str = KEYS[0], **more: Any) -> Payment:
    terms = {"lifetime_ms": LIFETIME_MS, "attempts": 3, **more}
    return await pay(made, key, memo=key.encode(), **terms)


async def in_a_pool(made: Process) -> None:
    await ask(made)


async def in_a_block(made: Process) -> None:
    await ask(made)
    await made.mine(2)


async def final(made: Process) -> None:
    await ask(made)
    await made.mine(22)


async def dead(made: Process) -> None:
    """Its first transaction; the second is in a pool."""
    made.chain.reply = lambda _: "drop"
    await ask(made)
    await made.mine(35)
    made.chain.reply = lambda _: "take"
    while (await must_find(made, KEYS[0])).attempt < 2:
        await made.mine()


async def renewed(made: Process) -> None:
    await dead(made)
    await made.mine(22)


async def renewed_by_hand(made: Process) -> None:
    made.chain.reply = lambda _: "drop"
    sent = await ask(made, attempts=1)
    await made.mine(45)
    made.chain.reply = lambda _: "take"
    await made.sender.renew(TxId(sent.txid or ""))
    await made.mine(3)


LIVES: Final[tuple[Callable[[Process], Awaitable[None]], ...]] = (
    in_a_pool,
    in_a_block,
    final,
    dead,
    renewed,
    renewed_by_hand,
)


@frozen
class Lost:
    """What a life left: copies of its database in *folder*, and the chain."""

    folder: Path
    copies: int
    chain: PayingChain


async def live(life: Callable[[Process], Awaitable[None]], folder: Path) -> Lost:
    path = folder / "db"
    terms = RestoreTerms(identity="first")
    async with process(path, restore=terms) as made:
        # Known at its own restart, so not what these tests are about.
        store: Store = made.store.store
        made.store = copying = CopyingStore(store, path=path)
        await made.start()
        await made.level()
        await copying.write(lambda _: None)
        await life(made)
        return Lost(folder, copying.copies, made.chain)


async def restore(lost: Lost, number: int) -> None:
    """Open copy *number* and ask for everything until all of it is paid."""
    chain = copy.copy(lost.chain)
    chain.blocks, chain.pool = list(chain.blocks), dict(chain.pool)
    chain.reply = lambda _: "take"
    terms = RestoreTerms(identity=f"copy {number}", wait_ms=LIFETIME_MS)
    path = lost.folder / f"copy-{number}"
    async with process(path, chain=chain, restore=terms) as made:
        with pytest.raises(PossibleRestore):
            await ask(made, "a new key")
        # The others first: they wait until what is there is explained.
        for key in reversed(KEYS):
            await ask_until_paid(made, key)
        await made.mine(45)
        for key in KEYS:
            assert (await must_find(made, key)).state == "solidified"
    memos = [
        decode_raw(included.transaction.raw).memo.decode()
        for block in chain.blocks
        for included in block.transactions
    ]
    assert sorted(memos) == sorted(KEYS), f"copy {number}"


async def ask_until_paid(made: Process, key: str) -> None:
    for _ in range(150):
        try:
            payment = await ask(made, key)
        except PossibleRestore:
            await made.mine()
        except ForeignTransaction:
            await ask(made)
        else:
            if payment.state == "expired" and payment.safe_to_retry:
                await made.sender.renew(TxId(payment.txid or ""))
            return
    raise AssertionError(f"{key} was never taken")


@pytest.mark.parametrize("life", LIVES)
async def test_each_key_is_once_on_the_chain_whichever_copy_is_restored(
    life: Callable[[Process], Awaitable[None]], tmp_path: Path
) -> None:
    lost = await live(life, tmp_path)
    numbers = range(lost.copies)
    drawn = Random(os.environ.get("SEED", "1")).sample(
        numbers, min(DRAWN, len(numbers))
    )
    for number in sorted({0, *drawn, lost.copies - 1}):
        await restore(lost, number)


@pytest.mark.slow
@pytest.mark.parametrize("life", LIVES)
async def test_the_same_with_every_copy(
    life: Callable[[Process], Awaitable[None]], tmp_path: Path
) -> None:
    lost = await live(life, tmp_path)
    for number in range(lost.copies):
        await restore(lost, number)
