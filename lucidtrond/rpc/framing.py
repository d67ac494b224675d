"""Cuts a byte stream into JSON texts and says which of them are safe to decode. Pure.

One text per line. Blank lines are skipped; at the end of the stream a last text
without newline counts. Clients that send no newline at all (web3.py, geth's console)
are served too: when what came so far is one whole object or array it is a text at
once. That is unambiguous, since nothing can follow it within the same text.

Python's decoders recurse and a chain of brackets costs some of them seconds, so depth
is measured first, linearly and without a parser.
"""

from itertools import accumulate
from typing import Final

import msgspec
from attrs import Factory, define

MAX_TEXT: Final = (1 << 20) + (1 << 16)
"""A mebibyte of parameters and room for the envelope."""

MAX_DEPTH: Final = 64
JSON_STARTS: Final = frozenset(b'{["-0123456789tfn')
BLANKS: Final = b" \t\r\n"

_MAX_BARE: Final = 1 << 16
# Each try decodes what has come so far; this bounds what one text can cost us when
# it arrives in many pieces that all look like an end.
_MAX_BARE_TRIES: Final = 64

_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NOT_BRACKETS: Final = bytes(c for c in range(256) if c not in b"[{]}")


@define(eq=False)
class Framer:
    """Newline framing as an object without I/O.

    *overflow* says that a text grew over `max_text`: the stream can't be brought
    back into step and nothing more comes out of it.
    """

    max_text: int = MAX_TEXT
    overflow: bool = False
    _parts: list[bytes] = Factory(list)
    _size: int = 0
    _tries: int = 0

    @property
    def is_empty(self) -> bool:
        """Tell whether we are between two texts."""
        return not self._parts

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes off the wire and give the texts they complete."""
        if self.overflow:
            return []
        end = data.find(b"\n")
        if end == len(data) - 1 and 0 < end <= self.max_text and not self._parts:
            # The usual case, one whole line, without taking it apart.
            line = data[:end]
            return [] if line.isspace() else [line]
        end = data.rfind(b"\n")
        if end < 0:
            texts = []
            rest = data
        else:
            head = data[:end]
            if self._parts:
                self._parts.append(head)
                head = b"".join(self._parts)
                self._clear()
            texts = [line for line in head.split(b"\n") if line and not line.isspace()]
            if len(head) > self.max_text:
                texts = self._cut_at_overflow(texts)
            rest = data[end + 1 :]
        if rest and not self.overflow:
            self._keep(rest, texts)
        return texts

    def finish(self) -> list[bytes]:
        """Give what is left when the stream has ended."""
        text = b"".join(self._parts)
        self._clear()
        return [text] if text and not text.isspace() else []

    def _keep(self, rest: bytes, texts: list[bytes]) -> None:
        if not self._parts:
            rest = rest.lstrip(BLANKS)
            if not rest:
                return
            if rest[0] not in JSON_STARTS:
                texts.append(rest)  # not JSON, whatever follows: let it be refused now
                return
        self._parts.append(rest)
        self._size += len(rest)
        if self._size > self.max_text:
            self.overflow = True
            self._clear()
        elif self._size <= _MAX_BARE and rest.rstrip(BLANKS)[-1:] in (b"}", b"]"):
            self._take_bare(texts)

    def _take_bare(self, texts: list[bytes]) -> None:
        self._tries += 1
        if self._tries > _MAX_BARE_TRIES:
            return
        text = b"".join(self._parts)
        if is_too_deep(text):
            return
        try:
            msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._parts = [text]
        else:
            texts.append(text)
            self._clear()

    def _cut_at_overflow(self, texts: list[bytes]) -> list[bytes]:
        for place, text in enumerate(texts):
            if len(text) > self.max_text:
                self.overflow = True
                return texts[:place]
        return texts

    def _clear(self) -> None:
        self._parts = []
        self._size = self._tries = 0


def outside_strings(text: bytes) -> bytes:
    """Give a JSON text without its strings; text that is not JSON gives nonsense.

    Only as far as the text is JSON must the answer be right: what follows is refused
    by the decoder anyway.
    """
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(text.split(b'"')[::2])


def is_too_deep(text: bytes, *, limit: int = MAX_DEPTH) -> bool:
    """Tell whether objects and arrays nest deeper than *limit*; linear."""
    if text.count(b"[") + text.count(b"{") <= limit:
        return False
    steps = outside_strings(text).translate(_STEPS, _NOT_BRACKETS)
    if b"\x01" * (limit + 1) in steps:
        return True
    return max(accumulate(memoryview(steps).cast("b")), default=0) > limit
