"""What transactions cost; figures are those that java-tron 4.8.0 gave."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lucidtrond.devnet.state.account import Account
from lucidtrond.devnet.state.bandwidth import (
    PUBLIC_NET_LIMIT,
    recovered_net,
    use_net,
)
from lucidtrond.devnet.state.blocks import ReceiptRow
from lucidtrond.devnet.state.rejections import Refused
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.resources import (
    DAY_SLOTS,
    DAY_WINDOW,
    WINDOW_PRECISION,
    recovered,
)
from lucidtrond.tron.transaction import Transaction
from lucidtrond.tron.units import Sun, UnixMillis
from tests.devnet.making import ALICE, BOB, FIVE, NOVA, Lab

usages = st.integers(0, 43_200_000_000)
slots = st.integers(0, 30_000_000)
gaps = st.integers(0, 2 * DAY_SLOTS)


@given(usages, slots, gaps, gaps)
def test_usage_recovers_steadily_and_fully_within_a_day(
    usage: int, since: int, sooner: int, later: int
) -> None:
    sooner, later = sorted((sooner, later))
    then, now = (recovered(usage, since, since + gap) for gap in (sooner, later))
    assert 0 <= now <= then <= usage + 1
    if later >= DAY_SLOTS:
        assert now == 0


@given(usages, slots, gaps, st.integers(1000, DAY_WINDOW))
def test_the_window_of_staked_bandwidth_stays_within_a_day(
    usage: int, since: int, gap: int, window: int
) -> None:
    account = Account(b"", net_usage=usage, net_slot=since, net_window=window)
    current = recovered_net(account, since + gap)
    assert 0 <= current.net_usage <= usage + 1
    assert 0 <= current.net_window <= DAY_WINDOW


def receipts(lab: Lab) -> list[ReceiptRow]:
    lab.mine()
    row = lab.chain.block(lab.chain.head.globals.number)
    assert row is not None
    return [included.receipt for included in row.transactions]


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.mine(3)
    return lab


def test_two_transfers_are_free_and_the_third_burns(lab: Lab) -> None:
    now = UnixMillis(lab.chain.head.globals.timestamp)
    collected = []
    for amount in (1000, 1001, 1002):
        lab.send(lab.transfer(ALICE, BOB.address, amount, timestamp=now))
        collected += receipts(lab)
    assert collected == [
        ReceiptRow(net_usage=266),
        ReceiptRow(net_usage=266),
        ReceiptRow(fee=Sun(266_000), net_fee=Sun(266_000)),
    ]
    assert lab.chain.head.globals.burned == 266_000


def test_activating_an_account_costs_a_trx_and_a_tenth(lab: Lab) -> None:
    before = lab.balance(ALICE.address)
    lab.send(lab.transfer(ALICE, NOVA.address, 2_000_000))
    assert receipts(lab) == [ReceiptRow(fee=Sun(1_100_000), net_fee=Sun(100_000))]
    assert lab.balance(ALICE.address) == before - 3_100_000
    assert lab.balance(NOVA.address) == 2_000_000


def test_stake_pays_the_tenth(lab: Lab) -> None:
    whale = FIVE.funded[0].key
    now = UnixMillis(lab.chain.head.globals.timestamp)
    lab.send(lab.transfer(whale, NOVA.address, 2_000_000, timestamp=now))
    assert receipts(lab) == [ReceiptRow(fee=Sun(1_000_000), net_usage=267)]


def test_a_memo_costs_a_trx_that_only_the_fee_shows(lab: Lab) -> None:
    now = UnixMillis(lab.chain.head.globals.timestamp)
    lab.send(lab.transfer(ALICE, BOB.address, 7, memo=b"hi", timestamp=now))
    assert receipts(lab) == [ReceiptRow(fee=Sun(1_000_000), net_usage=269)]


def test_fees_are_taken_before_the_balance_is_looked_at(lab: Lab) -> None:
    poor = PrivateKey(b"\x13" * 32)
    lab.send(lab.transfer(ALICE, poor.address, 1_500_000))
    lab.mine()
    with pytest.raises(Refused, match="balance is not sufficient"):
        lab.send(lab.transfer(poor, NOVA.address, 500_000))
    lab.send(lab.transfer(poor, NOVA.address, 400_000))
    assert lab.balance(poor.address) == 0
    with pytest.raises(Refused, match="BANDWITH_ERROR"):
        lab.send(lab.transfer(NOVA, BOB.address, 1, memo=b"x"))


def test_a_large_account_creating_transaction_is_refused_with_its_size(
    lab: Lab,
) -> None:
    now = UnixMillis(lab.chain.head.globals.timestamp)
    big = lab.transfer(ALICE, NOVA.address, 5, memo=bytes(1000), timestamp=now)
    with pytest.raises(Refused) as caught:
        lab.send(big)
    assert caught.value.text == (
        f"Too big new account transaction, TxId {big.txid}, the size is 1139 bytes,"
        " maxTxSize 1000"
    )


def test_the_largest_transaction_is_512000_bytes_with_its_allowances(
    lab: Lab,
) -> None:
    now = UnixMillis(lab.chain.head.globals.timestamp)

    def with_memo(size: int) -> Transaction:
        memo = bytes(size)
        return lab.transfer(ALICE, BOB.address, 5, memo=memo, timestamp=now)

    spare = 512_000 - 128 - len(with_memo(400_000).encode()) + 400_000
    assert len(with_memo(spare).encode()) + 128 == 512_000
    big = with_memo(spare + 1)
    with pytest.raises(Refused) as caught:
        lab.send(big)
    assert caught.value.text == (
        f"Too big transaction with result, TxId {big.txid},"
        " the size is 512001 bytes, maxTxSize 512000"
    )
    lab.send(with_memo(spare))


def test_a_thousand_bytes_may_create_an_account(lab: Lab) -> None:
    now = UnixMillis(lab.chain.head.globals.timestamp)

    def with_memo(size: int) -> Transaction:
        memo = bytes(size)
        return lab.transfer(ALICE, NOVA.address, 5, memo=memo, timestamp=now)

    spare = 1000 + 65 - len(with_memo(800).encode()) + 800
    with pytest.raises(Refused, match="the size is 1001 bytes"):
        lab.send(with_memo(spare + 1))
    lab.send(with_memo(spare))


def test_when_everybodys_free_bandwidth_is_used_up_it_burns(lab: Lab) -> None:
    world = lab.chain.head
    slot = FIVE.slot(world.globals.timestamp)
    now = UnixMillis(world.globals.timestamp)
    paid = []
    for spare in (267, 268):
        world.globals = replace(
            world.globals,
            public_net_usage=PUBLIC_NET_LIMIT - spare,
            public_net_slot=slot,
        )
        lab.send(lab.transfer(ALICE, BOB.address, 12_345_678, timestamp=now))
        [pooled] = lab.chain.pool[-1:]
        paid.append((pooled.receipt.net_usage, pooled.receipt.net_fee))
        now = UnixMillis(now + 1)
        lab.chain = type(lab.chain)(lab.genesis, lab.archive)
        for number in range(1, 4):
            row = lab.archive.read(number)
            assert row is not None
            lab.chain.replay(row)
        world = lab.chain.head
    assert paid == [(0, 268_000), (268, 0)]


@given(
    st.integers(1, 10**6),
    st.integers(0, DAY_SLOTS),
    st.integers(1, 10**6),
    st.integers(100, DAY_SLOTS),
)
def test_new_usage_recovers_over_the_mean_of_the_windows(
    usage: int, gap: int, more: int, window: int
) -> None:
    account = Account(
        b"", net_usage=usage, net_slot=1000, net_window=window * WINDOW_PRECISION
    )
    now = 1000 + gap
    charged = use_net(account, more, now)
    left = recovered_net(account, now).net_usage
    assert abs(charged.net_usage - left - more) <= 1
    if not left:
        assert charged.net_window == DAY_WINDOW
        return
    remaining = (window - gap) * WINDOW_PRECISION
    mean = Fraction(left * remaining + more * DAY_WINDOW, left + more)
    # The total is rounded before it divides.
    slack = 2 + mean / (left + more)
    assert abs(charged.net_window - min(mean, Fraction(DAY_WINDOW))) <= slack
