"""What inverters report of the meters at their own sockets."""

from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..const import DOMAIN

# How the unique ids end of the power that such a meter, or the clamps in its place, measures.
POWERS: Final = ("_meter_a_power", "_meter_b_power", "_grid_ct_power")


@callback
def async_meters_of_inverters(hass: HomeAssistant) -> list[str]:
    """The entities with the power of meters behind inverters, each as "device: entity id"."""
    entities, devices = er.async_get(hass), dr.async_get(hass)
    return [
        f"{device.name_by_user or device.name}: {known.entity_id}"
        for entry in hass.config_entries.async_entries(DOMAIN)
        for known in er.async_entries_for_config_entry(entities, entry.entry_id)
        if known.unique_id.endswith(POWERS)
        and known.device_id is not None
        and (device := devices.async_get(known.device_id)) is not None
    ]
