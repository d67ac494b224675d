"""Whose fault it is that an answer makes no sense: errors with the endpoint's name."""

import contextlib
from collections.abc import Iterator

from lucidtrond.errors import CallNotRun, NodeLied, NodeRefused
from lucidtrond.node.health.errors import SimulationUnsupported
from lucidtrond.node.questions.translate import (
    CallRefused,
    CallsUnsupported,
    Contradiction,
    InvalidAnswer,
)
from lucidtrond.node.transport.refusals import shown


@contextlib.contextmanager
def judging(name: str) -> Iterator[None]:
    """Turn what `translate` says of an answer into an error of endpoint *name*."""
    try:
        yield
    except Contradiction as why:
        raise NodeLied(name, shown(str(why))) from None
    except CallsUnsupported as why:
        raise SimulationUnsupported(name, shown(str(why))) from None
    except CallRefused as why:
        raise CallNotRun(name, shown(str(why))) from None
    except InvalidAnswer as why:
        raise NodeRefused(name, shown(str(why))) from None
