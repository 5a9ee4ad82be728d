"""Ids of new entities, which are in English whatever the language of the house: so examples and answers fit everywhere.

Home Assistant makes them of the names in its own language. What is registered already keeps its id.
"""

import asyncio
from typing import override

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import EntityPlatform
from homeassistant.util import slugify

from ..entry.texts import async_english_text


class EnglishIdEntity(Entity):
    """An entity whose id, where it is new, is in English."""

    @property
    def english_device_name(self) -> str | None:
        """What its device is called in the id; None where the id is given in another way."""
        return None

    @callback
    @override
    def add_to_platform_start(
        self,
        hass: HomeAssistant,
        platform: EntityPlatform,
        parallel_updates: asyncio.Semaphore | None,
    ) -> None:
        """Suggest an id, unless Home Assistant speaks English: then its own rule comes to the same."""
        super().add_to_platform_start(hass, platform, parallel_updates)
        if hass.config.language.partition("-")[0] == "en":
            return
        path = f"entity.{platform.domain}.{self.translation_key}.name"
        name = async_english_text(hass, path, **self.translation_placeholders)
        if name is not None and (device_name := self.english_device_name) is not None:
            self.entity_id = f"{platform.domain}.{slugify(f'{device_name} {name}')}"


@callback
def async_device_name(
    hass: HomeAssistant, identifier: tuple[str, str], entry_id: str, otherwise: str
) -> str:
    """The name that a person has given to a device, or another one."""
    device = dr.async_get(hass).async_get_device_by_identifier(identifier, entry_id)
    return (device and device.name_by_user) or otherwise
