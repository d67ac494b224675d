"""Where the crash matrix kills a daemon: every step of a payment, before and after.

The one table of it. A step is a place in the shipped code that `seams` wraps; a point
is one side of a step; a path is points to be passed in this order, at the last of which
the process dies. So ``("record:after", "commit:before")`` is the commit of just that
row, and a point twice is its second time.
"""

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from tests.daemon.outside import BROADCAST_FAULTS, Json

STEPS: Final = (
    "build",
    "intent",
    "sign",
    "signature",
    "commit",
    "byte",
    "reply",
    "broadcast",
    "record",
    "inclusion",
    "solidification",
    "expiry",
    "death",
    "resign",
)
"""What `seams` tells of, each ``:before`` and ``:after``, in the order of a payment's
life: its bytes drawn up; its row; its signature made, and written down; the journal's
COMMIT; a request's first bytes on a connection; what an endpoint said, or that it said
nothing; one round of broadcasting; what came of it; what blocks told; the nodes'
agreement on a death; the row of the next attempt."""

FSYNC: Final = "fsync"
"""The system call of that name, after the frames of a commit were written: only as a
path's last point (the kernel kills)."""

POINTS: Final = frozenset(
    {f"{step}:{side}" for step in STEPS for side in ("before", "after")} | {FSYNC}
)


@frozen
class Place:
    """One place to die at. *path* are its points.

    *rounds* of broadcasting are swallowed by both nodes before the fault under test
    strikes; None: all of them, until the transaction is dead.
    """

    name: str
    path: tuple[str, ...]
    rounds: int | None = 0


def _committed(name: str, step: str, rounds: int | None = 0) -> tuple[Place, ...]:
    """Around one row's way to the disk."""
    row = f"{step}:after"
    return (
        Place(f"before {name}", (f"{step}:before",), rounds),
        Place(f"after {name}", (row,), rounds),
        Place(f"before the commit of {name}", (row, "commit:before"), rounds),
        Place(f"before the fsync of {name}", (row, FSYNC), rounds),
        Place(f"after the commit of {name}", (row, "commit:after"), rounds),
    )


def _around(
    name: str, step: str, *, times: int = 1, rounds: int | None = 0
) -> tuple[Place, ...]:
    return tuple(
        Place(f"{side} {name}", (f"{step}:{side}",) * times, rounds)
        for side in ("before", "after")
    )


PLACES: Final = (
    *_around("building", "build"),
    *_committed("the intent row", "intent"),
    *_around("signing", "sign"),
    *_committed("the signature", "signature"),
    *_around("the first broadcast", "broadcast"),
    *_around("the first byte", "byte"),
    *_around("the second connection's first byte", "byte", times=2),
    *_around("the first endpoint's reply", "reply"),
    *_around("the second endpoint's reply", "reply", times=2),
    *_committed("what came of it", "record"),
    *_around("the second broadcast", "broadcast", times=2, rounds=1),
    *_around("the third broadcast", "broadcast", times=3, rounds=2),
    *_committed("the inclusion", "inclusion"),
    *_committed("the solidification", "solidification"),
    *_committed("the expiry", "expiry", None),
    *_around("the proof of death", "death", rounds=None),
    *_committed("the next attempt", "resign", None),
)


FAULTS: Final[Mapping[str, Json]] = {
    **BROADCAST_FAULTS,
    "no answer": {"fault": "black_hole"},
}
"""What the nodes do to broadcasts."""


def rounds_of(fault: Json) -> int:
    """So many rounds of broadcasting meet it, then the nodes are well again.

    Who was told to slow down twice at once is slow for longer than a test likes.
    """
    return 1 if fault["fault"] in ("status", "error") else 2
