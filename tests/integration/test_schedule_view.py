"""One view of the schedule for all entities of a unit: how often it is parsed, and when it looks at the clock."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import ATTR_ENTITY_ID, STATE_OFF, STATE_ON, STATE_UNAVAILABLE, Platform
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.hybrid_inverter.entry import texts
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.schedule import occurrences
from custom_components.hybrid_inverter.modbus.schedule.charge_windows import ChargeWindows
from custom_components.hybrid_inverter.modbus.schedule.six_slots import SixSlots
from custom_components.hybrid_inverter.schedule import view
from custom_components.hybrid_inverter.schedule.view import VIEWS
from simulator import SimulatedPlant

from .helpers import entity, refresh, state, unit_of

SHOWN: Final = (
    (Platform.CALENDAR, "schedule"),
    (Platform.SENSOR, "active_slot"),
    (Platform.SENSOR, "next_schedule_change"),
)


@pytest.fixture(autouse=True)
async def _berlin(hass: HomeAssistant) -> None:
    """Live in a time zone with summer time."""
    await hass.config.async_set_time_zone("Europe/Berlin")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a schedule was parsed, and a wall-clock time converted."""
    counted: Counter[str] = Counter()

    def count(owner: Any, name: str, kind: str) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        def counting(*args: Any, **kwargs: Any) -> Any:
            counted[kind] += 1
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, counting)

    count(SixSlots, "read", "parsed")
    count(ChargeWindows, "read", "parsed")
    count(occurrences, "utc_of", "converted")
    count(view, "outlook_of", "looked")
    count(view, "async_track_point_in_utc_time", "timers")
    return counted


async def set_number(hass: HomeAssistant, key: str, value: float) -> None:
    """Write a number as a person does."""
    await hass.services.async_call(
        "number",
        "set_value",
        {ATTR_ENTITY_ID: entity(hass, Platform.NUMBER, key), "value": value},
        blocking=True,
    )
    await hass.async_block_till_done()


@pytest.mark.freeze_time("2026-06-10 10:00:30", tick=True)
async def test_a_write_of_another_setting_does_not_parse_the_schedule(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, calls: Counter[str]
) -> None:
    """The schedule is what it was, and no time of day is converted to find that out."""
    await set_number(hass, "max_sell_power", 4000)
    assert plant.machine().word(143) == 4000
    assert calls == Counter()


@pytest.mark.freeze_time("2026-06-10 10:00:30", tick=True)
async def test_a_poll_of_the_same_settings_does_not_parse_the_schedule(
    hass: HomeAssistant, loaded: MockConfigEntry, calls: Counter[str]
) -> None:
    """Whatever a poll brings besides, the three entities have nothing to do."""
    await refresh(hass, loaded, Group.SETTINGS)
    assert calls == Counter()


@pytest.mark.freeze_time("2026-06-10 10:00:30", tick=True)
async def test_a_change_of_the_schedule_is_parsed_once_for_all_entities(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, calls: Counter[str]
) -> None:
    """At noon in Berlin slot 4, with 80 %, is in force; at the display somebody sets it to 90 %."""
    plant.machine().panel_change(169, 90)
    await refresh(hass, loaded, Group.SETTINGS)
    assert state(hass, Platform.CALENDAR, "schedule").attributes["message"] == (
        "JSO8048104: Use battery down to 90 %"
    )
    assert (calls["parsed"], calls["looked"], calls["timers"]) == (1, 1, 1)


async def test_one_timer_tells_all_entities_of_the_next_slot(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    calls: Counter[str],
) -> None:
    """At 05:00 slot 1 ends: one look at the clock for three entities, and nothing is parsed."""
    freezer.move_to("2026-06-10 04:59:50+02:00")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert state(hass, Platform.SENSOR, "active_slot").state == "1"
    calls.clear()
    freezer.move_to("2026-06-10 05:00:01+02:00")
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert [state(hass, platform, key).state for platform, key in SHOWN] == [
        STATE_ON,
        "2",
        "2026-06-10T08:00:00+00:00",
    ]
    assert (calls["parsed"], calls["looked"], calls["timers"]) == (0, 1, 1)


@pytest.mark.freeze_time("2026-06-10 10:00:30", tick=True)
async def test_another_time_zone_moves_the_schedule(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """15:00 is two hours later in London's summer than 15:00 in Moscow."""
    await hass.config.async_set_time_zone("Europe/Moscow")
    await refresh(hass, loaded, Group.SETTINGS)
    assert state(hass, Platform.SENSOR, "next_schedule_change").state == "2026-06-10T12:00:00+00:00"
    await hass.config.async_set_time_zone("Europe/London")
    await refresh(hass, loaded, Group.SETTINGS)
    # 11:00 in London.
    assert state(hass, Platform.SENSOR, "next_schedule_change").state == "2026-06-10T14:00:00+00:00"


@pytest.mark.freeze_time("2026-06-10 10:00:30", tick=True)
async def test_the_clock_may_be_set_back(
    hass: HomeAssistant, loaded: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    """From noon to 09:30 in Berlin, which is in slot 3."""
    assert state(hass, Platform.SENSOR, "active_slot").state == "4"
    freezer.move_to("2026-06-10 07:30:00")
    unit_of(loaded).coordinators[Group.SETTINGS].async_update_listeners()
    assert state(hass, Platform.SENSOR, "active_slot").state == "3"


@pytest.mark.freeze_time("2026-06-10 10:00:30", tick=True)
async def test_a_schedule_that_cannot_be_read_comes_back_with_its_timer(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """For one poll nobody knows whether it is in force; at 15:00 in Berlin slot 5 starts all the same."""
    plant.machine().panel_change(146, 0xFFFF)
    await refresh(hass, loaded, Group.SETTINGS)
    assert state(hass, Platform.SENSOR, "active_slot").state == STATE_UNAVAILABLE
    plant.machine().panel_change(146, 0x00FF)
    await refresh(hass, loaded, Group.SETTINGS)
    assert state(hass, Platform.SENSOR, "active_slot").state == "4"
    freezer.move_to("2026-06-10 13:00:01")
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state(hass, Platform.SENSOR, "active_slot").state == "5"


async def test_the_view_goes_with_its_entry(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """A loaded unit has one for its three entities, an unloaded one none."""
    coordinator = unit_of(loaded).coordinators[Group.SETTINGS]
    assert list(hass.data[VIEWS]) == [coordinator]
    assert await hass.config_entries.async_unload(loaded.entry_id)
    assert hass.data[VIEWS] == {}


@pytest.mark.freeze_time("2026-06-10 10:00:30", tick=True)
async def test_the_calendar_speaks_the_language_of_the_house(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only the numbers and their units are ours; at noon slot 4 is in force."""
    path = "component.hybrid_inverter.selector.schedule_event.options."
    madeup = {
        f"{path}of_inverter": "{inverter} > {event}",
        f"{path}charge_from_grid": "Xx {target} xxxx",
        f"{path}battery_power": "Yyy {power}!",
        f"{path}generator_charge_switched_off": "Zz.",
    }
    monkeypatch.setattr(texts, "async_get_cached_translations", lambda *_: madeup)
    plant.machine().panel_change(129, 0)
    plant.machine().panel_change(130, 1)
    plant.machine().panel_change(175, 0x0003)
    await refresh(hass, loaded, Group.SETTINGS)
    shown = state(hass, Platform.CALENDAR, "schedule")
    assert shown.state != STATE_OFF
    assert shown.attributes["message"] == "JSO8048104 > Xx 80 % xxxx"
    assert shown.attributes["description"] == "Yyy 5000 W! Zz."
