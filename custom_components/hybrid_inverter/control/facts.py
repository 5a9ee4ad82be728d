"""What a plan is made from: read from the inverter, and kept with the order so that the same plan can be made again."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from homeassistant.util import dt as dt_util

from ..modbus.control.lease import Lease
from ..modbus.control.order import ControlMode, Order
from ..modbus.control.plan import ControlStyle, Situation
from ..modbus.control.styles import settings_of
from ..modbus.device.device import Device
from ..modbus.model.codec import RATED_POWER, Values, as_number
from ..runtime.clock import CLOCK
from ..runtime.machine import Machine

SOC: Final = "battery_soc"
VOLTAGE: Final = "battery_voltage"
BATTERY_POWER: Final = "battery_power"
LOAD_POWER: Final = "load_power"
PV_POWER: Final = "pv_power"
GRID_POWER: Final = "grid_power"
STATUS: Final = "status"
METER: Final = "meter_wiring"
NO_METER: Final = "off"
# Counters of the house connection; what is not measured is not counted.
FLOWED: Final = ("grid_import_energy_total", "grid_export_energy_total")
# The powers at the clamps at the house connection, or at the meter in their place, of a device that measures its own terminal
# as well; and the mode of one whose owner says that it has them.
CLAMPS: Final = ("grid_l1_ct_power", "grid_l2_ct_power", "grid_l3_ct_power")
WORK_MODE: Final = "work_mode"
BY_CLAMPS: Final = "zero_export_to_ct"
# What is known beside the settings: what polls have brought, and what is always read.
POLLED: Final = (SOC, VOLTAGE, BATTERY_POWER, LOAD_POWER, GRID_POWER, *CLAMPS, STATUS, METER)
# What of it tells whether something at the house connection is measured.
SIGHT: Final = (GRID_POWER, *CLAMPS, METER)
ALWAYS_READ: Final = (CLOCK,)
# Seconds for which what a poll has brought is as good as read now. The powers are polled every few seconds, the status every
# fifteen: on a slow line each further request would keep an order waiting.
FRESH_FOR: Final = 30

# Facts that are no values of the inverter: seconds by which its clock is ahead of UTC, and flags.
CLOCK_AHEAD: Final = "clock_ahead"
MAY_SELL: Final = "may_sell"
MAX_IMPORT: Final = "max_import"
HIGHEST_LOAD: Final = "highest_load"
SEES_GRID: Final = "sees_grid"
HOLD_IGNORED: Final = "hold_ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """What the owner of an inverter allows, and what is known of the house."""

    may_sell: bool
    # Watts; None where nothing is set.
    max_import: float | None
    highest_load: float | None
    # Whether the owner has said that it may not sell; without that, a device that exports nothing now may have done so.
    forbids_sale: bool = False


# What is allowed where nothing is about to be ordered.
NOTHING_ALLOWED: Final = Permissions(may_sell=False, max_import=None, highest_load=None)


def keys_of(machine: Machine, style: ControlStyle) -> frozenset[str]:
    """What is read before a plan is made: all that it may change or rests on, and what no poll has just brought.

    After a silence, or over a link that was opened again, everything is read.
    """
    family = machine.device.family
    always = [key for key in ALWAYS_READ if family.serves([key])]
    return settings_of(style, family.registers.keys()).union(always, not_fresh(machine, POLLED))


def not_fresh(machine: Machine, keys: Collection[str]) -> frozenset[str]:
    """Those of these that the device has and no poll has just brought; after a silence, all that it has."""
    device = machine.device
    served = frozenset(key for key in keys if device.family.serves([key]))
    is_followed = machine.verified and machine.last_error is None
    return device.outdated(served, FRESH_FOR) if is_followed else served


def facts_of(machine: Machine, permissions: Permissions) -> dict[str, float]:
    """What is known now and will have changed when the plan is made again; what is unknown is left out.

    So is what could not be read last: nobody knows how old that is.
    """
    device = machine.device
    measured = [key for key in (SOC, VOLTAGE, LOAD_POWER) if device.family.serves([key])]
    facts: dict[str, float | None] = {
        key: as_number(value) for key, value in device.snapshot(measured).values.items()
    }
    facts[CLOCK_AHEAD] = clock_ahead(machine)
    facts[MAY_SELL] = float(permissions.may_sell)
    facts[MAX_IMPORT] = permissions.max_import
    facts[HIGHEST_LOAD] = permissions.highest_load
    facts[SEES_GRID] = float(sees_grid(device))
    return {key: value for key, value in facts.items() if value is not None}


def as_allowed(lease: Lease, permissions: Permissions) -> Lease:
    """The order as its owner allows it now: without a sale that was allowed when it was given."""
    if permissions.forbids_sale and lease.facts.get(MAY_SELL):
        return replace(lease, facts={**lease.facts, MAY_SELL: 0.0})
    return lease


def sees_grid(device: Device) -> bool:
    """Whether something at the house connection is measured: by a meter, or by a clamp, for which there is no setting.

    While nothing flows there, it is seen by what has flowed before, or by a mode that rests on it.
    """
    values = device.values
    if values.get(METER) not in (None, NO_METER) or values.get(WORK_MODE) == BY_CLAMPS:
        return True
    if device.family.serves(CLAMPS):
        return any(device.snapshot(CLAMPS).values.values())
    return any(values.get(key) for key in (GRID_POWER, *FLOWED))


def clock_ahead(machine: Machine) -> float | None:
    """How many seconds the clock of an inverter is ahead of UTC; None for one that shows no time."""
    shown, read_at = machine.device.values.get(CLOCK), machine.device.read_at(CLOCK)
    if read_at is None or not isinstance(shown, datetime):
        return None
    return (shown - read_at.replace(tzinfo=None)).total_seconds()


def situation_of(
    machine: Machine, style: ControlStyle, image: Mapping[int, int], lease: Lease
) -> Situation:
    """What a plan for an order is made from, with the owner's words in `image`."""
    registers = machine.device.family.registers
    settings = {
        key: registers[key].decode(image)
        for key in settings_of(style, registers.keys())
        if all(address in image for address in registers[key].read_from)
    }
    return situation_with(settings, machine, image, lease)


def situation_with(
    settings: Values, machine: Machine, image: Mapping[int, int], lease: Lease
) -> Situation:
    """The same with settings that were decoded already; those that are missing are as they were polled last."""
    device, facts = machine.device, lease.facts
    values = {**machine.identity.facts, **device.values, **settings}
    if VOLTAGE in facts:
        values[VOLTAGE] = facts[VOLTAGE]
    ahead = facts.get(CLOCK_AHEAD)
    start = lease.order.start
    return Situation(
        values=values,
        image=image,
        registers=device.family.registers,
        now=start,
        clock=None if ahead is None else start.replace(tzinfo=None) + timedelta(seconds=ahead),
        rated_power=as_number(machine.identity.facts.get(RATED_POWER)) or 0.0,
        soc=facts.get(SOC),
        load_power=facts.get(LOAD_POWER),
        may_sell=bool(facts.get(MAY_SELL)),
        max_import=facts.get(MAX_IMPORT),
        highest_load=facts.get(HIGHEST_LOAD),
        sees_grid=bool(facts.get(SEES_GRID)),
        hold_ignored=bool(facts.get(HOLD_IGNORED)),
    )


def nothing_ordered(machine: Machine, permissions: Permissions) -> Lease:
    """What stands for an order where what was found is looked at, with what is known now."""
    now = dt_util.utcnow()
    order = Order(mode=ControlMode.HOLD, start=now, until=now)
    return Lease(order=order, owner="", of_person=False, facts=facts_of(machine, permissions))


def plausible_clock(lease: Lease) -> bool:
    """Whether the computer's clock can be right: it is not before the order was given."""
    return dt_util.utcnow() >= lease.order.start
