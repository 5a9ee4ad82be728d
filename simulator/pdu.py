"""The function and exception codes of Modbus that a machine knows, and what a write request says."""

from __future__ import annotations

import struct
from typing import Final

READ_HOLDING: Final = 0x03
WRITE_SINGLE: Final = 0x06
WRITE_MULTIPLE: Final = 0x10
MAX_WRITTEN: Final = 123

ILLEGAL_FUNCTION: Final = 1
ILLEGAL_ADDRESS: Final = 2
ILLEGAL_VALUE: Final = 3
BUSY: Final = 6


class Refusal(Exception):
    """The machine answers a request with an exception code."""

    def __init__(self, code: int) -> None:
        # Modbus application protocol section 7.
        super().__init__(f"Modbus exception {code}")
        self.code = code


def words_of(pdu: bytes) -> tuple[int, tuple[int, ...]]:
    """The address and the words of a write request; Refusal when its lengths do not fit."""
    if pdu[0] == WRITE_SINGLE and len(pdu) == 5:
        address, value = struct.unpack(">HH", pdu[1:])
        return address, (value,)
    if pdu[0] == WRITE_MULTIPLE and len(pdu) >= 6:
        address, count, size = struct.unpack(">HHB", pdu[1:6])
        if size == 2 * count and len(pdu) == 6 + size:
            return address, struct.unpack(f">{count}H", pdu[6:])
    raise Refusal(ILLEGAL_VALUE)
