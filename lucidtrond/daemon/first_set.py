"""Which producers finality is counted by at first, and where that is known from.

In this order: the devnet's definition, ``[network] producers``, the snapshot of mainnet
that is shipped. On other networks nobody is known, and final is what endpoints say.
"""

from collections.abc import Mapping
from importlib import resources
from typing import Final

import msgspec

from lucidtrond.chain.finality import ProducerSet
from lucidtrond.chain.finality_tables import FirstSet
from lucidtrond.daemon.config import NetworkConfig, pinned_producers
from lucidtrond.devnet.server import Devnet
from lucidtrond.tron.address import Address

SNAPSHOT: Final = "mainnet_producers.json"


class Snapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Producers of a network with the keys that they signed with, both base58.

    *made* says from which headers, *as_of_block* is the newest of these.
    """

    network: str
    active: int
    first_block: int
    as_of_block: int
    as_of: str
    made: str
    producers: Mapping[str, str]

    @property
    def producer_set(self) -> ProducerSet:
        keys = {
            Address.from_base58(producer): Address.from_base58(key)
            for producer, key in self.producers.items()
        }
        return ProducerSet(self.active, keys)


def first_set(network: NetworkConfig, devnet: Devnet | None) -> FirstSet | None:
    """None where nobody is known."""
    if devnet is not None:
        keys = devnet.chain.genesis.producers
        return FirstSet(ProducerSet(len(keys), keys), "genesis")
    pinned = pinned_producers(network)
    if pinned:
        return FirstSet(ProducerSet(len(pinned), pinned), "pin")
    if network.name == "mainnet":
        snapshot = read_snapshot()
        return FirstSet(snapshot.producer_set, "snapshot", as_of=snapshot.as_of_block)
    return None


def read_snapshot() -> Snapshot:
    """The one of mainnet."""
    text = resources.files("lucidtrond.daemon").joinpath(SNAPSHOT).read_bytes()
    return msgspec.json.decode(text, type=Snapshot)
