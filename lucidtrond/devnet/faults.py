"""What goes wrong on purpose: rules, and which of them a request meets.

Theory. A rule names a fault, the paths it is for and how often it strikes: after `skip`
requests, with a `chance`, at most `count` times. The first rule that strikes decides; a
request meets one fault at most. Chances come from one generator per rule, seeded by the
table's seed and the rule's number, so the same rules and the same requests in the same
order meet the same faults, whatever other rules there are.

What each fault is, by what becomes of the request:

    not carried out     status error text empty empty_list   an answer in its place
                        reset black_hole                     no answer
                        drop                                 a broadcast: says SUCCESS
    carried out         delay drip truncate                  a late, slow, cut answer
                        cut lost_reply                       the connection breaks
                        wrong_txid edit_amount wrong_id      the answer lies
                        edit_result                          what became of transactions
                                                             is told otherwise
                        no_logs                              receipts lack their logs
    as asked            broadcast                            answers with *code*
    by an older state   lag                                  *blocks* behind the head
                        stop                                 nothing after *block*
"""

import random
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Final, Literal

import msgspec
from attrs import define, field
from msgspec import Meta
from msgspec.structs import force_setattr

FaultName = Literal[
    "status",
    "error",
    "text",
    "empty",
    "empty_list",
    "reset",
    "black_hole",
    "drop",
    "delay",
    "drip",
    "truncate",
    "cut",
    "lost_reply",
    "wrong_txid",
    "edit_amount",
    "edit_result",
    "no_logs",
    "wrong_id",
    "broadcast",
    "lag",
    "stop",
]

MAX_RULES: Final = 1000
MAX_DELAY_S: Final = 3600
BUSY: Final = "class java.lang.IllegalAccessException : lack of computing resources"
"""What RateLimiterServlet says with status 200."""
LITE: Final = "this API is closed because this node is a lite fullnode"
"""The bare text of LiteFnQueryHttpFilter."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One fault and when it strikes.

    *path* is matched as file names are (``/wallet/broadcast*``); *port* is the number
    of a port, None any, and *door* its older name. *status* and *retry_after_s* belong
    to ``status``; *text* to ``status``, ``error`` and ``text``; *code*, *message* and
    *carried_out* to ``broadcast``; *bytes_per_s* to ``drip``; *blocks* to ``lag``;
    *block* to ``stop``. *delay_s* goes before any fault.
    """

    fault: FaultName
    path: str = "*"
    port: Annotated[int, Meta(ge=0)] | None = None
    door: Annotated[int, Meta(ge=0)] | None = None
    count: Annotated[int, Meta(ge=1)] | None = None
    skip: Annotated[int, Meta(ge=0)] = 0
    chance: Annotated[float, Meta(ge=0, le=1)] = 1.0
    delay_s: Annotated[float, Meta(ge=0, le=MAX_DELAY_S)] = 0.0
    status: Annotated[int, Meta(ge=400, le=599)] = 503
    retry_after_s: Annotated[int, Meta(ge=0)] | None = None
    text: str | None = None
    code: str = "SERVER_BUSY"
    message: str = ""
    carried_out: bool = False
    bytes_per_s: Annotated[int, Meta(ge=1)] = 100
    blocks: Annotated[int, Meta(ge=0)] = 3
    block: Annotated[int, Meta(ge=0)] = 0

    def __post_init__(self) -> None:
        port = one_port(self.port, self.door)
        force_setattr(self, "port", port)
        force_setattr(self, "door", port)


def one_port(port: int | None, door: int | None) -> int | None:
    """A port's number that may be given by its older name *door*.

    Raises:
        ValueError: by both, and they differ.
    """
    if port is not None and door is not None and port != door:
        raise ValueError(f"expected port or its older name door, got {port} and {door}")
    return door if port is None else port


@define(eq=False)
class _Entry:
    number: int
    rule: Rule
    chances: random.Random
    seen: int = 0
    struck: int = 0

    def strikes(self, path: str, port: int) -> bool:
        """Whether this request meets it; counts the request."""
        rule = self.rule
        if rule.port not in (None, port) or not fnmatchcase(path, rule.path):
            return False
        if rule.count is not None and self.struck >= rule.count:
            return False
        self.seen += 1
        if self.seen <= rule.skip:
            return False
        if rule.chance < 1.0 and self.chances.random() >= rule.chance:
            return False
        self.struck += 1
        return True


class RuleState(msgspec.Struct, frozen=True, kw_only=True):
    """A rule with its number, the requests it looked at and how often it struck."""

    number: int
    seen: int
    struck: int
    rule: Rule


class TooManyRules(ValueError):
    """`MAX_RULES` are in force."""


@define(eq=False)
class Faults:
    """The rules in force, in the order in which they were added."""

    seed: int = 0
    _entries: list[_Entry] = field(init=False, factory=list)
    _next: int = field(init=False, default=1)

    def __bool__(self) -> bool:
        return bool(self._entries)

    def add(self, rule: Rule) -> int:
        """Put a rule in force, after the others; gives its number.

        Raises:
            TooManyRules
        """
        if len(self._entries) >= MAX_RULES:
            raise TooManyRules(f"there are {MAX_RULES} rules already; clear some")
        number, self._next = self._next, self._next + 1
        chances = random.Random(f"{self.seed}/{number}")  # noqa: S311 - repeatable on purpose
        self._entries.append(_Entry(number, rule, chances))
        return number

    def clear(self, number: int | None = None) -> int:
        """Lift one rule, or all; gives how many that were."""
        kept = [entry for entry in self._entries if number not in (None, entry.number)]
        gone = len(self._entries) - len(kept)
        self._entries = kept
        return gone

    def reseed(self, seed: int) -> None:
        """Begin anew with other chances: no rules, numbers from 1."""
        self.seed, self._next = seed, 1
        self._entries.clear()

    def states(self) -> Sequence[RuleState]:
        """All rules in force, those that struck out included."""
        return [
            RuleState(
                number=entry.number,
                seen=entry.seen,
                struck=entry.struck,
                rule=entry.rule,
            )
            for entry in self._entries
        ]

    def take(self, path: str, port: int) -> Rule | None:
        """The fault that a request to *path* at port number *port* meets, if any."""
        for entry in self._entries:
            if entry.strikes(path, port):
                return entry.rule
        return None
