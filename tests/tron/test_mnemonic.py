import hashlib
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mnemonic import Mnemonic

from lucidtrond.tron.mnemonic import (
    ENTROPY_SIZES,
    InvalidMnemonic,
    derive_seed,
    make_mnemonic,
    parse_mnemonic,
)

WORDS = Mnemonic("english").wordlist
entropies = st.sampled_from(ENTROPY_SIZES).flatmap(
    lambda size: st.binary(min_size=size, max_size=size)
)


@given(entropies)
def test_words_spell_entropy_and_its_checksum(entropy: bytes) -> None:
    phrase = make_mnemonic(entropy)
    bits = "".join(f"{WORDS.index(word):011b}" for word in phrase.split(" "))
    size = len(entropy) * 8
    assert int(bits[:size], 2).to_bytes(len(entropy), "big") == entropy
    digest = int.from_bytes(hashlib.sha256(entropy).digest(), "big")
    assert bits[size:] == f"{digest:0256b}"[: size // 32]


@given(entropies)
def test_made_words_are_valid_however_they_are_typed(entropy: bytes) -> None:
    phrase = make_mnemonic(entropy)
    assert parse_mnemonic(phrase) == phrase
    assert parse_mnemonic("  " + phrase.upper().replace(" ", " \n\t") + " ") == phrase


@given(entropies, st.data())
def test_most_phrases_with_another_word_are_refused(
    entropy: bytes, data: st.DataObject
) -> None:
    words = make_mnemonic(entropy).split(" ")
    at = data.draw(st.integers(0, len(words) - 1))
    words[at] = data.draw(st.sampled_from(WORDS))
    phrase = " ".join(words)
    if Mnemonic("english").check(phrase):
        assert parse_mnemonic(phrase) == phrase
    else:
        with pytest.raises(InvalidMnemonic, match="checksum"):
            parse_mnemonic(phrase)


@given(st.text(max_size=200))
def test_any_text_is_a_phrase_or_invalid(text: str) -> None:
    try:
        parse_mnemonic(text)
    except InvalidMnemonic:
        return
    assert len(text.split()) in (12, 15, 18, 21, 24)


def test_refusals_quote_no_word() -> None:
    phrase = "zebra " * 11 + "zoological"
    for text, said in (
        (phrase, "word 12 is not"),
        ("zebra " * 11, "got 11"),
        ("zebra " * 12, "checksum"),
    ):
        with pytest.raises(InvalidMnemonic, match=said) as caught:
            parse_mnemonic(text)
        lines = traceback.format_exception_only(caught.value)
        assert "z" not in "".join(lines).replace("lucidtrond", "")


@pytest.mark.parametrize("size", [0, 15, 17, 33, 64])
def test_other_amounts_of_entropy_make_no_words(size: int) -> None:
    with pytest.raises(ValueError, match="entropy"):
        make_mnemonic(bytes(size))


def test_seeds_are_those_of_bip_39() -> None:
    """https://github.com/trezor/python-mnemonic/blob/master/vectors.json, the first."""
    phrase = "abandon " * 11 + "about"
    assert derive_seed(phrase, "TREZOR").hex() == (
        "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f"
        "09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04"
    )


@given(st.text(max_size=20), st.text(max_size=10))
def test_seeds_agree_with_the_reference_library(phrase: str, passphrase: str) -> None:
    try:
        expected = Mnemonic.to_seed(phrase, passphrase)
    except UnicodeEncodeError:
        return
    assert derive_seed(phrase, passphrase) == expected
