"""What a person has chosen for the next order that the select gives, and how it becomes that order."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from ..modbus.control.order import ControlMode
from .request import OrderRequest

# The keys of the numbers.
CONTROL_POWER: Final = "control_power"
CONTROL_TARGET_SOC: Final = "control_target_soc"
CONTROL_DURATION: Final = "control_duration"

# Minutes that an order lasts until somebody chooses otherwise.
USUAL_DURATION: Final = 60

# The orders that take a power and a target; what flows in the others follows from the house.
WITH_POWER: Final = frozenset({ControlMode.CHARGE, ControlMode.DISCHARGE})


def preset_of(rated_power: float | None) -> dict[str, float]:
    """What is chosen at first, by the key of the number: all the power that there is, and no target."""
    return {
        CONTROL_DURATION: USUAL_DURATION,
        **({} if rated_power is None else {CONTROL_POWER: rated_power}),
    }


def order_of(
    mode: ControlMode, preset: Mapping[str, float], *, now: datetime, owner: str, of_person: bool
) -> OrderRequest:
    """The order of a mode with what is chosen, from now on."""
    takes_power = mode in WITH_POWER
    return OrderRequest(
        mode=mode,
        until=now + timedelta(minutes=preset[CONTROL_DURATION]),
        owner=owner,
        of_person=of_person,
        power=preset.get(CONTROL_POWER) if takes_power else None,
        target_soc=preset.get(CONTROL_TARGET_SOC) if takes_power else None,
    )
