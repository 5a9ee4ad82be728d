"""A Home Assistant within this process, with nothing but its core, automations, and the integration of this checkout."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import logging
from pathlib import Path
import shutil
from typing import Any, Final

from homeassistant import bootstrap, config_entries, loader
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.setup import async_setup_component

from .home_folder import link_integration
from .process import REPOSITORY

BLUEPRINTS: Final = Path("blueprints", "automation", "hybrid_inverter")
COMPONENTS: Final = ("homeassistant", "persistent_notification")


@asynccontextmanager
async def bare_home(folder: Path, time_zone: str) -> AsyncIterator[HomeAssistant]:
    """A running one with an empty configuration folder; it has the blueprints of this checkout."""
    logging.getLogger().setLevel(logging.ERROR)
    (folder / "custom_components").mkdir()
    link_integration(folder, REPOSITORY)
    if (REPOSITORY / BLUEPRINTS).exists():
        shutil.copytree(REPOSITORY / BLUEPRINTS, folder / BLUEPRINTS)
    hass = HomeAssistant(str(folder))
    hass.config.skip_pip = True
    loader.async_setup(hass)
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    await loader.async_get_custom_components(hass)
    await bootstrap.async_load_base_functionality(hass)
    for component in COMPONENTS:
        await async_setup_component(hass, component, {})
    settings: dict[str, Any] = {"time_zone": time_zone, "country": "AT", "currency": "EUR"}
    await async_process_ha_core_config(hass, settings)
    hass.set_state(CoreState.running)
    try:
        yield hass
    finally:
        await hass.async_stop(force=True)
