"""What transactions cost; figures are those that java-tron 4.8.0 gave."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.devnet.state.account import Account
from lucidtrond.devnet.state.bandwidth import (
    DAY_SLOTS,
    DAY_WINDOW,
    recovered,
    recovered_net,
)
from lucidtrond.devnet.state.blocks import ReceiptRow
from lucidtrond.devnet.state.refused import Refused
from lucidtrond.tron.keys import PrivateKey
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
    return [each.receipt for each in row.transactions]


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.mine(3)
    return lab


def test_two_transfers_are_free_and_the_third_burns(lab: Lab) -> None:
    now = UnixMillis(lab.chain.head.globals.timestamp)
    found = []
    for amount in (1000, 1001, 1002):
        lab.send(lab.transfer(ALICE, BOB.address, amount, timestamp=now))
        found += receipts(lab)
    assert found == [
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
