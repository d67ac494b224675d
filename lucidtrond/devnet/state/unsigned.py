"""Unsigned transactions as a node makes them for its clients."""

from typing import Final

from attrs import evolve
from google.protobuf.message import Message

from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.kinds.table import kind_of
from lucidtrond.devnet.state.view import ChainView
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.contracts import TYPE_URL_PREFIX
from lucidtrond.tron.jsonformat import CONTRACT_TYPES
from lucidtrond.tron.transaction import Reference, Transaction

LIFETIME_MS: Final = 60_000
"""Wallet.createTransactionCapsule: TRANSACTION_DEFAULT_EXPIRATION."""


def check_contract(chain: ChainView, raw: pb.Transaction.raw) -> None:
    """Ask the actuator, with the pool's state. Raises Invalid."""
    read = Candidate.read(Transaction(raw.SerializeToString(deterministic=True)))
    candidate = evolve(read, building=True)
    kind_of(candidate).validate(chain.pending, candidate, chain.genesis)


def raw_data_of(
    chain: ChainView, message: Message, *, now_ms: int
) -> pb.Transaction.raw:
    """Refers to the solidified block and lives a minute from the head's time."""
    properties = chain.head.globals
    solid = chain.block(properties.solid)
    reference = Reference.to_block((solid.id if solid else properties.block_id).hex())
    raw = pb.Transaction.raw(
        ref_block_bytes=reference.block_bytes,
        ref_block_hash=reference.block_hash,
        expiration=properties.timestamp + LIFETIME_MS,
        timestamp=now_ms,
    )
    name = message.DESCRIPTOR.name
    raw.contract.add(
        type=CONTRACT_TYPES[name],
        parameter=pb.Any(
            type_url=TYPE_URL_PREFIX + name,
            value=message.SerializeToString(deterministic=True),
        ),
    )
    return raw
