"""What is final, computed anew from lists at each question; and scripts of networks.

`Naive` shares no code with `chain.finality`: it knows who is in the set and what is
final, and looks at everything else again whenever it is asked.
"""

from collections.abc import Iterator, Sequence
from random import Random

from attrs import Factory, define

from lucidtrond.chain.finality import Finality, ProducerSet, SignedBlock
from lucidtrond.tron.address import Address
from lucidtrond.tron.block import BlockId
from lucidtrond.tron.producers import KeyChange
from tests.chain.model import address

ROUNDS = 2
GENESIS_ID = BlockId("00" * 32)


@define
class Naive:
    """Rules as in the theory of `chain.finality`, without any bookkeeping."""

    n: int
    keys: dict[Address, Address]
    since: dict[Address, int]
    """How many blocks were final when a member got its key."""
    final: list[SignedBlock] = Factory(list)
    retired: set[Address] = Factory(set)
    left_with: dict[Address, Address] = Factory(dict)

    def advance(self, branch: Sequence[SignedBlock], limit: int) -> None:
        """*branch* is everything above the genesis block."""
        assert list(branch[: len(self.final)]) == self.final
        while len(self.final) < len(branch):
            recent = branch[len(self.final) :]
            block = recent[0]
            voters = {
                each.producer
                for each in recent
                if each.producer in self.keys
                and self.keys[each.producer] == each.signer
            }
            enough = len(voters) >= self.n - int(self.n * 0.3)
            if not enough or block.number > limit or self.has_too_many(recent):
                return
            self.final.append(block)
            self.apply(block)

    def has_too_many(self, recent: Sequence[SignedBlock]) -> bool:
        newest = {
            each.producer: each
            for each in recent
            if self.keys.get(each.producer) != each.signer
        }
        unproven = [
            each
            for each in newest.values()
            if (each.producer, each.signer) not in self.waiting()
        ]
        return len(unproven) > int(self.n * 0.3)

    def rounds(self) -> list[SignedBlock]:
        return self.final[-ROUNDS * self.n :]

    def waiting(self) -> list[tuple[Address, Address]]:
        """Who may join with which key, longest silent first."""
        newest: list[tuple[Address, Address]] = []
        for block in self.rounds():
            if block.producer not in self.keys:
                newest = [each for each in newest if each[0] != block.producer]
                newest.append((block.producer, block.signer))
        found = []
        for producer, signer in newest:
            key = self.left_with.get(producer)
            if key is not None or signer == producer:
                found.append((producer, key or producer))
        return found

    def apply(self, block: SignedBlock) -> None:
        for each in block.changes:
            last = [c for c in block.changes if c.producer == each.producer][-1]
            if each.producer in self.keys:
                self.change(each.producer, last.key)
            else:
                self.left_with[each.producer] = last.key
        for producer, key in self.waiting():
            if len(self.keys) == self.n:
                makers = {each.producer for each in self.rounds()}
                absent = sorted(
                    member
                    for member in self.keys
                    if member not in makers
                    and self.since[member] + ROUNDS * self.n <= len(self.final)
                )
                if not absent:
                    break
                self.left_with[absent[0]] = self.keys[absent[0]]
                self.retired.add(self.keys.pop(absent[0]))
            self.change(producer, key)

    def change(self, producer: Address, key: Address) -> None:
        if self.keys.get(producer) != key:
            self.retired |= {self.keys[producer]} if producer in self.keys else set()
            self.retired.discard(key)
            self.keys[producer] = key
            self.since[producer] = len(self.final)


@define
class Network:
    """Producers that take turns, rotate and change keys, and a thief of some keys."""

    chance: Random
    n: int
    active: list[Address]
    keys: dict[Address, Address]
    stolen: set[Address]
    """Producers whose keys the thief has, fewer than needed: present and later ones."""
    branch: list[SignedBlock] = Factory(list)
    made: int = 0
    forged: set[BlockId] = Factory(set)
    forged_keys: set[Address] = Factory(set)
    retired_of: dict[Address, Address] = Factory(dict)
    """Whose each retired key was."""
    before: list[tuple[dict[Address, Address], list[Address]]] = Factory(list)
    """Keys and active producers before each block of the branch."""
    victims: set[Address] = Factory(set)
    replaced: dict[Address, Address] = Factory(dict)
    """With which key the thief signed a victim's block anew."""
    old: dict[Address, Address] = Factory(dict)
    """The key before the last change."""

    @classmethod
    def draw(cls, chance: Random) -> "Network":
        n = chance.choice((1, 3, 4, 5, 7, 10))
        active = [address(number) for number in range(1, n + 1)]
        most = n - int(n * 0.3) - 1
        stolen = chance.sample(active, chance.choice((most, chance.randint(0, most))))
        made = cls(chance, n, active, {each: each for each in active}, set(stolen))
        made.victims = set(chance.sample(active, int(n * 0.3)))
        return made

    def fresh(self) -> Address:
        self.made += 1
        return address(1000 + self.made)

    def block(
        self, producer: Address, signer: Address, changes: tuple[KeyChange, ...] = ()
    ) -> SignedBlock:
        self.made += 1
        parent = self.branch[-1] if self.branch else None
        made = SignedBlock(
            number=len(self.branch) + 1,
            id=BlockId(f"{self.made:064x}"),
            parent_id=parent.id if parent else GENESIS_ID,
            producer=producer,
            signer=signer,
            changes=changes,
        )
        self.branch.append(made)
        return made

    def grow(self) -> SignedBlock:
        """The next honest block, of whoever is not off then."""
        self.before.append((dict(self.keys), list(self.active)))
        slot = self.made + self.chance.choice((0, 0, 0, 1))
        producer = self.active[slot % self.n]
        changes: tuple[KeyChange, ...] = ()
        signer = self.keys[producer]
        if self.chance.random() < 0.08:
            owner = self.chance.choice(self.active)
            self.old[owner] = self.keys[owner]
            self.keys[owner] = self.fresh()
            changes = (KeyChange(owner, self.keys[owner]),)
            if self.chance.random() < 0.03:
                changes = ()  # its transaction was not seen
        if self.chance.random() < 0.05:
            joins = self.fresh()
            self.active[self.chance.randrange(self.n)] = joins
            self.keys[joins] = joins
        # As it comes through the thief's endpoint: the id is the same.
        if producer in self.victims and self.chance.random() < 0.6:
            signer = self.replaced.setdefault(producer, self.fresh())
        elif producer in self.old and self.chance.random() < 0.3:
            signer = self.old[producer]
        return self.block(producer, signer, changes)

    def forge(self, naive: Naive, kinds: Sequence[int]) -> SignedBlock:
        """A block that only stolen, retired and made-up keys sign."""
        changes: tuple[KeyChange, ...] = ()
        if 4 in kinds and self.chance.random() < 0.3:
            changes = (KeyChange(self.chance.choice(sorted(naive.keys)), self.fresh()),)
            self.forged_keys.add(changes[0].key)
        mine = sorted(each for each in self.stolen if each in naive.keys)
        producer = self.chance.choice(sorted(naive.keys))
        match self.chance.choice(kinds):
            case 0 if mine:
                producer = self.chance.choice(mine)
                signer = naive.keys[producer]
            case 1 if naive.retired:
                signer = self.chance.choice(sorted(naive.retired))
                producer = self.retired_of.get(signer, producer)
            case 2:
                producer = signer = self.fresh()
            case 3 if self.replaced:
                producer = self.chance.choice(sorted(self.replaced))
                signer = self.replaced[producer]
            case _:
                signer = self.chance.choice([self.fresh(), *sorted(self.forged_keys)])
        self.before.append((dict(self.keys), list(self.active)))
        made = self.block(producer, signer, changes)
        self.forged.add(made.id)
        return made


@define
class Failure:
    """Why a run failed: ``forged`` or ``differs``."""

    kind: str
    text: str


def play(seed: int, *, compare: bool = True) -> Failure | None:
    """Run one script against `Finality` and `Naive`; give the first failure.

    Without *compare* only a forged block that is final is one.
    """
    network = Network.draw(Random(seed))
    chance = network.chance
    known = dict(network.keys)
    honest = sorted(set(known) - network.stolen)
    unknown = chance.choice((0, 0, len(honest) // 2, len(honest) - 1))
    for each in chance.sample(honest, unknown):
        del known[each]
    core = Finality.begin(
        ProducerSet(network.n, known), "pin", solid=0, solid_id=GENESIS_ID
    )
    naive = Naive(network.n, dict(known), dict.fromkeys(known, 0))
    for failure in _steps(network, core, naive):
        if failure is not None and (compare or failure.kind == "forged"):
            return failure
    return None


def _steps(network: Network, core: Finality, naive: Naive) -> Iterator[Failure | None]:
    chance = network.chance
    limit = 0
    for _ in range(chance.choice((20, 60, 120))):
        match chance.randrange(12):
            case 0:
                depth = chance.randint(0, len(network.branch) - _solid(core, naive))
                _take_back(network, core, len(network.branch) - depth)
            case 1:
                limit = max(limit, len(network.branch) - chance.randint(0, 3))
            case 2:
                yield from _attack(network, core, naive)
            case _:
                core.observe(network.grow())
                if chance.random() < 0.7:
                    limit = len(network.branch)
        yield _advance(network, core, naive, limit)


def _attack(network: Network, core: Finality, naive: Naive) -> Iterator[Failure | None]:
    """A forged tail on a real prefix, taken back in the end."""
    depth = network.chance.randint(0, len(network.branch) - _solid(core, naive))
    start = len(network.branch) - depth
    _take_back(network, core, start)
    kinds = network.chance.choice(((0, 1, 2, 3, 4), (0, 3), (0, 1)))
    for _ in range(network.chance.randint(1, 4 * network.n)):
        core.observe(network.forge(naive, kinds))
        yield _advance(network, core, naive, len(network.branch))
    _take_back(network, core, max(start, _solid(core, naive)))


def _solid(core: Finality, naive: Naive) -> int:
    return max(core.solid, len(naive.final))


def _take_back(network: Network, core: Finality, number: int) -> None:
    if number < len(network.branch):
        network.keys, network.active = network.before[number]
    del network.branch[number:], network.before[number:]
    core.revert(number)


def _advance(
    network: Network, core: Finality, naive: Naive, limit: int
) -> Failure | None:
    core.advance(limit)
    retired = set(naive.retired)
    naive.advance(network.branch, limit)
    for key in naive.retired - retired:
        network.retired_of[key] = next(
            (e.producer for e in reversed(naive.final) if e.signer == key),
            address(999),
        )
    made = next(
        (e for e in network.branch[: core.solid] if e.id in network.forged), None
    )
    if made is not None:
        return Failure("forged", f"block {made.number} is final")
    keys = {each.producer: each.key for each in core.members.values()}
    ours, theirs = (core.solid, keys), (len(naive.final), naive.keys)
    if ours != theirs:
        return Failure("differs", f"{ours} is not {theirs}")
    return None
