"""The keystore's rows: ciphertexts, public keys and which address has which index.

Addresses are given by a counter in the seed's row, within the caller's own
transaction: two processes on one database never give the same one.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Final

from attrs import field, frozen
from msgspec import Struct

from lucidtrond.errors import KeystoreMissing
from lucidtrond.keystore.format import Identity
from lucidtrond.ports import Migration, Tx
from lucidtrond.tron.address import Address
from lucidtrond.tron.hd import DerivedAddress, PublicNode

MAIN_SEED: Final = "main"
ACCOUNT_PATH_TEXT: Final = "m/44'/195'/0'/0"
SQL_BATCH: Final = 400
"""Parameters per statement; SQLite's oldest limit is 999."""

MIGRATIONS: Final[tuple[Migration, ...]] = (
    Migration(
        "keystore",
        1,
        """
        CREATE TABLE keystore_vault (
            slot INT64 PRIMARY KEY CHECK (slot = 1),
            keystore_id BYTES NOT NULL,
            kdf BYTES NOT NULL,
            data_key BYTES NOT NULL
        );
        CREATE TABLE keystore_seed (
            name TEXT PRIMARY KEY,
            path TEXT NOT NULL,
            public_key BYTES NOT NULL,
            chain_code BYTES NOT NULL,
            sealed BYTES NOT NULL,
            next_index INT64 NOT NULL
        );
        CREATE TABLE keystore_key (
            address BYTES PRIMARY KEY,
            seed TEXT NOT NULL REFERENCES keystore_seed (name),
            child INT64 NOT NULL,
            UNIQUE (seed, child)
        );
        """,
    ),
)


@frozen
class VaultRow:
    """The wrapped data key and how to unwrap it."""

    keystore_id: bytes
    kdf: bytes
    data_key: bytes = field(repr=False)

    @property
    def identity(self) -> Identity:
        """Binds the data key to its KDF header too."""
        return Identity(self.keystore_id, "data key", (self.kdf,))


@frozen
class SeedRow:
    """One sealed seed, with the public half of its account path in clear."""

    name: str
    path: str
    account: PublicNode
    sealed: bytes = field(repr=False)

    def identity(self, keystore_id: bytes) -> Identity:
        """Binds the seed to the public key beside it: an edit of that is detected."""
        return Identity(
            keystore_id,
            "seed",
            (
                self.name.encode(),
                self.path.encode(),
                self.account.key,
                self.account.chain_code,
            ),
        )


class KeyRow(Struct, frozen=True):
    """Where the key of an address is found."""

    seed: SeedRow
    child: int


def find_vault(tx: Tx) -> VaultRow | None:
    rows = tx.execute(
        "SELECT keystore_id, kdf, data_key FROM keystore_vault WHERE slot = 1"
    )
    return VaultRow(*rows[0]) if rows else None


def insert_vault(tx: Tx, vault: VaultRow, seed: SeedRow) -> bool:
    """Make the keystore; False when there is one already."""
    made = tx.execute(
        "INSERT INTO keystore_vault (slot, keystore_id, kdf, data_key)"
        " VALUES (1, ?, ?, ?) ON CONFLICT (slot) DO NOTHING RETURNING slot",
        (vault.keystore_id, vault.kdf, vault.data_key),
    )
    if not made:
        return False
    tx.execute(
        "INSERT INTO keystore_seed"
        " (name, path, public_key, chain_code, sealed, next_index)"
        " VALUES (?, ?, ?, ?, ?, 0)",
        (
            seed.name,
            seed.path,
            seed.account.key,
            seed.account.chain_code,
            seed.sealed,
        ),
    )
    return True


def rewrap(tx: Tx, *, old: VaultRow, new: VaultRow) -> bool:
    """Replace the wrapped data key; False when it is not *old* any more."""
    changed = tx.execute(
        "UPDATE keystore_vault SET kdf = ?, data_key = ?"
        " WHERE slot = 1 AND data_key = ? RETURNING slot",
        (new.kdf, new.data_key, old.data_key),
    )
    return len(changed) == 1


def all_seeds(tx: Tx) -> list[SeedRow]:
    rows = tx.execute(
        "SELECT name, path, public_key, chain_code, sealed FROM keystore_seed"
        " ORDER BY name"
    )
    return [
        SeedRow(name, path, PublicNode(key, code), sealed)
        for name, path, key, code, sealed in rows
    ]


def count_keys(tx: Tx) -> int:
    sql = "SELECT COALESCE(SUM(next_index), 0) FROM keystore_seed"
    return int(tx.execute(sql)[0][0])


def allocate(tx: Tx, count: int) -> list[DerivedAddress]:
    """Give the next *count* addresses of the main seed.

    Raises:
        KeystoreMissing: there is no seed.
    """
    rows = tx.execute(
        "UPDATE keystore_seed SET next_index = next_index + ?"
        " WHERE name = ? RETURNING next_index, public_key, chain_code",
        (count, MAIN_SEED),
    )
    if not rows:
        raise KeystoreMissing("no keystore yet: keystore.init makes it")
    following, key, code = rows[0]
    account = PublicNode(key, code)
    derived = [
        DerivedAddress(account.child_address(index), index)
        for index in range(following - count, following)
    ]
    tx.execute_many(
        "INSERT INTO keystore_key (address, seed, child) VALUES (?, ?, ?)",
        [(child.address.raw, MAIN_SEED, child.index) for child in derived],
    )
    return derived


def following(tx: Tx) -> tuple[PublicNode, int] | None:
    """The account of the main seed and the next index; None without a keystore."""
    rows = tx.execute(
        "SELECT public_key, chain_code, next_index FROM keystore_seed WHERE name = ?",
        (MAIN_SEED,),
    )
    return (PublicNode(rows[0][0], rows[0][1]), rows[0][2]) if rows else None


def owns(tx: Tx, address: Address) -> bool:
    rows = tx.execute("SELECT 1 FROM keystore_key WHERE address = ?", (address.raw,))
    return len(rows) > 0


def owned_among(tx: Tx, addresses: Iterable[Address]) -> frozenset[Address]:
    """Those of *addresses* that `allocate` gave."""
    owned: set[Address] = set()
    remaining = iter({address.raw for address in addresses})
    while batch := list(islice(remaining, SQL_BATCH)):
        marks = ", ".join("?" * len(batch))
        rows = tx.execute(
            f"SELECT address FROM keystore_key WHERE address IN ({marks})",  # noqa: S608 - marks
            batch,
        )
        owned.update(Address(raw) for (raw,) in rows)
    return frozenset(owned)


def find_key(tx: Tx, address: Address) -> KeyRow | None:
    rows = tx.execute(
        "SELECT s.name, s.path, s.public_key, s.chain_code, s.sealed, k.child"
        " FROM keystore_key k JOIN keystore_seed s ON s.name = k.seed"
        " WHERE k.address = ?",
        (address.raw,),
    )
    if not rows:
        return None
    name, path, key, code, sealed, child = rows[0]
    return KeyRow(SeedRow(name, path, PublicNode(key, code), sealed), child)
