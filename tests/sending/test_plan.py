"""The plan: no answer of a node ends an attempt, only blocks do."""

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lucidtrond.sending.plan import (
    IN_FLIGHT,
    NO_PROOF,
    OPEN,
    SAFE_TO_RETRY,
    Answered,
    Attempt,
    Fact,
    Included,
    Inclusion,
    Proven,
    Reverted,
    Signed,
    SolidUpTo,
    Unanswered,
    after,
    in_flight_until,
    meaning,
    next_send,
)
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.units import Sun, UnixMillis

EXPIRATION = UnixMillis(1_000_000)
CODES = (
    "SUCCESS",
    "SIGERROR",
    "CONTRACT_VALIDATE_ERROR",
    "CONTRACT_EXE_ERROR",
    "BANDWITH_ERROR",
    "DUP_TRANSACTION_ERROR",
    "TAPOS_ERROR",
    "TOO_BIG_TRANSACTION_ERROR",
    "TRANSACTION_EXPIRATION_ERROR",
    "SERVER_BUSY",
    "NO_CONNECTION",
    "NOT_ENOUGH_EFFECTIVE_CONNECTION",
    "BLOCK_UNSOLIDIFIED",
    "OTHER_ERROR",
    "A_CODE_OF_TOMORROW",
)
TEXTS = ("Dup transaction.", "Transaction already exists.", "P2P broadcast failed.", "")

times = st.integers(0, 2_000_000).map(UnixMillis)
blocks = st.builds(
    Inclusion,
    st.integers(1, 20),
    st.integers(0, 3).map(lambda salt: BlockId(f"{salt:064x}")),
    times,
    contract_ret=st.sampled_from([1, 2, 10]),
    fee=st.just(Sun(0)),
    arrived=st.sampled_from([None, 0, 5]),
)
facts = st.one_of(
    st.builds(Signed),
    st.builds(Answered, st.sampled_from(CODES), st.sampled_from(TEXTS), times),
    st.builds(Unanswered, st.just("reset"), times),
    st.builds(Included, blocks),
    st.builds(Reverted, st.integers(1, 20), blocks.map(lambda b: b.block_id)),
    st.builds(Proven, st.integers(1, 20), st.integers(1, 9)),
    st.builds(SolidUpTo, st.integers(0, 30), times, st.integers(0, 10)),
)


def fresh() -> Attempt:
    return Attempt("queued", EXPIRATION, reference_number=5)


def played(history: list[Fact]) -> Attempt:
    attempt = fresh()
    for fact in history:
        attempt = after(attempt, fact)
    return attempt


@given(st.lists(facts, max_size=12))
def test_the_state_says_whether_a_block_holds_it(history: list[Fact]) -> None:
    attempt = played(history)
    held = attempt.inclusion is not None
    assert held == (attempt.state in ("included", "solidified", "failed", "unproven"))
    assert in_flight_until(attempt) == (
        EXPIRATION if attempt.state in IN_FLIGHT else None
    )


@given(st.lists(facts, max_size=12), facts)
def test_nothing_a_node_answers_ends_or_revives_an_attempt(
    history: list[Fact], fact: Fact
) -> None:
    before = played(history)
    now = after(before, fact)
    if isinstance(fact, Signed | Answered | Unanswered):
        assert (now.state in OPEN) == (before.state in OPEN)
        assert now.inclusion == before.inclusion
    if now.state == "expired" != before.state:
        assert isinstance(fact, SolidUpTo)
        assert fact.timestamp >= EXPIRATION
        assert fact.complete_from <= 6
        assert before.inclusion is None
    if before.state in ("solidified", "failed"):
        assert now == before
    if before.state == "expired" and now != before:
        assert isinstance(fact, Included)


@given(st.lists(facts, max_size=12), facts)
def test_a_fact_told_twice_is_like_once_but_for_counting_sends(
    history: list[Fact], fact: Fact
) -> None:
    once = after(played(history), fact)
    twice = after(once, fact)
    assert evolve(twice, sent=once.sent) == once


@given(st.lists(facts, max_size=12))
def test_bytes_are_due_only_while_they_are_in_flight(history: list[Fact]) -> None:
    attempt = played(history)
    due = next_send(attempt)
    if attempt.state not in IN_FLIGHT:
        assert due is None
    elif due is None:
        assert attempt.code == "TOO_BIG_TRANSACTION_ERROR"
    elif attempt.last_sent is not None:
        assert 3000 <= due - attempt.last_sent <= 60_000


@given(st.lists(facts, max_size=12))
def test_safe_to_retry_means_that_it_did_not_pay(history: list[Fact]) -> None:
    attempt = played(history)
    held = attempt.inclusion
    if attempt.state in SAFE_TO_RETRY:
        assert held is None or not held.succeeded
    if attempt.state == "solidified":
        assert held is not None
        assert held.paid
    if attempt.state == "unproven":
        assert held is not None
        assert held.succeeded
        assert held.arrived == 0
        assert attempt.unresolved
        assert not attempt.safe_to_retry
        assert not attempt.may_be_renewed(by_hand=True)


def test_both_meanings_of_a_duplicate_and_of_a_lacking_connection() -> None:
    assert meaning("DUP_TRANSACTION_ERROR", "Dup transaction.").in_pool
    assert not meaning("DUP_TRANSACTION_ERROR", "Transaction already exists.").in_pool
    code = "NOT_ENOUGH_EFFECTIVE_CONNECTION"
    assert meaning(code, "P2P broadcast failed.").in_pool
    assert not meaning(
        code, "Effective connection:0 lt minEffectiveConnection:1"
    ).in_pool
    assert meaning(None) == meaning("A_CODE_OF_TOMORROW")


def test_a_refusal_after_an_acceptance_alarms_nobody() -> None:
    at = UnixMillis(10)
    refusal = Answered("CONTRACT_VALIDATE_ERROR", "balance is not sufficient.", at)
    refused = played([Signed(), refusal])
    assert refused.reason is not None
    assert "balance is not sufficient" in refused.reason
    accepted = played([Signed(), Answered("SUCCESS", "", at), refusal])
    assert accepted.reason is None
    assert after(accepted, Unanswered("reset", at)).reason is None


def test_death_needs_time_and_a_ledger_without_a_gap() -> None:
    signed = played([Signed()])
    early = SolidUpTo(9, UnixMillis(EXPIRATION - 1), complete_from=0)
    gap = SolidUpTo(9, EXPIRATION, complete_from=7)
    proof = SolidUpTo(9, EXPIRATION, complete_from=6)
    assert after(signed, early) == signed
    assert after(signed, gap) == signed
    dead = after(signed, proof)
    assert dead.state == "expired"
    assert dead.reason is not None
    assert "block 9" in dead.reason
    assert after(fresh(), proof).state == "expired"


def test_a_failed_contract_is_failed_only_when_final() -> None:
    block = Inclusion(7, BlockId("07"), UnixMillis(5), contract_ret=10, fee=Sun(3))
    held = played([Signed(), Included(block, "OUT_OF_ENERGY")])
    assert held.state == "included"
    assert held.reason is not None
    assert "OUT_OF_ENERGY" in held.reason
    assert after(held, SolidUpTo(6, EXPIRATION, 0)).state == "included"
    assert after(held, SolidUpTo(7, UnixMillis(9), 0)).state == "failed"


def token_block(arrived: int | None, ret: int = 1) -> Inclusion:
    return Inclusion(
        7,
        BlockId("07"),
        UnixMillis(5),
        contract_ret=ret,
        fee=Sun(3),
        arrived=arrived,
    )


def test_success_without_its_log_is_unproven_until_a_receipt_shows_it() -> None:
    held = played([Signed(), Included(token_block(0))])
    assert (held.state, held.reason) == ("included", NO_PROOF)
    final = after(held, SolidUpTo(7, UnixMillis(9), 0))
    assert final.state == "unproven"
    assert not final.safe_to_retry
    assert after(final, Proven(8, 5)) == final
    proven = after(final, Proven(7, 5))
    assert (proven.state, proven.reason) == ("solidified", None)
    assert proven.inclusion is not None
    assert proven.inclusion.arrived == 5
    early = after(held, Proven(7, 4))
    assert (early.state, early.reason) == ("included", None)
    assert after(early, SolidUpTo(7, UnixMillis(9), 0)).state == "solidified"


def test_a_token_payment_with_its_log_is_paid_and_a_failed_one_is_failed() -> None:
    solid = SolidUpTo(7, UnixMillis(9), 0)
    paid = played([Signed(), Included(token_block(5)), solid])
    assert paid.state == "solidified"
    failed = played([Signed(), Included(token_block(0, ret=2)), solid, Proven(7, 5)])
    assert failed.state == "failed"
    assert failed.safe_to_retry


class Bytes(RuleBasedStateMachine):
    """One transaction's bytes on a chain that forks, solidifies and forgets.

    Blocks are ``holds it?``; time is 100,000 per block; the reference block is 0.
    """

    def __init__(self) -> None:
        super().__init__()
        self.attempt = Attempt("queued", EXPIRATION, reference_number=0)
        self.blocks: list[bool] = [False]
        self.salt = 0
        self.ids = [BlockId("00")]
        self.solid = 0

    def tell(self, fact: Fact) -> None:
        self.attempt = after(self.attempt, fact)

    @rule()
    def sign(self) -> None:
        self.tell(Signed())

    @rule(code=st.sampled_from(CODES), text=st.sampled_from(TEXTS), at=times)
    def answer(self, code: str, text: str, at: UnixMillis) -> None:
        if self.attempt.state != "queued":
            self.tell(Answered(code, text, at))

    @rule(at=times)
    def silence(self, at: UnixMillis) -> None:
        if self.attempt.state != "queued":
            self.tell(Unanswered("reset", at))

    @rule(wanted=st.booleans())
    def grow(self, *, wanted: bool) -> None:
        parent_time = (len(self.blocks) - 1) * 100_000
        may = not any(self.blocks) and parent_time < EXPIRATION
        holds = wanted and may and self.attempt.state != "queued"
        self.salt += 1
        number = len(self.blocks)
        self.blocks.append(holds)
        self.ids.append(BlockId(f"{self.salt:064x}"))
        if holds:
            at = UnixMillis(number * 100_000)
            block = Inclusion(number, self.ids[-1], at, contract_ret=1, fee=Sun(0))
            self.tell(Included(block))

    @rule()
    def take_back(self) -> None:
        if len(self.blocks) - 1 > self.solid:
            self.blocks.pop()
            self.tell(Reverted(len(self.blocks), self.ids.pop()))

    @rule(lag=st.integers(0, 4))
    def solidify(self, lag: int) -> None:
        self.solid = max(self.solid, len(self.blocks) - 1 - lag)
        time = UnixMillis(self.solid * 100_000)
        self.tell(SolidUpTo(self.solid, time, complete_from=0))

    @invariant()
    def the_state_is_the_truth(self) -> None:
        landed = any(self.blocks)
        final = any(self.blocks[: self.solid + 1])
        state = self.attempt.state
        assert (state in ("included", "solidified")) == landed
        assert (state == "solidified") == final
        if self.solid * 100_000 >= EXPIRATION:
            assert state == ("solidified" if final else "expired") or (
                landed and state == "included"
            )


TestBytes = Bytes.TestCase
