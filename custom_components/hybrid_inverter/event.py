"""Events: a fault code that appears, the grid that goes and comes back, a setting that somebody else has changed, and what happens to orders."""

from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .control.entities import of_inverter
from .control.plants import async_add_to_plant_battery
from .control.sensors import CONTROL_EVENTS, OrderEvent
from .entities.base import FaultEntity, UnitEntity, UnitEntityDescription, is_served
from .entities.presence import async_add_values
from .entry.data import is_plant
from .modbus.model.part import Part
from .modbus.model.register import Group
from .runtime.faults import FaultMonitor, News, async_meaning
from .runtime.runtime import HybridInverterConfigEntry, UnitRuntime
from .runtime.setting_news import CHANGED_ELSEWHERE, TAKEN_BACK, change_of, told_of
from .runtime.settings_ledger import Found

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class UnitEventDescription(UnitEntityDescription, EventEntityDescription):
    """Something that happens at a unit."""


FAULT: Final = UnitEventDescription(key="fault", value_key="fault", inputs=frozenset({"fault"}))

STARTED: Final = "started"
ENDED: Final = "ended"
OUTAGE: Final = UnitEventDescription(
    key="outage",
    value_key="grid_connected",
    inputs=frozenset({"grid_connected"}),
    part=Part.GRID,
    event_types=[STARTED, ENDED],
)

SETTING_CHANGED: Final = UnitEventDescription(
    key="setting_changed", needs_write=True, event_types=[CHANGED_ELSEWHERE, TAKEN_BACK]
)

DESCRIPTIONS: Final = (FAULT, OUTAGE, SETTING_CHANGED, *CONTROL_EVENTS)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the events of every unit: of its faults if it reports some, of its settings if they may be written.

    A plant only has that of its battery.
    """
    if is_plant(entry):
        async_add_to_plant_battery(hass, entry, async_add_entities, CONTROL_EVENTS, OrderEvent)
        return
    for subentry_id, unit in entry.runtime_data.units.items():
        if unit.faults is not None:
            async_add_entities(
                [FaultEvent(unit, unit.faults), OutageEvent(unit, unit.faults, OUTAGE)],
                config_subentry_id=subentry_id,
            )
        if is_served(unit, SETTING_CHANGED):
            async_add_entities([SettingChangedEvent(unit)], config_subentry_id=subentry_id)
    await async_add_values(entry, async_add_entities, CONTROL_EVENTS, of_inverter(OrderEvent))


class UnitEvent(FaultEntity, EventEntity):
    """Something that happens at a unit; its state is when it did last."""

    entity_description: UnitEventDescription

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of, but for what is written as it happens."""
        return (self.available,)


class FaultEvent(UnitEvent):
    """A code of a fault or a warning that has appeared."""

    def __init__(self, unit: UnitRuntime, monitor: FaultMonitor) -> None:
        """Every code is an event type, for automations that wait for one of them."""
        super().__init__(unit, monitor, FAULT)
        self._attr_event_types = [code.lower() for code in monitor.codes]

    @callback
    @override
    def _handle_news(self, news: News) -> None:
        """Fire once for every code, so that none is lost when there are several."""
        for field, codes in news.appeared.items():
            for code in codes:
                self._trigger_event(
                    code.lower(),
                    {
                        "code": code,
                        "meaning": async_meaning(self.hass, code),
                        "kind": self._monitor.kind(field, code),
                        "since": news.now.isoformat(),
                    },
                )
                self.async_write_ha_state()


class OutageEvent(UnitEvent):
    """The grid has gone, or is back."""

    @callback
    @override
    def _handle_news(self, news: News) -> None:
        """Fire when an outage begins and when it ends, then with its length in seconds."""
        outage = self._monitor.outages.last
        if not news.outage or outage is None:
            return
        attributes: dict[str, Any] = {"since": outage.start.isoformat()}
        if outage.end is not None:
            attributes["duration"] = round(outage.duration(news.now).total_seconds())
        self._trigger_event(ENDED if outage.end else STARTED, attributes)
        self.async_write_ha_state()


class SettingChangedEvent(UnitEntity, EventEntity):
    """A setting that we had made the machine hold, and that holds something else now."""

    entity_description: UnitEventDescription

    def __init__(self, unit: UnitRuntime) -> None:
        """Available while the settings are polled."""
        super().__init__(unit, SETTING_CHANGED, Group.SETTINGS)

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the ledger of the settings."""
        await super().async_added_to_hass()
        self.async_on_remove(self.unit.machine.settings.add_listener(self._handle_found))

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of, but for what is written as it happens."""
        return (self.available,)

    @callback
    def _handle_found(self, found: Found) -> None:
        """Fire for each setting."""
        self._trigger_event(change_of(found), told_of(self.unit, found))
        self.async_write_ha_state()
