"""Writes that a person or an automation asked for: carried out, or refused with the reason in their language."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import time
from functools import partial
from typing import Final, Protocol

from homeassistant.const import STATE_OFF, STATE_ON, Platform
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.translation import async_translate_state

from ..const import DOMAIN
from ..entry.texts import SCHEDULE_NAME, async_text, error_text
from ..modbus.control.words import Words
from ..modbus.device.device import Device
from ..modbus.device.wear import WRITES_PER_DAY, Origin
from ..modbus.errors import (
    ChangedElsewhereError,
    DeviceError,
    InvalidValueError,
    NotAppliedError,
    NotRememberedError,
    RejectedError,
    ResidueError,
    UndoError,
    WriteBudgetError,
    WriteDeniedError,
    WrongDeviceError,
)
from ..modbus.find.identify import Identity
from ..modbus.model.codec import Value
from ..modbus.model.presentation import Name
from ..modbus.model.register import Group
from ..modbus.schedule.days import CUSTOM, DAYS_OF, days_named
from ..modbus.schedule.styles import keys_of, style_of
from .busy_automations import async_report_busy
from .callers import caller_name, origin_of
from .lookup import registered_entity
from .runtime import UnitRuntime

# The platforms on which a setting is shown: where it may be written, and where it may not.
PLATFORMS: Final = (
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SWITCH,
    Platform.TIME,
    Platform.SENSOR,
    Platform.BINARY_SENSOR,
)

# What is refused before anything is sent.
type NotSent = InvalidValueError | NotRememberedError | UndoError | WriteBudgetError
NOT_SENT: Final = (InvalidValueError, NotRememberedError, UndoError, WriteBudgetError)


async def async_write_setting(
    unit: UnitRuntime, key: str, value: Value, context: Context | None = None
) -> None:
    """Write one setting of a unit for whoever has called."""
    await async_write(
        unit,
        display_name(unit, key),
        partial(_async_write_setting, unit, key, value, origin_of(context)),
        group=unit.device.family.group_of(key),
        context=context,
    )


async def _async_write_setting(unit: UnitRuntime, key: str, value: Value, origin: Origin) -> None:
    """Write it; what an order holds there just so is the owner's own from now on, and stays when the order ends."""
    device, substitute = unit.device, unit.machine.substitute
    was = device.values.get(key)
    await device.write(key, value, origin=origin)
    registers = device.family.registers
    is_lent = not device.leased.isdisjoint(registers[key].addresses)
    if substitute is None or not is_lent or was != value:
        return
    words = Words(await substitute.async_owners_words(), registers)
    words.put(key, value)
    if words.changed:
        await substitute.async_become_owners(words.changed, origin)


async def async_write(
    unit: UnitRuntime,
    name: str,
    write: Callable[[], Awaitable[None]],
    *,
    group: Group = Group.SETTINGS,
    several: bool = False,
    context: Context | None = None,
) -> None:
    """Carry out a write of what messages call `name`, and which is polled in this group.

    An automation that has written too often is named in a repair. Of several settings a message names the one that it is about, if there is one.
    """
    try:
        await write()
    except DeviceError as err:
        key = _key_of(err) if several else None
        called = display_name(unit, key) if key is not None else name
        if isinstance(err, WriteBudgetError) and err.limit == WRITES_PER_DAY[Origin.AUTOMATION]:
            async_report_busy(
                unit.hass,
                unit.entry_id,
                unit.identity,
                err,
                setting=called,
                automation=caller_name(unit.hass, context),
            )
        if isinstance(err, NOT_SENT) and not err.left:
            raise _refusal(unit, called, err) from err
        # The write may have been carried out all the same. The caller does not wait for the poll that shows it.
        coordinator = unit.coordinators[group]
        coordinator.config_entry.async_create_background_task(
            coordinator.hass, coordinator.async_request_refresh(), f"{coordinator.name} read back"
        )
        if err.left:
            raise _left_behind(unit, name, err) from err
        raise _failure(unit, called, err) from err


def _key_of(err: DeviceError) -> str | None:
    """The setting that an error is about."""
    match err:
        case (
            InvalidValueError(key=key)
            | NotAppliedError(key=key)
            | WriteBudgetError(key=key)
            | NotRememberedError(key=key)
            | UndoError(key=str(key))
        ):
            return key
        case _:
            return None


# ---------------------------------------------------------------------- what messages call things


class HasSettings(Protocol):
    """A machine whose settings a person knows by name, whether or not its entry is loaded."""

    @property
    def hass(self) -> HomeAssistant:
        """The Home Assistant that names them."""
        ...

    @property
    def identity(self) -> Identity:
        """Which machine it is."""
        ...

    @property
    def device(self) -> Device:
        """What knows its settings."""
        ...


def display_name(unit: HasSettings, key: str) -> str:
    """The name of the setting with this key: its entity's, as a person may have changed it, or its translation."""
    entity = entity_of(unit, key)
    if entity is not None and (name := entity.name or entity.original_name):
        return name
    # Not every setting is shown as an entity, and some never are.
    name = _entity_text(unit, key, "name")
    return name or async_text(unit.hass, f"selector.setting.options.{key}") or key


def display_names(unit: HasSettings, keys: Iterable[str]) -> str:
    """The names of settings, each once; all settings of the schedule together have the name of the schedule."""
    family = unit.device.family
    style = style_of(family.registers.keys())
    # Also that of a feature which was not found.
    schedule = keys_of(style, {row.key for row in family.every_row()}) if style else frozenset()
    names = (
        async_text(unit.hass, SCHEDULE_NAME) if key in schedule else display_name(unit, key)
        for key in keys
    )
    return ", ".join(dict.fromkeys(filter(None, names)))


def display_value(unit: UnitRuntime, key: str, value: object) -> str:
    """A value of the setting with this key, as its entity shows it."""
    entity = entity_of(unit, key)
    if isinstance(value, bool):
        value = STATE_ON if value else STATE_OFF
    states = [value]
    if isinstance(value, frozenset):
        named = days_named(value)
        states = [named]
        if named == CUSTOM:
            states = [day for day, days in DAYS_OF.items() if len(days) == 1 and days <= value]
    return ", ".join(_display_state(unit, key, entity, state) for state in states)


def undo_text(unit: UnitRuntime) -> str | None:
    """What the next undo changes, as setting, value now and value then; None when there is nothing to undo."""
    return (
        "; ".join(
            f"{display_name(unit, change.key)}: {display_value(unit, change.key, change.after)}"
            f" → {display_value(unit, change.key, change.before)}"
            for change in reversed(unit.device.last_changes)
        )
        or None
    )


def _display_state(
    unit: UnitRuntime, key: str, entity: er.RegistryEntry | None, state: object
) -> str:
    if not isinstance(state, str):
        return str(state)
    if entity is None:
        return _entity_text(unit, key, f"state.{state}") or state
    return async_translate_state(
        unit.hass, state, entity.domain, DOMAIN, entity.translation_key, None
    )


def _entity_text(unit: HasSettings, key: str, path: str) -> str | None:
    """A text of the entity that would show a setting, as `name` or `state.on`; None where there is none."""
    row = unit.device.family.registers.get(key)
    name = (row and row.name) or Name(key)
    texts = (
        async_text(unit.hass, f"entity.{platform}.{name.key}.{path}", **name.placeholders)
        for platform in PLATFORMS
    )
    return next(filter(None, texts), None)


def entity_of(unit: HasSettings, key: str) -> er.RegistryEntry | None:
    """What the entity registry has of the entity that shows a value; None where none does."""
    unique_id = f"{unit.identity.serial}_{key}"
    found = (registered_entity(unit.hass, platform, unique_id) for platform in PLATFORMS)
    return next((entry for entry in found if entry is not None), None)


# ---------------------------------------------------------------------- messages


def _refusal(unit: UnitRuntime, name: str, err: NotSent) -> ServiceValidationError:
    """The error for a value that was not sent."""
    placeholders: dict[str, str]
    match err:
        case NotRememberedError():
            translation_key, placeholders = "not_remembered", {}
        case UndoError(key=None):
            translation_key, placeholders = "nothing_to_undo", {}
        case ChangedElsewhereError():
            translation_key = "changed_elsewhere"
            placeholders = {
                "written": display_value(unit, err.key, err.written),
                "held": display_value(unit, err.key, err.held),
            }
        case UndoError():
            translation_key, placeholders = "former_value_unknown", {}
        case WriteBudgetError():
            translation_key, placeholders = "write_budget", {"limit": str(err.limit)}
        case WriteDeniedError(details={"tier": tier}):
            translation_key = "needs_tier"
            label = async_text(unit.hass, f"selector.tier.options.{tier}") or str(tier)
            placeholders = {"tier": label}
        case WriteDeniedError():
            translation_key, placeholders = "not_served", {}
        case InvalidValueError(details={"earliest": limit, "neighbour": str(neighbour)}):
            translation_key = "too_early"
            placeholders = {
                "limit": _display_bound(err, limit),
                "neighbour": display_name(unit, neighbour),
            }
        case InvalidValueError(details={"latest": limit, "neighbour": str(neighbour)}):
            translation_key = "too_late"
            placeholders = {
                "limit": _display_bound(err, limit),
                "neighbour": display_name(unit, neighbour),
            }
        case InvalidValueError(details={"lowest": limit, "neighbour": str(neighbour)}) if (
            unit.device.may_write(neighbour)
        ):
            translation_key = "too_low"
            placeholders = _display_neighbour(unit, err, limit, neighbour)
        case InvalidValueError(details={"highest": limit, "neighbour": str(neighbour)}) if (
            unit.device.may_write(neighbour)
        ):
            translation_key = "too_high"
            placeholders = _display_neighbour(unit, err, limit, neighbour)
        case InvalidValueError(details={"minimum": minimum, "maximum": maximum}):
            translation_key = "out_of_range"
            placeholders = {
                "minimum": _display_bound(err, minimum),
                "maximum": _display_bound(err, maximum),
            }
        case InvalidValueError(details={"step": step}):
            translation_key, placeholders = "off_step", {"step": _display_bound(err, step)}
        case _:
            translation_key, placeholders = "invalid_value", {}
    if isinstance(err, InvalidValueError):
        placeholders["value"] = (
            str(err.value).removesuffix(":00")
            if isinstance(err.value, time)
            else display_value(unit, err.key, err.value)
        )
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders={"entity": name, **placeholders},
    )


def _display_bound(err: InvalidValueError, bound: str | float) -> str:
    """A bound or a step in the form of the value; those of a time of day are minutes."""
    if isinstance(err.value, time):
        return "{:02}:{:02}".format(*divmod(int(bound), 60))
    return f"{bound:g}"


def _display_neighbour(
    unit: UnitRuntime, err: InvalidValueError, limit: str | float, neighbour: str
) -> dict[str, str]:
    """What a message says of the setting that a value is bounded by."""
    return {
        "limit": _display_bound(err, limit),
        "neighbour": display_name(unit, neighbour),
        "held": display_value(unit, neighbour, unit.device.values.get(neighbour)),
    }


def _left_behind(unit: UnitRuntime, name: str, err: DeviceError) -> HomeAssistantError:
    """The error for a write that has left settings as nobody wants them."""
    translation_key = "partly_changed"
    if isinstance(err, ResidueError):
        translation_key = "mode_left_behind"
    elif unit.device.is_interrupted:
        translation_key = "interrupted"
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders={
            "entity": name,
            "left": ", ".join(display_name(unit, key) for key in err.left),
            "error": _reason(unit, err),
        },
    )


def _reason(unit: UnitRuntime, err: DeviceError) -> str:
    """What went wrong, as a part of a sentence."""
    cause = err.cause if isinstance(err, ResidueError) else err
    text = error_text(unit.hass, cause)
    if isinstance(cause, WrongDeviceError):
        return (
            async_text(unit.hass, "selector.device_error.options.other_device", found=text) or text
        )
    return text


def _failure(unit: UnitRuntime, name: str, err: DeviceError) -> HomeAssistantError:
    """The error for a write that did not go through."""
    placeholders: dict[str, str]
    match err:
        case DeviceError(unconfirmed=True):
            translation_key, placeholders = "write_not_confirmed", {"error": _reason(unit, err)}
        case NotAppliedError():
            translation_key = "not_applied"
            if err.changed and not err.restored:
                translation_key = "kept_otherwise"
            elif not err.acknowledged:
                translation_key = "not_acknowledged"
            placeholders = {
                "address": str(err.address),
                "wanted": display_value(unit, err.key, err.wanted),
                "held": display_value(unit, err.key, err.held),
            }
        case WrongDeviceError():
            translation_key = "written_to_nobody"
            placeholders = {"found": error_text(unit.hass, err)}
        case RejectedError():
            translation_key, placeholders = "rejected", {"error": error_text(unit.hass, err)}
            if err.key is not None and (part := display_name(unit, err.key)) != name:
                translation_key = "part_rejected"
                placeholders |= {"part": part, "address": str(err.address)}
        case _:
            translation_key, placeholders = "not_changed", {"error": _reason(unit, err)}
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders={"entity": name, **placeholders},
    )
