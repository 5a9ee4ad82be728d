"""The actions control_battery, release_battery, limit_export and get_control."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..modbus.control.lease import Lease
from ..modbus.control.order import ControlMode, ControlRefusedError, PowerAt
from ..modbus.device.wear import Origin
from ..modbus.errors import DeviceError
from ..runtime.callers import async_owner, origin_of
from ..runtime.targets import TARGET
from .keeper import Keeper
from .orders import (
    Answer,
    async_load_control_texts,
    async_order_all,
    async_release,
    async_release_soon,
)
from .preset import WITH_POWER
from .refusals import Mistake, mistake
from .request import AUTO, OrderRequest, told_response
from .shares import async_goals, check_alone, shared
from .targets import Controlled, Target, async_targets
from .times import end_of

ATTR_MODE: Final = "mode"
ATTR_POWER: Final = "power"
ATTR_AT: Final = "at"
ATTR_TARGET_SOC: Final = "target_soc"
ATTR_ENERGY: Final = "energy"
ATTR_DURATION: Final = "duration"
ATTR_UNTIL: Final = "until"
ATTR_OWNER: Final = "owner"
ATTR_IF_BUSY: Final = "if_busy"
ATTR_DRY_RUN: Final = "dry_run"

REPLACE: Final = "replace"
REFUSE: Final = "refuse"

MODES: Final = [mode.value for mode in ControlMode if mode is not ControlMode.EXPORT_LIMIT]

# Planners send numbers as text. What is no number at all is refused here, what makes no sense in words further down.
NUMBER: Final = vol.All(vol.Coerce(float), vol.Range(min=-1e9, max=1e9))
END: Final = {vol.Optional(ATTR_DURATION): NUMBER, vol.Optional(ATTR_UNTIL): cv.string}
OWNER: Final = {vol.Optional(ATTR_OWNER): cv.string}

CONTROL_SCHEMA: Final = vol.Schema(
    {
        **TARGET,
        vol.Required(ATTR_MODE): vol.All(vol.In(MODES), ControlMode),
        vol.Optional(ATTR_POWER): NUMBER,
        vol.Optional(ATTR_AT, default=PowerAt.BATTERY.value): vol.All(
            vol.In([at.value for at in PowerAt]), PowerAt
        ),
        vol.Optional(ATTR_TARGET_SOC): NUMBER,
        vol.Optional(ATTR_ENERGY): NUMBER,
        **END,
        **OWNER,
        vol.Optional(ATTR_IF_BUSY, default=REPLACE): vol.In([REPLACE, REFUSE]),
        vol.Optional(ATTR_DRY_RUN, default=False): cv.boolean,
    }
)
RELEASE_SCHEMA: Final = vol.Schema({**TARGET, **OWNER})
LIMIT_SCHEMA: Final = vol.Schema({**TARGET, vol.Optional(ATTR_POWER): NUMBER, **END, **OWNER})
STATE_SCHEMA: Final = vol.Schema(TARGET)


async def async_control_battery(call: ServiceCall) -> ServiceResponse:
    """Order what batteries do until a time."""
    await async_load_control_texts(call.hass)
    targets = await async_targets(call, POLICY_CONTROL)
    data, mode = call.data, call.data[ATTR_MODE]
    _check(data)
    request = OrderRequest(
        mode=mode,
        until=_until(data),
        at=data[ATTR_AT],
        target_soc=data.get(ATTR_TARGET_SOC) if mode in WITH_POWER else None,
        replaces=data[ATTR_IF_BUSY] == REPLACE,
        dry_run=data[ATTR_DRY_RUN],
        **await _caller(call),
    )
    power = data.get(ATTR_POWER) if mode in WITH_POWER else None
    orders: list[tuple[Controlled, OrderRequest]] = []
    for target in targets:
        check_alone(target, request)
        requests = shared(target, request, power)
        if ATTR_ENERGY in data:
            goals = await async_goals(data[ATTR_ENERGY], mode, target.inverters)
            requests = [
                replace(one, energy=goal.energy, target_soc=goal.target_soc)
                for one, goal in zip(requests, goals, strict=True)
            ]
        orders += zip(target.inverters, requests, strict=True)
    return _response(targets, await async_order_all(orders, call.context))


async def async_release_battery(call: ServiceCall) -> ServiceResponse:
    """End the orders of batteries: whoever's they are for a person, and only its own for an automation."""
    await async_load_control_texts(call.hass)
    # What can be ended is, whatever else is away.
    targets = await async_targets(call, POLICY_CONTROL, as_whole=False)
    caller = await _caller(call)

    async def release(one: Controlled) -> Answer:
        if caller["of_person"]:
            return await async_release(one, context=call.context)
        # A planner ends one order and gives the next: only what differs is written.
        return await async_release_soon(one, caller["owner"])

    return await _async_each(targets, release)


async def async_limit_export(call: ServiceCall) -> ServiceResponse:
    """Limit what flows into the grid until a time; without a power and an end the limit is lifted."""
    await async_load_control_texts(call.hass)
    data, caller = call.data, await _caller(call)
    is_lifted = not {ATTR_POWER, ATTR_UNTIL, ATTR_DURATION} & data.keys()
    targets = await async_targets(call, POLICY_CONTROL, as_whole=not is_lifted)
    if is_lifted:
        owner = None if caller["of_person"] else caller["owner"]

        async def lift(one: Controlled) -> Answer:
            return await async_release(one, is_export_limit=True, owner=owner, context=call.context)

        return await _async_each(targets, lift)
    if data.get(ATTR_POWER, -1) < 0:
        raise mistake(Mistake.NO_LIMIT)
    request = OrderRequest(mode=ControlMode.EXPORT_LIMIT, until=_until(data), **caller)
    orders = [
        order
        for target in targets
        for order in zip(target.inverters, shared(target, request, data[ATTR_POWER]), strict=True)
    ]
    return _response(targets, await async_order_all(orders, call.context))


async def async_get_control(call: ServiceCall) -> ServiceResponse:
    """Return which orders are in force, and what the settings of the inverter say."""
    await async_load_control_texts(call.hass)
    targets = await async_targets(call, POLICY_READ)
    return await _async_each(targets, _async_state)


# ---------------------------------------------------------------------- what is asked for


async def _caller(call: ServiceCall) -> dict[str, Any]:
    """Whose order it is, as far as an order names it.

    Whoever names an owner speaks for that one alone, as planners do, and so does a person who starts their script.
    """
    owner = call.data.get(ATTR_OWNER, "").strip()
    return {
        "owner": owner or await async_owner(call.hass, call.context),
        "of_person": not owner and origin_of(call.context) is Origin.PERSON,
    }


def _until(data: Mapping[str, Any]) -> datetime:
    """When the order in the data of an action ends."""
    return end_of(data.get(ATTR_UNTIL), data.get(ATTR_DURATION), dt_util.utcnow())


def _check(data: Mapping[str, Any]) -> None:
    """Refuse what makes no sense, whatever the inverter."""
    mode = data[ATTR_MODE]
    if mode in WITH_POWER and data.get(ATTR_POWER, 1) <= 0:
        raise mistake(Mistake.NO_POWER)
    if data[ATTR_AT] is PowerAt.GRID and mode is not ControlMode.DISCHARGE:
        raise mistake(Mistake.AT_GRID)
    if {ATTR_TARGET_SOC, ATTR_ENERGY} <= data.keys():
        raise mistake(Mistake.ONE_TARGET)
    if not 0 <= data.get(ATTR_TARGET_SOC, 0) <= 100:
        raise mistake(Mistake.TARGET_RANGE, value=f"{data[ATTR_TARGET_SOC]:g}")
    if ATTR_ENERGY in data:
        if mode not in WITH_POWER:
            raise mistake(Mistake.ENERGY_MODE)
        if data[ATTR_ENERGY] <= 0:
            raise mistake(Mistake.ENERGY)


# ---------------------------------------------------------------------- what is answered


async def _async_each(
    targets: Sequence[Target], do: Callable[[Controlled], Any]
) -> ServiceResponse:
    """Do something with every inverter; the first error is raised when all have had their turn."""
    answers: list[Answer] = []
    errors: list[HomeAssistantError] = []
    for target in targets:
        for one in target.inverters:
            try:
                answers.append(await do(one))
            except HomeAssistantError as err:
                errors.append(err)
    if errors:
        raise errors[0]
    return _response(targets, answers)


def _response(targets: Sequence[Target], answers: Sequence[Answer]) -> ServiceResponse:
    """What is told of one inverter; of several, and of those of a plant, by the id of their devices."""
    inverters = [one for target in targets for one in target.inverters]
    if len(targets) == 1 and targets[0].plant is None:
        return answers[0]
    return {one.unit.device_id: answer for one, answer in zip(inverters, answers, strict=True)}


async def _async_state(one: Controlled) -> Answer:
    """The orders in force at an inverter, and which one its settings are."""
    keeper = one.driver.keeper
    in_registers: str | None = None
    # While it does not answer, or does not tell all, what is in force is known all the same.
    with suppress(DeviceError, ControlRefusedError):
        found = await keeper.async_found()
        in_registers = AUTO if found is None else found.value
    limit = keeper.lease(is_export_limit=True)
    return {
        **_shown(keeper, keeper.lease()),
        "export_limit": None if limit is None else _shown(keeper, limit),
        "in_registers": in_registers,
    }


def _shown(keeper: Keeper, lease: Lease | None) -> Answer:
    """What is told of an order in force."""
    if lease is None:
        return {"mode": AUTO}
    told = keeper.told_of(lease)
    until = told.until if told else lease.order.until
    return {
        "mode": lease.order.mode.value,
        **(told_response(told) if told else {}),
        "owner": lease.owner,
        "of_person": lease.of_person,
        "seconds_left": max(round((until - dt_util.utcnow()).total_seconds()), 0),
    }
