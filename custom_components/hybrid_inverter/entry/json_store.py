"""One JSON file below `.storage`: saved now or soon, and begun anew when nobody can make sense of it any more."""

import asyncio
from collections.abc import Callable, Set as AbstractSet
from contextlib import suppress
from copy import deepcopy
import os
from typing import Any, Final, override

from homeassistant.core import CoreState, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.json import save_json
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..const import DOMAIN, LOGGER

STORAGE_VERSION: Final = 1
# What is raised for a file of another version, without a version or its content, or that is no object at all.
UNREADABLE: Final = (HomeAssistantError, LookupError, TypeError)


class _File(Store[dict[str, Any]]):
    """A file of the only version that there has been; what a later minor version has added is passed over."""

    @override
    async def _async_migrate_func(
        self, old_major_version: int, old_minor_version: int, old_data: dict[str, Any]
    ) -> dict[str, Any]:
        if old_major_version != STORAGE_VERSION:
            raise HomeAssistantError(f"version {old_major_version} is not known")
        return old_data


class JsonStore:
    """One file, saved at once or some seconds after the first change."""

    def __init__(self, hass: HomeAssistant, name: str, *, durable: bool = False) -> None:
        """A durable file outlives a power cut from the moment on at which it was saved; that takes its time."""
        self._hass = hass
        self._key = f"{DOMAIN}.{name}"
        self._durable = durable
        self._store = self._file()
        self._saving = asyncio.Lock()
        # What makes the content that is to be saved; None when all is saved.
        self._unsaved: Callable[[], dict[str, Any]] | None = None

    def _file(self) -> _File:
        """The file as it is on the disk."""
        return _File(self._hass, STORAGE_VERSION, self._key, atomic_writes=self._durable)

    async def async_load(self, shape: vol.Schema) -> dict[str, Any]:
        """The content of the file; empty where there is none, and where it has another shape."""
        try:
            content = await self._store.async_load()
            if content is None:
                return {}
            shape(content)
        except vol.Invalid as err:
            # Without its path, which may name a serial number: log lines are shared.
            await self._async_begin_anew(err.msg)
        except UNREADABLE as err:
            await self._async_begin_anew(repr(err))
        else:
            return content
        return {}

    async def async_load_parts(
        self, shape: vol.Schema, *, most_important: AbstractSet[str] = frozenset()
    ) -> dict[str, Any]:
        """The parts of the content by name; those of another shape are left out, and begun anew.

        What is `most_important` in a part is kept even then, if it can be read by itself.
        """
        content = await self.async_load(vol.Schema({str: object}))
        parts = {}
        for name, part in content.items():
            try:
                shape(part)
                parts[name] = part
            except vol.Invalid as err:
                LOGGER.warning(
                    "A part of %s begins anew, it cannot be read: %s", self._key, err.msg
                )
                if isinstance(part, dict) and not most_important.isdisjoint(part):
                    kept = {key: part[key] for key in most_important if key in part}
                    with suppress(vol.Invalid):
                        shape(kept)
                        parts[name] = kept
        return parts

    async def _async_begin_anew(self, reason: str) -> None:
        """Keep a file that cannot be read beside the new one."""
        aside = f"{self._store.path}.unreadable.{dt_util.utcnow().isoformat()}"
        LOGGER.warning(
            "%s begins anew, it cannot be read: %s. It is kept as %s", self._key, reason, aside
        )
        with suppress(OSError):
            await self._hass.async_add_executor_job(os.rename, self._store.path, aside)

    async def async_save(self, content: dict[str, Any]) -> None:
        """Write the file now."""
        self._unsaved = None
        await self._store.async_save(content)

    async def async_save_proved(self, content: dict[str, Any]) -> bool:
        """Write the file now; whether it is there afterwards, as Home Assistant only logs that a disk is full.

        The content may go on changing meanwhile.
        """
        # Another save in between would look like one that has failed.
        async with self._saving:
            saved = deepcopy(content)
            await self.async_save(saved)
            try:
                if self._hass.state is CoreState.stopping:
                    # Home Assistant puts the writing off to the very end, and may be killed before that.
                    await self._hass.async_add_executor_job(self._write, saved)
                return await self._file().async_load() == saved
            except UNREADABLE:
                return False

    def _write(self, content: dict[str, Any]) -> None:
        """Write the file as Home Assistant does; HomeAssistantError when that fails."""
        file = {
            "version": STORAGE_VERSION,
            "minor_version": self._store.minor_version,
            "key": self._key,
            "data": content,
        }
        save_json(self._store.path, file, atomic_writes=self._durable)

    @callback
    def async_save_soon(self, content: Callable[[], dict[str, Any]], delay: float) -> None:
        """Write the file in so many seconds; another change until then does not put that off."""
        if self._unsaved is None:
            self._unsaved = content
            self._store.async_delay_save(self._take_content, delay)

    def _take_content(self) -> dict[str, Any]:
        """The content as it is when the file is written."""
        content, self._unsaved = self._unsaved, None
        return content() if content is not None else {}

    async def async_close(self) -> None:
        """Save what is not saved yet."""
        if self._unsaved is not None:
            await self._store.async_save(self._take_content())

    async def async_remove(self) -> None:
        """Delete the file."""
        await self._store.async_remove()
