"""Another endpoint is asked for a block that one can't show whole, at little cost."""

import trio
import trio.testing
from attrs import evolve

from lucidtrond.node.questions.served import PROVE_WITHIN_S
from tests.node.health.test_silence import NEVER, watched
from tests.node.nodes import RecordedNode, always, answer, open_nodes

Clock = trio.testing.MockClock
BLOCK_S = 3.0


async def test_the_other_endpoint_shows_it_whole() -> None:
    first, second = RecordedNode(), RecordedNode()
    async with open_nodes(first, second) as pool:
        [whole] = await pool.fetch_blocks(880, 881)
        bare = evolve(whole, root_proven=False)
        assert await pool.fetch_proven(bare) == whole
        assert first.questions("getblockbyid") == []
        assert len(second.questions("getblockbyid")) == 1
        second.fault = always(lambda: answer("", 500))
        assert await pool.fetch_proven(bare) is None


async def test_who_served_it_is_not_asked_again() -> None:
    node = RecordedNode()
    async with open_nodes(node) as pool:
        [whole] = await pool.fetch_blocks(880, 881)
        asked = len(node.asked)
        assert await pool.fetch_proven(evolve(whole, root_proven=False)) is None
        assert len(node.asked) == asked


async def test_a_silent_endpoint_delays_following_once(autojump_clock: Clock) -> None:
    """Every third block of mainnet may be unproven: they come faster than timeouts."""
    first, silent = RecordedNode(), RecordedNode()
    async with watched(first, silent) as pool:
        [whole] = await pool.fetch_blocks(880, 881)
        bare = evolve(whole, root_proven=False)
        silent.delay_s = NEVER
        waited: list[float] = []
        for _ in range(200):
            begun = trio.current_time()
            assert await pool.fetch_proven(bare) is None
            waited.append(trio.current_time() - begun)
            await trio.sleep(BLOCK_S)
        assert max(waited) <= PROVE_WITHIN_S
        assert sum(waited) <= 5 * PROVE_WITHIN_S


async def test_a_slow_endpoint_delays_no_block_for_long(autojump_clock: Clock) -> None:
    first, slow = RecordedNode(), RecordedNode()
    async with watched(first, slow) as pool:
        [whole] = await pool.fetch_blocks(880, 881)
        slow.delay_s = 8.0
        begun = trio.current_time()
        assert await pool.fetch_proven(evolve(whole, root_proven=False)) is None
        assert trio.current_time() - begun == PROVE_WITHIN_S
