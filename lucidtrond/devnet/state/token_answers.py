"""How a token of an odd sort writes its events and says what it is called."""

from typing import Final

from lucidtrond.devnet.state.token_sorts import WORD, EventForm, Metadata
from lucidtrond.tron import abi


def transfer_event(
    form: EventForm, topic: bytes, ends: tuple[bytes, bytes], amount: int
) -> tuple[tuple[bytes, ...], bytes]:
    """Topics and data of a Transfer between two addresses of 20 bytes."""
    dirt = b"\xff" * 12 if form is EventForm.DIRTY else bytes(12)
    values = (*(dirt + end for end in ends), amount.to_bytes(WORD, "big"))
    indexed = form.value if isinstance(form.value, int) else 2
    data = b"".join(values[indexed:])
    if form is EventForm.LONG_DATA:
        data += b"\xee" * 2 * WORD
    return (topic, *values[:indexed]), data


_ABSURD_NAME: Final = "\x1b[31mA\r\n\u202e" + "x" * 291


def text_answer(metadata: Metadata, text: str) -> bytes | None:
    """What ``name`` or ``symbol`` returns; None: there is no such function."""
    match metadata:
        case Metadata.TEXT:
            return abi.encode(["string"], [text])
        case Metadata.BYTES32:
            return text.encode()[:WORD].ljust(WORD, b"\0")
        case Metadata.EMPTY:
            return abi.encode(["string"], [""])
        case Metadata.ABSENT:
            return None
        case Metadata.ABSURD:
            return abi.encode(["string"], [_ABSURD_NAME])


def decimals_answer(metadata: Metadata, decimals: int) -> bytes | None:
    """What ``decimals`` returns; None: there is no such function."""
    if metadata is Metadata.ABSENT:
        return None
    odd = {Metadata.EMPTY: 0, Metadata.ABSURD: 2**255}
    return odd.get(metadata, decimals).to_bytes(WORD, "big")
