"""The control verbs carried out, and their HTTP paths ``/devnet/VERB``.

Verbs, parameters and results are declared in `lucidtrond.api.devnet`; each has one
function here that carries it out.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final, Protocol

import msgspec
import trio
from msgspec import Meta

from lucidtrond.api import devnet as declared
from lucidtrond.api.params import Result, read_address, read_amount, read_recipient
from lucidtrond.devnet.faults import Faults, TooManyRules
from lucidtrond.devnet.router import JSON_TYPE
from lucidtrond.devnet.state.chain import TooDeep
from lucidtrond.errors import CallError, InvalidInput, RecipientRefused
from lucidtrond.transports.http import Handler, HttpRequest, HttpResponse
from lucidtrond.tron.address import (
    ZERO,
    Address,
    InvalidAddress,
    has_checksum,
    parse_address,
)
from lucidtrond.tron.transaction import TxId
from lucidtrond.tron.units import Sun

PREFIX: Final = "/devnet/"
MAX_TOKEN_AMOUNT: Final = 2**256 - 1
"""uint256 of TRC-20."""

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


_Function = Callable[[Controllable, Any], Awaitable[Result]]

FUNCTIONS: Final[dict[str, _Function]] = {}
"""What carries out each verb, by its name."""


def _carries_out(name: str) -> Callable[[_Function], _Function]:
    def add(function: _Function) -> _Function:
        FUNCTIONS[name] = function
        return function

    return add


@_carries_out("info")
async def _info(devnet: Controllable, _params: None) -> declared.Info:
    await trio.lowlevel.checkpoint()
    return msgspec.convert(devnet.info(), declared.Info)


@_carries_out("mine")
async def _mine(devnet: Controllable, params: declared.Mine) -> declared.Mined:
    return declared.Mined(head_number=await devnet.mine(params.count))


@_carries_out("jump")
async def _jump(devnet: Controllable, params: declared.Jump) -> declared.Mined:
    return declared.Mined(head_number=await devnet.jump(params.seconds))


@_carries_out("fork")
async def _fork(devnet: Controllable, params: declared.Fork) -> declared.Mined:
    head = await devnet.fork(params.depth, keep=params.keep, blocks=params.blocks)
    return declared.Mined(head_number=head)


@_carries_out("stall")
async def _stall(devnet: Controllable, params: declared.Stall) -> declared.Stalled:
    await trio.lowlevel.checkpoint()
    devnet.stall(stalled=params.stalled)
    return declared.Stalled(stalled=params.stalled)


@_carries_out("snapshot")
async def _snapshot(devnet: Controllable, params: declared.Named) -> declared.Mined:
    return declared.Mined(head_number=await devnet.snapshot(params.name))


@_carries_out("restore")
async def _restore(devnet: Controllable, params: declared.Named) -> declared.Mined:
    return declared.Mined(head_number=await devnet.restore(params.name))


@_carries_out("fund")
async def _fund(devnet: Controllable, params: declared.Fund) -> declared.Funded:
    to = read_recipient(
        params.address,
        allow_unchecked=params.allow_unchecked_recipient,
        name="address",
    )
    if to == ZERO and not params.allow_zero_address:
        raise RecipientRefused(
            f"address: the zero address {ZERO}: nobody has its key, what it gets is"
            " lost; allow_zero_address says that it is meant",
            recipient=to.base58,
            flag="allow_zero_address",
        )
    if params.asset == "TRX":
        if params.amount_sun is None or params.amount_raw is not None:
            raise InvalidInput("TRX: expected amount_sun and no amount_raw")
        sun = Sun(read_amount(params.amount_sun, name="amount_sun"))
        return declared.Funded(txid=await devnet.fund(to, sun))
    token = _read_token(devnet, params.asset, name="asset", others="TRX, ")
    if params.amount_raw is None or params.amount_sun is not None:
        symbol = token["symbol"]
        raise InvalidInput(f"{symbol}: expected amount_raw and no amount_sun")
    amount = read_amount(params.amount_raw, name="amount_raw", limit=MAX_TOKEN_AMOUNT)
    contract = parse_address(token["address"])
    return declared.Funded(txid=await devnet.fund_token(to, contract, amount))


@_carries_out("zero_transfer")
async def _zero_transfer(
    devnet: Controllable, params: declared.ZeroTransfer
) -> declared.Funded:
    sender = read_address(params.sender, name="sender")
    recipient = read_address(params.recipient, name="recipient")
    token = parse_address(_read_token(devnet, params.token, name="token")["address"])
    txid = await devnet.plant_zero_transfer(sender, recipient, token)
    return declared.Funded(txid=txid)


@_carries_out("rule")
async def _rule(devnet: Controllable, params: declared.SetRule) -> declared.Funded:
    token = parse_address(_read_token(devnet, params.token, name="token")["address"])
    return declared.Funded(txid=await devnet.set_rule(token, honest=params.honest))


def _read_token(
    devnet: Controllable, text: str, *, name: str, others: str = ""
) -> Mapping[str, Any]:
    """A token of this chain, by its symbol or its address, as `info` shows it.

    Raises:
        InvalidInput: there is none; or hex without a checksum.
    """
    info = devnet.info()
    wanted = text.strip()
    for token in info["tokens"]:
        if token["symbol"] == wanted.upper():
            return dict(token)
    symbols = ", ".join(token["symbol"] for token in info["tokens"])
    expected = f"{name}: expected {others}{symbols} or a known token's address"
    try:
        address = parse_address(wanted)
    except InvalidAddress as exc:
        raise InvalidInput(f"{expected}, got {text!r}: {exc}") from None
    if not has_checksum(wanted):
        raise InvalidInput(
            f"{expected} with a checksum (base58, or 0x-hex in mixed case), got"
            f" {text!r}"
        )
    for token in (*info["tokens"], *info["fake_tokens"]):
        if token["address"] == address.base58:
            return dict(token)
    raise InvalidInput(f"{expected}, got {text!r}: there is no token on this chain")


@_carries_out("close_port")
async def _close_port(
    devnet: Controllable, params: declared.ClosePort
) -> declared.ClosedPort:
    await trio.lowlevel.checkpoint()
    devnet.close_port(params.port, params.for_s)
    return declared.ClosedPort(port=params.port, for_s=params.for_s, door=params.port)


@_carries_out("fault")
async def _fault(devnet: Controllable, params: declared.Fault) -> declared.FaultNumber:
    await trio.lowlevel.checkpoint()
    return declared.FaultNumber(number=devnet.faults.add(params.rule))


@_carries_out("faults")
async def _faults(devnet: Controllable, _params: None) -> declared.FaultStates:
    await trio.lowlevel.checkpoint()
    states = list(devnet.faults.states())
    return declared.FaultStates(seed=devnet.faults.seed, faults=states)


@_carries_out("clear")
async def _clear(devnet: Controllable, params: declared.Clear) -> declared.Cleared:
    await trio.lowlevel.checkpoint()
    return declared.Cleared(cleared=devnet.faults.clear(params.number))


@_carries_out("seed")
async def _seed(devnet: Controllable, params: declared.Seed) -> declared.Seeded:
    await trio.lowlevel.checkpoint()
    devnet.faults.reseed(params.seed)
    return declared.Seeded(seed=params.seed)


_REFUSALS: Final = (
    msgspec.ValidationError,
    CantStall,
    NoSnapshot,
    NoSuchPort,
    TooDeep,
    TooManyRules,
)


async def control(devnet: Controllable, name: str, params: Mapping[str, Any]) -> Json:
    """Carry out the verb of that name, or older name; gives its result by fields.

    Raises:
        InvalidInput: no such verb, or its parameters do not fit.
        InsufficientFunds, RecipientRefused, TooBusy: a payment that is refused.
    """
    verb = _find_verb(name)
    try:
        return await _carry_out(devnet, verb, params)
    except _REFUSALS as why:
        raise InvalidInput(f"{name}: {why}") from None


def _find_verb(name: str) -> declared.ControlVerb:
    verb = declared.NAMES.get(name)
    if verb is None:
        expected = ", ".join(declared.VERBS)
        raise InvalidInput(f"expected one of {expected}, got {name[:40]!r}")
    return verb


async def _carry_out(
    devnet: Controllable, verb: declared.ControlVerb, params: Mapping[str, Any]
) -> Json:
    """Raises CallError or one of `_REFUSALS`."""
    read = msgspec.convert(params, verb.params or _NoParams)
    given = None if verb.params is None else read
    result = await FUNCTIONS[verb.name](devnet, given)
    fields: Json = msgspec.to_builtins(result)
    return fields


class _NoParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


# Over HTTP


class _OlderFund(msgspec.Struct, frozen=True):
    """How much, by one number for TRX and tokens alike."""

    amount: Annotated[int, Meta(ge=1)]
    token: str | None = None


def _fund_of_older(params: Json) -> Json:
    """``{address, amount, token}``: older than *amount_sun*, *amount_raw*, *asset*.

    It never asked for an address's checksum.
    """
    if "amount" not in params:
        return params
    older = msgspec.convert(params, _OlderFund)
    others = {key: params[key] for key in params.keys() - {"amount", "token"}}
    unit = "amount_sun" if older.token is None else "amount_raw"
    asset = {} if older.token is None else {"asset": older.token}
    return {
        "allow_unchecked_recipient": True,
        unit: str(older.amount),
        **asset,
        **others,
    }


def _fault_of_flat(params: Json) -> Json:
    """The rule's fields without a *rule* around them."""
    return params if "rule" in params else {"rule": params}


OTHER_FORMS: Final[Mapping[str, Callable[[Json], Json]]] = {
    "fund": _fund_of_older,
    "fault": _fault_of_flat,
}
"""What HTTP takes beside the declared parameters, made into those."""


def controlled(devnet: Controllable, handler: Handler, *, allowed: bool) -> Handler:
    """*handler* with ``/devnet/VERB`` before it: POST with a JSON object.

    What is refused is 400; without ``--control`` everything is 403.
    """

    async def handle(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PREFIX):
            return await handler(request)
        if not allowed:
            return _answer(403, {"Error": "/devnet/ needs --control"})
        name = request.path.removeprefix(PREFIX)
        try:
            params = msgspec.json.decode(request.body or b"{}", type=Json)
            verb = _find_verb(name)
        except msgspec.DecodeError as why:
            return _answer(400, {"Error": f"expected a JSON object: {why}"})
        except InvalidInput as why:
            return _answer(400, {"Error": str(why)})
        form = OTHER_FORMS.get(name)
        try:
            params = params if form is None else form(params)
            return _answer(200, await _carry_out(devnet, verb, params))
        except (CallError, *_REFUSALS) as why:
            return _answer(400, {"Error": f"{name}: {why}"})

    return handle


def _answer(status: int, content: Json) -> HttpResponse:
    return HttpResponse(status, msgspec.json.encode(content) + b"\n", JSON_TYPE)
