"""A transaction on its way into the chain, read once for all the checks it meets."""

from typing import Final, Generic, Self, TypeVar, cast

from attrs import frozen
from google.protobuf.message import DecodeError, Message

from lucidtrond.devnet.state.invariants import present
from lucidtrond.devnet.state.received import contract_message, unpack
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.hashing import sha256
from lucidtrond.tron.jsonformat import CONTRACT_TYPES
from lucidtrond.tron.transaction import MalformedTransaction, Transaction

M_co = TypeVar("M_co", bound=Message, covariant=True)

_OWNER_NAMES: Final = frozenset({"owner_address", "transparent_from_address"})
_OWNER_FIELDS: Final[dict[int, int]] = {
    number: field.number
    for number in CONTRACT_TYPES.values()
    if (made := contract_message(number))
    for field in made.DESCRIPTOR.fields
    if field.name in _OWNER_NAMES
}
"""The number of the field that names the owner, by ContractType."""


@frozen
class CandidateOf(Generic[M_co]):
    """What the checks look at. *contracts* should be 1; the others belong to the first.

    *size* is that of the whole message without results. A contract that does not
    unpack has an empty *message* and no *owner*, whose signature nobody can make.
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
    owner: bytes
    parameter: bytes
    """The contract's own bytes, which `message` reads."""
    results: tuple[bytes, ...] = ()
    """Encoded Transaction.Result messages that the sender put there."""
    building: bool = False
    """It is only being built: its own bandwidth is not taken yet."""

    @classmethod
    def read(cls, transaction: Transaction, results: tuple[bytes, ...] = ()) -> Self:
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
        owners = value.content(_OWNER_FIELDS[contract.type]) if value else ()
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
            owner=owners[-1] if owners else b"",
            parameter=value.encode_fields() if value else b"",
            results=results,
        )

    @property
    def whole_size(self) -> int:
        """With the sender's results, in bytes but for their tags."""
        return self.size + sum(map(len, self.results))

    @property
    def message(self) -> M_co:
        """The contract by the names of its fields, read anew each time.

        Only for types that have a message, as all kinds of `kinds.table` do.
        """
        made = present(contract_message(self.type))
        return cast("type[M_co]", made).FromString(self.parameter)


@frozen
class Candidate(CandidateOf[Message]):
    """One of any kind."""
