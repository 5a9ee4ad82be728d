"""Settings of the work mode pages: where the energy goes, export limits, time of use."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ...model.codec import RATED_POWER
from ...model.codec_time import Hhmm
from ...model.condition import BY_STATE_OF_CHARGE, BY_VOLTAGE
from ...model.export_limit import ExportLimit
from ...model.family import table
from ...model.features import Feature, among
from ...model.part import Kind, Part
from ...model.presentation import numbered
from ...model.register import (
    Group,
    Limits,
    Ref,
    Register,
)
from ...model.slots import START_SLOTS, start_key
from .identity import release
from .page import (
    CONNECTION,
    EVERYDAY,
    INSTALLER,
    POWER,
    JsoPage,
)

MODE = JsoPage(Group.SETTINGS, Part.GRID, "manual 5.7 System work mode")
TIME_OF_USE = JsoPage(
    Group.SETTINGS, Part.INVERTER, "manual 5.7 System work mode, Time of use table"
)
PROTOCOL = JsoPage(Group.SETTINGS, Part.GRID, confidence="medium")

# The device takes back a start that is not in order with the others, so all six travel together.
STARTS: Final = tuple(start_key(slot, "time") for slot in START_SLOTS)
# Minutes of the day, on the grid of the display.
FIRST_START: Final = 0
LAST_START: Final = 1435
START_STEP: Final = 5


def start_limits(slot: int) -> Limits:
    """The bounds of a slot's start: the starts before and after it, which may be the same time."""
    return Limits(
        Ref(start_key(slot - 1, "time"), default=FIRST_START)
        if slot > START_SLOTS[0]
        else FIRST_START,
        Ref(start_key(slot + 1, "time"), default=LAST_START)
        if slot < START_SLOTS[-1]
        else LAST_START,
        START_STEP,
    )


# Earlier protocols have something else in this register, and some devices nothing: it is the switch where all of it
# holds what the switch can.
OFF_GRID_WORD: Final = PROTOCOL.u16("force_off_grid_word", 179, part=None)

FEATURES: Final = (
    Feature(
        key="force_off_grid",
        tier=INSTALLER,
        proof=replace(among(OFF_GRID_WORD.key, 0, 1), rows=table(OFF_GRID_WORD)),
        registers=table(
            PROTOCOL.switch("force_off_grid", 179, mask=0x0001, tier=INSTALLER, confidence="low")
        ),
    ),
)

# Below 0 is taken from release 1135 of the main firmware on; an earlier one acknowledges it, and puts 0 or 20 back about five
# seconds later.
ZERO_EXPORT: Final = Limits(
    Ref("main_firmware", number=release, by_value={1134: 0, 9999: -500}, default=0),
    500,
    least=-500,
)

ROWS: tuple[Register, ...] = (
    # The one setting in which 0xFFFF is a value.
    MODE.i16("zero_export_power", 104, "W", tier=EVERYDAY, limits=ZERO_EXPORT, shown=True),
    # The protocol gives it two bits, but the low one alone decides; so the high one stays as it is found.
    MODE.choice(
        "energy_pattern",
        141,
        {0: "battery_first", 1: "load_first"},
        mask=0x0001,
        tier=EVERYDAY,
        part=Part.INVERTER,
        shown=True,
        primary=True,
    ),
    MODE.choice(
        "work_mode",
        142,
        {0: "selling_first", 1: "zero_export_to_load", 2: "zero_export_to_ct"},
        tier=EVERYDAY,
        part=Part.INVERTER,
        shown=True,
        primary=True,
    ),
    MODE.u16("max_sell_power", 143, "W", tier=EVERYDAY, limits=POWER, shown=True),
    MODE.switch("solar_sell", 145, tier=EVERYDAY, part=Part.INVERTER, shown=True),
    TIME_OF_USE.switch("tou_enabled", 146, mask=0x0001, tier=EVERYDAY, shown=True),
    TIME_OF_USE.switch("tou_monday", 146, mask=0x0002, tier=EVERYDAY),
    TIME_OF_USE.switch("tou_tuesday", 146, mask=0x0004, tier=EVERYDAY),
    TIME_OF_USE.switch("tou_wednesday", 146, mask=0x0008, tier=EVERYDAY),
    TIME_OF_USE.switch("tou_thursday", 146, mask=0x0010, tier=EVERYDAY),
    TIME_OF_USE.switch("tou_friday", 146, mask=0x0020, tier=EVERYDAY),
    TIME_OF_USE.switch("tou_saturday", 146, mask=0x0040, tier=EVERYDAY),
    TIME_OF_USE.switch("tou_sunday", 146, mask=0x0080, tier=EVERYDAY),
    *(
        TIME_OF_USE.row(
            numbered("tou_slot_{}_time", slot),
            (147 + slot,),
            Hhmm(),
            tier=EVERYDAY,
            may_be_blank=True,
            limits=start_limits(slot),
            written_with=tuple(other for other in STARTS if other != key),
        )
        for slot, key in zip(START_SLOTS, STARTS, strict=True)
    ),
    *(
        TIME_OF_USE.u16(
            numbered("tou_slot_{}_power", slot),
            153 + slot,
            "W",
            tier=EVERYDAY,
            may_be_blank=True,
            limits=POWER,
        )
        for slot in START_SLOTS
    ),
    *(
        TIME_OF_USE.u16(
            numbered("tou_slot_{}_voltage", slot),
            159 + slot,
            "V",
            scale=0.01,
            tier=EVERYDAY,
            may_be_blank=True,
            limits=Limits(38, 63, 0.01),
            when=(BY_VOLTAGE,),
        )
        for slot in START_SLOTS
    ),
    *(
        TIME_OF_USE.u16(
            numbered("tou_slot_{}_soc", slot),
            165 + slot,
            "%",
            kind=Kind.CHARGE_LEVEL,
            tier=EVERYDAY,
            may_be_blank=True,
            limits=Limits(0, 100),
            when=(BY_STATE_OF_CHARGE,),
        )
        for slot in START_SLOTS
    ),
    *(
        TIME_OF_USE.switch(
            numbered("tou_slot_{}_grid_charge", slot),
            171 + slot,
            mask=0x0001,
            tier=EVERYDAY,
            may_be_blank=True,
        )
        for slot in START_SLOTS
    ),
    *(
        TIME_OF_USE.switch(
            numbered("tou_slot_{}_generator_charge", slot),
            171 + slot,
            mask=0x0002,
            tier=EVERYDAY,
            may_be_blank=True,
        )
        for slot in START_SLOTS
    ),
    # Newer firmware only.
    *(
        PROTOCOL.switch(
            numbered("tou_slot_{}_sell", slot),
            171 + slot,
            mask=0x0020,
            tier=INSTALLER,
            part=Part.INVERTER,
        )
        for slot in START_SLOTS
    ),
    MODE.pair("grid_peak_shaving", 178, mask=0x0030, tier=EVERYDAY),
    MODE.u16("grid_peak_shaving_power", 191, "W", tier=INSTALLER, limits=CONNECTION),
    PROTOCOL.u16("max_export_power_port", 231, "W", scale=10),
    PROTOCOL.u16("max_import_power_port", 233, "W", scale=10),
    PROTOCOL.switch("track_grid_phase", 235),
    PROTOCOL.switch("asymmetric_phase_feeding", 237, tier=INSTALLER),
    MODE.u16(
        "max_solar_power",
        340,
        "W",
        tier=EVERYDAY,
        limits=Limits(0, Ref(RATED_POWER, factor=1.3, default=10400), most=26000),
        part=Part.PV,
    ),
)

# The switch bars surplus from the grid, but counts for nothing while selling first (manual 5.7). Instead of that the device
# serves what its clamps see; without any it does not know what flows there, and only serves its own terminal.
EXPORT_LIMIT: Final = ExportLimit(
    key="max_sell_power",
    barred=("solar_sell", False),
    open=("solar_sell", True),
    regardless=("work_mode", "selling_first"),
    otherwise={
        True: ("work_mode", "zero_export_to_ct"),
        False: ("work_mode", "zero_export_to_load"),
    },
)
