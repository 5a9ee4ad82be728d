"""Battery control of many: orders of an optimiser all day long, writes of a register, and two inverters in one house."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
import random
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from simulator import SimulatedPlant
from simulator.cause import cause
from simulator.steering import steer

from .helpers import SERIAL, driver_in, link_entry, load, network_data, unit_of
from .ordered import HOUSE, JSO, KINDS, SAJ, go_on, house_with, number
from .test_control_actions import act
from .test_plant import TWIN_SERIAL, plant_entry

# 10:01 in Berlin, and midnight there.
MORNING: Final = "2026-06-21 08:01:00+00:00"
MIDNIGHT: Final = "2026-06-20 22:00:00+00:00"

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("socket_enabled", "quick_saj", "in_berlin"),
]


# ---------------------------------------------------------------------- what is never written

# Shutdown, restart and low SOC, and the discharge current; the floor without a grid, and the battery's power.
NEVER: Final = {JSO: {109, 115, 116, 117}, SAJ: {0x3645, 0x363A, 0x364D, 0x364E}}
# What the owner has set at the display.
LIMITS: Final[dict[str, dict[int, int]]] = {
    JSO: {143: 4000, 128: 70, 108: 100, 191: 5000},
    SAJ: {0x3644: 30, 0x3646: 95, 0x364F: 900, 0x3650: 800, 0x365A: 600, 0x365C: 1},
}
# Of these only the floor may rise; all others may only fall.
FLOORS: Final = {0x3644}
SERIES: Final[list[dict[str, Any]]] = [
    {"mode": "hold"},
    {"mode": "charge", "power": 9000, "target_soc": 100},
    {"mode": "charge", "power": 1000, "target_soc": 70},
    {"mode": "discharge", "power": 9000, "target_soc": 10},
    {"mode": "discharge", "power": 9000, "at": "grid", "target_soc": 40},
    {"mode": "no_charge"},
    {"mode": "charge", "power": 2000, "target_soc": 80},
]


@pytest.mark.parametrize("model", KINDS)
async def test_no_order_writes_what_is_not_its_own_or_loosens_a_limit(
    hass: HomeAssistant, hass_admin_user: MockUser, model: str
) -> None:
    """One after the other, under an export limit and without, and none of it stays."""
    options = {"may_sell_from_battery": True}
    async with house_with(hass, model, options=options) as house:
        cause(
            house.plant, {"panel": {str(address): word for address, word in LIMITS[model].items()}}
        )
        first, last = (108, 191) if model == JSO else (0x3600, 0x3668)
        before = house.words(first, last)
        for limit in (None, 0, 9000, 1000):
            if limit is not None:
                await act(hass, "limit_export", house.serial, power=limit, duration=60)
            for order in SERIES:
                await act(hass, "control_battery", house.serial, duration=60, **order)
        written = [
            (address + place, word)
            for address, words in house.sent
            for place, word in enumerate(words)
        ]
        assert len(written) > 100
        assert NEVER[model].isdisjoint(address for address, _ in written)
        for address, word in written:
            if (owners := LIMITS[model].get(address)) is not None and address != 0x365C:
                tighter = word >= owners if address in FLOORS else word <= owners
                assert tighter, (hex(address), word)
        await act(hass, "limit_export", house.serial)
        await act(hass, "release_battery", house.serial, user=hass_admin_user)
        assert house.words(first, last) == before


# ---------------------------------------------------------------------- a day of an optimiser


@pytest.mark.freeze_time(MIDNIGHT)
@pytest.mark.timeout(300)
async def test_an_optimiser_that_changes_its_mind_twenty_times_writes_no_more_than_forty(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """288 set-points of four hours each, with 3 % of noise; the last one is in force in the end."""
    noise = random.Random(7)  # noqa: S311 - no secret
    midnight = datetime(2026, 6, 21)  # noqa: DTZ001 - the machine knows no zone
    async with house_with(hass, JSO, start=midnight) as house:
        for step in range(288):
            mode, power, target = (
                ("charge", 3000, 90) if step * 21 // 288 % 2 else ("discharge", 2000, 40)
            )
            await act(
                hass,
                "control_battery",
                house.serial,
                mode=mode,
                power=round(power * noise.uniform(0.97, 1.03)),
                target_soc=target,
                duration=240,
                owner="optimiser",
            )
            if step < 287:
                house.plant.advance(300)
                freezer.tick(timedelta(seconds=300))
        written = [address + place for address, words in house.sent for place in range(len(words))]
        most = max(written.count(address) for address in set(written))
        assert 20 <= most <= 40
        told = await act(hass, "get_control", house.serial)
        # It is 23:55.
        assert (told["mode"], told["owner"]) == ("discharge", "optimiser")
        house.steer(soc=60)
        assert house.flows()[0] == pytest.approx(2000, abs=60)


@pytest.mark.parametrize("count", [99, 100])
async def test_an_order_is_refused_before_its_first_write_and_a_release_never(
    hass: HomeAssistant, hass_admin_user: MockUser, count: int
) -> None:
    """An automation may write a register seventy times a day, and what puts it back as often as it takes."""
    async with house_with(hass, JSO) as house:
        wear = unit_of(house.entry).device.wear
        before = house.words(148, 177)
        await act(hass, "control_battery", house.serial, mode="hold", duration=60)
        for _ in range(69):
            wear.count((), range(148, 178))
        assert wear.registers[148] == 70
        with pytest.raises(HomeAssistantError):
            await act(hass, "control_battery", house.serial, mode="charge", power=3000, duration=60)
        assert [address for address, _ in house.sent] == [148]
        for _ in range(count - 70):
            wear.count((), range(148, 178))
        released = await act(hass, "release_battery", house.serial, user=hass_admin_user)
        assert (released["writes"], released["left_today"]) == (1, 0)
        assert house.words(148, 177) == before
        assert wear.registers[148] == count + 1


# ---------------------------------------------------------------------- two in one house, and the cold


@pytest.fixture
async def pair() -> AsyncIterator[SimulatedPlant]:
    """Return a dark house with two JSO8048104 at 60 %."""
    async with SimulatedPlant(units=(1, 2), start=datetime(2026, 6, 21, 10, 1)) as plant:  # noqa: DTZ001
        for unit in (2, 1):
            steer(plant, plant.machine(unit), {**HOUSE, "advance": 0})
        plant.advance(1)
        yield plant


@pytest.fixture
async def home(hass: HomeAssistant, pair: SimulatedPlant) -> MockConfigEntry:
    """Return the plant of both, of which the first one sees the grid."""
    serials = {1: SERIAL, 2: TWIN_SERIAL}
    await load(hass, link_entry(network_data(pair.tcp_port), serials))
    both = {SERIAL: "First", TWIN_SERIAL: "Second"}
    return await load(hass, plant_entry(both, {SERIAL: 30, TWIN_SERIAL: 30}, SERIAL))


SELL: Final[dict[str, Any]] = {
    "mode": "discharge",
    "power": 3000,
    "at": "grid",
    "target_soc": 40,
    "duration": 60,
}


async def test_two_of_a_plant_sell_together_and_none_charges_from_the_other(
    hass: HomeAssistant, pair: SimulatedPlant, home: MockConfigEntry
) -> None:
    """3000 W at the grid."""
    await act(hass, "control_battery", home.entry_id, **SELL)
    for _ in range(60):
        pair.advance(10)
        first, second = (pair.machine(unit).value("battery_power") for unit in (1, 2))
        assert number(first) > -50
        assert number(second) > -50
    assert pair.machine(1).value("grid_power") == pytest.approx(-3000, abs=100)


async def test_both_are_as_before_when_the_second_refuses_its_third_write(
    hass: HomeAssistant, pair: SimulatedPlant, home: MockConfigEntry
) -> None:
    """The table, or the days, have been written by then."""
    before = [[pair.machine(unit).word(place) for place in range(108, 178)] for unit in (1, 2)]
    pair.machine(2).trouble.refused_writes = ((146, 146, 4),)
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "control_battery", home.entry_id, **SELL)
    assert caught.value.translation_key == "control_member_failed"
    sent = [write.address for write in pair.machine(2).writes]
    # What it may sell, the table, the days that it refuses; and back.
    assert sent[:3] == [143, 148, 146]
    after = [[pair.machine(unit).word(place) for place in range(108, 178)] for unit in (1, 2)]
    assert after == before
    shown = await act(hass, "get_control", home.entry_id)
    assert [answer["mode"] for answer in shown.values()] == ["auto", "auto"]


@pytest.mark.parametrize("model", KINDS)
async def test_a_charge_in_the_frost_goes_on_and_says_why_nothing_flows(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, model: str
) -> None:
    """At 0 °C the battery takes nothing, for half an hour."""
    async with house_with(hass, model, room=0) as house:
        await act(hass, "control_battery", house.serial, mode="charge", power=3000, duration=120)
        told: list[tuple[str, str | None]] = []
        driver = driver_in(house.entry)
        driver.keeper.async_add_event_listener(
            lambda event: told.append((event.type.value, event.attributes.get("reason")))
        )
        for _ in range(30):
            await go_on(hass, freezer, house.plant, 60)
            # A little goes in as long as the battery is warm from what it has given.
            assert house.flows() == pytest.approx((0, 1500), abs=30)
        assert told == [("not_followed", "battery")]
        assert (await act(hass, "get_control", house.serial))["mode"] == "charge"
