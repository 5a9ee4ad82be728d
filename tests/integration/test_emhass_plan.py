"""A day that EMHASS has planned is carried out by the blueprint, on both kinds of slots; and what becomes of it without EMHASS."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.core import HomeAssistant
import pytest

from custom_components.hybrid_inverter.const import CONF_MAY_SELL, DOMAIN
from lab.lived_home import LivedHome

from .blueprints import automation
from .lived_home import lived_home
from .test_control_crash import words_of

JSO: Final = "JSO8048104"
SAJ: Final = "H2-10K-T2"
MODELS: Final = (JSO, SAJ)

# What EMHASS 0.18.7 has planned (naive-mpc-optim, profit) for a hybrid inverter of 10 kW with 97 % and a battery of
# 20.48 kWh at 40 %, which it may charge with 5000 W. Watts from the roof, of the house, of the battery and of the grid,
# in each half-hour from midnight on.
PLAN: Final = (
    *((0, 400, 412, 0), (0, 400, 412, 0)),
    *((0, 400, 412, 0), (0, 400, 412, 0)),
    *((0, 400, -2276, 2747), (0, 400, 0, 400)),
    *((0, 400, -5000, 5555), (0, 400, -5000, 5555)),
    *((0, 400, -5000, 5555), (0, 400, -5000, 5555)),
    *((0, 400, 0, 400), (0, 400, 0, 400)),
    *((0, 700, 722, 0), (80, 1100, 1054, 0)),
    *((200, 1400, 5820, -4439), (400, 1200, 5820, -4833)),
    *((650, 900, 278, 0), (950, 800, 0, -122)),
    *((1300, 700, -578, 0), (1650, 700, -928, 0)),
    *((2000, 700, -1278, 0), (2300, 800, -1475, 0)),
    *((2550, 900, -1622, 0), (2750, 1300, -1410, 0)),
    *((2850, 1500, -1304, 0), (2900, 1100, -1766, 0)),
    *((2850, 800, -2025, 0), (2700, 700, -1978, 0)),
    *((2500, 700, -1778, 0), (2250, 700, -1528, 0)),
    *((1950, 800, -1125, 0), (1600, 1000, -569, 0)),
    *((1250, 1300, 0, 88), (900, 1700, 0, 827)),
    *((600, 2200, 1668, 0), (350, 2400, 2124, 0)),
    *((180, 2300, 2191, 0), (50, 2000, 2012, 0)),
    *((0, 1700, 5820, -3945), (0, 1500, 5820, -4145)),
    *((0, 1300, 1340, 0), (0, 1100, 1134, 0)),
    *((0, 900, 928, 0), (0, 700, 722, 0)),
    *((0, 500, 80, 423), (0, 400, 0, 400)),
    *((0, 400, 0, 400), (0, 400, 0, 400)),
)
# The kilowatt-hours of the battery in it.
PLANNED: Final = {"charge": 20.82, "discharge": 19.5905}
# The most that it plans with in half an hour, and how much of that may flow otherwise in any other one.
MOST: Final = 5.820 / 2
WITHIN: Final = 0.02
# The half-hours in which an inverter cannot: a change of less than 5 % of the rated power waits for a quarter of an
# hour, and a slot of a SAJ that discharges serves all of the house.
CANNOT: Final = {JSO: {"07:30", "19:30"}, SAJ: {"07:30", "19:30", "22:00"}}
# How often any register is written in such a day at most; automations may 70 times.
WRITES: Final = {JSO: 22, SAJ: 12}

# A battery at 39 % behind a house without a sun, that follows the house down to 15 %, and is not charged from the grid.
HOUSE: Final[dict[str, Any]] = {"sun": 0, "home": 400, "backup": 0, "soc": 39, "room": 21}
SETTINGS: Final[dict[str, dict[str, Any]]] = {
    JSO: {
        "grid_charge_current": 150,
        **{f"tou_slot_{number}_soc": 15 for number in range(1, 7)},
        **{f"tou_slot_{number}_grid_charge": False for number in range(1, 7)},
    },
    SAJ: {},
}
# One step of each kind of order: at the battery, and at the grid.
STEPS: Final = {
    "charge": (-3000, 3493),
    "sell": (3000, -2510),
    "serve": (200, 206),
    "hold": (0, 400),
    "no charge": (0, -400),
}
# After which of them the battery is held where nobody puts back what was ordered, and the house uses the grid.
HELD: Final = {JSO: {"sell", "serve"}, SAJ: {"hold"}}
# A step that an inverter cannot carry out: the sun, the house, what is planned for the battery and the grid; and what the
# battery and the grid then do, in watts.
IN_VAIN: Final = {
    # All of the sun that the house leaves, 5000 - 500 / 0.97; or all of it, and the house buys.
    (JSO, "a part of the sun"): ((5000, 500, -1000, -3365), (-4485, 0)),
    (SAJ, "a part of the sun"): ((5000, 500, -1000, -3365), (-5000, 501)),
    # The sun goes into the battery first: 3000 - 500 / 0.97.
    (JSO, "sell battery and sun"): ((3000, 500, 2000, -4350), (-2485, 0)),
    # One ampere at 51 V; one percent of 10 kW.
    (JSO, "less than it can set"): ((0, 200, -90, 293), (-51, 252)),
    (SAJ, "less than it can set"): ((0, 200, -90, 293), (-100, 303)),
    # All of the house, and one percent more: 2100 / 0.97.
    (SAJ, "a part of the house"): ((0, 2000, 500, 1515), (2165, -99)),
}

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("socket_enabled", "quick_saj"),
]


@asynccontextmanager
async def planned(hass: HomeAssistant, model: str) -> AsyncIterator[LivedHome]:
    """A home with the blueprint's automation, a minute before midnight."""
    begin = datetime(2026, 6, 21, 23, 59)  # noqa: DTZ001 - it is local
    async with lived_home(
        hass,
        devices={1: model},
        begin=begin - timedelta(minutes=30),
        options={CONF_MAY_SELL: True},
        settings=SETTINGS[model],
        **HOUSE,
    ) as home:
        await home.live_until(begin.replace(tzinfo=home.now.tzinfo))
        home.steer(soc=39)
        async with automation(hass, "emhass", inverter=home.device_id):
            yield home


async def publish(home: LivedHome, battery: float, grid: float) -> None:
    """Publish a step as EMHASS does."""
    home.hass.states.async_set("sensor.p_batt_forecast", f"{battery:.2f}")
    home.hass.states.async_set("sensor.p_grid_forecast", f"{grid:.2f}")
    await home.live(0)


async def mode(home: LivedHome) -> str:
    """Return the mode of the order in force."""
    answer = await home.hass.services.async_call(
        DOMAIN,
        "get_control",
        {"device_id": home.device_id},
        blocking=True,
        return_response=True,
    )
    assert answer is not None
    return str(answer["mode"])


async def carry_out(home: LivedHome) -> tuple[set[str], Counter[str]]:
    """Live the planned day; return the half-hours in which something else has flowed, and the kWh of the battery."""
    wrong, flowed = set(), Counter[str]()
    for sun, house, battery, grid in PLAN:
        begin = home.now
        home.steer(sun=sun, home=house, advance=0)
        await publish(home, battery, grid)
        await home.live(30)
        energy = home.energy(begin, home.now)
        charge, discharge = energy["battery_charge"], energy["battery_discharge"]
        if abs(discharge - charge - battery / 2000) > WITHIN * MOST:
            wrong.add(f"{begin:%H:%M}")
        flowed.update(charge=charge, discharge=discharge)
    return wrong, flowed


@pytest.mark.parametrize("model", MODELS)
async def test_a_planned_day_is_carried_out_seven_times(hass: HomeAssistant, model: str) -> None:
    """Within 2 % of the energy in each direction, and of the most in each half-hour but those in which it cannot."""
    async with planned(hass, model) as home:
        await home.live(1)
        for _ in range(7):
            # What is lost on the way is not in the plan.
            home.steer(soc=39, advance=0)
            written = len(home.machine.writes)
            wrong, flowed = await carry_out(home)
            assert wrong == CANNOT[model]
            assert flowed == pytest.approx(PLANNED, rel=WITHIN)
            writes = Counter(
                write.address + place
                for write in home.machine.writes[written:]
                for place in range(len(write.values))
            )
            assert max(writes.values()) <= WRITES[model]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("model", MODELS)
async def test_the_battery_is_in_its_own_settings_when_emhass_is_gone_for_two_steps(
    hass: HomeAssistant, model: str, step: str
) -> None:
    """Published at 23:59: until 00:59 an order is in force, and at 01:05 everything is as it was."""
    async with planned(hass, model) as home:
        before = words_of(home.plant)
        await publish(home, *STEPS[step])
        await home.live(58)
        assert await mode(home) != "auto"
        assert words_of(home.plant) != before
        await home.live(8)
        assert await mode(home) == "auto"
        assert words_of(home.plant) == before


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("model", MODELS)
async def test_nothing_is_bought_or_sold_by_the_battery_when_home_assistant_is_gone(
    hass: HomeAssistant, model: str, step: str
) -> None:
    """From 00:10 on nothing reaches the inverter. What was ordered until 00:59 is over, and at 03:15 put back."""
    async with planned(hass, model) as home:
        before = words_of(home.plant)
        home.steer(soc=60)
        await publish(home, *STEPS[step])
        await home.live(11)
        home.machine.trouble.silent = True
        await home.live(65)
        begin = home.now
        await home.live(120)
        energy = home.energy(begin, home.now)
        assert energy["battery_charge"] == energy["grid_export"] == 0
        # 400 W, by the grid or by the battery with 97 %.
        by_grid, by_battery = (0.8, 0) if step in HELD[model] else (0, 0.825)
        assert energy["grid_import"] == pytest.approx(by_grid, abs=0.001)
        assert energy["battery_discharge"] == pytest.approx(by_battery, abs=0.001)
        home.machine.trouble.silent = False
        await home.live(10)
        assert words_of(home.plant) == before


@pytest.mark.parametrize(("model", "step"), IN_VAIN)
async def test_what_an_inverter_cannot_do_becomes_what_comes_nearest(
    hass: HomeAssistant, model: str, step: str
) -> None:
    """Ten minutes after the step was published."""
    (sun, house, battery, grid), flows = IN_VAIN[model, step]
    async with planned(hass, model) as home:
        home.steer(sun=sun, home=house, advance=0)
        await publish(home, battery, grid)
        await home.live(10)
        machine = home.machine
        assert (machine.value("battery_power"), machine.value("grid_power")) == flows
