"""Servlets about contracts: what is deployed, calls to be tried or to be signed."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from lucidtrond.devnet.http.building import set_permission
from lucidtrond.devnet.http.printing import Json, print_address, print_log
from lucidtrond.devnet.http.reads import view
from lucidtrond.devnet.http.requests import ServletRequest
from lucidtrond.devnet.java.errors import JavaError
from lucidtrond.devnet.java.values import decode_base58, decode_hex, to_long
from lucidtrond.devnet.state.deployed import Contract, artifact, creation_code
from lucidtrond.devnet.state.energy import estimated
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.token_run import TokenResult
from lucidtrond.devnet.state.triggering import Call, call_constant, logs_of
from lucidtrond.devnet.state.unsigned import raw_data_of
from lucidtrond.tron import abi
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.jsonformat import print_transaction

_VERSION: Final = 1
"""Of contracts deployed since getAllowTvmCompatibleEvm."""


class _Failed(Exception):
    """Becomes ``{"result": {"code": …, "message": …}}``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def get_contract(ask: ServletRequest) -> Json:
    contract = _asked(ask)
    return _print_contract(contract, visible=ask.visible) if contract else {}


def get_contract_info(ask: ServletRequest) -> Json:
    """Energy statistics of contracts are not kept: *contract_state* is empty."""
    contract = _asked(ask)
    if contract is None:
        return {}
    return {
        "smart_contract": _print_contract(contract, visible=ask.visible),
        "runtimecode": artifact().runtime,
        "contract_state": {},
    }


def _asked(ask: ServletRequest) -> Contract | None:
    # GetContractServlet: base58 is turned into hex first.
    if not ask.visible:
        if ask.posted:
            value = ask.message("BytesMessage").value
        else:
            given = ask.parameters.get("value")
            value = ask.from_parameter("BytesMessage", "value", given).value
        return view(ask).contracts.get(value)
    given = ask.body().get("value") if ask.posted else ask.parameters.get("value")
    return view(ask).contracts.get(decode_base58(str(given or "")) or b"")


def _print_contract(contract: Contract, *, visible: bool) -> Json:
    made = artifact()
    printed = {
        "origin_address": print_address(contract.origin, visible=visible),
        "contract_address": print_address(contract.address, visible=visible),
        "abi": {"entrys": made.entrys} if contract.has_abi else {},
        "bytecode": creation_code(contract),
        "consume_user_resource_percent": contract.caller_percent,
        "name": made.name,
        "origin_energy_limit": contract.origin_energy_limit,
        "code_hash": made.code_hash,
        "version": _VERSION,
    }
    return {name: value for name, value in printed.items() if value != 0}


def trigger_constant_contract(ask: ServletRequest) -> Json:
    return _answer(ask, _constant)


def estimate_energy(ask: ServletRequest) -> Json:
    return _answer(ask, _estimate)


def trigger_smart_contract(ask: ServletRequest) -> Json:
    return _answer(ask, _trigger)


def _answer(
    ask: ServletRequest, servlet: Callable[[ServletRequest, Mapping[str, Any]], Json]
) -> Json:
    """These three put what goes wrong into ``result``, in hex unless visible."""
    visible = False
    try:
        body = ask.body()
        visible = ask.visible
        if not body.get("owner_address"):
            raise _unset("owner_address isn't set.")
        return servlet(ask, body)
    except Invalid as refusal:
        code, message = "CONTRACT_VALIDATE_ERROR", refusal.reason
    except JavaError as error:
        code, message = "OTHER_ERROR", str(error).replace('"', "'")
    except _Failed as failure:
        code, message = failure.code, failure.message
    return {"result": {"code": code, "message": _said(message, visible=visible)}}


def _said(message: str, *, visible: bool) -> str:
    return message if visible else message.encode().hex()


def _unset(message: str) -> JavaError:
    return JavaError("java.security.InvalidParameterException", message)


def _constant(ask: ServletRequest, body: Mapping[str, Any]) -> Json:
    message = _tried(ask, body)
    raw = raw_data_of(ask.chain, message, now_ms=ask.now_ms())
    return _print_constant(raw, _run(ask, message), visible=ask.visible)


def _estimate(ask: ServletRequest, body: Mapping[str, Any]) -> Json:
    result = _run(ask, _tried(ask, body))
    if result.result != "SUCCESS":
        raise _Failed("CONTRACT_EXE_ERROR", result.message)
    needed = estimated(result.energy, ask.chain.genesis)
    return {"result": {"result": True}, "energy_required": needed}


def _trigger(ask: ServletRequest, body: Mapping[str, Any]) -> Json:
    if not body.get("contract_address"):
        raise _unset("contract_address isn't set.")
    message = _message(ask, body)
    raw = raw_data_of(ask.chain, message, now_ms=ask.now_ms())
    raw.fee_limit = to_long(body.get("fee_limit")) or 0
    contract = view(ask).contracts.get(message.contract_address)
    if contract is None:
        raise Invalid("No contract or not a valid smart contract")
    if contract.reads_only(message.data):
        return _print_constant(raw, _run(ask, message), visible=ask.visible)
    set_permission(raw, body)
    encoded = raw.SerializeToString(deterministic=True)
    printed = print_transaction(encoded, (), visible=ask.visible)
    return {
        "result": {"result": True},
        "transaction": {"visible": ask.visible, **printed},
    }


def _tried(ask: ServletRequest, body: Mapping[str, Any]) -> Any:
    # Util.validateParameter
    if not body.get("contract_address"):
        if not body.get("data"):
            raise _unset("At least one of contract_address and data must be set.")
        raise _Failed("OTHER_ERROR", "this devnet runs no byte code")
    return _message(ask, body)


def _message(ask: ServletRequest, body: Mapping[str, Any]) -> Any:
    """A TriggerSmartContract: a selector goes before data (Util.parseMethod)."""
    message = ask.merge(pb.TriggerSmartContract())
    selector = body.get("function_selector")
    if selector:
        parameter = body.get("parameter")
        arguments = "" if parameter is None else str(parameter)
        message.data = decode_hex(abi.selector(str(selector)).hex() + arguments)
    return message


def _run(ask: ServletRequest, message: Any) -> TokenResult:
    return call_constant(view(ask), Call.of(message))


def _print_constant(
    raw: pb.Transaction.raw, result: TokenResult, *, visible: bool
) -> Json:
    encoded = raw.SerializeToString(deterministic=True)
    address = pb.TriggerSmartContract.FromString(
        raw.contract[0].parameter.value
    ).contract_address
    succeeded = result.result == "SUCCESS"
    verdict: Json = {"result": True}
    if not succeeded:
        verdict["message"] = _said(result.message, visible=visible)
    printed: Json = {
        "result": verdict,
        "energy_used": result.energy,
        "constant_result": [result.data.hex()],
    }
    if result.logs:
        printed["logs"] = [
            print_log(row, visible=visible) for row in logs_of(result, address)
        ]
    printed["transaction"] = {
        "ret": [{} if succeeded else {"ret": "FAILED"}],
        "visible": visible,
        **print_transaction(encoded, (), visible=visible),
    }
    return printed
