"""Who the machine is: type, serial number, versions, rated power; what the battery controllers say of themselves."""

from __future__ import annotations

from typing import Final

from ...family import table
from ...features import Feature, known
from ...register import Group, Register
from .page import BATTERY_PROTOCOLS, Page

INFO = Page(Group.IDENTITY)
SETUP = Page(Group.IDENTITY, confidence="medium")

RATED_POWERS: Final = (1000, 60000)

# The controllers of the battery packs, and the words that each of them has.
CONTROLLERS: Final = range(1, 6)
CONTROLLER_WORDS: Final = 20

ROWS: tuple[Register, ...] = (
    INFO.u16("device_type", 0x8F00),
    INFO.u16("device_subtype", 0x8F01),
    INFO.version("protocol_version", 0x8F02),
    INFO.text("serial_number", 0x8F03, 10),
    INFO.text("product_code", 0x8F0D, 10),
    INFO.version("display_software_version", 0x8F17),
    INFO.version("master_software_version", 0x8F18),
    INFO.version("slave_software_version", 0x8F19),
    INFO.version("display_hardware_version", 0x8F1A),
    INFO.version("control_hardware_version", 0x8F1B),
    INFO.version("power_hardware_version", 0x8F1C),
    SETUP.u16("machine_model", 0x366C),
    SETUP.u16("rated_power", 0x366D, "W", plausible=RATED_POWERS),
    SETUP.choice(
        "grid_type",
        0x3674,
        {
            0: "single_phase",
            1: "split_phase",
            2: "three_phase_three_wire",
            3: "three_phase_four_wire",
        },
    ),
)


def controller(number: int) -> list[Register]:
    """Return what one battery controller says of itself and of its battery."""
    first = 0x8E00 + CONTROLLER_WORDS * (number - 1)
    return [
        SETUP.choice(f"bms_{number}_type", first, BATTERY_PROTOCOLS),
        SETUP.text(f"bms_{number}_serial_number", first + 1, 8),
        SETUP.version(f"bms_{number}_software_version", first + 9),
        SETUP.version(f"bms_{number}_hardware_version", first + 10),
        SETUP.choice(
            f"battery_{number}_cell_type", first + 11, {1: "50_ah", 2: "80_ah", 3: "100_ah"}
        ),
        SETUP.text(f"battery_{number}_serial_number", first + 12, 8),
    ]


FEATURES: Final = tuple(
    Feature(
        key=f"bms_{number}",
        proof=known(f"bms_{number}_serial_number"),
        registers=table(*controller(number)),
    )
    for number in CONTROLLERS
)
