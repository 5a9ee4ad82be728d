"""The link as a device of its own, above the machines that are reached through it: how well it carries their answers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
import math
from typing import Any, Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.event import async_track_time_interval

from .const import DOMAIN
from .coordinator import HybridInverterConfigEntry
from .modbus.connection import Counts
from .modbus.listener import ListenerStatistics
from .modbus.statistics import LinkStatistics
from .naming import async_place_of_link
from .sparing import SparingEntity

# How often the numbers are looked at. They are taken of the last minutes, and change slowly.
REFRESH_INTERVAL: Final = timedelta(seconds=30)


@dataclass(frozen=True, kw_only=True)
class LinkSensorDescription(SensorEntityDescription):
    """A number that tells how a link is doing; rounded to what says something new."""

    # Of the statistics that the link keeps.
    value: Callable[[Any], int | None]
    attributes: Callable[[Any], dict[str, Any]] = lambda _: {}
    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC
    state_class: SensorStateClass | None = SensorStateClass.MEASUREMENT


def _milliseconds(latency: float | None) -> int | None:
    """Return a latency in whole milliseconds; in tens of them where that is fine enough."""
    if latency is None:
        return None
    return 10 * round(latency / 10) if latency >= 100 else round(latency)


def _success(statistics: LinkStatistics) -> int | None:
    """Return how many of a hundred requests were answered; a hundred only if all were."""
    rate = statistics.total.success_rate
    return None if rate is None else math.floor(100 * rate)


LINK_CONNECTIVITY: Final = BinarySensorEntityDescription(
    key="link_connectivity",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)
LINK_SENSORS: Final = (
    LinkSensorDescription(
        key="bus_load",
        native_unit_of_measurement=PERCENTAGE,
        value=lambda statistics: round(100 * statistics.bus_load),
    ),
    LinkSensorDescription(
        key="link_latency",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        suggested_display_precision=0,
        value=lambda statistics: _milliseconds(statistics.total.latency_p50),
        attributes=lambda statistics: {"p95": _milliseconds(statistics.total.latency_p95)},
    ),
    LinkSensorDescription(
        key="success_rate",
        native_unit_of_measurement=PERCENTAGE,
        value=_success,
    ),
)
# Who only listens has no requests of its own that could be answered.
LISTENER_SENSORS: Final = (
    LinkSensorDescription(
        key="understood",
        native_unit_of_measurement=PERCENTAGE,
        value=lambda statistics: math.floor(100 * statistics.clarity),
    ),
)
SENSORS: Final[dict[type[Counts], tuple[LinkSensorDescription, ...]]] = {
    LinkStatistics: LINK_SENSORS,
    ListenerStatistics: LISTENER_SENSORS,
}


@callback
def async_register_link(hass: HomeAssistant, entry: HybridInverterConfigEntry) -> str:
    """Register the link before the machines, which refer to it; return its id in the device registry."""
    place = async_place_of_link(hass, entry)
    return (
        dr.async_get(hass)
        .async_get_or_create(
            config_entry_id=entry.entry_id,
            identifiers={(DOMAIN, entry.entry_id)},
            translation_key="network_link" if place else "serial_link",
            translation_placeholders={"host": place} if place else {},
        )
        .id
    )


def link_binary_sensors(entry: HybridInverterConfigEntry) -> list[BinarySensorEntity]:
    """Return the binary sensors of a link."""
    return [LinkConnectivitySensor(entry, LINK_CONNECTIVITY)]


def link_sensors(entry: HybridInverterConfigEntry) -> list[SensorEntity]:
    """Return the sensors of a link."""
    descriptions = SENSORS[type(entry.runtime_data.link.statistics)]
    return [LinkSensor(entry, description) for description in descriptions]


class LinkEntity(SparingEntity):
    """An entity of a link, which is always there: it tells what the link does, or that it does nothing."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, entry: HybridInverterConfigEntry, description: EntityDescription) -> None:
        """Look at the link of an entry."""
        self.entity_description = description
        self._link = entry.runtime_data.link
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        self._attr_translation_key = description.key
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, entry.entry_id)})

    @override
    async def async_added_to_hass(self) -> None:
        """Look again and again."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_track_time_interval(
                self.hass, self._look, REFRESH_INTERVAL, cancel_on_shutdown=True
            )
        )

    @callback
    def _look(self, _now: datetime) -> None:
        """Look at the link as it is now."""
        self.async_write_news()


class LinkConnectivitySensor(LinkEntity, BinarySensorEntity):
    """Whether the link can be opened; not whether it is open, as many a gateway hangs up between two polls."""

    @override
    async def async_added_to_hass(self) -> None:
        """Look also whenever the link is opened, or could not be."""
        await super().async_added_to_hass()
        self.async_on_remove(self._link.add_listener(lambda _: self.async_write_news()))

    @property
    @override
    def is_on(self) -> bool:
        """Return whether the last attempt succeeded."""
        return self._link.reachable

    @override
    def fingerprint(self) -> tuple[Any, ...]:
        """Return everything that the state is made of."""
        return (self.is_on,)


class LinkSensor(LinkEntity, SensorEntity):
    """A number that tells how a link is doing."""

    entity_description: LinkSensorDescription
    _unrecorded_attributes = frozenset({"p95"})

    @property
    @override
    def native_value(self) -> int | None:
        """Return the number, rounded."""
        return self.entity_description.value(self._link.statistics)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return what explains it."""
        return self.entity_description.attributes(self._link.statistics)

    @override
    def fingerprint(self) -> tuple[Any, ...]:
        """Return everything that the state is made of."""
        return (self.native_value, self.extra_state_attributes)
