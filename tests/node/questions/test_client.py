"""Typed questions to a recorded node, and to one that answers wrongly."""

import copy
import json
from collections.abc import Awaitable, Callable

import httpx
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtrond.errors import (
    NodeError,
    NodeLied,
    NodeRefused,
    NodeUnavailable,
    QuotaSpent,
)
from lucidtrond.node.questions.block_source import SMALL_BYTES
from lucidtrond.node.questions.client import NodeClient
from lucidtrond.tron.account import Resources
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.questions import NodeQuestions
from lucidtrond.tron.transaction import Transaction, TxId
from tests.node.nodes import (
    GENESIS_ID,
    LAST,
    Json,
    RecordedNode,
    always,
    answer,
    answering,
    block_json,
    forged,
    infos_json,
    open_client,
    open_nodes,
    places,
    recorded,
    rich,
)
from tests.tron.chainrun import load, make_block

STRANGER = Address(b"A" + b"\x99" * 20)
KNOWN = Address.from_hex(next(a for a, answer in load()["accounts"].items() if answer))
CONTRACT = Address.from_hex(rich()["contract"]["contract_address"])
NUMBER = 300
TXID = TxId(block_json(NUMBER)["transactions"][0]["txID"])
NOBODYS = TxId("99" * 32)
SIGNED = make_block(block_json(NUMBER)).transactions[0].transaction

BUSY = (
    '{"Error":"class java.lang.IllegalAccessException : lack of computing resources"}'
)

Ask = Callable[[NodeClient], Awaitable[object]]
QUESTIONS: dict[str, Ask] = {
    "fetch_head": lambda node: node.fetch_head(),
    "fetch_genesis_id": lambda node: node.fetch_genesis_id(),
    "fetch_block": lambda node: node.fetch_block(NUMBER),
    "fetch_block by id": lambda node: node.fetch_block(
        BlockId(block_json(NUMBER)["blockID"])
    ),
    "fetch_blocks": lambda node: node.fetch_blocks(NUMBER, NUMBER + 3),
    "fetch_transaction": lambda node: node.fetch_transaction(TXID),
    "fetch_receipt": lambda node: node.fetch_receipt(TXID),
    "fetch_receipts": lambda node: node.fetch_receipts(NUMBER),
    "fetch_account": lambda node: node.fetch_account(KNOWN),
    "fetch_resources": lambda node: node.fetch_resources(KNOWN),
    "fetch_parameters": lambda node: node.fetch_parameters(),
    "call_constant": lambda node: node.call_constant(
        owner=KNOWN, contract=CONTRACT, data=b""
    ),
    "fetch_contract": lambda node: node.fetch_contract(CONTRACT),
    "fetch_info": lambda node: node.fetch_info(),
    "broadcast": lambda node: node.broadcast(SIGNED),
}
"""Each question's answer is cut, replaced and altered; a name may say more of how."""
all_questions = pytest.mark.parametrize("name", QUESTIONS)


async def ask(name: str, node: RecordedNode) -> object:
    async with open_client(node) as client:
        await client.fetch_head()  # so that as_of is known: one request per question
        node.asked.clear()
        return await QUESTIONS[name](client)


async def refused(name: str, *answers: httpx.Response) -> NodeError:
    """What a question raises when it gets these answers."""
    node = RecordedNode()
    async with open_client(node) as client:
        await client.fetch_head()
        node.fault = answering(*answers)
        with pytest.raises(NodeError) as caught:
            await QUESTIONS[name](client)
        return caught.value


async def honest(name: str) -> Json:
    """The recorded node's answer to a question."""
    node = RecordedNode()
    await ask(name, node)
    [(path, question)] = node.asked
    return node.answer(path, question)


def test_every_question_has_its_answer_damaged() -> None:
    """A question without a line in `QUESTIONS` is damaged by nobody."""
    damaged = {name.partition(" ")[0] for name in QUESTIONS}
    asked = {name for name in dir(NodeQuestions) if not name.startswith("_")}
    assert asked - damaged == set()


# Right answers


async def test_heads_are_those_of_their_view() -> None:
    node = RecordedNode(head=100, solid=82)
    async with open_client(node) as client:
        assert (await client.fetch_head()).number == 100
        assert (await client.fetch_head(solid=True)).number == 82
        assert (client.head_number, client.solid_number) == (100, 82)
    assert node.asked == [
        ("/wallet/getblock", {"detail": False}),
        ("/walletsolidity/getblock", {"detail": False}),
    ]


async def test_the_genesis_id_is_computed() -> None:
    assert await ask("fetch_genesis_id", RecordedNode()) == GENESIS_ID


@pytest.mark.parametrize("number", [0, 1, NUMBER, LAST])
async def test_a_block_is_found_by_number_and_by_id(number: int) -> None:
    block = make_block(block_json(number))
    async with open_client(RecordedNode()) as client:
        assert await client.fetch_block(number) == block
        assert await client.fetch_block(block.header.id) == block


async def test_what_does_not_exist_is_none() -> None:
    async with open_client(RecordedNode(head=100)) as client:
        assert await client.fetch_block(101) is None
        assert await client.fetch_block(BlockId("00" * 7 + "65" + "11" * 24)) is None
        assert await client.fetch_blocks(101, 151) == []
        assert await client.fetch_transaction(NOBODYS) is None
        assert await client.fetch_receipt(NOBODYS) is None
        assert await client.fetch_receipt(NOBODYS, solid=True) is None
        assert await client.fetch_receipts(101) == ()
        assert await client.fetch_receipts(0) == ()
        account = await client.fetch_account(STRANGER)
        assert (account.value.activated, account.value.balance) == (False, 0)
        assert (await client.fetch_resources(STRANGER)).value == Resources()


async def test_the_whole_chain_comes_in_ranges() -> None:
    async with open_client(RecordedNode()) as client:
        blocks = [
            block
            for start in range(0, LAST + 1, 100)
            for block in await client.fetch_blocks(start, start + 100)
        ]
        assert [block.header.id for block in blocks] == [
            printed["blockID"] for printed in load()["blocks"]
        ]
        assert client.head_number == LAST


async def test_every_transaction_and_receipt_is_found() -> None:
    async with open_client(RecordedNode()) as client:
        for txid, (number, index) in [*places().items()][15::40]:
            block = make_block(block_json(number))
            answer = await client.fetch_transaction(TxId(txid))
            assert answer == block.transactions[index]
            receipts = await client.fetch_receipts(block)
            assert await client.fetch_receipt(TxId(txid)) == receipts[index]


async def test_a_reading_says_what_it_is_as_new_as() -> None:
    node = RecordedNode(head=100, solid=82)
    async with open_client(node) as client:
        assert (await client.fetch_account(KNOWN)).as_of_block == 100
        assert (await client.fetch_account(KNOWN, solid=True)).as_of_block == 82
        assert (await client.fetch_resources(KNOWN)).as_of_block == 100
        assert (await client.fetch_parameters()).as_of_block == 100
        node.head = 110
        assert (await client.fetch_account(KNOWN)).as_of_block == 100
        await client.fetch_blocks(101, 105)
        assert (await client.fetch_account(KNOWN)).as_of_block == 104


async def test_a_node_says_what_it_is() -> None:
    async with open_client(RecordedNode(head=100, solid=82)) as client:
        info = await client.fetch_info()
    assert (info.version, info.head_number, info.solid_number) == ("4.8.0", 100, 82)


async def test_a_broadcast_hands_in_our_bytes() -> None:
    node = RecordedNode()
    fresh = Transaction(SIGNED.raw + b"\x90\x01\x01", SIGNED.signatures)
    async with open_client(node) as client:
        taken = await client.broadcast(fresh)
        duplicate = await client.broadcast(SIGNED)
    assert [question["transaction"] for question in node.questions("broadcasthex")] == [
        fresh.encode().hex(),
        SIGNED.encode().hex(),
    ]
    assert (taken.accepted, taken.txid, taken.endpoint) == (True, fresh.txid, "node")
    assert (duplicate.code, duplicate.message) == (
        "DUP_TRANSACTION_ERROR",
        "Dup transaction.",
    )


# Answers that are none


@all_questions
async def test_an_answer_cut_anywhere_is_never_half_read(name: str) -> None:
    whole = json.dumps(await honest(name)).encode()
    node = RecordedNode()
    async with open_client(node) as client:
        await client.fetch_head()
        step = max(1, len(whole) // 300)
        for end in [*range(0, len(whole), step), len(whole) - 1]:
            node.fault = answering(answer(whole[:end]))
            with pytest.raises(NodeUnavailable):
                await QUESTIONS[name](client)


@all_questions
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"Error":"class java.lang.NullPointerException : null"}', NodeRefused),
        (BUSY, NodeUnavailable),
        ('{"success":false,"error":"bad","statusCode":400}', NodeRefused),
        ("this API is closed because this node is a lite fullnode", NodeRefused),
        ("<html><body>502</body></html>", NodeUnavailable),
        ("", NodeUnavailable),
        ("\n", NodeUnavailable),
        ("null", NodeUnavailable),
        ('"text"', NodeUnavailable),
        ('{"Error":"Exceed the user daily usage"}', QuotaSpent),
        ('{"jsonrpc":"2.0","id":1,"result":null}', NodeError),
        ("[[[[]]]]", NodeError),
        ('{"a":' + "[" * 100_000, NodeError),
    ],
)
async def test_what_is_no_answer_is_never_taken_for_one(
    name: str, body: str, kind: type[NodeError]
) -> None:
    error = await refused(name, answer(body))
    assert isinstance(error, kind)


@pytest.mark.parametrize("name", ["fetch_blocks", "fetch_parameters", "broadcast"])
async def test_nothing_is_not_an_answer_where_there_must_be_one(name: str) -> None:
    await refused(name, answer("{}"))


@pytest.mark.parametrize("name", ["fetch_head", "fetch_genesis_id"])
async def test_a_node_without_a_block_is_no_use(name: str) -> None:
    await refused(name, answer("{}"))


@pytest.mark.parametrize(
    "body",
    [recorded()["broadcasthex_errors"][index] for index in range(2)],
)
async def test_recorded_errors_of_broadcasthex_are_refusals(body: Json) -> None:
    error = await refused("broadcast", answer(json.dumps(body)))
    assert type(error) is NodeRefused
    assert error.reason in body["Error"]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(name=st.sampled_from(sorted(QUESTIONS)), data=st.data())
@settings(max_examples=120)
def test_whatever_stands_in_an_answer_only_our_errors_come_out(
    name: str, data: st.DataObject
) -> None:
    async def main() -> None:
        printed = copy.deepcopy(await honest(name))
        inner, at = printed, None
        while isinstance(inner, dict | list) and inner:
            keys = [*inner] if isinstance(inner, dict) else [*range(len(inner))]
            outer, at = inner, data.draw(st.sampled_from(keys))
            inner = inner[at]
            if data.draw(st.booleans()):
                break
        if at is not None:
            outer[at] = data.draw(json_values)
        node = RecordedNode()
        async with open_client(node) as client:
            await client.fetch_head()
            node.fault = answering(answer(json.dumps(printed)))
            try:
                await QUESTIONS[name](client)
            except NodeError as error:
                assert "\n" not in str(error)  # noqa: PT017 - what matters is the text

    trio.run(main)


@given(st.sampled_from(sorted(QUESTIONS)), st.binary(max_size=60))
def test_any_bytes_end_in_an_answer_or_in_our_errors(name: str, body: bytes) -> None:
    async def main() -> None:
        node = RecordedNode()
        async with open_client(node) as client:
            await client.fetch_head()
            node.fault = answering(answer(body))
            try:
                await QUESTIONS[name](client)
            except NodeError:
                return
            assert body.strip() in (b"{}", b"[]")

    trio.run(main)


# Wrong answers


def edited(printed: Json, change: Callable[[Json], None]) -> httpx.Response:
    whole = copy.deepcopy(printed)
    change(whole)
    return answer(json.dumps(whole))


async def test_another_block_than_the_asked_one_is_a_lie() -> None:
    other = answer(json.dumps(block_json(NUMBER + 1)))
    for name in ("fetch_block", "fetch_block by id", "fetch_genesis_id"):
        assert isinstance(await refused(name, other), NodeLied)


async def test_another_transaction_or_receipt_than_the_asked_one_is_a_lie() -> None:
    transaction = block_json(NUMBER)["transactions"][1]
    error = await refused("fetch_transaction", answer(json.dumps(transaction)))
    assert isinstance(error, NodeLied)
    info = infos_json(NUMBER)[1]
    error = await refused("fetch_receipt", answer(json.dumps(info)))
    assert isinstance(error, NodeLied)


async def test_another_account_than_the_asked_one_is_a_lie() -> None:
    other = load()["accounts"][KNOWN.hex] | {"address": STRANGER.hex}
    error = await refused("fetch_account", answer(json.dumps(other)))
    assert isinstance(error, NodeLied)


async def test_receipts_of_another_block_are_a_lie() -> None:
    other = answer(json.dumps(infos_json(NUMBER + 1)))
    assert isinstance(await refused("fetch_receipts", other), NodeLied)


async def test_given_a_block_its_receipts_must_be_complete() -> None:
    block = make_block(block_json(NUMBER))
    whole = infos_json(NUMBER)
    wrongs: list[Json] = [[], {}, whole[:-1], whole[::-1], [*whole, whole[0]]]
    for wrong in wrongs:
        node = RecordedNode(fault=answering(answer(json.dumps(wrong))))
        async with open_client(node) as client:
            with pytest.raises(NodeLied):
                await client.fetch_receipts(block)
            assert len(await client.fetch_receipts(block)) == len(whole)


async def test_a_txid_that_is_not_ours_is_a_lie() -> None:
    wrong = {"result": True, "code": "SUCCESS", "txid": NOBODYS}
    error = await refused("broadcast", answer(json.dumps(wrong)))
    assert isinstance(error, NodeLied)


@pytest.mark.parametrize(
    "change",
    [
        lambda page: page["block"].reverse(),
        lambda page: page["block"].pop(0),
        lambda page: page["block"].pop(1),
        lambda page: page["block"].insert(1, page["block"][1]),
        lambda page: page["block"].append(block_json(NUMBER + 3)),
        lambda page: page["block"][1].pop("transactions"),
        lambda page: page["block"][1]["transactions"][0].update(raw_data_hex="0a00"),
        lambda page: page["block"][2].update(blockID=page["block"][1]["blockID"]),
    ],
)
async def test_a_range_with_a_fault_is_a_lie(change: Callable[[Json], None]) -> None:
    page = {"block": [block_json(NUMBER + ahead) for ahead in range(3)]}
    error = await refused("fetch_blocks", edited(page, change))
    assert isinstance(error, NodeLied)


async def test_a_block_of_a_range_that_lost_a_transaction_is_unproven() -> None:
    """Its root says no more than that something is missing; JSON does not show all."""
    page = {"block": [block_json(NUMBER + ahead) for ahead in range(3)]}
    whole = answer(json.dumps(page))
    short = edited(page, lambda page: page["block"][1]["transactions"].pop())
    node = RecordedNode(fault=answering(whole, short))
    async with open_client(node) as client:
        blocks = await client.fetch_blocks(NUMBER, NUMBER + 3)
        assert [block.root_proven for block in blocks] == [True, True, True]
        blocks = await client.fetch_blocks(NUMBER, NUMBER + 3)
        assert [block.root_proven for block in blocks] == [True, False, True]


async def test_blocks_of_two_branches_do_not_make_a_range() -> None:
    stem = forged(10, "00" * 32)
    branch, other = forged(11, stem["blockID"]), forged(11, "11" * 32)
    for second, fits in ((branch, True), (other, False)):
        page = answer(json.dumps({"block": [stem, second]}))
        pages = [answer(json.dumps({"block": [block]})) for block in (stem, second)]
        for answers, span in (([page], 100), (pages, 1)):
            async with open_client(RecordedNode(fault=answering(*answers))) as client:
                client._span = span
                if fits:
                    assert len(await client.fetch_blocks(10, 12)) == 2
                    continue
                with pytest.raises(NodeLied, match="does not follow"):
                    await client.fetch_blocks(10, 12)


async def test_a_range_that_is_too_long_to_hold_is_asked_in_parts() -> None:
    node = RecordedNode()
    bound = len(json.dumps({"block": [block_json(n) for n in range(250, 280)]}))
    async with open_client(node, large_bytes=bound) as client:
        blocks = await client.fetch_blocks(250, 350)
        assert [block.header.number for block in blocks] == [*range(250, 350)]
        first = len(node.asked)
        await client.fetch_blocks(250, 350)
        assert len(node.asked) - first < first  # what was learnt is kept
    async with open_client(node, large_bytes=100) as client:
        with pytest.raises(NodeRefused, match="more than 100 bytes"):
            await client.fetch_blocks(250, 350)


async def test_after_small_answers_ranges_grow_again() -> None:
    node = RecordedNode()
    async with open_client(node) as client:
        client._span = 1
        await client.fetch_blocks(1, 101)
        sizes = [
            q["endNum"] - q["startNum"] for q in node.questions("getblockbylimitnext")
        ]
        assert sizes == [1, 2, 4, 8, 16, 32, 37]


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (5, 5), (6, 5), (0, 101)])
async def test_a_range_that_the_node_refuses_is_never_asked(
    start: int, end: int
) -> None:
    async with open_client(RecordedNode(fault=always(lambda: answer("{}")))) as client:
        with pytest.raises(AssertionError):
            await client.fetch_blocks(start, end)


@pytest.mark.parametrize(
    "name",
    [
        "fetch_block",
        "fetch_block by id",
        "fetch_blocks",
        "fetch_transaction",
        "fetch_receipt",
        "fetch_receipts",
    ],
)
async def test_answers_with_blocks_have_a_bound_of_their_own(name: str) -> None:
    async with open_client(RecordedNode(), large_bytes=50) as client:
        with pytest.raises(NodeRefused, match="more than 50 bytes"):
            await QUESTIONS[name](client)
        await client.fetch_account(KNOWN)


@pytest.mark.parametrize(
    "name", ["fetch_account", "fetch_resources", "fetch_parameters", "broadcast"]
)
async def test_answers_without_blocks_are_never_as_long_as_those_with(
    name: str,
) -> None:
    error = await refused(name, answer(b"{" + b" " * SMALL_BYTES + b"}"))
    assert f"more than {SMALL_BYTES} bytes" in str(error)


async def test_a_call_that_can_not_be_run_is_the_calls_fault() -> None:
    node = RecordedNode()
    refusal = {"code": "CONTRACT_VALIDATE_ERROR", "message": b"no contract".hex()}
    node.fault = always(
        lambda: answer(json.dumps({"result": refusal})), but=("getblock",)
    )
    asked = Address(b"\x41" + bytes(20))
    async with open_nodes(node) as pool:
        with pytest.raises(NodeRefused, match="no contract"):
            await pool.call_constant(owner=asked, contract=asked, data=b"")
        [shown] = pool.endpoints()
        assert shown["trouble"] is None
