"""The actions get_schedule and set_schedule: the schedule in a person's terms."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..const import DOMAIN
from ..entry.texts import SCHEDULE_NAME, async_load_texts, async_text
from ..modbus.control.words import Words
from ..modbus.device.device import Device
from ..modbus.errors import DeviceError
from ..modbus.model.codec import Value
from ..modbus.schedule.schedule import (
    Bounds,
    Reason,
    ScheduleError,
    ScheduleRequest,
    ScheduleStyle,
    ScheduleWrites,
    Timetable,
)
from ..modbus.schedule.styles import keys_of, style_of
from ..runtime.machine import Substitute
from ..runtime.runtime import UnitRuntime
from ..runtime.targets import async_units_of_call, response_of
from ..runtime.writes import async_write
from .change import Change, ChangeLater, ChangeNow, no_answer
from .request import ATTR_DRY_RUN, LISTS, request_of


async def async_get_schedule(call: ServiceCall) -> ServiceResponse:
    """Read the schedule, and return it as slots and as windows."""
    units = await async_units_of_call(call, POLICY_READ)
    return response_of(
        {unit.device_id: (await _read(unit, _style(unit))).as_response() for unit in units}
    )


async def async_set_schedule(call: ServiceCall) -> ServiceResponse:
    """Write a schedule. All of it is checked first, and for all inverters, before anything is written to one of them."""
    await async_load_texts(call.hass, "selector")
    units = await async_units_of_call(call, POLICY_CONTROL)
    if not call.data.keys() & set(LISTS):
        raise _refused(call.hass, ScheduleError(Reason.NO_WINDOWS))
    request = request_of(call.data)
    changes = [await _async_prepared(unit, request) for unit in units]
    return response_of(
        {
            change.unit.device_id: await change.async_answer(
                call.context, dry_run=call.data[ATTR_DRY_RUN]
            )
            for change in changes
        }
    )


async def _async_prepared(unit: UnitRuntime, request: ScheduleRequest) -> Change:
    """What a request changes at an inverter; an error when it is refused."""
    style = _style(unit)
    # An order of the battery may have put another schedule in the place of the owner's.
    substitute = unit.machine.substitute
    if substitute is not None and substitute.is_in_force:
        return await _async_prepared_later(unit, request, style, substitute)
    held = await _read(unit, style)
    change = ChangeNow(
        unit=unit, request=request, held=held, planned=_plan(unit, request, style, held)
    )
    await change.async_prepare()
    return change


async def _async_prepared_later(
    unit: UnitRuntime, request: ScheduleRequest, style: ScheduleStyle[Any], substitute: Substitute
) -> Change:
    """What a request changes of the schedule that comes back when the order in force ends."""
    registers = unit.device.family.registers
    told: dict[int, int] = {}

    async def read() -> None:
        told.update(await substitute.async_owners_words())

    await async_write(unit, async_text(unit.hass, SCHEDULE_NAME) or DOMAIN, read)
    held = _parsed(
        unit,
        style,
        {key: registers[key].decode(told) for key in keys_of(style, registers.keys())},
    )
    planned = _plan(unit, request, style, held)
    words = Words(told, registers)
    for key, value in (
        *(setting for values in planned.requests for setting in values.items()),
        *planned.steps,
    ):
        words.put(key, value)
    return ChangeLater(
        unit=unit,
        request=request,
        held=held,
        planned=planned,
        words={address: (told[address], word) for address, word in sorted(words.changed.items())},
        substitute=substitute,
        owners=told,
    )


def _plan(
    unit: UnitRuntime, request: ScheduleRequest, style: ScheduleStyle[Any], held: Timetable[Any]
) -> ScheduleWrites:
    """What has to be written for the schedule that is asked for; ServiceValidationError when it is refused."""
    device = unit.device
    try:
        return style.writes_for(request, held, device.values, partial(_bounds, device))
    except ScheduleError as err:
        raise _refused(unit.hass, err) from err


def _refused(hass: HomeAssistant, err: ScheduleError) -> ServiceValidationError:
    """The error for a schedule that an inverter cannot hold."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=err.reason,
        translation_placeholders=_spoken(hass, err.details),
    )


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
        raise no_answer(unit, err) from err
    return _parsed(unit, style, values)


def _parsed(
    unit: UnitRuntime, style: ScheduleStyle[Any], values: Mapping[str, Value | None]
) -> Timetable[Any]:
    """The schedule in these values."""
    schedule: Timetable[Any] | None = style.read({**unit.identity.facts, **values})
    if schedule is None:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="schedule_not_readable")
    return schedule


def _spoken(hass: HomeAssistant, details: Mapping[str, str]) -> dict[str, str]:
    """The details of an error, with fields and modes as the form of the action calls them."""
    spoken = dict(details)
    if field := details.get("field"):
        form = "selector.window" if "window" in details else "services.set_schedule"
        spoken["field"] = async_text(hass, f"{form}.fields.{field}.name") or field
    if mode := details.get("mode"):
        spoken["mode"] = async_text(hass, f"selector.slot_mode.options.{mode}") or mode
    return spoken


def _bounds(device: Device, key: str) -> Bounds:
    """Bounds of a setting of this device, whatever it holds: they are those of the same setting in other slots, too."""
    row = device.family.registers[key]
    return Bounds(*row.bounds(device.values), row.limits.step if row.limits else 1)
