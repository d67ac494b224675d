"""All kinds of contracts that this chain knows, by number and by name."""

from typing import Any, Final

from lucidtrond.devnet.state.candidate import Candidate
from lucidtrond.devnet.state.kinds import (
    accounts,
    assets,
    calls,
    contract_settings,
    delegation,
    exchanges,
    issuing,
    market,
    old_stakes,
    permissions,
    proposals,
    stake,
    transfers,
    votes,
)
from lucidtrond.devnet.state.kinds.base import ContractKind
from lucidtrond.devnet.state.rejections import Invalid

KINDS: Final[tuple[ContractKind[Any], ...]] = (
    *accounts.KINDS,
    *transfers.KINDS,
    *assets.KINDS,
    *issuing.KINDS,
    *permissions.KINDS,
    *calls.KINDS,
    *contract_settings.KINDS,
    *stake.KINDS,
    *delegation.KINDS,
    *votes.KINDS,
    *proposals.KINDS,
    *old_stakes.KINDS,
    *exchanges.KINDS,
    *market.KINDS,
)
BY_NUMBER: Final = {kind.number: kind for kind in KINDS}
BY_NAME: Final = {kind.name: kind for kind in KINDS}


def kind_of(candidate: Candidate) -> ContractKind[Any]:
    """Raises Invalid for a kind that this chain does not execute."""
    kind = BY_NUMBER.get(candidate.type)
    if kind is None or not kind.is_executed:
        raise Invalid(f"contract type {candidate.type} is not executed by this devnet")
    return kind
