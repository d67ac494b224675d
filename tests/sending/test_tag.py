"""A transaction says which key it was made for, in bytes that nobody checks."""

import hmac

from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.sending.tag import (
    EXPIRATION_STEP_MS,
    PURPOSE,
    SIZE,
    Tag,
    longest_timestamp,
    read_tag,
    tag_of,
)
from lucidtrond.tron.contracts import Transfer
from lucidtrond.tron.transaction import RawData, Reference, decode_raw
from lucidtrond.tron.units import Sun, UnixMillis
from lucidtrond.tron.wirebytes import varint
from tests.sending.model import KEYS, OWNERS, TO, pay, process

TIMES = st.integers(1_500_000_000_000, 4_000_000_000_000).map(UnixMillis)
YOUNG = st.integers(0, 4_000_000_000_000).map(UnixMillis)
TAGS = st.binary(min_size=SIZE, max_size=SIZE).map(Tag)


def raw_data(tag: Tag, head: UnixMillis, latest: UnixMillis) -> RawData:
    return RawData(
        Transfer(OWNERS[0], TO, Sun(1)),
        Reference(bytes(2), bytes(8)),
        expiration=tag.expiration(latest),
        timestamp=tag.timestamp(head),
    )


def test_a_tag_has_40_bits() -> None:
    assert SIZE * 8 >= 40


@given(TAGS, TIMES, st.integers(12_000, 86_340_000))
def test_a_tag_is_read_from_the_bytes_that_carry_it(
    tag: Tag, head: UnixMillis, lifetime: int
) -> None:
    raw = raw_data(tag, head, UnixMillis(head + lifetime))
    assert read_tag(decode_raw(raw.encode())) == tag


@given(TAGS, TIMES)
def test_an_expiration_is_never_later_than_asked_for(
    tag: Tag, latest: UnixMillis
) -> None:
    assert 0 <= latest - tag.expiration(latest) < EXPIRATION_STEP_MS


@given(TAGS, TIMES)
def test_an_earlier_expiration_carries_the_same_tag(
    tag: Tag, latest: UnixMillis
) -> None:
    expiration = tag.expiration(latest)
    earlier = UnixMillis(expiration - EXPIRATION_STEP_MS)
    assert tag.expiration(earlier) == earlier


@given(TAGS, YOUNG)
def test_a_size_is_known_before_the_tag_is(tag: Tag, head: UnixMillis) -> None:
    longest = varint(longest_timestamp(head))
    assert len(varint(tag.timestamp(head))) == len(longest)


@given(TAGS, TIMES)
def test_an_expiration_takes_as_many_bytes_with_any_tag(
    tag: Tag, head: UnixMillis
) -> None:
    assert len(varint(tag.expiration(head))) == len(varint(head))


async def test_a_payments_transaction_carries_the_tag_of_its_key() -> None:
    async with process() as made:
        await pay(made, "a key", asset="TRX")
        [transaction] = made.chain.pool.values()
        tag_key = hmac.digest(KEYS[0].secret, PURPOSE, "sha256")
        mac = hmac.digest(tag_key, b"a key", "sha256")
        assert read_tag(decode_raw(transaction.raw)) == tag_of(mac)


async def test_all_attempts_of_a_key_carry_one_tag() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        await pay(made, attempts=2)
        await made.mine(70)
        sent = {
            raw: read_tag(decode_raw(raw))
            for [raw] in await made.store.read(
                lambda tx: tx.execute("SELECT raw FROM sending_attempt")
            )
        }
        assert len(sent) == 2
        assert len(set(sent.values())) == 1


async def test_two_keys_with_one_tag_and_equal_content_have_two_txids() -> None:
    async with process() as made:
        made.signer.same_mac = True
        sent = [await pay(made, key) for key in "abc"]
        assert len({payment.txid for payment in sent}) == 3
        expirations = [payment.expiration_ms or 0 for payment in sent]
        steps = [expirations[0] - expiration for expiration in expirations]
        assert steps == [0, EXPIRATION_STEP_MS, 2 * EXPIRATION_STEP_MS]
        await made.mine()
        assert len(made.chain.included()) == 3
