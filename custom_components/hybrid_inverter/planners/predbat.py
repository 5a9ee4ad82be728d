"""PredBat's apps.yaml, as far as it is about the inverter.

Its keys are those of PredBat's own documents, which also say what is sent: the services are called with scalars only, and
what is in braces is filled in as text.
"""

from collections.abc import Mapping
from typing import Any, Final

from ..const import DOMAIN
from .site import Site

OWNER: Final = "predbat"
# Minutes. The orders are repeated every five minutes, so that this is only how long one outlasts PredBat.
DURATION: Final = 120

# What PredBat reads, and our keys; each is a list with one item for each inverter that PredBat knows of.
SENSORS: Final[Mapping[str, str]] = {
    "load_today": "load_energy_today",
    "import_today": "grid_import_energy_today",
    "export_today": "grid_export_energy_today",
    "pv_today": "pv_energy_today",
    "soc_percent": "battery_soc",
    "battery_power": "battery_power",
    "pv_power": "pv_power",
    "load_power": "load_power",
    "grid_power": "grid_power",
}
# A battery inverter without modules has no sun to tell of.
OPTIONAL: Final = frozenset({"pv_today", "pv_power"})

# An inverter that takes orders with a target by services, and has nothing else that PredBat could write.
INVERTER_TYPE: Final = "HYBRID"
INVERTER: Final[Mapping[str, Any]] = {
    "name": "Hybrid Inverter",
    "has_rest_api": False,
    "has_mqtt_api": False,
    "has_service_api": True,
    "output_charge_control": "none",
    "charge_control_immediate": False,
    "current_dp": 1,
    "charge_discharge_with_rate": False,
    "has_charge_enable_time": False,
    "has_discharge_enable_time": False,
    "has_target_soc": False,
    "target_soc_used_for_discharge": True,
    "has_reserve_soc": False,
    "has_timed_pause": False,
    "time_button_press": False,
    "support_charge_freeze": True,
    "support_discharge_freeze": True,
    "has_ge_inverter_mode": False,
    "has_fox_inverter_mode": False,
    "has_idle_time": False,
    "has_time_window": False,
    "charge_time_format": "S",
    "charge_time_entity_is_option": False,
    "can_span_midnight": True,
    "clock_time_format": "%Y-%m-%d %H:%M:%S",
    "num_load_entities": 1,
    "soc_units": "%",
    "write_and_poll_sleep": 2,
}

POWER: Final = {"power": "{power}", "target_soc": "{target_soc}"}
# What each service orders; nothing ends an order.
ORDERS: Final[Mapping[str, Mapping[str, str]]] = {
    "charge_start_service": {"mode": "charge", **POWER},
    "charge_freeze_service": {"mode": "hold"},
    "charge_stop_service": {},
    "discharge_start_service": {"mode": "discharge", **POWER},
    "discharge_freeze_service": {"mode": "no_charge"},
    "discharge_stop_service": {},
}


def predbat_files(site: Site) -> dict[str, Any]:
    """What belongs below `pred_bat` in apps.yaml."""
    floor, capacity = site.floor(), site.capacity()
    return {
        "apps.yaml": {
            "pred_bat": {
                "num_inverters": 1,
                "inverter_type": INVERTER_TYPE,
                "inverter": dict(INVERTER),
                **{name: [entity] for name, entity in site.entities(SENSORS, OPTIONAL).items()},
                # PredBat counts import as negative.
                "grid_power_invert": [True],
                **({} if capacity is None else {"soc_max": [capacity]}),
                **({} if floor is None else {"battery_min_soc": [floor]}),
                "inverter_limit": [site.rated_power],
                "battery_rate_max": [site.rated_power],
                **{name: _service(site, order) for name, order in ORDERS.items()},
            }
        }
    }


def _service(site: Site, order: Mapping[str, str]) -> dict[str, Any]:
    """What is called for an order, or to end any."""
    if not order:
        return {
            "service": f"{DOMAIN}.release_battery",
            "device_id": site.device_id,
            "owner": OWNER,
        }
    return {
        "service": f"{DOMAIN}.control_battery",
        "device_id": site.device_id,
        **order,
        "duration": DURATION,
        "owner": OWNER,
        "repeat": True,
    }
