"""InteropToken in Python: the one contract of this chain, until a machine runs any.

A TRC-20 with owner mint and blacklist (tests/interop/contracts/InteropToken.sol). What
a call does is computed here; its energy is a table, recorded on java-tron 4.8.0 (the
README of tests/interop): a fixed part per path plus what writing slots costs
(`token_run`).

Figures marked "near" were not recorded: they are taken from the neighbouring path.

A token may be of an odd sort (`token_sorts`): then what a transfer does and returns,
and how it is logged, is that row's.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from lucidtrond.devnet.state.token_answers import decimals_answer, text_answer
from lucidtrond.devnet.state.token_run import (
    MAX_UINT,
    OutOfEnergy,
    Reverted,
    Storage,
    TokenFacts,
    TokenLog,
    TokenResult,
    TokenRun,
)
from lucidtrond.devnet.state.token_slots import (
    BASIS_POINTS,
    DEPRECATED,
    MOST_FEE,
    RULE,
    TOTAL_SUPPLY,
    WORD,
    allowance_slot,
    balance_slot,
    listed_slot,
    uint,
    word_of,
)
from lucidtrond.devnet.state.token_sorts import Moves, TokenSort
from lucidtrond.tron.hashing import keccak256
from lucidtrond.tron.units import Sun

_NOTHING: Final = Sun(0)

APPROVAL_TOPIC: Final = keccak256(b"Approval(address,address,uint256)")
BLACKLISTED_TOPIC: Final = keccak256(b"Blacklisted(address,bool)")


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
    run = TokenRun(facts, storage, caller, limit, simulated=simulated)
    entry = _PAID if value else _entry(facts.sort, data[:4])
    base = entry.base + facts.sort.extra_energy
    try:
        returned = entry.run(run, *_words(data, entry.words))
        run.spend_to_end(base)
    except Reverted as exc:
        if exc.energy > limit:
            return _exhausted(run)
        return TokenResult(
            "REVERT", exc.energy, data=exc.data, message="REVERT opcode executed"
        )
    except OutOfEnergy:
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
        raise Reverted(_NO_FUNCTION, b"")
    return [
        int.from_bytes(data[4 + WORD * at : 4 + WORD * (at + 1)], "big")
        for at in range(count)
    ]


def _exhausted(run: TokenRun) -> TokenResult:
    return TokenResult("OUT_OF_ENERGY", run.limit, message=run.message)


def _address(word: int) -> bytes:
    """Solidity 0.8 reverts without a word when the upper 12 bytes are not zero."""
    if word >> 160:
        raise Reverted(300, b"")  # near
    return word.to_bytes(20, "big")


_ZERO: Final = bytes(20)
_NO_FUNCTION: Final = 262  # near
_PANIC: Final = keccak256(b"Panic(uint256)")[:4]


def _move(
    run: TokenRun, sender: bytes, to: bytes, value: int, *, paths: tuple[int, int, int]
) -> None:
    """*paths*: energy of a blacklist revert, of a balance revert, before the writes."""
    blacklisted, poor, before = paths
    run.require(holds=to != _ZERO, reason="zero address", energy=blacklisted - 400)
    run.require(
        holds=not run.get(listed_slot(sender)),
        reason="sender is blacklisted",
        energy=blacklisted - 200,  # near
    )
    run.require(
        holds=not run.get(listed_slot(to)),
        reason="recipient is blacklisted",
        energy=blacklisted,
    )
    have = run.get(balance_slot(sender))
    run.require(holds=have >= value, reason="insufficient balance", energy=poor)
    run.put(balance_slot(sender), have - value, before=before)
    fee = run.fee_of(value)
    _credit(run, to, value - fee, before=before)
    run.log_transfer(sender, to, value - fee)
    if fee:
        _credit(run, run.facts.owner, fee, before=before)
        run.log_transfer(sender, run.facts.owner, fee)


def _credit(run: TokenRun, to: bytes, value: int, *, before: int) -> None:
    run.put(
        balance_slot(to), (run.get(balance_slot(to)) + value) & MAX_UINT, before=before
    )


def _transfer(run: TokenRun, to: int, value: int) -> bytes:
    if run.moves():
        # 6347 used before the second SSTORE, of which 5000 for the first: 1347.
        _move(run, run.caller, _address(to), value, paths=(839, 998, 1347))
    return run.facts.sort.returns.value


def _transfer_from(run: TokenRun, holder: int, to: int, value: int) -> bytes:
    if not run.moves():
        return run.facts.sort.returns.value
    sender = _address(holder)
    slot = allowance_slot(sender, run.caller)
    allowed = run.get(slot)
    run.require(holds=allowed >= value, reason="insufficient allowance", energy=835)
    if allowed != MAX_UINT:
        run.put(slot, allowed - value, before=900)  # near
    _move(
        run, sender, _address(to), value, paths=(839 + 5631, 998 + 5631, 1978)
    )  # near
    return run.facts.sort.returns.value


def _approve(run: TokenRun, spender: int, value: int) -> bytes:
    to = _address(spender)
    run.require(holds=to != _ZERO, reason="zero address", energy=500)  # near
    run.put(allowance_slot(run.caller, to), value, before=700)  # near
    run.logs.append(
        TokenLog((APPROVAL_TOPIC, word_of(run.caller), word_of(to)), uint(value))
    )
    return uint(1)


def _only_owner(run: TokenRun) -> None:
    run.require(
        holds=run.caller == run.facts.owner,
        reason="caller is not the owner",
        energy=600,  # near
    )


def _mint(run: TokenRun, to: int, value: int) -> bytes:
    _only_owner(run)
    holder = _address(to)
    run.require(holds=holder != _ZERO, reason="zero address", energy=650)  # near
    supply = run.get(TOTAL_SUPPLY) + value
    if supply > MAX_UINT:
        raise Reverted(730, _PANIC + uint(0x11))
    run.put(TOTAL_SUPPLY, supply, before=900)  # near
    run.put(
        balance_slot(holder), run.get(balance_slot(holder)) + value, before=1100
    )  # near
    run.log_transfer(_ZERO, holder, value)
    return b""


def _burn(run: TokenRun, value: int) -> bytes:
    have = run.get(balance_slot(run.caller))
    run.require(holds=have >= value, reason="insufficient balance", energy=998)
    supply = run.get(TOTAL_SUPPLY) - value
    run.put(balance_slot(run.caller), have - value, before=1000)  # near
    run.put(TOTAL_SUPPLY, supply, before=1100)  # near
    run.log_transfer(run.caller, _ZERO, value)
    return b""


def _set_rule(run: TokenRun, rule: int) -> bytes:
    _only_owner(run)
    run.put(RULE, rule, before=700)  # near
    return b""


def _set_params(run: TokenRun, basis_points: int, most: int) -> bytes:
    """Bounds and unit of TetherToken.setParams."""
    _only_owner(run)
    within = basis_points < 20 and most < 50
    run.require(holds=within, reason="fee too high", energy=620)  # near
    run.put(BASIS_POINTS, basis_points, before=800)  # near
    run.put(MOST_FEE, most * 10**run.facts.decimals, before=900)  # near
    return b""


def _deprecate(run: TokenRun, upgraded: int) -> bytes:
    """Sets the flag only: there is no upgraded contract to go on with."""
    _only_owner(run)
    _address(upgraded)
    run.put(DEPRECATED, 1, before=700)  # near
    return b""


def _set_blacklisted(run: TokenRun, account: int, listed: int) -> bytes:
    _only_owner(run)
    if listed > 1:  # not a bool: Solidity's decoder reverts
        raise Reverted(300, b"")  # near
    who = _address(account)
    run.put(listed_slot(who), listed, before=800)  # near
    run.logs.append(TokenLog((BLACKLISTED_TOPIC, word_of(who)), uint(listed)))
    return b""


class _Function(Struct, frozen=True):
    words: int
    base: int
    run: Callable[..., bytes]


def _view(base: int, words: int, read: Callable[..., bytes]) -> _Function:
    return _Function(words, base, read)


def _name(run: TokenRun) -> bytes:
    return _claim(text_answer(run.facts.sort.metadata, run.facts.name))


def _symbol(run: TokenRun) -> bytes:
    return _claim(text_answer(run.facts.sort.metadata, run.facts.symbol))


def _decimals(run: TokenRun) -> bytes:
    return _claim(decimals_answer(run.facts.sort.metadata, run.facts.decimals))


def _claim(answer: bytes | None) -> bytes:
    if answer is None:
        raise Reverted(_NO_FUNCTION, b"")
    return answer


def _no_function(_run: TokenRun) -> bytes:
    raise Reverted(_NO_FUNCTION, b"")


def _not_payable(_run: TokenRun) -> bytes:
    raise Reverted(45, b"")  # counted: 13 opcodes from the code's beginning


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
    "totalSupply()": _view(282, 0, lambda run: uint(run.get(TOTAL_SUPPLY))),
    "owner()": _view(324, 0, lambda run: word_of(run.facts.owner)),
    "balanceOf(address)": _view(
        498, 1, lambda run, who: uint(run.get(balance_slot(_address(who))))
    ),
    "allowance(address,address)": _view(
        726,
        2,
        lambda run, a, b: uint(run.get(allowance_slot(_address(a), _address(b)))),
    ),
    "isBlacklisted(address)": _view(
        575, 1, lambda run, who: uint(run.get(listed_slot(_address(who))))
    ),
    # Not InteropToken's; what decides whether mainnet's USDT is exact.  # near
    "basisPointsRate()": _view(300, 0, lambda run: uint(run.fee_terms()[0])),
    "maximumFee()": _view(300, 0, lambda run: uint(run.fee_terms()[1])),
    "deprecated()": _view(300, 0, lambda run: uint(run.get(DEPRECATED))),
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
_PARAMS: Final = {
    keccak256(b"setParams(uint256,uint256)")[:4]: _Function(2, 1600, _set_params),
    keccak256(b"deprecate(address)")[:4]: _Function(1, 1300, _deprecate),
}  # near
_SET_RULE: Final = keccak256(b"setRule(uint256)")[:4]


def _entry(sort: TokenSort, selector: bytes) -> _Function:
    """What a sort's code runs for a selector."""
    if sort.burns and selector == _BURN:
        return _Function(1, 2600, _burn)  # near
    if sort.moves is Moves.SIMULATED and selector == _SET_RULE:
        return _Function(1, 1200, _set_rule)  # near
    if sort.has_params and selector in _PARAMS:
        return _PARAMS[selector]
    return _FUNCTIONS.get(selector, _FALLBACK)
