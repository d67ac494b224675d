"""Blocks and receipts as a node's gRPC services write them."""

from typing import cast

from lucidtrond.devnet.state.blocks import SUCCESS, BlockRow, CallRow, TransactionRow
from lucidtrond.tron import tron_pb2 as pb


def block_message(row: BlockRow, *, detail: bool = True) -> pb.BlockExtention:
    """A block (RpcApiService.block2Extention), without transactions unless *detail*."""
    return pb.BlockExtention(
        transactions=[
            pb.TransactionExtention(
                transaction=transaction.stored.encode(),
                txid=transaction.transaction.digest,
                result=pb.Return(result=True),
            )
            for transaction in (row.transactions if detail else ())
        ],
        block_header=row.header.encode(),
        blockid=row.id,
    )


def info_message(row: TransactionRow, block: BlockRow) -> pb.TransactionInfo:
    """The receipt of a transaction."""
    receipt, call = row.receipt, row.receipt.call
    message = pb.TransactionInfo(
        id=row.transaction.digest,
        fee=receipt.fee,
        blockNumber=block.number,
        blockTimeStamp=block.timestamp,
        contractResult=[call.returned if call else b""],
        receipt=pb.ResourceReceipt(
            net_usage=receipt.net_usage, net_fee=receipt.net_fee
        ),
        assetIssueID=receipt.asset_issue_id,
        withdraw_amount=receipt.withdrawn,
        withdraw_expire_amount=receipt.expired_unfreezing,
    )
    if call is not None:
        _add_call(message, call)
    if receipt.cancelled is not None:
        net, energy = receipt.cancelled
        amounts = {"BANDWIDTH": net, "ENERGY": energy, "TRON_POWER": 0}
        message.cancel_unfreezeV2_amount.update(amounts)
    return message


def _add_call(message: pb.TransactionInfo, call: CallRow) -> None:
    message.contract_address = call.contract
    message.resMessage = call.message.encode()
    if call.result != SUCCESS:
        message.result = pb.TransactionInfo.FAILED
    for event in call.logs:
        # Without the prefix of addresses, as the virtual machine has them.
        message.log.add(address=event.address[1:], topics=event.topics, data=event.data)
    cost = message.receipt
    cost.energy_usage = call.energy_usage
    cost.energy_fee = call.energy_fee
    cost.origin_energy_usage = call.origin_usage
    cost.energy_usage_total = call.energy_total
    # Stubs know only named numbers; the wire takes any.
    cost.result = cast("pb.Transaction.Result.contractResult", call.result)
