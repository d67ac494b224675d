"""Texts that read like others: properties first, then what was met."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.tron.confusables import LOOKS_LIKE
from lucidtrond.tron.imitation import skeleton

words = st.text(string.ascii_letters + string.digits, min_size=1, max_size=12)
INVISIBLE = (
    "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u061c\u180e\u202e\u3164\u2800\ufffd"
)
MARKS = "\u0301\u0323\u20eb\u0336"


@given(words, st.data())
def test_what_is_put_between_the_letters_changes_nothing(
    word: str, data: st.DataObject
) -> None:
    noise = st.text(INVISIBLE + MARKS + " .-_\u00a0\u3000", max_size=3)
    text = data.draw(noise) + "".join(letter + data.draw(noise) for letter in word)
    assert skeleton(text) == skeleton(word)


@given(words, st.data())
def test_other_letters_that_look_the_same_change_nothing(
    word: str, data: st.DataObject
) -> None:
    text = ""
    for letter in word:
        others = LOOKS_LIKE.get(letter, "")
        text += data.draw(st.sampled_from([letter, letter.swapcase(), *others]))
    assert skeleton(text) == skeleton(word)


@given(words)
def test_full_width_and_styled_letters_are_the_letters(word: str) -> None:
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in word)
    assert skeleton(wide) == skeleton(word)
    bold = "".join(
        unicodedata.lookup(f"MATHEMATICAL BOLD CAPITAL {letter.upper()}")
        if letter.isalpha()
        else letter
        for letter in word
    )
    assert skeleton(bold) == skeleton(word)


@given(st.text(max_size=40))
def test_any_text_has_one_which_is_its_own(text: str) -> None:
    kept = skeleton(text)
    assert all(map(str.isalnum, kept))
    assert skeleton(kept) == kept


def test_each_character_has_one_which_is_its_own() -> None:
    """Of the planes that have letters with cases; all of Unicode takes 12 s."""
    numbers = (*range(0x3000), *range(0xA640, 0xAC00), *range(0x1D400, 0x1F200))
    texts = map(chr, numbers)
    assert [text for text in texts if skeleton(skeleton(text)) != skeleton(text)] == []


@pytest.mark.parametrize(
    ("text", "like"),
    [
        ("IUSD ", "IUSD"),
        ("I USD", "IUSD"),
        ("\uff29\uff35\uff33\uff24", "IUSD"),  # full width
        ("\u0406US\u0501", "IUSD"),  # Cyrillic I, Komi de
        ("lUSD", "IUSD"),
        ("1USD", "IUSD"),
        ("IU\u200bSD", "IUSD"),
        ("USD\u20ae", "USDT"),  # tugrik, as Tether writes itself
        ("U\u0405D\u0422", "USDT"),  # Cyrillic dze, te
        ("u\u0455d\u0442", "USDT"),  # and their small letters
        ("\u1d1cs\u1d05\u1d1b", "USDT"),  # small capitals
        ("\u24ca\u24c8\u24b9\u24c9", "USDT"),  # in circles
        ("US\u0110T", "USDT"),  # a stroke is no mark of its own
        ("\u03a4R\u03a7", "TRX"),  # Greek
        ("USD\u03f2", "USDC"),  # Greek lunate sigma
        ("Tether-USD", "Tether USD"),
    ],
)
def test_what_is_meant_to_be_taken_for_another_is(text: str, like: str) -> None:
    assert skeleton(text) == skeleton(like)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("USDT", "USDC"),
        ("USDT", "USDD"),
        ("USDT", "USDTT"),
        ("TRX", "TRXX"),
        ("BTT", "BTTC"),
        ("WIN", "WINK"),
        ("TRX", "\u6ce2\u573a"),
    ],
)
def test_what_reads_differently_is_different(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)


def test_what_has_no_ink_has_nothing_to_compare() -> None:
    assert skeleton(INVISIBLE + " \t\u2028") == ""
