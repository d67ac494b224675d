"""From a request to its response, through jsonrpcserver.

jsonrpcserver looks the method up, runs it and carries the outcome (`Success` or
`Error`). Of its functions only `dispatch_request` runs on trio: `async_dispatch` calls
`asyncio.gather`, puts exception texts into responses, fails a whole batch for one bad
member and raises on results that can't be encoded. The adapters here close all four,
and decode the parameters straight into the method's Struct. The version is pinned,
because `dispatch_request` is not part of its public interface.

Each method is compiled into one adapter when it is added: rights, parameters, deadline
and the translation of what it raises.

This is one of the three places that catch everything: what a method raises and does
not mean for the caller is logged under a reference number, and the caller gets that.
"""

import inspect
import logging
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec
import trio
from attrs import Factory, define, field, frozen
from jsonrpcserver import Error
from jsonrpcserver.async_dispatcher import dispatch_request
from jsonrpcserver.request import Request as ServerRequest
from jsonrpcserver.result import SuccessResult
from jsonrpcserver.sentinels import NOCONTEXT, NODATA, NOID
from msgspec import UNSET, Raw, Struct
from oslash.either import Left, Right

from lucidtrond.api.caller import Caller, CallerClass
from lucidtrond.errors import (
    CallError,
    DeadlinePassed,
    LucidError,
    NodeError,
    NotPermitted,
    PluginDisabled,
)
from lucidtrond.rpc.audit import PARAM_FIELDS, RESULT_FIELDS, Audit, select_scalars
from lucidtrond.rpc.codes import code_of, data_of
from lucidtrond.rpc.messages import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    MAX_BATCH,
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


class Call(Struct, frozen=True):
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


_Outcome: TypeAlias = Any
"""jsonrpcserver's, untyped: Right of a SuccessResult, or Left of an ErrorResult."""
_Adapter = Callable[[Call, Raw], Awaitable[_Outcome]]
"""A method as jsonrpcserver calls it; raises nothing."""


class _Signature(inspect.Signature):
    """Tells jsonrpcserver that an adapter's two arguments fit: they always do."""

    def bind(self, _call: Any, _raw: Any, /) -> inspect.BoundArguments:
        return _BOUND


_SIGNATURE: Final = _Signature(
    [
        inspect.Parameter("call", inspect.Parameter.POSITIONAL_ONLY),
        inspect.Parameter("raw", inspect.Parameter.POSITIONAL_ONLY),
    ]
)
_BOUND: Final = inspect.BoundArguments(_SIGNATURE, OrderedDict())
"""jsonrpcserver does not look at it."""


@define(eq=False)
class Dispatcher:
    """All methods of one daemon."""

    authorize: Authorize | None = None
    audit: Audit | None = None
    """Is told of every call of a method that spends."""
    verify_results: bool = False
    """Hold every answer against its method's result type; for tests."""
    max_batch: int = MAX_BATCH
    """Calls in one batch, at most; for the transports, which parse."""
    methods: dict[str, Method] = Factory(dict)
    _adapters: dict[str, _Adapter] = field(init=False, factory=dict)
    _inline: set[str] = field(init=False, factory=set)

    def add(self, method: Method) -> None:
        """Offer *method*.

        Raises:
            ValueError: the name is taken.
            TypeError: msgspec can't decode its parameters.
        """
        if method.name in self.methods:
            raise ValueError(f"two methods are called {method.name}")
        adapter = self._compile(method)
        if method.caller == "spend" and self.audit is not None:
            adapter = _audited(method, adapter, self.audit)
        # Read by jsonrpcserver, which inspects what it is about to call.
        adapter.__signature__ = _SIGNATURE  # type: ignore[attr-defined]
        self._adapters[method.name] = adapter
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
        if isinstance(message, Request):
            # A method that does not exist is refused as quickly.
            return message.method in self._inline or message.method not in self.methods
        if isinstance(message, Batch):
            return all(self.is_inline(member) for member in message.members)
        return True

    def answer(self, message: Message, call: Call) -> Coroutine[Any, Any, bytes | None]:
        """Run what *message* asks; None when nothing must be sent."""
        if isinstance(message, Request):
            return self._answer_request(message, call)
        if isinstance(message, Batch):
            return self._answer_batch(message.members, call)
        return _answer_fault(message)

    async def _answer_request(self, request: Request, call: Call) -> bytes | None:
        _, outcome = await dispatch_request(
            self._adapters,
            NOCONTEXT,  # with one it would put two lists together, twice
            ServerRequest(request.method, [call, request.params], NOID),
        )
        request_id = request.id
        if request_id is UNSET:
            return None
        if type(outcome) is Left:
            error = outcome._error  # noqa: SLF001 - oslash offers no other way
            data = None if error.data is NODATA else error.data
            if error.code == METHOD_NOT_FOUND:
                data = None  # the name, however long it is
            return encode_error(request_id, error.code, error.message, data)
        try:
            encoded = encode_result(request_id, outcome._value.result)  # noqa: SLF001 - ditto
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

    def _compile(self, method: Method) -> _Adapter:
        name, handler, wanted = method.name, method.handler, method.caller
        decode = ParamsDecoder(method.params).decode
        timeout_s, inline = method.timeout_s, method.inline
        authorize = self.authorize

        async def adapter(  # noqa: PLR0911 - one return for each outcome
            call: Call, raw: Raw
        ) -> _Outcome:
            try:
                if wanted not in call.caller.classes:
                    return _refuse(NotPermitted(f"{name} needs the class {wanted}"))
                if authorize is not None:
                    authorize(call.caller, name)
                params = decode(raw)
                if inline and call.watched:
                    return Right(SuccessResult(await handler(call, *params)))
                with trio.move_on_after(timeout_s):
                    return Right(SuccessResult(await handler(call, *params)))
                return _refuse(overrun(name, timeout_s))
            except ParamsError as error:
                return Error(INVALID_PARAMS, f"Invalid params: {error}")
            except (CallError, NodeError) as error:
                return _refuse(error)
            except Exception as error:  # noqa: BLE001 - the dispatcher, see C3
                return _explain(error, name)

        return adapter


def _audited(method: Method, run: _Adapter, audit: Audit) -> _Adapter:
    """As *run*, and a row says who asked what and how it ended."""
    decode = ParamsDecoder(method.params).decode

    async def record(call: Call, raw: Raw, outcome: Mapping[str, Any]) -> None:
        try:
            asked = [select_scalars(params, PARAM_FIELDS) for params in decode(raw)]
        except ParamsError:
            asked = []  # not looked at, so not known to be free of secrets
        await audit.record(call.caller, method.name, asked[0] if asked else {}, outcome)

    async def audited(call: Call, raw: Raw) -> _Outcome:
        try:
            outcome = await run(call, raw)
        except trio.Cancelled:
            await record(call, raw, {"ended": "unanswered"})
            raise
        if type(outcome) is Left:
            code = outcome._error.code  # noqa: SLF001 - oslash offers no other way
            await record(call, raw, {"ended": "error", "code": code})
        else:
            result = outcome._value.result  # noqa: SLF001 - ditto
            await record(
                call, raw, {"ended": "done", **select_scalars(result, RESULT_FIELDS)}
            )
        return outcome

    return audited


async def _answer_fault(fault: Fault) -> bytes | None:
    return fault.answer


def overrun(name: str, timeout_s: float) -> DeadlinePassed:
    """What the caller of a method hears that took too long."""
    return DeadlinePassed(f"{name} took more than {timeout_s:g} s")


def _refuse(error: CallError | NodeError) -> _Outcome:
    data = data_of(error)
    return Error(code_of(error), str(error), NODATA if data is None else data)


def _explain(error: Exception, name: str) -> _Outcome:
    """Answer what was not meant for the caller, or was and came out of a nursery."""
    inner: BaseException = error
    while isinstance(inner, BaseExceptionGroup) and len(inner.exceptions) == 1:
        inner = inner.exceptions[0]
    if isinstance(inner, CallError | NodeError):
        return _refuse(inner)
    reference = _new_reference()
    log.error("method failed", exc_info=error, extra={"method": name, "ref": reference})
    return Error(INTERNAL_ERROR, "Internal error", {"ref": reference})


def _new_reference() -> str:
    return secrets.token_hex(4)
