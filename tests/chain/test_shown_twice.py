"""A transaction that two blocks of ours show: one of them lies, and it counts once.

No block that the network accepts repeats a transaction (Manager.validateDup), but one
whose root is not proven shows whatever its endpoint likes.
"""

import attrs
import pytest

from tests.chain.model import ModelChain, address, emitted, transfer
from tests.chain.world import World, world

PAYMENT = transfer(owner=address(9), to=address(1), amount=5)
OTHER = transfer(owner=address(9), to=address(1), amount=7, nonce=1)


def spoil(chain: ModelChain) -> None:
    chain.blocks[-1] = attrs.evolve(chain.blocks[-1], root_proven=False)


async def rows(made: World) -> list[tuple[int, str, str]]:
    entries, _, _ = await made.ledger.entries()
    return sorted((entry.block_number, entry.amount, entry.proof) for entry in entries)


async def settled(made: World, chain: ModelChain, *, final: bool) -> None:
    if final:
        chain.solidify(chain.head)
    await made.settle()


@pytest.mark.parametrize("final", [False, True])
@pytest.mark.parametrize("first_proven", [False, True])
async def test_an_unproven_block_that_repeats_one_adds_only_what_is_new(
    *, first_proven: bool, final: bool
) -> None:
    chain = ModelChain()
    async with world(chain) as made:
        await made.settle()
        chain.grow(PAYMENT)
        if not first_proven:
            spoil(chain)
        await settled(made, chain, final=final)
        chain.grow(PAYMENT, OTHER)
        spoil(chain)
        await settled(made, chain, final=final)
        chain.grow()
        await settled(made, chain, final=True)
        proof = "signatures" if first_proven else "one_source"
        assert await rows(made) == [(1, "5", proof), (2, "7", "one_source")]


@pytest.mark.parametrize("final", [False, True])
async def test_a_proven_block_takes_the_place_of_an_unproven_one(
    *, final: bool
) -> None:
    chain = ModelChain()
    async with world(chain) as made:
        await made.settle()
        chain.grow(PAYMENT, OTHER)
        spoil(chain)
        await settled(made, chain, final=final)
        chain.grow(PAYMENT)
        await settled(made, chain, final=True)
        assert await rows(made) == [(1, "7", "one_source"), (2, "5", "signatures")]
        transfers = await made.store.read(lambda tx: emitted(tx, "transfer"))
        of_it = [
            (transfer["change"], transfer["entry"]["block_number"])
            for transfer in transfers
            if transfer["entry"]["txid"] == PAYMENT.txid
        ]
        seen_final = [("solidified", 1)] if final else []
        assert of_it == [
            ("included", 1),
            *seen_final,
            ("reverted", 1),
            ("included", 2),
            ("solidified", 2),
        ]


async def test_both_blocks_may_come_in_one_step_and_a_fork_takes_them_back() -> None:
    chain = ModelChain()
    async with world(chain) as made:
        await made.settle()
        chain.grow(PAYMENT)
        spoil(chain)
        chain.grow(PAYMENT)
        await made.settle()
        assert await rows(made) == [(2, "5", "signatures")]
        chain.fork(2)
        chain.grow_by(2, salt=5)
        chain.grow(PAYMENT)
        await made.settle()
        assert await rows(made) == [(3, "5", "signatures")]
