"""What a planner has to know of an inverter or a plant: its entities, and what its battery can do."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, Protocol

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.network import NoURLAvailableError, get_url

from ..const import DOMAIN
from ..control.targets import Controlled, Target, counteracting_plant, stated_capacity
from ..modbus.model.codec import RATED_POWER, as_number
from ..modbus.model.reserve import FULL, RESERVE
from ..runtime.battery_capacity import kilowatt_hours
from ..runtime.lookup import registered_entity

# The setting that ends charging, where an inverter has one.
CEILING: Final = "charge_upper_limit"
# What stands for an address that Home Assistant does not know.
NO_URL: Final = "http://homeassistant.local:8123"


class Missing(StrEnum):
    """What a configuration lacks: the key of a text."""

    ABSENT = "absent"
    CAPACITY = "capacity"
    DISABLED = "disabled"
    PLANT = "plant"
    RESERVE = "reserve"
    URL = "url"


class Texts(Protocol):
    """What is missing, in Home Assistant's language."""

    def __call__(self, missing: Missing, **placeholders: object) -> str:
        """Something that is missing, with what to do."""
        ...


class Site:
    """An inverter or a plant, as a planner is told of it.

    Whatever is asked for and is not there is added to `missing`, in words with what to do.
    """

    def __init__(
        self, hass: HomeAssistant, target: Target, texts: Texts, capacity: float | None
    ) -> None:
        """`capacity` is what a person says that the battery holds, in kilowatt-hours."""
        self._hass = hass
        self._texts = texts
        self._inverters = target.inverters
        self._capacity = capacity
        first = target.inverters[0].unit
        # What its entities' unique ids begin with, which is also what identifies its device.
        self._identifier = first.identity.serial if target.plant is None else target.plant.entry_id
        entry_id = first.entry_id if target.plant is None else target.plant.entry_id
        device = dr.async_get(hass).async_get_device_by_identifier(
            (DOMAIN, self._identifier), entry_id
        )
        self.device_id = device.id if device else ""
        self.missing: list[str] = []
        alone = None if target.plant else target.inverters[0]
        if alone and (plant := counteracting_plant(alone)) is not None:
            self._lacks(Missing.PLANT, device=alone.name, plant=plant.title)

    @property
    def rated_power(self) -> int:
        """The watts of all inverters together."""
        facts = (one.unit.identity.facts for one in self._inverters)
        return round(sum(as_number(each.get(RATED_POWER)) or 0 for each in facts))

    @property
    def may_sell(self) -> bool:
        """Whether its owner allows to sell from the battery."""
        return all(one.driver.keeper.may_sell for one in self._inverters)

    @property
    def ceiling(self) -> int:
        """The state of charge at which charging ends, in percent."""
        limits = (as_number(one.unit.device.values.get(CEILING)) for one in self._inverters)
        return round(min(FULL if limit is None else limit for limit in limits))

    def floor(self) -> int | None:
        """The reserve that is left in the battery, in percent; None while it is not known."""
        entity_id = self.entity(RESERVE, Platform.NUMBER)
        state = self._hass.states.get(entity_id) if entity_id else None
        try:
            return round(float(state.state)) if state else None
        except ValueError:
            self._lacks(Missing.RESERVE, entity=entity_id)
            return None

    def capacity(self) -> float | None:
        """The kilowatt-hours that the battery holds; None where nobody knows."""
        if self._capacity is not None:
            return self._capacity
        known = [_capacity_of(one) for one in self._inverters]
        if None in known:
            self._lacks(Missing.CAPACITY)
            return None
        return round(sum(filter(None, known)), 1)

    def url(self) -> str:
        """Where Home Assistant is reached in the house."""
        try:
            return get_url(self._hass, allow_external=False, allow_cloud=False)
        except NoURLAvailableError:
            self._lacks(Missing.URL, url=NO_URL)
            return NO_URL

    def entity(self, key: str, platform: Platform = Platform.SENSOR) -> str | None:
        """The id of an entity by its key; None, without a word, where there is none."""
        known = registered_entity(self._hass, platform, f"{self._identifier}_{key}")
        if known is None:
            return None
        if known.disabled:
            self._lacks(Missing.DISABLED, entity=known.entity_id)
        return known.entity_id

    def entities(self, rows: Mapping[str, str], optional: Iterable[str] = ()) -> dict[str, str]:
        """The ids of entities by what the planner calls them, of keys by the same names."""
        found = {name: self.entity(key) for name, key in rows.items()}
        for name, entity_id in found.items():
            if entity_id is None and name not in optional:
                self._lacks(Missing.ABSENT, name=name, key=rows[name])
        return {name: entity_id for name, entity_id in found.items() if entity_id is not None}

    def _lacks(self, missing: Missing, **placeholders: object) -> None:
        """Tell once that something is not there."""
        if (text := self._texts(missing, **placeholders)) not in self.missing:
            self.missing.append(text)


def _capacity_of(one: Controlled) -> float | None:
    """The capacity of a battery in kilowatt-hours, as a person has entered it or its inverter reports it."""
    return stated_capacity(one) or kilowatt_hours(one.unit.device.values)
