"""A vault over a store in memory, with a KDF that costs next to nothing."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from attrs import define

from lucidtrond.keystore.format import ScryptParameters
from lucidtrond.keystore.vault import MIGRATIONS, Vault
from lucidtrond.ports import Store
from lucidtrond.store.database import Database, open_store
from lucidtrond.store.migrate import migrate

CHEAP = ScryptParameters(n=2**4, r=1, p=1)
PASSPHRASE = "correct horse battery staple"


@define
class FixedClock:
    ms: int = 1_700_000_000_000

    def now_ms(self) -> int:
        return self.ms


def make_vault(
    store: Store, random_bytes: Callable[[int], bytes] | None = None
) -> Vault:
    if random_bytes is None:
        return Vault(store, clock=FixedClock(), scrypt=CHEAP)
    return Vault(store, clock=FixedClock(), scrypt=CHEAP, random_bytes=random_bytes)


@asynccontextmanager
async def open_vault(path: Path | None = None) -> AsyncIterator[tuple[Vault, Database]]:
    async with open_store(path) as db:
        await migrate(db, MIGRATIONS)
        yield make_vault(db), db


@asynccontextmanager
async def new_vault(path: Path | None = None) -> AsyncIterator[tuple[Vault, Database]]:
    async with open_vault(path) as (vault, db):
        await vault.init(PASSPHRASE)
        yield vault, db
