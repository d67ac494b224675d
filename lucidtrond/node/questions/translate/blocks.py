"""Blocks and transactions, recomputed from their bytes. Pure.

A block is built from ``raw_data_hex``, signatures and ``ret`` (see `results`): those
are what its id commits to, through the transaction root. The JSON of ``raw_data`` could
say anything; where its amounts differ from the bytes, the node lies.

Unknown fields of a transaction or a result count in the root and are not printed. So a
block with nothing wrong but its root is no lie: it is read with ``root_proven`` False.
Then the header is proven, and that a txid belongs to its bytes; which transactions
stand in the block, and what became of them, is this node's word. Unknown fields of a
header can't be told apart from a lie: its id does not fit.
"""

from typing import Final

from attrs import evolve
from google.protobuf.message import DecodeError

from lucidtrond.node.questions import wire
from lucidtrond.node.questions.results import UnreadableResult, encode_result
from lucidtrond.node.questions.translate.checks import (
    Contradiction,
    InvalidAnswer,
    limited,
    read_hash,
    unhex,
)
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.block import (
    BadBlock,
    Block,
    BlockHeader,
    BlockId,
    BlockTransaction,
    RootMismatch,
    check_block,
    code_alone,
    tx_trie_root,
)
from lucidtrond.tron.keys import BadSignature
from lucidtrond.tron.transaction import Transaction, TxId
from lucidtrond.tron.units import UnixMillis
from lucidtrond.tron.wirebytes import parse

_Moving = pb.TransferContract | pb.TransferAssetContract | pb.TriggerSmartContract
_MOVES: Final[dict[int, type[_Moving]]] = {
    pb.Transaction.Contract.TransferContract: pb.TransferContract,
    pb.Transaction.Contract.TransferAssetContract: pb.TransferAssetContract,
    pb.Transaction.Contract.TriggerSmartContract: pb.TriggerSmartContract,
}


def read_header(answer: wire.BlockJson) -> BlockHeader:
    """A header with its id and signature checked; transactions are not looked at."""
    return check_header(_header(answer), BlockId(answer.block_id.lower()))


def check_header(header: BlockHeader, block_id: BlockId) -> BlockHeader:
    """The same header, whose id is *block_id* and which a key signed.

    Whether that key is its producer's is for `chain.producers` to say.
    """
    signed = True
    try:
        computed = header.id
        if header.number == 0:
            signed = not header.witness_signature  # nobody signs block 0
        else:
            header.signer()
    except BadSignature:
        signed = False
    except (ValueError, OverflowError):
        raise InvalidAnswer("a header that can't be written") from None
    if computed != block_id:
        raise Contradiction(f"block {header.number}: its id does not fit its header")
    if not signed:
        raise Contradiction(f"block {header.number}: no key signed its header")
    return header


def read_block(answer: wire.BlockJson) -> Block:
    """A block that was checked as a whole; see `Block.root_proven`."""
    block = Block(_header(answer), tuple(map(_transaction, answer.transactions)))
    expected_id = BlockId(answer.block_id.lower())
    try:
        check_block(block, expected_id=expected_id)
    except RootMismatch:
        return _with_codes_alone(block) or evolve(block, root_proven=False)
    except BadBlock as why:
        raise Contradiction(str(why)) from None
    return block


def _with_codes_alone(block: Block) -> Block | None:
    """The block if its root is that of results which hold nothing but a code: gateways
    that index the chain print fees beside it (TronGrid's /v1 does)."""
    bare = tuple(
        evolve(included, results=tuple(map(code_alone, included.results)))
        for included in block.transactions
    )
    fits = tx_trie_root(bare) == block.header.tx_trie_root
    return evolve(block, transactions=bare) if fits else None


def _header(answer: wire.BlockJson) -> BlockHeader:
    if answer.block_header is None or not answer.block_id:
        raise InvalidAnswer("a block without header or id")
    raw = answer.block_header.raw_data
    return BlockHeader(
        number=limited(raw.number, "block number"),
        timestamp=UnixMillis(limited(raw.timestamp, "block time")),
        parent_id=BlockId(read_hash(raw.parent_hash, "parentHash").hex()),
        tx_trie_root=read_hash(raw.tx_trie_root, "txTrieRoot"),
        witness=unhex(raw.witness_address, "witness_address"),
        version=raw.version,
        witness_signature=unhex(
            answer.block_header.witness_signature, "witness_signature"
        ),
        witness_id=raw.witness_id,
        account_state_root=unhex(raw.account_state_root, "accountStateRoot"),
    )


def read_transaction(answer: wire.TransactionJson, txid: TxId) -> BlockTransaction:
    """The transaction that was asked for."""
    stored = _transaction(answer)
    if stored.transaction.txid != txid:
        raise Contradiction(f"another transaction than {txid}")
    return stored


def _transaction(answer: wire.TransactionJson) -> BlockTransaction:
    raw = unhex(answer.raw_data_hex, "raw_data_hex")
    if not raw:
        raise InvalidAnswer("a transaction without raw data")
    signatures = tuple(unhex(text, "signature") for text in answer.signature)
    transaction = Transaction(raw, signatures)
    if answer.txid and answer.txid.lower() != transaction.txid:
        raise Contradiction(f"txID {answer.txid[:64]} is that of other raw data")
    _check_printed(answer.raw_data, raw, transaction.txid)
    try:
        results = tuple(map(encode_result, answer.ret))
    except UnreadableResult as why:
        raise InvalidAnswer(str(why)) from None
    return BlockTransaction(transaction, results)


def _check_printed(printed: wire.RawJson, raw: bytes, txid: TxId) -> None:
    """Require that the amounts which others would go by are those of the bytes."""
    if len(printed.contract) != 1:
        return
    value = printed.contract[0].parameter.value
    try:
        [contract] = pb.Transaction.raw.FromString(raw).contract
        kind = _MOVES.get(contract.type)
        if kind is None:
            return
        moved = parse(kind, contract.parameter.value)
    except (DecodeError, ValueError):
        return  # not for us to say: the chain may hold it all the same
    if isinstance(moved, pb.TriggerSmartContract):
        pairs = [(value.call_value, moved.call_value), (value.data, moved.data.hex())]
    else:
        pairs = [(value.amount, moved.amount)]
    for shown, actual in pairs:
        if shown is not None and shown != actual:
            raise Contradiction(
                f"transaction {txid}: {str(shown)[:80]} is printed for an amount or"
                f" data of {str(actual)[:80]}"
            )
