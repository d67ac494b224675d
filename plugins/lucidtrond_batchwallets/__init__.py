"""Many wallets at once, all or none."""

from typing import Annotated, Any

import msgspec

from lucidtrond.api import Context, NoConfig, Params, Plugin, Result

plugin = Plugin("batchwallets")

PREFIX_CHARACTERS = 90


class BatchCreate(Params, frozen=True):
    """*prefix* and a number are each wallet's label."""

    count: Annotated[int, msgspec.Meta(ge=1, le=100)]
    prefix: Annotated[str, msgspec.Meta(max_length=PREFIX_CHARACTERS)] = "wallet-"
    idempotency_key: str | None = None


class Batch(Result, frozen=True):
    """Wallets in the order of their numbers: wallet_id, address, label, created_ms."""

    wallets: list[dict[str, Any]]
    count: int


@plugin.method(
    "wallet.batch_create", caller="spend", example={"count": 100, "prefix": "till-"}
)
async def batch_create(ctx: Context[NoConfig], params: BatchCreate) -> Batch:
    """Make up to 100 wallets, all or none, with an idempotency key for retries."""
    request: dict[str, Any] = {
        "labels": [f"{params.prefix}{number + 1}" for number in range(params.count)]
    }
    if params.idempotency_key is not None:
        request["idempotency_key"] = params.idempotency_key
    made = msgspec.to_builtins(await ctx.call("wallet.create_named", request))
    return Batch(wallets=made["wallets"], count=len(made["wallets"]))
