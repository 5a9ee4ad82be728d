"""What a Wi-Fi stick puts around RTU frames (Solarman V5), put together byte by byte."""

from __future__ import annotations

# A made-up logger serial.
SERIAL = 1234567890


def v5(
    payload: bytes, *, control: int = 0x1510, sequence: int, count: int = 0, serial: int = SERIAL
) -> bytes:
    """Return a frame of the stick: the number that it was asked under, and that of its own answers."""
    body = (
        len(payload).to_bytes(2, "little")
        + control.to_bytes(2, "little")
        + bytes([sequence % 256, count])
        + serial.to_bytes(4, "little")
        + payload
    )
    return b"\xa5" + body + bytes([sum(body) & 0xFF]) + b"\x15"


def answer_of(frame: bytes, *, sequence: int, serial: int = SERIAL) -> bytes:
    """Return an answer around an RTU frame, or around an error code of two bytes."""
    head = bytes.fromhex("02 01 40e20100 100e0000 00a3e165")
    return v5(head + frame, sequence=sequence, count=7, serial=serial)


def opened(request: bytes, serial: int = SERIAL) -> tuple[int, bytes]:
    """Return sequence number and RTU frame of a request, which must be right in every byte."""
    payload = request[11:-2]
    assert payload[:15] == b"\x02" + bytes(14)
    assert request == v5(payload, control=0x4510, sequence=request[5], serial=serial)
    return request[5], payload[15:]
