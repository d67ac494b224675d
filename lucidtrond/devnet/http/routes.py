"""Which servlet answers which path."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

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
from lucidtrond.devnet.http.requests import ServletRequest
from lucidtrond.devnet.state.kinds.base import Get
from lucidtrond.devnet.state.kinds.table import KINDS

Servlet = Callable[[ServletRequest], Any]
"""Gives what is printed as JSON; None is an empty answer."""


class Route(Struct, frozen=True):
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
    routes = {f"/wallet/{name}": Route(servlet) for name, servlet in READS.items()}
    routes |= {
        f"/wallet/{name}": Route(servlet) for name, servlet in HEAD_READS.items()
    }
    routes |= {path: Route(servlet) for path, servlet in OTHER_READS.items()}
    routes |= {
        f"/walletsolidity/{name}": Route(servlet, bare_errors=name in BARE_WHEN_SOLID)
        for name, servlet in READS.items()
    }
    for side in ("wallet", "walletsolidity"):
        routes |= {
            f"/{side}/{name}": Route(servlet, Get.EMPTY)
            for name, servlet in QUIET_READS.items()
        }
    for get, table in ((Get.EMPTY, QUIET_TO_GET), (Get.REFUSED, REFUSE_GET)):
        routes |= {
            f"/wallet/{name}": Route(servlet, get) for name, servlet in table.items()
        }
    routes |= {
        f"/wallet/{kind.path}": Route(building.builder(kind), kind.get)
        for kind in KINDS
        if kind.path
    }
    return routes


ROUTES: Final = _routes()
