"""A machine with slots that charge and slots that discharge on paper: its words, a moment on its clock, and orders for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from custom_components.hybrid_inverter.modbus.control.charge_windows import CONTROL_BY_WINDOWS
from custom_components.hybrid_inverter.modbus.control.order import (
    ControlMode,
    ControlRefusedError,
    Order,
    PowerAt,
)
from custom_components.hybrid_inverter.modbus.control.plan import Plan, Situation
from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.tables.saj import SAJ

REGISTERS: Final = SAJ.fitted({"passive_mode", "discharge_slots"}, {"rated_power": 10000}).registers

# A machine of 10 kW as it leaves the factory, of which one per cent is 100 W: no slot is enabled, and each has every
# day at 100 %.
OWNERS: Final[Mapping[int, int]] = {
    0x3604: 0,
    0x3605: 0,
    **dict.fromkeys(range(0x3606, 0x3630), 0),
    **dict.fromkeys(range(0x3608, 0x3630, 3), 0x7F64),
    0x3636: 1,
    0x3644: 20,
    0x3646: 100,
    0x3647: 0,
    **dict.fromkeys((0x364D, 0x364E, 0x364F, 0x3650), 1100),
    0x3651: 50,
    0x365A: 1100,
    0x365B: 30000,
    0x365C: 0,
    0x365F: 1,
    0x3660: 0,
}
# On a Sunday at 18:00 in a zone that is an hour ahead.
NOW: Final = datetime(2026, 11, 29, 17, tzinfo=UTC)
CLOCK: Final = datetime(2026, 11, 29, 18)  # noqa: DTZ001 - the device knows no zone
AT_21: Final = datetime(2026, 11, 29, 20, tzinfo=UTC)
VALUES: Final[Mapping[str, Value | None]] = {"status": "on_grid"}


def situation(owners: Mapping[int, int] | None = None, **others: Any) -> Situation:
    """Return a dark evening with a battery at 60 % and a house of 1500 W; the words differ from the factory's."""
    known: dict[str, Any] = {
        "values": VALUES,
        "registers": REGISTERS,
        "now": NOW,
        "clock": CLOCK,
        "rated_power": 10000,
        "soc": 60,
        "load_power": 1500,
    }
    return Situation(image={**OWNERS, **(owners or {})}, **{**known, **others})


def order(mode: ControlMode, until: datetime = AT_21, **others: Any) -> Order:
    """Return an order that begins now, until 21:00."""
    return Order(mode=mode, **{"start": NOW, **others}, until=until)


def planned(wanted: Order, owners: Mapping[int, int] | None = None, **others: Any) -> Plan:
    """Return the plan for an order in a situation."""
    return CONTROL_BY_WINDOWS.plan([wanted], situation(owners, **others))


def changed(plan: Plan, owners: Mapping[int, int] | None = None) -> dict[int, int]:
    """Return the words of a plan that differ from the owner's."""
    before = {**OWNERS, **(owners or {})}
    return {address: word for address, word in plan.after.items() if word != before[address]}


def refused(wanted: Order, owners: Mapping[int, int] | None = None, **others: Any) -> Any:
    """Return why an order is refused, and the details."""
    with pytest.raises(ControlRefusedError) as caught:
        planned(wanted, owners, **others)
    return caught.value.reason, caught.value.details


CHARGE: Final = order(ControlMode.CHARGE, power=3000, target_soc=80)
DISCHARGE: Final = order(ControlMode.DISCHARGE, power=3000, target_soc=40)
AT_GRID: Final = order(ControlMode.DISCHARGE, power=3000, target_soc=40, at=PowerAt.GRID)
NO_CHARGE: Final = order(ControlMode.NO_CHARGE)
HOLD: Final = order(ControlMode.HOLD)
IDLE: Final = order(ControlMode.IDLE)
NO_EXPORT: Final = order(ControlMode.EXPORT_LIMIT, power=0)
# Slot 7 of each kind from 18:00 to 21:00 on Sunday.
CHARGE_SLOT: Final = {0x3618: 0x1200, 0x3619: 0x1500, 0x3604: 0x40, 0x3647: 1}
DISCHARGE_SLOT: Final = {0x362D: 0x1200, 0x362E: 0x1500, 0x3605: 0x40, 0x3647: 1}
# Charges by night, and discharges from 18:00 to 20:00, both on every day.
BUSY: Final = {
    0x3604: 0x01,
    0x3606: 0x0100,
    0x3607: 0x0500,
    0x3605: 0x02,
    0x361E: 0x1200,
    0x361F: 0x1400,
}
