"""gRPC first, HTTP where it fails: when, for how long, and who learns of it."""

import logging

import pytest
import trio
from attrs import define, field
from trio.testing import MockClock

from lucidtrond.errors import (
    NodeError,
    NodeLied,
    NodeRefused,
    NodeTimeout,
    NodeUnavailable,
    QuotaSpent,
    WrongNetwork,
)
from lucidtrond.node.health.errors import BudgetSpent, NotAsked, SlowDown
from lucidtrond.node.questions.block_source import BlockSource, Page
from lucidtrond.node.questions.preferred_blocks import (
    LONGEST_REST_S,
    REST_S,
    PreferredBlocks,
)
from lucidtrond.node.transport.line import AnswerTooLarge, Lane
from lucidtrond.tron.block import Block, BlockHeader, BlockId
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.transaction import TxId
from tests.node.nodes import block_json
from tests.tron.chainrun import make_block

GENESIS = make_block(block_json(0)).header
BLOCK = make_block(block_json(5))
OTHER = make_block(block_json(1)).header


@define
class Source(BlockSource):
    """Answers with the same block, or fails as it is told."""

    genesis: BlockHeader | None = GENESIS
    error: NodeError | None = None
    asked: list[str] = field(factory=list)

    def _ask(self, name: str, *_about: object) -> None:
        self.asked.append(name)
        if self.error is not None:
            raise self.error

    async def read_header(
        self, number: int | None, *, solid: bool, lane: Lane
    ) -> BlockHeader | None:
        await trio.lowlevel.checkpoint()
        self._ask(f"header {number}" + " solid" * solid, lane)
        return self.genesis if number == 0 else BLOCK.header

    async def read_block(self, which: int | BlockId) -> Block | None:
        await trio.lowlevel.checkpoint()
        self._ask("block", which)
        return BLOCK

    async def read_page(self, start: int, end: int) -> Page:
        await trio.lowlevel.checkpoint()
        self._ask("page", start, end)
        return Page([BLOCK], 1)

    async def read_receipts(self, number: int) -> tuple[Receipt, ...]:
        await trio.lowlevel.checkpoint()
        self._ask("receipts", number)
        return ()

    async def read_receipt(self, txid: TxId, *, solid: bool) -> Receipt | None:
        await trio.lowlevel.checkpoint()
        self._ask("receipt" + " solid" * solid, txid)
        return None


@define
class Two:
    grpc: Source = field(factory=Source)
    http: Source = field(factory=Source)
    grpc_solid: bool = True
    blocks: PreferredBlocks = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.blocks = PreferredBlocks("n", self.grpc, self.http, self.grpc_solid)

    async def ask(self) -> list[str]:
        """Ask for a block; who was asked for it."""
        before = len(self.grpc.asked), len(self.http.asked)
        assert await self.blocks.read_block(5) is BLOCK
        asked = self.grpc.asked[before[0] :], self.http.asked[before[1] :]
        names = zip(("grpc", "http"), asked, strict=True)
        return [name for name, questions in names if "block" in questions]


async def test_each_question_goes_to_grpc() -> None:
    two = Two()
    await two.blocks.read_header(None, solid=False, lane=Lane.QUESTIONS)
    await two.blocks.read_header(7, solid=True, lane=Lane.QUESTIONS)
    await two.blocks.read_block(5)
    await two.blocks.read_page(1, 2)
    await two.blocks.read_receipts(5)
    await two.blocks.read_receipt(TxId("00"), solid=False)
    await two.blocks.read_receipt(TxId("00"), solid=True)
    assert two.http.asked == ["header 0"]
    assert two.grpc.asked == [
        "header 0",
        "header None",
        "header 7 solid",
        "block",
        "page",
        "receipts",
        "receipt",
        "receipt solid",
    ]


async def test_the_solid_state_goes_to_http_where_grpc_has_none() -> None:
    two = Two(grpc_solid=False)
    await two.blocks.read_header(None, solid=True, lane=Lane.QUESTIONS)
    await two.blocks.read_receipt(TxId("00"), solid=True)
    assert two.http.asked == ["header None solid", "receipt solid"]
    assert await two.ask() == ["grpc"]


@pytest.mark.parametrize(
    "error",
    [NodeUnavailable("n", 1, "x"), NodeTimeout("n", 1, "x"), NodeRefused("n", "x")],
)
async def test_who_fails_is_left_out_for_a_while_and_asked_again(
    error: NodeError, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    two = Two()
    assert await two.ask() == ["grpc"]
    two.grpc.error = error
    assert await two.ask() == ["grpc", "http"]
    rest_s = REST_S
    for _ in range(7):
        assert two.blocks.is_failing
        await trio.sleep(rest_s - 1)
        assert await two.ask() == ["http"]
        await trio.sleep(2)
        assert await two.ask() == ["grpc", "http"]
        rest_s = min(rest_s * 2, LONGEST_REST_S)
    assert two.blocks.failures == 8
    two.grpc.error = None
    await trio.sleep(LONGEST_REST_S + 1)
    assert await two.ask() == ["grpc"]
    assert not two.blocks.is_failing
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "gRPC fails, asking by HTTP"),
        ("INFO", "gRPC answers again"),
    ]
    two.grpc.error = error
    await two.ask()
    await trio.sleep(REST_S + 1)
    assert await two.ask() == ["grpc", "http"], "it begins with the shortest again"


async def test_questions_that_fail_together_count_as_one_failure_of_the_rest(
    autojump_clock: MockClock,
) -> None:
    two = Two()
    await two.ask()
    two.grpc.error = NodeUnavailable("n", 1, "x")
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(two.blocks.read_block, 5)
    assert two.blocks.failures == 5
    await trio.sleep(REST_S + 1)
    assert await two.ask() == ["grpc", "http"]


@pytest.mark.parametrize(
    "error",
    [
        NodeLied("n", "x"),
        QuotaSpent("x"),
        BudgetSpent("x"),
        NotAsked("n", 1, "x"),
        SlowDown("n", 1, "x"),
        AnswerTooLarge("n", "x"),
    ],
)
async def test_after_some_errors_http_is_not_asked(error: NodeError) -> None:
    two = Two()
    await two.ask()
    two.grpc.error = error
    with pytest.raises(type(error)):
        await two.ask()
    assert two.http.asked == ["header 0"]
    assert two.blocks.failures == 0
    two.grpc.error = None
    assert await two.ask() == ["grpc"]


async def test_what_http_answers_in_its_place_may_be_an_error_of_its_own() -> None:
    two = Two()
    await two.ask()
    two.grpc.error = NodeUnavailable("n", 1, "by gRPC")
    two.http.error = NodeUnavailable("n", 1, "by HTTP")
    with pytest.raises(NodeUnavailable, match="by HTTP"):
        await two.ask()


async def genesis(two: Two) -> BlockHeader | None:
    return await two.blocks.read_header(0, solid=False, lane=Lane.URGENT)


async def test_the_network_is_that_of_both() -> None:
    two = Two()
    assert await genesis(two) == GENESIS
    assert await two.ask() == ["grpc"]
    assert two.grpc.asked == ["header 0", "block"]
    assert two.http.asked == ["header 0"]


async def test_an_endpoint_whose_grpc_is_elsewhere_is_on_that_network(
    caplog: pytest.LogCaptureFixture,
) -> None:
    two = Two(grpc=Source(genesis=OTHER))
    assert await genesis(two) == OTHER
    assert "grpc_url is on another network" in caplog.text


async def test_grpc_that_is_elsewhere_is_found_out_when_it_is_there_at_last(
    autojump_clock: MockClock,
) -> None:
    down = NodeUnavailable("n", 1, "x")
    two = Two(grpc=Source(genesis=OTHER, error=down))
    assert await genesis(two) == GENESIS
    assert await two.ask() == ["http"]
    two.grpc.error = None
    await trio.sleep(REST_S + 1)
    with pytest.raises(WrongNetwork, match=r"grpc_url.*genesis") as caught:
        await two.ask()
    assert caught.value.received == OTHER.id
    assert "block" not in two.grpc.asked


async def test_grpc_without_a_block_0_is_not_believed() -> None:
    two = Two(grpc=Source(genesis=None))
    assert await genesis(two) == GENESIS
    assert await two.ask() == ["http"]
    assert two.blocks.failures == 1
    empty = Two(http=Source(genesis=None))
    assert await genesis(empty) is None
    assert empty.grpc.asked == []


async def test_at_a_lie_about_block_0_http_is_not_asked_instead() -> None:
    two = Two(grpc=Source(error=NodeLied("n", "x")))
    with pytest.raises(NodeLied):
        await genesis(two)
    with pytest.raises(NodeLied):
        await two.ask()
