"""The shipped plugins on a workbench."""

import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any

from lucidtrond.testing import Workbench, open_workbench

SHIPPED: Mapping[str, Any] = tomllib.loads(
    resources.files("lucidtrond.daemon").joinpath("defaults.toml").read_text()
)["plugins"]


@asynccontextmanager
async def open_shipped(**options: Any) -> AsyncIterator[Workbench]:
    async with open_workbench(SHIPPED, **options) as bench:
        yield bench
