"""What is in memory while the keystore is unlocked, and nowhere else.

Python can't promise that no copy of a secret is left in freed memory; what can be
overwritten (the data key) is, and everything else is dropped at once on `wipe`.
"""

import hmac
from collections import OrderedDict
from typing import Final

from attrs import define, field

from lucidtrond.errors import NoSuchKey, StoreError
from lucidtrond.keystore.authenticator import Authenticator
from lucidtrond.keystore.format import Damaged, NotOpened, unseal
from lucidtrond.keystore.tables import KeyRow, SeedRow
from lucidtrond.tron.address import Address
from lucidtrond.tron.hd import ACCOUNT_PATH, PrivateNode
from lucidtrond.tron.keys import PrivateKey

CACHED_KEYS: Final = 256
SEED_SIZE: Final = 64


@define(eq=False)
class OpenedVault:
    """The data key, and the last few keys that were derived with it."""

    keystore_id: bytes
    _data_key: bytearray = field(repr=False)
    _keys: OrderedDict[Address, PrivateKey] = field(
        init=False, repr=False, factory=OrderedDict
    )
    _authenticators: dict[bytes, Authenticator] = field(
        init=False, repr=False, factory=dict
    )

    def cached(self, address: Address) -> PrivateKey | None:
        key = self._keys.get(address)
        if key is not None:
            self._keys.move_to_end(address)
        return key

    def derive(self, address: Address, row: KeyRow) -> PrivateKey:
        """Derive the key at *row* and insist that it is the key of *address*.

        Raises:
            NoSuchKey: it is another address's: the row was edited.
            StoreError: the seed's row is damaged or not ours.
        """
        account = account_of(self.seed_of(row.seed))
        key = account.child(row.child).private_key()
        if key.address != address:
            raise NoSuchKey(f"the stored index of {address} leads to another address")
        self._keys[address] = key
        if len(self._keys) > CACHED_KEYS:
            self._keys.popitem(last=False)
        return key

    def seed_of(self, row: SeedRow) -> bytes:
        """The BIP-39 seed. Raises StoreError."""
        return self._open(row)[:SEED_SIZE]

    def entropy_of(self, row: SeedRow) -> bytes:
        """What the words spell. Raises StoreError."""
        return self._open(row)[SEED_SIZE:]

    def check(self, row: SeedRow) -> None:
        """Insist that seed and public key of *row* belong together.

        Raises:
            StoreError: damaged, not ours, or edited.
        """
        if account_of(self.seed_of(row)).public() != row.account:
            raise StoreError(f"keystore: seed {row.name} has another public key")

    @property
    def data_key(self) -> bytes:
        """For wrapping it again."""
        return bytes(self._data_key)

    def authenticator(self, label: bytes) -> Authenticator:
        """The authenticator of *label*, which is wiped with this."""
        if label not in self._authenticators:
            self._authenticators[label] = Authenticator(self._data_key, label)
        return self._authenticators[label]

    def has_key_of(self, other: "OpenedVault") -> bool:
        """Whether *other* was opened with the same data key."""
        return hmac.compare_digest(self._data_key, other.data_key)

    def wipe(self) -> None:
        """Overwrite the data key and drop the rest; it opens nothing any more."""
        self._data_key[:] = bytes(len(self._data_key))
        for authenticator in self._authenticators.values():
            authenticator.wipe()
        self._authenticators.clear()
        self._keys.clear()

    def __reduce__(self) -> str:
        raise TypeError("an opened keystore is not pickled")

    def _open(self, row: SeedRow) -> bytes:
        try:
            return unseal(self._data_key, row.sealed, row.identity(self.keystore_id))
        except (Damaged, NotOpened) as error:
            raise StoreError(f"keystore: seed {row.name}: {error}") from None


def account_of(seed: bytes) -> PrivateNode:
    """The node at `ACCOUNT_PATH`, whose children are our wallets' keys."""
    return PrivateNode.from_seed(seed).descend(ACCOUNT_PATH)
