"""What a value belongs to, and what it is where its unit does not say."""

from enum import StrEnum
from typing import Final


class Part(StrEnum):
    """A part of an inverter that has a device of its own below it, or a whole device."""

    INVERTER = "inverter"
    PV = "pv"
    BATTERY = "battery"
    GRID = "grid"
    LOAD = "load"
    GENERATOR = "generator"
    # Meters that the inverter reads: at the grid connection, and at other solar inverters.
    METER_A = "meter_a"
    METER_B = "meter_b"
    # A meter that is polled directly.
    METER = "meter"


# The parts that are the unit's own device, not one below it.
WHOLE: Final = frozenset({Part.INVERTER, Part.METER})


class Kind(StrEnum):
    """The quantity of a value whose unit, codec and group do not say it."""

    STATE_OF_CHARGE = "state_of_charge"
    # A setting: the state of charge at which something begins, ends, or is held.
    CHARGE_LEVEL = "charge_level"
    POWER_FACTOR = "power_factor"
    # What is left of the capacity that a battery had when it was new.
    HEALTH = "health"
    # A number of events, for example of charge cycles.
    COUNT = "count"
    # An energy that does not only grow.
    MAY_FALL = "may_fall"
    # A constant of the installation that is not polled with the settings.
    FIXED = "fixed"
    # Flags: something is wrong; the voltage of the grid is present.
    PROBLEM = "problem"
    GRID_PRESENT = "grid_present"
    # Days of the week as bits, Monday the lowest.
    DAYS = "days"
