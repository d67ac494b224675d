"""Addresses that are given next are ours before they are given."""

import pytest

from lucidtrond.keystore.ahead import AHEAD, AddressesAhead
from lucidtrond.keystore.vault import Vault
from lucidtrond.ports import Tx
from lucidtrond.store.database import Database
from lucidtrond.tron.address import Address
from lucidtrond.tron.hd import PublicNode
from tests.keystore.vaults import new_vault, open_vault

STRANGER = Address(b"\x41" + b"\x55" * 20)


async def give(vault: Vault, db: Database, count: int) -> list[Address]:
    derived = await db.write(lambda tx: vault.allocate(tx, count))
    return [made.address for made in derived]


async def test_the_next_ones_are_ours_and_no_others() -> None:
    async with new_vault() as (vault, db):
        ahead = AddressesAhead()

        def undone(tx: Tx) -> list[Address]:
            made = [one.address for one in vault.allocate(tx, AHEAD + 1)]
            tx.execute("DELETE FROM keystore_key")
            tx.execute("UPDATE keystore_seed SET next_index = 0")
            return made

        following = await db.write(undone)
        asked = [*following, STRANGER]
        ours = await db.read(lambda tx: ahead.among(tx, asked))
        assert ours == frozenset(following[:AHEAD])
        assert await db.read(lambda tx: vault.owned_among(tx, asked)) == ours
        # Given, it is ours by its row, and one more is ahead.
        assert await give(vault, db, 1) == following[:1]
        ours = await db.read(lambda tx: ahead.among(tx, asked))
        assert ours == frozenset(following[1:])
        assert await db.read(lambda tx: vault.owned_among(tx, asked)) == frozenset(
            following
        )


async def test_each_is_derived_once(monkeypatch: pytest.MonkeyPatch) -> None:
    derived: list[int] = []
    derive = PublicNode.child_address

    def counting(node: PublicNode, index: int) -> Address:
        derived.append(index)
        return derive(node, index)

    async with new_vault() as (vault, db):
        monkeypatch.setattr(PublicNode, "child_address", counting)
        ahead = AddressesAhead()
        for _ in range(2):
            await db.read(lambda tx: ahead.among(tx, [STRANGER]))
        assert derived == list(range(AHEAD))
        await give(vault, db, 1)
        derived.clear()
        await db.read(lambda tx: ahead.among(tx, [STRANGER]))
        assert derived == [AHEAD]


async def test_without_a_keystore_there_are_none() -> None:
    async with open_vault() as (vault, db):
        assert not await db.read(lambda tx: vault.owned_among(tx, [STRANGER]))


@pytest.mark.parametrize("edit", ["public_key = x'00'", "next_index = -1"])
async def test_an_edited_seed_row_keeps_no_block_from_being_read(
    edit: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with new_vault() as (vault, db):
        [given] = await give(vault, db, 1)
        await db.write(lambda tx: tx.execute(f"UPDATE keystore_seed SET {edit}"))
        for _ in range(2):
            ours = await db.read(lambda tx: vault.owned_among(tx, [given, STRANGER]))
            assert ours == {given}
        assert [row.message for row in caplog.records] == ["seed row can't be read"]
