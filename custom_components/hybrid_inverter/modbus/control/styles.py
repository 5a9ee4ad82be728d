"""The styles of control that there are, and which of them a device has.

They follow the styles of the schedule: an order is a piece of it.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

from .charge_windows import CONTROL_BY_WINDOWS
from .plan import ControlStyle
from .six_slots import CONTROL_BY_SLOTS

# A device has the first one of which it has all settings.
STYLES: Final[tuple[ControlStyle, ...]] = (CONTROL_BY_SLOTS, CONTROL_BY_WINDOWS)


def control_style_of(served: AbstractSet[str]) -> ControlStyle | None:
    """The style of a device that has these settings; None for one that cannot be controlled."""
    return next((style for style in STYLES if style.reads <= served), None)


def settings_of(style: ControlStyle, served: AbstractSet[str]) -> frozenset[str]:
    """All settings that a style looks at, of a device that has these."""
    return style.reads | (style.optional & served)
