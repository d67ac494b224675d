"""When to ask again, and which endpoint: decisions only, no waiting. Pure.

What may be retried is said by the error's class. `NodeUnavailable` (no answer, or
"not now") is: asking again is safe and may help. `NodeRefused` (the node understood,
and says no) and `NodeLied` are not: the same question to the same node gives the same
answer. Another endpoint is asked for all of them, since reads cost nothing and nodes
differ (pruned history, a bad key, a broken database).
"""

import math
from collections.abc import Sequence
from typing import Final

from attrs import field, frozen
from attrs.validators import ge

from lucidtrond.errors import (
    CallNotRun,
    NodeError,
    NodeLied,
    NodeUnavailable,
    QuotaSpent,
)

LONGEST_WAIT_S: Final = 60.0
"""No single wait is longer; if the node asks for a longer one, we give up instead."""
QUOTA_REST_S: Final = 600.0
"""A spent daily quota is asked about so often; providers don't say when it is new."""
FIRST_REST_S: Final = 1.0
LONGEST_REST_S: Final = 30.0


@frozen
class RetryPolicy:
    """How often and how long; the older Lucid service's names and values.

    TRON_MAX_RETRIES, TRON_RETRY_BACKOFF and TRON_INITIAL_RETRY_DELAY: waits of 1, 2
    and 4 s, then the error. *jitter* spreads each wait over 0 to its full length, as
    the daemon does unless told otherwise. No retry begins more than *within_s* after
    the question was first asked.
    """

    max_retries: int = field(default=3, validator=ge(0))
    backoff: float = field(default=2.0, validator=ge(1))
    initial_delay_s: float = field(default=1.0, validator=ge(0))
    jitter: bool = field(default=False, kw_only=True)
    within_s: float = field(default=math.inf, kw_only=True)

    def wait_s(
        self, failures: int, error: NodeError, *, chance: float = 1.0
    ) -> float | None:
        """How long to wait after so many failures, or None: give up.

        *chance* from 0 to 1 is used with jitter. A wait that the node asked for is
        never shortened.
        """
        if not is_retryable(error) or failures > self.max_retries:
            return None
        asked = retry_after_s(error) or 0.0
        if asked > LONGEST_WAIT_S:
            return None
        own = min(self.initial_delay_s, LONGEST_WAIT_S)
        for _ in range(failures - 1):
            own = min(own * self.backoff, LONGEST_WAIT_S)
        if self.jitter:
            own *= chance
        return max(own, asked)


def is_retryable(error: NodeError) -> bool:
    """Whether the same question to the same nodes may succeed later."""
    return isinstance(error, NodeUnavailable)


def counts_as_failure(error: NodeError) -> bool:
    """Whether the endpoint is better left out while there are others."""
    return isinstance(error, NodeUnavailable | NodeLied | QuotaSpent)


def retry_after_s(error: NodeError) -> float | None:
    """How long the node asked to be left alone."""
    if isinstance(error, NodeUnavailable):
        return error.retry_after_s
    return QUOTA_REST_S if isinstance(error, QuotaSpent) else None


def rest_s(failures: int) -> float:
    """How long to prefer other endpoints after so many failures in a row."""
    # The exponent is bounded so that a long outage makes no huge number.
    return min(FIRST_REST_S * 2.0 ** min(failures - 1, 16), LONGEST_REST_S)


def most_telling(errors: Sequence[NodeError]) -> NodeError:
    """Which of several endpoints' errors to report: the soonest to pass, or the first.

    That a call can't be run is an answer, whatever keeps other endpoints from one. The
    wait before the next round goes by it: one endpoint's rate limit must not keep us
    from the others.
    """
    answered = [error for error in errors if isinstance(error, CallNotRun)]
    if answered:
        return answered[0]
    passing = [error for error in errors if is_retryable(error)]
    if not passing:
        return errors[0]
    return min(passing, key=lambda error: retry_after_s(error) or 0.0)
