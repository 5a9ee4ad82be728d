"""Between requests and bytes: the one module that uses pymodbus, and of it only PDUs and framers.

pymodbus' own client is not used. It takes answers that belong to other requests, of any length, for its own, and lets
nobody see the bytes or end a request. Its PDUs and framers work on bytes alone, so any connection will do.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
import struct
from typing import Final

import pymodbus
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from ..errors import LinkError, LinkErrorCode
from .endpoint import Framing
from .request import KEPT_READS, READ, REFUSED, WRITE_ONE, Request, read_request

FRAMERS: Final[Mapping[Framing, FramerRTU | FramerSocket]] = {
    Framing.TCP: FramerSocket(DecodePDU(is_server=False)),
    Framing.RTU: FramerRTU(DecodePDU(is_server=False)),
}
# The bytes around function code and data: header and unit id, or unit id and checksum.
BEFORE_PDU: Final = {Framing.TCP: 7, Framing.RTU: 1}
BEHIND_PDU: Final = {Framing.TCP: 0, Framing.RTU: 2}

# Read register 107 and the two behind it from unit 17; the answer (Modbus application protocol 6.3) with its checksum,
# and that of a unit that does not have them (7), whose exception code is 2.
KNOWN_REQUEST: Final = bytes.fromhex("11 03 006b 0003 7687")
KNOWN_ANSWER: Final = bytes.fromhex("11 03 06 022b 0000 0064 c8ba")
KNOWN_REFUSAL: Final = bytes.fromhex("11 83 02 c134")
ILLEGAL_ADDRESS: Final = 2


def encode(request: Request, framing: Framing, transaction: int) -> bytes:
    """The frame of a request, which begins with the transaction id; RTU has none."""
    frame = _frame(request, framing)
    return transaction.to_bytes(2) + frame[2:] if framing is Framing.TCP else frame


def registers_of(frame: bytes, framing: Framing) -> list[int]:
    """The words in a whole answer to a read, function code 3 (Modbus application protocol 6.3).

    They are unpacked together: pymodbus unpacks one after the other, which takes ten times as long.
    """
    start = BEFORE_PDU[framing] + 2
    return list(struct.unpack_from(f">{frame[start - 1] // 2}H", frame, start))


def exception_code_of(frame: bytes, framing: Framing) -> int | None:
    """The code in a whole answer that is a Modbus exception; None for any other answer."""
    if not frame[BEFORE_PDU[framing]] & REFUSED:
        return None
    pdu = _pdu_bytes(frame, framing)
    response = ExceptionResponse(pdu[0])
    response.decode(pdu[1:])
    return response.exception_code


def is_intact(frame: bytes) -> bool:
    """Whether the checksum behind an RTU frame is right."""
    return FRAMERS[Framing.RTU].encode(frame[1:-2], frame[0], 0) == frame


@cache
def check_pymodbus() -> None:
    """LinkError when the installed pymodbus does not turn known values into the bytes that the protocol demands."""
    try:
        payload = _encoded(read_request(17, 107, 3))
        works = (
            FRAMERS[Framing.RTU].encode(payload, 17, 0) == KNOWN_REQUEST
            and is_intact(KNOWN_ANSWER)
            and exception_code_of(KNOWN_REFUSAL, Framing.RTU) == ILLEGAL_ADDRESS
        )
    except (AttributeError, IndexError, TypeError, ValueError, ModbusException) as err:
        raise _unsupported() from err
    if not works:
        raise _unsupported()


def _unsupported() -> LinkError:
    """The error of a pymodbus that works in another way."""
    return LinkError(
        f"pymodbus {pymodbus.__version__} does not encode or decode Modbus as it should",
        LinkErrorCode.UNSUPPORTED_PYMODBUS,
        version=pymodbus.__version__,
    )


@lru_cache(KEPT_READS)
def _frame(request: Request, framing: Framing) -> bytes:
    """The frame of a request, which is the same with every poll, but for its transaction id."""
    return FRAMERS[framing].encode(_encoded(request), request.unit, 0)


def _encoded(request: Request) -> bytes:
    """Function code and data of a request, as pymodbus puts them together now."""
    pdu = _pdu(request)
    return bytes([pdu.function_code]) + pdu.encode()


def _pdu(request: Request) -> ModbusPDU:
    """A request in the words of pymodbus."""
    if request.function == READ:
        return ReadHoldingRegistersRequest(address=request.address, count=request.count)
    kind = (
        WriteSingleRegisterRequest
        if request.function == WRITE_ONE
        else WriteMultipleRegistersRequest
    )
    return kind(address=request.address, registers=list(request.values))


def _pdu_bytes(frame: bytes, framing: Framing) -> bytes:
    """Function code and data of a frame."""
    return frame[BEFORE_PDU[framing] : len(frame) - BEHIND_PDU[framing]]
