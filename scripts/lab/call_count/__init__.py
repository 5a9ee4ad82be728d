"""Counts the Python functions that a Home Assistant's event loop enters. Only for scripts/bench.

Each line of `call_count.txt` in the configuration folder is the number of one minute. How long a function takes depends
on the computer, and on what it has done in between; how many there are does not.
"""

from pathlib import Path
import sys
import threading
from types import CodeType
from typing import Any, Final

from homeassistant.core import HomeAssistant

DOMAIN: Final = "call_count"
MINUTE: Final = 60


async def async_setup(hass: HomeAssistant, config: dict[str, Any]) -> bool:
    """Count from now on."""
    journal = Path(hass.config.path(f"{DOMAIN}.txt"))
    loop_thread = threading.get_ident()
    count = 0

    def enter(_code: CodeType, _offset: int) -> None:
        nonlocal count
        count += threading.get_ident() == loop_thread

    def write() -> None:
        nonlocal count
        with journal.open("a", encoding="utf-8") as lines:
            lines.write(f"{count}\n")
        count = 0
        hass.loop.call_later(MINUTE, write)

    monitoring = sys.monitoring
    monitoring.use_tool_id(monitoring.PROFILER_ID, DOMAIN)
    monitoring.register_callback(monitoring.PROFILER_ID, monitoring.events.PY_START, enter)
    monitoring.set_events(monitoring.PROFILER_ID, monitoring.events.PY_START)
    hass.loop.call_later(MINUTE, write)
    return True
