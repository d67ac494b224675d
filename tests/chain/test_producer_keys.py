"""The follower learns producers' keys, keeps them, drops those of reverted blocks."""

import json
from collections.abc import Sequence
from typing import Any

import attrs
import msgspec
import pytest
import trio
import trio.testing
from attrs import define
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.chain.plan import Unsettled
from lucidtrond.chain.producers import KeyRow
from lucidtrond.chain.signers import LOOKUPS, SignerCheck
from lucidtrond.errors import NodeLied, NodesDisagree
from lucidtrond.node.cache import CachedNode
from lucidtrond.node.health.agreement import Agreement, KeyReport
from lucidtrond.node.questions import translate, wire
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader, BlockId
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.transaction import Transaction
from tests import mainnet
from tests.chain.model import ModelChain, make_block, producer_key
from tests.chain.world import World, world
from tests.node.nodes import Json, RecordedNode, open_nodes
from tests.tron.test_producers import UPDATE, transaction
from tests.tron.vectors import DATA

PRODUCER = producer_key(0).address
STRANGER = producer_key(99)


def update(producer: Address, key: Address) -> Transaction:
    asked = pb.AccountPermissionUpdateContract(owner_address=producer.raw)
    asked.witness.keys.add(address=key.raw, weight=1)
    return transaction(UPDATE, asked.SerializeToString())


def grow(
    chain: ModelChain,
    *transactions: Transaction,
    salt: int = 0,
    key: PrivateKey | None = None,
) -> Block:
    block = make_block(chain.blocks[-1].header, transactions, salt=salt, key=key)
    chain.blocks.append(block)
    return block


async def rows(made: World, producer: Address = PRODUCER) -> list[tuple[int, str, str]]:
    key_rows = await made.store.read(
        lambda tx: tx.execute(
            "SELECT from_block, key_address, origin FROM producer_key"
            " WHERE producer = ? ORDER BY from_block",
            (producer.raw,),
        )
    )
    return [(number, Address(key).base58, origin) for number, key, origin in key_rows]


async def test_a_change_in_a_block_counts_from_the_next_block_on() -> None:
    chain, second = ModelChain(), producer_key(50)
    async with world(chain) as made:
        await made.settle()
        grow(chain)
        change = grow(chain, update(PRODUCER, second.address))
        grow(chain, key=second)
        chain.key_at = lambda _, number: (
            second.address if number >= change.header.number else PRODUCER
        )
        await made.settle()
        assert await rows(made) == [
            (1, PRODUCER.base58, "node"),
            (change.header.number + 1, second.address.base58, "block"),
        ]
        # The old key again: one block too late.
        grow(chain)
        await made.turn()
        assert made.ledger.position().head == chain.blocks[-2].header
        [(block_id, reason)] = chain.blamed
        assert block_id == chain.blocks[-1].header.id
        assert second.address.base58 in reason


async def test_rows_survive_a_restart_and_nothing_is_asked_again() -> None:
    chain, second = ModelChain(), producer_key(50)
    async with world(chain) as made:
        await made.settle()
        grow(chain, update(PRODUCER, second.address))
        await made.settle()
        await made.start()
        asked: list[str] = []
        chain.before_answer = asked.append
        grow(chain, key=second)
        await made.settle()
        assert "keys" not in asked


async def test_a_fork_takes_a_change_back_with_its_block() -> None:
    chain, second, third = ModelChain(), producer_key(50), producer_key(51)
    async with world(chain) as made:
        await made.settle()
        grow(chain)
        await made.settle()
        grow(chain, update(PRODUCER, second.address))
        grow(chain, key=second)
        await made.settle()
        chain.fork(2)
        # On the other branch it kept its key for a block, then chose another one.
        grow(chain, salt=5)
        grow(chain, update(PRODUCER, third.address), salt=5)
        grow(chain, salt=5, key=third)
        await made.settle()
        assert await rows(made) == [
            (1, PRODUCER.base58, "node"),
            (4, third.address.base58, "block"),
        ]
        assert not chain.blamed


moves = st.lists(
    st.one_of(
        st.tuples(st.just("grow"), st.integers(0, 4)),
        st.tuples(st.just("change"), st.integers(0, 4)),
        st.tuples(st.just("fork"), st.integers(1, 6)),
        st.tuples(st.just("solidify"), st.integers(0, 4)),
        st.tuples(st.just("turn"), st.just(1)),
        st.tuples(st.just("restart"), st.just(1)),
    ),
    max_size=30,
)


class Keyed:
    """A chain whose producers change their keys, now and then, on each branch."""

    def __init__(self) -> None:
        self.chain = ModelChain(key_at=self.key_at)
        self.keys: list[dict[int, int]] = [{}]
        """After each block: which key each producer signs with, its own unless told."""

    def grow(self, producer: int, *, salt: int, change: int | None = None) -> None:
        now = self.keys[-1]
        key = producer_key(now.get(producer, producer))
        after = dict(now)
        inside: list[Transaction] = []
        if change is not None:
            after[producer] = change
            named = producer_key(change).address
            inside = [update(producer_key(producer).address, named)]
        grow(self.chain, *inside, salt=producer + 5 * salt, key=key)
        self.keys.append(after)

    def fork(self, depth: int) -> int:
        taken = len(self.chain.fork(depth))
        del self.keys[len(self.chain.blocks) :]
        return taken

    def key_at(self, producer: Address, number: int) -> Address:
        """What the producer's account says after that block."""
        for number_of, key in self.keys[number].items():
            if producer_key(number_of).address == producer:
                return producer_key(key).address
        return producer

    def play(self, kind: str, size: int, *, salt: int) -> None:
        """One move of a script."""
        match kind:
            case "grow":
                self.grow(size, salt=salt)
            case "change":
                self.grow(size, salt=salt, change=100 + salt)
            case "fork":
                for n in range(self.fork(size) + 1):
                    self.grow((size + n) % 5, salt=salt)
            case "solidify":
                self.chain.solidify(self.chain.head - size)


@settings(max_examples=60, deadline=None)
@given(moves)
def test_whatever_forks_and_changes_every_honest_block_is_taken(
    script: list[tuple[str, int]],
) -> None:
    async def main() -> None:
        made_by = Keyed()
        chain = made_by.chain
        async with world(chain) as made:
            await made.settle()
            for at, (kind, size) in enumerate(script, 1):
                made_by.play(kind, size, salt=at)
                if kind == "turn":
                    await made.turn()
                if kind == "restart":
                    await made.start()
            await made.settle()
            assert chain.blamed == []
            for producer, key in made_by.keys[-1].items():
                stored = await rows(made, producer_key(producer).address)
                if stored and stored[-1][2] == "block":
                    assert stored[-1][1] == producer_key(key).address.base58

    trio.run(main)


class Reporting:
    """A source of keys with as many endpoints as it has reports."""

    def __init__(self, *reports: KeyReport) -> None:
        self.reports = reports
        self.asked = 0
        self.agreeing: tuple[str, ...] = ()
        self.blamed: list[str] = []

    async def report_keys(
        self,
        producer: Address,  # noqa: ARG002 - the Protocol's
        *,
        expected: Address,  # noqa: ARG002 - the Protocol's
    ) -> Sequence[KeyReport]:
        self.asked += 1
        return self.reports

    async def confirm_solid(self, number: int, block_id: BlockId) -> Agreement:
        return Agreement(number, block_id, 2, agreeing=self.agreeing)

    def note_lie(self, block_id: BlockId, reason: str) -> NodeLied:  # noqa: ARG002
        self.blamed.append(reason)
        return NodeLied("one", reason)


async def test_endpoints_that_disagree_stop_us_and_blame_nobody() -> None:
    node = Reporting(
        KeyReport("one", PRODUCER, 10, solid=PRODUCER, solid_number=1),
        KeyReport("two", STRANGER.address, 10, solid=STRANGER.address, solid_number=1),
    )
    header = attrs.evolve(make_block(make_block(None).header).header, number=5)
    signature = producer_key(0).sign(header.digest)
    header = attrs.evolve(header, witness_signature=signature)
    with pytest.raises(NodesDisagree, match="confirmed only by one"):
        await SignerCheck(node).check([Block(header, ())])
    assert node.blamed == []


async def test_an_old_key_of_a_block_counts_when_two_endpoints_have_it_as_final() -> (
    None
):
    today = STRANGER.address
    node = Reporting(
        KeyReport("one", today, 900, solid=today, solid_number=880),
        KeyReport("two", today, 900, solid=today, solid_number=880),
    )
    block = make_block(make_block(None).header, key=producer_key(50))
    with pytest.raises(NodeLied):
        await SignerCheck(node).check([block])
    node.agreeing = ("one", "two")
    table = await SignerCheck(node).check([block])
    row = table.at(PRODUCER, 1)
    assert row == KeyRow(PRODUCER, producer_key(50).address, 1, "two nodes")


async def test_lookups_are_bounded_by_the_minute(
    autojump_clock: trio.testing.MockClock,
) -> None:
    node = Reporting(
        KeyReport("one", STRANGER.address, 900, STRANGER.address, solid_number=0)
    )
    signers = SignerCheck(node)
    block = make_block(make_block(None).header)
    for _ in range(2 * LOOKUPS):
        with pytest.raises((NodeLied, Unsettled)):
            await signers.check([block])
    assert node.asked == LOOKUPS
    autojump_clock.jump(61)
    with pytest.raises(NodeLied):
        await signers.check([block])
    assert node.asked == LOOKUPS + 1


async def test_a_page_that_is_read_again_asks_for_nothing_twice(
    autojump_clock: trio.testing.MockClock,
) -> None:
    node = Reporting(KeyReport("one", PRODUCER, 900))
    signers = SignerCheck(node)
    block = make_block(make_block(None).header)
    for _ in range(5):
        await signers.check([block])
    assert node.asked == 1
    autojump_clock.jump(61)
    await signers.check([block])
    assert node.asked == 2


async def test_a_header_without_a_producer_or_a_signature_is_refused() -> None:
    node = Reporting(KeyReport("one", PRODUCER, 900))
    header = make_block(make_block(None).header).header
    for changed in (
        attrs.evolve(header, witness=b"A new system"),
        attrs.evolve(header, witness_signature=b""),
    ):
        with pytest.raises(NodeLied):
            await SignerCheck(node).check([Block(changed, ())])
    assert node.asked == 0


async def test_where_the_chain_names_its_producers_nobody_is_asked() -> None:
    node = Reporting(KeyReport("one", error="no answer"))
    signers = SignerCheck(node, producers={PRODUCER: producer_key(50).address})
    signers.load([])
    parent = make_block(None).header
    await signers.check([make_block(parent, key=producer_key(50))])
    assert node.asked == 0
    for other in (make_block(parent), make_block(parent, salt=1)):
        with pytest.raises((NodeLied, Unsettled)):
            await signers.check([other])


async def test_a_block_that_does_not_prove_its_transactions_changes_no_key() -> None:
    second = producer_key(50)
    change = make_block(make_block(None).header, [update(PRODUCER, second.address)])
    node = Reporting(KeyReport("one", PRODUCER, 10))
    proven = await SignerCheck(node).check([change])
    assert [row.origin for row in proven.rows()] == ["node", "block"]
    unproven = attrs.evolve(change, root_proven=False)
    table = await SignerCheck(node).check([unproven])
    assert [row.origin for row in table.rows()] == ["node"]


def printed_producers() -> list[dict[str, Any]]:
    headers: list[dict[str, Any]] = json.loads((DATA / "producers.json").read_text())[
        "headers"
    ]
    return headers


@define(eq=False)
class Mainnet(RecordedNode):
    """Answers for the accounts of mainnet's producers, as a node prints them."""

    def _getaccount(self, _top: int, question: Json) -> Json:
        address = question["address"]
        key = {e["witness_address"]: e["key"] for e in printed_producers()}[address]
        printed: dict[str, Any] = {"address": address, "is_witness": True}
        if key != address:
            printed["witness_permission"] = {
                "type": "Witness",
                "id": 1,
                "permission_name": "witness",
                "threshold": 1,
                "keys": [{"address": key, "weight": 1}],
            }
        return printed


def read(recording: dict[str, Any]) -> BlockHeader:
    printed = mainnet.header_json(recording, recording["id"])
    return translate.read_header(msgspec.convert(printed, wire.BlockJson))


async def test_blocks_of_all_27_producers_of_mainnet_are_taken() -> None:
    """Seven of them sign with the key of a witness permission."""
    headers = [read(printed) for printed in printed_producers()]
    assert len({header.witness for header in headers}) == 27
    assert sum(header.signer().raw != header.witness for header in headers) == 7
    async with open_nodes(Mainnet(), Mainnet()) as pool:
        signers = SignerCheck(CachedNode(pool))
        table = await signers.check(Block(header, ()) for header in headers)
    assert [(row.key, row.origin) for row in table.rows()] == [
        (header.signer(), "two nodes") for header in headers
    ]


async def test_a_stranger_may_sign_for_none_of_them_and_the_endpoint_is_named() -> None:
    for printed in printed_producers():
        header = read(printed)
        forged = attrs.evolve(header, witness_signature=STRANGER.sign(header.digest))
        node = Mainnet(head=890, solid=880)
        async with open_nodes(node) as pool:
            blocks = await pool.fetch_blocks(5, 6)
            assert blocks
            pool.served.note(pool.router.endpoints[0].client, [forged])
            with pytest.raises(NodeLied, match=f"node0.*{header.number} "):
                await SignerCheck(CachedNode(pool)).check([Block(forged, ())])
            assert pool.endpoints()[0]["lies"] == 1
