"""Whether something at the house connection is measured: it decides what takes the place of selling, and whether it sells."""

import pytest

from custom_components.hybrid_inverter.control.combined import ExportLimitSetting
from custom_components.hybrid_inverter.control.facts import CLAMPS

from .helpers import unit_of
from .test_control_actions import MORNING, act
from .test_control_life import (
    Home,
    jso,  # noqa: F401 - a fixture
    make_home,  # noqa: F401 - a fixture
)
from .test_control_permission import DISCHARGE

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("few_entities", "in_berlin"),
]

# The work mode: 0 sells first, 1 exports nothing of what is behind its terminal, 2 nothing at its clamps.
WORK_MODE = 142
SOLAR_SELL = 145


async def measures(home: Home, *, mode: int, fitted: bool) -> None:
    """Have an inverter in a mode, with clamps at the house connection or with those within it alone."""
    machine = home.plant.machine()
    machine.trouble.internal_clamp = not fitted
    machine.panel_change(WORK_MODE, mode)
    # What was read before is too old by then.
    await home.wait(1)


@pytest.mark.parametrize(("fitted", "mode"), [(True, 2), (False, 1)])
async def test_without_clamps_nothing_is_exported_by_the_mode_that_needs_none(
    jso: Home,  # noqa: F811 - a fixture
    fitted: bool,
    mode: int,
) -> None:
    """The manual: zero export to CT needs a CT."""
    await measures(jso, mode=0, fitted=fitted)
    await act(jso.hass, "limit_export", jso.serial, power=0, duration=60)
    assert jso.words[WORK_MODE] == mode


@pytest.mark.parametrize(("fitted", "mode"), [(True, 2), (False, 1)])
async def test_the_number_takes_the_same_mode_as_the_action(
    jso: Home,  # noqa: F811 - a fixture
    fitted: bool,
    mode: int,
) -> None:
    """It takes the place of selling first, which makes the switch count for nothing."""
    await measures(jso, mode=0, fitted=fitted)
    await ExportLimitSetting(unit_of(jso.entry), "export_limit").async_write(0, None)
    assert (jso.words[WORK_MODE], jso.words[SOLAR_SELL]) == (mode, 0)


async def test_the_number_looks_for_clamps_that_no_poll_has_just_shown(
    jso: Home,  # noqa: F811 - a fixture
) -> None:
    """Fitted since: what was polled last knows nothing of them."""
    await measures(jso, mode=0, fitted=False)
    await unit_of(jso.entry).device.poll(CLAMPS)
    jso.plant.machine().trouble.internal_clamp = False
    jso.plant.advance(1)
    jso.freezer.tick(60)
    await ExportLimitSetting(unit_of(jso.entry), "export_limit").async_write(0, None)
    assert jso.words[WORK_MODE] == 2


async def test_without_clamps_a_discharge_supplies_the_house(
    jso: Home,  # noqa: F811 - a fixture
) -> None:
    """Nobody would see how much is sold."""
    await measures(jso, mode=1, fitted=False)
    answer = await jso.order(**DISCHARGE)
    assert "export" in [limit["why"] for limit in answer["limited"]]
    assert jso.words[WORK_MODE] == 1
