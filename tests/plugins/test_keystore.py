"""The keystore's methods."""

import pytest
import trio
from trio.testing import MockClock

from lucidtrond.api import (
    Conflict,
    InvalidInput,
    KeystoreMissing,
    WrongPassphrase,
)
from lucidtrond_keystore import Mnemonic, Secret, Unlock
from tests.plugins.bench import open_shipped

RIGHT = {"passphrase": "correct horse"}


async def test_from_nothing_to_open_to_closed(autojump_clock: MockClock) -> None:
    async with open_shipped(keystore=False) as bench:
        none = await bench.call("keystore.status")
        assert (none.exists, none.locked, none.keys) == (False, True, 0)
        with pytest.raises(KeystoreMissing):
            await bench.call("keystore.unlock", RIGHT)
        made = await bench.call("keystore.init", RIGHT)
        assert (made.exists, made.locked, made.keys) == (True, False, 0)
        with pytest.raises(Conflict):
            await bench.call("keystore.init", RIGHT)
        await bench.call("wallet.batch_create", {"count": 3})
        locked = await bench.call("keystore.lock")
        assert (locked.locked, locked.keys) == (True, 3)
        with pytest.raises(WrongPassphrase):
            await bench.call("keystore.unlock", {"passphrase": "wrong"})
        assert not (await bench.call("keystore.unlock", RIGHT)).locked


async def test_it_closes_by_itself_after_for_s(autojump_clock: MockClock) -> None:
    async with open_shipped(keystore=False) as bench:
        await bench.call("keystore.init", RIGHT)
        opened = await bench.call("keystore.unlock", {**RIGHT, "for_s": 60})
        assert opened.unlocked_until_ms is not None
        await trio.sleep(59)
        bench.clock.advance(59)
        assert not (await bench.call("keystore.status")).locked
        await trio.sleep(2)
        bench.clock.advance(2)
        assert (await bench.call("keystore.status")).locked


@pytest.mark.parametrize("for_s", [0, -1, 1e9])
async def test_an_impossible_time_is_refused(
    for_s: float, autojump_clock: MockClock
) -> None:
    async with open_shipped(keystore=False) as bench:
        await bench.call("keystore.init", RIGHT)
        await bench.call("keystore.lock")
        with pytest.raises(
            InvalidInput, match=r"Expected `float` (> 0|<= 31622400).* - at `\$.for_s`"
        ):
            await bench.call("keystore.unlock", {**RIGHT, "for_s": for_s})
        assert (await bench.call("keystore.status")).locked


async def test_the_words_need_the_passphrase_again(autojump_clock: MockClock) -> None:
    async with open_shipped(keystore=False) as bench:
        await bench.call("keystore.init", RIGHT)
        words = (await bench.call("keystore.reveal_mnemonic", RIGHT)).mnemonic
        assert len(words.split()) == 24
        with pytest.raises(WrongPassphrase):
            await bench.call("keystore.reveal_mnemonic", {"passphrase": "wrong"})
        await bench.call("keystore.lock")
        assert (await bench.call("keystore.reveal_mnemonic", RIGHT)).mnemonic == words
        assert (await bench.call("keystore.status")).locked


def test_secrets_are_in_no_representation() -> None:
    secret = "correct horse"
    for shown in (
        Secret(passphrase=secret),
        Unlock(passphrase=secret),
        Mnemonic(mnemonic=secret),
    ):
        assert secret not in repr(shown)
        assert secret not in str([shown])
        assert secret not in f"{shown}"


async def test_a_refused_passphrase_is_in_no_error(autojump_clock: MockClock) -> None:
    async with open_shipped(keystore=False) as bench:
        for bad in ("x" * 2000, ""):
            with pytest.raises(InvalidInput, match="passphrase") as caught:
                await bench.call("keystore.init", {"passphrase": bad})
            assert not bad or bad not in str(caught.value)
