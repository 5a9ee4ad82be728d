"""How long a unit is waited for, and how often it is asked."""

from __future__ import annotations

import asyncio

import pytest

from custom_components.hybrid_inverter.modbus.errors import LinkTimeout
from custom_components.hybrid_inverter.modbus.transport.link import Framing, Link, LinkUnit

from .conftest import TIMEOUT, MakeLink
from .fault_server import FaultServer, silence, slow


async def test_a_read_has_its_own_timeout(server: FaultServer, link: Link) -> None:
    """It is waited for less, or longer, than is usual on the link; the next request is not."""
    clock = asyncio.get_running_loop().time
    server.faults.append(silence)
    started = clock()
    with pytest.raises(LinkTimeout, match=r"within 0\.05 s"):
        await link.read_holding_registers(1, 10, 2, timeout=0.05, retries=0)
    assert 0.05 <= clock() - started < TIMEOUT
    server.faults.append(slow(TIMEOUT + 0.1))
    assert await link.read_holding_registers(1, 10, 2, timeout=1, retries=0) == [567, 598]
    server.faults.append(silence)
    started = clock()
    with pytest.raises(LinkTimeout):
        await link.write_register(1, 10, 5)
    assert clock() - started >= TIMEOUT


@pytest.mark.parametrize("framing", [Framing.TCP], indirect=True)
@pytest.mark.parametrize(("retries", "asked"), [(None, 2), (0, 1), (2, 3)])
async def test_how_often_a_read_is_repeated(
    server: FaultServer, make_link: MakeLink, retries: int | None, asked: int
) -> None:
    """As often as was said, or as is usual on the link."""
    link = make_link(server, timeout=0.03)
    server.faults.extend([silence] * 3)
    with pytest.raises(LinkTimeout):
        await link.read_holding_registers(1, 10, 2, retries=retries)
    assert len(server.requests) == asked


@pytest.mark.parametrize("framing", [Framing.TCP], indirect=True)
async def test_a_unit_is_asked_as_it_was_made(server: FaultServer, link: Link) -> None:
    """Patience and retries hold for every read of a unit."""
    unit = LinkUnit(link, 1, timeout=0.03, retries=0)
    server.faults.append(silence)
    async with asyncio.timeout(TIMEOUT):
        with pytest.raises(LinkTimeout):
            await unit.read_holding_registers(10, 2)
    assert server.wanted == [(1, 3, 10, 2)]
