"""A chain's definition made into its first block, keys and schedule.

The genesis block is made as java-tron makes it: unsigned transfers from an "owner" of
23 ASCII characters, and a sentence in place of a witness.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from attrs import field, frozen
from msgspec import Struct

from lucidtrond.devnet.state.first_tokens import place_of
from lucidtrond.devnet.state.first_world import first_world
from lucidtrond.devnet.state.genesis_file import (
    AccountRow,
    AssetRow,
    BadGenesis,
    GenesisFile,
    WitnessRow,
    tokens_in,
)
from lucidtrond.devnet.state.parameters import Parameters
from lucidtrond.devnet.state.token_sorts import check_sorts
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import contracts
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.address import Address, InvalidAddress
from lucidtrond.tron.block import (
    BLOCK_INTERVAL_MS,
    Block,
    BlockHeader,
    BlockId,
    BlockTransaction,
    tx_trie_root,
)
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.transaction import Transaction
from lucidtrond.tron.units import Sun, UnixMillis

# GenesisBlock and BlockUtil.newGenesisBlockCapsule of java-tron.
GENESIS_OWNER: Final = b"0x000000000000000000000"
GENESIS_WITNESS: Final = (
    b"A new system must allow existing systems to be linked together"
    b" without requiring any central control or coordination"
)


class FundedAccount(Struct, frozen=True):
    """An account whose key anybody may know."""

    name: str
    key: PrivateKey
    balance: Sun


@frozen
class Genesis:
    """What a chain is made from; equal files make equal chains."""

    file: GenesisFile
    block: Block = field(eq=False)
    id: BlockId = field(eq=False)
    parameters: Parameters = field(eq=False)
    default_operations: bytes = field(eq=False)
    witness_keys: Mapping[bytes, PrivateKey] = field(eq=False, repr=False)
    """The witnesses' own."""
    known_keys: Mapping[bytes, PrivateKey] = field(eq=False, repr=False)
    """All that the definition names, by their addresses: those that may sign blocks."""
    schedule: tuple[bytes, ...] = field(eq=False)
    """Witness addresses in the order of their slots."""
    funded: tuple[FundedAccount, ...] = field(eq=False, repr=False)

    @property
    def fake(self) -> bytes | None:
        """Where the contract is that only looks like the token."""
        row = self.file.fake_token
        return None if row is msgspec.UNSET else place_of(row, self.id)

    @property
    def producers(self) -> Mapping[Address, Address]:
        """Each producer with the address of the key that it begins with."""
        keys = {}
        for row in self.file.witnesses:
            address = Address.from_base58(row.address)
            signing_key = row.signing_key
            # Its own key makes the address that it states: see `make_genesis`.
            keys[address] = (
                PrivateKey.from_hex(signing_key).address if signing_key else address
            )
        return keys

    @property
    def timestamp(self) -> UnixMillis:
        return self.block.header.timestamp

    def slot(self, timestamp: int) -> int:
        """Slots since the genesis block; the state counts time in them."""
        return (timestamp - self.timestamp) // BLOCK_INTERVAL_MS

    def world(self) -> World:
        """The state after the genesis block."""
        return first_world(self.file, self.block.header, self.default_operations)


def parse_genesis(data: bytes) -> Genesis:
    """Read a chain's definition.

    Raises:
        BadGenesis: not such a file, or it states another block id than it makes.
    """
    try:
        file = msgspec.json.decode(data, type=GenesisFile)
    except msgspec.DecodeError as error:
        raise BadGenesis(f"not a chain definition: {error}") from None
    return make_genesis(file)


def format_genesis(genesis: Genesis) -> bytes:
    """The inverse of `parse_genesis`."""
    return msgspec.json.encode(genesis.file)


def make_genesis(file: GenesisFile) -> Genesis:
    """Make block 0 and all that follows from the definition.

    Raises:
        BadGenesis: a value is impossible, or the stated id is another one.
    """
    try:
        block = _block(file)
        witnesses = sorted(file.witnesses, key=lambda row: -row.votes)
        keys = {_raw(row.address): _key(row) for row in witnesses}
        account_keys = [*map(_key, file.accounts)]
        keyed = [*account_keys, *keys.values(), *_signing_keys(file)]
        funded = tuple(
            FundedAccount(row.name, key, Sun(row.balance))
            for row, key in zip(file.accounts, account_keys, strict=True)
            if row.exists
        )
        every = tuple((row.key, row.value) for row in file.chain_parameters)
        parameters = Parameters.of(every)
        operations = bytes.fromhex(file.default_active_operations)
        for token in tokens_in(file):
            _raw(token.owner)
        if file.token_sorts is not msgspec.UNSET:
            check_sorts(file.token_sorts)
    except (InvalidAddress, ValueError, KeyError) as error:
        raise BadGenesis(f"chain definition: {error}") from None
    if not keys or not funded:
        raise BadGenesis("chain definition: no witness, or no account with a key")
    block_id = block.header.id
    if file.genesis_block_id not in ("", block_id):
        raise BadGenesis(
            f"chain definition: states block id {file.genesis_block_id},"
            f" makes {block_id}"
        )
    return Genesis(
        file,
        block=block,
        id=block_id,
        parameters=parameters,
        default_operations=operations,
        witness_keys=keys,
        known_keys={key.address.raw: key for key in keyed},
        schedule=tuple(keys),
        funded=funded,
    )


def _raw(address: str) -> bytes:
    return Address.from_base58(address).raw


def _key(row: AccountRow | WitnessRow) -> PrivateKey:
    key = PrivateKey.from_hex(row.private_key)
    if key.address.base58 != row.address:
        raise BadGenesis(f"chain definition: the key of {row.name} is another's")
    return key


def _signing_keys(file: GenesisFile) -> Iterator[PrivateKey]:
    for row in file.witnesses:
        if row.signing_key:
            yield PrivateKey.from_hex(row.signing_key)


def _block(file: GenesisFile) -> Block:
    transactions = tuple(_transfer(row) for row in file.genesis_assets)
    header = BlockHeader(
        number=0,
        timestamp=UnixMillis(file.genesis_timestamp),
        parent_id=BlockId(file.genesis_parent_hash),
        tx_trie_root=tx_trie_root(transactions),
        witness=GENESIS_WITNESS,
        version=0,
    )
    return Block(header, transactions)


def _transfer(row: AssetRow) -> BlockTransaction:
    transfer = pb.TransferContract(
        owner_address=GENESIS_OWNER, to_address=_raw(row.address), amount=row.balance
    )
    raw = pb.Transaction.raw()
    raw.contract.add(
        type=contracts.TRANSFER,
        parameter=pb.Any(
            type_url=contracts.TYPE_URL_PREFIX + transfer.DESCRIPTOR.name,
            value=transfer.SerializeToString(),
        ),
    )
    return BlockTransaction(Transaction(raw.SerializeToString()))
