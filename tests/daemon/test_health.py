"""Each kind of problem shows under its name, with what to do, while it holds."""

import errno
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trio
import trio.testing
from attrs import evolve

from lucidtrond.daemon.health import (
    COMPONENTS,
    FAILING_S,
    KINDS,
    NOTICED_EVERY_S,
    SHOWN_FAULTS,
    Conditions,
)
from lucidtrond.sending.journal.fault import RowFault
from lucidtrond.sending.restore import Hold
from lucidtrond.testing.clocks import ManualClock
from lucidtrond.transports.accept import (
    FIRST_BACK_OFF_S,
    LONGEST_BACK_OFF_S,
    Accepting,
    accept_forever,
)
from lucidtrond.transports.unix_listener import open_unix_listener
from lucidtrond.tron.address import ZERO
from lucidtrond.tron.block import ChainPosition, FinalityStatus
from lucidtrond.tron.units import UnixMillis
from tests.sending.model import OWNERS, pay, process

NOW_MS = 1_700_000_000_000
SYNCED = ChainPosition(head=None, solid=None, complete_from=None, synced=True)
WELL: dict[str, Any] = {
    "endpoint": "node0",
    "state": "ok",
    "trouble": None,
    "trouble_s": None,
    "silent_s": 0.0,
    "behind_blocks": 0,
}


def conditions(**more: Any) -> Conditions:
    given: dict[str, Any] = {
        "clock": ManualClock(NOW_MS),
        "position": lambda: SYNCED,
        "endpoints": lambda: [WELL],
        "waiting_for_unlock": lambda: 0,
        "waiting_for_approval": lambda: 0,
        "set_aside": tuple,
        "hold": lambda: None,
        "stopped": dict,
        "unproven_payments": lambda: 0,
        "drifting": lambda: 0,
        "waiting_rows": lambda: 0,
        "socket_is_there": lambda: True,
        "accepting": Accepting(),
        "plugins": lambda: [SimpleNamespace(name="a", state="running", reason=None)],
        **more,
    }
    return Conditions(**given)


def endpoint(**more: Any) -> Any:
    return lambda: [{**WELL, **more}, {**WELL, "endpoint": "node1"}]


def out_of_descriptors() -> Accepting:
    accepting = Accepting()
    accepting.note_failure(OSError(errno.EMFILE, "too many"))
    return accepting


REASON = "endpoint node0 lied: block 146 is not signed by its producer"
CASES: list[tuple[str, str | None, str, dict[str, Any]]] = [
    (
        "not_synced",
        None,
        f"not synced: {REASON}",
        {
            "position": lambda: evolve(
                SYNCED, synced=False, not_synced_reason=REASON, since_ms=7
            )
        },
    ),
    (
        "finality_stalled",
        None,
        "nothing becomes final: 18 of 27 producers",
        {
            "position": lambda: evolve(
                SYNCED,
                finality=FinalityStatus("signatures", 90, "18 of 27 producers"),
            )
        },
    ),
    (
        "endpoint_failing",
        "node0",
        "endpoint node0 has not responded for 12 s; last error: no answer after 5 s",
        {
            "endpoints": endpoint(
                state="failing",
                trouble="node0: no answer after 5 s",
                trouble_s=7.0,
                silent_s=12.0,
            )
        },
    ),
    (
        "endpoint_lied",
        "node0",
        "endpoint node0 lied: block 146 is not signed by its producer",
        {
            "endpoints": endpoint(
                state="lied", trouble="node0: block 146 is not signed by its producer"
            )
        },
    ),
    (
        "endpoint_wrong_network",
        "node0",
        "endpoint node0: wrong network",
        {"endpoints": endpoint(state="wrong network")},
    ),
    (
        "endpoint_budget_spent",
        "node0",
        "endpoint node0: budget spent",
        {"endpoints": endpoint(state="budget spent")},
    ),
    (
        "endpoint_lagging",
        "node0",
        "endpoint node0 is 9 final blocks behind",
        {"endpoints": endpoint(state="lagging", behind_blocks=9)},
    ),
    (
        "keystore_locked",
        None,
        "the keystore is locked and 3 payments wait for it",
        {"waiting_for_unlock": lambda: 3},
    ),
    (
        "payments_unapproved",
        None,
        (
            "2 payments wait for approval: they were not accepted while the keystore"
            " was unlocked"
        ),
        {"waiting_for_approval": lambda: 2},
    ),
    (
        "payment_set_aside",
        "p1",
        "set aside: payment p1, transaction t1: amount: expected 5, stored 800",
        {"set_aside": lambda: (RowFault("p1", "t1", "amount", "5", "800"),)},
    ),
    (
        "possible_restore",
        None,
        (
            "no new payment before a final block is past 77 (chain time in ms), since"
            " the database may be an old copy: another file"
        ),
        {"hold": lambda: Hold(UnixMillis(77), "another file")},
    ),
    (
        "foreign_transaction",
        ZERO.base58,
        f"{ZERO} pays nothing new: the journal does not know 2 of its transactions",
        {"stopped": lambda: {ZERO: 2}},
    ),
    (
        "payments_unproven",
        None,
        "2 payments are in final blocks, and nothing proves that they paid",
        {"unproven_payments": lambda: 2},
    ),
    (
        "balances_drift",
        None,
        "3 balances are not what the ledger says",
        {"drifting": lambda: 3},
    ),
    (
        "rows_unproven",
        None,
        "4 transfers of unproven blocks wait for a second source",
        {"waiting_rows": lambda: 4},
    ),
    (
        "socket_removed",
        None,
        "the socket file was removed or replaced",
        {"socket_is_there": lambda: False},
    ),
    (
        "out_of_descriptors",
        None,
        "no connection can be accepted: EMFILE",
        {"accepting": out_of_descriptors()},
    ),
    (
        "plugin_failed",
        "a",
        "a failed: boom",
        {"plugins": lambda: [SimpleNamespace(name="a", state="failed", reason="boom")]},
    ),
]


def test_there_is_a_case_for_each_kind() -> None:
    assert [kind for kind, *_ in CASES] == list(KINDS)


def test_nothing_is_wrong_with_what_is_well() -> None:
    assert conditions().now() == []
    assert conditions().by_component() == dict.fromkeys(COMPONENTS)


@pytest.mark.parametrize(("kind", "subject", "text", "more"), CASES)
def test_a_problem_shows_by_itself_with_its_remedy(
    kind: str, subject: str | None, text: str, more: dict[str, Any]
) -> None:
    problems = conditions(**more)
    [shown] = problems.now()
    assert (shown.kind, shown.subject, shown.text) == (kind, subject, text)
    assert shown.remedy
    by_component = problems.by_component()
    assert by_component.pop(shown.component) == text
    assert not any(by_component.values())


def test_of_many_payments_set_aside_some_are_named_and_all_are_counted() -> None:
    faults = [RowFault(f"p{n}", "t", "row", "a", "b") for n in range(SHOWN_FAULTS + 3)]
    problems = conditions(set_aside=lambda: faults).now()
    assert [problem.subject for problem in problems] == [
        *(fault.payment_id for fault in faults[:SHOWN_FAULTS]),
        None,
    ]
    assert problems[-1].text == "3 more payments are set aside: see the log"


def test_since_when_is_wall_clock() -> None:
    for kind, _, _, more in CASES:
        [shown] = conditions(**more).now()
        since_ms = {"endpoint_failing": NOW_MS - 12_000, "not_synced": 7}
        assert shown.since_ms == since_ms.get(kind, NOW_MS)


def test_a_problem_is_dated_by_when_it_was_first_noticed() -> None:
    clock, waiting = ManualClock(NOW_MS), [3]
    problems = conditions(clock=clock, waiting_for_unlock=lambda: waiting[0])

    def since() -> list[int | None]:
        return [shown.since_ms for shown in problems.now()]

    assert since() == [NOW_MS]
    clock.advance(5)
    waiting[0] = 4
    assert since() == [NOW_MS]
    waiting[0] = 0
    assert since() == []
    waiting[0] = 1
    assert since() == [NOW_MS + 5_000]


def test_problems_of_several_are_dated_one_by_one() -> None:
    clock = ManualClock(NOW_MS)
    shown = [{**WELL, "state": "lagging", "behind_blocks": 9}]
    problems = conditions(clock=clock, endpoints=lambda: shown)
    problems.now()
    clock.advance(5)
    shown.append({**shown[0], "endpoint": "node1"})
    dates = {problem.subject: problem.since_ms for problem in problems.now()}
    assert dates == {"node0": NOW_MS, "node1": NOW_MS + 5_000}


async def test_a_problem_is_noticed_though_nobody_asks(
    autojump_clock: trio.testing.MockClock,
) -> None:
    clock, waiting = ManualClock(NOW_MS), [0]
    problems = conditions(clock=clock, waiting_for_unlock=lambda: waiting[0])
    async with trio.open_nursery() as nursery:
        await nursery.start(problems.watch)
        waiting[0] = 1
        await trio.sleep(NOTICED_EVERY_S + 0.1)
        clock.advance(60)
        [shown] = problems.now()
        nursery.cancel_scope.cancel()
    assert shown.since_ms == NOW_MS


@pytest.mark.parametrize("state", ["left alone", "not asked yet", "failing"])
def test_what_passes_by_itself_is_no_problem(state: str) -> None:
    shortly = FAILING_S - 0.1
    endpoints = endpoint(state=state, trouble="x", trouble_s=shortly, silent_s=shortly)
    assert conditions(endpoints=endpoints).now() == []


async def test_payments_that_wait_for_the_keystore_are_counted() -> None:
    async with process() as made:
        assert made.sender.waiting_for_unlock == 0
        made.signer.locks_first = True
        sent = await pay(made)
        assert sent.state == "queued"
        await made.mine()
        assert made.sender.waiting_for_unlock == 1
        made.signer.locked = False
        assert made.sender.waiting_for_unlock == 0
        await made.mine()
        made.signer.locked = True
        assert made.sender.waiting_for_unlock == 0


async def test_a_dead_payment_that_could_not_be_signed_again_is_counted_too() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "drop"
        await pay(made, attempts=2, owner=OWNERS[0])
        made.signer.locked = True
        await made.mine(62)
        assert made.sender.waiting_for_unlock == 1


def test_a_socket_file_that_was_removed_or_replaced_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "rpc.sock"
    listener = open_unix_listener(path)
    try:
        assert listener.is_in_place()
        path.unlink()
        assert not listener.is_in_place()
        path.touch()
        assert not listener.is_in_place()
    finally:
        listener.close()


class Short:
    """A listener whose process has no descriptor left, for so many attempts."""

    def __init__(self, sock: socket.socket, failures: int) -> None:
        self._sock, self.left, self.tried = sock, failures, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def accept(self) -> Any:
        self.tried += 1
        if self.left > 0:
            self.left -= 1
            raise OSError(errno.EMFILE, "too many open files")
        return self._sock.accept()


async def test_without_descriptors_there_is_one_line_and_one_when_it_is_over(
    tmp_path: Path,
    autojump_clock: trio.testing.MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    accepting, admitted = Accepting(), trio.Event()

    def admit(connection: socket.socket) -> None:
        connection.close()
        admitted.set()

    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with (
        listening,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer,
    ):
        listening.bind(str(tmp_path / "s"))
        listening.listen()
        peer.connect(str(tmp_path / "s"))
        short: Any = Short(listening, 20)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(accept_forever, short, admit, accepting)
            await trio.sleep(0.05)
            assert accepting.short_of == "EMFILE"
            await admitted.wait()
            nursery.cancel_scope.cancel()
    assert accepting.short_of is None
    assert [record.message for record in caplog.records] == [
        "no resources to accept connections",
        "connections are accepted again",
    ]
    # 0.1, 0.2, 0.4, 0.8 and then 1.6 s each: not ten a second.
    waited_s = sum(
        min(FIRST_BACK_OFF_S * 2**at, LONGEST_BACK_OFF_S) for at in range(20)
    )
    assert trio.current_time() == pytest.approx(waited_s)
