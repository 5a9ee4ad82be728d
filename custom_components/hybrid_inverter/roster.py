"""Which entities of a unit are there: they come and go with how the machine is set."""

import asyncio
from collections.abc import Callable, Iterable
from itertools import batched
from typing import Final

from homeassistant.core import callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import (
    AddConfigEntryEntitiesCallback,
    async_get_current_platform,
)

from .const import DOMAIN
from .coordinator import HybridInverterConfigEntry, UnitRuntime
from .entity import UnitEntityDescription, is_served, unique_id, usages_of
from .modbus.register import Group

# How many entities are added before others have their turn: each costs Home Assistant about a millisecond.
AT_ONCE: Final = 8


class Roster[DescriptionT: UnitEntityDescription]:
    """The entities that a platform makes of descriptions for one unit.

    An entity whose usages do not apply is in neither the state machine nor the entity registry. What a person has made
    of it (its name, its area, whether it is enabled) is kept by Home Assistant, and is there again when it comes back.
    """

    def __init__(
        self,
        unit: UnitRuntime,
        platform: str,
        descriptions: Iterable[DescriptionT],
        add: Callable[[list[DescriptionT]], None],
    ) -> None:
        """Take the descriptions that the unit serves, and what makes and adds entities of some of them."""
        self._unit = unit
        self._platform = platform
        self._descriptions = [item for item in descriptions if is_served(unit, item)]
        self._add = add
        self._coordinator = unit.coordinators[Group.SETTINGS]
        self._registry = er.async_get(self._coordinator.hass)
        # What is there; nothing is before the first look at the settings.
        self._there: frozenset[str] = frozenset()
        self._started = False

    async def async_start(self) -> None:
        """Add what is there, and follow the settings that decide it, whether or not an entity shows them."""
        self._there = frozenset(item.key for item in self._descriptions if self._is_there(item))
        for item in self._descriptions:
            if item.key not in self._there:
                self._remove(item)
        coming = [item for item in self._descriptions if item.key in self._there]
        for some in batched(coming, AT_ONCE, strict=False):
            await asyncio.sleep(0)
            self._add(list(some))
        if coming:
            self._coordinator.async_catch_up()
        self._started = True
        # What was read in the meantime may have changed it.
        self.async_update()
        deciding = frozenset[str]().union(
            *(usage.keys for item in self._descriptions for usage in usages_of(self._unit, item))
        )
        if deciding:
            self._coordinator.config_entry.async_on_unload(
                self._coordinator.async_add_listener(self.async_update, deciding)
            )

    @callback
    def async_update(self) -> None:
        """Add what is there now and was not before, and remove what is not there."""
        there = frozenset(item.key for item in self._descriptions if self._is_there(item))
        coming = [item for item in self._descriptions if item.key in there - self._there]
        self._there = there
        for item in self._descriptions:
            if item.key not in there:
                self._remove(item)
        if coming:
            self._coordinator.async_expect(
                frozenset[str]().union(*(item.polled_keys for item in coming))
            )
            self._add(coming)
            self._coordinator.async_catch_up()

    def _is_there(self, description: DescriptionT) -> bool:
        """Whether an entity is there; one of which that is not known is as it was."""
        values = self._coordinator.data.values
        usages = usages_of(self._unit, description)
        if not all(usage.applies(values) for usage in usages):
            return False
        if all(usage.is_known(values) for usage in usages):
            return True
        if self._started:
            return description.key in self._there
        return self._unit.was_there(unique_id(self._unit, description))

    @callback
    def _remove(self, description: DescriptionT) -> None:
        """Take an entity out of the registry, if it is there; what it shows goes with it."""
        entity_id = self._registry.async_get_entity_id(
            self._platform, DOMAIN, unique_id(self._unit, description)
        )
        if entity_id is not None:
            self._registry.async_remove(entity_id)


async def async_add_values[DescriptionT: UnitEntityDescription](
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    descriptions: Iterable[DescriptionT],
    entity: Callable[[UnitRuntime, DescriptionT], Entity],
) -> None:
    """Have an entity for every value that a unit has, while it goes by it, that the chosen tier shows in this form."""
    platform = async_get_current_platform().domain
    items = tuple(descriptions)
    for subentry_id, unit in entry.runtime_data.units.items():

        def add(
            coming: list[DescriptionT],
            unit: UnitRuntime = unit,
            subentry_id: str = subentry_id,
        ) -> None:
            async_add_entities(
                [entity(unit, item) for item in coming], config_subentry_id=subentry_id
            )

        await Roster(unit, platform, items, add).async_start()
