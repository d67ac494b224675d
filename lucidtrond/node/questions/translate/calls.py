"""Contracts: who pays for calls, and what a simulated one gives. Pure."""

from typing import Final

from lucidtrond.node.questions import wire
from lucidtrond.node.questions.translate.checks import (
    CallRefused,
    CallsUnsupported,
    Contradiction,
    InvalidAnswer,
    read_address,
    unhex,
    unsigned,
)
from lucidtrond.node.questions.translate.receipts import read_log
from lucidtrond.tron.address import Address
from lucidtrond.tron.contract_terms import (
    DEFAULT_ORIGIN_ENERGY_LIMIT,
    WHOLE,
    ContractTerms,
)
from lucidtrond.tron.nodetext import read_node_text
from lucidtrond.tron.receipt import ConstantResult
from lucidtrond.tron.revert import read_revert

_NO_SIMULATION: Final = "does not support constant"
"""Wallet.callConstantContract's "this node does not support constant"."""
MAX_SIMULATED_LOGS: Final = 2000
"""A transfer has a few; each costs a call hundreds of energy."""


def read_contract(answer: wire.SmartContractJson, address: Address) -> ContractTerms:
    """The terms of the contract that was asked for."""
    if read_address(answer.contract_address) != address:
        raise Contradiction(f"another contract than {address}")
    # ContractCapsule: the percentage is clamped, a limit of 0 is the default.
    limit = unsigned(answer.origin_energy_limit, "origin_energy_limit")
    return ContractTerms(
        read_address(answer.origin_address),
        caller_percent=max(0, min(answer.consume_user_resource_percent, WHOLE)),
        origin_energy_limit=limit or DEFAULT_ORIGIN_ENERGY_LIMIT,
    )


def read_constant(answer: wire.ConstantJson) -> ConstantResult:
    """A simulated call that ran, to its end or to a revert.

    Raises:
        CallRefused: it did not run; the message is the node's.
        CallsUnsupported: none would.
    """
    outcome = answer.outcome
    if outcome is None:
        raise InvalidAnswer("a call's answer without result")
    message = read_node_text(outcome.message)
    if not outcome.result:
        if _NO_SIMULATION in message:
            raise CallsUnsupported(f"{message} (vm.supportConstant = false)")
        raise CallRefused(message or str(outcome.code or "the call can't be run"))
    result = b"".join(
        unhex(text, "constant_result") for text in answer.constant_result[:1]
    )
    if len(answer.logs) > MAX_SIMULATED_LOGS:
        raise InvalidAnswer(
            f"a simulated call with more than {MAX_SIMULATED_LOGS} logs"
        )
    # A revert keeps result.result true; only the message tells.
    reason = read_revert(result) if message else None
    return ConstantResult(
        result,
        energy_used=unsigned(answer.energy_used, "energy_used"),
        energy_penalty=unsigned(answer.energy_penalty, "energy_penalty"),
        reverted=bool(message),
        reason=str(reason) if reason is not None else message,
        logs=tuple(map(read_log, answer.logs)),
    )
