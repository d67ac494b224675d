"""`lucidtrond devnet`: the embedded chain alone, for other programs' tests.

Imported by the command line for its flags, so the chain itself is imported late.
"""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `lucidtrond devnet`."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument(
        "--port", type=int, default=8090, metavar="N", help="0 for any free one"
    )
    parser.add_argument(
        "--block-time", type=float, default=3.0, metavar="S", help="0 for no clock"
    )
    parser.add_argument(
        "--witnesses", type=int, default=27, metavar="N", help="1 to 27"
    )
    parser.add_argument(
        "--state-dir", type=Path, metavar="D", help="keep the chain here"
    )
    parser.add_argument(
        "--genesis", type=Path, metavar="F", help="a chain's definition in JSON"
    )


def run_standalone(args: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM; gives the exit status."""
    import trio  # noqa: PLC0415 - see above

    from lucidtrond.devnet.foreground import serve  # noqa: PLC0415 - see above

    return trio.run(serve, args)
