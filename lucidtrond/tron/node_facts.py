"""What a node says about itself, in our words."""

from msgspec import Struct


class NodeFacts(Struct, frozen=True):
    """*version* is its software's; *peers* are connected now."""

    version: str
    head_number: int
    solid_number: int
    peers: int
