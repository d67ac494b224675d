"""The chain of `lucidtrond devnet`, where the operator defines no other one."""

import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec

from lucidtrond.devnet.state.first_tokens import TokenRow
from lucidtrond.devnet.state.genesis_file import (
    AccountRow,
    AssetRow,
    BadGenesis,
    GenesisFile,
    ParameterRow,
    WitnessRow,
)
from lucidtrond.devnet.state.parameters import MAINNET_LIKE
from lucidtrond.devnet.state.token_sorts import UnknownSort, check_sorts
from lucidtrond.tron.hashing import sha256
from lucidtrond.tron.hd import ACCOUNT_PATH, PrivateNode
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.units import SUN_PER_TRX

TEST_MNEMONIC: Final = "test test test test test test test test test test test junk"
"""The words every development chain knows; their keys are public and worth nothing."""
FUNDED_ACCOUNTS: Final = 10
FUNDED_TRX: Final = 1_000_000
BLACKHOLE: Final = "TLsV52sRDL79HXGGm9yzwKibb6BeruhUzy"
GENESIS_MS: Final = 0
"""As mainnet's: clients meet fresh accounts without times of the first slot."""
MAX_WITNESSES: Final = 27


def default_genesis_file(witnesses: int) -> GenesisFile:
    """The chain of `lucidtrond devnet`: ten funded test accounts and a whale.

    The whale holds a stake like mainnet's total, so that limits per staked TRX are
    like mainnet's, and pays out `fund`. Of 27 witnesses 7 sign with another key than
    their own, as on mainnet late in 2025 (every fourth, from the second on).
    """
    if not 1 <= witnesses <= MAX_WITNESSES:
        raise BadGenesis(f"witnesses: expected 1 to {MAX_WITNESSES}, got {witnesses}")
    seed = hashlib.pbkdf2_hmac("sha512", TEST_MNEMONIC.encode(), b"mnemonic", 2048)
    parent = PrivateNode.from_seed(seed).descend(ACCOUNT_PATH)
    people = [
        (f"account{n}", parent.child(n).private_key(), FUNDED_TRX * SUN_PER_TRX)
        for n in range(FUNDED_ACCOUNTS)
    ]
    makers = [(f"witness{n}", _test_key(f"witness {n}")) for n in range(witnesses)]
    whale = _test_key("whale")
    staked = {
        "BANDWIDTH": 27_000_000_000 * SUN_PER_TRX,
        "ENERGY": 19_000_000_000 * SUN_PER_TRX,
    }
    spendable = 14_000_000_000 * SUN_PER_TRX
    total = spendable + sum(staked.values())
    return GenesisFile(
        genesis_timestamp=GENESIS_MS,
        genesis_assets=(
            AssetRow("Zion", whale.address.base58, total),
            AssetRow("Blackhole", BLACKHOLE, -(2**63)),
            *(AssetRow(name, key.address.base58, sun) for name, key, sun in people),
        ),
        accounts=(
            AccountRow(
                name="whale",
                private_key=whale.secret.hex(),
                address=whale.address.base58,
                balance=spendable,
                frozen_v2=staked,
            ),
            *(
                AccountRow(
                    name=name,
                    private_key=key.secret.hex(),
                    address=key.address.base58,
                    balance=sun,
                )
                for name, key, sun in people
            ),
        ),
        witnesses=tuple(
            WitnessRow(
                name=name,
                private_key=key.secret.hex(),
                address=key.address.base58,
                url=f"http://{name}.example",
                votes=1000 - n,
                signing_key=_test_key(f"witness {n} signs").secret.hex()
                if n % 4 == 1
                else "",
            )
            for n, (name, key) in enumerate(makers)
        ),
        chain_parameters=tuple(ParameterRow(*row) for row in MAINNET_LIKE),
        token=TokenRow(owner=whale.address.base58),
    )


def with_fake_token(file: GenesisFile) -> GenesisFile:
    """The same with another account's token that is called as the chain's own is.

    Raises:
        BadGenesis: there is no token, or nobody else to own another.
    """
    token = file.token
    if token is msgspec.UNSET:
        raise BadGenesis("chain definition: a fake token needs a real one")
    others = [
        account.address
        for account in file.accounts
        if account.exists and account.address != token.owner
    ]
    if not others:
        raise BadGenesis("chain definition: nobody to own a fake token")
    fake = msgspec.structs.replace(token, owner=others[-1])
    return msgspec.structs.replace(file, fake_token=fake)


def with_tokens(file: GenesisFile, symbols: Iterable[str]) -> GenesisFile:
    """The same with tokens of odd sorts, owned by who owns the chain's own token.

    Raises:
        BadGenesis: there is no such sort.
    """
    try:
        sorts = check_sorts(symbols)
    except UnknownSort as error:
        raise BadGenesis(str(error)) from None
    return msgspec.structs.replace(file, token_sorts=sorts) if sorts else file


def _test_key(name: str) -> PrivateKey:
    return PrivateKey(sha256(f"lucidtrond devnet {name}".encode()))
