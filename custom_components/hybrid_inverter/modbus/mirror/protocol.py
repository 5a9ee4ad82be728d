"""Modbus TCP as the mirror speaks it: one function, and exceptions for everything else.

Source: Modbus Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3; Modbus Application Protocol V1.1b3, 6.3 and 7.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import IntEnum
import struct
from typing import Final

# Transaction, protocol, length of what follows, unit id.
HEADER: Final = struct.Struct(">HHHB")
# First address, and number of registers.
READ: Final = struct.Struct(">BHH")
# A unit id and a function code at least; 253 bytes of function code and data at most.
MIN_LENGTH: Final = 2
MAX_LENGTH: Final = 254

READ_HOLDING_REGISTERS: Final = 3
EXCEPTION_BIT: Final = 0x80
MAX_REGISTERS: Final = 125
ADDRESSES: Final = 0x10000


class ExceptionCode(IntEnum):
    """Why a request is not answered with words."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_DATA_ADDRESS = 2
    ILLEGAL_DATA_VALUE = 3
    TARGET_FAILED_TO_RESPOND = 11


class RefusedError(Exception):
    """A request that is answered with an exception code."""

    def __init__(self, code: ExceptionCode) -> None:
        """`code` is what the client gets."""
        super().__init__(code.name)
        self.code = code


class NotModbusError(Exception):
    """Bytes that are no Modbus TCP; where the next request begins is not known any more."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was received."""

    transaction: int
    unit_id: int
    # Function code and data: 1 to 253 bytes.
    pdu: bytes

    @property
    def function(self) -> int:
        """The function code."""
        return self.pdu[0]

    def read(self) -> tuple[int, int]:
        """The first address and the number of registers that are to be read; RefusedError for any other request."""
        if self.function != READ_HOLDING_REGISTERS:
            raise RefusedError(ExceptionCode.ILLEGAL_FUNCTION)
        if len(self.pdu) != READ.size:
            raise RefusedError(ExceptionCode.ILLEGAL_DATA_VALUE)
        _, first, count = READ.unpack(self.pdu)
        if not 1 <= count <= MAX_REGISTERS:
            raise RefusedError(ExceptionCode.ILLEGAL_DATA_VALUE)
        if first + count > ADDRESSES:
            raise RefusedError(ExceptionCode.ILLEGAL_DATA_ADDRESS)
        return first, count

    def answer(self, words: list[int]) -> bytes:
        """The answer with these words."""
        data = struct.pack(f">BB{len(words)}H", self.function, 2 * len(words), *words)
        return self._frame(data)

    def refusal(self, code: ExceptionCode) -> bytes:
        """The answer with this exception code."""
        return self._frame(bytes((self.function | EXCEPTION_BIT, code)))

    def _frame(self, pdu: bytes) -> bytes:
        """These data behind the header of this request."""
        return HEADER.pack(self.transaction, 0, 1 + len(pdu), self.unit_id) + pdu


async def receive(reader: asyncio.StreamReader) -> Request:
    """The next whole request; NotModbusError for other bytes, IncompleteReadError at the end of the connection."""
    transaction, protocol, length, unit_id = HEADER.unpack(await reader.readexactly(HEADER.size))
    if protocol != 0 or not MIN_LENGTH <= length <= MAX_LENGTH:
        raise NotModbusError
    return Request(transaction, unit_id, await reader.readexactly(length - 1))
