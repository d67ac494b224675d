"""A thousand of the devnet's blocks, checked by `lucidtrond.tron` and nothing else."""

from itertools import islice, pairwise
from random import Random

import pytest

from lucidtrond.testing.fixtures import running_devnet
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BadBlock, Block, BlockId, check_block
from lucidtrond.tron.contracts import Transfer, Trigger
from lucidtrond.tron.keys import recover
from lucidtrond.tron.transaction import decode_raw
from tests.daemon.outside import blocks_of
from tests.tron.chainrun import make_block
from tests.tron.test_chain_run import flipped_headers, flipped_transactions

pytestmark = pytest.mark.process

PEOPLE = [Address(b"\x41" + bytes([n]) * 20).base58 for n in range(1, 21)]


@pytest.fixture(scope="module", name="blocks")
def _blocks() -> tuple[list[Block], dict[Address, Address]]:
    """As the chain prints them over HTTP, with whose key signs for each producer."""
    with running_devnet(witnesses=27) as chain:
        [token] = chain.tokens
        for number in range(100):
            chain.fund(PEOPLE[number % 20], 1_000_000 + number)
            chain.fund_token(PEOPLE[number % 7], token["address"], 1 + number)
            chain.mine(10)
        printed = blocks_of(chain)
        keys = chain.control("info")["witness_keys"]
    return [make_block(printed_block) for printed_block in printed], {
        Address.from_base58(witness): Address.from_base58(key)
        for witness, key in keys.items()
    }


def check_by(
    block: Block, keys: dict[Address, Address], *, expected_id: BlockId
) -> None:
    """`check_block`, and by the producer's key."""
    check_block(block, expected_id=expected_id)
    if block.header.signer() != keys.get(Address(block.header.witness)):
        raise BadBlock("not signed by its producer")


def test_a_thousand_blocks_check_and_follow_one_another(
    blocks: tuple[list[Block], dict[Address, Address]],
) -> None:
    chain, keys = blocks
    assert len(chain) >= 1001
    for parent, block in pairwise(chain):
        assert block.header.parent_id == check_block(parent)
        assert block.header.number == parent.header.number + 1
        assert block.header.signer() == keys[Address(block.header.witness)]
    assert {Address(block.header.witness) for block in chain[1:]} == set(keys)
    assert sum(key != witness for witness, key in keys.items()) == 7
    paid = [included.transaction for block in chain for included in block.transactions]
    assert len([transaction for transaction in paid if transaction.signatures]) == 200
    for transaction in paid:
        for signature in transaction.signatures:
            contract = decode_raw(transaction.raw).contract
            assert isinstance(contract, Transfer | Trigger)
            assert recover(transaction.digest, signature) == contract.owner


def test_one_bit_changed_in_any_of_them_is_noticed(
    blocks: tuple[list[Block], dict[Address, Address]],
) -> None:
    random = Random(20261123)
    for block in blocks[0][1:]:
        expected = check_block(block)
        for flips in (flipped_headers, flipped_transactions):
            some = list(islice(flips(block), random.randrange(40), None, 1009))
            for changed in some:
                with pytest.raises(BadBlock):
                    check_by(changed, blocks[1], expected_id=expected)


def test_every_bit_of_one_of_them_counts(
    blocks: tuple[list[Block], dict[Address, Address]],
) -> None:
    block = max(blocks[0][1:], key=lambda block_read: len(block_read.transactions))
    expected = check_block(block)
    count = 0
    for flips in (flipped_headers, flipped_transactions):
        for changed in flips(block):
            with pytest.raises(BadBlock):
                check_by(changed, blocks[1], expected_id=expected)
            count += 1
    assert count > 3000
