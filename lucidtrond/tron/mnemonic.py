"""BIP-39: entropy as words, words as the seed of `hd`.

No error here quotes a word: a misspelt phrase is still most of a secret.
"""

import hashlib
import unicodedata
from typing import Final

from mnemonic import Mnemonic

ENTROPY_SIZES: Final = (16, 20, 24, 28, 32)
"""Bytes; they give 12, 15, 18, 21 and 24 words."""
_WORDS_PER_4_BYTES: Final = 3
_ROUNDS: Final = 2048


class InvalidMnemonic(ValueError):
    """Not a BIP-39 phrase; the message says why without quoting it."""


def make_mnemonic(entropy: bytes) -> str:
    """Spell *entropy* (random, of one of `ENTROPY_SIZES`) as English words."""
    if len(entropy) not in ENTROPY_SIZES:
        raise ValueError(f"entropy: expected 16 to 32 bytes, got {len(entropy)}")
    return str(Mnemonic("english").to_mnemonic(entropy))


def parse_mnemonic(text: str) -> str:
    """Check English words as a person types them; give them in canonical form.

    Letter case and blanks don't matter.

    Raises:
        InvalidMnemonic: a wrong count, an unknown word, a checksum that does not fit.
    """
    words = _normalize(text).lower().split()
    counts = [size // 4 * _WORDS_PER_4_BYTES for size in ENTROPY_SIZES]
    if len(words) not in counts:
        raise InvalidMnemonic(f"mnemonic: expected 12 to 24 words, got {len(words)}")
    book = Mnemonic("english")
    english = frozenset(book.wordlist)
    for place, word in enumerate(words, 1):
        if word not in english:
            raise InvalidMnemonic(f"mnemonic: word {place} is not in the English list")
    phrase = " ".join(words)
    if not book.check(phrase):
        raise InvalidMnemonic("mnemonic: the checksum does not fit")
    return phrase


def derive_seed(phrase: str, passphrase: str = "") -> bytes:
    """Stretch words into the 64-byte seed; takes about a millisecond.

    The words are not checked: BIP-39 allows phrases of other lists.
    """
    return hashlib.pbkdf2_hmac(
        "sha512",
        _normalize(phrase).encode(),
        b"mnemonic" + _normalize(passphrase).encode(),
        _ROUNDS,
    )


def _normalize(text: str) -> str:
    return unicodedata.normalize("NFKD", text)
