"""What is final on headers that mainnet's producers signed, and on a private chain."""

import time
from collections.abc import Sequence

import pytest
from attrs import evolve

from lucidtrond.chain.finality import Finality, ProducerSet, SignedBlock, needed
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockHeader, BlockId
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.producers import KeyChange, key_changes
from tests import mainnet, recorded
from tests.tron import chainrun

pytestmark = pytest.mark.mainnet

FIRST, LAST = 78_000_000, 78_000_059
THIEF = PrivateKey(b"\x07" * 32)


def headers() -> list[BlockHeader]:
    recordings = mainnet.load("headers.json.gz")["headers"]
    found = [mainnet.make_header(each) for each in recordings]
    return sorted(
        (each for each in found if FIRST <= each.number <= LAST),
        key=lambda header: header.number,
    )


def known() -> dict[Address, Address]:
    return {
        Address(bytes.fromhex(each["witness"])): Address(bytes.fromhex(each["key"]))
        for each in mainnet.load("headers.json.gz")["witness_permissions"]
        if each["network"] == "mainnet"
    }


def begin(keys: dict[Address, Address] | None = None) -> Finality:
    return Finality.begin(
        ProducerSet(27, known() if keys is None else keys),
        "snapshot",
        solid=FIRST - 1,
        solid_id=headers()[0].parent_id,
    )


def follow(finality: Finality, blocks: Sequence[SignedBlock]) -> list[int]:
    """What is final after each block."""
    final = []
    for block in blocks:
        finality.observe(block)
        finality.advance(LAST + 1000)
        final.append(finality.solid)
    return final


def test_real_headers_become_final_as_java_tron_counts() -> None:
    blocks = [SignedBlock.of(each) for each in headers()]
    assert len(blocks) == 60
    permitted = {each.producer for each in blocks if each.producer != each.signer}
    assert (len({each.producer for each in blocks}), len(permitted)) == (27, 7)
    finality = begin()
    final = follow(finality, blocks)
    latest: dict[Address, int] = {}
    for block, solid in zip(blocks, final, strict=True):
        latest[block.producer] = block.number
        newest = sorted([*latest.values(), *[0] * (27 - len(latest))])
        assert solid == max(FIRST - 1, newest[8])
    assert final[-1] == LAST - 18 == FIRST + 41
    assert not finality.unproven


def test_keys_that_are_not_the_producers_count_for_nothing() -> None:
    """7 producers by their own keys instead of their permissions': 20 are left."""
    own = {each: each for each in known()}
    blocks = [SignedBlock.of(each) for each in headers()]
    finality = begin(own)
    assert follow(finality, blocks[:27])[-1] < FIRST + 8
    assert 0 < len(finality.unproven) <= 7
    # Final blocks prove no keys: their ids do not cover their signatures.
    follow(finality, blocks[27:])
    assert FIRST + 8 < finality.solid < LAST - 18
    assert {each.producer: each.key for each in finality.members.values()} == own


def test_keys_change_on_real_headers_by_transactions_alone() -> None:
    """The 7 change to the keys that they sign with, one in each of the first blocks."""
    keys = known()
    other = [producer for producer, key in keys.items() if producer != key]
    finality = begin({each: each for each in keys})
    blocks = []
    for at, header in enumerate(headers()):
        changes: tuple[KeyChange, ...] = ()
        if at < len(other):
            changes = (KeyChange(other[at], keys[other[at]]),)
        blocks.append(SignedBlock.of(header, changes))
    final = follow(finality, blocks)
    assert {each.producer: each.key for each in finality.members.values()} == keys
    assert sum(each.origin == "block" for each in finality.members.values()) == 7
    assert final[-1] == LAST - 18


@pytest.mark.parametrize("real", [0, 18])
def test_a_forged_tail_on_a_real_prefix_is_never_final(real: int) -> None:
    """*real* producers sign the tail with their keys, the others do not."""
    blocks = [SignedBlock.of(each) for each in headers()]
    finality = begin()
    follow(finality, blocks[:40])
    before, prefix = finality.solid, blocks[39].number
    ours = sorted(known())[:real]
    for turn in range(200):
        producer = sorted(known())[turn % 27]
        key = known()[producer] if producer in ours else THIEF.address
        finality.observe(
            SignedBlock(
                finality.head + 1,
                BlockId(f"{turn:064x}"),
                BlockId(f"{turn - 1:064x}") if turn else blocks[39].id,
                producer,
                key,
                (KeyChange(producer, THIEF.address),),
            )
        )
        finality.advance(finality.head)
        assert finality.solid <= prefix
    if real == 0:
        assert finality.solid == before


def test_a_rotation_of_eight_is_followed_and_one_of_nine_stops() -> None:
    """Producers that the set does not know sign in the places of some that it does."""
    for replaced in (8, 9):
        names = sorted(known())
        gone = dict(zip(names[:replaced], range(1, replaced + 1), strict=True))
        finality = begin()
        parent = finality.solid_id
        for turn in range(27 * 5):
            header = headers()[turn % 27]
            block = SignedBlock.of(header)
            if block.producer in gone:
                new = Address(b"\x41" + gone[block.producer].to_bytes(20, "big"))
                block = evolve(block, producer=new, signer=new)
            block = evolve(
                block,
                number=finality.head + 1,
                id=BlockId(f"{turn + 1:064x}"),
                parent_id=parent,
            )
            parent = block.id
            finality.observe(block)
            finality.advance(finality.head)
        if replaced == 8:
            assert finality.solid > finality.head - 27
            assert not set(gone) & set(finality.members)
            joined = [e for e in finality.members.values() if e.origin == "joined"]
            assert (len(joined), len(finality.members)) == (8, 27)
        else:
            assert finality.is_blocked
            assert finality.solid == FIRST - 1


def permission_run() -> list[SignedBlock]:
    run = recorded.read_json(recorded.RUNS / "witness-permission.json")
    blocks = [chainrun.make_block(each) for each in run["blocks"]]
    return [SignedBlock.of(each.header, key_changes(each)) for each in blocks]


def own_keys() -> dict[Address, Address]:
    chain = recorded.read_json(recorded.FOLDER / "fixtures" / "chain.json")
    addresses = [
        PrivateKey.from_hex(each["private_key"]).address for each in chain["witnesses"]
    ]
    return {each: each for each in addresses}


@pytest.mark.parametrize("with_changes", [True, False])
def test_a_producer_of_a_real_chain_changes_its_key(*, with_changes: bool) -> None:
    """Without the transaction it counts no more, and the four others are enough."""
    blocks = permission_run()
    if not with_changes:
        blocks = [evolve(each, changes=()) for each in blocks]
    makers = {each.producer for each in blocks}
    keys = {each: key for each, key in own_keys().items() if each in makers}
    assert len(keys) == 5
    finality = Finality.begin(
        ProducerSet(5, keys),
        "pin",
        solid=blocks[0].number - 1,
        solid_id=blocks[0].parent_id,
    )
    final = follow(finality, blocks)
    changed = [each for each in finality.members.values() if each.origin != "pin"]
    if with_changes:
        assert [each.key for each in changed] == [blocks[-4].signer]
        assert changed[0].origin == "block"
        assert final[-1] == blocks[-1].number - needed(5) + 1
    else:
        assert changed == []
        assert finality.unproven == {blocks[-4].producer}
        assert final[-1] == blocks[-1].number - 4


def test_counting_costs_little() -> None:
    """0.3 ms of CPU for a block, its signature included, is what it may add."""
    real = headers()
    best = float("inf")
    for _ in range(5):
        finality = begin()
        began = time.process_time()
        follow(finality, [SignedBlock.of(each) for each in real])
        best = min(best, (time.process_time() - began) / len(real))
    assert best < 0.0003, f"{best * 1000:.3f} ms for a block"
