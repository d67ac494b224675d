"""JSON-RPC over websockets: one text message is one text of the protocol.

Requests, answers and events as on the Unix socket, through the same dispatcher and
`Session`. Bounds and what happens when they are reached:
    calls in flight     nothing more is read from that peer until one ends
    answers unsent      the same; a peer that takes no byte for `write_s` is dropped
    events unsent       `Session.push` says no, the bus marks the gap
    bytes of a message  closed with 1009; a binary message with 1003
    silence             a ping every `ping_s`; without a pong as long: dropped
A daemon that stops closes with 1001 when the calls in flight have ended.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

import trio
from attrs import define, field
from msgspec import UNSET, Struct

from lucidtrond.api.caller import Caller
from lucidtrond.errors import ShuttingDown
from lucidtrond.rpc.dispatch import Call, Dispatcher
from lucidtrond.rpc.framing import MAX_TEXT
from lucidtrond.rpc.messages import Message, Request, parse
from lucidtrond.rpc.session import DEFAULT_LIMITS, Session, SessionLimits
from lucidtrond.transports.http import HttpRequest, ReplayedStream
from lucidtrond.transports.rpc_access import HttpAccess
from lucidtrond.transports.rpc_http import WEBSOCKET
from lucidtrond.transports.unix_connection import refuse
from lucidtrond.transports.wsoutbox import WsOutbox

if TYPE_CHECKING:
    from trio_websocket import WebSocketConnection

GOING_AWAY: Final = 1001
NOT_TEXT: Final = 1003
TOO_BIG: Final = 1009
READ_BYTES: Final = 64 * 1024
HANDSHAKE_S: Final = 10.0
CLOSE_S: Final = 2.0


class WsLimits(Struct, frozen=True):
    """Bounds of one connection."""

    text_bytes: int = MAX_TEXT
    ping_s: float = 20.0
    write_s: float = 30.0
    session: SessionLimits = DEFAULT_LIMITS


DEFAULT_WS_LIMITS: Final = WsLimits()


@define(eq=False, kw_only=True)
class WebSockets:
    """What answers ``GET /ws``; `takeover` is an `Upgrade` of the HTTP engine."""

    dispatcher: Dispatcher
    access: HttpAccess
    stop: trio.Event
    limits: WsLimits = DEFAULT_WS_LIMITS

    def takeover(
        self, request: HttpRequest
    ) -> Callable[[ReplayedStream], Awaitable[None]] | None:
        """Refused ones are left to the HTTP handler, which says why."""
        if request.path != WEBSOCKET or self.access.refusal(request) is not None:
            return None
        return self._serve

    async def _serve(self, stream: ReplayedStream) -> None:
        # 90 ms to import: not before somebody comes.
        from trio_websocket import (  # noqa: PLC0415 - see above
            ConnectionClosed,
            HandshakeError,
            wrap_server_stream,
        )

        limits = self.limits
        outbox = WsOutbox(
            stream=stream,
            sock=stream.sock,
            event_bytes=limits.session.event_bytes,
            out_bytes=limits.session.out_bytes,
            write_s=limits.write_s,
        )
        # A peer that left waits for no answer, so its calls are cancelled; what it sent
        # without waiting (notifications) is carried out all the same.
        async with trio.open_nursery() as notifications:
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_send_until_broken, outbox, nursery.cancel_scope)
                    with trio.fail_after(HANDSHAKE_S):
                        asked = await wrap_server_stream(
                            nursery,
                            outbox,
                            message_queue_size=1,
                            max_message_size=limits.text_bytes,
                            receive_buffer_size=READ_BYTES,
                        )
                        ws = await asked.accept()
                    caller = self.access.caller("websocket")
                    peer = _Peer(self, caller, ws, outbox, nursery, notifications)
                    await peer.converse()
                    nursery.cancel_scope.cancel()
            except* (
                ConnectionClosed,
                HandshakeError,
                OSError,
                trio.BrokenResourceError,
                trio.ClosedResourceError,
                trio.TooSlowError,
            ):
                pass  # the peer went away, or never spoke websocket


async def _send_until_broken(outbox: WsOutbox, scope: trio.CancelScope) -> None:
    await outbox.run()
    scope.cancel()


@define(eq=False)
class _Peer:
    service: WebSockets
    caller: Caller
    ws: "WebSocketConnection"
    outbox: WsOutbox
    calls: trio.Nursery
    notifications: trio.Nursery
    session: Session = field(init=False)
    _in_flight: int = 0
    _one_ended: trio.Event = field(init=False, factory=trio.Event)

    def __attrs_post_init__(self) -> None:
        self.session = Session(self.caller, self.outbox, self.service.limits.session)

    async def converse(self) -> None:
        """Read and answer until one side closes; that is an exception."""
        self.calls.start_soon(self._keep_alive)
        self.calls.start_soon(self._watch_stop)
        try:
            while True:
                text = await self.ws.get_message()
                if not isinstance(text, str):
                    await self._close(NOT_TEXT, "texts only")
                    return
                data = text.encode()
                if len(data) > self.service.limits.text_bytes:
                    await self._close(TOO_BIG, "message too big")
                    return
                max_batch = self.service.dispatcher.max_batch
                await self._take(parse(data, max_batch=max_batch))
        finally:
            self.session.close()

    async def _take(self, message: Message) -> None:
        dispatcher = self.service.dispatcher
        if self.service.stop.is_set():
            await self._send(refuse(message, ShuttingDown("the daemon is stopping")))
        elif dispatcher.is_inline(message):
            call = Call(self.caller, self.session)
            await self._send(await dispatcher.answer(message, call))
        else:
            while self._in_flight >= self.service.limits.session.in_flight:
                await self._one_ended.wait()
            self._in_flight += 1
            is_notification = type(message) is Request and message.id is UNSET
            nursery = self.notifications if is_notification else self.calls
            nursery.start_soon(self._run, message)

    async def _run(self, message: Message) -> None:
        call = Call(self.caller, self.session)
        try:
            await self._send(await self.service.dispatcher.answer(message, call))
        finally:
            self._in_flight -= 1
            self._one_ended.set()
            self._one_ended = trio.Event()

    async def _send(self, answer: bytes | None) -> None:
        if answer is not None:
            await self.outbox.send_text(answer)
            self.session.answered()

    async def _keep_alive(self) -> None:
        """A peer that vanished without a word is noticed by its missing pong."""
        limits = self.service.limits
        while True:
            await trio.sleep(limits.ping_s)
            with trio.fail_after(limits.ping_s + limits.write_s):
                await self.ws.ping()

    async def _watch_stop(self) -> None:
        await self.service.stop.wait()
        while self._in_flight:
            await self._one_ended.wait()
        await self._close(GOING_AWAY, "the daemon is stopping")

    async def _close(self, code: int, reason: str) -> None:
        """Say goodbye; a peer that does not answer that is left."""
        self.session.close()
        with trio.move_on_after(CLOSE_S):
            await self.ws.aclose(code, reason)
        self.calls.cancel_scope.cancel()
