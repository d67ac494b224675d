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
from typing import Final

from attrs import define, field

from lucidtrond.api.devnet import FaultState
from lucidtrond.api.fault_rules import FaultRule

MAX_RULES: Final = 1000
BUSY: Final = "class java.lang.IllegalAccessException : lack of computing resources"
"""What RateLimiterServlet says with status 200."""
LITE: Final = "this API is closed because this node is a lite fullnode"
"""The bare text of LiteFnQueryHttpFilter."""


@define(eq=False)
class _Entry:
    number: int
    rule: FaultRule
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

    def add(self, rule: FaultRule) -> int:
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

    def states(self) -> Sequence[FaultState]:
        """All rules in force, those that struck out included."""
        return [
            FaultState(
                number=entry.number,
                seen=entry.seen,
                struck=entry.struck,
                rule=entry.rule,
            )
            for entry in self._entries
        ]

    def take(self, path: str, port: int) -> FaultRule | None:
        """The fault that a request to *path* at port number *port* meets, if any."""
        for entry in self._entries:
            if entry.strikes(path, port):
                return entry.rule
        return None
