"""What the embedded chain's tokens are, for those who keep a list of known ones."""

from collections.abc import Mapping
from typing import Any, Protocol

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
        for each in devnet.info().get("tokens", ())
    ]
