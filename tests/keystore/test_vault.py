"""The vault hands out addresses always, signatures while unlocked, secrets never."""

import math

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.errors import (
    Conflict,
    InvalidInput,
    KeystoreLocked,
    KeystoreMissing,
    NoSuchKey,
    ShuttingDown,
    StoreError,
    TooBusy,
    WrongPassphrase,
)
from lucidtrond.keystore import kdf
from lucidtrond.keystore.format import KdfHeader
from lucidtrond.keystore.opened import CACHED_KEYS, account_of
from lucidtrond.ports import Tx
from lucidtrond.store.database import Database
from lucidtrond.tron.address import Address
from lucidtrond.tron.keys import recover
from lucidtrond.tron.mnemonic import derive_seed, parse_mnemonic
from tests.keystore.vaults import PASSPHRASE, make_vault, new_vault, open_vault
from tests.store.held import HeldStore

DIGEST = bytes(range(32))
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


async def allocate(vault: object, db: Database, count: int) -> list[Address]:
    derived = await db.write(lambda tx: vault.allocate(tx, count))  # type: ignore[attr-defined] # a Vault
    return [one.address for one in derived]


async def test_without_a_keystore_everything_says_that_it_is_missing() -> None:
    async with open_vault() as (vault, db):
        status = await vault.status()
        assert (status.exists, status.locked, status.keys) == (False, True, 0)
        with pytest.raises(KeystoreMissing):
            await vault.unlock(PASSPHRASE, for_s=None)
        with pytest.raises(KeystoreMissing):
            await vault.reveal_mnemonic(PASSPHRASE)
        with pytest.raises(KeystoreMissing):
            await vault.change_passphrase(PASSPHRASE, "other")
        with pytest.raises(KeystoreMissing):
            await allocate(vault, db, 1)


async def test_after_init_it_is_unlocked_and_can_not_be_made_again() -> None:
    async with new_vault() as (vault, _):
        assert not (await vault.status()).locked
        with pytest.raises(Conflict):
            await vault.init("other")


async def test_of_two_inits_at_once_one_makes_the_keystore() -> None:
    async with open_vault() as (vault, db):
        outcomes: list[str] = []

        async def init(passphrase: str) -> None:
            try:
                await vault.init(passphrase)
                outcomes.append(passphrase)
            except Conflict:
                outcomes.append("conflict")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(init, "one")
            nursery.start_soon(init, "two")
        assert "conflict" in outcomes
        (winner,) = set(outcomes) - {"conflict"}
        fresh = make_vault(db)
        await fresh.unlock(winner, for_s=None)


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=4),
    st.sampled_from(["locked", "open"]),
)
@settings(max_examples=15, deadline=None)
async def test_addresses_are_the_mnemonics_own_in_order_locked_or_not(
    counts: list[int], state: str
) -> None:
    async with new_vault() as (vault, db):
        words = await vault.reveal_mnemonic(PASSPHRASE)
        if state == "locked":
            vault.lock()
        handed_out: list[Address] = []
        for count in counts:
            handed_out += await allocate(vault, db, count)
        account = account_of(derive_seed(words))
        assert handed_out == [
            account.child(index).private_key().address for index in range(sum(counts))
        ]
        assert (await vault.status()).keys == sum(counts)


async def test_addresses_of_a_transaction_that_fails_are_handed_out_again() -> None:
    async with new_vault() as (vault, db):

        def fail(tx: Tx) -> None:
            lost.extend(one.address for one in vault.allocate(tx, 2))
            raise KeyError

        lost: list[Address] = []
        with pytest.raises(KeyError):
            await db.write(fail)
        assert not await db.read(lambda tx: vault.owns(tx, lost[0]))
        assert await allocate(vault, db, 2) == lost


async def test_two_vaults_on_one_store_never_hand_out_the_same_address() -> None:
    async with new_vault() as (vault, db):
        other = make_vault(db)
        handed_out: list[Address] = []

        async def take(one: object) -> None:
            for _ in range(10):
                handed_out.extend(await allocate(one, db, 2))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(take, vault)
            nursery.start_soon(take, other)
        assert len(set(handed_out)) == len(handed_out) == 40


@pytest.mark.parametrize("count", [0, -1, 10_001])
async def test_an_impossible_count_is_refused(count: int) -> None:
    async with new_vault() as (vault, db):
        with pytest.raises(InvalidInput, match="count: expected 1 to 10000"):
            await allocate(vault, db, count)


async def test_signatures_recover_to_their_address_and_are_low() -> None:
    async with new_vault() as (vault, db):
        for number, address in enumerate(await allocate(vault, db, 20)):
            digest = number.to_bytes(32, "big")
            for _ in range(2):  # derived, then from the cache
                signature = await vault.sign(address, digest)
                assert recover(digest, signature) == address
                assert int.from_bytes(signature[32:64], "big") <= HALF_ORDER
                assert signature[64] in (0, 1)


async def test_nothing_is_signed_while_locked_or_for_strangers() -> None:
    async with new_vault() as (vault, db):
        (ours,) = await allocate(vault, db, 1)
        stranger = Address(b"\x41" + bytes(20))
        assert await db.read(lambda tx: vault.owns(tx, ours))
        assert not await db.read(lambda tx: vault.owns(tx, stranger))
        with pytest.raises(NoSuchKey):
            await vault.sign(stranger, DIGEST)
        await vault.sign(ours, DIGEST)
        vault.lock()
        for address in (ours, stranger):
            with pytest.raises(KeystoreLocked):
                await vault.sign(address, DIGEST)
        await vault.unlock(PASSPHRASE, for_s=None)
        await vault.sign(ours, DIGEST)
        with pytest.raises(ValueError, match="expected 32 bytes, got 31"):
            await vault.sign(ours, DIGEST[1:])


async def test_locking_while_a_key_is_looked_up_means_no_signature() -> None:
    async with new_vault() as (_, db):
        store = HeldStore(db)
        vault = make_vault(store)
        await vault.unlock(PASSPHRASE, for_s=None)
        (ours,) = await allocate(vault, db, 1)
        refused: list[bool] = []

        async def sign() -> None:
            with pytest.raises(KeystoreLocked):
                await vault.sign(ours, DIGEST)
            refused.append(True)

        async with trio.open_nursery() as nursery:
            store.holding = True
            nursery.start_soon(sign)
            await store.asked.wait()
            vault.lock()
            store.release.set()
        assert refused == [True]


async def test_only_the_right_passphrase_opens() -> None:
    async with new_vault() as (vault, _):
        vault.lock()
        for wrong in (PASSPHRASE + " ", PASSPHRASE.upper(), "x"):
            with pytest.raises(WrongPassphrase) as caught:
                await vault.unlock(wrong, for_s=None)
            assert str(caught.value) == "the passphrase does not open the keystore"
            with pytest.raises(WrongPassphrase):
                await vault.reveal_mnemonic(wrong)
        assert (await vault.status()).locked
        await vault.unlock(PASSPHRASE, for_s=None)
        with pytest.raises(WrongPassphrase):
            await vault.unlock("x", for_s=None)
        assert not (await vault.status()).locked


async def test_every_try_costs_one_stretching_right_or_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries: list[bytes] = []
    stretch = kdf.stretch

    def counting(passphrase: bytes, header: KdfHeader) -> bytes:
        tries.append(passphrase)
        return stretch(passphrase, header)

    monkeypatch.setattr(kdf, "stretch", counting)
    async with new_vault() as (vault, _):
        assert len(tries) == 1
        await vault.unlock(PASSPHRASE, for_s=None)
        with pytest.raises(WrongPassphrase):
            await vault.unlock("x", for_s=None)
        assert len(tries) == 3


async def test_too_many_tries_at_once_are_refused() -> None:
    async with new_vault() as (vault, _):
        outcomes: list[str] = []

        async def attempt() -> None:
            try:
                await vault.unlock(PASSPHRASE, for_s=None)
                outcomes.append("opened")
            except TooBusy:
                outcomes.append("busy")

        line = vault._kdf._limiter
        await line.acquire_on_behalf_of("the test")
        async with trio.open_nursery() as nursery:
            for _ in range(kdf.WAITING + 3):
                nursery.start_soon(attempt)
            while len(outcomes) < 3:
                await trio.lowlevel.checkpoint()
            assert outcomes == ["busy"] * 3
            line.release_on_behalf_of("the test")
        assert outcomes.count("opened") == kdf.WAITING


async def test_the_words_are_24_valid_ones_and_stay_the_same() -> None:
    async with new_vault() as (vault, _):
        words = await vault.reveal_mnemonic(PASSPHRASE)
        assert len(words.split()) == 24
        assert parse_mnemonic(words) == words
        vault.lock()
        assert await vault.reveal_mnemonic(PASSPHRASE) == words
        assert (await vault.status()).locked


async def test_a_new_passphrase_replaces_the_old_one_and_nothing_else() -> None:
    async with new_vault() as (vault, db):
        words = await vault.reveal_mnemonic(PASSPHRASE)
        (address,) = await allocate(vault, db, 1)
        with pytest.raises(WrongPassphrase):
            await vault.change_passphrase("wrong", "new")
        with pytest.raises(InvalidInput):
            await vault.change_passphrase(PASSPHRASE, "")
        await vault.change_passphrase(PASSPHRASE, "new")
        await vault.sign(address, DIGEST)
        with pytest.raises(WrongPassphrase):
            await vault.unlock(PASSPHRASE, for_s=None)
        assert await vault.reveal_mnemonic("new") == words
        fresh = make_vault(db)
        await fresh.unlock("new", for_s=None)
        assert recover(DIGEST, await fresh.sign(address, DIGEST)) == address


async def test_of_two_changes_of_the_passphrase_at_once_one_is_told_that_it_lost() -> (
    None
):
    async with new_vault() as (vault, db):
        outcomes: dict[str, str] = {}

        async def change(new: str) -> None:
            try:
                await vault.change_passphrase(PASSPHRASE, new)
                outcomes[new] = "changed"
            except (Conflict, WrongPassphrase) as error:
                outcomes[new] = type(error).__name__

        # Both read the old row before either can have written a new one.
        line = vault._kdf._limiter
        await line.acquire_on_behalf_of("the test")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(change, "one")
            nursery.start_soon(change, "two")
            while line.statistics().tasks_waiting < 2:
                await trio.lowlevel.checkpoint()
            line.release_on_behalf_of("the test")
        assert sorted(outcomes.values()) == ["Conflict", "changed"]
        (winner,) = (new for new, said in outcomes.items() if said == "changed")
        await make_vault(db).unlock(winner, for_s=None)


async def test_an_unlocking_ends_at_its_time_with_or_without_the_service(
    mock_clock: trio.testing.MockClock,
) -> None:
    for with_service in (True, False):
        async with new_vault() as (vault, db), trio.open_nursery() as nursery:
            (address,) = await allocate(vault, db, 1)
            await vault.unlock(PASSPHRASE, for_s=60)
            if with_service:
                await nursery.start(vault.run)
            status = await vault.status()
            assert status.unlocked_until_ms == 1_700_000_000_000 + 60_000
            mock_clock.jump(59.9)
            await trio.testing.wait_all_tasks_blocked()
            await vault.sign(address, DIGEST)
            opened = vault._opened
            assert opened is not None
            mock_clock.jump(0.2)
            await trio.testing.wait_all_tasks_blocked()
            if with_service:
                assert vault._opened is None
            with pytest.raises(KeystoreLocked):
                await vault.sign(address, DIGEST)
            assert opened._data_key == bytes(32)
            assert opened.cached(address) is None
            status = await vault.status()
            assert (status.locked, status.unlocked_until_ms) == (True, None)
            nursery.cancel_scope.cancel()


async def test_unlocking_again_sets_the_time_anew(
    mock_clock: trio.testing.MockClock,
) -> None:
    async with new_vault() as (vault, _), trio.open_nursery() as nursery:
        await nursery.start(vault.run)
        await vault.unlock(PASSPHRASE, for_s=60)
        mock_clock.jump(50)
        await vault.unlock(PASSPHRASE, for_s=60)
        mock_clock.jump(50)
        await trio.testing.wait_all_tasks_blocked()
        assert not (await vault.status()).locked
        await vault.unlock(PASSPHRASE, for_s=None)
        mock_clock.jump(1e6)
        await trio.testing.wait_all_tasks_blocked()
        status = await vault.status()
        assert (status.locked, status.unlocked_until_ms) == (False, None)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("for_s", [0, -1, math.nan, math.inf])
async def test_an_impossible_time_is_refused(for_s: float) -> None:
    async with new_vault() as (vault, _):
        with pytest.raises(InvalidInput, match="for_s: expected"):
            await vault.unlock(PASSPHRASE, for_s=for_s)


async def test_who_waits_for_unlocking_is_woken_by_it() -> None:
    async with new_vault() as (vault, _):
        vault.lock()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(vault.wait_unlocked)
            await trio.testing.wait_all_tasks_blocked()
            assert len(nursery.child_tasks) == 1
            await vault.unlock(PASSPHRASE, for_s=None)


async def test_a_wiped_vault_stays_locked() -> None:
    async with new_vault() as (vault, _):
        vault.wipe()
        with pytest.raises(ShuttingDown):
            await vault.unlock(PASSPHRASE, for_s=None)
        assert (await vault.status()).locked


async def test_cancelling_an_unlocking_at_any_await_leaves_it_locked_or_open() -> None:
    for steps in range(14):
        async with new_vault() as (vault, db):
            (address,) = await allocate(vault, db, 1)
            vault.lock()
            async with trio.open_nursery() as nursery:

                async def unlock(vault: object = vault) -> None:
                    await vault.unlock(PASSPHRASE, for_s=None)  # type: ignore[attr-defined] # a Vault

                nursery.start_soon(unlock)
                for _ in range(steps):
                    await trio.lowlevel.checkpoint()
                nursery.cancel_scope.cancel()
            if (await vault.status()).locked:
                await vault.unlock(PASSPHRASE, for_s=None)
            assert recover(DIGEST, await vault.sign(address, DIGEST)) == address


COLUMNS = [
    ("keystore_vault", "keystore_id"),
    ("keystore_vault", "kdf"),
    ("keystore_vault", "data_key"),
    ("keystore_seed", "public_key"),
    ("keystore_seed", "chain_code"),
    ("keystore_seed", "sealed"),
]


@pytest.mark.parametrize(("table", "column"), COLUMNS)
@pytest.mark.parametrize("edit", ["flip", "cut"])
async def test_an_edited_row_is_refused_and_never_called_a_wrong_passphrase(
    table: str, column: str, edit: str
) -> None:
    async with new_vault() as (vault, db):
        vault.lock()

        def spoil(tx: Tx) -> None:
            ((value,),) = tx.execute(f"SELECT {column} FROM {table}")
            spoilt = (
                value[:-1] if edit == "cut" else value[:-1] + bytes([value[-1] ^ 1])
            )
            tx.execute(f"UPDATE {table} SET {column} = ?", (spoilt,))

        await db.write(spoil)
        with pytest.raises(StoreError, match="keystore: "):
            await vault.unlock(PASSPHRASE, for_s=None)
        assert (await vault.status()).locked


async def test_a_renamed_seed_or_path_is_refused() -> None:
    async with new_vault() as (vault, db):
        await db.write(lambda tx: tx.execute("UPDATE keystore_seed SET path = 'm/0'"))
        with pytest.raises(StoreError, match="seed main"):
            await vault.unlock(PASSPHRASE, for_s=None)


async def test_another_keystores_rows_do_not_open_here() -> None:
    async with new_vault() as (vault, db), new_vault() as (_, other):
        stolen = await other.read(
            lambda tx: tx.execute(
                "SELECT public_key, chain_code, sealed FROM keystore_seed"
            )
        )
        await db.write(
            lambda tx: tx.execute(
                "UPDATE keystore_seed SET public_key = ?, chain_code = ?, sealed = ?",
                stolen[0],
            )
        )
        with pytest.raises(StoreError, match="seed main"):
            await vault.unlock(PASSPHRASE, for_s=None)


async def test_swapped_indexes_lead_to_a_refusal_never_to_a_wrong_key() -> None:
    async with new_vault() as (vault, db):
        a, b = await allocate(vault, db, 2)

        def swap(tx: Tx) -> None:
            for address, index in ((a, 99), (b, 0), (a, 1)):
                tx.execute(
                    "UPDATE keystore_key SET child = ? WHERE address = ?",
                    (index, address.raw),
                )

        await db.write(swap)
        for address in (a, b):
            with pytest.raises(NoSuchKey):
                await vault.sign(address, DIGEST)


async def test_the_cache_of_derived_keys_is_bounded() -> None:
    async with new_vault() as (vault, db):
        addresses = await allocate(vault, db, CACHED_KEYS + 10)
        for address in addresses:
            await vault.sign(address, DIGEST)
        assert vault._opened is not None
        assert len(vault._opened._keys) == CACHED_KEYS
        assert vault._opened.cached(addresses[0]) is None
        assert vault._opened.cached(addresses[-1]) is not None
        await vault.sign(addresses[10], DIGEST)  # the oldest there, used again
        await vault.sign(addresses[0], DIGEST)
        assert vault._opened.cached(addresses[10]) is not None
