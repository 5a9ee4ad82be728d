"""Settings of the work mode pages: where the energy goes, export limits, time of use."""

from __future__ import annotations

from typing import Final

from ...codec_time import Hhmm
from ...register import Group, Limits, Ref, Register
from ..sheet import NOT_AVAILABLE
from .page import EVERYDAY, INSTALLER, RATED, Page

MODE = Page(Group.SETTINGS, "manual 5.7 System work mode")
TIME_OF_USE = Page(Group.SETTINGS, "manual 5.7 System work mode, Time of use table")
PROTOCOL = Page(Group.SETTINGS, confidence="medium")

SLOTS: Final = range(1, 7)
# The machine takes back a start that is not in order with the others, so all six travel together.
STARTS: Final = tuple(f"tou_slot_{slot}_time" for slot in SLOTS)
# Minutes of the day, on the grid of the display.
FIRST_START: Final = 0
LAST_START: Final = 1435
START_STEP: Final = 5


def start_limits(slot: int) -> Limits:
    """Return the bounds of a slot's start: the starts before and after it, which may be the same time."""
    return Limits(
        Ref(f"tou_slot_{slot - 1}_time", default=FIRST_START) if slot > SLOTS[0] else FIRST_START,
        Ref(f"tou_slot_{slot + 1}_time", default=LAST_START) if slot < SLOTS[-1] else LAST_START,
        START_STEP,
    )


ROWS: tuple[Register, ...] = (
    MODE.i16(
        "zero_export_power", 104, "W", absent=NOT_AVAILABLE, tier=EVERYDAY, limits=Limits(0, 500)
    ),
    # The protocol gives it two bits, but the low one alone decides; so the high one stays as it is found.
    MODE.choice(
        "energy_pattern", 141, {0: "battery_first", 1: "load_first"}, mask=0x0001, tier=EVERYDAY
    ),
    MODE.choice(
        "work_mode",
        142,
        {0: "selling_first", 1: "zero_export_to_load", 2: "zero_export_to_ct"},
        tier=EVERYDAY,
    ),
    MODE.u16("max_sell_power", 143, "W", tier=EVERYDAY, limits=Limits(0, RATED)),
    MODE.switch("solar_sell", 145, tier=EVERYDAY),
    TIME_OF_USE.switch("tou_enabled", 146, mask=0x0001, tier=EVERYDAY),
    TIME_OF_USE.switch("tou_monday", 146, mask=0x0002, tier=EVERYDAY),
    TIME_OF_USE.switch("tou_tuesday", 146, mask=0x0004, tier=EVERYDAY),
    TIME_OF_USE.switch("tou_wednesday", 146, mask=0x0008, tier=EVERYDAY),
    TIME_OF_USE.switch("tou_thursday", 146, mask=0x0010, tier=EVERYDAY),
    TIME_OF_USE.switch("tou_friday", 146, mask=0x0020, tier=EVERYDAY),
    TIME_OF_USE.switch("tou_saturday", 146, mask=0x0040, tier=EVERYDAY),
    TIME_OF_USE.switch("tou_sunday", 146, mask=0x0080, tier=EVERYDAY),
    *(
        TIME_OF_USE.row(
            key,
            (147 + slot,),
            Hhmm(),
            tier=EVERYDAY,
            limits=start_limits(slot),
            written_with=tuple(other for other in STARTS if other != key),
        )
        for slot, key in zip(SLOTS, STARTS, strict=True)
    ),
    *(
        TIME_OF_USE.u16(
            f"tou_slot_{slot}_power", 153 + slot, "W", tier=EVERYDAY, limits=Limits(0, RATED)
        )
        for slot in SLOTS
    ),
    *(
        TIME_OF_USE.u16(
            f"tou_slot_{slot}_voltage",
            159 + slot,
            "V",
            scale=0.01,
            tier=EVERYDAY,
            limits=Limits(38, 63, 0.01),
        )
        for slot in SLOTS
    ),
    *(
        TIME_OF_USE.u16(
            f"tou_slot_{slot}_soc", 165 + slot, "%", tier=EVERYDAY, limits=Limits(0, 100)
        )
        for slot in SLOTS
    ),
    *(
        TIME_OF_USE.switch(f"tou_slot_{slot}_grid_charge", 171 + slot, mask=0x0001, tier=EVERYDAY)
        for slot in SLOTS
    ),
    *(
        TIME_OF_USE.switch(
            f"tou_slot_{slot}_generator_charge", 171 + slot, mask=0x0002, tier=EVERYDAY
        )
        for slot in SLOTS
    ),
    # Newer firmware only.
    *(
        PROTOCOL.switch(f"tou_slot_{slot}_sell", 171 + slot, mask=0x0020, tier=INSTALLER)
        for slot in SLOTS
    ),
    MODE.pair("grid_peak_shaving", 178, mask=0x0030, tier=EVERYDAY),
    MODE.u16("grid_peak_shaving_power", 191, "W", tier=INSTALLER, limits=Limits(0, 16000)),
    PROTOCOL.u16("max_export_power_port", 231, "W", scale=10),
    PROTOCOL.u16("max_import_power_port", 233, "W", scale=10),
    PROTOCOL.switch("track_grid_phase", 235),
    PROTOCOL.switch("asymmetric_phase_feeding", 237, tier=INSTALLER),
    MODE.u16(
        "max_solar_power",
        340,
        "W",
        tier=EVERYDAY,
        limits=Limits(0, Ref("rated_power", factor=1.3, default=10400)),
    ),
)
