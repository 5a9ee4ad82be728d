"""The meters that are simulated, and what they hold when they leave the installer's hands: data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

# What the keypad asks for; both kinds keep it in a register that nobody should show.
KEYPAD_CODE: Final = 701


class Place(StrEnum):
    """Where a meter sits."""

    GRID = "grid"
    SOLAR = "solar"
    CAR = "car"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterModel:
    """What one meter has: its features in the register table, and the registers that it serves in one piece."""

    name: str
    family: str
    place: Place
    version: int
    features: tuple[str, ...]
    # First and last addresses that are served; a read that touches any other one is refused.
    served: tuple[tuple[int, int], ...]
    ct_ratio: int = 1
    # As the meter reports it: a single one.
    pt_ratio: float = 1.0
    # Raw words that it holds besides.
    words: Mapping[int, int]

    @property
    def ratios(self) -> dict[str, float]:
        """The ratios by the keys that the register table has for them."""
        return {"ct_ratio": self.ct_ratio, "pt_ratio": self.pt_ratio}


THREE_PHASE_SETTINGS: Final = ((0x0000, 0x000C), (0x002C, 0x002E))
SPLIT_MEASUREMENTS: Final = ((0x2000, 0x2021), (0x202A, 0x2031), (0x2044, 0x2045))

TYPES: Final[Mapping[str, MeterModel]] = {
    model.name: model
    for model in (
        MeterModel(
            name="DTSU666",
            family="dtsu666",
            place=Place.GRID,
            version=109,
            features=(
                "apparent_power",
                "phase_angles",
                "whole_block",
                "new_counters",
                "new_net_counters",
                "new_combined_counter",
                "new_reactive_counters",
                "primary_measurements",
                "primary_counters",
                "primary_net_counters",
                "primary_combined_counter",
                "primary_reactive_counters",
            ),
            served=(
                (0x0000, 0x002E),
                (0x1000, 0x1059),
                (0x150A, 0x154F),
                (0x1800, 0x1859),
                (0x2000, 0x2045),
            ),
            words={0x0001: KEYPAD_CODE, 0x000A: 10, 0x000B: 1, 0x000C: 4, 0x002C: 3, 0x002D: 3},
        ),
        MeterModel(
            name="DTSU666-2019",
            family="dtsu666",
            place=Place.GRID,
            version=207,
            features=("new_counters", "new_net_counters", "new_reactive_counters"),
            served=(*THREE_PHASE_SETTINGS, *SPLIT_MEASUREMENTS, (0x101E, 0x1031), (0x1032, 0x1051)),
            words={0x0001: KEYPAD_CODE, 0x002C: 5, 0x002D: 3},
        ),
        MeterModel(
            name="DTSU666-2016",
            family="dtsu666",
            place=Place.GRID,
            version=103,
            features=(
                "clock",
                "demand",
                "old_counters",
                "old_phase_counters",
                "old_net_counters",
                "old_combined_counter",
                "old_reactive_counters",
            ),
            served=(
                (0x0000, 0x000C),
                (0x002C, 0x0034),
                *SPLIT_MEASUREMENTS,
                (0x2050, 0x2051),
                (0x4000, 0x4001),
                (0x401E, 0x4059),
            ),
            words={0x0001: KEYPAD_CODE, 0x002C: 2, 0x002D: 3},
        ),
        MeterModel(
            name="DDSU666",
            family="ddsu666",
            place=Place.SOLAR,
            version=504,
            features=("apparent_power", "whole_block", "export_counter"),
            served=((0x0000, 0x0010), (0x2000, 0x200F), (0x4000, 0x4001), (0x400A, 0x400B)),
            words={0x0000: KEYPAD_CODE, 0x0003: 2, 0x0005: 2, 0x000C: 3},
        ),
        # The smallest type counts both ways in one counter.
        MeterModel(
            name="DDSU666-2016",
            family="ddsu666",
            place=Place.SOLAR,
            version=101,
            features=("apparent_power",),
            served=((0x0000, 0x0010), (0x2000, 0x200B), (0x200E, 0x200F), (0x4000, 0x4001)),
            words={0x0000: KEYPAD_CODE, 0x0003: 2, 0x0005: 2, 0x000C: 3},
        ),
    )
}

# And the largest one a second time, before a car.
METERS: Final[Mapping[str, MeterModel]] = {
    **TYPES,
    "DTSU666-car": replace(TYPES["DTSU666"], place=Place.CAR),
}
