"""Whether an endpoint responds: since when its requests had no response. Pure.

Decisions only: *now* is seconds of a clock that never goes back. Any byte of a response
counts, whatever it says: an error is a response too. What counts against an endpoint is
a request that failed without one, and a request still under way; a request that its
caller gave up within `TOO_SOON_S` says nothing.
"""

from typing import Final

from attrs import define, field

TOO_SOON_S: Final = 0.9
"""A broadcast gives the second endpoint 1 s once the first has accepted."""


@define
class Contact:
    """Requests under way, and the beginning of the present silence."""

    _under_way: dict[int, float] = field(init=False, factory=dict)
    _responded: set[int] = field(init=False, factory=set)
    """Those under way of whose response a part has arrived."""
    _next: int = field(init=False, default=0)
    _response_at: float = field(init=False, default=float("-inf"))
    _silent_since: float | None = field(init=False, default=None)
    """When the first request was sent that has had no response since the last one."""

    def begin(self, now: float) -> int:
        """A request is sent; its number is for `end`."""
        self._next += 1
        self._under_way[self._next] = now
        return self._next

    def note_response(self, number: int, now: float) -> None:
        """A part of this request's response has arrived."""
        self._responded.add(number)
        self._response_at, self._silent_since = now, None

    def end(self, number: int, now: float, *, failed: bool) -> None:
        """The request is over; *failed* rather than answered or given up."""
        began = self._under_way.pop(number)
        if number in self._responded:
            self._responded.remove(number)
        elif self._response_at <= began and (failed or now - began >= TOO_SOON_S):
            since = self._silent_since
            self._silent_since = began if since is None else min(since, began)

    def silent_s(self, now: float) -> float:
        """For how long there has been no response to what was sent; 0: there was."""
        failed = 0.0 if self._silent_since is None else now - self._silent_since
        return max(failed, self.waiting_s(now))

    def waiting_s(self, now: float) -> float:
        """The same, of what is under way: 0 when nothing is."""
        sent = self._under_way.values()
        return max((now - max(at, self._response_at) for at in sent), default=0.0)

    def without_response_s(self, now: float) -> float:
        """For how long no response has arrived, asked or not."""
        return now - self._response_at
