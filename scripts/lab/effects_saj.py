"""What the configuration instructions of SAJ say that the settings do, as cases of cause and effect.

Those pages are in section 5.3, "Export limit settings" and "Working mode"; passive mode and the limits are described in
the register facts. The inverter of 10 kW turns 97 % of what goes through it into what comes out. The house uses 400 W
before it and 600 W behind its backup output: 1000 / 0.97 = 1031 W of the battery. 3000 W into the battery cost
3000 / 0.97 = 3093 W, so that the grid gives 4093 W.
"""

from typing import Final

from .effects import Bench, Case

# Monday noon.
SITUATION: Final = {"time": "12:00", "soc": 50, "sun": 0, "home": 400, "backup": 600, "grid": True}
_SLOTS: Final = {
    f"{kind}_slot_1_{part}": value
    for kind in ("charge", "discharge")
    for part, value in (
        ("enabled", False),
        ("start", "11:00"),
        ("end", "14:00"),
        # Of the rated power.
        ("power", 30),
    )
}
SETTINGS: Final = {
    "work_mode": "self_consumption",
    "on_grid_discharge_floor": 20,
    "off_grid_discharge_floor": 10,
    "charge_upper_limit": 100,
    "backup_reserve_soc": 60,
    "battery_charge_power_limit": 11000,
    "battery_discharge_power_limit": 11000,
    "grid_charge_power_limit": 3000,
    "grid_discharge_power_limit": 11000,
    "export_limit_mode": "off",
    "export_limit_power": 1000,
    "export_limit_current": 5,
    "tou_outside_mode": "self_consumption",
    "tou_export_from_battery": False,
    "passive_action": "standby",
    "passive_grid_charge_power": 3000,
    "passive_grid_discharge_power": 2000,
    "passive_battery_charge_power": 11000,
    "passive_battery_discharge_power": 11000,
    **_SLOTS,
}

SERVING: Final = {"grid": 0, "battery": 1031}
RESTING: Final = {"grid": 1000, "battery": 0}
CHARGING: Final = {"grid": 4093, "battery": -3000}
IN_THE_SUN: Final = {"soc": 80, "sun": 5000}
# 5000 W without the 1031 W for the load.
STORING: Final = {"grid": 0, "battery": -3969}
FULL_IN_THE_SUN: Final = {"soc": 100, "sun": 6000}
# 6000 W of PV are 5820 W.
SELLING: Final = {"grid": -4820, "pv": 6000}

MODE_CASES: Final = (
    Case(
        name="5.3 Self-Consumption Mode: the battery serves the loads",
        key="work_mode",
        value="self_consumption",
        settings={"work_mode": "backup"},
        before=CHARGING,
        after=SERVING,
    ),
    Case(
        name="5.3 Back-up Mode: below the SOC value the battery is only charged",
        key="work_mode",
        value="backup",
        before=SERVING,
        after=CHARGING,
    ),
    Case(
        name="5.3 Back-up Mode, SOC value 40 %: above it, it is self-consumption",
        key="backup_reserve_soc",
        value=40,
        settings={"work_mode": "backup"},
        before=CHARGING,
        after=SERVING,
    ),
    Case(
        name="5.3 Time-of-use Mode: in a charging period it is only charged",
        key="work_mode",
        value="time_of_use",
        settings={"charge_slot_1_enabled": True},
        before=SERVING,
        after=CHARGING,
    ),
    Case(
        name="5.3 Time-of-use Mode, a charging period on",
        key="charge_slot_1_enabled",
        value="on",
        settings={"work_mode": "time_of_use"},
        before=SERVING,
        after=CHARGING,
    ),
    Case(
        name="5.3 Time-of-use Mode, a charging period of 20 %: 2000 W of 10 kW",
        key="charge_slot_1_power",
        value=20,
        settings={"work_mode": "time_of_use", "charge_slot_1_enabled": True},
        before=CHARGING,
        after={"grid": 3062, "battery": -2000},
    ),
    Case(
        name="5.3 Time-of-use Mode, a charging period until 11:30: it is self-consumption then",
        key="charge_slot_1_end",
        value="11:30:00",
        settings={"work_mode": "time_of_use", "charge_slot_1_enabled": True},
        before=CHARGING,
        after=SERVING,
    ),
    Case(
        name="5.3 Time-of-use Mode, a discharging period on: the sun does not charge",
        key="discharge_slot_1_enabled",
        value="on",
        situation=IN_THE_SUN,
        settings={"work_mode": "time_of_use"},
        before=STORING,
        # 5000 W of PV are 4850 W.
        after={"grid": -3850, "battery": 0},
    ),
    Case(
        name="Battery export in time of use: a discharging period of 30 % feeds 3000 W into the grid",
        key="tou_export_from_battery",
        value="on",
        situation={"soc": 80},
        settings={"work_mode": "time_of_use", "discharge_slot_1_enabled": True},
        before=SERVING,
        # 4000 W cost 4124 W.
        after={"grid": -3000, "battery": 4124},
    ),
    Case(
        name="Discharge power in time of use: a discharging period of 20 % feeds 2000 W",
        key="discharge_slot_1_power",
        value=20,
        situation={"soc": 80},
        settings={
            "work_mode": "time_of_use",
            "discharge_slot_1_enabled": True,
            "tou_export_from_battery": True,
        },
        before={"grid": -3000, "battery": 4124},
        after={"grid": -2000, "battery": 3093},
    ),
    Case(
        name="Standby outside of the periods: the battery rests",
        key="tou_outside_mode",
        value="standby",
        settings={"work_mode": "time_of_use"},
        before=SERVING,
        after=RESTING,
    ),
    Case(
        name="Passive mode: the battery rests, whatever it was told before",
        key="work_mode",
        value="passive",
        settings={"passive_action": "charge"},
        before=SERVING,
        after=RESTING,
    ),
    Case(
        name="Passive mode, charge: 3000 W from the grid",
        key="passive_action",
        value="charge",
        settings={"work_mode": "passive"},
        before=RESTING,
        after=CHARGING,
    ),
    Case(
        name="Passive mode, from charge to discharge: 2000 W into the grid",
        key="passive_action",
        value="discharge",
        settings={"work_mode": "passive", "passive_action": "charge"},
        before=CHARGING,
        # 3000 W cost 3093 W.
        after={"grid": -2000, "battery": 3093},
    ),
    Case(
        name="Passive mode, from discharge to standby: the battery rests",
        key="passive_action",
        value="standby",
        settings={"work_mode": "passive", "passive_action": "discharge"},
        before={"grid": -2000, "battery": 3093},
        after=RESTING,
    ),
    Case(
        name="Passive mode, charge with 1500 W of the grid",
        key="passive_grid_charge_power",
        value=1500,
        settings={"work_mode": "passive", "passive_action": "charge"},
        before=CHARGING,
        after={"grid": 2546, "battery": -1500},
    ),
    Case(
        name="Passive mode, discharge with 1500 W of the battery",
        key="passive_battery_discharge_power",
        value=1500,
        settings={"work_mode": "passive", "passive_action": "discharge"},
        before={"grid": -2000, "battery": 3093},
        after={"grid": -455, "battery": 1500},
    ),
)

LIMIT_CASES: Final = (
    Case(
        name="5.3 Export limit, total power 1000 W",
        key="export_limit_mode",
        value="total_power",
        situation=FULL_IN_THE_SUN,
        before=SELLING,
        after={"grid": -1000, "pv": 2062},
    ),
    Case(
        name="5.3 Export limit, total power 2500 W",
        key="export_limit_power",
        value=2500,
        situation=FULL_IN_THE_SUN,
        settings={"export_limit_mode": "total_power"},
        before={"grid": -1000, "pv": 2062},
        after={"grid": -2500, "pv": 3608},
    ),
    Case(
        name="5.3 Export limit, each phase 1000 W: 3000 W on three",
        key="export_limit_mode",
        value="each_phase_power",
        situation=FULL_IN_THE_SUN,
        before=SELLING,
        after={"grid": -3000, "pv": 4124},
    ),
    Case(
        name="5.3 Export limit, current 5 A: 3 x 5 A x 230 V",
        key="export_limit_mode",
        value="current",
        situation=FULL_IN_THE_SUN,
        before=SELLING,
        after={"grid": -3450, "pv": 4588},
    ),
    Case(
        name="5.3 Export limit, current 3 A: 3 x 3 A x 230 V",
        key="export_limit_current",
        value=3,
        situation=FULL_IN_THE_SUN,
        settings={"export_limit_mode": "current"},
        before={"grid": -3450, "pv": 4588},
        after={"grid": -2070, "pv": 3165},
    ),
    Case(
        name="5.3 Export limit off: all that is left over is fed in",
        key="export_limit_mode",
        value="off",
        situation=FULL_IN_THE_SUN,
        settings={"export_limit_mode": "total_power"},
        before={"grid": -1000, "pv": 2062},
        after=SELLING,
    ),
    Case(
        name="Discharge floor on the grid, 60 %: below it the battery rests",
        key="on_grid_discharge_floor",
        value=60,
        before=SERVING,
        after=RESTING,
    ),
    Case(
        name="Discharge floor without a grid, 20 %: at 15 % the backup output goes off",
        key="off_grid_discharge_floor",
        value=20,
        situation={"soc": 15, "grid": False},
        before={"backup": 600, "battery": 619},
        after={"backup": 0, "battery": 0},
    ),
    Case(
        name="Charge limit 70 %: at 80 % the sun does not charge",
        key="charge_upper_limit",
        value=70,
        situation=IN_THE_SUN,
        before=STORING,
        after={"grid": -3850, "battery": 0},
    ),
    Case(
        name="Battery charge power 2000 W: the rest of the sun is fed in",
        key="battery_charge_power_limit",
        value=2000,
        situation=IN_THE_SUN,
        before=STORING,
        # 3000 W are 2910 W.
        after={"grid": -1910, "battery": -2000},
    ),
    Case(
        name="Battery discharge power 500 W: the grid gives the rest",
        key="battery_discharge_power_limit",
        value=500,
        before=SERVING,
        # 485 W come out of the inverter.
        after={"grid": 515, "battery": 500},
    ),
    Case(
        name="Grid charge power 2000 W: no more goes into the battery",
        key="grid_charge_power_limit",
        value=2000,
        settings={"work_mode": "backup"},
        before=CHARGING,
        after={"grid": 3062, "battery": -2000},
    ),
    Case(
        name="Grid discharge power 1500 W: no more is fed in",
        key="grid_discharge_power_limit",
        value=1500,
        situation=FULL_IN_THE_SUN,
        before=SELLING,
        after={"grid": -1500, "pv": 2577},
    ),
)

BENCHES: Final = (
    Bench(
        title="SAJ, working mode",
        model="H2-10K-T2",
        serial="SAJSIM000000000021",
        polled=0x40A6,
        situation=SITUATION,
        settings=SETTINGS,
        cases=MODE_CASES,
    ),
    Bench(
        title="SAJ, limits",
        model="H2-10K-T2",
        serial="SAJSIM000000000022",
        polled=0x40A6,
        situation=SITUATION,
        settings=SETTINGS,
        cases=LIMIT_CASES,
    ),
)
