"""Which entities of a unit exist: they come and go with how the device is set."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from itertools import batched
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import (
    AddConfigEntryEntitiesCallback,
    async_get_current_platform,
)

from ..modbus.model.register import Group
from ..runtime.lookup import registered_entity
from ..runtime.runtime import HybridInverterConfigEntry, UnitRuntime
from .base import (
    UnitEntityDescription,
    conditions_of,
    is_served,
    unique_id,
)
from .descriptions import descriptions_of
from .kept import is_kept

# How many entities are added before other tasks run: each costs Home Assistant about a millisecond.
AT_ONCE: Final = 8
# In place of a value that was not read.
UNREAD: Final = object()


class EntityPresence[DescriptionT: UnitEntityDescription]:
    """The entities that a platform makes of descriptions for one unit.

    An entity whose conditions are not met is in neither the state machine nor the entity registry. What a person has
    made of it (its name, its area, whether it is enabled) is kept by Home Assistant, and is restored with it.
    """

    def __init__(
        self,
        unit: UnitRuntime,
        platform: str,
        descriptions: Iterable[DescriptionT],
        add: Callable[[list[DescriptionT]], None],
    ) -> None:
        """The unit has to serve all of the descriptions; `add` makes and adds entities of some of them."""
        self._unit = unit
        self._platform = platform
        self._descriptions = list(descriptions)
        self._add = add
        self._coordinator = unit.coordinators[Group.SETTINGS]
        self._registry = er.async_get(self._coordinator.hass)
        self._deciding = frozenset[str]().union(
            *(
                condition.keys
                for item in self._descriptions
                for condition in conditions_of(unit, item)
            )
        )
        # The deciding values that the present entities follow from; empty until they were polled.
        self._decided: tuple[Any, ...] = ()
        # The keys of the present entities.
        self._present: frozenset[str] = frozenset()

    async def async_start(self) -> None:
        """Add what is present, and follow the settings that decide it, whether or not an entity shows them."""
        self._present = self._find_present()
        self._decided = self._deciding_values
        for item in self._descriptions:
            if item.key not in self._present:
                self._remove(item)
        coming = [item for item in self._descriptions if item.key in self._present]
        for some in batched(coming, AT_ONCE, strict=False):
            await asyncio.sleep(0)
            self._add(list(some))
        if coming:
            self._coordinator.async_catch_up()
        # What was read in the meantime may have changed it.
        self.async_update()
        if self._deciding:
            self._coordinator.config_entry.async_on_unload(
                self._coordinator.async_add_listener(self.async_update, self._deciding)
            )

    @callback
    def async_update(self) -> None:
        """Add and remove entities if a deciding value has changed."""
        if (deciding := self._deciding_values) == self._decided:
            return
        if self._coordinator.config_entry.state is ConfigEntryState.UNLOAD_IN_PROGRESS:
            # The platform is gone, while a write is still finished; nobody would remove what is added to it.
            return
        present = self._find_present()
        was_decided, self._decided = bool(self._decided), deciding
        coming = [item for item in self._descriptions if item.key in present - self._present]
        self._present = present
        for item in self._descriptions:
            if item.key not in present:
                self._remove(item)
        if coming:
            # The first poll was for all that may be shown.
            if was_decided:
                self._coordinator.async_expect(
                    frozenset[str]().union(*(item.inputs for item in coming))
                )
            self._add(coming)
            self._coordinator.async_catch_up()

    @property
    def _deciding_values(self) -> tuple[Any, ...]:
        """The values that the conditions depend on, in a fixed order; none until they were polled."""
        data = self._coordinator.data
        if not data.values and not data.failed:
            return ()
        return tuple(data.values.get(key, UNREAD) for key in self._deciding)

    def _find_present(self) -> frozenset[str]:
        """The keys of the entities that exist with the settings as they are."""
        return frozenset(item.key for item in self._descriptions if self._is_present(item))

    def _is_present(self, description: DescriptionT) -> bool:
        """Whether an entity exists; while its conditions are not known, that stays as it was."""
        values = self._coordinator.data.values
        conditions = conditions_of(self._unit, description)
        if conditions and self._is_kept(description):
            return True
        if not all(condition.is_met(values) for condition in conditions):
            return False
        if all(condition.is_known(values) for condition in conditions):
            return True
        if self._decided:
            return description.key in self._present
        known_as = unique_id(self._unit, description)
        if not self._deciding_values and self._unit.machine.last_error is None:
            # They are about to be polled.
            return known_as in self._unit.registered
        return self._unit.registered_before(known_as)

    @callback
    def _remove(self, description: DescriptionT) -> None:
        """Remove an entity from the registry, and its state with it."""
        if (known := self._find_registered(description)) is not None:
            self._registry.async_remove(known.entity_id)

    def _is_kept(self, description: DescriptionT) -> bool:
        """Whether an entity stays although its conditions are not met."""
        known = self._find_registered(description)
        return known is not None and is_kept(known)

    def _find_registered(self, description: DescriptionT) -> er.RegistryEntry | None:
        """What the entity registry has of an entity."""
        known_as = unique_id(self._unit, description)
        return registered_entity(self._unit.hass, self._platform, known_as)


async def async_add_rows(
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    entity: Callable[[UnitRuntime, Any], Entity],
) -> None:
    """Add an entity for every value of every unit that this platform shows, while its conditions are met."""
    platform = Platform(async_get_current_platform().domain)
    for unit in entry.runtime_data.units.values():
        await _async_add(
            unit, platform, descriptions_of(unit).get(platform, ()), entity, async_add_entities
        )


async def async_add_values[DescriptionT: UnitEntityDescription](
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    descriptions: Sequence[DescriptionT],
    entity: Callable[[UnitRuntime, DescriptionT], Entity],
) -> None:
    """Add these entities to every unit that has what they rest on."""
    platform = Platform(async_get_current_platform().domain)
    for unit in entry.runtime_data.units.values():
        served = [item for item in descriptions if is_served(unit, item)]
        await _async_add(unit, platform, served, entity, async_add_entities)


async def _async_add[DescriptionT: UnitEntityDescription](
    unit: UnitRuntime,
    platform: Platform,
    descriptions: Sequence[DescriptionT],
    entity: Callable[[UnitRuntime, DescriptionT], Entity],
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the entities of one unit that are present now, and the others when they become so."""

    def add(coming: list[DescriptionT]) -> None:
        async_add_entities(
            [entity(unit, item) for item in coming], config_subentry_id=unit.subentry_id
        )

    await EntityPresence(unit, platform, descriptions, add).async_start()
