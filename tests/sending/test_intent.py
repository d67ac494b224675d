"""An intent's content: what the same key has to be used with again."""

from itertools import combinations

from msgspec.structs import replace

from lucidtrond.sending.intent import TRC20_TRANSFER, TRX_TRANSFER, Intent
from lucidtrond.tron.units import Sun
from tests.sending.model import OWNERS, TO, TOKEN

PLAIN = Intent(TRX_TRANSFER, "k", OWNERS[0], TO, "TRX", 5)
FULL = Intent(
    TRC20_TRANSFER,
    "k",
    OWNERS[0],
    TO,
    TOKEN.base58,
    5,
    memo=b"m",
    fee_limit=Sun(7),
    max_burn=Sun(9),
)


def test_content_is_as_older_programs_journaled_it() -> None:
    """Digests of the version that knew no kinds."""
    assert PLAIN.content.hex() == (
        "d9bfabcac476950249f2c533115d3756fbe2b95eea8628bc9e178d04033552e3"
    )
    assert FULL.content.hex() == (
        "230e9d382eb218653ab8be6042535d619dbfdc712a1fef30f17ce5f533d3ca53"
    )
    assert PLAIN.payment_id == FULL.payment_id == "4225f1054348e1343343f6441ad35921"


def test_each_part_of_an_intent_but_its_key_is_content() -> None:
    variants = [
        PLAIN,
        replace(PLAIN, kind="stake"),
        replace(PLAIN, owner=OWNERS[1]),
        replace(PLAIN, to=OWNERS[1]),
        replace(PLAIN, asset=TOKEN.base58),
        replace(PLAIN, amount=6),
        replace(PLAIN, memo=b"x"),
        replace(PLAIN, fee_limit=Sun(1)),
        replace(PLAIN, max_burn=Sun(1)),
        replace(PLAIN, details=b"x"),
        replace(PLAIN, kind="stake", details=b"x"),
    ]
    for one, other in combinations(variants, 2):
        assert one.content != other.content
    assert replace(PLAIN, key="l").content == PLAIN.content
    assert replace(PLAIN, key="l").payment_id != PLAIN.payment_id
