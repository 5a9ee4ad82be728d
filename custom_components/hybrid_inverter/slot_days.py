"""The days of a slot: chosen from a few combinations; any other one is shown, and set by an action."""

from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.components.sensor import SensorEntity
from homeassistant.const import EntityCategory

from .entity import ControlEntity, UnitEntityDescription, ValueEntity
from .sensor_kinds import CHOICE, UnitSensorDescription, stand_in
from .timed_slots import CUSTOM, DAYS_OF, TIMED_SLOTS, days_named


@dataclass(frozen=True, kw_only=True)
class DaysDescription(UnitEntityDescription, SelectEntityDescription):
    """The days of a slot, as a setting."""

    entity_category: EntityCategory | None = EntityCategory.CONFIG
    entity_registry_enabled_default: bool = False
    writable: bool | None = True


SLOT_DAYS: Final = tuple(DaysDescription(key=f"{slot}_days") for slot in TIMED_SLOTS)
READ_ONLY_SLOT_DAYS: Final = tuple(stand_in(CHOICE, days) for days in SLOT_DAYS)


class DaysSelect(ControlEntity, SelectEntity):
    """The days on which a slot counts."""

    entity_description: DaysDescription

    @property
    @override
    def current_option(self) -> str | None:
        """Return what the days in force are called."""
        return days_named(self.reading)

    @property
    @override
    def options(self) -> list[str]:
        """Return what can be chosen; a combination without a name is there while it is in force."""
        return [*DAYS_OF, CUSTOM] if self.current_option == CUSTOM else list(DAYS_OF)

    @override
    async def async_select_option(self, option: str) -> None:
        """Write other days; the combination without a name is the one that is in force already."""
        if option != CUSTOM:
            await self.async_write(DAYS_OF[option])


class DaysSensor(ValueEntity, SensorEntity):
    """The days on which a slot counts, where they may only be looked at."""

    entity_description: UnitSensorDescription

    @property
    @override
    def options(self) -> list[str]:
        """Return what the days can be called."""
        return [*DAYS_OF, CUSTOM]

    @property
    @override
    def native_value(self) -> str | None:
        """Return what the days in force are called."""
        return days_named(self.reading)
