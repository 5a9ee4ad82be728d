"""The energies of a plant, kept across a restart of Home Assistant."""

from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store

from .const import DOMAIN
from .plant_ledger import Ledger

STORAGE_VERSION: Final = 1
# Seconds after the first change that has not been saved. What is lost with a power cut is counted once more: it is what
# the counters have grown by since.
SAVE_DELAY: Final = 300


class PlantStore:
    """One file for a plant."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Name the file."""
        self._store = Store[dict[str, Any]](hass, STORAGE_VERSION, f"{DOMAIN}.{entry_id}.plant")
        self._kept: dict[str, Any] | None = None
        self._unsaved = False

    async def async_load(self) -> None:
        """Read the file; it is there once something has been counted."""
        self._kept = await self._store.async_load()

    @callback
    def restore(self, ledger: Ledger) -> None:
        """Have the ledger go on from what was saved."""
        if self._kept is not None:
            ledger.restore(self._kept)

    @callback
    def async_save_soon(self, ledger: Ledger) -> None:
        """Save all that is counted until then at once; what is counted more does not put it off."""
        if not self._unsaved:
            self._unsaved = True
            self._store.async_delay_save(lambda: self._content(ledger), SAVE_DELAY)

    def _content(self, ledger: Ledger) -> dict[str, Any]:
        """Return what goes into the file."""
        self._unsaved = False
        return ledger.as_dict()

    async def async_close(self, ledger: Ledger) -> None:
        """Save what is not saved yet."""
        if self._unsaved:
            await self._store.async_save(self._content(ledger))

    async def async_remove(self) -> None:
        """Delete the file."""
        await self._store.async_remove()
