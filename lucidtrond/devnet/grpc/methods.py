"""The methods of Wallet and WalletSolidity: a message in, a message out.

What a node has no answer to is the empty message. Texts are java-tron's.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from google.protobuf.message import DecodeError, Message
from msgspec import Struct

from lucidtrond.devnet.grpc.messages import block_message, info_message
from lucidtrond.devnet.java.block_lookup import (
    BadBlockName,
    find_block,
    head_number,
)
from lucidtrond.devnet.state.view import ChainView
from lucidtrond.tron import tron_pb2 as pb

MAX_RANGE: Final = 100
INVALID_ARGUMENT: Final = 3
UNIMPLEMENTED: Final = 12
INTERNAL: Final = 13
SOLIDITY: Final = "protocol.WalletSolidity"
WALLET: Final = "protocol.Wallet"


class CallFailed(Exception):
    """A status other than 0, with its message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class _Question(Struct, frozen=True):
    """A chain, and which of its states is asked."""

    chain: ChainView
    solid: bool


class _Method(Struct, frozen=True):
    request: type[Message]
    run: Callable[[_Question, Any], bytes]
    is_solid: bool = True
    """Whether WalletSolidity has it too."""


def answer(chain: ChainView, path: str, message: bytes) -> bytes:
    """Call the method at *path* with an encoded *message*; gives an encoded one.

    Raises:
        CallFailed
    """
    service, _, name = path.removeprefix("/").partition("/")
    method = METHODS.get(name)
    solid = service == SOLIDITY
    if method is None or not (service == WALLET or (solid and method.is_solid)):
        raise CallFailed(UNIMPLEMENTED, f"Method not found: {service}/{name}")
    try:
        request = method.request.FromString(message)
    except DecodeError:
        raise CallFailed(INTERNAL, "Invalid protobuf byte sequence") from None
    return method.run(_Question(chain, solid), request)


def _get_now_block(question: _Question, _: Message) -> bytes:
    return _block(question, head_number(question.chain, solid=question.solid))


def _get_block_by_num(question: _Question, request: pb.NumberMessage) -> bytes:
    return _block(question, request.num)


def _get_block(question: _Question, request: pb.BlockReq) -> bytes:
    try:
        row = find_block(question.chain, request.id_or_num, solid=question.solid)
    except BadBlockName as error:
        raise CallFailed(INVALID_ARGUMENT, str(error)) from None
    if row is None:
        return b""
    return block_message(row, detail=request.detail).SerializeToString()


def _get_blocks(question: _Question, request: pb.BlockLimit) -> bytes:
    start, end = request.startNum, request.endNum
    if not (0 <= start < end <= start + MAX_RANGE):
        return b""
    rows = [question.chain.block(number) for number in range(start, end)]
    blocks = [block_message(row) for row in rows if row is not None]
    return pb.BlockListExtention(block=blocks).SerializeToString()


def _block(question: _Question, number: int) -> bytes:
    row = question.chain.block(number, solid=question.solid)
    return b"" if row is None else block_message(row).SerializeToString()


def _get_transaction(question: _Question, request: pb.BytesMessage) -> bytes:
    place = question.chain.find(request.value, solid=question.solid)
    return b"" if place is None else place.transaction.stored.encode()


def _get_info(question: _Question, request: pb.BytesMessage) -> bytes:
    place = question.chain.find(request.value, solid=question.solid)
    if place is None or place.block is None:
        return b""
    return info_message(place.transaction, place.block).SerializeToString()


def _get_infos(question: _Question, request: pb.NumberMessage) -> bytes:
    number = request.num
    row = question.chain.block(number, solid=question.solid) if number > 0 else None
    if row is None:
        return b""
    infos = [info_message(transaction, row) for transaction in row.transactions]
    return pb.TransactionInfoList(transactionInfo=infos).SerializeToString()


METHODS: Final[Mapping[str, _Method]] = {
    "GetNowBlock2": _Method(pb.EmptyMessage, _get_now_block),
    "GetBlockByNum2": _Method(pb.NumberMessage, _get_block_by_num),
    "GetBlock": _Method(pb.BlockReq, _get_block),
    "GetBlockByLimitNext2": _Method(pb.BlockLimit, _get_blocks, is_solid=False),
    "GetTransactionById": _Method(pb.BytesMessage, _get_transaction),
    "GetTransactionInfoById": _Method(pb.BytesMessage, _get_info),
    "GetTransactionInfoByBlockNum": _Method(pb.NumberMessage, _get_infos),
}
