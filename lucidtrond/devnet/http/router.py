"""Which servlet answers which path and verb, as java-tron's Jetty does it."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final

import msgspec
from attrs import frozen

from lucidtrond.devnet.ethereum import envelope as ethereum
from lucidtrond.devnet.ethereum.building import building_methods
from lucidtrond.devnet.ethereum.filters import Filters
from lucidtrond.devnet.ethereum.methods import METHODS
from lucidtrond.devnet.http import (
    assets,
    balances,
    broadcasting,
    building,
    calling,
    deploying,
    facts,
    reads,
    staking,
    trading,
    voting,
)
from lucidtrond.devnet.http.errors import JavaError, PlainError
from lucidtrond.devnet.http.requests import ServletRequest, read_request
from lucidtrond.devnet.state.kinds.base import Get
from lucidtrond.devnet.state.kinds.table import KINDS
from lucidtrond.devnet.state.view import ChainView
from lucidtrond.transports.http import HttpRequest, HttpResponse

Servlet = Callable[[ServletRequest], Any]
"""Gives what is printed as JSON; None is an empty answer."""

JSON_TYPE: Final = "application/json;charset=utf-8"
JSONRPC_TYPE: Final = "application/json-rpc"
HTML_TYPE: Final = "text/html;charset=iso-8859-1"
# Clients have been seen to tell node kinds apart by it.
SERVER: Final = (("Server", "Jetty(9.4.53.v20231009)"),)


@frozen
class Route:
    """A path's servlet."""

    servlet: Servlet
    get: Get = Get.ANSWERS
    bare_errors: bool = False
    """Says an exception's message and nothing around it."""


READS: Final[Mapping[str, Servlet]] = {
    "getnowblock": reads.get_now_block,
    "getblock": reads.get_block,
    "getblockbynum": reads.get_block_by_num,
    "getblockbyid": reads.get_block_by_id,
    "getblockbylimitnext": reads.get_block_by_limit_next,
    "getblockbylatestnum": reads.get_block_by_latest_num,
    "gettransactioncountbyblocknum": reads.get_transaction_count,
    "gettransactionbyid": reads.get_transaction_by_id,
    "gettransactioninfobyid": reads.get_transaction_info_by_id,
    "gettransactioninfobyblocknum": reads.get_transaction_info_by_block_num,
    "getaccount": reads.get_account,
    "getaccountbyid": reads.get_account_by_id,
    "getassetissuebyid": assets.get_by_id,
    "getassetissuebyname": assets.get_by_name,
    "getassetissuelistbyname": assets.list_by_name,
    "getassetissuelist": assets.list_all,
    "getpaginatedassetissuelist": assets.list_page,
    "listwitnesses": voting.list_witnesses,
    "getdelegatedresource": staking.get_old_delegated_resource,
    "getdelegatedresourceaccountindex": staking.get_old_delegated_resource_index,
    "getdelegatedresourcev2": staking.get_delegated_resource,
    "getdelegatedresourceaccountindexv2": staking.get_delegated_resource_index,
    "getcandelegatedmaxsize": staking.get_can_delegated_max_size,
    "getavailableunfreezecount": staking.get_available_unfreeze_count,
    "getcanwithdrawunfreezeamount": staking.get_can_withdraw_unfreeze_amount,
    "getburntrx": facts.get_burn_trx,
    "getbandwidthprices": facts.get_bandwidth_prices,
    "getenergyprices": facts.get_energy_prices,
    "getnodeinfo": facts.get_node_info,
    "getexchangebyid": trading.get_exchange,
    "listexchanges": trading.list_exchanges,
    "getmarketorderbyaccount": trading.list_orders_of,
    "getmarketorderbyid": trading.get_order,
    "getmarketpricebypair": trading.get_prices,
    "getmarketorderlistbypair": trading.list_orders,
    "getmarketpairlist": trading.list_pairs,
    "getReward": voting.get_reward,
    "getBrokerage": voting.get_brokerage,
}
"""On both sides."""
# GetTransactionByIdSolidityServlet, GetTransactionInfoByIdSolidityServlet
BARE_WHEN_SOLID: Final = frozenset({"gettransactionbyid", "gettransactioninfobyid"})

HEAD_READS: Final[Mapping[str, Servlet]] = {
    "getaccountresource": reads.get_account_resource,
    "getaccountnet": reads.get_account_net,
    "gettransactionreceiptbyid": reads.get_transaction_receipt_by_id,
    "gettransactionfrompending": reads.get_transaction_from_pending,
    "gettransactionlistfrompending": reads.get_transaction_list_from_pending,
    "getassetissuebyaccount": assets.list_by_account,
    "getcontract": calling.get_contract,
    "getcontractinfo": calling.get_contract_info,
    "getpendingsize": reads.get_pending_size,
    "validateaddress": reads.validate_address,
    "getchainparameters": facts.get_chain_parameters,
    "getmemofee": facts.get_memo_fee,
    "getnextmaintenancetime": facts.get_next_maintenance_time,
    "listnodes": facts.list_nodes,
    "listproposals": voting.list_proposals,
    "getproposalbyid": voting.get_proposal,
    "getpaginatedexchangelist": trading.list_exchange_page,
}

OTHER_READS: Final[Mapping[str, Servlet]] = {
    "/net/listnodes": facts.list_nodes,
    "/monitor/getnodeinfo": facts.get_node_info,
}
"""Where the wallet's paths are."""

QUIET_TO_GET: Final[Mapping[str, Servlet]] = {
    "getsignweight": broadcasting.get_sign_weight,
    "getapprovedlist": broadcasting.get_approved_list,
    "deploycontract": deploying.deploy_contract,
    "triggersmartcontract": calling.trigger_smart_contract,
}
QUIET_READS: Final[Mapping[str, Servlet]] = {
    "triggerconstantcontract": calling.trigger_constant_contract,
    "estimateenergy": calling.estimate_energy,
}
"""On both sides, by POST."""

REFUSE_GET: Final[Mapping[str, Servlet]] = {
    "broadcasttransaction": broadcasting.broadcast_transaction,
    "broadcasthex": broadcasting.broadcast_hex,
    "getaccountbalance": balances.get_account_balance,
    "getblockbalance": balances.get_block_balance,
    "createCommonTransaction": building.create_common,
}


def _routes() -> Mapping[str, Route]:
    routes = {f"/wallet/{name}": Route(each) for name, each in READS.items()}
    routes |= {f"/wallet/{name}": Route(each) for name, each in HEAD_READS.items()}
    routes |= {path: Route(each) for path, each in OTHER_READS.items()}
    routes |= {
        f"/walletsolidity/{name}": Route(each, bare_errors=name in BARE_WHEN_SOLID)
        for name, each in READS.items()
    }
    for side in ("wallet", "walletsolidity"):
        routes |= {
            f"/{side}/{name}": Route(each, Get.EMPTY)
            for name, each in QUIET_READS.items()
        }
    for get, table in ((Get.EMPTY, QUIET_TO_GET), (Get.REFUSED, REFUSE_GET)):
        routes |= {f"/wallet/{name}": Route(each, get) for name, each in table.items()}
    routes |= {
        f"/wallet/{kind.path}": Route(building.builder(kind), kind.get)
        for kind in KINDS
        if kind.path
    }
    return routes


ROUTES: Final = _routes()


class Side(Enum):
    """What a node has on ports of their own, by how its paths begin."""

    WALLET = "/wallet/"
    SOLIDITY = "/walletsolidity/"
    JSONRPC = "/jsonrpc"


EVERYTHING: Final = frozenset(Side)


class Router:
    """Answers requests to one chain; *sides* it does not have are unknown paths."""

    def __init__(
        self,
        chain: ChainView,
        now_ms: Callable[[], int],
        *,
        sides: frozenset[Side] = EVERYTHING,
        filters: Filters | None = None,
    ) -> None:
        self._chain = chain
        self._now_ms = now_ms
        self._sides = sides
        self._filters = filters or Filters(now_ms)
        self._builder = building_methods(now_ms)
        self._prefixes = tuple(side.value for side in sides)
        if Side.WALLET in sides:
            self._prefixes += ("/net/", "/monitor/")

    def seen(self, wrap: Callable[[ChainView], ChainView]) -> "Router":
        """The same for a node with another view of the chain."""
        return Router(
            wrap(self._chain), self._now_ms, sides=self._sides, filters=self._filters
        )

    async def handle(self, request: HttpRequest) -> HttpResponse:
        """The handler for `transports.http`."""
        return self.answer(request)

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer from memory and the log; never waits."""
        method = request.method
        here = request.path.startswith(self._prefixes)
        if here and request.path == Side.JSONRPC.value:
            return self._answer_jsonrpc(request)
        route = ROUTES.get(request.path)
        if route is None or not here:
            return _unknown_path(method)
        if method not in ("POST", "GET", "HEAD"):
            return _other_verb(method, reads=route.get is not Get.REFUSED)
        if method != "POST" and route.get is not Get.ANSWERS:
            return _page(405) if route.get is Get.REFUSED else _response(200, b"")
        return self._serve(route.servlet, request, bare_errors=route.bare_errors)

    def _answer_jsonrpc(self, request: HttpRequest) -> HttpResponse:
        if request.method in ("GET", "HEAD"):
            return _page(405)
        if request.method != "POST":
            return _other_verb(request.method, reads=False)
        methods = {**METHODS, **self._filters.methods, **self._builder}
        said = ethereum.answer(self._chain, methods, request.body)
        encoded = b"" if said is None else msgspec.json.encode(said)
        return HttpResponse(200, encoded, JSONRPC_TYPE, SERVER)

    def _serve(
        self, servlet: Servlet, request: HttpRequest, *, bare_errors: bool
    ) -> HttpResponse:
        solid = request.path.startswith(Side.SOLIDITY.value)
        try:
            ask = read_request(request, self._chain, solid=solid, now_ms=self._now_ms)
            answer = servlet(ask)
        except (JavaError, PlainError) as error:
            if bare_errors and isinstance(error, JavaError):
                return _response(200, f"{error.message}\n".encode())
            answer = {"Error": str(error)}
        except RecursionError:
            answer = {"Error": "class java.lang.StackOverflowError : null"}
        if answer is None:
            return _response(200, b"")
        return _response(200, msgspec.json.encode(answer) + b"\n")


def _response(status: int, body: bytes) -> HttpResponse:
    return HttpResponse(status, body, JSON_TYPE, SERVER)


def _page(status: int) -> HttpResponse:
    body = f"<html><head><title>Error {status}</title></head></html>\n".encode()
    return HttpResponse(status, body, HTML_TYPE, SERVER)


def _unknown_path(method: str) -> HttpResponse:
    # ServletHandler.Default404Servlet, which has a doGet and nothing else.
    match method:
        case "GET" | "HEAD":
            return _page(404)
        case "POST":
            return _page(405)
        case "OPTIONS":
            return _options("GET, HEAD, TRACE, OPTIONS", "")
        case _:
            return _other_verb(method, reads=True)


def _other_verb(method: str, *, reads: bool) -> HttpResponse:
    """Without a page: Jetty's ErrorHandler makes one for GET, HEAD and POST only."""
    if method == "OPTIONS":
        return _options(f"{'GET, HEAD, ' * reads}POST, TRACE, OPTIONS", JSON_TYPE)
    known = method in ("PUT", "DELETE", "TRACE")
    return HttpResponse(405 if known else 501, b"", "", SERVER)


def _options(allowed: str, content_type: str) -> HttpResponse:
    return HttpResponse(200, b"", content_type, (*SERVER, ("Allow", allowed)))
