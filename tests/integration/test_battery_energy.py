"""The energies of a battery in kilowatt-hours, and whether it is being charged."""

from homeassistant.const import (
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    Platform,
)
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.modbus.device import quarantine
from custom_components.hybrid_inverter.modbus.model.register import Group
from simulator import SimulatedPlant

from .helpers import refresh, state
from .test_schedule_windows import SERIAL as SAJ_SERIAL, set_up

VOLTAGE = 587
SOC = 588
BATTERY_POWER = 590
BATTERY_CAPACITY = 102


async def test_the_battery_of_a_jso_in_kilowatt_hours(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """600 Ah of 51.2 V are 30.72 kWh, of which 60 % are 18.4 kWh."""
    capacity = state(hass, Platform.SENSOR, "battery_capacity_energy")
    assert (capacity.state, capacity.attributes["device_class"]) == ("30.7", "energy_storage")
    assert "state_class" not in capacity.attributes
    stored = state(hass, Platform.SENSOR, "battery_energy_stored")
    assert (stored.state, stored.attributes["unit_of_measurement"]) == ("18.4", "kWh")
    assert stored.attributes["state_class"] == "measurement"
    assert stored.name.endswith("Energy stored")
    # The capacity is a setting, which is polled with the settings.
    plant.machine().panel_change(BATTERY_CAPACITY, 300)
    await refresh(hass, loaded, Group.SETTINGS)
    assert state(hass, Platform.SENSOR, "battery_capacity_energy").state == "15.4"
    assert state(hass, Platform.SENSOR, "battery_energy_stored").state == "9.2"


async def test_a_battery_of_which_nobody_has_told_the_capacity(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """There is no energy without a capacity."""
    plant.machine().panel_change(BATTERY_CAPACITY, 0)
    await refresh(hass, loaded, Group.SETTINGS)
    assert state(hass, Platform.SENSOR, "battery_capacity_energy").state == STATE_UNKNOWN
    assert state(hass, Platform.SENSOR, "battery_energy_stored").state == STATE_UNKNOWN


async def test_no_energy_is_shown_while_the_charge_cannot_be_read(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """The other powers are there, and the charge that was read before is not shown as an energy."""
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, Platform.SENSOR, "battery_energy_stored").state == "18.4"
    trouble = plant.machine().trouble
    trouble.refused_blocks = ((SOC, SOC, 2),)
    await refresh(hass, loaded, Group.POWER)
    assert state(hass, Platform.SENSOR, "battery_soc").state == STATE_UNAVAILABLE
    assert state(hass, Platform.SENSOR, "pv_power").state != STATE_UNAVAILABLE
    assert state(hass, Platform.SENSOR, "battery_energy_stored").state == STATE_UNKNOWN


async def test_no_capacity_is_shown_while_the_voltage_cannot_be_read(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It tells whether the cells are those of a low-voltage battery; a charge that cannot be read does not matter."""
    await hass.async_block_till_done(wait_background_tasks=True)
    passed = [1000.0]
    monkeypatch.setattr(quarantine, "_now", lambda: passed[0])
    trouble = plant.machine().trouble
    for refused, capacity in ((VOLTAGE, STATE_UNKNOWN), (SOC, "30.7")):
        trouble.refused_blocks = ((refused, refused, 2),)
        for _ in range(4):
            passed[0] += 600
            await refresh(hass, loaded, Group.POWER)
        assert state(hass, Platform.SENSOR, "battery_capacity_energy").state == capacity
        assert state(hass, Platform.SENSOR, "battery_energy_stored").state == STATE_UNKNOWN


async def test_the_packs_of_a_saj_report_their_capacity(
    hass: HomeAssistant, saj: SimulatedPlant
) -> None:
    """Without packs that report it there is no such sensor, and with them there are both."""
    await set_up(hass, saj)
    for key in ("battery_capacity_energy", "battery_energy_stored"):
        assert float(state(hass, Platform.SENSOR, key, SAJ_SERIAL).state) > 0


@pytest.mark.parametrize(
    ("watts", "shown"), [(-51, STATE_ON), (-50, STATE_OFF), (0, STATE_OFF), (2000, STATE_OFF)]
)
async def test_a_battery_charges_when_power_flows_into_it(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    watts: int,
    shown: str,
) -> None:
    """A few watts are only how exactly they are measured."""
    plant.machine().panel_change(BATTERY_POWER, watts & 0xFFFF)
    await refresh(hass, loaded, Group.POWER)
    assert state(hass, Platform.BINARY_SENSOR, "battery_charging").state == shown
