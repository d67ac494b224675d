"""What sending needs of the node and of the keystore, as Protocols."""

from typing import Protocol

from lucidtrond.node.health.agreement import Agreement, Sighting
from lucidtrond.ports import KeystoreStatus, Tx
from lucidtrond.tron.account import Account, Resources
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockHeader, BlockId
from lucidtrond.tron.broadcast import BroadcastAnswer
from lucidtrond.tron.contract_terms import ContractTerms
from lucidtrond.tron.parameters import ChainParameters
from lucidtrond.tron.reading import Reading
from lucidtrond.tron.receipt import ConstantResult, Receipt
from lucidtrond.tron.transaction import Transaction, TxId


class PaymentNode(Protocol):
    """Questions to the network."""

    async def fetch_account(
        self, address: Address, *, solid: bool = False
    ) -> Reading[Account]: ...

    async def fetch_resources(self, address: Address) -> Reading[Resources]: ...

    async def fetch_parameters(self) -> Reading[ChainParameters]: ...

    async def fetch_head(self, *, solid: bool = False) -> BlockHeader: ...

    async def fetch_contract(self, address: Address) -> ContractTerms | None: ...

    async def call_constant(
        self, *, owner: Address, contract: Address, data: bytes, solid: bool = False
    ) -> ConstantResult: ...

    async def confirm_solid(self, number: int, block_id: BlockId) -> Agreement: ...

    async def look_for(self, txid: TxId) -> list[Sighting]: ...

    async def find_receipts(self, txid: TxId) -> list[Receipt]: ...

    async def broadcast(self, transaction: Transaction) -> BroadcastAnswer: ...


class Signer(Protocol):
    """Signs for our addresses; the vault satisfies it."""

    @property
    def is_locked(self) -> bool: ...

    async def status(self) -> KeystoreStatus: ...

    def owns(self, tx: Tx, address: Address) -> bool: ...

    async def sign(self, address: Address, digest: bytes) -> bytes: ...
