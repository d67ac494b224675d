"""Acceptance: a new order becomes a journaled payment, once for its key.

It ends in one transaction that looks for the key once more, reserves the money beside
what other payments have reserved, and writes the bytes. Nothing is signed or sent here.
"""

from lucidtrond.errors import (
    Conflict,
    InsufficientFunds,
    KeystoreLocked,
    KeystoreMissing,
    NoSuchKey,
)
from lucidtrond.events.types import Payment
from lucidtrond.ports import Store, Tx
from lucidtrond.sending.authenticity import LABEL
from lucidtrond.sending.drafting import (
    ChainHeads,
    Drafting,
    check_covered,
    draft,
    make_tag,
)
from lucidtrond.sending.intent import Intent
from lucidtrond.sending.journal import queries
from lucidtrond.sending.journal.entry import Entry
from lucidtrond.sending.lookalike import check_look_alike, remember
from lucidtrond.sending.protocols import Signer
from lucidtrond.sending.quote import Quote
from lucidtrond.sending.recorder import Recorder
from lucidtrond.sending.render import checked
from lucidtrond.sending.tag import Tag
from lucidtrond.sending.terms import Terms, check_recipient


class Acceptance:
    """Takes new orders in."""

    def __init__(
        self, store: Store, *, drafting: Drafting, signer: Signer, recorder: Recorder
    ) -> None:
        self._store = store
        self._drafting = drafting
        self._signer = signer
        self._recorder = recorder

    async def accept(self, intent: Intent, terms: Terms) -> tuple[Entry, bool]:
        """Journal the intent with its bytes, or find its key; say if it is new.

        Raises:
            see `Sender.send`
        """
        existing = await self._find(intent, terms)
        if existing is not None:
            return existing, False
        await check_unlocked(self._signer)
        tag = await make_tag(self._signer, intent.owner, intent.key)
        heads = await self._drafting.fetch_heads()
        quote = await self._drafting.quote(intent, heads)
        try:
            return await self._write(intent, terms, quote, heads, tag)
        except InsufficientFunds:
            # Others are under way: look again, closer.
            quote = await self._drafting.quote(intent, heads, solid=True)
            return await self._write(intent, terms, quote, heads, tag)

    async def check(self, intent: Intent, terms: Terms) -> Payment:
        """As `accept`, without writing anything."""
        existing = await self._find(intent, terms)
        if existing is not None:
            return existing.payment
        await check_unlocked(self._signer)
        heads = await self._drafting.fetch_heads()
        quote = await self._drafting.quote(intent, heads, solid=True)
        await self._store.read(lambda tx: check_covered(tx, intent, quote))
        return checked(intent, quote)

    async def _find(self, intent: Intent, terms: Terms) -> Entry | None:
        """The payment of its key; without one, refuse a recipient that isn't meant."""

        # Locked, nothing is accepted whatever the recipient looks like.
        locked = self._signer.is_locked
        key = None if locked else self._signer.authenticator(LABEL)

        def read(tx: Tx) -> Entry | None:
            existing = self._existing(tx, intent)
            if existing is None:
                check_recipient(intent, terms)
                if not terms.allow_look_alike:
                    check_look_alike(tx, intent.to, key)
            return existing

        return await self._store.read(read)

    def _existing(self, tx: Tx, intent: Intent) -> Entry | None:
        row = queries.by_key(tx, intent.key)
        if row is None:
            if not self._signer.owns(tx, intent.owner):
                raise NoSuchKey("the paying address is none of ours")
            return None
        entry, content = row
        if content != intent.content:
            raise Conflict(
                "the idempotency key was used for another payment",
                payment_id=entry.payment.payment_id,
            )
        return entry

    async def _write(
        self, intent: Intent, terms: Terms, quote: Quote, heads: ChainHeads, tag: Tag
    ) -> tuple[Entry, bool]:
        key = self._signer.authenticator(LABEL)

        def accept(tx: Tx) -> tuple[Entry, bool]:
            existing = self._existing(tx, intent)
            if existing is not None:
                return existing, False
            burn = check_covered(tx, intent, quote)
            remember(tx, intent.to, key)
            attempt = draft(
                tx,
                intent,
                quote,
                heads,
                tag=tag,
                lifetime_ms=terms.lifetime_ms,
                burn=burn,
            )
            head_time = heads.head.timestamp
            entry = self._recorder.accept(
                tx, intent, terms, attempt, head_time=head_time
            )
            return self._recorder.authenticate(tx, entry, key), True

        return await self._store.write(accept)


async def check_unlocked(signer: Signer) -> None:
    """Refuse what could not be signed. Raises KeystoreLocked, KeystoreMissing."""
    if not signer.is_locked:
        return
    if not (await signer.status()).exists:
        raise KeystoreMissing("no keystore yet: keystore.init makes it")
    raise KeystoreLocked("the keystore is locked: unlock it, then send again")
