"""What a link logs: nothing of its own accord, and every frame to whoever debugs."""

from __future__ import annotations

import logging

import pytest

from custom_components.hybrid_inverter.modbus.errors import LinkError
from custom_components.hybrid_inverter.modbus.transport.link import Framing, Link

from .fault_server import FaultServer, garbage, hang_up, silence

LOGGER = "custom_components.hybrid_inverter"


async def _fail(server: FaultServer, link: Link) -> None:
    """Let requests, and an attempt to connect, fail."""
    for fault in (silence, hang_up, garbage):
        server.faults.append(fault)
        with pytest.raises(LinkError):
            await link.write_register(1, 0, 0)
    await server.stop()
    with pytest.raises(LinkError):
        await link.read_holding_registers(1, 0, 1)


async def test_failures_are_raised_and_not_logged(
    server: FaultServer, link: Link, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever asked gets the error; neither the link nor pymodbus nor asyncio logs it too."""
    caplog.set_level(logging.INFO)
    await _fail(server, link)
    assert caplog.records == []


@pytest.mark.parametrize("framing", [Framing.TCP], indirect=True)
async def test_a_person_who_debugs_sees_every_frame(
    server: FaultServer, link: Link, caplog: pytest.LogCaptureFixture
) -> None:
    """With the integration's logger at DEBUG, both directions are logged with where they go."""
    caplog.set_level(logging.DEBUG, logger=LOGGER)
    await link.read_holding_registers(1, 10, 1)
    messages = [record.message for record in caplog.records if record.name.startswith(LOGGER)]
    assert messages == [
        f"127.0.0.1:{server.port}: sent 00 01 00 00 00 06 01 03 00 0a 00 01",
        f"127.0.0.1:{server.port}: received 00 01 00 00 00 05 01 03 02 02 37",
    ]
