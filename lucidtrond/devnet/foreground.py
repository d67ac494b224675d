"""The standalone chain in the foreground: says where it is, ends on a signal."""

import argparse
import signal
import sys
import time

import trio

from lucidtrond.devnet.server import Devnet, DevnetConfig, open_devnet
from lucidtrond.devnet.state.default_chain import TEST_MNEMONIC
from lucidtrond.devnet.state.genesis import Genesis, parse_genesis
from lucidtrond.devnet.state.genesis_file import BadGenesis
from lucidtrond.errors import OperatorError
from lucidtrond.tron.units import Sun, format_trx


class _WallClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


async def serve(args: argparse.Namespace) -> int:
    """Open the chain that *args* describe and keep it until a signal comes."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        try:
            config = DevnetConfig(
                block_time_s=args.block_time,
                witnesses=args.witnesses,
                state_dir=args.state_dir,
                host=args.listen[0],
                port=args.listen[1],
                solidity=args.listen_solidity,
                jsonrpc=args.listen_jsonrpc,
                grpc=args.listen_grpc,
                replicas=args.replicas,
                control=args.control,
                genesis=_read_genesis(args),
                fake_token=args.fake_token,
                behind_s=args.behind,
                tokens=args.tokens,
            )
            async with open_devnet(config, clock=_WallClock()) as devnet:
                _greet(devnet)
                async for _ in signals:
                    break
        except OperatorError as error:
            sys.stderr.write(f"lucidtrond devnet: {error}\n")
            return 1
    return 0


def _read_genesis(args: argparse.Namespace) -> Genesis | None:
    if args.genesis is None:
        return None
    try:
        return parse_genesis(args.genesis.read_bytes())
    except (OSError, BadGenesis) as error:
        raise OperatorError(f"{args.genesis}: {error}") from None


def _greet(devnet: Devnet) -> None:
    info = devnet.info()
    lines = [
        f"URL      {info['url']}",
        *([f"solid    {devnet.solidity_url}"] if devnet.config.solidity else []),
        *([f"jsonrpc  {devnet.jsonrpc_url}"] if devnet.config.jsonrpc else []),
        *([f"gRPC     {devnet.grpc_url}"] if devnet.grpc_url else []),
        *(f"replica  {url}" for url in info["replicas"]),
        f"genesis  {info['genesis_id']}",
        *(
            f"token    {row['address']}  {row['symbol']:<8} {row['about']}".rstrip()
            for row in info["tokens"]
        ),
        *(f"fake     {token['address']}" for token in info["fake_tokens"]),
        "Test accounts (their keys are public: never send real money there)",
    ]
    for account in info["accounts"]:
        trx = format_trx(Sun(int(account["balance_sun"])))
        name, address = account["name"], account["address"]
        lines.append(f"  {name:<9} {address}  {account['private_key']}  {trx} TRX")
    if devnet.config.genesis is None:
        lines.append(f"  account0 to 9 are m/44'/195'/0'/0/n of: {TEST_MNEMONIC}")
    sys.stdout.write("\n".join([*lines, ""]))
    sys.stdout.flush()
