"""Calls of contracts: what the node checks, what they may use, how they end.

VMActuator of java-tron with the one contract that runs here. A call that fails is part
of the chain like any other: it changes nothing, but its energy is paid.
"""

from typing import Final, Self

from msgspec import Struct

from lucidtrond.devnet.state.blocks import CallRow, LogRow
from lucidtrond.devnet.state.deployed import Contract
from lucidtrond.devnet.state.energy import available, offered, pay_together
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.invariants import present
from lucidtrond.devnet.state.native_token import call
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.token_run import TokenFacts, TokenResult
from lucidtrond.devnet.state.token_sorts import PLAIN, SORTS
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.units import Sun

CONSTANT_ENERGY: Final = 100_000_000
"""vm.maxEnergyLimitForConstant."""
MIN_TOKEN_ID: Final = 1_000_000


class Call(Struct, frozen=True):
    """TriggerSmartContract. Addresses are 21 bytes, *value* is sun."""

    caller: bytes
    contract: bytes
    data: bytes
    value: int = 0
    token_value: int = 0
    token_id: int = 0

    @classmethod
    def of(cls, message: pb.TriggerSmartContract) -> Self:
        """The call that a contract asks for."""
        return cls(
            message.owner_address,
            contract=message.contract_address,
            data=message.data,
            value=message.call_value,
            token_value=message.call_token_value,
            token_id=message.token_id,
        )


class _Slots:
    """The storage of one contract."""

    def __init__(self, world: World, address: bytes) -> None:
        self._world, self._address = world, address

    def get(self, slot: bytes) -> int:
        return int.from_bytes(self._world.slots.get(self._address + slot) or b"", "big")

    def put(self, slot: bytes, value: int) -> None:
        self._world.put_slot(self._address + slot, value)


def validate_call(world: World, wanted: Call, fee_limit: int, genesis: Genesis) -> None:
    """VMActuator.call, up to the point where the contract runs."""
    _check_arguments(world, wanted, unknown="No contract or not a smart contract")
    limit = genesis.parameters.max_fee_limit
    if not 0 <= fee_limit <= limit:
        raise Invalid(f"feeLimit must be >= 0 and <= {limit}")
    _check_value(world, wanted)


def execute_call(
    world: World, wanted: Call, fee_limit: int, genesis: Genesis
) -> CallRow:
    """Run the contract and take what its energy costs."""
    contract = present(world.contracts.get(wanted.contract))
    limit = available(
        present(world.accounts.get(wanted.caller)),
        world,
        genesis,
        fee_limit=fee_limit,
        value=wanted.value,
    )
    limit += offered(contract, wanted.caller, limit, world, genesis)
    result = _run(world, wanted, limit, simulated=False)
    slots = _Slots(world, wanted.contract)
    for slot, value in result.changes.items():
        slots.put(slot, value)
    bill = pay_together(world, contract, wanted.caller, result.energy, genesis)
    return CallRow(
        contract=wanted.contract,
        result=pb.Transaction.Result.contractResult.Value(result.result),
        returned=result.data,
        energy_total=result.energy,
        energy_fee=bill.fee,
        energy_usage=bill.usage,
        message=result.message,
        logs=logs_of(result, wanted.contract),
        origin_usage=bill.origin_usage,
    )


def call_constant(world: World, wanted: Call) -> TokenResult:
    """Run a call of anybody's that stays without effect.

    Raises:
        Invalid: it can't be run at all.
    """
    _check_arguments(world, wanted, unknown="Smart contract is not exist.")
    _check_value(world, wanted)
    return _run(world, wanted, CONSTANT_ENERGY, simulated=True)


def logs_of(result: TokenResult, contract: bytes) -> tuple[LogRow, ...]:
    """The logs of a call as rows."""
    return tuple(LogRow(contract, log.topics, log.data) for log in result.logs)


def _check_arguments(world: World, wanted: Call, *, unknown: str) -> None:
    if world.contracts.get(wanted.contract) is None:
        raise Invalid(unknown)
    if wanted.value < 0:
        raise Invalid("callValue must be >= 0")
    if wanted.token_value < 0:
        raise Invalid("tokenValue must be >= 0")
    # VMActuator.checkTokenValueAndId
    if wanted.token_id and wanted.token_id <= MIN_TOKEN_ID:
        raise Invalid(f"tokenId must be > {MIN_TOKEN_ID}")
    if wanted.token_value and not wanted.token_id:
        raise Invalid(
            f"invalid arguments with tokenValue = {wanted.token_value}, tokenId = 0"
        )


def _check_value(world: World, wanted: Call) -> None:
    # VMUtils.validateForSmartContract
    if wanted.token_value:
        raise Invalid("this devnet's contracts take no TRC-10 tokens")
    if not wanted.value:
        return
    caller = world.accounts.get(wanted.caller)
    if caller is None:
        raise Invalid("Validate InternalTransfer error, no OwnerAccount.")
    if caller.balance < wanted.value:
        raise Invalid("Validate InternalTransfer error, balance is not sufficient.")


def _run(world: World, wanted: Call, limit: int, *, simulated: bool) -> TokenResult:
    contract = present(world.contracts.get(wanted.contract))
    return call(
        _facts(contract),
        _Slots(world, wanted.contract),
        caller=wanted.caller[1:],
        data=wanted.data,
        limit=limit,
        value=Sun(wanted.value),
        simulated=simulated,
    )


def _facts(contract: Contract) -> TokenFacts:
    return TokenFacts(
        contract.name,
        contract.symbol,
        contract.decimals,
        owner=contract.origin[1:],
        sort=SORTS.get(contract.sort, PLAIN),
    )
