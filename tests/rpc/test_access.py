"""Who may do what, from uid and groups alone."""

from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.rpc.access import (
    EVERYTHING,
    NOTHING,
    OVERFLOW_UID,
    PAYING,
    AccessRules,
    Peer,
)

READING = frozenset({"read"})
ids = st.integers(0, 5) | st.just(OVERFLOW_UID)


def test_the_owner_and_root_get_everything() -> None:
    rules = AccessRules(owner=7)
    assert rules.classes_of(Peer(7, frozenset())) == EVERYTHING
    assert rules.classes_of(Peer(0, frozenset())) == EVERYTHING
    assert rules.classes_of(Peer(8, frozenset({7, 0}))) == NOTHING


def test_the_group_reads_and_spends_even_as_a_supplementary_one() -> None:
    rules = AccessRules(owner=7, group=50)
    assert rules.classes_of(Peer(8, frozenset({1, 50}))) == PAYING
    assert rules.classes_of(Peer(8, frozenset({1}))) == NOTHING


def test_rules_add_up() -> None:
    rules = AccessRules(
        owner=7,
        uids={8: frozenset({"admin"})},
        gids={60: frozenset({"spend"})},
        anybody=frozenset({"read"}),
    )
    assert rules.classes_of(Peer(9, frozenset())) == READING
    assert rules.classes_of(Peer(9, frozenset({60}))) == PAYING
    assert rules.classes_of(Peer(8, frozenset({60}))) == EVERYTHING


def test_a_uid_from_another_namespace_is_nobody_even_to_a_nobody() -> None:
    rules = AccessRules(owner=OVERFLOW_UID, uids={OVERFLOW_UID: EVERYTHING})
    assert rules.classes_of(Peer(OVERFLOW_UID, frozenset())) == NOTHING


@given(ids, st.frozensets(ids), ids, st.none() | ids)
def test_without_root_owner_group_or_rule_there_is_nothing(
    uid: int, gids: frozenset[int], owner: int, group: int | None
) -> None:
    classes = AccessRules(owner=owner, group=group).classes_of(Peer(uid, gids))
    if uid == 0 or (uid == owner != OVERFLOW_UID):
        assert classes == EVERYTHING
    elif group is not None and group in gids:
        assert classes == PAYING
    else:
        assert classes == NOTHING


def test_the_caller_is_named_by_its_uid() -> None:
    caller = AccessRules(owner=7).caller(Peer(7, frozenset()))
    assert (caller.transport, caller.identity) == ("unix", "uid=7")
    assert caller.may("admin")
