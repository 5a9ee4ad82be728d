"""The days of a slot: a few combinations can be chosen; any other one is shown, and set by an action."""

from typing import override

from homeassistant.components.select import SelectEntity
from homeassistant.components.sensor import SensorEntity

from ..entities.base import ControlEntity, ValueEntity
from ..entities.descriptions import UnitSelectDescription
from ..entities.kinds import UnitSensorDescription
from ..modbus.schedule.days import CUSTOM, DAYS_OF, days_named


class DaysSelect(ControlEntity, SelectEntity):
    """The days on which a slot counts."""

    entity_description: UnitSelectDescription

    @property
    @override
    def current_option(self) -> str | None:
        """What the days in force are called."""
        return days_named(self.reading)

    @property
    @override
    def options(self) -> list[str]:
        """What can be chosen; a combination without a name is offered only while it is in force."""
        return [*DAYS_OF, CUSTOM] if self.current_option == CUSTOM else list(DAYS_OF)

    @override
    async def async_select_option(self, option: str) -> None:
        """Write other days; the combination without a name is the one that is in force already."""
        if option != CUSTOM:
            await self.async_write(DAYS_OF[option])


class DaysSensor(ValueEntity, SensorEntity):
    """The days on which a slot counts, where they cannot be changed."""

    entity_description: UnitSensorDescription

    @property
    @override
    def options(self) -> list[str]:
        """What the days can be called."""
        return [*DAYS_OF, CUSTOM]

    @property
    @override
    def native_value(self) -> str | None:
        """What the days in force are called."""
        return days_named(self.reading)
