"""What sending needs of the node and of the keystore, as Protocols."""

from collections.abc import Iterable
from typing import Protocol

from lucidtrond.node.questions.pool_questions import (
    FinalityQuestions,
    FinalReceiptQuestions,
    SightingQuestions,
)
from lucidtrond.ports import AbsenceDoubt, KeystoreStatus, Tx
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockHeader
from lucidtrond.tron.questions import (
    AccountQuestions,
    BroadcastQuestions,
    CallQuestions,
    ContractQuestions,
    HeadQuestions,
    ParameterQuestions,
)
from lucidtrond.tron.transaction import RawData, TxId


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


class AbsenceProof(Protocol):
    """Derives from final blocks that none holds a transaction: see `chain.absence`."""

    def __call__(
        self,
        tx: Tx,
        txid: TxId,
        raw: RawData,
        *,
        reference_number: int,
        solid: BlockHeader,
    ) -> AbsenceDoubt | None:
        """Why not, or None where it is proven."""


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
