"""The clock that a schedule rests on: a repair issue while it is off, which sets it where it can be set."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.runtime.issues import machine_tag
from simulator import SimulatedPlant

from .helpers import SERIAL, load_plant, refresh, unit_of
from .test_schedule_windows import SERIAL as SAJ_SERIAL, WORK_MODE, set_up

# 10:00:05 in Berlin.
MORNING: Final = "2026-06-21 08:00:05+00:00"
# Whether time of use is on (bit 0), and on which days.
TIME_OF_USE: Final = 146
CLOCK: Final = 62

pytestmark = [pytest.mark.freeze_time(MORNING), pytest.mark.usefixtures("in_berlin")]


def set_ahead(plant: SimulatedPlant, seconds: float) -> None:
    """Have the machine's clock run ahead of the local time by so many seconds."""
    local = dt_util.now().replace(tzinfo=None, microsecond=0)
    plant.machine().inverter.clock = local + timedelta(seconds=seconds)


def issue(hass: HomeAssistant, kind: str = "clock_off", serial: str = SERIAL) -> str | None:
    """Return what the issue says of the clock; None while there is none."""
    found = ir.async_get(hass).async_get_issue(DOMAIN, f"{machine_tag(serial)}_{kind}")
    return None if found is None else (found.translation_placeholders or {})["drift"]


def reads_of_the_clock(plant: SimulatedPlant) -> int:
    """Return how often the clock was read."""
    return sum(read.address <= CLOCK < read.address + read.count for read in plant.machine().reads)


async def polls(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    entry: MockConfigEntry,
    plant: SimulatedPlant,
    ahead: float,
    *minutes: float,
) -> None:
    """Poll the settings after each of these minutes, with a clock that is ahead by so many seconds."""
    for some in minutes:
        freezer.tick(timedelta(minutes=some))
        set_ahead(plant, ahead)
        plant.advance(0)
        await refresh(hass, entry, Group.SETTINGS)


@pytest.mark.parametrize(
    ("ahead", "told"),
    [
        (420, "0:07 h ahead of the local time"),
        (-305, "0:05 h behind the local time"),
        (
            3590,
            "one hour ahead of the local time, probably because it still shows daylight saving time",
        ),
        (
            -3660,
            "one hour behind the local time, probably because it does not show daylight saving time",
        ),
        (-108000, "30:00 h behind the local time"),
        (-180000, "more than 2 days behind the local time"),
        (14_000_000, "more than 162 days ahead of the local time"),
    ],
)
async def test_a_clock_that_is_off_is_an_issue_while_the_schedule_is_in_force(
    hass: HomeAssistant,
    *,
    plant: SimulatedPlant,
    freezer: FrozenDateTimeFactory,
    ahead: float,
    told: str,
) -> None:
    """Two readings in a row say so; it is withdrawn when nothing rests on the clock."""
    entry = await load_plant(hass, plant)
    await polls(hass, freezer, entry, plant, ahead, 11)
    assert issue(hass) is None
    await polls(hass, freezer, entry, plant, ahead, 5)
    assert issue(hass) == told
    plant.machine().panel_change(TIME_OF_USE, 0x00FE)
    await refresh(hass, entry, Group.SETTINGS)
    assert issue(hass) is None


async def test_a_clock_that_shows_no_time_is_an_issue(
    hass: HomeAssistant, plant: SimulatedPlant, freezer: FrozenDateTimeFactory
) -> None:
    """After a power cut it may show the year 2000."""
    entry = await load_plant(hass, plant)
    for minutes in (11, 5):
        freezer.tick(timedelta(minutes=minutes))
        plant.machine().panel_change(CLOCK, 0x0001)
        await refresh(hass, entry, Group.SETTINGS)
    assert issue(hass) == "without a valid time, as after a power cut"


async def test_the_issue_does_not_come_and_go(
    hass: HomeAssistant, plant: SimulatedPlant, freezer: FrozenDateTimeFactory
) -> None:
    """Below five minutes there is none, and one that is there stays until the clock is right to three."""
    entry = await load_plant(hass, plant)
    await polls(hass, freezer, entry, plant, 290, 11, 1500, 1500)
    assert issue(hass) is None
    await polls(hass, freezer, entry, plant, 320, 1500)
    assert issue(hass) is None
    # One reading that is right in between: it counts from the beginning.
    await polls(hass, freezer, entry, plant, 10, 5)
    await polls(hass, freezer, entry, plant, 320, 1500)
    assert issue(hass) is None
    await polls(hass, freezer, entry, plant, 320, 5)
    assert issue(hass) == "0:05 h ahead of the local time"
    await polls(hass, freezer, entry, plant, 200, 61)
    assert issue(hass) == "0:05 h ahead of the local time"
    await polls(hass, freezer, entry, plant, 170, 61)
    assert issue(hass) is None


async def test_a_clock_that_is_right_is_read_once_a_day_and_when_the_clocks_change(
    hass: HomeAssistant, plant: SimulatedPlant, freezer: FrozenDateTimeFactory
) -> None:
    """Not with every poll, and not at the start."""
    entry = await load_plant(hass, plant)
    await polls(hass, freezer, entry, plant, 0, 5)
    assert reads_of_the_clock(plant) == 0
    await polls(hass, freezer, entry, plant, 0, 6, 5, 5, 600)
    assert reads_of_the_clock(plant) == 1
    await polls(hass, freezer, entry, plant, 0, 900, 5)
    assert reads_of_the_clock(plant) == 2
    # The night of the 25th of October: at 03:00 it is 02:00 again.
    freezer.move_to("2026-10-25 00:50:00+00:00")
    await polls(hass, freezer, entry, plant, 0, 0)
    assert reads_of_the_clock(plant) == 3
    # The machine does not follow: an hour ahead, twice in a row.
    await polls(hass, freezer, entry, plant, 3600, 15)
    assert reads_of_the_clock(plant) == 4
    await polls(hass, freezer, entry, plant, 3600, 5)
    assert reads_of_the_clock(plant) == 5
    told = "one hour ahead of the local time, probably because it still shows daylight saving time"
    assert issue(hass) == told


async def test_the_fix_sets_the_clock(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    freezer: FrozenDateTimeFactory,
    hass_client: ClientSessionGenerator,
) -> None:
    """A locked machine keeps its time, and the dialog says why; then it is set, and the issue is gone."""
    assert await async_setup_component(hass, "repairs", {})
    entry = await load_plant(hass, plant)
    await polls(hass, freezer, entry, plant, 420, 11, 5)
    client = await hass_client()

    async def post(path: str, data: dict[str, Any]) -> Any:
        answer = await client.post(f"/api/repairs/issues/fix{path}", json=data)
        assert answer.status == HTTPStatus.OK
        return await answer.json()

    shown = await post("", {"handler": DOMAIN, "issue_id": "be5729_clock_off"})
    assert (shown["type"], shown["step_id"]) == ("form", "confirm")
    assert shown["description_placeholders"]["drift"] == "0:07 h ahead of the local time"
    plant.machine().trouble.locked = True
    shown = await post(f"/{shown['flow_id']}", {})
    assert shown["errors"] == {"base": "clock_not_set"}
    assert "register 62" in shown["description_placeholders"]["error"]
    plant.machine().trouble.locked = False
    shown = await post(f"/{shown['flow_id']}", {})
    assert shown["type"] == "create_entry"
    assert issue(hass) is None
    assert plant.machine().inverter.clock == datetime(2026, 6, 21, 10, 16, 5)  # noqa: DTZ001
    await polls(hass, freezer, entry, plant, 0, 61, 5)
    assert issue(hass) is None


async def test_set_clock_withdraws_the_issue(
    hass: HomeAssistant, plant: SimulatedPlant, freezer: FrozenDateTimeFactory
) -> None:
    """Whoever presses the button need not wait for the next reading."""
    entry = await load_plant(hass, plant)
    await polls(hass, freezer, entry, plant, 420, 11, 5)
    freezer.tick(1)
    unit = unit_of(entry)
    await unit.device.set_clock("system_time", lambda: datetime(2026, 6, 21, 10, 16, 6))  # noqa: DTZ001
    assert issue(hass) is None


async def test_a_clock_that_is_set_elsewhere_is_named_so(
    hass: HomeAssistant, saj: SimulatedPlant, freezer: FrozenDateTimeFactory
) -> None:
    """A SAJ tells its time and takes none: the issue says where it is set."""
    saj.machine().panel_change(WORK_MODE, 1)
    entry = await set_up(hass, saj, "discharge_slots")
    await polls(hass, freezer, entry, saj, -3600, 11, 5)
    assert issue(hass, serial=SAJ_SERIAL) is None
    told = issue(hass, "clock_off_elsewhere", SAJ_SERIAL)
    assert told is not None
    assert told.startswith("one hour behind")
    found = ir.async_get(hass).async_get_issue(
        DOMAIN, f"{machine_tag(SAJ_SERIAL)}_clock_off_elsewhere"
    )
    assert found is not None
    assert not found.is_fixable
    saj.machine().panel_change(WORK_MODE, 0)
    await refresh(hass, entry, Group.SETTINGS)
    assert issue(hass, "clock_off_elsewhere", SAJ_SERIAL) is None


async def test_who_may_change_nothing_is_told_where_to_set_it(
    hass: HomeAssistant, plant: SimulatedPlant, freezer: FrozenDateTimeFactory
) -> None:
    """With the tier that only looks there is nothing to fix from here."""
    entry = await load_plant(hass, plant, {"tier": "read_only"})
    await polls(hass, freezer, entry, plant, 420, 11, 5)
    assert issue(hass) is None
    assert issue(hass, "clock_off_elsewhere") == "0:07 h ahead of the local time"
