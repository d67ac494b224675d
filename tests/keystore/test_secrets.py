"""Known secrets are looked for wherever a secret must not be."""

import logging
import pickle
import traceback
from pathlib import Path

import pytest

from lucidtrond.errors import LucidError
from lucidtrond.keystore.opened import account_of
from lucidtrond.keystore.tables import find_vault
from lucidtrond.keystore.vault import Vault
from lucidtrond.store.database import Database
from lucidtrond.tron.address import Address
from lucidtrond.tron.mnemonic import derive_seed, make_mnemonic
from tests.keystore.vaults import PASSPHRASE, make_vault, open_vault

SECOND_PASSPHRASE = "a second one, as secret"


class RecordedChance:
    """Counts up instead of being random, and remembers what it gave."""

    def __init__(self) -> None:
        self.given: list[bytes] = []

    def __call__(self, size: int) -> bytes:
        data = bytes((len(self.given) * 37 + place * 11) % 256 for place in range(size))
        self.given.append(data)
        return data


def written_forms(secret: bytes) -> list[bytes]:
    """Raw, hex, as Python shows it."""
    return [secret, secret.hex().encode(), repr(secret).encode()]


def content_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def full_run(vault: Vault, db: Database) -> tuple[str, list[Address]]:
    """Everything that the vault can do, right and wrong; give all texts it raised."""
    said: list[str] = []
    await vault.init(PASSPHRASE)
    derived = await db.write(lambda tx: vault.allocate(tx, 3))
    addresses = [one.address for one in derived]
    for address in addresses:
        await vault.sign(address, bytes(32))
    opened = vault._opened
    said += [repr(vault), repr(opened), str(opened), repr(vault.__dict__)]
    said.append(repr(opened.cached(addresses[0])) if opened else "")
    await vault.reveal_mnemonic(PASSPHRASE)
    await vault.change_passphrase(PASSPHRASE, SECOND_PASSPHRASE)
    for passphrase in (PASSPHRASE, PASSPHRASE * 50, "\ud800" + PASSPHRASE):
        for door in (vault.reveal_mnemonic, vault.init):
            with pytest.raises(LucidError) as caught:
                await door(passphrase)
            said.append("".join(traceback.format_exception(caught.value)))
    await db.write(lambda tx: tx.execute("UPDATE keystore_key SET child = child + 7"))
    opened = vault._opened
    assert opened is not None
    opened._keys.clear()
    with pytest.raises(LucidError) as caught:
        await vault.sign(addresses[0], bytes(32))
    said.append("".join(traceback.format_exception(caught.value)))
    said.append(repr(await vault.status()))
    vault.lock()
    return "\n".join(said), addresses


async def test_no_secret_is_in_logs_errors_reprs_or_the_database_files(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    chance = RecordedChance()
    path = tmp_path / "db"
    async with open_vault(path) as (_, db):
        vault = make_vault(db, chance)
        said, _addresses = await full_run(vault, db)
        files = content_of(tmp_path)
        words = await vault.reveal_mnemonic(SECOND_PASSPHRASE)
    files += content_of(tmp_path)
    assert b"keystore_vault" in files  # the search looks in the right place

    data_key, entropy = chance.given[0], chance.given[4]
    assert make_mnemonic(entropy) == words
    seed = derive_seed(words)
    account = account_of(seed)
    secrets: list[bytes] = [PASSPHRASE.encode(), SECOND_PASSPHRASE.encode()]
    secrets += [words.encode(), " ".join(words.split()[:4]).encode()]
    for secret in (
        data_key,
        entropy,
        seed,
        account.key,
        *(account.child(index).key for index in range(10)),
    ):
        secrets += written_forms(secret)
    everywhere = files + said.encode() + caplog.text.encode()
    for secret in secrets:
        assert secret not in everywhere, "a secret is outside"


async def test_a_vault_is_not_pickled() -> None:
    async with open_vault() as (vault, _):
        await vault.init(PASSPHRASE)
        with pytest.raises((TypeError, AttributeError)):
            pickle.dumps(vault)
        with pytest.raises((TypeError, AttributeError)):
            pickle.dumps(vault._opened)


async def test_the_wrapping_key_of_each_passphrase_is_another() -> None:
    async with open_vault() as (vault, db):
        await vault.init(PASSPHRASE)
        before = await db.read(find_vault)
        await vault.change_passphrase(PASSPHRASE, PASSPHRASE)
        after = await db.read(find_vault)
        assert before is not None
        assert after is not None
        assert before.kdf != after.kdf
        assert before.data_key != after.data_key
