"""What a link does when nothing goes wrong, and who goes first."""

from __future__ import annotations

import asyncio

import pytest

from custom_components.hybrid_inverter.modbus.link import Framing, Link, TcpEndpoint
from custom_components.hybrid_inverter.modbus.unit import LinkUnit

from .conftest import MakeLink
from .fault_server import FaultServer, slow


async def test_reads_and_writes(server: FaultServer, link: Link) -> None:
    """The values are those of the unit and the addresses; a write is read back."""
    unit = LinkUnit(link, 1)
    assert await unit.read_holding_registers(10, 3) == [567, 598, 629]
    assert await LinkUnit(link, 247).read_holding_registers(0, 1) == [63479]
    await unit.write_registers(10, [1, 65535])
    await unit.write_register(12, 7)
    assert await unit.read_holding_registers(10, 4, urgent=True) == [1, 65535, 7, 660]
    assert server.wanted == [
        (1, 3, 10, 3),
        (247, 3, 0, 1),
        (1, 16, 10, 2),
        (1, 6, 12, 1),
        (1, 3, 10, 4),
    ]
    assert server.accepted == 1
