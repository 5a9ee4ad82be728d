"""The actions get_schedule and set_schedule: the schedule in a person's terms."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any, Final

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonValueType
import voluptuous as vol

from .const import DOMAIN
from .coordinator import GroupCoordinator, UnitRuntime
from .modbus.codec import Value
from .modbus.device import Device
from .modbus.errors import DeviceError, LinkError, NotAppliedError, RejectedError
from .modbus.register import Group
from .modbus.schedule import (
    DAYS,
    Bounds,
    Request,
    ScheduleError,
    ScheduleStyle,
    Timetable,
    Wish,
)
from .modbus.schedule_styles import style_of
from .modbus.schedule_windows import MODES
from .unit import unit_of_device
from .writing import async_write, spoken_value

ATTR_WINDOWS: Final = "windows"
ATTR_OTHERWISE: Final = "otherwise"
ATTR_DAYS: Final = "days"
ATTR_ENABLED: Final = "enabled"
ATTR_DRY_RUN: Final = "dry_run"
ATTR_START: Final = "start"
ATTR_END: Final = "end"
ATTR_MODE: Final = "mode"
ATTR_TARGET: Final = "target"
ATTR_POWER: Final = "power"
ATTR_GRID_CHARGE: Final = "grid_charge"
ATTR_GENERATOR_CHARGE: Final = "generator_charge"

# What messages call the whole.
NAME: Final = "Schedule"

# Which of them a machine knows and needs is for the style of its schedule to say.
WINDOW: Final = vol.Schema(
    {
        vol.Required(ATTR_START): cv.time,
        vol.Required(ATTR_END): cv.time,
        vol.Optional(ATTR_MODE): vol.In(MODES),
        vol.Optional(ATTR_TARGET): vol.Coerce(float),
        vol.Optional(ATTR_POWER): vol.Coerce(float),
        vol.Optional(ATTR_GRID_CHARGE): cv.boolean,
        vol.Optional(ATTR_GENERATOR_CHARGE): cv.boolean,
        vol.Optional(ATTR_DAYS): vol.All(cv.ensure_list, [vol.In(DAYS)]),
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
        vol.Required(ATTR_WINDOWS): vol.All(
            cv.ensure_list, [vol.All(cv.has_at_least_one_key(ATTR_TARGET, ATTR_MODE), WINDOW)]
        ),
        vol.Optional(ATTR_OTHERWISE): OTHERWISE,
        vol.Optional(ATTR_DAYS): vol.All(cv.ensure_list, [vol.In(DAYS)]),
        vol.Optional(ATTR_ENABLED): cv.boolean,
        vol.Optional(ATTR_DRY_RUN, default=False): cv.boolean,
    }
)


async def async_get_schedule(call: ServiceCall) -> ServiceResponse:
    """Read the schedule, and return it as slots and as windows."""
    unit = unit_of_device(call.hass, call.data[ATTR_DEVICE_ID])
    return (await _read(unit, _style(unit))).plain()


async def async_set_schedule(call: ServiceCall) -> ServiceResponse:
    """Write a schedule: all of it is checked first, then written in the order that its style wants."""
    unit = unit_of_device(call.hass, call.data[ATTR_DEVICE_ID])
    device, style = unit.device, _style(unit)
    held = await _read(unit, style)
    try:
        plan = style.plan(_request(call.data), held, device.values, partial(_bounds, device))
    except ScheduleError as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key=err.reason,
            translation_placeholders=err.details,
        ) from err

    registers: list[JsonValueType] = []
    # Each with the number of requests that it takes.
    writes: list[tuple[int, Callable[[], Awaitable[None]]]] = []

    async def preview() -> None:
        try:
            for values in plan.blocks:
                words = await device.preview(values)
                if any(before != after for before, after in words.values()):
                    registers.extend(_words(words))
                    writes.append((1, partial(device.write_many, values)))
            if plan.steps:
                words = await device.preview_steps(plan.steps)
                registers.extend(_words(words))
                count = _requests(device, plan.steps)
                writes.append((count, partial(device.write_steps, plan.steps)))
        except (LinkError, RejectedError) as err:
            raise _no_answer(unit, err) from err

    coordinator = unit.coordinators[Group.SETTINGS]
    await async_write(coordinator, NAME, preview)
    if not call.data[ATTR_DRY_RUN]:
        for _, write in writes:
            try:
                await async_write(coordinator, NAME, write)
            except HomeAssistantError as err:
                # What is left half changed has been named.
                if isinstance(cause := err.__cause__, NotAppliedError) and not cause.left:
                    raise _not_applied(coordinator, cause) from cause
                raise
    return {
        ATTR_DRY_RUN: call.data[ATTR_DRY_RUN],
        "slots": plan.slots,
        "write_requests": sum(count for count, _ in writes),
        "registers": registers,
        "switched_off": list(plan.switched_off),
    }


def _style(unit: UnitRuntime) -> ScheduleStyle[Any]:
    """Return the style of the schedule that a machine has."""
    style = style_of(unit.device.family.registers.keys())
    if style is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="schedule_not_supported"
        )
    return style


async def _read(unit: UnitRuntime, style: ScheduleStyle[Any]) -> Timetable[Any]:
    """Return the schedule that the machine holds now."""
    keys = style.keys | style.optional & unit.device.family.registers.keys()
    try:
        # Another machine's schedule is none of this one's business.
        await unit.async_verify()
        values = (await unit.device.poll(keys)).values
    except DeviceError as err:
        raise _no_answer(unit, err) from err
    schedule: Timetable[Any] | None = style.read({**unit.identity.facts, **values})
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


def _request(data: Mapping[str, Any]) -> Request:
    """Return what a person has asked for."""
    return Request(
        windows=tuple(
            Wish(**{**window, ATTR_DAYS: _days(window.get(ATTR_DAYS))})
            for window in data[ATTR_WINDOWS]
        ),
        otherwise=data.get(ATTR_OTHERWISE),
        days=_days(data.get(ATTR_DAYS)),
        enabled=data.get(ATTR_ENABLED),
    )


def _days(names: list[str] | None) -> frozenset[int] | None:
    """Return days by their numbers, 0 for Monday."""
    return None if names is None else frozenset(map(DAYS.index, names))


def _bounds(device: Device, key: str) -> Bounds:
    """Return the bounds of a setting of this machine."""
    limits = device.family.registers[key].limits
    return Bounds(*device.limits(key), limits.step if limits else 1)


def _words(words: Mapping[int, tuple[int, int]]) -> list[JsonValueType]:
    """Return the words of registers, as they are and as they would be, as a response shows them."""
    return [
        {"register": address, "before": before, "after": after}
        for address, (before, after) in words.items()
    ]


def _requests(device: Device, steps: Sequence[tuple[str, Value]]) -> int:
    """Return how many requests these steps take; those of one register in a row share one."""
    rows = device.family.registers
    return len(list(groupby(rows[key].addresses for key, _ in steps)))


def _not_applied(coordinator: GroupCoordinator, err: NotAppliedError) -> HomeAssistantError:
    """Return what to raise for a schedule that the machine has not kept."""
    translation_key = "schedule_not_restored"
    if err.restored:
        translation_key = "schedule_not_applied"
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders={
            "address": str(err.address),
            "wanted": spoken_value(coordinator, err.key, err.wanted),
            "held": spoken_value(coordinator, err.key, err.held),
        },
    )
