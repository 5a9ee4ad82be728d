"""What owners wish of a battery: one action each, the same on both families, and what flows then.

The house uses 400 W before the inverters and 600 W behind their backup outputs. Both turn 97 % of what goes through them
into what comes out. The JSO charges with 40 A, and its battery has 49.5 V + 4 V x SOC and 12 milliohms: at 60 % that is
40 x (51.9 + 0.48) = 2095 W, for which the grid gives 2095 / 0.97 = 2160 W beside the load. The SAJ may take 3000 W from
the grid, which are 3000 / 0.97 = 3093 W. 5000 W of sun are 4850 W, of which 3850 W are left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .effects import Flows, Situation
from .effects_jso import SETTINGS as JSO_SETTINGS
from .effects_saj import SETTINGS as SAJ_SETTINGS

JSO: Final = "JSO8048104"
SAJ: Final = "H2-10K-T2"

# What their owners have set. The table of the JSO counts on every day; its slots from 5 in the morning on serve the house.
SETTINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    JSO: {**JSO_SETTINGS, "solar_sell": True, "battery_low_soc": 20},
    SAJ: {**SAJ_SETTINGS, "off_grid_discharge_floor": 10},
}
SITUATION: Final = {"soc": 60, "sun": 0, "home": 400, "backup": 600, "grid": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnersWish:
    """One action, and what comes of it at each inverter."""

    name: str
    action: str
    data: Mapping[str, Any]
    # Beside SITUATION, and what flows as soon as it is ordered.
    situation: Situation
    flows: Mapping[str, Flows]
    # Percent in the battery just before its end; None where nothing is said of it.
    soc: Mapping[str, int] | None = None


# Begun at two o'clock, one after the other.
WISHES: Final = (
    OwnersWish(
        name="5 kWh between 2 and 5",
        action="control_battery",
        data={"mode": "charge", "energy": 5, "until": "05:00"},
        situation={},
        flows={
            JSO: {"grid": 3160, "battery": -2095},
            SAJ: {"grid": 4093, "battery": -3000},
        },
        # 5 of 30.7 kWh are 16 %, and 5 of 20.5 kWh are 24 %.
        soc={JSO: 76, SAJ: 84},
    ),
    OwnersWish(
        name="hold",
        action="control_battery",
        data={"mode": "hold", "duration": 60},
        situation={},
        flows={
            JSO: {"grid": 1000, "battery": 0},
            SAJ: {"grid": 1000, "battery": 0},
        },
        soc={JSO: 60, SAJ: 60},
    ),
    OwnersWish(
        name="3 kW to the grid for an hour down to 30 %",
        action="control_battery",
        data={
            "mode": "discharge",
            "power": 3000,
            "at": "grid",
            "target_soc": 30,
            "duration": 60,
        },
        # The JSO gets from 35 to 30 % in 22 minutes, the SAJ in 15.
        situation={"soc": 35},
        flows={JSO: {"grid": -3000}, SAJ: {"grid": -3000}},
        soc={JSO: 30, SAJ: 30},
    ),
    OwnersWish(
        name="no export now",
        action="limit_export",
        data={"power": 0, "duration": 60},
        situation={"soc": 100, "sun": 5000},
        # The JSO draws what its owner has set for zero export.
        flows={JSO: {"grid": 20}, SAJ: {"grid": 0}},
    ),
)
