"""What a test may do to a running chain, by name: one table for HTTP and JSON-RPC.

Each verb has its parameters as a type and gives a JSON-able object.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final, Protocol

import msgspec
import trio
from attrs import frozen
from msgspec import Meta
from msgspec.structs import force_setattr

from lucidtrond.devnet.faults import Faults, Rule, TooManyRules, one_port
from lucidtrond.devnet.router import JSON_TYPE
from lucidtrond.devnet.state.chain import TooDeep
from lucidtrond.errors import InsufficientFunds, InvalidInput, TooBusy
from lucidtrond.transports.http import Handler, HttpRequest, HttpResponse
from lucidtrond.tron.address import Address, InvalidAddress, parse_address
from lucidtrond.tron.transaction import TxId
from lucidtrond.tron.units import Sun

PREFIX: Final = "/devnet/"
MAX_BLOCKS: Final = 10_000
MAX_JUMP_S: Final = 400 * 86_400
MAX_CLOSED_S: Final = 3600

Json = dict[str, Any]


class CantStall(ValueError):
    """Too few witnesses to keep the rest from solidifying."""


class NoSuchPort(ValueError):
    """No port has that number."""


class NoSnapshot(ValueError):
    """Nothing that can be restored by that name."""


class Controllable(Protocol):
    """A running chain, as far as verbs reach; see `running.Devnet`."""

    @property
    def faults(self) -> Faults: ...
    def info(self) -> Mapping[str, Any]: ...
    async def mine(self, count: int) -> int: ...
    async def jump(self, seconds: float) -> int: ...
    async def fork(self, depth: int, *, keep: bool, blocks: int) -> int: ...
    def stall(self, *, stalled: bool) -> None: ...
    def close_port(self, port: int, for_s: float) -> None: ...
    async def plant_zero_transfer(
        self, sender: Address, recipient: Address, token: Address
    ) -> TxId: ...
    async def set_rule(self, token: Address, *, honest: bool) -> TxId: ...
    async def fund(self, address: Address, amount: Sun) -> TxId: ...
    async def fund_token(
        self, address: Address, token: Address, amount: int
    ) -> TxId: ...
    async def snapshot(self, name: str) -> int: ...
    async def restore(self, name: str) -> int: ...


class _Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class _Nothing(_Params, frozen=True):
    pass


class _Mine(_Params, frozen=True):
    count: Annotated[int, Meta(ge=1, le=MAX_BLOCKS)] = 1


class _Jump(_Params, frozen=True):
    seconds: Annotated[float, Meta(gt=0, le=MAX_JUMP_S)]


class _Fork(_Params, frozen=True):
    depth: Annotated[int, Meta(ge=1)] = 1
    keep: bool = True
    blocks: Annotated[int, Meta(ge=0, le=MAX_BLOCKS)] = 0


class _Stall(_Params, frozen=True):
    stalled: bool = True


class _Shut(_Params, frozen=True):
    port: Annotated[int, Meta(ge=0)] = 0
    for_s: Annotated[float, Meta(gt=0, le=MAX_CLOSED_S)] = 1.0
    door: Annotated[int, Meta(ge=0)] | None = None

    def __post_init__(self) -> None:
        force_setattr(self, "port", one_port(self.port or None, self.door) or 0)


class _Nil(_Params, frozen=True):
    sender: str
    recipient: str
    token: str


class _Rule(_Params, frozen=True):
    token: str
    honest: bool


class _Fund(_Params, frozen=True):
    address: str
    amount: Annotated[int, Meta(ge=1)]
    token: str | None = None


class _Named(_Params, frozen=True):
    name: Annotated[str, Meta(min_length=1, max_length=100)]


class _Clear(_Params, frozen=True):
    number: Annotated[int, Meta(ge=1, le=2**63 - 1)] | None = None


class _Seed(_Params, frozen=True):
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


async def _info(devnet: Controllable, _params: _Nothing) -> Json:
    await trio.lowlevel.checkpoint()
    return dict(devnet.info())


async def _mine(devnet: Controllable, params: _Mine) -> Json:
    return {"head_number": await devnet.mine(params.count)}


async def _jump(devnet: Controllable, params: _Jump) -> Json:
    return {"head_number": await devnet.jump(params.seconds)}


async def _fork(devnet: Controllable, params: _Fork) -> Json:
    head = await devnet.fork(params.depth, keep=params.keep, blocks=params.blocks)
    return {"head_number": head}


async def _stall(devnet: Controllable, params: _Stall) -> Json:
    await trio.lowlevel.checkpoint()
    devnet.stall(stalled=params.stalled)
    return {"stalled": params.stalled}


async def _shut(devnet: Controllable, params: _Shut) -> Json:
    await trio.lowlevel.checkpoint()
    devnet.close_port(params.port, params.for_s)
    return {"port": params.port, "door": params.port, "for_s": params.for_s}


async def _nil(devnet: Controllable, params: _Nil) -> Json:
    named = (params.sender, params.recipient, params.token)
    sender, recipient, token = (_address(devnet, text) for text in named)
    return {"txid": await devnet.plant_zero_transfer(sender, recipient, token)}


async def _fund(devnet: Controllable, params: _Fund) -> Json:
    to = parse_address(params.address)
    if params.token is None:
        return {"txid": await devnet.fund(to, Sun(params.amount))}
    token = _address(devnet, params.token)
    return {"txid": await devnet.fund_token(to, token, params.amount)}


async def _rule(devnet: Controllable, params: _Rule) -> Json:
    token = _address(devnet, params.token)
    return {"txid": await devnet.set_rule(token, honest=params.honest)}


def _address(devnet: Controllable, text: str) -> Address:
    """An address, or a token's symbol."""
    for token in devnet.info()["tokens"]:
        if token["symbol"] == text.upper():
            return parse_address(token["address"])
    return parse_address(text)


async def _snapshot(devnet: Controllable, params: _Named) -> Json:
    return {"head_number": await devnet.snapshot(params.name)}


async def _restore(devnet: Controllable, params: _Named) -> Json:
    return {"head_number": await devnet.restore(params.name)}


async def _fault(devnet: Controllable, rule: Rule) -> Json:
    await trio.lowlevel.checkpoint()
    return {"number": devnet.faults.add(rule)}


async def _faults(devnet: Controllable, _params: _Nothing) -> Json:
    await trio.lowlevel.checkpoint()
    states = msgspec.to_builtins(devnet.faults.states())
    return {"seed": devnet.faults.seed, "faults": states}


async def _clear(devnet: Controllable, params: _Clear) -> Json:
    await trio.lowlevel.checkpoint()
    return {"cleared": devnet.faults.clear(params.number)}


async def _seed(devnet: Controllable, params: _Seed) -> Json:
    await trio.lowlevel.checkpoint()
    devnet.faults.reseed(params.seed)
    return {"seed": params.seed}


@frozen
class _Verb:
    params: type[msgspec.Struct]
    run: Callable[[Controllable, Any], Awaitable[Json]]


VERBS: Final[Mapping[str, _Verb]] = {
    "info": _Verb(_Nothing, _info),
    "mine": _Verb(_Mine, _mine),
    "jump": _Verb(_Jump, _jump),
    "fork": _Verb(_Fork, _fork),
    "stall": _Verb(_Stall, _stall),
    "shut": _Verb(_Shut, _shut),
    "fund": _Verb(_Fund, _fund),
    "nil": _Verb(_Nil, _nil),
    "rule": _Verb(_Rule, _rule),
    "snapshot": _Verb(_Named, _snapshot),
    "restore": _Verb(_Named, _restore),
    "fault": _Verb(Rule, _fault),
    "faults": _Verb(_Nothing, _faults),
    "clear": _Verb(_Clear, _clear),
    "seed": _Verb(_Seed, _seed),
}


_REFUSALS: Final = (
    msgspec.ValidationError,
    CantStall,
    InsufficientFunds,
    InvalidAddress,
    NoSuchPort,
    NoSnapshot,
    TooBusy,
    TooDeep,
    TooManyRules,
)


async def control(devnet: Controllable, verb: str, params: Mapping[str, Any]) -> Json:
    """Carry one verb out.

    Raises:
        InvalidInput: no such verb, or its parameters can't be.
    """
    declared = VERBS.get(verb)
    if declared is None:
        raise InvalidInput(f"expected one of {', '.join(VERBS)}, got {verb[:40]!r}")
    try:
        read = msgspec.convert(params, declared.params)
        return await declared.run(devnet, read)
    except _REFUSALS as why:
        raise InvalidInput(f"{verb}: {why}") from None


def controlled(devnet: Controllable, handler: Handler, *, allowed: bool) -> Handler:
    """*handler* with ``/devnet/VERB`` before it: POST with a JSON object.

    What can't be done is 400, without leave (``--control``) everything is 403.
    """

    async def handle(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PREFIX):
            return await handler(request)
        if not allowed:
            return _answer(403, {"Error": "/devnet/ needs --control"})
        try:
            params = msgspec.json.decode(request.body or b"{}", type=dict[str, Any])
            verb = request.path.removeprefix(PREFIX)
            return _answer(200, await control(devnet, verb, params))
        except msgspec.DecodeError as why:
            return _answer(400, {"Error": f"expected a JSON object: {why}"})
        except InvalidInput as why:
            return _answer(400, {"Error": str(why)})

    return handle


def _answer(status: int, content: Json) -> HttpResponse:
    return HttpResponse(status, msgspec.json.encode(content) + b"\n", JSON_TYPE)
