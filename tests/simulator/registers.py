"""Registers of a plant's machines, read as a client does, but without a socket."""

from __future__ import annotations

import struct

from simulator import SimulatedPlant


def read_words(plant: SimulatedPlant, unit: int, address: int, count: int = 1) -> list[int]:
    """Registers as they come over the wire."""
    answer = plant.machine(unit).respond(struct.pack(">BHH", 3, address, count))
    assert answer is not None
    assert answer[:2] == bytes((3, 2 * count))
    return list(struct.unpack(f">{count}H", answer[2:]))


def read_signed(plant: SimulatedPlant, unit: int, address: int, count: int = 1) -> list[int]:
    """Registers with a sign."""
    return [
        word - 0x10000 if word & 0x8000 else word
        for word in read_words(plant, unit, address, count)
    ]


def read_float(plant: SimulatedPlant, unit: int, address: int) -> float:
    """An IEEE 754 single of two registers, the high word first."""
    number: float = struct.unpack(">f", struct.pack(">2H", *read_words(plant, unit, address, 2)))[0]
    return number
