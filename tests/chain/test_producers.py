"""Whose signature counts, decided from rows and from what endpoints report."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.chain.producers import (
    MAX_PRODUCERS,
    MAX_ROWS,
    ORIGINS,
    KeyOrigin,
    KeyRow,
    KeyTable,
    NeedsHistory,
    Refused,
    Signed,
    Taken,
    Unknown,
    Verdict,
    judge,
)
from lucidtrond.node.health.agreement import KeyReport
from lucidtrond.tron.address import Address
from tests.chain.model import address

PRODUCER, KEY, OTHER = address(1), address(2), address(3)
NUMBER = 100
HEAD, FINAL = 105, 86
"""Of an endpoint that is level with the chain; block `NUMBER` is not final."""


def report(
    head: Address | None,
    solid: Address | None = None,
    *,
    endpoint: str = "one",
    head_number: int = HEAD,
    solid_number: int = FINAL,
) -> KeyReport:
    return KeyReport(
        endpoint,
        head,
        head_number,
        solid=head if solid is None else solid,
        solid_number=solid_number,
    )


def silent(endpoint: str = "two") -> KeyReport:
    return KeyReport(endpoint, error="no answer")


def row(key: Address, *, from_block: int = 50, origin: KeyOrigin = "block") -> KeyRow:
    return KeyRow(PRODUCER, key, from_block, origin)


def judged(signer: Address, *said: KeyReport, row: KeyRow | None = None) -> Verdict:
    return judge(Signed(NUMBER, PRODUCER, signer), row, said)


def learned(verdict: Verdict) -> tuple[Address, int, str]:
    assert isinstance(verdict, Taken)
    fresh = verdict.row
    return fresh.key, fresh.from_block, fresh.origin


@pytest.mark.parametrize("signer", [PRODUCER, KEY])
def test_the_key_that_an_account_names_counts(signer: Address) -> None:
    assert learned(judged(signer, report(signer))) == (signer, NUMBER, "node")
    two = judged(signer, report(signer), report(signer, endpoint="two"))
    assert learned(two) == (signer, NUMBER, "two nodes")
    assert learned(judged(signer, report(signer), silent()))[2] == "node"


def test_the_key_of_the_final_state_counts_too() -> None:
    """The change is in a block between the two."""
    assert learned(judged(KEY, report(OTHER, KEY))) == (KEY, NUMBER, "node")


@pytest.mark.parametrize("signer", [PRODUCER, KEY])
def test_a_key_that_no_account_names_is_refused(signer: Address) -> None:
    verdict = judged(signer, report(OTHER))
    assert isinstance(verdict, Refused)
    assert not verdict.disputed
    for named in (f"block {NUMBER} ", str(PRODUCER), str(signer), str(OTHER)):
        assert named in verdict.reason


def test_endpoints_that_contradict_each_other_prove_nothing() -> None:
    verdict = judged(KEY, report(KEY), report(OTHER, endpoint="two"))
    assert isinstance(verdict, Refused)
    assert verdict.disputed
    behind = report(OTHER, endpoint="two", head_number=NUMBER - 2)
    assert learned(judged(KEY, report(KEY), behind))[2] == "node"


def test_a_row_gives_way_to_two_endpoints_or_to_the_only_one() -> None:
    stored = row(OTHER)
    assert learned(judged(KEY, report(KEY), row=stored))[2] == "node"
    assert isinstance(judged(KEY, report(KEY), silent(), row=stored), Refused)
    both = (report(KEY), report(KEY, endpoint="two"))
    assert learned(judged(KEY, *both, row=stored))[2] == "two nodes"


def test_a_state_from_before_the_row_confirms_nothing() -> None:
    """Its account still names the key that was replaced."""
    stored = row(OTHER, from_block=90)
    for stale in (
        report(OTHER, KEY, solid_number=88),
        report(KEY, KEY, head_number=88, solid_number=88),
    ):
        assert isinstance(judged(KEY, stale, row=stored), Refused)
    fresh = report(OTHER, KEY, solid_number=89)
    assert learned(judged(KEY, fresh, row=stored))[2] == "node"


def test_of_a_final_block_the_producers_own_key_is_taken_where_no_row_says() -> None:
    later = report(KEY, solid_number=NUMBER)
    assert learned(judged(PRODUCER, later)) == (PRODUCER, NUMBER, "signature")
    assert isinstance(judged(PRODUCER, later, row=row(KEY)), Refused)
    assert isinstance(judged(OTHER, later), Refused)


def test_any_other_key_of_a_final_block_needs_two_endpoints_that_have_the_block() -> (
    None
):
    later = report(KEY, solid_number=NUMBER)
    both = (later, evolve(later, endpoint="two"))
    verdict = judged(OTHER, *both)
    assert isinstance(verdict, NeedsHistory)
    assert verdict.row == KeyRow(PRODUCER, OTHER, NUMBER, "two nodes")
    assert isinstance(judged(OTHER, *both, row=row(KEY)), Refused)


def test_an_endpoint_without_the_account_says_nothing() -> None:
    nothing = KeyReport("one", head_number=HEAD)
    assert learned(judged(PRODUCER, nothing))[2] == "signature"
    assert isinstance(judged(KEY, nothing), Refused)
    assert isinstance(judged(KEY, nothing, row=row(PRODUCER)), Refused)


def test_when_no_endpoint_answers_nothing_is_decided() -> None:
    for stored in (None, row(KEY)):
        assert isinstance(judged(PRODUCER, silent(), row=stored), Unknown)


keys = st.sampled_from([PRODUCER, KEY, OTHER])
numbers = st.integers(0, 130)
reports = st.builds(
    KeyReport,
    endpoint=st.sampled_from(["one", "two", "three"]),
    head=st.none() | keys,
    head_number=numbers,
    solid=st.none() | keys,
    solid_number=numbers,
    error=st.none() | st.just("no answer"),
)
rows = st.none() | st.builds(
    KeyRow,
    producer=st.just(PRODUCER),
    key=keys,
    from_block=st.integers(0, NUMBER),
    origin=st.sampled_from(ORIGINS),
)


@given(keys, rows, st.lists(reports, min_size=1, max_size=3))
def test_a_signature_counts_only_if_somebody_vouches_for_it(
    signer: Address, stored: KeyRow | None, said: list[KeyReport]
) -> None:
    verdict = judged(signer, *said, row=stored)
    if not isinstance(verdict, Taken):
        return
    fresh = verdict.row
    assert (fresh.producer, fresh.key, fresh.from_block) == (PRODUCER, signer, NUMBER)
    answered = [report for report in said if report.error is None]
    assert answered
    if fresh.origin == "signature":
        assert signer == PRODUCER
        assert stored is None
    else:
        naming = {e.endpoint for e in answered if signer in (e.head, e.solid)}
        assert len(naming) >= (2 if fresh.origin == "two nodes" else 1)


table_rows = st.lists(
    st.builds(
        KeyRow,
        producer=st.sampled_from([address(n) for n in range(3)]),
        key=keys,
        from_block=st.integers(0, 30),
        origin=st.sampled_from(ORIGINS),
    ),
    max_size=40,
)


@given(table_rows, st.integers(0, 35))
def test_the_newest_row_that_is_not_above_a_block_decides(
    made: list[KeyRow], number: int
) -> None:
    table = KeyTable.of(made)
    for producer in {row.producer for row in made}:
        newest = {e.from_block: e for e in made if e.producer == producer}
        kept = sorted(newest)[-MAX_ROWS:]
        below = [from_block for from_block in kept if from_block <= number]
        assert table.at(producer, number) == (newest[below[-1]] if below else None)


@given(table_rows, st.integers(0, 30))
def test_reverting_drops_what_those_blocks_made_known_and_nothing_else(
    made: list[KeyRow], kept_to: int
) -> None:
    table = KeyTable.of(made[:MAX_ROWS])
    copy = table.copy()
    for number in range(40, kept_to, -1):
        copy.revert(number)
    before = set(table.rows())
    assert set(copy.rows()) == {
        row for row in before if row.from_block - (row.origin == "block") <= kept_to
    }
    assert set(table.rows()) == before


def test_rows_are_bounded() -> None:
    table = KeyTable()
    for number in range(3 * MAX_ROWS):
        table.put(KeyRow(PRODUCER, KEY, number, "block"))
    assert len(table.rows()) == MAX_ROWS
    for number in range(MAX_PRODUCERS + 10):
        table.put(KeyRow(address(1000 + number), KEY, 1000 + number, "node"))
    assert len({row.producer for row in table.rows()}) == MAX_PRODUCERS
    assert not table.knows(PRODUCER)
