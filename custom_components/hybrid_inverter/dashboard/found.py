"""What a dashboard is made for: the plants, inverters, meters and links that are set up, with the entities that are shown."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from ..const import CONF_MEMBERS, DOMAIN
from ..entry.data import is_plant
from ..runtime.runtime import UnitRuntime


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Something that has entities: a plant, an inverter, a meter or a link."""

    name: str
    # The ids of its entities that are shown, by platform and key: `sensor.pv_power`.
    entities: Mapping[str, str]
    # The unit of an inverter or meter.
    unit: UnitRuntime | None = None

    def has(self, *names: str) -> bool:
        """Whether all of these exist."""
        return all(name in self.entities for name in names)

    def those(self, names: Iterable[str]) -> Iterator[str]:
        """The entity ids of these, as far as they exist."""
        yield from (self.entities[name] for name in names if name in self.entities)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All that is set up."""

    plants: tuple[Owner, ...]
    inverters: tuple[Owner, ...]
    meters: tuple[Owner, ...]
    links: tuple[Owner, ...]
    # Those that show the house as a whole: plants, and inverters that are in none.
    houses: tuple[Owner, ...]


@callback
def async_find(hass: HomeAssistant) -> Found:
    """What is loaded, in the order in which it was added."""
    registry = er.async_get(hass)
    plants: list[Owner] = []
    inverters: list[Owner] = []
    meters: list[Owner] = []
    links: list[Owner] = []
    members: set[str] = set()
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        # What a mode has brought has no state while that mode is not chosen.
        known = [
            one
            for one in er.async_entries_for_config_entry(registry, entry.entry_id)
            if not one.hidden_by and hass.states.get(one.entity_id) is not None
        ]
        if is_plant(entry):
            plants.append(Owner(name=entry.title, entities=_by_key(known, entry.entry_id)))
            members |= entry.data[CONF_MEMBERS].keys()
            continue
        links.append(Owner(name=entry.title, entities=_by_key(known, entry.entry_id)))
        for unit, owner in _units(entry, known):
            (inverters if unit.role is None else meters).append(owner)
    alone = [
        one for one in inverters if one.unit is not None and one.unit.identity.serial not in members
    ]
    return Found(
        plants=tuple(plants),
        inverters=tuple(inverters),
        meters=tuple(meters),
        links=tuple(links),
        houses=(*plants, *alone),
    )


def _units(
    entry: ConfigEntry, known: list[er.RegistryEntry]
) -> Iterator[tuple[UnitRuntime, Owner]]:
    """The units of a link."""
    units: Mapping[str, UnitRuntime] = entry.runtime_data.units
    for unit in units.values():
        mine = [one for one in known if one.config_subentry_id == unit.subentry_id]
        entities = _by_key(mine, unit.identity.serial)
        yield unit, Owner(name=unit.name, entities=entities, unit=unit)


def _by_key(known: Iterable[er.RegistryEntry], prefix: str) -> dict[str, str]:
    """Entity ids by platform and key."""
    return {
        f"{one.domain}.{one.unique_id.removeprefix(f'{prefix}_')}": one.entity_id
        for one in known
        if one.unique_id.startswith(f"{prefix}_")
    }
