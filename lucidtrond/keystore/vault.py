"""The vault: locked or unlocked, gives addresses, signs; never shows a key.

    (missing) ──init──▶ unlocked ──lock(), deadline, wipe()──▶ locked
                            ▲                                    │
                            └───────────── unlock ───────────────┘

Locked, everything but signatures works: addresses come from the public key of the
account path, which is stored in clear. (Whoever has that public key and one child's
private key can compute all children's: child keys leave the keystore encrypted only.)

Every try of a passphrase costs the same scrypt, right or wrong, one at a time. The
deadline of an unlocking is kept by `run` and looked at on each use as well. Where
*auto_lock_s* is set, an unlocking without a time of its own ends when nothing was
signed for that long.
"""

import hmac
import logging
import math
import os
from collections.abc import Callable, Iterable

import trio

from lucidtrond.errors import (
    Conflict,
    InvalidInput,
    KeystoreLocked,
    KeystoreMissing,
    NoSuchKey,
    ShuttingDown,
    StoreError,
    WrongPassphrase,
)
from lucidtrond.keystore import tables
from lucidtrond.keystore.ahead import AddressesAhead
from lucidtrond.keystore.authenticator import Authenticator
from lucidtrond.keystore.format import (
    KEY_SIZE,
    NONCE_SIZE,
    SALT_SIZE,
    Damaged,
    KdfHeader,
    NotOpened,
    ScryptParameters,
    passphrase_bytes,
    seal,
    unseal,
)
from lucidtrond.keystore.kdf import Kdf
from lucidtrond.keystore.opened import OpenedVault, account_of
from lucidtrond.keystore.tables import (
    ACCOUNT_PATH_TEXT,
    MAIN_SEED,
    SeedRow,
    VaultRow,
    find_vault,
)
from lucidtrond.ports import Clock, KeystoreStatus, Store, Tx
from lucidtrond.tron.address import Address
from lucidtrond.tron.hd import DerivedAddress
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.mnemonic import derive_seed, make_mnemonic

log = logging.getLogger(__name__)

MIGRATIONS = tables.MIGRATIONS
_ENTROPY_SIZE = 32
_DIGEST_SIZE = 32
_ID_SIZE = 16
_HASH = "sha256"
LARGEST_BATCH = 10_000


class Vault:
    """One keystore in one store; satisfies `api.Keys` and `api.Keystore`."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        scrypt: ScryptParameters = ScryptParameters(),  # noqa: B008 - frozen
        auto_lock_s: float = 0.0,
        random_bytes: Callable[[int], bytes] = os.urandom,
        kdf: Kdf | None = None,
    ) -> None:
        """*auto_lock_s*: lock when nothing was signed for so long; 0 is never."""
        self._store = store
        self._clock = clock
        self._scrypt = scrypt
        self._auto_lock_s = auto_lock_s or math.inf
        self._random = random_bytes
        self._kdf = kdf or Kdf()
        self._opened: OpenedVault | None = None
        self._deadline = math.inf
        self._locks_when_idle = False
        self._changed = trio.Event()
        self._is_wiped = False
        self._ahead = AddressesAhead()

    # --- making, opening and closing it

    async def init(self, passphrase: str) -> None:
        """Make seed and keystore, leave it unlocked.

        Raises:
            Conflict: there is a keystore.
            InvalidInput: an impossible passphrase.
        """
        secret = passphrase_bytes(passphrase)
        data_key = self._random(KEY_SIZE)
        row = await self._wrap(secret, data_key, self._random(_ID_SIZE))
        seed = self._make_seed(data_key, row.keystore_id)
        if not await self._store.write(lambda tx: tables.insert_vault(tx, row, seed)):
            raise Conflict("there is a keystore already")
        self._open(OpenedVault(row.keystore_id, bytearray(data_key)), for_s=None)

    async def unlock(self, passphrase: str, *, for_s: float | None) -> None:
        """Allow signatures, for *for_s* seconds or (None) until it is locked.

        None is also until nothing was signed for *auto_lock_s*, where that is set.
        Unlocking again sets the time anew.

        Raises:
            WrongPassphrase, KeystoreMissing.
            InvalidInput: an impossible passphrase or time.
            StoreError: a row is damaged or was edited.
        """
        if for_s is not None and not (0 < for_s < math.inf):
            raise InvalidInput(f"for_s: expected a number above 0, got {for_s}")
        secret = passphrase_bytes(passphrase)
        opened = await self._unwrap(secret)
        try:
            for seed in await self._store.read(tables.all_seeds):
                opened.check(seed)
        except BaseException:
            opened.wipe()
            raise
        self._open(opened, for_s=for_s)

    def lock(self) -> None:
        """Forget what is unlocked, at once."""
        if self._opened is not None:
            self._opened.wipe()
            self._opened = None
            self._deadline = math.inf
            self._note_change()

    def wipe(self) -> None:
        """Lock for good, when the daemon ends."""
        self._is_wiped = True
        self.lock()

    @property
    def is_locked(self) -> bool:
        """Whether signatures are impossible now; asks nobody."""
        return self._current() is None

    async def status(self) -> KeystoreStatus:
        def read(tx: Tx) -> tuple[bool, int]:
            return find_vault(tx) is not None, tables.count_keys(tx)

        exists, keys = await self._store.read(read)
        locked = self._current() is None
        until_ms = None
        if not locked and self._deadline < math.inf:
            left_s = self._deadline - trio.current_time()
            until_ms = self._clock.now_ms() + round(left_s * 1000)
        return KeystoreStatus(
            exists=exists, locked=locked, unlocked_until_ms=until_ms, keys=keys
        )

    async def reveal_mnemonic(self, passphrase: str) -> str:
        """The 24 words; needs the passphrase even while unlocked.

        Raises:
            WrongPassphrase, KeystoreMissing.
            StoreError: a row is damaged or was edited.
        """
        opened = await self._unwrap(passphrase_bytes(passphrase))
        try:
            for seed in await self._store.read(tables.all_seeds):
                if seed.name == MAIN_SEED:
                    return make_mnemonic(opened.entropy_of(seed))
        finally:
            opened.wipe()
        raise StoreError("keystore: its seed is missing")

    async def change_passphrase(self, old: str, new: str) -> None:
        """Wrap the data key anew; what is unlocked stays so.

        Raises:
            WrongPassphrase, KeystoreMissing.
            InvalidInput: an impossible new passphrase.
            Conflict: it was changed meanwhile.
        """
        new_secret = passphrase_bytes(new)
        row = await self._find_row()
        opened = await self._unwrap(passphrase_bytes(old), row)
        try:
            wrapped = await self._wrap(new_secret, opened.data_key, row.keystore_id)
        finally:
            opened.wipe()
        if not await self._store.write(
            lambda tx: tables.rewrap(tx, old=row, new=wrapped)
        ):
            raise Conflict("the passphrase was changed meanwhile")

    # --- addresses

    def allocate(self, tx: Tx, count: int) -> list[DerivedAddress]:
        """Derive the next *count* addresses, in the caller's transaction.

        Works while locked.

        Raises:
            KeystoreMissing: `init` was never called.
        """
        if not 1 <= count <= LARGEST_BATCH:
            raise InvalidInput(f"count: expected 1 to {LARGEST_BATCH}, got {count}")
        return tables.allocate(tx, count)

    def owns(self, tx: Tx, address: Address) -> bool:
        """Say whether `allocate` gave this address."""
        return tables.owns(tx, address)

    def owned_among(self, tx: Tx, addresses: Iterable[Address]) -> frozenset[Address]:
        """Those of *addresses* that `allocate` gave, or may have given: see `ahead`."""
        asked = frozenset(addresses)
        return tables.owned_among(tx, asked) | self._ahead.among(tx, asked)

    # --- signatures

    async def sign(self, address: Address, digest: bytes) -> bytes:
        """65 bytes r || s || v over a 32-byte digest, s in the lower half.

        Raises:
            KeystoreLocked: also when it was locked while we looked the key up.
            NoSuchKey: the address is not ours.
            StoreError: a row is damaged or was edited.
        """
        if len(digest) != _DIGEST_SIZE:
            raise ValueError(f"digest: expected 32 bytes, got {len(digest)}")
        key = self._unlocked().cached(address)
        if key is None:
            key = await self._find_key(address)
        if self._locks_when_idle:
            self._deadline = trio.current_time() + self._auto_lock_s
        return key.sign(digest)

    async def mac(self, address: Address, purpose: bytes, data: bytes) -> bytes:
        """HMAC-SHA256 of *data*, 32 bytes, by a key that only *address* can have.

        That key is HMAC-SHA256(private key, *purpose*): it survives the database, and
        another purpose gives another one. It is kept nowhere.

        Raises:
            KeystoreLocked, NoSuchKey, StoreError: as `sign`.
        """
        key = self._unlocked().cached(address)
        if key is None:
            key = await self._find_key(address)
        return hmac.digest(hmac.digest(key.secret, purpose, _HASH), data, _HASH)

    def authenticator(self, label: bytes) -> Authenticator:
        """Makes and verifies MACs by a key that exists only while it is unlocked.

        Another *label* has another key. For one piece of work: it is wiped when the
        keystore is locked.

        Raises:
            KeystoreLocked
        """
        return self._unlocked().authenticator(label)

    async def _find_key(self, address: Address) -> PrivateKey:
        row = await self._store.read(lambda tx: tables.find_key(tx, address))
        if row is None:
            raise NoSuchKey(f"no key of ours belongs to {address}")
        return self._unlocked().derive(address, row)

    # --- time

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Lock when the time of an unlocking is over; for ever."""
        task_status.started()
        while True:
            changed = self._changed
            with trio.move_on_at(self._deadline):
                await changed.wait()
            self._current()

    async def wait_unlocked(self) -> None:
        """Return as soon as signatures are possible."""
        while self._current() is None:
            await self._changed.wait()

    # --- inside

    def _open(self, opened: OpenedVault, *, for_s: float | None) -> None:
        if self._is_wiped:
            opened.wipe()
            raise ShuttingDown("the daemon is stopping")
        if self._opened is not None and self._opened.has_key_of(opened):
            # Unlocked again: what uses the key at this moment goes on.
            opened.wipe()
        else:
            self.lock()
            self._opened = opened
        self._locks_when_idle = for_s is None
        lasts_s = self._auto_lock_s if for_s is None else for_s
        self._deadline = trio.current_time() + lasts_s
        self._note_change()

    def _current(self) -> OpenedVault | None:
        if self._opened is not None and trio.current_time() >= self._deadline:
            self.lock()
            idle = f"nothing was signed for {self._auto_lock_s:g} s (auto_lock_s)"
            reason = idle if self._locks_when_idle else "its for_s are over"
            log.info("keystore locked by itself", extra={"reason": reason})
        return self._opened

    def _unlocked(self) -> OpenedVault:
        opened = self._current()
        if opened is None:
            raise KeystoreLocked("the keystore is locked: unlock it first")
        return opened

    def _note_change(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def _find_row(self) -> VaultRow:
        row = await self._store.read(find_vault)
        if row is None:
            raise KeystoreMissing("no keystore yet: keystore.init makes it")
        return row

    async def _wrap(
        self, secret: bytes, data_key: bytes, keystore_id: bytes
    ) -> VaultRow:
        header = KdfHeader(self._scrypt, self._random(SALT_SIZE))
        key = await self._kdf.derive(secret, header)
        row = VaultRow(keystore_id, header.encode(), b"")
        nonce = self._random(NONCE_SIZE)
        return VaultRow(
            row.keystore_id, row.kdf, seal(key, data_key, row.identity, nonce=nonce)
        )

    async def _unwrap(self, secret: bytes, row: VaultRow | None = None) -> OpenedVault:
        row = row or await self._find_row()
        try:
            header = KdfHeader.parse(row.kdf)
            key = await self._kdf.derive(secret, header)
            data_key = unseal(key, row.data_key, row.identity)
        except Damaged as error:
            raise StoreError(f"keystore: its row is damaged: {error}") from None
        except NotOpened:
            raise WrongPassphrase("the passphrase does not open the keystore") from None
        return OpenedVault(row.keystore_id, bytearray(data_key))

    def _make_seed(self, data_key: bytes, keystore_id: bytes) -> SeedRow:
        entropy = self._random(_ENTROPY_SIZE)
        seed = derive_seed(make_mnemonic(entropy))
        account = account_of(seed).public()
        row = SeedRow(MAIN_SEED, ACCOUNT_PATH_TEXT, account, b"")
        sealed = seal(
            data_key,
            seed + entropy,
            row.identity(keystore_id),
            nonce=self._random(NONCE_SIZE),
        )
        return SeedRow(row.name, row.path, account, sealed)
