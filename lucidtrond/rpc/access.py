"""From a Unix peer to what it may ask for.

The kernel names the peer; nothing the peer says counts. Everybody who may open the
socket file gets in, and without a class may call nothing.
"""

from collections.abc import Mapping
from typing import Final

from attrs import Factory, frozen
from msgspec import Struct

from lucidtrond.api.caller import Caller, CallerClass

EVERYTHING: Final[frozenset[CallerClass]] = frozenset({"read", "spend", "admin"})
PAYING: Final[frozenset[CallerClass]] = frozenset({"read", "spend"})
NOTHING: Final[frozenset[CallerClass]] = frozenset()

ROOT: Final = 0
OVERFLOW_UID: Final = 65534
"""What uids look like that have no place in our user namespace (PrivateUsers=yes)."""


class Peer(Struct, frozen=True):
    """A process at the other end of a Unix socket when it connected."""

    uid: int
    gids: frozenset[int]
    """Primary and supplementary groups."""


@frozen(kw_only=True)
class AccessRules:
    """The ``[access]`` section, resolved to numbers.

    Root and *owner* (the daemon's own uid) get everything, members of *group* read and
    spend; *uids* and *gids* add to that; *anybody* is what all others get.
    """

    owner: int
    group: int | None = None
    uids: Mapping[int, frozenset[CallerClass]] = Factory(dict)
    gids: Mapping[int, frozenset[CallerClass]] = Factory(dict)
    anybody: frozenset[CallerClass] = NOTHING

    def classes_of(self, peer: Peer) -> frozenset[CallerClass]:
        """Add up what the peer's uid and groups give it.

        An owner or rule for the overflow uid means nothing: every foreign uid looks
        like that.
        """
        if peer.uid == ROOT or peer.uid == self.owner != OVERFLOW_UID:
            return EVERYTHING
        classes = self.anybody
        if peer.uid != OVERFLOW_UID:
            classes |= self.uids.get(peer.uid, NOTHING)
        if self.group is not None and self.group in peer.gids:
            classes |= PAYING
        for gid in peer.gids & self.gids.keys():
            classes |= self.gids[gid]
        return classes

    def caller(self, peer: Peer, *, transport: str = "unix") -> Caller:
        """Make the `Caller` that all methods will see."""
        return Caller(transport, f"uid={peer.uid}", self.classes_of(peer))
