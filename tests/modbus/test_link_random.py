"""Hundreds of requests against a server that does everything wrong in turn: not one wrong value."""

from __future__ import annotations

import asyncio
import logging
from random import Random

import pytest

from custom_components.hybrid_inverter.modbus.errors import DeviceError

from . import fault_server as faults, stick_faults
from .conftest import MakeLink
from .fault_server import Fault, FaultServer, word

TIMEOUT = 0.04
REQUESTS = 150

ANY: list[Fault] = [
    faults.silence,
    faults.hang_up,
    faults.garbage,
    faults.truncated,
    faults.one_byte,
    faults.flipped,
    faults.wrong_unit,
    faults.wrong_function,
    faults.unknown_function,
    faults.too_short,
    faults.too_long,
    faults.false_count,
    faults.pieces,
    faults.twice,
    faults.late(0.02),
    faults.late(TIMEOUT),
    faults.late(TIMEOUT + 0.002),
    faults.late(TIMEOUT + 0.01),
    faults.late(TIMEOUT + 0.03),
    *(faults.refusal(code) for code in (1, 2, 4, 6, 11)),
]
FAULTS: dict[str, list[Fault]] = {
    "tcp": [
        *ANY,
        faults.wrong_transaction,
        faults.no_transaction,
        faults.wrong_protocol,
        faults.endless_length,
        faults.zero_length,
    ],
    "rtu": [
        *ANY,
        faults.bad_checksum,
        faults.noisy(b"\x00"),
        faults.noisy(b"\x01\x03"),
        faults.noisy(behind=b"\xff"),
    ],
    "stick": [
        *ANY,
        faults.bad_checksum,
        faults.wrong_transaction,
        faults.no_transaction,
        stick_faults.other_serial,
        stick_faults.other_client,
        stick_faults.unsolicited,
        stick_faults.only_heartbeat,
        stick_faults.noise_before,
        stick_faults.cut_and_repeated,
        stick_faults.double_checksum,
        stick_faults.error(5),
    ],
}


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_wrong_value(
    server: FaultServer, make_link: MakeLink, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Every value read is the register's own, and the first request after the faults succeeds."""
    caplog.set_level(logging.WARNING)
    random = Random(seed)  # noqa: S311 - repeatable, not secret
    link = make_link(server, timeout=TIMEOUT, spacing=0.001)
    succeeded = failed = 0
    for _ in range(REQUESTS):
        while len(server.faults) < 4:
            fault = random.choice(FAULTS[server.kind])
            server.faults.append(fault if random.random() < 0.5 else faults.answer)
        unit, address, count = (
            random.choice((1, 2)),
            random.randrange(500),
            random.choice((1, 2, 10)),
        )
        asking = asyncio.create_task(link.read_holding_registers(unit, address, count))
        if random.random() < 0.05:
            await asyncio.sleep(random.random() * 0.01)
            asking.cancel()
        try:
            words = await asking
        except DeviceError, asyncio.CancelledError:
            failed += 1
        else:
            succeeded += 1
            assert words == [word(unit, address + offset) for offset in range(count)]
    assert succeeded > REQUESTS / 2
    assert failed > REQUESTS / 20
    server.faults.clear()
    assert await link.read_holding_registers(1, 10, 2) == [567, 598]
    assert not caplog.records
