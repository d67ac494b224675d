"""Carrying a fault out: what a request that meets one gets."""

import socket
import struct
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import msgspec
import trio
from msgspec import Struct
from msgspec.structs import replace

from lucidtrond.api.fault_rules import FaultRule
from lucidtrond.devnet.faults import BUSY, LITE, Faults
from lucidtrond.devnet.router import JSON_TYPE, SERVER, Router
from lucidtrond.devnet.state.rejections import Refused
from lucidtrond.devnet.state.view import ChainView, LaggingView, RejectingView
from lucidtrond.transports.http import HttpRequest, HttpResponse

Json = Any
_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: closing sends RST."""
_DRIP_S: Final = 0.1


class FaultyRouter(Struct, frozen=True):
    """A router behind the faults of one port."""

    router: Router
    faults: Faults
    port: int = 0

    async def handle(self, request: HttpRequest) -> HttpResponse:
        """The handler for `transports.http`."""
        if not self.faults:
            return self.router.answer(request)
        rule = self.faults.take(request.path, self.port)
        if rule is None:
            return self.router.answer(request)
        if rule.delay_s:
            await trio.sleep(rule.delay_s)
        return await _strike(rule, self.router, request)


async def _strike(
    rule: FaultRule, router: Router, request: HttpRequest
) -> HttpResponse:
    if rule.fault == "black_hole":
        await trio.sleep_forever()
    instead = _INSTEAD.get(rule.fault)
    if instead is not None:
        return instead(rule, request)
    return _altered(rule, router.seen(partial(_view, rule)).answer(request))


def _view(rule: FaultRule, chain: ChainView) -> ChainView:
    """The chain as the node that answers sees it."""
    match rule.fault:
        case "lag":
            return LaggingView(chain, rule.blocks)
        case "stop":
            return LaggingView(chain, max(0, chain.head.globals.number - rule.block))
        case "drop":
            return RejectingView(chain, None, carried_out=False)
        case "broadcast":
            refusal = Refused(rule.code, rule.message)
            return RejectingView(chain, refusal, carried_out=rule.carried_out)
    return chain


def _altered(rule: FaultRule, answer: HttpResponse) -> HttpResponse:
    """What the chain answered, as the fault changes it."""
    lie = _LIES.get(rule.fault)
    if lie is not None:
        return _edited(answer, lie)
    match rule.fault:
        case "lost_reply":
            return replace(answer, deliver=_reset)
        case "cut":
            return replace(answer, deliver=_cut)
        case "drip":
            return replace(answer, deliver=partial(_drip, bytes_per_s=rule.bytes_per_s))
        case "truncate":
            return replace(answer, body=answer.body[: len(answer.body) // 2])
    return answer


def _status(rule: FaultRule, _request: HttpRequest) -> HttpResponse:
    after = rule.retry_after_s
    extra = () if after is None else (("Retry-After", str(after)),)
    body = (rule.text or "").encode()
    return HttpResponse(rule.status, body, "text/html", (*SERVER, *extra))


def _error(rule: FaultRule, _request: HttpRequest) -> HttpResponse:
    return _json({"Error": rule.text or BUSY})


def _text(rule: FaultRule, _request: HttpRequest) -> HttpResponse:
    return HttpResponse(200, (rule.text or LITE).encode(), JSON_TYPE, SERVER)


def _empty(_rule: FaultRule, _request: HttpRequest) -> HttpResponse:
    return _json({})


def _empty_list(_rule: FaultRule, _request: HttpRequest) -> HttpResponse:
    return _json([])


def _never(_rule: FaultRule, _request: HttpRequest) -> HttpResponse:
    return HttpResponse(200, deliver=_reset)


_INSTEAD: Final[Mapping[str, Callable[[FaultRule, HttpRequest], HttpResponse]]] = {
    "status": _status,
    "error": _error,
    "text": _text,
    "empty": _empty,
    "empty_list": _empty_list,
    "reset": _never,
}


def _json(answer: Json) -> HttpResponse:
    return HttpResponse(200, msgspec.json.encode(answer) + b"\n", JSON_TYPE, SERVER)


# Lies


def _edited(answer: HttpResponse, edit: Callable[[Json], Json]) -> HttpResponse:
    try:
        content = msgspec.json.decode(answer.body)
    except msgspec.DecodeError:
        return answer
    body = msgspec.json.encode(edit(content)) + b"\n"
    return replace(answer, body=body)


def _without(content: Json, *, field: str) -> Json:
    if isinstance(content, list):
        return [_without(item, field=field) for item in content]
    if not isinstance(content, dict):
        return content
    return {
        key: _without(value, field=field)
        for key, value in content.items()
        if key != field
    }


def _with_changes(
    content: Json, *, changes: Mapping[str, Callable[[Json], Json]]
) -> Json:
    if isinstance(content, list):
        return [_with_changes(item, changes=changes) for item in content]
    if not isinstance(content, dict):
        return content
    return {
        key: changes[key](value)
        if key in changes and not isinstance(value, dict | list)
        else _with_changes(value, changes=changes)
        for key, value in content.items()
    }


def _other_hex(value: Json) -> Json:
    """The same with its last digit changed."""
    if not isinstance(value, str) or not value:
        return value
    return value[:-1] + ("0" if value[-1] != "0" else "1")


def _more(value: Json) -> Json:
    return value + 1 if type(value) is int else value


def _other_result(value: Json) -> Json:
    return "REVERT" if value == "SUCCESS" else "SUCCESS"


_LIES: Final[Mapping[str, Callable[[Json], Json]]] = {
    "wrong_txid": partial(
        _with_changes, changes={"txID": _other_hex, "txid": _other_hex}
    ),
    "wrong_id": partial(
        _with_changes, changes={"blockID": _other_hex, "id": _other_hex}
    ),
    "edit_amount": partial(
        _with_changes, changes=dict.fromkeys(("amount", "balance", "call_value"), _more)
    ),
    "edit_result": partial(_with_changes, changes={"contractRet": _other_result}),
    "no_logs": partial(_without, field="log"),
}


# Ways to send an answer, or not to


async def _reset(sock: socket.socket, _answer: bytes) -> None:
    await trio.lowlevel.checkpoint()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


async def _cut(sock: socket.socket, answer: bytes) -> None:
    """Half of the body, then a reset."""
    head, blank, body = answer.partition(b"\r\n\r\n")
    await _send(sock, head + blank + body[: len(body) // 2])
    await trio.sleep(_DRIP_S)  # a reset overtakes what has not been read
    await _reset(sock, answer)


async def _drip(sock: socket.socket, answer: bytes, *, bytes_per_s: int) -> None:
    piece = max(1, int(bytes_per_s * _DRIP_S))
    pause_s = piece / bytes_per_s
    for at in range(0, len(answer), piece):
        await _send(sock, answer[at : at + piece])
        await trio.sleep(pause_s)


async def _send(sock: socket.socket, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[sock.send(view) :]
        except BlockingIOError:
            await trio.lowlevel.wait_writable(sock)
