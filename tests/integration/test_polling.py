"""What a poll costs Home Assistant, and who hears of it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
import math
from pathlib import Path
import sys
from types import CodeType
from typing import Any, Final
from unittest.mock import Mock

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.select import DATA_COMPONENT as SELECTS
from homeassistant.const import STATE_UNAVAILABLE, Platform
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.hybrid_inverter.control.select import ControlSelect
from custom_components.hybrid_inverter.modbus.device.device import Snapshot
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.runtime.coordinator import GroupCoordinator
from custom_components.hybrid_inverter.runtime.ticks import (
    TICKS,
    async_every_minute,
    async_every_tick,
)
from simulator import SimulatedPlant

from .helpers import entity, refresh, state, timers_of, unit_of

INTEGRATION: Final = str(Path(__file__).parents[2] / "custom_components" / "hybrid_inverter")


@dataclass
class Costs:
    """What was counted while something ran."""

    timers: int = 0
    tasks: int = 0
    # The functions of the integration that were entered, each with the file that it is in.
    calls: list[tuple[str, str]] = field(default_factory=list)

    def entered(self, folder: str) -> list[str]:
        """The functions of a folder of the integration that were entered."""
        return [name for path, name in self.calls if path.startswith(f"{INTEGRATION}/{folder}")]


@contextmanager
def counted() -> Iterator[Costs]:
    """Count timers, tasks, and the functions of the integration that are entered."""
    costs = Costs()

    def enter(code: CodeType, _offset: int) -> None:
        if code.co_qualname == "BaseEventLoop.call_at":
            costs.timers += 1
        elif code.co_qualname in ("create_eager_task", "BaseEventLoop.create_task"):
            costs.tasks += 1
        elif code.co_filename.startswith(INTEGRATION):
            costs.calls.append((code.co_filename, code.co_qualname))

    monitoring, tool = sys.monitoring, sys.monitoring.PROFILER_ID
    monitoring.use_tool_id(tool, "test")
    monitoring.register_callback(tool, monitoring.events.PY_START, enter)
    monitoring.set_events(tool, monitoring.events.PY_START)
    try:
        yield costs
    finally:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)


@pytest.fixture
async def same_words(
    loaded: MockConfigEntry, plant: SimulatedPlant, monkeypatch: pytest.MonkeyPatch
) -> MockConfigEntry:
    """An inverter that answers at once, and with the same words as before."""
    device = unit_of(loaded).device
    # Where a slot cannot charge, that is looked after with every poll.
    plant.machine().panel_change(130, 1)
    await unit_of(loaded).coordinators[Group.SETTINGS].async_refresh()

    async def poll(keys: Any, _until: float) -> Snapshot:
        return device.snapshot(keys)

    monkeypatch.setattr(device, "poll", poll)
    return loaded


async def test_a_poll_in_which_nothing_moves_takes_one_timer_and_one_task_and_calls_no_entity(
    same_words: MockConfigEntry,
) -> None:
    """The task of this poll, and the timer of the next one; the coordinator's own functions, and few of them."""
    coordinator = unit_of(same_words).coordinators[Group.POWER]
    # What was put together for entities that came later is polled once.
    await coordinator.async_refresh()
    (timer,) = timers_of(coordinator)
    shown = coordinator.data
    with counted() as costs:
        timer._run()
    timer.cancel()
    assert coordinator.data is shown
    assert coordinator.last_update_success
    assert (costs.timers, costs.tasks) == (1, 1)
    assert [name.rpartition(".")[2] for name in costs.entered("runtime")] == [
        "_poll_on_time",
        "_run",
        "_async_poll_on_time",
        "_async_update_data",
        "take",
        "must_restore",
        "_schedule_refresh",
        "_next_time",
        "_async_refresh_finished",
        "_due",
    ]
    for folder in ("entities", "sensor", "number", "plant", "schedule"):
        assert costs.entered(folder) == []


async def test_a_poll_over_a_socket_enters_few_functions(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """From the timer to the next one. It entered 113 before read requests were kept, and what nobody waits for was asked."""
    await hass.async_block_till_done(wait_background_tasks=True)
    powers = unit_of(loaded).coordinators[Group.POWER]
    # However slow the computer is, nothing else is due.
    for other in powers.dependents:
        other.due_at = math.inf
    await powers.async_refresh()
    # The line cools down.
    await asyncio.sleep(0.1)
    (timer,) = timers_of(powers)
    began = powers.began
    with counted() as costs:
        timer._run()
        timer.cancel()
        await hass.async_block_till_done(wait_background_tasks=True)
    assert powers.began > began
    # The simulated machine is in the same process, and uses the tables.
    entered = [
        len(costs.entered(folder)) for folder in ("runtime", "modbus/device", "modbus/transport")
    ]
    assert 0 < sum(entered) <= 80, entered


# The schedule follows the clock and the time zone, too, which no setting shows.
LOOK_AT_THE_CLOCK: Final = [
    "ScheduleView.async_polled",
    "ScheduleView.outlook",
    "ScheduleView.schedule",
    # So does whether the clock of the machine matters.
    "ClockWatch._polled",
    "ScheduleView.schedule",
    # And whether it can charge.
    "ChargeWatch._polled",
    "ScheduleView.schedule",
]


async def test_other_groups_are_polled_behind_the_powers_in_one_task_and_without_a_timer(
    same_words: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When all are due, nothing of the settings moves, either: they look at the clock, and no entity is called."""
    coordinators = unit_of(same_words).coordinators
    for coordinator in coordinators.values():
        await coordinator.async_refresh()
    others = (Group.FAULTS, Group.ENERGY, Group.SETTINGS)
    assert [timers_of(coordinators[group]) for group in (*others, Group.IDENTITY)] == [[]] * 4
    loop = asyncio.get_running_loop()
    later = loop.time() + 300
    monkeypatch.setattr(loop, "time", lambda: later)
    (timer,) = timers_of(coordinators[Group.POWER])
    with counted() as costs:
        timer._run()
    timer.cancel()
    assert [coordinators[group].began == later for group in Group] == [
        group is not Group.IDENTITY for group in Group
    ]
    # The timer of the powers, and their task, in which the others are polled as well.
    assert (costs.timers, costs.tasks) == (1, 1)
    assert costs.entered("schedule") == LOOK_AT_THE_CLOCK
    for folder in ("number", "select", "switch", "plant"):
        assert costs.entered(folder) == []


@pytest.mark.parametrize(
    ("powers", "faults", "energy", "settings"),
    [(1, 15, 60, 300), (4, 16, 60, 300), (5, 15, 60, 300), (7, 14, 63, 301), (60, 60, 60, 300)],
)
async def test_other_groups_are_polled_evenly_with_the_poll_of_the_powers_next_to_their_time(
    hass: HomeAssistant,
    same_words: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    powers: int,
    faults: int,
    energy: int,
    settings: int,
) -> None:
    """Every n-th poll of the powers brings another group, however late the powers were answered."""
    coordinators = unit_of(same_words).coordinators
    primary = coordinators[Group.POWER]
    primary.interval = powers
    coordinators[Group.FAULTS].interval = max(15, powers)
    began = clock = hass.loop.time()
    monkeypatch.setattr(hass.loop, "time", lambda: clock)
    for coordinator in coordinators.values():
        await coordinator.async_refresh()
    polled: dict[Group, list[float]] = {group: [] for group in Group}
    for number in range(1, 603 // powers + 1):
        # They are never quite in time.
        clock = began + number * powers + number % 3 / 10
        await primary.async_refresh()
        for group, coordinator in coordinators.items():
            if coordinator.began == clock:
                polled[group].append(round(clock - began))
    for timer in timers_of(primary):
        timer.cancel()
    assert polled[Group.FAULTS][:4] == [faults, 2 * faults, 3 * faults, 4 * faults]
    assert polled[Group.ENERGY][:3] == [energy, 2 * energy, 3 * energy]
    assert polled[Group.SETTINGS][:2] == [settings, 2 * settings]
    assert polled[Group.IDENTITY] == []


async def test_a_group_that_is_polled_more_often_than_the_powers_has_a_timer(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """A person has chosen so."""
    options = {"power_interval": 60, "energy_interval": 30}
    hass.config_entries.async_update_entry(entry, options=options)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    coordinators = unit_of(entry).coordinators
    assert [len(timers_of(coordinators[group])) for group in (Group.ENERGY, Group.SETTINGS)] == [
        1,
        0,
    ]
    await hass.config_entries.async_unload(entry.entry_id)


async def test_another_group_has_a_timer_while_nobody_shows_the_powers(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """As soon as the last one who does is gone; and none when somebody does again."""
    machine = unit_of(loaded).machine
    powers = GroupCoordinator(hass, loaded, machine, Group.POWER)
    settings = GroupCoordinator(hass, loaded, machine, Group.SETTINGS, powers)
    stop_settings = settings.async_add_listener(Mock())
    assert len(timers_of(settings)) == 1
    stop_powers = powers.async_add_listener(Mock())
    await settings.async_refresh()
    assert (len(timers_of(powers)), len(timers_of(settings))) == (1, 0)
    stop_powers()
    assert (len(timers_of(powers)), len(timers_of(settings))) == (0, 1)
    stop_settings()
    assert timers_of(settings) == []
    # With the last one goes what was due.
    await powers.async_refresh()
    assert settings.due_at == math.inf


async def test_powers_are_polled_while_a_long_read_of_another_group_goes_on(
    hass: HomeAssistant, same_words: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The group that takes so long is not polled again before it is there."""
    unit = unit_of(same_words)
    powers, settings = unit.coordinators[Group.POWER], unit.coordinators[Group.SETTINGS]
    answer, asked = asyncio.Event(), []

    async def poll(keys: Any, _until: float) -> Snapshot:
        if keys == settings.keys:
            asked.append("settings")
            await answer.wait()
        return unit.device.snapshot(keys)

    monkeypatch.setattr(unit.device, "poll", poll)
    clock = hass.loop.time()
    monkeypatch.setattr(hass.loop, "time", lambda: clock)
    for _ in range(3):
        clock += 300
        await powers.async_refresh()
        assert powers.began == clock
    assert asked == ["settings"]
    answer.set()
    await hass.async_block_till_done(wait_background_tasks=True)
    clock += 300
    await powers.async_refresh()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert asked == ["settings", "settings"]


async def test_a_poll_asks_only_the_sensor_whose_value_has_changed_for_its_state(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """Of all that show one value of their own; the energy in the battery rests on several."""
    await hass.async_block_till_done(wait_background_tasks=True)
    unit = unit_of(loaded)
    coordinator = unit.coordinators[Group.POWER]
    await coordinator.async_refresh()
    # Battery temperature, 25.0 degrees more than 100.
    plant.machine().panel_change(586, 1234)
    snapshot = await unit.device.poll(coordinator.keys)
    assert snapshot.differences(coordinator.data) == {"battery_temperature"}
    with counted() as costs:
        coordinator.async_publish()
    asked = [name for name in costs.entered("entities") if name.startswith("ValueEntity")]
    assert asked.count("ValueEntity.async_handle_own_value") > 15
    assert asked.count("ValueEntity.state_key") <= 2


async def test_a_publish_of_the_settings_enters_a_tenth_of_the_functions_that_it_did(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """It entered 4,600 while each of three entities parsed the schedule, and each platform looked who exists."""
    await hass.async_block_till_done(wait_background_tasks=True)
    unit = unit_of(loaded)
    plant.machine().panel_change(143, 4321)
    await unit.device.poll(unit.coordinators[Group.SETTINGS].keys)
    with counted() as costs:
        unit.async_publish(Group.SETTINGS)
    assert state(hass, Platform.NUMBER, "max_sell_power").state == "4321"
    assert 0 < len(costs.calls) <= 360


# A setting of a mode that is not chosen: no entity shows it, and the first poll has read it.
OF_ANOTHER_MODE: Final = "smart_load_on_soc"


async def test_a_minute_in_which_nothing_moves_costs_the_select_of_battery_control_few_functions(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """It looks every minute, as a slot may begin. It entered 680 while it decoded all settings each time."""
    await hass.async_block_till_done(wait_background_tasks=True)
    select = hass.data[SELECTS].get_entity(entity(hass, Platform.SELECT, "battery_control"))
    assert isinstance(select, ControlSelect)
    select._look()
    with counted() as costs:
        select._look()
    assert "ControlSelect._look" in [name for _, name in costs.calls]
    assert len(costs.calls) <= 275


async def test_a_poll_of_no_fault_once_more_calls_nobody(
    hass: HomeAssistant, same_words: MockConfigEntry
) -> None:
    """Without a code or an outage there is nothing that time alone would change."""
    faults = unit_of(same_words).coordinators[Group.FAULTS]
    await faults.async_refresh()
    with counted() as costs:
        await faults.async_refresh()
    assert [name for path, name in costs.calls if path.endswith(("faults.py", "event.py"))] == [
        "FaultMonitor._handle_poll"
    ]


async def test_what_is_looked_at_now_and_then_has_one_timer(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The figures of the link, the orders and the mode in force, until nobody looks any more."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(timers_of(hass.data[TICKS])) == 1
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=31))
    assert len(timers_of(hass.data[TICKS])) == 1
    await hass.config_entries.async_unload(entry.entry_id)
    assert timers_of(hass.data[TICKS]) == []


@pytest.mark.parametrize("begin", ["08:01:00", "08:01:01", "08:01:20", "08:01:59"])
async def test_orders_are_looked_at_twice_a_minute_and_the_rest_once(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, begin: str
) -> None:
    """A second after the full minute and after the half, whenever that has begun."""
    freezer.move_to(f"2026-06-21 {begin}+00:00")
    often: list[str] = []
    seldom: list[str] = []
    stops = [
        async_every_tick(hass, lambda: often.append(f"{dt_util.utcnow():%H:%M:%S}")),
        async_every_minute(hass, lambda: seldom.append(f"{dt_util.utcnow():%H:%M:%S}")),
    ]
    while f"{dt_util.utcnow():%H:%M:%S}" < "08:04:00":
        freezer.tick()
        async_fire_time_changed(hass)
    assert often[-4:] == ["08:02:01", "08:02:31", "08:03:01", "08:03:31"]
    assert seldom == ["08:02:01", "08:03:01"]
    for stop in stops:
        stop()


async def test_what_fails_now_and_then_does_not_keep_the_others_from_being_called(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and called again the next time."""
    fails, works = Mock(side_effect=ZeroDivisionError), Mock()
    stops = [async_every_tick(hass, tick) for tick in (fails, works)]
    for _ in range(2):
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=31))
    assert (fails.call_count, works.call_count) == (2, 2)
    assert "ZeroDivisionError" in caplog.text
    for stop in stops:
        stop()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=31))
    assert works.call_count == 2


async def test_what_entities_are_about_to_show_outlasts_the_poll_that_was_under_way(
    loaded: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to a poll for fewer keys does not make a new entity unavailable."""
    coordinator = unit_of(loaded).coordinators[Group.SETTINGS]
    device = unit_of(loaded).device
    await coordinator.async_refresh()
    assert OF_ANOTHER_MODE not in coordinator.data.values

    async def poll(keys: Any, _until: float) -> Snapshot:
        coordinator.async_expect([OF_ANOTHER_MODE])
        return device.snapshot(keys)

    monkeypatch.setattr(device, "poll", poll)
    await coordinator.async_refresh()
    assert OF_ANOTHER_MODE in coordinator.data.values


async def test_what_entities_are_about_to_show_outlasts_a_write_before_they_are_added(
    loaded: MockConfigEntry,
) -> None:
    """They were polled for already, and nothing would ask for them again within the interval."""
    coordinator = unit_of(loaded).coordinators[Group.SETTINGS]
    coordinator.async_expect([OF_ANOTHER_MODE])
    await coordinator.async_refresh()
    assert OF_ANOTHER_MODE in coordinator.data.values
    coordinator.async_publish()
    assert OF_ANOTHER_MODE in coordinator.data.values


async def test_a_poll_listener_that_fails_keeps_nobody_else_from_being_called(
    loaded: MockConfigEntry,
    plant: SimulatedPlant,
    hass: HomeAssistant,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What a poll has brought is shown, and the next poll comes; the error is in the log."""
    coordinator = unit_of(loaded).coordinators[Group.POWER]
    called: list[str] = []

    def fail() -> None:
        raise ValueError("a listener of a test")

    loaded.async_on_unload(coordinator.async_add_poll_listener(fail))
    loaded.async_on_unload(coordinator.async_add_poll_listener(lambda: called.append("poll")))
    loaded.async_on_unload(coordinator.async_add_listener(lambda: called.append("values")))
    plant.machine().trouble.silent = True
    await refresh(hass, loaded, Group.POWER)
    plant.machine().trouble.silent = False
    assert called == ["values"]
    await refresh(hass, loaded, Group.POWER)
    assert called == ["values", "poll", "values"]
    assert "a listener of a test" in caplog.text


@pytest.mark.parametrize(("powers", "faults"), [(1, 15), (15, 15), (60, 60)])
async def test_fault_codes_are_polled_every_15_s_but_no_more_often_than_the_powers(
    hass: HomeAssistant, entry: MockConfigEntry, powers: int, faults: int
) -> None:
    """A person who has chosen a long interval for the powers wants a quiet line."""
    hass.config_entries.async_update_entry(entry, options={"power_interval": powers})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    coordinators = unit_of(entry).coordinators
    assert coordinators[Group.POWER].interval == powers
    assert coordinators[Group.FAULTS].interval == faults


async def test_a_poll_that_an_unload_cuts_off_is_no_fault(
    hass: HomeAssistant, loaded: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is logged: the link was closed from here."""
    await hass.async_block_till_done(wait_background_tasks=True)
    coordinator = unit_of(loaded).coordinators[Group.SETTINGS]
    poll = asyncio.create_task(coordinator.async_refresh())
    await asyncio.sleep(0)
    await loaded.runtime_data.link.close()
    await poll
    assert coordinator.last_update_success
    assert "Error fetching" not in caplog.text


async def test_a_poll_that_an_unload_cuts_off_shows_nothing_that_was_not_shown(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """A machine that is silent when Home Assistant stops is not shown as if it had answered."""
    await hass.async_block_till_done(wait_background_tasks=True)
    powers = unit_of(loaded).coordinators[Group.POWER]
    plant.machine().trouble.silent = True
    await powers.async_refresh()
    assert not powers.last_update_success
    poll = asyncio.create_task(powers.async_refresh())
    await asyncio.sleep(0.05)
    await loaded.runtime_data.link.close()
    await poll
    assert not powers.last_update_success
    assert state(hass, Platform.SENSOR, "battery_soc").state == STATE_UNAVAILABLE
