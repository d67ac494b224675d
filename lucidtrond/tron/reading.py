"""An answer from the chain says how new it is."""

from typing import Generic, TypeVar

from attrs import frozen

T_co = TypeVar("T_co", covariant=True)


@frozen
class Reading(Generic[T_co]):
    """A value and the block it is at least as new as."""

    value: T_co
    as_of_block: int
