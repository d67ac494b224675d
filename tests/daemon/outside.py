"""A chain in a process of its own, a daemon over it, and an audit of the chain alone.

Whatever happens to the daemon, the chain goes on; what was paid is counted in its
blocks over HTTP, not in the daemon's books.
"""

import json
import random
import urllib.request
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from lucidtrond.testing.fixtures import TronDevnet
from lucidtrond.tron import trc20
from lucidtrond.tron.address import Address
from lucidtrond.tron.contracts import Contract, Transfer, Trigger
from lucidtrond.tron.transaction import decode_raw
from tests.daemon.process import DaemonProcess

Json = dict[str, Any]
IUSD = "IUSD"
BROADCASTS = "/wallet/broadcast*"
DUP = "DUP_TRANSACTION_ERROR"
NO_PEERS = "NOT_ENOUGH_EFFECTIVE_CONNECTION"

BROADCAST_FAULTS: dict[str, Json] = {
    "the reply is lost": {"fault": "lost_reply"},
    "the connection breaks within the reply": {"fault": "cut"},
    "the reply ends early": {"fault": "truncate"},
    "reset": {"fault": "reset"},
    "says SUCCESS and drops it": {"fault": "drop"},
    "503": {"fault": "status", "status": 503},
    "429": {"fault": "status", "status": 429, "retry_after_s": 1},
    "a soft limit": {"fault": "error"},
    "a duplicate, never seen": {
        "fault": "broadcast",
        "code": DUP,
        "message": "Transaction already exists.",
    },
    "a duplicate, taken": {
        "fault": "broadcast",
        "code": DUP,
        "carried_out": True,
        "message": "Dup transaction.",
    },
    "busy": {"fault": "broadcast", "code": "SERVER_BUSY"},
    "does not solidify": {"fault": "broadcast", "code": "BLOCK_UNSOLIDIFIED"},
    "no peers": {"fault": "broadcast", "code": NO_PEERS},
    "no peers, but taken": {
        "fault": "broadcast",
        "code": NO_PEERS,
        "carried_out": True,
        "message": "P2P broadcast failed.",
    },
    "TAPOS, at one of them": {"fault": "broadcast", "code": "TAPOS_ERROR", "port": 1},
}
"""PROMISES that break at a broadcast, as rules of the devnet's."""

READ_FAULTS: Sequence[Json] = (
    {"fault": "reset"},
    {"fault": "cut"},
    {"fault": "truncate"},
    {"fault": "error"},
    {"fault": "status", "status": 500},
    {"fault": "status", "status": 503, "retry_after_s": 1},
    {"fault": "status", "status": 429},
    {"fault": "empty", "port": 0},
    {"fault": "lag", "blocks": 2},
    {"fault": "delay", "delay_s": 0.05},
)


def config_over(
    chain: TronDevnet,
    path: Path,
    *,
    timeout_s: float = 2.0,
    block_time_s: float | None = None,
    restore_wait_s: int | None = None,
) -> Path:
    """Write the configuration of a daemon whose endpoints are all ports of *chain*.

    *restore_wait_s* bounds what `expires_s` may be; None: as shipped.
    """
    [token] = chain.tokens
    lines = [
        "[network]",
        'name = "private"',
        f'genesis_id = "{chain.genesis_id}"',
        f"timeout_s = {timeout_s}",
        *([] if block_time_s is None else [f"block_time_s = {block_time_s}"]),
    ]
    for number, url in enumerate((chain.url, *chain.replica_urls)):
        lines += ["[[network.endpoints]]", f'url = "{url}"', f'operator = "{number}"']
    lines += [
        "[[network.tokens]]",
        f'address = "{token["address"]}"',
        f'symbol = "{token["symbol"]}"',
        f"decimals = {token['decimals']}",
    ]
    if restore_wait_s is not None:
        lines += ["[sending]", f"restore_wait_s = {restore_wait_s}"]
    path.write_text("\n".join([*lines, ""]))
    return path


def strew(
    chain: TronDevnet, rng: random.Random, *, broadcasts: int, of_all: float
) -> None:
    """Put faults in force: some kinds at broadcasts, others for *of_all* requests."""
    chain.seed(rng.randrange(10**6))
    for name in rng.sample(sorted(BROADCAST_FAULTS), broadcasts):
        chain.fault(**{"path": BROADCASTS, "chance": 0.3, **BROADCAST_FAULTS[name]})
    left = 1.0
    for rule in READ_FAULTS:
        # The first that strikes decides, so the chances of the later ones are greater.
        share = of_all / len(READ_FAULTS)
        chain.fault(**rule, chance=share / left)
        left -= share


@frozen
class Paid:
    """One payment, in the chain's words; a distinct amount names the intent."""

    sender: str
    recipient: str
    asset: str
    amount: int


def paid_on(chain: TronDevnet, ours: set[str]) -> Counter[Paid]:
    """What the addresses of ours have paid, by the solid and not yet solid blocks."""
    return Counter(
        paid
        for block in blocks_of(chain)[1:]
        for transaction in block.get("transactions", ())
        if transaction["ret"] == [{"contractRet": "SUCCESS"}]
        for paid in _paid(
            decode_raw(bytes.fromhex(transaction["raw_data_hex"])).contract
        )
        if paid.sender in ours
    )


def _paid(contract: Contract) -> list[Paid]:
    if isinstance(contract, Transfer):
        to, amount = contract.to.base58, contract.amount
        return [Paid(contract.owner.base58, to, "TRX", amount)]
    if not isinstance(contract, Trigger):
        return []
    call = trc20.parse_call(contract.data)
    assert isinstance(call, trc20.TransferCall)
    return [Paid(contract.owner.base58, call.recipient.base58, IUSD, call.amount)]


def wanted(params: Json, wallets: Sequence[Json]) -> Paid:
    """What a call of `transfer.send` asks for."""
    [sender] = [w["address"] for w in wallets if w["wallet_id"] == params["from"]]
    amount = int(params.get("amount_sun") or params["amount_raw"])
    return Paid(sender, params["to"], params.get("asset", "TRX"), amount)


def check_books(
    daemon: DaemonProcess, chain: TronDevnet, wallets: Sequence[Json], given: Json
) -> None:
    """The daemon's balances and histories are the chain's; *given*: tokens at first."""
    blocks = blocks_of(chain)
    paid = paid_on(chain, {wallet["address"] for wallet in wallets})
    tokens = [payment for payment in paid.elements() if payment.asset == IUSD]
    for wallet in wallets:
        address, name = wallet["address"], wallet["wallet_id"]
        balance = daemon.call("wallet.balance", wallet=name)["balance_sun"]
        account = ask(chain, "/walletsolidity/getaccount", address=hex_of(address))
        assert int(balance) == account.get("balance", 0)
        held = daemon.call("token.balance", token=IUSD, address=name)["balance_raw"]
        received = sum(
            transfer.amount for transfer in tokens if transfer.recipient == address
        )
        went = sum(transfer.amount for transfer in tokens if transfer.sender == address)
        assert int(held) == given.get(address, 0) + received - went
        assert _history(daemon, address) == [
            transaction["txID"]
            for block in blocks
            for transaction in block.get("transactions", ())
            # In a contract's call an address stands without its first byte.
            if hex_of(address)[2:] in transaction["raw_data_hex"]
        ]


def _history(daemon: DaemonProcess, address: str) -> list[str]:
    entries: list[Json] = []
    more: dict[str, str] = {}
    while True:
        page = daemon.call("history.list", address=address, limit=50, **more)
        entries += page["entries"]
        if page.get("next_cursor") is None:
            return [entry["txid"] for entry in reversed(entries)]
        more = {"cursor": page["next_cursor"]}


def hex_of(address: str) -> str:
    return Address.from_base58(address).hex


def blocks_of(chain: TronDevnet) -> list[Json]:
    """All blocks from genesis to head."""
    blocks: list[Json] = []
    while True:
        at = len(blocks)
        page = ask(chain, "/wallet/getblockbylimitnext", startNum=at, endNum=at + 100)
        new = page.get("block", [])
        blocks += new
        if len(new) < 100:
            return blocks


def ask(chain: TronDevnet, path: str, **body: Any) -> Any:
    request = urllib.request.Request(chain.url + path, json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)
