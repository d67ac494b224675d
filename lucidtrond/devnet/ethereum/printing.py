"""Blocks, transactions, receipts and logs in Ethereum's shape."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from lucidtrond.devnet.ethereum.values import hex_address, hex_bytes, hex_number
from lucidtrond.devnet.state.blocks import BlockRow, TransactionRow
from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.kinds.table import BY_NUMBER
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.units import Sun
from lucidtrond.tron.wirebytes import length_field

Json = dict[str, Any]

NOTHING: Final = bytes(32)
_NO_BLOOM: Final = hex_bytes(bytes(256))
_CALLED: Final = 1  # contractResult SUCCESS; beyond it a call failed


def print_block(row: BlockRow, energy_fee: Sun, *, full: bool) -> Json:
    """BlockResult; *full* has transactions instead of their ids."""
    raws = [
        pb.Transaction.raw.FromString(included.raw) for included in row.transactions
    ]
    return {
        "number": hex_number(row.number),
        "hash": hex_bytes(row.id),
        "parentHash": hex_bytes(row.parent),
        "nonce": hex_bytes(bytes(8)),
        "sha3Uncles": hex_bytes(NOTHING),
        "logsBloom": _NO_BLOOM,
        "transactionsRoot": hex_bytes(row.root),
        "stateRoot": "0x",
        "receiptsRoot": hex_bytes(NOTHING),
        "miner": hex_address(row.witness if row.number else bytes(20)),
        "difficulty": "0x0",
        "totalDifficulty": "0x0",
        "extraData": "0x",
        "size": hex_number(_size(row)),
        "gasLimit": hex_number(sum(raw.fee_limit for raw in raws)),
        "gasUsed": hex_number(sum(_energy(included) for included in row.transactions)),
        "timestamp": hex_number(row.timestamp // 1000),
        "transactions": [
            print_transaction(row, place, energy_fee)
            if full
            else hex_bytes(included.transaction.digest)
            for place, included in enumerate(row.transactions)
        ],
        "uncles": [],
        "baseFeePerGas": "0x0",
        "mixHash": hex_bytes(NOTHING),
    }


def _size(row: BlockRow) -> int:
    """Bytes of protocol.Block."""
    block = row.block
    header = length_field(1, block.header.encode_raw())
    if block.header.witness_signature:
        header += length_field(2, block.header.witness_signature)
    body = sum(
        len(length_field(1, transaction.encode())) for transaction in block.transactions
    )
    return body + len(length_field(2, header))


def print_transaction(row: BlockRow, place: int, energy_fee: Sun) -> Json:
    """A transaction of a block."""
    transaction = row.transactions[place]
    candidate = Candidate.read(transaction.transaction)
    owner = candidate.owner if row.number else bytes(20)
    return {
        **_parts(candidate),
        "from": hex_address(owner),
        "blockHash": hex_bytes(row.id),
        "blockNumber": hex_number(row.number),
        "transactionIndex": hex_number(place),
        "gas": hex_number(_energy(transaction)),
        "gasPrice": hex_number(energy_fee),
    }


def print_pending(row: TransactionRow) -> Json:
    """A transaction of the pool."""
    candidate = Candidate.read(row.transaction)
    return {
        **_parts(candidate),
        "from": hex_address(candidate.owner),
        "blockHash": "0x",
        "blockNumber": "0x",
        "transactionIndex": "0x",
        "gas": "0x0",
        "gasPrice": "0x",
    }


def _parts(candidate: Candidate) -> Json:
    signatures = candidate.transaction.signatures
    signature = signatures[0] if signatures else bytes(65)
    v = hex_number(signature[64] + (27 if signature[64] < 27 else 0))
    to, value, data = _call_of(candidate)
    return {
        "hash": hex_bytes(candidate.txid),
        "nonce": hex_bytes(bytes(8)),
        "to": hex_address(to),
        "value": hex_number(value),
        "input": hex_bytes(data),
        "type": "0x0",
        "v": v if signatures else "0x00",
        "r": hex_bytes(signature[:32]),
        "s": hex_bytes(signature[32:64]),
    }


def _call_of(candidate: Candidate) -> tuple[bytes, int, bytes]:
    """What Ethereum calls to, value and input."""
    kind = BY_NUMBER.get(candidate.type)
    if kind is None:
        return b"", 0, b""
    message = candidate.message
    return kind.eth_to(message), kind.eth_value(message), kind.eth_input(message)


def print_receipt(row: BlockRow, place: int, energy_fee: Sun) -> Json:
    """TransactionReceipt."""
    transaction = row.transactions[place]
    candidate = Candidate.read(transaction.transaction)
    to, _, _ = _call_of(candidate)
    call = transaction.receipt.call
    before = row.transactions[: place + 1]
    return {
        "blockHash": hex_bytes(row.id),
        "blockNumber": hex_number(row.number),
        "transactionIndex": hex_number(place),
        "transactionHash": hex_bytes(candidate.txid),
        "from": hex_address(candidate.owner),
        "to": hex_address(to),
        "cumulativeGasUsed": hex_number(sum(_energy(earlier) for earlier in before)),
        "effectiveGasPrice": hex_number(energy_fee),
        "gasUsed": hex_number(_energy(transaction)),
        "contractAddress": None,
        "logs": list(print_logs(row, lambda at, _a, _t: at == place)),
        "logsBloom": _NO_BLOOM,
        "status": "0x1" if call is None or call.result <= _CALLED else "0x0",
        "type": "0x0",
    }


Wanted = Callable[[int, bytes, tuple[bytes, ...]], bool]
"""Of a log: its transaction's place, its address (21 bytes), its topics."""


def print_logs(row: BlockRow, wanted: Wanted) -> Iterator[Json]:
    """Logs of a block; their index counts through the whole block."""
    index = 0
    for place, included in enumerate(row.transactions):
        for log in included.receipt.call.logs if included.receipt.call else ():
            if wanted(place, log.address, log.topics):
                yield {
                    "logIndex": hex_number(index),
                    "blockHash": hex_bytes(row.id),
                    "blockNumber": hex_number(row.number),
                    "transactionIndex": hex_number(place),
                    "transactionHash": hex_bytes(included.transaction.digest),
                    "address": hex_address(log.address),
                    "data": hex_bytes(log.data),
                    "topics": [hex_bytes(topic) for topic in log.topics],
                    "removed": False,
                }
            index += 1


def _energy(row: TransactionRow) -> int:
    return row.receipt.call.energy_total if row.receipt.call else 0
