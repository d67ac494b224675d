"""What becomes of a signed transaction: each fact, and the state it leads to. Pure.

Theory. TRON has no nonce. One transaction lands at most once, however often its bytes
are sent; two transactions for one intent may both land. So an intent has one attempt,
whose bytes are fixed before anything is sent, and everything here is about knowing
what became of those bytes. Nothing a node answers to a broadcast ends an attempt, good
or bad: only blocks do.

States, and the facts that lead out of them:

    state       fact                                        next
    ----------  ------------------------------------------  ----------
    queued      Signed                                      signed
    signed      Answered, Unanswered                        pending
    pending     Answered, Unanswered                        pending
    reverted    Answered, Unanswered                        pending
    any of      Included: a block of ours holds it          included
    these four  SolidUpTo: its death is proven              expired
    included    Reverted: a fork reverted the block         reverted
                SolidUpTo its block or above, it paid       solidified
                the same, but what it moved waits for a
                second source (a block without a proof)     included
                SolidUpTo its block or above, it failed     failed
                SolidUpTo its block or above, nothing
                proves that it paid or failed               unproven
    unproven    Proven: a receipt shows the log             solidified
    expired     Abandoned: the nodes agree, none follows    expired
    expired     Included: the proof was wrong (a node that
                lied); a block counts for more              included
    included, solidified
                Reproven: it rests on another proof         as it is
    included    Reverted: a proven version of the block
                does not hold it                            reverted
    included, solidified, unproven
                Included in another block, committed: the
                first one was not proven, and showed a lie  included

``solidified``, ``failed`` and ``expired`` are final, but for a lie that blocks expose.

Paid. A payment of TRX is paid by the success of its transaction. A token's contract
may end with SUCCESS and move nothing (its rule changed between estimate and block), so
there the receipt must hold its proof: a Transfer log that this contract wrote, from the
payer to the recipient, above zero (``Inclusion.arrived``). SUCCESS without it is
``unproven``: headers do not commit to logs, so the log may also be missing at the node
that was asked. It may have paid: it is never ``failed`` and never safe to retry, and
`proving` asks again, and elsewhere, for a receipt that shows the log. A failure in a
block whose transaction root could not be recomputed is ``unproven`` as well.

A fact that is not listed for a state changes nothing but what is kept of the last
broadcast.

Proof of death (block B may hold it only if the time of B's parent is below its
expiration): a solidified block S of ours has a time at or past the expiration, and
none of our blocks from the reference block's successor up to S holds it. The reference
(TAPOS) binds the bytes to chains that contain the reference block, so nothing below
need be looked at; our own ledger must have no gap from there on. The local clock and
the head's time prove nothing. A block whose transaction root could not be recomputed
may hold anything: where it may hold the transaction there is no proof, as long as it
is unproven.

Who triggers: `Signed`, `Answered` and `Unanswered` come from delivery, `Proven` from
proving, `Abandoned` from settling, `Reproven` from the checks of exact tokens, the
others from the follower, within the transaction that writes the block.

Our blocks are one source. Until the nodes agree on the solidified block that the proof
ends with (its id binds all blocks before it), ``expired`` is unresolved and not safe to
retry. Then either the next attempt is written, if the intent may have one, or
`Abandoned` says that none follows. This is the only way to a second transaction for one
intent.
"""

from enum import Enum
from typing import Final, assert_never

from attrs import evolve, frozen
from msgspec import Struct

from lucidtrond.events.types import PaymentState, Proof
from lucidtrond.tron.block import BLOCK_INTERVAL_MS, BlockId
from lucidtrond.tron.units import Sun, UnixMillis
from lucidtrond.tron.unproven import UnprovenBlocks

OPEN: Final[frozenset[PaymentState]] = frozenset(
    ("queued", "signed", "pending", "reverted", "included")
)
"""States that something can still happen to."""
IN_FLIGHT: Final[frozenset[PaymentState]] = frozenset(
    ("queued", "signed", "pending", "reverted")
)
"""In no block of ours, and possibly in a later one."""
SAFE_TO_RETRY: Final[frozenset[PaymentState]] = frozenset(("failed", "expired"))
"""Proven not to have paid; another payment for the same thing is no second one."""
_SUCCESS: Final = 1
"""contractRet's number (Tron.proto, contractResult)."""
_MESSAGE_SIZE: Final = 200
_NOT_DEAD: Final = "expired, but not proven dead"
NO_PROOF: Final = (
    "its contract ended with SUCCESS, and its receipt holds no Transfer log of the"
    " token from the payer to the recipient: it may or may not have paid"
)


class Again(Enum):
    """When the same bytes may usefully be sent again."""

    SOON = "the cause passes by itself"
    LATER = "nodes drop what they accepted; send it to them again"
    NEVER = "no node will ever accept these bytes"


class Meaning(Struct, frozen=True):
    """What an answer to a broadcast says about these bytes.

    *in_pool*: the node has or had it in its pool or in a block, so it may land without
    being sent again. False says only that this answer is no reason to believe so.
    """

    text: str
    again: Again
    in_pool: bool = False


_MEANINGS: Final = {
    "SUCCESS": Meaning("accepted", Again.LATER, in_pool=True),
    "SIGERROR": Meaning("the signature does not fit the account", Again.LATER),
    "CONTRACT_VALIDATE_ERROR": Meaning("the chain refuses it for now", Again.LATER),
    "CONTRACT_EXE_ERROR": Meaning("the chain refuses it for now", Again.LATER),
    "BANDWITH_ERROR": Meaning("no TRX for bandwidth or fees", Again.LATER),
    "DUP_TRANSACTION_ERROR": Meaning("sent before", Again.LATER),
    "TAPOS_ERROR": Meaning("the node does not know the reference block", Again.SOON),
    "TOO_BIG_TRANSACTION_ERROR": Meaning("it is too big", Again.NEVER),
    "TRANSACTION_EXPIRATION_ERROR": Meaning("expired for the node", Again.LATER),
    "SERVER_BUSY": Meaning("the node is busy", Again.SOON),
    "NO_CONNECTION": Meaning("the node has no peers", Again.SOON),
    "NOT_ENOUGH_EFFECTIVE_CONNECTION": Meaning("the node lacks peers", Again.SOON),
    "BLOCK_UNSOLIDIFIED": Meaning("the chain does not solidify", Again.SOON),
    "OTHER_ERROR": Meaning("the node failed", Again.SOON),
}
# The same codes with the opposite meaning: only the text tells them apart.
_DUP_KNOWN: Final = "Dup transaction."
_NOT_ANNOUNCED: Final = "P2P broadcast failed."
_NO_ANSWER: Final = Meaning("no answer", Again.SOON)


def meaning(code: str | None, message: str = "") -> Meaning:
    """Read a broadcast's answer; *code* is None when there was none.

    Wallet.broadcastTransaction; an unknown code is like no answer.
    """
    if code is None:
        return _NO_ANSWER
    if code == "DUP_TRANSACTION_ERROR" and _DUP_KNOWN in message:
        return Meaning("the node knows it", Again.LATER, in_pool=True)
    if code == "NOT_ENOUGH_EFFECTIVE_CONNECTION" and _NOT_ANNOUNCED in message:
        return Meaning("accepted, announced to nobody", Again.SOON, in_pool=True)
    return _MEANINGS.get(code, _NO_ANSWER)


@frozen
class Inclusion:
    """The block that holds it and what it did there."""

    number: int
    block_id: BlockId
    timestamp: UnixMillis
    contract_ret: int
    fee: Sun
    arrived: int | None = None
    """Of a token, what the receipt's logs prove in its smallest units; None for TRX."""
    proof: Proof | None = None
    """Of what it did; None where it was not kept."""

    @property
    def succeeded(self) -> bool:
        return self.contract_ret == _SUCCESS

    @property
    def paid(self) -> bool:
        """It did what it was for, as far as can be proven."""
        return self.succeeded and self.arrived != 0

    def with_proof(
        self, *, committed: bool, agreed: bool, exact: bool = False
    ) -> "Inclusion":
        """With its proof. TRX and failures rest on the block, if its transaction root
        was recomputed (*committed*); a token's log on receipts, of which two endpoints
        may have *agreed*, or on its call, where the token is *exact*."""
        proof: Proof = "one_source"
        if exact and self.arrived is not None and self.paid:
            proof = "signatures"
        elif self.succeeded and self.arrived is not None:
            proof = "two_sources" if agreed else "one_source"
        elif committed:
            proof = "signatures"
        return evolve(self, proof=proof)


@frozen
class Attempt:
    """All that decisions need to know of one signed transaction.

    *reference_number* is the block that its TAPOS fields name. *last_sent* is the
    head's time when it was last sent; *code* and *message* are the last answer.
    """

    state: PaymentState
    expiration: UnixMillis
    reference_number: int
    sent: int = 0
    last_sent: UnixMillis | None = None
    code: str | None = None
    message: str = ""
    accepted: bool = False
    """Some node ever had it in its pool."""
    reason: str | None = None
    inclusion: Inclusion | None = None
    renewals: int = 0
    """How many attempts may follow once this one is dead."""
    abandoned: bool = False
    """Dead, the nodes agree on it, and nothing follows by itself."""

    @property
    def awaits_renewal(self) -> bool:
        return self.state == "expired" and self.renewals > 0

    def may_be_renewed(self, *, by_hand: bool) -> bool:
        """Another transaction may follow; *by_hand*, whatever its terms say."""
        return self.awaits_renewal or (by_hand and self.state in SAFE_TO_RETRY)

    @property
    def unresolved(self) -> bool:
        """Something can still happen to the intent."""
        if self.state == "expired":
            return not self.abandoned
        return self.state in OPEN or self.state == "unproven"

    @property
    def safe_to_retry(self) -> bool:
        return self.state in SAFE_TO_RETRY and not self.unresolved


class Signed(Struct, frozen=True):
    """Its signature is in the journal."""


class Answered(Struct, frozen=True):
    """A node answered a broadcast at head time *at* (None: no head known)."""

    code: str
    message: str
    at: UnixMillis | None


class Unanswered(Struct, frozen=True):
    """A broadcast that no node answered."""

    reason: str
    at: UnixMillis | None


class Included(Struct, frozen=True):
    """Our head holds it; *result* is the name of what its contract ended with.

    *committed*: the block's transaction root was recomputed. No two blocks hold one
    transaction, so it then corrects what an unproven block showed before.
    """

    inclusion: Inclusion
    result: str = ""
    committed: bool = False


class Reverted(Struct, frozen=True):
    """A fork reverted this block of ours, or it does not hold it, by a *reason*."""

    number: int
    block_id: BlockId
    reason: str = ""


class Proven(Struct, frozen=True):
    """A receipt of block *number* shows that *arrived* (above 0) of the token moved."""

    number: int
    arrived: int


class Reproven(Struct, frozen=True):
    """That it paid in block *number* rests on *proof* now."""

    number: int
    proof: Proof


@frozen
class SolidUpTo:
    """All our blocks from *complete_from* up to *number* are there and final.

    What the *unproven* ones hold is one endpoint's word; those that count for the
    attempt are there. *waits*: the block that holds it is one of them, and what it
    moved is not final before a second source or a proof.
    """

    number: int
    timestamp: UnixMillis
    complete_from: int
    unproven: UnprovenBlocks = UnprovenBlocks()
    waits: bool = False


class Abandoned(Struct, frozen=True):
    """The nodes agree that it is dead, and none follows, for a *reason* if any."""

    reason: str = ""


Fact = (
    Signed
    | Answered
    | Unanswered
    | Included
    | Reverted
    | Proven
    | Reproven
    | SolidUpTo
    | Abandoned
)


def after(attempt: Attempt, fact: Fact) -> Attempt:
    """Give the attempt as it is after *fact*; the same one when nothing changes."""
    match fact:
        case Signed():
            changed = _after_signature(attempt)
        case Answered():
            changed = _after_answer(attempt, fact)
        case Unanswered():
            changed = _after_unanswered(attempt, fact)
        case Included():
            changed = _after_inclusion(attempt, fact)
        case Reverted():
            changed = _after_fork(attempt, fact)
        case Proven():
            changed = _after_proof(attempt, fact)
        case Reproven():
            changed = _after_other_proof(attempt, fact)
        case SolidUpTo():
            changed = _after_solid(attempt, fact)
        case Abandoned():
            changed = _after_abandonment(attempt, fact)
        case _:
            assert_never(fact)
    return changed


def _after_signature(attempt: Attempt) -> Attempt:
    if attempt.state != "queued":
        return attempt
    return evolve(attempt, state="signed", reason=None)


def _after_abandonment(attempt: Attempt, fact: Abandoned) -> Attempt:
    if attempt.state != "expired" or attempt.abandoned:
        return attempt
    reason = attempt.reason
    if fact.reason:
        reason = f"{reason}; given up: {fact.reason}"
    return evolve(attempt, renewals=0, abandoned=True, reason=reason)


def _after_answer(attempt: Attempt, fact: Answered) -> Attempt:
    if attempt.state not in IN_FLIGHT or attempt.state == "queued":
        return attempt
    message = fact.message[:_MESSAGE_SIZE]
    answer = meaning(fact.code, message)
    accepted = attempt.accepted or answer.in_pool
    # A refusal after an acceptance is mostly caused by the first copy ("balance is not
    # sufficient" because it is already paid): no reason to alarm.
    reason = None if accepted else f"{answer.text} ({fact.code}: {message})"
    return evolve(
        attempt,
        state="pending",
        sent=attempt.sent + 1,
        last_sent=fact.at,
        code=fact.code,
        message=message,
        accepted=accepted,
        reason=reason,
    )


def _after_unanswered(attempt: Attempt, fact: Unanswered) -> Attempt:
    if attempt.state not in IN_FLIGHT or attempt.state == "queued":
        return attempt
    reason = None if attempt.accepted else f"no answer: {fact.reason[:_MESSAGE_SIZE]}"
    return evolve(
        attempt,
        state="pending",
        sent=attempt.sent + 1,
        last_sent=fact.at,
        code=None,
        message="",
        reason=reason,
    )


def _after_inclusion(attempt: Attempt, fact: Included) -> Attempt:
    inclusion, before = fact.inclusion, attempt.inclusion
    corrects = (
        fact.committed and before is not None and before.number != inclusion.number
    )
    if attempt.state in ("included", "solidified", "unproven") and not corrects:
        return attempt
    if attempt.state == "failed":
        return attempt
    reason = None
    if not inclusion.succeeded:
        reason = f"its contract failed: {fact.result}"
    elif not inclusion.paid:
        reason = NO_PROOF
    return evolve(
        attempt, state="included", inclusion=inclusion, reason=reason, abandoned=False
    )


def _after_fork(attempt: Attempt, fact: Reverted) -> Attempt:
    inclusion = attempt.inclusion
    if attempt.state != "included" or inclusion is None:
        return attempt
    if (inclusion.number, inclusion.block_id) != (fact.number, fact.block_id):
        return attempt
    # Nodes put it back into their pools for 60 s; it is also sent again at once.
    return evolve(
        attempt,
        state="reverted",
        inclusion=None,
        last_sent=None,
        reason=fact.reason or f"a fork took block {fact.number} back",
    )


def _after_proof(attempt: Attempt, fact: Proven) -> Attempt:
    inclusion = attempt.inclusion
    if attempt.state not in ("included", "unproven") or inclusion is None:
        return attempt
    if inclusion.number != fact.number or inclusion.paid or not inclusion.succeeded:
        return attempt
    return evolve(
        attempt,
        state="solidified" if attempt.state == "unproven" else attempt.state,
        inclusion=evolve(inclusion, arrived=fact.arrived, proof="one_source"),
        reason=None,
    )


def _after_other_proof(attempt: Attempt, fact: Reproven) -> Attempt:
    inclusion = attempt.inclusion
    if attempt.state not in ("included", "solidified") or inclusion is None:
        return attempt
    if inclusion.number != fact.number or not inclusion.paid:
        return attempt
    return evolve(attempt, inclusion=evolve(inclusion, proof=fact.proof))


def _after_solid(attempt: Attempt, fact: SolidUpTo) -> Attempt:
    inclusion = attempt.inclusion
    if attempt.state == "included" and inclusion is not None:
        return _after_final_block(attempt, inclusion, fact)
    if attempt.state not in IN_FLIGHT:
        return attempt
    first = attempt.reference_number + 1
    if fact.timestamp < attempt.expiration or fact.complete_from > first:
        return attempt
    unproven = fact.unproven.may_hold(
        after=attempt.reference_number, expiration=attempt.expiration
    )
    if unproven is not None:
        if (attempt.reason or "").startswith(_NOT_DEAD):
            return (
                attempt  # noted before, of a block that may have been forgotten since
            )
        return evolve(
            attempt,
            reason=f"{_NOT_DEAD}: block {unproven} may hold it, whose transaction root"
            " could not be recomputed",
        )
    return evolve(
        attempt,
        state="expired",
        reason=f"proven dead: block {fact.number}, of {fact.timestamp}, is final and"
        f" not before its expiration {attempt.expiration}; no block from {first} up to"
        " it holds it",
    )


def _after_final_block(
    attempt: Attempt, inclusion: Inclusion, fact: SolidUpTo
) -> Attempt:
    if inclusion.number > fact.number:
        return attempt
    if inclusion.paid and fact.waits:
        reason = f"block {inclusion.number} is final, but one endpoint's word holds it"
        return evolve(attempt, reason=reason)
    if inclusion.paid:
        return evolve(attempt, state="solidified", reason=None)
    if inclusion.succeeded:
        return evolve(attempt, state="unproven")
    if fact.unproven.holds(inclusion.number):
        return evolve(
            attempt,
            state="unproven",
            reason=f"reported as failed in block {inclusion.number}, whose transaction"
            " root could not be recomputed",
        )
    return evolve(attempt, state="failed")


def next_send(attempt: Attempt) -> UnixMillis | None:
    """Say from which head time on its bytes are due (None: not at all).

    20 to 60 s after an answer; sooner, with doubling waits, after silence or a passing
    refusal. Expiration is the caller's to compare: dead bytes are not sent.
    """
    if attempt.state not in IN_FLIGHT:
        return None
    if attempt.last_sent is None:
        return UnixMillis(0)
    again = meaning(attempt.code, attempt.message).again
    sent = max(attempt.sent, 1)
    match again:
        case Again.SOON:
            wait_ms = BLOCK_INTERVAL_MS << min(sent - 1, 5)
        case Again.LATER:
            wait_ms = 20_000 * sent
        case Again.NEVER:
            return None
        case _:
            assert_never(again)
    return UnixMillis(attempt.last_sent + min(wait_ms, 60_000))


def in_flight_until(attempt: Attempt) -> UnixMillis | None:
    """The head time from which on no block can hold it."""
    return attempt.expiration if attempt.state in IN_FLIGHT else None
