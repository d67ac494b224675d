"""What an HTTP answer means before it is read: data, "not now", or no.

java-tron says nearly everything with status 200: errors as ``{"Error": …}``, a pruned
node's refusal as bare text. Providers in front of it say 403, 429 and 503, with JSON,
HTML or nothing. Each is one of the exceptions of `errors`; what is left is JSON.
"""

import re
from datetime import UTC, datetime
from typing import Final

from lucidtrond.errors import NodeError, NodeRefused, NodeUnavailable, QuotaSpent
from lucidtrond.node.health.errors import SlowDown, Suspended

REASON_CHARACTERS: Final = 200
_SUSPENDED: Final = re.compile(r"suspended for ([0-9]{1,6}) ?s")
_QUOTA: Final = "Exceed the user daily usage"
_BUSY: Final = "lack of computing resources"
"""RateLimiterServlet's refusal, with status 200."""
_LITE: Final = "this API is closed because this node is a lite fullnode"
_LIMITED: Final = ("exceeded the allowed_rps", "exceeds the frequency limit")
_MONTHS: Final = "JanFebMarAprMayJunJulAugSepOctNovDec"
_DATE: Final = re.compile(
    r"[A-Z][a-z]{2}, ([0-9]{2})"
    r" (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) ([0-9]{4})"
    r" ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT"
)
_NOT_NOW: Final = frozenset({408, 425})


def refusal_of(
    name: str,
    *,
    status: int,
    body: bytes,
    retry_after: str | None = None,
    date: str | None = None,
) -> NodeError | None:
    """What is wrong with an answer of endpoint *name*; None: its body is JSON.

    *retry_after* and *date* are headers; a time to wait for is compared with their own.

    Cut-off JSON and ``{"Error": …}`` with status 200 are seen when it is decoded.
    """
    if status == 200:
        return _of_body(name, body)
    text = _text(body)
    asked = _seconds(retry_after, text, date)
    if text.startswith(_QUOTA):
        return QuotaSpent(f"{name}: the daily quota is used up")
    if status == 429 or (status == 403 and _is_limit(text)):
        return _slow_down(name, text, asked)
    if status in _NOT_NOW or status >= 500:
        kind = SlowDown if status == 503 else NodeUnavailable
        return kind(name, 1, f"HTTP {status}", retry_after_s=asked)
    if status == 401:
        return NodeRefused(name, "HTTP 401: the api key is not accepted")
    return NodeRefused(name, shown(f"HTTP {status}: {_plain(text)}"))


def refusal_in_json(name: str, error: str) -> NodeError:
    """What the text of an ``Error`` key means."""
    if _QUOTA in error:
        return QuotaSpent(f"{name}: the daily quota is used up")
    if _BUSY in error or _is_limit(error):
        asked = _seconds(None, error)
        return _slow_down(name, error, asked)
    return NodeRefused(name, shown(error))


def _slow_down(name: str, text: str, asked: float | None) -> SlowDown:
    kind = Suspended if _SUSPENDED.search(text) else SlowDown
    return kind(name, 1, "too many requests", retry_after_s=asked)


def shown(text: str) -> str:
    """A node's own words, fit for our errors: printable and short."""
    printable = "".join(
        character if character.isprintable() else " " for character in text
    )
    return printable.strip()[:REASON_CHARACTERS]


def _of_body(name: str, body: bytes) -> NodeError | None:
    first = body[:64].lstrip()[:1]
    if first in (b"{", b"["):
        return None
    text = _text(body)
    if not text:
        return NodeUnavailable(name, 1, "an empty answer")
    if _LITE in text:
        return NodeRefused(name, _LITE)
    if first == b"<":
        return NodeUnavailable(name, 1, "a web page in place of an answer")
    return NodeUnavailable(name, 1, "something that is no JSON")


def _text(body: bytes) -> str:
    return body[:4096].decode("utf-8", "replace").strip()


def _plain(text: str) -> str:
    """Without what a web page says."""
    return "" if text.startswith("<") else text


def _is_limit(text: str) -> bool:
    return any(phrase in text for phrase in _LIMITED) or bool(_SUSPENDED.search(text))


def _seconds(header: str | None, text: str, date: str | None = None) -> float | None:
    # str.strip() takes more for blank than float() does (0x1c to 0x1f).
    digits = "" if header is None else header.strip()
    if re.fullmatch(r"[0-9]{1,6}", digits):
        return float(digits)
    if date is not None and (until := _read_date(digits)) is not None:
        now = _read_date(date)
        return None if now is None else max(0.0, until - now)
    match = _SUSPENDED.search(text)
    return float(match[1]) if match else None


def _read_date(text: str) -> float | None:
    """IMF-fixdate of RFC 9110, 5.6.7, which all of today send."""
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return None
    day, month, year, hour, minute, second = match.groups()
    try:
        at = datetime(
            int(year),
            _MONTHS.index(month) // 3 + 1,
            int(day),
            int(hour),
            int(minute),
            int(second),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return at.timestamp()
