"""What a token says of its fee, and how the owner of one sets it."""

import pytest

from lucidtrond.devnet.state.token_sorts import PLAIN, SORTS, TokenSort
from lucidtrond.tron import abi, trc20
from lucidtrond.tron.address import Address
from lucidtrond.tron.tokens import TETHER_CHECKS
from tests.devnet.test_token_sorts import ANN, BOB, OWNER, Token, logs_of, moved

SET_PARAMS = "setParams(uint256,uint256)"


def terms(token: Token) -> list[int]:
    return [
        trc20.parse_amount_result(token.ask(function).data)
        for function in TETHER_CHECKS
    ]


def give(token: Token, by: Address, to: Address, amount: int) -> int:
    result = token.call(by, trc20.transfer(to, amount))
    return moved(result, by, to)


@pytest.mark.parametrize("sort", [PLAIN, SORTS["ZERO"], SORTS["TETHER"]])
def test_a_token_without_a_fee_says_so(sort: TokenSort) -> None:
    assert terms(Token(sort)) == [0, 0, 0]


def test_a_token_with_a_fee_says_so() -> None:
    assert terms(Token(SORTS["FEE"])) == [1000, 2**256 - 1, 0]


def test_an_owner_sets_a_fee_and_it_is_taken_up_to_its_most() -> None:
    token = Token(SORTS["TETHER"])
    assert give(token, OWNER, ANN, 900_000) == 900_000
    assert token.call(OWNER, abi.encode_call(SET_PARAMS, (10, 2))).result == "SUCCESS"
    assert terms(token) == [10, 2_000_000, 0]
    before = token.balance(OWNER)
    result = token.call(ANN, trc20.transfer(BOB, 500_000))
    assert moved(result, ANN, BOB) == 499_500 == token.balance(BOB)
    assert token.balance(OWNER) - before == 500
    assert len(logs_of(result)) == 2


@pytest.mark.parametrize(
    ("by", "basis_points", "most"), [(OWNER, 20, 1), (OWNER, 1, 50), (ANN, 1, 1)]
)
def test_a_fee_has_bounds_and_one_who_sets_it(
    by: Address, basis_points: int, most: int
) -> None:
    token = Token(SORTS["TETHER"])
    refused = token.call(by, abi.encode_call(SET_PARAMS, (basis_points, most)))
    assert refused.result == "REVERT"
    assert terms(token) == [0, 0, 0]


def test_an_owner_deprecates_it() -> None:
    token = Token(SORTS["TETHER"])
    data = abi.encode_call("deprecate(address)", (BOB,))
    assert token.call(ANN, data).result == "REVERT"
    assert token.call(OWNER, data).result == "SUCCESS"
    assert terms(token) == [0, 0, 1]


def test_another_token_has_neither() -> None:
    data = abi.encode_call(SET_PARAMS, (1, 1))
    assert Token(PLAIN).call(OWNER, data).result == "REVERT"
