"""The link as a device of its own, above the machines that are reached through it, with how well it works."""

from collections.abc import Callable
from dataclasses import dataclass
import math
from typing import Any, Final, override

from homeassistant.components.binary_sensor import (
    ENTITY_ID_FORMAT as BINARY_SENSOR_ID,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.components.sensor import (
    ENTITY_ID_FORMAT as SENSOR_ID,
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

from ..const import DOMAIN
from ..entry.names import async_place_of_link
from ..modbus.listen.listener import ListenerStatistics
from ..modbus.transport.connection import Counts
from ..modbus.transport.statistics import LinkStatistics
from ..runtime.runtime import HybridInverterConfigEntry
from ..runtime.ticks import async_every_minute
from .write_on_change import WriteOnChangeEntity


@dataclass(frozen=True, kw_only=True)
class LinkSensorDescription(SensorEntityDescription):
    """A figure of how a link works, rounded so that it changes only when it matters."""

    # From the statistics of the link, which are of a class of its own where there is only listening.
    value: Callable[[Any], int | None]
    attributes: Callable[[Any], dict[str, Any]] = lambda _: {}
    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC
    state_class: SensorStateClass | None = SensorStateClass.MEASUREMENT


def _milliseconds(latency: float | None) -> int | None:
    """A latency in whole milliseconds; from 100 on in tens of them."""
    if latency is None:
        return None
    return 10 * round(latency / 10) if latency >= 100 else round(latency)


def _success(statistics: LinkStatistics) -> int | None:
    """The percentage of requests that were answered; 100 only if all were."""
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
# A listener has no requests of its own that could be answered.
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
    """Register the link before the machines, which refer to it; returns its id in the device registry."""
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
    """The binary sensors of a link."""
    return [LinkConnectivitySensor(entry, LINK_CONNECTIVITY, BINARY_SENSOR_ID)]


def link_sensors(entry: HybridInverterConfigEntry) -> list[SensorEntity]:
    """The sensors of a link."""
    descriptions = SENSORS[type(entry.runtime_data.link.statistics)]
    return [LinkSensor(entry, description) for description in descriptions]


class LinkEntity(WriteOnChangeEntity):
    """An entity of a link; it is always available, as it shows also that the link does not work."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(
        self,
        entry: HybridInverterConfigEntry,
        description: EntityDescription,
        entity_id_format: str,
    ) -> None:
        """The entity id has no address: that of a gateway may change, and is nobody else's business."""
        self.entity_id = entity_id_format.format(
            f"modbus_link_{description.key.removeprefix('link_')}"
        )
        self.entity_description = description
        self._link = entry.runtime_data.link
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        self._attr_translation_key = description.key
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, entry.entry_id)})


class LinkConnectivitySensor(LinkEntity, BinarySensorEntity):
    """Whether the link can be opened; not whether it is open, as many gateways close it between two polls."""

    @override
    async def async_added_to_hass(self) -> None:
        """Refresh whenever the link is opened, or could not be."""
        await super().async_added_to_hass()
        self.async_on_remove(self._link.add_listener(lambda _: self.async_write_if_changed()))

    @property
    @override
    def is_on(self) -> bool:
        """Whether the last attempt succeeded."""
        return self._link.reachable

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.is_on,)


class LinkSensor(LinkEntity, SensorEntity):
    """A figure of how a link works."""

    entity_description: LinkSensorDescription
    _unrecorded_attributes = frozenset({"p95"})

    def __init__(
        self, entry: HybridInverterConfigEntry, description: LinkSensorDescription
    ) -> None:
        super().__init__(entry, description, SENSOR_ID)

    @override
    async def async_added_to_hass(self) -> None:
        """Refresh now and then: the figures cover the last minutes, and change slowly."""
        await super().async_added_to_hass()
        self.async_on_remove(async_every_minute(self.hass, self.async_write_if_changed))

    @property
    @override
    def native_value(self) -> int | None:
        """The figure, rounded."""
        return self.entity_description.value(self._link.statistics)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """What explains it."""
        return self.entity_description.attributes(self._link.statistics)

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.native_value, self.extra_state_attributes)
