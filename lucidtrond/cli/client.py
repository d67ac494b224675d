"""``lucidtron``: the daemon's client for people and scripts.

Exit codes: 0 done, 1 failed, 2 usage, 3 daemon unreachable, 4 in flight (the payment
may still land; the same idempotency key finds it again), 130 interrupted.
"""

import argparse
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

from lucidtrond.cli import paying, show
from lucidtrond.cli.calling import call
from lucidtrond.cli.connection import Connection, RpcFailure, Unreachable
from lucidtrond.cli.interpreter import refuse_optimized
from lucidtrond.cli.locate import connect_to_daemon
from lucidtrond.cli.outcome import (
    DONE,
    FAILED,
    IN_FLIGHT,
    INTERRUPTED,
    UNREACHABLE,
    USAGE,
    complain,
    print_result,
    printable,
)
from lucidtrond.cli.passphrase import read_passphrase
from lucidtrond.cli.paying import IN_DOUBT, assets_of

Verb = Callable[[Connection, argparse.Namespace], int]


def main(argv: list[str] | None = None) -> int:
    """Run one verb; gives the exit code."""
    refuse_optimized("lucidtron")
    # `lucidtron watch | head` ends as any other filter's source does.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A label that the terminal's encoding lacks is no reason to show nothing.
        sys.stdout.reconfigure(errors="backslashreplace")
    parser = _parser()
    words = sys.argv[1:] if argv is None else argv
    _check_text(parser, words)
    args = parser.parse_args(words)
    verb: Verb = args.verb
    try:
        with connect_to_daemon(socket=args.socket, state=args.state_dir) as connection:
            return verb(connection, args)
    except Unreachable as exc:
        return complain(str(exc), UNREACHABLE)
    except RpcFailure as exc:
        return complain(
            show.failure(exc), IN_FLIGHT if exc.code == IN_DOUBT else FAILED
        )
    except (ValueError, OSError) as exc:
        return complain(str(exc), USAGE)
    except KeyboardInterrupt:
        return complain("interrupted", INTERRUPTED)


def _check_text(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """Refuse arguments whose bytes are no text: nothing can be made of them."""
    for number, word in enumerate(words, 1):
        try:
            word.encode()
        except UnicodeEncodeError:
            parser.error(
                f"argument {number}: expected text in UTF-8, got the bytes"
                f" {os.fsencode(word)!r}"
            )


def _status(connection: Connection, args: argparse.Namespace) -> int:
    result = {
        "daemon": connection.call("daemon.info"),
        "network": connection.call("network.status"),
        "keystore": connection.call("keystore.status"),
        "health": connection.call("daemon.health"),
    }
    print_result(args, result, show.status)
    return DONE


def _init(connection: Connection, args: argparse.Namespace) -> int:
    if connection.call("keystore.status")["exists"]:
        return complain("a keystore exists already; unlock opens it", FAILED)
    phrase = read_passphrase(
        file=args.passphrase_file, fd=args.passphrase_fd, confirm=True
    )
    print_result(
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
    print_result(args, connection.call("keystore.unlock", params), lambda _: "unlocked")
    paying.show_waiting(connection)
    return DONE


def _lock(connection: Connection, args: argparse.Namespace) -> int:
    print_result(args, connection.call("keystore.lock"), lambda _: "locked")
    return DONE


def _wallet_create(connection: Connection, args: argparse.Namespace) -> int:
    if args.count == 1:
        params = {"label": args.label} if args.label else {}
        wallet = connection.call("wallet.create", params)
        print_result(args, wallet, show.wallet)
        return DONE
    batch: dict[str, Any] = {"count": args.count}
    if args.label:
        batch["prefix"] = args.label
    print_result(args, connection.call("wallet.batch_create", batch), show.wallets)
    return DONE


def _wallet_list(connection: Connection, args: argparse.Namespace) -> int:
    print_result(
        args, connection.call("wallet.list", {"limit": args.limit}), show.wallets
    )
    return DONE


def _wallet_show(connection: Connection, args: argparse.Namespace) -> int:
    print_result(
        args, connection.call("wallet.balance", {"wallet": args.wallet}), show.balance
    )
    return DONE


def _pending(connection: Connection, args: argparse.Namespace) -> int:
    result = connection.call("tx.pending", {"limit": args.limit})
    assets = assets_of(connection)
    print_result(args, result, lambda page: show.pending(page, assets))
    return DONE


def _receipt(connection: Connection, args: argparse.Namespace) -> int:
    result = connection.call("tx.receipt", {"txid": args.txid})
    assets = assets_of(connection)
    print_result(args, result, lambda receipt: show.receipt(receipt, assets))
    return DONE


def _history(connection: Connection, args: argparse.Namespace) -> int:
    if args.address.startswith("T"):
        method, params = "history.list", {"address": args.address}
    else:
        method, params = "wallet.history", {"wallet": args.address}
    result = connection.call(method, {**params, "limit": args.limit})
    assets = assets_of(connection)
    print_result(args, result, lambda page: show.history(page, assets))
    return DONE


def _token_list(connection: Connection, args: argparse.Namespace) -> int:
    print_result(args, connection.call("token.list"), show.tokens)
    return DONE


def _token_info(connection: Connection, args: argparse.Namespace) -> int:
    print_result(args, connection.call("token.info", {"token": args.token}), show.token)
    return DONE


def _token_balance(connection: Connection, args: argparse.Namespace) -> int:
    asked = {"token": args.token, "address": args.address}
    result = connection.call("token.balance", asked)
    assets = assets_of(connection)
    print_result(args, result, lambda balance: show.token_balance(balance, assets))
    return DONE


def _watch(connection: Connection, args: argparse.Namespace) -> int:
    params: dict[str, Any] = {"topics": args.topics or ["transfer", "transaction"]}
    if args.since is not None:
        params["since"] = args.since
    connection.call("events.subscribe", params)
    assets = assets_of(connection)
    for message in connection.notifications():
        body = message.get("params", {})
        shown = (
            json.dumps(body) if args.json else printable(show.event(message, assets))
        )
        print(shown, flush=True)
    return complain("the daemon closed the connection", UNREACHABLE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lucidtron", description="Talk to a running lucidtrond."
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--socket", metavar="P", help="the daemon at this socket")
    which.add_argument(
        "--state-dir", metavar="D", help="the daemon of this state directory, or none"
    )
    parser.add_argument("--json", action="store_true", help="print results as JSON")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    _add_daemon(verbs)
    _add_payment_commands(verbs)
    _add_read_commands(verbs)
    return parser


def _add(parent: Any, name: str, run: Verb, text: str) -> Any:
    sub = parent.add_parser(name, help=text, description=text)
    sub.set_defaults(verb=run)
    return sub


def _add_daemon(verbs: Any) -> None:
    any_method = _add(
        verbs, "call", call, "call any method: call address.validate address=T…"
    )
    any_method.add_argument("method")
    any_method.add_argument(
        "params",
        nargs="*",
        metavar="key=value",
        help="values as the method declares them: digits of amounts stay a string",
    )
    any_method.add_argument("--yes", action="store_true", help="do not ask")

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


def _add_payment_commands(verbs: Any) -> None:
    wallet = verbs.add_parser("wallet", help="make, list and show wallets")
    wallets = wallet.add_subparsers(required=True, metavar="WHAT")
    create = _add(wallets, "create", _wallet_create, "make one wallet or --count many")
    create.add_argument("--label", help="a name for you; a prefix with --count")
    create.add_argument("--count", type=int, default=1)
    listing = _add(wallets, "list", _wallet_list, "list wallets")
    listing.add_argument("--limit", type=int, default=100)
    one = _add(wallets, "balance", _wallet_show, "balance of a wallet")
    one.add_argument("wallet")

    fund = _add(verbs, "fund", paying.fund, "get test money (devnet only)")
    fund.add_argument("address", metavar="ADDRESS|WALLET")
    fund.add_argument("amount", nargs="+", help="like 100 TRX")

    send = _add(verbs, "send", paying.send, "pay TRX or a known token")
    send.add_argument("source", metavar="FROM", help="a wallet id or address of ours")
    send.add_argument("to", metavar="TO")
    send.add_argument("amount", nargs="+", help="like 1.5 TRX or 2 USDT")
    send.add_argument("--key", help="idempotency key: repeat it, never pay twice")
    send.add_argument("--memo")
    send.add_argument("--yes", action="store_true", help="do not ask")
    send.add_argument(
        "--allow-look-alike",
        action="store_true",
        help="the recipient is meant, though it looks like another that was paid",
    )
    send.add_argument(
        "--allow-zero-address",
        action="store_true",
        help="pay the zero address, where money is lost",
    )
    send.add_argument("--check", action="store_true", help="only try, send nothing")
    send.add_argument(
        "--wait", choices=["none", "included", "solidified"], default="solidified"
    )
    for sub in (fund, send):
        sub.add_argument(
            "--allow-unchecked-recipient",
            action="store_true",
            help="the recipient is meant, though written in hex, without a checksum",
        )


def _add_read_commands(verbs: Any) -> None:
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
    retry = _add(
        verbs, "retry", paying.retry, "send a payment again; it can't pay twice"
    )
    retry.add_argument("txid")
    retry.add_argument(
        "--pay-again",
        action="store_true",
        help="also when it failed in its block, where it has cost its fee",
    )
    retry.add_argument("--yes", action="store_true", help="do not ask")
    retry.add_argument(
        "--check", action="store_true", help="only say what would be done"
    )
    _add(verbs, "queued", paying.queued, "payments that wait for approval, with totals")
    approval = _add(
        verbs, "approve", paying.approve, "let what waits for approval be paid"
    )
    approval.add_argument("payment_ids", nargs="*", metavar="PAYMENT_ID")
    approval.add_argument("--yes", action="store_true", help="do not ask")
    foreign = _add(
        verbs, "foreign", paying.foreign, "transactions that the journal does not know"
    )
    foreign.add_argument("address", nargs="?", help="of one wallet")
    foreign.add_argument("--all", action="store_true", help="explained ones, too")
    foreign.add_argument("--limit", type=int, default=20)
    acknowledgement = _add(
        verbs, "acknowledge", paying.acknowledge, "foreign transactions are meant"
    )
    acknowledgement.add_argument("txids", nargs="*", metavar="TXID")
    acknowledgement.add_argument(
        "--restore",
        action="store_true",
        help="the database is no old copy, or lacks no payment: pay again",
    )
    acknowledgement.add_argument("--yes", action="store_true", help="do not ask")
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
