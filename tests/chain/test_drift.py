"""The verdict on one reading, against a model that knows the true balances."""

from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.chain.drift import (
    Agrees,
    Base,
    Differs,
    Inconclusive,
    Reading,
    judge,
    starts_at_zero,
)

steps = st.lists(st.sampled_from([0, 0, 0, 5, -3, 2**200]), min_size=1, max_size=30)


@given(steps, st.data())
def test_only_what_the_ledger_does_not_know_is_a_drift(
    moves: list[int], data: st.DataObject
) -> None:
    """*moves* are what each block did; of one the ledger may know nothing."""
    last = len(moves) - 1
    number = data.draw(st.integers(0, last))
    before = data.draw(st.integers(0, last))
    after = data.draw(st.integers(before, last))
    read_at = data.draw(st.integers(before, after))
    hidden = data.draw(st.none() | st.integers(0, last))
    recorded = [0 if at == hidden else move for at, move in enumerate(moves)]
    base = Base(number, sum(moves[: number + 1]))
    verdict = judge(
        base,
        Reading(before, after, sum(moves[: read_at + 1])),
        moved=sum(recorded[number + 1 : before + 1]),
        touched_between=any(recorded[before + 1 : after + 1]),
    )
    if any(recorded[before + 1 : after + 1]) or before < number:
        assert isinstance(verdict, Inconclusive)
        return
    is_hidden = hidden is not None and moves[hidden] and number < hidden <= read_at
    if is_hidden and hidden is not None:
        assert verdict == Differs(moves[hidden], number + 1)
        assert verdict.first <= hidden
    else:
        assert verdict == Agrees(Base(after, sum(moves[: read_at + 1])))


def test_what_is_read_first_is_the_base_unless_it_was_touched_meanwhile() -> None:
    reading = Reading(7, 9, 5)
    first = judge(None, reading, moved=0, touched_between=False)
    assert first == Agrees(Base(9, 5))
    touched = judge(None, reading, moved=0, touched_between=True)
    assert isinstance(touched, Inconclusive)
    back = judge(Base(1, 5), Reading(9, 7, 5), moved=0, touched_between=False)
    assert isinstance(back, Inconclusive)


@given(st.integers(0, 9), st.integers(0, 9))
def test_an_account_that_was_made_after_it_was_watched_starts_at_zero(
    created: int, watched: int
) -> None:
    whole = starts_at_zero(
        activated=True, created_ms=created * 3000, known_since_ms=watched * 3000
    )
    assert whole == (created >= watched)
    assert not starts_at_zero(activated=True, created_ms=None, known_since_ms=0)
    assert not starts_at_zero(activated=True, created_ms=1, known_since_ms=None)
    assert starts_at_zero(activated=False, created_ms=None, known_since_ms=None)
