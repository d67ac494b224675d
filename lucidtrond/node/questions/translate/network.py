"""The chain's parameters, the node itself, and its answer to a broadcast. Pure."""

from lucidtrond.node.questions import wire
from lucidtrond.node.questions.translate.checks import (
    Contradiction,
    InvalidAnswer,
    read_address,
    unsigned,
)
from lucidtrond.tron.address import Address
from lucidtrond.tron.broadcast import CODES, SUCCESS, BroadcastAnswer
from lucidtrond.tron.node_facts import NodeFacts
from lucidtrond.tron.nodetext import read_node_text
from lucidtrond.tron.parameters import ChainParameters
from lucidtrond.tron.transaction import TxId
from lucidtrond.tron.units import Sun


def read_parameters(answer: wire.ParametersJson) -> ChainParameters:
    """Chain parameters; each price that we use must be there."""
    every = {entry.key: entry.value for entry in answer.chain_parameter}

    def price(key: str) -> Sun:
        if key not in every:
            raise InvalidAnswer(f"chain parameters without {key}")
        return Sun(unsigned(every[key], key))

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


def read_active_producers(answer: wire.WitnessesJson) -> frozenset[Address]:
    """The witnesses that take turns now."""
    active = [witness.address for witness in answer.witnesses if witness.is_jobs]
    if not active:
        raise InvalidAnswer("no witness that makes blocks")
    return frozenset(map(read_address, active))


def read_facts(answer: wire.NodeInfoJson) -> NodeFacts:
    """What getnodeinfo says."""
    return NodeFacts(
        version=answer.config_node_info.code_version[:64],
        head_number=_number_in(answer.block),
        solid_number=_number_in(answer.solidity_block),
        peers=answer.current_connect_count,
    )


def _number_in(text: str) -> int:
    """Of ``Num:N,ID:hex``."""
    number = text.partition(",")[0].removeprefix("Num:")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise InvalidAnswer("getnodeinfo without block numbers")
    return int(number)


def read_broadcast(
    answer: wire.BroadcastJson, txid: TxId, *, name: str
) -> BroadcastAnswer:
    """What endpoint *name* said to transaction *txid*."""
    if not answer.txid:
        raise InvalidAnswer("a broadcast's answer without txid")
    if answer.txid.lower() != txid:
        raise Contradiction(f"it read another transaction than {txid}")
    printed = answer.code or (SUCCESS if answer.result else "")
    code = printed if isinstance(printed, str) else CODES.get(printed, str(printed))
    if answer.result != (code == SUCCESS):
        raise Contradiction("a broadcast's result and code do not fit")
    return BroadcastAnswer(code, read_node_text(answer.message), txid, name)
