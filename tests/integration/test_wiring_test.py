"""The owner's test: what it shows, and that it leaves everything as it was, however it ends."""

from homeassistant.core import HomeAssistant
import pytest

from simulator.cause import cause

from .test_control_actions import MORNING
from .test_control_life import (
    Home,
    home,  # noqa: F401 - a fixture
    jso,  # noqa: F401 - a fixture
    make_home,  # noqa: F401 - a fixture
    windows,  # noqa: F401 - a fixture
)
from .wired import report_now

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("few_entities", "in_berlin"),
]


async def test_right_clamps_are_told_and_nothing_is_left_of_the_test(
    hass: HomeAssistant,
    home: Home,  # noqa: F811 - a fixture
) -> None:
    """Within three minutes."""
    report = await report_now(home)
    assert home.words == home.before
    assert report["result"] == "right"


async def test_a_reversed_clamp_is_found(jso: Home) -> None:  # noqa: F811 - a fixture
    """That of L2."""
    cause(jso.plant, {"reversed_phases": [2]})
    report = await report_now(jso)
    assert report["clamps"][1]["reversed"]
    assert jso.words == jso.before
