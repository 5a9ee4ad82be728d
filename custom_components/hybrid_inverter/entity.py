"""What all entities of a unit share."""

from abc import abstractmethod
from dataclasses import dataclass
from enum import StrEnum
import re
from typing import Any, Final, override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN, MeterRole
from .coordinator import GroupCoordinator, UnitRuntime
from .faults import FaultMonitor, News
from .modbus.codec import Value
from .modbus.family import Family
from .modbus.register import Group
from .sparing import SparingEntity
from .usage import Usage
from .writing import async_write


class Part(StrEnum):
    """The devices below an inverter's own."""

    INVERTER = "inverter"
    PV = "pv"
    BATTERY = "battery"
    GRID = "grid"
    LOAD = "load"
    GENERATOR = "generator"
    # Meters that the inverter reads: the one at the house's connection, and the one of other solar inverters.
    METER_A = "meter_a"
    METER_B = "meter_b"
    # A meter that is read itself is a device of its own.
    METER = "meter"


# What is not below the device of a unit, but is that device.
WHOLE: Final = frozenset({Part.INVERTER, Part.METER})


# "grid_l2_power", a meter's "l2_power" and "pv3_voltage" share their names with the other phases and strings.
NUMBERED: Final = re.compile(
    r"^(?P<before>.*?)(?P<kind>(?<=_)l|^l|(?<=^pv))(?P<number>\d)(?P<after>_.*)$"
)

# "l1_l2_voltage" is between two phases.
BETWEEN: Final = re.compile(r"^l(?P<one>\d)_l(?P<other>\d)(?P<after>_.*)$")

# "import_energy_t1_total" does with the other tariffs of a meter, "reactive_energy_q1_total" with the other quadrants.
SORTED: Final = re.compile(r"^(?P<before>.*_energy)_(?P<kind>[tq])(?P<number>\d)(?P<after>_total)$")
SORTS: Final = {"t": "tariff", "q": "quadrant"}

# "tou_slot_3_power" does with the other slots, "volt_var_q2" with the other points of its curve.
COUNTED: Final = re.compile(
    r"^(?P<before>(?:tou|charge|discharge)_slot|pack|wind_curve|wind_input_dc|volt_watt_[vp]|volt_var_[vq]"
    r"|watt_var_[pq]|watt_pf_pf?|(?:over|under)_(?:voltage|frequency)|[lh]vrt|insulation_resistance)_?(?P<number>\d+)"
    r"(?P<after>(?:_.*)?)$"
)

# "battery_2_soc" does with the other packs, but not with "battery_soc", which is the whole battery's.
PACKED: Final = re.compile(r"^(?P<before>battery|bms)_(?P<number>\d)(?P<after>_(?!wake_up$).*)$")

# The two meters are devices of their own, with the same values.
METERED: Final = re.compile(r"^meter_[ab](?=_)")


def translation_of(key: str) -> tuple[str, dict[str, str]]:
    """Return the translation key of a canonical key, and its placeholders."""
    key = METERED.sub("meter", key)
    if (match := COUNTED.match(key)) is not None:
        return f"{match['before']}{match['after']}", {"number": match["number"]}
    if (match := PACKED.match(key)) is not None:
        return f"{match['before']}_pack{match['after']}", {"number": match["number"]}
    if (match := BETWEEN.match(key)) is not None:
        return f"line{match['after']}", {"phases": f"L{match['one']}-L{match['other']}"}
    if (match := SORTED.match(key)) is not None:
        sort = SORTS[match["kind"]]
        return f"{match['before']}_{sort}{match['after']}", {"number": match["number"]}
    if (match := NUMBERED.match(key)) is None:
        return key, {}
    if match["kind"] == "l":
        return f"{match['before']}phase{match['after']}", {"phase": f"L{match['number']}"}
    return f"{match['before']}_string{match['after']}", {"number": match["number"]}


@dataclass(frozen=True, kw_only=True)
class UnitEntityDescription(EntityDescription):
    """An entity of a unit; its key is the canonical key of the value it shows, or says what is made of another one."""

    part: Part = Part.INVERTER
    # Whether the entity is there only where the chosen tier may write the value, or only where it may not.
    writable: bool | None = None
    # What is polled for it, where that is not the value with its own key.
    source: str | None = None
    # Or all that is, of one group, for what is made of several values.
    inputs: frozenset[str] = frozenset()
    # When the machine goes by it, for an entity that is not there at other times; all of these have to apply.
    used_when: tuple[Usage, ...] = ()
    # What a meter has to measure, where it has another name for each.
    role: MeterRole | None = None
    # It tells of writes, or makes them: it is there where the chosen tier may write anything, and polls nothing.
    about_writes: bool = False

    @property
    def text_key(self) -> str:
        """Return what its name is made of."""
        return self.key if self.role is None else f"{self.role}_{self.key}"

    @property
    def value_key(self) -> str:
        """Return the canonical key of the value that it rests on."""
        return self.source or self.key

    @property
    def polled_keys(self) -> frozenset[str]:
        """Return the canonical keys of all values that are polled for it."""
        if self.about_writes:
            return frozenset()
        return self.inputs or frozenset({self.value_key})

    def polled_from(self, family: Family) -> frozenset[str]:
        """Return the canonical keys that are polled for it from a machine of this family; it has to have all of them."""
        return self.polled_keys


def unique_id(unit: UnitRuntime, description: UnitEntityDescription) -> str:
    """Return what an entity is known by for ever, wherever its machine is connected."""
    return f"{unit.identity.serial}_{description.key}"


def part_identifier(unit: UnitRuntime, part: Part) -> tuple[str, str]:
    """Return what the device is known by that a part of a unit is shown as."""
    serial = unit.identity.serial
    return (DOMAIN, serial if part in WHOLE else f"{serial}_{part}")


def part_device_info(unit: UnitRuntime, part: Part) -> DeviceInfo:
    """Return the device that a part of a unit is shown as."""
    if part in WHOLE:
        return DeviceInfo(identifiers={part_identifier(unit, part)})
    return DeviceInfo(
        identifiers={part_identifier(unit, part)},
        manufacturer=unit.identity.manufacturer,
        model=unit.identity.model,
        translation_key=part,
        translation_placeholders={"inverter": unit.name},
        via_device_id=unit.device_id,
    )


def is_served(unit: UnitRuntime, description: UnitEntityDescription) -> bool:
    """Whether the unit has the value, and the chosen tier shows it in this form."""
    family = unit.device.family
    if description.about_writes:
        return any(map(unit.device.may_write, family.registers))
    # A meter has values with the same keys as some settings of inverters.
    if (description.part is Part.METER) != (unit.role is not None):
        return False
    if description.role not in (None, unit.role):
        return False
    if not family.serves(description.polled_from(family)):
        return False
    return description.writable in (None, unit.device.may_write(description.value_key))


def usages_of(unit: UnitRuntime, description: UnitEntityDescription) -> list[Usage]:
    """Return when the unit goes by a value, as far as it has the settings that tell."""
    family = unit.device.family
    return [usage for usage in description.used_when if family.serves(usage.keys)]


class UnitEntity(SparingEntity, CoordinatorEntity[GroupCoordinator]):
    """An entity of a unit, which looks for news when its group was polled."""

    _attr_has_entity_name = True
    entity_description: UnitEntityDescription

    def __init__(
        self,
        unit: UnitRuntime,
        description: UnitEntityDescription,
        group: Group,
        wanted: frozenset[str] | None = None,
    ) -> None:
        """Take the coordinator of a group, and have it poll the wanted keys."""
        super().__init__(unit.coordinators[group], context=wanted)
        self.entity_description = description
        self._attr_unique_id = unique_id(unit, description)
        self._attr_device_info = part_device_info(unit, description.part)
        self._attr_translation_key, self._attr_translation_placeholders = translation_of(
            description.text_key
        )

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write the state when the poll has brought something new."""
        self.async_write_news()


class ValueEntity(UnitEntity):
    """One value of a unit."""

    def __init__(self, unit: UnitRuntime, description: UnitEntityDescription) -> None:
        """Take the coordinator of the group that the value is polled in."""
        group = unit.device.family.group_of(description.value_key)
        super().__init__(unit, description, group, wanted=description.polled_keys)

    @property
    def reading(self) -> Value | None:
        """Return the value as it was last read."""
        return self.coordinator.data.values.get(self.entity_description.value_key)

    @property
    @override
    def available(self) -> bool:
        """Return whether the last poll brought this value."""
        return (
            super().available and self.entity_description.value_key in self.coordinator.data.values
        )

    @override
    def fingerprint(self) -> tuple[Any, ...]:
        """Return everything that the state is made of."""
        return (self.available, self.reading)


class FaultEntity(UnitEntity):
    """Something that the fault monitor of a unit tells of."""

    def __init__(
        self, unit: UnitRuntime, monitor: FaultMonitor, description: UnitEntityDescription
    ) -> None:
        """Be there while the unit answers; the monitor has polled what it needs."""
        super().__init__(unit, description, monitor.group)
        self._monitor = monitor

    @override
    async def async_added_to_hass(self) -> None:
        """Hear of every poll after it was judged."""
        await super().async_added_to_hass()
        self.async_on_remove(self._monitor.async_add_listener(self._handle_news))

    @callback
    @abstractmethod
    def _handle_news(self, news: News) -> None:
        """Take what a poll has brought."""


class ControlEntity(ValueEntity):
    """A value that can be written."""

    async def async_write(self, value: Value) -> None:
        """Write through the device's guard, and say in a person's words what went wrong."""
        unit, key = self.coordinator.unit, self.entity_description.key
        await async_write(
            self.coordinator, self._spoken_name, lambda: unit.device.write(key, value)
        )

    @property
    def _spoken_name(self) -> str:
        """Return what a person calls this entity."""
        return self.name if isinstance(self.name, str) else self.entity_description.key
