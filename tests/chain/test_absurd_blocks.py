"""What a block or receipt may show that no network executes: it is followed, and no
absurd number or name becomes a deposit or stops us.

A block whose root is not proven holds whatever its endpoint says, signed header or not.
"""

from collections.abc import Callable

from attrs import define, evolve, field
from hypothesis import example, given
from hypothesis import strategies as st

from lucidtrond.chain.read import TRX, read_block
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import Block
from lucidtrond.tron.receipt import InternalTransfer, Receipt
from lucidtrond.tron.transaction import Transaction
from lucidtrond.tron.units import Sun
from tests.chain.model import ModelChain, address, make_block, receipts_of
from tests.chain.world import world

A, B = address(1), address(2)
INT64 = st.sampled_from([-(2**63), -1, 0, 1, 2**63 - 1])
NAMES = st.sampled_from([b"TRX", b"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", b"1000001"])
Message = pb.TransferContract | pb.TransferAssetContract | pb.TriggerSmartContract
KINDS = {
    pb.TransferContract: pb.Transaction.Contract.TransferContract,
    pb.TransferAssetContract: pb.Transaction.Contract.TransferAssetContract,
    pb.TriggerSmartContract: pb.Transaction.Contract.TriggerSmartContract,
}


def stored(message: Message) -> Transaction:
    """A transaction with a contract that our own types would not write."""
    name = message.DESCRIPTOR.name
    raw = pb.Transaction.raw()
    made = raw.contract.add(type=KINDS[type(message)])
    made.parameter.type_url = f"type.googleapis.com/protocol.{name}"
    made.parameter.value = message.SerializeToString()
    return Transaction(raw.SerializeToString(), (bytes(65),))


def trx(amount: int) -> Transaction:
    return stored(
        pb.TransferContract(owner_address=A.raw, to_address=B.raw, amount=amount)
    )


def trc10(name: bytes, amount: int) -> Transaction:
    return stored(
        pb.TransferAssetContract(
            owner_address=A.raw, to_address=B.raw, asset_name=name, amount=amount
        )
    )


def call(value: int, token_value: int) -> Transaction:
    return stored(
        pb.TriggerSmartContract(
            owner_address=A.raw,
            contract_address=B.raw,
            call_value=value,
            call_token_value=token_value,
        )
    )


contracts = st.one_of(
    st.builds(trx, INT64),
    st.builds(trc10, st.binary(max_size=40) | NAMES, INT64),
    st.builds(call, INT64, INT64),
)
LARGEST = 2**63 - 1


def absurd(receipt: Receipt, values: list[int], token_id: str) -> Receipt:
    inner = InternalTransfer(
        "00", A, B, tuple((value, token_id) for value in values), "call", rejected=False
    )
    return evolve(
        receipt,
        fee=Sun(LARGEST),
        net_usage=LARGEST,
        energy_usage_total=LARGEST,
        internal=(inner,),
    )


@define
class AbsurdChain(ModelChain):
    receipt: Callable[[Receipt], Receipt] = field(default=lambda receipt: receipt)

    async def fetch_receipts_by(self, which: Block) -> tuple[str, tuple[Receipt, ...]]:
        name, receipts = await super().fetch_receipts_by(which)
        return name, tuple(map(self.receipt, receipts))


@given(
    transactions=st.lists(
        contracts, min_size=1, max_size=4, unique_by=lambda t: t.txid
    ),
    values=st.lists(INT64, max_size=5),
    token_id=st.sampled_from(["", "1000001", "\0"]),
)
@example([trx(-5)], [], "")
@example([trc10(b"TRX", -(2**63))], [LARGEST] * 5, "")
async def test_whatever_a_block_shows_is_followed(
    transactions: list[Transaction], values: list[int], token_id: str
) -> None:
    chain = AbsurdChain(
        receipt=lambda receipt: absurd(receipt, values, token_id),
    )
    async with world(chain) as made:
        await made.settle()
        chain.grow(*transactions)
        chain.blocks[1] = evolve(chain.blocks[1], root_proven=False)
        await made.settle()
        entries, _, _ = await made.ledger.entries()
        for entry in entries:
            assert int(entry.amount) >= 0
            assert (entry.asset == TRX) == (entry.kind in ("trx", "internal"))


def assets(*transactions: Transaction) -> list[tuple[str, Address | str, int]]:
    block = make_block(make_block(None).header, transactions)
    read = read_block(block, receipts_of(block))
    assert read.touched == {A, B}
    return [
        (movement.kind, movement.asset, movement.amount) for movement in read.movements
    ]


def test_nothing_moves_by_an_amount_below_zero() -> None:
    """Mainnet's block 0 begins the black hole with one."""
    assert assets(trx(-(2**63)), trc10(b"1000001", -1), call(-1, 0)) == []


def test_a_trc10_token_is_never_taken_for_another_asset() -> None:
    """Until 2019 anybody could issue a TRC-10 token named TRX."""
    usdt = b"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
    assert assets(
        trc10(b"TRX", 5), trc10(usdt, 6), trc10(b"BitTorrent", 7), trc10(b"1002000", 8)
    ) == [
        ("trc10", "trc10:TRX", 5),
        ("trc10", f"trc10:{usdt.decode()}", 6),
        ("trc10", "BitTorrent", 7),
        ("trc10", "1002000", 8),
    ]
