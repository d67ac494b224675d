"""What a token payment would do and cost, by a node's simulation of the very call.

Theory. What ``transfer`` returns proves nothing: mainnet's USDT returns 32 zero bytes
when it has moved the amount, old tokens return nothing, others return true and move
nothing. So a simulated call is judged by two things. A revert (or an error of the
machine) is a call that fails. Otherwise the logs of the simulation say whether it
moves anything: a Transfer log that the token's own contract writes, from the payer to
the recipient, above zero. Without one the payment is refused before it is signed,
since its receipt could not prove it paid either. The amount in the log may be lower
than what was asked for (a token that takes a fee); it is what arrives.

A node prints no ``logs`` when there are none, so one that is too old to print any looks
like a token that moves nothing, and no token can be paid through it: payments are
refused, never sent unjudged. java-tron 4.8.0, which today's networks run, prints them.

The simulation is a forecast of one node. What decides in the end are the logs of the
transaction's receipt (see `plan`).
"""

from typing import Final

from lucidtrond.errors import CallNotRun, InsufficientFunds, InvalidInput, WouldFail
from lucidtrond.sending.cost import PaymentShape, cost_of, fee_limits
from lucidtrond.sending.intent import Intent
from lucidtrond.sending.limits import Limits
from lucidtrond.sending.protocols import PaymentNode
from lucidtrond.sending.quote import Quote
from lucidtrond.sending.raw_transaction import size_of
from lucidtrond.sending.reserved import View
from lucidtrond.tron import trc20
from lucidtrond.tron.abi_types import AbiError
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockHeader
from lucidtrond.tron.contract_terms import (
    WHOLE,
    ContractTerms,
    EnergyShares,
    share_energy,
)
from lucidtrond.tron.contracts_smart import Trigger
from lucidtrond.tron.receipt import ConstantResult
from lucidtrond.tron.units import Sun

_NOTHING_MOVES: Final = (
    "the simulated call succeeds and writes no Transfer log of the token from the payer"
    " to the recipient: nothing would be paid, or nothing could prove that it was"
)


async def fetch_token_quote(
    node: PaymentNode,
    intent: Intent,
    limits: Limits,
    *,
    call: Trigger,
    head: BlockHeader,
) -> Quote:
    """Simulate the *call* that pays; about seven questions, most of them cached.

    Raises:
        InvalidInput: the asset is no token.
        InsufficientFunds: less of the token than is to be paid.
        WouldFail: the token refuses this payment, or would not move anything.
        NodeError
    """
    token = call.contract
    payer = await node.fetch_account(intent.owner)
    prices = (await node.fetch_parameters()).value
    resources = await node.fetch_resources(intent.owner)
    balance = await fetch_token_balance(node, token, intent.owner)
    if balance < intent.amount:
        raise InsufficientFunds(
            "the token balance does not cover the payment",
            asset=intent.asset,
            needed_raw=str(intent.amount),
            available_raw=str(balance),
        )
    simulated = await _simulate(node, intent, call)
    arrives = _check_simulation(intent, simulated, token)
    energy = simulated.energy_used
    shares = await _shares(node, token, intent.owner, energy)
    needed, proposed = fee_limits(energy, prices, shares=shares)
    cap = min(
        limits.fee_limit if intent.fee_limit is None else intent.fee_limit,
        prices.max_fee_limit,
    )
    fee_limit = Sun(min(proposed, cap))
    size = size_of(intent, call, head, fee_limit=fee_limit)
    shape = PaymentShape(
        size, has_memo=bool(intent.memo), energy=shares.caller, fee_limit=fee_limit
    )
    as_of = min(payer.as_of_block, resources.as_of_block)
    return Quote(
        size,
        cost_of(shape, prices, creates=False, resources=resources.value),
        (View(payer.value.balance, as_of, balance),),
        energy=energy,
        origin_energy=shares.origin,
        arrives=arrives,
        needed_fee_limit=needed,
        fee_limit=fee_limit,
        fee_limit_cap=cap,
    )


async def _simulate(node: PaymentNode, intent: Intent, call: Trigger) -> ConstantResult:
    try:
        return await node.call_constant(
            owner=call.owner, contract=call.contract, data=call.data
        )
    except CallNotRun as why:
        # Contracts of old compilers end in an invalid opcode where others revert.
        raise _would_fail(intent, why.reason) from None


def _check_simulation(intent: Intent, simulated: ConstantResult, token: Address) -> int:
    """Give what would arrive."""
    if simulated.reverted:
        raise _would_fail(intent, simulated.reason)
    arrives = trc20.amount_moved(
        simulated.logs, token=token, sender=intent.owner, recipient=intent.to
    )
    if not arrives:
        raise _would_fail(intent, _NOTHING_MOVES)
    return arrives


def _would_fail(intent: Intent, reason: str) -> WouldFail:
    return WouldFail(
        f"the token refuses this payment: {reason}", asset=intent.asset, reason=reason
    )


async def _shares(
    node: PaymentNode, token: Address, caller: Address, energy: int
) -> EnergyShares:
    """Who would pay for the call now; its maker's part is of staked energy only."""
    terms = await node.fetch_contract(token) or ContractTerms(token)
    if not terms.shares_cost_with(caller):
        return share_energy(energy, WHOLE, available=0)
    origin = (await node.fetch_resources(terms.origin)).value
    left = max(origin.energy_limit - origin.energy_used, 0)
    return share_energy(
        energy, terms.caller_percent, available=min(left, terms.origin_energy_limit)
    )


async def fetch_token_balance(
    node: PaymentNode, token: Address, owner: Address, *, solid: bool = False
) -> int:
    """Ask a token for a balance, in its smallest units.

    Raises:
        InvalidInput: there is no contract, or none that gives balances.
        NodeError
    """
    try:
        answer = await node.call_constant(
            owner=owner, contract=token, data=trc20.balance_of(owner), solid=solid
        )
        if not answer.reverted:
            return trc20.parse_amount_result(answer.result)
    except (CallNotRun, AbiError):
        pass
    raise InvalidInput(f"asset: there is no TRC-20 token at {token.base58}")
