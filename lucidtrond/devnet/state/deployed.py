"""Deployed contracts: their rows, and the code that the token's rows stand for.

There is one kind, the InteropToken, made with the genesis block; `native_token` is its
code, with the differences of an odd sort (`token_sorts`). What a client may ask of it
(ABI, byte code) is package data, made by solc 0.8.24 from
tests/interop/contracts/InteropToken.sol; its ABI is written as a node prints it.
"""

import functools
from importlib import resources
from typing import Any, Final

import msgspec

from lucidtrond.tron import abi

ORIGIN_ENERGY_LIMIT: Final = 10_000_000
CALLER_PAYS_ALL: Final = 100
"""consume_user_resource_percent."""
_CONSTRUCTOR: Final = ("string", "string", "uint8", "uint256")
_READING: Final = frozenset({"View", "Pure"})


class Contract(msgspec.Struct, frozen=True, array_like=True):
    """A token that is deployed. *address* and *origin* are 21 bytes."""

    address: bytes
    origin: bytes
    name: str
    symbol: str
    decimals: int
    supply: int
    """What the constructor gave to *origin*, in the token's smallest unit."""
    caller_percent: int = CALLER_PAYS_ALL
    """Of a call's energy, in percent; *origin* pays the rest from stake, as far as
    that and *origin_energy_limit* go."""
    origin_energy_limit: int = ORIGIN_ENERGY_LIMIT
    has_abi: bool = True
    sort: str = ""
    """Which row of `token_sorts.SORTS` it is; "" is none of them."""

    def reads_only(self, data: bytes) -> bool:
        """Whether call data select what the ABI calls a view or pure function."""
        return self.has_abi and data[:4] in _reading_selectors()


class Artifact(msgspec.Struct, frozen=True):
    """What the compiler made; codes are hex."""

    name: str
    entrys: tuple[dict[str, Any], ...]
    code: str
    runtime: str
    code_hash: str


@functools.cache
def artifact() -> Artifact:
    """The token's, read once."""
    file = resources.files(__package__) / "interop_token.json"
    return msgspec.json.decode(file.read_bytes(), type=Artifact)


@functools.cache
def _reading_selectors() -> frozenset[bytes]:
    return frozenset(
        abi.selector(_signature(entry))
        for entry in artifact().entrys
        if entry["type"] == "Function" and entry["stateMutability"] in _READING
    )


def _signature(entry: dict[str, Any]) -> str:
    kinds = ",".join(parameter["type"] for parameter in entry.get("inputs", ()))
    return f"{entry['name']}({kinds})"


def creation_code(contract: Contract) -> str:
    """What deployed it: code and the constructor's arguments, hex."""
    values = (contract.name, contract.symbol, contract.decimals, contract.supply)
    return artifact().code + abi.encode(_CONSTRUCTOR, values).hex()
