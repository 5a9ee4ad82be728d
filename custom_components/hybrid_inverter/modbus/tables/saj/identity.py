"""Identity of the device: type, serial number, versions, rated power; what the battery controllers say of themselves."""

from __future__ import annotations

from typing import Final

from ...model.codec import Text
from ...model.family import table
from ...model.features import Feature, known
from ...model.part import Part
from ...model.presentation import Name, numbered
from ...model.recognition import OtherDevice, Recognition, by_code
from ...model.register import Group, Register
from .page import BATTERY_PROTOCOLS, SajPage

INFO = SajPage(Group.IDENTITY, Part.INVERTER)
SETUP = SajPage(Group.IDENTITY, Part.BATTERY, confidence="medium")

RATED_POWERS: Final = (1000, 60000)
# Common sizes between those of the smallest and the largest published model; any other can be typed.
SIZES: Final = (
    *(3000, 3600, 4000, 5000, 6000, 7000, 8000, 9000, 10000),
    *(12000, 15000, 20000, 25000, 30000),
)

# Those of the three-phase devices and of the newest ones are not public; the others belong to this series.
KNOWN_TYPES: Final = range(85, 256)
TYPE: Final = 0x8F00
BY_TYPE: Final = by_code(TYPE, KNOWN_TYPES, {82: "saj_as1", 84: "saj_h1"})
SERIAL_NUMBER: Final = 0x8F03
PRODUCT_CODE: Final = 0x8F0D
TEXT_WORDS: Final = 10
# The fewest letters and digits of a serial number.
SERIAL_LENGTH: Final = 8


def recognise() -> Recognition:
    """Recognise the family by the type; a type that nobody has published by the texts that follow it."""
    verdict = yield from BY_TYPE()
    if not isinstance(verdict, OtherDevice) or verdict.certain:
        return verdict
    words = yield SERIAL_NUMBER, 2 * TEXT_WORDS
    if words is None:
        return verdict
    serial, code = words[:TEXT_WORDS], words[TEXT_WORDS:]
    text = Text(TEXT_WORDS)
    number = text.decode(serial) or ""
    # A product code that is not there is padding throughout.
    named = text.decode(code) is not None or set(code) <= {0, 0x2020, 0xFFFF}
    return True if len(number) >= SERIAL_LENGTH and number.isalnum() and named else verdict


# The controllers of the battery packs, and the words that each of them has.
CONTROLLERS: Final = range(1, 6)
CONTROLLER_WORDS: Final = 20

ROWS: tuple[Register, ...] = (
    INFO.u16("device_type", TYPE, part=None),
    INFO.u16("device_subtype", 0x8F01),
    INFO.version("protocol_version", 0x8F02),
    INFO.text("serial_number", SERIAL_NUMBER, TEXT_WORDS, part=None),
    INFO.text("product_code", PRODUCT_CODE, TEXT_WORDS),
    INFO.version("display_software_version", 0x8F17),
    INFO.version("master_software_version", 0x8F18),
    INFO.version("slave_software_version", 0x8F19),
    INFO.version("display_hardware_version", 0x8F1A),
    INFO.version("control_hardware_version", 0x8F1B),
    INFO.version("power_hardware_version", 0x8F1C),
    SETUP.u16("machine_model", 0x366C, part=Part.INVERTER),
    SETUP.u16("rated_power", 0x366D, "W", plausible=RATED_POWERS, part=Part.INVERTER),
    SETUP.choice(
        "grid_type",
        0x3674,
        {
            0: "single_phase",
            1: "split_phase",
            2: "three_phase_three_wire",
            3: "three_phase_four_wire",
        },
        part=Part.INVERTER,
    ),
)


def controller(number: int) -> list[Register]:
    """What one battery controller says of itself and of its battery."""
    first = 0x8E00 + CONTROLLER_WORDS * (number - 1)
    return [
        SETUP.choice(numbered("bms_{}_type", number, "pack"), first, BATTERY_PROTOCOLS),
        SETUP.text(f"bms_{number}_serial_number", first + 1, 8, part=None),
        SETUP.version(numbered("bms_{}_software_version", number, "pack"), first + 9),
        SETUP.version(numbered("bms_{}_hardware_version", number, "pack"), first + 10),
        SETUP.choice(
            numbered("battery_{}_cell_type", number, "pack"),
            first + 11,
            {1: "50_ah", 2: "80_ah", 3: "100_ah"},
        ),
        SETUP.text(f"battery_{number}_serial_number", first + 12, 8, part=None),
    ]


FEATURES: Final = tuple(
    Feature(
        key=f"bms_{number}",
        proof=known(f"bms_{number}_serial_number"),
        removable=Name("controller", {"number": str(number)}),
        registers=table(*controller(number)),
    )
    for number in CONTROLLERS
)
