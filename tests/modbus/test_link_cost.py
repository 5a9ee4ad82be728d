"""What a request costs that finds the link idle: no task, one write, one future, one timer."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from custom_components.hybrid_inverter.modbus.transport.link import Link

from .fault_server import FaultServer

COUNTED = ("create_task", "create_future", "call_at", "call_soon")


async def test_an_idle_link_sends_without_ceremony(server: FaultServer, link: Link) -> None:
    """Nobody waits for the turn, so nothing is made to wait for it."""
    await link.read_holding_registers(1, 10, 2)
    await asyncio.sleep(0.01)
    loop = asyncio.get_running_loop()
    counted: Counter[str] = Counter()
    watched = asyncio.current_task()
    with pytest.MonkeyPatch.context() as patched:
        for name in COUNTED:
            _count(patched, loop, name, counted, watched)
        assert await link.read_holding_registers(1, 10, 2) == [567, 598]
    assert counted == {"create_future": 1, "call_at": 1}


def _count(
    patched: pytest.MonkeyPatch,
    loop: asyncio.AbstractEventLoop,
    name: str,
    counted: Counter[str],
    watched: asyncio.Task[Any] | None,
) -> None:
    """Count the calls of a loop's method that come from one task; the server shares the loop."""
    original = getattr(loop, name)

    def counting(*args: Any, **kwargs: Any) -> Any:
        if asyncio.current_task() is watched:
            counted[name] += 1
        return original(*args, **kwargs)

    patched.setattr(loop, name, counting)
