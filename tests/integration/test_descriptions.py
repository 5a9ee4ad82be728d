"""What Home Assistant derives from a row: platform, device class, state class, precision, category, bounds."""

from typing import Any, Final

from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.components.number import NumberDeviceClass, NumberMode
from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import EntityCategory, Platform
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import MeterRole
from custom_components.hybrid_inverter.entities.descriptions import describe, descriptions_of
from custom_components.hybrid_inverter.modbus.model.codec import Bits, FloatNumber, Text
from custom_components.hybrid_inverter.modbus.model.codec_time import Hhmm
from custom_components.hybrid_inverter.modbus.model.derived import Derived, any_bit
from custom_components.hybrid_inverter.modbus.model.part import Kind, Part
from custom_components.hybrid_inverter.modbus.model.presentation import numbered
from custom_components.hybrid_inverter.modbus.model.register import (
    Group,
    Limits,
    Register,
    Tier,
)
from custom_components.hybrid_inverter.modbus.tables.jso.conditions import SMART_LOAD
from custom_components.hybrid_inverter.modbus.tables.jso.page import JsoPage

from .helpers import unit_of

POWER: Final = JsoPage(Group.POWER, Part.GRID)
ENERGY: Final = JsoPage(Group.ENERGY, Part.BATTERY)
SETTINGS: Final = JsoPage(Group.SETTINGS, Part.GENERATOR)
IDENTITY: Final = JsoPage(Group.IDENTITY, Part.INVERTER)
METER: Final = JsoPage(Group.ENERGY, Part.METER)

MEASUREMENT: Final = SensorStateClass.MEASUREMENT
GROWING: Final = SensorStateClass.TOTAL_INCREASING
TOTAL: Final = SensorStateClass.TOTAL
DIAGNOSTIC: Final = EntityCategory.DIAGNOSTIC


@pytest.mark.parametrize(
    ("row", "device_class", "state_class", "precision", "category"),
    [
        (POWER.i16("a", 1, "W"), SensorDeviceClass.POWER, MEASUREMENT, 0, None),
        (POWER.i16("a", 1, "VA"), SensorDeviceClass.APPARENT_POWER, MEASUREMENT, 0, None),
        (POWER.u16("a", 1, "V", scale=0.1), SensorDeviceClass.VOLTAGE, MEASUREMENT, 1, None),
        (POWER.u16("a", 1, "V", scale=0.001), SensorDeviceClass.VOLTAGE, MEASUREMENT, 3, None),
        (POWER.u16("a", 1, "Hz", scale=0.01), SensorDeviceClass.FREQUENCY, MEASUREMENT, 2, None),
        (POWER.u16("a", 1, "%"), None, MEASUREMENT, 0, None),
        (
            POWER.u16("a", 1, "%", kind=Kind.STATE_OF_CHARGE),
            SensorDeviceClass.BATTERY,
            MEASUREMENT,
            0,
            None,
        ),
        (
            ENERGY.i16("a", 1, scale=0.001, kind=Kind.POWER_FACTOR),
            SensorDeviceClass.POWER_FACTOR,
            MEASUREMENT,
            2,
            None,
        ),
        (ENERGY.u16("a", 1, "kWh", scale=0.1), SensorDeviceClass.ENERGY, GROWING, 1, None),
        (
            METER.row("a", (1, 2), FloatNumber(), "kWh"),
            SensorDeviceClass.ENERGY,
            GROWING,
            2,
            None,
        ),
        (ENERGY.u16("a", 1, "kWh", kind=Kind.MAY_FALL), SensorDeviceClass.ENERGY, TOTAL, 0, None),
        # What may fall and begins again every day has no statistics.
        (
            ENERGY.u16("a_today", 1, "kWh", kind=Kind.MAY_FALL),
            SensorDeviceClass.ENERGY,
            None,
            0,
            None,
        ),
        (ENERGY.u16("a_year", 1, "kvarh"), SensorDeviceClass.REACTIVE_ENERGY, None, 0, None),
        (ENERGY.u16("a", 1, "kvarh", scale=0.1), SensorDeviceClass.REACTIVE_ENERGY, TOTAL, 1, None),
        # As many decimals as the register has, as far as that makes sense.
        (ENERGY.u16("a", 1, "kWh", scale=0.01), SensorDeviceClass.ENERGY, GROWING, 2, None),
        (POWER.u16("a", 1, "V", scale=0.01), SensorDeviceClass.VOLTAGE, MEASUREMENT, 2, None),
        (POWER.i16("a", 1, "A", scale=0.01), SensorDeviceClass.CURRENT, MEASUREMENT, 2, None),
        (POWER.i16("a", 1, "A"), SensorDeviceClass.CURRENT, MEASUREMENT, 0, None),
        (POWER.i16("a", 1, "W", scale=0.1), SensorDeviceClass.POWER, MEASUREMENT, 0, None),
        (ENERGY.u16("a", 1, "h", scale=0.1), SensorDeviceClass.DURATION, GROWING, 1, None),
        (
            ENERGY.u16("a", 1, "°C", scale=0.1, diagnostic=True),
            SensorDeviceClass.TEMPERATURE,
            MEASUREMENT,
            1,
            DIAGNOSTIC,
        ),
        # Without a unit it explains something, and is nothing that a person watches.
        (ENERGY.u16("a", 1), None, None, None, DIAGNOSTIC),
        (ENERGY.u16("a", 1, kind=Kind.COUNT), None, MEASUREMENT, None, DIAGNOSTIC),
        (ENERGY.row("a", (1,), Bits()), None, None, None, DIAGNOSTIC),
        (IDENTITY.row("a", (1,), Text(1)), None, None, None, DIAGNOSTIC),
        # What does not change by itself has no statistics.
        (IDENTITY.u16("a", 1, "W"), SensorDeviceClass.POWER, None, 0, DIAGNOSTIC),
        (ENERGY.u16("a", 1, "Ah", kind=Kind.FIXED), None, None, 0, DIAGNOSTIC),
        # What was set is shown to its last place.
        (SETTINGS.u16("a", 1, "V", scale=0.1), SensorDeviceClass.VOLTAGE, None, 1, DIAGNOSTIC),
        (SETTINGS.u16("a", 1, "V", scale=0.01), SensorDeviceClass.VOLTAGE, None, 2, DIAGNOSTIC),
        (SETTINGS.u16("a", 1, "A", scale=0.001), SensorDeviceClass.CURRENT, None, 3, DIAGNOSTIC),
        (SETTINGS.u16("a", 1, "A"), SensorDeviceClass.CURRENT, None, 0, DIAGNOSTIC),
        (SETTINGS.u16("a", 1, "W", scale=10), SensorDeviceClass.POWER, None, 0, DIAGNOSTIC),
        (SETTINGS.u16("a", 1, "s"), SensorDeviceClass.DURATION, None, 0, DIAGNOSTIC),
        # A choice is for everyday, unless nobody may make it.
        (POWER.choice("a", 1, {0: "x", 1: "y"}), SensorDeviceClass.ENUM, None, None, None),
        (SETTINGS.choice("a", 1, {0: "x", 1: "y"}), SensorDeviceClass.ENUM, None, None, DIAGNOSTIC),
        (
            SETTINGS.choice("a", 1, {0: "x", 1: "y"}, tier=Tier.INSTALLER),
            SensorDeviceClass.ENUM,
            None,
            None,
            None,
        ),
    ],
)
def test_a_sensor_follows_from_unit_codec_and_group(
    row: Register,
    device_class: SensorDeviceClass | None,
    state_class: SensorStateClass | None,
    precision: int | None,
    category: EntityCategory | None,
) -> None:
    """The unit is the row's own; everything else is derived from it."""
    platform, found = describe(row, Tier.EVERYDAY)
    shown: Any = found
    assert platform is Platform.SENSOR
    assert shown.native_unit_of_measurement == row.unit
    assert shown.device_class == device_class
    assert shown.state_class == state_class
    assert shown.suggested_display_precision == precision
    assert shown.entity_category == category


@pytest.mark.parametrize("tier", [Tier.READ_ONLY, Tier.INSTALLER])
def test_a_unit_that_nobody_has_described_is_an_error(tier: Tier) -> None:
    """A sensor of it would be a bare number."""
    row = SETTINGS.u16("a", 1, "bar", tier=Tier.INSTALLER, limits=Limits(0, 10))
    with pytest.raises(ValueError, match="bar"):
        describe(row, tier)


def test_a_flag_is_a_binary_sensor_of_which_only_the_important_ones_are_not_diagnostic() -> None:
    """Whether it is read or computed."""
    platform, relay = describe(POWER.switch("relay", 552, mask=0x0001), Tier.EVERYDAY)
    assert (platform, relay.device_class, relay.entity_category) == (
        Platform.BINARY_SENSOR,
        None,
        DIAGNOSTIC,
    )
    problem = Derived(
        key="problem",
        inputs=("fault",),
        compute=any_bit("fault"),
        group=Group.POWER,
        part=Part.INVERTER,
        shown=True,
        kind=Kind.PROBLEM,
    )
    platform, found = describe(problem, Tier.EVERYDAY)
    assert (platform, found.device_class, found.entity_category) == (
        Platform.BINARY_SENSOR,
        BinarySensorDeviceClass.PROBLEM,
        None,
    )
    assert found.entity_registry_enabled_default


@pytest.mark.parametrize(
    ("row", "control", "counterpart"),
    [
        (SETTINGS.switch("a", 1, tier=Tier.INSTALLER), "switch", "binary_sensor"),
        (SETTINGS.choice("a", 1, {0: "x"}, tier=Tier.INSTALLER), "select", "sensor"),
        (SETTINGS.row("a", (1,), Hhmm(), tier=Tier.INSTALLER), "time", "sensor"),
        (
            SETTINGS.row("a", (1,), Bits(), tier=Tier.INSTALLER, kind=Kind.DAYS),
            "select",
            "sensor",
        ),
        (SETTINGS.u16("a", 1, tier=Tier.INSTALLER, limits=Limits(0, 9)), "number", "sensor"),
    ],
)
def test_a_setting_is_a_control_from_its_tier_on_and_shown_below_it(
    row: Register, control: str, counterpart: str
) -> None:
    """An installer's setting, in each tier."""
    found = {tier: describe(row, tier) for tier in Tier}
    assert {tier: str(platform) for tier, (platform, _) in found.items()} == {
        Tier.READ_ONLY: counterpart,
        Tier.EVERYDAY: counterpart,
        Tier.INSTALLER: control,
    }
    assert found[Tier.INSTALLER][1].entity_category is EntityCategory.CONFIG


def test_a_number_has_unit_device_class_and_step_of_its_row() -> None:
    """And a box to type into: a slider would write on every pixel."""
    row = SETTINGS.u16(
        numbered("tou_slot_{}_voltage", 2),
        161,
        "V",
        scale=0.01,
        tier=Tier.EVERYDAY,
        limits=Limits(38, 63, 0.01),
        when=(SMART_LOAD,),
    )
    _, found = describe(row, Tier.EVERYDAY)
    number: Any = found
    assert (number.key, number.translation_key) == ("tou_slot_2_voltage", "tou_slot_voltage")
    assert number.translation_placeholders == {"number": "2"}
    assert number.native_unit_of_measurement == "V"
    assert number.device_class is NumberDeviceClass.VOLTAGE
    assert (number.native_step, number.mode) == (0.01, NumberMode.BOX)
    assert (number.part, number.visible_if) == (Part.GENERATOR, (SMART_LOAD,))
    assert not number.entity_registry_enabled_default


def test_what_a_meter_measures_decides_the_name_of_its_totals() -> None:
    """Only where the row says so."""
    total = METER.u16("import_energy_total", 1, "kWh", named_by_role=True)
    net = METER.u16("net_import_energy_total", 1, "kWh")
    names = {
        role: [describe(row, Tier.EVERYDAY, role)[1].translation_key for row in (total, net)]
        for role in MeterRole
    }
    assert names == {
        MeterRole.GRID: ["grid_import_energy_total", "net_import_energy_total"],
        MeterRole.SOLAR: ["solar_import_energy_total", "net_import_energy_total"],
        MeterRole.LOAD: ["load_import_energy_total", "net_import_energy_total"],
    }


async def test_descriptions_of_a_unit_are_made_once_for_each_tier(loaded: MockConfigEntry) -> None:
    """However many platforms ask; another tier has others."""
    unit = unit_of(loaded)
    first = descriptions_of(unit)
    assert descriptions_of(unit) is first
    unit.device.tier = Tier.READ_ONLY
    assert Platform.NUMBER in first
    assert Platform.NUMBER not in descriptions_of(unit)
