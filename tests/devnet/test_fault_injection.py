"""Each fault as a plain client meets it."""

import json

import pytest
import trio

from lucidtrond.api.fault_rules import FaultRule
from lucidtrond.devnet.faults import BUSY, LITE
from lucidtrond.tron import trc20
from lucidtrond.tron.address import Address
from lucidtrond.tron.units import Sun
from tests.devnet.asking import NOW, Json, ask, broadcast, chain, payment
from tests.devnet.making import ALICE, BOB


@pytest.mark.parametrize(
    ("rule", "body"),
    [
        ({"fault": "error"}, {"Error": BUSY}),
        ({"fault": "error", "text": "class x : y"}, {"Error": "class x : y"}),
        ({"fault": "empty"}, {}),
        ({"fault": "empty_list"}, []),
    ],
)
async def test_an_answer_with_200_that_is_none(rule: Json, body: Json) -> None:
    async with chain() as devnet:
        devnet.faults.add(FaultRule(count=1, **rule))
        bad = await ask(devnet.url, NOW)
        assert (bad.status, bad.json) == (200, body)
        assert "blockID" in (await ask(devnet.url, NOW)).json


async def test_bare_text_of_a_lite_node() -> None:
    async with chain() as devnet:
        devnet.faults.add(FaultRule(fault="text"))
        assert (await ask(devnet.url, NOW)).body == LITE.encode()


@pytest.mark.parametrize("status", [403, 429, 500, 502, 503])
@pytest.mark.parametrize("after", [None, 7])
async def test_a_status_with_and_without_retry_after(
    status: int, after: int | None
) -> None:
    async with chain() as devnet:
        devnet.faults.add(FaultRule(fault="status", status=status, retry_after_s=after))
        answer = await ask(devnet.url, NOW)
        assert answer.status == status
        assert answer.headers.get("retry-after") == (None if after is None else "7")


async def test_a_reset_is_not_carried_out_and_a_lost_reply_is() -> None:
    async with chain() as devnet:
        for fault, carried_out in (("reset", False), ("lost_reply", True)):
            devnet.faults.add(FaultRule(fault=fault, count=1))  # type: ignore[arg-type] # names of faults
            sent = payment(devnet, 1_000_000 + carried_out)
            answer = await broadcast(devnet, sent)
            assert (answer.broken, answer.body) == (True, b"")
            assert (devnet.chain.find(sent.digest) is not None) == carried_out


async def test_a_cut_body_breaks_and_a_truncated_one_is_whole_http() -> None:
    async with chain() as devnet:
        whole = (await ask(devnet.url, NOW)).body
        devnet.faults.add(FaultRule(fault="cut", count=1))
        cut = await ask(devnet.url, NOW)
        assert cut.broken
        assert whole.startswith(cut.body)
        assert len(cut.body) < int(cut.headers["content-length"])
        devnet.faults.add(FaultRule(fault="truncate", count=1))
        short = await ask(devnet.url, NOW)
        assert not short.broken
        assert len(short.body) == int(short.headers["content-length"])
        with pytest.raises(json.JSONDecodeError):
            _ = short.json


@pytest.mark.process
async def test_a_drip_is_slow_and_a_delay_late_but_both_arrive() -> None:
    async with chain() as devnet:
        whole = (await ask(devnet.url, NOW)).body
        devnet.faults.add(FaultRule(fault="drip", count=1, bytes_per_s=4000))
        began = trio.current_time()
        assert (await ask(devnet.url, NOW)).body == whole
        assert trio.current_time() - began > len(whole) / 4000 / 2
        devnet.faults.add(FaultRule(fault="delay", count=1, delay_s=0.2))
        began = trio.current_time()
        assert (await ask(devnet.url, NOW)).body == whole
        assert trio.current_time() - began >= 0.2


@pytest.mark.process
async def test_a_black_hole_never_answers() -> None:
    async with chain() as devnet:
        devnet.faults.add(FaultRule(fault="black_hole"))
        with trio.move_on_after(0.3) as limit:
            await ask(devnet.url, NOW)
        assert limit.cancelled_caught


async def test_a_dropped_broadcast_is_called_a_success() -> None:
    async with chain() as devnet:
        devnet.faults.add(FaultRule(fault="drop", path="/wallet/broadcast*"))
        sent = payment(devnet)
        answer = (await broadcast(devnet, sent)).json
        assert (answer["result"], answer["txid"]) == (True, sent.txid)
        assert devnet.chain.find(sent.digest) is None


@pytest.mark.parametrize("carried_out", [True, False])
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("SERVER_BUSY", "Server busy."),
        ("BLOCK_UNSOLIDIFIED", "Block unsolidified."),
        ("DUP_TRANSACTION_ERROR", "Dup transaction."),
        ("NOT_ENOUGH_EFFECTIVE_CONNECTION", "P2P broadcast failed."),
        ("TAPOS_ERROR", "Tapos check error."),
    ],
)
async def test_a_broadcast_is_answered_as_told_taken_or_not(
    code: str, message: str, *, carried_out: bool
) -> None:
    async with chain() as devnet:
        rule = FaultRule(
            fault="broadcast", code=code, message=message, carried_out=carried_out
        )
        devnet.faults.add(rule)
        sent = payment(devnet)
        answer = (await broadcast(devnet, sent)).json
        assert (answer["result"], answer["code"]) == (False, code)
        assert (answer["message"], answer["txid"]) == (message, sent.txid)
        assert (devnet.chain.find(sent.digest) is not None) == carried_out


async def test_lies_change_one_thing_and_look_right_otherwise() -> None:
    async with chain() as devnet:
        txid = await devnet.fund(BOB.address, Sun(5_000_000))
        await devnet.mine(1)
        question = {"value": txid}
        true = (await ask(devnet.url, "/wallet/gettransactionbyid", question)).json
        devnet.faults.add(FaultRule(fault="wrong_txid", count=1))
        shown = (await ask(devnet.url, "/wallet/gettransactionbyid", question)).json
        assert shown.pop("txID") != true["txID"]
        assert shown == {key: true[key] for key in shown}
        devnet.faults.add(FaultRule(fault="edit_amount", count=1))
        shown = (await ask(devnet.url, "/wallet/gettransactionbyid", question)).json
        value = shown["raw_data"]["contract"][0]["parameter"]["value"]
        assert value["amount"] == 5_000_001
        assert shown["raw_data_hex"] == true["raw_data_hex"]
        devnet.faults.add(FaultRule(fault="edit_result", count=1))
        shown = (await ask(devnet.url, "/wallet/gettransactionbyid", question)).json
        assert shown.pop("ret") == [{"contractRet": "REVERT"}]
        assert shown == {key: true[key] for key in shown}
        devnet.faults.add(FaultRule(fault="wrong_id", count=1))
        block = (await ask(devnet.url, "/wallet/getblockbynum", {"num": 0})).json
        assert block["blockID"] != devnet.genesis_id
        assert len(block["blockID"]) == 64


async def test_a_receipt_without_its_logs_is_right_otherwise() -> None:
    async with chain() as devnet:
        token = Address.from_base58(devnet.info()["tokens"][0]["address"])
        txid = await devnet.fund_token(BOB.address, token, 5)
        await devnet.mine(1)
        question = {"value": txid}
        path = "/wallet/gettransactioninfobyid"
        true = (await ask(devnet.url, path, question)).json
        devnet.faults.add(FaultRule(fault="no_logs", count=1))
        shown = (await ask(devnet.url, path, question)).json
        assert len(true.pop("log")) == 1
        assert shown == true


@pytest.mark.parametrize("blocks", [0, 1, 3, 30])
async def test_a_replica_lags_while_the_main_port_does_not(blocks: int) -> None:
    async with chain(replicas=1) as devnet:
        await devnet.fund(BOB.address, Sun(5_000_000))
        await devnet.mine(3)
        devnet.faults.add(FaultRule(fault="lag", port=1, blocks=blocks))
        [replica] = devnet.info()["replicas"]
        here = (await ask(devnet.url, NOW)).json
        there = (await ask(replica, NOW)).json
        head = devnet.head_number
        assert here["block_header"]["raw_data"]["number"] == head
        assert there["block_header"]["raw_data"]["number"] == head - blocks
        for number in (head - blocks, head - blocks + 1):
            block = (await ask(replica, "/wallet/getblockbynum", {"num": number})).json
            assert bool(block) == (number <= head - blocks)
            if block:
                assert block["blockID"] == devnet.chain.block(number).id.hex()  # type: ignore[union-attr] # it is there
        account = {"address": BOB.address.hex}
        balances = [
            (await ask(url, "/wallet/getaccount", account)).json.get("balance", 0)
            for url in (devnet.url, replica)
        ]
        assert balances[0] - balances[1] == (5_000_000 if blocks >= 3 else 0)


@pytest.mark.process
async def test_a_port_that_is_closed_refuses_connections_and_opens_again() -> None:
    async with chain(replicas=1, control=True) as devnet:
        [replica] = devnet.info()["replicas"]
        shut = await ask(devnet.url, "/devnet/close_port", {"port": 1, "for_s": 0.6})
        assert shut.json == {"port": 1, "door": 1, "for_s": 0.6}
        await trio.sleep(0.2)
        with pytest.raises(OSError, match="all attempts to connect"):
            await ask(replica, NOW)
        assert (await ask(devnet.url, NOW)).status == 200
        await trio.sleep(0.6)
        assert (await ask(replica, NOW)).status == 200
        # The answer to a request that closes its own port still arrives.
        assert (await ask(replica, "/devnet/close_port", {"port": 1})).status == 200
        bad = await ask(devnet.url, "/devnet/close_port", {"port": 2})
        assert bad.json == {"Error": "close_port: expected a port from 0 to 1, got 2"}


async def test_a_connection_that_is_kept_breaks_when_its_port_is_closed() -> None:
    async with chain(replicas=1) as devnet:
        [replica] = devnet.info()["replicas"]
        host, _, port = replica.removeprefix("http://").partition(":")
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            await stream.send_all(
                b"GET /wallet/getnowblock HTTP/1.1\r\nHost: x\r\n\r\n"
            )
            assert await stream.receive_some()
            devnet.close_port(1, 0.2)
            with trio.fail_after(2):
                assert not await stream.receive_some()


async def test_a_head_that_stops_and_goes_back() -> None:
    async with chain(replicas=1) as devnet:
        [replica] = devnet.info()["replicas"]
        await devnet.mine(3)
        stopped = devnet.head_number

        async def head(url: str) -> Json:
            return (await ask(url, NOW)).json["block_header"]["raw_data"]["number"]

        number = devnet.faults.add(FaultRule(fault="stop", port=1, block=stopped))
        await devnet.mine(4)
        assert (await head(replica), await head(devnet.url)) == (stopped, stopped + 4)
        devnet.faults.clear(number)
        assert await head(replica) == stopped + 4
        devnet.faults.add(FaultRule(fault="lag", port=1, blocks=2, skip=1, count=1))
        seen = [await head(replica) for _ in range(3)]
        assert seen == [stopped + 4, stopped + 2, stopped + 4]


@pytest.mark.parametrize("witnesses", [1, 3])
async def test_another_definition_is_another_network(witnesses: int) -> None:
    async with chain() as one, chain(genesis=None, witnesses=witnesses) as other:
        asked = {"num": 0}
        ids = [
            (await ask(devnet.url, "/wallet/getblockbynum", asked)).json["blockID"]
            for devnet in (one, other)
        ]
        assert ids == [one.genesis_id, other.genesis_id]
        assert ids[0] != ids[1]


async def test_a_fake_token_is_called_like_the_real_one_and_is_another() -> None:
    async with chain(control=True, fake_token=True) as devnet:
        [real], [fake] = devnet.info()["tokens"], devnet.info()["fake_tokens"]
        assert real["address"] != fake["address"]

        async def call_view(token: Json, function: str, words: str = "") -> str:
            call = {
                "owner_address": ALICE.address.base58,
                "contract_address": token["address"],
                "function_selector": function,
                "parameter": words,
                "visible": True,
            }
            path = "/wallet/triggerconstantcontract"
            [result] = (await ask(devnet.url, path, call)).json["constant_result"]
            return str(result)

        for function in ("name()", "symbol()", "decimals()"):
            assert await call_view(real, function) == await call_view(fake, function)
        paid = {"address": ALICE.address.base58, "amount": 77, "token": fake["address"]}
        txid = (await ask(devnet.url, "/devnet/fund", paid)).json["txid"]
        await devnet.mine(1)
        info = await ask(devnet.url, "/wallet/gettransactioninfobyid", {"value": txid})
        assert info.json["receipt"]["result"] == "SUCCESS"
        holder = ALICE.address.hex[2:].zfill(64)
        assert int(await call_view(fake, "balanceOf(address)", holder), 16) == 77
        assert int(await call_view(real, "balanceOf(address)", holder), 16) == 0


async def test_no_token_is_fake_unless_asked_for() -> None:
    async with chain() as devnet:
        assert devnet.info()["fake_tokens"] == []


async def test_a_transfer_of_nothing_is_planted_in_a_history() -> None:
    async with chain(control=True) as devnet:
        [token] = devnet.info()["tokens"]
        planted = {
            "sender": BOB.address.base58,
            "recipient": ALICE.address.base58,
            "token": token["address"],
        }
        txid = (await ask(devnet.url, "/devnet/zero_transfer", planted)).json["txid"]
        await devnet.mine(1)
        info = await ask(devnet.url, "/wallet/gettransactioninfobyid", {"value": txid})
        [log] = info.json["log"]
        transfer, sender, recipient = log["topics"]
        assert transfer == trc20.TRANSFER_TOPIC.hex()
        assert sender[24:] == BOB.address.hex[2:]
        assert recipient[24:] == ALICE.address.hex[2:]
        assert int(log["data"], 16) == 0
        refused = await ask(
            devnet.url, "/devnet/zero_transfer", {**planted, "token": "T"}
        )
        assert refused.status == 400
