"""What a broadcast is refused for, and which refusal comes first."""

from collections.abc import Callable

import pytest

from lucidtrond.devnet.state.pool import MAX_POOL, POOL_TIMEOUT_MS
from lucidtrond.devnet.state.rejections import Refused
from lucidtrond.tron.contracts import RawContract
from lucidtrond.tron.transaction import RawData, Reference, Transaction
from lucidtrond.tron.units import UnixMillis
from tests.devnet.making import ALICE, BOB, CAROL, NOVA, Lab, raw_transfer, sign

UNRECOVERABLE = (
    "java.security.SignatureException: Could not recover public key from signature"
)
DAY_MS = 86_400_000
WRONG_REFERENCE = Reference(b"\x00\x01", b"\x00" * 8)


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.mine(10)
    return lab


def refusal(lab: Lab, transaction: Transaction) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        lab.send(transaction)
    return caught.value.code, caught.value.text


def now(lab: Lab) -> int:
    return lab.chain.head.globals.timestamp


Fault = Callable[[Lab], dict[str, object]]

# In the order of the checks: each alone, then each together with all behind it.
FAULTS: list[tuple[str, Fault]] = [
    (
        "TRANSACTION_EXPIRATION_ERROR",
        lambda lab: {"expiration": UnixMillis(now(lab) + 2999)},
    ),
    ("TAPOS_ERROR", lambda _: {"reference": WRONG_REFERENCE}),
    ("TOO_BIG_TRANSACTION_ERROR", lambda _: {"memo": bytes(512_000)}),
    (
        "TRANSACTION_EXPIRATION_ERROR",
        lambda lab: {"expiration": UnixMillis(now(lab) + DAY_MS + 1)},
    ),
]


@pytest.mark.parametrize("first", range(len(FAULTS)))
def test_the_first_fault_in_java_trons_order_is_told(lab: Lab, first: int) -> None:
    for last in range(first, len(FAULTS)):
        changes: dict[str, object] = {}
        for _, fault in reversed(FAULTS[first : last + 1]):
            changes |= fault(lab)
        raw = raw_transfer(lab.chain, ALICE.address, BOB.address, 10**18, **changes)
        code, _ = refusal(lab, sign(raw, ALICE))
        assert code == FAULTS[first][0]


def test_an_expired_transaction_is_expired_before_it_is_unsigned(lab: Lab) -> None:
    raw = raw_transfer(lab.chain, ALICE.address, BOB.address, 1, expiration=0)
    assert refusal(lab, sign(raw))[0] == "TRANSACTION_EXPIRATION_ERROR"


def test_an_unsigned_one_is_unsigned_before_its_reference_is_wrong(lab: Lab) -> None:
    raw = raw_transfer(
        lab.chain, ALICE.address, BOB.address, 1, reference=WRONG_REFERENCE
    )
    assert refusal(lab, sign(raw)) == (
        "SIGERROR",
        "Validate signature error: miss sig or contract",
    )


@pytest.mark.parametrize("ahead", [3000, DAY_MS])
def test_expirations_from_the_next_slot_to_a_day_ahead_are_good(
    lab: Lab, ahead: int
) -> None:
    lab.send(
        lab.transfer(ALICE, BOB.address, 1, expiration=UnixMillis(now(lab) + ahead))
    )


def test_no_contract_is_told_first(lab: Lab) -> None:
    code, text = refusal(lab, Transaction(b""))
    assert (code, text) == (
        "CONTRACT_VALIDATE_ERROR",
        "Contract validate error : No contract!",
    )


def test_a_duplicate_is_refused_in_the_pool_in_a_block_and_solidified(
    lab: Lab,
) -> None:
    transaction = lab.transfer(ALICE, BOB.address, 5)
    lab.send(transaction)
    for _ in range(8):
        assert refusal(lab, transaction) == (
            "DUP_TRANSACTION_ERROR",
            "Dup transaction.",
        )
        lab.mine()
    assert lab.chain.find(transaction.digest, solid=True) is not None


def test_a_duplicate_after_its_expiration_is_only_expired(lab: Lab) -> None:
    transaction = lab.transfer(ALICE, BOB.address, 5)
    lab.send(transaction)
    lab.mine(25)
    assert refusal(lab, transaction)[0] == "TRANSACTION_EXPIRATION_ERROR"


def test_a_strangers_signature_is_named_with_its_signer(lab: Lab) -> None:
    raw = raw_transfer(lab.chain, ALICE.address, BOB.address, 1)
    transaction = sign(raw, BOB)
    code, text = refusal(lab, transaction)
    assert code == "SIGERROR"
    assert text == (
        f"Validate signature error: {transaction.signatures[0].hex()} is signed by"
        f" {BOB.address.base58} but it is not contained of permission."
    )


def test_more_signatures_than_keys_are_counted_before_they_are_read(lab: Lab) -> None:
    raw = raw_transfer(lab.chain, ALICE.address, BOB.address, 1)
    assert refusal(lab, sign(raw, ALICE, ALICE))[1].endswith(
        "Signature count is 2 more than key counts of permission : 1"
    )
    assert refusal(lab, sign(raw, *[ALICE] * 6))[1].endswith("too many signatures")


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        (bytes(64), "Signature size is 64"),
        (bytes(65), "java.lang.IllegalArgumentException: Invalid point compression"),
        (
            bytes(64) + b"\x63",
            "java.security.SignatureException: Header byte out of range: 99",
        ),
        (b"\xff" * 64 + b"\x00", UNRECOVERABLE),
    ],
)
def test_nonsense_signatures_get_javas_words(
    lab: Lab, signature: bytes, words: str
) -> None:
    raw = raw_transfer(lab.chain, ALICE.address, BOB.address, 1)
    transaction = Transaction(raw.encode(), (signature,))
    assert refusal(lab, transaction) == (
        "SIGERROR",
        f"Validate signature error: {words}",
    )


def test_bytes_behind_a_signature_and_both_kinds_of_v_are_taken(lab: Lab) -> None:
    for add, more in ((0, b""), (27, b""), (0, b"\x01\x02")):
        good = lab.transfer(ALICE, BOB.address, 1)
        [signature] = good.signatures
        changed = signature[:64] + bytes([signature[64] + add]) + more
        lab.send(Transaction(good.raw, (changed,)))


def test_an_owner_without_account_fails_behind_its_own_signature(lab: Lab) -> None:
    code, text = refusal(lab, lab.transfer(NOVA, BOB.address, 1))
    assert code == "CONTRACT_VALIDATE_ERROR"
    assert text.endswith(f"account [{NOVA.address.base58}] does not exist")
    raw = raw_transfer(lab.chain, NOVA.address, BOB.address, 1)
    assert refusal(lab, sign(raw, ALICE))[0] == "SIGERROR"


def test_accounts_of_the_genesis_block_have_no_active_permission(lab: Lab) -> None:
    for permission_id in (1, 2, 3):
        code, text = refusal(
            lab, lab.transfer(ALICE, BOB.address, 1, permission_id=permission_id)
        )
        assert code == "SIGERROR"
        assert text == "Validate signature error: permission isn't exit"


def test_an_account_made_by_a_transfer_may_use_its_active_permission(
    lab: Lab,
) -> None:
    lab.send(lab.transfer(ALICE, NOVA.address, 5_000_000))
    lab.mine()
    lab.send(lab.transfer(NOVA, BOB.address, 1, permission_id=2))
    assert refusal(lab, lab.transfer(NOVA, BOB.address, 1, permission_id=1))[0] == (
        "SIGERROR"
    )


def test_a_contract_that_this_chain_does_not_execute_is_refused(lab: Lab) -> None:
    properties = lab.chain.head.globals
    shielded = RawContract(
        51,
        "type.googleapis.com/protocol.ShieldedTransferContract",
        b"\x0a\x15" + ALICE.address.raw,
    )
    raw = RawData(
        shielded,
        Reference.to_block(properties.block_id.hex()),
        expiration=UnixMillis(properties.timestamp + 60_000),
        timestamp=UnixMillis(0),
    )
    code, text = refusal(lab, sign(raw, ALICE))
    assert code == "CONTRACT_VALIDATE_ERROR"
    assert text.endswith("contract type 51 is not executed by this devnet")
    assert not lab.chain.pool


def test_a_refused_transaction_changes_nothing(lab: Lab) -> None:
    before = lab.balance(ALICE.address)
    refusal(lab, lab.transfer(ALICE, NOVA.address, before - 1_000_000, memo=b"x"))
    assert lab.balance(ALICE.address) == before
    assert lab.chain.pending.globals.burned == 0


def test_a_reference_is_good_for_sixty_five_thousand_blocks_and_no_longer() -> None:
    lab = Lab()
    lab.mine(3)
    row = lab.chain.block(2)
    assert row is not None
    reference = Reference.to_block(row.id.hex())
    lab.send(lab.transfer(ALICE, BOB.address, 1, reference=reference))
    ahead = Reference(b"\x00\x04", row.id[8:16])
    assert refusal(lab, lab.transfer(ALICE, BOB.address, 1, reference=ahead))[0] == (
        "TAPOS_ERROR"
    )
    empty = Reference(b"", b"")
    assert refusal(lab, lab.transfer(ALICE, BOB.address, 1, reference=empty))[0] == (
        "TAPOS_ERROR"
    )


def test_a_full_pool_is_busy(lab: Lab) -> None:
    for amount in range(MAX_POOL):
        lab.send(lab.transfer(ALICE, BOB.address, amount + 1))
    assert refusal(lab, lab.transfer(BOB, ALICE.address, 1)) == (
        "SERVER_BUSY",
        "Server busy.",
    )
    lab.mine()
    assert not lab.chain.pool


def test_what_does_not_fit_a_block_waits_and_then_leaves(lab: Lab) -> None:
    big = [
        lab.transfer(
            key,
            BOB.address,
            1,
            memo=bytes(500_000),
            expiration=UnixMillis(now(lab) + DAY_MS),
        )
        for key in (ALICE, CAROL)
        for _ in range(3)
    ]
    for transaction in big:
        lab.send(transaction)
    lab.mine()
    assert len(lab.chain.pool) == 3
    lab.mine(skip=POOL_TIMEOUT_MS // 3000)
    assert not lab.chain.pool
    included = [
        transaction for transaction in big if lab.chain.find(transaction.digest)
    ]
    assert len(included) == 6


def test_a_transaction_that_expires_in_the_pool_is_dropped(lab: Lab) -> None:
    late = lab.transfer(ALICE, BOB.address, 7, expiration=UnixMillis(now(lab) + 3000))
    after = lab.transfer(ALICE, BOB.address, 8)
    lab.send(late)
    lab.send(after)
    lab.mine(skip=3)
    assert lab.chain.find(late.digest) is None
    assert lab.chain.find(after.digest) is not None
    assert not lab.chain.pool
