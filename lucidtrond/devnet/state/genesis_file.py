"""The file that defines a chain.

Its format is that of recorded java-tron chains; keys that we do not need are ignored.
"""

from typing import Final

import msgspec

from lucidtrond.devnet.state.first_tokens import TokenRow

GENESIS_PARENT: Final = (
    "e58f33f9baf9305dc6f82b9f1934ea8f0ade2defb951258d50167028c780351f"
)
"""GenesisBlock of java-tron."""
DEFAULT_OPERATIONS: Final = "7fff1fc0033efb0f" + "00" * 24


class BadGenesis(ValueError):
    """The definition of a chain contradicts itself or lacks something."""


class _Row(msgspec.Struct, frozen=True):
    pass


class AssetRow(_Row, frozen=True):
    """A transfer of the genesis block. *balance* is the transferred amount."""

    name: str
    address: str
    balance: int


class AccountRow(_Row, frozen=True, kw_only=True):
    """A key of this chain. *balance* and stake are what the state starts with."""

    name: str
    private_key: str
    address: str
    balance: int = 0
    exists: bool = True
    frozen_v2: dict[str, int] = msgspec.field(name="frozenV2", default_factory=dict)


class WitnessRow(_Row, frozen=True, kw_only=True, omit_defaults=True):
    """A block producer. *votes* decide the order of slots.

    With a *signing_key* (a private key) its account begins with a witness permission
    for that key, which then signs its blocks in place of its own.
    """

    name: str
    private_key: str
    address: str
    url: str
    votes: int = msgspec.field(name="vote_count")
    signing_key: str = ""


class ParameterRow(_Row, frozen=True, omit_defaults=True):
    """One entry of getchainparameters."""

    key: str
    value: int | None = None


class GenesisFile(_Row, frozen=True, kw_only=True):
    """The file that defines a chain."""

    genesis_timestamp: int
    genesis_parent_hash: str = GENESIS_PARENT
    genesis_assets: tuple[AssetRow, ...]
    accounts: tuple[AccountRow, ...]
    witnesses: tuple[WitnessRow, ...]
    chain_parameters: tuple[ParameterRow, ...]
    default_active_operations: str = DEFAULT_OPERATIONS
    energy_prices: str = "0:100"
    bandwidth_prices: str = "0:1000"
    memo_fee: str = "0:1000000"
    block_version: int = 32
    code_version: str = "4.8.0"
    version_number: str = "18631"
    p2p_version: int = 333777
    genesis_block_id: str = ""
    token: TokenRow | msgspec.UnsetType = msgspec.UNSET
    fake_token: TokenRow | msgspec.UnsetType = msgspec.UNSET
    """One that only looks like *token*."""
    token_sorts: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    """Symbols of `token_sorts.SORTS` that are deployed, too."""


def tokens_in(file: GenesisFile) -> list[TokenRow]:
    """The chain's own token and the one that only looks like it, as far as there."""
    every = (file.token, file.fake_token)
    return [token for token in every if token is not msgspec.UNSET]
