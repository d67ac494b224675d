"""The tasks that hold the ledger against what nodes say, beside the follower."""

from lucidtrond.chain.exact_checker import ExactChecker
from lucidtrond.chain.recheck import Rechecker
from lucidtrond.chain.reconcile import Reconciler
from lucidtrond.chain.version_checker import VersionChecker
from lucidtrond.composition import Service, Services
from lucidtrond.daemon.config import LedgerConfig
from lucidtrond.node.cache import CachedNode
from lucidtrond.ports import Store


def ledger_checks(
    config: LedgerConfig, services: Services[Store, CachedNode]
) -> tuple[Service, ...]:
    """Services to be started in a nursery, each by itself."""
    reconciler = Reconciler(
        services.node,
        services.store,
        ledger=services.ledger,
        emit=services.emit,
        per_minute=config.reconcile_per_minute,
    )
    rechecker = Rechecker(
        services.node, services.store, ledger=services.ledger, emit=services.emit
    )
    exact = ExactChecker(
        services.node,
        services.store,
        ledger=services.ledger,
        emit=services.emit,
        observers=[services.sender.outcomes],
    )
    versions = VersionChecker(
        services.node,
        services.store,
        ledger=services.ledger,
        emit=services.emit,
        observers=[services.sender.outcomes],
    )
    return reconciler.run, rechecker.run, exact.run, versions.run
