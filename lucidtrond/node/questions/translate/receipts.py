"""Receipts: what became of transactions, as a node says. Pure."""

from collections.abc import Sequence

from lucidtrond.node.questions import wire
from lucidtrond.node.questions.translate.checks import (
    Contradiction,
    read_address,
    read_address_or_none,
    read_hash,
    unhex,
    unsigned,
)
from lucidtrond.tron.block import Block
from lucidtrond.tron.nodetext import read_node_text
from lucidtrond.tron.receipt import InternalTransfer, Log, Receipt
from lucidtrond.tron.transaction import TxId
from lucidtrond.tron.units import Sun, UnixMillis


def read_receipt(answer: wire.InfoJson) -> Receipt:
    """One TransactionInfo; nothing of it can be recomputed but its form."""
    cost = answer.receipt
    return Receipt(
        txid=TxId(read_hash(answer.id, "id").hex()),
        block_number=unsigned(answer.block_number, "blockNumber"),
        block_timestamp=UnixMillis(unsigned(answer.block_timestamp, "blockTimeStamp")),
        fee=Sun(unsigned(answer.fee, "fee")),
        net_usage=unsigned(cost.net_usage, "net_usage"),
        net_fee=Sun(unsigned(cost.net_fee, "net_fee")),
        energy_usage=unsigned(cost.energy_usage, "energy_usage"),
        energy_usage_total=unsigned(cost.energy_usage_total, "energy_usage_total"),
        energy_fee=Sun(unsigned(cost.energy_fee, "energy_fee")),
        origin_energy_usage=unsigned(cost.origin_energy_usage, "origin_energy_usage"),
        energy_penalty_total=unsigned(
            cost.energy_penalty_total, "energy_penalty_total"
        ),
        vm_result=None if cost.result is None else str(cost.result),
        failed=answer.result not in (None, "SUCESS", 0),  # spelled so in Tron.proto
        message=read_node_text(answer.res_message),
        contract_address=read_address_or_none(answer.contract_address),
        contract_result=b"".join(
            unhex(text, "contractResult") for text in answer.contract_result[:1]
        ),
        logs=tuple(map(read_log, answer.log)),
        internal=tuple(map(_internal, answer.internal_transactions)),
    )


def read_receipts(answer: Sequence[wire.InfoJson], number: int) -> tuple[Receipt, ...]:
    """All receipts of block *number*, in its order."""
    return consistent_receipts(tuple(map(read_receipt, answer)), number)


def consistent_receipts(
    receipts: tuple[Receipt, ...], number: int
) -> tuple[Receipt, ...]:
    """The same receipts, which are of block *number*, one time and different
    transactions."""
    if any(receipt.block_number != number for receipt in receipts):
        raise Contradiction(f"receipts of another block than {number}")
    if len({receipt.block_timestamp for receipt in receipts}) > 1:
        raise Contradiction(f"receipts of block {number} with several times")
    if len({receipt.txid for receipt in receipts}) != len(receipts):
        raise Contradiction(f"two receipts of one transaction in block {number}")
    return receipts


def check_receipts(block: Block, receipts: Sequence[Receipt]) -> None:
    """Require one receipt for each transaction, in order, with the block's time."""
    wanted = [included.transaction.txid for included in block.transactions]
    header = block.header
    if [receipt.txid for receipt in receipts] != wanted:
        raise Contradiction(
            f"receipts of other transactions than block {header.number}"
        )
    if any(receipt.block_timestamp != header.timestamp for receipt in receipts):
        raise Contradiction(f"receipts with another time than block {header.number}")


def read_log(log: wire.LogJson) -> Log:
    """A log; its address has no 41 in front."""
    topics = tuple(read_hash(topic, "topic") for topic in log.topics)
    return Log(read_address(log.address), topics, unhex(log.data, "data of a log"))


def _internal(internal: wire.InternalJson) -> InternalTransfer:
    return InternalTransfer(
        hash=unhex(internal.hash, "hash").hex(),
        caller=read_address_or_none(internal.caller_address),
        to=read_address_or_none(internal.transfer_to_address),
        values=tuple(
            (value.call_value, value.token_id) for value in internal.call_value_info
        ),
        note=read_node_text(internal.note),
        rejected=internal.rejected,
    )
