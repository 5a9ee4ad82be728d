"""EMHASS' config.json, as far as it is about the inverter; whatever is left out there has EMHASS' own default.

The keys are those of EMHASS' own documents.
"""

from collections.abc import Mapping
from typing import Any, Final

from .site import Site

# What EMHASS reads, and our keys. Its power of a battery is positive while discharging, as ours is.
PV: Final[Mapping[str, str]] = {"sensor_power_photovoltaics": "pv_power"}
SENSORS: Final[Mapping[str, str]] = {
    "sensor_power_load_no_var_loads": "load_power",
    "sensor_power_battery": "battery_power",
    "sensor_battery_state_of_charge": "battery_soc",
}
LOAD: Final = "sensor_power_load_no_var_loads"
# The reserve; and what a plan is to end with, which is higher than some reserves unless it is set.
FLOORS: Final = ("battery_minimum_state_of_charge", "battery_target_state_of_charge")
CAPACITY: Final = "battery_nominal_energy_capacity"


def emhass_files(site: Site) -> dict[str, Any]:
    """config.json: watts, watt-hours, and states of charge from 0 to 1."""
    pv, sensors = site.entities(PV, optional=PV), site.entities(SENSORS)
    load = [sensors[LOAD]] if LOAD in sensors else []
    floor, capacity, power = site.floor(), site.capacity(), site.rated_power
    return {
        "config.json": {
            **pv,
            **sensors,
            "sensor_replace_zero": list(pv.values()),
            "sensor_linear_interp": [*pv.values(), *load],
            **({"var_model": load[0]} if load else {}),
            # A step of the plan is carried out from its beginning on.
            "method_ts_round": "first",
            "number_of_deferrable_loads": 0,
            "set_use_pv": bool(pv),
            "set_use_battery": True,
            "set_nodischarge_to_grid": not site.may_sell,
            "inverter_is_hybrid": bool(pv),
            "inverter_ac_output_max": power,
            "inverter_ac_input_max": power,
            "battery_charge_power_max": power,
            "battery_discharge_power_max": power,
            "battery_maximum_state_of_charge": site.ceiling / 100,
            **({} if floor is None else dict.fromkeys(FLOORS, floor / 100)),
            **({} if capacity is None else {CAPACITY: round(capacity * 1000)}),
        }
    }
