"""One peer of the Unix socket: bytes to texts to messages, answers to bytes.

The pump's task answers inline methods, a burst at a time; others get a task each.
Answers gather in an outbox and leave in one write. A connection has no task of its own:
between two bursts it is a row in the pump's epoll, which asks for input exactly while
nothing is unsent, unhandled or too much in flight.
"""

import logging
import socket
from collections import deque
from math import inf
from typing import Final, assert_never

import trio
from attrs import define, field, frozen
from msgspec import UNSET

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
from lucidtrond.transports.pump import (
    HUNG_UP,
    READABLE,
    WRITABLE,
    Pump,
    notice_waiting,
)

log = logging.getLogger(__name__)

READ_BYTES: Final = 64 * 1024
COALESCE_BYTES: Final = 256 * 1024
FAIR_BURST: Final = 32
"""Inline calls of one connection before others get their turn."""
GONE_S: Final = 1.0
"""How long we go on with what a peer sent that is gone."""
INLINE_S: Final = 5.0
"""An inline method that waits so long is ended."""


@frozen
class UnixLimits:
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
    # What was read and not yet handled.
    _pending: deque[bytes] = field(init=False, factory=deque)
    _framer: Framer = field(init=False)
    _fd: int = field(init=False)
    _armed: int = READABLE
    _is_queued: bool = False
    _has_ended: bool = False
    _is_half_closed: bool = False
    _is_hung_up: bool = False
    _is_closed: bool = False
    _guard: trio.CancelScope | None = None
    _inline: Message | None = None
    _inline_since: float = inf
    _in_flight: int = 0
    # Of the calls, not of the notifications: nobody waits for those anyway.
    _scopes: set[trio.CancelScope] = field(init=False, factory=set)
    _out: list[bytes] = field(init=False, factory=list)
    _out_bytes: int = 0
    _text_deadline: float = inf
    _write_deadline: float = inf
    _gone_since: float = inf

    def __attrs_post_init__(self) -> None:
        limits = self.service.limits
        self.session = Session(self.caller, self, limits.session)
        self._framer = Framer(limits.text_bytes)
        self._fd = self.sock.fileno()

    def open(self) -> None:
        """Take part from now on."""
        self.service.connections.add(self)
        self.service.pump.watch(self._fd, self)

    # What others tell it. None of it blocks.

    def look_after(self, now: float) -> None:
        """The janitor's view, about once a second."""
        late = min(self._write_deadline, self._text_deadline, self._gone_since + GONE_S)
        if late < now:
            self.hang_up()
        elif self._guard is not None and now - self._inline_since > INLINE_S:
            self._guard.cancel()

    def hang_up(self) -> None:
        """Drop the peer and the calls it waits for."""
        if self._is_closed:
            return
        self._is_closed = True
        self.service.pump.unwatch(self._fd)
        self.sock.close()
        self.session.close()
        self._pending.clear()
        self._out.clear()
        self._write_deadline = self._text_deadline = self._gone_since = inf
        for scope in self._scopes:
            scope.cancel()
        if self._guard is not None and self._inline_since < inf:
            self._guard.cancel()
        self._leave()

    def drain(self) -> None:
        """See that the server is draining."""
        self._settle()

    def push(self, frame: bytes) -> bool:
        """Send an event's frame, at once if nothing is ahead of it."""
        if self._is_closed or self._is_hung_up:
            return False
        line = frame + b"\n"
        if self._out:
            if self._out_bytes + len(line) > self.session.limits.event_bytes:
                return False
            self._out.append(line)
            self._out_bytes += len(line)
            return True
        self._out.append(line)
        self._out_bytes = len(line)
        self._flush()
        if self._out:
            self._arm()
        return not self._is_hung_up

    # What the pump tells it.

    def on_ready(self, events: int) -> bool:
        """Send what waits; True to get a turn."""
        if events & HUNG_UP:
            self._lose_peer()
        if events & WRITABLE and not self._is_hung_up:
            self._flush()
            self._settle()
        if not events & ~WRITABLE or self._is_queued or self._is_closed:
            return False
        self._is_queued = self._inline is None
        return self._is_queued

    def _lose_peer(self) -> None:
        """Nobody reads any more; what was sent to us is carried out all the same."""
        if not self._is_hung_up:
            self._is_hung_up = True
            self._gone_since = trio.current_time()
            self.service.pump.unwatch(self._fd)  # it would tell us for ever
        self._out.clear()
        self._out_bytes = 0
        self._write_deadline = inf

    async def work(self, guard: trio.CancelScope) -> int:
        """Read if nothing is left of the last time, and answer a burst."""
        self._is_queued = False
        if self._is_closed:
            return 1
        if not (self._pending or self._has_ended or self._read()):
            if self._is_hung_up:
                self.hang_up()
            return 1
        self._guard = guard
        calls = await self._run_burst()
        self._guard = None
        self._settle()
        return calls + 1

    def cut_short(self) -> None:
        """The janitor's word: an inline method has waited for too long."""
        message, self._inline = self._inline, None
        self._guard, self._inline_since = None, inf
        if message is not None:
            self._put(refuse(message, overrun("an inline method", INLINE_S)))
        self._settle()

    async def _run_burst(self) -> int:
        pending, dispatcher = self._pending, self.service.dispatcher
        call = Call(self.caller, self.session, watched=True)
        room = self.session.limits.in_flight
        calls = 0
        while (
            pending
            and calls < FAIR_BURST
            and self._in_flight < room
            and self._out_bytes <= COALESCE_BYTES
        ):
            calls += 1
            message = parse(pending.popleft())
            if self.service.is_draining:
                self._put(refuse(message, ShuttingDown("the daemon is stopping")))
            elif dispatcher.is_inline(message):
                self._inline = message
                answer = await notice_waiting(
                    dispatcher.answer(message, call), self._on_wait
                )
                self._inline = None
                self._inline_since = inf
                self._put(answer)
                self.session.answered()
                if type(message) is Fault and message.fatal:
                    self._has_ended = True
                    pending.clear()
            else:
                self._start(message)
        return calls

    def _on_wait(self) -> None:
        """An inline method breaks its promise: nobody else may suffer."""
        self._inline_since = trio.current_time()
        self._flush()
        self._arm()
        if self._guard is not None:
            self.service.pump.step_down(self._guard)

    def _settle(self) -> None:
        """Send, then decide what is next: another turn, listening, or the end."""
        if self._out:
            self._flush()
        if self._is_closed or self._inline is not None:
            self._leave()
            return
        if self.service.is_draining and not self._out:
            while not self._pending and not self._has_ended and self._read():
                pass
        if self._pending:
            if not self._out and self._in_flight < self.session.limits.in_flight:
                self._take_turn()
        elif self._has_ended:
            self._end()
        elif self._is_hung_up:
            self._take_turn()
        elif self.service.is_draining and not self._in_flight and not self._out:
            self.hang_up()
        self._arm()

    def _take_turn(self) -> None:
        if not self._is_queued:
            self._is_queued = True
            self.service.pump.queue(self)

    def _end(self) -> None:
        """Leave, as soon as a peer that sends no more has all it is to receive."""
        if not self._is_half_closed:
            self.session.close()
        elif self._is_hung_up:
            self.hang_up()
            return
        waits = self.session.has_subscriptions and not self.service.is_draining
        if not self._out and not self._in_flight and not waits:
            self.hang_up()

    def _leave(self) -> None:
        """Closed and with nothing in flight it counts no longer."""
        if self._is_closed and not self._in_flight and self._inline is None:
            self.service.forget(self)

    def _arm(self) -> None:
        """Ask for what we wait for; a text that has begun must then become whole."""
        wanted = WRITABLE if self._out else 0
        if (
            not wanted
            and not self._has_ended
            and not self._pending
            and self._inline is None
            and self._in_flight < self.session.limits.in_flight
        ):
            wanted = READABLE
            if self._text_deadline == inf and not self._framer.is_empty:
                now = trio.current_time()
                self._text_deadline = now + self.service.limits.text_s
        quiet = self._is_queued or self._is_closed or self._is_hung_up
        if wanted != self._armed and not quiet:
            self._armed = wanted
            self.service.pump.rearm(self._fd, wanted)

    def _read(self) -> bool:
        """Take what the kernel has for us; False when that is nothing."""
        try:
            data = self.sock.recv(READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            self.hang_up()
            return False
        if data:
            texts = self._framer.feed(data)
        else:
            texts = self._framer.finish()
            self._has_ended = self._is_half_closed = True
        self._pending.extend(texts)
        if self._framer.overflow:
            limit = self._framer.max_text
            self._put(refuse_all(TooLarge(f"a text over {limit} bytes", limit=limit)))
            self._has_ended = True
        if texts or self._framer.is_empty:
            self._text_deadline = inf  # the next text has its own
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

    # The outbox. What is in it outside of `work` waits for the kernel's room.

    def _put(self, answer: bytes | None) -> None:
        if answer is None or self._is_closed or self._is_hung_up:
            return
        if self._out_bytes > self.session.limits.out_bytes:
            log.warning("peer does not read its answers", extra=self._identity())
            self.hang_up()
            return
        self._out.append(answer)
        self._out.append(b"\n")
        self._out_bytes += len(answer) + 1

    def _flush(self) -> None:
        """Send as much as the kernel takes; the rest stays first in the outbox."""
        out = self._out
        if not out:
            return
        data = b"".join(out)
        try:
            sent = self.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._lose_peer()
            return
        out.clear()
        self._out_bytes -= sent
        if sent == len(data):
            self._write_deadline = inf
            return
        out.append(data[sent:] if sent else data)
        if sent or self._write_deadline == inf:
            now = trio.current_time()
            self._write_deadline = now + self.service.limits.write_s

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
