"""Servlets about stake: what is lent, what may be done with it."""

from typing import Any

from lucidtrond.devnet.http.printing import Json, print_address
from lucidtrond.devnet.http.reads import view
from lucidtrond.devnet.http.requests import ServletRequest
from lucidtrond.devnet.java.values import as_text
from lucidtrond.devnet.state.account import Delegation
from lucidtrond.devnet.state.kinds.delegation import (
    borrowers,
    delegatable,
    delegation,
    lenders,
)
from lucidtrond.devnet.state.kinds.stake import unfreezings_left, withdrawable
from lucidtrond.devnet.state.stakes import RESOURCES


def get_delegated_resource(ask: ServletRequest) -> Json:
    """What one account lends another: the unlocked part first."""
    request = _asked(ask, "DelegatedResourceMessage")
    owner, receiver = request.fromAddress, request.toAddress
    delegations = [
        _print_delegation(row, visible=ask.visible)
        for locked in (False, True)
        if (row := delegation(view(ask), owner, receiver, locked=locked))
    ]
    return {"delegatedResource": delegations} if delegations else {}


def _print_delegation(row: Delegation, *, visible: bool) -> Json:
    figures = {
        "frozen_balance_for_bandwidth": row.net,
        "frozen_balance_for_energy": row.energy,
        "expire_time_for_bandwidth": row.net_expires_ms,
        "expire_time_for_energy": row.energy_expires_ms,
    }
    return {
        "from": print_address(row.owner, visible=visible),
        "to": print_address(row.receiver, visible=visible),
        **{name: value for name, value in figures.items() if value},
    }


def get_delegated_resource_index(ask: ServletRequest) -> Json:
    """Who lends to an account, and to whom it lends, in order of the last change."""
    visible, world = ask.visible, view(ask)
    address = _indexed(ask)
    lists = {
        "fromAccounts": lenders(world, address),
        "toAccounts": borrowers(world, address),
    }
    return _print_indexed(address, visible=visible) | {
        name: [print_address(counterpart, visible=visible) for counterpart in addresses]
        for name, addresses in lists.items()
        if addresses
    }


def _indexed(ask: ServletRequest) -> bytes:
    """Whom an index is about: base58 is turned into hex first."""
    if not ask.posted:
        return ask.decode_address(ask.parameters.get("value", ""))
    if ask.visible:
        return ask.decode_address(as_text(ask.body().get("value")) or "")
    address: bytes = ask.message("BytesMessage").value
    return address


def _print_indexed(address: bytes, *, visible: bool) -> Json:
    return {"account": print_address(address, visible=visible)} if address else {}


def get_old_delegated_resource(ask: ServletRequest) -> Json:
    """Of Stake 1.0, in which nobody ever lent anything."""
    _asked(ask, "DelegatedResourceMessage")
    return {}


def get_old_delegated_resource_index(ask: ServletRequest) -> Json:
    """Of Stake 1.0: names whom it was asked about, and nobody else."""
    return _print_indexed(_indexed(ask), visible=ask.visible)


def get_can_delegated_max_size(ask: ServletRequest) -> Json:
    request = _asked(ask, "CanDelegatedMaxSizeRequestMessage")
    world = view(ask)
    account = world.accounts.get(request.owner_address)
    if account is None or request.type not in RESOURCES:
        return {}
    size = delegatable(world, account, request.type, ask.chain.genesis, building=True)
    return {"max_size": size} if size > 0 else {}


def get_available_unfreeze_count(ask: ServletRequest) -> Json:
    request = _asked(ask, "GetAvailableUnfreezeCountRequestMessage")
    world = view(ask)
    account = world.accounts.get(request.owner_address)
    left = unfreezings_left(account, world.globals.timestamp) if account else 0
    return {"count": left} if left else {}


def get_can_withdraw_unfreeze_amount(ask: ServletRequest) -> Json:
    request = _asked(ask, "CanWithdrawUnfreezeAmountRequestMessage")
    world = view(ask)
    account = world.accounts.get(request.owner_address)
    at = request.timestamp or world.globals.timestamp
    amount = withdrawable(account, at) if account and at > 0 else 0
    return {"amount": amount} if amount else {}


def _asked(ask: ServletRequest, name: str) -> Any:
    """A request by either verb; numbers of a query are JSON numbers here."""
    if ask.posted:
        return ask.message(name)
    return ask.from_query(name)
