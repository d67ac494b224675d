"""The devnet's odd tokens: each is odd as its row says, and keeps its books."""

from collections.abc import Sequence

import msgspec
import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.devnet.state.default_chain import default_genesis_file, with_tokens
from lucidtrond.devnet.state.genesis import format_genesis, make_genesis, parse_genesis
from lucidtrond.devnet.state.genesis_file import BadGenesis
from lucidtrond.devnet.state.native_token import call
from lucidtrond.devnet.state.token_run import TokenFacts, TokenResult
from lucidtrond.devnet.state.token_slots import initial_slots
from lucidtrond.devnet.state.token_sorts import (
    SORTS,
    EventForm,
    Moves,
    TokenSort,
    UnknownSort,
    check_sorts,
    describe_sorts,
)
from lucidtrond.tron import abi, trc20
from lucidtrond.tron.abi_types import AbiError
from lucidtrond.tron.address import Address
from lucidtrond.tron.receipt import Log

SUPPLY = 10**6
OWNER, ANN, BOB = (Address(b"\x41" + bytes([n]) * 20) for n in (1, 2, 3))
TOKEN = Address(b"\x41" + b"\x09" * 20)
ZERO = Address(b"\x41" + bytes(20))
ALL = tuple(SORTS.values())
sorts = pytest.mark.parametrize("sort", ALL, ids=[sort.symbol for sort in ALL])


@define
class Token:
    sort: TokenSort
    held: dict[bytes, int] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.held = initial_slots(OWNER.raw[1:], SUPPLY)

    def get(self, slot: bytes) -> int:
        return self.held.get(slot, 0)

    def put(self, slot: bytes, value: int) -> None:
        self.held[slot] = value

    def call(self, by: Address, data: bytes, *, simulated: bool = False) -> TokenResult:
        name, symbol = self.sort.name, self.sort.symbol
        facts = TokenFacts(name, symbol, 6, OWNER.raw[1:], self.sort)
        result = call(
            facts,
            self,
            caller=by.raw[1:],
            data=data,
            limit=10**6,
            simulated=simulated,
        )
        if not simulated:
            self.held.update(result.changes)
        return result

    def balance(self, who: Address) -> int:
        data = self.call(ANN, trc20.balance_of(who), simulated=True).data
        return trc20.parse_amount_result(data)

    def ask(self, signature: str) -> TokenResult:
        return self.call(ANN, abi.encode_call(signature, ()), simulated=True)


def logs_of(result: TokenResult) -> list[Log]:
    return [Log(TOKEN, log.topics, log.data) for log in result.logs]


def moved(result: TokenResult, sender: Address, to: Address) -> int:
    logs = logs_of(result)
    return trc20.amount_moved(logs, token=TOKEN, sender=sender, recipient=to)


@sorts
def test_its_owner_can_always_give_it_away(sort: TokenSort) -> None:
    token = Token(sort)
    assert token.call(OWNER, trc20.transfer(ANN, 1000)).result == "SUCCESS"
    assert token.balance(ANN) == 1000 - 1000 * sort.fee_percent // 100


@sorts
def test_a_transfer_does_and_returns_what_its_row_says(sort: TokenSort) -> None:
    token = Token(sort)
    token.call(OWNER, trc20.transfer(ANN, 1000))
    had = token.balance(ANN)
    seen = token.call(ANN, trc20.transfer(BOB, 100), simulated=True)
    done = token.call(ANN, trc20.transfer(BOB, 100))
    assert seen.result == done.result == "SUCCESS"
    assert seen.data == done.data == sort.returns.value
    arrives = 100 - sort.fee_percent
    readable = sort.form is not EventForm.FOUR_TOPICS
    for result, moves in (
        (seen, sort.moves is not Moves.NEVER),
        (done, sort.moves is Moves.ALWAYS),
    ):
        assert bool(result.logs) == moves
        assert moved(result, ANN, BOB) == (arrives if moves and readable else 0)
    went = sort.moves is Moves.ALWAYS
    assert token.balance(BOB) == (arrives if went else 0)
    assert token.balance(ANN) == had - (100 if went else 0)
    assert sum(map(token.balance, (OWNER, ANN, BOB))) == SUPPLY


@sorts
def test_an_allowance_is_used_as_a_transfer_is(sort: TokenSort) -> None:
    token = Token(sort)
    token.call(OWNER, trc20.transfer(ANN, 1000))
    token.call(ANN, trc20.approve(BOB, 50))
    done = token.call(BOB, trc20.transfer_from(ANN, BOB, 50))
    assert (done.result, done.data) == ("SUCCESS", sort.returns.value)
    arrived = 50 - 50 * sort.fee_percent // 100
    assert token.balance(BOB) == (arrived if sort.moves is Moves.ALWAYS else 0)


@given(
    st.sampled_from(ALL),
    st.lists(
        st.tuples(
            st.sampled_from([OWNER, ANN, BOB]),
            st.sampled_from([OWNER, ANN, BOB]),
            st.integers(0, SUPPLY),
        ),
        max_size=8,
    ),
)
def test_logs_say_what_balances_do(
    sort: TokenSort, moves: Sequence[tuple[Address, Address, int]]
) -> None:
    token = Token(sort)
    for sender, to, amount in moves:
        before = {who: token.balance(who) for who in (OWNER, ANN, BOB)}
        result = token.call(sender, trc20.transfer(to, amount))
        for log in logs_of(result):
            read = trc20.parse_log(log)
            if isinstance(read, trc20.TransferLog):
                before[read.sender] -= read.amount
                before[read.recipient] += read.amount
        if sort.form is not EventForm.FOUR_TOPICS:
            assert before == {who: token.balance(who) for who in before}
    assert sum(map(token.balance, (OWNER, ANN, BOB))) == SUPPLY


def test_a_fickle_token_is_honest_once_its_owner_says_so() -> None:
    token = Token(SORTS["FICKLE"])
    token.call(OWNER, trc20.transfer(ANN, 10))
    rule = abi.encode_call("setRule(uint256)", (1,))
    assert token.call(ANN, rule).result == "REVERT"
    assert not token.call(ANN, trc20.transfer(BOB, 1)).logs
    assert token.call(OWNER, rule).result == "SUCCESS"
    assert moved(token.call(ANN, trc20.transfer(BOB, 1)), ANN, BOB) == 1
    assert Token(SORTS["ZERO"]).call(OWNER, rule).result == "REVERT"


def test_tokens_are_burned_and_minted_from_and_to_nobody() -> None:
    token = Token(SORTS["BURNER"])
    burned = token.call(OWNER, abi.encode_call("burn(uint256)", (7,)))
    assert moved(burned, OWNER, ZERO) == 7
    minted = token.call(OWNER, abi.encode_call("mint(address,uint256)", (ANN, 3)))
    assert moved(minted, ZERO, ANN) == 3
    supply = trc20.parse_amount_result(token.ask(trc20.TOTAL_SUPPLY).data)
    assert supply == SUPPLY - 4 == token.balance(OWNER) + token.balance(ANN)
    plain = Token(SORTS["ZERO"])
    assert plain.call(OWNER, abi.encode_call("burn(uint256)", (7,))).result == "REVERT"
    much = abi.encode_call("burn(uint256)", (SUPPLY,))
    assert token.call(OWNER, much).result == "REVERT"


def test_what_tokens_are_called_is_as_odd_as_their_rows_say() -> None:
    def claims(symbol: str) -> tuple[object, object, object]:
        token = Token(SORTS[symbol])
        seen: list[object] = []
        for signature, parse in (
            (trc20.NAME, trc20.parse_text_result),
            (trc20.SYMBOL, trc20.parse_text_result),
            (trc20.DECIMALS, trc20.parse_amount_result),
        ):
            result = token.ask(signature)
            try:
                seen.append(parse(result.data))
            except AbiError:
                seen.append(result.result)
        return seen[0], seen[1], seen[2]

    assert claims("ZERO") == ("Devnet Zero", "ZERO", 6)
    assert claims("BYTES32") == ("Devnet Bytes32", "BYTES32", 6)
    assert len(Token(SORTS["BYTES32"]).ask(trc20.NAME).data) == 32
    assert claims("EMPTY") == ("", "", 0)
    assert claims("ABSENT") == ("REVERT",) * 3
    name, symbol, decimals = claims("ABSURD")
    assert isinstance(name, str)
    assert (len(name), name[0], symbol) == (300, "\ufffd", name)
    assert decimals == 2**255


def test_a_chain_has_the_tokens_that_it_is_made_with() -> None:
    plain = default_genesis_file(3)
    made = make_genesis(with_tokens(plain, ["all"]))
    rows = list(made.world().contracts.values())
    assert {row.symbol for row in rows} == {"IUSD", *SORTS}
    assert len({row.address for row in rows}) == len(rows)
    assert {row.sort for row in rows} == {"", *SORTS}
    assert parse_genesis(format_genesis(made)) == made
    sponsored = [row for row in rows if row.caller_percent != 100]
    assert [(row.symbol, row.caller_percent) for row in sponsored] == [("SPONSOR", 30)]
    # Where there are none, the definition says nothing of them: it stays the same.
    assert with_tokens(plain, []) == plain
    assert b"token_sorts" not in format_genesis(make_genesis(plain))
    assert make_genesis(plain).id == made.id


def test_a_sort_that_there_is_not_is_refused_by_name() -> None:
    assert check_sorts(["fee", " zero", "FEE"]) == ("ZERO", "FEE")
    assert check_sorts(["all", "fee"]) == tuple(SORTS)
    with pytest.raises(UnknownSort, match="GOLD"):
        check_sorts(["gold"])
    with pytest.raises(BadGenesis, match="GOLD"):
        with_tokens(default_genesis_file(1), ["gold"])
    file = msgspec.structs.replace(default_genesis_file(1), token_sorts=("GOLD",))
    with pytest.raises(BadGenesis, match="GOLD"):
        make_genesis(file)
    assert all(f"  {sort.symbol} " in describe_sorts() for sort in ALL)
