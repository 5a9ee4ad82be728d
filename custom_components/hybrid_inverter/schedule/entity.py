"""What the entities that show the schedule of a unit share."""

from dataclasses import dataclass
from typing import Any, override

from ..entities.base import UnitEntity, UnitEntityDescription
from ..modbus.model.family import Family
from ..modbus.model.register import Group
from ..modbus.schedule.occurrences import Outlook
from ..modbus.schedule.styles import EVERY_KEY, keys_of, style_of
from ..runtime.runtime import UnitRuntime
from .view import schedule_view


@dataclass(frozen=True, kw_only=True)
class ScheduleDescription(UnitEntityDescription):
    """An entity that shows a schedule; its inputs are the keys of the styles of schedules that it can show."""

    inputs: frozenset[str] = EVERY_KEY

    @override
    def polled_from(self, family: Family) -> frozenset[str]:
        """The settings of the family's schedule; all inputs where this entity cannot show it."""
        served = family.registers.keys()
        style = style_of(served)
        return keys_of(style, served) if style and style.keys <= self.inputs else self.inputs


class ScheduleEntity(UnitEntity):
    """An entity whose state follows the schedule, and the time."""

    entity_description: ScheduleDescription

    def __init__(self, unit: UnitRuntime, description: ScheduleDescription) -> None:
        wanted = description.polled_from(unit.device.family)
        super().__init__(unit, description, Group.SETTINGS, wanted=wanted)
        self.view = schedule_view(unit)

    @property
    def outlook(self) -> Outlook[Any] | None:
        """What the schedule says now; None while not all of it is known."""
        return self.view.outlook

    @property
    @override
    def available(self) -> bool:
        """Whether the last poll brought the schedule."""
        return super().available and self.view.schedule is not None

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the slots from now on."""
        await super().async_added_to_hass()
        self.async_on_remove(self.view.async_add_listener(self._handle_coordinator_update))
