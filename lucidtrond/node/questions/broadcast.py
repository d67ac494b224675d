"""Sending one transaction to several nodes, and the one answer of them that counts.

The same bytes may go to any number of nodes any number of times: one txid, at most one
inclusion. So each is asked once and at once, without retries (`sending` repeats them,
block by block), and an answer of one outweighs the silence of another.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import trio

from lucidtrond.errors import NodeError
from lucidtrond.node.health.policy import most_telling
from lucidtrond.tron.broadcast import SUCCESS, BroadcastAnswer

LATE_S: Final = 1.0
"""Once one took it, the others have so long to say something as well."""
_RANK: Final = {SUCCESS: 0, "DUP_TRANSACTION_ERROR": 1}
"""An acceptance, or knowing it, outweighs a refusal: nodes differ in their pools."""


async def broadcast_to(
    sends: Sequence[Callable[[], Awaitable[BroadcastAnswer]]],
) -> BroadcastAnswer:
    """Run all of *sends* at once; the answer that says most.

    Raises:
        NodeError: none answered; it may land all the same.
    """
    answers: list[BroadcastAnswer] = []
    errors: list[NodeError] = []
    async with trio.open_nursery() as nursery:

        async def run(send: Callable[[], Awaitable[BroadcastAnswer]]) -> None:
            try:
                answer = await send()
            except NodeError as error:
                errors.append(error)
                return
            answers.append(answer)
            if answer.accepted:
                nursery.cancel_scope.deadline = trio.current_time() + LATE_S

        for send in sends:
            nursery.start_soon(run, send)
    if not answers:
        raise most_telling(errors)
    return min(answers, key=lambda answer: _RANK.get(answer.code, len(_RANK)))
