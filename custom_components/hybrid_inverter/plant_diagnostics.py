"""What the download of diagnostics tells of a plant: how it is put together, and what it makes of its members."""

from typing import Any

from .const import CONF_CAPACITIES, CONF_GRID_INVERTER
from .plant import PlantConfigEntry
from .plant_balance import Sum


def plant_diagnostics(entry: PlantConfigEntry) -> dict[str, Any]:
    """Return everything about a plant but what identifies its members, which are numbered instead."""
    plant = entry.runtime_data
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
        "sums": {key: _parts(terms, numbers) for key, terms in sums.items()},
        "values": plant.values,
        "energies": ledger["energies"],
        "counters": {numbers[serial]: held for serial, held in ledger["counters"].items()},
        "day": ledger["day"],
        "rejections": plant.ledger.rejections(),
    }


def _parts(terms: Sum, numbers: dict[str, str]) -> list[str]:
    """Return what a sum is made of, a line for each part."""
    return [
        f"{term.factor:+g} {numbers[term.member]} {term.key}"
        + (f" while {' or '.join(sorted(term.modes))}" if term.modes else "")
        for term in terms
    ]
