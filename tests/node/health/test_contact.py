"""Silence is counted from the first request without a response, and ends with one."""

from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.node.health.contact import TOO_SOON_S, Contact

moves = st.lists(
    st.tuples(
        st.sampled_from(["begin", "respond", "fail", "give up"]),
        st.floats(0, 5, allow_nan=False),
    ),
    max_size=40,
)


@given(moves)
def test_silence_is_never_longer_than_since_anything_was_sent_or_received(
    script: list[tuple[str, float]],
) -> None:
    contact, now = Contact(), 0.0
    under_way: list[int] = []
    responded, first_sent = float("-inf"), None
    for move, passed in script:
        now += passed
        match move:
            case "begin":
                under_way.append(contact.begin(now))
                first_sent = now if first_sent is None else first_sent
            case "respond" if under_way:
                contact.note_response(under_way[0], now)
                responded = now
            case "fail" | "give up" if under_way:
                contact.end(under_way.pop(0), now, failed=move == "fail")
        silent_s = contact.silent_s(now)
        assert contact.waiting_s(now) <= silent_s
        if first_sent is None:
            assert silent_s == 0
        else:
            assert 0 <= silent_s <= now - max(responded, first_sent)
        if not under_way:
            assert contact.waiting_s(now) == 0


def test_a_request_under_way_is_silence_and_any_response_ends_it() -> None:
    contact = Contact()
    first, second = contact.begin(10), contact.begin(11)
    assert contact.silent_s(14) == 4
    contact.note_response(first, 15)
    assert contact.silent_s(15) == 0
    assert contact.silent_s(17) == 2
    contact.end(first, 17, failed=False)
    contact.end(second, 18, failed=True)
    assert contact.silent_s(20) == 0
    assert contact.without_response_s(20) == 5


def test_what_failed_counts_from_when_it_was_sent_and_goes_on_counting() -> None:
    contact = Contact()
    contact.end(contact.begin(10), 15, failed=True)
    contact.end(contact.begin(20), 25, failed=True)
    assert (contact.silent_s(40), contact.waiting_s(40)) == (30, 0)
    last = contact.begin(40)
    contact.note_response(last, 41)
    contact.end(last, 42, failed=True)
    assert contact.silent_s(50) == 0


def test_a_request_that_was_given_up_soon_says_nothing() -> None:
    contact = Contact()
    contact.end(contact.begin(10), 10 + TOO_SOON_S / 2, failed=False)
    assert contact.silent_s(99) == 0
    contact.end(contact.begin(10), 10 + TOO_SOON_S, failed=False)
    assert contact.silent_s(99) == 89
