"""What an owner does not allow any more: a sale that is under way ends, and the order goes on without it."""

from typing import Any, Final

import pytest

from custom_components.hybrid_inverter.const import CONF_MAY_SELL
from custom_components.hybrid_inverter.modbus.control.plan import Why

from .helpers import driver_in
from .test_control_actions import MORNING
from .test_control_life import (
    Home,
    jso,  # noqa: F401 - a fixture
    make_home,  # noqa: F401 - a fixture
    windows,  # noqa: F401 - a fixture
)

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("few_entities", "in_berlin"),
]

# The work mode of the JSO: 0 sells first, 2 exports nothing at the clamps; whether the battery of the SAJ may export.
WORK_MODE, BATTERY_EXPORT = 142, 0x3660
DISCHARGE: Final[dict[str, Any]] = {
    "mode": "discharge",
    "power": 3000,
    "target_soc": 40,
    "duration": 60,
}


async def allow(home: Home, **options: Any) -> None:
    """Have the owner send the options, after which the entry is loaded again, and the orders are looked at."""
    home.hass.config_entries.async_update_entry(home.entry, options=options)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.wait(1)


async def test_a_jso_stops_selling_when_its_owner_forbids_it_and_goes_on_supplying_the_house(
    jso: Home,  # noqa: F811 - a fixture
) -> None:
    """At the end all is as before."""
    await jso.order(**DISCHARGE)
    assert (jso.before[WORK_MODE], jso.words[WORK_MODE]) == (2, 0)
    await allow(jso, **{CONF_MAY_SELL: False})
    assert jso.words[WORK_MODE] == 2
    assert jso.happened == ["started", "adopted_at_start"]
    driver = driver_in(jso.entry)
    (lease,) = driver.keeper.leases
    told = driver.keeper.told_of(lease)
    assert told is not None
    assert Why.EXPORT in [limit.why for limit in told.limited]
    # Its times are multiples of five minutes.
    await jso.wait(66)
    # The house takes less than was ordered.
    assert jso.happened[2:] == ["not_followed", "ended"]
    assert jso.words == jso.before


async def test_a_saj_stops_selling_when_its_owner_forbids_it(
    windows: Home,  # noqa: F811 - a fixture
) -> None:
    """Its slot goes on into the house."""
    await windows.order(**DISCHARGE)
    assert (windows.before[BATTERY_EXPORT], windows.words[BATTERY_EXPORT]) == (0, 1)
    await allow(windows, **{CONF_MAY_SELL: False})
    assert windows.words[BATTERY_EXPORT] == 0
    assert windows.happened == ["started", "adopted_at_start"]
    await windows.wait(61)
    assert windows.words == windows.before


async def test_what_nobody_has_forbidden_goes_on_after_the_options_were_sent(
    jso: Home,  # noqa: F811 - a fixture
) -> None:
    """Whether an inverter may sell at first is seen at settings that the order itself may have changed."""
    await jso.order(**DISCHARGE)
    await allow(jso, power_interval=6)
    assert jso.words[WORK_MODE] == 0
    assert jso.happened == ["started", "adopted_at_start"]
