"""A start on what may be an old copy pays nothing new until nothing lost can land."""

from pathlib import Path

import pytest
from attrs import evolve

from lucidtrond.errors import InvalidInput, PossibleRestore
from lucidtrond.sending.restore import STALE_MS, RestoreTerms, Start
from lucidtrond.store.database import open_store
from lucidtrond.tron.block import BlockHeader
from lucidtrond.tron.units import UnixMillis
from tests.chain.model import CrashingStore, emitted
from tests.sending.model import PayingChain, Process, must_find, pay, process

HEAD = UnixMillis(1_700_000_000_000)
KNOWN = Start(
    identity="file",
    known_as="file",
    newest_block=HEAD,
    has_keystore=True,
    longest_lifetime_ms=0,
)


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (KNOWN, None),
        (evolve(KNOWN, newest_block=UnixMillis(HEAD - STALE_MS)), None),
        (evolve(KNOWN, newest_block=UnixMillis(HEAD - STALE_MS - 1)), "60 s older"),
        (evolve(KNOWN, newest_block=UnixMillis(HEAD + STALE_MS)), None),
        (evolve(KNOWN, known_as="other"), "another file"),
        (evolve(KNOWN, known_as=None), "no start"),
        (evolve(KNOWN, newest_block=None), "no block"),
        # Made by this start, or nothing can have been signed.
        (evolve(KNOWN, known_as=None, newest_block=None), None),
        (evolve(KNOWN, known_as="other", has_keystore=False), None),
    ],
)
def test_what_a_start_finds_decides(start: Start, reason: str | None) -> None:
    hold = start.hold(HEAD, wait_ms=600_000)
    if reason is None:
        assert hold is None
    else:
        assert hold is not None
        assert reason in hold.reason
        assert hold.until == HEAD + 600_000


def test_on_a_fast_chain_more_of_its_time_may_have_passed() -> None:
    start = evolve(KNOWN, newest_block=UnixMillis(HEAD - 10 * STALE_MS))
    assert start.hold(HEAD, wait_ms=1, stale_ms=10 * STALE_MS) is None
    assert (
        start.hold(UnixMillis(HEAD + 1), wait_ms=1, stale_ms=10 * STALE_MS) is not None
    )


def test_on_another_file_it_lasts_as_long_as_the_longest_lifetime_on_record() -> None:
    start = evolve(KNOWN, known_as="other", longest_lifetime_ms=86_000_000)
    hold = start.hold(HEAD, wait_ms=600_000)
    assert hold is not None
    assert hold.until == HEAD + 86_000_000
    long_stopped = evolve(start, known_as="file", newest_block=UnixMillis(0))
    hold = long_stopped.hold(HEAD, wait_ms=600_000)
    assert hold is not None
    assert hold.until == HEAD + 600_000


async def test_where_lifetimes_are_not_bounded_a_longer_one_is_taken() -> None:
    terms = RestoreTerms(wait_ms=60_000, bounds_lifetimes=False)
    async with process(restore=terms) as made:
        paid = await pay(made, lifetime_ms=3_600_000)
        assert paid.in_flight_until_ms is not None
        assert paid.in_flight_until_ms > made.head_time() + 3_590_000


async def restart(
    made: Process, identity: str = "", *, broadcasts: str = "take"
) -> None:
    made.restore = evolve(made.restore, identity=identity)
    await made.start()
    made.chain.reply = lambda _: broadcasts
    await made.level()
    await made.turn()


async def changes(made: Process) -> list[str]:
    events = await made.store.read(lambda tx: emitted(tx, "restore"))
    return [event["change"] for event in events]


async def test_a_quick_restart_holds_nothing_back() -> None:
    async with process() as made:
        await pay(made)
        for _ in range(20):
            made.chain.mine()
        await restart(made)
        await pay(made, "b")
        assert await changes(made) == []


async def test_after_a_long_stop_new_payments_wait_for_a_final_block_past_it() -> None:
    async with process(restore=RestoreTerms(wait_ms=120_000)) as made:
        await pay(made)
        for _ in range(30):
            made.chain.grow()
        begun = made.head_time()
        await restart(made)
        hold = made.sender.hold
        assert hold is not None
        assert hold.until == begun + 120_000
        for check in (True, False):
            with pytest.raises(PossibleRestore) as caught:
                await pay(made, "b", check=check)
        assert caught.value.data["held_until_ms"] == hold.until
        # What is journaled is found and sent; the same bytes can't pay twice.
        assert (await pay(made)).state == "pending"
        await made.mine(3)
        assert (await must_find(made)).state == "included"
        while made.sender.hold is not None:
            solid = made.ledger.position().solid
            assert solid is not None
            assert solid.timestamp <= hold.until
            await made.mine()
            await made.turn()
        solid = made.ledger.position().solid
        assert solid is not None
        assert solid.timestamp > hold.until
        await pay(made, "b")
        assert await changes(made) == ["held", "released"]


async def test_another_file_or_machine_holds_back_however_new_its_blocks_are() -> None:
    async with process() as made:
        await pay(made)
        await restart(made, "another")
        assert made.sender.hold is not None
        with pytest.raises(PossibleRestore):
            await pay(made, "b")


async def test_a_hold_outlives_a_restart() -> None:
    async with process() as made:
        await restart(made, "another")
        hold = made.sender.hold
        assert hold is not None
        await made.mine(2)
        await restart(made, "another")
        assert made.sender.hold == hold
        with pytest.raises(PossibleRestore):
            await pay(made, "b")


async def test_who_knows_better_ends_it() -> None:
    async with process() as made:
        assert not await made.sender.acknowledge_restore()
        await restart(made, "another")
        assert await made.sender.acknowledge_restore()
        await pay(made, "b")
        await restart(made, "another")
        await pay(made, "c")
        assert await changes(made) == ["held", "acknowledged"]


async def test_who_says_so_before_the_head_is_found_is_held_back_by_nothing() -> None:
    async with process() as made:
        await pay(made)
        made.restore = evolve(made.restore, identity="another")
        await made.start()
        assert not await made.sender.acknowledge_restore()
        await made.level()
        await pay(made, "b")
        assert made.sender.hold is None


async def test_next_attempts_wait_as_well() -> None:
    async with process(restore=RestoreTerms(wait_ms=240_000)) as made:
        made.chain.reply = lambda _: "drop"
        await pay(made, attempts=3, lifetime_ms=30_000)
        await restart(made, "another", broadcasts="drop")
        await made.mine(50)
        dead = await must_find(made)
        assert (dead.state, dead.attempts_left) == ("expired", 2)
        assert made.sender.hold is not None
        made.chain.reply = lambda _: "take"
        await made.mine(75)
        assert made.sender.hold is None
        paid = await must_find(made)
        assert (paid.attempt, paid.state) == (2, "solidified")


@pytest.mark.parametrize("check", [False, True])
async def test_what_could_land_after_the_wait_is_refused(*, check: bool) -> None:
    async with process(restore=RestoreTerms(wait_ms=60_000)) as made:
        with pytest.raises(InvalidInput) as caught:
            await pay(made, lifetime_ms=60_001, check=check)
        for words in ("expires_s", "restore_wait_s, 60,", "60.001", "able to land"):
            assert words in caught.value.message
        assert await made.sender.payments() == ([], None)
        paid = await pay(made, lifetime_ms=60_000, check=check)
        assert paid.state == ("checked" if check else "pending")


async def test_a_known_key_is_answered_whatever_lifetime_is_asked_for() -> None:
    async with process(restore=RestoreTerms(wait_ms=60_000)) as made:
        paid = await pay(made)
        for check in (True, False):
            again = await pay(made, lifetime_ms=600_000, check=check)
            assert again.txid == paid.txid


async def test_a_lifetime_that_is_not_said_is_no_longer_than_the_wait() -> None:
    async with process(restore=RestoreTerms(wait_ms=60_000)) as made:
        paid = await pay(made)
        latest = made.head_time() + 60_000
        assert paid.expiration_ms is not None
        assert latest - 1_024 < paid.expiration_ms <= latest


async def test_next_attempts_of_a_longer_lifetime_have_the_wait_for_it() -> None:
    async with process(restore=RestoreTerms(wait_ms=120_000)) as made:
        made.chain.reply = lambda _: "drop"
        await pay(made, attempts=2, lifetime_ms=120_000)
        made.restore = RestoreTerms(wait_ms=60_000)
        await restart(made, broadcasts="drop")
        while (payment := await must_find(made)).attempt == 1:
            await made.mine()
        latest = made.head_time() + 60_000
        assert payment.expiration_ms is not None
        assert latest - 1_024 < payment.expiration_ms <= latest


async def test_a_chain_that_stopped_with_the_daemon_is_no_reason() -> None:
    async with process() as made:
        await pay(made)
        made.restore = RestoreTerms(head_at_start=made.head_time())
        for _ in range(100):
            made.chain.grow()
        await made.start()
        await made.level()
        await made.turn()
        await pay(made, "b")


@pytest.mark.parametrize("ahead_ms", [10**12, -300_000], ids=["far ahead", "behind"])
async def test_what_a_node_says_before_its_blocks_are_read_decides_nothing_for_good(
    ahead_ms: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch_head = PayingChain.fetch_head

    async def fetch_wrong_head(
        chain: PayingChain, *, solid: bool = False
    ) -> BlockHeader:
        header = await fetch_head(chain, solid=solid)
        return evolve(header, timestamp=UnixMillis(header.timestamp + ahead_ms))

    is_old = ahead_ms < 0
    chain = PayingChain()
    terms = RestoreTerms(identity="one")
    path = tmp_path / "db"
    async with process(path, chain=chain, restore=terms) as made:
        await made.mine(2)
    if is_old:
        chain.grow_by(100)
    async with open_store(path) as store:
        made = Process(CrashingStore(store), chain, restore=terms)
        await made.start()
        with monkeypatch.context() as patch:
            patch.setattr(PayingChain, "fetch_head", fetch_wrong_head)
            try:
                await pay(made, "asked before")
            except PossibleRestore:
                assert not is_old
        await made.mine(2)
        assert (made.sender.hold is not None) == is_old


async def test_who_knows_better_ends_what_a_node_says_too(tmp_path: Path) -> None:
    chain = PayingChain()
    terms = RestoreTerms(identity="one")
    path = tmp_path / "db"
    async with process(path, chain=chain, restore=terms) as made:
        await made.mine(2)
    chain.grow_by(100)
    async with open_store(path) as store:
        made = Process(CrashingStore(store), chain, restore=terms)
        await made.start()
        with pytest.raises(PossibleRestore):
            await pay(made)
        await made.sender.acknowledge_restore()
        await pay(made)
        await made.mine(2)
        assert made.sender.hold is None
