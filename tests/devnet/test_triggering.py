"""Calls of the token on a chain: who pays, what stays of a failure, what comes back."""

from typing import Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lucidtrond.devnet.funding import token_balance
from lucidtrond.devnet.log import BlockLog
from lucidtrond.devnet.state.account import Account
from lucidtrond.devnet.state.blocks import CallRow, ReceiptRow, TransactionRow
from lucidtrond.devnet.state.chain import Chain, ChainBroken
from lucidtrond.devnet.state.genesis import format_genesis
from lucidtrond.devnet.state.rejections import Refused
from lucidtrond.devnet.state.token_run import revert_data
from lucidtrond.devnet.state.triggering import Call, call_constant
from lucidtrond.devnet.state.world import World, WorldRows, rows_of, world_of
from lucidtrond.tron import abi
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import Trigger
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.transaction import RawData, Reference, Transaction
from lucidtrond.tron.units import Sun, UnixMillis
from tests.devnet.making import ALICE, BOB, CAROL, FIVE, NOVA, WHALE, Lab, sign

SUPPLY: Final = 10**12
SEND: Final = "transfer(address,uint256)"
APPROVE: Final = "approve(address,uint256)"
SPEND: Final = "transferFrom(address,address,uint256)"
RESULTS: Final = pb.Transaction.Result.contractResult
PEOPLE: Final = (WHALE, ALICE, BOB, CAROL)
SLOT_KEYS: Final = 21  # bytes of an address before a slot's own name


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.mine(3)
    return lab


def token_of(lab: Lab) -> Address:
    (token,) = lab.chain.head.contracts.values()
    return Address(token.address)


def held(lab: Lab, key: PrivateKey) -> int:
    return token_balance(lab.chain, token_of(lab), key.address)


def outcome(lab: Lab, transaction: Transaction) -> tuple[TransactionRow, CallRow]:
    lab.send(transaction)
    lab.mine()
    located = lab.chain.find(transaction.digest)
    assert located is not None
    assert located.block is not None
    call = located.transaction.receipt.call
    assert call is not None
    return located.transaction, call


def refused(lab: Lab, transaction: Transaction) -> str:
    with pytest.raises(Refused) as caught:
        lab.send(transaction)
    assert caught.value.code == "CONTRACT_VALIDATE_ERROR"
    return caught.value.text.removeprefix("Contract validate error : ")


def sun(world: World) -> int:
    accounts = world.accounts.values()
    held = sum(
        holder.balance + holder.staked_net + holder.staked_energy for holder in accounts
    )
    return held + world.globals.burned


def slots(world: World) -> dict[bytes, bytes]:
    return {key: value for key, value in world.slots.items() if value}


def balance_slots(world: World) -> int:
    return sum(
        int.from_bytes(value, "big")
        for key, value in world.slots.items()
        if key[SLOT_KEYS:].startswith(b"b")
    )


people = st.sampled_from(PEOPLE)
amounts = st.integers(0, 5) | st.integers(0, 2 * SUPPLY) | st.just(2**256 - 1)
limits = st.sampled_from([0, 99, 150_000, 1_300_000, 100_000_000])
calls = st.one_of(
    st.tuples(st.just(SEND), people, people, amounts),
    st.tuples(st.just(APPROVE), people, people, amounts),
    st.tuples(st.just(SPEND), people, people, people, amounts),
    st.tuples(st.just("setBlacklisted(address,bool)"), people, people, st.booleans()),
)
plans = st.lists(st.tuples(calls, limits, st.booleans()), max_size=12)


def play(lab: Lab, plan: list[tuple[tuple[object, ...], int, bool]]) -> None:
    """Call by call; a block after some of them."""
    for (signature, key, *values), limit, block in plan:
        assert isinstance(signature, str)
        assert isinstance(key, PrivateKey)
        named = [v.address if isinstance(v, PrivateKey) else v for v in values]
        lab.send(lab.call(key, signature, *named, fee_limit=limit))
        if block:
            lab.mine()
    lab.mine()


@settings(max_examples=30, deadline=None)
@given(plans)
def test_neither_tokens_nor_trx_appear_or_vanish(
    plan: list[tuple[tuple[object, ...], int, bool]],
) -> None:
    lab = Lab()
    lab.mine(3)
    start = sun(lab.chain.head)
    play(lab, plan)
    for world in (lab.chain.head, lab.chain.solid, lab.chain.pending):
        assert balance_slots(world) == SUPPLY
        assert sun(world) == start


@settings(max_examples=20, deadline=None)
@given(plans, st.sampled_from([None, 4, 9]))
def test_a_reopened_chain_has_the_same_slots_and_receipts(
    tmp_path_factory: pytest.TempPathFactory,
    plan: list[tuple[tuple[object, ...], int, bool]],
    checkpoint_at: int | None,
) -> None:
    directory = tmp_path_factory.mktemp("chain")
    definition = format_genesis(FIVE)
    with BlockLog.open(directory, definition, durable=False) as blocks:
        assert list(blocks.replay()) == []
        lab = Lab(FIVE, blocks)
        lab.mine(3)
        play(lab, plan)
        if checkpoint_at is not None:
            lab.mine(checkpoint_at)
            blocks.store_checkpoint(blocks.checkpoint(rows_of(lab.chain.solid)))
            play(lab, plan)
    with BlockLog.open(directory, definition, durable=False) as blocks:
        again = Chain(FIVE, blocks)
        if blocks.base is not None:
            again.restore(world_of(blocks.base))
        for row in blocks.replay():
            again.replay(row)
        assert slots(again.head) == slots(lab.chain.head)
        assert slots(again.solid) == slots(lab.chain.solid)
        assert rows_of(again.head) == rows_of(lab.chain.head)


@settings(max_examples=30, deadline=None)
@given(calls, limits)
def test_a_failed_call_changes_nothing_but_its_callers_trx(
    call: tuple[object, ...], limit: int
) -> None:
    lab = Lab()
    lab.mine(3)
    before = lab.chain.pending
    slots_before, burned = slots(before), before.globals.burned
    accounts = {holder.address: holder for holder in before.accounts.values()}
    play(lab, [(call, limit, False)])
    row = present_row(lab)
    made = row.receipt.call
    assert made is not None
    failed = RESULTS.Name(made.result) != "SUCCESS"
    assert failed == (not made.logs)
    if not failed:
        return
    assert made.logs == ()
    assert row.contract_ret == made.result
    changed = {
        holder.address
        for holder in lab.chain.head.accounts.values()
        if holder != accounts[holder.address]
    }
    caller = call[1]
    assert isinstance(caller, PrivateKey)
    assert changed == {caller.address.raw}
    assert slots(lab.chain.head) == slots_before
    assert lab.chain.head.globals.burned == burned + row.receipt.fee
    assert row.receipt.fee == made.energy_fee + row.receipt.net_fee


def present_row(lab: Lab) -> TransactionRow:
    block = lab.chain.block(lab.chain.head.globals.number)
    assert block is not None
    (row,) = block.transactions
    return row


def test_a_transfer_burns_its_energy_and_logs_what_it_did(lab: Lab) -> None:
    lab.send(lab.call(WHALE, SEND, ALICE.address, 9))
    lab.mine()
    before = lab.balance(ALICE.address)
    row, call = outcome(lab, lab.call(ALICE, SEND, BOB.address, 5))
    assert (call.energy_total, call.energy_fee) == (28_297, 2_829_700)
    assert RESULTS.Name(call.result) == "SUCCESS"
    assert row.contract_ret == call.result
    assert before - lab.balance(ALICE.address) == row.receipt.fee == 2_829_700
    (log,) = call.logs
    assert log.address == token_of(lab).raw
    assert log.topics[0] == abi.topic("Transfer(address,address,uint256)")
    assert (held(lab, ALICE), held(lab, BOB)) == (4, 5)


def test_stake_pays_before_sun_is_burned(lab: Lab) -> None:
    before = lab.balance(WHALE.address)
    row, call = outcome(lab, lab.call(WHALE, SEND, ALICE.address, 5))
    assert (call.energy_total, call.energy_usage, call.energy_fee) == (
        28_297,
        28_297,
        0,
    )
    assert lab.balance(WHALE.address) == before
    assert row.receipt.fee == 0
    assert (held(lab, WHALE), held(lab, ALICE)) == (SUPPLY - 5, 5)


def test_a_revert_is_in_a_block_and_costs_what_it_used(lab: Lab) -> None:
    row, call = outcome(lab, lab.call(ALICE, SEND, BOB.address, 5))
    assert row.contract_ret == RESULTS.Value("REVERT")
    assert (call.energy_total, row.receipt.fee) == (998, 99_800)
    assert call.returned == revert_data("InteropToken: insufficient balance")
    assert call.message == "REVERT opcode executed"


def test_a_revert_takes_back_what_came_before_it(lab: Lab) -> None:
    lab.send(lab.call(ALICE, APPROVE, BOB.address, 5))
    lab.mine()
    before = slots(lab.chain.head)
    # The allowance is written before the balance is looked at.
    _, call = outcome(lab, lab.call(BOB, SPEND, ALICE.address, CAROL.address, 5))
    assert call.returned == revert_data("InteropToken: insufficient balance")
    assert slots(lab.chain.head) == before


def test_a_fee_limit_that_is_too_low_is_burned_whole(lab: Lab) -> None:
    lab.send(lab.call(WHALE, SEND, ALICE.address, 9))
    lab.mine()
    made = lab.call(ALICE, SEND, BOB.address, 5, fee_limit=1_000_000)
    row, call = outcome(lab, made)
    assert row.contract_ret == RESULTS.Value("OUT_OF_ENERGY")
    assert (call.energy_total, call.energy_fee) == (10_000, 1_000_000)
    assert call.message == (
        "Not enough energy for 'SSTORE' operation executing:"
        " curInvokeEnergyLimit[10000], curOpEnergy[20000], usedEnergy[6347]"
    )
    assert (call.returned, held(lab, BOB)) == (b"", 0)


def test_who_can_not_pay_for_energy_runs_out_of_it(lab: Lab) -> None:
    lab.send(lab.transfer(ALICE, NOVA.address, 50_099))
    lab.send(lab.call(WHALE, SEND, NOVA.address, 5))
    lab.mine()
    _, call = outcome(lab, lab.call(NOVA, SEND, BOB.address, 5))
    assert RESULTS.Name(call.result) == "OUT_OF_ENERGY"
    assert (call.energy_total, call.energy_fee) == (500, 50_000)
    assert (lab.balance(NOVA.address), held(lab, NOVA)) == (99, 5)


def test_sent_trx_comes_back_with_the_revert(lab: Lab) -> None:
    before = lab.balance(ALICE.address)
    row, call = outcome(lab, lab.call(ALICE, SEND, BOB.address, 0, value=7))
    assert RESULTS.Name(call.result) == "REVERT"
    assert (call.energy_total, call.returned) == (45, b"")
    assert before - lab.balance(ALICE.address) == row.receipt.fee
    assert lab.balance(token_of(lab)) == 0


def trigger(lab: Lab, contract: Trigger, *, fee_limit: int = 0) -> Transaction:
    properties = lab.chain.head.globals
    raw = RawData(
        contract,
        Reference.to_block(properties.block_id.hex()),
        expiration=UnixMillis(properties.timestamp + 60_000),
        timestamp=UnixMillis(properties.timestamp),
        fee_limit=Sun(fee_limit),
    )
    return sign(raw, ALICE)


@pytest.mark.parametrize(
    ("changes", "fee_limit", "complaint"),
    [
        ({"contract": BOB.address}, 0, "No contract or not a smart contract"),
        ({"contract": NOVA.address}, -1, "No contract or not a smart contract"),
        ({"call_value": Sun(-1)}, -1, "callValue must be >= 0"),
        ({"call_token_value": -1}, 0, "tokenValue must be >= 0"),
        ({"token_id": 1_000_000}, -1, "tokenId must be > 1000000"),
        (
            {"call_token_value": 3},
            0,
            "invalid arguments with tokenValue = 3, tokenId = 0",
        ),
        (
            {"call_value": Sun(2**62)},
            15_000_000_001,
            "feeLimit must be >= 0 and <= 15000000000",
        ),
        ({}, -1, "feeLimit must be >= 0 and <= 15000000000"),
        (
            {"call_value": Sun(10**12)},
            1,
            "Validate InternalTransfer error, balance is not sufficient.",
        ),
        (
            {"call_token_value": 1, "token_id": 1_000_001},
            0,
            "this devnet's contracts take no TRC-10 tokens",
        ),
    ],
)
def test_a_call_is_refused_in_the_nodes_order(
    lab: Lab, changes: dict[str, object], fee_limit: int, complaint: str
) -> None:
    lab.send(lab.transfer(ALICE, BOB.address, 5))  # ALICE has less than 10**12 now
    asked = msgspec.structs.replace(Trigger(ALICE.address, token_of(lab)), **changes)
    assert refused(lab, trigger(lab, asked, fee_limit=fee_limit)) == complaint


def test_trx_can_not_be_sent_to_the_token(lab: Lab) -> None:
    sent = lab.transfer(ALICE, token_of(lab), 10**18)
    assert refused(lab, sent) == "Cannot transfer TRX to a smartContract."


def test_a_constant_call_sees_the_pool_and_changes_nothing(lab: Lab) -> None:
    lab.send(lab.call(WHALE, SEND, ALICE.address, 5))
    assert (held(lab, ALICE), balance_slots(lab.chain.head)) == (5, SUPPLY)
    before = slots(lab.chain.pending)
    data = abi.encode_call(SEND, (BOB.address, 5))
    tried = Call(ALICE.address.raw, contract=token_of(lab).raw, data=data)
    result = call_constant(lab.chain.pending, tried)
    assert (result.result, len(result.logs)) == ("SUCCESS", 1)
    assert slots(lab.chain.pending) == before


def test_what_falls_out_of_the_pool_takes_its_slots_along(lab: Lab) -> None:
    (token,) = lab.chain.head.contracts.values()
    made = lab.call(WHALE, SEND, ALICE.address, 5)
    lab.send(made)
    lab.send(lab.call(ALICE, SEND, BOB.address, 3))
    assert held(lab, BOB) == 3
    lab.mine(skip=30)  # past both expirations
    assert lab.chain.find(made.digest) is None
    assert (held(lab, ALICE), held(lab, BOB)) == (0, 0)
    assert slots(lab.chain.pending) == slots(FIVE.world())
    assert token.supply == SUPPLY


def test_the_solid_view_follows_later(lab: Lab) -> None:
    outcome(lab, lab.call(WHALE, SEND, ALICE.address, 5))
    assert slots(lab.chain.solid) == slots(FIVE.world())
    lab.mine(8)
    assert slots(lab.chain.solid) == slots(lab.chain.head)


def test_a_kept_call_that_ends_otherwise_breaks_the_chain(lab: Lab) -> None:
    outcome(lab, lab.call(WHALE, SEND, ALICE.address, 5))
    again = Chain(FIVE, lab.archive)
    for number in range(1, lab.chain.head.globals.number):
        row = lab.archive.read(number)
        assert row is not None
        again.replay(row)
    last = lab.archive.read(lab.chain.head.globals.number)
    assert last is not None
    (paid,) = last.transactions
    forged = replace(paid, receipt=ReceiptRow(net_usage=paid.receipt.net_usage))
    with pytest.raises(ChainBroken, match="receipt"):
        again.replay(replace(last, transactions=(forged,)))
    again.replay(last)


def test_a_checkpoint_from_before_contracts_is_still_read() -> None:
    world = FIVE.world()
    rows = rows_of(world)
    whole = msgspec.msgpack.encode(rows)
    fields = msgspec.msgpack.decode(whole)
    old = msgspec.msgpack.decode(msgspec.msgpack.encode(fields[:4]), type=WorldRows)
    assert (old.contracts, old.slots) == ((), ())
    assert old.accounts == rows.accounts
    assert msgspec.msgpack.decode(whole, type=WorldRows) == rows


def test_the_tokens_account_is_a_contracts(lab: Lab) -> None:
    account = lab.chain.head.accounts.get(token_of(lab).raw)
    assert account == Account(token_of(lab).raw, name=b"InteropToken")
