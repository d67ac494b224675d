"""The life of one connection that the pump serves: states, and what to do next. Pure.

Theory. A connection is in one state; four facts move it:

    state      INPUT_ENDED  DRAIN     PEER_GONE  CLOSE
    ---------  -----------  --------  ---------  ------
    OPEN       ENDED        DRAINING  GONE       CLOSED
    DRAINING   ENDED        -         GONE       CLOSED
    ENDED      -            -         LOST       CLOSED
    GONE       LOST         -         -          CLOSED
    LOST       -            -         -          CLOSED
    CLOSED     -            -         -          -

OPEN: both sides talk. ENDED: nothing more is read (the peer ended its input, or sent
something after which the connection can't go on); it is still sent to. DRAINING: the
server is stopping; what arrives is refused, what is under way ends. GONE: nobody
receives any more, but what was sent to us may still be unread. LOST: nobody receives
and all was read. CLOSED: the socket is closed.

What to do next follows from the state and from what is left (`next_step`); the shells
(`unix_connection`, `http_connection`) do it and decide nothing. Deadlines are theirs.

The enumerations are strings, whose hash costs nothing: each call looks some up.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a connection is in its life."""

    OPEN = "open"
    DRAINING = "draining"
    ENDED = "input ended"
    GONE = "peer gone"
    LOST = "peer gone, all read"
    CLOSED = "closed"


class Fact(StrEnum):
    """What moves a connection from one state to another."""

    INPUT_ENDED = "nothing more is read"
    DRAIN = "the server is stopping"
    PEER_GONE = "nobody receives any more"
    CLOSE = "the socket is closed"


class Step(StrEnum):
    """What a connection does next."""

    WAIT = "nothing until a call ends"
    READ = "wait for input"
    SEND = "wait until the kernel takes more"
    TURN = "get a turn in the pump"
    CLOSE = "close the socket"


NEXT: Final[Mapping[State, Mapping[Fact, State]]] = {
    State.OPEN: {
        Fact.INPUT_ENDED: State.ENDED,
        Fact.DRAIN: State.DRAINING,
        Fact.PEER_GONE: State.GONE,
        Fact.CLOSE: State.CLOSED,
    },
    State.DRAINING: {
        Fact.INPUT_ENDED: State.ENDED,
        Fact.PEER_GONE: State.GONE,
        Fact.CLOSE: State.CLOSED,
    },
    State.ENDED: {Fact.PEER_GONE: State.LOST, Fact.CLOSE: State.CLOSED},
    State.GONE: {Fact.INPUT_ENDED: State.LOST, Fact.CLOSE: State.CLOSED},
    State.LOST: {Fact.CLOSE: State.CLOSED},
    State.CLOSED: {},
}

READABLE: Final = frozenset({State.OPEN, State.DRAINING, State.GONE})
"""States in which input may still be read."""
SENDABLE: Final = frozenset({State.OPEN, State.DRAINING, State.ENDED})
"""States in which somebody receives what is sent."""


def after(state: State, fact: Fact) -> State:
    """The state that *fact* leads to; the same where the table has no entry."""
    return NEXT[state].get(fact, state)


def next_step(  # noqa: PLR0911 - one return for each case of the table
    state: State,
    *,
    pending: bool,
    unsent: bool,
    in_flight: bool,
    has_room: bool,
    subscribed: bool,
) -> Step:
    """What to do, given what is left of the work.

    *pending*: messages were read and not handled. *unsent*: the kernel did not take
    all output. *in_flight*: calls are under way. *has_room*: another may begin.
    *subscribed*: events are still to be sent to a peer that ended its input.
    """
    if state is State.CLOSED:
        return Step.WAIT
    if unsent and state in SENDABLE:
        return Step.SEND
    if pending:
        return Step.TURN if has_room else Step.WAIT
    match state:
        case State.LOST:
            return Step.CLOSE
        case State.GONE:
            return Step.TURN
        case State.ENDED:
            return Step.WAIT if in_flight or subscribed else Step.CLOSE
        case State.DRAINING if not in_flight:
            return Step.CLOSE
        case _:
            return Step.READ if has_room else Step.WAIT
