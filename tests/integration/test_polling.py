"""What a poll costs Home Assistant, and who hears of it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
import sys
from types import CodeType
from typing import Any, Final

from homeassistant.const import STATE_UNAVAILABLE, Platform
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.modbus.device.device import Snapshot
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.runtime.coordinator import GroupCoordinator
from simulator import SimulatedPlant

from .helpers import refresh, state, unit_of

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
def same_words(loaded: MockConfigEntry, monkeypatch: pytest.MonkeyPatch) -> MockConfigEntry:
    """An inverter that answers at once, and with the same words as before."""
    device = unit_of(loaded).device

    async def poll(keys: Any, _until: float) -> Snapshot:
        return device.snapshot(keys)

    monkeypatch.setattr(device, "poll", poll)
    return loaded


def time_of_a_poll(coordinator: GroupCoordinator) -> asyncio.TimerHandle:
    """The timer of the next poll."""
    (timer,) = (
        handle
        for handle in coordinator.hass.loop._scheduled  # type: ignore[attr-defined]
        if handle._args
        and getattr(handle._args[0], "name", "") == f"{coordinator.name} refresh interval"
        and not handle.cancelled()
    )
    assert isinstance(timer, asyncio.TimerHandle)
    return timer


# The schedule follows the clock and the time zone, too, which no setting shows.
LOOK_AT_THE_CLOCK: Final = [
    "ScheduleView.async_polled",
    "ScheduleView.outlook",
    "ScheduleView.schedule",
    # So does whether the clock of the machine matters.
    "ClockWatch._polled",
    "ScheduleView.schedule",
]
# Whether what was written was changed elsewhere, and whether a change was broken off: a look at what is kept of that.
LOOK_AT_WHAT_WAS_WRITTEN: Final = ["compare", "polled", "device"]


@pytest.mark.parametrize(
    ("group", "written", "schedule"),
    [
        (Group.POWER, [], []),
        (Group.SETTINGS, LOOK_AT_WHAT_WAS_WRITTEN, LOOK_AT_THE_CLOCK),
    ],
)
async def test_a_poll_in_which_nothing_moves_takes_one_timer_and_one_task_and_calls_no_entity(
    same_words: MockConfigEntry, group: Group, written: list[str], schedule: list[str]
) -> None:
    """The task of this poll, and the timer of the next one; the coordinator's own functions, and few of them."""
    coordinator = unit_of(same_words).coordinators[group]
    # What was put together for entities that came later is polled once.
    await coordinator.async_refresh()
    timer = time_of_a_poll(coordinator)
    shown = coordinator.data
    with counted() as costs:
        timer._run()
    timer.cancel()
    assert coordinator.data is shown
    assert coordinator.last_update_success
    assert (costs.timers, costs.tasks) == (1, 1)
    assert [name.rpartition(".")[2] for name in costs.entered("runtime")] == [
        "_async_update_data",
        "_async_poll",
        "keys",
        "must_restore",
        "_keep_pace",
        "_async_refresh_finished",
        *written,
    ]
    assert costs.entered("schedule") == schedule
    for folder in ("entities", "sensor", "number", "plant"):
        assert costs.entered(folder) == []


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
    assert 0 < len(costs.calls) <= 480


# A setting of a mode that is not chosen: no entity shows it, and the first poll has read it.
OF_ANOTHER_MODE: Final = "smart_load_on_soc"


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
    assert coordinators[Group.POWER].interval == timedelta(seconds=powers)
    assert coordinators[Group.FAULTS].interval == timedelta(seconds=faults)


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
