"""Blocks on disk: nothing that was shown is lost, nothing torn is taken."""

import os
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.devnet.log import BlockLog
from lucidtrond.devnet.state.blocks import BlockRow
from lucidtrond.devnet.state.chain import Chain
from lucidtrond.devnet.state.genesis import format_genesis
from lucidtrond.devnet.state.world import rows_of, world_of
from lucidtrond.devnet.txindex import TxIndex
from lucidtrond.errors import AlreadyRunning, StoreError
from tests.devnet.making import ALICE, BOB, FIVE, NOVA, Lab

DEFINITION = format_genesis(FIVE)


def reopen(directory: Path) -> tuple[Chain, list[BlockRow]]:
    """Start from what is there; give the chain and all its blocks."""
    with BlockLog.open(directory, DEFINITION, durable=False) as blocks:
        chain = Chain(FIVE, blocks)
        if blocks.base is not None:
            chain.restore(world_of(blocks.base))
        for row in blocks.replay():
            chain.replay(row)
        count = chain.head.globals.number
        rows = [blocks.read(number) for number in range(1, count + 1)]
        assert blocks.read(count + 1) is None
        assert blocks.read(0) is None
        return chain, [row for row in rows if row is not None]


def written(directory: Path, count: int, *, checkpoint_at: int | None = None) -> Lab:
    """A chain of *count* blocks, some with transactions, on disk."""
    with BlockLog.open(directory, DEFINITION, durable=False) as blocks:
        assert list(blocks.replay()) == []
        lab = Lab(FIVE, blocks)
        for number in range(1, count + 1):
            if number % 3 == 2:
                lab.send(lab.transfer(ALICE, BOB.address, number))
                lab.send(lab.transfer(ALICE, NOVA.address, number))
            lab.mine()
            if number == checkpoint_at:
                data = blocks.checkpoint(rows_of(lab.chain.solid))
                blocks.store_checkpoint(data)
        return lab


def same(chain: Chain, lab: Lab) -> bool:
    return rows_of(chain.head) == rows_of(lab.chain.head) and rows_of(
        chain.solid
    ) == rows_of(lab.chain.solid)


@pytest.mark.parametrize("checkpoint_at", [None, 1, 7, 29, 30])
def test_a_chain_comes_back_as_it_was(
    tmp_path: Path, checkpoint_at: int | None
) -> None:
    lab = written(tmp_path, 30, checkpoint_at=checkpoint_at)
    for _ in range(2):
        chain, rows = reopen(tmp_path)
        assert same(chain, lab)
        assert [row.number for row in rows] == list(range(1, 31))


def test_transactions_are_found_again_whether_checkpointed_or_not(
    tmp_path: Path,
) -> None:
    written(tmp_path, 30, checkpoint_at=15)
    chain, rows = reopen(tmp_path)
    with BlockLog.open(tmp_path, DEFINITION, durable=False) as blocks:
        list(blocks.replay())
        for row in rows:
            for place, included in enumerate(row.transactions):
                assert blocks.find(included.transaction.digest) == (row.number, place)
        assert blocks.find(bytes(32)) is None
    assert chain.head.globals.number == 30


def test_a_log_cut_anywhere_starts_with_the_whole_blocks_before_the_cut(
    tmp_path: Path,
) -> None:
    source = tmp_path / "whole"
    lab = written(source, 12, checkpoint_at=4)
    size = (source / "chain.log").stat().st_size
    index = (source / "chain.index").read_bytes()
    starts = [
        int.from_bytes(index[at : at + 8], "big") for at in range(0, len(index), 8)
    ]
    kept_at_checkpoint = starts[4]
    for cut in sorted({*range(starts[9] - 3, size, 5), *starts[1:], size - 1}):
        copy = tmp_path / "cut"
        shutil.copytree(source, copy)
        os.truncate(copy / "chain.log", cut)
        chain, rows = reopen(copy)
        whole = sum(1 for start in [*starts[1:], size] if start <= cut)
        assert len(rows) == whole
        assert chain.head.globals.number == whole
        if cut >= kept_at_checkpoint:
            assert (copy / "chain.log").stat().st_size <= cut
        # It goes on from there, and comes back again.
        with BlockLog.open(copy, DEFINITION, durable=False) as blocks:
            chain = Chain(FIVE, blocks)
            if blocks.base is not None:
                chain.restore(world_of(blocks.base))
            for row in blocks.replay():
                chain.replay(row)
            more = Lab(FIVE, blocks)
            more.chain = chain
            more.mine(3)
        again, _ = reopen(copy)
        assert same(again, more)
        shutil.rmtree(copy)
    assert lab.chain.head.globals.number == 12


def test_a_flipped_bit_in_the_last_record_cuts_it_off(tmp_path: Path) -> None:
    written(tmp_path, 6)
    data = bytearray((tmp_path / "chain.log").read_bytes())
    data[-10] ^= 1
    (tmp_path / "chain.log").write_bytes(data)
    _, rows = reopen(tmp_path)
    assert len(rows) == 5


def test_a_flipped_bit_below_a_checkpoint_is_refused_when_it_matters(
    tmp_path: Path,
) -> None:
    written(tmp_path, 12, checkpoint_at=12)
    index = (tmp_path / "chain.index").read_bytes()
    data = bytearray((tmp_path / "chain.log").read_bytes())
    # Block 10 is above the solidified view, so a start reads it.
    data[int.from_bytes(index[72:80], "big") + 20] ^= 1
    (tmp_path / "chain.log").write_bytes(data)
    with pytest.raises(StoreError, match="block 10 is unreadable"):
        reopen(tmp_path)


@pytest.mark.parametrize("spoiled", [b"", b"nonsense", None])
def test_a_spoiled_checkpoint_or_index_is_remade_from_the_log(
    tmp_path: Path, spoiled: bytes | None
) -> None:
    lab = written(tmp_path, 20, checkpoint_at=15)
    if spoiled is None:
        (tmp_path / "chain.index").unlink()
    else:
        (tmp_path / "chain.checkpoint").write_bytes(spoiled)
    chain, rows = reopen(tmp_path)
    assert same(chain, lab)
    assert len(rows) == 20


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    with (
        BlockLog.open(tmp_path, DEFINITION, durable=False),
        pytest.raises(AlreadyRunning),
        BlockLog.open(tmp_path, DEFINITION, durable=False),
    ):
        pass
    reopen(tmp_path)


def test_a_file_that_is_no_chain_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "chain.log").write_bytes(b"something else")
    with (
        pytest.raises(StoreError, match="not a chain"),
        BlockLog.open(tmp_path, DEFINITION, durable=False),
    ):
        pass
    assert (tmp_path / "chain.log").read_bytes() == b"something else"


@pytest.mark.parametrize("size", [0, 5, 30, 500])
def test_a_first_start_that_was_cut_short_begins_again(
    tmp_path: Path, size: int
) -> None:
    with BlockLog.open(tmp_path, DEFINITION, durable=False):
        pass
    os.truncate(tmp_path / "chain.log", size)
    lab = written(tmp_path, 2)
    assert same(reopen(tmp_path)[0], lab)


def test_the_chains_own_definition_is_told_whatever_is_asked_for(
    tmp_path: Path,
) -> None:
    written(tmp_path, 1)
    with BlockLog.open(tmp_path, b"another", durable=False) as blocks:
        assert blocks.definition == DEFINITION


@pytest.fixture
def small_disk() -> Iterator[int]:
    """No file may grow beyond this size."""
    limit = 9_000
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_block_that_does_not_fit_the_disk_leaves_nothing(
    tmp_path: Path, small_disk: int
) -> None:
    with BlockLog.open(tmp_path, DEFINITION, durable=False) as blocks:
        lab = Lab(FIVE, blocks)
        list(blocks.replay())
        with pytest.raises(StoreError, match="File too large"):
            lab.mine(100)
        kept = lab.chain.head.globals.number
        assert 0 < kept < 100
        resource.setrlimit(
            resource.RLIMIT_FSIZE,
            (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_FSIZE)[1]),
        )
        [draft] = lab.chain._drafts
        blocks.append(draft.row)  # the same block, once there is room
        lab.chain.commit()
        lab.mine(5)
    chain, _ = reopen(tmp_path)
    assert chain.head.globals.number == kept + 6
    assert same(chain, lab)


places = st.tuples(
    st.binary(min_size=32, max_size=32),
    st.integers(0, 2**39),
    st.integers(0, 2**24 - 1),
)


@given(st.lists(places, max_size=50))
def test_what_was_indexed_is_found_also_after_a_dump(
    entries: list[tuple[bytes, int, int]],
) -> None:
    index = TxIndex()
    for txid, number, place in entries:
        index.add(txid, number, place)
    for table in (index, TxIndex.load(index.dump())):
        for txid, number, place in entries:
            assert (number, place) in table.find(txid)


@settings(max_examples=50)
@given(st.binary(max_size=40), st.lists(places, max_size=20))
def test_what_is_found_shares_the_key(
    wanted: bytes, entries: list[tuple[bytes, int, int]]
) -> None:
    index = TxIndex()
    for txid, number, place in entries:
        index.add(txid, number, place)
    located = list(index.find(wanted))
    assert located == [
        (number, place)
        for txid, number, place in entries
        if len(wanted) >= 8 and txid[:8] == wanted[:8]
    ]
