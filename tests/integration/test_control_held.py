"""A battery that is to be held, at inverters that do not take the words for it, or act on them."""

from typing import Any, Final

import pytest

from simulator.cause import cause
from simulator.steering import steer

from .test_control_actions import MORNING
from .test_control_life import (  # noqa: F401 - fixtures
    FLOOR,
    HOLD,
    MODE,
    Home,
    jso,
    make_home,
    windows,
)

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("few_entities", "in_berlin"),
]

# The end of charging, and the reserve of the mode Backup, of a SAJ; and that mode.
CEILING, RESERVE = 0x3646, 0x3651
BACKUP: Final = 2
# The work mode of a JSO in which it sells from the battery.
SELLING_FIRST: Final = 0


def flows(home: Home) -> float:
    """Return the watts that the battery gives."""
    power = home.plant.machine().value("battery_power")
    assert isinstance(power, (int, float))
    return power


def charged(home: Home) -> float:
    """Return the state of charge in percent."""
    soc = home.plant.machine().value("battery_soc")
    assert isinstance(soc, (int, float))
    return soc


@pytest.mark.parametrize(
    "trouble",
    [
        {"ignored_writes": frozenset({FLOOR})},
        {"refused_writes": ((FLOOR, FLOOR, 3),)},
    ],
    ids=["acknowledged and not stored", "refused"],
)
async def test_an_inverter_that_does_not_take_the_floor_is_held_by_its_reserve_at_once(
    windows: Home,  # noqa: F811
    trouble: dict[str, Any],
) -> None:
    """Right below the 60 % that it has: 1 % of 10 kWh serves the house for 20 minutes; everything is put back at the end.

    The next time it is not asked for what it does not take: its memory wears out.
    """
    for name, value in trouble.items():
        setattr(windows.plant.machine().trouble, name, value)
    await windows.order(**HOLD)
    words = windows.words
    assert (words[MODE], words[RESERVE], words[FLOOR]) == (BACKUP, 59, windows.before[FLOOR])
    await windows.wait(10)
    assert (flows(windows), windows.happened) == (309, ["started"])
    await windows.wait(15)
    assert (flows(windows), windows.happened) == (0, ["started"])
    await windows.wait(36)
    assert (windows.words, windows.happened) == (windows.before, ["started", "ended"])
    arrived = windows.writes
    await windows.order(**HOLD)
    assert {write.address for write in windows.plant.machine().writes[arrived:]} == {MODE, RESERVE}


async def test_a_hold_that_is_extended_goes_on_by_the_reserve_where_the_floor_is_refused(
    windows: Home,  # noqa: F811
) -> None:
    """The later end is written when three quarters of the first are over, and the floor is not asked for again."""
    windows.plant.machine().trouble.refused_writes = ((FLOOR, FLOOR, 3),)
    await windows.order(**HOLD)
    await windows.wait(5)
    await windows.order(**HOLD)
    await windows.wait(50)
    assert windows.happened == ["started", "extended"]
    assert (windows.words[MODE], windows.words[FLOOR]) == (BACKUP, windows.before[FLOOR])
    await windows.wait(5.5)
    assert windows.words[MODE] == BACKUP
    await windows.wait(5)
    assert (windows.words, windows.happened) == (windows.before, ["started", "extended", "ended"])


async def test_a_discharge_is_held_at_its_target_where_the_floor_has_no_effect(
    windows: Home,  # noqa: F811
) -> None:
    """3 kW from 60 %: a percent below the target, and a minute later, the reserve of another mode holds the battery."""
    cause(windows.plant, {"without_effect": [FLOOR]})
    await windows.order(mode="discharge", power=3000, target_soc=55, duration=120)
    await windows.wait(15)
    assert (windows.words[MODE], windows.words[RESERVE]) == (BACKUP, 52)
    await windows.wait(30)
    assert (flows(windows), charged(windows)) == (0, 52)
    await windows.wait(70)
    assert charged(windows) == 52
    assert windows.happened == ["started", "target_reached"]
    await windows.wait(10)
    assert windows.words == windows.before


async def test_a_jso_that_goes_on_beyond_its_target_is_given_a_slot_that_holds(
    jso: Home,  # noqa: F811
) -> None:
    """The table is stored without an effect, so the owner's slot goes on down to 40 %; but it sells no more."""
    steer(jso.plant, jso.plant.machine(), {"time": "08:30", "soc": 56})
    cause(jso.plant, {"without_effect": list(range(148, 178))})
    await jso.order(mode="discharge", power=3000, target_soc=55, duration=120)
    assert jso.words[142] == SELLING_FIRST
    await jso.wait(4)
    assert flows(jso) == 5000
    await jso.wait(4)
    assert (jso.words[142], flows(jso)) == (jso.before[142], 309)
    assert jso.happened == ["started", "target_reached"]


@pytest.mark.parametrize(("mode", "target"), [("charge", 50), ("discharge", 70)])
async def test_a_target_that_is_reached_already_is_held_where_the_floor_has_no_effect(
    windows: Home,  # noqa: F811
    mode: str,
    target: int,
) -> None:
    """At 60 %, in a house that draws 1500 W from the battery until the reserve holds it."""
    steer(windows.plant, windows.plant.machine(), {"backup": 1500})
    cause(windows.plant, {"without_effect": [FLOOR]})
    told = await windows.order(mode=mode, target_soc=target, duration=120)
    assert told["target_reached"] is True
    await windows.wait(1)
    assert flows(windows) > 1000
    await windows.wait(8)
    assert (windows.words[MODE], flows(windows)) == (BACKUP, 0)
    assert windows.happened == ["started"]


async def test_a_charge_is_held_at_its_target_where_the_end_of_charging_has_no_effect(
    windows: Home,  # noqa: F811
) -> None:
    """3 kW from the grid until 65 %, and no more than a percent and a minute or two beyond."""
    cause(windows.plant, {"without_effect": [CEILING]})
    await windows.order(mode="charge", power=3000, target_soc=65, duration=120)
    await windows.wait(45)
    assert 65 < charged(windows) < 68
    assert (windows.words[MODE], windows.happened) == (BACKUP, ["started", "target_reached"])
