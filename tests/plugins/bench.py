"""The shipped plugins on a workbench, and what most tests of them begin with."""

import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any

from lucidtrond.testing import Workbench, open_workbench
from lucidtrond.tron.address import PREFIX, Address

SHIPPED: Mapping[str, Any] = tomllib.loads(
    resources.files("lucidtrond.daemon").joinpath("defaults.toml").read_text()
)["plugins"]
STRANGER = Address(bytes([PREFIX]) + bytes(range(20))).base58
NO_TXID = "ab" * 32
FUNDS = 100_000_000
ACTIVATION_BURN = 1_100_000


@asynccontextmanager
async def open_shipped(**options: Any) -> AsyncIterator[Workbench]:
    async with open_workbench(SHIPPED, **options) as bench:
        yield bench


async def make_shop(bench: Workbench) -> Any:
    """A wallet with TRX."""
    shop = await bench.call("wallet.create", {"label": "shop"})
    await bench.fund(shop.address, FUNDS)
    return shop


def payment(shop: Any, **changes: Any) -> dict[str, Any]:
    """Params of a small payment to a stranger."""
    params = {
        "from": shop.wallet_id,
        "to": STRANGER,
        "amount_sun": "1000000",
        "idempotency_key": "invoice-1",
    }
    params.update(changes)
    return {key: value for key, value in params.items() if value is not None}
