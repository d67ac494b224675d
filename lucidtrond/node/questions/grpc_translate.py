"""From a node's messages to our types, recomputing all that can be recomputed.

A block's transactions are the bytes that the node stores, so its root can be
recomputed whatever is in them: where it does not fit, the node lies. Everything else
is as in `translate`, whose errors these are.
"""

from typing import Final, TypeVar

from google.protobuf.message import DecodeError, Message

from lucidtrond.node.questions.translate import (
    Contradiction,
    InvalidAnswer,
    check_header,
    consistent_receipts,
    limited,
    unsigned,
)
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.address import PREFIX, SIZE, Address
from lucidtrond.tron.block import (
    BadBlock,
    Block,
    BlockHeader,
    BlockId,
    BlockTransaction,
    check_block,
)
from lucidtrond.tron.nodetext import read_node_text
from lucidtrond.tron.receipt import InternalTransfer, Log, Receipt
from lucidtrond.tron.transaction import MalformedTransaction, TxId
from lucidtrond.tron.units import Sun, UnixMillis

_HASH_BYTES: Final = 32
_RESULTS: Final = {
    number: name for name, number in pb.Transaction.Result.contractResult.items()
}
M = TypeVar("M", bound=Message)


def decode(kind: type[M], data: bytes) -> M:
    """Read a message.

    Raises:
        InvalidAnswer: it is none of this kind.
    """
    try:
        return kind.FromString(data)
    except DecodeError:
        raise InvalidAnswer(
            f"an unexpected answer: no {kind.DESCRIPTOR.name}"
        ) from None


def read_header(message: pb.BlockExtention) -> BlockHeader:
    """A header with its id and signature checked; transactions are not looked at."""
    return check_header(_header(message), BlockId(message.blockid.hex()))


def read_block(message: pb.BlockExtention) -> Block:
    """A block that was checked as a whole; its root is always proven."""
    header = _header(message)
    block = Block(header, tuple(map(_transaction, message.transactions)))
    try:
        check_block(block, expected_id=BlockId(message.blockid.hex()))
    except BadBlock as why:
        raise Contradiction(str(why)) from None
    return block


def _header(message: pb.BlockExtention) -> BlockHeader:
    if not (message.block_header and message.blockid):
        raise InvalidAnswer("a block without header or id")
    try:
        header = BlockHeader.from_bytes(message.block_header)
    except BadBlock as why:
        raise InvalidAnswer(str(why)) from None
    limited(header.number, "block number")
    limited(header.timestamp, "block time")
    _hash(bytes.fromhex(header.parent_id), "parentHash")
    _hash(header.tx_trie_root, "txTrieRoot")
    return header


def _transaction(message: pb.TransactionExtention) -> BlockTransaction:
    try:
        stored = BlockTransaction.from_bytes(message.transaction)
    except MalformedTransaction as why:
        raise InvalidAnswer(f"a transaction that is none: {why}") from None
    if message.txid and message.txid != stored.transaction.digest:
        raise Contradiction(f"txid {message.txid[:32].hex()} is that of other raw data")
    return stored


def read_receipts(message: pb.TransactionInfoList, number: int) -> tuple[Receipt, ...]:
    """All receipts of block *number*, in its order."""
    return consistent_receipts(
        tuple(map(read_receipt, message.transactionInfo)), number
    )


def read_receipt(message: pb.TransactionInfo) -> Receipt:
    """One TransactionInfo; nothing of it can be recomputed but its form."""
    cost = message.receipt
    result = cost.result
    return Receipt(
        txid=TxId(_hash(message.id, "id").hex()),
        block_number=unsigned(message.blockNumber, "blockNumber"),
        block_timestamp=UnixMillis(unsigned(message.blockTimeStamp, "blockTimeStamp")),
        fee=Sun(unsigned(message.fee, "fee")),
        net_usage=unsigned(cost.net_usage, "net_usage"),
        net_fee=Sun(unsigned(cost.net_fee, "net_fee")),
        energy_usage=unsigned(cost.energy_usage, "energy_usage"),
        energy_usage_total=unsigned(cost.energy_usage_total, "energy_usage_total"),
        energy_fee=Sun(unsigned(cost.energy_fee, "energy_fee")),
        origin_energy_usage=unsigned(cost.origin_energy_usage, "origin_energy_usage"),
        energy_penalty_total=unsigned(
            cost.energy_penalty_total, "energy_penalty_total"
        ),
        # 0, DEFAULT, is what system contracts have; JSON leaves it out.
        vm_result=_RESULTS.get(result, str(result)) if result else None,
        failed=message.result != pb.TransactionInfo.SUCESS,
        message=_text(message.resMessage),
        contract_address=_address_or_none(message.contract_address),
        contract_result=b"".join(message.contractResult[:1]),
        logs=tuple(map(_log, message.log)),
        internal=tuple(map(_internal, message.internal_transactions)),
    )


def _log(message: pb.TransactionInfo.Log) -> Log:
    topics = tuple(_hash(topic, "topic") for topic in message.topics)
    return Log(_address(message.address), topics, message.data)


def _internal(message: pb.InternalTransaction) -> InternalTransfer:
    return InternalTransfer(
        hash=message.hash.hex(),
        caller=_address_or_none(message.caller_address),
        to=_address_or_none(message.transferTo_address),
        values=tuple(
            (value.callValue, value.tokenId) for value in message.callValueInfo
        ),
        note=_text(message.note),
        rejected=message.rejected,
    )


def _text(data: bytes) -> str:
    return read_node_text(data.hex()) if data else ""  # nearly always


def _address(raw: bytes) -> Address:
    # TransactionInfo.Log has the 20 bytes of the machine, everything else 21.
    try:
        return Address(raw if len(raw) == SIZE else bytes([PREFIX]) + raw)
    except ValueError:
        raise InvalidAnswer("an address that is none") from None


def _address_or_none(raw: bytes) -> Address | None:
    return _address(raw) if raw else None


def _hash(data: bytes, what: str) -> bytes:
    if len(data) != _HASH_BYTES:
        raise InvalidAnswer(f"{what}: expected 32 bytes, got {len(data)}")
    return data
