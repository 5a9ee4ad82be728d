"""How often the settings of an entry's machines were written, kept across a restart of Home Assistant."""

from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .modbus.wear import WearBudget

STORAGE_VERSION: Final = 1
# Seconds after the first write that has not been saved.
SAVE_DELAY: Final = 30


class WearStore:
    """One file for an entry: the counts of each machine by its serial number."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Name the file."""
        self._store = Store[dict[str, Any]](hass, STORAGE_VERSION, f"{DOMAIN}.{entry_id}.wear")
        self._kept: dict[str, Any] = {}
        self._budgets: dict[str, WearBudget] = {}
        self._unsaved = False

    async def async_load(self) -> None:
        """Read the file; it is there once something has been written."""
        self._kept = await self._store.async_load() or {}

    @callback
    def budget(self, serial: str) -> WearBudget:
        """Return the counts of a machine, which go on from what was saved; a day ends at local midnight."""
        budget = WearBudget(today=lambda: dt_util.now().date())
        if serial in self._kept:
            budget.restore(self._kept[serial])
        budget.add_listener(self._save_soon)
        self._budgets[serial] = budget
        return budget

    @callback
    def _save_soon(self) -> None:
        """Save all that is written until then at once; a write more does not put it off."""
        if not self._unsaved:
            self._unsaved = True
            self._store.async_delay_save(self._counts, SAVE_DELAY)

    @callback
    def _counts(self) -> dict[str, Any]:
        """Return what goes into the file."""
        self._unsaved = False
        return {serial: budget.as_dict() for serial, budget in self._budgets.items()}

    async def async_close(self) -> None:
        """Save what is not saved yet."""
        if self._unsaved:
            await self._store.async_save(self._counts())

    async def async_remove(self) -> None:
        """Delete the file."""
        await self._store.async_remove()
