"""The vault computes MACs whose keys follow from private keys alone."""

import hmac

import pytest

from lucidtrond.errors import KeystoreLocked, NoSuchKey
from lucidtrond.keystore.opened import account_of
from lucidtrond.tron.address import Address
from lucidtrond.tron.mnemonic import derive_seed, parse_mnemonic
from tests.keystore.vaults import PASSPHRASE, new_vault

PURPOSE = b"a purpose"


async def test_its_key_is_derived_from_the_private_key() -> None:
    async with new_vault() as (vault, db):
        first, second = await db.write(lambda tx: vault.allocate(tx, 2))
        words = await vault.reveal_mnemonic(PASSPHRASE)
        parse_mnemonic(words)
        account = account_of(derive_seed(words))
        for child in (first, second):
            secret = account.child(child.index).private_key().secret
            key = hmac.digest(secret, PURPOSE, "sha256")
            mac = await vault.mac(child.address, PURPOSE, b"data")
            assert mac == hmac.digest(key, b"data", "sha256")


async def test_each_address_purpose_and_text_has_another_one() -> None:
    async with new_vault() as (vault, db):
        first, second = await db.write(lambda tx: vault.allocate(tx, 2))
        macs = {
            await vault.mac(child.address, purpose, data)
            for child in (first, second)
            for purpose in (PURPOSE, b"another purpose")
            for data in (b"one", b"two")
        }
        assert len(macs) == 8


async def test_locked_or_for_strangers_there_is_none() -> None:
    async with new_vault() as (vault, db):
        [child] = await db.write(lambda tx: vault.allocate(tx, 1))
        with pytest.raises(NoSuchKey):
            await vault.mac(Address(b"\x41" + bytes(20)), PURPOSE, b"data")
        vault.lock()
        with pytest.raises(KeystoreLocked):
            await vault.mac(child.address, PURPOSE, b"data")
