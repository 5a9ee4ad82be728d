"""The styles of schedules that there are; a machine's own is the one of which it has the keys."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any, Final

from .schedule import ScheduleStyle
from .schedule_six import SIX_SLOTS
from .schedule_windows import CHARGE_WINDOWS

STYLES: Final[tuple[ScheduleStyle[Any], ...]] = (SIX_SLOTS, CHARGE_WINDOWS)
# What schedules of any style are made of.
EVERY_KEY: Final = frozenset[str]().union(*(style.keys for style in STYLES))


def style_of(served: AbstractSet[str]) -> ScheduleStyle[Any] | None:
    """Return the style of a machine that serves these keys; None for one without a schedule."""
    return next((style for style in STYLES if style.keys <= served), None)
