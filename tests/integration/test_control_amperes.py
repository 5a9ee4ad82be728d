"""A SAJ of 6 kW whose owner allows an export of 0 A, of which an order or a number makes a limit in watts for some time."""

from homeassistant.exceptions import HomeAssistantError
import pytest

from .helpers import unit_of
from .test_control_actions import MORNING, act
from .test_control_entities import set_number
from .test_control_life import FLOOR, Home, make_home, windows  # noqa: F401 - fixtures
from .test_schedule_windows import written

POWER, AMPERES, MODE = 0x365A, 0x365B, 0x365C

pytestmark = [pytest.mark.freeze_time(MORNING), pytest.mark.usefixtures("in_berlin")]


@pytest.fixture
async def home(windows: Home) -> Home:  # noqa: F811
    """Return the home, with the limit set at the panel; the power beside it is as it left the factory."""
    machine = windows.plant.machine()
    machine.panel_change(AMPERES, 0)
    machine.panel_change(MODE, 2)
    await windows.wait(1)
    assert limits(windows) == (1100, 2)
    return windows


def limits(home: Home) -> tuple[int, int]:
    """Return the power and the mode that the inverter holds."""
    return home.words[POWER], home.words[MODE]


async def test_an_order_in_watts_begins_with_its_power_and_ends_with_its_mode(home: Home) -> None:
    """So that not for a moment 110 % may flow, which are 6600 W."""
    await act(home.hass, "limit_export", home.serial, power=0, duration=60)
    assert written(home.plant) == [(POWER, 0), (MODE, 1)]
    await home.wait(61)
    assert home.happened == ["started", "ended"]
    assert written(home.plant)[2:] == [(MODE, 2), (POWER, 1100)]


async def test_an_order_whose_power_is_not_taken_is_none(home: Home) -> None:
    """The inverter stays in amperes."""
    home.plant.machine().trouble.ignored_writes = frozenset({POWER})
    with pytest.raises(HomeAssistantError):
        await act(home.hass, "limit_export", home.serial, power=0, duration=60)
    assert set(written(home.plant)) == {(POWER, 0)}
    assert (limits(home), home.happened) == ((1100, 2), [])


@pytest.mark.parametrize("crashes", [False, True])
async def test_a_limit_stays_at_the_end_until_the_mode_of_the_owner_is_taken(
    home: Home, *, crashes: bool
) -> None:
    """The order is over, and its 0 W are the limit until the owner's 0 A are; also over a crash."""
    await act(home.hass, "limit_export", home.serial, power=0, duration=60)
    home.plant.machine().trouble.ignored_writes = frozenset({MODE})
    await home.wait(70)
    assert limits(home) == (0, 1)
    if crashes:
        await home.restart()
        assert limits(home) == (0, 1)
    assert (POWER, 1100) not in written(home.plant)
    home.plant.machine().trouble.ignored_writes = frozenset()
    await home.wait(70)
    assert limits(home) == (1100, 2)
    assert written(home.plant)[-2:] == [(MODE, 2), (POWER, 1100)]


async def test_the_rest_comes_back_although_the_mode_of_the_limit_does_not(home: Home) -> None:
    """A hold that ends at the same time is not kept by it: the floor is at 20 % again."""
    await home.order(mode="hold", duration=60)
    await act(home.hass, "limit_export", home.serial, power=0, duration=60)
    home.plant.machine().trouble.ignored_writes = frozenset({MODE})
    await home.wait(70)
    assert home.words[FLOOR] == 20
    assert limits(home) == (0, 1)


async def test_the_number_in_watts_has_its_power_first_and_is_undone_with_its_mode_first(
    home: Home,
) -> None:
    """Half of the rated power are 500 thousandths."""
    await set_number(home.hass, "export_limit", 3000, home.serial)
    assert written(home.plant) == [(POWER, 500), (MODE, 1)]
    await unit_of(home.entry).device.undo()
    assert written(home.plant)[2:] == [(MODE, 2), (POWER, 1100)]


async def test_the_number_makes_room_for_no_more_than_the_owner_allows(home: Home) -> None:
    """In place of an order of 0 W: the 0 A are between it and the 3000 W of the number."""
    await act(home.hass, "limit_export", home.serial, power=0, duration=60)
    await set_number(home.hass, "export_limit", 3000, home.serial)
    assert written(home.plant)[2:] == [(MODE, 2), (POWER, 1100), (POWER, 500), (MODE, 1)]
