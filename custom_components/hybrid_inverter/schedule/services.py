"""The actions get_schedule and set_schedule: the schedule in a person's terms."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any, Final

from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonValueType
import voluptuous as vol

from ..const import DOMAIN
from ..entry.texts import SCHEDULE_NAME, async_load_texts, async_text, error_text
from ..modbus.control.words import Words
from ..modbus.device.device import Device
from ..modbus.errors import (
    DeviceError,
    LinkError,
    NotAppliedError,
    RejectedError,
)
from ..modbus.model.codec import Value
from ..modbus.model.slots import MODES
from ..modbus.schedule.days import DAYS
from ..modbus.schedule.schedule import (
    Bounds,
    RequestedWindow,
    ScheduleError,
    ScheduleRequest,
    ScheduleStyle,
    ScheduleWrites,
    Timetable,
)
from ..modbus.schedule.styles import keys_of, style_of
from ..runtime.lookup import async_unit_of_call
from ..runtime.machine import Substitute
from ..runtime.runtime import UnitRuntime
from ..runtime.writes import async_write, display_value, origin_of

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

# The style of an inverter's schedule decides which of the fields it has and needs.
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
    unit = await async_unit_of_call(call, POLICY_READ)
    return (await _read(unit, _style(unit))).as_response()


async def async_set_schedule(call: ServiceCall) -> ServiceResponse:
    """Write a schedule: all of it is checked first, then written in the order of its style."""
    await async_load_texts(call.hass, "selector")
    unit = await async_unit_of_call(call, POLICY_CONTROL)
    device, style, origin = unit.device, _style(unit), origin_of(call.context)
    # An order of the battery may have put another schedule in the place of the owner's.
    substitute = unit.machine.substitute
    if substitute is not None and substitute.is_in_force:
        return await _async_set_later(call, unit, style, substitute)
    held = await _read(unit, style)
    planned = _plan(call, unit, style, held)

    registers: list[JsonValueType] = []
    # Those that change something.
    requests: list[Mapping[str, Value]] = []

    async def preview() -> None:
        try:
            for values in planned.requests:
                words = await device.preview(values)
                if any(before != after for before, after in words.values()):
                    registers.extend(_words(words))
                    requests.append(values)
            if planned.steps:
                registers.extend(_words(await device.preview_steps(planned.steps)))
        except (LinkError, RejectedError) as err:
            raise _no_answer(unit, err) from err

    async def write() -> None:
        if requests:
            await device.write_many(*requests, origin=origin)
        if planned.steps:
            await device.write_steps(planned.steps, origin=origin)

    name = async_text(call.hass, SCHEDULE_NAME) or DOMAIN
    await async_write(unit, name, preview)
    if not call.data[ATTR_DRY_RUN]:
        try:
            await async_write(unit, name, write, context=call.context)
        except HomeAssistantError as err:
            # The message for settings that are left half changed names them already.
            if (
                isinstance(cause := err.__cause__, NotAppliedError)
                and cause.acknowledged
                and not cause.left
            ):
                raise _not_applied(unit, cause) from cause
            raise
    return {
        ATTR_DRY_RUN: call.data[ATTR_DRY_RUN],
        "slots": planned.slots,
        "write_requests": len(requests) + _requests(device, planned.steps),
        "registers": registers,
        "switched_off": list(planned.switched_off),
    }


async def _async_set_later(
    call: ServiceCall, unit: UnitRuntime, style: ScheduleStyle[Any], substitute: Substitute
) -> ServiceResponse:
    """Make a schedule the owner's while an order of the battery is in force: it comes into its own when that ends."""
    registers = unit.device.family.registers
    told: dict[int, int] = {}

    async def read() -> None:
        told.update(await substitute.async_owners_words())

    name = async_text(call.hass, SCHEDULE_NAME) or DOMAIN
    await async_write(unit, name, read)
    held = _parsed(
        unit,
        style,
        {key: registers[key].decode(told) for key in keys_of(style, registers.keys())},
    )
    planned = _plan(call, unit, style, held)
    words = Words(told, registers)
    for key, value in (
        *(setting for values in planned.requests for setting in values.items()),
        *planned.steps,
    ):
        words.put(key, value)

    requests = 0

    async def write() -> None:
        nonlocal requests
        requests = await substitute.async_become_owners(
            words.changed, origin_of(call.context), dry_run=call.data[ATTR_DRY_RUN]
        )

    await async_write(unit, name, write, context=call.context)
    return {
        ATTR_DRY_RUN: call.data[ATTR_DRY_RUN],
        "slots": planned.slots,
        "write_requests": requests,
        "registers": _words({a: (told[a], word) for a, word in sorted(words.changed.items())}),
        "switched_off": list(planned.switched_off),
    }


def _plan(
    call: ServiceCall, unit: UnitRuntime, style: ScheduleStyle[Any], held: Timetable[Any]
) -> ScheduleWrites:
    """What has to be written for the schedule that is asked for; ServiceValidationError when it is refused."""
    device = unit.device
    try:
        return style.writes_for(_request(call.data), held, device.values, partial(_bounds, device))
    except ScheduleError as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key=err.reason,
            translation_placeholders=_spoken(call.hass, err.details),
        ) from err


def _style(unit: UnitRuntime) -> ScheduleStyle[Any]:
    """The style of the unit's schedule."""
    style = style_of(unit.device.family.registers.keys())
    if style is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="schedule_not_supported"
        )
    return style


async def _read(unit: UnitRuntime, style: ScheduleStyle[Any]) -> Timetable[Any]:
    """The schedule that the inverter holds now."""
    keys = keys_of(style, unit.device.family.registers.keys())
    try:
        # Another inverter may have got the address.
        await unit.async_verify()
        values = (await unit.device.poll(keys)).values
    except DeviceError as err:
        raise _no_answer(unit, err) from err
    return _parsed(unit, style, values)


def _parsed(
    unit: UnitRuntime, style: ScheduleStyle[Any], values: Mapping[str, Value | None]
) -> Timetable[Any]:
    """The schedule in these values."""
    schedule: Timetable[Any] | None = style.read({**unit.identity.facts, **values})
    if schedule is None:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="schedule_not_readable")
    return schedule


def _no_answer(unit: UnitRuntime, err: DeviceError) -> HomeAssistantError:
    """The error for an inverter that could not even be read."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="no_answer",
        translation_placeholders={
            "model": unit.identity.model,
            "error": error_text(unit.hass, err),
        },
    )


def _spoken(hass: HomeAssistant, details: Mapping[str, str]) -> dict[str, str]:
    """The details of an error, with fields and modes as the form of the action calls them."""
    spoken = dict(details)
    if field := details.get("field"):
        form = "selector.window" if "window" in details else "services.set_schedule"
        spoken["field"] = async_text(hass, f"{form}.fields.{field}.name") or field
    if mode := details.get("mode"):
        spoken["mode"] = async_text(hass, f"selector.slot_mode.options.{mode}") or mode
    return spoken


def _request(data: Mapping[str, Any]) -> ScheduleRequest:
    """The request in the data of an action."""
    return ScheduleRequest(
        windows=tuple(
            RequestedWindow(**{**window, ATTR_DAYS: _days(window.get(ATTR_DAYS))})
            for window in data[ATTR_WINDOWS]
        ),
        default_rule=data.get(ATTR_OTHERWISE),
        days=_days(data.get(ATTR_DAYS)),
        enabled=data.get(ATTR_ENABLED),
    )


def _days(names: list[str] | None) -> frozenset[int] | None:
    """Numbers of days, 0 for Monday."""
    return None if names is None else frozenset(map(DAYS.index, names))


def _bounds(device: Device, key: str) -> Bounds:
    """Bounds of a setting of this device, whatever it holds: they are those of the same setting in other slots, too."""
    row = device.family.registers[key]
    return Bounds(*row.bounds(device.values), row.limits.step if row.limits else 1)


def _words(words: Mapping[int, tuple[int, int]]) -> list[JsonValueType]:
    """Words of registers in a response, as they are and as they would be."""
    return [
        {"register": address, "before": before, "after": after}
        for address, (before, after) in words.items()
    ]


def _requests(device: Device, steps: Sequence[tuple[str, Value]]) -> int:
    """Number of requests for these steps; those of one register in a row share one."""
    rows = device.family.registers
    return len(list(groupby(rows[key].addresses for key, _ in steps)))


def _not_applied(unit: UnitRuntime, err: NotAppliedError) -> HomeAssistantError:
    """The error for a schedule that the inverter has not kept."""
    translation_key = "schedule_not_restored"
    if err.restored:
        translation_key = "schedule_not_applied"
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders={
            "address": str(err.address),
            "wanted": display_value(unit, err.key, err.wanted),
            "held": display_value(unit, err.key, err.held),
        },
    )
