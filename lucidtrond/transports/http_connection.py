"""One HTTP peer: bytes to requests, one after the other to the handler, bytes out.

Requests are answered in the pump's own task, a burst at a time; a handler that waits
keeps that task for its connection and another one leads the pump (`Pump.step_down`),
so that a quick answer costs no task and a slow one holds nobody up. One connection
runs one request at a time and reads nothing meanwhile: a peer that floods fills the
kernel's buffers and not ours.

What does not fit that (a websocket, a response with a delivery of its own, the last
words to a peer that can't be served) takes the socket into a task of its own.
"""

import logging
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from math import inf
from typing import Any, Final

import trio
from attrs import define, field

from lucidtrond.transports.connection_state import (
    READABLE,
    SENDABLE,
    Fact,
    State,
    Step,
    after,
    next_step,
)
from lucidtrond.transports.http_messages import (
    HeadCache,
    HttpLimits,
    HttpRequest,
    HttpResponse,
    Parsed,
    Phase,
    Refusal,
    RequestParser,
    encode_head,
    encode_response,
    is_websocket,
)
from lucidtrond.transports.http_stream import ReplayedStream, part, send_all
from lucidtrond.transports.outbox import Outbox
from lucidtrond.transports.pump import HUNG_UP, WRITABLE, Pump, notice_waiting
from lucidtrond.transports.pump import READABLE as INPUT

log = logging.getLogger(__name__)

Handler = Callable[[HttpRequest], Coroutine[Any, Any, HttpResponse]]
Takeover = Callable[[ReplayedStream], Awaitable[None]]
Upgrade = Callable[[HttpRequest], Takeover | None]
"""Gives what takes over the connection of a websocket request, or None: then the
handler answers it like any other. The stream starts with the request itself."""

READ_BYTES: Final = 64 * 1024
FLUSH_BYTES: Final = 64 * 1024
# Members of an enumeration are found more quickly here than in it.
OPEN, CLOSED, IDLE = State.OPEN, State.CLOSED, Phase.IDLE
_EVENTS: Final = {Step.READ: INPUT, Step.SEND: WRITABLE}
FAIR_BURST: Final = 32
"""Pipelined requests of one connection before others get their turn."""
MAX_LINGERING: Final = 64
"""Beyond these a refused peer is reset without a word."""
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


@define(eq=False)
class HttpService:
    """What all connections of one server share."""

    handler: Handler
    limits: HttpLimits
    upgrade: Upgrade | None
    pump: Pump
    tasks: trio.Nursery
    connections: "set[HttpConnection]" = field(factory=set)
    is_draining: bool = False
    heads: HeadCache = field(factory=HeadCache)
    _lingering: int = 0

    def forget(self, connection: "HttpConnection") -> None:
        """Drop what has ended; the last one of a drained server ends its pump."""
        self.connections.discard(connection)
        self.end_if_drained()

    def end_if_drained(self) -> None:
        if self.is_draining and not self.connections:
            self.pump.finish()

    def takeover(self, parsed: Parsed) -> Takeover | None:
        """What takes the connection over, if the request asks for that."""
        if self.upgrade is None or not parsed.upgrade:
            return None
        return self.upgrade(parsed.request) if is_websocket(parsed.request) else None

    async def turn_away(self, sock: socket.socket, refusal: Refusal) -> None:
        """Say why, then close so that the peer can still read it."""
        if self._lingering >= MAX_LINGERING:
            return
        self._lingering += 1
        try:
            await part(sock, encode_response(_plain(refusal), keep_alive=False))
        finally:
            self._lingering -= 1


@define(eq=False)
class HttpConnection:
    """Owns *sock* from `open` on."""

    service: HttpService
    sock: socket.socket
    state: State = State.OPEN
    _parser: RequestParser = field(init=False)
    _out: Outbox = field(init=False)
    _fd: int = field(init=False)
    _requests: deque[Parsed] = field(init=False, factory=deque)
    _unread: bytes = b""
    """Bytes behind a request that asked for another protocol."""
    _deadline: float = inf
    """Of the present phase of a request; the handler's time is its own."""
    _phase: Phase = Phase.IDLE
    _armed: int = INPUT
    _is_queued: bool = False
    _is_running: bool = False
    """A request is being answered."""
    _guard: trio.CancelScope | None = None

    def __attrs_post_init__(self) -> None:
        self._parser = RequestParser(self.service.limits, self.service.heads)
        self._out = Outbox(self.service.limits.write_s)
        self._fd = self.sock.fileno()

    @property
    def is_closed(self) -> bool:
        return self.state is CLOSED

    def open(self) -> None:
        """Take part from now on."""
        self._deadline = trio.current_time() + self.service.limits.idle_s
        self.service.connections.add(self)
        self.service.pump.watch(self._fd, self)

    # What the server tells it. None of it blocks.

    def look_after(self, now: float) -> None:
        """The janitor's view, about once a second: end what is past its deadline."""
        if self._out.deadline < now:
            self.close()
        elif self._deadline < now:
            if self._phase is IDLE:
                self.close()
            else:
                self._turn_away(Refusal(408, "the request came too slowly"))

    def drain(self) -> None:
        """Close when idle, else after the present answer."""
        self.state = after(self.state, Fact.DRAIN)
        if not self._is_running:
            self._settle()

    def close(self) -> None:
        """Drop the peer; safe to call twice."""
        if self._leave_pump():
            self.sock.close()
            self._out.clear()
            if not self._is_running:
                self.service.forget(self)

    def _leave_pump(self) -> bool:
        """End the pump's part in it; False if that was before."""
        if self.is_closed:
            return False
        self.state = State.CLOSED
        self.service.pump.unwatch(self._fd)
        self._requests.clear()
        self._unread = b""
        self._deadline = inf
        return True

    # What the pump tells it.

    def on_ready(self, events: int) -> bool:
        """Send what waits; True to get a turn."""
        if events != INPUT:
            if events & HUNG_UP:
                self._lose_peer()
            elif events & WRITABLE:
                self._settle()
        if not events & ~WRITABLE or self._is_queued or self.state is CLOSED:
            return False
        self._is_queued = not self._is_running
        return self._is_queued

    def _lose_peer(self) -> None:
        """Nobody reads any more."""
        self.state = after(self.state, Fact.PEER_GONE)
        self.service.pump.unwatch(self._fd)  # it would tell us for ever
        self._out.clear()

    async def work(self, guard: trio.CancelScope) -> int:
        """Read if nothing is left of the last time, and answer a burst."""
        self._is_queued = False
        if self.state is CLOSED:
            return 1
        if not self._requests:
            self._read()
        self._guard = guard
        answered = await self._answer_burst()
        if self.state is CLOSED:
            return answered + 1
        parser = self._parser
        if parser.refusal is not None and not self._requests:
            self._turn_away(parser.refusal)
            return answered + 1
        if parser.expects_continue:
            parser.expects_continue = False
            self._out.put(CONTINUE)
        self._settle(fresh=answered > 0)
        return answered + 1

    def cut_short(self) -> None:
        """Nobody cancels what a request waits for."""
        raise AssertionError("an HTTP connection's guard is not cancelled")

    def _read(self) -> bool:
        """Take what the kernel has for us; False when that is nothing."""
        data, self._unread = self._unread, b""
        if not data:
            if self.state not in READABLE:
                return False
            try:
                data = self.sock.recv(READ_BYTES)
            except BlockingIOError:
                if self.state is State.GONE:
                    self.state = after(self.state, Fact.INPUT_ENDED)
                return False
            except OSError:
                self.close()
                return False
            if not data:
                self.state = after(self.state, Fact.INPUT_ENDED)
                return True
        parser = self._parser
        self._requests.extend(parser.feed(data))
        self._unread, parser.unread = parser.unread, b""
        return True

    async def _answer_burst(self) -> int:
        """Answer requests in order; give how many."""
        requests, service, out = self._requests, self.service, self._out
        answered = 0
        while requests and answered < FAIR_BURST and out.size <= FLUSH_BYTES:
            parsed = requests.popleft()
            answered += 1
            if parsed.upgrade:
                takeover = service.takeover(parsed)
                if takeover is not None:
                    first = encode_head(parsed.request) + self._unread
                    self._hand_over(partial(self._take_over, takeover, first))
                    break
            request = parsed.request
            self._is_running = True
            self._deadline = inf
            try:
                response = await notice_waiting(service.handler(request), self._on_wait)
            except Exception:
                # The HTTP side of the dispatcher: one bad request must not end others.
                log.exception("http handler failed", extra={"method": request.method})
                response = _plain(Refusal(500, "internal error"))
            self._is_running = False
            if self.state is CLOSED:
                service.forget(self)
                break
            keep = parsed.keep_alive and not service.is_draining
            try:
                answer = _encode(response, parsed, keep_alive=keep)
            except ValueError:
                log.exception("http response can't be sent")
                response = _plain(Refusal(500, "internal error"))
                answer = _encode(response, parsed, keep_alive=keep)
            if response.deliver is not None:
                self._hand_over(partial(response.deliver, self.sock, answer))
                break
            if self.state in SENDABLE:
                out.put(answer)
            if not keep:
                requests.clear()
                self._unread = b""
                self._parser.refusal = None  # of what is not looked at any more
                self.state = after(self.state, Fact.INPUT_ENDED)
        return answered

    def _on_wait(self) -> None:
        """The handler waits: this task is its own from now on, another one leads."""
        if not self._out.flush(self.sock):
            self._lose_peer()
        self._arm(Step.SEND if self._out else Step.WAIT)
        if self._guard is not None:
            self.service.pump.step_down(self._guard)

    def _settle(self, *, fresh: bool = False) -> None:
        """Send, then decide what is next: another turn, listening, or the end."""
        if not self._out.flush(self.sock):
            self._lose_peer()
        if fresh and self._is_idle():
            # No handler has waited, else other input were asked for: it is still now.
            self._phase = IDLE
            self._deadline = self.service.pump.now + self.service.limits.idle_s
            return
        if self._is_running:
            self._arm(Step.SEND if self._out else Step.WAIT)
            return
        while self.state is State.DRAINING and not (self._requests or self._out):
            if not self._read():
                break
        step = next_step(
            self.state,
            pending=bool(self._requests or self._unread),
            unsent=bool(self._out),
            # A request that has begun to arrive when the server stops may become whole.
            in_flight=self.state is State.DRAINING and self._parser.phase is not IDLE,
            has_room=True,
            subscribed=False,
        )
        if step is Step.CLOSE:
            self.close()
            return
        if step is Step.TURN and not self._is_queued:
            self._is_queued = True
            self.service.pump.queue(self)
        if step is Step.READ:
            self._set_deadline(fresh=fresh)
        self._arm(step)

    def _is_idle(self) -> bool:
        """Nothing is left to do: `next_step` is READ, and that is asked for already."""
        return (
            self.state is OPEN
            and self._armed == INPUT
            and not (self._requests or self._unread or self._out.size)
            and self._parser.phase is IDLE
            and not self._is_running
        )

    def _arm(self, step: Step) -> None:
        """Ask the kernel for what we wait for."""
        wanted = _EVENTS.get(step, 0)
        if wanted != self._armed and self.state in SENDABLE:
            self._armed = wanted
            self.service.pump.rearm(self._fd, wanted)

    def _set_deadline(self, *, fresh: bool) -> None:
        """One deadline for each phase of a request, from when the phase began."""
        phase = self._parser.phase
        if phase is self._phase and not fresh:
            return
        self._phase = phase
        limits = self.service.limits
        if phase is IDLE:
            allowed = limits.idle_s
        else:
            allowed = limits.head_s if phase is Phase.HEAD else limits.body_s
        self._deadline = trio.current_time() + allowed

    # What takes the socket into a task of its own.

    def _turn_away(self, refusal: Refusal) -> None:
        self._hand_over(partial(self.service.turn_away, self.sock, refusal))

    def _hand_over(self, run: Callable[[], Awaitable[None]]) -> None:
        if self._leave_pump():
            self.service.tasks.start_soon(self._run_apart, run)

    async def _run_apart(self, run: Callable[[], Awaitable[None]]) -> None:
        try:
            with trio.move_on_after(self.service.limits.write_s) as sending:
                await send_all(self.sock, self._out.take())
            if not sending.cancelled_caught:
                await run()
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the peer went away: nobody is left to be told
        finally:
            self.sock.close()
            self.service.forget(self)

    async def _take_over(self, takeover: Takeover, first: bytes) -> None:
        stream = trio.SocketStream(trio.socket.from_stdlib_socket(self.sock))
        await takeover(ReplayedStream(first, stream, sock=self.sock))


def _encode(response: HttpResponse, parsed: Parsed, *, keep_alive: bool) -> bytes:
    return encode_response(
        response,
        keep_alive=keep_alive,
        version=parsed.version,
        head_only=parsed.request.method == "HEAD",
    )


def _plain(refusal: Refusal) -> HttpResponse:
    text = f"{refusal.text}\n".encode()
    return HttpResponse(refusal.status, text, "text/plain; charset=utf-8")
