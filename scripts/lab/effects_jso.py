"""What the manual of the JSO8048104 says that its settings do, as cases of cause and effect.

The inverter turns 97 % of what goes through it into what comes out. The house uses 400 W before it and 600 W behind
its backup output unless a case says something else, so that the battery gives 980 / 0.97 = 1010 W for all but the
zero-export power of 20 W. The battery has 49.5 V + 4 V x SOC and 12 milliohms: 40 A into it at 50 % are
40 x (51.5 + 0.48) = 2079 W, for which the grid gives 2079 / 0.97 = 2144 W.
"""

from typing import Final

from .effects import Bench, Case

# Monday noon, in the fourth slot.
SITUATION: Final = {
    "time": "12:00",
    "soc": 50,
    "sun": 0,
    "port_sun": 0,
    "home": 400,
    "backup": 600,
    "grid": True,
}
SETTINGS: Final = {
    "inverter_enabled": True,
    "work_mode": "zero_export_to_ct",
    "energy_pattern": "load_first",
    "solar_sell": False,
    "max_sell_power": 8000,
    "zero_export_power": 20,
    "max_solar_power": 10400,
    "grid_peak_shaving": False,
    "grid_peak_shaving_power": 5000,
    "battery_shutdown_soc": 20,
    "battery_low_soc": 35,
    "battery_restart_soc": 50,
    "battery_max_charge_current": 115,
    "battery_max_discharge_current": 115,
    "grid_charge_enabled": False,
    "grid_charge_current": 40,
    "generator_charge_enabled": False,
    "generator_force": False,
    "generator_charge_start_soc": 30,
    "generator_charge_current": 40,
    "generator_rated_power": 5000,
    "smart_load_on_soc": 100,
    "smart_load_off_soc": 95,
    "smart_load_min_solar_power": 500,
    "on_grid_always_on": False,
    "microinverter_export_cutoff": False,
    "tou_enabled": True,
    "tou_monday": True,
    "tou_slot_4_time": "10:00",
    "tou_slot_4_power": 5000,
    "tou_slot_3_soc": 40,
    "tou_slot_4_soc": 40,
    "tou_slot_4_grid_charge": False,
    "tou_slot_4_generator_charge": False,
}

# The battery serves the house, or does not.
SERVING: Final = {"grid": 20, "battery": 1010}
RESTING: Final = {"grid": 1000, "battery": 0}
# 40 A from the grid at 50 %.
GRID_CHARGING: Final = {"grid": 3144, "battery": -2079}
FULL_IN_THE_SUN: Final = {"soc": 100, "sun": 6000}

WORK_MODE_CASES: Final = (
    Case(
        name="5.7 Work Mode, Selling First: with time of use the battery is sold, as much as the slot's power",
        key="work_mode",
        value="selling_first",
        situation={"soc": 80},
        before=SERVING,
        # 5000 W out of the battery are 4850 W.
        after={"battery": 5000, "grid": -3850},
    ),
    Case(
        name="5.7 Work Mode, Zero Export To CT: nothing is sold any more",
        key="work_mode",
        value="zero_export_to_ct",
        situation={"soc": 100, "sun": 4000},
        settings={"work_mode": "selling_first", "tou_enabled": False},
        # 4000 W of PV are 3880 W; then the PV gives only 980 / 0.97.
        before={"grid": -2880, "pv": 4000},
        after={"grid": 20, "pv": 1010},
    ),
    Case(
        name="5.7 Work Mode, Zero Export To Load: the home load is left to the grid",
        key="work_mode",
        value="zero_export_to_load",
        situation={"soc": 80, "sun": 3000, "home": 800},
        # 1380 W cost 1423 W of PV, the rest charges; then 580 W cost 598 W.
        before={"grid": 20, "battery": -1577},
        after={"grid": 820, "battery": -2402},
    ),
    Case(
        name="5.7 Solar Sell on: the surplus is fed into the grid",
        key="solar_sell",
        value="on",
        situation={"soc": 100, "sun": 5000},
        before={"grid": 20, "pv": 1010},
        after={"grid": -3850, "pv": 5000},
    ),
    Case(
        name="5.7 Solar Sell off: the PV is held back",
        key="solar_sell",
        value="off",
        situation={"soc": 100, "sun": 5000},
        settings={"solar_sell": True},
        before={"grid": -3850, "pv": 5000},
        after={"grid": 20, "pv": 1010},
    ),
    Case(
        name="5.7 Max. sell power 2000: no more flows to the grid",
        key="max_sell_power",
        value=2000,
        situation=FULL_IN_THE_SUN,
        settings={"solar_sell": True},
        # 6000 W of PV are 5820 W.
        before={"grid": -4820, "pv": 6000},
        after={"grid": -2000, "pv": 3093},
    ),
    Case(
        name="5.7 Zero-export Power 100: so much is always drawn",
        key="zero_export_power",
        value=100,
        situation={"soc": 80, "sun": 3000},
        before={"grid": 20, "battery": -1990},
        # 900 W cost 928 W.
        after={"grid": 100, "battery": -2072},
    ),
    Case(
        name="5.7 Max Solar Power 3000: no more is taken from the strings",
        key="max_solar_power",
        value=3000,
        situation=FULL_IN_THE_SUN,
        settings={"solar_sell": True},
        before={"grid": -4820, "pv": 6000},
        after={"grid": -1910, "pv": 3000},
    ),
    Case(
        name="5.7 Energy Pattern, Battery First: the PV charges, the grid serves the load",
        key="energy_pattern",
        value="battery_first",
        situation={"sun": 2000, "home": 600, "backup": 900},
        # 1480 W cost 1526 W, 474 W are left.
        before={"grid": 20, "battery": -474},
        after={"grid": 1500, "battery": -2000},
    ),
    Case(
        name="5.7 Energy Pattern, Load First: the PV serves the load, the rest charges",
        key="energy_pattern",
        value="load_first",
        situation={"sun": 2000, "home": 600, "backup": 900},
        settings={"energy_pattern": "battery_first"},
        before={"grid": 1500, "battery": -2000},
        after={"grid": 20, "battery": -474},
    ),
    Case(
        name="5.7 Grid Peak-shaving 5000: the battery gives what is above it",
        key="grid_peak_shaving",
        value="on",
        situation={"soc": 80, "home": 3000, "backup": 3000},
        settings={"tou_slot_4_soc": 90},
        before={"grid": 6000, "battery": 0},
        after={"grid": 5000, "battery": 1031},
    ),
    Case(
        name="5.7 Grid Peak-shaving, Power 4000: the grid gives less",
        key="grid_peak_shaving_power",
        value=4000,
        situation={"soc": 80, "home": 3000, "backup": 3000},
        settings={"tou_slot_4_soc": 90, "grid_peak_shaving": True},
        before={"grid": 5000, "battery": 1031},
        after={"grid": 4000, "battery": 2062},
    ),
    Case(
        name="5.7 Time Of Use, Batt 60 %: below it the battery is not discharged",
        key="tou_slot_4_soc",
        value=60,
        before=SERVING,
        after=RESTING,
    ),
    Case(
        name="5.7 Time Of Use, Power 500: the battery gives no more",
        key="tou_slot_4_power",
        value=500,
        before=SERVING,
        # 485 W come out of the inverter.
        after={"grid": 515, "battery": 500},
    ),
    Case(
        name="5.7 Time Of Use, Time 13:00: until then the slot before it counts, with 80 %",
        key="tou_slot_4_time",
        value="13:00:00",
        settings={"tou_slot_3_soc": 80},
        before=SERVING,
        after=RESTING,
    ),
    Case(
        name="5.7 Time Of Use off: the table does not discharge the battery",
        key="tou_enabled",
        value="off",
        before=SERVING,
        after=RESTING,
    ),
    Case(
        name="5.7 Time Of Use, not on Mondays: the table has no effect today",
        key="tou_monday",
        value="off",
        before=SERVING,
        after=RESTING,
    ),
    Case(
        name="5.7 Time Of Use, Grid Charge ticked: the grid charges up to the slot's 80 %",
        key="tou_slot_4_grid_charge",
        value="on",
        settings={"tou_slot_4_soc": 80, "grid_charge_enabled": True},
        before=RESTING,
        after=GRID_CHARGING,
    ),
)

BATTERY_CASES: Final = (
    Case(
        name="5.6 Grid Charge: the grid charges with 40 A, in a slot with a tick",
        key="grid_charge_enabled",
        value="on",
        settings={"tou_slot_4_soc": 80, "tou_slot_4_grid_charge": True},
        before=RESTING,
        after=GRID_CHARGING,
    ),
    Case(
        name="5.6 Grid Charge, A = 20A: with half the current",
        key="grid_charge_current",
        value=20,
        settings={
            "tou_slot_4_soc": 80,
            "tou_slot_4_grid_charge": True,
            "grid_charge_enabled": True,
        },
        before=GRID_CHARGING,
        # 20 x (51.5 + 0.24) W.
        after={"grid": 2067, "battery": -1035},
    ),
    Case(
        name="5.6 Max. A discharge 50: the battery gives no more",
        key="battery_max_discharge_current",
        value=50,
        situation={"soc": 80, "home": 2000, "backup": 3000},
        before={"grid": 150, "battery": 5000},
        # 50 x (52.7 - 0.6) W, of which 2527 W come out.
        after={"grid": 2473, "battery": 2605},
    ),
    Case(
        name="5.6 Max. A charge 20: the battery takes no more, the PV is held back",
        key="battery_max_charge_current",
        value=20,
        situation={"sun": 5000},
        before={"battery": -3990, "pv": 5000},
        after={"battery": -1035, "pv": 2045},
    ),
    Case(
        name="5.6 Restart 40 %: after a shutdown without a grid the AC output resumes",
        key="battery_restart_soc",
        value=40,
        earlier={"grid": False, "soc": 15},
        situation={"grid": False, "soc": 45},
        before={"backup": 0, "battery": 0},
        after={"backup": 600, "battery": 619},
    ),
    Case(
        name="5.6 Shutdown 30 %: without a grid the inverter shuts down below it",
        key="battery_shutdown_soc",
        value=30,
        situation={"grid": False, "soc": 25},
        before={"backup": 600, "battery": 619},
        after={"backup": 0, "battery": 0},
    ),
    Case(
        name="5.6 Low Batt 45 %: with a grid the battery is not discharged below it",
        key="battery_low_soc",
        value=45,
        situation={"soc": 43},
        before=SERVING,
        after=RESTING,
    ),
    Case(
        name="5.6 Gen Charge: at 30 % the generator starts, and charges with 40 A",
        key="generator_charge_enabled",
        value="on",
        situation={"soc": 28},
        later=30,
        before={"generator": 0, **RESTING},
        # 40 x (50.62 + 0.48) = 2044 W for 2107 W, and the backup load; the home load stays with the grid.
        after={"generator": 2707, "battery": -2044, "grid": 400},
    ),
    Case(
        name="5.6 Gen Charge, Start = 45 %: at 43 % the generator starts",
        key="generator_charge_start_soc",
        value=45,
        situation={"soc": 43},
        settings={"generator_charge_enabled": True},
        later=30,
        before={"generator": 0, **SERVING},
        # 40 x (51.22 + 0.48) = 2068 W for 2132 W.
        after={"generator": 2732, "battery": -2068, "grid": 400},
    ),
    Case(
        name="5.6 Gen Charge, A = 20A: with half the current",
        key="generator_charge_current",
        value=20,
        situation={"soc": 28, "advance": 30},
        settings={"generator_charge_enabled": True},
        before={"generator": 2707, "battery": -2044},
        # 20 x (50.62 + 0.24) = 1017 W for 1049 W.
        after={"generator": 1649, "battery": -1017},
    ),
    Case(
        name="5.9 Generator Input, Rated Power 2000: no more is asked of the generator",
        key="generator_rated_power",
        value=2000,
        situation={"soc": 28, "advance": 30},
        settings={"generator_charge_enabled": True},
        before={"generator": 2707, "battery": -2044},
        # 1400 W are left for the battery.
        after={"generator": 2000, "battery": -1358},
    ),
    Case(
        name="5.7 Time Of Use, Gen ticked: the generator charges up to the slot's 60 %",
        key="tou_slot_4_generator_charge",
        value="on",
        settings={"generator_charge_enabled": True, "tou_slot_4_soc": 60},
        later=30,
        before={"generator": 0, **RESTING},
        after={"generator": 2744, "battery": -2079, "grid": 400},
    ),
    Case(
        name="5.6, newer display, Gen Force: the generator runs, and serves the backup load",
        key="generator_force",
        value="on",
        later=30,
        before={"generator": 0, **SERVING},
        after={"generator": 600, "battery": 0, "grid": 400},
    ),
    Case(
        name="2.1 Power on/off: everything stops, the backup output too",
        key="inverter_enabled",
        value="off",
        situation={"soc": 80, "sun": 3000},
        before={"grid": 20, "pv": 3000, "backup": 600},
        after={"grid": 400, "pv": 0, "battery": 0, "backup": 0},
    ),
)

# With the smart load of 1500 W the house uses 2500 W: 2480 W cost 2557 W.
PORT_CASES: Final = (
    Case(
        name="5.9 MI export to Grid cutoff: the micro inverter serves the load, and no more",
        key="microinverter_export_cutoff",
        value="on",
        situation={"port_sun": 1500},
        settings={"battery_max_charge_current": 0},
        before={"generator": 1500, "grid": -500},
        after={"generator": 980, "grid": 20},
    ),
    Case(
        name="5.9 Micro Inv Input OFF 45 %: above it the micro inverter shuts down",
        key="smart_load_off_soc",
        value=45,
        situation={"port_sun": 1500},
        # What the load leaves over charges: 500 x 0.97 W.
        before={"generator": 1500, "battery": -485},
        after={"generator": 0, **SERVING},
    ),
    Case(
        name="5.9 Smart Load Output: above 100 % and 500 W it is on",
        key="generator_port_mode",
        value="smart_load_output",
        situation={"soc": 100, "sun": 2000},
        settings={"generator_port_mode": "micro_inverter_input"},
        before={"generator": 0, "grid": 20, "pv": 1010},
        after={"generator": 1500, "pv": 2000, "battery": 557, "grid": 20},
    ),
    Case(
        name="5.9 Smart Load ON 97 %: at 98 % it goes on",
        key="smart_load_on_soc",
        value=97,
        situation={"soc": 98, "sun": 3000},
        before={"generator": 0, "battery": -1990},
        after={"generator": 1500, "battery": -443},
    ),
    Case(
        name="5.9 Smart Load OFF 96 %: at 95.5 % it goes off",
        key="smart_load_off_soc",
        value=96,
        earlier={"soc": 100, "sun": 3000},
        situation={"soc": 95.5, "sun": 3000},
        before={"generator": 1500, "battery": -443},
        after={"generator": 0, "battery": -1990},
    ),
    Case(
        name="5.9 Smart Load, Power 300 W: with 400 W of PV it goes on",
        key="smart_load_min_solar_power",
        value=300,
        situation={"soc": 100, "sun": 400},
        before={"generator": 0, "battery": 610},
        after={"generator": 1500, "battery": 2157},
    ),
    Case(
        name="5.9 Smart Load, Power 2500 W: with 2000 W of PV it goes off",
        key="smart_load_min_solar_power",
        value=2500,
        situation={"soc": 100, "sun": 2000},
        before={"generator": 1500, "battery": 557, "pv": 2000},
        after={"generator": 0, "battery": 0, "pv": 1010},
    ),
    Case(
        name="5.9 On Grid always on: it is on while there is a grid",
        key="on_grid_always_on",
        value="on",
        settings={"tou_slot_4_soc": 80},
        before={"generator": 0, **RESTING},
        after={"generator": 1500, "grid": 2500, "battery": 0},
    ),
    Case(
        name="5.9 Micro Inv Input: what hangs on the port feeds in",
        key="generator_port_mode",
        value="micro_inverter_input",
        situation={"port_sun": 1500},
        before={"generator": 0, **SERVING},
        after={"generator": 1500, "battery": -485, "grid": 0},
    ),
)

BENCHES: Final = (
    Bench(
        title="JSO, work mode",
        model="JSO8048104",
        serial="JSO0000021",
        polled=625,
        situation=SITUATION,
        settings={**SETTINGS, "generator_port_mode": "generator_input"},
        cases=WORK_MODE_CASES,
    ),
    Bench(
        title="JSO, battery and generator",
        model="JSO8048104",
        serial="JSO0000022",
        polled=625,
        situation=SITUATION,
        settings={**SETTINGS, "generator_port_mode": "generator_input"},
        cases=BATTERY_CASES,
    ),
    Bench(
        title="JSO, port",
        model="JSO8048104",
        serial="JSO0000023",
        polled=625,
        situation=SITUATION,
        settings=SETTINGS,
        cases=PORT_CASES,
        # From here on the cases change the mode themselves.
        display={"generator_port_mode": "micro_inverter_input"},
    ),
)
