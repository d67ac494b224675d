"""Servlets that read witnesses, proposals and rewards."""

from typing import Any

from lucidtrond.devnet.http.printing import Json, print_address
from lucidtrond.devnet.http.reads import view
from lucidtrond.devnet.http.requests import ServletRequest
from lucidtrond.devnet.java.fastjson import parse_object
from lucidtrond.devnet.state.rewards import DEFAULT_BROKERAGE, owed
from lucidtrond.tron.address import InvalidAddress, parse_address


def list_proposals(_ask: ServletRequest) -> Json:
    return {}


def get_proposal(ask: ServletRequest) -> Json:
    """There is none, whatever the id."""
    if ask.posted:
        ask.body()
    else:
        ask.whole_number("id")
    return {}


def get_reward(ask: ServletRequest) -> Json:
    """What could be withdrawn now; 0 for nobody, and without an address."""
    address, world = _asked(ask), view(ask)
    account = world.accounts.get(address) if address else None
    return {"reward": owed(world, account, ask.chain.genesis) if account else 0}


def get_brokerage(ask: ServletRequest) -> Json:
    """20 for whoever never set one, witness or not; 0 without an address (4.5)."""
    address = _asked(ask)
    if address is None:
        return {"brokerage": 0}
    witness = view(ask).witnesses.get(address)
    return {"brokerage": witness.brokerage if witness else DEFAULT_BROKERAGE}


def _asked(ask: ServletRequest) -> bytes | None:
    """Hex or base58, whatever ``visible`` says; None: no address."""
    given: Any = ask.parameters.get("address")
    if ask.posted:
        given = parse_object(ask.text).get("address") if ask.text.strip() else None
    try:
        return parse_address(str(given or "")).raw
    except InvalidAddress:
        return None


def list_witnesses(ask: ServletRequest) -> Json:
    # The servlet looks at the query only, whatever the verb.
    visible = ask.queried_visible
    producers = frozenset(ask.chain.genesis.schedule)
    witnesses = []
    for witness in view(ask).witnesses.values():
        figures = {
            "voteCount": witness.votes,
            "url": witness.url,
            "totalProduced": witness.produced,
            "totalMissed": witness.missed,
            "latestBlockNum": witness.latest_block,
            "latestSlotNum": witness.latest_slot,
            "isJobs": witness.address in producers,
        }
        printed: Json = {"address": print_address(witness.address, visible=visible)}
        witnesses.append(
            printed | {name: value for name, value in figures.items() if value}
        )
    return {"witnesses": witnesses}
