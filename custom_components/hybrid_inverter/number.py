"""Numbers: settings within bounds that the machine, or another setting, gives."""

from dataclasses import dataclass, replace
import math
from typing import Any, Final, override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.const import (
    PERCENTAGE,
    EntityCategory,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfFrequency,
    UnitOfPower,
    UnitOfTime,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HybridInverterConfigEntry, UnitRuntime
from .entity import ControlEntity, Part, UnitEntityDescription
from .modbus.schedule_six import SLOTS
from .roster import async_add_values
from .timed_slots import TIMED_SLOTS
from .usage import (
    BY_STATE_OF_CHARGE,
    BY_VOLTAGE,
    GENERATOR_INPUT,
    MICRO_INVERTER,
    SMART_LOAD,
    SWITCHED_PORT,
    Usage,
)

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class UnitNumberDescription(UnitEntityDescription, NumberEntityDescription):
    """A setting whose bounds and step come from the register table."""

    entity_category: EntityCategory | None = EntityCategory.CONFIG
    writable: bool | None = True
    # A slider writes on every pixel; settings live in a memory that wears.
    mode: NumberMode | None = NumberMode.BOX


PLAIN: Final = UnitNumberDescription(key="")
SHARE: Final = replace(PLAIN, native_unit_of_measurement=PERCENTAGE)
CAPACITY: Final = replace(PLAIN, native_unit_of_measurement="Ah")
RESISTANCE: Final = replace(PLAIN, native_unit_of_measurement="mΩ")
COMPENSATION: Final = replace(PLAIN, native_unit_of_measurement="mV/°C/cell")
POWER: Final = replace(
    PLAIN, device_class=NumberDeviceClass.POWER, native_unit_of_measurement=UnitOfPower.WATT
)
VOLTAGE: Final = replace(
    PLAIN,
    device_class=NumberDeviceClass.VOLTAGE,
    native_unit_of_measurement=UnitOfElectricPotential.VOLT,
)
CURRENT: Final = replace(
    PLAIN,
    device_class=NumberDeviceClass.CURRENT,
    native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
)
FREQUENCY: Final = replace(
    PLAIN,
    device_class=NumberDeviceClass.FREQUENCY,
    native_unit_of_measurement=UnitOfFrequency.HERTZ,
)
HOURS: Final = replace(
    PLAIN, device_class=NumberDeviceClass.DURATION, native_unit_of_measurement=UnitOfTime.HOURS
)
DAYS: Final = replace(HOURS, native_unit_of_measurement=UnitOfTime.DAYS)
MINUTES: Final = replace(HOURS, native_unit_of_measurement=UnitOfTime.MINUTES)


def shown(
    like: UnitNumberDescription, part: Part, *keys: str, used_when: tuple[Usage, ...] = ()
) -> list[UnitNumberDescription]:
    """Describe settings that are shown unless a person hides them."""
    return [replace(like, key=key, part=part, used_when=used_when) for key in keys]


def hidden(
    like: UnitNumberDescription, part: Part, *keys: str, used_when: tuple[Usage, ...] = ()
) -> list[UnitNumberDescription]:
    """Describe settings that a person can switch on."""
    return [
        replace(description, entity_registry_enabled_default=False)
        for description in shown(like, part, *keys, used_when=used_when)
    ]


NUMBERS: Final = (
    *shown(
        SHARE,
        Part.BATTERY,
        "battery_shutdown_soc",
        "battery_low_soc",
        "battery_restart_soc",
        used_when=(BY_STATE_OF_CHARGE,),
    ),
    *shown(POWER, Part.GRID, "max_sell_power", "zero_export_power"),
    *shown(
        SHARE,
        Part.GENERATOR,
        "smart_load_on_soc",
        "smart_load_off_soc",
        used_when=(SWITCHED_PORT, BY_STATE_OF_CHARGE),
    ),
    *shown(POWER, Part.GENERATOR, "smart_load_min_solar_power", used_when=(SMART_LOAD,)),
    *shown(
        SHARE,
        Part.BATTERY,
        "on_grid_discharge_floor",
        "off_grid_discharge_floor",
        "charge_upper_limit",
        "backup_reserve_soc",
    ),
    *shown(POWER, Part.BATTERY, "battery_charge_power_limit", "battery_discharge_power_limit"),
    *shown(POWER, Part.GRID, "export_limit_power"),
    # Battery
    *hidden(CAPACITY, Part.BATTERY, "battery_capacity"),
    *hidden(
        CURRENT,
        Part.BATTERY,
        "battery_max_charge_current",
        "battery_max_discharge_current",
        "grid_charge_current",
    ),
    *hidden(
        VOLTAGE,
        Part.BATTERY,
        "absorption_voltage",
        "float_voltage",
        "equalization_voltage",
        "battery_empty_voltage",
    ),
    *hidden(DAYS, Part.BATTERY, "equalization_days"),
    *hidden(HOURS, Part.BATTERY, "equalization_time"),
    *hidden(COMPENSATION, Part.BATTERY, "tempco"),
    *hidden(RESISTANCE, Part.BATTERY, "battery_resistance"),
    *hidden(SHARE, Part.BATTERY, "battery_charge_efficiency"),
    *hidden(
        VOLTAGE,
        Part.BATTERY,
        "battery_shutdown_voltage",
        "battery_low_voltage",
        "battery_restart_voltage",
        "grid_charge_start_voltage",
        used_when=(BY_VOLTAGE,),
    ),
    *hidden(SHARE, Part.BATTERY, "grid_charge_start_soc", used_when=(BY_STATE_OF_CHARGE,)),
    # The code that the battery's maker names for this inverter; some makers' codes have no name in the protocol.
    *hidden(PLAIN, Part.BATTERY, "lithium_protocol"),
    # Where the energy goes
    *hidden(POWER, Part.PV, "max_solar_power"),
    *hidden(POWER, Part.GRID, "grid_peak_shaving_power"),
    *hidden(POWER, Part.GRID, "grid_charge_power_limit", "grid_discharge_power_limit"),
    *hidden(CURRENT, Part.GRID, "export_limit_current"),
    *hidden(
        POWER,
        Part.INVERTER,
        "passive_grid_charge_power",
        "passive_grid_discharge_power",
        "passive_battery_charge_power",
        "passive_battery_discharge_power",
    ),
    *hidden(SHARE, Part.INVERTER, *(f"{slot}_power" for slot in TIMED_SLOTS)),
    *hidden(POWER, Part.INVERTER, *(f"tou_slot_{slot}_power" for slot in SLOTS)),
    *hidden(
        SHARE,
        Part.INVERTER,
        *(f"tou_slot_{slot}_soc" for slot in SLOTS),
        used_when=(BY_STATE_OF_CHARGE,),
    ),
    *hidden(
        VOLTAGE,
        Part.INVERTER,
        *(f"tou_slot_{slot}_voltage" for slot in SLOTS),
        used_when=(BY_VOLTAGE,),
    ),
    # Generator, which charges the battery through its own port or through the grid's
    *hidden(CURRENT, Part.GENERATOR, "generator_charge_current"),
    *hidden(VOLTAGE, Part.GENERATOR, "generator_charge_start_voltage", used_when=(BY_VOLTAGE,)),
    *hidden(SHARE, Part.GENERATOR, "generator_charge_start_soc", used_when=(BY_STATE_OF_CHARGE,)),
    *hidden(HOURS, Part.GENERATOR, "generator_max_run_time", "generator_down_time"),
    # Generator port
    *hidden(POWER, Part.GENERATOR, "generator_rated_power", used_when=(GENERATOR_INPUT,)),
    *hidden(
        VOLTAGE,
        Part.GENERATOR,
        "smart_load_on_voltage",
        "smart_load_off_voltage",
        used_when=(SWITCHED_PORT, BY_VOLTAGE),
    ),
    *hidden(MINUTES, Part.GENERATOR, "smart_load_open_delay", used_when=(SMART_LOAD,)),
    *hidden(FREQUENCY, Part.GENERATOR, "ac_couple_frequency_high", used_when=(MICRO_INVERTER,)),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HybridInverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the numbers of every unit."""
    await async_add_values(entry, async_add_entities, NUMBERS, UnitNumber)


class UnitNumber(ControlEntity, NumberEntity):
    """A setting within bounds."""

    entity_description: UnitNumberDescription

    def __init__(self, unit: UnitRuntime, description: UnitNumberDescription) -> None:
        """Take the step from the register table."""
        super().__init__(unit, description)
        limits = unit.device.family.registers[description.key].limits
        if limits is None:
            raise ValueError(f"{description.key} has no limits")
        self._attr_native_step = limits.step

    @override
    def fingerprint(self) -> tuple[Any, ...]:
        """Return what the state is made of; another setting may move the bounds."""
        return (*super().fingerprint(), *self._bounds)

    @property
    def _bounds(self) -> tuple[float, float]:
        """Return the bounds in force."""
        return self.coordinator.unit.device.limits(self.entity_description.key)

    @property
    @override
    def native_min_value(self) -> float:
        """Return the smallest value that may be written."""
        return self._bounds[0]

    @property
    @override
    def native_max_value(self) -> float:
        """Return the largest value that may be written."""
        return self._bounds[1]

    @property
    @override
    def native_value(self) -> float | None:
        """Return the value in force."""
        value = self.reading
        return None if isinstance(value, bool) or not isinstance(value, (int, float)) else value

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Write another value; whole numbers arrive as floats."""
        await self.async_write(
            int(value) if math.isfinite(value) and value == int(value) else value
        )
