"""The table of routes: path family, method, parameters in, answer out.

Field names and types are the older service's. Its floats stay, for those who read them;
beside each stands the exact amount as text (``amount_sun``). Times in its ISO fields
are local and without a zone, as they were.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from lucidtrond.api import (
    AlreadyFinal,
    CallError,
    Conflict,
    Context,
    DeadlinePassed,
    Expired,
    ForeignTransaction,
    InDoubt,
    InvalidInput,
    KeystoreLocked,
    KeystoreMissing,
    LedgerEntry,
    NoConfig,
    NodeError,
    NotFound,
    Plugin,
    PluginDisabled,
    PluginFailed,
    PossibleRestore,
    RouteRequest,
    RouteResponse,
    ShuttingDown,
    TooBusy,
    Verb,
)
from lucidtrond.tron.tokens import KnownTokens
from lucidtrond.tron.units import TRX_DECIMALS
from lucidtrond_lucidhttp.reading import Field, Refused, read_body, read_query

plugin = Plugin("lucidhttp")

SUN: Final = 1_000_000
TXID_CHARACTERS: Final = 32
"""All that the older service asked of one."""
BASE: Final = "/api/v1/tron"
TIME_MS: Final = 2**53
_TYPES: Final = {"trx": "trx_transfer"}

Answer = Callable[[Context[NoConfig], RouteRequest], Awaitable[dict[str, Any]]]


async def history(ctx: Context[NoConfig], request: RouteRequest) -> dict[str, Any]:
    asked = read_query(
        request.query,
        [
            Field("skip", "integer", 0, least=0, most=1_000_000),
            Field("limit", "integer", 100, least=1, most=1000),
            Field("from_timestamp", "integer", None, least=0, most=TIME_MS),
            Field("to_timestamp", "integer", None, least=0, most=TIME_MS),
        ],
    )
    wallet = await _wallet(ctx, request.path["wallet_id"], "wallet.get")
    page = await ctx.call(
        "history.list",
        {
            "address": wallet.address,
            "skip": asked["skip"],
            "limit": asked["limit"],
            "from_ms": asked["from_timestamp"],
            "to_ms": asked["to_timestamp"],
        },
    )
    return {
        "wallet_id": wallet.wallet_id,
        "address": wallet.address,
        "transactions": [_transaction(entry, ctx.tokens) for entry in page.entries],
        "total_count": page.total,
        "from_timestamp": asked["from_timestamp"],
        "to_timestamp": asked["to_timestamp"],
        "timestamp": _iso(ctx.clock.now_ms()),
    }


def _transaction(entry: LedgerEntry, tokens: KnownTokens) -> dict[str, Any]:
    """The float is null where nobody vouches for the decimals."""
    is_trx = entry.asset == "TRX"
    token = tokens.at(entry.asset)
    decimals = TRX_DECIMALS if is_trx else token.decimals if token else None
    currency = token.symbol if token else entry.asset
    kind = "usdt_transfer" if currency == "USDT" else "contract_call"
    at = _iso(entry.block_timestamp_ms)
    return {
        "transaction_id": entry.txid,
        "txid": entry.txid,
        "from_address": entry.from_address,
        "to_address": entry.to_address,
        "amount": None if decimals is None else int(entry.amount) / 10**decimals,
        "amount_sun": entry.amount if is_trx else None,
        "amount_raw": entry.amount,
        "decimals": decimals,
        "currency": currency,
        "contract_address": entry.asset if entry.kind == "trc20" else None,
        "unknown_token": entry.unknown_token,
        "transaction_type": _TYPES.get(entry.kind, kind),
        "status": _status(entry),
        "fee": int(entry.fee_sun) / SUN,
        "fee_sun": entry.fee_sun,
        "energy_used": entry.energy_used,
        "bandwidth_used": entry.bandwidth_used,
        "block_number": entry.block_number,
        "timestamp": entry.block_timestamp_ms,
        "memo": bytes.fromhex(entry.memo_hex).decode("utf-8", "replace") or None,
        "created_at": at,
        "updated_at": at,
    }


def _status(entry: LedgerEntry) -> str:
    if entry.contradicted:
        return "unproven"
    return "success" if entry.success else "failed"


async def receipt(ctx: Context[NoConfig], request: RouteRequest) -> dict[str, Any]:
    txid = _txid(request)
    try:
        on_chain = await ctx.call("tx.receipt", {"txid": txid})
        sent = await ctx.call("tx.get", {"txid": txid})
    except InvalidInput:
        raise Refused(400, "Invalid transaction ID format") from None
    except NotFound as error:
        if error.data.get("retryable"):
            raise Refused(425, "Transaction is in no block yet") from None
        raise Refused(404, "Transaction not found") from None
    amount = sent.amount_sun or sent.call_value_sun or "0"
    return {
        "txid": on_chain.txid,
        "block_number": on_chain.block_number,
        "block_timestamp": on_chain.block_timestamp_ms,
        "from_address": sent.from_address or "",
        "to_address": sent.to_address or sent.contract_address or "",
        "amount": int(amount),
        "amount_sun": amount,
        "fee": int(on_chain.fee_sun),
        "fee_sun": on_chain.fee_sun,
        "energy_used": on_chain.energy_usage_total,
        "bandwidth_used": on_chain.net_usage,
        "status": "success" if on_chain.success else "failed",
        "confirmation_count": on_chain.confirmations - 1,
        "solidified": on_chain.solidified,
        "receipt_time": _iso(on_chain.block_timestamp_ms),
        "raw_data": {"raw_data_hex": sent.raw_data_hex},
        "token_transfers": [
            msgspec.to_builtins(moved) for moved in on_chain.token_transfers
        ],
    }


async def retry(ctx: Context[NoConfig], request: RouteRequest) -> dict[str, Any]:
    txid = _txid(request)
    try:
        again = await ctx.call("tx.retry", {"txid": txid})
    except InvalidInput:
        raise Refused(400, "Invalid transaction ID format") from None
    except NotFound:
        raise Refused(404, "Original transaction not found") from None
    except AlreadyFinal:
        raise Refused(400, "Cannot retry successful transactions") from None
    if again.action == "nothing":
        raise Refused(400, "Cannot retry successful transactions")
    return {
        "original_txid": txid,
        "retry_txid": again.txid,
        "retry_status": "pending" if again.payment is None else again.payment.state,
        "retry_timestamp": _iso(ctx.clock.now_ms()),
        "message": _RETRIED[again.action],
    }


_RETRIED: Final = {
    "sent_again": "The same signed transaction was sent again; it can't pay twice",
    "paid_anew": "The first is proven never to pay; another transaction was sent",
}


async def validate(ctx: Context[NoConfig], request: RouteRequest) -> dict[str, Any]:
    asked = read_body(request.body, [Field("address", "string", longest=1000)])
    verdict = await ctx.call("address.validate", {"address": asked["address"]})
    balance = verdict.balance_sun
    message = "Valid TRON address" if verdict.valid else verdict.reason
    if verdict.valid and not verdict.online:
        message += "; no node answered, so the rest is unknown"
    return {
        "address": verdict.address or asked["address"].strip(),
        "is_valid": verdict.valid,
        "is_contract": bool(verdict.is_contract),
        "balance_trx": None if balance is None else int(balance) / SUN,
        "balance_sun": balance,
        "activation_timestamp": None,
        "message": message,
    }


async def batch_create(ctx: Context[NoConfig], request: RouteRequest) -> dict[str, Any]:
    asked = read_body(
        request.body,
        [
            Field("count", "integer", least=1, most=100),
            Field("prefix", "string", None, longest=90),
        ],
    )
    given = {name: value for name, value in asked.items() if value is not None}
    made = await ctx.call("wallet.batch_create", given)
    created_ms = made.wallets[0].created_ms
    return {
        "wallet_ids": [wallet.wallet_id for wallet in made.wallets],
        "addresses": [wallet.address for wallet in made.wallets],
        "count": made.count,
        "created_at": _iso(created_ms),
        "timestamp": _iso(ctx.clock.now_ms()),
    }


async def export(ctx: Context[NoConfig], request: RouteRequest) -> dict[str, Any]:
    asked = read_body(
        request.body,
        [Field("wallet_id", "string"), Field("include_private_key", "boolean", False)],  # noqa: FBT003 - its default
    )
    if asked["include_private_key"]:
        raise Refused(403, "Private keys are never exported over HTTP")
    if asked["wallet_id"] != request.path["wallet_id"]:
        raise Refused(400, "wallet_id differs between path and body")
    wallet = await _wallet(ctx, asked["wallet_id"], "wallet.export")
    created = _iso(wallet.created_ms)
    return {
        "wallet": {
            "wallet_id": wallet.wallet_id,
            "name": wallet.label,
            "description": None,
            "address": wallet.address,
            "wallet_type": "hd",
            "status": "active",
            "created_at": created,
            "last_updated": created,
        },
        "exported_at": _iso(wallet.exported_ms),
        "note": "Public data only; the private key stays in the keystore",
    }


class Route(Struct, frozen=True):
    """*answer* maps parameters and the result of *calls*."""

    verb: Verb
    paths: tuple[str, ...]
    calls: tuple[str, ...]
    answer: Answer


# The documents of that service name one family of paths, its code mounts another.
TABLE: Final = (
    Route(
        "GET",
        ("/wallets/{wallet_id}/history", "/transactions/{wallet_id}/history"),
        ("wallet.get", "history.list"),
        history,
    ),
    Route("GET", ("/transactions/{txid}/receipt",), ("tx.receipt", "tx.get"), receipt),
    Route("POST", ("/transactions/{txid}/retry",), ("tx.retry",), retry),
    Route(
        "POST",
        (
            "/network/validate-address",
            "/wallet/validate-address",
            "/transactions/validate-address",
        ),
        ("address.validate",),
        validate,
    ),
    Route(
        "POST",
        ("/wallets/batch/create", "/transactions/batch/create"),
        ("wallet.batch_create",),
        batch_create,
    ),
    Route("POST", ("/wallets/{wallet_id}/export",), ("wallet.export",), export),
)

STATUS: Final[tuple[tuple[type[Exception], int], ...]] = (
    (NotFound, 404),
    (Conflict, 409),
    (InDoubt, 409),
    (ForeignTransaction, 409),
    (PossibleRestore, 503),
    (Expired, 409),
    (KeystoreMissing, 409),
    (KeystoreLocked, 423),
    (DeadlinePassed, 504),
    (TooBusy, 503),
    (ShuttingDown, 503),
    (PluginDisabled, 501),
    (PluginFailed, 500),
    (NodeError, 503),
    (CallError, 400),
)
"""What the routes do not say themselves; the first that fits."""


def _serve(answer: Answer) -> Callable[..., Awaitable[RouteResponse]]:
    async def handler(ctx: Context[NoConfig], request: RouteRequest) -> RouteResponse:
        try:
            return _json(200, await answer(ctx, request))
        except Refused as refused:
            return _json(refused.status, {"detail": refused.detail})
        except (CallError, NodeError) as error:
            status = next(code for kind, code in STATUS if isinstance(error, kind))
            return _json(status, {"detail": str(error)})

    return handler


for _route in TABLE:
    for _path in _route.paths:
        plugin.route(_route.verb, BASE + _path, calls=_route.calls)(
            _serve(_route.answer)
        )


async def _wallet(ctx: Context[NoConfig], wallet_id: str, method: str) -> Any:
    try:
        return await ctx.call(method, {"wallet": wallet_id})
    except (NotFound, InvalidInput):
        raise Refused(404, "Wallet not found") from None


def _txid(request: RouteRequest) -> str:
    txid = request.path["txid"]
    if len(txid) < TXID_CHARACTERS:
        raise Refused(400, "Invalid transaction ID format")
    return txid


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000).isoformat()  # noqa: DTZ006 - as it was


def _json(status: int, body: dict[str, Any]) -> RouteResponse:
    return RouteResponse(status=status, body=msgspec.json.encode(body))
