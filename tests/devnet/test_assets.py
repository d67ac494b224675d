"""TRC-10: issuing, sending, buying, and who pays the bandwidth."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lucidtrond.devnet.state.account import Holding
from lucidtrond.devnet.state.assets import asset_of
from lucidtrond.devnet.state.blocks import ReceiptRow
from lucidtrond.devnet.state.chain import Chain
from lucidtrond.devnet.state.kinds.issuing import DAY_MS
from lucidtrond.devnet.state.rejections import Refused
from lucidtrond.devnet.state.world import World, rows_of, world_of
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.transaction import RESULT_ALLOWANCE_BYTES, Transaction
from lucidtrond.tron.units import MAX_SUN, SUN_PER_TRX, Sun
from tests.devnet.making import ALICE, BOB, CAROL, NOVA, Lab
from tests.devnet.sending import account, contract, receipt, refused
from tests.devnet.test_chain_properties import wealth

TOKEN = b"1000001"
HOUR_MS = 3_600_000
PEOPLE = (ALICE, BOB, CAROL, NOVA)


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.mine(3)
    return lab


def issue(lab: Lab, key: PrivateKey = ALICE, **changes: Any) -> Transaction:
    now = lab.chain.head.globals.timestamp
    fields: dict[str, Any] = {
        "name": b"Coin",
        "abbr": b"C",
        "total_supply": 1_000_000,
        "trx_num": 10,
        "num": 3,
        "start_time": now + HOUR_MS,
        "end_time": now + 2 * HOUR_MS,
        "url": b"http://x",
        "free_asset_net_limit": 1000,
        "public_free_asset_net_limit": 1500,
    }
    return contract(lab, key, "AssetIssueContract", **(fields | changes))


def send(
    lab: Lab,
    key: PrivateKey,
    to: PrivateKey,
    amount: int,
    token: bytes = TOKEN,
) -> Transaction:
    return contract(
        lab,
        key,
        "TransferAssetContract",
        to_address=to.address.raw,
        asset_name=token,
        amount=amount,
    )


def buy(
    lab: Lab, key: PrivateKey, cost: int, *, of: PrivateKey = ALICE, **changes: Any
) -> Transaction:
    fields = {"to_address": of.address.raw, "asset_name": TOKEN, "amount": cost}
    return contract(lab, key, "ParticipateAssetIssueContract", **(fields | changes))


def tokens(lab: Lab, key: PrivateKey) -> dict[bytes, int]:
    return {holding.token: holding.amount for holding in account(lab, key).tokens}


def wait(lab: Lab, milliseconds: int) -> None:
    lab.mine(skip=milliseconds // 3000)


def give_stake(lab: Lab, key: PrivateKey, trx: int = 100_000_000) -> None:
    """As a freeze would, without its transaction."""
    staked = Sun(trx * SUN_PER_TRX)
    lab.chain.head.put_account(replace(account(lab, key), staked_net=staked))


# What holds whatever is sent


def supplies(world: World) -> dict[bytes, int]:
    """Units of each token that somebody holds, frozen ones included."""
    total: Counter[bytes] = Counter()
    for holder in world.accounts.values():
        for holding in holder.tokens:
            total[holding.token] += holding.amount
        for amount, _ in holder.frozen_supply:
            total[holder.issued] += amount
    return total


people = st.integers(0, len(PEOPLE) - 1)
amounts = st.sampled_from([0, 1, 7, 399_999, 400_000, 10**6, MAX_SUN])
steps = st.lists(
    st.tuples(st.just("issue"), people, st.booleans())
    | st.tuples(st.just("send"), people, people, amounts, st.integers(1, 2))
    | st.tuples(st.just("buy"), people, people, amounts)
    | st.tuples(st.just("unfreeze"), people)
    | st.tuples(st.just("wait"), st.sampled_from([3000, HOUR_MS, DAY_MS])),
    max_size=25,
)


def play(lab: Lab, step: tuple[Any, ...]) -> None:
    """One step; a refused one must not have changed anything."""
    match step:
        case ("wait", milliseconds):
            wait(lab, milliseconds)
            return
        case ("issue", who, frozen):
            part = [{"frozen_amount": 600_000, "frozen_days": 1}] if frozen else []
            made = issue(lab, PEOPLE[who], frozen_supply=part)
        case ("send", who, to, amount, number):
            token = str(1_000_000 + number).encode()
            made = send(lab, PEOPLE[who], PEOPLE[to], amount, token)
        case ("buy", who, of, cost):
            made = buy(lab, PEOPLE[who], cost, of=PEOPLE[of])
        case ("unfreeze", who):
            made = contract(lab, PEOPLE[who], "UnfreezeAssetContract")
        case _:
            raise AssertionError(step)
    before = rows_of(lab.chain.pending)
    try:
        lab.send(made)
    except Refused:
        assert rows_of(lab.chain.pending) == before


@settings(max_examples=60)
@given(plan=steps)
def test_the_supply_of_every_token_stays_what_was_issued(
    plan: list[tuple[Any, ...]],
) -> None:
    lab = Lab()
    lab.mine()
    owned = wealth(lab.chain.head)
    for step in plan:
        play(lab, step)
        world = lab.chain.pending
        assert wealth(world) == owned
        for token, units in supplies(world).items():
            asset = asset_of(world, token)
            assert asset is not None
            assert units == asset.total_supply
    lab.mine()
    replayed = Chain(lab.genesis, lab.archive)
    for number in range(1, lab.chain.head.globals.number + 1):
        row = lab.archive.read(number)
        assert row is not None
        replayed.replay(row)
    assert rows_of(replayed.head) == rows_of(lab.chain.head)
    reopened = world_of(rows_of(replayed.head))
    assert rows_of(reopened) == rows_of(replayed.head)
    assert dict(reopened.assets.items()) == dict(replayed.head.assets.items())


# Issuing


def test_ids_count_from_1000001_and_stand_in_the_receipt(lab: Lab) -> None:
    made = issue(lab)
    size = len(made.encode()) + RESULT_ALLOWANCE_BYTES
    paid = receipt(lab, made)
    assert paid == ReceiptRow(
        fee=Sun(1_024_000_000), net_usage=size, asset_issue_id="1000001"
    )
    assert receipt(lab, issue(lab, BOB)).asset_issue_id == "1000002"
    assert tokens(lab, ALICE) == {TOKEN: 1_000_000}
    assert account(lab, ALICE).issued == TOKEN
    text = "An account can only issue one asset"
    assert refused(lab, issue(lab)) == text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"name": b"a" * 33}, "Invalid assetName"),
        ({"name": b"a b"}, "Invalid assetName"),
        ({"name": b"TrX"}, "assetName can't be trx"),
        ({"precision": -1}, "precision cannot exceed 6"),
        ({"abbr": b"a" * 33}, "Invalid abbreviation for token"),
        ({"url": b"u" * 257}, "Invalid url"),
        ({"description": b"d" * 201}, "Invalid description"),
        ({"start_time": 0}, "Start time should be not empty"),
        ({"end_time": 0}, "End time should be not empty"),
        ({"total_supply": -1}, "TotalSupply must greater than 0!"),
        ({"num": 0}, "Num must greater than 0!"),
        (
            {"public_free_asset_net_usage": 1},
            "PublicFreeAssetNetUsage must be 0!",
        ),
        ({"free_asset_net_limit": 57_600_000_000}, "Invalid FreeAssetNetLimit"),
        ({"public_free_asset_net_limit": -1}, "Invalid PublicFreeAssetNetLimit"),
        (
            {"frozen_supply": [{"frozen_amount": 1, "frozen_days": 1}] * 11},
            "Frozen supply list length is too long",
        ),
        (
            {"frozen_supply": [{"frozen_amount": 0, "frozen_days": 1}]},
            "Frozen supply must be greater than 0!",
        ),
        (
            {"frozen_supply": [{"frozen_amount": 500_001, "frozen_days": 1}] * 2},
            "Frozen supply cannot exceed total supply",
        ),
        (
            {"frozen_supply": [{"frozen_amount": 1, "frozen_days": 3653}]},
            "frozenDuration must be less than 3652 days and more than 1 days",
        ),
    ],
)
def test_tokens_are_refused_in_java_trons_words(
    lab: Lab, changes: dict[str, Any], text: str
) -> None:
    """Beside those that 10-trc10 has."""
    assert refused(lab, issue(lab, **changes)) == text


# Sending


def test_sending_the_whole_balance_leaves_an_entry_of_zero(lab: Lab) -> None:
    receipt(lab, issue(lab))
    receipt(lab, send(lab, ALICE, BOB, 1_000_000))
    assert tokens(lab, ALICE) == {TOKEN: 0}
    assert tokens(lab, BOB) == {TOKEN: 1_000_000}
    text = "assetBalance must be greater than 0."
    assert refused(lab, send(lab, ALICE, BOB, 1)) == text


def test_sending_an_unknown_token_fails_before_its_own_check(lab: Lab) -> None:
    text = "asset [1000009] does not exist"
    assert refused(lab, send(lab, ALICE, BOB, 1, b"1000009")) == text


def test_a_new_recipient_costs_like_in_trx(lab: Lab) -> None:
    receipt(lab, issue(lab))
    paid = receipt(lab, send(lab, ALICE, NOVA, 5))
    assert paid == ReceiptRow(fee=Sun(1_100_000), net_fee=Sun(100_000))
    assert tokens(lab, NOVA) == {TOKEN: 5}
    poor = PrivateKey(b"\x21" * 32)
    lab.send(lab.transfer(CAROL, poor.address, 1_099_999))
    lab.send(send(lab, ALICE, poor, 5))
    lab.mine()
    stranger = PrivateKey(b"\x22" * 32)
    text = "Validate TransferAssetActuator error, insufficient fee."
    assert refused(lab, send(lab, poor, stranger, 5)) == text


def test_an_issuer_with_stake_pays_bandwidth_up_to_its_tokens_limits(
    lab: Lab,
) -> None:
    receipt(lab, issue(lab))
    receipt(lab, send(lab, ALICE, BOB, 500))
    receipt(lab, send(lab, ALICE, CAROL, 500))
    give_stake(lab, ALICE)
    own_free = account(lab, BOB).free_net_usage
    first = send(lab, BOB, CAROL, 1)
    size = len(first.encode()) + RESULT_ALLOWANCE_BYTES
    assert receipt(lab, first) == ReceiptRow(net_usage=size)
    assert account(lab, BOB).free_net_usage == own_free
    assert account(lab, ALICE).net_usage == size
    (holding,) = account(lab, BOB).tokens
    assert size - 2 <= holding.net_usage <= size  # kept as a rounded average
    assert holding.net_slot
    for _ in range(2):
        receipt(lab, send(lab, BOB, CAROL, 1))
    receipt(lab, send(lab, BOB, CAROL, 1))  # 4 * 280 > 1000: Bob's own
    assert account(lab, BOB).free_net_usage > own_free
    receipt(lab, send(lab, CAROL, BOB, 1))
    receipt(lab, send(lab, CAROL, BOB, 1))
    own_free = account(lab, CAROL).free_net_usage
    receipt(lab, send(lab, CAROL, BOB, 1))  # 6 * 280 > 1500: the token's
    assert account(lab, CAROL).free_net_usage > own_free


def test_an_issuer_gives_no_more_than_its_own_stake(lab: Lab) -> None:
    receipt(lab, issue(lab))
    receipt(lab, send(lab, ALICE, BOB, 500))
    give_stake(lab, ALICE, trx=300)  # 1.6 bytes each
    own_free = account(lab, BOB).free_net_usage
    receipt(lab, send(lab, BOB, CAROL, 1))
    assert account(lab, BOB).free_net_usage == own_free
    receipt(lab, send(lab, BOB, CAROL, 1))
    assert account(lab, BOB).free_net_usage > own_free


def test_an_issuer_sending_its_own_token_uses_its_stake_once(lab: Lab) -> None:
    receipt(lab, issue(lab))
    give_stake(lab, ALICE)
    made = send(lab, ALICE, BOB, 1)
    size = len(made.encode()) + RESULT_ALLOWANCE_BYTES
    assert receipt(lab, made) == ReceiptRow(net_usage=size)
    sender = account(lab, ALICE)
    assert sender.net_usage == size
    assert sender.tokens == (Holding(TOKEN, 999_999),)


# Buying


def test_a_purchase_swaps_trx_for_tokens_at_the_issuers_rate(lab: Lab) -> None:
    receipt(lab, issue(lab))
    wait(lab, HOUR_MS)
    before = account(lab, ALICE).balance
    receipt(lab, buy(lab, BOB, 19))
    assert tokens(lab, BOB) == {TOKEN: 5}
    assert tokens(lab, ALICE) == {TOKEN: 999_995}
    assert account(lab, ALICE).balance == before + 19


@pytest.mark.parametrize(
    ("cost", "changes", "text"),
    [
        (0, {}, "Amount must greater than 0!"),
        (3, {}, "Can not process the exchange!"),
        (10**7, {}, "Asset balance is not enough !"),
        (MAX_SUN, {}, "No enough balance !"),
        (10, {"asset_name": b"7"}, "No asset named 7"),
        (10, {"asset_name": b""}, "No asset named null"),
        (
            10,
            {"to_address": CAROL.address.raw},
            f"The asset is not issued by {CAROL.address.raw.hex()}",
        ),
        (10, {"to_address": b"\x41"}, "Invalid toAddress"),
    ],
)
def test_purchases_are_refused_in_java_trons_words(
    lab: Lab, cost: int, changes: dict[str, Any], text: str
) -> None:
    receipt(lab, issue(lab))
    wait(lab, HOUR_MS)
    assert refused(lab, buy(lab, BOB, cost, **changes)) == text


def test_tokens_are_sold_from_start_until_before_the_end(lab: Lab) -> None:
    start = lab.chain.head.globals.timestamp + HOUR_MS
    receipt(lab, issue(lab, start_time=start, end_time=start + 6000))
    text = "No longer valid period!"
    wait(lab, HOUR_MS - 9000)
    assert lab.chain.head.globals.timestamp == start - 3000
    assert refused(lab, buy(lab, BOB, 10)) == text
    lab.mine()
    receipt(lab, buy(lab, BOB, 10))
    lab.send(buy(lab, BOB, 10))
    lab.mine()
    assert lab.chain.head.globals.timestamp == start + 6000
    assert refused(lab, buy(lab, BOB, 10)) == text


# Unfreezing, updating


def test_frozen_parts_come_free_in_their_time(lab: Lab) -> None:
    parts = [
        {"frozen_amount": 100, "frozen_days": 1},
        {"frozen_amount": 30, "frozen_days": 2},
    ]
    unfreeze = "UnfreezeAssetContract"
    assert refused(lab, contract(lab, ALICE, unfreeze)) == "no frozen supply balance"
    receipt(lab, issue(lab, frozen_supply=parts))
    assert tokens(lab, ALICE) == {TOKEN: 999_870}
    text = "It's not time to unfreeze asset supply"
    assert refused(lab, contract(lab, ALICE, unfreeze)) == text
    wait(lab, DAY_MS + HOUR_MS)
    receipt(lab, contract(lab, ALICE, unfreeze))
    assert tokens(lab, ALICE) == {TOKEN: 999_970}
    assert len(account(lab, ALICE).frozen_supply) == 1
    wait(lab, DAY_MS)
    receipt(lab, contract(lab, ALICE, unfreeze))
    assert tokens(lab, ALICE) == {TOKEN: 1_000_000}
    assert account(lab, ALICE).frozen_supply == ()


def test_a_frozen_part_is_free_from_its_very_millisecond(lab: Lab) -> None:
    part = {"frozen_amount": 100, "frozen_days": 1}
    expires = lab.chain.head.globals.timestamp + HOUR_MS + DAY_MS
    receipt(lab, issue(lab, frozen_supply=[part]))
    wait(lab, HOUR_MS + DAY_MS - 60_000)
    lab.mine()  # late, since a maintenance began
    wait(lab, expires - lab.chain.head.globals.timestamp - 6000)
    unfreeze = "UnfreezeAssetContract"
    assert lab.chain.head.globals.timestamp == expires - 3000
    text = "It's not time to unfreeze asset supply"
    assert refused(lab, contract(lab, ALICE, unfreeze)) == text
    lab.mine()
    assert lab.chain.head.globals.timestamp == expires
    lab.send(contract(lab, ALICE, unfreeze))
    assert tokens(lab, ALICE) == {TOKEN: 999_900}
    lab.mine()
    assert tokens(lab, ALICE) == {TOKEN: 1_000_000}


def test_an_issuer_changes_description_url_and_limits(lab: Lab) -> None:
    fields: dict[str, Any] = {
        "description": b"new",
        "url": b"http://y",
        "new_limit": 5,
        "new_public_limit": 6,
    }
    name = "UpdateAssetContract"
    text = "Account has not issued any asset"
    assert refused(lab, contract(lab, ALICE, name, **fields)) == text
    receipt(lab, issue(lab))
    spoiled = contract(lab, ALICE, name, **(fields | {"url": b""}))
    assert refused(lab, spoiled) == "Invalid url"
    receipt(lab, contract(lab, ALICE, name, **fields))
    asset = asset_of(lab.chain.head, TOKEN)
    assert asset is not None
    changed = (
        asset.description,
        asset.url,
        asset.free_asset_net_limit,
        asset.public_free_asset_net_limit,
    )
    assert changed == (b"new", b"http://y", 5, 6)
    assert asset.total_supply == 1_000_000
