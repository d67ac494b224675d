"""Servlets that read exchanges and market orders, of which this chain has none."""

from lucidtrond.devnet.http.printing import Json
from lucidtrond.devnet.http.requests import ServletRequest
from lucidtrond.devnet.java.errors import JavaError, null_pointer
from lucidtrond.devnet.java.values import as_text, decode_base58, decode_hex, to_long
from lucidtrond.devnet.state.trading import is_token


def list_exchanges(_ask: ServletRequest) -> Json:
    """Reads no body."""
    return {}


def list_exchange_page(ask: ServletRequest) -> Json:
    if ask.posted:
        ask.message("PaginatedMessage")
    else:
        ask.whole_number("offset")
        ask.whole_number("limit")
    return {}


def get_exchange(ask: ServletRequest) -> Json:
    """The one read whose unknown thing is an error."""
    if not ask.posted:
        ask.whole_number("id")
    elif to_long(ask.body().get("id")) is None:
        raise JavaError(
            "java.security.InvalidParameterException", "key [id] does not exist"
        )
    raise null_pointer()


def list_orders_of(ask: ServletRequest) -> Json:
    if ask.posted:
        given = as_text(ask.body().get("value"))
    else:
        given = ask.parameters.get("value")
    text = given or ""
    if ask.visible and text:
        decode_base58(text)
    else:
        decode_hex(text)
    return {}


def get_order(ask: ServletRequest) -> Json:
    if ask.posted:
        ask.message("BytesMessage")
    else:
        decode_hex(ask.parameters.get("value", ""))
    return {}


def list_pairs(ask: ServletRequest) -> Json:
    """Reads a body for its *visible* only."""
    _ = ask.visible
    return {}


def get_prices(ask: ServletRequest) -> Json:
    """A pair's own names are echoed, without prices."""
    pair = _pair(ask)
    return {
        name: token.decode() if ask.visible else token.hex()
        for name, token in pair.items()
    }


def list_orders(ask: ServletRequest) -> Json:
    _pair(ask)
    return {}


def _pair(ask: ServletRequest) -> dict[str, bytes]:
    names = ("sell_token_id", "buy_token_id")
    if ask.posted:
        message = ask.message("MarketOrderPair")
        pair = {name: getattr(message, name) for name in names}
    elif ask.visible:
        pair = {name: _text(ask, name) for name in names}
    else:
        pair = {name: decode_hex(ask.parameters.get(name, "")) for name in names}
    for name, what in zip(names, ("sell", "buy"), strict=True):
        if not is_token(pair[name]):
            raise JavaError(
                "org.tron.core.exception.BadItemException",
                f"{what}TokenId is not a valid number",
            )
    return pair


def _text(ask: ServletRequest, name: str) -> bytes:
    given = ask.parameters.get(name)
    if given is None:
        raise null_pointer()
    return given.encode("utf-8", "replace")
