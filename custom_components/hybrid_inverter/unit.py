"""From the device that a person picks to the unit behind it."""

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.service import async_get_device_and_config_entry

from .const import DOMAIN
from .coordinator import HybridInverterConfigEntry, UnitRuntime
from .plant_members import is_plant


def unit_of_device(hass: HomeAssistant, device_id: str) -> UnitRuntime:
    """Return the unit that a device is, or is a part of; ServiceValidationError when there is none."""
    device, found = async_get_device_and_config_entry(
        hass, DOMAIN, device_id, include_child_devices=False
    )
    entry: HybridInverterConfigEntry = found
    # A plant has machines only in other entries.
    for unit in () if is_plant(entry) else entry.runtime_data.units.values():
        if unit.device_id in (device.id, device.via_device_id):
            return unit
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="no_such_unit",
        translation_placeholders={"device": device.name_by_user or device.name or device_id},
    )
