"""Weeks of a home in which an automation charges in the cheap hours: what flows is what it says, on any day."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from lab.jumping_time import jumping_time
from lab.lived_home import LivedHome

from .lived_home import lived_home

# A dark house with 1500 W behind the backup output, and a battery of 30.72 kWh that may be emptied down to 35 %. The grid
# may charge it with more than 3 kW.
HOUSE: Final[dict[str, Any]] = {
    "sun": 0,
    "home": 0,
    "backup": 1500,
    "soc": 35,
    "settings": {"grid_charge_current": 80}
    | {f"tou_slot_{number}_soc": 35 for number in range(1, 7)},
}

pytestmark = pytest.mark.timeout(600)


@pytest.mark.timeout(20)
def test_time_goes_on_after_half_a_year() -> None:
    """From 2^24 seconds on, a nanosecond more is the same time to the loop, which must not wait for a timer that is due."""
    loop = asyncio.SelectorEventLoop()
    passed = timedelta()

    def pass_on(jump: timedelta) -> None:
        nonlocal passed
        passed += jump

    async def live() -> None:
        for seconds in (2**24 - 1, 60, 60):
            await asyncio.sleep(seconds)

    with jumping_time(loop, pass_on):
        loop.run_until_complete(live())
    loop.close()
    assert passed / timedelta(seconds=1) == pytest.approx(2**24 + 119)


def price_at(moment: datetime) -> float:
    """What a kilowatt-hour costs: it is cheap from one to five, as the clock on the wall shows it."""
    return 0.10 if 1 <= moment.hour < 5 else 0.30


@pytest.fixture
def first_day() -> date:
    """Return the Monday of a week in winter."""
    return date(2026, 1, 12)


@pytest.fixture
async def home(hass: HomeAssistant, first_day: date) -> AsyncIterator[LivedHome]:
    """Return a home in Berlin with an automation that charges the battery while electricity is cheap."""
    begin = datetime.combine(first_day, datetime.min.time())
    async with lived_home(hass, begin=begin, **HOUSE) as home:
        home.prices(price_at)
        cheap_hours = {
            "alias": "Cheap hours",
            "triggers": [
                {"trigger": "numeric_state", "entity_id": "sensor.price", "below": 0.2},
            ],
            "actions": [
                {
                    "action": "hybrid_inverter.control_battery",
                    "target": {"device_id": home.device_id},
                    "data": {"mode": "charge", "power": 3000, "target_soc": 95, "until": "05:00"},
                }
            ],
        }
        assert await async_setup_component(hass, "automation", {"automation": [cheap_hours]})
        yield home


@pytest.mark.parametrize(
    ("first_day", "lengths"),
    [
        (date(2026, 1, 12), (4, 4, 4, 4, 4, 4, 4)),
        # The clocks go forward on Sunday, the 29th of March, and back on Sunday, the 25th of October.
        (date(2026, 3, 24), (4, 4, 4, 4, 4, 3, 4)),
        (date(2026, 10, 20), (4, 4, 4, 4, 4, 5, 4)),
    ],
    ids=["winter", "spring", "autumn"],
)
async def test_a_battery_is_charged_in_the_cheap_hours_of_each_day(
    home: LivedHome, first_day: date, lengths: tuple[int, ...]
) -> None:
    """3 kW for so many hours; what is stored, less 2.5 % of each way, serves the house with 97 % of it."""
    await home.live_until(home.now + timedelta(days=7))
    for number, hours in enumerate(lengths):
        flows = home.energy_of(first_day + timedelta(days=number))
        assert flows["battery_charge"] == pytest.approx(3.0 * hours, rel=0.03)
        assert flows["battery_discharge"] == pytest.approx(2.85 * hours, rel=0.03)
        assert flows["grid_export"] == 0


@pytest.mark.parametrize("devices", [{1: "H2-6K-S2"}, {1: "JSO8048104", 2: "H2-10K-T2"}])
async def test_each_kind_of_inverter_and_a_plant_of_both_can_be_held(
    hass: HomeAssistant, devices: dict[int, str]
) -> None:
    """For an hour, in which the house uses 1.5 kW behind the backup outputs, all of it from the grid."""
    async with lived_home(hass, devices=devices, sun=0, home=0, backup=1500, soc=60) as home:
        held = {"device_id": home.device_id, "mode": "hold", "duration": 60}
        await hass.services.async_call("hybrid_inverter", "control_battery", held, blocking=True)
        await home.live(60)
        begin = home.now.replace(hour=0, minute=15, second=0, microsecond=0)
        flows = home.energy(begin, begin + timedelta(minutes=45))
        assert (flows["battery_charge"], flows["battery_discharge"]) == (0, 0)
        assert flows["grid_import"] == pytest.approx(1.125)
