"""The public TRON networks and what tells them apart."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.tokens import TETHER_CHECKS, KnownToken

USDT_DECIMALS: Final = 6
"""decimals() of the contract on each of the three networks."""


class Network(Struct, frozen=True):
    """One public network. The genesis id alone decides which one a node is on."""

    name: str
    genesis_id: BlockId
    endpoint: str
    """Its public HTTP API: base URL without a path."""
    explorer: str
    usdt: Address
    """Shasta's is a community token."""

    @property
    def tokens(self) -> tuple[KnownToken, ...]:
        """What needs no configuration to be known here."""
        # The others' contracts are not Tether's; nothing says what they do.
        checks = TETHER_CHECKS if self.name == "mainnet" else None
        return (
            KnownToken(
                self.usdt,
                "USDT",
                "Tether USD",
                USDT_DECIMALS,
                zero_while_exact=checks,
            ),
        )

    @property
    def chain_id(self) -> int:
        """As eth_chainId says it."""
        return chain_id(self.genesis_id)


def chain_id(genesis_id: BlockId) -> int:
    """The last four bytes of the genesis block's id."""
    return int(genesis_id[-8:], 16)


NETWORKS: Final[Mapping[str, Network]] = MappingProxyType(
    {
        network.name: network
        for network in (
            Network(
                "mainnet",
                BlockId(
                    "00000000000000001ebf88508a03865c71d452e25f4d51194196a1d22b6653dc"
                ),
                "https://api.trongrid.io",
                "https://tronscan.org",
                Address(bytes.fromhex("41a614f803b6fd780986a42c78ec9c7f77e6ded13c")),
            ),
            Network(
                "shasta",
                BlockId(
                    "0000000000000000de1aa88295e1fcf982742f773e0419c5a9c134c994a9059e"
                ),
                "https://api.shasta.trongrid.io",
                "https://shasta.tronscan.org",
                Address(bytes.fromhex("4142a1e39aefa49290f2b3f9ed688d7cecf86cd6e0")),
            ),
            Network(
                "nile",
                BlockId(
                    "0000000000000000d698d4192c56cb6be724a558448e2684802de4d6cd8690dc"
                ),
                "https://nile.trongrid.io",
                "https://nile.tronscan.org",
                Address(bytes.fromhex("41eca9bc828a3005b9a3b909f2cc5c2a54794de05f")),
            ),
        )
    }
)
