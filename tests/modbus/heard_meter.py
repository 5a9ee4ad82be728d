"""A meter for a simulated line, that holds given numbers."""

from __future__ import annotations

from collections.abc import Mapping
import struct

from simulator.overheard import Respond

# Line voltages and phase voltages in tenths of a volt, milliamperes, tenths of a watt.
THREE_PHASE = {
    0x2000: 3981.0, 0x2002: 3990.0, 0x2004: 4002.0, 0x2006: 2301.0, 0x2008: 2298.0, 0x200A: 2310.0,
    0x200C: 1200.0, 0x2012: 5230.0, 0x2014: 3100.0, 0x2016: -870.0, 0x2018: 3000.0,
    0x101E: 1250.5, 0x1020: 400.0, 0x1022: 420.25, 0x1024: 430.25,
    0x151C: 0.523, 0x151E: 0.31, 0x1520: -0.087, 0x1522: 0.3,
}  # fmt: skip
# V, A, kW, kvar, kVA, power factor, Hz.
SINGLE_PHASE = {
    0x2000: 231.5, 0x2002: 3.2, 0x2004: -0.71, 0x2006: 0.05, 0x2008: 0.74, 0x200A: 0.96, 0x200E: 50.01,
}  # fmt: skip
CT_RATIO = 40


def holding(numbers: Mapping[int, float], units: tuple[int, ...] = (1,)) -> Respond:
    """Return a meter that holds these numbers, 0 elsewhere, and a ratio of 40."""
    words = {
        address + offset: word
        for address, number in numbers.items()
        for offset, word in enumerate(struct.unpack(">HH", struct.pack(">f", number)))
    }
    words[0x0006] = CT_RATIO

    def respond(unit: int, pdu: bytes) -> bytes | None:
        function, address, count = struct.unpack(">BHH", pdu)
        if unit not in units:
            return None
        values = (words.get(place, 0) for place in range(address, address + count))
        return bytes((function, 2 * count)) + b"".join(value.to_bytes(2) for value in values)

    return respond
