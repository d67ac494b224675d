"""Whom we never paid must not look like somebody that we did."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.errors import RecipientRefused
from lucidtrond.sending.authenticity import LABEL
from lucidtrond.sending.lookalike import (
    check_look_alike,
    remember,
    remember_earlier,
    shared,
)
from lucidtrond.tron.address import Address
from tests.sending.model import Process, pay, process

# Found by trying, with random bodies: six letters of both ends are the same.
PAIRS = (
    (
        Address(bytes.fromhex("41d9a51f5d1d31e16010f3899d24ca3303eeb57dbc")),
        Address(bytes.fromhex("41d9b038af442a4570621980edfe698fb7c100365a")),
    ),
    (
        Address(bytes.fromhex("41327c187f93c75a204d40c00c6e5f91d40584fd29")),
        Address(bytes.fromhex("41327c174b60998d8107ab3af5d6493c858d6e39e1")),
    ),
)
FIVE_LETTERS = (
    Address(bytes.fromhex("41fe45b2af9b91386034ba14f08aacad854c6505cf")),
    Address(bytes.fromhex("41fe37a7595b4b26b02cd94c70faa36e712784a040")),
)


async def refused(made: Process, to: Address) -> str | None:
    key = made.signer.authenticator(LABEL)
    try:
        await made.store.read(lambda tx: check_look_alike(tx, to, key))
    except RecipientRefused as refusal:
        return str(refusal.data["resembles"])
    return None


def ends(pair: tuple[Address, Address]) -> tuple[int, int]:
    front, back = pair[0].base58, pair[1].base58
    same = [one == other for one, other in zip(front[1:], back[1:], strict=True)]
    return same.index(False), same[::-1].index(False)


def test_the_pairs_are_what_they_are_for() -> None:
    assert [ends(pair) for pair in PAIRS] == [(2, 4), (4, 2)]
    assert sum(ends(FIVE_LETTERS)) == 5


@pytest.mark.parametrize("pair", PAIRS)
async def test_a_stranger_with_the_ends_of_somebody_paid_needs_a_word(
    pair: tuple[Address, Address],
) -> None:
    paid, stranger = pair
    async with process() as made:
        await pay(made, to=paid)
        with pytest.raises(RecipientRefused, match="allow_look_alike") as caught:
            await pay(made, "b", to=stranger)
        assert caught.value.data["resembles"] == paid.base58
        with pytest.raises(RecipientRefused):
            await pay(made, "b", to=stranger, check=True)
        await pay(made, "c", to=paid)
        await pay(made, "b", to=stranger, allow_look_alike=True)
        again = await pay(made, "b", to=stranger)
        assert again.state == "pending"
        await pay(made, "d", to=stranger)


async def test_nobody_else_is_bothered() -> None:
    paid, stranger = FIVE_LETTERS
    async with process() as made:
        await pay(made, to=paid)
        await pay(made, "b", to=stranger)


@given(st.binary(min_size=20, max_size=20), st.binary(min_size=20, max_size=20))
def test_addresses_share_what_stands_at_their_ends(one: bytes, other: bytes) -> None:
    first, second = Address(b"A" + one), Address(b"A" + other)
    assert shared(first, second) == shared(second, first)
    assert (shared(first, second) == 66) == (first == second)


async def test_those_whom_an_older_program_paid_count_too() -> None:
    paid, stranger = PAIRS[0]
    async with process() as made:
        await pay(made, to=paid)
        await made.store.write(lambda tx: tx.execute("DELETE FROM sending_recipient"))
        assert await refused(made, stranger) is None
        assert await made.store.write(remember_earlier) == 1
        assert await made.store.write(remember_earlier) == 0
        assert await refused(made, stranger) == paid.base58
        # What somebody put into the database tells nothing.
        await made.store.write(lambda tx: remember(tx, stranger, None))
        assert await refused(made, stranger) == paid.base58
        key = made.signer.authenticator(LABEL)
        await made.store.write(lambda tx: remember(tx, stranger, key))
        assert await refused(made, stranger) is None
        await made.store.write(lambda tx: remember(tx, stranger, None))
        assert await refused(made, stranger) is None
