"""The clock of a machine: how far it is off, and how it is set."""

from datetime import datetime
from typing import Final

from homeassistant.util import dt as dt_util

from ..modbus.device.device import Device
from ..modbus.model.codec import Value
from .runtime import UnitRuntime
from .writes import async_write, display_name

CLOCK: Final = "system_time"


def local_time() -> datetime:
    """The local time of Home Assistant, daylight saving time included, without a time zone."""
    return dt_util.now().replace(tzinfo=None)


def drift_of(device: Device, shown: Value | None) -> int | None:
    """How many whole seconds a clock that was read as this is ahead of local time; None for one that shows no time."""
    read_at = device.read_at(CLOCK)
    if read_at is None or not isinstance(shown, datetime):
        return None
    local = dt_util.as_local(read_at).replace(tzinfo=None, microsecond=0)
    return round((shown - local).total_seconds())


async def async_sync_clock(unit: UnitRuntime) -> None:
    """Set the clock of a unit to the time at which the request is sent."""
    await async_write(
        unit,
        display_name(unit, CLOCK),
        lambda: unit.device.set_clock(CLOCK, local_time),
        group=unit.device.family.group_of(CLOCK),
    )
