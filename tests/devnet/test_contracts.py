"""Contracts beside plain transfers, and the refusals of each, in java-tron's words."""

import msgspec
import pytest

from lucidtrond.devnet.state.account import Permission, Permissions
from lucidtrond.devnet.state.blocks import BlockRow, ReceiptRow
from lucidtrond.devnet.state.chain import Chain, ChainBroken
from lucidtrond.devnet.state.rejections import Refused
from lucidtrond.devnet.state.world import World
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.contracts import TYPE_URL_PREFIX, RawContract
from lucidtrond.tron.keys import PrivateKey
from lucidtrond.tron.transaction import RawData, Reference, Transaction
from lucidtrond.tron.units import MAX_SUN, Sun, UnixMillis
from tests.devnet.making import ALICE, BOB, CAROL, NOVA, Lab, raw_transfer, sign
from tests.devnet.sending import account, contract, receipt, refused


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.mine(3)
    return lab


def poor(lab: Lab, balance: int) -> PrivateKey:
    key = PrivateKey(b"\x21" * 32)
    lab.send(lab.transfer(CAROL, key.address, balance))
    lab.mine()
    return key


def create(lab: Lab, key: PrivateKey, address: bytes) -> Transaction:
    return contract(lab, key, "AccountCreateContract", account_address=address)


def test_creating_an_account_costs_like_paying_it(lab: Lab) -> None:
    before = account(lab, ALICE).balance
    paid = receipt(lab, create(lab, ALICE, NOVA.address.raw))
    assert paid == ReceiptRow(fee=Sun(1_100_000), net_fee=Sun(100_000))
    assert account(lab, ALICE).balance == before - 1_100_000
    assert account(lab, NOVA).balance == 0
    assert account(lab, NOVA).born


def test_creating_an_account_is_refused_in_java_trons_words(lab: Lab) -> None:
    assert refused(lab, create(lab, ALICE, BOB.address.raw)) == "Account has existed"
    assert refused(lab, create(lab, ALICE, b"\x41")) == "Invalid account address"
    needy = poor(lab, 1_099_999)
    assert refused(lab, create(lab, needy, NOVA.address.raw)) == (
        "Validate CreateAccountActuator error, insufficient fee."
    )


def test_an_accounts_name_can_change(lab: Lab) -> None:
    named = contract(lab, BOB, "AccountUpdateContract", account_name=b"new-bob")
    assert receipt(lab, named) == ReceiptRow(net_usage=253)
    assert account(lab, BOB).name == b"new-bob"
    longest = contract(lab, BOB, "AccountUpdateContract", account_name=b"a" * 200)
    receipt(lab, longest)
    longer = contract(lab, BOB, "AccountUpdateContract", account_name=b"a" * 201)
    assert refused(lab, longer) == "Invalid accountName"


def set_id(lab: Lab, key: PrivateKey, account_id: bytes) -> Transaction:
    return contract(lab, key, "SetAccountIdContract", account_id=account_id)


def test_an_account_takes_one_id_that_nobody_else_has(lab: Lab) -> None:
    assert receipt(lab, set_id(lab, CAROL, b"Carol001")) == ReceiptRow(net_usage=253)
    assert account(lab, CAROL).account_id == b"Carol001"
    index = lab.chain.head.account_ids
    assert index.get(b"carol001") == CAROL.address.raw
    again = set_id(lab, CAROL, b"carol002")
    assert refused(lab, again) == "This account id already set"
    assert refused(lab, set_id(lab, ALICE, b"cAROL001")) == "This id has existed"


@pytest.mark.parametrize(
    "account_id", [b"7letter", b"a" * 33, b"has blank", b"\xff" * 8]
)
def test_ids_are_eight_to_thirty_two_readable_letters(
    lab: Lab, account_id: bytes
) -> None:
    assert refused(lab, set_id(lab, ALICE, account_id)) == "Invalid accountId"


@pytest.mark.parametrize("account_id", [b"8letters", b"a" * 32, b"!~!~!~!~"])
def test_ids_at_the_edges_are_good(lab: Lab, account_id: bytes) -> None:
    receipt(lab, set_id(lab, ALICE, account_id))


@pytest.mark.parametrize(
    ("to", "amount", "text"),
    [
        (b"\x41", 1, "Invalid toAddress!"),
        (b"\x42" + bytes(20), 1, "Invalid toAddress!"),
        (ALICE.address.raw, 1, "Cannot transfer TRX to yourself."),
        (BOB.address.raw, 0, "Amount must be greater than 0."),
        (BOB.address.raw, -1, "Amount must be greater than 0."),
        (
            BOB.address.raw,
            MAX_SUN,
            "Validate TransferContract error, balance is not sufficient.",
        ),
        (NOVA.address.raw, MAX_SUN, "long overflow"),
    ],
)
def test_transfers_are_refused_in_java_trons_words(
    lab: Lab, to: bytes, amount: int, text: str
) -> None:
    transfer = contract(lab, ALICE, "TransferContract", to_address=to, amount=amount)
    assert refused(lab, transfer) == text


def test_an_owner_that_is_no_address_has_no_account(lab: Lab) -> None:
    for owner in (b"", b"\x41", b"\x00" * 21):
        transfer = contract(
            lab,
            ALICE,
            "TransferContract",
            owner_address=owner,
            to_address=BOB.address.raw,
            amount=1,
        )
        with pytest.raises(Refused, match="is not contained of permission"):
            lab.send(transfer)


def share(world: World, key: PrivateKey, others: list[PrivateKey], need: int) -> None:
    """Give an account two-of-three permissions, as a permission update would."""
    keys = tuple((signer.address.raw, 1) for signer in [key, *others])
    owner = Permission(0, 0, "owner", need, keys)
    transfers_only = bytes([1 << 1]) + bytes(31)
    active = Permission(
        2, 2, "active", 1, ((others[0].address.raw, 1),), transfers_only
    )
    witness = Permission(1, 1, "witness", 1, keys[:1])
    holder = world.accounts.get(key.address.raw)
    assert holder is not None
    permissions = Permissions(owner, witness, (active,))
    world.put_account(msgspec.structs.replace(holder, permissions=permissions))


def test_two_of_three_must_sign_and_pay_a_trx_for_it(lab: Lab) -> None:
    share(lab.chain.head, ALICE, [BOB, CAROL], need=2)
    now = UnixMillis(lab.chain.head.globals.timestamp)
    raw = raw_transfer(lab.chain, ALICE.address, BOB.address, 5, timestamp=now)
    for keys, text in (
        ([ALICE], "sig error"),
        ([ALICE, ALICE], f"{ALICE.address.base58} has signed twice!"),
        ([ALICE, NOVA], "is not contained of permission."),
        ([ALICE, BOB, CAROL, NOVA], "more than key counts of permission : 3"),
    ):
        with pytest.raises(Refused) as caught:
            lab.send(sign(raw, *keys))
        assert caught.value.code == "SIGERROR"
        assert caught.value.text.endswith(text)
    paid = receipt(lab, sign(raw, CAROL, BOB))
    assert paid == ReceiptRow(fee=Sun(1_000_000), net_usage=332)


def test_an_active_permission_signs_only_what_it_allows(lab: Lab) -> None:
    share(lab.chain.head, ALICE, [BOB, CAROL], need=2)
    lab.send(
        sign(
            raw_transfer(lab.chain, ALICE.address, CAROL.address, 5, permission_id=2),
            BOB,
        )
    )
    properties = lab.chain.head.globals
    renaming = pb.AccountUpdateContract(owner_address=ALICE.address.raw)
    name = "AccountUpdateContract"
    raw = RawData(
        RawContract(10, TYPE_URL_PREFIX + name, renaming.SerializeToString()),
        Reference.to_block(properties.block_id.hex()),
        expiration=UnixMillis(properties.timestamp + 60_000),
        timestamp=UnixMillis(1),
        permission_id=2,
    )
    with pytest.raises(Refused, match="Permission denied"):
        lab.send(sign(raw, BOB))
    witness = raw_transfer(lab.chain, ALICE.address, CAROL.address, 5, permission_id=1)
    with pytest.raises(Refused, match="Permission type is error"):
        lab.send(sign(witness, ALICE))


def test_an_owner_that_does_not_exist_may_name_ids_zero_and_two(lab: Lab) -> None:
    for permission_id, code in ((0, "CONTRACT"), (2, "CONTRACT"), (1, "SIGERROR")):
        raw = raw_transfer(
            lab.chain, NOVA.address, BOB.address, 1, permission_id=permission_id
        )
        with pytest.raises(Refused, match=code):
            lab.send(sign(raw, NOVA))


def test_a_point_on_the_curve_recovers_a_stranger_whatever_s_is(lab: Lab) -> None:
    # x = 1 lies on secp256k1, x = 5 does not.
    for x, words in ((1, "is signed by"), (5, "Invalid point compression")):
        signature = x.to_bytes(32, "big") + bytes(33)
        raw = raw_transfer(lab.chain, ALICE.address, BOB.address, 1)
        with pytest.raises(Refused, match=words):
            lab.send(Transaction(raw.encode(), (signature,)))


def test_a_kept_block_that_does_not_follow_is_refused() -> None:
    lab = Lab()
    lab.mine(3)
    rows = [lab.archive.read(number) for number in (1, 2, 3)]
    for spoil in ({"number": 4}, {"parent": bytes(32)}):
        again = Chain(lab.genesis, lab.archive)
        for row in rows[:2]:
            assert row is not None
            again.replay(row)
        last: BlockRow | None = rows[2]
        assert last is not None
        with pytest.raises(ChainBroken):
            again.replay(msgspec.structs.replace(last, **spoil))
        again.replay(last)


def test_a_kept_receipt_that_comes_out_otherwise_is_refused() -> None:
    lab = Lab()
    lab.mine()
    lab.send(lab.transfer(ALICE, BOB.address, 5))
    lab.mine()
    first, second = (lab.archive.read(number) for number in (1, 2))
    assert first is not None
    assert second is not None
    [paid] = second.transactions
    other = msgspec.structs.replace(paid, receipt=ReceiptRow(net_usage=1))
    again = Chain(lab.genesis, lab.archive)
    again.replay(first)
    with pytest.raises(ChainBroken, match="receipt"):
        again.replay(msgspec.structs.replace(second, transactions=(other,)))


def test_witnesses_are_credited_with_their_blocks() -> None:
    lab = Lab()
    lab.mine(23)
    produced = [
        witness_row.produced for witness_row in lab.chain.head.witnesses.values()
    ]
    assert sum(produced) == 23
    assert max(produced) - min(produced) <= 1
    assert (
        sum(witness_row.missed for witness_row in lab.chain.head.witnesses.values())
        == 0
    )
