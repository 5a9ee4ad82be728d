"""What an inverter draws at its own grid terminal, phase by phase, where polls bring the total and not every phase."""

from collections.abc import Mapping
from typing import Final

from ..modbus.doctor.member import Member, Role, first_served
from ..modbus.model.codec import Value, as_number

TOTAL: Final = "grid_internal_power"


def terminals_of(member: Member) -> tuple[str, ...]:
    """The keys of these powers; none of a meter."""
    if member.role is not Role.INVERTER:
        return ()
    return first_served(member.instruments.terminals, member.keys)


def completed(
    values: Mapping[str, Value | None], terminals: tuple[str, ...]
) -> Mapping[str, Value | None] | None:
    """These values with the only phase that is missing, as what is left of the total; None if more is missing."""
    missing = [key for key in terminals if key not in values]
    if not missing:
        return values
    if len(missing) > 1 or TOTAL not in values:
        return None
    powers = [as_number(values[key]) for key in (TOTAL, *terminals) if key in values]
    known = [power for power in powers if power is not None]
    left = known[0] - sum(known[1:]) if len(known) == len(powers) else None
    return {**values, missing[0]: left}
