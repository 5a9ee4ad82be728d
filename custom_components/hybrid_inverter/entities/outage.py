"""Sensors of the last outage."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, override

from homeassistant.components.sensor import SensorEntity, SensorEntityDescription
from homeassistant.components.sensor.const import SensorDeviceClass
from homeassistant.const import UnitOfTime
from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ..modbus.model.faults import Outage
from ..modbus.model.part import Part
from ..runtime.faults import FaultMonitor, News
from ..runtime.runtime import UnitRuntime
from .base import FaultEntity, UnitEntityDescription


@dataclass(frozen=True, kw_only=True)
class OutageSensorDescription(UnitEntityDescription, SensorEntityDescription):
    """A value of an outage, as of a moment."""

    value: Callable[[Outage, datetime], datetime | int]


LAST_OUTAGE: Final = OutageSensorDescription(
    key="last_outage",
    value_key="grid_connected",
    inputs=frozenset({"grid_connected"}),
    part=Part.GRID,
    device_class=SensorDeviceClass.TIMESTAMP,
    entity_registry_enabled_default=False,
    value=lambda outage, _: outage.start,
)

OUTAGE_SENSORS: Final = (
    LAST_OUTAGE,
    replace(
        LAST_OUTAGE,
        key="last_outage_duration",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_unit_of_measurement=UnitOfTime.MINUTES,
        suggested_display_precision=1,
        value=lambda outage, now: round(outage.duration(now).total_seconds()),
    ),
)


class OutageSensor(FaultEntity, SensorEntity):
    """A value of the last outage, which counts up while it lasts; unknown before the first one."""

    entity_description: OutageSensorDescription

    def __init__(
        self, unit: UnitRuntime, monitor: FaultMonitor, description: OutageSensorDescription
    ) -> None:
        super().__init__(unit, monitor, description)
        self._now = dt_util.utcnow()

    @callback
    @override
    def _handle_news(self, news: News) -> None:
        """Show how long it has lasted."""
        self._now = news.now
        self._handle_coordinator_update()

    @property
    @override
    def native_value(self) -> datetime | int | None:
        """The value as of the last poll."""
        outage = self._monitor.outages.last
        return None if outage is None else self.entity_description.value(outage, self._now)

    @override
    def state_key(self) -> tuple[Any, ...]:
        """Everything that the state is made of."""
        return (self.available, self.native_value)
