"""The client's verbs that move money: ``send``, ``retry`` and ``fund``."""

import argparse
import secrets
import sys
from contextlib import suppress
from typing import Any

from lucidtrond.cli import show
from lucidtrond.cli.amounts import TRX, Assets
from lucidtrond.cli.connection import Connection, RpcFailure
from lucidtrond.cli.consent import REAL_MONEY, consents, network_of
from lucidtrond.cli.outcome import (
    DONE,
    FAILED,
    IN_FLIGHT,
    complain,
    print_result,
    printable,
)

IN_DOUBT = 302
_SETTLED = {
    "solidified": DONE,
    "failed": FAILED,
    "expired": FAILED,
    "unproven": IN_FLIGHT,
}
_POLL_MS = 30_000
_ALLOWANCES = ("allow_look_alike", "allow_unchecked_recipient", "allow_zero_address")
_NO_METHOD = (-32601, 501)
"""No enabled plugin offers it."""


def assets_of(connection: Connection) -> Assets:
    """TRX and the known tokens; TRX alone where the daemon has no tokens."""
    try:
        return Assets(connection.call("token.list")["tokens"])
    except RpcFailure as exc:
        if exc.code not in _NO_METHOD:
            raise
        return Assets()


def fund(connection: Connection, args: argparse.Namespace) -> int:
    """Send test money, and wait until it is in a block."""
    assets = assets_of(connection)
    asset, amount = assets.parse(args.amount)
    address = args.address
    if address.startswith("w_"):
        address = connection.call("wallet.get", {"wallet": address})["address"]
    params = {"address": address, **_paid(asset, amount)}
    if args.allow_unchecked_recipient:
        params["allow_unchecked_recipient"] = True
    network = network_of(connection)
    result = connection.call("devnet.fund", params)
    connection.call("tx.wait", {"txid": result["txid"], "until": "included"})
    shown = assets.show(amount, asset)
    print_result(args, result, lambda r: f"{network}: funded with {shown}: {r['txid']}")
    return DONE


def _paid(asset: str, amount: int) -> dict[str, Any]:
    """An amount as the methods that pay take it."""
    if asset == TRX:
        return {"amount_sun": str(amount)}
    return {"asset": asset, "amount_raw": str(amount)}


def send(connection: Connection, args: argparse.Namespace) -> int:
    """Pay, after asking, and show each state until the wanted one."""
    assets = assets_of(connection)
    asset, amount = assets.parse(args.amount)
    network = network_of(connection)
    params = _request(args, asset, amount)
    key = params["idempotency_key"]
    if args.check or not args.yes:
        checked = connection.call("transfer.send", {**params, "check": True})
        if args.check:
            print_result(
                args, checked, lambda result: show.payment(result, assets, network)
            )
            return DONE
        # Another state: the key is known, so nothing new will be paid.
        if checked["state"] == "checked" and not consents(
            f"pay {show.proposal(checked, assets)}?", network=network
        ):
            return complain("nothing was sent", FAILED)
    # With --json standard output is for the payment alone.
    notes = sys.stderr if args.json else sys.stdout
    print(f"network: {network}\nidempotency key: {key}", file=notes, flush=True)
    since = connection.call("events.poll", {"limit": 1})["next_since"]
    try:
        payment = connection.call("transfer.send", params)
        payment = _follow(connection, args, payment, since=since)
    except KeyboardInterrupt:
        return complain(
            f"interrupted; the payment may still land. This finds it again, and pays"
            f" once: lucidtron send … --key {key}",
            IN_FLIGHT,
        )
    print_result(args, payment, lambda result: show.payment(result, assets, network))
    if payment["state"] in _SETTLED:
        return _SETTLED[payment["state"]]
    if args.wait == "included" and payment["state"] == "included":
        return DONE
    return DONE if args.wait == "none" else IN_FLIGHT


def _request(args: argparse.Namespace, asset: str, amount: int) -> dict[str, Any]:
    """The parameters of `transfer.send`, with a new key unless one was given."""
    params = {
        "from": args.source,
        "to": args.to,
        "idempotency_key": args.key or f"cli-{secrets.token_hex(8)}",
        **_paid(asset, amount),
    }
    if args.memo:
        params["memo"] = args.memo
    return params | {flag: True for flag in _ALLOWANCES if getattr(args, flag)}


def _follow(
    connection: Connection,
    args: argparse.Namespace,
    payment: dict[str, Any],
    *,
    since: int,
) -> dict[str, Any]:
    """Show each state until the wanted one; the payment goes on without us.

    *since* is the last event before it was asked for.
    """
    wanted = {"none": set(), "included": {"included"}, "solidified": set()}[args.wait]
    if args.wait == "none":
        return payment
    shown = None
    while payment["state"] not in _SETTLED and payment["state"] not in wanted:
        if payment["state"] != shown and not args.json:
            shown = payment["state"]
            print(show.progress(payment), flush=True)
        answer = connection.call(
            "events.poll",
            {
                "since": since,
                "topics": ["transaction"],
                "address": payment["from_address"],
                "wait_ms": _POLL_MS,
                "limit": 100,
            },
        )
        since = answer["next_since"]
        payment = connection.call(
            "transfer.status", {"payment_id": payment["payment_id"]}
        )
    return payment


def retry(connection: Connection, args: argparse.Namespace) -> int:
    """Ask for a payment again; a new transaction for it is asked about on mainnet."""
    network = network_of(connection)
    params = {"txid": args.txid, "pay_again": args.pay_again, "check": args.check}
    try:
        if network == REAL_MONEY and not (args.check or args.yes):
            checked = connection.call("tx.retry", {**params, "check": True})
            if checked["action"] == "paid_anew" and not _confirm_new_transaction(
                connection, checked, network
            ):
                return complain("nothing was sent", FAILED)
        result = connection.call("tx.retry", params)
    except RpcFailure as refused:
        if args.json or (words := show.retry_refused(refused)) is None:
            raise
        return complain(words, IN_FLIGHT if refused.code == IN_DOUBT else FAILED)
    if not args.json:
        print(f"network: {network}", file=sys.stderr)
    assets = assets_of(connection)
    print_result(args, result, lambda payment: show.retried(payment, assets))
    return DONE


def queued(connection: Connection, args: argparse.Namespace) -> int:
    """Show what waits for approval."""
    result = connection.call("sending.queued")
    assets = assets_of(connection)
    print_result(args, result, lambda waiting: show.queued(waiting, assets))
    return DONE


def show_waiting(connection: Connection) -> None:
    """List on standard error what waits for approval, if anything does."""
    with suppress(RpcFailure):
        waiting = connection.call("sending.queued")
        if waiting["payments"] or waiting["set_aside"]:
            shown = show.queued(waiting, assets_of(connection))
            hint = "lucidtron approve lets what waits for approval be paid"
            print(printable(f"{shown}\n{hint}"), file=sys.stderr)


def approve(connection: Connection, args: argparse.Namespace) -> int:
    """Show what waits for approval and, if that is meant, let exactly that be paid."""
    params = {"payment_ids": args.payment_ids} if args.payment_ids else {}
    waiting = connection.call("sending.queued", params)
    if not waiting["payments"]:
        return complain("nothing waits for approval", FAILED)
    shown = show.queued(waiting, assets_of(connection))
    print(printable(shown), file=sys.stderr)
    if not args.yes and not consents(
        "approve these payments?", network=network_of(connection)
    ):
        return complain("nothing was approved", FAILED)
    params["fingerprint"] = waiting["fingerprint"]
    result = connection.call("sending.approve", params)
    print_result(
        args, result, lambda approved: f"approved: {len(approved['payment_ids'])}"
    )
    return DONE


def foreign(connection: Connection, args: argparse.Namespace) -> int:
    """Show what the chain holds of ours and the journal does not know."""
    params = {"limit": args.limit, "unexplained": not args.all}
    if args.address is not None:
        params["address"] = args.address
    result = connection.call("sending.foreign", params)
    assets = assets_of(connection)
    print_result(args, result, lambda page: show.foreign(page, assets))
    return DONE


def acknowledge(connection: Connection, args: argparse.Namespace) -> int:
    """Say, after asking, that foreign transactions or a restored state are meant."""
    if not args.txids and not args.restore:
        return complain("expected transactions, --restore or both", FAILED)
    question = "let these wallets pay again, which may pay something twice?"
    if not args.yes and not consents(question, network=network_of(connection)):
        return complain("nothing was acknowledged", FAILED)
    params = {"txids": args.txids, "restore": args.restore}
    result = connection.call("sending.acknowledge", params)
    print_result(args, result, show.acknowledged)
    return DONE


def _confirm_new_transaction(
    connection: Connection, checked: dict[str, Any], network: str
) -> bool:
    shown = show.proposal(checked["payment"], assets_of(connection))
    return consents(f"pay with a new transaction {shown}?", network=network)
