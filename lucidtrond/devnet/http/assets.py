"""Servlets that read TRC-10 tokens."""

from collections.abc import Callable, Iterable
from typing import Final

from lucidtrond.devnet.http.printing import Json
from lucidtrond.devnet.http.reads import plain_address, view
from lucidtrond.devnet.http.requests import ServletRequest
from lucidtrond.devnet.java.errors import JavaError, null_pointer
from lucidtrond.devnet.java.values import as_text, decode_hex
from lucidtrond.devnet.state.assets import asset_of
from lucidtrond.devnet.state.invariants import present
from lucidtrond.tron import tron_pb2 as pb
from lucidtrond.tron.jsonformat import print_message
from lucidtrond.tron.resources import recovered

MAX_PAGE: Final = 1000  # ActuatorConstant.ASSET_ISSUE_COUNT_LIMIT_MAX

Asset = pb.AssetIssueContract


def get_by_id(ask: ServletRequest) -> Json:
    asset = asset_of(view(ask), (_value(ask) or "").encode())
    return _printed(ask, asset, visible=ask.visible) if asset else {}


def get_by_name(ask: ServletRequest) -> Json:
    """A name, or an id in its place; refused when it means several tokens."""
    name = _name(ask)
    matching = _matching(ask, lambda asset: asset.name == name)
    by_id = asset_of(view(ask), name)
    if by_id is not None and by_id not in matching:
        matching.append(by_id)
    if not name or not matching:
        return {}
    if len(matching) > 1:
        raise JavaError(
            "org.tron.core.exception.NonUniqueObjectException",
            "To get more than one asset, please use getAssetIssueById syntax",
        )
    return _printed(ask, matching[0], visible=ask.visible)


def list_by_name(ask: ServletRequest) -> Json:
    name = _name(ask)
    matching = _matching(ask, lambda asset: asset.name == name)
    return _list(ask, matching, visible=ask.visible)


def list_by_account(ask: ServletRequest) -> Json:
    if ask.posted:
        address: bytes = ask.message("Account").address
    else:
        address = plain_address(ask)
    matching = _matching(ask, lambda asset: asset.owner_address == address)
    return _list(ask, matching, visible=ask.visible)


def list_all(ask: ServletRequest) -> Json:
    """Does not read a body: *visible* is the query's, also by POST."""
    return _list(ask, _matching(ask, lambda _asset: True), visible=ask.queried_visible)


def list_page(ask: ServletRequest) -> Json:
    """Sorted by name, then by *order*."""
    if ask.posted:
        asked = ask.message("PaginatedMessage")
        offset, limit = asked.offset, asked.limit
    else:
        offset, limit = ask.whole_number("offset"), ask.whole_number("limit")
    if offset < 0 or limit < 0:
        return {}
    matching = _matching(ask, lambda _asset: True)
    matching.sort(key=lambda asset: (asset.name, asset.order))
    page = matching[offset : offset + min(limit, MAX_PAGE)]
    return _list(ask, page, visible=ask.visible)


def _matching(ask: ServletRequest, wanted: Callable[[Asset], bool]) -> list[Asset]:
    """In the order of the store, which is that of the ids."""
    world = view(ask)
    tokens = sorted(token for token, _ in world.assets.items())
    every = (present(asset_of(world, token)) for token in tokens)
    return [asset for asset in every if wanted(asset)]


def _list(ask: ServletRequest, assets: Iterable[Asset], *, visible: bool) -> Json:
    printed = [_printed(ask, asset, visible=visible) for asset in assets]
    return {"assetIssue": printed} if printed else {}


def _printed(ask: ServletRequest, asset: Asset, *, visible: bool) -> Json:
    """As of the head: what was used recovers."""
    now = ask.chain.genesis.slot(view(ask).globals.timestamp)
    asset.public_free_asset_net_usage = recovered(
        asset.public_free_asset_net_usage, asset.public_latest_free_net_time, now
    )
    return print_message(asset, visible=visible)


def _name(ask: ServletRequest) -> bytes:
    value = _value(ask)
    if not ask.visible:
        return decode_hex(value or "")
    if value is None:
        raise null_pointer()
    return value.encode("utf-8", "replace")


def _value(ask: ServletRequest) -> str | None:
    """``value`` as fastjson's getString gives it: numbers become text."""
    if not ask.posted:
        return ask.parameters.get("value")
    return as_text(ask.body().get("value"))
