"""Many wallets at once, all or none."""

from typing import Annotated

import msgspec

from lucidtrond.api import (
    Conflict,
    Context,
    IdempotencyKey,
    InvalidInput,
    KeystoreMissing,
    NoConfig,
    Params,
    Plugin,
    Result,
)

plugin = Plugin("batchwallets")

PREFIX_CHARACTERS = 90


class BatchCreate(Params, frozen=True):
    """*prefix* and a number are each wallet's label."""

    count: Annotated[int, msgspec.Meta(ge=1, le=100)]
    prefix: Annotated[str, msgspec.Meta(max_length=PREFIX_CHARACTERS)] = "wallet-"
    idempotency_key: IdempotencyKey | None = None


class Made(Result, frozen=True):
    wallet_id: str
    address: str
    label: str
    created_ms: int


class Batch(Result, frozen=True):
    """Wallets in the order of their numbers."""

    wallets: list[Made]
    count: int


@plugin.method(
    "wallet.batch_create",
    caller="spend",
    example={"count": 100, "prefix": "till-", "idempotency_key": "tills-of-may"},
    errors=(InvalidInput, Conflict, KeystoreMissing),
)
async def batch_create(ctx: Context[NoConfig], params: BatchCreate) -> Batch:
    """Make up to 100 wallets, all or none, with an idempotency key for retries."""
    labels = [f"{params.prefix}{number}" for number in range(1, params.count + 1)]
    made = await ctx.call(
        "wallet.create_named",
        {"labels": labels, "idempotency_key": params.idempotency_key},
    )
    wallets = msgspec.convert(made.wallets, list[Made], from_attributes=True)
    return Batch(wallets=wallets, count=len(wallets))
