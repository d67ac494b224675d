"""What a connection holds, and that closing gives it all back."""

import pytest
from attrs import define, field

from lucidtrond.api.caller import Caller
from lucidtrond.errors import NotFound, TooBusy
from lucidtrond.rpc.session import Session, SessionLimits


@define
class Box:
    room: int = 10
    frames: list[bytes] = field(factory=list)

    def push(self, frame: bytes) -> bool:
        if len(self.frames) >= self.room:
            return False
        self.frames.append(frame)
        return True


@pytest.fixture
def session() -> Session:
    caller = Caller("unix", "uid=1", frozenset())
    return Session(caller, Box(), SessionLimits(subscriptions=2))


def test_subscriptions_are_bounded_and_closing_ends_them(session: Session) -> None:
    ended: list[str] = []
    session.hold("a", lambda: ended.append("a"))
    session.hold("b", lambda: ended.append("b"))
    with pytest.raises(TooBusy):
        session.check_capacity()
    with pytest.raises(TooBusy):
        session.hold("c", lambda: ended.append("c"))
    assert ended == ["c"]
    session.release("a")
    session.check_capacity()
    session.close()
    session.close()
    assert ended == ["c", "a", "b"]


def test_only_the_connection_that_holds_a_subscription_can_end_it(
    session: Session,
) -> None:
    with pytest.raises(NotFound):
        session.release("a")
    session.hold("a", lambda: None)
    session.forget("a")
    session.forget("a")
    assert not session.has_subscriptions
    with pytest.raises(NotFound):
        session.release("a")


def test_a_closed_connection_takes_no_frame_and_no_subscription(
    session: Session,
) -> None:
    ended: list[str] = []
    assert session.push(b"1")
    session.close()
    assert not session.push(b"2")
    with pytest.raises(TooBusy):
        session.hold("a", lambda: ended.append("a"))
    assert ended == ["a"]


def test_what_is_deferred_runs_once_behind_the_answer(session: Session) -> None:
    ran: list[int] = []
    session.after_answer(lambda: ran.append(1))
    assert ran == []
    session.answered()
    session.answered()
    assert ran == [1]
