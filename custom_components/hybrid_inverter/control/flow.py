"""Whether what flows is what was ordered. Watts are positive out of the battery."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from ..modbus.control.order import ControlMode, PowerAt
from ..modbus.control.plan import Told, Why
from ..modbus.model.codec import Values, as_number
from .facts import PV_POWER

# What an inverter needs to do another thing.
SETTLING: Final = timedelta(seconds=60)
# How long something else has to flow for it to count.
LASTING: Final = timedelta(minutes=5)
# Watts, and the part of the ordered power, by which it may differ.
LEAST: Final = 300.0
PART: Final = 0.15
# Percent by which a battery may go on beyond its target: many inverters know the state of charge in whole percent.
BEYOND: Final = 1.0
# Degrees Celsius below which a battery takes little.
COLD: Final = 5.0

# Between which of the battery's powers each order lies, in multiples of what it may differ by; None for no bound.
BOUNDS: Final[Mapping[ControlMode, tuple[float | None, float | None]]] = {
    ControlMode.HOLD: (None, 1),
    ControlMode.CHARGE: (None, 1),
    ControlMode.DISCHARGE: (-1, None),
    ControlMode.NO_CHARGE: (-1, None),
    ControlMode.IDLE: (-1, 1),
}
# The same once the target is reached: then the battery is held.
HELD: Final[Mapping[ControlMode, tuple[float | None, float | None]]] = {
    **BOUNDS,
    ControlMode.CHARGE: (-1, 1),
    ControlMode.DISCHARGE: BOUNDS[ControlMode.HOLD],
}


class Verdict(Enum):
    """What becomes of an order by what flows."""

    FOLLOWED = auto()
    # It has flowed otherwise for some time, with a reason or without one, but not the wrong way.
    LIMITED = auto()
    NOT_FOLLOWED = auto()
    # It flows the wrong way, and nobody knows why.
    WRONG_WAY = auto()


@dataclass(slots=True)
class FlowWatch:
    """Follows what flows while one order is in force."""

    began: datetime
    # Since when it flows otherwise, and the wrong way.
    _other_since: datetime | None = None
    _wrong_since: datetime | None = None
    # Why less flows than was ordered.
    why: Why | None = field(default=None)
    reached: bool = False
    # Whether the battery is to be held: that was ordered, or its target is reached.
    is_held: bool = False

    def judge(self, now: datetime, told: Told, at: PowerAt, values: Values) -> Verdict:
        """What the powers of a poll say."""
        power = as_number(values.get("battery_power"))
        if power is None or now - self.began < SETTLING:
            return Verdict.FOLLOWED
        self.reached = self.reached or _is_reached(told, values)
        is_over = told.target_reached or _is_reached(told, values, beyond=BEYOND)
        is_low = _is_low(told, values)
        self.is_held = is_low and (is_over or told.mode is ControlMode.HOLD)
        margin = LEAST if is_over else max(LEAST, PART * (told.power or 0.0))
        low, high = (HELD if is_over else BOUNDS)[told.mode]
        if not is_low:
            high = None
        is_wrong = (low is not None and power < low * margin) or (
            high is not None and power > high * margin
        )
        wanted = _wanted(told, at)
        is_other = is_wrong or (wanted is not None and abs(power - wanted) > margin)
        self.why = self._why(told, power, values, is_wrong=is_wrong) if is_other else None
        self._wrong_since = (self._wrong_since or now) if is_wrong and not self.why else None
        self._other_since = (self._other_since or now) if is_other and not self.reached else None
        if self._wrong_since is not None and now - self._wrong_since >= LASTING:
            return Verdict.WRONG_WAY
        if self._other_since is None or now - self._other_since < LASTING:
            return Verdict.FOLLOWED
        return Verdict.LIMITED if self.why else Verdict.NOT_FOLLOWED

    def wrong_for(self, now: datetime) -> timedelta:
        """How long it has flowed the wrong way."""
        return timedelta() if self._wrong_since is None else now - self._wrong_since

    def _why(self, told: Told, power: float, values: Values, *, is_wrong: bool) -> Why | None:
        """A reason for what flows instead; None when none is known."""
        if values.get("grid_connected") is False:
            return Why.DEVICE_LIMIT
        if values.get("grid_peak_shaving") is True and power > 0:
            return Why.DEVICE_LIMIT
        # A charge is wrong in this direction once its target is reached.
        may_be_sun = told.mode is ControlMode.DISCHARGE or (
            told.mode is ControlMode.CHARGE and is_wrong
        )
        if may_be_sun and power < 0 and _sun_shines(values):
            return Why.SUN
        if is_wrong:
            # What keeps a battery from being charged does not discharge it, nor the other way round.
            return None
        if _battery_limits(told, values):
            return Why.BATTERY
        # Edges of the table that are left out lie later.
        return next((one.why for one in told.limited if one.why is not Why.TABLE_FULL), None)


def _wanted(told: Told, at: PowerAt) -> float | None:
    """The battery's power that was ordered; None where that follows from the house."""
    if told.power is None or told.target_reached:
        return None
    if told.mode is ControlMode.CHARGE:
        return -told.power
    if told.mode is ControlMode.DISCHARGE and at is PowerAt.BATTERY:
        return told.power
    return None


def _is_reached(told: Told, values: Values, beyond: float = 0.0) -> bool:
    """Whether the battery holds what it was to hold, or is so many percent beyond that."""
    soc = as_number(values.get("battery_soc"))
    if soc is None or told.target_soc is None:
        return False
    if told.mode is ControlMode.CHARGE:
        return soc >= told.target_soc + beyond
    return told.mode is ControlMode.DISCHARGE and soc <= told.target_soc - beyond


def _is_low(told: Told, values: Values) -> bool:
    """Whether a battery that is held by a reserve has fallen below it; always without one."""
    soc = as_number(values.get("battery_soc"))
    return told.held_at is None or soc is None or soc <= told.held_at - BEYOND


def _sun_shines(values: Values) -> bool:
    """Whether the roof gives anything that counts, or nobody knows."""
    power = as_number(values.get(PV_POWER))
    return power is None or power >= LEAST


def _battery_limits(told: Told, values: Values) -> bool:
    """Whether the battery's management system allows less than was ordered."""
    temperature = as_number(values.get("battery_temperature"))
    if temperature is not None and temperature < COLD:
        return True
    side = "charge" if told.mode is ControlMode.CHARGE else "discharge"
    amperes = as_number(values.get(f"bms_{side}_current_limit"))
    volts = as_number(values.get("battery_voltage"))
    if amperes is None or volts is None or told.power is None:
        return False
    return amperes * volts < told.power
