"""Battery packs of the same maker, which some machines pass on: each is a feature, found by how many there are."""

from __future__ import annotations

from typing import Final

from ...codec import Text
from ...family import table
from ...features import Feature, above
from ...register import Group, Register
from ..sheet import NOT_AVAILABLE
from .page import PERCENT, ZERO, Page

IDENTITY = Page(Group.IDENTITY, confidence="medium")
# What the scales of the packs' own values are, the sources do not agree on: the bounds below are those of a pack of
# 48 V, narrow enough that a value in another scale falls out of them wherever that can be told.
MEASURED = Page(Group.ENERGY, confidence="low")

SUMMARY: Final = (10000, 10002)
FIRST: Final = 10032
STRIDE: Final = 38
MOST: Final = 8

# A machine can have more packs than are shown; a number beyond these is none of packs.
COUNT: Final = (0.0, 64.0)
VOLTAGE: Final = (40.0, 65.0)
CURRENT: Final = (-300.0, 300.0)
TEMPERATURE: Final = (-40.0, 100.0)
HEALTH: Final = (20.0, 100.0)
CAPACITY: Final = (40.0, 600.0)
CELL_VOLTAGE: Final = (2.0, 4.0)
CYCLES: Final = (0.0, 20000.0)


def _start(number: int) -> int:
    """Return the first register of a pack, which counts from 1."""
    return FIRST + STRIDE * (number - 1)


def _temperature(key: str, address: int) -> Register:
    """Return a temperature, coded as that of the whole battery is."""
    return MEASURED.u16(
        key,
        address,
        "degC",
        scale=0.1,
        offset=1000,
        absent=NOT_AVAILABLE | ZERO,
        plausible=TEMPERATURE,
    )


def _pack(number: int) -> Feature:
    """Return a pack, which counts from 1."""
    start, name = _start(number), f"pack_{number}"
    return Feature(
        key=name,
        proof=above(number - 1, "pack_count"),
        registers=table(
            IDENTITY.row(f"{name}_serial", tuple(range(start, start + 8)), Text(8)),
            MEASURED.u16(f"{name}_voltage", start + 8, "V", scale=0.01, plausible=VOLTAGE),
            MEASURED.i16(f"{name}_current", start + 9, "A", scale=0.1, plausible=CURRENT),
            _temperature(f"{name}_temperature", start + 10),
            _temperature(f"{name}_cell_temperature_max", start + 11),
            _temperature(f"{name}_cell_temperature_min", start + 12),
            MEASURED.u16(f"{name}_soc", start + 15, "%", scale=0.1, plausible=PERCENT),
            MEASURED.u16(f"{name}_soh", start + 16, "%", scale=0.1, plausible=HEALTH),
            MEASURED.u16(f"{name}_total_capacity", start + 18, "Ah", scale=0.1, plausible=CAPACITY),
            MEASURED.u16(
                f"{name}_cell_voltage_max", start + 22, "V", scale=0.001, plausible=CELL_VOLTAGE
            ),
            MEASURED.u16(
                f"{name}_cell_voltage_min", start + 23, "V", scale=0.001, plausible=CELL_VOLTAGE
            ),
            MEASURED.u16(f"{name}_cycles", start + 24, plausible=CYCLES),
        ),
    )


FEATURES: Final[tuple[Feature, ...]] = (
    Feature(
        key="packs",
        proof=above(0, "pack_count"),
        registers=table(
            IDENTITY.u16("pack_device_type", 10000),
            IDENTITY.u16("pack_count", 10002, plausible=COUNT),
        ),
    ),
    *(_pack(number) for number in range(1, MOST + 1)),
)

# Every pack apart from its neighbours, as the maker serves those that are there.
READABLE: Final[tuple[tuple[int, int], ...]] = (
    SUMMARY,
    *((_start(number), _start(number) + STRIDE - 1) for number in range(1, MOST + 1)),
)
