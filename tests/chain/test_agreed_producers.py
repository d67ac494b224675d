"""The set of producers that endpoints of two operators agree on, if configured."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.chain.branch_node import BranchNode, Following, following
from tests.chain.forging import PRODUCERS, honest, node
from tests.chain.model import producer_key

ACTIVE = [each.address.hex for each in PRODUCERS]


def endpoint(active: Sequence[str] = ACTIVE, *, head: int = 20) -> BranchNode:
    shown = node(honest(), head=head, solid=head - 3)
    shown.active = active
    return shown


def members(made: Following) -> set[str]:
    finality = made.follower._tracker.finality
    return set() if finality is None else {each.hex for each in finality.members}


async def test_two_that_agree_are_asked_once_and_then_signatures_count(
    tmp_path: Path,
) -> None:
    shown = [endpoint(), endpoint()]
    path = tmp_path / "db.sqlite"
    async with following(*shown, asks_producers=True, path=path) as made:
        await made.turn(3)
        assert made.head == 20
        assert made.ledger.position().finality.basis == "signatures"
        assert members(made) == set(ACTIVE)
        rows = await made.store.read(
            lambda tx: tx.execute("SELECT DISTINCT origin, producers FROM producer_set")
        )
        assert rows == [("endpoints", 5)]
    async with following(*shown, asks_producers=True, path=path) as made:
        await made.turn(2)
        assert members(made) == set(ACTIVE)
    assert [each.count("wallet/listwitnesses") for each in shown] == [1, 1]


@pytest.mark.parametrize(
    ("actives", "reason"),
    [
        ([ACTIVE], "of 2 operators have to name the producers (node0)"),
        ([ACTIVE, ACTIVE[:4]], "name different producers or keys (node0, node1)"),
        ([ACTIVE, ACTIVE, ACTIVE[:4]], "name different producers or keys"),
        ([ACTIVE, ()], "of 2 operators have to name the producers (node0)"),
        ([(), ()], "of 2 operators have to name the producers (none)"),
    ],
)
async def test_nothing_is_taken_before_they_agree(
    actives: list[Sequence[str]], reason: str
) -> None:
    shown = [endpoint(active) for active in actives]
    async with following(*shown, asks_producers=True) as made:
        await made.turn(2)
        position = made.ledger.position()
        assert position.head is None
        assert position.not_synced_reason is not None
        assert reason in position.not_synced_reason


async def test_another_key_of_a_producer_is_no_agreement() -> None:
    shown = [endpoint(), endpoint()]
    permission = {
        "type": "Witness",
        "id": 1,
        "permission_name": "witness",
        "threshold": 1,
        "keys": [{"address": producer_key(77).address.hex, "weight": 1}],
    }
    shown[1].account = lambda address, _: {
        "address": address,
        "witness_permission": permission,
    }
    async with following(*shown, asks_producers=True) as made:
        await made.turn()
        assert "different producers or keys" in str(
            made.ledger.position().not_synced_reason
        )


async def test_an_older_database_gets_the_set_that_is_agreed_on(
    tmp_path: Path,
) -> None:
    shown = [endpoint(), endpoint()]
    path = tmp_path / "db.sqlite"
    async with following(*shown, path=path) as made:
        await made.turn(2)
        assert made.ledger.position().finality.basis == "nodes"
    for each in shown:
        each.head, each.solid = 30, 27
    async with following(*shown, asks_producers=True, path=path) as made:
        await made.turn()
        assert made.head == 30
        assert made.ledger.position().finality.basis == "signatures"
