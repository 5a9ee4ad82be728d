"""Another machine in the place of an inverter: a repair issue while it answers there, and a search for the right one."""

from datetime import datetime, timedelta
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_track_time_interval

from ..const import CONF_UNIT_ID, DOMAIN, SUBENTRY_INVERTER
from ..entry.data import unit_at
from ..entry.texts import async_load_texts, error_text
from ..modbus.errors import WrongDeviceError
from ..modbus.find.probe import SCAN_UNITS
from ..modbus.find.scan import search
from ..modbus.model.register import Group
from ..modbus.transport.link import Link
from .issues import async_raise, async_withdraw, machine_name
from .runtime import UnitRuntime

# The kind of the issue.
OTHER_MACHINE: Final = "other_machine"
# How often it is looked while the inverter does not answer, and how many times in a row it has to be another machine:
# while a line is rewired, anything may answer.
LOOK_EVERY: Final = timedelta(minutes=1)
LOOKS: Final = 2


class MachineWatch:
    """Watches which machine answers at the unit id of an inverter."""

    def __init__(self, hass: HomeAssistant, unit: UnitRuntime) -> None:
        self._hass = hass
        self._unit = unit
        # Whether there is surely no issue.
        self._is_clear = False
        self._looks = 0
        self._stop_looking: CALLBACK_TYPE | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Look now, and as long as the polls fail; returns how to stop that."""
        # The settings are polled anyway, and fall silent with the powers.
        stop_listening = self._unit.coordinators[Group.SETTINGS].async_add_listener(self._changed)
        self._changed()

        @callback
        def stop() -> None:
            stop_listening()
            self._stop()

        return stop

    @callback
    def _changed(self) -> None:
        if self._unit.machine.last_error is None:
            if not self._is_clear:
                self._is_clear = True
                self._stop()
                async_withdraw(self._hass, self._unit.identity.serial, OTHER_MACHINE)
            return
        self._is_clear = False
        if self._stop_looking is None:
            self._looks = 0
            self._stop_looking = async_track_time_interval(
                self._hass, self._async_look, LOOK_EVERY, cancel_on_shutdown=True
            )

    async def _async_look(self, _now: datetime) -> None:
        """Raise the issue if another machine answers for long."""
        unit, error = self._unit, self._unit.machine.last_error
        if not isinstance(error, WrongDeviceError):
            self._looks = 0
            return
        self._looks += 1
        if self._looks == LOOKS:
            await async_load_texts(self._hass, "selector")
            async_raise(
                self._hass,
                unit.identity.serial,
                OTHER_MACHINE,
                name=machine_name(self._hass, unit.entry_id, unit.identity),
                unit_id=str(unit.unit_id),
                found=error_text(self._hass, error),
            )

    @callback
    def _stop(self) -> None:
        if self._stop_looking is not None:
            self._stop_looking()
            self._stop_looking = None


@callback
def async_watch_machine(hass: HomeAssistant, unit: UnitRuntime) -> CALLBACK_TYPE:
    """Watch which machine answers as this inverter; returns what ends that."""
    if unit.identity.kind != SUBENTRY_INVERTER:
        return lambda: None
    return MachineWatch(hass, unit).async_start()


async def async_find_machine(hass: HomeAssistant, entry: ConfigEntry, unit: UnitRuntime) -> None:
    """Search the link for an inverter by its serial number, and move it to the unit id at which it answers.

    HomeAssistantError when it is not there. It takes up to 20 seconds.
    """
    link = entry.runtime_data.link
    if isinstance(link, Link):
        free = [unit_id for unit_id in SCAN_UNITS if unit_at(entry, unit_id) is None]
        result = await search(link, [unit.unit_id, *free], lambda _: None)
        for candidate in result.candidates:
            if candidate.identity and candidate.identity.serial == unit.identity.serial:
                _move(hass, entry, unit, candidate.unit_id)
                return
    raise HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="machine_not_found",
        translation_placeholders={"name": machine_name(hass, entry.entry_id, unit.identity)},
    )


@callback
def _move(hass: HomeAssistant, entry: ConfigEntry, unit: UnitRuntime, unit_id: int) -> None:
    """Store another unit id, with which the entry is loaded again."""
    subentry = entry.subentries[unit.subentry_id]
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, CONF_UNIT_ID: unit_id}
    )
