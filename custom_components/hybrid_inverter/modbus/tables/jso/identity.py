"""Who the machine is: type, serial number, firmware, rated power."""

from __future__ import annotations

from ...codec import Hex, Text
from ...register import Group, Register
from .page import Page

PROTOCOL = Page(Group.IDENTITY, confidence="medium")
INFO = Page(Group.IDENTITY, "manual 5.11 Device info")
DATASHEET = Page(Group.IDENTITY, "manual 9 Datasheet")
ADVANCED = Page(Group.IDENTITY, "manual 5.10 Advanced function")

ROWS: tuple[Register, ...] = (
    PROTOCOL.u16("device_type", 0, confidence="high"),
    PROTOCOL.u16("modbus_address", 1, confidence="high"),
    PROTOCOL.row("protocol_version", (2,), Hex(1), confidence="high"),
    INFO.row("serial_number", (3, 4, 5, 6, 7), Text(5)),
    PROTOCOL.u16("mcu_board_version", 10, mask=0x00FF, confidence="high"),
    INFO.row("main_fw_boot", (11,), Hex(1)),
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
    ),
    PROTOCOL.choice(
        "output_wiring", 25, {0: "three_phase", 1: "split_phase", 2: "two_phases_60_degrees"}
    ),
    PROTOCOL.choice("market", 26, {0: "eu", 1: "us", 2: "japan"}),
    ADVANCED.switch("system_selfcheck", 36, mask=0x0001, confidence="low"),
    PROTOCOL.u16("communication_address", 74),
)
