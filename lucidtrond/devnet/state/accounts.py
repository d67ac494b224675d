"""Accounts as all kinds of contracts look at them."""

from google.protobuf.message import Message

from lucidtrond.devnet.state.account import Account
from lucidtrond.devnet.state.candidate import CandidateOf
from lucidtrond.devnet.state.invariants import present
from lucidtrond.devnet.state.world import World
from lucidtrond.tron.address import PREFIX, SIZE
from lucidtrond.tron.units import UnixMillis


def is_address(raw: bytes) -> bool:
    """DecodeUtil.addressValid."""
    return len(raw) == SIZE and raw[0] == PREFIX


def new_account(world: World, address: bytes) -> Account:
    """An account as a transaction makes it: dated by the head block."""
    return Account(address, born=True, created_ms=UnixMillis(world.globals.timestamp))


def owner_of(world: World, candidate: CandidateOf[Message]) -> Account:
    """The owner, whom earlier checks saw."""
    return present(world.accounts.get(candidate.owner))
