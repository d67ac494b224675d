"""The plan, against a node that forks, lags and speaks of several moments."""

from hypothesis import given
from hypothesis import strategies as st

from lucidtrond.chain.plan import (
    PAGE,
    Advance,
    Another,
    Begin,
    Contradiction,
    Fetch,
    Held,
    Link,
    Range,
    Step,
    Wait,
    ask,
    plan,
)
from lucidtrond.tron.block import BlockId

MOVES = st.one_of(
    st.tuples(st.just("grow"), st.integers(1, 130)),
    st.tuples(st.just("fork"), st.integers(1, 60)),
    st.tuples(st.just("solidify"), st.integers(0, 25)),
    st.tuples(st.just("follow"), st.just(0)),
)


def block_id(number: int, salt: int = 0) -> BlockId:
    return BlockId(f"{number:016x}{salt:048x}")


def chain(length: int, *, salt: int = 0) -> list[Link]:
    return grown([], length, salt=salt)


def grown(below: list[Link], count: int, *, salt: int = 0) -> list[Link]:
    links = list(below)
    for _ in range(count):
        number = len(links)
        parent = links[-1].id if links else block_id(0, 999)
        links.append(Link(number, block_id(number, salt), parent))
    return links


def held_of(links: list[Link], *, solid: int) -> Held:
    return Held(solid, tuple(link.id for link in links[solid:]))


def settle(held: Held | None, links: list[Link], solid: int) -> tuple[Held, list[Step]]:
    """Follow *links* until nothing is left to do; give what we hold, and the steps."""
    steps: list[Step] = []
    while True:
        said = links[solid]
        asked = ask(held, said)
        stored = links[said.number].id
        while True:
            page = links[asked.start : asked.end]
            step = plan(held, solid=said, asked=asked, page=page, stored=stored)
            steps.append(step)
            assert len(steps) < 200, "it goes round in circles"
            if not isinstance(step, Fetch):
                break
            assert 0 < step.asked.end - step.asked.start <= PAGE
            assert step.asked.start < asked.start
            asked = step.asked
        match step:
            case Begin():
                held = Held(step.number, (links[step.number].id,))
            case Advance():
                assert held is not None
                assert held.solid <= step.revert_to <= held.head
                new = page[step.skip :]
                after = held.extended(
                    step.revert_to, [link.id for link in new], step.solid_to
                )
                assert after.solid >= held.solid
                if after == held:
                    return held, steps
                held = after
            case _:
                assert held is not None
                return held, steps


@given(st.lists(MOVES, max_size=30), st.integers(0, 50))
def test_whatever_the_chain_does_we_come_to_hold_it_and_revert_nothing_solid(
    moves: list[tuple[str, int]], length: int
) -> None:
    links = chain(length + 1)
    solid, longest, salt = 0, len(links), 0
    held: Held | None = None
    for move, size in moves:
        match move:
            case "grow":
                links = grown(links, size, salt=salt)
            case "fork":
                # java-tron leaves a branch only for a longer one.
                salt += 1
                kept = max(solid + 1, len(links) - size)
                links = grown(links[:kept], len(links) - kept + 1, salt=salt)
            case "solidify":
                solid = max(solid, len(links) - 1 - size)
            case _:
                held, _ = settle(held, links, solid)
        longest = max(longest, len(links))
    held, steps = settle(held, links, solid)
    assert held == held_of(links, solid=solid)
    assert not any(isinstance(step, Another | Contradiction) for step in steps)


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 40),
    st.integers(0, 40),
)
def test_a_branch_that_is_not_longer_is_not_taken(
    common: int, ours: int, theirs: int, solid: int
) -> None:
    below = chain(common)
    mine = grown(below, ours, salt=1)
    other = grown(below, min(theirs, ours), salt=2)
    solid = min(solid, common - 1)
    held, _ = settle(held_of(mine, solid=0), other, solid)
    assert [mine[-1].id, len(mine)] == [held.ids[-1], held.head + 1]


def test_a_shorter_branch_is_taken_when_the_node_calls_it_final() -> None:
    below = chain(10)
    mine = grown(below, 15, salt=1)
    other = grown(below, 5, salt=2)
    held, _ = settle(held_of(mine, solid=4), other, 12)
    assert held == held_of(other, solid=12)


def test_a_fork_deeper_than_a_page_is_followed() -> None:
    below = chain(10)
    mine = grown(below, 330, salt=1)
    other = grown(below, 340, salt=2)
    held, steps = settle(held_of(mine, solid=3), other, 5)
    assert held == held_of(other, solid=5)
    assert len([step for step in steps if isinstance(step, Fetch)]) < 8


@given(st.integers(5, 60), st.integers(0, 4), st.integers(0, 70))
def test_a_chain_that_differs_at_our_solid_block_is_another(
    length: int, parting: int, solid: int
) -> None:
    below = chain(parting + 1)
    mine = grown(below, length, salt=1)
    other = grown(below, 70 + 1, salt=2)
    held = held_of(mine, solid=parting + 1)
    said = other[min(solid + parting + 1, len(other) - 1)]
    asked = ask(held, said)
    for _ in range(10):
        step = plan(
            held,
            solid=said,
            asked=asked,
            page=other[asked.start : asked.end],
            stored=None,
        )
        if not isinstance(step, Fetch):
            break
        asked = step.asked
    assert isinstance(step, Another)
    assert step.ours == mine[step.number].id
    assert step.theirs == other[step.number].id


def test_a_solid_head_below_ours_is_compared_with_what_is_stored() -> None:
    links = chain(50)
    other = chain(50, salt=7)
    held = held_of(links, solid=40)
    asked = ask(held, links[30])

    def step(said: Link, stored: BlockId | None) -> Step:
        return plan(held, solid=said, asked=asked, page=[], stored=stored)

    assert step(links[30], links[30].id) == Wait(behind=True)
    assert step(links[30], None) == Wait(behind=True)
    assert isinstance(step(other[30], links[30].id), Another)


def test_another_block_named_at_our_very_solid_number_is_another_chain() -> None:
    links = chain(60)
    strange = Link(40, block_id(40, 3), links[39].id)
    held = held_of(links[:51], solid=40)
    asked = ask(held, strange)
    for page in ([], links[asked.start : asked.end]):
        step = plan(held, solid=strange, asked=asked, page=page)
        assert step == Another(40, links[40].id, strange.id)


def test_a_head_from_before_a_pause_is_not_solidified_by_its_number() -> None:
    # We applied a branch that died while we slept; the chain went on without it.
    below = chain(20)
    mine = grown(below, 5, salt=1)
    other = grown(below, 200, salt=2)
    held = held_of(mine, solid=15)
    said = other[180]
    asked = ask(held, said)
    step = plan(held, solid=said, asked=asked, page=other[asked.start : asked.end])
    assert isinstance(step, Fetch)
    settled, _ = settle(held, other, 180)
    assert settled == held_of(other, solid=180)


@given(st.integers(0, 60), st.sampled_from(["gap", "link", "start", "beyond"]))
def test_a_page_that_contradicts_itself_moves_nothing(at: int, fault: str) -> None:
    links = chain(140)
    held = held_of(links[:51], solid=40)
    asked = Range(51, 121)
    page = links[51:121]
    match fault:
        case "gap":
            del page[at + 1]
        case "link":
            odd = page[at + 1]
            page[at + 1] = Link(odd.number, odd.id, block_id(odd.number - 1, 5))
        case "start":
            page = page[1:]
        case _:
            page = links[51:122]
    if fault == "gap" and at + 1 == len(page):
        return  # a shorter page is a good page
    step = plan(held, solid=links[45], asked=asked, page=page)
    assert isinstance(step, Contradiction)


def test_two_different_solid_blocks_in_one_round_are_a_contradiction() -> None:
    links = chain(120)
    strange = Link(90, block_id(90, 3), links[89].id)
    held = held_of(links[:101], solid=80)
    asked = ask(held, strange)
    page = links[asked.start : asked.end]
    assert isinstance(plan(held, solid=strange, asked=asked, page=page), Contradiction)
    assert isinstance(
        plan(None, solid=strange, asked=ask(None, strange), page=links[90:91]),
        Contradiction,
    )


def test_the_first_block_is_the_solid_one() -> None:
    links = chain(30)
    assert ask(None, links[12]) == Range(12, 13)
    step = plan(None, solid=links[12], asked=Range(12, 13), page=links[12:13])
    assert step == Begin(12)
