"""What is final: rules by example, against a naive model, with each rule removed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.chain.finality import (
    Finality,
    Member,
    NotLinked,
    ProducerSet,
    SetChange,
    SignedBlock,
    final_rounds,
    needed,
)
from lucidtrond.devnet.state.schedule import solid_number
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.producers import KeyChange
from tests.chain.finality_model import GENESIS_ID, play
from tests.chain.model import address

A, B, C, D, E = map(address, range(1, 6))
FIVE = (A, B, C, D, E)
X, Y = address(60), address(61)
SCRIPTS = 400
"""Enough that each removed rule is noticed."""


def begin(n: int = 5) -> Finality:
    keys = {address(at): address(at) for at in range(1, n + 1)}
    return Finality.begin(ProducerSet(n, keys), "pin", solid=0, solid_id=GENESIS_ID)


def grow(
    finality: Finality,
    producer: Address,
    signer: Address | None = None,
    *,
    changes: tuple[KeyChange, ...] = (),
    branch: int = 0,
) -> None:
    """The next block; nothing is advanced."""
    number = finality.head + 1
    parent = finality._recent[-1].id if finality._recent else finality.solid_id
    block_id = BlockId(f"{branch:032x}{number:032x}")
    finality.observe(
        SignedBlock(number, block_id, parent, producer, signer or producer, changes)
    )


def follow(finality: Finality, *producers: Address) -> int:
    for each in producers:
        grow(finality, each)
        finality.advance(finality.head)
    return finality.solid


def keys(finality: Finality) -> dict[Address, Address]:
    return {each.producer: each.key for each in finality.members.values()}


@pytest.mark.parametrize("n", range(1, 200))
def test_seventy_percent_as_java_tron_rounds_it(n: int) -> None:
    assert needed(n) == n - int(n * 0.3) == n - int(n * (1 - 70 * 1.0 / 100))


def test_needed_on_networks_that_there_are() -> None:
    assert (needed(27), needed(5), needed(1)) == (19, 4, 1)


@pytest.mark.parametrize("n", [1, 4, 5, 27])
def test_it_is_the_nodes_number_in_the_same_block(n: int) -> None:
    finality = begin(n)
    latest = dict.fromkeys(range(n), 0)
    for number in range(1, 6 * n):
        # Every seventh turn is missed, so others come earlier.
        turn = (number + number // 7) % n
        latest[turn] = number
        follow(finality, address(turn + 1))
        assert finality.solid == solid_number(latest.values(), n)
    assert finality.solid > n


def test_a_producer_counts_once_however_many_blocks_it_makes() -> None:
    finality = begin()
    assert follow(finality, A, B, C, A, B, C, A, B, C) == 0
    assert follow(finality, D) == 7


def test_an_unknown_signer_is_followed_and_does_not_count() -> None:
    finality = begin()
    for producer, signer in ((A, A), (B, B), (C, C), (D, X), (X, X), (D, A)):
        grow(finality, producer, signer)
    finality.advance(100)
    assert (finality.head, finality.solid) == (6, 0)
    assert finality.unproven == {D, X}
    assert (finality.next_votes, finality.wanted) == (3, 4)


def test_never_more_than_the_node_says() -> None:
    finality = begin()
    for each in FIVE * 2:
        grow(finality, each)
    finality.advance(3)
    assert finality.solid == 3
    finality.advance(100)
    assert finality.solid == 7


def test_a_fork_takes_votes_back() -> None:
    finality = begin()
    follow(finality, *FIVE, A, B)
    assert finality.solid == 4
    finality.revert(5)
    for each in (A, A, B):
        grow(finality, each, branch=1)
    finality.advance(100)
    # B made block 7 on the other branch only.
    assert (finality.solid, finality.head) == (4, 8)
    grow(finality, C, branch=1)
    finality.advance(100)
    assert finality.solid == 5
    with pytest.raises(AssertionError, match="block 5 is final"):
        finality.revert(4)


def test_a_copy_is_another_branch() -> None:
    finality = begin()
    other = finality.copy()
    follow(other, *FIVE)
    assert (finality.solid, finality.head) == (0, 0)
    follow(finality, A, A)
    assert (finality.solid, other.solid) == (0, 2)


def test_blocks_follow_one_another() -> None:
    finality = begin()
    follow(finality, A)
    for number, parent in ((1, "01"), (2, "02"), (3, f"{1:02x}")):
        with pytest.raises(NotLinked):
            finality.observe(
                SignedBlock(number, BlockId("09" * 32), BlockId(parent * 32), A, A)
            )


def test_a_new_key_counts_when_the_block_that_names_it_is_final() -> None:
    finality = begin()
    grow(finality, A, changes=(KeyChange(E, X),))
    for producer, signer in ((B, B), (C, C), (E, X)):
        grow(finality, producer, signer)
        finality.advance(100)
        assert (finality.solid, keys(finality)[E]) == (0, E)
    grow(finality, D)
    finality.advance(100)
    # By the old keys block 1 is final; by the new one block 2 is.
    assert (finality.solid, keys(finality)[E]) == (2, X)
    assert Member(E, X, 2, "block") in finality.members.values()


def test_the_old_key_counts_no_more() -> None:
    finality = begin()
    grow(finality, A, changes=(KeyChange(E, X),))
    for each in (B, E, C, A):
        grow(finality, each)
    finality.advance(100)
    # Block 3 of E made block 1 final, and counts for no block above it.
    assert finality.solid == 1
    assert follow(finality, E, E) == 1
    assert follow(finality, D) == 2


def test_a_final_block_proves_no_key() -> None:
    """Its id does not cover its signature: anybody may have signed it anew."""
    finality = begin()
    grow(finality, E, X)
    assert follow(finality, A, B, C, D) == 2
    assert keys(finality)[E] == E
    assert follow(finality, *(A, B, C, D) * 3) > 10
    grow(finality, E, X)
    assert finality.unproven == {E}


@pytest.mark.parametrize(
    ("signer", "changes", "key"),
    [
        (X, (), X),
        (Y, (), None),
        (X, (KeyChange(X, Y),), Y),
        (Y, (KeyChange(X, Y),), Y),
        (Y, (KeyChange(X, X),), X),
    ],
)
def test_who_joins_signs_with_a_key_that_is_proven(
    signer: Address, changes: tuple[KeyChange, ...], key: Address | None
) -> None:
    """Its own, if that signed; the one that a final block of it named."""
    finality = begin()
    grow(finality, A, changes=changes)
    for _ in range(6):
        for producer in (B, C, X, D, A):
            grow(finality, producer, signer if producer == X else None)
    finality.advance(100)
    assert finality.solid > 20
    assert keys(finality).get(X) == key
    assert (E in finality.members) is (key is None)


def test_who_comes_back_joins_with_the_key_that_it_left_with() -> None:
    finality = begin()
    grow(finality, A, changes=(KeyChange(E, Y),))
    for producer in (*(B, C, X, D, A) * 6, *(B, C, E, D, A) * 6):
        grow(finality, producer, Y if producer == E else None)
        finality.advance(100)
    assert X not in finality.members
    assert keys(finality)[E] == Y
    assert finality.members[E].origin == "joined"


def test_who_joins_takes_the_place_of_who_is_absent_in_final_blocks() -> None:
    finality = begin()
    for each in (*FIVE, *(A, B, C, X, D) * 4):
        grow(finality, each)
    finality.advance(14)
    # E made block 5, X makes block 9.
    assert X not in finality.members
    assert E in finality.members
    finality.advance(15)
    assert finality.members[X].origin == "joined"
    assert E not in finality.members
    assert SetChange(Member(E, E, 1, "pin"), until=15) in finality.changes
    assert len(finality.members) == 5


def test_nobody_leaves_because_of_blocks_that_are_not_final() -> None:
    finality = begin()
    follow(finality, *FIVE)
    for each in (X, A, B, X) * 20:
        grow(finality, each)
    finality.advance(100)
    assert set(finality.members) == set(FIVE)


def test_nobody_joins_while_all_are_there() -> None:
    finality = begin()
    follow(finality, *((*FIVE, X) * 10))
    assert finality.solid > 50
    assert set(finality.members) == set(FIVE)


def test_more_newcomers_than_one_may_be_missing_stop_it() -> None:
    finality = begin()
    follow(finality, A, X, B, Y, C)
    assert finality.is_blocked
    assert follow(finality, D, E, A, B, C) == 0
    finality.revert(3)
    assert not finality.is_blocked
    assert follow(finality, C, D, E) == 3


def test_no_more_members_than_producers() -> None:
    with pytest.raises(ValueError, match="2 of 1"):
        ProducerSet(1, {A: A, B: B})
    with pytest.raises(ValueError, match="0 of 1"):
        ProducerSet(1, {})


def test_it_goes_on_from_what_is_stored() -> None:
    """Members, final blocks and recent blocks are all there is to it."""
    finality, blocks = begin(), list[SignedBlock]()
    for at, each in enumerate((*FIVE, *(A, B, C, X, D) * 6)):
        changes = (KeyChange(A, Y),) if at == 24 else ()
        signer = Y if each == A and at > 24 else each
        grow(finality, each, signer, changes=changes)
        blocks.append(finality._recent[-1])
        finality.advance(finality.head - 1)
        start = max(0, finality.solid - final_rounds(5))
        resumed = Finality.resume(
            5,
            finality.members.values(),
            solid=finality.solid,
            solid_id=finality.solid_id,
            final=blocks[start : finality.solid],
            named=finality._named,
        )
        for block in blocks[finality.solid :]:
            resumed.observe(block)
        for name in ("solid", "solid_id", "members", "_seen", "_recent"):
            assert getattr(resumed, name) == getattr(finality, name)
        assert resumed.next_votes == finality.next_votes
        assert resumed.unproven == finality.unproven
    assert X in finality.members
    assert keys(finality)[A] == Y


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_it_is_as_the_naive_model_says_and_no_forgery_is_final(seed: int) -> None:
    failure = play(seed)
    assert failure is None, failure


# Each rule removed: patches of `Finality`, and what notices.


def _by_known_size(self: Finality) -> int:
    return needed(len(self.members))


def _blocks_not_producers(self: Finality) -> int:
    counting = [each.number for each in self._recent if self.counts(each)]
    return counting[-self.wanted] if len(counting) >= self.wanted else self.solid


def _any_key(self: Finality, block: SignedBlock) -> bool:
    return block.producer in self.members


def _anybody(self: Finality, block: SignedBlock) -> bool:
    return True


def _old_key_too(self: Finality, block: SignedBlock) -> bool:
    ever = [each.member for each in self.changes]
    return any(
        (each.producer, each.key) == (block.producer, block.signer) for each in ever
    )


_observe, _revert, _finish = Finality.observe, Finality.revert, Finality._finish


def _join_at_sight(self: Finality, block: SignedBlock) -> None:
    if block.producer not in self.members:
        self._start(block.producer, block.signer, "joined")
    _observe(self, block)


def _keys_at_sight(self: Finality, block: SignedBlock) -> None:
    _observe(self, block)
    self._take_keys(SignedBlock(0, block.id, block.id, X, X, block.changes))


def _beside(self: Finality) -> list[Address]:
    return [each for each in self._seen if each not in self.members]


def _leave_at_sight(self: Finality) -> bool:
    """Who makes no recent block is absent."""
    absent = sorted(each for each in self.members if each not in self._votes)
    waiting = sorted(filter(self._key_to_join_with, _beside(self)))
    for gone, new in zip(absent, waiting, strict=False):
        self._end(self.members[gone])
        self._start(new, self._key_to_join_with(new) or new, "joined")
    return bool(absent and waiting)


def _join_without_place(self: Finality) -> bool:
    waiting = sorted(filter(self._key_to_join_with, _beside(self)))
    for new in waiting:
        self._start(new, self._key_to_join_with(new) or new, "joined")
    return bool(waiting)


_take_keys = Finality._take_keys


def _keys_by_signature(self: Finality, block: SignedBlock) -> bool:
    member = self.members.get(block.producer)
    is_other = member is not None and member.key != block.signer
    if member is not None and is_other:
        self._end(member)
        self._start(block.producer, block.signer, "block")
    return _take_keys(self, block) or is_other


def _any_key_to_join_with(self: Finality, producer: Address) -> Address:
    return self._named.get(producer) or self._seen[producer][1]


def _no_limit(self: Finality, limit: int) -> None:
    del limit
    while not self.is_blocked and self._built_on() > self.solid:
        self._finish()


def _judged_by_the_set_before(self: Finality) -> bool:
    return _finish(self) and self.solid >= self._built_on()


def _fork_keeps_votes(self: Finality, number: int) -> None:
    del self._recent[number - self.solid :]


REMOVED: dict[str, tuple[str, object, str]] = {
    "n is the network's number": ("wanted", property(_by_known_size), "forged"),
    "producers count, not blocks": ("_built_on", _blocks_not_producers, "forged"),
    "the producer's key": ("counts", _any_key, "forged"),
    "members only": ("counts", _anybody, "forged"),
    "the old key counts no more": ("counts", _old_key_too, "forged"),
    "joining needs a final block": ("observe", _join_at_sight, "forged"),
    "a new key needs a final block": ("observe", _keys_at_sight, "forged"),
    "a signature proves no key": ("_take_keys", _keys_by_signature, "forged"),
    "who joins, with a proven key": (
        "_key_to_join_with",
        _any_key_to_join_with,
        "differs",
    ),
    "absence in final blocks": ("_take_places", _leave_at_sight, "differs"),
    "n members": ("_take_places", _join_without_place, "differs"),
    "few newcomers at a time": ("is_blocked", property(lambda _: False), "differs"),
    "never more than the node says": ("advance", _no_limit, "differs"),
    "one block after the other": ("_finish", _judged_by_the_set_before, "differs"),
    "a fork takes votes back": ("revert", _fork_keeps_votes, "forged"),
}


@pytest.mark.parametrize("rule", REMOVED)
def test_the_model_notices_when_a_rule_is_removed(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, patch, kind = REMOVED[rule]
    monkeypatch.setattr(Finality, name, patch)
    failures = set()
    for seed in range(SCRIPTS):
        failure = play(seed, compare=kind == "differs")
        if failure is not None:
            failures.add(failure.kind)
            break
    assert failures == {kind}


def test_no_script_fails_while_all_rules_hold() -> None:
    assert [play(seed) for seed in range(SCRIPTS)] == [None] * SCRIPTS
