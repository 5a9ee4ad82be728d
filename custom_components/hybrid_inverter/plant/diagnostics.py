"""The diagnostics of a plant: its members, the sums of their values, and the counters."""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..const import CONF_CAPACITIES, CONF_GRID_INVERTER, CONF_MEMBERS
from ..entry.redaction import renamed
from .balance import Sum
from .plant import COUNTED, Plant, store_of


async def async_plant_diagnostics(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, Any]:
    """Everything about a plant, or what is stored of one that is not loaded; its members are numbered instead of named."""
    plant = getattr(entry, "runtime_data", None)
    return _running(entry, plant) if isinstance(plant, Plant) else await _stored(hass, entry)


async def _stored(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, Any]:
    """What the entry and the file of a plant say."""
    numbers = {
        serial: f"member_{number}" for number, serial in enumerate(entry.data[CONF_MEMBERS], 1)
    }
    kept = await store_of(hass, entry).async_load(COUNTED)
    return {
        "members": {
            name: {
                "capacity": entry.data[CONF_CAPACITIES].get(serial),
                "sees_grid": serial == entry.data.get(CONF_GRID_INVERTER),
            }
            for serial, name in numbers.items()
        },
        "stored": {**kept, "counters": renamed(kept.get("counters", {}), numbers)},
    }


def _running(entry: ConfigEntry, plant: Plant) -> dict[str, Any]:
    """What a plant that is loaded knows."""
    members = plant.membership.members
    numbers = {member.id: f"member_{number}" for number, member in enumerate(members, 1)}
    sums = {**plant.balance.powers, **plant.balance.energies}
    ledger = plant.ledger.as_dict()
    return {
        "members": {
            numbers[member.id]: {
                "role": member.role or "inverter",
                "capacity": entry.data[CONF_CAPACITIES].get(member.id),
                "sees_grid": member.id == entry.data.get(CONF_GRID_INVERTER),
                "polls": plant.polls(member.id),
            }
            for member in members
        },
        "missing": len(plant.membership.missing),
        "sums": {key: _terms(terms, numbers) for key, terms in sums.items()},
        "values": plant.values,
        "energies": ledger["energies"],
        "counters": {numbers[serial]: held for serial, held in ledger["counters"].items()},
        "day": ledger["day"],
        "rejections": plant.ledger.rejections(),
    }


def _terms(terms: Sum, numbers: dict[str, str]) -> list[str]:
    """The terms of a sum, one line each."""
    return [
        f"{term.factor:+g} {numbers[term.member]} {term.key}"
        + (f" while {' or '.join(sorted(term.modes))}" if term.modes else "")
        for term in terms
    ]
