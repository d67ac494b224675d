"""What a kind of contract declares: its message, what it does, how a node serves it.

A family's module declares its kinds in `KINDS`; `table` collects them, and the lists of
routes, builders and actuators are derived from that.
"""

from collections.abc import Callable
from enum import Enum
from typing import Generic, NoReturn, TypeVar

from attrs import frozen
from google.protobuf.message import Message

from lucidtrond.devnet.state.blocks import CallRow, ReceiptRow
from lucidtrond.devnet.state.candidate import CandidateOf
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.rejections import Invalid
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.units import Sun

M = TypeVar("M", bound=Message)


class Get(Enum):
    """What a servlet says to GET."""

    ANSWERS = "the same as to POST"
    EMPTY = "200 and nothing"
    REFUSED = "405"


def not_executed(
    _world: World, candidate: CandidateOf[Message], _genesis: Genesis
) -> NoReturn:
    """Raises Invalid: this chain does not run the kind."""
    raise Invalid(f"contract type {candidate.type} is not executed by this devnet")


def _creates_none(_world: World, _candidate: CandidateOf[Message]) -> bool:
    return False


def _no_bytes(_message: Message) -> bytes:
    return b""


def _zero(_message: Message) -> int:
    return 0


@frozen(kw_only=True)
class ContractKind(Generic[M]):
    """One ContractType.

    *validate* raises `Invalid` with java-tron's texts in its order. *execute* changes
    the world and gives what it burned beside bandwidth (TransactionResult.fee), a call
    of a contract how it ended; who has more to say gives a receipt without bandwidth.
    """

    message: type[M]
    """Has the name of the ContractType."""
    validate: Callable[[World, CandidateOf[M], Genesis], None] = not_executed
    execute: Callable[[World, CandidateOf[M], Genesis], Sun | CallRow | ReceiptRow] = (
        not_executed
    )
    creates: Callable[[World, CandidateOf[M]], bool] = _creates_none
    """Whether it makes an account, for which bandwidth is charged differently."""
    issuer_pays: Callable[[M], bytes] | None = None
    """The token whose issuer may pay for the bandwidth."""
    changes_signers: bool = False

    path: str = ""
    """Of the servlet under ``/wallet/`` that builds it from its JSON; empty where a
    servlet of its own does."""
    get: Get = Get.EMPTY
    takes_memo: bool = False
    """The servlet knows ``extra_data`` (Util.setTransactionExtraData)."""
    checked_by_builder: bool = True
    """Wallet.createTransactionCapsule asks the actuator."""

    eth_to: Callable[[M], bytes] = _no_bytes
    """JsonRpcApiUtil.getTo: the first address beside the owner."""
    eth_value: Callable[[M], int] = _zero
    """JsonRpcApiUtil.getTransactionAmount."""
    eth_input: Callable[[M], bytes] = _no_bytes

    @property
    def is_executed(self) -> bool:
        """Whether this chain has an actuator; without, it is refused at first sight."""
        return self.validate is not not_executed

    @property
    def name(self) -> str:
        """Of the ContractType and of its message: ``TransferContract``."""
        return self.message.DESCRIPTOR.name

    @property
    def number(self) -> int:
        """Of the ContractType."""
        return pb.Transaction.Contract.ContractType.Value(self.name)
