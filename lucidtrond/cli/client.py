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
from lucidtrond.cli.amounts import parse_typed_amount, show_sun
from lucidtrond.cli.connection import Connection, RpcFailure, Unreachable
from lucidtrond.cli.passphrase import read_passphrase
from lucidtrond.daemon.places import socket_paths, state_dir

DONE, FAILED, USAGE, UNREACHABLE, IN_FLIGHT = range(5)
_IN_DOUBT = 302
_SETTLED = {"solidified": DONE, "failed": FAILED, "expired": FAILED}
_POLL_MS = 30_000

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
    amount = parse_typed_amount(args.amount)
    address = args.address
    if address.startswith("w_"):
        address = connection.call("wallet.get", {"wallet": address})["address"]
    result = connection.call(
        "devnet.fund", {"address": address, "amount_sun": str(amount)}
    )
    connection.call("tx.wait", {"txid": result["txid"], "until": "included"})
    _print(args, result, lambda r: f"funded with {show_sun(amount)}: {r['txid']}")
    return DONE


def _send(connection: Connection, args: argparse.Namespace) -> int:
    amount = parse_typed_amount(args.amount)
    key = args.key or f"cli-{secrets.token_hex(8)}"
    params = {
        "from": args.source,
        "to": args.to,
        "amount_sun": str(amount),
        "idempotency_key": key,
    }
    if args.memo:
        params["memo"] = args.memo
    if not args.yes:
        print(f"Pay {show_sun(amount)} from {args.source} to {args.to}? [y/N] ", end="")
        if input().strip().lower() not in ("y", "yes"):
            return _complain("nothing was sent", FAILED)
    if not args.json:
        print(f"idempotency key: {key}", flush=True)
    payment = connection.call("transfer.send", params)
    payment = _follow(connection, args, payment)
    _print(args, payment, show.payment)
    if payment["state"] in _SETTLED:
        return _SETTLED[payment["state"]]
    if args.wait == "included" and payment["state"] == "included":
        return DONE
    return DONE if args.wait == "none" else IN_FLIGHT


def _follow(
    connection: Connection, args: argparse.Namespace, payment: dict[str, Any]
) -> dict[str, Any]:
    """Show each state until the wanted one; the payment goes on without us."""
    wanted = {"none": set(), "included": {"included"}, "solidified": set()}[args.wait]
    if args.wait == "none":
        return payment
    since = 0
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
                "wait_ms": _POLL_MS,
                "limit": 100,
            },
        )
        since = answer["next_since"]
        payment = connection.call(
            "transfer.status", {"payment_id": payment["payment_id"]}
        )
    return payment


def _receipt(connection: Connection, args: argparse.Namespace) -> int:
    _print(args, connection.call("tx.receipt", {"txid": args.txid}), show.receipt)
    return DONE


def _history(connection: Connection, args: argparse.Namespace) -> int:
    if args.address.startswith("T"):
        method, params = "history.list", {"address": args.address}
    else:
        method, params = "wallet.history", {"wallet": args.address}
    _print(args, connection.call(method, {**params, "limit": args.limit}), show.history)
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

    def add(name: str, run: Verb, text: str, parent: Any = verbs) -> Any:
        sub = parent.add_parser(name, help=text, description=text)
        sub.set_defaults(verb=run)
        return sub

    call = add("call", _call, "call any method: call address.validate address=T…")
    call.add_argument("method")
    call.add_argument("params", nargs="*", metavar="key=value", help="values as JSON")

    add("status", _status, "how the daemon, its network and its keystore are")
    for name, run, text in (
        ("init", _init, "make the keystore"),
        ("unlock", _unlock, "open the keystore for signing"),
    ):
        sub = add(name, run, text)
        sub.add_argument("--passphrase-file", metavar="F")
        sub.add_argument("--passphrase-fd", type=int, metavar="N")
        if name == "unlock":
            sub.add_argument("--for-s", type=float, help="lock again after so long")
    add("lock", _lock, "close the keystore")

    wallet = verbs.add_parser("wallet", help="make, list and show wallets")
    wallets = wallet.add_subparsers(required=True, metavar="WHAT")
    create = add("create", _wallet_create, "make one wallet or --count many", wallets)
    create.add_argument("--label", help="a name for you; a prefix with --count")
    create.add_argument("--count", type=int, default=1)
    listing = add("list", _wallet_list, "list wallets", wallets)
    listing.add_argument("--limit", type=int, default=100)
    one = add("balance", _wallet_show, "balance of a wallet", wallets)
    one.add_argument("wallet")

    fund = add("fund", _fund, "get test money (devnet only)")
    fund.add_argument("address", metavar="ADDRESS|WALLET")
    fund.add_argument("amount", nargs="+", help="like 100 TRX")

    send = add("send", _send, "pay TRX")
    send.add_argument("source", metavar="FROM", help="a wallet id or address of ours")
    send.add_argument("to", metavar="TO")
    send.add_argument("amount", nargs="+", help="like 1.5 TRX")
    send.add_argument("--key", help="idempotency key: repeat it, never pay twice")
    send.add_argument("--memo")
    send.add_argument("--yes", action="store_true", help="do not ask")
    send.add_argument(
        "--wait", choices=["none", "included", "solidified"], default="solidified"
    )

    receipt = add("receipt", _receipt, "what became of a transaction, and its cost")
    receipt.add_argument("txid")
    history = add("history", _history, "transfers of an address or wallet")
    history.add_argument("address", metavar="ADDRESS|WALLET")
    history.add_argument("--limit", type=int, default=20)
    watch = add("watch", _watch, "events as they happen")
    watch.add_argument("topics", nargs="*", metavar="TOPIC")
    watch.add_argument("--since", type=int, help="first show what came after this seq")
    return parser


if __name__ == "__main__":
    sys.exit(main())
