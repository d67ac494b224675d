"""InteropToken in Python: the one contract of this chain, until a machine runs any.

A TRC-20 with owner mint and blacklist (tests/interop/contracts/InteropToken.sol). What
a call does is computed here; its energy is a table, recorded on java-tron 4.8.0 (the
README of tests/interop): a fixed part per path plus 20,000 for a storage slot that was
zero and becomes something, 5,000 for any other write (EnergyCost.SSTORE).

Figures marked "near" were not recorded: they are taken from the neighbouring path.

A token may be of an odd sort (`token_sorts`): then what a transfer does and returns,
and how it is logged, is that row's.
"""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from attrs import field, frozen

from lucidtrond.devnet.state.token_answers import (
    decimals_answer,
    text_answer,
    transfer_event,
)
from lucidtrond.devnet.state.token_sorts import PLAIN, Moves, TokenSort
from lucidtrond.tron.hashing import keccak256
from lucidtrond.tron.units import Sun

SLOT_NEW: Final = 20_000
SLOT_CHANGE: Final = 5_000
WORD: Final = 32
MAX_UINT: Final = 2**256 - 1
_NOTHING: Final = Sun(0)

TRANSFER_TOPIC: Final = keccak256(b"Transfer(address,address,uint256)")
APPROVAL_TOPIC: Final = keccak256(b"Approval(address,address,uint256)")
BLACKLISTED_TOPIC: Final = keccak256(b"Blacklisted(address,bool)")


class Storage(Protocol):
    """The token's slots; what was never written is 0."""

    def get(self, slot: bytes) -> int: ...

    def put(self, slot: bytes, value: int) -> None: ...


@frozen
class TokenFacts:
    """What the constructor was given; *owner* and holders are 20 bytes."""

    name: str
    symbol: str
    decimals: int
    owner: bytes
    sort: TokenSort = PLAIN


@frozen
class TokenLog:
    topics: tuple[bytes, ...]
    data: bytes


@frozen
class TokenResult:
    """How a call ended. *changes* are to be applied only if it is SUCCESS."""

    result: str
    """SUCCESS, REVERT or OUT_OF_ENERGY."""
    energy: int
    data: bytes = b""
    message: str = ""
    logs: tuple[TokenLog, ...] = ()
    changes: Mapping[bytes, int] = field(factory=dict)


class _Reverted(Exception):
    def __init__(self, energy: int, data: bytes) -> None:
        super().__init__("REVERT opcode executed")
        self.energy, self.data = energy, data


class _OutOfEnergy(Exception):
    pass


def initial_slots(owner: bytes, supply: int) -> dict[bytes, int]:
    """What the constructor leaves in storage."""
    return {TOTAL_SUPPLY: supply, _balance(owner): supply}


def call(
    facts: TokenFacts,
    storage: Storage,
    *,
    caller: bytes,
    data: bytes,
    limit: int,
    value: Sun = _NOTHING,
    simulated: bool = False,
) -> TokenResult:
    """Run call data of *caller* (20 bytes) under *limit* energy; changes nothing.

    No function takes TRX: sent *value* reverts. *simulated*: it is a constant call,
    which some contracts can tell.
    """
    run = _Run(facts, storage, caller, limit, simulated=simulated)
    entry = _PAID if value else _entry(facts.sort, data[:4])
    base = entry.base + facts.sort.extra_energy
    try:
        returned = entry.run(run, *_words(data, entry.words))
        run.spend_to_end(base)
    except _Reverted as exc:
        if exc.energy > limit:
            return _exhausted(run)
        return TokenResult(
            "REVERT", exc.energy, data=exc.data, message="REVERT opcode executed"
        )
    except _OutOfEnergy:
        return _exhausted(run)
    return TokenResult(
        "SUCCESS",
        run.energy(base),
        data=returned,
        logs=tuple(run.logs),
        changes=run.changes,
    )


def _words(data: bytes, count: int) -> list[int]:
    if len(data) < 4 + WORD * count:
        raise _Reverted(_NO_FUNCTION, b"")
    return [
        int.from_bytes(data[4 + WORD * at : 4 + WORD * (at + 1)], "big")
        for at in range(count)
    ]


def _exhausted(run: "_Run") -> TokenResult:
    return TokenResult("OUT_OF_ENERGY", run.limit, message=run.last_words)


class _Run:
    """One call: slots over the storage below, energy spent, logs."""

    def __init__(
        self,
        facts: TokenFacts,
        storage: Storage,
        caller: bytes,
        limit: int,
        *,
        simulated: bool,
    ) -> None:
        self.facts, self._storage, self.caller, self.limit = (
            facts,
            storage,
            caller,
            limit,
        )
        self.simulated = simulated
        self.changes: dict[bytes, int] = {}
        self.logs: list[TokenLog] = []
        self.last_words = ""
        self._slots = 0

    def get(self, slot: bytes) -> int:
        value = self.changes.get(slot)
        return self._storage.get(slot) if value is None else value

    def put(self, slot: bytes, value: int, *, before: int) -> None:
        """Write a slot; *before* is the other energy used up to this opcode."""
        cost = SLOT_NEW if value and not self.get(slot) else SLOT_CHANGE
        self._need(before + self._slots, cost, "SSTORE")
        self._slots += cost
        self.changes[slot] = value

    def energy(self, base: int) -> int:
        return base + self._slots

    def spend_to_end(self, base: int) -> None:
        self._need(self.energy(base), 0, "STOP")

    def _need(self, used: int, cost: int, opcode: str) -> None:
        if used + cost > self.limit:
            # Program.spendEnergy's text
            self.last_words = (
                f"Not enough energy for '{opcode}' operation executing: "
                f"curInvokeEnergyLimit[{self.limit}], curOpEnergy[{cost}], "
                f"usedEnergy[{min(used, self.limit)}]"
            )
            raise _OutOfEnergy

    def moves(self) -> bool:
        """Whether a transfer moves anything now; its owner's always do."""
        match self.facts.sort.moves:
            case Moves.ALWAYS:
                return True
            case Moves.NEVER:
                return self.caller == self.facts.owner
            case Moves.SIMULATED:
                honest = self.simulated or self.get(RULE) == 1
                return honest or self.caller == self.facts.owner

    def log_transfer(self, sender: bytes, to: bytes, amount: int) -> None:
        form = self.facts.sort.form
        topics, data = transfer_event(form, TRANSFER_TOPIC, (sender, to), amount)
        self.logs.append(TokenLog(topics, data))

    def require(self, *, holds: bool, reason: str, energy: int) -> None:
        if not holds:
            raise _Reverted(energy, revert_data(f"InteropToken: {reason}"))


def revert_data(reason: str) -> bytes:
    """Error(string) as ABI."""
    return keccak256(b"Error(string)")[:4] + _uint(WORD) + _string_tail(reason)


def _string_tail(text: str) -> bytes:
    raw = text.encode()
    return _uint(len(raw)) + raw + bytes(-len(raw) % WORD)


def _uint(value: int) -> bytes:
    return value.to_bytes(WORD, "big")


def _address(word: int) -> bytes:
    """Solidity 0.8 reverts without a word when the upper 12 bytes are not zero."""
    if word >> 160:
        raise _Reverted(300, b"")  # near
    return word.to_bytes(20, "big")


def _word_of(address: bytes) -> bytes:
    return address.rjust(WORD, b"\0")


TOTAL_SUPPLY: Final = b"s"
RULE: Final = b"r"
"""Of a token whose rule can be changed (`Moves.SIMULATED`)."""


def _balance(holder: bytes) -> bytes:
    return b"b" + holder


def _allowance(holder: bytes, spender: bytes) -> bytes:
    return b"a" + holder + spender


def _listed(account: bytes) -> bytes:
    return b"l" + account


def compiled_slot(slot: bytes) -> bytes:
    """Where compiled code keeps what is in a slot here (Solidity's layout)."""
    kind, key = slot[:1], slot[1:]
    if slot in (TOTAL_SUPPLY, RULE):
        return _uint(3 if slot == TOTAL_SUPPLY else 8)
    place = _uint({b"b": 5, b"a": 6, b"l": 7}[kind])
    for at in range(0, len(key), 20):
        place = keccak256(_word_of(key[at : at + 20]) + place)
    return place


_ZERO: Final = bytes(20)
_NO_FUNCTION: Final = 262  # near
_PANIC: Final = keccak256(b"Panic(uint256)")[:4]


def _move(
    run: _Run, sender: bytes, to: bytes, value: int, *, paths: tuple[int, int, int]
) -> None:
    """*paths*: energy of a blacklist revert, of a balance revert, before the writes."""
    blacklisted, poor, before = paths
    run.require(holds=to != _ZERO, reason="zero address", energy=blacklisted - 400)
    run.require(
        holds=not run.get(_listed(sender)),
        reason="sender is blacklisted",
        energy=blacklisted - 200,  # near
    )
    run.require(
        holds=not run.get(_listed(to)),
        reason="recipient is blacklisted",
        energy=blacklisted,
    )
    have = run.get(_balance(sender))
    run.require(holds=have >= value, reason="insufficient balance", energy=poor)
    run.put(_balance(sender), have - value, before=before)
    fee = value * run.facts.sort.fee_percent // 100
    _credit(run, to, value - fee, before=before)
    run.log_transfer(sender, to, value - fee)
    if fee:
        _credit(run, run.facts.owner, fee, before=before)
        run.log_transfer(sender, run.facts.owner, fee)


def _credit(run: _Run, to: bytes, value: int, *, before: int) -> None:
    run.put(_balance(to), (run.get(_balance(to)) + value) & MAX_UINT, before=before)


def _transfer(run: _Run, to: int, value: int) -> bytes:
    if run.moves():
        # 6347 used before the second SSTORE, of which 5000 for the first: 1347.
        _move(run, run.caller, _address(to), value, paths=(839, 998, 1347))
    return run.facts.sort.returns.value


def _transfer_from(run: _Run, holder: int, to: int, value: int) -> bytes:
    if not run.moves():
        return run.facts.sort.returns.value
    sender = _address(holder)
    slot = _allowance(sender, run.caller)
    allowed = run.get(slot)
    run.require(holds=allowed >= value, reason="insufficient allowance", energy=835)
    if allowed != MAX_UINT:
        run.put(slot, allowed - value, before=900)  # near
    _move(
        run, sender, _address(to), value, paths=(839 + 5631, 998 + 5631, 1978)
    )  # near
    return run.facts.sort.returns.value


def _approve(run: _Run, spender: int, value: int) -> bytes:
    to = _address(spender)
    run.require(holds=to != _ZERO, reason="zero address", energy=500)  # near
    run.put(_allowance(run.caller, to), value, before=700)  # near
    run.logs.append(
        TokenLog((APPROVAL_TOPIC, _word_of(run.caller), _word_of(to)), _uint(value))
    )
    return _uint(1)


def _only_owner(run: _Run) -> None:
    run.require(
        holds=run.caller == run.facts.owner,
        reason="caller is not the owner",
        energy=600,  # near
    )


def _mint(run: _Run, to: int, value: int) -> bytes:
    _only_owner(run)
    holder = _address(to)
    run.require(holds=holder != _ZERO, reason="zero address", energy=650)  # near
    supply = run.get(TOTAL_SUPPLY) + value
    if supply > MAX_UINT:
        raise _Reverted(730, _PANIC + _uint(0x11))
    run.put(TOTAL_SUPPLY, supply, before=900)  # near
    run.put(_balance(holder), run.get(_balance(holder)) + value, before=1100)  # near
    run.log_transfer(_ZERO, holder, value)
    return b""


def _burn(run: _Run, value: int) -> bytes:
    have = run.get(_balance(run.caller))
    run.require(holds=have >= value, reason="insufficient balance", energy=998)
    supply = run.get(TOTAL_SUPPLY) - value
    run.put(_balance(run.caller), have - value, before=1000)  # near
    run.put(TOTAL_SUPPLY, supply, before=1100)  # near
    run.log_transfer(run.caller, _ZERO, value)
    return b""


def _set_rule(run: _Run, rule: int) -> bytes:
    _only_owner(run)
    run.put(RULE, rule, before=700)  # near
    return b""


def _set_blacklisted(run: _Run, account: int, listed: int) -> bytes:
    _only_owner(run)
    if listed > 1:  # not a bool: Solidity's decoder reverts
        raise _Reverted(300, b"")  # near
    who = _address(account)
    run.put(_listed(who), listed, before=800)  # near
    run.logs.append(TokenLog((BLACKLISTED_TOPIC, _word_of(who)), _uint(listed)))
    return b""


@frozen
class _Function:
    words: int
    base: int
    run: Callable[..., bytes]


def _view(base: int, words: int, read: Callable[..., bytes]) -> _Function:
    return _Function(words, base, read)


def _name(run: _Run) -> bytes:
    return _claim(text_answer(run.facts.sort.metadata, run.facts.name))


def _symbol(run: _Run) -> bytes:
    return _claim(text_answer(run.facts.sort.metadata, run.facts.symbol))


def _decimals(run: _Run) -> bytes:
    return _claim(decimals_answer(run.facts.sort.metadata, run.facts.decimals))


def _claim(answer: bytes | None) -> bytes:
    if answer is None:
        raise _Reverted(_NO_FUNCTION, b"")
    return answer


def _no_function(_run: _Run) -> bytes:
    raise _Reverted(_NO_FUNCTION, b"")


def _not_payable(_run: _Run) -> bytes:
    raise _Reverted(45, b"")  # counted: 13 opcodes from the code's beginning


_FALLBACK: Final = _Function(0, 0, _no_function)
_PAID: Final = _Function(0, 0, _not_payable)
_SIGNATURES: Final = {
    "name()": _view(994, 0, _name),
    "symbol()": _view(
        1060,
        0,
        _symbol,
    ),
    "decimals()": _view(
        344,
        0,
        lambda run: _claim(
            decimals_answer(run.facts.sort.metadata, run.facts.decimals)
        ),
    ),
    "totalSupply()": _view(282, 0, lambda run: _uint(run.get(TOTAL_SUPPLY))),
    "owner()": _view(324, 0, lambda run: _word_of(run.facts.owner)),
    "balanceOf(address)": _view(
        498, 1, lambda run, who: _uint(run.get(_balance(_address(who))))
    ),
    "allowance(address,address)": _view(
        726,
        2,
        lambda run, a, b: _uint(run.get(_allowance(_address(a), _address(b)))),
    ),
    "isBlacklisted(address)": _view(
        575, 1, lambda run, who: _uint(run.get(_listed(_address(who))))
    ),
    "transfer(address,uint256)": _Function(2, 3297, _transfer),
    "approve(address,uint256)": _Function(2, 2421, _approve),
    "transferFrom(address,address,uint256)": _Function(3, 3928, _transfer_from),
    "mint(address,uint256)": _Function(2, 2812, _mint),
    "setBlacklisted(address,bool)": _Function(2, 2105, _set_blacklisted),
}
_FUNCTIONS: Final = {
    keccak256(signature.encode())[:4]: function
    for signature, function in _SIGNATURES.items()
}
_BURN: Final = keccak256(b"burn(uint256)")[:4]
_SET_RULE: Final = keccak256(b"setRule(uint256)")[:4]


def _entry(sort: TokenSort, selector: bytes) -> _Function:
    """What a sort's code runs for a selector."""
    if sort.burns and selector == _BURN:
        return _Function(1, 2600, _burn)  # near
    if sort.moves is Moves.SIMULATED and selector == _SET_RULE:
        return _Function(1, 1200, _set_rule)  # near
    return _FUNCTIONS.get(selector, _FALLBACK)
