"""Numbers whose bounds may depend on another setting, and that say themselves why a value is refused."""

from abc import abstractmethod
import math
from typing import Any, Final, override

from homeassistant.components.number import NumberEntity, NumberEntityCapabilityAttribute

# Home Assistant refuses what lies beyond the bounds of an entity before the entity is asked, and does not know what sets
# them. No register holds as much as this: whatever else is asked for we judge ourselves, and say why it is refused.
WIDEST: Final = (-(2.0**32), 2.0**32)


class BoundedNumber(NumberEntity):
    """A number within bounds that are worked out anew whenever they are shown."""

    _range: tuple[float, float] = WIDEST

    @property
    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """The bounds in force."""

    @property
    @override
    def native_min_value(self) -> float:
        """The smallest value that may be asked for, or is shown as the smallest."""
        return self._range[0]

    @property
    @override
    def native_max_value(self) -> float:
        """The largest value that may be asked for, or is shown as the largest."""
        return self._range[1]

    @property
    @override
    def capability_attributes(self) -> dict[str, Any]:
        """What the number offers: the bounds in force, in the unit that a person has chosen."""
        # Home Assistant converts and rounds the native ones.
        self._range = self.bounds
        try:
            return super().capability_attributes
        finally:
            self._range = WIDEST

    def asked_for(self, value: float) -> int | float:
        """The number that somebody means: whole ones arrive as floats, and a bound may be shown rounded, in another unit."""
        shown = self.capability_attributes
        low, high = self.bounds
        lowest, highest = (
            self.convert_to_native_value(shown[name])
            for name in (NumberEntityCapabilityAttribute.MIN, NumberEntityCapabilityAttribute.MAX)
        )
        if lowest <= value <= highest:
            value = min(max(value, low), high)
        return int(value) if math.isfinite(value) and value == int(value) else value
