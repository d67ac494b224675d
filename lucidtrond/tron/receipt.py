"""What became of a transaction: TransactionInfo in our words.

Block headers do not commit to receipts: whoever answers can forge one unseen.
"""

from attrs import frozen
from msgspec import Struct

from lucidtrond.tron.address import Address
from lucidtrond.tron.transaction import TxId
from lucidtrond.tron.units import Sun, UnixMillis


@frozen
class Log:
    """One event of a contract; topics are 32 bytes each."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes


class InternalTransfer(Struct, frozen=True):
    """TRX (and TRC-10) moved by a contract. *values* are (amount, token id or "")."""

    hash: str
    caller: Address | None
    to: Address | None
    values: tuple[tuple[int, str], ...]
    note: str
    rejected: bool


@frozen
class Receipt:
    """Costs in sun, bandwidth in bytes, energy in units.

    *vm_result* is the name of receipt.result (SUCCESS, REVERT, OUT_OF_ENERGY, ...) and
    None for system contracts, whose inclusion is their success.
    """

    txid: TxId
    block_number: int
    block_timestamp: UnixMillis
    fee: Sun = Sun(0)
    net_usage: int = 0
    net_fee: Sun = Sun(0)
    energy_usage: int = 0
    energy_usage_total: int = 0
    energy_fee: Sun = Sun(0)
    origin_energy_usage: int = 0
    energy_penalty_total: int = 0
    vm_result: str | None = None
    failed: bool = False
    message: str = ""
    contract_address: Address | None = None
    contract_result: bytes = b""
    logs: tuple[Log, ...] = ()
    internal: tuple[InternalTransfer, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether the transaction did what it was for."""
        return not self.failed and self.vm_result in (None, "SUCCESS")


class ConstantResult(Struct, frozen=True):
    """What a call would do now, as one node simulated it; no block commits to it.

    *energy_used* includes *energy_penalty*, the surcharge of a busy contract.
    """

    result: bytes
    energy_used: int
    energy_penalty: int = 0
    reverted: bool = False
    reason: str = ""
    """Why it reverted, as far as the contract says."""
    logs: tuple[Log, ...] = ()
    """Of a reverted call too, though it would leave none."""
