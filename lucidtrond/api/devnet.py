"""The control verbs of the embedded chain, each declared once.

From `VERBS` derive the paths ``POST /devnet/VERB`` of `lucidtrond devnet --control`
(`devnet.control`, which also carries the verbs out), the methods ``devnet.VERB`` of the
plugin ``devnet``, and what `lucidtrond devnet --help` lists.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final

from attrs import field, frozen
from msgspec import Meta
from msgspec.structs import force_setattr

from lucidtrond.api.fault_rules import FaultRule, PortNumber, one_port
from lucidtrond.api.params import (
    AddressText,
    AmountText,
    Params,
    RecipientText,
    Result,
    TokenText,
)
from lucidtrond.errors import (
    InsufficientFunds,
    InvalidInput,
    LucidError,
    RecipientRefused,
    TooBusy,
)

MAX_BLOCKS: Final = 10_000
MAX_JUMP_S: Final = 400 * 86_400
MAX_CLOSED_S: Final = 3600
_MAX_INT64: Final = 2**63 - 1
_ACCOUNT: Final = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH"
_PAYMENT_ERRORS: Final = (InvalidInput, InsufficientFunds, TooBusy)


@frozen(kw_only=True)
class ControlVerb:
    """One verb. *params* None takes none; *older_names* are accepted in its place.

    *example* holds params by name; *errors* are those that a caller should expect.
    """

    name: str
    params: type[Params] | None = None
    result: type[Result]
    summary: str
    changes: bool = True
    """Whether it does something to the chain; else everybody may ask."""
    example: Mapping[str, Any] = field(factory=dict)
    errors: tuple[type[LucidError], ...] = (InvalidInput,)
    older_names: tuple[str, ...] = ()


_verbs: Final[dict[str, ControlVerb]] = {}


def _declare(verb: ControlVerb) -> None:
    _verbs[verb.name] = verb


# What there is


class HeadView(Result, frozen=True):
    number: int
    id: str
    timestamp_ms: int


class FundedAccount(Result, frozen=True):
    """*private_key* is a test key that everybody has: never send real money here."""

    name: str
    address: str
    private_key: str
    balance_sun: str


class Token(Result, frozen=True):
    """*about*: what is odd about it, "" for none."""

    address: str
    symbol: str
    name: str
    decimals: int
    about: str


class Info(Result, frozen=True):
    """*url* speaks java-tron's HTTP API, *replicas* are further ports of the same
    chain, *grpc_url* speaks gRPC and is null where it was not asked for.
    *witness_keys*: by producer, the address whose key signs its blocks. Chain time is
    not always real time."""

    url: str
    genesis_id: str
    block_time_s: float
    head: HeadView
    solid_number: int
    witness_keys: dict[str, str]
    witnesses: list[str]
    replicas: list[str]
    accounts: list[FundedAccount]
    tokens: list[Token]
    fake_tokens: list[Token]
    grpc_url: str | None = None


_declare(
    ControlVerb(
        name="info",
        result=Info,
        changes=False,
        errors=(),
        summary="Show the embedded chain: URL, block time, witnesses, funded accounts.",
    )
)


# Blocks


class Mine(Params, frozen=True):
    count: Annotated[int, Meta(ge=1, le=MAX_BLOCKS)] = 1


class Mined(Result, frozen=True):
    head_number: int


_declare(
    ControlVerb(
        name="mine",
        params=Mine,
        result=Mined,
        example={"count": 3},
        errors=(),
        summary="Make blocks at once.",
    )
)


class Jump(Params, frozen=True):
    seconds: Annotated[float, Meta(gt=0, le=MAX_JUMP_S)]


_declare(
    ControlVerb(
        name="jump",
        params=Jump,
        result=Mined,
        example={"seconds": 86_400},
        summary="Make a block that is so much later than the head.",
    )
)


class Fork(Params, frozen=True):
    """*blocks* others replace *depth* newest ones; 0 is one more than are replaced.
    With *keep* their transactions go back to the pool, else they vanish."""

    depth: Annotated[int, Meta(ge=1)] = 1
    keep: bool = True
    blocks: Annotated[int, Meta(ge=0, le=MAX_BLOCKS)] = 0


_declare(
    ControlVerb(
        name="fork",
        params=Fork,
        result=Mined,
        example={"depth": 2},
        summary="Revert the newest blocks and make others; never what is solidified.",
    )
)


class Stall(Params, frozen=True):
    stalled: bool = True


class Stalled(Result, frozen=True):
    stalled: bool


_declare(
    ControlVerb(
        name="stall",
        params=Stall,
        result=Stalled,
        example={"stalled": True},
        summary="Keep blocks from being solidified, or let them again.",
    )
)


class Named(Params, frozen=True):
    name: Annotated[str, Meta(min_length=1, max_length=100)]


_declare(
    ControlVerb(
        name="snapshot",
        params=Named,
        result=Mined,
        example={"name": "before"},
        summary="Remember the chain as it is now, in memory.",
    )
)

_declare(
    ControlVerb(
        name="restore",
        params=Named,
        result=Mined,
        example={"name": "before"},
        summary="Be the chain of a snapshot again.",
    )
)


# Transactions


class Fund(Params, frozen=True):
    """Exactly one of *amount_sun* (TRX) and *amount_raw* (a token's smallest units);
    a token is named by its symbol or its address. Hex without a checksum needs
    *allow_unchecked_recipient* and the zero address *allow_zero_address*, as with
    `transfer.send`."""

    address: RecipientText
    amount_sun: AmountText | None = None
    amount_raw: AmountText | None = None
    asset: Annotated[str, Meta(max_length=64)] = "TRX"
    allow_unchecked_recipient: bool = False
    allow_zero_address: bool = False


class Funded(Result, frozen=True):
    txid: str


_declare(
    ControlVerb(
        name="fund",
        params=Fund,
        result=Funded,
        example={"address": _ACCOUNT, "amount_sun": "100000000"},
        errors=(*_PAYMENT_ERRORS, RecipientRefused),
        summary="Send TRX or tokens from the chain's account, by a real transfer.",
    )
)


class ZeroTransfer(Params, frozen=True):
    """*token* logs a transfer of 0 from *sender*, who did not ask for it."""

    sender: AddressText
    recipient: AddressText
    token: TokenText


_declare(
    ControlVerb(
        name="zero_transfer",
        params=ZeroTransfer,
        result=Funded,
        example={"sender": _ACCOUNT, "recipient": _ACCOUNT, "token": "IUSD"},
        errors=_PAYMENT_ERRORS,
        summary="Plant a transfer of 0 tokens in a history, as look-alikes do.",
        older_names=("nil",),
    )
)


class SetRule(Params, frozen=True):
    """*honest*: the token moves in blocks what it moves in simulations."""

    token: TokenText
    honest: bool


_declare(
    ControlVerb(
        name="rule",
        params=SetRule,
        result=Funded,
        example={"token": "FICKLE", "honest": False},
        errors=_PAYMENT_ERRORS,
        summary="Change the rule of the token FICKLE, from the next block on.",
    )
)


# Ports and faults


class ClosePort(Params, frozen=True):
    """Port number *port* (0 is the main one) refuses connections for *for_s* seconds.
    *door* is the older name of *port*."""

    port: PortNumber = 0
    for_s: Annotated[float, Meta(gt=0, le=MAX_CLOSED_S)] = 1.0
    door: PortNumber | None = None

    def __post_init__(self) -> None:
        force_setattr(self, "port", one_port(self.port or None, self.door) or 0)


class ClosedPort(Result, frozen=True):
    """*door* is the older name of *port*."""

    port: int
    for_s: float
    door: int


_declare(
    ControlVerb(
        name="close_port",
        params=ClosePort,
        result=ClosedPort,
        example={"port": 0, "for_s": 2.5},
        summary="Refuse connections at one port for a while, as a node that is down.",
        older_names=("shut",),
    )
)


class Fault(Params, frozen=True):
    """*rule*: ``{"fault": "lost_reply", "path": "/wallet/broadcast*", "count": 1}``."""

    rule: FaultRule


class FaultNumber(Result, frozen=True):
    number: int


_declare(
    ControlVerb(
        name="fault",
        params=Fault,
        result=FaultNumber,
        example={
            "rule": {"fault": "lost_reply", "path": "/wallet/broadcast*", "count": 1}
        },
        summary="Put a fault in force: what HTTP requests to it meet from now on.",
    )
)


class FaultState(Result, frozen=True):
    """A rule with its number, the requests it looked at and how often it struck."""

    number: int
    seen: int
    struck: int
    rule: FaultRule


class FaultStates(Result, frozen=True):
    seed: int
    faults: list[FaultState]


_declare(
    ControlVerb(
        name="faults",
        result=FaultStates,
        changes=False,
        summary="List the faults in force and how often they struck.",
    )
)


class Clear(Params, frozen=True):
    """All of them without a *number*."""

    number: Annotated[int, Meta(ge=1, le=_MAX_INT64)] | None = None


class Cleared(Result, frozen=True):
    cleared: int


_declare(
    ControlVerb(
        name="clear",
        params=Clear,
        result=Cleared,
        example={"number": 1},
        summary="Lift one fault, or all.",
    )
)


class Seed(Params, frozen=True):
    seed: Annotated[int, Meta(ge=-_MAX_INT64 - 1, le=_MAX_INT64)]


class Seeded(Result, frozen=True):
    seed: int


_declare(
    ControlVerb(
        name="seed",
        params=Seed,
        result=Seeded,
        example={"seed": 7},
        summary="Lift all faults and begin anew with other chances, repeatably.",
    )
)


VERBS: Final[Mapping[str, ControlVerb]] = MappingProxyType(_verbs)
"""By name, in the order in which help lists them."""
NAMES: Final[Mapping[str, ControlVerb]] = MappingProxyType(
    {name: verb for verb in VERBS.values() for name in (verb.name, *verb.older_names)}
)
"""By every name that is accepted."""
