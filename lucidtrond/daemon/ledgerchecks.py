"""The tasks that hold the ledger against what nodes say, beside the follower."""

from collections.abc import Callable
from typing import Any

from lucidtrond.chain.ledger import Ledger
from lucidtrond.chain.recheck import Rechecker
from lucidtrond.chain.reconcile import Reconciler
from lucidtrond.daemon.config import LedgerConfig
from lucidtrond.events.bus import Bus
from lucidtrond.node.cache import CachedNode
from lucidtrond.store.database import Database


def ledger_checks(
    config: LedgerConfig,
    *,
    node: CachedNode,
    store: Database,
    ledger: Ledger,
    bus: Bus,
) -> tuple[Callable[..., Any], ...]:
    """Services to be started in a nursery, each by itself."""
    emit = bus.emitter()
    reconciler = Reconciler(
        node,
        store,
        ledger=ledger,
        emit=emit,
        per_minute=config.reconcile_per_minute,
    )
    rechecker = Rechecker(node, store, ledger=ledger, emit=emit)
    return reconciler.run, rechecker.run
