"""Simulated calls over several endpoints, of which some simulate none."""

import json

import pytest
import trio
from trio.testing import MockClock

from lucidtrond.errors import CallNotRun, NodeRefused
from lucidtrond.node.health.endpoint_health import UNSUPPORTED_REST_S
from lucidtrond.node.health.errors import SimulationUnsupported
from lucidtrond.node.pool import NodePool
from lucidtrond.rpc.codes import code_of
from lucidtrond.tron.address import Address
from lucidtrond.tron.receipt import ConstantResult
from tests.node.nodes import Json, RecordedNode, always, answer, open_nodes

ASKED = Address(b"\x41" + bytes(20))
PATH = "triggerconstantcontract"


def said(text: str) -> Json:
    refusal = {"code": "CONTRACT_VALIDATE_ERROR", "message": text.encode().hex()}
    return {"result": refusal}


RAN = {"result": {"result": True}, "energy_used": 5, "constant_result": ["06"]}
UNSUPPORTED = said("this node does not support constant")
NO_CONTRACT = said("Smart contract is not exist.")


def node(refusal: Json) -> RecordedNode:
    made = RecordedNode()
    made.fault = always(lambda: answer(json.dumps(refusal)), but=("getblock",))
    return made


async def call(pool: NodePool) -> ConstantResult:
    return await pool.call_constant(owner=ASKED, contract=ASKED, data=b"")


async def test_what_a_node_can_not_simulate_is_asked_of_another(
    autojump_clock: MockClock,
) -> None:
    first, second = node(UNSUPPORTED), node(RAN)
    async with open_nodes(first, second) as pool:
        for _ in range(3):
            assert (await call(pool)).result == b"\x06"
        assert (len(first.questions(PATH)), len(second.questions(PATH))) == (1, 3)
        shown = pool.endpoints()
        assert [status["simulates_calls"] for status in shown] == [False, True]
        # It is well otherwise, and asked first for everything else.
        assert [status["trouble"] for status in shown] == [None, None]
        assert [status["errors"] for status in shown] == [0, 0]
        await trio.sleep(UNSUPPORTED_REST_S + 1)
        await call(pool)
        assert len(first.questions(PATH)) == 2


async def test_where_none_simulates_it_is_an_error_of_the_node() -> None:
    async with open_nodes(node(UNSUPPORTED), node(UNSUPPORTED)) as pool:
        with pytest.raises(SimulationUnsupported, match="supportConstant") as refused:
            await call(pool)
        assert code_of(refused.value) == 201
        assert not isinstance(refused.value, CallNotRun)


@pytest.mark.parametrize("first", [UNSUPPORTED, {"nothing": 1}])
async def test_that_there_is_no_contract_outweighs_that_others_can_not_say(
    first: Json,
) -> None:
    async with open_nodes(node(first), node(NO_CONTRACT)) as pool:
        with pytest.raises(CallNotRun, match="not exist"):
            await call(pool)


async def test_a_silent_endpoint_does_not_delay_another_ones_no() -> None:
    silent = RecordedNode()
    silent.fault = always(lambda: answer("", 503), but=("getblock",))
    async with open_nodes(silent, node(NO_CONTRACT)) as pool:
        with pytest.raises(NodeRefused, match="not exist"):
            await call(pool)
        assert len(silent.questions(PATH)) == 1
