"""Judges by the processor's time whether a state takes too long to work out, where Home Assistant does by the clock.

Only for checks: a busy computer may stand still for a second, and a clock may run fast, whatever is being worked out.
"""

import logging
import time
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity

DOMAIN: Final = "processor_time"
# As many as Home Assistant allows.
MAX_SECONDS: Final = 0.4
CALCULATION: Final = "_Entity__async_calculate_state"

_LOGGER: Final = logging.getLogger(__name__)


async def async_setup(hass: HomeAssistant, config: dict[str, Any]) -> bool:
    """Take the place of Home Assistant's own warning."""
    if not (hasattr(Entity, CALCULATION) and hasattr(Entity, "_slow_reported")):
        raise RuntimeError("Home Assistant works out states elsewhere by now")
    calculate = getattr(Entity, CALCULATION)

    def timed(entity: Entity) -> Any:
        began = time.thread_time()
        state = calculate(entity)
        if (took := time.thread_time() - began) > MAX_SECONDS:
            _LOGGER.warning("The state of %s took %.3f seconds", entity.entity_id, took)
        return state

    setattr(Entity, CALCULATION, timed)
    Entity._slow_reported = True  # noqa: SLF001
    return True
