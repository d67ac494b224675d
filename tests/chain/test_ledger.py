"""Pages of the ledger: everything once, whatever is added meanwhile."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from lucidtrond.chain.entries import entry_of
from lucidtrond.errors import InvalidInput
from lucidtrond.events.types import LedgerEntry
from lucidtrond.ports import Row
from lucidtrond.tron.address import Address
from lucidtrond.tron.tokens import KnownToken, KnownTokens
from tests.chain.model import ModelChain, address, transfer
from tests.chain.world import World, world


@pytest.fixture
async def filled() -> AsyncIterator[tuple[World, list[LedgerEntry]]]:
    chain = ModelChain()
    async with world(chain) as made:
        await made.settle()
        for number in range(40):
            chain.grow(
                *[
                    transfer(
                        owner=address(1 + (number + at) % 3),
                        to=address(1 + number % 2),
                        amount=number,
                        nonce=number * 10 + at,
                    )
                    for at in range(3)
                ]
            )
        chain.solidify(30)
        await made.settle()
        everything, _, _ = await made.ledger.entries(limit=1000)
        yield made, everything


@pytest.mark.parametrize("limit", [1, 2, 7, 50, 1000])
@pytest.mark.parametrize("who", [None, 1, 2])
async def test_pages_by_cursor_give_everything_once_and_new_blocks_move_nothing(
    filled: tuple[World, list[LedgerEntry]], limit: int, who: int | None
) -> None:
    made, everything = filled
    of = None if who is None else address(who)
    expected = [entry for entry in everything if _touches(entry, of)]
    got: list[LedgerEntry] = []
    cursor: str | None = None
    while True:
        page, cursor, total = await made.ledger.entries(of, limit=limit, cursor=cursor)
        assert total >= len(expected)
        got += page
        if cursor is None:
            break
        made.chain.grow(
            transfer(owner=address(1), to=address(2), nonce=10_000 + len(got))
        )
        await made.settle()
    assert got == expected


async def test_pages_by_skip_and_filters(
    filled: tuple[World, list[LedgerEntry]],
) -> None:
    made, everything = filled
    skipped, _, total = await made.ledger.entries(address(1), skip=5, limit=10)
    expected = [entry for entry in everything if _touches(entry, address(1))]
    assert (skipped, total) == (expected[5:15], len(expected))
    times = sorted({entry.block_timestamp_ms for entry in everything})
    some, _, total = await made.ledger.entries(
        from_ms=times[10], to_ms=times[12], limit=1000
    )
    assert some == [
        e for e in everything if times[10] <= e.block_timestamp_ms <= times[12]
    ]
    assert total == len(some)
    assert (await made.ledger.entries(kinds=["trc20"]))[2] == 0
    assert (await made.ledger.entries(kinds=["trc20", "trx"]))[2] == len(everything)
    assert (await made.ledger.entries(asset="TRX"))[2] == len(everything)
    assert (await made.ledger.entries(asset=address(9).base58))[2] == 0


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": 0},
        {"limit": 1001},
        {"skip": -1},
        {"skip": 1, "cursor": "1.1"},
        *[
            {"cursor": text}
            for text in (
                "",
                "1",
                "1.",
                ".1",
                "a.1",
                "1.b",
                "1.1.1",
                "-1.1",
                "1" * 20 + ".1",
            )
        ],
        {"cursor": "1." + "1" * 20},
        {"cursor": "²." + "1"},
    ],
)
async def test_a_page_that_can_not_be_is_refused(asked: dict[str, Any]) -> None:
    async with world(ModelChain()) as made:
        with pytest.raises(InvalidInput):
            await made.ledger.entries(**asked)


def _touches(entry: LedgerEntry, who: Address | None) -> bool:
    return who is None or who.base58 in (entry.from_address, entry.to_address)


@pytest.mark.parametrize("proof", ["signatures", "two_sources", "one_source"])
@pytest.mark.parametrize(
    ("kind", "asset", "unknown"),
    [
        ("trc20", address(20), False),
        ("trc20", address(21), True),
        ("trx", "TRX", False),
        ("trc10", "1000001", True),
        ("internal", "TRX", False),
    ],
)
def test_a_row_tells_its_proof_and_whether_the_token_is_known(
    kind: str, asset: Address | str, proof: str, *, unknown: bool
) -> None:
    tokens = KnownTokens([KnownToken(address(20), "XYZ", "", 6)])
    ends = (address(1).raw, address(2).raw)
    amount = (5).to_bytes(32, "big")
    row: Row = (7, 0, bytes(32), kind, 0, *ends, str(asset), amount, 1, 0, b"")
    row = (*row, bytes(32), 0, 9, None, proof, proof, 0)
    entry = entry_of((*row, 0), solid=6, tokens=tokens)
    assert (entry.unknown_token, entry.amount) == (unknown, "5")
    assert (entry.proof, entry.single_source) == (proof, proof == "one_source")
    assert not entry.solidified
    assert entry_of((*row, 0), solid=7, tokens=tokens).solidified
    waiting = entry_of((*row, 1), solid=7, tokens=tokens)
    assert waiting.solidified == (proof != "one_source")
