"""Identity of the device: type, serial number, firmware, rated power."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...model.codec import RATED_POWER, Hex, Text, Value, Values, as_number
from ...model.family import Maker, Model
from ...model.part import Part
from ...model.register import Group, Register
from .page import JsoPage

PROTOCOL = JsoPage(Group.IDENTITY, Part.INVERTER, confidence="medium")
INFO = JsoPage(Group.IDENTITY, Part.INVERTER, "manual 5.11 Device info")
DATASHEET = JsoPage(Group.IDENTITY, Part.INVERTER, "manual 9 Datasheet")
ADVANCED = JsoPage(Group.IDENTITY, Part.INVERTER, "manual 5.10 Advanced function")

# The series by how the main firmware begins (word 14) and ends (word 11).
SERIES: Final[Mapping[tuple[str, str], str]] = {
    ("20", "1807"): "SG04LP3",
    ("21", "1809"): "SG05LP3",
}
# The largest device of the earlier series, in watts.
LARGEST_SG04: Final = 12000

JSO8048104: Final = Model(manufacturer="JUSTSTANDOUT", name="JSO8048104")
DEYE: Final = Model(manufacturer="Deye", name="SUN-{kilowatts}K-{series}")
UNNAMED: Final = "Hybrid {kilowatts}K ({series})"
MAKERS: Final[Mapping[str, Maker]] = {
    "juststandout": Maker(
        models={8000: JSO8048104},
        other_model=Model(manufacturer="JUSTSTANDOUT", name=UNNAMED),
    ),
    "deye": Maker(other_model=DEYE),
    "sunsynk": Maker(
        other_model=Model(manufacturer="Sunsynk", name="SUNSYNK-{kilowatts}K-{series}")
    ),
    "other": Maker(other_model=Model(manufacturer="", name=UNNAMED)),
}


def series(values: Values) -> str:
    """The series of a device with these identity values; of unknown firmware the one that is built at its power."""
    firmware, rated = values.get("main_firmware"), as_number(values.get(RATED_POWER)) or 0
    by_power = "SG04LP3" if rated <= LARGEST_SG04 else "SG05LP3"
    if not isinstance(firmware, str) or rated > LARGEST_SG04:
        return by_power
    return SERIES.get((firmware[:2], firmware[-4:]), by_power)


def release(main_firmware: Value | None) -> float | None:
    """The release of a main firmware, which is the middle of its three fields; None for what is none."""
    fields = main_firmware.split("-") if isinstance(main_firmware, str) else []
    return int(fields[1]) if len(fields) == 3 and fields[1].isdecimal() else None


ROWS: tuple[Register, ...] = (
    PROTOCOL.u16("device_type", 0, confidence="high", part=None),
    PROTOCOL.u16("modbus_address", 1, confidence="high"),
    PROTOCOL.row("protocol_version", (2,), Hex(1), confidence="high"),
    INFO.row("serial_number", (3, 4, 5, 6, 7), Text(5), part=None),
    PROTOCOL.u16("mcu_board_version", 10, mask=0x00FF, confidence="high"),
    INFO.row("main_fw_boot", (11,), Hex(1), part=None),
    PROTOCOL.row("afci_version", (12,), Hex(1), confidence="high"),
    INFO.row("main_firmware", (14, 15, 11), Hex(3)),
    PROTOCOL.u16("hmi_fw_extra", 16),
    INFO.row("hmi_firmware", (17, 18), Hex(2)),
    DATASHEET.u32("rated_power", 20, "W", scale=0.1),
    PROTOCOL.u16("mppt_count", 22, mask=0xFF00),
    PROTOCOL.u16("phase_count", 22, mask=0x00FF),
    PROTOCOL.choice(
        "rated_power_code",
        23,
        {
            0: "12_kw",
            1: "10_kw",
            2: "8_kw",
            3: "6_kw",
            4: "5_kw",
            5: "14_kw",
            6: "15_kw",
            7: "16_kw",
            8: "18_kw",
            9: "20_kw",
        },
        part=None,
    ),
    PROTOCOL.choice(
        "output_wiring", 25, {0: "three_phase", 1: "split_phase", 2: "two_phases_60_degrees"}
    ),
    PROTOCOL.choice("market", 26, {0: "eu", 1: "us", 2: "japan"}),
    ADVANCED.switch("system_selfcheck", 36, mask=0x0001, confidence="low"),
    PROTOCOL.u16("communication_address", 74),
)
