"""``lucidtrond``: the daemon, the demo, the embedded chain, the operator's checks.

Exit codes: 0 done, 1 failed (the last log line or standard error says why), 2 usage.
"""

import argparse
import gc
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lucidtrond.cli.interpreter import refuse_optimized
from lucidtrond.errors import OperatorError

Command = Callable[[argparse.Namespace], int]


def main(argv: list[str] | None = None) -> int:
    """Run one command; gives the exit code."""
    refuse_optimized("lucidtrond")
    args = _parser().parse_args(argv)
    command: Command = args.command
    try:
        return command(args)
    except OperatorError as exc:
        print(f"lucidtrond: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 1


def _config(args: argparse.Namespace) -> Any:
    from lucidtrond.daemon.config import load_config  # noqa: PLC0415 - demo needs none

    return load_config(
        file=Path(args.config) if args.config else None,
        environ=os.environ,
        flags={
            "network": {
                "name": args.network,
                "block_time_s": args.block_time,
                "witnesses": args.witnesses,
            },
            "log": {"level": args.log_level},
        },
    )


def _run(args: argparse.Namespace) -> int:
    # Looking for garbage among what stays for ever is a tenth of the time of importing.
    gc.disable()
    from lucidtrond.daemon.main import RunOptions, run  # noqa: PLC0415 - see _config
    from lucidtrond.daemon.paths import socket_paths, state_dir  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    config = _config(args)
    state = state_dir(args.state_dir)
    return run(
        config,
        RunOptions(
            state_dir=state,
            sockets=tuple(socket_paths(args.socket or config.rpc.socket, state)),
            passphrase_file=Path(args.passphrase_file)
            if args.passphrase_file
            else None,
            passphrase_fd=args.passphrase_fd,
        ),
    )


def _check_config(args: argparse.Namespace) -> int:
    from lucidtrond.daemon.main import check  # noqa: PLC0415 - see _config

    print(check(_config(args)))
    return 0


def _plugins(_args: argparse.Namespace) -> int:
    from lucidtrond.pluginhost import installed  # noqa: PLC0415 - see _config

    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # never in a process that serves
    for point in installed():
        origin = point.dist.name if point.dist is not None else "?"
        print(f"{point.name:<14} {point.value:<34} from {origin}")
    return 0


def _demo(args: argparse.Namespace) -> int:
    from lucidtrond.cli.demo import demo  # noqa: PLC0415 - see _config

    return demo(keep=args.keep)


def _devnet(args: argparse.Namespace) -> int:
    from lucidtrond.devnet.standalone import run_standalone  # noqa: PLC0415

    return run_standalone(args)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lucidtrond", description="A TRON gateway daemon."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="the daemon")
    run.set_defaults(command=_run)
    check = commands.add_parser(
        "check-config", help="say what is wrong, change nothing"
    )
    check.set_defaults(command=_check_config)
    for command in (run, check):
        command.add_argument(
            "--config", metavar="F", help="instead of /etc/lucidtrond/…"
        )
        command.add_argument(
            "--network", choices=["devnet", "nile", "shasta", "mainnet", "private"]
        )
        command.add_argument(
            "--block-time", type=float, metavar="S", help="devnet only"
        )
        command.add_argument("--witnesses", type=int, metavar="N", help="devnet only")
        command.add_argument(
            "--log-level", choices=["debug", "info", "warning", "error"]
        )
    run.add_argument("--state-dir", metavar="D")
    run.add_argument("--socket", metavar="P")
    run.add_argument("--passphrase-file", metavar="F", help="unlock at start")
    run.add_argument("--passphrase-fd", type=int, metavar="N", help="unlock at start")

    demo = commands.add_parser("demo", help="one verified payment, offline")
    demo.set_defaults(command=_demo)
    demo.add_argument("--keep", metavar="D", help="leave state and log in directory D")

    devnet = commands.add_parser("devnet", help="the embedded TRON chain alone")
    devnet.set_defaults(command=_devnet)
    from lucidtrond.devnet.standalone import add_arguments  # noqa: PLC0415

    add_arguments(devnet)

    plugins = commands.add_parser("plugins", help="what is installed")
    plugins.set_defaults(command=_plugins)
    return parser


if __name__ == "__main__":
    sys.exit(main())
