"""Contracts of witnesses and their committee."""

from msgspec import Struct

from lucidtrond.tron.address import Address


class WitnessCreate(Struct, frozen=True):
    """WitnessCreateContract (5): become a candidate."""

    owner: Address
    url: bytes


class WitnessUpdate(Struct, frozen=True):
    """WitnessUpdateContract (8): another URL."""

    owner: Address
    update_url: bytes


class UpdateBrokerage(Struct, frozen=True):
    """UpdateBrokerageContract (49): the percentage that voters do not get."""

    owner: Address
    brokerage: int


class ParameterChange(Struct, frozen=True):
    """Proposed *value* for the chain parameter number *key*."""

    key: int
    value: int


class ProposalCreate(Struct, frozen=True):
    """ProposalCreateContract (16)."""

    owner: Address
    parameters: tuple[ParameterChange, ...]


class ProposalApprove(Struct, frozen=True):
    """ProposalApproveContract (17): add or take back an approval."""

    owner: Address
    proposal_id: int
    is_add_approval: bool


class ProposalDelete(Struct, frozen=True):
    """ProposalDeleteContract (18)."""

    owner: Address
    proposal_id: int
