"""One peer of the Unix socket: bytes to texts to messages, answers to bytes.

The reader task answers inline methods itself, a burst at a time; others get a task
each. Answers gather in an outbox and leave in one write. The reader can be interrupted
at any wait and goes on where it was: that is how the janitor ends a method that broke
its promise not to wait, and how draining wakes those who sit idle.
"""

import logging
import select
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

log = logging.getLogger(__name__)

READ_BYTES: Final = 64 * 1024
COALESCE_BYTES: Final = 256 * 1024
FAIR_BURST: Final = 32
"""Inline calls of one connection before others get their turn."""
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
    is_draining: bool = False


@define(eq=False)
class Connection:
    """Made, run and closed by the server; *sock* is not ours to close."""

    service: Service
    caller: Caller
    sock: socket.socket
    calls: trio.Nursery
    notifications: trio.Nursery
    session: Session = field(init=False)
    # What was read and not yet handled; survives an interruption of the reader.
    _pending: deque[bytes] = field(init=False, factory=deque)
    _framer: Framer = field(init=False)
    _has_ended: bool = False
    _is_half_closed: bool = False
    _is_waiting: bool = False
    # Inside this scope the reader can be interrupted and goes on where it was.
    _guard: trio.CancelScope = field(init=False, factory=trio.CancelScope)
    _inline: Message | None = None
    _seen_inline: Message | None = None
    _seen_inline_at: float = 0.0
    _in_flight: int = 0
    _one_ended: trio.Event | None = None
    _out: list[bytes] = field(init=False, factory=list)
    _out_bytes: int = 0
    _is_sending: bool = False
    _sent: trio.Event | None = None
    _text_deadline: float = inf
    _write_deadline: float = inf

    def __attrs_post_init__(self) -> None:
        limits = self.service.limits
        self.session = Session(self.caller, self, limits.session)
        self._framer = Framer(limits.text_bytes)

    # What others tell the reader. None of it blocks.

    def look_after(self, now: float) -> None:
        """The janitor's view, about once a second."""
        if min(self._write_deadline, self._text_deadline) < now:
            self.hang_up()
        if (self._is_half_closed or self._is_waiting) and _is_hung_up(self.sock):
            self.hang_up()
        if self._inline is None:
            self._seen_inline = None
        elif self._inline is not self._seen_inline:
            self._seen_inline, self._seen_inline_at = self._inline, now
        elif now - self._seen_inline_at > INLINE_S:
            self._guard.cancel()

    def wake_to_drain(self) -> None:
        """Let the reader see that the server is draining."""
        if self._inline is None:
            self._guard.cancel()

    def hang_up(self) -> None:
        """Drop the peer and the calls it waits for."""
        self.calls.cancel_scope.cancel()

    def push(self, frame: bytes) -> bool:
        """Send an event's frame, at once if nothing is ahead of it."""
        line = frame + b"\n"
        if not self._out and not self._is_sending:
            try:
                sent = self.sock.send(line)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.hang_up()
                return False
            if sent == len(line):
                return True
            line = line[sent:]
        elif self._out_bytes + len(line) > self.session.limits.event_bytes:
            return False
        self._out.append(line)
        self._out_bytes += len(line)
        if not self._is_sending:
            self.calls.start_soon(self._flush)
        return True

    # The reader.

    async def converse(self) -> None:
        """Read and answer until the peer, a fault or the server ends it.

        Calls may still be in flight afterwards; they send their own answers.
        """
        try:
            while True:
                with trio.CancelScope() as self._guard:
                    await self._work()
                    return
                if self._inline is not None:
                    message, self._inline = self._inline, None
                    self._put(refuse(message, overrun("an inline method", INLINE_S)))
        finally:
            self.session.close()

    async def _work(self) -> None:
        while True:
            while self._pending:
                if self._in_flight < self.session.limits.in_flight:
                    await self._run_burst()
                else:
                    await self._wait_until_one_ends()
            if self._out:
                await self._flush()
            if self._has_ended:
                await self._linger()
                return
            if self.service.is_draining and not self._read() and not self._in_flight:
                return
            if not self._pending and not self._has_ended:
                await self._listen()

    async def _run_burst(self) -> None:
        pending, dispatcher = self._pending, self.service.dispatcher
        call = Call(self.caller, self.session, watched=True)
        for _ in range(FAIR_BURST):
            message = parse(pending.popleft())
            if self.service.is_draining:
                self._put(refuse(message, ShuttingDown("the daemon is stopping")))
            elif dispatcher.is_inline(message):
                self._inline = message
                answer = await dispatcher.answer(message, call)
                self._inline = None
                self._put(answer)
                self.session.answered()
                if type(message) is Fault and message.fatal:
                    self._has_ended = True
                    pending.clear()
            else:
                self._start(message)
            if (
                not pending
                or self._out_bytes > COALESCE_BYTES
                or self._in_flight >= self.session.limits.in_flight
            ):
                break
        if self._out:
            await self._flush()
        if pending:
            await trio.lowlevel.checkpoint()  # the next connection's turn

    def _read(self) -> bool:
        """Take what the kernel has for us; False when that is nothing."""
        try:
            data = self.sock.recv(READ_BYTES)
        except BlockingIOError:
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

    async def _listen(self) -> None:
        """Wait for input; a text that has begun must be whole before its deadline."""
        if self._text_deadline == inf and not self._framer.is_empty:
            now = trio.current_time()
            self._text_deadline = now + self.service.limits.text_s
        await trio.lowlevel.wait_readable(self.sock)
        self._read()

    async def _linger(self) -> None:
        """Stay as long as a peer that sends no more has something to receive."""
        if not self._is_half_closed:
            return
        if _is_hung_up(self.sock):
            self.hang_up()
            return
        while self._in_flight:
            await self._wait_until_one_ends()
        if self.session.has_subscriptions and not self.service.is_draining:
            await trio.sleep_forever()

    async def _wait_until_one_ends(self) -> None:
        if self._out:
            await self._flush()
        if self._one_ended is None:
            self._one_ended = trio.Event()
        self._is_waiting = True
        await self._one_ended.wait()
        self._is_waiting = False

    # Calls that take time.

    def _start(self, message: Message) -> None:
        self._in_flight += 1
        is_notification = type(message) is Request and message.id is UNSET
        nursery = self.notifications if is_notification else self.calls
        nursery.start_soon(self._run, message)

    async def _run(self, message: Message) -> None:
        call = Call(self.caller, self.session)
        try:
            answer = await self.service.dispatcher.answer(message, call)
            if answer is not None:
                self._put(answer)
                self.session.answered()
                await self._flush()
        finally:
            self._in_flight -= 1
            if self._one_ended is not None:
                self._one_ended.set()
                self._one_ended = None
            if self.service.is_draining and not self._in_flight:
                self.wake_to_drain()

    # The outbox.

    def _put(self, answer: bytes | None) -> None:
        if answer is None:
            return
        if self._out_bytes > self.session.limits.out_bytes:
            log.warning("peer does not read its answers", extra=self._identity())
            self.hang_up()
            return
        self._out.append(answer)
        self._out.append(b"\n")
        self._out_bytes += len(answer) + 1

    async def _flush(self) -> None:
        """Return when nothing is left to send; one task sends, others wait for it."""
        while self._out or self._is_sending:
            if self._is_sending:
                if self._sent is None:
                    self._sent = trio.Event()
                await self._sent.wait()
                continue
            self._is_sending = True
            try:
                while self._out:
                    await self._send(b"".join(self._out))
            finally:
                self._is_sending = False
                self._write_deadline = inf
                if self._sent is not None:
                    self._sent.set()
                    self._sent = None

    async def _send(self, data: bytes) -> None:
        """Send what was gathered; cut short, the rest stays first in the outbox."""
        self._out.clear()
        view = memoryview(data)
        try:
            while view:
                try:
                    sent = self.sock.send(view)
                except BlockingIOError:
                    now = trio.current_time()
                    self._write_deadline = now + self.service.limits.write_s
                    await trio.lowlevel.wait_writable(self.sock)
                    continue
                view = view[sent:]
                self._out_bytes -= sent
        finally:
            if view:
                self._out.insert(0, bytes(view))

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


def _is_hung_up(sock: socket.socket) -> bool:
    """Tell a peer that closed from one that only sends no more."""
    poll = select.poll()
    poll.register(sock, 0)
    return any(event & select.POLLHUP for _, event in poll.poll(0))
