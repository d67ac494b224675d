"""Requests, batches and notifications, as the node's JSON-RPC library takes them."""

import json
from collections.abc import Mapping
from typing import Any

from lucidtrond.devnet.ethereum.errors import RpcError, wrong_parameters
from lucidtrond.devnet.ethereum.methods import Method
from lucidtrond.devnet.state.view import ChainView

Json = dict[str, Any]
Methods = Mapping[str, Method]


def answer(chain: ChainView, methods: Methods, body: bytes) -> Any:
    """What is printed as JSON; None for nothing at all."""
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        return _failed("null", RpcError(-32700, "JSON parse error", None))
    if isinstance(request, list):
        answers = [_answer_one(chain, methods, call) for call in request]
        return [answer for answer in answers if answer is not None]
    return _answer_one(chain, methods, request)


def _answer_one(chain: ChainView, methods: Methods, request: Any) -> Json | None:
    if not isinstance(request, dict):
        return _failed("null", RpcError(-32600, "invalid request", None))
    request_id = request.get("id")
    try:
        result = _run(chain, methods, request)
    except RpcError as error:
        return None if request_id is None else _failed(request_id, error)
    if request_id is None:
        return None
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


def _run(chain: ChainView, methods: Methods, request: Json) -> Any:
    name = request.get("method")
    method = methods.get(name) if isinstance(name, str) else None
    if method is None:
        raise RpcError(-32601, "method not found", None)
    parameters = request.get("params")
    if parameters is None:
        parameters = []
    if not isinstance(parameters, list) or len(parameters) != method.parameters:
        raise wrong_parameters()
    return method.answer(chain, *parameters)


def _failed(request_id: Any, error: RpcError) -> Json:
    return {"jsonrpc": "2.0", "id": request_id, "error": error.printed()}
