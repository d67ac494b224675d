"""Which faults strike: counted, by chance, and the same again under the same seed."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.api.fault_rules import FaultRule
from lucidtrond.devnet.faults import MAX_RULES, Faults, TooManyRules

PATHS = ("/wallet/getnowblock", "/wallet/broadcasthex", "/walletsolidity/getnowblock")
PATTERNS = ("*", "/wallet/*", "/wallet/broadcast*", "/nothing")
rules = st.builds(
    FaultRule,
    fault=st.sampled_from(["reset", "empty", "delay"]),
    path=st.sampled_from(PATTERNS),
    port=st.sampled_from([None, 0, 1]),
    count=st.none() | st.integers(1, 5),
    skip=st.integers(0, 3),
    chance=st.sampled_from([0.0, 0.3, 0.9, 1.0]),
)
requests = st.lists(st.tuples(st.sampled_from(PATHS), st.integers(0, 1)), max_size=40)


def struck(faults: Faults, asked: list[tuple[str, int]]) -> list[FaultRule | None]:
    return [faults.take(path, port) for path, port in asked]


@given(st.lists(rules, max_size=5), requests, st.integers())
def test_the_same_seed_strikes_the_same_requests(
    given_: list[FaultRule], asked: list[tuple[str, int]], seed: int
) -> None:
    tables = [Faults(seed=seed), Faults()]
    tables[1].reseed(seed)
    for table in tables:
        for rule in given_:
            table.add(rule)
    assert struck(tables[0], asked) == struck(tables[1], asked)


@given(rules, requests)
def test_a_rule_strikes_only_what_it_names_and_never_too_often(
    rule: FaultRule, asked: list[tuple[str, int]]
) -> None:
    faults = Faults()
    faults.add(rule)
    met = struck(faults, asked)
    fits = [
        rule.port in (None, port)
        and (rule.path == "*" or path.startswith(rule.path.rstrip("*")))
        for path, port in asked
    ]
    candidates = [rule_met for rule_met, fit in zip(met, fits, strict=True) if fit]
    assert all(
        rule_met is None for rule_met, fit in zip(met, fits, strict=True) if not fit
    )
    assert candidates[: rule.skip] == [None] * len(candidates[: rule.skip])
    hits = [rule_met for rule_met in candidates if rule_met is not None]
    after = max(0, len(candidates) - rule.skip)
    most = after if rule.count is None else min(after, rule.count)
    assert len(hits) <= most
    if rule.chance == 1.0:
        assert len(hits) == most
    if rule.chance == 0.0:
        assert not hits
    [state] = faults.states()
    assert state.struck == len(hits)


@given(rules, rules, requests)
def test_rules_do_not_change_one_anothers_chances(
    first: FaultRule, second: FaultRule, asked: list[tuple[str, int]]
) -> None:
    alone, both = Faults(), Faults()
    alone.add(first)
    both.add(first)
    both.add(second)
    mine = [rule_met is not None for rule_met in struck(alone, asked)]
    theirs = struck(both, asked)
    assert all(rule is not None for rule, hit in zip(theirs, mine, strict=True) if hit)


def test_the_first_that_strikes_decides_and_one_that_is_spent_makes_way() -> None:
    faults = Faults()
    one, two = FaultRule(fault="reset", count=1), FaultRule(fault="empty")
    numbers = [faults.add(one), faults.add(two)]
    asked = [(PATHS[0], 0)] * 3
    assert struck(faults, asked) == [one, two, two]
    assert faults.clear(numbers[1]) == 1
    assert struck(faults, asked) == [None] * 3
    assert faults.clear() == 1
    assert not faults


def test_rules_are_bounded() -> None:
    faults = Faults()
    for _ in range(MAX_RULES):
        faults.add(FaultRule(fault="empty"))
    with pytest.raises(TooManyRules):
        faults.add(FaultRule(fault="empty"))


def test_a_chance_is_about_what_it_says() -> None:
    faults: Any = Faults(seed=7)
    faults.add(FaultRule(fault="reset", chance=0.3))
    hits = sum(faults.take(PATHS[0], 0) is not None for _ in range(10_000))
    assert 2800 < hits < 3200


def test_a_rule_may_name_its_port_by_the_older_name_door() -> None:
    read = {"fault": "empty", "door": 1}
    rule = msgspec.convert(read, FaultRule)
    assert rule == FaultRule(fault="empty", port=1)
    assert msgspec.to_builtins(rule)["door"] == 1
    assert msgspec.convert({**read, "port": 1}, FaultRule) == rule
    with pytest.raises(msgspec.ValidationError, match="port or its older name door"):
        msgspec.convert({**read, "port": 0}, FaultRule)
    faults = Faults()
    faults.add(rule)
    assert struck(faults, [(PATHS[0], 0), (PATHS[0], 1)]) == [None, rule]
