"""Requests and answers as bytes, and what happens when pymodbus turns them into others."""

from __future__ import annotations

from pathlib import Path
import re

import pymodbus
from pymodbus.pdu import ExceptionResponse
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest
import pytest

from custom_components.hybrid_inverter.modbus.errors import LinkError
from custom_components.hybrid_inverter.modbus.transport import pymodbus_codec as codec
from custom_components.hybrid_inverter.modbus.transport.link import Framing, Link, TcpEndpoint
from custom_components.hybrid_inverter.modbus.transport.request import (
    Request,
    read_request,
    write_one_request,
    write_request,
)

from .fault_server import FaultServer

READ = read_request(17, 107, 3)
WRITE = write_request(1, 10, [1, 0xFFFF])
WRITE_ONE = write_one_request(1, 10, 0x1234)


@pytest.mark.parametrize(
    ("request_", "framing", "frame"),
    [
        (READ, Framing.RTU, "11 03 00 6b 00 03 76 87"),
        (READ, Framing.TCP, "00 07 00 00 00 06 11 03 00 6b 00 03"),
        (WRITE, Framing.RTU, "01 10 00 0a 00 02 04 00 01 ff ff 23 a0"),
        (WRITE, Framing.TCP, "00 07 00 00 00 0b 01 10 00 0a 00 02 04 00 01 ff ff"),
        (WRITE_ONE, Framing.RTU, "01 06 00 0a 12 34 a4 bf"),
        (WRITE_ONE, Framing.TCP, "00 07 00 00 00 06 01 06 00 0a 12 34"),
    ],
)
def test_requests_are_the_bytes_of_the_protocol(
    request_: Request, framing: Framing, frame: str
) -> None:
    """Application protocol sections 6.3, 6.6 and 6.12; transaction 7 where there is one."""
    assert codec.encode(request_, framing, 7).hex(" ") == frame


def test_registers_are_read_from_either_framing() -> None:
    """Two registers, 555 and 100, in an answer of unit 17."""
    assert codec.registers_of(bytes.fromhex("0007 0000 0007 11 03 04 022b 0064"), Framing.TCP) == [
        555,
        100,
    ]
    assert codec.registers_of(bytes.fromhex("11 03 04 022b 0064 0000"), Framing.RTU) == [555, 100]


@pytest.mark.parametrize(
    ("framing", "frame", "code"),
    [
        (Framing.TCP, "0007 0000 0003 11 83 02", 2),
        (Framing.RTU, "11 90 0b 0000", 11),
        (Framing.TCP, "0007 0000 0006 11 06 000a 1234", None),
        (Framing.RTU, "11 03 02 0001 0000", None),
    ],
)
def test_an_exception_is_told_from_any_other_answer(
    framing: Framing, frame: str, code: int | None
) -> None:
    """The highest bit of the function code, and the byte behind it."""
    assert codec.exception_code_of(bytes.fromhex(frame), framing) == code


@pytest.mark.parametrize(
    ("frame", "intact"),
    [
        ("11 03 00 6b 00 03 76 87", True),
        ("11 03 00 6b 00 03 87 76", False),
        ("11 03 00 6a 00 03 76 87", False),
    ],
)
def test_one_wrong_bit_makes_the_checksum_wrong(frame: str, intact: bool) -> None:
    """The checksum is sent low byte first."""
    assert codec.is_intact(bytes.fromhex(frame)) is intact


def _other_order(_: ReadHoldingRegistersRequest) -> bytes:
    """Encode count and address the wrong way round."""
    return bytes.fromhex("0003 006b")


def _gone(_: ExceptionResponse, data: bytes) -> None:
    """Fail as a method that takes other arguments does."""
    raise TypeError("decode() takes 1 positional argument")


@pytest.mark.parametrize(
    ("kind", "method", "replacement"),
    [
        (ReadHoldingRegistersRequest, "encode", _other_order),
        (ExceptionResponse, "decode", _gone),
    ],
)
async def test_a_pymodbus_that_works_otherwise_is_not_used(
    monkeypatch: pytest.MonkeyPatch, kind: type, method: str, replacement: object
) -> None:
    """Opening fails with a sentence that names the version, instead of sending what nobody meant."""
    codec.check_pymodbus.cache_clear()
    monkeypatch.setattr(kind, method, replacement)
    link = Link(TcpEndpoint("127.0.0.1", 502, Framing.TCP))
    with pytest.raises(LinkError, match=f"pymodbus {pymodbus.__version__} does not") as caught:
        await link.connect()
    assert caught.value.code == "unsupported_pymodbus"
    assert caught.value.placeholders["version"] == pymodbus.__version__
    await link.close()


@pytest.mark.parametrize("framing", [Framing.TCP], indirect=True)
async def test_pymodbus_is_checked_once(server: FaultServer, link: Link) -> None:
    """What was right when the first link was opened is not looked at again."""
    codec.check_pymodbus.cache_clear()
    await link.read_holding_registers(1, 10, 1)
    server.hang_up()
    await link.read_holding_registers(1, 10, 1)
    assert codec.check_pymodbus.cache_info().misses == 1


def test_one_module_uses_pymodbus() -> None:
    """Whatever a newer version changes, there is one place to look at."""
    integration = Path(codec.__file__).parents[2]
    users = {
        path.name
        for path in integration.rglob("*.py")
        if re.search(
            r"^\s*(from|import) pymodbus\b", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    assert users == {"pymodbus_codec.py"}
