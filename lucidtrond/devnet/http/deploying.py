"""The servlet that builds deployments of contracts; to run one is another matter."""

from collections.abc import Mapping
from typing import Any

from lucidtrond.devnet.http.building import set_permission
from lucidtrond.devnet.http.printing import Json
from lucidtrond.devnet.http.requests import ServletRequest
from lucidtrond.devnet.java.errors import contract_invalid
from lucidtrond.devnet.java.values import as_text, decode_hex, merge, to_long
from lucidtrond.devnet.state.unsigned import raw_data_of
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.contract_terms import WHOLE
from lucidtrond.tron.jsonformat import print_transaction


def deploy_contract(ask: ServletRequest) -> Json:
    """DeployContractServlet: reads its parameters in this order, checks nearly none."""
    visible, body = ask.visible, ask.body()
    owner = ask.decode_address(as_text(body.get("owner_address")) or "")
    message = pb.CreateSmartContract(
        owner_address=owner,
        call_token_value=_long(body, "call_token_value"),
        token_id=_long(body, "token_id"),
    )
    made = message.new_contract
    made.abi.SetInParent()
    if "abi" in body:
        abi = as_text(body["abi"])
        entrys = "null" if abi is None else abi
        merge(f'{{"entrys":{entrys}}}', made.abi, visible=visible)
    made.call_value = _long(body, "call_value")
    made.consume_user_resource_percent = _long(body, "consume_user_resource_percent")
    made.origin_energy_limit = _long(body, "origin_energy_limit")
    made.origin_address = owner
    made.bytecode = _code(body)
    made.name = as_text(body.get("name")) or ""
    fee_limit = _long(body, "fee_limit")
    if not 0 <= made.consume_user_resource_percent <= WHOLE:
        raise contract_invalid("percent must be >= 0 and <= 100")
    raw = raw_data_of(ask.chain, message, now_ms=ask.now_ms())
    raw.fee_limit = fee_limit
    set_permission(raw, body)
    encoded = raw.SerializeToString(deterministic=True)
    return {"visible": visible, **print_transaction(encoded, (), visible=visible)}


def _long(body: Mapping[str, Any], name: str) -> int:
    return to_long(body.get(name)) or 0


def _code(body: Mapping[str, Any]) -> bytes:
    """Code and arguments, one after the other; Java spells a missing one "null"."""
    code = as_text(body.get("bytecode"))
    if "parameter" in body:
        parts = (code, as_text(body["parameter"]))
        code = "".join("null" if part is None else part for part in parts)
    return decode_hex(code or "")
