"""Errors of an endpoint that only this floor tells apart. Pure."""

from lucidtrond.errors import NodeRefused, NodeUnavailable, QuotaSpent


class NotAsked(NodeUnavailable):
    """We did not ask: the endpoint failed too often, or its rate is used up."""


class BudgetSpent(QuotaSpent):
    """We did not ask: the configured requests of the day are used up."""


class SlowDown(NodeUnavailable):
    """The endpoint, or a gateway before it, wants fewer requests."""


class Suspended(SlowDown):
    """It counts requests, and answers none for a while because of too many."""


class SimulationUnsupported(NodeRefused):
    """The node simulates no calls at all (``vm.supportConstant = false``)."""
