"""evcc's meters and the scripts in Home Assistant that its battery meter switches on.

The keys are those of evcc's own documents. Its meter for Home Assistant can only switch scripts on, and never learns
whether they have worked. A custom meter calls the actions themselves: evcc sees an error and tries again, repeats what is
in force, and needs no script.
"""

from collections.abc import Mapping
import json
from typing import Any, Final

from ..const import DOMAIN
from .site import Site

OWNER: Final = "evcc"
# Where Home Assistant stores the blueprint when it is imported.
BLUEPRINT: Final = "hybrid-inverter/evcc.yaml"

# What evcc calls the modes of a battery in its template, its number of each, and what is ordered; nothing ends an order.
NORMAL: Final = 1
MODES: Final = (
    ("modeNormal", "normal", NORMAL, None),
    ("modeHold", "hold", 2, "hold"),
    ("modeCharge", "charge", 3, "charge"),
    ("modeHoldCharge", "holdcharge", 4, "no_charge"),
)
# Minutes. evcc repeats the order every ten, as its watchdog writes when half of its own time is over.
DURATION: Final = 60
WATCHDOG: Final = "20m"
# A SAJ takes ten seconds to confirm an order.
TIMEOUT: Final = "60s"

# By what the meter is for: what evcc reads, and our keys. Its energy of a battery is what was discharged.
GRID: Final[Mapping[str, str]] = {
    "power": "grid_power",
    "energy": "grid_import_energy_total",
    "returnEnergy": "grid_export_energy_total",
}
PV: Final[Mapping[str, str]] = {"power": "pv_power", "energy": "pv_energy_total"}
BATTERY: Final[Mapping[str, str]] = {
    "power": "battery_power",
    "energy": "battery_discharge_energy_total",
    "returnEnergy": "battery_charge_energy_total",
    "soc": "battery_soc",
}


def evcc_files(site: Site) -> dict[str, Any]:
    """evcc.yaml with a battery that calls the actions; and another one with scripts, and these."""
    found = {"grid": site.entities(GRID), "pv": site.entities(PV, optional=PV)}
    battery, url, facts = site.entities(BATTERY), site.url(), _facts(site)
    others = [
        {"name": usage, **_template(usage, url), **entities}
        for usage, entities in found.items()
        if entities
    ]
    calling = {
        "name": "battery",
        "type": "custom",
        **{name.lower(): _read(url, entity) for name, entity in battery.items()},
        **facts,
        "batterymode": _battery_mode(site, url),
    }
    switching = {
        "name": "battery",
        **_template("battery", url),
        **battery,
        **facts,
        **{name: f"script.{_script(mode)}" for name, mode, _, _ in MODES},
    }
    used = {
        **({"grid": "grid"} if found["grid"] else {}),
        **({"pv": ["pv"]} if found["pv"] else {}),
        "battery": ["battery"],
    }
    return {
        "evcc.yaml": {"meters": [*others, calling], "site": {"meters": used}},
        "evcc.yaml with scripts": {"meters": [*others, switching], "site": {"meters": used}},
        "scripts.yaml": {_script(mode): _blueprint(site, mode) for _, mode, _, _ in MODES},
    }


def _facts(site: Site) -> dict[str, Any]:
    """What evcc is told of the battery: kilowatt-hours, percent and watts."""
    known = {
        "capacity": site.capacity(),
        "minsoc": site.floor(),
        "maxsoc": site.ceiling,
        "maxchargepower": site.rated_power,
        "maxdischargepower": site.rated_power,
    }
    return {name: value for name, value in known.items() if value is not None}


def _template(usage: str, url: str) -> dict[str, str]:
    """A meter of evcc's template for Home Assistant."""
    return {"type": "template", "template": "homeassistant", "usage": usage, "uri": url}


def _read(url: str, entity: str) -> dict[str, str]:
    """How a custom meter reads an entity."""
    return {"source": "homeassistant", "uri": url, "entity": entity}


def _battery_mode(site: Site, url: str) -> dict[str, Any]:
    """How a custom meter sets the mode of the battery, again and again unless it is the normal one."""
    return {
        "source": "watchdog",
        "timeout": WATCHDOG,
        "reset": str(NORMAL),
        "set": {
            "source": "switch",
            "switch": [
                {"case": str(number), "set": _call(site, url, ordered)}
                for _, _, number, ordered in MODES
            ],
        },
    }


def _call(site: Site, url: str, ordered: str | None) -> dict[str, Any]:
    """How evcc calls the action for an order, or to end any."""
    action = "release_battery" if ordered is None else "control_battery"
    order = {} if ordered is None else {"mode": ordered, "duration": DURATION}
    return {
        "source": "http",
        "uri": f"{url}/api/services/{DOMAIN}/{action}",
        "method": "POST",
        "headers": {"content-type": "application/json"},
        "auth": {"source": "homeassistant", "uri": url},
        "body": json.dumps({"device_id": site.device_id, **order, "owner": OWNER}),
        "timeout": TIMEOUT,
    }


def _script(mode: str) -> str:
    """The name of the script for a mode of evcc."""
    return f"{OWNER}_{mode}"


def _blueprint(site: Site, mode: str) -> dict[str, Any]:
    """A script made of the blueprint."""
    return {
        "alias": f"evcc {mode}",
        "use_blueprint": {
            "path": BLUEPRINT,
            "input": {"battery": {"device_id": site.device_id}, "evcc_mode": mode},
        },
    }
