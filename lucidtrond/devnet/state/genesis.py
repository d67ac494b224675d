"""The first block and the state that every chain here starts from.

A chain is defined by a JSON file: the default one is made here, others come from the
operator (the format is that of recorded java-tron chains, keys that we do not need are
ignored). The genesis block is made as java-tron makes it: unsigned transfers from an
"owner" of 23 ASCII characters, and a sentence in place of a witness.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec
from attrs import field, frozen

from lucidtrond.devnet.state.account import (
    Account,
    Permissions,
    Witness,
    active_permission,
    owner_permission,
    witness_permission,
)
from lucidtrond.devnet.state.deployed import Contract
from lucidtrond.devnet.state.first_tokens import (
    TokenRow,
    contract_of,
    deploy,
    odd_contract,
    place_of,
)
from lucidtrond.devnet.state.parameters import MAINNET_LIKE, Parameters
from lucidtrond.devnet.state.token_sorts import (
    SORTS,
    UnknownSort,
    check_sorts,
)
from lucidtrond.devnet.state.world import Globals, World
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
from lucidtrond.tron.hashing import sha256
from lucidtrond.tron.hd import ACCOUNT_PATH, PrivateNode
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.transaction import Transaction
from lucidtrond.tron.units import SUN_PER_TRX, Sun, UnixMillis

# GenesisBlock and BlockUtil.newGenesisBlockCapsule of java-tron.
GENESIS_OWNER: Final = b"0x000000000000000000000"
GENESIS_WITNESS: Final = (
    b"A new system must allow existing systems to be linked together"
    b" without requiring any central control or coordination"
)
GENESIS_PARENT: Final = (
    "e58f33f9baf9305dc6f82b9f1934ea8f0ade2defb951258d50167028c780351f"
)

TEST_MNEMONIC: Final = "test test test test test test test test test test test junk"
"""The words every development chain knows; their keys are public and worth nothing."""
FUNDED_ACCOUNTS: Final = 10
FUNDED_TRX: Final = 1_000_000
BLACKHOLE: Final = "TLsV52sRDL79HXGGm9yzwKibb6BeruhUzy"
GENESIS_MS: Final = 0
"""As mainnet's: clients meet fresh accounts without times of the first slot."""
DEFAULT_OPERATIONS: Final = "7fff1fc0033efb0f" + "00" * 24
MAX_WITNESSES: Final = 27


class BadGenesis(ValueError):
    """The definition of a chain contradicts itself or lacks something."""


class _Row(msgspec.Struct, frozen=True):
    pass


class AssetRow(_Row, frozen=True):
    """A transfer of the genesis block. *balance* is the transferred amount."""

    name: str
    address: str
    balance: int


class AccountRow(_Row, frozen=True, kw_only=True):
    """A key of this chain. *balance* and stake are what the state starts with."""

    name: str
    private_key: str
    address: str
    balance: int = 0
    exists: bool = True
    frozen_v2: dict[str, int] = msgspec.field(name="frozenV2", default_factory=dict)


class WitnessRow(_Row, frozen=True, kw_only=True, omit_defaults=True):
    """A block producer. *votes* decide the order of slots.

    With a *signing_key* (a private key) its account begins with a witness permission
    for that key, which then signs its blocks in place of its own.
    """

    name: str
    private_key: str
    address: str
    url: str
    votes: int = msgspec.field(name="vote_count")
    signing_key: str = ""


class ParameterRow(_Row, frozen=True, omit_defaults=True):
    """One entry of getchainparameters."""

    key: str
    value: int | None = None


class GenesisFile(_Row, frozen=True, kw_only=True):
    """The file that defines a chain."""

    genesis_timestamp: int
    genesis_parent_hash: str = GENESIS_PARENT
    genesis_assets: tuple[AssetRow, ...]
    accounts: tuple[AccountRow, ...]
    witnesses: tuple[WitnessRow, ...]
    chain_parameters: tuple[ParameterRow, ...]
    default_active_operations: str = DEFAULT_OPERATIONS
    energy_prices: str = "0:100"
    bandwidth_prices: str = "0:1000"
    memo_fee: str = "0:1000000"
    block_version: int = 32
    code_version: str = "4.8.0"
    version_number: str = "18631"
    p2p_version: int = 333777
    genesis_block_id: str = ""
    token: TokenRow | msgspec.UnsetType = msgspec.UNSET
    fake_token: TokenRow | msgspec.UnsetType = msgspec.UNSET
    """One that only looks like *token*."""
    token_sorts: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    """Symbols of `token_sorts.SORTS` that are deployed, too."""


@frozen
class FundedAccount:
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
        return {
            Address.from_base58(row.address): PrivateKey.from_hex(
                row.signing_key or row.private_key
            ).address
            for row in self.file.witnesses
        }

    @property
    def timestamp(self) -> UnixMillis:
        return self.block.header.timestamp

    def slot(self, timestamp: int) -> int:
        """Slots since the genesis block; the state counts time in them."""
        return (timestamp - self.timestamp) // BLOCK_INTERVAL_MS

    def world(self) -> World:
        """The state after the genesis block."""
        return _first_world(self)


def default_genesis_file(witnesses: int) -> GenesisFile:
    """The chain of `lucidtrond devnet`: ten funded test accounts and a whale.

    The whale holds a stake like mainnet's total, so that limits per staked TRX are
    like mainnet's, and pays out `fund`. Of 27 witnesses 7 sign with another key than
    their own, as on mainnet late in 2025 (every fourth, from the second on).
    """
    if not 1 <= witnesses <= MAX_WITNESSES:
        raise BadGenesis(f"witnesses: expected 1 to {MAX_WITNESSES}, got {witnesses}")
    seed = hashlib.pbkdf2_hmac("sha512", TEST_MNEMONIC.encode(), b"mnemonic", 2048)
    parent = PrivateNode.from_seed(seed).descend(ACCOUNT_PATH)
    people = [
        (f"account{n}", parent.child(n).private_key(), FUNDED_TRX * SUN_PER_TRX)
        for n in range(FUNDED_ACCOUNTS)
    ]
    makers = [(f"witness{n}", _test_key(f"witness {n}")) for n in range(witnesses)]
    whale = _test_key("whale")
    staked = {
        "BANDWIDTH": 27_000_000_000 * SUN_PER_TRX,
        "ENERGY": 19_000_000_000 * SUN_PER_TRX,
    }
    spendable = 14_000_000_000 * SUN_PER_TRX
    total = spendable + sum(staked.values())
    return GenesisFile(
        genesis_timestamp=GENESIS_MS,
        genesis_assets=(
            AssetRow("Zion", whale.address.base58, total),
            AssetRow("Blackhole", BLACKHOLE, -(2**63)),
            *(AssetRow(name, key.address.base58, sun) for name, key, sun in people),
        ),
        accounts=(
            AccountRow(
                name="whale",
                private_key=whale.secret.hex(),
                address=whale.address.base58,
                balance=spendable,
                frozen_v2=staked,
            ),
            *(
                AccountRow(
                    name=name,
                    private_key=key.secret.hex(),
                    address=key.address.base58,
                    balance=sun,
                )
                for name, key, sun in people
            ),
        ),
        witnesses=tuple(
            WitnessRow(
                name=name,
                private_key=key.secret.hex(),
                address=key.address.base58,
                url=f"http://{name}.example",
                votes=1000 - n,
                signing_key=_test_key(f"witness {n} signs").secret.hex()
                if n % 4 == 1
                else "",
            )
            for n, (name, key) in enumerate(makers)
        ),
        chain_parameters=tuple(ParameterRow(*row) for row in MAINNET_LIKE),
        token=TokenRow(owner=whale.address.base58),
    )


def with_fake_token(file: GenesisFile) -> GenesisFile:
    """The same with another account's token that is called as the chain's own is.

    Raises:
        BadGenesis: there is no token, or nobody else to own another.
    """
    token = file.token
    if token is msgspec.UNSET:
        raise BadGenesis("chain definition: a fake token needs a real one")
    others = [
        account.address
        for account in file.accounts
        if account.exists and account.address != token.owner
    ]
    if not others:
        raise BadGenesis("chain definition: nobody to own a fake token")
    fake = msgspec.structs.replace(token, owner=others[-1])
    return msgspec.structs.replace(file, fake_token=fake)


def with_tokens(file: GenesisFile, symbols: Iterable[str]) -> GenesisFile:
    """The same with tokens of odd sorts, owned by who owns the chain's own token.

    Raises:
        BadGenesis: there is no such sort.
    """
    try:
        sorts = check_sorts(symbols)
    except UnknownSort as error:
        raise BadGenesis(str(error)) from None
    return msgspec.structs.replace(file, token_sorts=sorts) if sorts else file


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
        keyed = [*map(_key, file.accounts), *keys.values(), *_signing_keys(file)]
        funded = tuple(
            FundedAccount(row.name, _key(row), Sun(row.balance))
            for row in file.accounts
            if row.exists
        )
        every = tuple((row.key, row.value) for row in file.chain_parameters)
        parameters = Parameters.of(every)
        operations = bytes.fromhex(file.default_active_operations)
        for token in _tokens(file):
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


def _test_key(name: str) -> PrivateKey:
    return PrivateKey(sha256(f"lucidtrond devnet {name}".encode()))


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


def _first_world(genesis: Genesis) -> World:
    file, header = genesis.file, genesis.block.header
    rows = {row.address: row for row in file.accounts}
    staked = {"BANDWIDTH": 0, "ENERGY": 0}
    accounts: dict[bytes, Account] = {}
    for asset in file.genesis_assets:
        row = rows.get(asset.address)
        stake = row.frozen_v2 if row else {}
        for resource in staked:
            staked[resource] += stake.get(resource, 0) // SUN_PER_TRX
        raw = _raw(asset.address)
        accounts[raw] = Account(
            raw,
            Sun(row.balance if row else asset.balance),
            name=asset.name.encode(),
            staked_net=Sun(stake.get("BANDWIDTH", 0)),
            staked_energy=Sun(stake.get("ENERGY", 0)),
        )
    world = World(
        Globals(
            number=0,
            timestamp=header.timestamp,
            block_id=bytes.fromhex(header.id),
            next_maintenance=header.timestamp,
            total_net_weight=staked["BANDWIDTH"],
            total_energy_weight=staked["ENERGY"],
        )
    )
    for witness in file.witnesses:
        raw = _raw(witness.address)
        account = accounts.get(raw, Account(raw))
        permissions = _permissions(raw, witness, genesis)
        accounts[raw] = msgspec.structs.replace(
            account, is_witness=True, permissions=permissions
        )
        world.witnesses.put(raw, Witness(raw, witness.url, witness.votes))
    for account in accounts.values():
        world.put_account(account)
    for contract in _contracts(file, genesis.id):
        deploy(world, contract)
    return world


def _permissions(
    address: bytes, row: WitnessRow, genesis: Genesis
) -> Permissions | None:
    """As an AccountPermissionUpdate leaves them; a genesis account has none."""
    if not row.signing_key:
        return None
    return Permissions(
        owner_permission(address),
        witness_permission(PrivateKey.from_hex(row.signing_key).address.raw),
        (active_permission(address, genesis.default_operations),),
    )


def _tokens(file: GenesisFile) -> list[TokenRow]:
    every = (file.token, file.fake_token)
    return [token for token in every if token is not msgspec.UNSET]


def _contracts(file: GenesisFile, genesis_id: BlockId) -> list[Contract]:
    sorts = () if file.token_sorts is msgspec.UNSET else check_sorts(file.token_sorts)
    owner = next(account.address for account in file.accounts if account.exists)
    if file.token is not msgspec.UNSET:
        owner = file.token.owner
    return [
        *(contract_of(token, genesis_id) for token in _tokens(file)),
        *(odd_contract(SORTS[symbol], owner, genesis_id) for symbol in sorts),
    ]
