"""Filters: what is new since a client asked last. They live as long as the process."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import define, field
from msgspec import Struct

from lucidtrond.devnet.ethereum.errors import internal
from lucidtrond.devnet.ethereum.logs import LogFilter, read_filter, read_span, scan
from lucidtrond.devnet.ethereum.methods import Method
from lucidtrond.devnet.ethereum.printing import Json
from lucidtrond.devnet.ethereum.values import hex_bytes, text
from lucidtrond.devnet.state.view import ChainView

LIFETIME_MS: Final = 300_000
"""TronJsonRpcImpl.expireSeconds: so long after it was asked last."""
MAX_FILTERS: Final = 1000
"""Beyond it the one that was asked least recently goes."""
ID_BYTES: Final = 16


class _Logs(Struct, frozen=True):
    """Wanted logs from block *start* to *end*; None is whatever will be the head."""

    wanted: LogFilter
    start: int
    end: int | None


@define
class _Filter:
    """*logs* None is a filter of blocks. *seen* is the height told last."""

    logs: _Logs | None
    seen: int
    asked_ms: int


@define(eq=False)
class Filters:
    """The filters of one node; never more than `MAX_FILTERS`."""

    _now_ms: Callable[[], int]
    _new_id: Callable[[], str] = lambda: secrets.token_hex(ID_BYTES)
    _kept: dict[str, _Filter] = field(init=False, factory=dict)
    """By id; the one asked least recently first."""

    @property
    def methods(self) -> Mapping[str, Method]:
        """What `methods.METHODS` is for everything else."""
        return {
            "eth_newFilter": Method(1, self._new_logs),
            "eth_newBlockFilter": Method(0, lambda chain: self._add(chain, None)),
            "eth_uninstallFilter": Method(1, self._remove),
            "eth_getFilterChanges": Method(1, self._changes),
            "eth_getFilterLogs": Method(1, self._logs),
        }

    def _new_logs(self, chain: ChainView, request: Any) -> str:
        wanted = read_filter(request)
        start, end = read_span(chain, request)
        return self._add(chain, _Logs(wanted, start, end))

    def _add(self, chain: ChainView, logs: _Logs | None) -> str:
        name = self._new_id()
        self._kept[name] = _Filter(logs, chain.head.globals.number, self._now_ms())
        if len(self._kept) > MAX_FILTERS:
            del self._kept[next(iter(self._kept))]
        return "0x" + name

    def _take(self, name: Any) -> tuple[str, _Filter]:
        """Out of the table; who asks for it puts it back behind the others."""
        key = text(name).removeprefix("0x")
        kept = self._kept.pop(key, None)
        if kept is None or self._now_ms() - kept.asked_ms > LIFETIME_MS:
            raise internal("filter not found")
        return key, kept

    def _remove(self, _chain: ChainView, name: Any) -> bool:
        self._take(name)
        return True

    def _changes(self, chain: ChainView, name: Any) -> list[Json] | list[str]:
        key, kept = self._take(name)
        head, first = chain.head.globals.number, kept.seen + 1
        kept.seen, kept.asked_ms = head, self._now_ms()
        self._kept[key] = kept
        if kept.logs is None:
            rows = (chain.block(number) for number in range(first, head + 1))
            return [hex_bytes(row.id) for row in rows if row is not None]
        return _scan(chain, kept.logs, first, head)

    def _logs(self, chain: ChainView, name: Any) -> list[Json]:
        key, kept = self._take(name)
        self._kept[key] = kept
        if kept.logs is None:
            raise internal("filter not found")
        return _scan(chain, kept.logs, 0, chain.head.globals.number)


def _scan(chain: ChainView, logs: _Logs, first: int, last: int) -> list[Json]:
    end = last if logs.end is None else min(last, logs.end)
    return scan(chain, range(max(first, logs.start), end + 1), logs.wanted)
