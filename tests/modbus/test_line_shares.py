"""How a line is shared between units: evenly, and without waiting for one that rests."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings, strategies as st

from custom_components.hybrid_inverter.modbus.transport.turns import (
    Priority,
    RequestQueue,
    going_first,
)


class QuickLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to what comes next, so that no time is lost."""

    _jumped = 0.0

    def time(self) -> float:
        """Return the time of this loop."""
        return self._jumped

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self._jumped = max(self._jumped, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def play[T](scene: Callable[[RequestQueue], Coroutine[Any, Any, T]]) -> T:
    """Run a scene around a line of its own, on a clock that jumps."""

    async def run() -> T:
        async with asyncio.timeout(1000):
            return await scene(RequestQueue())

    with asyncio.Runner(loop_factory=QuickLoop) as runner:
        return runner.run(run())


async def take(
    line: RequestQueue,
    served: list[str],
    name: str,
    unit: int,
    *,
    write: bool = False,
    first: bool = False,
    rest: float = 0.0,
) -> None:
    """Hold the line for a second, and let the unit rest after that."""
    with going_first() if first else nullcontext():
        async with line.turn(Priority.WRITE if write else Priority.READ, unit):
            served.append(name)
            await asyncio.sleep(1)
            now = asyncio.get_running_loop().time()
            line.cool_down(now, unit, now + rest)


def test_unit_that_has_waited_longest_goes_first() -> None:
    """The unit whose turn is longest ago goes first, however many reads of another one came before."""

    async def scene(line: RequestQueue) -> list[str]:
        served: list[str] = []
        async with asyncio.TaskGroup() as group:
            for name in ("a1", "a2", "a3", "b1", "c1", "b2"):
                group.create_task(take(line, served, name, ord(name[0])))
        return served

    assert play(scene) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_a_turn_to_write_is_no_turn_to_read() -> None:
    """Who writes much does not read less."""

    async def scene(line: RequestQueue) -> list[str]:
        served: list[str] = []
        async with asyncio.TaskGroup() as group:
            group.create_task(take(line, served, "b1", 2))
            group.create_task(take(line, served, "write a", 1, write=True))
            for name, unit in (("b2", 2), ("a1", 1)):
                group.create_task(take(line, served, name, unit))
        return served

    assert play(scene) == ["b1", "write a", "a1", "b2"]


def test_what_goes_first_overtakes_its_own_unit_only() -> None:
    """The powers of unit a go before its settings that wait, and not before unit b's, whose turn it is."""

    async def scene(line: RequestQueue) -> list[str]:
        served: list[str] = []
        async with asyncio.TaskGroup() as group:
            for name in ("a settings 1", "a settings 2", "b settings"):
                group.create_task(take(line, served, name, ord(name[0])))
            await asyncio.sleep(0.5)
            group.create_task(take(line, served, "a power", ord("a"), first=True))
        return served

    assert play(scene) == ["a settings 1", "b settings", "a power", "a settings 2"]


def test_what_has_waited_two_seconds_is_not_overtaken() -> None:
    """On a line that powers alone keep busy, the rest is read as well."""

    async def scene(line: RequestQueue) -> list[str]:
        served: list[str] = []

        async def powers() -> None:
            for number in range(1, 6):
                await take(line, served, f"power {number}", 1, first=True, rest=0.1)

        async with asyncio.TaskGroup() as group:
            group.create_task(powers())
            await asyncio.sleep(0.5)
            group.create_task(take(line, served, "settings", 1))
        return served

    assert play(scene) == ["power 1", "power 2", "power 3", "settings", "power 4", "power 5"]


def test_writes_have_no_head_start() -> None:
    """Among writes goes first who came first, whatever they belong to."""

    async def scene(line: RequestQueue) -> list[str]:
        served: list[str] = []
        async with asyncio.TaskGroup() as group:
            for name, first in (("read", False), ("write 1", False), ("write 2", True)):
                group.create_task(take(line, served, name, 1, write=name != "read", first=first))
        return served

    assert play(scene) == ["read", "write 1", "write 2"]


def test_a_rest_holds_back_one_unit() -> None:
    """Unit 1 rests for 2.5 s after each of its turns of 1 s; unit 2 goes in the meantime, and nobody waits for nothing."""

    async def scene(line: RequestQueue) -> list[tuple[str, float]]:
        served: list[str] = []
        times: list[tuple[str, float]] = []

        async def timed(name: str, unit: int, rest: float) -> None:
            await take(line, served, name, unit, rest=rest)
            times.append((name, asyncio.get_running_loop().time()))

        async with asyncio.TaskGroup() as group:
            for name in ("a1", "a2", "b1", "b2", "b3", "b4"):
                unit = ord(name[0])
                group.create_task(timed(name, unit, 2.5 if name[0] == "a" else 0))
        return times

    assert play(scene) == [("a1", 1), ("b1", 2), ("b2", 3), ("b3", 4), ("a2", 5), ("b4", 6)]


def test_the_line_rests_for_all() -> None:
    """After a turn comes the rest of the line; a write that comes in that time goes before what waited."""

    async def scene(line: RequestQueue) -> list[str]:
        served: list[str] = []
        async with asyncio.TaskGroup() as group:
            async with line.turn(Priority.READ, 1):
                line.cool_down(asyncio.get_running_loop().time() + 2, 1, 0)
            group.create_task(take(line, served, "read", 2))
            await asyncio.sleep(1)
            assert served == []
            group.create_task(take(line, served, "write", 3, write=True))
        assert asyncio.get_running_loop().time() == 4
        return served

    assert play(scene) == ["write", "read"]


def test_a_write_is_not_overtaken() -> None:
    """While a write waits for its unit to have rested, no read goes; another write does."""

    async def scene(line: RequestQueue) -> list[str]:
        served: list[str] = []
        async with asyncio.TaskGroup() as group:
            await take(line, served, "first", 1, rest=3)
            group.create_task(take(line, served, "write 1", 1, write=True))
            group.create_task(take(line, served, "read 2", 2))
            group.create_task(take(line, served, "write 2", 2, write=True))
        return served

    assert play(scene) == ["first", "write 2", "write 1", "read 2"]


def test_a_spared_unit_is_not_read_from() -> None:
    """It can be written to; after its time it is read from as before."""

    async def scene(line: RequestQueue) -> list[str]:
        served: list[str] = []
        line.hold_back(1, 10)
        async with asyncio.TaskGroup() as group:
            group.create_task(take(line, served, "read 1", 1))
            group.create_task(take(line, served, "read 2", 2))
            group.create_task(take(line, served, "write 1", 1, write=True))
        assert asyncio.get_running_loop().time() == 11
        return served

    assert play(scene) == ["read 2", "write 1", "read 1"]


def test_closing_waits_for_no_rest() -> None:
    """Who closes goes at once, and in a hurry so do all the others."""

    async def scene(line: RequestQueue) -> float:
        line.cool_down(100, 1, 200)
        async with line.turn(Priority.CLOSING):
            pass
        assert asyncio.get_running_loop().time() == 0
        async with asyncio.TaskGroup() as group:
            group.create_task(take(line, [], "read", 1))
            await asyncio.sleep(1)
            line.drain()
        return asyncio.get_running_loop().time()

    assert play(scene) == 2


def test_who_gives_up_a_write_lets_the_reads_go() -> None:
    """A write that holds the line for its unit's rest, and is cancelled, holds it no longer."""

    async def scene(line: RequestQueue) -> float:
        line.cool_down(0, 1, 50)
        write = asyncio.create_task(take(line, [], "write", 1, write=True))
        read = asyncio.create_task(take(line, [], "read", 2))
        await asyncio.sleep(1)
        write.cancel()
        await read
        return asyncio.get_running_loop().time()

    assert play(scene) == 2


# ---------------------------------------------------------------------- whatever comes


@dataclass(frozen=True)
class Visit:
    """Somebody who comes at a time, wants a unit for a time, and may give up."""

    unit: int
    priority: Priority
    comes: int
    stays: int
    gives_up: int | None


VISITS = st.lists(
    st.builds(
        Visit,
        unit=st.integers(1, 3),
        priority=st.sampled_from([Priority.WRITE, Priority.READ, Priority.READ, Priority.READ]),
        comes=st.integers(0, 5),
        stays=st.integers(1, 3),
        gives_up=st.none() | st.none() | st.integers(0, 10),
    ),
    max_size=25,
)


@dataclass
class Watched:
    """What is seen of the visits: who waits since when, and who was served when."""

    line: RequestQueue
    rests: dict[int, int]
    waiting: dict[int, Visit] = field(default_factory=dict)
    served: list[int] = field(default_factory=list)
    rested_at: dict[int, float] = field(default_factory=dict)
    # How often the other units were read from since a unit's foremost read could have been served.
    overtaken: dict[int, Counter[int]] = field(default_factory=dict)
    inside: int = 0

    def _has_turn(self, number: int, visit: Visit, now: float) -> None:
        """Check that it is right that this one is served now."""
        del self.waiting[number]
        self.served.append(number)
        assert now >= self.rested_at.get(visit.unit, 0)
        if visit.priority is Priority.WRITE:
            return
        assert all(other.priority is Priority.READ for other in self.waiting.values())
        self.overtaken[visit.unit] = Counter()
        others = {other.unit for other in self.waiting.values()} - {visit.unit}
        for unit in others:
            if now >= self.rested_at.get(unit, 0):
                self.overtaken.setdefault(unit, Counter())[visit.unit] += 1
                assert self.overtaken[unit][visit.unit] <= 1

    async def visit(self, number: int, visit: Visit) -> None:
        """Come, wait, stay, and leave the unit to rest."""
        loop = asyncio.get_running_loop()
        # Nobody comes in the very moment in which somebody else is served.
        await asyncio.sleep(visit.comes + number / 1000)
        if all(other.unit != visit.unit for other in self.waiting.values()):
            self.overtaken[visit.unit] = Counter()
        self.waiting[number] = visit
        try:
            async with self.line.turn(visit.priority, visit.unit):
                self._has_turn(number, visit, loop.time())
                self.inside += 1
                assert self.inside == 1
                try:
                    await asyncio.sleep(visit.stays)
                finally:
                    self.inside -= 1
                    self.rested_at[visit.unit] = loop.time() + self.rests[visit.unit]
                    self.line.cool_down(loop.time(), visit.unit, self.rested_at[visit.unit])
        finally:
            self.waiting.pop(number, None)


@settings(max_examples=60, deadline=None)
@given(
    visits=VISITS,
    rests=st.fixed_dictionaries({unit: st.sampled_from([0, 0, 3]) for unit in (1, 2, 3)}),
)
def test_queue_serves_writes_first_and_lets_no_unit_be_overtaken_twice_by_another(
    visits: list[Visit], rests: dict[int, int]
) -> None:
    """One at a time, writes first, no unit before it has rested, none overtaken twice by another, and nobody forgotten."""

    async def scene(line: RequestQueue) -> list[int]:
        watched = Watched(line, rests)
        tasks = [
            asyncio.create_task(watched.visit(number, visit)) for number, visit in enumerate(visits)
        ]
        for number, (task, visit) in enumerate(zip(tasks, visits, strict=True)):
            if visit.gives_up is not None:
                asyncio.get_running_loop().call_later(
                    visit.comes + number / 1000 + visit.gives_up, lambda task=task: task.cancel()
                )
        results = await asyncio.gather(*tasks, return_exceptions=True)
        failures = [
            result
            for result in results
            if result is not None and not isinstance(result, asyncio.CancelledError)
        ]
        assert failures == []
        async with asyncio.timeout(5), line.turn(Priority.READ, 1):
            pass
        return watched.served

    served = play(scene)
    assert {number for number, visit in enumerate(visits) if visit.gives_up is None} <= set(served)
    assert len(served) == len(set(served))
