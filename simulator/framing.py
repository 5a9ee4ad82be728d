"""Modbus TCP and RTU framing, seen from the server: bytes in, requests out, and answers back into bytes."""

from __future__ import annotations

from dataclasses import dataclass
import struct
from typing import Final, Protocol

_MBAP: Final = struct.Struct(">HHHB")
# What a request of each function code has before its CRC; the multiple writes carry their length themselves.
_RTU_LENGTHS: Final = dict.fromkeys(range(0x01, 0x07), 6)
_RTU_COUNTED: Final = {0x0F: 6, 0x10: 6}


def crc16(data: bytes) -> int:
    """The Modbus CRC-16 (polynomial 0xA001, start 0xFFFF); the low byte goes first on the wire."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


@dataclass(frozen=True, slots=True)
class RequestAdu:
    """A request with its unit id, and the transaction id where the framing has one."""

    unit: int
    pdu: bytes
    transaction: int = 0


class Framing(Protocol):
    """One way to put requests and answers into bytes."""

    # What a unit id that nobody has is answered with; None is silence.
    unknown_unit: int | None

    def take(self, buffer: bytearray) -> RequestAdu | None:
        """Remove the first complete request from the buffer and return it; None until there is one."""
        ...

    def pack(self, request: RequestAdu, pdu: bytes) -> bytes:
        """The bytes of the answer to a request."""
        ...


class TcpFraming:
    """Modbus TCP, as a gateway speaks it: it knows which units do not exist."""

    # Gateway target device failed to respond.
    unknown_unit: int | None = 0x0B

    def take(self, buffer: bytearray) -> RequestAdu | None:
        """Remove one request; bytes that cannot be Modbus TCP are dropped without a word."""
        if len(buffer) < _MBAP.size:
            return None
        transaction, protocol, length, unit = _MBAP.unpack_from(buffer)
        if protocol != 0 or not 2 <= length <= 254:
            buffer.clear()
            return None
        end = 6 + length
        if len(buffer) < end:
            return None
        pdu = bytes(buffer[_MBAP.size : end])
        del buffer[:end]
        return RequestAdu(unit, pdu, transaction)

    def pack(self, request: RequestAdu, pdu: bytes) -> bytes:
        """The answer with the request's transaction id."""
        return _MBAP.pack(request.transaction, 0, len(pdu) + 1, request.unit) + pdu


class RtuFraming:
    """RTU, as it arrives through a transparent gateway: frames with a CRC, and no answer to what is not for us."""

    unknown_unit: int | None = None

    def take(self, buffer: bytearray) -> RequestAdu | None:
        """Remove one request; a frame with a wrong CRC is dropped together with all that came with it."""
        if len(buffer) < 4:
            return None
        function = buffer[1]
        # A function that no length is known of ends where the bytes stop coming.
        length = _RTU_LENGTHS.get(function, len(buffer) - 2)
        if (place := _RTU_COUNTED.get(function)) is not None:
            if len(buffer) <= place:
                return None
            length = place + 1 + buffer[place]
        if len(buffer) < length + 2:
            return None
        frame = bytes(buffer[: length + 2])
        if crc16(frame[:-2]) != int.from_bytes(frame[-2:], "little"):
            buffer.clear()
            return None
        del buffer[: length + 2]
        return RequestAdu(frame[0], frame[1:-2])

    def pack(self, request: RequestAdu, pdu: bytes) -> bytes:
        """The answer with its CRC."""
        body = bytes((request.unit,)) + pdu
        return body + crc16(body).to_bytes(2, "little")
