"""The plan and its renewals against a chain that does what chains do, at its worst.

Bytes that were signed are at large: whoever has them may land them in any block that
may still hold them, whatever was answered to us and however long ago. Blocks are taken
back down to the solid one; we follow them late and in jumps. What is to be proven: of
one intent's transactions at most one is ever in the chain, and every intent ends.
"""

from attrs import define, evolve, field
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lucidtrond.sending.plan import (
    Abandoned,
    Answered,
    Attempt,
    Fact,
    Included,
    Inclusion,
    Reverted,
    Signed,
    SolidUpTo,
    Unanswered,
    after,
)
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.units import Sun, UnixMillis
from tests.sending.test_plan import CODES, TEXTS

SLOT = 3000
INTENTS = 2
Name = tuple[int, int]
"""Which intent's which attempt."""


@define
class ModelBlock:
    number: int
    id: BlockId
    holds: frozenset[Name] = frozenset()

    @property
    def time(self) -> UnixMillis:
        return UnixMillis(self.number * SLOT)


@define
class ModelIntent:
    """What a journal would have of it; the last attempt is the latest."""

    attempts: list[Attempt] = field(factory=list)

    @property
    def latest(self) -> Attempt:
        return self.attempts[-1]


class Intents(RuleBasedStateMachine):
    """We and the chain."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = [ModelBlock(0, BlockId("00"))]
        self.salt = 0
        self.solid = 0
        self.ours: list[ModelBlock] = [self.blocks[0]]
        self.told_solid = 0
        self.at_large: set[Name] = set()
        self.intents = [ModelIntent() for _ in range(INTENTS)]
        for at, intent in enumerate(self.intents):
            intent.attempts.append(self.drawn(lifetime=2, renewals=2))
            self.sign(at)

    # -- what we do

    def drawn(self, *, lifetime: int, renewals: int) -> Attempt:
        """Bound to our solid block, expiring by our head's time."""
        head, solid = self.ours[-1], self.ours[self.told_solid]
        expiration = UnixMillis(head.time + lifetime * SLOT)
        return Attempt("queued", expiration, solid.number, renewals=renewals)

    def tell(self, name: Name, fact: Fact) -> None:
        intent, number = name
        attempts = self.intents[intent].attempts
        attempts[number] = after(attempts[number], fact)

    def names(self) -> list[Name]:
        return [
            (at, number)
            for at, intent in enumerate(self.intents)
            for number in range(len(intent.attempts))
        ]

    @rule(at=st.integers(0, INTENTS - 1))
    def sign(self, at: int) -> None:
        name = (at, len(self.intents[at].attempts) - 1)
        self.tell(name, Signed())
        if self.intents[at].latest.state != "queued":
            self.at_large.add(name)

    @rule(at=st.integers(0, INTENTS - 1), code=st.sampled_from((*CODES, None)))
    def send(self, at: int, code: str | None) -> None:
        name = (at, len(self.intents[at].attempts) - 1)
        if name in self.at_large:
            head = self.ours[-1].time
            known = Unanswered("reset", head)
            text = TEXTS[head // SLOT % len(TEXTS)]
            self.tell(name, Answered(code, text, head) if code else known)

    @rule(at=st.integers(0, INTENTS - 1), lifetime=st.integers(1, 5))
    def renew(self, at: int, lifetime: int) -> None:
        intent = self.intents[at]
        dead = intent.latest
        if dead.may_be_renewed(by_hand=False):
            intent.attempts[-1] = evolve(dead, renewals=0)
            renewals = dead.renewals - 1
            intent.attempts.append(self.drawn(lifetime=lifetime, renewals=renewals))
            if lifetime % 2:
                self.sign(at)

    @rule(at=st.integers(0, INTENTS - 1))
    def bury(self, at: int) -> None:
        self.tell((at, len(self.intents[at].attempts) - 1), Abandoned("enough"))

    @rule(most=st.integers(1, 12))
    def follow(self, most: int) -> None:
        """Take back what is not the chain's, then apply some blocks of it."""
        while self.ours[-1] not in self.blocks:
            gone = self.ours.pop()
            for name in gone.holds:
                self.tell(name, Reverted(gone.number, gone.id))
        for block in self.blocks[len(self.ours) : len(self.ours) + most]:
            self.ours.append(block)
            for name in sorted(block.holds):
                held = Inclusion(
                    block.number, block.id, block.time, contract_ret=1, fee=Sun(0)
                )
                self.tell(name, Included(held))
        self.told_solid = min(self.solid, self.ours[-1].number)
        solid = self.ours[self.told_solid]
        for name in self.names():
            self.tell(name, SolidUpTo(solid.number, solid.time, complete_from=0))

    # -- what the chain does

    @precondition(lambda self: bool(self.at_large))
    @rule(which=st.integers(0, 3))
    def grow(self, which: int) -> None:
        """A block with one, or all, of what is at large and may be in it."""
        held = {name for block in self.blocks for name in block.holds}
        parent = self.blocks[-1]
        may = [
            (at, number)
            for at, number in sorted(self.at_large - held)
            if parent.time < self.intents[at].attempts[number].expiration
        ]
        self.append(frozenset(may[which : which + 1] if which < len(may) else may))

    @rule(count=st.integers(1, 4))
    def grow_empty(self, count: int) -> None:
        for _ in range(count):
            self.append(frozenset())

    def append(self, holds: frozenset[Name]) -> None:
        self.salt += 1
        number = len(self.blocks)
        self.blocks.append(ModelBlock(number, BlockId(f"{self.salt:064x}"), holds))

    @rule(depth=st.integers(1, 6))
    def take_back(self, depth: int) -> None:
        del self.blocks[max(self.solid + 1, len(self.blocks) - depth) :]

    @rule(lag=st.integers(0, 3))
    def solidify(self, lag: int) -> None:
        self.solid = max(self.solid, len(self.blocks) - 1 - lag)

    @rule()
    def settle(self) -> None:
        """All that is there becomes final, and we hear of it."""
        self.solidify(lag=0)
        self.follow(most=len(self.blocks))

    # -- what is proven

    @invariant()
    def no_intent_is_twice_in_the_chain(self) -> None:
        held = [at for block in self.blocks for at, _ in block.holds]
        assert len(held) == len(set(held))

    @invariant()
    def safe_to_retry_is_true(self) -> None:
        """What we call safe is in no block, and no block can take it any more."""
        held = {name for block in self.blocks for name in block.holds}
        for at, intent in enumerate(self.intents):
            if intent.latest.safe_to_retry:
                assert not any((at, n) in held for n in range(len(intent.attempts)))

    def teardown(self) -> None:
        """Left alone, with a key and a node, every intent ends as the chain says."""
        for _ in range(4):
            for at in range(INTENTS):
                self.renew(at=at, lifetime=4)
                self.sign(at=at)
            self.grow_empty(12)
            self.settle()
        for at in range(INTENTS):
            self.bury(at=at)
        held = {at for block in self.blocks for at, _ in block.holds}
        for at, intent in enumerate(self.intents):
            assert not intent.latest.unresolved
            assert intent.latest.state == ("solidified" if at in held else "expired")
            dead = intent.attempts[:-1]
            assert {each.state for each in dead} <= {"expired"}


TestIntents = Intents.TestCase
TestIntents.settings = settings(max_examples=400, stateful_step_count=50, deadline=None)
