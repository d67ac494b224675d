"""Whole blocks of public networks are booked: every party watched, every row right.

What is expected is read from the recorded bytes by protobuf alone, and from receipts
as the node printed them.
"""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lucidtrond.chain.committed import expected_logs, missing_logs
from lucidtrond.chain.follower import Follower
from lucidtrond.chain.ledger import MIGRATIONS, Ledger
from lucidtrond.chain.read import read_block, unreadable_logs
from lucidtrond.errors import NodeError
from lucidtrond.events.types import LedgerEntry
from lucidtrond.node.health.agreement import Agreement, KeyReport, ProducerReport
from lucidtrond.node.questions import translate, wire
from lucidtrond.ports import Tx
from lucidtrond.store.database import open_store
from lucidtrond.store.migrate import migrate
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block, BlockHeader, BlockId
from lucidtrond.tron.hashing import sha256
from lucidtrond.tron.networks import NETWORKS
from lucidtrond.tron.receipt import Receipt
from lucidtrond.tron.tokens import KnownTokens
from tests import mainnet, recorded
from tests.chain.model import OUTBOX, emit, receipts_of
from tests.chain.test_runs import TRANSFER, base58

pytestmark = pytest.mark.mainnet

USDT = KnownTokens(NETWORKS["mainnet"].tokens)
WITH_RECEIPTS = "mainnet-54886487.json.gz"
Row = tuple[str, str, str, str, str, int, bool]
"""txid, kind, asset, from, to, amount, success."""


class OneBlock:
    """A chain of which nothing but one block is shown."""

    def __init__(self, block: Block, receipts: tuple[Receipt, ...]) -> None:
        self.block = block
        self.receipts = receipts

    async def fetch_head(self, *, solid: bool = False) -> BlockHeader:
        assert solid
        return self.block.header

    async def fetch_blocks(self, start: int, end: int) -> list[Block]:
        return [self.block] if start == self.block.header.number < end else []

    async def fetch_same(self, block_id: BlockId, start: int) -> list[Block]:
        raise AssertionError(f"{block_id} is taken at its word, from {start} on")

    async def report_producers(self) -> Sequence[ProducerReport]:
        raise AssertionError("nobody is asked")

    async def fetch_headers(
        self, block_id: BlockId, start: int, end: int
    ) -> list[BlockHeader]:
        raise AssertionError(f"{block_id} is taken at its word, {start} to {end}")

    async def fetch_others(
        self, block_id: BlockId, start: int | None = None
    ) -> list[list[Block]]:
        raise AssertionError(f"{block_id} is taken at its word, from {start} on")

    async def fetch_receipts_by(self, which: Block) -> tuple[str, tuple[Receipt, ...]]:
        assert which == self.block
        return "mainnet", self.receipts

    def has_second_source(self, besides: str) -> bool:
        return besides == ""

    async def fetch_second_receipts(
        self, which: Block, *, besides: str
    ) -> tuple[Receipt, ...] | None:
        raise AssertionError(f"nobody beside {besides} has block {which.header.number}")

    async def report_keys(
        self, producer: Address, *, expected: Address
    ) -> Sequence[KeyReport]:
        assert producer.raw == self.block.header.witness
        return [KeyReport("mainnet", expected, self.block.header.number)]

    async def fetch_proven(self, block: Block) -> Block | None:
        assert block == self.block
        return None

    async def confirm_solid(self, number: int, block_id: BlockId) -> Agreement:
        raise AssertionError(f"block {number}, {block_id}, needs no confirmation")

    def note_lie(self, block_id: BlockId, reason: str) -> NodeError:
        raise AssertionError(f"block {block_id} is refused: {reason}")

    def note_block(self, header: BlockHeader, touched: Collection[Address]) -> None:
        assert header == self.block.header
        assert touched


def read_recording(path: Path) -> tuple[dict[str, Any], Block, tuple[Receipt, ...]]:
    """The recording, and what our reader makes of it; plain receipts where none is."""
    recording = recorded.read_json(path)
    block = translate.read_block(
        msgspec.convert(mainnet.block_json(recording), wire.BlockJson)
    )
    if "receipts" not in recording:
        return recording, block, receipts_of(block)
    infos = msgspec.convert(recording["receipts"], tuple[wire.InfoJson, ...])
    receipts = translate.read_receipts(infos, block.header.number)
    translate.check_receipts(block, receipts)
    return recording, block, receipts


def expected_rows(recording: dict[str, Any]) -> Iterator[Row]:
    infos = {receipt["id"]: receipt for receipt in recording.get("receipts", ())}
    for transaction in recording["transactions"]:
        data = bytes.fromhex(transaction["raw_data_hex"])
        txid = sha256(data).hex()
        [contract] = pb.Transaction.raw.FromString(data).contract
        value, done = contract.parameter.value, succeeded(transaction)
        match contract.type:
            case pb.Transaction.Contract.TransferContract:
                sent = pb.TransferContract.FromString(value)
                ends = base58(sent.owner_address.hex()), base58(sent.to_address.hex())
                yield txid, "trx", "TRX", *ends, sent.amount, True
            case pb.Transaction.Contract.TransferAssetContract:
                asset = pb.TransferAssetContract.FromString(value)
                ends = (
                    base58(asset.owner_address.hex()),
                    base58(asset.to_address.hex()),
                )
                name = asset.asset_name.decode()
                yield txid, "trc10", name, *ends, asset.amount, True
            case pb.Transaction.Contract.TriggerSmartContract:
                call = pb.TriggerSmartContract.FromString(value)
                if call.call_value:
                    ends = (
                        base58(call.owner_address.hex()),
                        base58(call.contract_address.hex()),
                    )
                    yield txid, "trx", "TRX", *ends, call.call_value, done
        if done and txid in infos:
            yield from told_rows(txid, infos[txid])


def succeeded(transaction: dict[str, Any]) -> bool:
    """What the block commits to: contractRet, in either form of the recording."""
    if "ret" in transaction:
        return bool(transaction["ret"][0]["contractRet"] == "SUCCESS")
    result = pb.Transaction.Result.FromString(bytes.fromhex(transaction["ret_hex"][0]))
    return bool(result.contractRet == pb.Transaction.Result.SUCCESS)


def told_rows(txid: str, info: dict[str, Any]) -> Iterator[Row]:
    for log in info.get("log", ()):
        topics = log.get("topics", [])
        if topics[:1] == [TRANSFER] and len(topics) == 3:
            ends = base58(topics[1]), base58(topics[2])
            amount = int(log["data"][:64], 16)
            yield txid, "trc20", base58(log["address"]), *ends, amount, True
    for inner in info.get("internal_transactions", ()):
        ends = base58(inner["caller_address"]), base58(inner["transferTo_address"])
        values = inner.get("callValueInfo", ())
        amount = sum(value.get("callValue", 0) for value in values)
        if amount and ends[0] != ends[1]:
            done = not inner.get("rejected", False)
            yield txid, "internal", "TRX", *ends, amount, done


def usdt_calls(recording: dict[str, Any]) -> list[str]:
    """Transactions whose call data are a plain transfer or transferFrom of USDT."""
    [usdt] = USDT
    txids: list[str] = []
    for transaction in recording["transactions"]:
        data = bytes.fromhex(transaction["raw_data_hex"])
        [contract] = pb.Transaction.raw.FromString(data).contract
        if contract.type != pb.Transaction.Contract.TriggerSmartContract:
            continue
        call = pb.TriggerSmartContract.FromString(contract.parameter.value)
        size = {"a9059cbb": 68, "23b872dd": 100}.get(call.data[:4].hex())
        padding = [call.data[at : at + 12] for at in range(4, (size or 36) - 32, 32)]
        if (
            succeeded(transaction)
            and call.contract_address == usdt.address.raw
            and len(call.data) == size
            and set(padding) == {bytes(12)}
        ):
            txids.append(sha256(data).hex())
    return txids


async def booked(block: Block, receipts: tuple[Receipt, ...]) -> list[LedgerEntry]:
    """All rows after the real follower took the block, every party watched."""
    parties = set(read_block(block, receipts).touched)
    for log in expected_logs(block, USDT):
        parties |= {log.sender, log.recipient}
    async with open_store(None) as store:
        await migrate(store, [*MIGRATIONS, OUTBOX])
        ledger = Ledger(store, tokens=USDT)
        follower = Follower(
            OneBlock(block, receipts),
            store,
            ledger=ledger,
            emit=emit,
            genesis_id=BlockId("00" * 32),
        )

        def watch(tx: Tx) -> None:
            for party in parties:
                ledger.watch(tx, party)

        await store.write(watch)
        await follower._load()
        await follower._turn()
        assert ledger.position().head == block.header
        entries: list[LedgerEntry] = []
        cursor: str | None = None
        while True:
            page, cursor, _ = await ledger.entries(limit=1000, cursor=cursor)
            entries += page
            if cursor is None:
                return entries[::-1]


@pytest.mark.parametrize("path", mainnet.block_files(), ids=lambda path: path.name)
async def test_every_row_is_what_bytes_and_receipts_say(path: Path) -> None:
    recording, block, receipts = read_recording(path)
    entries = await booked(block, receipts)
    rows = [
        (
            entry.txid,
            entry.kind,
            entry.asset,
            entry.from_address,
            entry.to_address,
            int(entry.amount),
            entry.success,
        )
        for entry in entries
        if not entry.contradicted
    ]
    assert sorted(rows) == sorted(expected_rows(recording))
    assert rows
    committed = "signatures" if block.root_proven else "one_source"
    for entry in entries:
        from_receipt = entry.kind in ("trc20", "internal")
        assert entry.proof == ("one_source" if from_receipt else committed)
        assert entry.single_source == (entry.proof == "one_source")
        assert entry.solidified


@pytest.mark.parametrize("path", mainnet.block_files(), ids=lambda path: path.name)
async def test_usdt_calls_are_held_against_their_receipts(path: Path) -> None:
    recording, block, receipts = read_recording(path)
    calls = usdt_calls(recording)
    expected = expected_logs(block, USDT)
    assert [log.txid for log in expected] == calls
    assert unreadable_logs(block, receipts, USDT) == ()
    entries = await booked(block, receipts)
    contradicted = [entry.txid for entry in entries if entry.contradicted]
    if path.name == WITH_RECEIPTS:
        assert len(calls) > 10
        assert missing_logs(expected, receipts) == ()
        assert contradicted == []
    else:  # without its receipts' logs, each of them is contradicted
        assert sorted(contradicted) == sorted(calls)
        assert all(not entry.success for entry in entries if entry.contradicted)
