"""Which endpoint served which block, for a short while.

An endpoint's answers are checked one by one (`client`); that a block contradicts what
the blocks before it made known is seen above, which then says whose answer it was.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

from lucidtrond.errors import NodeError
from lucidtrond.node.health.agreement import KeyReport
from lucidtrond.node.questions.client import NodeClient
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockHeader, BlockId

KEPT: Final = 8
"""Answers with blocks or heads; one is a page of up to 100."""


class Served:
    """The newest answers that held blocks."""

    def __init__(self) -> None:
        self._answers: deque[tuple[NodeClient, list[BlockHeader]]] = deque(maxlen=KEPT)

    def note(self, node: NodeClient, headers: Iterable[BlockHeader]) -> None:
        """*node* has just served these."""
        self._answers.append((node, list(headers)))

    def server_of(self, block_id: BlockId) -> NodeClient | None:
        """Who served a block last; None when that is not known any more."""
        for node, headers in reversed(self._answers):
            if any(each.id == block_id for each in headers):
                return node
        return None


async def report_key(
    node: NodeClient, producer: Address, *, expected: Address
) -> KeyReport:
    """Ask one endpoint which key signs the blocks of *producer*.

    The final state is asked for only where the newest does not name *expected*.

    Raises:
        NodeError: it could not be asked, or named no key that can be.
    """
    name = node.endpoint.name
    head = await node.fetch_account(producer)
    if not head.value.activated:
        return KeyReport(name, head_number=head.as_of_block)
    key = head.value.block_key
    if key == expected:
        return KeyReport(name, key, head.as_of_block)
    solid = await node.fetch_account(producer, solid=True)
    return KeyReport(
        name,
        key,
        head.as_of_block,
        solid=solid.value.block_key if solid.value.activated else None,
        solid_number=solid.as_of_block,
    )


def report_of(endpoint: str, came: KeyReport | NodeError) -> KeyReport:
    """What an endpoint reported, or why it did not."""
    if isinstance(came, NodeError):
        return KeyReport(endpoint, error=str(came))
    return came
