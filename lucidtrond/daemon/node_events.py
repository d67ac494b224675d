"""Makes events of the changes that the node pool notes of its endpoints."""

from functools import partial

import trio

from lucidtrond.events.types import Emit, NodeChanged
from lucidtrond.node.health.endpoint_health import Changes
from lucidtrond.store.database import Database


async def watch_nodes(
    changes: Changes,
    store: Database,
    *,
    emit: Emit,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Write a `NodeChanged` for each change, until cancelled."""
    task_status.started()
    while True:
        change = await changes.next()
        event = NodeChanged(
            endpoint=change.endpoint, state=change.state, reason=change.reason
        )
        await store.write(partial(emit, event=event))
