"""Whether a text reads like another: tokens that are named to be taken for known ones.

`skeleton` maps a text to what is left of it for a careless reader, in the manner of
UTS 39 (4, "Confusable Detection"), and further: letters without marks, case, blanks and
punctuation, whatever script they are from. Two texts read alike if their skeletons are
equal. It errs towards alike: its verdict is a warning, never a proof.
"""

import unicodedata
from typing import Final

from lucidtrond.tron.confusables import LOOKS_LIKE

MAX_CHARACTERS: Final = 1024
"""The rest of a longer text is not looked at: a contract may give any length."""

_SMALL_CAPITALS: Final = {
    "\u1d00": "a",
    "\u0299": "b",
    "\u1d04": "c",
    "\u1d05": "d",
    "\u1d07": "e",
    "\ua730": "f",
    "\u0262": "g",
    "\u029c": "h",
    "\u026a": "i",
    "\u1d0a": "j",
    "\u1d0b": "k",
    "\u029f": "l",
    "\u1d0d": "m",
    "\u0274": "n",
    "\u1d0f": "o",
    "\u1d18": "p",
    "\u0280": "r",
    "\ua731": "s",
    "\u1d1b": "t",
    "\u1d1c": "u",
    "\u1d20": "v",
    "\u1d21": "w",
    "\u028f": "y",
    "\u1d22": "z",
}
"""LATIN LETTER SMALL CAPITAL …: Unicode's table keeps them apart from the capitals."""

_LETTERS: Final = _SMALL_CAPITALS | {
    source: target for target, sources in LOOKS_LIKE.items() for source in sources
}

# UTS 39 maps I, 1 and | to l, 0 to O, and m to rn; in lower case i joins them.
_ALIKE: Final = str.maketrans({"i": "l", "1": "l", "|": "l", "0": "o", "m": "rn"})


_BLANKS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Letters and a symbol without ink: Hangul fillers and the empty Braille pattern."""


def skeleton(text: str) -> str:
    """What a careless reader keeps of *text*; empty where nothing is left."""
    latin = (_LETTERS.get(letter, letter) for letter in text[:MAX_CHARACTERS])
    letters = unicodedata.normalize("NFKD", "".join(latin))
    plain = "".join(map(_plain, letters)).casefold().translate(_ALIKE)
    return "".join(filter(str.isalnum, plain))


def _plain(letter: str) -> str:
    """The ASCII letters that a character looks like, in any of its cases."""
    if letter.isascii():
        return letter
    if letter in _BLANKS:
        return ""
    for form in (letter, letter.upper(), letter.casefold()):
        if (plain := _LETTERS.get(form)) is not None:
            return plain
    return letter
