"""Contracts of witnesses and their committee."""

from attrs import frozen

from lucidtrond.tron.address import Address


@frozen
class WitnessCreate:
    """WitnessCreateContract (5): become a candidate."""

    owner: Address
    url: bytes


@frozen
class WitnessUpdate:
    """WitnessUpdateContract (8): another URL."""

    owner: Address
    update_url: bytes


@frozen
class UpdateBrokerage:
    """UpdateBrokerageContract (49): the percentage that voters do not get."""

    owner: Address
    brokerage: int


@frozen
class ParameterChange:
    """Proposed *value* for the chain parameter number *key*."""

    key: int
    value: int


@frozen
class ProposalCreate:
    """ProposalCreateContract (16)."""

    owner: Address
    parameters: tuple[ParameterChange, ...]


@frozen
class ProposalApprove:
    """ProposalApproveContract (17): add or take back an approval."""

    owner: Address
    proposal_id: int
    is_add_approval: bool


@frozen
class ProposalDelete:
    """ProposalDeleteContract (18)."""

    owner: Address
    proposal_id: int
