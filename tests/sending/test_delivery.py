"""What is delivered by the service, and not by the call that asked for the payment."""

import trio
import trio.testing

from tests.sending.model import pay, process


async def test_run_sends_what_is_due_after_each_block() -> None:
    async with process() as made:
        made.chain.reply = lambda _: "lost request"
        sent = await pay(made)
        async with trio.open_nursery() as nursery:
            await nursery.start(made.sender.run)
            made.chain.reply = lambda _: "take"
            for _ in range(20):  # blocks; it is due again after some of them
                made.chain.grow()
                await made.follower._turn()
                await trio.testing.wait_all_tasks_blocked(0.01)
                if made.chain.pool:
                    break
            assert list(made.chain.pool) == [sent.txid]
            nursery.cancel_scope.cancel()
