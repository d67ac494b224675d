"""Recipients that look like one of before: the trap of a poisoned address book.

Somebody who wants to be paid by mistake makes an address whose ends are those of one
that we pay, and lets it appear in our history (a transfer of nothing is enough). People
compare the ends of addresses. So whom we paid is kept with both ends, and a stranger
that shares six characters of them, at the front after the T and at the back together,
is refused unless the caller insists (``allow_look_alike``). By chance that affects
about one payment in 300,000 of a payer with ten thousand recipients (7 ways to share 6
of 58 characters).

Only recipients count: a sender that paid us may be the trap itself. A row that somebody
put into the database is no payment: see `authenticity`.
"""

from collections.abc import Iterable
from contextlib import suppress
from itertools import takewhile
from typing import Final

from lucidtrond.errors import RecipientRefused
from lucidtrond.ports import Tx
from lucidtrond.sending.authenticity import recipient_message
from lucidtrond.sending.protocols import Authenticator
from lucidtrond.tron.address import Address, InvalidAddress

_END: Final = 3
"""One end at least has half of the six."""
_SHARED: Final = 6
BACKFILL_ROWS: Final = 1000


def remember(tx: Tx, recipient: Address, key: Authenticator | None) -> None:
    """Keep a recipient that is paid; without a *key* it is not authenticated.

    Raises:
        KeystoreLocked: it was locked meanwhile.
    """
    mac = None if key is None else key.mac(recipient_message(recipient))
    tx.execute(
        "INSERT INTO sending_recipient (recipient, head, tail, mac) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (recipient) DO UPDATE SET"
        " mac = COALESCE(excluded.mac, sending_recipient.mac)",
        (recipient.raw, *_ends(recipient), mac),
    )


def remember_earlier(tx: Tx) -> int:
    """Keep some of those that an older program paid; give how many there were."""
    rows = tx.execute(
        "SELECT DISTINCT recipient FROM sending_payment WHERE recipient NOT IN"
        " (SELECT recipient FROM sending_recipient) LIMIT ?",
        (BACKFILL_ROWS,),
    )
    recipients = _addresses(raw for (raw,) in rows)
    for recipient in recipients:
        remember(tx, recipient, None)
    return len(recipients)


def check_look_alike(tx: Tx, recipient: Address, key: Authenticator | None) -> None:
    """Refuse an address never paid that looks like one that was.

    With a *key* only authenticated rows tell that this address was paid.

    Raises:
        RecipientRefused
        KeystoreLocked: it was locked meanwhile.
    """
    head, tail = _ends(recipient)
    rows = tx.execute(
        "SELECT recipient, mac FROM sending_recipient"
        " WHERE recipient = ? OR head = ? OR tail = ?",
        (recipient.raw, head, tail),
    )
    near = _addresses(raw for raw, _ in rows)
    if any(raw == recipient.raw and _is_good(mac, recipient, key) for raw, mac in rows):
        return
    alike = [other for other in near if shared(other, recipient) >= _SHARED]
    alike = [other for other in alike if other != recipient]
    if not alike:
        return
    raise RecipientRefused(
        f"{recipient.base58} was never paid and looks like {alike[0].base58}, which"
        " was: compare them letter by letter; allow_look_alike says that it is meant",
        resembles=alike[0].base58,
        flag="allow_look_alike",
    )


def _is_good(mac: bytes | None, recipient: Address, key: Authenticator | None) -> bool:
    if key is None:
        return True
    return mac is not None and key.verify(recipient_message(recipient), mac)


def _addresses(rows: Iterable[bytes]) -> list[Address]:
    """Those that are addresses; a damaged row is none."""
    addresses = []
    for raw in rows:
        with suppress(InvalidAddress):
            addresses.append(Address(raw))
    return addresses


def shared(one: Address, other: Address) -> int:
    """So many characters are the same at the front and at the back."""
    pairs = list(zip(one.base58[1:], other.base58[1:], strict=False))
    front = sum(1 for _ in takewhile(_equal, pairs))
    return front + sum(1 for _ in takewhile(_equal, reversed(pairs)))


def _equal(pair: tuple[str, str]) -> bool:
    return pair[0] == pair[1]


def _ends(address: Address) -> tuple[str, str]:
    """What people compare; the first letter of every address is T."""
    text = address.base58
    return text[1 : 1 + _END], text[-_END:]
