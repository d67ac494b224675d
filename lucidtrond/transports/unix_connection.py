"""One peer of the Unix socket: bytes to texts to messages, answers to bytes.

The pump's task answers inline methods, a burst at a time; others get a task each.
Answers gather in an outbox and leave in one write. A connection has no task of its own:
between two bursts it is a row in the pump's epoll, which asks for input exactly while
nothing is unsent, unhandled or too much in flight.

Its states, and what follows from them, are `connection_state`'s; here the steps are
done.
"""

import logging
import socket
from collections import deque
from math import inf
from typing import Final, assert_never

import trio
from attrs import define, field
from msgspec import UNSET, Struct

from lucidtrond.api.caller import Caller
from lucidtrond.errors import CallError, ShuttingDown, TooLarge
from lucidtrond.rpc.codes import code_of, data_of
from lucidtrond.rpc.dispatch import Call, Dispatcher, overrun
from lucidtrond.rpc.framing import MAX_TEXT, Framer
from lucidtrond.rpc.messages import (
    NULL,
    Batch,
    Fault,
    Message,
    Request,
    encode_batch,
    encode_error,
    parse,
)
from lucidtrond.rpc.session import DEFAULT_LIMITS, Session, SessionLimits
from lucidtrond.transports.connection_state import (
    READABLE,
    SENDABLE,
    Fact,
    State,
    Step,
    after,
    next_step,
)
from lucidtrond.transports.outbox import Outbox
from lucidtrond.transports.pump import HUNG_UP, WRITABLE, Pump, notice_waiting
from lucidtrond.transports.pump import READABLE as INPUT

log = logging.getLogger(__name__)

READ_BYTES: Final = 64 * 1024
COALESCE_BYTES: Final = 256 * 1024
# Members of an enumeration are found more quickly here than in it.
OPEN, CLOSED = State.OPEN, State.CLOSED
_EVENTS: Final = {Step.READ: INPUT, Step.SEND: WRITABLE}
FAIR_BURST: Final = 32
"""Inline calls of one connection before others get their turn."""
GONE_S: Final = 1.0
"""How long we go on with what a peer sent that is gone."""
INLINE_S: Final = 5.0
"""An inline method that waits so long is ended."""


class UnixLimits(Struct, frozen=True):
    """Bounds of one server."""

    max_connections: int = 4096
    text_bytes: int = MAX_TEXT
    text_s: float = 30.0
    write_s: float = 30.0
    session: SessionLimits = DEFAULT_LIMITS


@define(eq=False)
class Service:
    """What all connections of one server share."""

    dispatcher: Dispatcher
    limits: UnixLimits
    pump: Pump
    calls: trio.Nursery
    connections: "set[Connection]" = field(factory=set)
    is_draining: bool = False

    def forget(self, connection: "Connection") -> None:
        """Drop what has ended; the last one of a drained server ends its pump."""
        self.connections.discard(connection)
        self.end_if_drained()

    def end_if_drained(self) -> None:
        if self.is_draining and not self.connections:
            self.pump.finish()


@define(eq=False)
class Connection:
    """Owns *sock* from `open` on."""

    service: Service
    caller: Caller
    sock: socket.socket
    session: Session = field(init=False)
    _inline_call: Call = field(init=False)
    _state: State = State.OPEN
    # What was read and not yet handled.
    _pending: deque[bytes] = field(init=False, factory=deque)
    _framer: Framer = field(init=False)
    _fd: int = field(init=False)
    _out: Outbox = field(init=False)
    _armed: int = INPUT
    _is_queued: bool = False
    # The inline call that is being answered, in case it waits in spite of its word;
    # when it began to, and what ends it then.
    _inline: Message | None = None
    _waits_since: float = inf
    _guard: trio.CancelScope | None = None
    _in_flight: int = 0
    # Of the calls, not of the notifications: nobody waits for those anyway.
    _scopes: set[trio.CancelScope] = field(init=False, factory=set)
    _deadline: float = inf
    """Of the text that has begun to arrive, or of what a lost peer left behind."""

    def __attrs_post_init__(self) -> None:
        limits = self.service.limits
        self.session = Session(self.caller, self, limits.session)
        self._inline_call = Call(self.caller, self.session, watched=True)
        self._framer = Framer(limits.text_bytes)
        self._out = Outbox(limits.write_s)
        self._fd = self.sock.fileno()

    def open(self) -> None:
        """Take part from now on."""
        self.service.connections.add(self)
        self.service.pump.watch(self._fd, self)

    # What others tell it. None of it blocks.

    def look_after(self, now: float) -> None:
        """The janitor's view, about once a second."""
        if min(self._out.deadline, self._deadline) < now:
            self.hang_up()
        elif now - self._waits_since > INLINE_S:
            self._end_inline()

    def hang_up(self) -> None:
        """Drop the peer and the calls it waits for."""
        if self._state is CLOSED:
            return
        self._state = after(self._state, Fact.CLOSE)
        self.service.pump.unwatch(self._fd)
        self.sock.close()
        self.session.close()
        self._pending.clear()
        self._out.clear()
        self._deadline = inf
        for scope in self._scopes:
            scope.cancel()
        if self._waits_since < inf:
            self._end_inline()
        self._leave()

    def drain(self) -> None:
        """See that the server is draining."""
        self._state = after(self._state, Fact.DRAIN)
        self._settle()

    def push(self, frame: bytes) -> bool:
        """Send an event's frame, at once if nothing is ahead of it."""
        if self._state not in SENDABLE:
            return False
        line = frame + b"\n"
        if self._out:
            if self._out.size + len(line) > self.session.limits.event_bytes:
                return False
            self._out.put(line)
            return True
        self._out.put(line)
        if not self._out.flush(self.sock):
            self._lose_peer()
            return False
        if self._out:
            self._arm(Step.SEND)
        return True

    # What the pump tells it.

    def on_ready(self, events: int) -> bool:
        """Send what waits; True to get a turn."""
        if events != INPUT:
            if events & HUNG_UP:
                self._lose_peer()
            elif events & WRITABLE:
                self._settle()
        if not events & ~WRITABLE or self._is_queued or self._state is CLOSED:
            return False
        self._is_queued = self._inline is None
        return self._is_queued

    def _lose_peer(self) -> None:
        """Nobody reads any more; what was sent to us is carried out all the same."""
        if self._state in SENDABLE:
            self._state = after(self._state, Fact.PEER_GONE)
            self._deadline = trio.current_time() + GONE_S
            self.service.pump.unwatch(self._fd)  # it would tell us for ever
        self._out.clear()

    def _end_input(self) -> None:
        self._state = after(self._state, Fact.INPUT_ENDED)
        if self._state in SENDABLE:
            self._deadline = inf

    async def work(self, guard: trio.CancelScope) -> int:
        """Read if nothing is left of the last time, and answer a burst."""
        self._is_queued = False
        if self._state is CLOSED:
            return 1
        pending, out, service = self._pending, self._out, self.service
        if not pending:
            self._read()
        self._guard = guard
        answer_of, is_inline = service.dispatcher.answer, service.dispatcher.is_inline
        max_batch = service.dispatcher.max_batch
        most_in_flight = self.session.limits.in_flight
        calls = 0
        while (
            pending
            and calls < FAIR_BURST
            and self._in_flight < most_in_flight
            and out.size <= COALESCE_BYTES
        ):
            calls += 1
            message = parse(pending.popleft(), max_batch=max_batch)
            if service.is_draining:
                self._put(refuse(message, ShuttingDown("the daemon is stopping")))
            elif is_inline(message):
                self._inline = message
                answer = await notice_waiting(
                    answer_of(message, self._inline_call), self._on_wait
                )
                self._inline, self._waits_since = None, inf
                self._put(answer)
                self.session.answered()
                if type(message) is Fault and message.fatal:
                    self._stop_reading()
            else:
                self._start(message)
        self._settle()
        return calls + 1

    def cut_short(self) -> None:
        """The janitor's word: an inline method has waited for too long."""
        message, self._inline, self._waits_since = self._inline, None, inf
        if message is not None:
            self._put(refuse(message, overrun("an inline method", INLINE_S)))
        self._settle()

    def _end_inline(self) -> None:
        if self._inline is not None and self._guard is not None:
            self._guard.cancel()

    def _has_room(self) -> bool:
        return self._in_flight < self.session.limits.in_flight

    def _stop_reading(self) -> None:
        """Nothing after this makes sense: answer what is under way and close."""
        self._pending.clear()
        self._end_input()
        self.session.close()

    def _on_wait(self) -> None:
        """An inline method breaks its promise: nobody else may suffer."""
        if not self._out.flush(self.sock):
            self._lose_peer()
        self._arm(Step.SEND if self._out else Step.WAIT)
        self._waits_since = trio.current_time()
        if self._guard is not None:
            self.service.pump.step_down(self._guard)

    def _settle(self) -> None:
        """Send, then do what is next: another turn, listening, or the end."""
        if not self._out.flush(self.sock):
            self._lose_peer()
        if self._is_idle():
            return
        if self._state is CLOSED:
            self._leave()
            return
        if self._inline is not None:
            self._arm(Step.SEND if self._out else Step.WAIT)
            return
        while self._state is State.DRAINING and not (self._pending or self._out):
            if not self._read():
                break
        step = next_step(
            self._state,
            pending=bool(self._pending),
            unsent=bool(self._out),
            in_flight=self._in_flight > 0,
            has_room=self._has_room(),
            subscribed=self.session.has_subscriptions and not self.service.is_draining,
        )
        if step is Step.CLOSE:
            self.hang_up()
        elif step is Step.TURN and not self._is_queued:
            self._is_queued = True
            self.service.pump.queue(self)
        self._arm(step)

    def _is_idle(self) -> bool:
        """Nothing is left to do: `next_step` is READ, and that is asked for already."""
        return (
            self._state is OPEN
            and self._armed == INPUT
            and not (self._pending or self._out.size or self._in_flight)
            and self._inline is None
            and self._framer.is_empty
        )

    def _leave(self) -> None:
        """Closed and with nothing in flight it counts no longer."""
        if self._state is CLOSED and not self._in_flight and self._inline is None:
            self.service.forget(self)

    def _arm(self, step: Step) -> None:
        """Ask for what we wait for; a text that has begun must then become whole."""
        wanted = _EVENTS.get(step, 0)
        if step is Step.READ and self._deadline == inf and not self._framer.is_empty:
            self._deadline = trio.current_time() + self.service.limits.text_s
        if wanted != self._armed and self._state in SENDABLE and not self._is_queued:
            self._armed = wanted
            self.service.pump.rearm(self._fd, wanted)

    def _read(self) -> bool:
        """Take what the kernel has for us; False when that is nothing."""
        if self._state not in READABLE:
            return False
        try:
            data = self.sock.recv(READ_BYTES)
        except BlockingIOError:
            if self._state is State.GONE:
                self._end_input()
            return False
        except OSError:
            self.hang_up()
            return False
        if data:
            texts = self._framer.feed(data)
        else:
            texts = self._framer.finish()
            self._end_input()
        self._pending.extend(texts)
        if self._framer.overflow:
            limit = self._framer.max_text
            self._put(refuse_all(TooLarge(f"a text over {limit} bytes", limit=limit)))
            self._end_input()
            self.session.close()
        if (texts or self._framer.is_empty) and self._state in SENDABLE:
            self._deadline = inf  # the next text has its own
        return True

    # Calls that take time.

    def _start(self, message: Message) -> None:
        self._in_flight += 1
        scope = trio.CancelScope()
        if type(message) is not Request or message.id is not UNSET:
            self._scopes.add(scope)
        self.service.calls.start_soon(self._run, message, scope)

    async def _run(self, message: Message, scope: trio.CancelScope) -> None:
        call = Call(self.caller, self.session)
        try:
            with scope:
                answer = await self.service.dispatcher.answer(message, call)
                if answer is not None:
                    self._put(answer)
                    self.session.answered()
        finally:
            self._scopes.discard(scope)
            self._in_flight -= 1
            self._settle()

    def _put(self, answer: bytes | None) -> None:
        """Add an answer to the outbox, or drop a peer that reads none of them."""
        if answer is None or self._state not in SENDABLE:
            return
        if self._out.size > self.session.limits.out_bytes:
            log.warning("peer does not read its answers", extra=self._identity())
            self.hang_up()
            return
        self._out.put(answer + b"\n")

    def _identity(self) -> dict[str, str]:
        return {"caller": self.caller.identity}


def refuse(message: Message, error: CallError) -> bytes | None:
    """Answer every call of *message* with *error* and run none."""
    match message:
        case Request(id=request_id):
            if request_id is UNSET:
                return None
            return _encode(bytes(request_id), error)
        case Fault(answer=answer):
            return answer
        case Batch(members=members):
            answers = [refuse(member, error) for member in members]
            sent = [answer for answer in answers if answer is not None]
            return encode_batch(sent) if sent else None
        case _:
            assert_never(message)


def refuse_all(error: CallError) -> bytes:
    """Say to a peer why nothing more is taken from it."""
    return _encode(NULL, error)


def _encode(request_id: bytes, error: CallError) -> bytes:
    return encode_error(request_id, code_of(error), str(error), data_of(error))
