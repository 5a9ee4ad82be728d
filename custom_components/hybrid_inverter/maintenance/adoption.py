"""Which of our entities can take the entity ids that another integration has left behind, and which cannot.

The table in `predecessors.json` has for each integration how its ids end, the key that we call the same register, the
register, and, where the two do not show the same, why not. That much is known of their public sources; nothing of them
is in here.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
import json
from pathlib import Path
from typing import Final

from homeassistant.components.sensor.const import ATTR_STATE_CLASS, SensorStateClass
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_RESTORED
from homeassistant.core import HomeAssistant, callback, split_entity_id
from homeassistant.helpers import entity_registry as er

from ..const import DOMAIN
from ..runtime.runtime import UnitRuntime
from ..runtime.writes import entity_of

TABLE: Final = Path(__file__).with_name("predecessors.json")
# How many ids have to begin with a name before it is taken for that of a former device, and how much likelier than any
# other it has to be.
SURE: Final = 3
LIKELIER: Final = 2


class Obstacle(StrEnum):
    """Why an entity does not take an id: the key of a text."""

    # The table says so: another sign, unit or kind of entity, other options.
    SIGN = "sign"
    UNIT = "unit"
    KIND = "kind"
    OPTIONS = "options"
    # This device has the value in another register.
    MEANING = "meaning"
    # The entity that has the id is still there.
    IN_USE = "in_use"
    # Something else has the id.
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Predecessor:
    """An entity of another integration: how its id goes on after the name of its device, and what we call it."""

    domain: str
    suffix: str
    key: str
    register: int
    obstacle: Obstacle | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Another integration: the platform that its entities are registered by, and the entities."""

    platform: str
    entities: tuple[Predecessor, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One of our entities, the id that it takes, and what is in the way."""

    entity_id: str
    former: str
    obstacle: Obstacle | None


@dataclass(frozen=True, slots=True)
class FormerStatistic:
    """What the recorder has of an id: in which unit, and whether it adds up."""

    unit: str | None
    has_sum: bool


def read_table() -> dict[str, Source]:
    """The integrations by their names in the action; reads a file."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    return {
        name: Source(
            described["platform"], tuple(_predecessor(*row) for row in described["entities"])
        )
        for name, described in table.items()
    }


def _predecessor(
    entity_id: str, key: str, register: int, obstacle: str | None = None
) -> Predecessor:
    domain, suffix = split_entity_id(entity_id)
    return Predecessor(
        domain, suffix, key, register, None if obstacle is None else Obstacle(obstacle)
    )


@callback
def async_former_ids(hass: HomeAssistant, source: Source) -> set[str]:
    """The ids that entities of an integration have, or had before they were removed."""
    registry = er.async_get(hass)
    present = {
        one.entity_id for one in registry.entities.values() if one.platform == source.platform
    }
    removed = registry.deleted_entities.values()
    return present | {one.entity_id for one in removed if one.platform == source.platform}


def prefixes_of(source: Source, ids: Iterable[str]) -> list[str]:
    """The names with which these ids may begin, the likeliest one first; more than one only if that is not sure."""
    ends: dict[str, list[str]] = {}
    for entity in source.entities:
        ends.setdefault(entity.domain, []).append(f"_{entity.suffix}")
    counts = Counter(
        name.removesuffix(end)
        for domain, name in map(split_entity_id, ids)
        for end in ends.get(domain, ())
        if name.endswith(end)
    )
    likely = [prefix for prefix, count in counts.items() if count >= SURE]
    # Equally likely ones by name: the ids come from sets, which have no order.
    likely.sort(key=lambda prefix: (-counts[prefix], prefix))
    return [prefix for prefix in likely if LIKELIER * counts[prefix] > counts[likely[0]]]


@callback
def async_plan(
    unit: UnitRuntime,
    source: Source,
    prefix: str,
    known: Collection[str],
    statistics: Mapping[str, FormerStatistic],
) -> list[Step]:
    """What becomes of our entities, in the order of the table; those that have the id already are left out."""
    steps: dict[str, Step] = {}
    for entity in source.entities:
        former = f"{entity.domain}.{prefix}_{entity.suffix}"
        ours = entity_of(unit, entity.key)
        if ours is None or ours.entity_id in steps or former not in known:
            continue
        if ours.entity_id == former:
            continue
        steps[ours.entity_id] = Step(
            ours.entity_id, former, _obstacle(unit, entity, ours, former, statistics.get(former))
        )
    return list(steps.values())


def _obstacle(
    unit: UnitRuntime,
    entity: Predecessor,
    ours: er.RegistryEntry,
    former: str,
    statistic: FormerStatistic | None,
) -> Obstacle | None:
    """Why this entity does not take that id; None where it can."""
    if entity.obstacle is not None:
        return entity.obstacle
    row = unit.device.family.registers.get(entity.key)
    if row is None or min(row.addresses) != entity.register:
        return Obstacle.MEANING
    if ours.domain != entity.domain:
        return Obstacle.KIND
    if statistic is not None and not _continues(ours, statistic):
        return Obstacle.UNIT
    return async_holder(unit.hass, former)


def _continues(ours: er.RegistryEntry, statistic: FormerStatistic) -> bool:
    """Whether statistics can go on with our entity: in its unit, and added up or not as before."""
    if ours.unit_of_measurement != statistic.unit:
        return False
    state_class = (ours.capabilities or {}).get(ATTR_STATE_CLASS)
    return state_class is None or (state_class != SensorStateClass.MEASUREMENT) == statistic.has_sum


@callback
def async_holder(hass: HomeAssistant, entity_id: str) -> Obstacle | None:
    """What holds an id; None for one that nobody does any more."""
    state = hass.states.get(entity_id)
    is_there = state is not None and not state.attributes.get(ATTR_RESTORED)
    entry = er.async_get(hass).async_get(entity_id)
    if entry is None:
        return Obstacle.TAKEN if is_there else None
    if entry.platform == DOMAIN:
        return Obstacle.TAKEN
    owner = hass.config_entries.async_get_entry(entry.config_entry_id or "")
    # While its integration is not loaded, an entity is only away; if it is loaded without it, or gone, so is the entity.
    if is_there or (
        owner is not None and (owner.state is not ConfigEntryState.LOADED or state is None)
    ):
        return Obstacle.IN_USE
    return None
