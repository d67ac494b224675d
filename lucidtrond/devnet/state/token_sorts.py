"""The sorts of TRC-20 tokens that this chain can have: one row for each way to be odd.

Each is an InteropToken with a difference that tokens of public networks have. Its
symbol names it everywhere; `lucidtrond devnet --help` prints this table. A sort changes
what a transfer does, what it returns and how its event is written; balances,
allowances, blacklist and energy stay those of `native_token`.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from msgspec import Struct

WORD: Final = 32


class Returns(Enum):
    """What ``transfer`` and ``transferFrom`` return."""

    TRUE = (1).to_bytes(WORD, "big")
    ZERO = bytes(WORD)
    NOTHING = b""
    GARBAGE = b"\xca\xfe\xd0\x0d" * 9


class Moves(Enum):
    """When a transfer moves anything, and writes its event. Else it only returns."""

    ALWAYS = "always"
    NEVER = "never, but for its owner"
    SIMULATED = "in simulations and for its owner, until its owner calls setRule(1)"


class EventForm(Enum):
    """How many values of ``Transfer`` are indexed, and what else is odd about it."""

    STANDARD = 2
    TWO_TOPICS = 1
    ONE_TOPIC = 0
    FOUR_TOPICS = 3
    LONG_DATA = "two indexed, and 64 bytes too many in the data"
    DIRTY = "two indexed, with dirt in the upper 12 bytes of their words"


class Metadata(Enum):
    """What ``name``, ``symbol`` and ``decimals`` answer."""

    TEXT = "as the standard has it"
    BYTES32 = "32 bytes in place of a text"
    EMPTY = "empty texts and 0"
    ABSENT = "there are no such functions"
    ABSURD = "300 letters, control characters, 2**255 decimals"


class TokenSort(Struct, frozen=True, kw_only=True):
    """One row. *fee_percent* of a transfer goes to the owner of the token.

    *has_params*: its owner sets that fee, and deprecates it, as of mainnet's USDT.
    *caller_percent* of a call's energy is the caller's to pay; *extra_energy* is what a
    proxy's detour takes.
    """

    symbol: str
    about: str
    returns: Returns = Returns.TRUE
    moves: Moves = Moves.ALWAYS
    form: EventForm = EventForm.STANDARD
    metadata: Metadata = Metadata.TEXT
    fee_percent: int = 0
    caller_percent: int = 100
    extra_energy: int = 0
    burns: bool = False
    has_params: bool = False

    @property
    def name(self) -> str:
        return f"Devnet {self.symbol.title()}"


PLAIN: Final = TokenSort(symbol="IUSD", about="nothing is odd about it")
_ROWS: Final = (
    TokenSort(
        symbol="ZERO",
        about="moves and returns 32 zero bytes, as mainnet's USDT does",
        returns=Returns.ZERO,
    ),
    TokenSort(
        symbol="VOID", about="moves and returns nothing", returns=Returns.NOTHING
    ),
    TokenSort(
        symbol="GARBAGE", about="moves and returns 36 bytes", returns=Returns.GARBAGE
    ),
    TokenSort(symbol="LIAR", about="returns true and moves nothing", moves=Moves.NEVER),
    TokenSort(
        symbol="REFUSER",
        about="returns false and moves nothing, without a revert",
        returns=Returns.ZERO,
        moves=Moves.NEVER,
    ),
    TokenSort(
        symbol="FICKLE",
        about="moves in simulations; in a block it succeeds and moves nothing,"
        " until its owner calls setRule(1)",
        moves=Moves.SIMULATED,
    ),
    TokenSort(
        symbol="FEE", about="its owner gets 10 percent of a transfer", fee_percent=10
    ),
    TokenSort(
        symbol="BYTES32", about="name and symbol are bytes32", metadata=Metadata.BYTES32
    ),
    TokenSort(
        symbol="EMPTY", about="name and symbol are empty", metadata=Metadata.EMPTY
    ),
    TokenSort(
        symbol="ABSENT",
        about="it has no name(), symbol() and decimals()",
        metadata=Metadata.ABSENT,
    ),
    TokenSort(
        symbol="ABSURD",
        about="a name of 300 letters and control characters, 2**255 decimals",
        metadata=Metadata.ABSURD,
    ),
    TokenSort(
        symbol="TOPIC1",
        about="its events index no address: 1 topic, 96 bytes",
        form=EventForm.ONE_TOPIC,
    ),
    TokenSort(
        symbol="TOPIC2",
        about="its events index one address: 2 topics, 64 bytes",
        form=EventForm.TWO_TOPICS,
    ),
    TokenSort(
        symbol="TOPIC4",
        about="its events index the amount as TRC-721's do: unreadable",
        form=EventForm.FOUR_TOPICS,
    ),
    TokenSort(
        symbol="LONG",
        about="its events have 64 bytes of data too many",
        form=EventForm.LONG_DATA,
    ),
    TokenSort(
        symbol="DIRTY",
        about="dirt in the upper bytes of its events' addresses",
        form=EventForm.DIRTY,
    ),
    TokenSort(
        symbol="BURNER",
        about="holders burn(uint256); its owner mints, as IUSD's does",
        burns=True,
    ),
    TokenSort(
        symbol="TETHER",
        about="its owner sets a fee by setParams(basis points, most) and ends it by"
        " deprecate(address), as of mainnet's USDT",
        has_params=True,
    ),
    TokenSort(symbol="PROXY", about="calls take a proxy's detour", extra_energy=1_412),
    TokenSort(
        symbol="SPONSOR",
        about="its maker's stake pays 70 percent of the energy",
        caller_percent=30,
    ),
)
SORTS: Final[Mapping[str, TokenSort]] = MappingProxyType(
    {sort.symbol: sort for sort in _ROWS}
)
"""By symbol, in the order of the table."""


class UnknownSort(ValueError):
    """No token is called so."""


def check_sorts(symbols: Iterable[str]) -> tuple[str, ...]:
    """The symbols without doubles, in the order of the table; ``all`` is all of them.

    Raises:
        UnknownSort
    """
    wanted = {symbol.strip().upper() for symbol in symbols} - {""}
    if "ALL" in wanted:
        wanted = wanted - {"ALL"} | set(SORTS)
    unknown = sorted(wanted - set(SORTS))
    if unknown:
        raise UnknownSort(
            f"tokens: expected all or some of {', '.join(SORTS)}; got"
            f" {', '.join(unknown)[:80]!r}"
        )
    return tuple(symbol for symbol in SORTS if symbol in wanted)


def describe_sorts() -> str:
    """The table as lines of text."""
    return "\n".join(f"  {sort.symbol:<8} {sort.about}" for sort in SORTS.values())
