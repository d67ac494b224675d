"""``lucidtron``: the daemon's client for people and scripts.

Exit codes: 0 done, 1 failed, 2 usage, 3 daemon unreachable, 4 in flight (the payment
may still land; the same idempotency key finds it again).
"""

import argparse
import json
import secrets
import signal
import sys
from collections.abc import Callable
from typing import Any

from lucidtrond.cli import show
from lucidtrond.cli.amounts import TRX, Assets
from lucidtrond.cli.connection import Connection, RpcFailure, Unreachable
from lucidtrond.cli.passphrase import read_passphrase
from lucidtrond.daemon.places import socket_paths, state_dir

DONE, FAILED, USAGE, UNREACHABLE, IN_FLIGHT = range(5)
_IN_DOUBT = 302
_SETTLED = {
    "solidified": DONE,
    "failed": FAILED,
    "expired": FAILED,
    "unproven": IN_FLIGHT,
}
_POLL_MS = 30_000
_NO_METHOD = (-32601, 501)
"""Nobody offers it; the plugin that does is disabled."""

Verb = Callable[[Connection, argparse.Namespace], int]


def main(argv: list[str] | None = None) -> int:
    """Run one verb; gives the exit code."""
    # `lucidtron watch | head` ends as any other filter's source does.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    args = _parser().parse_args(argv)
    verb: Verb = args.verb
    try:
        candidates = socket_paths(args.socket, state_dir(args.state_dir))
        with Connection.open(candidates) as connection:
            return verb(connection, args)
    except Unreachable as exc:
        return _complain(str(exc), UNREACHABLE)
    except RpcFailure as exc:
        return _complain(
            show.failure(exc), IN_FLIGHT if exc.code == _IN_DOUBT else FAILED
        )
    except (ValueError, OSError) as exc:
        return _complain(str(exc), USAGE)
    except KeyboardInterrupt:
        return FAILED


def _complain(text: str, code: int) -> int:
    print(f"lucidtron: {text}", file=sys.stderr)
    return code


def _print(args: argparse.Namespace, result: Any, text: Callable[[Any], str]) -> None:
    print(json.dumps(result) if args.json else text(result))


def _call(connection: Connection, args: argparse.Namespace) -> int:
    params: dict[str, Any] = {}
    for pair in args.params:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"expected key=value, got {pair!r}")
        params[key] = _typed(value)
    print(
        json.dumps(
            connection.call(args.method, params), indent=None if args.json else 2
        )
    )
    return DONE


def _typed(text: str) -> Any:
    """``count=3`` is a number, ``amount_sun='"3"'`` a string, plain words are strings.

    Digits of amounts must stay strings, so only JSON that is not a bare number above
    2**31 is taken as such.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return text
    return value


def _status(connection: Connection, args: argparse.Namespace) -> int:
    result = {
        "daemon": connection.call("daemon.info"),
        "network": connection.call("network.status"),
        "keystore": connection.call("keystore.status"),
    }
    _print(args, result, show.status)
    return DONE


def _init(connection: Connection, args: argparse.Namespace) -> int:
    phrase = read_passphrase(
        file=args.passphrase_file, fd=args.passphrase_fd, confirm=True
    )
    _print(
        args,
        connection.call("keystore.init", {"passphrase": phrase}),
        lambda _: "keystore made and unlocked",
    )
    return DONE


def _unlock(connection: Connection, args: argparse.Namespace) -> int:
    params: dict[str, Any] = {
        "passphrase": read_passphrase(file=args.passphrase_file, fd=args.passphrase_fd)
    }
    if args.for_s is not None:
        params["for_s"] = args.for_s
    _print(args, connection.call("keystore.unlock", params), lambda _: "unlocked")
    return DONE


def _lock(connection: Connection, args: argparse.Namespace) -> int:
    _print(args, connection.call("keystore.lock"), lambda _: "locked")
    return DONE


def _wallet_create(connection: Connection, args: argparse.Namespace) -> int:
    if args.count == 1:
        params = {"label": args.label} if args.label else {}
        wallet = connection.call("wallet.create", params)
        _print(args, wallet, show.wallet)
        return DONE
    batch: dict[str, Any] = {"count": args.count}
    if args.label:
        batch["prefix"] = args.label
    _print(args, connection.call("wallet.batch_create", batch), show.wallets)
    return DONE


def _wallet_list(connection: Connection, args: argparse.Namespace) -> int:
    _print(args, connection.call("wallet.list", {"limit": args.limit}), show.wallets)
    return DONE


def _wallet_show(connection: Connection, args: argparse.Namespace) -> int:
    _print(
        args, connection.call("wallet.balance", {"wallet": args.wallet}), show.balance
    )
    return DONE


def _fund(connection: Connection, args: argparse.Namespace) -> int:
    assets = _assets(connection)
    asset, amount = assets.parse(args.amount)
    address = args.address
    if address.startswith("w_"):
        address = connection.call("wallet.get", {"wallet": address})["address"]
    params = {"address": address, **_paid(asset, amount)}
    result = connection.call("devnet.fund", params)
    connection.call("tx.wait", {"txid": result["txid"], "until": "included"})
    _print(
        args, result, lambda r: f"funded with {assets.show(amount, asset)}: {r['txid']}"
    )
    return DONE


def _assets(connection: Connection) -> Assets:
    """TRX and the known tokens; TRX alone where the daemon has no tokens."""
    try:
        return Assets(connection.call("token.list")["tokens"])
    except RpcFailure as exc:
        if exc.code not in _NO_METHOD:
            raise
        return Assets()


def _paid(asset: str, amount: int) -> dict[str, Any]:
    """An amount as the methods that pay take it."""
    if asset == TRX:
        return {"amount_sun": str(amount)}
    return {"asset": asset, "amount_raw": str(amount)}


def _answer() -> str:
    try:
        return input().strip().lower()
    except EOFError:
        raise ValueError("nobody answers: --yes pays without asking") from None


def _send(connection: Connection, args: argparse.Namespace) -> int:
    assets = _assets(connection)
    asset, amount = assets.parse(args.amount)
    key = args.key or f"cli-{secrets.token_hex(8)}"
    params = {
        "from": args.source,
        "to": args.to,
        "idempotency_key": key,
        **_paid(asset, amount),
    }
    if args.memo:
        params["memo"] = args.memo
    if args.check:
        checked = connection.call("transfer.send", {**params, "check": True})
        _print(args, checked, lambda result: show.payment(result, assets))
        return DONE
    if not args.yes:
        shown = assets.show(amount, asset)
        print(f"Pay {shown} from {args.source} to {args.to}? [y/N] ", end="")
        if _answer() not in ("y", "yes"):
            return _complain("nothing was sent", FAILED)
    if not args.json:
        print(f"idempotency key: {key}", flush=True)
    since = connection.call("events.poll", {"limit": 1})["next_since"]
    payment = connection.call("transfer.send", params)
    payment = _follow(connection, args, payment, since=since)
    _print(args, payment, lambda result: show.payment(result, assets))
    if payment["state"] in _SETTLED:
        return _SETTLED[payment["state"]]
    if args.wait == "included" and payment["state"] == "included":
        return DONE
    return DONE if args.wait == "none" else IN_FLIGHT


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


def _pending(connection: Connection, args: argparse.Namespace) -> int:
    result = connection.call("tx.pending", {"limit": args.limit})
    assets = _assets(connection)
    _print(args, result, lambda found: show.pending(found, assets))
    return DONE


def _retry(connection: Connection, args: argparse.Namespace) -> int:
    asked = {"txid": args.txid, "pay_again": args.pay_again, "check": args.check}
    try:
        result = connection.call("tx.retry", asked)
    except RpcFailure as refused:
        if args.json or (words := show.retry_refused(refused)) is None:
            raise
        return _complain(words, IN_FLIGHT if refused.code == _IN_DOUBT else FAILED)
    assets = _assets(connection)
    _print(args, result, lambda found: show.retried(found, assets))
    return DONE


def _receipt(connection: Connection, args: argparse.Namespace) -> int:
    result = connection.call("tx.receipt", {"txid": args.txid})
    assets = _assets(connection)
    _print(args, result, lambda found: show.receipt(found, assets))
    return DONE


def _history(connection: Connection, args: argparse.Namespace) -> int:
    if args.address.startswith("T"):
        method, params = "history.list", {"address": args.address}
    else:
        method, params = "wallet.history", {"wallet": args.address}
    result = connection.call(method, {**params, "limit": args.limit})
    assets = _assets(connection)
    _print(args, result, lambda found: show.history(found, assets))
    return DONE


def _token_list(connection: Connection, args: argparse.Namespace) -> int:
    _print(args, connection.call("token.list"), show.tokens)
    return DONE


def _token_info(connection: Connection, args: argparse.Namespace) -> int:
    _print(args, connection.call("token.info", {"token": args.token}), show.token)
    return DONE


def _token_balance(connection: Connection, args: argparse.Namespace) -> int:
    asked = {"token": args.token, "address": args.address}
    result = connection.call("token.balance", asked)
    assets = _assets(connection)
    _print(args, result, lambda found: show.token_balance(found, assets))
    return DONE


def _watch(connection: Connection, args: argparse.Namespace) -> int:
    params: dict[str, Any] = {"topics": args.topics or ["transfer", "transaction"]}
    if args.since is not None:
        params["since"] = args.since
    connection.call("events.subscribe", params)
    for message in connection.notifications():
        body = message.get("params", {})
        print(json.dumps(body) if args.json else show.event(message), flush=True)
    return _complain("the daemon closed the connection", UNREACHABLE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lucidtron", description="Talk to a running lucidtrond."
    )
    parser.add_argument("--socket", help="the daemon's socket")
    parser.add_argument("--state-dir", help="the daemon's state directory")
    parser.add_argument("--json", action="store_true", help="print results as JSON")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    _add_daemon(verbs)
    _add_money(verbs)
    _add_looking(verbs)
    return parser


def _add(parent: Any, name: str, run: Verb, text: str) -> Any:
    sub = parent.add_parser(name, help=text, description=text)
    sub.set_defaults(verb=run)
    return sub


def _add_daemon(verbs: Any) -> None:
    call = _add(
        verbs, "call", _call, "call any method: call address.validate address=T…"
    )
    call.add_argument("method")
    call.add_argument("params", nargs="*", metavar="key=value", help="values as JSON")

    _add(verbs, "status", _status, "how the daemon, its network and its keystore are")
    for name, run, text in (
        ("init", _init, "make the keystore"),
        ("unlock", _unlock, "open the keystore for signing"),
    ):
        sub = _add(verbs, name, run, text)
        sub.add_argument("--passphrase-file", metavar="F")
        sub.add_argument("--passphrase-fd", type=int, metavar="N")
        if name == "unlock":
            sub.add_argument("--for-s", type=float, help="lock again after so long")
    _add(verbs, "lock", _lock, "close the keystore")


def _add_money(verbs: Any) -> None:
    wallet = verbs.add_parser("wallet", help="make, list and show wallets")
    wallets = wallet.add_subparsers(required=True, metavar="WHAT")
    create = _add(wallets, "create", _wallet_create, "make one wallet or --count many")
    create.add_argument("--label", help="a name for you; a prefix with --count")
    create.add_argument("--count", type=int, default=1)
    listing = _add(wallets, "list", _wallet_list, "list wallets")
    listing.add_argument("--limit", type=int, default=100)
    one = _add(wallets, "balance", _wallet_show, "balance of a wallet")
    one.add_argument("wallet")

    fund = _add(verbs, "fund", _fund, "get test money (devnet only)")
    fund.add_argument("address", metavar="ADDRESS|WALLET")
    fund.add_argument("amount", nargs="+", help="like 100 TRX")

    send = _add(verbs, "send", _send, "pay TRX or a known token")
    send.add_argument("source", metavar="FROM", help="a wallet id or address of ours")
    send.add_argument("to", metavar="TO")
    send.add_argument("amount", nargs="+", help="like 1.5 TRX or 2 USDT")
    send.add_argument("--key", help="idempotency key: repeat it, never pay twice")
    send.add_argument("--memo")
    send.add_argument("--yes", action="store_true", help="do not ask")
    send.add_argument("--check", action="store_true", help="only try, send nothing")
    send.add_argument(
        "--wait", choices=["none", "included", "solidified"], default="solidified"
    )


def _add_looking(verbs: Any) -> None:
    token = verbs.add_parser("token", help="list tokens, ask about them")
    tokens = token.add_subparsers(required=True, metavar="WHAT")
    _add(tokens, "list", _token_list, "the tokens that are known on this network")
    about = _add(tokens, "info", _token_info, "what a token's contract says of itself")
    about.add_argument("token", metavar="SYMBOL|CONTRACT")
    held = _add(tokens, "balance", _token_balance, "how much an address has of it")
    held.add_argument("token", metavar="SYMBOL|CONTRACT")
    held.add_argument("address", metavar="ADDRESS|WALLET")

    pending = _add(verbs, "pending", _pending, "payments that are not settled yet")
    pending.add_argument("--limit", type=int, default=20)
    retry = _add(verbs, "retry", _retry, "send a payment again; it can't pay twice")
    retry.add_argument("txid")
    retry.add_argument(
        "--pay-again",
        action="store_true",
        help="also when it failed in its block, where it has cost its fee",
    )
    retry.add_argument(
        "--check", action="store_true", help="only say what would be done"
    )
    receipt = _add(
        verbs, "receipt", _receipt, "what became of a transaction, and its cost"
    )
    receipt.add_argument("txid")
    history = _add(verbs, "history", _history, "transfers of an address or wallet")
    history.add_argument("address", metavar="ADDRESS|WALLET")
    history.add_argument("--limit", type=int, default=20)
    watch = _add(verbs, "watch", _watch, "events as they happen")
    watch.add_argument("topics", nargs="*", metavar="TOPIC")
    watch.add_argument("--since", type=int, help="first show what came after this seq")


if __name__ == "__main__":
    sys.exit(main())
