"""A week in which evcc switches the scripts of the blueprint: what flows in each mode is what the blueprint says, every day."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from homeassistant.core import HomeAssistant
import pytest
import yaml

from custom_components.hybrid_inverter.const import DOMAIN
from lab.lived_home import LivedHome

from .lived_home import lived_home
from .ordered import JSO, KINDS, SAJ
from .test_planner_evcc import set_up_scripts

# 1500 W of the house, all behind the backup output; nothing but evcc has the grid charge the battery, with 80 A at most.
HOUSE: Final[dict[str, Any]] = {"sun": 0, "home": 0, "backup": 1500, "soc": 60}
SETTINGS: Final[dict[str, dict[str, Any]]] = {
    JSO: {"grid_charge_current": 80} | {f"tou_slot_{number}_soc": 35 for number in range(1, 7)},
    SAJ: {},
}
# By the hour of each day: the mode that evcc wants from then on, and the watts from the roof. At night the car charges fast;
# an hour is cheap; and at noon the sun is first sold, then stored.
DAY: Final[tuple[tuple[int, str, int], ...]] = (
    (2, "charge", 0),
    (3, "normal", 0),
    (12, "holdcharge", 3000),
    (13, "normal", 3000),
    (14, "normal", 0),
    (22, "hold", 0),
)
# Kilowatt-hours into the battery in the cheap hour: 80 A at 52.5 V, and 25 A at 212 V.
CHARGED: Final = {JSO: 4.2, SAJ: 5.3}

pytestmark = pytest.mark.timeout(600)


async def set_up_evcc(home: LivedHome, folder: Path) -> None:
    """Have the scripts that the action returns for evcc."""
    answer = await home.hass.services.async_call(
        DOMAIN,
        "get_planner_configuration",
        {"device_id": home.device_id, "planner": "evcc"},
        blocking=True,
        return_response=True,
    )
    assert answer is not None
    files: Any = answer["files"]
    await set_up_scripts(home.hass, folder, yaml.safe_load(files["scripts.yaml"]))


@pytest.mark.parametrize("model", KINDS)
async def test_a_week_of_evcc(hass: HomeAssistant, tmp_path: Path, model: str) -> None:
    """Of 3000 W from the roof 1410 W are sold, or 1454 W stored; a held battery gives nothing to the car or the house."""
    settings = SETTINGS[model]
    async with lived_home(hass, devices={1: model}, **HOUSE, settings=settings) as home:
        await set_up_evcc(home, tmp_path)
        midnight = home.now.replace(hour=0, minute=0)
        for day in range(7):
            for hour, mode, sun in DAY:
                await home.live_until(midnight + timedelta(days=day, hours=hour))
                home.steer(sun=sun)
                await hass.services.async_call(
                    "script", "turn_on", {"entity_id": f"script.evcc_{mode}"}, blocking=True
                )
        await home.live_until(midnight + timedelta(days=7, hours=2))
        for day in range(7):

            def flowed(first: int, last: int, day: int = day) -> dict[str, float]:
                begin = midnight + timedelta(days=day)
                return home.energy(begin + timedelta(hours=first), begin + timedelta(hours=last))

            assert flowed(2, 3)["battery_charge"] == pytest.approx(CHARGED[model], rel=0.03)
            # What was charged serves the house until the battery is at its floor.
            assert flowed(3, 12)["battery_discharge"] > 3
            sold, stored, held = flowed(12, 13), flowed(13, 14), flowed(22, 26)
            assert sold["battery_charge"] == pytest.approx(0, abs=0.02)
            assert sold["grid_export"] == pytest.approx(1.41, rel=0.03)
            assert stored["battery_charge"] == pytest.approx(1.454, rel=0.03)
            assert stored["grid_export"] == pytest.approx(0, abs=0.03)
            assert held["battery_discharge"] == pytest.approx(0, abs=0.02)
            assert held["grid_import"] == pytest.approx(6.0, rel=0.01)
