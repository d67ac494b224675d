"""From a node's answers to our types, recomputing what can be recomputed. Pure.

A block is built from ``raw_data_hex``, signatures and ``ret`` (see `results`): those
are what its id commits to, through the transaction root. The JSON of ``raw_data`` could
say anything; where its amounts differ from the bytes, the node lies.

Unknown fields of a transaction or a result count in the root and are not printed. So a
block with nothing wrong but its root is no lie: it is read with ``root_proven`` False.
Then the header is proven, and that a txid belongs to its bytes; which transactions
stand in the block, and what became of them, is this node's word. Unknown fields of a
header can't be told apart from a lie: its id does not fit.

Functions give None for what the node does not have.
"""

from collections.abc import Sequence
from typing import Final

from attrs import evolve
from google.protobuf.message import DecodeError

from lucidtrond.node.questions import wire
from lucidtrond.node.questions.results import UnreadableResult, encode_result
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.account import Account, Resources
from lucidtrond.tron.address import PREFIX, SIZE, Address
from lucidtrond.tron.base58 import decode_check
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
from lucidtrond.tron.broadcast import CODES, SUCCESS, BroadcastAnswer
from lucidtrond.tron.contract_terms import (
    DEFAULT_ORIGIN_ENERGY_LIMIT,
    WHOLE,
    ContractTerms,
)
from lucidtrond.tron.keys import BadSignature
from lucidtrond.tron.node_facts import NodeFacts
from lucidtrond.tron.nodetext import read_node_text
from lucidtrond.tron.parameters import ChainParameters
from lucidtrond.tron.receipt import ConstantResult, InternalTransfer, Log, Receipt
from lucidtrond.tron.revert import read_revert
from lucidtrond.tron.transaction import Transaction, TxId
from lucidtrond.tron.units import Sun, UnixMillis
from lucidtrond.tron.wirebytes import parse

_HEX_DIGITS: Final = (40, 42)
_BEYOND: Final = 2**53
"""No chain gets there, and what we add to numbers and times stays far below 64 bits."""
_NO_SIMULATION: Final = "does not support constant"
"""Wallet.callConstantContract's "this node does not support constant"."""
MAX_SIMULATED_LOGS: Final = 2000
"""A transfer has a few; each costs a call hundreds of energy."""
_Moving = pb.TransferContract | pb.TransferAssetContract | pb.TriggerSmartContract
_MOVES: Final[dict[int, type[_Moving]]] = {
    pb.Transaction.Contract.TransferContract: pb.TransferContract,
    pb.Transaction.Contract.TransferAssetContract: pb.TransferAssetContract,
    pb.Transaction.Contract.TriggerSmartContract: pb.TriggerSmartContract,
}


class Nonsense(ValueError):
    """It can't be an answer to what was asked; the message says why."""


class Contradiction(Nonsense):
    """It contradicts itself, the question or what we computed."""


class CallsUnsupported(Nonsense):
    """The node runs no calls without effect; the message is its own."""


class CallRefused(Nonsense):
    """The node did not run a call; the message is its own."""


def read_header(found: wire.BlockJson) -> BlockHeader:
    """A header with its id and signature checked; transactions are not looked at.

    Some key signed it; whether it is its producer's is for `chain.producers` to say.
    """
    header = _header(found)
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
        raise Nonsense("a header that can't be written") from None
    if computed != found.block_id.lower():
        raise Contradiction(f"block {header.number}: its id does not fit its header")
    if not signed:
        raise Contradiction(f"block {header.number}: no key signed its header")
    return header


def read_block(found: wire.BlockJson) -> Block:
    """A block that was checked as a whole; see `Block.root_proven`."""
    block = Block(
        _header(found), tuple(_transaction(each) for each in found.transactions)
    )
    expected_id = BlockId(found.block_id.lower())
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
        evolve(each, results=tuple(map(code_alone, each.results)))
        for each in block.transactions
    )
    fits = tx_trie_root(bare) == block.header.tx_trie_root
    return evolve(block, transactions=bare) if fits else None


def _header(found: wire.BlockJson) -> BlockHeader:
    if found.block_header is None or not found.block_id:
        raise Nonsense("a block without header or id")
    raw = found.block_header.raw_data
    return BlockHeader(
        number=_counted(raw.number, "block number"),
        timestamp=UnixMillis(_counted(raw.timestamp, "block time")),
        parent_id=BlockId(_hash(raw.parent_hash, "parentHash").hex()),
        tx_trie_root=_hash(raw.tx_trie_root, "txTrieRoot"),
        witness=_unhex(raw.witness_address, "witness_address"),
        version=raw.version,
        witness_signature=_unhex(
            found.block_header.witness_signature, "witness_signature"
        ),
        witness_id=raw.witness_id,
        account_state_root=_unhex(raw.account_state_root, "accountStateRoot"),
    )


def read_transaction(found: wire.TransactionJson, txid: TxId) -> BlockTransaction:
    """The transaction that was asked for."""
    read = _transaction(found)
    if read.transaction.txid != txid:
        raise Contradiction(f"another transaction than {txid}")
    return read


def _transaction(found: wire.TransactionJson) -> BlockTransaction:
    raw = _unhex(found.raw_data_hex, "raw_data_hex")
    if not raw:
        raise Nonsense("a transaction without raw data")
    signatures = tuple(_unhex(each, "signature") for each in found.signature)
    transaction = Transaction(raw, signatures)
    if found.txid and found.txid.lower() != transaction.txid:
        raise Contradiction(f"txID {found.txid[:64]} is that of other raw data")
    _check_printed(found.raw_data, raw, transaction.txid)
    try:
        results = tuple(encode_result(each) for each in found.ret)
    except UnreadableResult as why:
        raise Nonsense(str(why)) from None
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
    for told, meant in pairs:
        if told is not None and told != meant:
            raise Contradiction(
                f"transaction {txid}: {str(told)[:80]} is printed for an amount or"
                f" data of {str(meant)[:80]}"
            )


def read_receipt(found: wire.InfoJson) -> Receipt:
    """One TransactionInfo; nothing of it can be recomputed but its form."""
    cost = found.receipt
    return Receipt(
        txid=TxId(_hash(found.id, "id").hex()),
        block_number=_unsigned(found.block_number, "blockNumber"),
        block_timestamp=UnixMillis(_unsigned(found.block_timestamp, "blockTimeStamp")),
        fee=Sun(_unsigned(found.fee, "fee")),
        net_usage=_unsigned(cost.net_usage, "net_usage"),
        net_fee=Sun(_unsigned(cost.net_fee, "net_fee")),
        energy_usage=_unsigned(cost.energy_usage, "energy_usage"),
        energy_usage_total=_unsigned(cost.energy_usage_total, "energy_usage_total"),
        energy_fee=Sun(_unsigned(cost.energy_fee, "energy_fee")),
        origin_energy_usage=_unsigned(cost.origin_energy_usage, "origin_energy_usage"),
        energy_penalty_total=_unsigned(
            cost.energy_penalty_total, "energy_penalty_total"
        ),
        vm_result=None if cost.result is None else str(cost.result),
        failed=found.result not in (None, "SUCESS", 0),  # spelled so in Tron.proto
        message=read_node_text(found.res_message),
        contract_address=_address_or_none(found.contract_address),
        contract_result=b"".join(
            _unhex(each, "contractResult") for each in found.contract_result[:1]
        ),
        logs=tuple(_log(each) for each in found.log),
        internal=tuple(_internal(each) for each in found.internal_transactions),
    )


def read_receipts(found: Sequence[wire.InfoJson], number: int) -> tuple[Receipt, ...]:
    """All receipts of block *number*, in its order."""
    receipts = tuple(read_receipt(each) for each in found)
    if any(each.block_number != number for each in receipts):
        raise Contradiction(f"receipts of another block than {number}")
    if len({each.block_timestamp for each in receipts}) > 1:
        raise Contradiction(f"receipts of block {number} with several times")
    if len({each.txid for each in receipts}) != len(receipts):
        raise Contradiction(f"two receipts of one transaction in block {number}")
    return receipts


def check_receipts(block: Block, receipts: Sequence[Receipt]) -> None:
    """Require one receipt for each transaction, in order, with the block's time."""
    wanted = [each.transaction.txid for each in block.transactions]
    header = block.header
    if [each.txid for each in receipts] != wanted:
        raise Contradiction(
            f"receipts of other transactions than block {header.number}"
        )
    if any(each.block_timestamp != header.timestamp for each in receipts):
        raise Contradiction(f"receipts with another time than block {header.number}")


def _log(found: wire.LogJson) -> Log:
    topics = tuple(_hash(each, "topic") for each in found.topics)
    return Log(_address(found.address), topics, _unhex(found.data, "data of a log"))


def _internal(found: wire.InternalJson) -> InternalTransfer:
    return InternalTransfer(
        hash=_unhex(found.hash, "hash").hex(),
        caller=_address_or_none(found.caller_address),
        to=_address_or_none(found.transfer_to_address),
        values=tuple(
            (each.call_value, each.token_id) for each in found.call_value_info
        ),
        note=read_node_text(found.note),
        rejected=found.rejected,
    )


def read_account(found: wire.AccountJson, address: Address) -> Account:
    """The account that was asked for, which exists."""
    if _address(found.address) != address:
        raise Contradiction(f"another account than {address}")
    stakes = {"BANDWIDTH": 0, "ENERGY": 0}
    for stake in found.frozen_v2:
        if stake.type in stakes:
            stakes[str(stake.type)] += stake.amount
    stakes["BANDWIDTH"] += sum(each.frozen_balance for each in found.frozen)
    stakes["ENERGY"] += found.account_resource.frozen_balance_for_energy.frozen_balance
    created = found.create_time
    return Account(
        address,
        activated=True,
        balance=Sun(found.balance),
        is_contract=found.type == "Contract",
        created_ms=None if created is None else UnixMillis(created),
        staked_bandwidth=Sun(stakes["BANDWIDTH"]),
        staked_energy=Sun(stakes["ENERGY"]),
        witness_key=_witness_key(found.witness_permission),
    )


def _witness_key(permission: wire.PermissionJson) -> Address | None:
    if not permission.keys:
        return None
    if len(permission.keys) > 1:
        raise Nonsense("a witness permission with more than one key")
    return _address(permission.keys[0].address)


def read_resources(found: wire.ResourcesJson) -> Resources:
    """Bandwidth and energy of an account that exists."""
    if not found.total_net_limit:
        raise Nonsense("resources without TotalNetLimit")
    return Resources(
        free_net_used=_unsigned(found.free_net_used, "freeNetUsed"),
        free_net_limit=_unsigned(found.free_net_limit, "freeNetLimit"),
        net_used=_unsigned(found.net_used, "NetUsed"),
        net_limit=_unsigned(found.net_limit, "NetLimit"),
        energy_used=_unsigned(found.energy_used, "EnergyUsed"),
        energy_limit=_unsigned(found.energy_limit, "EnergyLimit"),
    )


def read_parameters(found: wire.ParametersJson) -> ChainParameters:
    """Chain parameters; each price that we use must be there."""
    every = {each.key: each.value for each in found.chain_parameter}

    def price(key: str) -> Sun:
        if key not in every:
            raise Nonsense(f"chain parameters without {key}")
        return Sun(_unsigned(every[key], key))

    return ChainParameters(
        transaction_fee=price("getTransactionFee"),
        energy_fee=price("getEnergyFee"),
        create_account_fee=price("getCreateAccountFee"),
        activation_fee=price("getCreateNewAccountFeeInSystemContract"),
        memo_fee=price("getMemoFee"),
        multi_sign_fee=price("getMultiSignFee"),
        max_fee_limit=price("getMaxFeeLimit"),
        free_net_limit=price("getFreeNetLimit"),
        every=every,
    )


def read_facts(found: wire.NodeInfoJson) -> NodeFacts:
    """What getnodeinfo says."""
    return NodeFacts(
        version=found.config_node_info.code_version[:64],
        head_number=_number_in(found.block),
        solid_number=_number_in(found.solidity_block),
        peers=found.current_connect_count,
    )


def read_broadcast(
    found: wire.BroadcastJson, txid: TxId, *, name: str
) -> BroadcastAnswer:
    """What endpoint *name* said to transaction *txid*."""
    if not found.txid:
        raise Nonsense("a broadcast's answer without txid")
    if found.txid.lower() != txid:
        raise Contradiction(f"it read another transaction than {txid}")
    printed = found.code or (SUCCESS if found.result else "")
    code = printed if isinstance(printed, str) else CODES.get(printed, str(printed))
    if found.result != (code == SUCCESS):
        raise Contradiction("a broadcast's result and code do not fit")
    return BroadcastAnswer(code, read_node_text(found.message), txid, name)


def read_contract(found: wire.SmartContractJson, address: Address) -> ContractTerms:
    """The terms of the contract that was asked for."""
    if _address(found.contract_address) != address:
        raise Contradiction(f"another contract than {address}")
    # ContractCapsule: the percentage is clamped, a limit of 0 is the default.
    limit = _unsigned(found.origin_energy_limit, "origin_energy_limit")
    return ContractTerms(
        _address(found.origin_address),
        caller_percent=max(0, min(found.consume_user_resource_percent, WHOLE)),
        origin_energy_limit=limit or DEFAULT_ORIGIN_ENERGY_LIMIT,
    )


def read_constant(found: wire.ConstantJson) -> ConstantResult:
    """A simulated call that ran, to its end or to a revert.

    Raises:
        CallRefused: it did not run; the message is the node's.
        CallsUnsupported: none would.
    """
    outcome = found.outcome
    if outcome is None:
        raise Nonsense("a call's answer without result")
    message = read_node_text(outcome.message)
    if not outcome.result:
        if _NO_SIMULATION in message:
            raise CallsUnsupported(f"{message} (vm.supportConstant = false)")
        raise CallRefused(message or str(outcome.code or "the call can't be run"))
    result = b"".join(
        _unhex(each, "constant_result") for each in found.constant_result[:1]
    )
    if len(found.logs) > MAX_SIMULATED_LOGS:
        raise Nonsense(f"a simulated call with more than {MAX_SIMULATED_LOGS} logs")
    # A revert keeps result.result true; only the message tells.
    reason = read_revert(result) if message else None
    return ConstantResult(
        result,
        energy_used=_unsigned(found.energy_used, "energy_used"),
        energy_penalty=_unsigned(found.energy_penalty, "energy_penalty"),
        reverted=bool(message),
        reason=str(reason) if reason is not None else message,
        logs=tuple(_log(each) for each in found.logs),
    )


def _number_in(text: str) -> int:
    """Of ``Num:N,ID:hex``."""
    number = text.partition(",")[0].removeprefix("Num:")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise Nonsense("getnodeinfo without block numbers")
    return int(number)


def _address(text: str) -> Address:
    # TransactionInfo.Log has the 20 bytes of the machine, everything else 21. We ask
    # for hex; who prints base58 all the same can't be misread: it has a checksum.
    try:
        if len(text) > max(_HEX_DIGITS):  # reading base58 takes its length squared
            raise Nonsense("an address that is none")
        raw = bytes.fromhex(text) if len(text) in _HEX_DIGITS else decode_check(text)
        return Address(raw if len(raw) == SIZE else bytes([PREFIX]) + raw)
    except ValueError:
        raise Nonsense("an address that is none") from None


def _address_or_none(text: str) -> Address | None:
    return _address(text) if text else None


def _hash(text: str, what: str) -> bytes:
    data = _unhex(text, what)
    if len(data) != 32:
        raise Nonsense(f"{what}: expected 32 bytes, got {len(data)}")
    return data


def _unhex(text: str, what: str) -> bytes:
    try:
        data = bytes.fromhex(text)
    except ValueError:
        raise Nonsense(f"{what}: not hex") from None
    if len(data) * 2 != len(text):  # bytes.fromhex skips blanks
        raise Nonsense(f"{what}: not hex")
    return data


def _counted(number: int, what: str) -> int:
    if number >= _BEYOND:
        raise Nonsense(f"{what}: beyond 53 bits")
    return _unsigned(number, what)


def _unsigned(number: int, what: str) -> int:
    if number < 0:
        raise Nonsense(f"{what}: negative")
    return number
