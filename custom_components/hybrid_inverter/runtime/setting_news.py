"""What becomes of the settings that were written: they are read again, and a person is told what somebody else has changed."""

from collections.abc import Collection
from functools import partial
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_DEVICE_ID, ATTR_NAME
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..const import DOMAIN, LOGGER
from ..modbus.errors import DeviceError
from ..modbus.model.codec import Value, as_number
from ..modbus.model.register import Group
from .issues import async_raise, async_withdraw, machine_name
from .runtime import UnitRuntime
from .settings_ledger import Found
from .writes import display_name, display_value

EVENT_SETTING_CHANGED: Final = f"{DOMAIN}_setting_changed"
ATTR_SETTING: Final = "setting"
ATTR_SETTING_NAME: Final = "setting_name"
ATTR_OLD: Final = "old"
ATTR_NEW: Final = "new"
ATTR_CHANGE: Final = "change"

# What has happened to a setting.
CHANGED_ELSEWHERE: Final = "changed_elsewhere"
TAKEN_BACK: Final = "taken_back"

# The kind of the issue.
SETTING_TAKEN_BACK: Final = "setting_taken_back"

# Seconds from the last write to reading again what was written, and from then on to doing so once more.
LOOKS: Final = (10.0, 50.0)


class SecondLook:
    """Reads what was written once more when the machine has had time to think about it: one read for everything."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, unit: UnitRuntime) -> None:
        self._hass = hass
        self._entry = entry
        self._unit = unit
        # For each look what it is for, and how it is put off.
        self._waiting: list[set[str]] = [set() for _ in LOOKS]
        self._timers: list[CALLBACK_TYPE | None] = [None for _ in LOOKS]

    @callback
    def proved(self, keys: Collection[str]) -> None:
        """Look at these settings, and at those that wait already, some seconds from now."""
        self._wait(0, keys)

    @callback
    def stop(self) -> None:
        """Look at nothing any more."""
        for timer in self._timers:
            if timer is not None:
                timer()

    def _wait(self, look: int, keys: Collection[str]) -> None:
        """Put a look off until nothing more comes in."""
        self._waiting[look] |= set(keys)
        if (timer := self._timers[look]) is not None:
            timer()
        job = HassJob(partial(self._begin, look), cancel_on_shutdown=True)
        self._timers[look] = async_call_later(self._hass, LOOKS[look], job)

    @callback
    def _begin(self, look: int, _now: object) -> None:
        """Look, without keeping anybody waiting."""
        self._timers[look] = None
        keys = self._unit.machine.settings.fresh(self._waiting[look])
        self._waiting[look].clear()
        if keys:
            self._entry.async_create_background_task(
                self._hass, self._async_look(look, keys), f"{self._unit.name} second look"
            )

    async def _async_look(self, look: int, keys: frozenset[str]) -> None:
        """Read these settings and compare them; what cannot be read now, the polls bring later."""
        unit, ledger = self._unit, self._unit.machine.settings
        try:
            await unit.async_verify()
            await unit.device.read(keys)
        except DeviceError as err:
            LOGGER.debug("What was written to %s was not read again: %s", unit.name, err)
        else:
            for group in {unit.device.family.group_of(key) for key in keys}:
                unit.async_publish(group)
            ledger.compare()
        if look + 1 < len(LOOKS):
            self._wait(look + 1, ledger.fresh(keys))
            return
        for key in ledger.fresh(keys):
            async_withdraw(self._hass, unit.identity.serial, SETTING_TAKEN_BACK, key)
        ledger.settle(keys)


@callback
def async_follow_settings(
    hass: HomeAssistant, entry: ConfigEntry, unit: UnitRuntime
) -> CALLBACK_TYPE:
    """Look again at what is written, and tell what is changed elsewhere; returns how to stop that."""
    ledger, look = unit.machine.settings, SecondLook(hass, entry, unit)
    stops = (
        ledger.add_proof_listener(look.proved),
        ledger.add_listener(partial(_tell, hass, unit)),
        unit.coordinators[Group.SETTINGS].async_add_poll_listener(ledger.compare),
        look.stop,
    )

    @callback
    def stop() -> None:
        for end in stops:
            end()

    return stop


def change_of(found: Found) -> str:
    """What has happened to a setting."""
    return TAKEN_BACK if found.taken_back else CHANGED_ELSEWHERE


def told_of(unit: UnitRuntime, found: Found) -> dict[str, Any]:
    """What is told of a setting, by attribute: numbers as they are, anything else as its entity shows it."""

    def told(value: Value) -> str | float:
        number = as_number(value)
        return display_value(unit, found.key, value) if number is None else number

    return {
        ATTR_SETTING: found.key,
        ATTR_SETTING_NAME: display_name(unit, found.key),
        ATTR_OLD: told(found.ours),
        ATTR_NEW: told(found.found),
    }


@callback
def _tell(hass: HomeAssistant, unit: UnitRuntime, found: Found) -> None:
    """Have it in the logbook, and raise a repair issue when the machine has taken a value back."""
    told = told_of(unit, found)
    name = machine_name(hass, unit.entry_id, unit.identity)
    hass.bus.async_fire(
        EVENT_SETTING_CHANGED,
        {
            ATTR_DEVICE_ID: unit.device_id,
            ATTR_NAME: name,
            ATTR_CHANGE: change_of(found),
            **told,
        },
    )
    if found.taken_back:
        async_raise(
            hass,
            unit.identity.serial,
            SETTING_TAKEN_BACK,
            found.key,
            name=name,
            setting=told[ATTR_SETTING_NAME],
            wanted=str(told[ATTR_OLD]),
            held=str(told[ATTR_NEW]),
        )
