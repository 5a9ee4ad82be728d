"""What the blueprint for EMHASS orders: one order for each kind of step, until two steps after the plan was published."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant, ServiceCall, SupportsResponse
import pytest
from pytest_homeassistant_custom_component.common import (
    async_fire_time_changed,
    async_mock_service,
)

from custom_components.hybrid_inverter.const import DOMAIN

from .blueprints import DEVICE, automation

# 10:01 in Berlin, and two steps of half an hour later.
MORNING: Final = "2026-06-21 08:01:00+00:00"
UNTIL: Final = "2026-06-21T09:01:00+00:00"
# What the automation is called, and so the owner of its orders.
NAME: Final = "emhass"

# What the plan has at the battery and at the grid, and what is ordered; None: the battery is released.
ORDERS: Final[dict[str, tuple[str, str, dict[str, Any] | None]]] = {
    "the battery serves the house": ("1340.2", "0.0", None),
    "and is charged with the sun that is left": ("-2025.77", "-99.9", None),
    "it rests, and next to nothing is bought": ("0.0", "99.9", None),
    "it is charged from the grid": ("-5000.4", "5554.6", {"mode": "charge", "power": 5000}),
    "it is charged with a part of the sun": ("-50.0", "-1200.0", {"mode": "charge", "power": 50}),
    "it sells": ("5820.0", "-3944.6", {"mode": "discharge", "at": "grid", "power": 3945}),
    "it serves a part of the house": ("300.4", "1200.0", {"mode": "discharge", "power": 300}),
    "it rests, and the house buys": ("-49.9", "400.0", {"mode": "hold"}),
    "it rests, and the sun is sold": ("49.9", "-400.0", {"mode": "no_charge"}),
}

pytestmark = pytest.mark.freeze_time(MORNING)


class Planned:
    """An automation of the blueprint, and what it calls."""

    def __init__(self, hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
        """It has the orders carried out by nobody."""
        self._hass = hass
        self._freezer = freezer
        # What `get_control` answers.
        self.control: dict[str, Any] = {"mode": "auto"}
        self.orders = async_mock_service(hass, DOMAIN, "control_battery")
        self.releases = async_mock_service(hass, DOMAIN, "release_battery")
        hass.services.async_register(
            DOMAIN,
            "get_control",
            lambda _: self.control,
            supports_response=SupportsResponse.ONLY,
        )

    async def publish(self, battery: str, grid: str, before: str = "sensor.p_") -> None:
        """Publish a step as EMHASS does: each time, the battery's power first."""
        self._hass.states.async_set(f"{before}batt_forecast", battery)
        self._hass.states.async_set(f"{before}grid_forecast", grid)
        await self._hass.async_block_till_done()

    async def wait(self, minutes: float) -> None:
        """Let so many minutes pass, a minute at a time."""
        for _ in range(round(minutes)):
            self._freezer.tick(timedelta(minutes=1))
            async_fire_time_changed(self._hass)
            await self._hass.async_block_till_done()

    @property
    def ordered(self) -> list[dict[str, Any]]:
        """What was ordered of the inverter so far."""
        return [_order_in(call) for call in self.orders]


def _order_in(call: ServiceCall) -> dict[str, Any]:
    """What a call orders beside its target, which is the inverter."""
    data = dict(call.data)
    assert data.pop("device_id") == [DEVICE]
    return data


@pytest.fixture
async def home(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Planned:
    """Return a home without an automation yet."""
    return Planned(hass, freezer)


@pytest.fixture
async def planned(hass: HomeAssistant, home: Planned) -> AsyncIterator[Planned]:
    """Return an automation of the blueprint with its own defaults."""
    async with automation(hass, "emhass", inverter=DEVICE):
        yield home


@pytest.mark.parametrize(("battery", "grid", "order"), ORDERS.values(), ids=ORDERS)
async def test_each_kind_of_step_becomes_one_order(
    planned: Planned, battery: str, grid: str, order: dict[str, Any] | None
) -> None:
    """A release is one only where this automation has an order in force."""
    planned.control = {"mode": "charge", "owner": NAME}
    await planned.publish(battery, grid)
    assert planned.ordered == ([] if order is None else [{**order, "until": UNTIL}])
    assert len(planned.releases) == (order is None)


@pytest.mark.parametrize(
    ("control", "releases"),
    [
        ({"mode": "auto", "export_limit": None}, 0),
        ({"mode": "hold", "owner": "Somebody"}, 0),
        ({"mode": "hold", "owner": NAME}, 1),
        # Of a plant, one of its inverters is enough.
        ({"first": {"mode": "auto"}, "second": {"mode": "hold", "owner": "Somebody"}}, 0),
        ({"first": {"mode": "auto"}, "second": {"mode": "hold", "owner": NAME}}, 1),
    ],
)
async def test_only_its_own_order_is_released(
    planned: Planned, control: dict[str, Any], releases: int
) -> None:
    """To release somebody else's would be an error every five minutes."""
    planned.control = control
    await planned.publish("0", "0")
    assert len(planned.releases) == releases


async def test_the_same_plan_is_ordered_again_until_the_same_time(planned: Planned) -> None:
    """At 10:05 and 10:10; published again at 10:12 without a change, it lasts longer from 10:15 on."""
    await planned.publish("-3000", "3400")
    await planned.wait(11)
    assert [order["until"] for order in planned.ordered] == [UNTIL] * 3
    await planned.publish("-3000", "3400")
    await planned.wait(3)
    assert [order["until"] for order in planned.ordered[3:]] == ["2026-06-21T09:12:00+00:00"]


async def test_nothing_is_ordered_when_emhass_has_not_published_for_two_steps(
    planned: Planned,
) -> None:
    """Published at 10:01, the last order is given at 10:55: at 11:00 it would last a minute."""
    await planned.publish("-3000", "3400")
    await planned.wait(120)
    assert len(planned.ordered) == 12
    assert {order["until"] for order in planned.ordered} == {UNTIL}


@pytest.mark.parametrize(
    ("battery", "grid"), [("unavailable", "400"), ("-3000", "unknown"), ("-3000", "")]
)
async def test_nothing_is_ordered_while_a_power_is_no_number(
    planned: Planned, battery: str, grid: str
) -> None:
    """EMHASS' sensors are gone after a start of Home Assistant, until it publishes again."""
    await planned.wait(5)
    await planned.publish(battery, grid)
    await planned.wait(5)
    assert planned.ordered == []
    assert planned.releases == []


async def test_the_details_are_those_of_the_owner(hass: HomeAssistant, home: Planned) -> None:
    """Other sensors, steps of a quarter of an hour, other thresholds, and a battery that idles."""
    details = {
        "battery_power": "sensor.mpc_batt_forecast",
        "grid_power": "sensor.mpc_grid_forecast",
        "step": 15,
        "grid_zero": 20,
        "battery_zero": 200,
        "rest": "idle",
    }
    async with automation(hass, "emhass", inverter=DEVICE, **details):
        await home.publish("199", "-21", before="sensor.mpc_")
        await home.publish("-199", "21", before="sensor.mpc_")
        await home.publish("0", "19", before="sensor.mpc_")
    until = "2026-06-21T08:31:00+00:00"
    assert home.ordered == [{"mode": "idle", "until": until}] * 2
