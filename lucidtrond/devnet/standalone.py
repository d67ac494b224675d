"""`lucidtrond devnet`: the embedded chain alone, for other programs' tests.

Imported by the command line for its flags, so the chain itself is imported late.
"""

import argparse
from pathlib import Path

from lucidtrond.api.devnet import VERBS
from lucidtrond.devnet.state.token_sorts import describe_sorts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `lucidtrond devnet`."""
    parser.add_argument(
        "--listen",
        type=_address,
        default=("127.0.0.1", 8090),
        metavar="H:P",
        help="default 127.0.0.1:8090; port 0 for any free one",
    )
    parser.add_argument(
        "--listen-solidity",
        type=_address,
        metavar="H:P",
        help="/walletsolidity on a port of its own, as a node has it",
    )
    parser.add_argument(
        "--listen-jsonrpc",
        type=_address,
        metavar="H:P",
        help="/jsonrpc (Ethereum's methods) on a port of its own",
    )
    parser.add_argument(
        "--listen-grpc",
        type=_address,
        metavar="H:P",
        help="gRPC (Wallet and WalletSolidity: blocks, transactions, receipts), which"
        " is served only with this",
    )
    parser.add_argument(
        "--block-time", type=float, default=3.0, metavar="S", help="0 for no clock"
    )
    parser.add_argument(
        "--behind",
        type=int,
        metavar="S",
        help="how far behind the clock a new chain begins, in seconds; kept with the"
        " chain. Default 0 with a block time of 3 s or more, else 79200 to 83100 (22 to"
        " 23 hours), as each block counts 3 s: a faster chain reaches the clock after"
        " S / (3 / BLOCK_TIME - 1) real seconds and then runs ahead of it",
    )
    parser.add_argument(
        "--witnesses", type=int, default=27, metavar="N", help="1 to 27"
    )
    parser.add_argument(
        "--state-dir", type=Path, metavar="D", help="keep the chain here"
    )
    parser.add_argument(
        "--replicas",
        type=int,
        default=0,
        metavar="N",
        help="so many further ports of the same chain, for faults of their own",
    )
    parser.add_argument(
        "--control",
        action="store_true",
        help=f"let anybody who reaches it POST /devnet/VERB: {', '.join(VERBS)}"
        " (see the README)",
    )
    parser.add_argument(
        "--fake-token",
        action="store_true",
        help="deploy another token with the name and symbol of the first",
    )
    parser.add_argument(
        "--tokens",
        type=lambda text: tuple(text.split(",")),
        default=(),
        metavar="all|NAME,…",
        help="deploy tokens of odd sorts, too (see below)",
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"tokens, to be had with fund:\n{describe_sorts()}"
    parser.add_argument(
        "--genesis", type=Path, metavar="F", help="a chain's definition in JSON"
    )


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"expected HOST:PORT, got {text!r}")
    return host, int(port)


def run_standalone(args: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM; gives the exit status."""
    import trio  # noqa: PLC0415 - see above

    from lucidtrond.devnet.foreground import serve  # noqa: PLC0415 - see above

    return trio.run(serve, args)
