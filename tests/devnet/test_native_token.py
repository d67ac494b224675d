"""The devnet's token: balances conserved, java-tron's energy, reverts that say why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.devnet.state.native_token import call
from lucidtrond.devnet.state.token_run import TokenFacts, TokenResult, revert_data
from lucidtrond.devnet.state.token_slots import initial_slots
from lucidtrond.tron import abi

PEOPLE = tuple(bytes([n]) * 20 for n in range(1, 5))
OWNER, ANN, BOB, CID = PEOPLE
FACTS = TokenFacts("Interop Dollar", "IUSD", 6, OWNER)
SUPPLY = 10**12
PLENTY = 1_000_000


class Slots:
    def __init__(self) -> None:
        self.held = initial_slots(OWNER, SUPPLY)

    def get(self, slot: bytes) -> int:
        return self.held.get(slot, 0)

    def put(self, slot: bytes, value: int) -> None:
        self.held[slot] = value

    def run(
        self, caller: bytes, signature: str, *words: int | bytes, limit: int = PLENTY
    ) -> TokenResult:
        data = abi.selector(signature) + b"".join(
            word.rjust(32, b"\0")
            if isinstance(word, bytes)
            else word.to_bytes(32, "big")
            for word in words
        )
        result = call(FACTS, self, caller=caller, data=data, limit=limit)
        for slot, value in result.changes.items():
            self.put(slot, value)
        return result

    def balance(self, holder: bytes) -> int:
        data = self.run(ANN, "balanceOf(address)", holder).data
        return int.from_bytes(data, "big")


SEND = "transfer(address,uint256)"
PERSON = st.sampled_from(PEOPLE)


@given(
    st.lists(
        st.tuples(
            PERSON,
            PERSON,
            st.integers(0, SUPPLY * 2),
            st.integers(0, 40_000),
        ),
        max_size=12,
    )
)
def test_transfers_never_make_or_lose_tokens_whatever_the_limit(
    moves: list[tuple[bytes, bytes, int, int]],
) -> None:
    slots = Slots()
    for sender, to, value, limit in moves:
        result = slots.run(sender, SEND, to, value, limit=limit)
        assert 0 <= result.energy <= limit
        assert bool(result.changes) == (result.result == "SUCCESS")
        assert bool(result.logs) == (result.result == "SUCCESS")
    assert sum(slots.balance(one) for one in PEOPLE) == SUPPLY


def test_a_transfer_costs_what_java_tron_recorded() -> None:
    slots = Slots()
    assert slots.run(OWNER, SEND, ANN, 5).energy == 28_297
    assert slots.run(OWNER, SEND, ANN, 5).energy == 13_297
    assert slots.run(OWNER, SEND, BOB, 0).energy == 13_297
    assert slots.balance(ANN) == 10


def test_an_allowance_costs_what_java_tron_recorded_and_is_used_up() -> None:
    slots = Slots()
    approve, spend = (
        "approve(address,uint256)",
        "transferFrom(address,address,uint256)",
    )
    assert slots.run(OWNER, approve, ANN, 9).energy == 22_421
    assert slots.run(OWNER, approve, ANN, 8).energy == 7_421
    assert slots.run(ANN, spend, OWNER, BOB, 3).energy == 33_928
    assert slots.run(ANN, spend, OWNER, BOB, 3).energy == 18_928
    refused = slots.run(ANN, spend, OWNER, BOB, 3)
    assert (refused.result, refused.energy) == ("REVERT", 835)
    assert refused.data == revert_data("InteropToken: insufficient allowance")


def test_a_revert_has_its_reason_as_abi_and_its_recorded_energy() -> None:
    slots = Slots()
    poor = slots.run(ANN, SEND, BOB, 1)
    assert (poor.result, poor.energy) == ("REVERT", 998)
    reason = abi.decode(("string",), poor.data[4:])
    assert tuple(reason) == ("InteropToken: insufficient balance",)
    slots.run(OWNER, "setBlacklisted(address,bool)", CID, 1)
    listed = slots.run(OWNER, SEND, CID, 1)
    assert (listed.result, listed.energy) == ("REVERT", 839)


@pytest.mark.parametrize("short", [1, 20_000, 28_000])
def test_one_energy_too_few_takes_the_whole_limit_and_changes_nothing(
    short: int,
) -> None:
    slots = Slots()
    result = slots.run(OWNER, SEND, ANN, 5, limit=28_297 - short)
    assert (result.result, result.energy) == ("OUT_OF_ENERGY", 28_297 - short)
    assert slots.balance(ANN) == 0


def test_only_the_owner_mints() -> None:
    slots = Slots()
    assert slots.run(ANN, "mint(address,uint256)", ANN, 1).result == "REVERT"
    assert slots.run(OWNER, "mint(address,uint256)", OWNER, 1).energy == 12_812
    assert slots.balance(OWNER) == SUPPLY + 1
