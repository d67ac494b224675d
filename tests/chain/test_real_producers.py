"""Producers' keys as they are on public networks and between two real nodes."""

import copy
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from lucidtrond.chain.signers import SignerCheck
from lucidtrond.node.health.agreement import Agreement, KeyReport
from lucidtrond.node.questions import translate, wire
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader, BlockId
from lucidtrond.tron.keys import PrivateKey
from tests import mainnet, recorded
from tests.chain.branch_node import BranchNode, Following, following, signed_by

pytestmark = pytest.mark.mainnet

SR5 = "41b75b76db8342f26a8b33959e1b629c5231246b1d"
WALT = "411b6d45697431e0a8c61ce1a7e7c2159136fc7a28"
CHANGED = 66
"""The block whose transaction lets walt sign for sr5."""
FIRST, LAST = 60, 209
STRANGER = PrivateKey(b"\x05" * 32)


class Accounts:
    """What the accounts of mainnet's producers named then."""

    def __init__(self, keys: dict[Address, Address]) -> None:
        self.keys = keys
        self.asked: list[Address] = []

    async def report_keys(
        self,
        producer: Address,
        *,
        expected: Address,  # noqa: ARG002 - the Protocol's
    ) -> Sequence[KeyReport]:
        self.asked.append(producer)
        key = self.keys.get(producer, producer)
        top = 79_072_107
        return [KeyReport("mainnet", key, top, solid=key, solid_number=top)]

    async def confirm_solid(self, number: int, block_id: BlockId) -> Agreement:
        raise AssertionError(f"block {number} {block_id} needs no confirmation")

    def note_lie(self, block_id: BlockId, reason: str) -> Exception:
        return AssertionError(f"block {block_id} is refused: {reason}")


def signed_headers() -> list[Any]:
    headers = mainnet.load("headers.json.gz")["headers"]
    return [header for header in headers if header["witness_signature"]]


def read(recording: Any) -> BlockHeader:
    printed = mainnet.header_json(recording, recording["id"])
    return translate.read_header(msgspec.convert(printed, wire.BlockJson))


def mainnet_keys() -> dict[Address, Address]:
    return {
        Address(bytes.fromhex(permission["witness"])): Address(
            bytes.fromhex(permission["key"])
        )
        for permission in mainnet.load("headers.json.gz")["witness_permissions"]
        if permission["network"] == "mainnet"
    }


def test_every_signed_header_is_read_and_names_its_signer() -> None:
    headers = signed_headers()
    for recording in headers:
        header = read(recording)
        assert header.id == recording["id"]
        assert header.signer().hex == recording["signer"]
    own = [
        header for header in headers if header["signer"] == header["witness_address"]
    ]
    assert (len(own), len(headers)) == (84, 101)


async def test_every_signed_header_of_mainnet_is_by_its_producers_key() -> None:
    headers = sorted(
        (read(header) for header in signed_headers() if header["network"] == "mainnet"),
        key=lambda header: header.number,
    )
    nodes = Accounts(mainnet_keys())
    signers = SignerCheck(nodes)  # type: ignore[arg-type] # it raises on any refusal
    table = await signers.check(Block(header, ()) for header in headers)
    producers = {Address(header.witness) for header in headers}
    assert len(headers) == 88
    assert len(nodes.asked) == len(producers)
    consecutive = [h for h in headers if 78_000_000 <= h.number < 78_000_060]
    assert len(consecutive) == 60
    for header in consecutive:
        row = table.at(Address(header.witness), header.number)
        assert row is not None
        assert row.key == header.signer()


def run() -> Any:
    return recorded.read_json(recorded.RUNS / "witness-permission.json")


def genesis() -> Any:
    chain = recorded.read_json(recorded.FOLDER / "fixtures" / "chain.json")
    return chain["genesis_block"]


def account_at(address: str, number: int) -> Any:
    """sr5's account as recorded at the end; before the change, without permissions."""
    if address != SR5:
        return {"address": address}
    account = dict(run()["sr5_account"])
    if number < CHANGED:
        for name in ("owner_permission", "witness_permission", "active_permission"):
            account.pop(name)
    return account


def recorded_node(*, head: int, solid: int) -> BranchNode:
    blocks = {FIRST + at: block for at, block in enumerate(run()["blocks"])}
    return BranchNode(
        {0: genesis(), **blocks},
        head=head,
        solid=solid,
        receipts=run()["receipts"],
        account=account_at,
    )


async def keys_of_sr5(made: Following) -> list[tuple[int, str, str]]:
    return await made.keys_of(Address(bytes.fromhex(SR5)))


async def test_a_producer_that_changes_its_key_is_followed_block_by_block() -> None:
    node = recorded_node(head=FIRST, solid=FIRST)
    async with following(node) as made:
        for head in range(FIRST, LAST + 1):
            node.head, node.solid = head, max(FIRST, head - 3)
            await made.turn()
            assert made.head == head
        own, walt = Address(bytes.fromhex(SR5)).base58, Address(bytes.fromhex(WALT))
        assert await keys_of_sr5(made) == [
            (64, own, "node"),
            (67, walt.base58, "block"),
        ]
        # One lookup for each of five producers: the change itself was read.
        assert node.count("wallet/getaccount") == 5
        assert node.count("walletsolidity/getaccount") == 0


async def test_it_is_caught_up_with_whatever_accounts_say_today() -> None:
    node = recorded_node(head=FIRST, solid=FIRST)
    async with following(node) as made:
        await made.turn()
        node.head, node.solid = LAST, LAST - 3
        await made.turn(3)
        assert made.head == LAST
        assert [row[2] for row in await keys_of_sr5(made)] == ["signature", "block"]


@pytest.mark.parametrize("number", [64, 146, 206])
@pytest.mark.parametrize("at_once", [True, False])
async def test_a_signature_by_any_third_key_is_refused(
    number: int, *, at_once: bool
) -> None:
    node = recorded_node(head=FIRST, solid=FIRST)
    honest = copy.deepcopy(node.blocks[number])
    node.blocks[number] = signed_by(honest, STRANGER)
    async with following(node) as made:
        await made.turn()
        heads = [number] if at_once else range(FIRST + 1, number + 1)
        for head in heads:
            node.head, node.solid = head, max(FIRST, head - 3)
            await made.turn()
        if number > FIRST + 100 and at_once:  # the first page is good
            assert made.head == FIRST + 100
            await made.turn()
        else:
            assert made.head == (FIRST if at_once else number - 1)
        [shown] = made.pool.endpoints()
        assert shown["lies"] == 1
        reason = str(shown)
        expected = SR5 if number == 64 else WALT
        for named in (SR5, STRANGER.address.hex, expected):
            assert Address(bytes.fromhex(named)).base58 in reason
        assert f"block {number} " in reason
        node.blocks[number] = honest
        await made.turn(3)
        assert made.head == number


async def test_the_producers_own_key_counts_no_more_after_the_change() -> None:
    chain = recorded.read_json(recorded.FOLDER / "fixtures" / "chain.json")
    [own] = [
        PrivateKey.from_hex(witness["private_key"])
        for witness in chain["witnesses"]
        if witness["name"] == "sr5"
    ]
    assert own.address.hex == SR5
    node = recorded_node(head=LAST, solid=FIRST)
    node.blocks[146] = signed_by(node.blocks[146], own)
    async with following(node) as made:
        await made.turn(4)
        assert made.head == FIRST
        assert not made.ledger.position().synced
