"""What sending needs of the node and of the keystore, as Protocols."""

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


class Signer(Protocol):
    """Signs for our addresses; the vault satisfies it."""

    @property
    def is_locked(self) -> bool: ...

    async def status(self) -> KeystoreStatus: ...

    def owns(self, tx: Tx, address: Address) -> bool: ...

    async def sign(self, address: Address, digest: bytes) -> bytes: ...

    async def mac(self, address: Address, purpose: bytes, data: bytes) -> bytes: ...
