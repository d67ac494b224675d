"""Rewards of block producers and of who votes for them (MortgageService).

What a block pays is the same through a maintenance cycle, so nothing is written block
by block: the running cycle's pay follows from the blocks that it had. When it ends, the
producers' own part goes to their allowance; the voters' part raises an index, sun per
vote, from which each voter's share follows whenever it is settled. Two shares are
computed with doubles and cut, because java does: other arithmetic gives other sun.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from lucidtrond.devnet.state.account import Account, Witness
from lucidtrond.devnet.state.genesis import Genesis
from lucidtrond.devnet.state.invariants import present
from lucidtrond.devnet.state.world import World
from lucidtrond.tron.units import Sun

DEFAULT_BROKERAGE: Final = 20
"""Percent (DelegationStore.DEFAULT_BROKERAGE)."""
INDEX_SCALE: Final = 10**18  # DelegationStore.DECIMAL_OF_VI_REWARD
STANDBY_WITNESSES: Final = 127  # ChainConstant.WITNESS_STANDBY_LENGTH


class Pay(Struct, frozen=True):
    """Of one producer in the running cycle, so far."""

    own: Sun
    voters: Sun


def running_pay(world: World, genesis: Genesis) -> dict[bytes, Pay]:
    """By producer; the percentage is rounded down at each payment, as java does."""
    properties, parameters = world.globals, genesis.parameters
    ranked = sorted(world.witnesses.values(), key=lambda witness: -witness.votes)
    standby = {witness.address for witness in ranked[:STANDBY_WITNESSES]}
    votes = sum(witness.votes for witness in ranked[:STANDBY_WITNESSES])
    blocks = properties.number - properties.cycle_start
    pays = {}
    for witness in ranked:
        share = 0
        if votes and witness.address in standby:
            share = int(witness.votes * (parameters.standby_pay / votes))
        produced = witness.produced - witness.cycle_produced
        pays[witness.address] = _split(
            witness, ((parameters.block_pay, produced), (share, blocks))
        )
    return pays


def _split(witness: Witness, payments: tuple[tuple[int, int], ...]) -> Pay:
    own = voters = 0
    for amount, times in payments:
        kept = int(witness.brokerage / 100 * amount)
        own += kept * times
        voters += (amount - kept) * times
    return Pay(Sun(own), Sun(voters))


def maintain(world: World, genesis: Genesis) -> None:
    """End a cycle: book its pay, count votes, take over new percentages."""
    properties = world.globals
    for address, pay in running_pay(world, genesis).items():
        witness = present(world.witnesses.get(address))
        account = present(world.accounts.get(address))
        more = pay.own - witness.cycle_taken
        world.put_account(replace(account, allowance=Sun(account.allowance + more)))
        raised = pay.voters * INDEX_SCALE // witness.votes if witness.votes else 0
        index = _index(world, address, properties.cycle - 1) + raised
        world.put_index(address, properties.cycle, index)
    counted = _count_votes(world)
    for witness in list(world.witnesses.values()):
        world.witnesses.put(
            witness.address,
            replace(
                witness,
                votes=witness.votes + counted.get(witness.address, 0),
                brokerage=witness.next_brokerage,
                cycle_produced=witness.produced,
                cycle_taken=Sun(0),
            ),
        )
    world.globals = replace(
        properties, cycle=properties.cycle + 1, cycle_start=properties.number
    )


def _count_votes(world: World) -> dict[bytes, int]:
    changes: dict[bytes, int] = {}
    for account in list(world.accounts.values()):
        if account.votes == account.counted_votes:
            continue
        for sign, votes in ((1, account.votes), (-1, account.counted_votes)):
            for address, count in votes:
                changes[address] = changes.get(address, 0) + sign * count
        world.put_account(replace(account, counted_votes=account.votes))
    return changes


def owed(world: World, account: Account, genesis: Genesis) -> Sun:
    """What could be withdrawn now: queryReward."""
    return Sun(
        _settled(world, account).allowance + running_own(world, account, genesis)
    )


def settle(world: World, account: Account, genesis: Genesis) -> Account:
    """Move what is owed to the allowance, before votes change (withdrawReward)."""
    own = running_own(world, account, genesis)
    after = _settled(world, account)
    after = replace(after, allowance=Sun(after.allowance + own))
    witness = world.witnesses.get(account.address)
    if witness is not None and own:
        taken = Sun(witness.cycle_taken + own)
        world.witnesses.put(witness.address, replace(witness, cycle_taken=taken))
    world.put_account(after)
    return after


def running_own(world: World, account: Account, genesis: Genesis) -> Sun:
    """A producer's own pay of the running cycle that is not in its allowance yet."""
    witness = world.witnesses.get(account.address)
    if witness is None:
        return Sun(0)
    own = running_pay(world, genesis)[account.address].own
    return Sun(own - witness.cycle_taken)


def _settled(world: World, account: Account) -> Account:
    now, begin = world.globals.cycle, account.begin_cycle
    if begin > now or (begin == now and account.cycle_votes is not None):
        return account
    reward = 0
    if account.cycle_votes is not None:
        reward += _reward(world, account.cycle_votes, begin, begin + 1)
        begin += 1
    if not account.votes:
        after = replace(account, begin_cycle=now + 1, cycle_votes=None)
    else:
        reward += _reward(world, account.votes, begin, now)
        after = replace(account, begin_cycle=now, cycle_votes=account.votes)
    return replace(after, allowance=Sun(after.allowance + reward))


def _reward(
    world: World, votes: tuple[tuple[bytes, int], ...], begin: int, end: int
) -> int:
    """Of *votes* for the cycles from *begin* up to but not *end*."""
    return sum(
        (_index(world, address, end - 1) - _index(world, address, begin - 1))
        * count
        // INDEX_SCALE
        for address, count in votes
        if begin < end
    )


def _index(world: World, address: bytes, cycle: int) -> int:
    return world.index(address, cycle)
