"""Settings of the basic and advanced pages: clock, power switch, display, meters, parallel devices, wind turbines."""

from __future__ import annotations

from ...model.codec_time import ClockTime
from ...model.part import Part
from ...model.presentation import numbered
from ...model.register import Group, Register
from .page import EVERYDAY, INSTALLER, JsoPage

BASIC = JsoPage(Group.SETTINGS, source="manual 5.1 Main screen / 5.5 Basic setup")
PROTOCOL = JsoPage(Group.SETTINGS, Part.INVERTER, confidence="medium")
ADVANCED = JsoPage(Group.SETTINGS, Part.GRID, "manual 5.10 Advanced function", confidence="medium")
PARALLEL = JsoPage(
    Group.SETTINGS, Part.INVERTER, "manual 5.10 Advanced function (parallel wiring pages)"
)

WIND_POINTS = range(1, 13)

ROWS: tuple[Register, ...] = (
    BASIC.row("system_time", (62, 63, 64), ClockTime(), tier=EVERYDAY, stored=False),
    PROTOCOL.switch("inverter_enabled", 80, tier=INSTALLER, confidence="high"),
    ADVANCED.pair("external_relay", 178, mask=0x0300, confidence="low", part=Part.INVERTER),
    ADVANCED.pair("bms_err_stop", 178, mask=0x0C00, tier=INSTALLER, part=Part.BATTERY),
    ADVANCED.pair("drm_enabled", 178, mask=0x3000),
    ADVANCED.switch("solar_arc_fault", 181, part=Part.PV),
    # In seconds or in milliseconds: the sources disagree.
    ADVANCED.u16("backup_delay", 209, confidence="low", part=Part.LOAD),
    PROTOCOL.pair("time_sync", 228, mask=0x0003, tier=INSTALLER, confidence="high"),
    PROTOCOL.pair("beep", 228, mask=0x000C, tier=EVERYDAY, confidence="high"),
    PROTOCOL.pair("am_pm", 228, mask=0x0030, tier=EVERYDAY),
    PROTOCOL.pair("auto_dim", 228, mask=0x00C0, tier=EVERYDAY),
    PROTOCOL.pair("allow_remote", 228, mask=0xC000, tier=INSTALLER),
    PROTOCOL.choice(
        "ct_self_check", 232, {0: "finished", 1: "start", 2: "clear_result"}, part=Part.GRID
    ),
    PROTOCOL.switch(numbered("wind_input_dc{}", 1), 310, mask=0x0001, part=Part.PV),
    PROTOCOL.switch(numbered("wind_input_dc{}", 2), 310, mask=0x0002, part=Part.PV),
    *(
        PROTOCOL.u16(
            numbered("wind_curve_{}_voltage", point), 310 + point, "V", scale=0.1, part=Part.PV
        )
        for point in WIND_POINTS
    ),
    *(
        PROTOCOL.u16(
            numbered("wind_curve_{}_current", point), 322 + point, "A", scale=0.1, part=Part.PV
        )
        for point in WIND_POINTS
    ),
    PARALLEL.switch("parallel_enabled", 336, mask=0x0001),
    PARALLEL.choice("parallel_role", 336, {0: "slave", 1: "master"}, mask=0x0002),
    PROTOCOL.choice("parallel_phase", 336, {0: "l1", 1: "l2", 2: "l3", 3: "void"}, mask=0x0300),
    PROTOCOL.switch("mppt_scan", 341, mask=0x0004, tier=INSTALLER, part=Part.PV),
    PROTOCOL.switch("italy_self_check", 342, part=Part.GRID),
    PROTOCOL.choice("italy_local_mode", 343, {0: "wide_range", 1: "narrow_range"}, part=Part.GRID),
    ADVANCED.choice("ex_meter_for_ct", 344, {0: "ct", 1: "external_meter"}, mask=0x0001),
    PROTOCOL.switch("grid_tie_meter_2", 344, mask=0x0002, part=Part.GRID),
    PROTOCOL.choice("meter_brand", 345, {0: "none", 1: "eastron", 2: "chnt"}, part=Part.GRID),
    PROTOCOL.choice("meter_limit_mode", 346, {0: "average", 1: "minimum"}, part=Part.GRID),
    PROTOCOL.u16("ct_ratio", 347, part=Part.GRID),
)
