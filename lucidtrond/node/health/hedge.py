"""One question, several endpoints: the next one is asked when the first takes too long.

A question that fails goes to the next endpoint at once; one without an answer after a
while goes to the next as well, and the first answer of all counts. So an endpoint that
has just fallen silent costs a caller that while and not a whole timeout.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import trio

from lucidtrond.errors import NodeError
from lucidtrond.node.health.policy import most_telling

T = TypeVar("T")


async def first_answer(
    asks: Sequence[Callable[[], Awaitable[T]]], *, after_s: float
) -> T:
    """Run *asks* in order, each *after_s* after the one before or when that failed.

    Those still under way at the first answer are cancelled.

    Raises:
        NodeError: none answered.
    """
    if len(asks) == 1:
        return await asks[0]()
    answers: list[T] = []
    errors: list[NodeError] = []
    async with trio.open_nursery() as nursery:

        async def run(ask: Callable[[], Awaitable[T]], over: trio.Event) -> None:
            try:
                answers.append(await ask())
            except NodeError as error:
                errors.append(error)
                over.set()
            else:
                nursery.cancel_scope.cancel()

        for ask in asks:
            over = trio.Event()
            nursery.start_soon(run, ask, over)
            with trio.move_on_after(after_s):
                await over.wait()
    if answers:
        return answers[0]
    raise most_telling(errors)
