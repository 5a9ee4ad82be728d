"""Weeks in which the automations of the blueprints control simulated inverters: what flows is what each of them says.

What the battery and the house exchange goes through 97 %. Kilowatt-hours, in the time of the clock on the wall.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from lab.lived_home import LivedHome

from .blueprints import automations
from .helpers import entity
from .lived_home import lived_home
from .ordered import JSO, KINDS, SAJ

PRICE: Final = "sensor.price"
# How far the battery may be emptied, in percent.
FLOOR: Final = {JSO: 35, SAJ: 20}
# The grid may charge it with more than 5 kW.
SETTINGS: Final[dict[str, dict[str, Any]]] = {
    JSO: {
        "grid_charge_current": 120,
        **{f"tou_slot_{number}_soc": FLOOR[JSO] for number in range(1, 7)},
    },
    SAJ: {},
}
# What an automation may write into a register in a day.
BUDGET: Final = 70

pytestmark = pytest.mark.timeout(600)


def flow(home: LivedHome, name: str, day: datetime, begin: float, end: float) -> float:
    """Return the kilowatt-hours that have flowed on a day between two of its hours, which may be more than 24."""
    first, last = (day + timedelta(hours=hour) for hour in (begin, end))
    return round(home.energy(first, last)[name], 2)


async def until(home: LivedHome, day: datetime, hour: float) -> None:
    """Let time pass until an hour of a day."""
    await home.live_until(day + timedelta(hours=hour))


def most_written(home: LivedHome) -> int:
    """Return how many writes the register has got that was written most."""
    counts: dict[int, int] = {}
    for write in home.machine.writes:
        for address in range(write.address, write.address + len(write.values)):
            counts[address] = counts.get(address, 0) + 1
    return max(counts.values())


def choices(home: LivedHome, **inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the inputs of blueprints, with the inverter."""
    return {
        name: {"inverter" if name != "alert" else "devices": home.device_id, **chosen}
        for name, chosen in inputs.items()
    }


@pytest.mark.parametrize(
    ("model", "house", "charge", "sell", "flows", "fault"),
    [
        (JSO, 300, 3000, 1500, (11.25, 4.125, 1.856), "F24: PV insulation resistance too low"),
        (SAJ, 100, 1000, 480, (3.75, 1.32, 0.619), "E24: Battery current too high"),
    ],
)
async def test_a_week_of_cheap_nights_and_dear_evenings(
    hass: HomeAssistant,
    *,
    model: str,
    house: int,
    charge: int,
    sell: int,
    flows: tuple[float, float, float],
    fault: str,
) -> None:
    """It is charged from 01:00 to 05:00, and sells from 17:00 to 20:00, day by day, whatever the phone is told at noon.

    Watts of the house, into the battery, and into the grid; what is charged in 3.75 hours and sold in 2.75, and what the
    house uses in six. The battery of a JSO8048104 has 30.72 kWh, that of a SAJ 10.24.
    """

    def price_at(moment: datetime) -> float:
        return 0.10 if 1 <= moment.hour < 5 else 0.45 if 17 <= moment.hour < 20 else 0.30

    sent = async_mock_service(hass, "notify", "send_message")
    around = {"sun": 0, "home": 0, "backup": house, "soc": 40}
    begin = datetime(2026, 1, 12, 21)  # noqa: DTZ001 - it is local
    options = {"may_sell": True}
    async with lived_home(
        hass,
        devices={1: model},
        begin=begin,
        options=options,
        settings=SETTINGS[model],
        **around,
    ) as home:
        home.prices(price_at, shape="epex")
        inputs = choices(
            home,
            cheapest_hours={
                "prices": [PRICE],
                "hours": 4,
                "target_soc": 95,
                "power": charge,
            },
            sell_above_price={"prices": [PRICE], "price_limit": 0.4, "power": sell},
            alert={"phones": ["notify.phone"]},
        )
        midnight = home.now.replace(hour=0, minute=0, second=0, microsecond=0)
        days = [midnight + timedelta(days=number) for number in range(1, 8)]
        async with automations(hass, inputs):
            await until(home, days[2], 12)
            home.steer(grid=False)
            await home.live(45)
            home.steer(grid=True)
            await until(home, days[3], 12)
            home.machine.trouble.faults = frozenset({23})
            await home.live(10)
            home.machine.trouble.faults = frozenset()
            await until(home, days[4], 12)
            home.machine.trouble.silent = True
            await home.live(30)
            home.machine.trouble.silent = False
            await until(home, days[-1], 24)
        charged, sold, served = flows
        for day in days:
            assert flow(home, "battery_charge", day, 1.25, 5) == pytest.approx(charged, rel=0.03)
            assert flow(home, "battery_charge", day, 5.25, 25) == 0
            assert flow(home, "grid_export", day, 17.25, 20) == pytest.approx(sold, rel=0.01)
            assert flow(home, "grid_export", day, 20.25, 41) == 0
            assert flow(home, "battery_discharge", day, 6, 12) == pytest.approx(served, rel=0.02)
        assert [message.data["message"] for message in sent] == [
            "The grid has failed.",
            "The grid is back after 45 min.",
            f"Fault {fault}",
            f"Fault {fault[:3]} is gone.",
            "It does not answer any more.",
        ]
        # Both orders of a day, and both of their ends.
        assert most_written(home) < 7 * 8


@pytest.mark.parametrize("model", KINDS)
async def test_a_week_of_free_noons_and_a_car_in_the_evening(
    hass: HomeAssistant, model: str
) -> None:
    """Nothing is exported from 11:00 to 14:00, and the battery is held from 19:00 to 22:00, except when somebody frees it.

    The sun gives 5 kW from eight to three to a full battery and a house of 200 W.
    """

    def price_at(moment: datetime) -> float:
        return -0.05 if 11 <= moment.hour < 14 else 0.20

    house = {"sun": 0, "home": 0, "backup": 200, "soc": 90, "settings": SETTINGS[model]}
    begin = datetime(2026, 6, 22)  # noqa: DTZ001 - it is local
    async with lived_home(hass, devices={1: model}, begin=begin, **house) as home:
        home.prices(price_at, shape="nordpool")
        hass.states.async_set("sensor.car", "0", {"unit_of_measurement": "kW"})
        inputs = choices(
            home,
            no_export_below_price={"prices": [PRICE]},
            hold_while_car_charges={"charger": "sensor.car"},
        )
        midnight = home.now.replace(hour=0, minute=0, second=0, microsecond=0)
        days = [midnight + timedelta(days=number) for number in range(7)]
        released = days[3]
        async with automations(hass, inputs):
            for day in days:
                await until(home, day, 8)
                home.steer(sun=5000)
                await until(home, day, 15)
                home.steer(sun=0)
                await until(home, day, 19)
                home.steer(home=2500)
                hass.states.async_set("sensor.car", "2.5", {"unit_of_measurement": "kW"})
                await until(home, day, 20)
                if day == released:
                    button = entity(
                        hass, Platform.BUTTON, "release_battery", home.machine.serial_number
                    )
                    await hass.services.async_call("button", "press", {"entity_id": button})
                await until(home, day, 22)
                home.steer(home=0)
                hass.states.async_set("sensor.car", "0", {"unit_of_measurement": "kW"})
            await until(home, days[-1], 24)
        for day in days:
            assert flow(home, "grid_export", day, 10.75, 11) > 1
            assert flow(home, "grid_export", day, 11.25, 14) == 0
            assert flow(home, "grid_export", day, 14.25, 15) > 3
            assert flow(home, "battery_discharge", day, 19.25, 20) == 0
            evening = flow(home, "battery_discharge", day, 20.25, 22)
            # 2700 W through 97 %.
            assert evening == (pytest.approx(4.87, rel=0.03) if day == released else 0)
            # 200 W through 97 %.
            assert flow(home, "battery_discharge", day, 22.25, 24) == pytest.approx(0.36, rel=0.03)
        assert most_written(home) < 7 * 8


@pytest.mark.parametrize("model", KINDS)
async def test_a_week_with_two_storms_and_a_full_charge(hass: HomeAssistant, model: str) -> None:
    """Full within a day of the first warning, free after it, freed by hand during the second one, and full on Sunday.

    The house has 1000 W at any time.
    """
    house = {"sun": 0, "home": 0, "backup": 1000, "soc": 60, "settings": SETTINGS[model]}
    begin = datetime(2026, 1, 26)  # noqa: DTZ001 - it is local
    async with lived_home(hass, devices={1: model}, begin=begin, **house) as home:
        hass.states.async_set("binary_sensor.storm", "off")
        inputs = choices(
            home,
            reserve={"warnings": ["binary_sensor.storm"], "longest": 24},
            monthly_full_charge={"power": 5000},
        )
        monday = home.now.replace(hour=0, minute=0, second=0, microsecond=0)
        tuesday, wednesday, thursday, friday, saturday, sunday = (
            monday + timedelta(days=number) for number in range(1, 7)
        )

        async def at(day: datetime, hour: float) -> float:
            """Live until then, and return the state of charge in percent."""
            await until(home, day, hour)
            return round(100 * home.machine.inverter.soc)

        async with automations(hass, inputs):
            await until(home, tuesday, 12)
            hass.states.async_set("binary_sensor.storm", "on")
            assert await at(tuesday, 18) == 100
            # It is held, and longer than a day it is not.
            assert await at(wednesday, 12) == 100
            assert await at(wednesday, 18) < 85
            hass.states.async_set("binary_sensor.storm", "off")
            assert await at(thursday, 12) == FLOOR[model]
            hass.states.async_set("binary_sensor.storm", "on")
            charged = await at(thursday, 13)
            assert charged > 45
            button = entity(hass, Platform.BUTTON, "release_battery", home.machine.serial_number)
            await hass.services.async_call("button", "press", {"entity_id": button})
            # Nobody charges it again.
            assert await at(friday, 12) == FLOOR[model]
            hass.states.async_set("binary_sensor.storm", "off")
            assert await at(sunday, 10) == FLOOR[model]
            assert await at(sunday, 15) == 100
            assert await at(sunday, 18) == 100
            assert await at(sunday, 24) < 85
        assert flow(home, "grid_export", monday, 0, 7 * 24) == 0
        assert flow(home, "battery_charge", friday, 0, 48) == 0
        assert flow(home, "battery_charge", saturday, 0, 34) == 0
        assert most_written(home) < BUDGET
