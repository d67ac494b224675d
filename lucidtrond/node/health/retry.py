"""Asking again until `policy` says enough; the one place where retries wait."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from lucidtrond.errors import NodeError, NodeUnavailable
from lucidtrond.node.health.errors import NotAsked
from lucidtrond.node.health.policy import RetryPolicy, most_telling

T = TypeVar("T")


async def retrying(
    ask: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    *,
    chance: Callable[[], float],
) -> T:
    """Call *ask* until it answers, fails for good or *policy* gives up.

    The deadline is the caller's: cancelling ends it at once, waiting or asking. *ask*
    may use nurseries of its own: a group of nothing but NodeErrors counts as one.

    Raises:
        NodeError: the last failure, with the number of attempts.
    """
    failures, until = 0, trio.current_time() + policy.within_s
    while True:
        try:
            return await ask()
        except NodeError as error:
            failure = error
        except ExceptionGroup as group:
            failure = _single(group)
        failures += 1
        wait_s = policy.wait_s(failures, failure, chance=chance())
        if wait_s is None or trio.current_time() + wait_s > until:
            raise _after(failure, failures) from failure
        await trio.sleep(wait_s)


def _single(group: ExceptionGroup[Exception]) -> NodeError:
    of_nodes, others = group.split(NodeError)
    if others is not None or of_nodes is None:
        raise group
    return most_telling(_leaves(of_nodes))


def _leaves(group: ExceptionGroup[NodeError]) -> list[NodeError]:
    leaves: list[NodeError] = []
    for error in group.exceptions:
        leaves += _leaves(error) if isinstance(error, ExceptionGroup) else [error]
    return leaves


def _after(failure: NodeError, attempts: int) -> NodeError:
    """The same failure, saying how often it was tried."""
    if not isinstance(failure, NodeUnavailable) or isinstance(failure, NotAsked):
        return failure
    if failure.attempts == attempts:
        return failure
    return type(failure)(
        failure.endpoint,
        attempts,
        failure.reason,
        retry_after_s=failure.retry_after_s,
    )
