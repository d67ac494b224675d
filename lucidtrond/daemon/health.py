"""The one list of what can be wrong with a running daemon, and how it is found out.

Each kind of problem has a name, the component that it belongs to and a remedy for the
operator, all in `KINDS`. `Conditions` tells which of them hold now, from memory: it is
asked at every `daemon.health`, ``GET /health`` and ``GET /metrics``, and waits for
nothing. A new kind is a row of `KINDS` and a method of `Conditions`. What does not tell
since when it holds is dated by when it was first noticed; `Conditions.watch` looks
every `NOTICED_EVERY_S`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import trio
from msgspec import Struct, field, structs

from lucidtrond.ports import Clock
from lucidtrond.sending.restore import Hold
from lucidtrond.transports.accept import Accepting
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import ChainPosition

FAILING_S: Final = 5.0
"""An endpoint that fails for less is no problem yet: probes may find it back."""
NOTICED_EVERY_S: Final = 10.0
SHOWN_FAULTS: Final = 20
"""Payments set aside that are named one by one."""


class Kind(Struct, frozen=True):
    """A kind of problem: the *component* it is shown under, and what to do about it."""

    component: str
    remedy: str


KINDS: Final[Mapping[str, Kind]] = {
    "not_synced": Kind(
        "network",
        "wait while it catches up; else check the endpoints (network.endpoints) and the"
        " connection to them",
    ),
    "finality_stalled": Kind(
        "network",
        "compare the endpoints with an explorer; if the network's producers or their"
        " keys changed, name them all in [network] producers",
    ),
    "endpoint_failing": Kind(
        "endpoints",
        "check that endpoint and the connection to it, or replace it in"
        " [[network.endpoints]]",
    ),
    "endpoint_lied": Kind(
        "endpoints", "replace it in [[network.endpoints]]: its data can't be trusted"
    ),
    "endpoint_wrong_network": Kind(
        "endpoints", "correct its URL in [[network.endpoints]], or [network] name"
    ),
    "endpoint_budget_spent": Kind(
        "endpoints",
        "wait for midnight UTC, raise requests_per_day, or add an endpoint",
    ),
    "endpoint_lagging": Kind(
        "endpoints", "wait while it catches up, or replace it in [[network.endpoints]]"
    ),
    "keystore_locked": Kind(
        "keystore", "unlock it: lucidtron unlock; payments wait until they expire"
    ),
    "payments_unapproved": Kind(
        "payments",
        "look at them and approve what is meant: lucidtron queued, lucidtron approve",
    ),
    "payment_set_aside": Kind(
        "payments",
        "find out who edited the database; restore that row as it was (from a backup):"
        " nothing of it is signed, sent or renewed before",
    ),
    "possible_restore": Kind(
        "payments",
        "wait until it is over; if the database is no old copy, or nothing was paid"
        " since it was made: lucidtron acknowledge --restore",
    ),
    "foreign_transaction": Kind(
        "payments",
        "ask again for what it pays, under its own idempotency key, or acknowledge it:"
        " lucidtron foreign, lucidtron acknowledge",
    ),
    "payments_unproven": Kind(
        "payments",
        "do not pay again; transfer.list (unresolved) names them: ask the recipient, or"
        " compare the balance; add an endpoint of another operator, or the grpc_url of"
        " one: all are asked again by themselves",
    ),
    "balances_drift": Kind(
        "ledger",
        "account.get shows them; credit nothing of those accounts before an endpoint of"
        " another operator agrees (contrib/docs/ledger.md)",
    ),
    "rows_unproven": Kind(
        "ledger",
        "add an endpoint of another operator, or the grpc_url of one;"
        ' [chain] unproven = "announce" takes one endpoint at its word',
    ),
    "socket_removed": Kind(
        "socket", "restart the daemon: nobody can connect to a removed socket file"
    ),
    "out_of_descriptors": Kind(
        "connections",
        "raise LimitNOFILE (ulimit -n), or lower max_connections in [rpc] and [http]",
    ),
    "plugin_failed": Kind("plugins", "see the log, then restart the daemon"),
}

COMPONENTS: Final = tuple(dict.fromkeys(kind.component for kind in KINDS.values()))
_KIND_OF_STATE: Final = {
    "failing": "endpoint_failing",
    "not asked: failing": "endpoint_failing",
    "lied": "endpoint_lied",
    "wrong network": "endpoint_wrong_network",
    "budget spent": "endpoint_budget_spent",
    "lagging": "endpoint_lagging",
}
"""States of `EndpointHealth.shown`; "left alone" passes by itself and is none."""


class Condition(Struct, frozen=True):
    """A problem that holds now; *subject* is what it is about, if there are several.

    *since_ms* is wall clock; of what `Conditions.now` gives it is never None.
    """

    kind: str
    text: str
    subject: str | None = None
    since_ms: int | None = None

    @property
    def component(self) -> str:
        return KINDS[self.kind].component

    @property
    def remedy(self) -> str:
        return KINDS[self.kind].remedy


class Fault(Protocol):
    """What is wrong with the row of a payment."""

    @property
    def name(self) -> str: ...
    @property
    def text(self) -> str: ...


class PluginState(Protocol):
    """What is asked of each plugin."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def reason(self) -> str | None: ...


class Conditions(Struct, frozen=True, kw_only=True):
    """Where problems show; everything is called at each question."""

    clock: Clock
    position: Callable[[], ChainPosition]
    endpoints: Callable[[], Iterable[Mapping[str, Any]]]
    waiting_for_unlock: Callable[[], int]
    """Payments that only a signature is missing to."""
    waiting_for_approval: Callable[[], int]
    """Payments that were not accepted while the keystore was unlocked."""
    set_aside: Callable[[], Sequence[Fault]]
    """Payments whose rows were edited or are damaged."""
    hold: Callable[[], Hold | None]
    """Why nothing new is paid, while the state may be an old copy."""
    stopped: Callable[[], Mapping[Address, int]]
    """Wallets with transactions that the journal does not know, and how many."""
    unproven_payments: Callable[[], int]
    """Payments in final blocks that prove neither that they paid nor that they
    failed."""
    drifting: Callable[[], int]
    """Balances that are not what the ledger says."""
    waiting_rows: Callable[[], int]
    """Rows of unproven blocks that wait for a second source."""
    socket_is_there: Callable[[], bool]
    accepting: Accepting
    plugins: Callable[[], Sequence[PluginState]]
    noticed_ms: dict[tuple[str, str | None], int] = field(default_factory=dict)
    """When each problem that holds was noticed, by kind and subject."""

    def now(self) -> list[Condition]:
        """All problems, in the order of `KINDS`' components."""
        conditions = self._all()
        now_ms, before = self.clock.now_ms(), dict(self.noticed_ms)
        self.noticed_ms.clear()
        for condition in conditions:
            key = (condition.kind, condition.subject)
            self.noticed_ms[key] = before.get(key, now_ms)
        return [
            condition
            if condition.since_ms is not None
            else structs.replace(
                condition,
                since_ms=self.noticed_ms[condition.kind, condition.subject],
            )
            for condition in conditions
        ]

    async def watch(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Notice problems until cancelled, though nobody asks."""
        task_status.started()
        while True:
            self.now()
            await trio.sleep(NOTICED_EVERY_S)

    def _all(self) -> list[Condition]:
        return [
            *self._network(),
            *self._endpoints(),
            *self._keystore(),
            *self._payments(),
            *self._ledger(),
            *self._socket(),
            *self._connections(),
            *self._plugins(),
        ]

    def by_component(self) -> dict[str, str | None]:
        """What is wrong with each component in words, or None."""
        texts: dict[str, list[str]] = {component: [] for component in COMPONENTS}
        for condition in self.now():
            texts[condition.component].append(condition.text)
        return {
            name: "; ".join(component_texts) or None
            for name, component_texts in texts.items()
        }

    def _network(self) -> Iterator[Condition]:
        position = self.position()
        if not position.synced:
            reason = position.not_synced_reason or "the reason is not known"
            yield Condition(
                "not_synced", f"not synced: {reason}", since_ms=position.since_ms
            )
        stalled = position.finality.stalled_reason
        if stalled is not None:
            yield Condition("finality_stalled", f"nothing becomes final: {stalled}")

    def _endpoints(self) -> Iterator[Condition]:
        for shown in self.endpoints():
            kind = _KIND_OF_STATE.get(shown["state"])
            lasted_s = max(shown["trouble_s"] or 0.0, shown["silent_s"])
            if kind is None or (kind == "endpoint_failing" and lasted_s < FAILING_S):
                continue
            name = shown["endpoint"]
            yield Condition(
                kind,
                _of_endpoint(shown),
                subject=name,
                since_ms=self.clock.now_ms() - round(lasted_s * 1000)
                if lasted_s
                else None,
            )

    def _keystore(self) -> Iterator[Condition]:
        waiting = self.waiting_for_unlock()
        if waiting:
            text = f"the keystore is locked and {waiting} payments wait for it"
            yield Condition("keystore_locked", text)

    def _payments(self) -> Iterator[Condition]:
        waiting = self.waiting_for_approval()
        if waiting:
            text = (
                f"{waiting} payments wait for approval: they were not accepted while"
                " the keystore was unlocked"
            )
            yield Condition("payments_unapproved", text)
        faults = self.set_aside()
        for fault in faults[:SHOWN_FAULTS]:
            yield Condition(
                "payment_set_aside", f"set aside: {fault.text}", subject=fault.name
            )
        more = len(faults) - SHOWN_FAULTS
        if more > 0:
            text = f"{more} more payments are set aside: see the log"
            yield Condition("payment_set_aside", text)
        hold = self.hold()
        if hold is not None:
            text = (
                f"no new payment before a final block is past {hold.until} (chain time"
                f" in ms), since the database may be an old copy: {hold.reason}"
            )
            yield Condition("possible_restore", text)
        for owner, count in self.stopped().items():
            text = (
                f"{owner} pays nothing new: the journal does not know {count} of its"
                " transactions"
            )
            yield Condition("foreign_transaction", text, subject=owner.base58)
        unproven = self.unproven_payments()
        if unproven:
            text = (
                f"{unproven} payments are in final blocks, and nothing proves that they"
                " paid"
            )
            yield Condition("payments_unproven", text)

    def _ledger(self) -> Iterator[Condition]:
        drifting = self.drifting()
        if drifting:
            text = f"{drifting} balances are not what the ledger says"
            yield Condition("balances_drift", text)
        waiting = self.waiting_rows()
        if waiting:
            text = f"{waiting} transfers of unproven blocks wait for a second source"
            yield Condition("rows_unproven", text)

    def _socket(self) -> Iterator[Condition]:
        if not self.socket_is_there():
            yield Condition("socket_removed", "the socket file was removed or replaced")

    def _connections(self) -> Iterator[Condition]:
        short = self.accepting.short_of
        if short is not None:
            text = f"no connection can be accepted: {short}"
            yield Condition("out_of_descriptors", text)

    def _plugins(self) -> Iterator[Condition]:
        for plugin in self.plugins():
            if plugin.state == "failed":
                text = f"{plugin.name} failed: {plugin.reason}"
                yield Condition("plugin_failed", text, subject=plugin.name)


def _of_endpoint(shown: Mapping[str, Any]) -> str:
    name, trouble = shown["endpoint"], shown["trouble"]
    match shown["state"]:
        case "lied":
            return f"endpoint {name} lied: {_without(name, trouble)}"
        case "lagging":
            return f"endpoint {name} is {shown['behind_blocks']} final blocks behind"
        case "failing" | "not asked: failing":
            parts = []
            if shown["silent_s"] >= FAILING_S:
                parts.append(f"has not responded for {shown['silent_s']:.0f} s")
            if trouble:
                parts.append(f"last error: {_without(name, trouble)}")
            return f"endpoint {name} " + "; ".join(parts or ["fails"])
        case state:
            return f"endpoint {name}: {state}"


def _without(name: str, trouble: str | None) -> str:
    return (trouble or "no reason noted").removeprefix(f"{name}: ")
