"""Bytes that are not those of the intent are refused, and what differs is named."""

from collections.abc import Callable

import pytest
from attrs import evolve

from lucidtrond.sending.comparison import check_bytes, check_signature
from lucidtrond.sending.journal import queries
from lucidtrond.sending.journal.entry import Entry
from lucidtrond.sending.journal.fault import RowRefused
from lucidtrond.tron import trc20
from lucidtrond.tron.contracts import FreezeBalanceV2, Transfer, Trigger
from lucidtrond.tron.transaction import (
    MAX_LIFETIME_MS,
    RawData,
    Reference,
    Transaction,
    decode_raw,
)
from lucidtrond.tron.units import Sun, UnixMillis
from lucidtrond.tron.wirebytes import length_field
from tests.chain.model import address
from tests.sending.model import KEYS, OWNERS, TO, TOKEN, pay, process

STRANGER = address(123)


async def entry_of(asset: str) -> Entry:
    async with process() as made:
        await pay(made, asset=asset, memo=b"rent")
        row = await made.store.read(lambda tx: queries.by_key(tx, "a"))
        assert row is not None
        return row[0]


def with_raw(entry: Entry, raw: bytes) -> Entry:
    return evolve(entry, transaction=Transaction(raw))


def changed(entry: Entry, **fields: object) -> bytes:
    return evolve_raw(decode_raw(entry.transaction.raw), **fields).encode()


def evolve_raw(raw: RawData, **fields: object) -> RawData:
    names = ("contract", "reference", "expiration", "timestamp", "fee_limit", "memo")
    values = {name: getattr(raw, name) for name in (*names, "permission_id")}
    return RawData(**{**values, **fields})


def twice(entry: Entry) -> bytes:
    """Two contracts in one transaction: fields of one number are repeated."""
    attack = RawData(
        Transfer(OWNERS[0], STRANGER, Sun(800)),
        Reference(b"", b""),
        expiration=UnixMillis(0),
        timestamp=UnixMillis(0),
    ).encode()
    return entry.transaction.raw + attack


EDITS: dict[str, tuple[str, Callable[[Entry], bytes]]] = {
    "owner": (
        "owner",
        lambda entry: changed(entry, contract=Transfer(OWNERS[1], TO, Sun(5))),
    ),
    "recipient": (
        "recipient",
        lambda entry: changed(entry, contract=Transfer(OWNERS[0], STRANGER, Sun(5))),
    ),
    "amount": (
        "amount",
        lambda entry: changed(entry, contract=Transfer(OWNERS[0], TO, Sun(800))),
    ),
    "type": (
        "contract",
        lambda entry: changed(entry, contract=FreezeBalanceV2(OWNERS[0], Sun(5))),
    ),
    "asset": (
        "contract",
        lambda entry: changed(
            entry, contract=Trigger(OWNERS[0], TOKEN, trc20.transfer(TO, 5))
        ),
    ),
    "memo": ("memo", lambda entry: changed(entry, memo=b"Rent")),
    "fee limit": ("fee_limit", lambda entry: changed(entry, fee_limit=Sun(1))),
    "permission": ("permission", lambda entry: changed(entry, permission_id=2)),
    "expiration": (
        "expiration",
        lambda entry: changed(entry, expiration=UnixMillis(2**50)),
    ),
    "reference": (
        "reference",
        lambda entry: changed(entry, reference=Reference(b"\xff\xff", bytes(8))),
    ),
    "two contracts": ("raw", twice),
    "an unknown field": (
        "raw",
        lambda entry: entry.transaction.raw + length_field(99, b"x"),
    ),
    "scripts": (
        "raw",
        lambda entry: entry.transaction.raw + length_field(12, b"x"),
    ),
    "the owner's permissions too": (
        "raw",
        lambda entry: entry.transaction.raw + length_field(9, b"x"),
    ),
    "no transaction": ("raw", lambda _: b"\xff\xff\xff"),
    "nothing": ("raw", lambda _: b""),
}


@pytest.mark.parametrize("name", EDITS)
async def test_bytes_of_something_else_are_refused_and_the_field_is_named(
    name: str,
) -> None:
    entry = await entry_of("TRX")
    field, edit = EDITS[name]
    with pytest.raises(RowRefused) as caught:
        check_bytes(with_raw(entry, edit(entry)))
    fault = caught.value.fault
    assert (fault.payment_id, fault.field) == (entry.payment.payment_id, field)
    assert fault.wanted != fault.stored


@pytest.mark.parametrize(
    ("field", "contract"),
    [
        ("recipient", Trigger(OWNERS[0], TOKEN, trc20.transfer(STRANGER, 5))),
        ("amount", Trigger(OWNERS[0], TOKEN, trc20.transfer(TO, 6))),
        ("asset", Trigger(OWNERS[0], STRANGER, trc20.transfer(TO, 5))),
        ("owner", Trigger(OWNERS[1], TOKEN, trc20.transfer(TO, 5))),
        (
            "call value",
            Trigger(OWNERS[0], TOKEN, trc20.transfer(TO, 5), call_value=Sun(9)),
        ),
        ("recipient", Trigger(OWNERS[0], TOKEN, trc20.approve(STRANGER, 5))),
        ("contract", Trigger(OWNERS[0], TOKEN, trc20.transfer(TO, 5), token_id=1)),
        ("contract", Trigger(OWNERS[0], TOKEN, trc20.transfer(TO, 5) + b"\0")),
    ],
)
async def test_a_call_of_something_else_is_refused(
    field: str, contract: Trigger
) -> None:
    entry = await entry_of(TOKEN.base58)
    with pytest.raises(RowRefused) as caught:
        check_bytes(with_raw(entry, changed(entry, contract=contract)))
    assert caught.value.fault.field == field


@pytest.mark.parametrize("asset", ["TRX", TOKEN.base58])
async def test_what_was_drafted_is_what_is_meant(asset: str) -> None:
    entry = await entry_of(asset)
    check_bytes(entry)
    check_signature(entry)


async def test_bytes_that_outlive_what_a_node_takes_are_refused_at_the_signature() -> (
    None
):
    entry = await entry_of("TRX")
    latest = UnixMillis(entry.attempt.expiration - MAX_LIFETIME_MS)
    check_bytes(entry, head=latest)
    with pytest.raises(RowRefused, match="expiration: expected at most"):
        check_bytes(entry, head=UnixMillis(latest - 1))


async def test_what_is_not_signed_is_refused() -> None:
    entry = await entry_of("TRX")
    with pytest.raises(RowRefused, match="stored none"):
        check_signature(with_raw(entry, entry.transaction.raw))


async def test_a_signature_of_somebody_else_or_of_other_bytes_is_refused() -> None:
    entry = await entry_of("TRX")
    digest = entry.transaction.digest
    for signature in (KEYS[1].sign(digest), KEYS[0].sign(bytes(32)), b"short", b""):
        signed = Transaction(entry.transaction.raw, (signature,))
        with pytest.raises(RowRefused) as caught:
            check_signature(evolve(entry, transaction=signed))
        assert caught.value.fault.field == "signature"
