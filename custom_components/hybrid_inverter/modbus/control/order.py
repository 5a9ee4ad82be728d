"""What somebody orders of a battery, or of the export at the grid, until when; and why it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ControlMode(StrEnum):
    """What the battery is to do; the last one is about the grid, and may be in force beside another."""

    # It serves nobody while the grid is there, and takes surplus of the sun.
    HOLD = "hold"
    # It is filled from the sun and the grid.
    CHARGE = "charge"
    # It serves the house, and the grid where that is allowed.
    DISCHARGE = "discharge"
    # It serves the house, and takes nothing.
    NO_CHARGE = "no_charge"
    # It neither gives nor takes.
    IDLE = "idle"
    EXPORT_LIMIT = "export_limit"


class PowerAt(StrEnum):
    """Where the power of a discharge is meant."""

    BATTERY = "battery"
    GRID = "grid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order. Both times in UTC; watts, and percent of the battery."""

    mode: ControlMode
    start: datetime
    until: datetime
    # None: as much as there is. Of an export limit what may flow into the grid at most.
    power: float | None = None
    at: PowerAt = PowerAt.BATTERY
    # None: as far as the owner's own limits allow.
    target_soc: float | None = None


class Refusal(StrEnum):
    """Why an order is refused: the key of a message, which the details fill."""

    NOT_SUPPORTED = "control_not_supported"
    NO_SOC = "control_no_soc"
    BY_VOLTAGE = "control_by_voltage"
    NO_BATTERY = "control_no_battery"
    LEAD_ACID = "control_lead_acid"
    FAULT = "control_fault"
    CLOCK = "control_clock"
    RUN_ELSEWHERE = "control_run_elsewhere"
    NO_SLOT = "control_no_slot"
    TARGET = "control_target"
    TOO_LONG = "control_too_long"
    POWER = "control_power"
    NOT_READABLE = "control_not_readable"
    PARALLEL = "control_parallel"


class ControlRefusedError(Exception):
    """An order that a device cannot carry out."""

    def __init__(self, reason: Refusal, **details: str | float) -> None:
        """`details` fill the message: numbers, and keys of settings or modes."""
        super().__init__(f"{reason}: {details}")
        self.reason = reason
        self.details = details
