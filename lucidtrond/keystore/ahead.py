"""Addresses that the seed gives next: a state that is lost may have given them.

A database that was restored from a copy gives the same addresses a second time, since
its counter went back too. What they paid in between stands in blocks that are read
before they are given again; so they count as ours from the start, `AHEAD` of them.
No secret is needed: they follow from the account's public key, also while locked.
"""

import logging
from collections.abc import Iterable
from typing import Final

from lucidtrond.keystore import tables
from lucidtrond.ports import Tx
from lucidtrond.tron.address import Address
from lucidtrond.tron.hd import PublicNode

log = logging.getLogger(__name__)

AHEAD: Final = 1000
"""About 60 µs each, once; then as many as are given."""


class AddressesAhead:
    """The next addresses of the main seed, kept in memory; for the store's thread."""

    def __init__(self) -> None:
        self._following: tuple[PublicNode, int] | None = None
        self._addresses: dict[int, Address] = {}
        self._set: frozenset[Address] = frozenset()

    def among(self, tx: Tx, addresses: Iterable[Address]) -> frozenset[Address]:
        """Those of *addresses* that are given next."""
        following = tables.following(tx)
        if following is None:
            return frozenset()
        if following != self._following:
            self._derive(*following)
            self._following = following
        return self._set.intersection(addresses)

    def _derive(self, account: PublicNode, first: int) -> None:
        before = self._addresses
        if self._following is None or self._following[0] != account:
            before = {}
        try:
            self._addresses = {
                index: before.get(index) or account.child_address(index)
                for index in range(first, first + AHEAD)
            }
        except ValueError as error:
            # An edited row, which no unlock accepts, keeps no block from being read.
            log.error("seed row can't be read", extra={"reason": str(error)})  # noqa: TRY400
            self._addresses = {}
        self._set = frozenset(self._addresses.values())
