"""Answers that are no data, told apart."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.errors import NodeError, NodeRefused, NodeUnavailable, QuotaSpent
from lucidtrond.node.health.errors import SlowDown, Suspended
from lucidtrond.node.transport.refusals import (
    REASON_CHARACTERS,
    refusal_in_json,
    refusal_of,
    shown,
)

# Bodies as captured at TronGrid (tronpy's and other clients' issue trackers).
BURST = (
    b'{"Error":"request rate of (getTrc20TransactionsByAccount) exceeded the'
    b" allowed_rps(1), and the query server is suspended for 5 s."
    b' Please slow down"}'
)
KEYED = (
    b'{"Error":"The key exceeds the frequency limit(15), and the query server is'
    b' suspended for 30s"}'
)
QUOTA = b"Exceed the user daily usage 100000"
LITE = b"this API is closed because this node is a lite fullnode"


@pytest.mark.parametrize(
    ("status", "body", "header", "seconds"),
    [
        (429, BURST, None, 5),
        (403, BURST, None, 5),
        (429, KEYED, None, 30),
        (403, KEYED, None, 30),
        (429, b"", None, None),
        (429, b"<html>", "12", 12),
        (429, KEYED, "7", 7),
        (429, b"", "Wed, 21 Oct 2026 07:28:00 GMT", None),
        (503, b"", "3", 3),
        (503, KEYED, None, 30),
    ],
)
def test_rate_limits_say_how_long_to_stay_away(
    status: int, body: bytes, header: str | None, seconds: float | None
) -> None:
    error = refusal_of("n", status=status, body=body, retry_after=header)
    assert isinstance(error, NodeUnavailable)
    assert error.retry_after_s == seconds


NOW = datetime(2026, 10, 21, 7, 27, 30, tzinfo=UTC)


@given(st.integers(-86_400, 400 * 86_400))
def test_a_time_to_wait_for_is_counted_from_the_answers_own(seconds: int) -> None:
    until = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    date = format_datetime(NOW, usegmt=True)
    error = refusal_of("n", status=503, body=b"", retry_after=until, date=date)
    assert isinstance(error, NodeUnavailable)
    assert error.retry_after_s == max(0, seconds)


@pytest.mark.parametrize(
    ("until", "date"),
    [
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "yesterday"),
        ("Wed, 32 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:27:00 GMT"),
        ("Wed, 21 Oct 0000 07:28:00 GMT", "Wed, 21 Oct 2026 07:27:00 GMT"),
        ("soon", "Wed, 21 Oct 2026 07:27:00 GMT"),
    ],
)
def test_a_time_that_can_not_be_read_says_nothing(until: str, date: str | None) -> None:
    error = refusal_of("n", status=429, body=b"", retry_after=until, date=date)
    assert isinstance(error, NodeUnavailable)
    assert error.retry_after_s is None


def test_a_spent_quota_is_not_a_rate_limit() -> None:
    assert isinstance(refusal_of("n", status=403, body=QUOTA), QuotaSpent)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 520])
def test_a_server_that_is_in_trouble_may_be_asked_again(status: int) -> None:
    error = refusal_of("n", status=status, body=b"<html>oops</html>")
    assert isinstance(error, NodeUnavailable)
    assert "oops" not in str(error)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 413, 501 - 100])
def test_other_statuses_are_refusals(status: int) -> None:
    assert type(refusal_of("n", status=status, body=b"{}")) is NodeRefused


@pytest.mark.parametrize("status", [400, 401, 403])
def test_only_an_api_key_that_is_not_accepted_is_blamed(status: int) -> None:
    error = refusal_of("n", status=status, body=b"<html>no</html>")
    assert ("the api key is not accepted" in str(error)) == (status == 401)


@pytest.mark.parametrize("body", [b"{}", b"[]", b' {"a":1}\n', b"\n[1]", b'{"Err'])
def test_what_begins_like_json_is_left_to_the_decoder(body: bytes) -> None:
    assert refusal_of("n", status=200, body=body) is None


@pytest.mark.parametrize("body", [b"", b" \n", b"<html>", b"busy", b"null", b"\xff"])
def test_no_json_with_status_200_may_be_asked_again(body: bytes) -> None:
    assert isinstance(refusal_of("n", status=200, body=body), NodeUnavailable)


def test_a_lite_node_refuses_for_good() -> None:
    error = refusal_of("n", status=200, body=LITE + b"\n")
    assert type(error) is NodeRefused
    assert "lite fullnode" in str(error)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            "class java.lang.IllegalAccessException : lack of computing resources",
            SlowDown,
        ),
        ("request rate exceeded the allowed_rps(10), and the …", SlowDown),
        ("the query server is suspended for 5 s", Suspended),
        ("Exceed the user daily usage", QuotaSpent),
        ("class java.lang.NullPointerException : null", NodeRefused),
        ("num must be non-positive number.", NodeRefused),
    ],
)
def test_errors_with_status_200_are_read_by_their_text(
    text: str, kind: type[NodeError]
) -> None:
    assert type(refusal_in_json("n", text)) is kind


@given(st.integers(100, 999), st.binary(max_size=300), st.none() | st.text(max_size=20))
def test_no_answer_is_too_strange_to_be_classified(
    status: int, body: bytes, header: str | None
) -> None:
    error = refusal_of("n", status=status, body=body, retry_after=header, date=header)
    assert error is None or isinstance(error, NodeError)
    if error is None:
        assert status == 200
        assert body.lstrip()[:1] in (b"{", b"[")


@given(st.text())
def test_a_nodes_words_are_shown_short_and_printable(text: str) -> None:
    assert len(shown(text)) <= REASON_CHARACTERS
    assert shown(text).isprintable()
