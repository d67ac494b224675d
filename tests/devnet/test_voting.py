"""Votes, witnesses, and the rewards of both."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.devnet.state.account import Witness
from lucidtrond.devnet.state.rewards import owed
from lucidtrond.devnet.state.stakes import tron_power
from lucidtrond.devnet.state.world import rows_of, world_of
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.units import SUN_PER_TRX
from tests.devnet.making import ALICE, BOB, CAROL, FIVE, NOVA, Lab
from tests.devnet.sending import account, contract, receipt, refused

PRODUCERS = FIVE.schedule
FIRST, SECOND = PRODUCERS[:2]
STARTED = {row.url: row.votes for row in FIVE.file.witnesses}
CYCLE_SLOTS = FIVE.parameters.maintenance_ms // 3000
DAY_SLOTS = 86_400 // 3
TOO_MANY = (
    "The total number of votes[101000000] is greater than the tronPower[100000000]"
)
BLOCK_PAY, STANDBY_PAY = 8_000_000, 128_000_000


@pytest.fixture(name="lab")
def _lab() -> Lab:
    lab = Lab()
    lab.mine()
    return lab


def freeze(lab: Lab, key: PrivateKey, trx: int) -> None:
    sun = trx * SUN_PER_TRX
    lab.send(contract(lab, key, "FreezeBalanceV2Contract", frozen_balance=sun))
    lab.mine()


def unfreeze(lab: Lab, key: PrivateKey, trx: int) -> None:
    sun = trx * SUN_PER_TRX
    lab.send(contract(lab, key, "UnfreezeBalanceV2Contract", unfreeze_balance=sun))
    lab.mine()


def voting(lab: Lab, key: PrivateKey, *votes: tuple[bytes, int]) -> Any:
    rows = [{"vote_address": who, "vote_count": count} for who, count in votes]
    return contract(lab, key, "VoteWitnessContract", votes=rows)


def vote(lab: Lab, key: PrivateKey, *votes: tuple[bytes, int]) -> None:
    receipt(lab, voting(lab, key, *votes))


def maintain(lab: Lab) -> None:
    """Let the next block begin a maintenance."""
    cycle = lab.chain.head.globals.cycle
    lab.mine(skip=CYCLE_SLOTS)
    assert lab.chain.head.globals.cycle == cycle + 1


def witness(lab: Lab, address: bytes) -> Witness:
    row = lab.chain.head.witnesses.get(address)
    assert row is not None
    return row


def reward(lab: Lab, key: PrivateKey) -> int:
    return owed(lab.chain.head, account(lab, key), FIVE)


def test_votes_are_shown_at_once_and_counted_at_the_next_maintenance(lab: Lab) -> None:
    before = witness(lab, FIRST).votes
    freeze(lab, ALICE, 100)
    vote(lab, ALICE, (FIRST, 60), (SECOND, 40))
    assert account(lab, ALICE).votes == ((FIRST, 60), (SECOND, 40))
    assert witness(lab, FIRST).votes == before
    maintain(lab)
    assert witness(lab, FIRST).votes == before + 60
    vote(lab, ALICE, (SECOND, 1))  # in place of those before
    maintain(lab)
    assert witness(lab, FIRST).votes == before
    maintain(lab)
    assert witness(lab, FIRST).votes == before


def test_votes_shrink_with_the_stake(lab: Lab) -> None:
    freeze(lab, ALICE, 100)
    vote(lab, ALICE, (FIRST, 60), (SECOND, 40))
    unfreeze(lab, ALICE, 50)
    assert account(lab, ALICE).votes == ((FIRST, 30), (SECOND, 20))
    unfreeze(lab, ALICE, 50)
    assert account(lab, ALICE).votes == ()


@pytest.mark.parametrize(
    ("votes", "words"),
    [
        ([], "VoteNumber must more than 0"),
        ([(FIRST, 1)] * 31, "VoteNumber more than maxVoteNumber 30"),
        ([(b"\x41", 1)], "Invalid vote address!"),
        ([(FIRST, 0)], "vote count must be greater than 0"),
        ([(FIRST, -1)], "vote count must be greater than 0"),
        ([(NOVA.address.raw, 1)], f"Account[{NOVA.address.hex}] not exists"),
        ([(BOB.address.raw, 1)], f"Witness[{BOB.address.hex}] not exists"),
        ([(FIRST, 2**63 - 1), (SECOND, 1)], "overflow: checkedAdd"),
        ([(FIRST, 2**62)], "overflow: checkedMultiply"),
        ([(FIRST, 101)], TOO_MANY),
    ],
)
def test_votes_are_refused_in_java_trons_words(
    votes: list[tuple[bytes, int]], words: str, lab: Lab
) -> None:
    freeze(lab, ALICE, 100)
    assert refused(lab, voting(lab, ALICE, *votes)) == words


people = st.sampled_from([ALICE, BOB, CAROL])
steps = st.one_of(
    st.tuples(st.just("freeze"), people, st.integers(1, 50)),
    st.tuples(st.just("unfreeze"), people, st.integers(1, 50)),
    st.tuples(
        st.just("vote"),
        people,
        st.dictionaries(st.sampled_from(PRODUCERS), st.integers(1, 40), min_size=1),
    ),
    st.tuples(st.just("maintain")),
)


@given(st.lists(steps, max_size=25))
@settings(max_examples=60, deadline=None)
def test_votes_never_exceed_the_stake_and_none_is_lost_or_made(
    plan: list[tuple[Any, ...]],
) -> None:
    lab = Lab()
    lab.mine()
    given_votes = {producer: witness(lab, producer).votes for producer in PRODUCERS}
    for step in plan:
        match step:
            case ("freeze", key, trx):
                freeze(lab, key, trx)
            case ("unfreeze", key, trx):
                if account(lab, key).staked_net >= trx * SUN_PER_TRX:
                    unfreeze(lab, key, trx)
            case ("vote", key, votes):
                power = tron_power(account(lab, key)) // SUN_PER_TRX
                if sum(votes.values()) <= power:
                    vote(lab, key, *votes.items())
            case _:
                maintain(lab)
                counted: Counter[bytes] = Counter()
                for key in (ALICE, BOB, CAROL):
                    counted.update(dict(account(lab, key).votes))
                for maker in PRODUCERS:
                    more = witness(lab, maker).votes - given_votes[maker]
                    assert more == counted[maker]
        for key in (ALICE, BOB, CAROL):
            held = account(lab, key)
            assert sum(n for _, n in held.votes) * SUN_PER_TRX <= tron_power(held)


def test_a_voter_earns_his_share_of_each_full_cycle(lab: Lab) -> None:
    freeze(lab, ALICE, 1000)
    vote(lab, ALICE, (FIRST, 1000))
    maintain(lab)
    assert reward(lab, ALICE) == 0  # his votes count from here on
    votes = witness(lab, FIRST).votes
    total = sum(witness_row.votes for witness_row in lab.chain.head.witnesses.values())
    begin = lab.chain.head.globals.number
    before = witness(lab, FIRST).produced
    lab.mine(9)
    assert reward(lab, ALICE) == 0  # not before the cycle is over
    maintain(lab)
    blocks = lab.chain.head.globals.number - begin
    made = witness(lab, FIRST).produced - before
    share = int(votes * (STANDBY_PAY / total))
    voters = made * (BLOCK_PAY - int(0.2 * BLOCK_PAY))
    voters += blocks * (share - int(0.2 * share))
    expected = 1000 * (voters * 10**18 // votes) // 10**18
    assert reward(lab, ALICE) == expected > 0

    taken = account(lab, ALICE).balance
    paid = receipt(lab, contract(lab, ALICE, "WithdrawBalanceContract"))
    assert paid.withdrawn == expected
    held = account(lab, ALICE)
    assert (held.balance - taken, held.allowance) == (expected, 0)
    assert reward(lab, ALICE) == 0
    again = contract(lab, ALICE, "WithdrawBalanceContract")
    stamp = held.withdrawn_ms
    words = f"The last withdraw time is {stamp}, less than 24 hours"
    assert refused(lab, again) == words
    maintain(lab)
    lab.mine(skip=DAY_SLOTS)
    more = reward(lab, ALICE)
    assert more > 0
    last = receipt(lab, contract(lab, ALICE, "WithdrawBalanceContract"))
    assert last.withdrawn >= more


def test_rewards_are_settled_before_votes_change(lab: Lab) -> None:
    freeze(lab, ALICE, 1000)
    vote(lab, ALICE, (FIRST, 1000))
    maintain(lab)
    lab.mine(5)
    maintain(lab)
    earned = reward(lab, ALICE)
    vote(lab, ALICE, (SECOND, 10))
    assert account(lab, ALICE).allowance == earned
    assert reward(lab, ALICE) == earned
    unfreeze(lab, ALICE, 1000)
    assert reward(lab, ALICE) == earned


def test_who_unfreezes_has_earned_by_the_votes_that_he_had(lab: Lab) -> None:
    freeze(lab, ALICE, 1000)
    vote(lab, ALICE, (FIRST, 1000))
    maintain(lab)
    lab.mine(5)
    maintain(lab)
    earned = reward(lab, ALICE)
    assert earned > 0
    unfreeze(lab, ALICE, 900)
    assert (account(lab, ALICE).allowance, reward(lab, ALICE)) == (earned, earned)


def test_rewards_are_the_same_after_a_checkpoint(lab: Lab) -> None:
    freeze(lab, ALICE, 1000)
    vote(lab, ALICE, (FIRST, 1000))
    for _ in range(3):
        maintain(lab)
        lab.mine(3)
    kept = world_of(rows_of(lab.chain.head))
    again = kept.accounts.get(ALICE.address.raw)
    assert again is not None
    assert owed(kept, again, FIVE) == reward(lab, ALICE) > 0


def test_who_wants_to_nothing_has_nothing_to_withdraw(lab: Lab) -> None:
    asked = contract(lab, ALICE, "WithdrawBalanceContract")
    assert refused(lab, asked) == "witnessAccount does not have any reward"
    producer = FIVE.witness_keys[FIRST]
    lab.send(lab.transfer(ALICE, producer.address, 10_000_000))
    lab.mine()
    asked = contract(lab, producer, "WithdrawBalanceContract")
    assert "is a guard representative and is not allowed" in refused(lab, asked)


def test_a_new_witness_pays_is_voted_for_and_earns(lab: Lab) -> None:
    before = account(lab, BOB).balance
    made = receipt(lab, contract(lab, BOB, "WitnessCreateContract", url=b"http://b"))
    fee = FIVE.parameters.witness_fee
    assert made.fee == fee
    held = account(lab, BOB)
    assert held.balance == before - fee
    assert held.is_witness
    assert held.permissions is not None
    assert held.permissions.witness is not None
    twice = contract(lab, BOB, "WitnessCreateContract", url=b"x")
    assert refused(lab, twice) == f"Witness[{BOB.address.hex}] has existed"
    renamed = contract(lab, BOB, "WitnessUpdateContract", update_url=b"http://c")
    receipt(lab, renamed)
    assert witness(lab, BOB.address.raw).url == "http://c"
    freeze(lab, ALICE, 500)
    vote(lab, ALICE, (BOB.address.raw, 500))
    maintain(lab)
    assert reward(lab, BOB) == 0
    lab.mine(4)
    total = sum(witness_row.votes for witness_row in lab.chain.head.witnesses.values())
    share = int(500 * (STANDBY_PAY / total))
    # A fifth of what standing by pays is his own, from block to block.
    assert reward(lab, BOB) == 4 * int(0.2 * share)
    paid = receipt(lab, contract(lab, BOB, "WithdrawBalanceContract"))
    assert paid.withdrawn == 4 * int(0.2 * share)
    maintain(lab)
    rest = account(lab, BOB).allowance
    lab.mine(3)
    # The next cycle begins with nothing taken.
    assert reward(lab, BOB) == rest + 3 * int(0.2 * share)


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("WitnessCreateContract", {"url": b""}, "Invalid url"),
        ("WitnessCreateContract", {"url": b"x" * 257}, "Invalid url"),
        ("WitnessUpdateContract", {"update_url": b"x"}, "Witness does not exist"),
        ("WitnessUpdateContract", {"update_url": b""}, "Invalid url"),
        (
            "UpdateBrokerageContract",
            {"brokerage": 5},
            f"Not existed witness:{ALICE.address.hex}",
        ),
        ("UpdateBrokerageContract", {"brokerage": 101}, "Invalid brokerage"),
        ("UpdateBrokerageContract", {"brokerage": -1}, "Invalid brokerage"),
    ],
)
def test_what_witnesses_want_is_refused_in_java_trons_words(
    name: str, fields: dict[str, Any], words: str, lab: Lab
) -> None:
    assert refused(lab, contract(lab, ALICE, name, **fields)) == words


def test_another_brokerage_counts_from_the_next_maintenance_on(lab: Lab) -> None:
    producer = FIVE.witness_keys[FIRST]
    lab.send(lab.transfer(ALICE, producer.address, 10_000_000))
    lab.mine()
    receipt(lab, contract(lab, producer, "UpdateBrokerageContract", brokerage=100))
    assert witness(lab, FIRST).brokerage == 20
    freeze(lab, ALICE, 10)
    vote(lab, ALICE, (FIRST, 10))
    maintain(lab)
    assert witness(lab, FIRST).brokerage == 100
    lab.mine(7)
    maintain(lab)
    assert reward(lab, ALICE) == 0  # all of it is the producer's own


def test_proposals_are_checked_and_not_executed(lab: Lab) -> None:
    producer = FIVE.witness_keys[FIRST]
    lab.send(lab.transfer(ALICE, producer.address, 10_000_000))
    lab.mine()

    def propose(key: PrivateKey, **fields: Any) -> str:
        return refused(lab, contract(lab, key, "ProposalCreateContract", **fields))

    values = {3: 900}
    rows = [{"key": key, "value": value} for key, value in values.items()]
    assert propose(ALICE, parameters=rows) == (
        f"Witness[{ALICE.address.hex}] not exists"
    )
    assert propose(producer) == "This proposal has no parameter."
    unknown = [{"key": 27, "value": 1}]
    assert propose(producer, parameters=unknown) == "Does not support code : 27"
    assert propose(producer, parameters=rows) == (
        "contract type 16 is not executed by this devnet"
    )
    for name in ("ProposalApproveContract", "ProposalDeleteContract"):
        asked = contract(lab, producer, name, proposal_id=77)
        assert refused(lab, asked) == "Proposal[77] not exists"
