"""From a request to its answer: look the method up, check, run, encode.

Each method is compiled into one *runner* when it is added: rights, parameters, deadline
and the translation of what it raises. No library does this for us: jsonrpcserver did
what is `_answer_request` here, for a third of the time of a call and a tenth of that of
the daemon's start, and only through functions that are not its public ones.

This is one of the three places that catch everything: what a method raises and does
not mean for the caller is logged under a reference number, and the caller gets that.
"""

import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, assert_never

import msgspec
import trio
from attrs import Factory, define, field, frozen
from msgspec import UNSET, Raw

from lucidtrond.api.caller import Caller, CallerClass
from lucidtrond.errors import (
    CallError,
    DeadlinePassed,
    LucidError,
    NodeError,
    NotPermitted,
    PluginDisabled,
)
from lucidtrond.rpc.audit import ASKED, GIVEN, Audit, kept
from lucidtrond.rpc.codes import code_of, data_of
from lucidtrond.rpc.messages import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    Batch,
    Fault,
    Message,
    Request,
    encode_batch,
    encode_error,
    encode_result,
)
from lucidtrond.rpc.params import ParamsDecoder, ParamsError
from lucidtrond.rpc.session import Session

log = logging.getLogger(__name__)

BATCH_WORKERS: Final = 8


@frozen
class Call:
    """Who asks, and over which connection if there is one."""

    caller: Caller
    session: Session | None = None
    watched: bool = False
    """The transport itself watches the time of inline methods."""


Handler = Callable[..., Awaitable[object]]
"""``async def handler(call, params)``, or ``handler(call)`` when there are none."""
Authorize = Callable[[Caller, str], None]
"""Raises `NotPermitted` (or `SpendCap`) to refuse a call of that method."""


@frozen
class Method:
    """One method as it is called and described.

    *params* is a msgspec Struct (by name, or by position in the order of its fields),
    any other type for parameters by position only (``list[int]``), or None.
    """

    name: str
    handler: Handler
    params: Any = field(default=None, kw_only=True)
    result: Any = field(default=None, kw_only=True)
    caller: CallerClass = field(default="read", kw_only=True)
    timeout_s: float = field(default=30.0, kw_only=True)
    inline: bool = field(default=False, kw_only=True)
    """Answers from memory, without waiting: needs no task of its own."""
    summary: str = field(default="", kw_only=True)
    example: Mapping[str, Any] | None = field(default=None, kw_only=True)
    errors: tuple[type[LucidError], ...] = field(default=(), kw_only=True)
    """What its caller should expect, beyond what any method may answer."""


@frozen
class _Failure:
    """What the caller hears instead of a result."""

    code: int
    text: str
    data: object = None


_Runner = Callable[[Call, Raw], Awaitable[object]]
"""Gives the result or a `_Failure`; raises nothing."""


@define(eq=False)
class Dispatcher:
    """All methods of one daemon."""

    authorize: Authorize | None = None
    audit: Audit | None = None
    """Is told of every call of a method that spends."""
    verify_results: bool = False
    """Hold every answer against its method's result type; for tests."""
    methods: dict[str, Method] = Factory(dict)
    _runners: dict[str, _Runner] = field(init=False, factory=dict)
    _inline: set[str] = field(init=False, factory=set)

    def add(self, method: Method) -> None:
        """Offer *method*.

        Raises:
            ValueError: the name is taken.
            TypeError: msgspec can't decode its parameters.
        """
        if method.name in self.methods:
            raise ValueError(f"two methods are called {method.name}")
        runner = self._compile(method)
        if method.caller == "spend" and self.audit is not None:
            runner = _audited(method, runner, self.audit)
        self._runners[method.name] = runner
        self.methods[method.name] = method
        if method.inline and method.caller != "spend":  # the audit waits for the disk
            self._inline.add(method.name)

    def permit(self, caller: Caller, name: str) -> None:
        """Check the right to call a method, without calling it.

        Raises:
            NotPermitted, SpendCap: the caller may not.
            PluginDisabled: nobody offers it.
        """
        method = self.methods.get(name)
        if method is None:
            raise PluginDisabled(f"no enabled plugin offers {name}", method=name)
        if method.caller not in caller.classes:
            raise NotPermitted(f"{name} needs the class {method.caller}")
        if self.authorize is not None:
            self.authorize(caller, name)

    async def record(
        self, caller: Caller, name: str, asked: str, outcome: Mapping[str, Any]
    ) -> None:
        """Tell the audit of a call that came another way, if the method spends."""
        method = self.methods.get(name)
        if self.audit is not None and method is not None and method.caller == "spend":
            await self.audit.record(caller, name, {"asked": asked}, outcome)

    def is_inline(self, message: Message) -> bool:
        """Tell whether answering needs no waiting, hence no task."""
        match message:
            case Request():
                # A method that does not exist is refused as quickly.
                return (
                    message.method in self._inline or message.method not in self.methods
                )
            case Fault():
                return True
            case Batch():
                return all(self.is_inline(member) for member in message.members)

    async def answer(self, message: Message, call: Call) -> bytes | None:
        """Run what *message* asks; None when nothing must be sent."""
        match message:
            case Request():
                return await self._answer_request(message, call)
            case Fault(answer=answer):
                return answer
            case Batch(members=members):
                return await self._answer_batch(members, call)
            case _:
                assert_never(message)

    async def _answer_request(self, request: Request, call: Call) -> bytes | None:
        run = self._runners.get(request.method)
        outcome = _UNKNOWN if run is None else await run(call, request.params)
        if request.id is UNSET:
            return None
        request_id = bytes(request.id)
        if type(outcome) is _Failure:
            return encode_error(request_id, outcome.code, outcome.text, outcome.data)
        try:
            encoded = encode_result(request_id, outcome)
            if self.verify_results:
                self._verify(request.method, encoded)
        except Exception:
            reference = _new_reference()
            log.exception(
                "result can't be encoded",
                extra={"method": request.method, "ref": reference},
            )
            return encode_error(
                request_id, INTERNAL_ERROR, "Internal error", {"ref": reference}
            )
        return encoded

    async def _answer_batch(
        self, members: Sequence[Request | Fault], call: Call
    ) -> bytes | None:
        """Answer each member for itself, a few at a time, in the order they came."""
        answers: list[bytes | None] = [None] * len(members)
        waiting = iter(enumerate(members))

        async def work() -> None:
            for place, member in waiting:
                answers[place] = await self.answer(member, call)

        if call.watched:
            await work()  # all inline: nobody waits, so nobody can go ahead
        else:
            async with trio.open_nursery() as nursery:
                for _ in range(min(BATCH_WORKERS, len(members))):
                    nursery.start_soon(work)
        sent = [answer for answer in answers if answer is not None]
        return encode_batch(sent) if sent else None

    def _verify(self, name: str, encoded: bytes) -> None:
        method = self.methods[name]
        if method.result is not None:
            result = msgspec.json.decode(encoded, type=dict[str, Raw])["result"]
            msgspec.json.decode(result, type=method.result)

    def _compile(self, method: Method) -> _Runner:
        name, handler, wanted = method.name, method.handler, method.caller
        decode = ParamsDecoder(method.params).decode
        timeout_s, inline = method.timeout_s, method.inline
        authorize = self.authorize

        async def run(  # noqa: PLR0911 - one return for each outcome
            call: Call, raw: Raw
        ) -> object:
            try:
                if wanted not in call.caller.classes:
                    return _refuse(NotPermitted(f"{name} needs the class {wanted}"))
                if authorize is not None:
                    authorize(call.caller, name)
                params = decode(raw)
                if inline and call.watched:
                    return await handler(call, *params)
                with trio.move_on_after(timeout_s):
                    return await handler(call, *params)
                return _refuse(overrun(name, timeout_s))
            except ParamsError as error:
                return _Failure(INVALID_PARAMS, f"Invalid params: {error}")
            except (CallError, NodeError) as error:
                return _refuse(error)
            except Exception as error:  # noqa: BLE001 - the dispatcher, see C3
                return _explain(error, name)

        return run


def _audited(method: Method, run: _Runner, audit: Audit) -> _Runner:
    """As *run*, and a row says who asked what and how it ended."""
    decode = ParamsDecoder(method.params).decode

    async def record(call: Call, raw: Raw, outcome: Mapping[str, Any]) -> None:
        try:
            asked = [kept(each, ASKED) for each in decode(raw)]
        except ParamsError:
            asked = []  # not looked at, so not known to be free of secrets
        await audit.record(call.caller, method.name, asked[0] if asked else {}, outcome)

    async def audited(call: Call, raw: Raw) -> object:
        try:
            outcome = await run(call, raw)
        except trio.Cancelled:
            await record(call, raw, {"ended": "unanswered"})
            raise
        if type(outcome) is _Failure:
            await record(call, raw, {"ended": "error", "code": outcome.code})
        else:
            await record(call, raw, {"ended": "done", **kept(outcome, GIVEN)})
        return outcome

    return audited


_UNKNOWN: Final = _Failure(METHOD_NOT_FOUND, "Method not found")


def overrun(name: str, timeout_s: float) -> DeadlinePassed:
    """What the caller of a method hears that took too long."""
    return DeadlinePassed(f"{name} took more than {timeout_s:g} s")


def _refuse(error: CallError | NodeError) -> _Failure:
    return _Failure(code_of(error), str(error), data_of(error))


def _explain(error: Exception, name: str) -> _Failure:
    """Answer what was not meant for the caller, or was and came out of a nursery."""
    inner: BaseException = error
    while isinstance(inner, BaseExceptionGroup) and len(inner.exceptions) == 1:
        inner = inner.exceptions[0]
    if isinstance(inner, CallError | NodeError):
        return _refuse(inner)
    reference = _new_reference()
    log.error("method failed", exc_info=error, extra={"method": name, "ref": reference})
    return _Failure(INTERNAL_ERROR, "Internal error", {"ref": reference})


def _new_reference() -> str:
    return secrets.token_hex(4)
