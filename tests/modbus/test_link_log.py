"""pymodbus is kept quiet about what the link reports, and about nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
import logging

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.logging import Log
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest
import pytest

from custom_components.hybrid_inverter.modbus.errors import LinkError
from custom_components.hybrid_inverter.modbus.link import Framing, Link, TcpEndpoint
from custom_components.hybrid_inverter.modbus.pymodbus_log import PYMODBUS_LOGGER

from .fault_server import FaultServer, garbage, hang_up, silence


@pytest.fixture(autouse=True)
def restore_level() -> Iterator[None]:
    """Leave the shared logger as it was."""
    level = PYMODBUS_LOGGER.level
    yield
    PYMODBUS_LOGGER.setLevel(level)


async def _fail(server: FaultServer, link: Link) -> None:
    """Let requests, and an attempt to connect, fail."""
    for fault in (silence, hang_up, garbage):
        server.faults.append(fault)
        with pytest.raises(LinkError):
            await link.write_register(1, 0, 0)
    await server.stop()
    with pytest.raises(LinkError):
        await link.read_holding_registers(1, 0, 1)


async def test_our_failures_are_not_logged(
    server: FaultServer, link: Link, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing of what pymodbus logs about our requests reaches a log at the usual level, nor the level itself."""
    PYMODBUS_LOGGER.setLevel(logging.INFO)
    await _fail(server, link)
    assert [record for record in caplog.records if record.name == "pymodbus.logging"] == []
    assert PYMODBUS_LOGGER.level == logging.INFO


@pytest.mark.parametrize("framing", list(Framing), indirect=True)
async def test_received_frames_are_ours_too(
    server: FaultServer, link: Link, caplog: pytest.LogCaptureFixture
) -> None:
    """What is logged while receiving runs in the connection's context, not in the request's."""
    PYMODBUS_LOGGER.setLevel(logging.INFO)
    await link.connect()
    assert link._client is not None
    link._client.ctx.trace_packet = _log_and_pass
    await link._client.execute(False, ReadHoldingRegistersRequest(address=0, count=1, dev_id=1))
    assert [record for record in caplog.records if record.name == "pymodbus.logging"] == []


def _log_and_pass(sending: bool, data: bytes) -> bytes:
    """Log as pymodbus does, from within its own callback."""
    if not sending:
        Log.error("received {}", data)  # type: ignore[no-untyped-call]
    return data


async def test_a_person_who_debugs_sees_everything(
    server: FaultServer, link: Link, caplog: pytest.LogCaptureFixture
) -> None:
    """With the logger at DEBUG all records pass, debugging and errors alike."""
    PYMODBUS_LOGGER.setLevel(logging.DEBUG)
    await _fail(server, link)
    levels = {record.levelno for record in caplog.records if record.name == "pymodbus.logging"}
    assert {logging.DEBUG, logging.ERROR} <= levels


@pytest.mark.parametrize("framing", [Framing.TCP], indirect=True)
async def test_others_are_still_logged(
    server: FaultServer, link: Link, caplog: pytest.LogCaptureFixture
) -> None:
    """Another client of pymodbus in the same process keeps its log, even while ours is at work."""
    PYMODBUS_LOGGER.setLevel(logging.INFO)
    server.silent = frozenset({1})
    other = AsyncModbusTcpClient(
        "127.0.0.1", port=server.port, timeout=0.05, retries=0, reconnect_delay=0
    )
    await other.connect()

    async def fail() -> None:
        with pytest.raises(ModbusException):
            await other.read_holding_registers(0, count=1, device_id=1)

    async def fail_ours() -> None:
        with pytest.raises(LinkError):
            await link.write_register(1, 0, 0)

    await asyncio.gather(fail_ours(), fail())
    other.close()
    messages = [record.message for record in caplog.records if record.name == "pymodbus.logging"]
    assert len(messages) == 1
    assert messages[0].startswith("No response received after 0 retries")


def test_the_filter_is_there_once() -> None:
    """Any number of links put one filter on the logger."""
    before = len(PYMODBUS_LOGGER.filters)
    for _ in range(3):
        Link(TcpEndpoint("127.0.0.1", 502, Framing.TCP))
    after = len(PYMODBUS_LOGGER.filters)
    assert after >= 1
    assert after - before <= 1
