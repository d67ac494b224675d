"""Whoever may sign changes all the time: a model says whose signatures pass."""

from typing import Any

import pytest
from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.devnet.state.chain import Chain
from lucidtrond.devnet.state.rejections import BadSignature
from lucidtrond.devnet.state.world import rows_of, world_of
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.transaction import RawData
from tests.devnet.making import ALICE, BOB, CAROL, NOVA, Lab, sign
from tests.devnet.sending import raw_contract
from tests.devnet.test_chain_properties import wealth

KEYS = (ALICE, BOB, CAROL, NOVA)
TRANSFERS = bytes([1 << 1]) + bytes(31)


@define
class Rule:
    """Weights by key's number."""

    weights: dict[int, int]
    threshold: int
    updates: bool

    def passes(self, signers: list[int], *, update: bool) -> bool:
        if update and not self.updates:
            return False
        if not set(signers) <= self.weights.keys():
            return False
        return sum(self.weights[signer] for signer in signers) >= self.threshold

    def permission(self, kind: str) -> pb.Permission:
        return pb.Permission(
            type=kind,
            threshold=self.threshold,
            keys=[
                pb.Key(address=KEYS[signer].address.raw, weight=weight)
                for signer, weight in self.weights.items()
            ],
            operations=TRANSFERS if kind == "Active" else b"",
        )


@define
class Model:
    """Alice's permissions by id."""

    rules: dict[int, Rule] = field(factory=lambda: {0: Rule({0: 1}, 1, updates=True)})

    def accepts(self, number: int, signers: list[int], *, update: bool) -> bool:
        rule = self.rules.get(number)
        return rule is not None and rule.passes(signers, update=update)


@st.composite
def rules(draw: st.DrawFn, *, updates: bool) -> Rule:
    weights = draw(
        st.dictionaries(st.integers(0, 3), st.integers(1, 2), min_size=2, max_size=4)
    )
    return Rule(weights, draw(st.integers(1, sum(weights.values()))), updates=updates)


signers = st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True)
ids = st.sampled_from([0, 0, 2, 2, 3])
steps = st.lists(
    st.tuples(st.just("pay"), ids, signers)
    | st.tuples(st.just("set"), ids, signers, rules(updates=True), rules(updates=False))
    | st.tuples(st.just("mine")),
    max_size=20,
)


def update_of(lab: Lab, number: int, owner: Rule, active: Rule) -> RawData:
    return raw_contract(
        lab,
        "AccountPermissionUpdateContract",
        permission_id=number,
        owner_address=ALICE.address.raw,
        owner=owner.permission("Owner"),
        actives=[active.permission("Active")],
    )


def payment_of(lab: Lab, number: int) -> RawData:
    return raw_contract(
        lab,
        "TransferContract",
        permission_id=number,
        owner_address=ALICE.address.raw,
        to_address=BOB.address.raw,
        amount=1,
    )


@settings(max_examples=150)
@given(owner=rules(updates=True), active=rules(updates=False), plan=steps)
def test_a_transaction_passes_exactly_when_the_model_says_so(
    owner: Rule, active: Rule, plan: list[tuple[Any, ...]]
) -> None:
    lab, model = Lab(), Model()
    lab.mine()
    owned = wealth(lab.chain.head)
    for step in [("set", 0, [0], owner, active), *plan]:
        match step:
            case ("mine",):
                lab.mine()
            case ("pay", number, chosen):
                good = model.accepts(number, chosen, update=False)
                offer(lab, payment_of(lab, number), chosen, good=good)
            case ("set", number, chosen, *wanted):
                good = model.accepts(number, chosen, update=True)
                offer(lab, update_of(lab, number, *wanted), chosen, good=good)
                if good:
                    model.rules = dict(zip((0, 2), wanted, strict=True))
    lab.mine(25)  # one update a block
    assert not lab.chain.pool
    assert wealth(lab.chain.head) == owned
    replayed = Chain(lab.genesis, lab.archive)
    for number in range(1, lab.chain.head.globals.number + 1):
        row = lab.archive.read(number)
        assert row is not None
        replayed.replay(row)
    assert rows_of(replayed.head) == rows_of(lab.chain.head)
    reopened = world_of(rows_of(replayed.head)).accounts.get(ALICE.address.raw)
    assert reopened == lab.chain.head.accounts.get(ALICE.address.raw)


def offer(lab: Lab, raw: RawData, chosen: list[int], *, good: bool) -> None:
    """Send it; a refused one must not have changed anything."""
    transaction = sign(raw, *(KEYS[number] for number in chosen))
    if good:
        lab.send(transaction)
        return
    before = rows_of(lab.chain.pending)
    with pytest.raises(BadSignature):
        lab.send(transaction)
    assert rows_of(lab.chain.pending) == before
