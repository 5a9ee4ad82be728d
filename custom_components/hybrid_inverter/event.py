"""Events: a fault code that appears, and the grid that goes and comes back."""

from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HybridInverterConfigEntry, UnitRuntime
from .entity import FaultEntity, Part, UnitEntityDescription
from .faults import FaultMonitor, News, async_meaning

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class UnitEventDescription(UnitEntityDescription, EventEntityDescription):
    """Something that happens at a unit."""


FAULT: Final = UnitEventDescription(key="fault", source="fault")

STARTED: Final = "started"
ENDED: Final = "ended"
OUTAGE: Final = UnitEventDescription(
    key="outage", source="grid_connected", part=Part.GRID, event_types=[STARTED, ENDED]
)

EVENTS: Final = (FAULT, OUTAGE)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the events of every unit that tells its faults."""
    for subentry_id, unit in entry.runtime_data.units.items():
        if unit.faults is not None:
            async_add_entities(
                [FaultEvent(unit, unit.faults), OutageEvent(unit, unit.faults, OUTAGE)],
                config_subentry_id=subentry_id,
            )


class UnitEvent(FaultEntity, EventEntity):
    """Something that happens at a unit; its state is when it did last."""

    entity_description: UnitEventDescription

    @override
    def fingerprint(self) -> tuple[Any, ...]:
        """Return everything that the state is made of, but for what is written as it happens."""
        return (self.available,)


class FaultEvent(UnitEvent):
    """A code of a fault or a warning that has appeared."""

    def __init__(self, unit: UnitRuntime, monitor: FaultMonitor) -> None:
        """Offer every code as a type of its own, for automations that wait for one of them."""
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
