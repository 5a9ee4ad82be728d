"""Whose turn it is, and that no turn is ever lost."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from custom_components.hybrid_inverter.modbus.transport.turns import Priority, RequestQueue


async def test_closing_goes_before_writes_and_writes_before_reads() -> None:
    """Closing before writes before reads; within each the first to come."""
    line, served = RequestQueue(), []

    async def serve(name: str, priority: Priority) -> None:
        async with line.turn(priority):
            served.append(name)

    async with line.turn(Priority.READ), asyncio.TaskGroup() as group:
        for name, priority in (
            ("read 1", Priority.READ),
            ("write 1", Priority.WRITE),
            ("read 2", Priority.READ),
            ("close", Priority.CLOSING),
            ("write 2", Priority.WRITE),
        ):
            group.create_task(serve(name, priority))
            await asyncio.sleep(0)
        # The group waits for its tasks, which wait for this turn; so it ends in a task of its own.
        group.create_task(_leave(line))
    assert served == ["close", "write 1", "write 2", "read 1", "read 2"]


async def _leave(line: RequestQueue) -> None:
    """Pass the turn on as its holder would."""
    line.release()


async def test_turn_that_was_handed_over_cannot_be_taken_by_another() -> None:
    """Between handing the turn over and taking it up, it belongs to the one it was handed to."""
    line, inside = RequestQueue(), 0

    async def serve() -> None:
        nonlocal inside
        async with line.turn(Priority.READ):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0)
            inside -= 1

    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(serve())
            await asyncio.sleep(0)


async def test_cancelled_as_the_turn_comes() -> None:
    """The turn that was handed to somebody who is cancelled goes on to the next."""
    line = RequestQueue()

    async def serve() -> str:
        async with line.turn(Priority.READ):
            return "served"

    async with line.turn(Priority.READ):
        cancelled = asyncio.create_task(serve())
        following = asyncio.create_task(serve())
        await asyncio.sleep(0)
    # The turn has been handed over in this very moment.
    cancelled.cancel()
    async with asyncio.timeout(1):
        assert await following == "served"
    with pytest.raises(asyncio.CancelledError):
        await cancelled


async def test_an_error_passes_the_turn_on() -> None:
    """Whoever fails in its turn does not keep it."""
    line = RequestQueue()
    with pytest.raises(ValueError, match="failed"):
        async with line.turn(Priority.READ):
            raise ValueError("failed")
    async with asyncio.timeout(1), line.turn(Priority.READ):
        pass


@pytest.mark.parametrize("seed", range(5))
async def test_random_cancellations_leave_the_others_served_and_the_line_free(seed: int) -> None:
    """However many give up, the others are served, each alone, and the line is free in the end."""
    random, line = Random(seed), RequestQueue()  # noqa: S311 - repeatable, not secret
    served: list[int] = []
    inside = 0

    async def serve(number: int) -> None:
        nonlocal inside
        async with line.turn(random.choice(list(Priority))):
            inside += 1
            assert inside == 1
            try:
                await asyncio.sleep(0)
            finally:
                inside -= 1
            served.append(number)

    tasks = [asyncio.create_task(serve(number)) for number in range(300)]
    cancelled = set(random.sample(range(300), 100))
    for number in cancelled:
        for _ in range(random.randrange(4)):
            await asyncio.sleep(0)
        tasks[number].cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks, return_exceptions=True)
    assert set(range(300)) - cancelled <= set(served)
    assert len(served) == len(set(served))
    async with asyncio.timeout(1), line.turn(Priority.READ):
        pass
