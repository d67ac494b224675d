"""Servlets about stake: building its contracts, reading what may be done."""

from typing import Any

from lucidtrond.devnet.http.building import build
from lucidtrond.devnet.http.printing import Json
from lucidtrond.devnet.http.reads import view
from lucidtrond.devnet.http.requests import Ask
from lucidtrond.devnet.state.freezing import unfreezings_left, withdrawable


def freeze_balance(ask: Ask) -> Json:
    return build(ask, "FreezeBalanceV2Contract")


def unfreeze_balance(ask: Ask) -> Json:
    return build(ask, "UnfreezeBalanceV2Contract")


def withdraw_expire_unfreeze(ask: Ask) -> Json:
    return build(ask, "WithdrawExpireUnfreezeContract")


def cancel_all_unfreeze(ask: Ask) -> Json:
    return build(ask, "CancelAllUnfreezeV2Contract")


def get_available_unfreeze_count(ask: Ask) -> Json:
    request = _asked(ask, "GetAvailableUnfreezeCountRequestMessage")
    world = view(ask)
    account = world.accounts.get(request.owner_address)
    left = unfreezings_left(account, world.globals.timestamp) if account else 0
    return {"count": left} if left else {}


def get_can_withdraw_unfreeze_amount(ask: Ask) -> Json:
    request = _asked(ask, "CanWithdrawUnfreezeAmountRequestMessage")
    world = view(ask)
    account = world.accounts.get(request.owner_address)
    at = request.timestamp or world.globals.timestamp
    amount = withdrawable(account, at) if account and at > 0 else 0
    return {"amount": amount} if amount else {}


def _asked(ask: Ask, name: str) -> Any:
    """A request by either verb; numbers of a query are JSON numbers here."""
    if ask.posted:
        return ask.message(name)
    return ask.from_query(name)
