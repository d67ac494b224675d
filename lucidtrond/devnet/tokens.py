"""What the embedded chain's tokens are, for those who keep a list of known ones."""

from collections.abc import Mapping
from typing import Any, Protocol

from lucidtrond.devnet.state.chain import Chain
from lucidtrond.tron.address import Address
from lucidtrond.tron.tokens import KnownToken


class _Informed(Protocol):
    def info(self) -> Mapping[str, Any]: ...


def tokens_of(devnet: _Informed) -> list[KnownToken]:
    """The tokens that its genesis deployed."""
    return [
        KnownToken(
            Address.from_base58(each["address"]),
            each["symbol"],
            each["name"],
            each["decimals"],
        )
        for each in devnet.info()["tokens"]
    ]


def describe_tokens(chain: Chain) -> list[dict[str, Any]]:
    """The same for `info`, from the chain itself."""
    return [
        {
            "address": Address(each.address).base58,
            "symbol": each.symbol,
            "name": each.name,
            "decimals": each.decimals,
        }
        for each in chain.head.contracts.values()
    ]
