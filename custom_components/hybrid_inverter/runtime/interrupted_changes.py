"""Changes of several settings that a crash, a stop or a lost link has broken off: somebody goes on with them."""

from functools import partial
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_DEVICE_ID, ATTR_NAME
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..const import DOMAIN, LOGGER
from ..entry.texts import async_load_texts
from ..modbus.device.stepped_changes import Outcome
from ..modbus.errors import DeviceError
from ..modbus.model.register import Group
from .issues import async_raise, machine_name
from .runtime import UnitRuntime
from .writes import display_names

# What is fired when somebody has gone on with such a change, and the kind of the issue by what has become of it.
EVENT_RESUMED: Final = f"{DOMAIN}_change_resumed"
ISSUES: Final = {
    Outcome.FINISHED: "change_finished",
    Outcome.PUT_BACK: "change_put_back",
    Outcome.LEFT: "change_left",
}


@callback
def async_resume_interrupted(
    hass: HomeAssistant, entry: ConfigEntry, unit: UnitRuntime
) -> CALLBACK_TYPE:
    """Go on with what was broken off, now or when the machine is back; returns what ends that."""
    if not any(row.writable for row in unit.device.family.registers.values()):
        return lambda: None
    settings = unit.coordinators[Group.SETTINGS]
    unit.machine.async_resume = partial(_async_resume, hass, unit)

    @callback
    def polled() -> None:
        if unit.device.is_interrupted:
            entry.async_create_background_task(
                hass, _async_try_to_resume(hass, unit), f"{unit.name} resume"
            )

    if settings.last_update_success:
        polled()
    return settings.async_add_poll_listener(polled)


async def _async_try_to_resume(hass: HomeAssistant, unit: UnitRuntime) -> None:
    """Do it, unless the machine cannot be reached now."""
    try:
        await _async_resume(hass, unit)
    except DeviceError as err:
        # The next poll that is answered tries again.
        LOGGER.debug("%s: an interrupted change could not be finished yet: %s", unit.name, err)


async def _async_resume(hass: HomeAssistant, unit: UnitRuntime) -> None:
    """Finish a change, or put it back, and tell it; raises the DeviceError when that is not possible now."""
    await unit.async_verify()
    resumed = await unit.device.resume()
    if resumed is None:
        return
    await async_load_texts(hass, "entity")
    await async_load_texts(hass, "selector")
    serial, name = unit.identity.serial, machine_name(hass, unit.entry_id, unit.identity)
    settings = display_names(unit, resumed.keys)
    LOGGER.warning("%s: a change of %s was interrupted, and is %s", name, settings, resumed.outcome)
    hass.bus.async_fire(
        EVENT_RESUMED,
        {
            ATTR_DEVICE_ID: unit.device_id,
            ATTR_NAME: name,
            "settings": list(resumed.keys),
            "outcome": resumed.outcome,
            "changed_elsewhere": sorted(resumed.elsewhere),
        },
    )
    async_raise(hass, serial, ISSUES[resumed.outcome], name=name, settings=settings)
