"""Settings of the user's pages: work mode, SOC limits, power limits, export limit, passive mode, meters."""

from __future__ import annotations

from typing import Final

from ...model.export_limit import ExportLimit
from ...model.family import table
from ...model.features import Feature, known
from ...model.part import Kind, Part
from ...model.register import Group, Limits, Ref, Register
from ...model.reserve import Reserve
from ...model.residue import Residue
from ..sheet import Extra
from .conditions import PASSIVE_MODE
from .page import (
    BATTERY_PROTOCOLS,
    EVERYDAY,
    OVERLOAD,
    WORK_MODES,
    SajPage,
)

SETTINGS = SajPage(Group.SETTINGS, Part.BATTERY)
SETUP = SajPage(Group.SETTINGS, Part.INVERTER, confidence="medium")

# What the vendor's app or the factory sets: shown, and kept until a person chooses another mode.
OTHER_MODES: Final = {10: "peak_shaving", 12: "ai_saving", 14: "ageing"}

# Seconds: those who control these devices wait so long after a change of the mode before they read settings.
MODE_SETTLE: Final = 5.0

ROWS: tuple[Register, ...] = (
    SETUP.choice(
        "meter_wiring",
        0x3630,
        {
            0: "off",
            1: "single_phase",
            2: "three_phase_three_wire",
            3: "three_phase_four_wire",
        },
        part=Part.GRID,
    ),
    SETUP.u16("meter_address", 0x3631, part=Part.GRID),
    # The wire is the wrong way round: 0 is on.
    SETUP.choice("buzzer", 0x3632, {0: True, 1: False}, tier=EVERYDAY),
    SETUP.u16("rs485_address", 0x3633),
    SETUP.choice(
        "rs485_baud_rate",
        0x3634,
        {
            0: "115200",
            1: "57600",
            2: "38400",
            3: "19200",
            4: "9600",
            5: "4800",
            6: "2400",
            7: "1200",
        },
    ),
    SETUP.choice(
        "reverse_flow_control_source", 0x3635, {0: "off", 1: "master", 2: "slave"}, part=Part.GRID
    ),
    SETUP.choice("battery_protocol", 0x363B, BATTERY_PROTOCOLS, part=Part.BATTERY),
    SETUP.u16("frequency_return_hysteresis", 0x3642, "Hz", scale=0.01, part=Part.GRID),
    SETUP.switch("battery_auto_wake", 0x3643, part=Part.BATTERY),
    SETTINGS.u16(
        "on_grid_discharge_floor",
        0x3644,
        "%",
        tier=EVERYDAY,
        limits=Limits(5, 100),
        shown=True,
        kind=Kind.CHARGE_LEVEL,
    ),
    SETTINGS.u16(
        "off_grid_discharge_floor",
        0x3645,
        "%",
        tier=EVERYDAY,
        limits=Limits(5, 100),
        shown=True,
        kind=Kind.CHARGE_LEVEL,
    ),
    SETTINGS.u16(
        "charge_upper_limit",
        0x3646,
        "%",
        tier=EVERYDAY,
        limits=Limits(20, 100),
        shown=True,
        kind=Kind.CHARGE_LEVEL,
    ),
    SETTINGS.choice(
        "work_mode",
        0x3647,
        WORK_MODES | OTHER_MODES,
        shown_only=frozenset(OTHER_MODES),
        tier=EVERYDAY,
        part=Part.INVERTER,
        shown=True,
        primary=True,
        settle=MODE_SETTLE,
    ),
    SETTINGS.share(
        "battery_charge_power_limit", 0x364D, tier=EVERYDAY, limits=OVERLOAD, shown=True
    ),
    SETTINGS.share(
        "battery_discharge_power_limit", 0x364E, tier=EVERYDAY, limits=OVERLOAD, shown=True
    ),
    SETTINGS.share(
        "grid_charge_power_limit", 0x364F, tier=EVERYDAY, limits=OVERLOAD, part=Part.GRID
    ),
    SETTINGS.share(
        "grid_discharge_power_limit", 0x3650, tier=EVERYDAY, limits=OVERLOAD, part=Part.GRID
    ),
    SETTINGS.u16(
        "backup_reserve_soc",
        0x3651,
        "%",
        tier=EVERYDAY,
        limits=Limits(20, 100),
        shown=True,
        kind=Kind.CHARGE_LEVEL,
    ),
    SETTINGS.share(
        "export_limit_power", 0x365A, tier=EVERYDAY, limits=OVERLOAD, part=Part.GRID, shown=True
    ),
    SETTINGS.u16(
        "export_limit_current",
        0x365B,
        "A",
        scale=0.01,
        tier=EVERYDAY,
        limits=Limits(0, 300, 0.01),
        confidence="medium",
        part=Part.GRID,
    ),
    SETTINGS.choice(
        "export_limit_mode",
        0x365C,
        {0: "off", 1: "total_power", 2: "current", 3: "each_phase_power"},
        tier=EVERYDAY,
        part=Part.GRID,
        shown=True,
    ),
    SETTINGS.choice(
        "tou_outside_mode",
        0x365F,
        {0: "standby", 1: "self_consumption"},
        tier=EVERYDAY,
        part=Part.INVERTER,
    ),
    SETTINGS.switch("tou_export_from_battery", 0x3660, tier=EVERYDAY, part=Part.INVERTER),
    SETUP.switch("off_grid_enabled", 0x3668, part=Part.LOAD),
    SETUP.choice("led_mode", 0x3675, {0: "off", 1: "outer_ring", 2: "inner_ring", 3: "on"}),
    SETUP.share("forced_charge_power", 0x3676, part=Part.BATTERY),
)

# What counts in passive mode only, and was there at other times, too, in earlier versions.
ORDERED: Final[Extra] = {
    "tier": EVERYDAY,
    "part": Part.INVERTER,
    "shown": True,
    "when": (PASSIVE_MODE,),
    "kept": True,
}
ORDERED_POWER: Final[Extra] = {**ORDERED, "limits": OVERLOAD}

FEATURES: Final = (
    Feature(
        key="passive_mode",
        proof=known("passive_action"),
        registers=table(
            SETTINGS.choice(
                "passive_action", 0x3636, {0: "standby", 1: "discharge", 2: "charge"}, **ORDERED
            ),
            SETUP.share("passive_grid_charge_power", 0x3637, **ORDERED_POWER),
            SETUP.share("passive_grid_discharge_power", 0x3638, **ORDERED_POWER),
            SETTINGS.share("passive_battery_charge_power", 0x3639, **ORDERED_POWER),
            SETTINGS.share("passive_battery_discharge_power", 0x363A, **ORDERED_POWER),
        ),
    ),
)

# The powers of the passive mode go on limiting what the vendor's app does, and a raised reserve stays raised.
RESIDUES: Final = (
    Residue(
        key="work_mode",
        value="passive",
        keys=(
            "passive_action",
            "passive_grid_charge_power",
            "passive_grid_discharge_power",
            "passive_battery_charge_power",
            "passive_battery_discharge_power",
        ),
        run_from_here=True,
        otherwise="self_consumption",
        rest=("passive_action", "standby"),
    ),
    Residue(key="work_mode", value="backup", keys=("backup_reserve_soc",)),
)

# The backup mode has a reserve of its own; in any other mode it is what the battery is discharged to with the grid (H2
# protocol 2022, 0x3644 and 0x3651). The floors for a time without the grid and for one with it, and the end of charging,
# keep a distance (seen at devices in use); the floor for a time without the grid is not ours to move.
RESERVES: Final = (
    Reserve(
        key="backup_reserve_soc",
        limits=Limits(20, 100),
        above="charge_upper_limit",
        margin=1,
        while_in=("work_mode", "backup"),
    ),
    Reserve(
        key="on_grid_discharge_floor",
        limits=Limits(Ref("off_grid_discharge_floor", offset=6, default=5), 100),
        above="charge_upper_limit",
        margin=6,
    ),
)

# A limit in amperes or of each phase is no number of watts.
EXPORT_LIMIT: Final = ExportLimit(
    key="export_limit_power",
    limited=("export_limit_mode", "total_power"),
    free=("export_limit_mode", "off"),
    elsewhere=("export_limit_mode", "current"),
)
