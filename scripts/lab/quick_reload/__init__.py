"""Has Home Assistant load an entry again soon after an entity of it was enabled, not half a minute later. Only for checks.

The half minute is for people who click on. A check enables what it needs in one go, and would only wait.
"""

from typing import Any, Final

from homeassistant import config_entries
from homeassistant.core import HomeAssistant

DOMAIN: Final = "quick_reload"
DELAY_SECONDS: Final = 3


async def async_setup(hass: HomeAssistant, config: dict[str, Any]) -> bool:
    """Shorten the delay."""
    if not hasattr(config_entries, "RELOAD_AFTER_UPDATE_DELAY"):
        raise RuntimeError("Home Assistant keeps the delay of a reload elsewhere by now")
    config_entries.RELOAD_AFTER_UPDATE_DELAY = DELAY_SECONDS
    return True
