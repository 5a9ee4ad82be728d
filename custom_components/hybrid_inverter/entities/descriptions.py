"""The entities of a unit, from the rows of its family: which platform shows a value, and as what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from weakref import WeakKeyDictionary

from homeassistant.components.binary_sensor import BinarySensorEntityDescription
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.components.select import SelectEntityDescription
from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.components.switch import SwitchEntityDescription
from homeassistant.components.time import TimeEntityDescription
from homeassistant.const import EntityCategory, Platform

from ..const import MeterRole
from ..modbus.device.device import Device
from ..modbus.model.codec import Choice, Codec, FloatNumber, Number, decimals
from ..modbus.model.codec_time import ByteTime, Hhmm
from ..modbus.model.derived import Derived
from ..modbus.model.family import Family
from ..modbus.model.part import Kind
from ..modbus.model.register import Group, Register, Tier
from ..runtime.runtime import UnitRuntime
from .base import UnitEntityDescription
from .kinds import FINEST, KINDS, PERIODS, PLAIN, UNITS, UnitSensorDescription

type ByPlatform = Mapping[Platform, Sequence[UnitEntityDescription]]

# What does not change by itself, so that there are no statistics of it.
CONSTANT: Final = frozenset({Group.SETTINGS, Group.IDENTITY})
FLAG_CLASSES: Final = {
    Kind.PROBLEM: BinarySensorDeviceClass.PROBLEM,
    Kind.GRID_PRESENT: BinarySensorDeviceClass.POWER,
}
NUMBER_CLASSES: Final = {Kind.CHARGE_LEVEL: NumberDeviceClass.BATTERY}


@dataclass(frozen=True, kw_only=True)
class UnitBinarySensorDescription(UnitEntityDescription, BinarySensorEntityDescription):
    """A flag that is only shown."""


@dataclass(frozen=True, kw_only=True)
class UnitNumberDescription(UnitEntityDescription, NumberEntityDescription):
    """A setting within bounds."""

    # A slider writes on every pixel; settings are kept in a memory that wears.
    mode: NumberMode | None = NumberMode.BOX


@dataclass(frozen=True, kw_only=True)
class UnitSelectDescription(UnitEntityDescription, SelectEntityDescription):
    """A setting with a list of options."""


@dataclass(frozen=True, kw_only=True)
class UnitSwitchDescription(UnitEntityDescription, SwitchEntityDescription):
    """A setting that is on or off."""


@dataclass(frozen=True, kw_only=True)
class UnitTimeDescription(UnitEntityDescription, TimeEntityDescription):
    """A setting that is a time of day."""


def descriptions_of(unit: UnitRuntime) -> ByPlatform:
    """The entities that a unit's own values have in the chosen tier."""
    return _kept(unit.device, unit.device.tier, unit.role)


_KEPT: Final[WeakKeyDictionary[Device, dict[tuple[Tier, MeterRole | None], ByPlatform]]] = (
    WeakKeyDictionary()
)


def _kept(device: Device, tier: Tier, role: MeterRole | None) -> ByPlatform:
    """The descriptions of a device, which are made once for each tier."""
    kept = _KEPT.setdefault(device, {})
    if (found := kept.get((tier, role))) is None:
        found = kept[tier, role] = described(device.family, tier, role)
    return found


def described(family: Family, tier: Tier, role: MeterRole | None = None) -> ByPlatform:
    """The entities of a device of a family as it is fitted, where this tier may be written."""
    found: dict[Platform, list[UnitEntityDescription]] = {}
    values: list[Register | Derived] = [*family.registers.values(), *family.derived.values()]
    for value in values:
        if value.part is not None:
            platform, description = describe(value, tier, role)
            found.setdefault(platform, []).append(description)
    return found


def describe(
    value: Register | Derived, tier: Tier, role: MeterRole | None = None
) -> tuple[Platform, UnitEntityDescription]:
    """The entity of a value, where this tier may be written."""
    if isinstance(value, Register) and value.tier is not None and tier.allows(value.tier):
        return _control(value, role)
    return _shown(value, role)


def _control(row: Register, role: MeterRole | None) -> tuple[Platform, UnitEntityDescription]:
    """A setting that can be changed."""
    # What has no category is what somebody means who picks the whole device, or its area.
    common = {
        **_common(row, role),
        "entity_category": None if row.primary else EntityCategory.CONFIG,
    }
    if row.is_flag:
        return Platform.SWITCH, UnitSwitchDescription(**common)
    if row.kind is Kind.DAYS or isinstance(row.codec, Choice):
        return Platform.SELECT, UnitSelectDescription(**common, options=row.options)
    if isinstance(row.codec, (ByteTime, Hhmm)):
        return Platform.TIME, UnitTimeDescription(**common)
    if row.limits is None:
        raise ValueError(f"{row.key} has no limits")
    device_class = _of_unit(row).device_class
    number_class = NumberDeviceClass(device_class) if device_class else None
    return Platform.NUMBER, UnitNumberDescription(
        **common,
        # Only of the number: a sensor of the class is taken for the charge of the device itself.
        device_class=NUMBER_CLASSES.get(row.kind, number_class) if row.kind else number_class,
        native_unit_of_measurement=row.unit,
        native_step=row.limits.step,
    )


def _shown(
    value: Register | Derived, role: MeterRole | None
) -> tuple[Platform, UnitEntityDescription]:
    """A value that can only be looked at, or a setting that this tier cannot change."""
    common = _common(value, role)
    if value.kind in FLAG_CLASSES or (isinstance(value, Register) and value.is_flag):
        return Platform.BINARY_SENSOR, UnitBinarySensorDescription(
            **common,
            device_class=FLAG_CLASSES.get(value.kind) if value.kind else None,
            entity_category=None if value.kind else EntityCategory.DIAGNOSTIC,
        )
    look = _look(value)
    return Platform.SENSOR, replace(
        look,
        **common,
        entity_category=EntityCategory.DIAGNOSTIC if _is_diagnostic(value, look) else None,
    )


def _look(value: Register | Derived) -> UnitSensorDescription:
    """What a sensor shows a value as."""
    codec = value.codec if isinstance(value, Register) else None
    if value.kind is Kind.DAYS:
        return UnitSensorDescription(key="", device_class=SensorDeviceClass.ENUM)
    if isinstance(value, Register) and isinstance(codec, Choice):
        return UnitSensorDescription(
            key="", device_class=SensorDeviceClass.ENUM, options=value.names
        )
    places = _places(codec)
    look = KINDS.get(value.kind) or _of_unit(value)
    if not _has_statistics(value, look):
        look = replace(look, state_class=None)
    usual = look.suggested_display_precision
    if usual is None or places is None:
        return look
    # A setting is shown to its last place, a measurement as far as that makes sense.
    most = places if value.group is Group.SETTINGS else FINEST.get(value.unit, usual)
    return replace(look, suggested_display_precision=min(places, most))


def _places(codec: Codec | None) -> int | None:
    """How many decimal places a value can have that no ratio makes smaller; None where the codec does not say it."""
    match codec:
        case Number(scale=scale):
            return decimals(scale)
        case FloatNumber(scale=scale, places=places):
            return places + decimals(scale)
    return None


def _has_statistics(value: Register | Derived, look: UnitSensorDescription) -> bool:
    """Whether a value changes by itself, and it can be told how: what may fall does not also begin again every day."""
    if look.state_class is SensorStateClass.TOTAL:
        return not value.key.endswith(tuple(PERIODS))
    return value.kind in KINDS or not (value.group in CONSTANT or value.kind is Kind.FIXED)


def _of_unit(value: Register | Derived) -> UnitSensorDescription:
    """What a sensor shows a value of this unit as; ValueError for a unit that `UNITS` lacks."""
    if value.unit is None:
        return PLAIN
    if (look := UNITS.get(value.unit)) is None:
        raise ValueError(f"{value.key} has the unit {value.unit}, which is not described")
    return look


def _is_diagnostic(value: Register | Derived, look: UnitSensorDescription) -> bool:
    """Whether a sensor is for finding out what is wrong: besides what the row says, what never changes or has no unit."""
    if value.diagnostic:
        return True
    constant = value.group in CONSTANT or value.kind is Kind.FIXED
    if look.device_class is SensorDeviceClass.ENUM:
        return constant and isinstance(value, Register) and not value.writable
    return constant or (look.native_unit_of_measurement is None and look.device_class is None)


def _common(value: Register | Derived, role: MeterRole | None) -> dict[str, Any]:
    """What the description of any platform says of a value."""
    name, placeholders = (
        (value.name.key, value.name.placeholders) if value.name else (value.key, {})
    )
    return {
        "key": value.key,
        "value_key": value.key,
        "inputs": frozenset({value.key}),
        "part": value.part,
        "kind": value.kind,
        "visible_if": value.when,
        "translation_key": f"{role}_{name}" if value.named_by_role and role else name,
        "translation_placeholders": placeholders,
        "entity_registry_enabled_default": value.shown,
    }
