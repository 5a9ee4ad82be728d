"""A schedule that its owner sets while an order of the battery is in force."""

from typing import Any, Final

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.hybrid_inverter.const import DOMAIN
from simulator import SimulatedPlant

from .helpers import SERIAL, unit_of
from .test_control_actions import HELD, TABLE, act, device_of, table, written
from .test_schedule_windows import SERIAL as SAJ, set_up as set_up_saj

# 10:01 in Berlin, as the machine's clock shows.
MORNING: Final = "2026-06-21 08:01:00+00:00"
WINDOW: Final = {"start": "01:00", "end": "05:00", "target": 90, "grid_charge": True}
# From 01:00 to 05:00 up to 90 %, otherwise down to the 35 % of Low SOC with 8000 W; spare slots halve the longest one.
NIGHT: Final = (
    *(100, 500, 730, 1000, 1500, 2000),
    *(8000, 8000, 8000, 8000, 8000, 8000),
    *(90, 35, 35, 35, 35, 35),
    *(1, 0, 0, 0, 0, 0),
)

pytestmark = [pytest.mark.freeze_time(MORNING), pytest.mark.usefixtures("in_berlin")]


def table_without_volts(plant: SimulatedPlant) -> tuple[int, ...]:
    """Return starts, watts, percent and flags of the six slots; volts stay as they were."""
    words = table(plant)
    return words[:12] + words[18:]


async def test_a_schedule_set_during_a_hold_comes_into_its_own_when_the_hold_ends(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """The held hour stays where it is in the table."""
    await act(hass, "control_battery", mode="hold", duration=60)
    answer: Any = await act(hass, "set_schedule", windows=[WINDOW])
    assert [slot["start"] for slot in answer["slots"]] == [
        *("01:00", "05:00", "07:30"),
        *("10:00", "15:00", "20:00"),
    ]
    # 10:00 to 11:05 is still held.
    words = table(plant)
    assert (words[2:4], words[20]) == ((1000, 1105), 100)


async def test_what_was_set_during_a_hold_is_there_word_for_word_afterwards(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant, hass_admin_user: MockUser
) -> None:
    """Nothing is lost of it."""
    await act(hass, "control_battery", mode="hold", duration=60)
    await act(hass, "set_schedule", windows=[WINDOW])
    await act(hass, "release_battery", user=hass_admin_user)
    assert table_without_volts(plant) == NIGHT


async def test_a_dry_run_during_a_hold_changes_nothing(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """Neither the table, nor what was written."""
    await act(hass, "control_battery", mode="hold", duration=60)
    before = (table(plant), written(plant))
    answer: Any = await act(hass, "set_schedule", windows=[WINDOW], dry_run=True)
    assert answer["dry_run"] is True
    assert (table(plant), written(plant)) == before


async def test_the_slots_of_a_saj_that_no_order_touches_are_written_at_once(
    hass: HomeAssistant, saj: SimulatedPlant, hass_admin_user: MockUser
) -> None:
    """Their switches follow when the charge is over."""
    await set_up_saj(hass, saj, "discharge_slots")
    machine = saj.machine(1)
    await act(hass, "control_battery", SAJ, mode="charge", power=3000, duration=60)
    window = {"mode": "charge", "start": "02:00", "end": "04:00", "power": 3000}
    await act(hass, "set_schedule", SAJ, windows=[window])
    # 02:00, 04:00, every day with half of the 6 kW; the slot is on when the charge is over.
    assert [machine.word(0x3606 + place) for place in range(3)] == [0x0200, 0x0400, 0x7F32]
    await act(hass, "release_battery", SAJ, user=hass_admin_user)
    assert machine.word(0x3604) == 1


# ---------------------------------------------------------------------- undone


async def undo(hass: HomeAssistant, serial: str = SERIAL) -> None:
    """Undo the last change, as a person."""
    await hass.services.async_call(
        DOMAIN, "undo_last_change", {ATTR_DEVICE_ID: device_of(hass, serial)}, blocking=True
    )


async def test_a_schedule_set_during_a_hold_is_undone_during_it(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant, hass_admin_user: MockUser
) -> None:
    """The hold goes on over the table that was before, which is there when it ends."""
    await act(hass, "control_battery", mode="hold", duration=60)
    await act(hass, "set_schedule", windows=[WINDOW])
    assert table(plant) != HELD
    await undo(hass)
    assert table(plant) == HELD
    assert (await act(hass, "get_control"))["mode"] == "hold"
    await act(hass, "release_battery", user=hass_admin_user)
    assert table(plant) == TABLE
    with pytest.raises(ServiceValidationError) as caught:
        await undo(hass)
    assert caught.value.translation_key == "nothing_to_undo"


async def test_a_schedule_set_during_a_hold_is_undone_after_it(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant, hass_admin_user: MockUser
) -> None:
    """As if it had been written when it was set."""
    await act(hass, "control_battery", mode="hold", duration=60)
    await act(hass, "set_schedule", windows=[WINDOW])
    await act(hass, "release_battery", user=hass_admin_user)
    assert table_without_volts(plant) == NIGHT
    await undo(hass)
    assert table(plant) == TABLE


async def test_a_schedule_set_before_a_hold_is_undone_during_it(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    plant: SimulatedPlant,
    hass_admin_user: MockUser,
) -> None:
    """The held hour stays over the table that was before, which is there when it ends."""
    await act(hass, "set_schedule", windows=[WINDOW])
    await act(hass, "control_battery", mode="hold", duration=60)
    held = table(plant)
    await undo(hass)
    assert (table(plant)[2:4], table(plant)[20]) == ((1000, 1105), 100)
    assert table(plant) != held
    await act(hass, "release_battery", user=hass_admin_user)
    assert table(plant) == TABLE


async def test_a_schedule_that_was_changed_at_the_panel_during_a_hold_is_not_undone(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """The target of the first slot is another one, by the panel; that is said, and stays."""
    await act(hass, "control_battery", mode="hold", duration=60)
    await act(hass, "set_schedule", windows=[WINDOW])
    plant.machine().panel_change(166, 70)
    with pytest.raises(ServiceValidationError) as caught:
        await undo(hass)
    assert caught.value.translation_key == "changed_elsewhere"
    assert table(plant)[18] == 70
    with pytest.raises(ServiceValidationError) as caught:
        await undo(hass)
    assert caught.value.translation_key == "nothing_to_undo"


async def test_the_slots_of_a_saj_are_undone_during_a_charge(
    hass: HomeAssistant, saj: SimulatedPlant, hass_admin_user: MockUser
) -> None:
    """At once where no order is in their place; their switches are off when it is over."""
    await set_up_saj(hass, saj, "discharge_slots")
    machine = saj.machine(1)
    places = [*range(0x3604, 0x3630), 0x3647]
    before = [machine.word(place) for place in places]
    await act(hass, "control_battery", SAJ, mode="charge", power=3000, duration=60)
    window = {"mode": "charge", "start": "02:00", "end": "04:00", "power": 3000}
    await act(hass, "set_schedule", SAJ, windows=[window])
    assert machine.word(0x3606) == 0x0200
    await undo(hass, SAJ)
    assert machine.word(0x3606) == before[2]
    assert (await act(hass, "get_control", SAJ))["mode"] == "charge"
    await act(hass, "release_battery", SAJ, user=hass_admin_user)
    assert [machine.word(place) for place in places] == before


async def test_what_cannot_be_set_beside_an_order_is_refused_with_the_reason(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """In a fault no order can be planned over another schedule: neither a new one, nor the one that was before."""
    await act(hass, "control_battery", mode="hold", duration=60)
    await act(hass, "set_schedule", windows=[WINDOW])
    before = (table(plant), written(plant))
    plant.machine().trouble.faults = frozenset({63})
    # What has just been polled is read again.
    unit_of(loaded).machine.doubt()
    later = {**WINDOW, "end": "04:00"}
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "set_schedule", windows=[later])
    assert caught.value.translation_key == "control_fault"
    with pytest.raises(ServiceValidationError) as caught:
        await undo(hass)
    assert caught.value.translation_key == "control_fault"
    assert (table(plant), written(plant)) == before
