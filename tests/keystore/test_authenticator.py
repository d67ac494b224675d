"""MACs that only an unlocked keystore makes."""

import hmac
import pickle

import pytest

from lucidtrond.errors import KeystoreLocked
from lucidtrond.keystore.authenticator import Authenticator
from tests.keystore.vaults import PASSPHRASE, new_vault

LABEL = b"a label"


async def test_a_mac_made_before_a_lock_is_good_after_the_next_unlock() -> None:
    async with new_vault() as (vault, _):
        before = vault.authenticator(LABEL)
        mac = before.mac(b"text")
        vault.lock()
        with pytest.raises(KeystoreLocked):
            vault.authenticator(LABEL)
        with pytest.raises(KeystoreLocked):
            before.mac(b"text")
        with pytest.raises(KeystoreLocked):
            before.verify(b"text", mac)
        await vault.unlock(PASSPHRASE, for_s=None)
        after = vault.authenticator(LABEL)
        assert after.verify(b"text", mac)
        assert not after.verify(b"Text", mac)
        assert not after.verify(b"text", mac[:-1])
        assert not vault.authenticator(b"another label").verify(b"text", mac)


async def test_unlocking_again_takes_nothing_from_what_is_under_way() -> None:
    async with new_vault() as (vault, _):
        authenticator = vault.authenticator(LABEL)
        mac = authenticator.mac(b"text")
        await vault.unlock(PASSPHRASE, for_s=60)
        assert authenticator.verify(b"text", mac)
        assert vault.authenticator(LABEL).verify(b"text", mac)


def test_the_key_is_derived_from_the_data_key_and_overwritten() -> None:
    authenticator = Authenticator(b"data key", LABEL)
    key = hmac.digest(b"data key", LABEL, "sha256")
    assert authenticator.mac(b"text") == hmac.digest(key, b"text", "sha256")
    held = authenticator._key
    authenticator.wipe()
    assert bytes(held) == bytes(32)
    with pytest.raises(KeystoreLocked):
        authenticator.mac(b"text")


def test_it_is_never_shown_or_pickled() -> None:
    authenticator = Authenticator(b"data key", LABEL)
    assert "bytearray" not in repr(authenticator)
    with pytest.raises(TypeError):
        pickle.dumps(authenticator)
