"""What is done where endpoints name different keys of one block producer."""

import hashlib
from collections.abc import Sequence

import attrs
import pytest

from lucidtrond.chain.signers import SignerCheck
from lucidtrond.errors import NodeError, NodeLied, NodesDisagree
from lucidtrond.node.health.agreement import Agreement, KeyReport
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockHeader, BlockId
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.units import UnixMillis

KEY = PrivateKey(bytes(31) + b"\x07")
OTHER = PrivateKey(bytes(31) + b"\x08").address
PRODUCER = PrivateKey(bytes(31) + b"\x09").address
NUMBER = 100


def signed_header() -> BlockHeader:
    header = BlockHeader(
        number=NUMBER,
        timestamp=UnixMillis(1_700_000_000_000),
        parent_id=BlockId(f"{NUMBER - 1:016x}" + 48 * "0"),
        tx_trie_root=bytes(32),
        witness=PRODUCER.raw,
        version=34,
    )
    signature = KEY.sign(hashlib.sha256(header.encode_raw()).digest())
    return attrs.evolve(header, witness_signature=signature)


@attrs.frozen
class Nodes:
    """Endpoints a and b, which name these keys."""

    named: Sequence[Address]

    async def report_keys(
        self, producer: Address, *, expected: Address
    ) -> Sequence[KeyReport]:
        assert (producer, expected) == (PRODUCER, KEY.address)
        return [
            KeyReport(name, key, NUMBER, key, NUMBER - 20)
            for name, key in zip("ab", self.named, strict=True)
        ]

    async def confirm_solid(self, number: int, block_id: BlockId) -> Agreement:
        raise AssertionError(f"asked for history: {number} {block_id}")

    def note_lie(self, block_id: BlockId, reason: str) -> NodeError:
        return NodeLied("a", f"{block_id}: {reason}")


async def test_endpoints_that_name_different_keys_are_said_to_disagree() -> None:
    with pytest.raises(NodesDisagree, match=r"confirmed only by a$"):
        await SignerCheck(Nodes([KEY.address, OTHER])).check_header(signed_header())


async def test_a_signer_that_no_endpoint_names_is_blamed_on_who_gave_the_block() -> (
    None
):
    with pytest.raises(NodeLied, match="not signed by its producer's key"):
        await SignerCheck(Nodes([OTHER, OTHER])).check_header(signed_header())


async def test_a_signer_that_both_name_is_taken() -> None:
    check = SignerCheck(Nodes([KEY.address, KEY.address]))
    await check.check_header(signed_header())
