"""Payments under way are taken off the balance, and never off what lacks them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.errors import InsufficientFunds
from lucidtrond.sending.reserved import (
    Reserved,
    Spending,
    View,
    check_reserved,
    worst_beside,
)
from lucidtrond.tron.address import Address
from lucidtrond.tron.units import Sun
from tests.sending.model import TO, TOKEN

small = st.integers(0, 100)


def trx(amount: int) -> Spending:
    return Spending(trx=Sun(amount))


def token(amount: int, of: Address = TOKEN) -> Spending:
    return Spending(token=of.base58, token_amount=amount)


@given(
    st.lists(st.tuples(small, st.booleans()), max_size=20),
    st.integers(1, 100),
    small,
    small,
)
def test_what_is_let_through_is_covered_whatever_the_pool_shows(
    others: list[tuple[int, bool]], amount: int, burn: int, start: int
) -> None:
    """Some of the others may or may not be in the reading: it is covered anyway."""
    reserved = [Reserved(trx(each), Sun(0), None) for each, _ in others]
    gone = sum(each for each, _ in others)
    seen = sum(each for each, is_seen in others if is_seen)
    head, solid = View(Sun(start - seen), 9), View(Sun(start), 5)
    covered = start - gone >= amount + burn
    try:
        check_reserved(trx(amount), Sun(burn), (head, solid), reserved)
    except InsufficientFunds:
        assert not covered, "the solid view takes nothing off twice"
    else:
        assert covered


def test_what_is_in_a_block_of_the_reading_is_not_taken_off_again() -> None:
    others = [Reserved(trx(10), Sun(0), block_number=7)]
    check_reserved(trx(5), Sun(0), (View(Sun(14), 7),), others)
    with pytest.raises(InsufficientFunds) as caught:
        check_reserved(trx(5), Sun(0), (View(Sun(14), 6),), others)
    assert caught.value.data["available_sun"] == "4"


def test_each_asset_is_counted_by_itself_and_burns_in_trx() -> None:
    others = [
        Reserved(token(60), Sun(3), None),
        Reserved(token(999, of=TO), Sun(3), None),
    ]
    view = View(Sun(10), 0, token=100)
    check_reserved(token(40), Sun(4), (view,), others)
    with pytest.raises(InsufficientFunds) as caught:
        check_reserved(token(41), Sun(4), (view,), others)
    assert caught.value.data["available_raw"] == "40"
    with pytest.raises(InsufficientFunds) as caught:
        check_reserved(token(40), Sun(5), (view,), others)
    assert caught.value.data["available_sun"] == "4"


def test_an_account_comes_to_life_once_whoever_pays_it() -> None:
    worst, joined = Sun(1_100), Sun(267)
    first = Reserved(trx(50), worst, None, TO)
    later = Reserved(trx(50), joined, None, TO)
    other = Reserved(trx(50), worst, None, TOKEN)
    for under_way, expected in (
        ([], worst),
        ([other], worst),
        ([first], joined),
        ([other, later, first], joined),
        ([later], worst),  # the one that set it aside is settled or dead
    ):
        assert worst_beside(TO, worst, joined, under_way) == expected
    assert worst_beside(TO, joined, None, [first]) == joined
