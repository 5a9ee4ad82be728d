"""Battery packs of the same maker, which some devices pass on: each is a feature, found by how many there are."""

from __future__ import annotations

from typing import Final

from ...model.codec import Text
from ...model.family import table
from ...model.features import Feature, above
from ...model.part import Kind, Part
from ...model.presentation import Name, Named, numbered
from ...model.register import Group, Register
from ..sheet import NOT_AVAILABLE
from .page import PERCENT, ZERO, JsoPage

IDENTITY = JsoPage(Group.IDENTITY, Part.BATTERY, confidence="medium")
# What the scales of the packs' own values are, the sources do not agree on: the bounds below are those of a pack of
# 48 V, narrow enough that a value in another scale falls out of them wherever that can be told.
MEASURED = JsoPage(Group.ENERGY, Part.BATTERY, confidence="low")

SUMMARY: Final = (10000, 10002)
FIRST: Final = 10032
STRIDE: Final = 38
MOST: Final = 8

# A device can have more packs than are shown; a number beyond these is none of packs.
COUNT: Final = (0.0, 64.0)
VOLTAGE: Final = (40.0, 65.0)
CURRENT: Final = (-300.0, 300.0)
TEMPERATURE: Final = (-40.0, 100.0)
HEALTH: Final = (20.0, 100.0)
CAPACITY: Final = (40.0, 600.0)
CELL_VOLTAGE: Final = (2.0, 4.0)
CYCLES: Final = (0.0, 20000.0)


def _start(number: int) -> int:
    """The first register of a pack, which counts from 1."""
    return FIRST + STRIDE * (number - 1)


def _temperature(key: Named, address: int) -> Register:
    """A temperature, coded as that of the whole battery is."""
    return MEASURED.u16(
        key,
        address,
        "°C",
        scale=0.1,
        offset=1000,
        absent=NOT_AVAILABLE | ZERO,
        plausible=TEMPERATURE,
        diagnostic=True,
    )


def _pack(number: int) -> Feature:
    """A pack, which counts from 1; at 0 V it tells nothing."""
    start, name = _start(number), f"pack_{number}"
    voltage = start + 8
    page = MEASURED.beside(voltage)
    return Feature(
        key=name,
        proof=above(number - 1, "pack_count"),
        removable=Name("pack", {"number": str(number)}),
        registers=table(
            IDENTITY.row(
                numbered("pack_{}_serial", number), tuple(range(start, start + 8)), Text(8)
            ),
            MEASURED.u16(
                numbered("pack_{}_voltage", number),
                voltage,
                "V",
                scale=0.01,
                plausible=VOLTAGE,
                diagnostic=True,
            ),
            page.i16(
                numbered("pack_{}_current", number),
                start + 9,
                "A",
                scale=0.1,
                plausible=CURRENT,
                diagnostic=True,
            ),
            _temperature(numbered("pack_{}_temperature", number), start + 10),
            _temperature(numbered("pack_{}_cell_temperature_max", number), start + 11),
            _temperature(numbered("pack_{}_cell_temperature_min", number), start + 12),
            page.u16(
                numbered("pack_{}_soc", number),
                start + 15,
                "%",
                scale=0.1,
                plausible=PERCENT,
                diagnostic=True,
                kind=Kind.STATE_OF_CHARGE,
            ),
            MEASURED.u16(
                numbered("pack_{}_soh", number),
                start + 16,
                "%",
                scale=0.1,
                plausible=HEALTH,
                diagnostic=True,
            ),
            MEASURED.u16(
                numbered("pack_{}_total_capacity", number),
                start + 18,
                "Ah",
                scale=0.1,
                plausible=CAPACITY,
                diagnostic=True,
            ),
            MEASURED.u16(
                numbered("pack_{}_cell_voltage_max", number),
                start + 22,
                "V",
                scale=0.001,
                plausible=CELL_VOLTAGE,
                diagnostic=True,
            ),
            MEASURED.u16(
                numbered("pack_{}_cell_voltage_min", number),
                start + 23,
                "V",
                scale=0.001,
                plausible=CELL_VOLTAGE,
                diagnostic=True,
            ),
            page.u16(
                numbered("pack_{}_cycles", number), start + 24, plausible=CYCLES, kind=Kind.COUNT
            ),
        ),
    )


FEATURES: Final[tuple[Feature, ...]] = (
    Feature(
        key="packs",
        proof=above(0, "pack_count"),
        removable=Name("packs"),
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
