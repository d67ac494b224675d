"""Handing one transaction to several nodes, and the one answer that comes of it.

The same bytes may go to any number of nodes any number of times: one txid, at most one
inclusion. So each is asked once and at once, nobody waits to try again (`sending` does,
block by block), and an answer of one outweighs the silence of another.
"""

from collections.abc import Sequence
from typing import Final

import trio

from lucidtrond.errors import NodeError
from lucidtrond.node.client import NodeClient
from lucidtrond.node.policy import most_telling
from lucidtrond.tron.broadcast import SUCCESS, BroadcastAnswer
from lucidtrond.tron.transaction import Transaction

_RANK: Final = {SUCCESS: 0, "DUP_TRANSACTION_ERROR": 1}
"""Who took it or knows it says more than who refuses: nodes differ in what they saw."""


async def broadcast_to(
    clients: Sequence[NodeClient], transaction: Transaction
) -> BroadcastAnswer:
    """Send to all of *clients*; the answer that says most.

    Raises:
        NodeError: none answered; it may land all the same.
    """
    answers: list[BroadcastAnswer] = []
    errors: list[NodeError] = []

    async def send(client: NodeClient) -> None:
        try:
            answers.append(await client.broadcast(transaction))
        except NodeError as error:
            errors.append(error)

    async with trio.open_nursery() as nursery:
        for client in clients:
            nursery.start_soon(send, client)
    if not answers:
        raise most_telling(errors)
    return min(answers, key=lambda answer: _RANK.get(answer.code, len(_RANK)))
