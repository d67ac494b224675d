"""Tokens that we know: by the address of their contract and by nothing else.

What a contract calls itself proves nothing; anybody can deploy another "USDT".
"""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from lucidtrond.tron.address import Address

TETHER_CHECKS: Final = ("basisPointsRate()", "maximumFee()", "deprecated()")
"""Of mainnet's USDT (TetherToken): while all are 0, a transfer moves what it says."""


class KnownToken(Struct, frozen=True):
    """One TRC-20 contract that somebody vouched for. *decimals* is 0 to 77.

    *fee_on_transfer*: less may arrive than a transfer asked for, so its log need not
    say what its call did. *zero_while_exact*: functions that all return 0 while a plain
    transfer that succeeds moves exactly its amount; none where somebody vouched for
    that for ever, None where nothing says that it does.
    """

    address: Address
    symbol: str
    name: str
    decimals: int
    fee_on_transfer: bool = False
    zero_while_exact: tuple[str, ...] | None = None

    @property
    def may_be_exact(self) -> bool:
        return self.zero_while_exact is not None and not self.fee_on_transfer


class AmbiguousTokens(ValueError):
    """Two tokens share a symbol or an address, so neither names one token."""


class KnownTokens:
    """All known tokens of one network, in the order they were given."""

    def __init__(self, tokens: Iterable[KnownToken] = ()) -> None:
        """Raises AmbiguousTokens."""
        self._by_address: dict[str, KnownToken] = {}
        self._by_symbol: dict[str, KnownToken] = {}
        for token in tokens:
            symbol = token.symbol.upper()
            if symbol in self._by_symbol or symbol == "TRX":
                raise AmbiguousTokens(f"two assets are called {token.symbol}")
            if token.address.base58 in self._by_address:
                raise AmbiguousTokens(f"{token.address.base58} is listed twice")
            self._by_address[token.address.base58] = token
            self._by_symbol[symbol] = token

    def __iter__(self) -> Iterator[KnownToken]:
        return iter(self._by_address.values())

    def __len__(self) -> int:
        return len(self._by_address)

    def at(self, address: str) -> KnownToken | None:
        """The token whose contract is at this base58 address."""
        return self._by_address.get(address)

    def called(self, symbol: str) -> KnownToken | None:
        """The token with this symbol, in whatever case."""
        return self._by_symbol.get(symbol.upper())


NO_TOKENS = KnownTokens()
"""Where nobody said anything."""
