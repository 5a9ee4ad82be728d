"""The styles of schedules that there are, and which of them a device has."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any, Final

from .charge_windows import CHARGE_WINDOWS
from .schedule import ScheduleStyle
from .six_slots import SIX_SLOTS

# A device has the first one of which it has all settings.
STYLES: Final[tuple[ScheduleStyle[Any], ...]] = (SIX_SLOTS, CHARGE_WINDOWS)
# What schedules of any style are made of.
EVERY_KEY: Final = frozenset[str]().union(*(style.keys for style in STYLES))


def style_of(served: AbstractSet[str]) -> ScheduleStyle[Any] | None:
    """Style of a device that has these settings; None for one without a schedule."""
    return next((style for style in STYLES if style.keys <= served), None)


def keys_of(style: ScheduleStyle[Any], served: AbstractSet[str]) -> frozenset[str]:
    """All settings of the schedule of a device that has these settings."""
    return style.keys | (style.optional & served)
