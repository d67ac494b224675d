"""What holds for every chain, whatever is sent to it."""

import contextlib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.devnet.state.chain import Chain
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.rejections import Refused
from lucidtrond.devnet.state.schedule import next_slot_ms
from lucidtrond.devnet.state.world import World, rows_of, world_of
from lucidtrond.tron.block import EMPTY_ROOT, check_block
from lucidtrond.tron.keys import PrivateKey
from tests.devnet.making import ALICE, BOB, CAROL, FIVE, MANY, NOVA, ONE, Lab

KEYS = (ALICE, BOB, CAROL, NOVA, PrivateKey(b"\x12" * 32))

payments = st.tuples(
    st.just("pay"),
    st.integers(0, len(KEYS) - 1),
    st.integers(0, len(KEYS) - 1),
    st.sampled_from([1, 999_999, 1_000_000, 5_000_000, 10**12, 10**18]),
    st.sampled_from([b"", b"memo"]),
)
steps = st.lists(
    payments | st.tuples(st.just("mine"), st.integers(1, 3), st.integers(0, 40)),
    max_size=25,
)


def play(lab: Lab, plan: list[tuple[object, ...]]) -> None:
    """Follow the plan."""
    for _ in stages(lab, plan):
        pass


def stages(lab: Lab, plan: list[tuple[object, ...]]) -> Iterator[World]:
    """Follow the plan; give the pool's world after each step."""
    lab.mine()  # before it, the pool's transactions would be years old
    for step in plan:
        match step:
            case ("pay", int(owner), int(to), int(amount), bytes(memo)):
                with contextlib.suppress(Refused):
                    lab.send(
                        lab.transfer(KEYS[owner], KEYS[to].address, amount, memo=memo)
                    )
            case ("mine", int(count), int(skip)):
                lab.mine(count, skip=skip)
        yield lab.chain.pending


def wealth(world: World) -> int:
    accounts = world.accounts.values()
    held = sum(
        holder.balance + holder.staked_net + holder.staked_energy for holder in accounts
    )
    return held + world.globals.burned


@settings(max_examples=40, deadline=None)
@given(steps)
def test_no_sun_appears_or_vanishes(plan: list[tuple[object, ...]]) -> None:
    lab = Lab()
    start = wealth(lab.chain.head)
    for world in stages(lab, plan):
        assert wealth(world) == start
    assert wealth(lab.chain.head) == start
    assert wealth(lab.chain.solid) == start


@settings(max_examples=40, deadline=None)
@given(steps)
def test_no_balance_is_ever_negative(plan: list[tuple[object, ...]]) -> None:
    lab = Lab()
    for world in stages(lab, plan):
        for key in KEYS:
            account = world.accounts.get(key.address.raw)
            assert account is None or account.balance >= 0


@settings(max_examples=40, deadline=None)
@given(steps)
def test_replaying_the_kept_blocks_gives_the_same_state(
    plan: list[tuple[object, ...]],
) -> None:
    lab = Lab()
    play(lab, plan)
    again = Chain(lab.genesis, lab.archive)
    for number in range(1, lab.chain.head.globals.number + 1):
        row = lab.archive.read(number)
        assert row is not None
        again.replay(row)
    assert rows_of(again.head) == rows_of(lab.chain.head)
    assert rows_of(again.solid) == rows_of(lab.chain.solid)


@settings(max_examples=40, deadline=None)
@given(steps, st.integers(0, 30))
def test_a_start_from_any_solidified_state_gives_the_same_state(
    plan: list[tuple[object, ...]], more: int
) -> None:
    lab = Lab()
    play(lab, plan)
    base = rows_of(lab.chain.solid)
    lab.mine(more)
    again = Chain(lab.genesis, lab.archive)
    again.restore(world_of(base))
    for number in range(base.globals.number + 1, lab.chain.head.globals.number + 1):
        row = lab.archive.read(number)
        assert row is not None
        again.replay(row)
    assert rows_of(again.head) == rows_of(lab.chain.head)


@settings(max_examples=40, deadline=None)
@given(steps)
def test_the_solidified_number_never_goes_back_and_never_passes_the_head(
    plan: list[tuple[object, ...]],
) -> None:
    lab = Lab()
    before = 0
    for world in stages(lab, plan):
        assert before <= world.globals.solid <= lab.chain.head.globals.number
        before = world.globals.solid


@settings(max_examples=40, deadline=None)
@given(steps)
def test_what_the_pool_promised_is_what_the_block_holds(
    plan: list[tuple[object, ...]],
) -> None:
    lab = Lab()
    play(lab, plan)
    promised = [pooled.receipt for pooled in lab.chain.pool]
    expected = {key: lab.balance(key.address) for key in KEYS}
    lab.mine()
    block = lab.chain.block(lab.chain.head.globals.number)
    assert block is not None
    assert [included.receipt for included in block.transactions] == promised
    assert {key: lab.balance(key.address) for key in KEYS} == expected


@settings(max_examples=30, deadline=None)
@given(steps)
def test_a_transaction_is_in_one_block_at_most(plan: list[tuple[object, ...]]) -> None:
    lab = Lab()
    play(lab, plan)
    lab.mine()
    seen: set[str] = set()
    for number in range(1, lab.chain.head.globals.number + 1):
        row = lab.chain.block(number)
        assert row is not None
        txids = [included.transaction.txid for included in row.transactions]
        assert seen.isdisjoint(txids)
        assert len(set(txids)) == len(txids)
        seen.update(txids)


@settings(max_examples=30, deadline=None)
@given(steps, st.integers(1, 4))
def test_drafts_are_seen_by_nobody_until_they_are_committed(
    plan: list[tuple[object, ...]], drafts: int
) -> None:
    lab = Lab()
    play(lab, plan)
    chain = lab.chain
    waiting = [pooled.candidate.transaction for pooled in chain.pool]
    before = rows_of(chain.head), rows_of(chain.solid), len(waiting)
    for _ in range(drafts):
        slot = next_slot_ms(chain.top.globals)
        lab.archive.append(chain.draft(slot).row)
        assert (rows_of(chain.head), rows_of(chain.solid), len(chain.pool)) == before
        assert chain.block(chain.head.globals.number + 1) is None
        for transaction in waiting:
            located = chain.find(transaction.digest)
            assert located is not None
            assert located.block is None
            with pytest.raises(Refused, match=r"DUP|expired"):
                lab.send(transaction)
    chain.commit()
    assert chain.head.globals.number == before[0].globals.number + drafts
    assert not chain.pool
    for transaction in waiting:
        located = chain.find(transaction.digest)
        assert located is not None
        assert located.block is not None


def check_chain(genesis: Genesis, blocks: int) -> None:
    lab = Lab(genesis)
    for number in range(blocks):
        if number % 7 == 0:
            lab.mine()
            lab.send(lab.transfer(ALICE, BOB.address, 1 + number))
        lab.mine(skip=number % 5 if number % 11 == 0 else 0)
    parent, before = genesis.id, genesis.timestamp
    for number in range(1, lab.chain.head.globals.number + 1):
        row = lab.chain.block(number)
        assert row is not None
        block_id = check_block(row.block)
        header = row.header
        assert header.parent_id == parent
        assert header.timestamp > before
        assert (header.timestamp - genesis.timestamp) % 3000 == 0
        assert header.witness in genesis.schedule
        assert (header.tx_trie_root == EMPTY_ROOT) == (not row.transactions)
        parent, before = block_id, header.timestamp


def test_a_thousand_blocks_check_like_anybodys() -> None:
    check_chain(FIVE, 900)


def test_blocks_of_other_sets_of_witnesses_check_too() -> None:
    check_chain(ONE, 60)
    check_chain(MANY, 60)
