"""What sending needs of the node and of the keystore, as Protocols."""

from collections.abc import Iterable
from typing import Protocol

from lucidtrond.node.questions.pool_questions import (
    FinalityQuestions,
    FinalReceiptQuestions,
    SightingQuestions,
)
from lucidtrond.ports import KeystoreStatus, Tx
from lucidtrond.tron.address import Address
from lucidtrond.tron.questions import (
    AccountQuestions,
    BroadcastQuestions,
    CallQuestions,
    ContractQuestions,
    HeadQuestions,
    ParameterQuestions,
)


class PaymentNode(
    AccountQuestions,
    ParameterQuestions,
    HeadQuestions,
    ContractQuestions,
    CallQuestions,
    BroadcastQuestions,
    FinalityQuestions,
    SightingQuestions,
    FinalReceiptQuestions,
    Protocol,
):
    """Questions to the network."""


class Authenticator(Protocol):
    """Makes and verifies MACs while the keystore is unlocked; for any thread.

    Both raise KeystoreLocked once it was locked.
    """

    def mac(self, message: bytes) -> bytes: ...

    def verify(self, message: bytes, mac: bytes) -> bool: ...


class Signer(Protocol):
    """Signs for our addresses; the vault satisfies it."""

    @property
    def is_locked(self) -> bool: ...

    async def status(self) -> KeystoreStatus: ...

    def owns(self, tx: Tx, address: Address) -> bool: ...

    def owned_among(
        self, tx: Tx, addresses: Iterable[Address]
    ) -> frozenset[Address]: ...

    async def sign(self, address: Address, digest: bytes) -> bytes: ...

    def authenticator(self, label: bytes) -> Authenticator: ...

    async def mac(self, address: Address, purpose: bytes, data: bytes) -> bytes: ...
