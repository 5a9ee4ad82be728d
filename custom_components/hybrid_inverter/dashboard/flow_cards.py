"""The configuration of two cards for power flows that many owners have installed: which entity goes where.

Both expect the signs that the entities have: the grid is positive on import, a battery while discharging. Their keys are
those of the cards' own documents; the numbers in them are registers of the inverter that the first card was made for.
"""

from typing import Any, Final

from .cards import Card
from .found import Found, Owner

SUNSYNK: Final = "sunsynk-power-flow-card"
PLUS: Final = "power-flow-card-plus"

# What the card takes, and the entity of ours; those behind a number take their names from that.
ENTITIES: Final = {
    "use_timer_248": "switch.tou_enabled",
    "day_battery_charge_70": "sensor.battery_charge_energy_today",
    "day_battery_discharge_71": "sensor.battery_discharge_energy_today",
    "day_load_energy_84": "sensor.load_energy_today",
    "day_grid_import_76": "sensor.grid_import_energy_today",
    "day_grid_export_77": "sensor.grid_export_energy_today",
    "day_pv_energy_108": "sensor.pv_energy_today",
    "inverter_voltage_154": "sensor.grid_l1_voltage",
    "inverter_voltage_L2": "sensor.grid_l2_voltage",
    "inverter_voltage_L3": "sensor.grid_l3_voltage",
    "load_frequency_192": "sensor.grid_frequency",
    "inverter_power_175": "sensor.inverter_power",
    "grid_power_169": "sensor.grid_power",
    "grid_ct_power_172": "sensor.grid_l1_power",
    "grid_ct_power_L2": "sensor.grid_l2_power",
    "grid_ct_power_L3": "sensor.grid_l3_power",
    "grid_ct_power_total": "sensor.grid_power",
    "grid_connected_status_194": "binary_sensor.grid_connected",
    "pv_total": "sensor.pv_power",
    "pv1_power_186": "sensor.pv1_power",
    "pv2_power_187": "sensor.pv2_power",
    "pv3_power_188": "sensor.pv3_power",
    "pv4_power_189": "sensor.pv4_power",
    "battery_voltage_183": "sensor.battery_voltage",
    "battery_soc_184": "sensor.battery_soc",
    "battery_power_190": "sensor.battery_power",
    "battery_current_191": "sensor.battery_current",
    "battery_temp_182": "sensor.battery_temperature",
    "essential_power": "sensor.load_power",
    "aux_power_166": "sensor.generator_power",
    "radiator_temp_91": "sensor.heatsink_temperature",
}
STRINGS: Final = ("sensor.pv1_power", "sensor.pv2_power", "sensor.pv3_power", "sensor.pv4_power")


def sunsynk_cards(found: Found) -> list[Card]:
    """A card for each inverter with a battery."""
    return [_sunsynk(one) for one in found.inverters if one.has("sensor.battery_soc")]


def _sunsynk(owner: Owner) -> Card:
    entities = {
        # What the card cannot do without, or would look for under a name of its own, is said to be missing.
        key: owner.entities.get(name, "none")
        for key, name in ENTITIES.items()
    }
    if not owner.has("sensor.grid_l1_power"):
        entities["grid_ct_power_172"] = entities["grid_power_169"]
    return {
        "type": f"custom:{SUNSYNK}",
        "cardstyle": "full",
        "title": owner.name,
        "show_solar": owner.has("sensor.pv_power"),
        "show_battery": True,
        "show_grid": True,
        "inverter": {"three_phase": owner.has("sensor.grid_l3_power")},
        "solar": {"mppts": max(1, sum(owner.has(name) for name in STRINGS)), "show_daily": True},
        "battery": {"show_daily": True, **_floor(owner)},
        "load": {"show_daily": True},
        "grid": {"show_daily_buy": True, "show_daily_sell": True, "show_nonessential": False},
        "entities": entities,
    }


def _floor(owner: Owner) -> dict[str, Any]:
    """Where the battery's use ends, from which the card works out how long it lasts."""
    reserve = owner.entities.get("number.battery_reserve")
    return {} if reserve is None else {"shutdown_soc": reserve}


def plus_cards(found: Found) -> list[Card]:
    """A card for each plant, and each inverter that is in none."""
    return [card for one in found.houses if (card := _plus(one)) is not None]


def _plus(owner: Owner) -> Card | None:
    entities: dict[str, Any] = {}
    if owner.has("sensor.battery_power", "sensor.battery_soc"):
        entities["battery"] = {
            "entity": owner.entities["sensor.battery_power"],
            "state_of_charge": owner.entities["sensor.battery_soc"],
        }
    for key, name in (
        ("grid", "sensor.grid_power"),
        ("solar", "sensor.pv_power"),
        ("home", "sensor.load_power"),
    ):
        if owner.has(name):
            entities[key] = {"entity": owner.entities[name]}
    if "grid" not in entities:
        return None
    return {
        "type": f"custom:{PLUS}",
        "title": owner.name,
        "entities": entities,
        "clickable_entities": True,
        "watt_threshold": 1000,
    }
