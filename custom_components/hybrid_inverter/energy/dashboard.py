"""The preferences of Home Assistant's Energy dashboard: what is missing in them, and adding it.

What is there stays as it is: a source is added, or a field of a source that was empty is filled.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import voluptuous as vol

from ..const import DOMAIN
from .proposals import Proposal, async_proposals
from .sources import CAPACITY, Flow

ENERGY: Final = "energy"
# Where the dashboard keeps its sources, and the devices.
SOURCES: Final = "energy_sources"
DEVICES: Final = "device_consumption"
# The field with the counter that a device has in place of a source's.
CONSUMPTION: Final = "stat_consumption"
POWER: Final = "stat_rate"
POWER_CONFIG: Final = "power_config"
# What another integration may count for the same device.
MEASURED_ONCE: Final = frozenset({Flow.SOLAR, Flow.BATTERY})
COUNTERS: Final = ("stat_energy_from", "stat_energy_to", CONSUMPTION)

type Preferences = dict[str, list[dict[str, Any]]]


class NoDashboardError(Exception):
    """Home Assistant runs without the Energy dashboard."""


class NotAcceptedError(Exception):
    """The Energy dashboard does not accept what it would hold."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that can be added to the dashboard."""

    proposal: Proposal
    # The fields that are filled; not all of them where the source is there.
    fields: tuple[str, ...]
    # Whether the source is there, and only these fields are missing in it.
    completes: bool
    # Whether nothing speaks against adding it.
    is_safe: bool


@dataclass(frozen=True, slots=True)
class Survey:
    """The devices, compared with the dashboard."""

    offers: tuple[Offer, ...]
    # What the dashboard knows completely, or by other sensors.
    present: tuple[Proposal, ...]


async def async_survey(hass: HomeAssistant) -> Survey:
    """Compare the devices with the dashboard; NoDashboardError when there is none."""
    preferences = await _async_preferences(hass)
    proposals = [one for one in async_proposals(hass) if _is_known(one.flow)]
    sources = {flow: _sources(preferences, flow) for flow in Flow}
    offers: list[Offer] = []
    present: list[Proposal] = []
    grids = [one for one in proposals if one.flow is Flow.GRID]
    # Several meters measure several connections; of several inverters only one sees the grid.
    certain_grid = len(grids) == 1 or all(one.is_meter for one in grids)
    for proposal in proposals:
        there = sources[proposal.flow]
        known = next((source for source in there if _counts(source, proposal.statistics)), None)
        if known is not None:
            if missing := _missing(known, proposal, there):
                offers.append(Offer(proposal, missing, completes=True, is_safe=True))
            else:
                present.append(proposal)
        elif _is_taken(proposal, there):
            present.append(proposal)
        else:
            if proposal.flow is Flow.GRID:
                is_safe = certain_grid and not there
            else:
                is_safe = proposal.flow not in MEASURED_ONCE or not _has_foreign(hass, there)
            offers.append(Offer(proposal, _fields(proposal), completes=False, is_safe=is_safe))
    return Survey(tuple(offers), tuple(present))


async def async_add(hass: HomeAssistant, offers: Iterable[Offer]) -> None:
    """Add what was offered; NotAcceptedError when the dashboard would not accept it, and nothing has changed then."""
    from homeassistant.components.energy import data as energy

    preferences = await _async_preferences(hass)
    for offer in offers:
        proposal = offer.proposal
        there = _sources(preferences, proposal.flow)
        known = next((source for source in there if _counts(source, proposal.statistics)), None)
        if known is not None:
            known |= {field: proposal.source[field] for field in _missing(known, proposal, there)}
        elif proposal.flow is Flow.DEVICE:
            preferences[DEVICES].append({**proposal.source, "name": proposal.device})
        else:
            preferences[SOURCES].append({"type": str(proposal.flow), **proposal.source})
    try:
        checked = energy.ENERGY_SOURCE_SCHEMA(preferences[SOURCES])
    except vol.Invalid as err:
        raise NotAcceptedError from err
    manager = await energy.async_get_manager(hass)
    update: Any = {SOURCES: checked, DEVICES: preferences[DEVICES]}
    await manager.async_update(update)


async def _async_preferences(hass: HomeAssistant) -> Preferences:
    """A copy of the preferences; NoDashboardError when there is no dashboard."""
    if ENERGY not in hass.config.components:
        raise NoDashboardError
    from homeassistant.components.energy import data as energy

    manager = await energy.async_get_manager(hass)
    held: Mapping[str, Any] = manager.data or manager.default_preferences()
    return {name: [dict(one) for one in held.get(name, ())] for name in (SOURCES, DEVICES)}


def _is_known(flow: Flow) -> bool:
    """Whether this Home Assistant's dashboard has such sources; 2026.10 has no home."""
    from homeassistant.components.energy import data as energy

    return flow is not Flow.HOME or hasattr(energy, "HOME_SOURCE_SCHEMA")


def _sources(preferences: Preferences, flow: Flow) -> list[dict[str, Any]]:
    """The sources of a type, or the devices."""
    if flow is Flow.DEVICE:
        return preferences[DEVICES]
    return [source for source in preferences[SOURCES] if source.get("type") == flow]


def _counts(source: Mapping[str, Any], statistics: frozenset[str]) -> bool:
    """Whether a source counts with one of these sensors."""
    return not statistics.isdisjoint(source.get(name) for name in COUNTERS)


def _has_foreign(hass: HomeAssistant, there: Iterable[Mapping[str, Any]]) -> bool:
    """Whether any of these sources counts with a sensor that is not of this integration."""
    registry = er.async_get(hass)
    counters = (source.get(name) for source in there for name in COUNTERS)
    found = (registry.async_get(counter) for counter in counters if counter)
    return any(entry is None or entry.platform != DOMAIN for entry in found)


def _is_taken(proposal: Proposal, there: Iterable[Mapping[str, Any]]) -> bool:
    """Whether what a proposal counts is there by other sensors: those of its members, for example, or of the one home."""
    sources = list(there)
    if proposal.flow is Flow.HOME and sources:
        return True
    return any(_counts(source, proposal.rivals) for source in sources)


def _fields(proposal: Proposal) -> tuple[str, ...]:
    """The fields of a proposal that say something."""
    has_capacity = CAPACITY in proposal.source
    return (*proposal.names, *([CAPACITY] if has_capacity else []))


def _missing(
    source: Mapping[str, Any], proposal: Proposal, there: Iterable[Mapping[str, Any]]
) -> tuple[str, ...]:
    """The fields of a proposal that are empty in a source, and that no other source there has."""
    elsewhere = {
        value
        for other in there
        if other is not source
        for value in other.values()
        if isinstance(value, str)
    }
    # A power that is made of others is one.
    filled = {POWER} if POWER_CONFIG in source else set()
    return tuple(
        field
        for field in _fields(proposal)
        if source.get(field) is None
        and field not in filled
        and proposal.source[field] not in elsewhere
    )
