"""The actions get_schedule and set_schedule: the time-of-use table in a person's terms."""

from collections.abc import Mapping
from datetime import time
from functools import partial
from typing import Any, Final

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonValueType
import voluptuous as vol

from .const import DOMAIN
from .coordinator import UnitRuntime
from .modbus.device import Device
from .modbus.errors import DeviceError, LinkError, NotAppliedError, RejectedError
from .modbus.register import Group, Value
from .modbus.schedule import (
    DAYS,
    ENABLED,
    KEYS,
    LOWEST,
    Bounds,
    Rule,
    Schedule,
    ScheduleError,
    Slot,
    Window,
    expand,
    schedule_of,
    target_key,
    values_of,
    windows_of,
)
from .unit import unit_of_device
from .writing import async_write

ATTR_WINDOWS: Final = "windows"
ATTR_OTHERWISE: Final = "otherwise"
ATTR_DAYS: Final = "days"
ATTR_ENABLED: Final = "enabled"
ATTR_DRY_RUN: Final = "dry_run"
ATTR_START: Final = "start"
ATTR_END: Final = "end"
ATTR_TARGET: Final = "target"
ATTR_POWER: Final = "power"
ATTR_GRID_CHARGE: Final = "grid_charge"
ATTR_GENERATOR_CHARGE: Final = "generator_charge"

# What messages call the whole.
NAME: Final = "Schedule"

WINDOW: Final = vol.Schema(
    {
        vol.Required(ATTR_START): cv.time,
        vol.Required(ATTR_END): cv.time,
        vol.Required(ATTR_TARGET): vol.Coerce(float),
        vol.Optional(ATTR_POWER): vol.Coerce(float),
        vol.Optional(ATTR_GRID_CHARGE, default=False): cv.boolean,
        vol.Optional(ATTR_GENERATOR_CHARGE, default=False): cv.boolean,
    }
)
OTHERWISE: Final = vol.Schema(
    {
        vol.Optional(ATTR_TARGET): vol.Coerce(float),
        vol.Optional(ATTR_POWER): vol.Coerce(float),
    }
)
GET_SCHEMA: Final = vol.Schema({vol.Required(ATTR_DEVICE_ID): cv.string})
SET_SCHEMA: Final = vol.Schema(
    {
        vol.Required(ATTR_DEVICE_ID): cv.string,
        vol.Required(ATTR_WINDOWS): vol.All(cv.ensure_list, [WINDOW]),
        vol.Optional(ATTR_OTHERWISE, default=dict): OTHERWISE,
        vol.Optional(ATTR_DAYS): vol.All(cv.ensure_list, [vol.In(DAYS)]),
        vol.Optional(ATTR_ENABLED): cv.boolean,
        vol.Optional(ATTR_DRY_RUN, default=False): cv.boolean,
    }
)


async def async_get_schedule(call: ServiceCall) -> ServiceResponse:
    """Read the time-of-use table, and return it as slots and as windows."""
    unit = unit_of_device(call.hass, call.data[ATTR_DEVICE_ID])
    schedule = await _read(unit)
    return {
        ATTR_ENABLED: schedule.enabled,
        ATTR_DAYS: [DAYS[day] for day in sorted(schedule.days)],
        "unit": "V" if schedule.by_voltage else "%",
        "slots": [_slot(number, slot) for number, slot in enumerate(schedule.slots, 1)],
        ATTR_WINDOWS: [
            {
                ATTR_START: _time(window.start),
                ATTR_END: _time(window.end),
                **_rule(window.rule),
            }
            for window in windows_of(schedule.slots)
        ],
    }


async def async_set_schedule(call: ServiceCall) -> ServiceResponse:
    """Write a schedule: all of it is checked first, then the slots are written, then the days if they are given."""
    unit = unit_of_device(call.hass, call.data[ATTR_DEVICE_ID])
    device = unit.device
    held = await _read(unit)
    try:
        slots = _slots(device, call.data, by_voltage=held.by_voltage)
    except ScheduleError as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key=err.reason,
            translation_placeholders=err.details,
        ) from err
    requests = [values_of(slots, by_voltage=held.by_voltage)]
    if days := _days(call.data):
        requests.append(days)

    registers: list[JsonValueType] = []
    changing: list[dict[str, Value]] = []

    async def preview() -> None:
        for values in requests:
            try:
                words = await device.preview(values)
            except (LinkError, RejectedError) as err:
                raise _no_answer(unit, err) from err
            if all(before == after for before, after in words.values()):
                continue
            changing.append(values)
            registers.extend(
                {"register": address, "before": before, "after": after}
                for address, (before, after) in words.items()
            )

    coordinator = unit.coordinators[Group.SETTINGS]
    await async_write(coordinator, NAME, preview)
    if not call.data[ATTR_DRY_RUN]:
        for values in changing:
            try:
                await async_write(coordinator, NAME, partial(device.write_many, values))
            except HomeAssistantError as err:
                if isinstance(cause := err.__cause__, NotAppliedError):
                    raise _not_applied(cause) from cause
                raise
    return {
        ATTR_DRY_RUN: call.data[ATTR_DRY_RUN],
        "slots": [_slot(number, slot) for number, slot in enumerate(slots, 1)],
        "write_requests": len(changing),
        "registers": registers,
    }


async def _read(unit: UnitRuntime) -> Schedule:
    """Return the schedule that the machine holds now."""
    if not unit.device.family.registers.keys() >= KEYS:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="schedule_not_supported"
        )
    try:
        # Another machine's schedule is none of this one's business.
        await unit.async_verify()
        schedule = schedule_of((await unit.device.poll(KEYS)).values)
    except DeviceError as err:
        raise _no_answer(unit, err) from err
    if schedule is None:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="schedule_not_readable")
    return schedule


def _no_answer(unit: UnitRuntime, err: DeviceError) -> HomeAssistantError:
    """Return what to raise when the machine could not even be read."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="no_answer",
        translation_placeholders={"model": unit.identity.model, "error": str(err)},
    )


def _slots(device: Device, data: Mapping[str, Any], *, by_voltage: bool) -> tuple[Slot, ...]:
    """Return the six slots of what was asked for; ScheduleError when there are none."""
    target = _bounds(device, target_key(1, by_voltage=by_voltage))
    power = _bounds(device, "tou_slot_1_power")
    lowest = device.values.get(LOWEST[by_voltage])
    usual = {
        ATTR_TARGET: lowest if isinstance(lowest, (int, float)) else target.minimum,
        ATTR_POWER: power.maximum,
    }
    windows = [
        Window(
            window[ATTR_START],
            window[ATTR_END],
            Rule(
                target=window[ATTR_TARGET],
                power=window.get(ATTR_POWER, power.maximum),
                grid_charge=window[ATTR_GRID_CHARGE],
                generator_charge=window[ATTR_GENERATOR_CHARGE],
            ),
        )
        for window in data[ATTR_WINDOWS]
    ]
    otherwise = Rule(**{**usual, **data[ATTR_OTHERWISE]})
    return expand(windows, otherwise, target=target, power=power)


def _bounds(device: Device, key: str) -> Bounds:
    """Return the bounds of a setting of this machine."""
    limits = device.family.registers[key].limits
    return Bounds(*device.limits(key), limits.step if limits else 1)


def _days(data: Mapping[str, Any]) -> dict[str, Value]:
    """Return what is to be written for the days, and for time of use as a whole; empty when neither is asked for."""
    values: dict[str, Value] = {}
    if ATTR_DAYS in data:
        values |= {f"tou_{day}": day in data[ATTR_DAYS] for day in DAYS}
    if ATTR_ENABLED in data:
        values[ENABLED] = data[ATTR_ENABLED]
    return values


def _not_applied(err: NotAppliedError) -> HomeAssistantError:
    """Return what to raise for a schedule that the machine has not kept."""
    translation_key = "schedule_not_restored"
    if err.restored:
        translation_key = "schedule_not_applied"
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders={
            "address": str(err.address),
            "wanted": str(err.wanted),
            "held": str(err.held),
        },
    )


def _slot(number: int, slot: Slot) -> dict[str, JsonValueType]:
    """Return a slot as a response shows it."""
    return {"slot": number, ATTR_START: _time(slot.start), **_rule(slot.rule)}


def _rule(rule: Rule) -> dict[str, JsonValueType]:
    """Return a rule as a response shows it, and as a window takes it."""
    return {
        ATTR_TARGET: rule.target,
        ATTR_POWER: rule.power,
        ATTR_GRID_CHARGE: rule.grid_charge,
        ATTR_GENERATOR_CHARGE: rule.generator_charge,
    }


def _time(moment: time) -> str:
    """Return a time of day as a person writes it."""
    return f"{moment:%H:%M}"
