"""Home Assistant dies while an automation of a blueprint controls the battery: what flows then, and what the next start puts right."""

from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, Final

from homeassistant.core import HomeAssistant
import pytest

from custom_components.hybrid_inverter.const import CONF_MAY_SELL
from lab.lived_home import LivedHome

from .blueprints import automations
from .dying import Life
from .lived_home import lived_home
from .test_control_crash import words_of

MONDAY: Final = date(2026, 1, 26)
# A dark house, whose battery of 30.72 kWh serves it down to 35 % at any time, and is not charged from the grid.
HOUSE: Final[dict[str, Any]] = {
    "sun": 0,
    "home": 0,
    "backup": 300,
    "settings": {
        "grid_charge_enabled": False,
        "grid_charge_current": 80,
        **{f"tou_slot_{number}_soc": 35 for number in range(1, 7)},
        **{f"tou_slot_{number}_grid_charge": False for number in range(1, 7)},
    },
}

pytestmark = pytest.mark.timeout(600)


def at(home: LivedHome, day: date, hour: int, minute: int = 0) -> datetime:
    """Return a time of a day as the clock on the wall shows it."""
    return datetime.combine(day, time(hour, minute), home.now.tzinfo)


# Minutes after midnight, before, in and after the cheap hours from one to four.
DEATHS: Final = tuple(sorted(Random(19).sample(range(30, 270), 4)))  # noqa: S311 - a seed is wanted


@pytest.mark.parametrize("minute", DEATHS)
async def test_a_home_assistant_that_dies_leaves_the_battery_to_its_owner(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    minute: int,
) -> None:
    """It dies at any moment of the night: from the end of the order on the owner's table is in force, until midnight.

    The next start puts back what has stayed.
    """
    house = HOUSE | {"soc": 80}
    begin = datetime.combine(MONDAY, time(20))
    tuesday = MONDAY + timedelta(days=1)
    async with lived_home(hass, begin=begin, **house) as home:
        before = words_of(home.plant)
        home.prices(lambda moment: 0.1 if 1 <= moment.hour < 4 else 0.3)
        life = Life(hass, hass_storage, monkeypatch)
        entry: Any = home.entries[0]
        inputs = {"prices": ["sensor.price"], "hours": 3, "power": 3000, "target_soc": 95}
        made = {"cheapest_hours": {"inverter": home.device_id, **inputs}}
        async with automations(hass, made):
            await home.live_until(at(home, tuesday, 0) + timedelta(minutes=minute))
            life.die()
        await life.end(entry)
        written = len(home.machine.writes)
        await home.live_until(at(home, tuesday, 23, 45))
        assert len(home.machine.writes) == written
        flows = home.energy(at(home, tuesday, 4, 15), at(home, tuesday, 23, 45))
        assert (flows["battery_charge"], flows["grid_export"]) == (0, 0)
        assert flows["battery_discharge"] == pytest.approx(0.3 / 0.97 * 19.5, rel=0.02)
        await life.begin(entry)
        await home.live(10)
        assert words_of(home.plant) == before


async def test_a_home_assistant_that_dies_while_it_sells_leaves_the_battery_held(
    hass: HomeAssistant, hass_storage: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order ends at eight, and nothing is sold after it; the next start gives the house its battery back."""
    house = HOUSE | {"soc": 90, "options": {CONF_MAY_SELL: True}}
    async with lived_home(hass, begin=datetime.combine(MONDAY, time(17)), **house) as home:
        before = words_of(home.plant)
        home.prices(lambda moment: 0.5 if 18 <= moment.hour < 20 else 0.1)
        life = Life(hass, hass_storage, monkeypatch)
        entry: Any = home.entries[0]
        inputs = {"prices": ["sensor.price"], "price_limit": 0.4, "power": 2000, "target_soc": 40}
        made = {"sell_above_price": {"inverter": home.device_id, **inputs}}
        async with automations(hass, made):
            await home.live_until(at(home, MONDAY, 19, 20))
            life.die()
        await life.end(entry)
        await home.live_until(at(home, MONDAY, 23, 45))
        sold = home.energy(at(home, MONDAY, 18), at(home, MONDAY, 20))
        assert sold["grid_export"] == pytest.approx(4.0, rel=0.03)
        flows = home.energy(at(home, MONDAY, 20, 15), at(home, MONDAY, 23, 45))
        assert (flows["battery_discharge"], flows["grid_export"]) == (0, 0)
        assert flows["grid_import"] == pytest.approx(0.3 * 3.5)
        await life.begin(entry)
        await home.live(10)
        assert words_of(home.plant) == before
