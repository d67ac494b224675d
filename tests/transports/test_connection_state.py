"""The table of a connection's states, and what follows from it."""

from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.transports.connection_state import (
    NEXT,
    READABLE,
    SENDABLE,
    Fact,
    State,
    Step,
    after,
    next_step,
)

facts = st.lists(st.sampled_from(Fact), max_size=8)
flags = st.fixed_dictionaries(
    {
        name: st.booleans()
        for name in ("pending", "unsent", "in_flight", "has_room", "subscribed")
    }
)
states = st.sampled_from(State)


def follow(order: list[Fact]) -> State:
    state = State.OPEN
    for fact in order:
        state = after(state, fact)
    return state


def test_every_state_has_its_line_in_the_table() -> None:
    assert set(NEXT) == set(State)


@given(facts)
def test_what_is_over_stays_over(order: list[Fact]) -> None:
    state = follow(order)
    if Fact.CLOSE in order:
        assert state is State.CLOSED
    else:
        assert state is not State.CLOSED
        assert (state in SENDABLE) == (Fact.PEER_GONE not in order)
        assert (state in READABLE) == (Fact.INPUT_ENDED not in order)


@given(states, flags)
def test_a_step_fits_its_state(state: State, left: dict[str, bool]) -> None:
    step = next_step(state, **left)
    if step is Step.READ:
        assert state in READABLE
        assert not left["pending"]
        assert left["has_room"]
    if step is Step.SEND:
        assert state in SENDABLE
        assert left["unsent"]
    if state is State.CLOSED:
        assert step is Step.WAIT


@given(states, flags)
def test_nothing_is_closed_while_something_is_left_to_do(
    state: State, left: dict[str, bool]
) -> None:
    if next_step(state, **left) is not Step.CLOSE:
        return
    assert not left["pending"]
    if state in SENDABLE:
        assert not left["unsent"]
        assert not left["in_flight"]


@given(states, flags)
def test_waiting_is_only_for_what_will_end(state: State, left: dict[str, bool]) -> None:
    """A connection that waits is woken by a call that ends, or by its own events."""
    if state is State.CLOSED or next_step(state, **left) is not Step.WAIT:
        return
    assert left["in_flight"] or left["subscribed"] or not left["has_room"]


def test_a_connection_that_drains_ends_when_its_calls_have() -> None:
    left = {"pending": False, "unsent": False, "has_room": True, "subscribed": True}
    assert next_step(State.DRAINING, in_flight=True, **left) is Step.READ
    assert next_step(State.DRAINING, in_flight=False, **left) is Step.CLOSE


def test_subscribed_peers_may_end_their_input_and_stay() -> None:
    left = {"pending": False, "unsent": False, "has_room": True, "in_flight": False}
    assert next_step(State.ENDED, subscribed=True, **left) is Step.WAIT
    assert next_step(State.ENDED, subscribed=False, **left) is Step.CLOSE


def test_what_a_peer_sent_before_it_went_is_carried_out() -> None:
    left = {"unsent": False, "in_flight": False, "has_room": True, "subscribed": False}
    assert next_step(State.GONE, pending=True, **left) is Step.TURN
    assert next_step(State.GONE, pending=False, **left) is Step.TURN  # to read the rest
    assert next_step(State.LOST, pending=True, **left) is Step.TURN
    assert next_step(State.LOST, pending=False, **left) is Step.CLOSE


def test_an_open_connection_with_nothing_left_reads() -> None:
    """What both kinds of connection take for granted when they are at rest."""
    left = {"pending": False, "unsent": False, "in_flight": False, "has_room": True}
    for subscribed in (False, True):
        assert next_step(State.OPEN, subscribed=subscribed, **left) is Step.READ
