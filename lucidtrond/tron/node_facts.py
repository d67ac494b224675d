"""What a node says about itself, in our words."""

from attrs import frozen


@frozen
class NodeFacts:
    """*version* is its software's; *peers* are connected now."""

    version: str
    head_number: int
    solid_number: int
    peers: int
