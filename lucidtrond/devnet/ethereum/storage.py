"""eth_getStorageAt: the token's storage as compiled code would lay it out."""

from typing import Any

from lucidtrond.devnet.ethereum.values import (
    check_latest,
    hex_bytes,
    read_address,
    read_bytes,
)
from lucidtrond.devnet.state.deployed import Contract
from lucidtrond.devnet.state.token_slots import WORD, compiled_slot
from lucidtrond.devnet.state.view import ChainView
from lucidtrond.devnet.state.world import World
from lucidtrond.tron.hashing import keccak256


def storage_at(chain: ChainView, address: Any, slot: Any, tag: Any) -> str:
    """A word, 0 where nothing was written and where there is no contract."""
    check_latest(tag)
    contract = chain.pending.contracts.get(read_address(address))
    wanted = read_bytes(slot).rjust(WORD, b"\0")
    value = _words(chain.pending, contract).get(wanted) if contract else None
    return hex_bytes(value or bytes(WORD))


def _words(world: World, contract: Contract) -> dict[bytes, bytes]:
    size = len(contract.address)
    written = {
        compiled_slot(key[size:]): value.rjust(WORD, b"\0")
        for key, value in world.slots.items()
        if key.startswith(contract.address)
    }
    return {
        **written,
        **_string(0, contract.name.encode()),
        **_string(1, contract.symbol.encode()),
        _word(2): _word(contract.decimals),
        _word(4): contract.origin[1:].rjust(WORD, b"\0"),
    }


def _string(place: int, text: bytes) -> dict[bytes, bytes]:
    """Up to 31 bytes with twice their number behind; longer ones elsewhere."""
    if len(text) < WORD:
        return {_word(place): text.ljust(WORD - 1, b"\0") + bytes([2 * len(text)])}
    first = int.from_bytes(keccak256(_word(place)), "big")
    words = {
        _word(first + at // WORD): text[at : at + WORD].ljust(WORD, b"\0")
        for at in range(0, len(text), WORD)
    }
    return {_word(place): _word(2 * len(text) + 1), **words}


def _word(number: int) -> bytes:
    wrapped: int = number % 2 ** (8 * WORD)
    return wrapped.to_bytes(WORD, "big")
