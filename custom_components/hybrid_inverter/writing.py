"""Writes that somebody asked for: carried out, or refused with the reason in words for a person."""

from collections.abc import Awaitable, Callable
from datetime import time

from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.translation import async_translate_state

from .const import DOMAIN
from .coordinator import GroupCoordinator, UnitRuntime
from .modbus.errors import (
    DeviceError,
    InvalidValueError,
    NotAppliedError,
    RejectedError,
    ResidueError,
    UndoError,
    WriteBudgetError,
    WriteDeniedError,
    WrongDeviceError,
)
from .modbus.register import Group
from .timed_slots import CUSTOM, DAYS_OF, days_named


async def async_write(
    coordinator: GroupCoordinator,
    name: str,
    write: Callable[[], Awaitable[None]],
    *,
    several: bool = False,
) -> None:
    """Carry out a write of what a person calls `name`; the coordinator is the one that polls it.

    Of several settings a message names the one that it is about, if there is one.
    """
    try:
        # To this machine and no other, should the link have been opened again.
        await coordinator.unit.async_verify()
        await write()
    except DeviceError as err:
        if isinstance(err, InvalidValueError | WriteBudgetError | UndoError) and not err.left:
            called = _called(coordinator, err) if several else None
            raise _refusal(coordinator, called or name, err) from err
        # The write may have been carried out all the same. Whoever called need not wait until a poll tells.
        coordinator.config_entry.async_create_background_task(
            coordinator.hass, coordinator.async_request_refresh(), f"{coordinator.name} read back"
        )
        if err.left:
            raise _left_behind(coordinator, name, err) from err
        called = _called(coordinator, err) if several else None
        raise _failure(coordinator, called or name, err) from err


async def async_undo(unit: UnitRuntime) -> None:
    """Put the last change of a unit back."""
    coordinator = unit.coordinators[Group.SETTINGS]
    changes = unit.device.changes
    name = spoken_name(coordinator, changes[-1].key) if changes else ""
    await async_write(coordinator, name, unit.device.undo, several=True)


def _called(coordinator: GroupCoordinator, err: DeviceError) -> str | None:
    """Return what a person calls the setting that an error is about."""
    match err:
        case (
            InvalidValueError(key=key)
            | NotAppliedError(key=key)
            | WriteBudgetError(key=key)
            | UndoError(key=str(key))
        ):
            return spoken_name(coordinator, key)
        case _:
            return None


def spoken_name(coordinator: GroupCoordinator, key: str) -> str:
    """Return what a person calls the setting with this key."""
    known = _entity(coordinator, key)
    if known is not None and (name := known.name or known.original_name):
        return name
    # Not everything that is written is shown.
    return key.replace("_", " ").capitalize()


def _entity(coordinator: GroupCoordinator, key: str) -> er.RegistryEntry | None:
    """Return what the entity registry knows of a setting."""
    unique_id = f"{coordinator.unit.identity.serial}_{key}"
    registry = er.async_get(coordinator.hass)
    for known in er.async_entries_for_config_entry(registry, coordinator.config_entry.entry_id):
        if known.unique_id == unique_id:
            return known
    return None


def _refusal(
    coordinator: GroupCoordinator, name: str, err: InvalidValueError | WriteBudgetError | UndoError
) -> ServiceValidationError:
    """Return what to raise for a value that was not sent."""
    placeholders: dict[str, str]
    match err:
        case UndoError(key=None):
            translation_key, placeholders = "nothing_to_undo", {}
        case UndoError():
            translation_key, placeholders = "former_value_unknown", {}
        case WriteBudgetError():
            translation_key, placeholders = "write_budget", {"limit": str(err.limit)}
        case WriteDeniedError(details={"tier": tier}):
            translation_key, placeholders = "needs_tier", {"tier": str(tier)}
        case WriteDeniedError():
            translation_key, placeholders = "not_served", {}
        case InvalidValueError(details={"earliest": limit, "neighbour": str(neighbour)}):
            translation_key = "too_early"
            placeholders = {
                "limit": _spoken(err, limit),
                "neighbour": spoken_name(coordinator, neighbour),
            }
        case InvalidValueError(details={"latest": limit, "neighbour": str(neighbour)}):
            translation_key = "too_late"
            placeholders = {
                "limit": _spoken(err, limit),
                "neighbour": spoken_name(coordinator, neighbour),
            }
        case InvalidValueError(details={"minimum": minimum, "maximum": maximum}):
            translation_key = "out_of_range"
            placeholders = {"minimum": _spoken(err, minimum), "maximum": _spoken(err, maximum)}
        case InvalidValueError(details={"step": step}):
            translation_key, placeholders = "off_step", {"step": _spoken(err, step)}
        case _:
            translation_key, placeholders = "invalid_value", {}
    if isinstance(err, InvalidValueError):
        value = str(err.value)
        placeholders["value"] = value.removesuffix(":00") if isinstance(err.value, time) else value
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders={"entity": name, **placeholders},
    )


def _spoken(err: InvalidValueError, bound: str | float) -> str:
    """Return a bound or a step as a person writes it: those of a time of day are minutes."""
    if isinstance(err.value, time):
        return "{:02}:{:02}".format(*divmod(int(bound), 60))
    return f"{bound:g}"


def spoken_value(coordinator: GroupCoordinator, key: str, value: object) -> str:
    """Return what a person calls a value of the setting with this key."""
    known = _entity(coordinator, key)
    if isinstance(value, bool):
        value = STATE_ON if value else STATE_OFF
    names = [value]
    if isinstance(value, frozenset):
        named = days_named(value)
        names = [named]
        if named == CUSTOM:
            names = [day for day, days in DAYS_OF.items() if len(days) == 1 and days <= value]
    return ", ".join(_spoken_state(coordinator, known, name) for name in names)


def _spoken_state(
    coordinator: GroupCoordinator, known: er.RegistryEntry | None, name: object
) -> str:
    """Return what a person calls a state of an entity that may not be registered."""
    if not isinstance(name, str) or known is None:
        return str(name)
    return async_translate_state(
        coordinator.hass, name, known.domain, DOMAIN, known.translation_key, None
    )


def _left_behind(coordinator: GroupCoordinator, name: str, err: DeviceError) -> HomeAssistantError:
    """Return what to raise for a write that has left settings as nobody wants them."""
    translation_key = "partly_changed"
    if isinstance(err, ResidueError):
        translation_key = "mode_left_behind"
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders={
            "entity": name,
            "left": ", ".join(spoken_name(coordinator, key) for key in err.left),
            "error": err.what,
        },
    )


def _failure(coordinator: GroupCoordinator, name: str, err: DeviceError) -> HomeAssistantError:
    """Return what to raise for a write that did not go through."""
    match err:
        case NotAppliedError():
            translation_key = "not_applied"
            placeholders = {
                "address": str(err.address),
                "wanted": spoken_value(coordinator, err.key, err.wanted),
                "held": spoken_value(coordinator, err.key, err.held),
            }
        case WrongDeviceError():
            translation_key, placeholders = "written_to_nobody", {"found": err.found}
        case RejectedError():
            translation_key, placeholders = "rejected", {"code": str(err.code)}
        case _:
            translation_key, placeholders = "write_not_confirmed", {"error": str(err)}
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders={"entity": name, **placeholders},
    )
