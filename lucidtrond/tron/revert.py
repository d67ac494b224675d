"""Why a call was reverted, read from what it returned."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from lucidtrond.tron.abi import SELECTOR_SIZE, decode, selector
from lucidtrond.tron.abi_types import AbiError

ERROR_SELECTOR: Final = selector("Error(string)")
PANIC_SELECTOR: Final = selector("Panic(uint256)")

PANICS: Final[Mapping[int, str]] = MappingProxyType(
    {
        # Solidity documentation, "Panic via assert and Error via require".
        0x00: "generic panic",
        0x01: "assertion failed",
        0x11: "arithmetic overflow or underflow",
        0x12: "division by zero",
        0x21: "invalid enum value",
        0x22: "badly encoded storage byte array",
        0x31: "pop from an empty array",
        0x32: "array index out of bounds",
        0x41: "too much memory",
        0x51: "call of an uninitialised function",
    }
)


class ErrorReason(Struct, frozen=True):
    """``require`` and ``revert`` with a text."""

    text: str

    def __str__(self) -> str:
        return self.text


class PanicReason(Struct, frozen=True):
    """What the compiler itself checks."""

    code: int

    def __str__(self) -> str:
        return f"panic 0x{self.code:02x}: {PANICS.get(self.code, 'unknown')}"


class CustomReason(Struct, frozen=True):
    """A contract's own error: its selector and arguments."""

    selector: bytes
    arguments: bytes

    def __str__(self) -> str:
        return f"custom error 0x{self.selector.hex()}"


RevertReason = ErrorReason | PanicReason | CustomReason


def read_revert(data: bytes) -> RevertReason | None:
    """Read a reverted call's return data; None when it gives no reason."""
    if len(data) < SELECTOR_SIZE:
        return None
    head, rest = data[:SELECTOR_SIZE], data[SELECTOR_SIZE:]
    try:
        if head == ERROR_SELECTOR:
            [text] = decode(["string"], rest, lenient=True)
            return ErrorReason(text)
        if head == PANIC_SELECTOR:
            [code] = decode(["uint256"], rest)
            return PanicReason(code)
    except AbiError:
        pass
    return CustomReason(head, rest)
