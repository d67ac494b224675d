"""One call of the token: slots over the storage below, energy spent, logs.

Writing a slot that was zero costs 20,000, any other write 5,000 (EnergyCost.SSTORE).
"""

from collections.abc import Mapping
from typing import Final, Protocol

from attrs import field, frozen
from msgspec import Struct

from lucidtrond.devnet.state.token_answers import transfer_event
from lucidtrond.devnet.state.token_slots import (
    BASIS_POINTS,
    MOST_FEE,
    RULE,
    WORD,
    uint,
)
from lucidtrond.devnet.state.token_sorts import PLAIN, Moves, TokenSort
from lucidtrond.tron.hashing import keccak256

SLOT_NEW: Final = 20_000
SLOT_CHANGE: Final = 5_000
MAX_UINT: Final = 2**256 - 1
TRANSFER_TOPIC: Final = keccak256(b"Transfer(address,address,uint256)")


class Storage(Protocol):
    """The token's slots; what was never written is 0."""

    def get(self, slot: bytes) -> int: ...

    def put(self, slot: bytes, value: int) -> None: ...


class TokenFacts(Struct, frozen=True):
    """What the constructor was given; *owner* and holders are 20 bytes."""

    name: str
    symbol: str
    decimals: int
    owner: bytes
    sort: TokenSort = PLAIN


class TokenLog(Struct, frozen=True):
    topics: tuple[bytes, ...]
    data: bytes


@frozen
class TokenResult:
    """How a call ended. *changes* are to be applied only if it is SUCCESS."""

    result: str
    """SUCCESS, REVERT or OUT_OF_ENERGY."""
    energy: int
    data: bytes = b""
    message: str = ""
    logs: tuple[TokenLog, ...] = ()
    changes: Mapping[bytes, int] = field(factory=dict)


class Reverted(Exception):
    def __init__(self, energy: int, data: bytes) -> None:
        super().__init__("REVERT opcode executed")
        self.energy, self.data = energy, data


class OutOfEnergy(Exception):
    pass


class TokenRun:
    """One call: slots over the storage below, energy spent, logs."""

    def __init__(
        self,
        facts: TokenFacts,
        storage: Storage,
        caller: bytes,
        limit: int,
        *,
        simulated: bool,
    ) -> None:
        self.facts, self._storage = facts, storage
        self.caller, self.limit = caller, limit
        self.simulated = simulated
        self.changes: dict[bytes, int] = {}
        self.logs: list[TokenLog] = []
        self.message = ""
        self._slots = 0

    def get(self, slot: bytes) -> int:
        value = self.changes.get(slot)
        return self._storage.get(slot) if value is None else value

    def put(self, slot: bytes, value: int, *, before: int) -> None:
        """Write a slot; *before* is the other energy used up to this opcode."""
        cost = SLOT_NEW if value and not self.get(slot) else SLOT_CHANGE
        self._need(before + self._slots, cost, "SSTORE")
        self._slots += cost
        self.changes[slot] = value

    def energy(self, base: int) -> int:
        return base + self._slots

    def spend_to_end(self, base: int) -> None:
        self._need(self.energy(base), 0, "STOP")

    def _need(self, used: int, cost: int, opcode: str) -> None:
        if used + cost > self.limit:
            # Program.spendEnergy's text
            self.message = (
                f"Not enough energy for '{opcode}' operation executing: "
                f"curInvokeEnergyLimit[{self.limit}], curOpEnergy[{cost}], "
                f"usedEnergy[{min(used, self.limit)}]"
            )
            raise OutOfEnergy

    def moves(self) -> bool:
        """Whether a transfer moves anything now; its owner's always do."""
        match self.facts.sort.moves:
            case Moves.ALWAYS:
                return True
            case Moves.NEVER:
                return self.caller == self.facts.owner
            case Moves.SIMULATED:
                honest = self.simulated or self.get(RULE) == 1
                return honest or self.caller == self.facts.owner

    def fee_terms(self) -> tuple[int, int]:
        """Of a transfer: basis points, and the most that it comes to."""
        if self.facts.sort.has_params:
            return self.get(BASIS_POINTS), self.get(MOST_FEE)
        percent = self.facts.sort.fee_percent
        return percent * 100, MAX_UINT if percent else 0

    def fee_of(self, value: int) -> int:
        """What its owner gets of a transfer of *value*."""
        basis_points, most = self.fee_terms()
        return min(value * basis_points // 10_000, most)

    def log_transfer(self, sender: bytes, to: bytes, amount: int) -> None:
        form = self.facts.sort.form
        topics, data = transfer_event(form, TRANSFER_TOPIC, (sender, to), amount)
        self.logs.append(TokenLog(topics, data))

    def require(self, *, holds: bool, reason: str, energy: int) -> None:
        if not holds:
            raise Reverted(energy, revert_data(f"InteropToken: {reason}"))


def revert_data(reason: str) -> bytes:
    """Error(string) as ABI."""
    return keccak256(b"Error(string)")[:4] + uint(WORD) + _string_tail(reason)


def _string_tail(text: str) -> bytes:
    raw = text.encode()
    return uint(len(raw)) + raw + bytes(-len(raw) % WORD)
