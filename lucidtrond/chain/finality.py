"""Which blocks are final, counted from the signatures of the blocks above. Pure.

Theory. Of n active producers java-tron calls a block solid when `needed` (n) of them
have produced a block at or above it (``DposService.updateSolidBlock``, 70 %). A header
names its parent and its producer and is signed, so whoever knows the producers and
their keys can count that himself. Here is

    the set     n, and at most n producers with the key that each signs with
    final       all blocks up to `Finality.solid`
    recent      the blocks of the present branch above that, each with its signer

and these rules:

1. A block counts for its producer if the set names its signer as that producer's key.
   Block N is final when `needed` (n) different producers count in blocks at or above
   N. n is the network's number, never the size of what is known.
2. One block after the other becomes final. What a block causes takes effect once it is
   itself final, for the blocks above it: so a block is judged by the set that was
   proven below it. Before that its causes count nothing.
3. A new key is caused by the producer's AccountPermissionUpdate, which the block's
   transaction root covers, and by nothing else: a block's id does not cover its
   signature, so whoever passes on a final block may have signed it anew. From then on
   the old key counts no more, in no block above the cause.
4. A producer that is not in the set waits from its first final block on (the id covers
   who made it). It joins in the place of a member that made none of the last
   `ABSENT_ROUNDS` x n final blocks, and that thereby leaves. Nobody leaves otherwise;
   absence in blocks that are not final is nothing. It joins with the key that its own
   update named, or that it left with; else with its own, if that signed its newest
   final block: nobody else can make such a signature. Else it does not join.
5. If more than n - `needed` (n) producers sign recent blocks with keys that are not
   proven (of who waits, the key to join with is), nothing becomes final: so much at
   once is the operator's business.
6. Never more is final than a node says.

What is recent is taken back by a fork; what is final never is, and neither is the set,
which follows from final blocks alone.

Limits. A key that was changed in a block whose root could not be recomputed, or between
windows of headers, is not learned; nor is that of a new producer which signs with
another than its own: these count no more until the operator names them. Who holds the
keys of `needed` (n) members (19 of 27) can make anything final. In a partition,
producers that sign both branches (2 x needed - n: 11 of 27) can make both final.
Members that left the network, and are not replaced here yet, count as long as they are
in the set: stolen keys of retired producers are keys. And all of it stands on the set
that it began with: the older that is, the more of its keys are retired.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

from attrs import define, field, frozen
from msgspec import Struct

from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockHeader, BlockId
from lucidtrond.tron.producers import KeyChange

MemberOrigin = Literal[
    "snapshot",
    "headers",
    "pin",
    "genesis",
    "endpoints",
    "block",
    "joined",
]
"""How a member became known: by what the set began with, by its own update of its
permissions, or by joining."""
ORIGINS: Final[tuple[str, ...]] = get_args(MemberOrigin)
ABSENT_ROUNDS: Final = 2
"""Each active producer has a slot in a round of n; one may miss some."""


class NotLinked(ValueError):
    """A block does not follow the newest one."""


@frozen
class ProducerSet:
    """n active producers, and what is known of them: who, and the key of each.

    Raises:
        ValueError: more are known than there are.
    """

    n: int
    keys: Mapping[Address, Address]

    def __attrs_post_init__(self) -> None:
        if not 0 < len(self.keys) <= self.n:
            raise ValueError(f"{len(self.keys)} of {self.n} producers")


class Member(Struct, frozen=True):
    """*producer* counts with *key* in blocks from *from_block* on."""

    producer: Address
    key: Address
    from_block: int
    origin: MemberOrigin


class SetChange(Struct, frozen=True):
    """*member* began to count, or did so last in block *until*."""

    member: Member
    until: int | None = None


@frozen
class SignedBlock:
    """A block as far as finality is concerned.

    *changes* are those that its transactions make, () where its transaction root was
    not recomputed.
    """

    number: int
    id: BlockId
    parent_id: BlockId
    producer: Address
    signer: Address
    changes: tuple[KeyChange, ...] = ()

    @classmethod
    def of(
        cls, header: BlockHeader, changes: Iterable[KeyChange] = ()
    ) -> "SignedBlock":
        """Recover the signer.

        Raises:
            BadSignature, InvalidAddress: no key signed it; its producer is no address.
        """
        return cls(
            number=header.number,
            id=header.id,
            parent_id=header.parent_id,
            producer=Address(header.witness),
            signer=header.signer(),
            changes=tuple(changes),
        )


def needed(n: int) -> int:
    """How many of *n* producers have to build on a block; 27 -> 19, 5 -> 4.

    ``n - int(n * 0.3)``, in integers (DposService.updateSolidBlock).
    """
    return n - n * 3 // 10


def final_rounds(n: int) -> int:
    """How many final blocks tell who is absent."""
    return ABSENT_ROUNDS * n


@define(eq=False)
class Finality:
    """What is final on a branch that grows and forks; `copy` is cheap.

    *solid* is the newest final block, *members* the set for blocks above it.
    """

    n: int
    solid: int
    solid_id: BlockId
    members: dict[Address, Member]
    changes: list[SetChange] = field(factory=list)
    """What happened to the set, until somebody keeps and clears it."""
    _seen: dict[Address, tuple[int, Address]] = field(factory=dict)
    """Who made the last `ABSENT_ROUNDS` rounds of final blocks: newest one, signer."""
    _named: dict[Address, Address] = field(factory=dict)
    """The proven keys of producers that are not in the set."""
    _recent: list[SignedBlock] = field(factory=list)
    _votes: dict[Address, int] = field(factory=dict)
    """The newest recent block in which a producer counts."""
    _others: dict[Address, tuple[int, Address]] = field(factory=dict)
    """The newest recent block in which one does not, and who signed it."""

    @classmethod
    def begin(
        cls,
        producers: ProducerSet,
        origin: MemberOrigin,
        *,
        solid: int,
        solid_id: BlockId,
        is_proven: bool = False,
    ) -> "Finality":
        """Begin above a block that is taken as final, or that *producers* proved."""
        from_block = solid if is_proven else solid + 1
        members = {
            producer: Member(producer, key, from_block, origin)
            for producer, key in producers.keys.items()
        }
        begun = cls(producers.n, solid, solid_id, members)
        begun.changes.extend(map(SetChange, members.values()))
        return begun

    @classmethod
    def resume(
        cls,
        n: int,
        members: Iterable[Member],
        *,
        solid: int,
        solid_id: BlockId,
        final: Iterable[SignedBlock],
        named: Mapping[Address, Address],
    ) -> "Finality":
        """Go on with stored *members*; recent blocks are observed afterwards.

        *final* are the newest final blocks, ascending, `final_rounds` (n) of them
        where so many are held. *named* are proven keys of producers beside the members.
        """
        by_producer = {member.producer: member for member in members}
        resumed = cls(n, solid, solid_id, by_producer)
        resumed._named = {
            producer: key
            for producer, key in named.items()
            if producer not in by_producer
        }
        resumed._seen = {
            block.producer: (block.number, block.signer) for block in final
        }
        return resumed

    def copy(self) -> "Finality":
        return Finality(
            self.n,
            self.solid,
            self.solid_id,
            dict(self.members),
            list(self.changes),
            dict(self._seen),
            dict(self._named),
            list(self._recent),
            dict(self._votes),
            dict(self._others),
        )

    def above(self, solid: int, solid_id: BlockId) -> "Finality":
        """The same set above another block."""
        return Finality(self.n, solid, solid_id, dict(self.members))

    @property
    def head(self) -> int:
        """The newest block that was observed."""
        return self.solid + len(self._recent)

    @property
    def wanted(self) -> int:
        """How many producers have to build on a block."""
        return needed(self.n)

    @property
    def next_votes(self) -> int:
        """How many producers count at or above the first block that is not final."""
        return sum(number > self.solid for number in self._votes.values())

    @property
    def is_proven(self) -> bool:
        """Whether signatures made anything final, and so all blocks below it."""
        return any(member.from_block <= self.solid for member in self.members.values())

    @property
    def unproven(self) -> frozenset[Address]:
        """Who signs recent blocks with keys that are not proven."""
        return frozenset(
            producer
            for producer, (number, signer) in self._others.items()
            if number > self.solid and not self._waits(producer, signer)
        )

    @property
    def is_blocked(self) -> bool:
        """Whether there are too many of these for anything to become final; rule 5."""
        most = self.n - self.wanted
        return len(self._others) > most and len(self.unproven) > most

    def counts(self, block: SignedBlock) -> bool:
        """Whether the set names *block*'s signer as its producer's key."""
        member = self.members.get(block.producer)
        return member is not None and member.key == block.signer

    def observe(self, block: SignedBlock) -> None:
        """Take *block* as the new head.

        Raises:
            NotLinked: it does not follow the present one.
        """
        parent_id = self._recent[-1].id if self._recent else self.solid_id
        if (block.number, block.parent_id) != (self.head + 1, parent_id):
            raise NotLinked(f"block {block.number} does not follow {self.head}")
        self._recent.append(block)
        self._count(block)

    def revert(self, number: int) -> None:
        """Take back all blocks above *number*, none of which is final."""
        if number < self.solid:
            raise AssertionError(f"block {self.solid} is final")
        del self._recent[number - self.solid :]
        self._recount()

    def advance(self, limit: int) -> None:
        """Move the final block as far as is proven, at most to *limit*."""
        while not self.is_blocked:
            end = min(limit, self._built_on())
            if end <= self.solid:
                return
            while self.solid < end and not self.is_blocked:
                if self._finish():
                    break

    def _built_on(self) -> int:
        """The newest block that enough producers have built on; see rule 1."""
        if len(self._votes) < self.wanted:
            return self.solid
        return sorted(self._votes.values(), reverse=True)[self.wanted - 1]

    def _finish(self) -> bool:
        """Call the next block final; give whether that changed the set."""
        block = self._recent.pop(0)
        self.solid, self.solid_id = block.number, block.id
        self._see(block)
        changed = self._take_keys(block) | self._take_places()
        if changed:
            self._recount()
        return changed

    def _see(self, block: SignedBlock) -> None:
        self._seen[block.producer] = block.number, block.signer
        oldest = self.solid - final_rounds(self.n)
        for producer in [who for who, (at, _) in self._seen.items() if at <= oldest]:
            del self._seen[producer]

    def _take_keys(self, block: SignedBlock) -> bool:
        """Rule 3."""
        changed = False
        keys = {change.producer: change.key for change in block.changes}
        for producer, key in keys.items():
            member = self.members.get(producer)
            if member is None:
                self._named[producer] = key
            elif member.key != key:
                self._end(member)
                self._start(producer, key, "block")
                changed = True
        return changed

    def _key_to_join_with(self, producer: Address) -> Address | None:
        """Of who made a final block; rule 4."""
        named = self._named.get(producer)
        if named is None and self._seen[producer][1] == producer:
            return producer
        return named

    def _take_places(self) -> bool:
        """Rule 4."""
        waiting = sorted(
            (at, producer)
            for producer, (at, _) in self._seen.items()
            if producer not in self.members
            and self._key_to_join_with(producer) is not None
        )
        if not waiting:
            return False
        oldest = self.solid - final_rounds(self.n)
        absent = sorted(
            member.producer
            for member in self.members.values()
            if member.from_block <= oldest + 1 and member.producer not in self._seen
        )
        free = self.n - len(self.members)
        taken = waiting[: free + len(absent)]
        for place, (_, producer) in enumerate(taken):
            if place >= free:
                self._end(self.members[absent[place - free]])
            key = self._key_to_join_with(producer)
            if key is not None:  # all of *waiting* have one
                self._start(producer, key, "joined")
        return bool(taken)

    def _start(self, producer: Address, key: Address, origin: MemberOrigin) -> None:
        member = Member(producer, key, self.solid + 1, origin)
        self.members[producer] = member
        self._named.pop(producer, None)
        self.changes.append(SetChange(member))

    def _end(self, member: Member) -> None:
        del self.members[member.producer]
        self._named[member.producer] = member.key
        self.changes.append(SetChange(member, self.solid))

    def _waits(self, producer: Address, signer: Address) -> bool:
        """Whether it is proven, and has no place yet."""
        return (
            producer not in self.members
            and producer in self._seen
            and self._key_to_join_with(producer) == signer
        )

    def _count(self, block: SignedBlock) -> None:
        if self.counts(block):
            self._votes[block.producer] = block.number
        else:
            self._others[block.producer] = block.number, block.signer

    def _recount(self) -> None:
        """Judge recent blocks by the set as it is now."""
        self._votes.clear()
        self._others.clear()
        for block in self._recent:
            self._count(block)
