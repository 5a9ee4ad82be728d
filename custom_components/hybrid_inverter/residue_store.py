"""What modes will have to put back when they are left, kept across a restart or a crash of Home Assistant."""

from copy import deepcopy
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store

from .const import DOMAIN
from .modbus.residue import ResidueMemory

STORAGE_VERSION: Final = 1


class ResidueStore:
    """One file for an entry: what each machine held before, by its serial number."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Name the file."""
        self._store = Store[dict[str, Any]](hass, STORAGE_VERSION, f"{DOMAIN}.{entry_id}.residues")
        self._kept: dict[str, dict[str, Any]] = {}

    async def async_load(self) -> None:
        """Read the file; it is there once something had to be remembered."""
        self._kept = await self._store.async_load() or {}

    @callback
    def memory(self, serial: str) -> ResidueMemory:
        """Return the memory of a machine, which goes on from what was saved and is saved at once."""
        return ResidueMemory(self._kept.setdefault(serial, {}), self._async_save)

    async def _async_save(self) -> None:
        """Write the file, before whoever remembers something changes it at the machine."""
        await self._store.async_save(deepcopy(self._kept))

    async def async_remove(self) -> None:
        """Delete the file."""
        await self._store.async_remove()
