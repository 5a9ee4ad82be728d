"""The number *Reserve*, as an owner uses it before a storm."""

from homeassistant.const import ATTR_ENTITY_ID, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.modbus.model.register import Group
from simulator import SimulatedPlant

from .helpers import SERIAL, entity, find, load_plant, refresh, state, unit_of
from .test_schedule_windows import SERIAL as SAJ_SERIAL, set_up, written


async def keep(hass: HomeAssistant, value: float, serial: str = SERIAL) -> None:
    """Set the reserve as a person does."""
    data = {
        ATTR_ENTITY_ID: entity(hass, Platform.NUMBER, "battery_reserve", serial),
        "value": value,
    }
    await hass.services.async_call("number", "set_value", data, blocking=True)


def frames(plant: SimulatedPlant) -> list[tuple[int, tuple[int, ...]]]:
    """Return address and values of all writes."""
    return [(write.address, write.values) for write in plant.machine().writes]


async def test_a_reserve_above_the_restart_of_a_jso_is_one_change_and_one_undo(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Low 35 and restart 50: 80 raises the restart first, and undo lowers it last."""
    shown = state(hass, Platform.NUMBER, "battery_reserve")
    assert (shown.state, shown.attributes["min"], shown.attributes["max"]) == ("35", 21, 99)
    assert shown.name.endswith("Reserve")
    await keep(hass, 80)
    assert frames(plant) == [(116, (81,)), (117, (80,))]
    assert state(hass, Platform.NUMBER, "battery_reserve").state == "80"
    assert state(hass, Platform.NUMBER, "battery_low_soc").state == "80"
    assert state(hass, Platform.NUMBER, "battery_restart_soc").state == "81"
    await unit_of(loaded).device.undo()
    assert frames(plant)[2:] == [(117, (35,)), (116, (50,))]
    assert state(hass, Platform.NUMBER, "battery_reserve").state == "35"


async def test_a_restart_that_was_changed_at_the_display_since_is_raised(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """The poll said 50, and it is 40 by now."""
    plant.machine().panel_change(116, 40)
    await keep(hass, 45)
    assert frames(plant) == [(116, (46,)), (117, (45,))]


async def test_a_reserve_below_the_shutdown_is_refused_with_its_name(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Nothing is sent."""
    with pytest.raises(ServiceValidationError) as error:
        await keep(hass, 15)
    assert str(error.value) == (
        "Reserve was not changed: 15 is too low. Shutdown SOC is 20, so it must be at least 21."
        " Enter a higher value, or lower Shutdown SOC first"
    )
    assert frames(plant) == []


async def test_a_low_soc_that_is_not_kept_takes_the_restart_back(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """A firmware that ignores the second step holds what it did before the first."""
    machine = plant.machine()
    machine.trouble.ignored_writes = frozenset({117})
    with pytest.raises(HomeAssistantError, match="Low SOC was not changed"):
        await keep(hass, 80)
    assert (machine.word(116), machine.word(117)) == (50, 35)


async def test_the_reserve_is_for_who_may_change_settings(
    hass: HomeAssistant, plant: SimulatedPlant
) -> None:
    """There is none in the tier that only looks."""
    await load_plant(hass, plant, {"tier": "read_only"})
    assert find(hass, Platform.NUMBER, "battery_reserve") is None


async def test_a_lead_battery_that_is_run_by_voltage_has_no_reserve_in_percent(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """It comes and goes as the other numbers in percent do."""
    for operation, chemistry, there in ((0, 0, False), (1, 0, True)):
        plant.machine().panel_change(111, operation)
        plant.machine().panel_change(98, chemistry)
        await refresh(hass, loaded, Group.SETTINGS)
        assert (find(hass, Platform.NUMBER, "battery_reserve") is not None) is there


async def test_the_reserve_of_a_saj_follows_its_mode(
    hass: HomeAssistant, saj: SimulatedPlant
) -> None:
    """With the grid it is the least that it discharges to; in the backup mode it has one of its own."""
    saj.machine().panel_change(0x3644, 20)
    saj.machine().panel_change(0x3645, 10)
    saj.machine().panel_change(0x3646, 90)
    saj.machine().panel_change(0x3651, 50)
    entry = await set_up(hass, saj)
    # Its firmware is not known yet, which loads the entry again.
    await hass.async_block_till_done(wait_background_tasks=True)
    shown = state(hass, Platform.NUMBER, "battery_reserve", SAJ_SERIAL)
    assert (shown.state, shown.attributes["min"], shown.attributes["max"]) == ("20", 16, 100)
    await keep(hass, 90, SAJ_SERIAL)
    assert written(saj) == [(0x3646, 96), (0x3644, 90)]
    await unit_of(entry).device.undo()
    assert written(saj)[2:] == [(0x3644, 20), (0x3646, 90)]
    saj.machine().panel_change(0x3647, 2)
    await refresh(hass, entry, Group.SETTINGS)
    shown = state(hass, Platform.NUMBER, "battery_reserve", SAJ_SERIAL)
    assert (shown.state, shown.attributes["min"], shown.attributes["max"]) == ("50", 20, 100)
    await keep(hass, 60, SAJ_SERIAL)
    assert written(saj)[4:] == [(0x3651, 60)]
    assert 0x3645 not in dict(written(saj))
