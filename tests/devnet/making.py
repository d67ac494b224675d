"""Small chains for tests: keys, signed transfers, blocks on demand."""

from attrs import define, field
from msgspec.structs import replace

from lucidtrond.devnet.state.blocks import Archive, MemoryArchive
from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.chain import Chain
from lucidtrond.devnet.state.default_chain import default_genesis_file
from lucidtrond.devnet.state.genesis import Genesis, make_genesis
from lucidtrond.tron import abi
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import Transfer, Trigger
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.transaction import RawData, Reference, Transaction
from lucidtrond.tron.units import Sun, UnixMillis


def _genesis(witnesses: int) -> Genesis:
    """Dated, so that times have as many bytes as on a chain of today."""
    file = default_genesis_file(witnesses)
    return make_genesis(replace(file, genesis_timestamp=1_735_689_600_000))


FIVE, ONE, MANY = _genesis(5), _genesis(1), _genesis(27)
FIRST_BLOCK_MS = FIVE.timestamp + 3_000_000
ALICE, BOB, CAROL = (account.key for account in FIVE.funded[1:4])
NOVA = PrivateKey(b"\x11" * 32)
"""Has no account yet."""
WHALE = FIVE.funded[0].key
"""Owns the token."""
PLENTY = 100_000_000


def raw_transfer(
    chain: Chain, owner: Address, to: Address, amount: int, **changes: object
) -> RawData:
    """A minute's transfer that refers to the head; *changes* are fields of RawData."""
    properties = chain.head.globals
    fields: dict[str, object] = {
        "reference": Reference.to_block(properties.block_id.hex()),
        "expiration": UnixMillis(properties.timestamp + 60_000),
        "timestamp": properties.timestamp,
        **changes,
    }
    return RawData(Transfer(owner, to, Sun(amount)), **fields)  # type: ignore[arg-type] # the fields' types are the tests' business


def sign(raw: RawData, *keys: PrivateKey) -> Transaction:
    transaction = Transaction(raw.encode())
    for key in keys:
        transaction = transaction.with_signature(key.sign(transaction.digest))
    return transaction


@define
class Lab:
    """A chain that makes a block when told to."""

    genesis: Genesis = FIVE
    archive: Archive = field(factory=MemoryArchive)
    chain: Chain = field(init=False)
    nonce: int = 0

    def __attrs_post_init__(self) -> None:
        self.chain = Chain(self.genesis, self.archive)

    def mine(self, count: int = 1, *, skip: int = 0) -> None:
        """Make blocks, the first one *skip* slots late."""
        for _ in range(count):
            slot = self.chain.next_slot(FIRST_BLOCK_MS)
            draft = self.chain.draft(UnixMillis(slot + skip * 3000))
            self.archive.append(draft.row)
            self.chain.commit()
            skip = 0

    def transfer(
        self, key: PrivateKey, to: Address, amount: int, **changes: object
    ) -> Transaction:
        """A signed transfer that differs from those before."""
        self.nonce += 1
        changes.setdefault("timestamp", UnixMillis(self.nonce))
        return sign(raw_transfer(self.chain, key.address, to, amount, **changes), key)

    def call(
        self,
        key: PrivateKey,
        signature: str,
        *values: object,
        fee_limit: int = PLENTY,
        value: int = 0,
    ) -> Transaction:
        """A signed call of the chain's token, unlike those before."""
        self.nonce += 1
        (token,) = self.chain.head.contracts.values()
        properties = self.chain.head.globals
        trigger = Trigger(
            key.address,
            Address(token.address),
            abi.encode_call(signature, values),
            call_value=Sun(value),
        )
        raw = RawData(
            trigger,
            Reference.to_block(properties.block_id.hex()),
            expiration=UnixMillis(properties.timestamp + 60_000),
            timestamp=UnixMillis(self.nonce),
            fee_limit=Sun(fee_limit),
        )
        return sign(raw, key)

    def send(self, transaction: Transaction) -> None:
        """Put it into the pool; raises Refused."""
        self.chain.submit(Candidate.read(transaction))

    def balance(self, address: Address) -> int:
        account = self.chain.pending.accounts.get(address.raw)
        return account.balance if account else 0
