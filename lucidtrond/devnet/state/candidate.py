"""A transaction on its way into the chain, read once for all the checks it meets."""

from typing import Final, Self, TypeVar

from attrs import frozen
from google.protobuf.message import DecodeError, Message

from lucidtrond.devnet.state.received import unpack
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.hashing import sha256
from lucidtrond.tron.transaction import MalformedTransaction, Transaction

M = TypeVar("M", bound=Message)

ACCOUNT_CREATE: Final = 0
TRANSFER: Final = 1
TRANSFER_ASSET: Final = 2
VOTE_WITNESS: Final = 4
WITNESS_CREATE: Final = 5
ASSET_ISSUE: Final = 6
WITNESS_UPDATE: Final = 8
PARTICIPATE_ASSET_ISSUE: Final = 9
ACCOUNT_UPDATE: Final = 10
FREEZE_BALANCE: Final = 11
UNFREEZE_BALANCE: Final = 12
WITHDRAW_BALANCE: Final = 13
UNFREEZE_ASSET: Final = 14
UPDATE_ASSET: Final = 15
PROPOSAL_CREATE: Final = 16
PROPOSAL_APPROVE: Final = 17
PROPOSAL_DELETE: Final = 18
SET_ACCOUNT_ID: Final = 19
TRIGGER_SMART_CONTRACT: Final = 31
UPDATE_SETTING: Final = 33
EXCHANGE_CREATE: Final = 41
EXCHANGE_INJECT: Final = 42
EXCHANGE_WITHDRAW: Final = 43
EXCHANGE_TRANSACTION: Final = 44
UPDATE_ENERGY_LIMIT: Final = 45
ACCOUNT_PERMISSION_UPDATE: Final = 46
CLEAR_ABI: Final = 48
UPDATE_BROKERAGE: Final = 49
MARKET_SELL_ASSET: Final = 52
MARKET_CANCEL_ORDER: Final = 53
FREEZE_BALANCE_V2: Final = 54
UNFREEZE_BALANCE_V2: Final = 55
WITHDRAW_EXPIRE_UNFREEZE: Final = 56
DELEGATE_RESOURCE: Final = 57
UNDELEGATE_RESOURCE: Final = 58
CANCEL_ALL_UNFREEZE_V2: Final = 59

# Where the owner is not field 1: messages of account_contract.proto and
# asset_issue_contract.proto.
_OWNER_FIELD: Final = {TRANSFER_ASSET: 2, ACCOUNT_UPDATE: 2, SET_ACCOUNT_ID: 2}


@frozen
class Candidate:
    """What the checks look at. *contracts* should be 1; the others belong to the first.

    *size* is that of the whole message without results. A contract that does not
    unpack has no fields and no *owner*, whose signature nobody can make.
    """

    transaction: Transaction
    txid: bytes
    size: int
    expiration: int
    reference: tuple[bytes, bytes]
    memo: bytes
    fee_limit: int
    contracts: int
    type: int
    permission_id: int
    fields: dict[int, int | bytes]
    owner: bytes
    parameter: bytes
    """The whole contract, for kinds with fields inside fields."""
    building: bool = False
    """It is only being built: its own bandwidth is not taken yet."""

    @classmethod
    def read(cls, transaction: Transaction) -> Self:
        """Read a transaction whose raw data are as a node serialises them (`receive`).

        Raises:
            MalformedTransaction: the raw data is no message.
        """
        try:
            raw = pb.Transaction.raw.FromString(transaction.raw)
        except DecodeError:
            raise MalformedTransaction("raw data is not a protobuf message") from None
        contract = raw.contract[0] if raw.contract else pb.Transaction.Contract()
        value = unpack(contract)
        known = value.known if value else {}
        # Of a repeated field there is the last; who wants all reads `parameter`.
        fields = {number: values[-1] for number, values in known.items()}
        owner = fields.get(_OWNER_FIELD.get(contract.type, 1), b"")
        return cls(
            transaction,
            txid=sha256(transaction.raw),
            size=len(transaction.encode()),
            expiration=raw.expiration,
            reference=(raw.ref_block_bytes, raw.ref_block_hash),
            memo=raw.data,
            fee_limit=raw.fee_limit,
            contracts=len(raw.contract),
            type=contract.type,
            permission_id=contract.Permission_id,
            fields=fields,
            owner=owner if isinstance(owner, bytes) else b"",
            parameter=value.encode_known() if value else b"",
        )

    def bytes_field(self, number: int) -> bytes:
        """A bytes field of the contract, empty when it is absent."""
        value = self.fields.get(number, b"")
        return value if isinstance(value, bytes) else b""

    def int_field(self, number: int) -> int:
        """An int64 field of the contract, 0 when it is absent."""
        value = self.fields.get(number, 0)
        if not isinstance(value, int):
            return 0
        return value - (1 << 64) if value >> 63 else value


def read_contract(kind: type[M], candidate: Candidate) -> M:
    """The whole contract as a message, which `Candidate.read` unpacked."""
    return kind.FromString(candidate.parameter)
