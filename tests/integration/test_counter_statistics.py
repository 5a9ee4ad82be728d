"""What the recorder's statistics make of the counters of machines that wake up, stumble and are exchanged: kWh."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)
from pytest_homeassistant_custom_component.typing import RecorderInstanceContextManager

from custom_components.hybrid_inverter.modbus.model.register import Group
from simulator import SimulatedPlant
from tests.modbus.fault_server import FaultServer

from .helpers import entity, refresh, state
from .pictured import PicturedMachine
from .test_entities_meters import THREE, set_up

# Two in the afternoon where the tests are at home.
BEGIN: Final = "2026-06-21 21:00:00+00:00"
PERIOD: Final = timedelta(minutes=5)

# Low and high word of the PV's total, and the PV's energy of today, 0.1 kWh a step.
PV_TOTAL: Final = (534, 535)
PV_TODAY: Final = 529
# The counters of import and export of the pictured three-phase meter, whose import is 12345.678 kWh.
METER_COUNTERS: Final = range(0x101E, 0x1032)

pytestmark = [
    pytest.mark.freeze_time(BEGIN),
    pytest.mark.usefixtures("recorder_mock", "loop_goes_on"),
]


@pytest.fixture
async def mock_recorder_before_hass(
    async_test_recorder: RecorderInstanceContextManager,
) -> None:
    """Have a recorder before there is a Home Assistant."""


async def counted(hass: HomeAssistant, entity_id: str, begin: datetime) -> float | None:
    """Return what the statistics have counted of an entity until now."""
    await async_wait_recording_done(hass)
    start = begin
    while start <= dt_util.utcnow():
        do_adhoc_statistics(hass, start=start)
        start += PERIOD
    await async_wait_recording_done(hass)
    rows = await get_instance(hass).async_add_executor_job(
        statistics_during_period, hass, begin, None, {entity_id}, "5minute", None, {"sum"}
    )
    total = rows[entity_id][-1].get("sum") if rows else None
    return None if total is None else round(total, 3)


@pytest.fixture
def put(picture: FaultServer) -> Callable[[str, int], None]:
    """Return how to set a counter of the JSO, in steps of 0.1 kWh."""

    def set_words(key: str, steps: int) -> None:
        if key == "pv_energy_today":
            picture.memory[1, PV_TODAY] = steps
            return
        picture.memory[1, PV_TOTAL[0]] = steps & 0xFFFF
        picture.memory[1, PV_TOTAL[1]] = steps >> 16

    return set_words


@pytest.mark.parametrize(
    ("key", "readings", "interval", "growth"),
    [
        # A machine that was never read before is not awake for five minutes.
        ("pv_energy_total", [0, 0, 0, 0, 0, 123456, 123457, 123458], 60, 0.2),
        # Nor is it for five minutes an hour later.
        ("pv_energy_total", [123456, 0, 0, 0, 0, 0, 123458], 60, 0.2),
        # The high half of the number is one ahead for five minutes.
        ("pv_energy_total", [123456, *[123456 + 0x10000] * 5, 123458], 60, 0.2),
        # It has just been built, and counts on.
        ("pv_energy_total", [*[0] * 12, 1, 3], 60, 0.3),
        # Its board is exchanged: the new one has 2 kWh, and what it counts from then on is counted.
        ("pv_energy_total", [123456, *[20] * 11, 23], 60, 2.3),
        # It stumbles at two in the afternoon.
        ("pv_energy_today", [295, 0, 0, 0, 0, 296], 60, 0.1),
        ("pv_energy_today", [295, 0, 0, 0, 296], 10, 0.1),
        ("pv_energy_today", [295, *[0] * 59, 296], 10, 0.1),
        # It stumbles to less, and to more, than it had.
        ("pv_energy_today", [295, 100, 100, 100, 100, 297], 60, 0.2),
        ("pv_energy_today", [295, 6553, 6553, 6553, 6553, 297], 60, 0.2),
        # Its clock is set, and its day begins again: 0.4 kWh more.
        ("pv_energy_today", [295, *[0] * 12, 4], 60, 0.4),
    ],
)
async def test_statistics_count_what_was_produced(
    hass: HomeAssistant,
    pictured: MockConfigEntry,
    put: Callable[[str, int], None],
    freezer: FrozenDateTimeFactory,
    key: str,
    readings: Sequence[int],
    interval: int,
    growth: float,
) -> None:
    """And not what the machine has said in between."""
    begin = dt_util.utcnow()
    put(key, readings[0])
    assert await hass.config_entries.async_setup(pictured.entry_id)
    await hass.async_block_till_done()
    for steps in readings[1:]:
        freezer.tick(timedelta(seconds=interval))
        put(key, steps)
        await refresh(hass, pictured, Group.ENERGY)
    assert await counted(hass, entity(hass, Platform.SENSOR, key), begin) == growth


async def live_through_two_restarts(
    hass: HomeAssistant, pictured: MockConfigEntry, freezer: FrozenDateTimeFactory, key: str
) -> set[str]:
    """Let eight minutes pass, load the entry again, and do both once more; what the counter showed."""
    shown = set()
    for _ in range(2):
        for _ in range(8):
            freezer.tick(timedelta(minutes=1))
            await refresh(hass, pictured, Group.ENERGY)
            shown.add(state(hass, Platform.SENSOR, key).state)
        assert await hass.config_entries.async_reload(pictured.entry_id)
        await hass.async_block_till_done()
    return shown


async def test_a_restart_in_a_stumble_makes_no_energy(
    hass: HomeAssistant,
    pictured: MockConfigEntry,
    put: Callable[[str, int], None],
    freezer: FrozenDateTimeFactory,
) -> None:
    """Eight minutes of 0, the entry loaded again, eight more, and the day goes on with 0.1 kWh more than before."""
    begin = dt_util.utcnow()
    put("pv_energy_today", 295)
    assert await hass.config_entries.async_setup(pictured.entry_id)
    await hass.async_block_till_done()
    put("pv_energy_today", 0)
    assert await live_through_two_restarts(hass, pictured, freezer, "pv_energy_today") == {"29.5"}
    put("pv_energy_today", 296)
    freezer.tick(timedelta(minutes=1))
    await refresh(hass, pictured, Group.ENERGY)
    entity_id = entity(hass, Platform.SENSOR, "pv_energy_today")
    assert await counted(hass, entity_id, begin) == 0.1


async def test_a_restart_in_the_sleep_of_a_new_machine_makes_no_energy(
    hass: HomeAssistant,
    pictured: MockConfigEntry,
    put: Callable[[str, int], None],
    freezer: FrozenDateTimeFactory,
) -> None:
    """Eight minutes of 0, the entry loaded again, eight more, and then it says 12345.6."""
    begin = dt_util.utcnow()
    put("pv_energy_total", 0)
    assert await hass.config_entries.async_setup(pictured.entry_id)
    await hass.async_block_till_done()
    assert await live_through_two_restarts(hass, pictured, freezer, "pv_energy_total") == {
        "unknown"
    }
    for steps in (123456, 123457):
        put("pv_energy_total", steps)
        freezer.tick(timedelta(minutes=1))
        await refresh(hass, pictured, Group.ENERGY)
    entity_id = entity(hass, Platform.SENSOR, "pv_energy_total")
    assert await counted(hass, entity_id, begin) == 0.1


async def test_a_meter_that_is_not_awake_makes_no_energy(
    hass: HomeAssistant, house: SimulatedPlant, freezer: FrozenDateTimeFactory
) -> None:
    """Its import is 0 for five minutes, and 12345.678 kWh from then on."""
    begin = dt_util.utcnow()
    meter = house.machines[11]
    assert isinstance(meter, PicturedMachine)
    awake = dict(meter.words)
    meter.words |= dict.fromkeys(METER_COUNTERS, 0)
    entry = await set_up(hass, house, 11)
    for _ in range(4):
        freezer.tick(timedelta(minutes=1))
        await refresh(hass, entry, Group.ENERGY)
    meter.words = awake
    for _ in range(2):
        freezer.tick(timedelta(minutes=1))
        await refresh(hass, entry, Group.ENERGY)
    shown = state(hass, Platform.SENSOR, "import_energy_total", THREE)
    assert shown.state == "12345.678"
    assert await counted(hass, shown.entity_id, begin) == 0
