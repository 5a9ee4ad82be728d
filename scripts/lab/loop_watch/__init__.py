"""Measures from within a Home Assistant what holds up its event loop, and whose code does. Only for scripts/bench.

Each line of `loop_watch.jsonl` in the configuration folder is a callback that took long: how many milliseconds, in how
many of them it had the processor, how many were in code of the integration or what that called, and where it was most
of the time.
"""

import asyncio
from collections import Counter
import json
from pathlib import Path
import sys
import threading
import time
from types import FrameType
from typing import Any, Final

from homeassistant.core import HomeAssistant

DOMAIN: Final = "loop_watch"
# Seconds that a callback may take without a line, and between two looks at one that takes longer.
DEFAULT_TIMEOUT: Final = 0.01
LOOK: Final = 0.002
OURS: Final = "custom_components/hybrid_inverter/"


class LoopWatch:
    """A thread that looks at what the event loop's thread is doing when a callback takes long."""

    def __init__(self, journal: Path) -> None:
        """Write to this file."""
        self._journal = journal
        self._loop_thread = threading.get_ident()
        # When the callback that runs began; None between two of them.
        self._began: float | None = None
        self._looks: Counter[str] = Counter()
        self._ours = 0

    def start(self) -> None:
        """Time every callback of the event loop from now on."""
        run = asyncio.Handle._run  # noqa: SLF001 - asyncio's own debug mode is no measure: it slows everything down

        def timed(handle: asyncio.Handle) -> None:
            self._began = began = time.perf_counter()
            worked = time.thread_time()
            try:
                run(handle)
            finally:
                self._began = None
                if (took := time.perf_counter() - began) > DEFAULT_TIMEOUT:
                    self._write(took, time.thread_time() - worked)

        asyncio.Handle._run = timed  # type: ignore[method-assign, assignment] # noqa: SLF001
        threading.Thread(target=self._look, name=DOMAIN, daemon=True).start()

    def _look(self) -> None:
        """Look at a callback that takes long, again and again."""
        while True:
            time.sleep(LOOK)
            began = self._began
            if began is None or time.perf_counter() - began < DEFAULT_TIMEOUT:
                continue
            frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001 - the one way to look at a thread
            files = list(_files(frame))
            if self._began == began and files:
                ours = [file for file in files if OURS in file]
                self._looks[f"{files[0]} in {ours[-1] if ours else '-'}"] += 1
                self._ours += bool(ours)

    def _write(self, took: float, worked: float) -> None:
        """Write a line about the callback that has just ended."""
        looks, ours = self._looks.total(), self._ours
        line: dict[str, Any] = {
            "ms": round(took * 1000, 1),
            "cpu_ms": round(worked * 1000, 1),
            "ours_ms": round(took * 1000 * ours / looks, 1) if looks else 0.0,
            "where": self._looks.most_common(1)[0][0] if looks else "",
        }
        self._looks.clear()
        self._ours = 0
        with self._journal.open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(line) + "\n")


def _files(frame: FrameType | None) -> Any:
    """Return where the thread is, the innermost first."""
    while frame is not None:
        yield f"{frame.f_code.co_filename}:{frame.f_code.co_qualname}"
        frame = frame.f_back


async def async_setup(hass: HomeAssistant, config: dict[str, Any]) -> bool:
    """Begin to watch."""
    LoopWatch(Path(hass.config.path("loop_watch.jsonl"))).start()
    return True
