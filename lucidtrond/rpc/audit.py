"""The audit log: who asked for what that spends, and what came of it.

A row is written when a call ends, whatever its end; what has moved money before a crash
is in the journal of payments. Each row's hash covers the row and the hash before it, so
that a row can't be changed, taken out or put in without changing all that follow: who
keeps one hash elsewhere can prove everything up to it.

Only named fields of parameters and results are kept: what is not on the lists below is
no secret by accident.
"""

import hashlib
import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
import trio
from attrs import define, frozen

from lucidtrond.api.caller import Caller
from lucidtrond.errors import LucidError
from lucidtrond.ports import Clock, Migration, Store, Tx

log = logging.getLogger(__name__)

PARAM_FIELDS: Final = (
    *("from", "to", "asset", "amount_sun", "amount_raw", "fee_limit_sun"),
    *("max_burn_sun", "idempotency_key", "txid", "check", "count", "prefix", "label"),
    *("txids", "restore"),
)
RESULT_FIELDS: Final = ("payment_id", "txid", "state", "wallet_id", "address", "count")
LONGEST: Final = 200
"""Characters of one value."""
WRITE_S: Final = 5.0
"""How long a caller that has gone away keeps its row waiting."""
FIRST: Final = bytes(32)
"""What the first row's hash covers instead of one before it."""

MIGRATIONS: Final = (
    Migration(
        "audit",
        1,
        """
        CREATE TABLE audit_call (
            seq SERIAL,
            at_ms INT64 NOT NULL,
            who TEXT NOT NULL,
            method TEXT NOT NULL,
            asked TEXT NOT NULL,
            outcome TEXT NOT NULL,
            hash BYTES NOT NULL
        );
        """,
    ),
)


@frozen
class AuditRow:
    """One call; *asked* and *outcome* are JSON objects as text."""

    seq: int
    at_ms: int
    who: str
    method: str
    asked: str
    outcome: str
    hash: bytes

    def hash_after(self, before: bytes) -> bytes:
        """What *hash* must be when the row before has *before*."""
        text = msgspec.json.encode(
            [self.seq, self.at_ms, self.who, self.method, self.asked, self.outcome]
        )
        return hashlib.sha256(before + text).digest()


def first_break(rows: Iterable[AuditRow], *, before: AuditRow | None) -> int | None:
    """Give the number of the first of ascending *rows* that does not follow."""
    number, last_hash = (0, FIRST) if before is None else (before.seq, before.hash)
    for row in rows:
        number += 1
        if row.seq != number or row.hash != row.hash_after(last_hash):
            return number
        last_hash = row.hash
    return None


def select_scalars(fields: object, names: Iterable[str]) -> dict[str, Any]:
    """The scalars of *fields* (a Struct, or anything else for none) under *names*."""
    content = msgspec.to_builtins(fields)
    if not isinstance(content, dict):
        return {}
    chosen = {name: content.get(name) for name in names}
    return {
        name: value[:LONGEST] if isinstance(value, str) else value
        for name, value in chosen.items()
        if isinstance(value, str | int)
    }


def read_rows(tx: Tx, *, limit: int, before: int | None = None) -> list[AuditRow]:
    """Newest first, of those with a number under *before*."""
    rows = tx.execute(
        "SELECT seq, at_ms, who, method, asked, outcome, hash FROM audit_call"
        " WHERE seq < ? ORDER BY seq DESC LIMIT ?",
        (2**63 - 1 if before is None else before, limit),
    )
    return [AuditRow(*row) for row in rows]


def _text(fields: Mapping[str, Any]) -> str:
    return msgspec.json.encode(fields).decode()


@define(eq=False)
class Audit:
    """Appends rows; *store* has them on disk before a call is answered."""

    _store: Store
    _clock: Clock

    async def record(
        self,
        caller: Caller,
        method: str,
        asked: Mapping[str, Any],
        outcome: Mapping[str, Any],
    ) -> None:
        """Write one row and one log line, also if the caller is cancelled.

        A row that can't be written is logged as an error: the call has happened.
        """
        who = f"{caller.transport} {caller.identity}"
        log.info(
            "spending call",
            extra={"who": who, "method": method, "asked": asked, "outcome": outcome},
        )
        at_ms = self._clock.now_ms()
        texts = _text(asked), _text(outcome)

        def append(tx: Tx) -> None:
            last = next(iter(read_rows(tx, limit=1)), None)
            seq, before = (1, FIRST) if last is None else (last.seq + 1, last.hash)
            row = AuditRow(seq, at_ms, who, method, *texts, b"")
            tx.execute(
                "INSERT INTO audit_call"
                " (seq, at_ms, who, method, asked, outcome, hash)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (seq, at_ms, who, method, *texts, row.hash_after(before)),
            )

        try:
            with trio.move_on_after(WRITE_S, shield=True) as limit:
                await self._store.write(append)
        except LucidError as error:
            log.error("no audit row", extra={"method": method, "reason": str(error)})  # noqa: TRY400 - the store has said it at length
        else:
            if limit.cancelled_caught:
                extra = {"method": method, "reason": "the store is too slow"}
                log.error("no audit row yet", extra=extra)

    async def page(
        self, *, limit: int, before: int | None
    ) -> tuple[list[AuditRow], int | None]:
        """Newest first, and the first number of this page that does not follow."""

        def read(tx: Tx) -> list[AuditRow]:
            return read_rows(tx, limit=limit + 1, before=before)

        newest = await self._store.read(read)
        rows, older = newest[:limit], newest[limit:]
        broken = first_break(reversed(rows), before=older[0] if older else None)
        return rows, broken
