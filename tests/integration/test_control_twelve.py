"""The worst mistakes that battery control could make, tried on a plant whose flows can be worked out by hand.

The house takes 1500 W, all of it behind the backup output, and it is dark: 1546 W of the battery through 97 %.
"""

from datetime import datetime
from typing import Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from simulator.cause import cause

from .ordered import JSO, SAJ, go_on, house_with
from .test_control_actions import act

# 18:00 in Berlin.
EVENING: Final = "2026-06-21 16:00:00+00:00"
SIX: Final = datetime(2026, 6, 21, 18)  # noqa: DTZ001 - the machine knows no zone
# 10:01 there.
MORNING: Final = "2026-06-21 08:01:00+00:00"

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("socket_enabled", "quick_saj", "in_berlin"),
]


async def test_a_charge_of_a_saj_touches_its_ceiling_and_never_what_is_kept_for_an_outage(
    hass: HomeAssistant, hass_admin_user: MockUser
) -> None:
    """3000 W up to 80 %, nothing there, and after it an outage in which the output is alive."""
    async with house_with(hass, SAJ) as house:
        machine = house.machine
        assert (machine.word(0x3645), machine.word(0x3646)) == (10, 100)
        await act(
            hass,
            "control_battery",
            house.serial,
            mode="charge",
            power=3000,
            target_soc=80,
            duration=60,
        )
        house.plant.advance(1)
        assert house.flows()[0] == pytest.approx(-3000, abs=30)
        assert (machine.word(0x3645), machine.word(0x3646)) == (10, 80)
        house.steer(soc=80)
        assert house.flows() == (0, 1500)
        await act(hass, "release_battery", house.serial, user=hass_admin_user)
        assert (machine.word(0x3645), machine.word(0x3646)) == (10, 100)
        cause(house.plant, {"outage": True})
        house.plant.advance(1)
        assert house.flows() == (1546, 0)
        assert machine.value("backup_power") == 1500


@pytest.mark.parametrize(
    ("model", "mode"),
    [
        *((JSO, mode) for mode in ("hold", "charge", "discharge", "no_charge")),
        *((SAJ, mode) for mode in ("hold", "charge", "discharge", "no_charge", "idle")),
    ],
)
async def test_an_outage_in_the_middle_leaves_the_output_alive(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, model: str, mode: str
) -> None:
    """For as long as it lasts; of a mode that is run from here nothing is left within a minute."""
    async with house_with(hass, model, options={"may_sell_from_battery": True}) as house:
        power = {"power": 3000} if mode in ("charge", "discharge") else {}
        await act(hass, "control_battery", house.serial, mode=mode, duration=60, **power)
        sent = len(house.sent)
        await go_on(hass, freezer, house.plant, 60)
        cause(house.plant, {"outage": True})
        for _ in range(2):
            await go_on(hass, freezer, house.plant, 30)
            assert house.flows() == (1546, 0)
        told = await act(hass, "get_control", house.serial)
        if mode == "idle":
            assert told["mode"] == "auto"
            assert house.sent[sent:] == [(0x3647, (0,))]
        else:
            assert told["mode"] == mode
            assert len(house.sent) == sent


async def test_a_target_that_is_reached_holds_a_jso_and_does_not_discharge_it(
    hass: HomeAssistant,
) -> None:
    """Up to 50 % with 60 % in the battery: the third slot, from 10:00 on, has a target above that."""
    async with house_with(hass, JSO) as house:
        assert (house.plant.advance(1), house.flows()) == (None, (1546, 0))
        told = await act(
            hass, "control_battery", house.serial, mode="charge", target_soc=50, duration=60
        )
        assert told["target_reached"] is True
        assert (house.machine.word(150), house.machine.word(168)) == (1000, 100)
        house.plant.advance(1)
        assert house.flows() == (0, 1500)


@pytest.mark.freeze_time(EVENING)
@pytest.mark.parametrize(
    ("at", "battery", "grid"),
    # 4500 W behind the inverter are 4639 W of the battery.
    [("battery", 3000, -1410), ("grid", 4639, -3000)],
)
async def test_a_discharge_of_a_jso_goes_on_in_its_window_only_while_nobody_is_there(
    hass: HomeAssistant, at: str, battery: int, grid: int
) -> None:
    """From 18 to 19 h down to 40 %; then it is held, and a week later it sells again, no further than that."""
    async with house_with(hass, JSO, start=SIX) as house:
        told = await act(
            hass,
            "control_battery",
            house.serial,
            mode="discharge",
            power=3000,
            at=at,
            target_soc=40,
            until="19:00",
        )
        assert (told["ends_by"], told["recurs"], told["after_end"]) == (
            *("inverter", "weekly"),
            "held",
        )

        def flows_at(day: int, hour: int, minute: int, soc: float = 60) -> tuple[float, float]:
            moment = datetime(2026, 6, day, hour, minute)  # noqa: DTZ001 - the machine knows no zone
            passed = (moment - house.machine.inverter.now).total_seconds()
            house.plant.advance(passed - 1)
            house.steer(soc=soc)
            return house.flows()

        # Of three phases each is rounded.
        assert flows_at(21, 18, 30) == pytest.approx((battery, grid), abs=2)
        assert flows_at(21, 19, 1) == (0, 1500)
        assert flows_at(22, 18, 30) == (0, 1500)
        assert flows_at(28, 18, 30) == pytest.approx((battery, grid), abs=2)
        assert flows_at(28, 18, 40, soc=40) == (0, 1500)
        assert flows_at(28, 19, 1) == (0, 1500)


@pytest.mark.parametrize("is_on", [True, False])
async def test_a_charge_of_a_jso_lets_no_other_slot_charge_that_has_not_before(
    hass: HomeAssistant, hass_admin_user: MockUser, *, is_on: bool
) -> None:
    """The owner charges at 02:00 if the grid may charge at all; if not, that is over before the table is back."""
    settings = {"grid_charge_enabled": is_on, "tou_slot_1_time": "02:00"}
    async with house_with(hass, JSO, settings=settings) as house:
        before = house.words(148, 177)
        assert (before[0], before[24:]) == (200, (1, 0, 0, 0, 0, 0))
        await act(hass, "control_battery", house.serial, mode="charge", power=3000, duration=60)
        # The third slot is the order's.
        flags = (1, 0, 1, 0, 0, 0) if is_on else (0, 0, 1, 0, 0, 0)
        assert house.words(172, 177) == flags
        sent = len(house.sent)
        await act(hass, "release_battery", house.serial, user=hass_admin_user)
        back = [address for address, _ in house.sent[sent:]]
        assert back == ([148, 128] if is_on else [130, 148, 146, 128])
        assert house.words(148, 177) == before
        assert house.machine.word(130) == int(is_on)


async def test_a_hold_of_a_jso_whose_six_slots_are_used_is_one_request_and_one_back(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """It ends by itself, and the table is what it was, word for word."""
    async with house_with(hass, JSO) as house:
        before = house.words(148, 177)
        await act(hass, "control_battery", house.serial, mode="hold", duration=30)
        assert [address for address, _ in house.sent] == [148]
        house.plant.advance(1)
        assert house.flows() == (0, 1500)
        # The edge is at 10:35.
        await go_on(hass, freezer, house.plant, 33 * 60)
        assert len(house.sent) == 1
        # At the end itself, or with the next look.
        for _ in range(2):
            await go_on(hass, freezer, house.plant, 60)
        assert [address for address, _ in house.sent] == [148, 148]
        assert house.words(148, 177) == before
        house.plant.advance(1)
        assert house.flows() == (1546, 0)


@pytest.mark.freeze_time("2026-06-21 21:00:00+00:00")
async def test_an_order_over_midnight_takes_two_slots_of_a_saj(hass: HomeAssistant) -> None:
    """From 23:00 on Sunday to 05:00 on Monday, and no slot ends before it starts."""
    start = datetime(2026, 6, 21, 23)  # noqa: DTZ001 - the machine knows no zone
    async with house_with(hass, SAJ, start=start) as house:
        await act(hass, "control_battery", house.serial, mode="charge", power=3000, until="05:00")
        # Slots 7 and 6; the last minute of the day stands for midnight.
        assert house.words(0x3618, 0x361A) == (0x1700, 0x173B, 0x4032)
        assert house.words(0x3615, 0x3617) == (0x0000, 0x0500, 0x0132)
        assert house.machine.word(0x3604) == 0x60
        for write in house.machine.writes:
            for first in (0x3615, 0x3618):
                assert write.address != first or write.values[0] <= house.machine.word(first + 1)
        for hour, minute, battery in (
            *((23, 30, -3000), (0, 30, -3000)),
            *((4, 59, -3000), (5, 1, 1546)),
        ):
            now = house.machine.inverter.now
            ahead = (hour * 60 + minute - now.hour * 60 - now.minute) * 60 - now.second
            house.plant.advance(ahead % 86400 - 1)
            house.steer(soc=60)
            assert house.flows()[0] == battery, (hour, minute)


@pytest.mark.freeze_time("2026-06-21 00:00:00+00:00")
async def test_the_edges_of_an_order_are_those_of_the_machines_own_clock(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """It is an hour ahead; when somebody sets it right, one request follows within a minute."""
    start = datetime(2026, 6, 21, 2)  # noqa: DTZ001 - the machine knows no zone
    async with house_with(hass, JSO, start=start) as house:
        cause(house.plant, {"clock": 3600})
        told = await act(
            hass, "control_battery", house.serial, mode="charge", power=3000, until="05:00"
        )
        assert told["until"] == "2026-06-21T05:00:00+02:00"
        # The first slot is the order's: the owner's edge at 01:00, the farthest ahead, has no place.
        assert house.words(148, 149) == (300, 600)
        for _ in range(2):
            await go_on(hass, freezer, house.plant, 1800)
            # 57 A at 52.6 V.
            assert house.flows()[0] == pytest.approx(-2997, abs=60)
        sent = len(house.sent)
        cause(house.plant, {"clock": -3600})
        for _ in range(2):
            await go_on(hass, freezer, house.plant, 30)
        assert [address for address, _ in house.sent[sent:]] == [148]
        assert house.words(148, 149) == (200, 500)
        # It is 03:01.
        await go_on(hass, freezer, house.plant, 118 * 60)
        assert house.flows()[0] < -2900
        # From 05:00 on the owner's table lets the battery serve the house.
        house.plant.advance(120)
        assert house.flows() == (1546, 0)
