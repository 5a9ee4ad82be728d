"""What excuses a flow that was not ordered, by the day's powers alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from custom_components.hybrid_inverter.control.flow import FlowWatch, Verdict
from custom_components.hybrid_inverter.modbus.control.order import ControlMode, PowerAt
from custom_components.hybrid_inverter.modbus.control.plan import EndsBy, Limited, Told, Why

BEGAN: Final = datetime(2026, 11, 30, 2, tzinfo=UTC)
COLD: Final = {"battery_temperature": 4.0}


def told(
    mode: ControlMode, *limited: Why, target: float | None = None, reached: bool = False
) -> Told:
    """An order of three hours."""
    return Told(
        mode=mode,
        power=3000 if mode is ControlMode.CHARGE else None,
        target_soc=target,
        target_reached=reached,
        until=BEGAN + timedelta(hours=3),
        ends_by=EndsBy.INVERTER,
        limited=tuple(Limited(why) for why in limited),
    )


def after_ten_minutes(order: Told, power: float, **values: Any) -> tuple[Verdict, Why | None]:
    """What becomes of an order while the same flows from its second minute on."""
    watch = FlowWatch(began=BEGAN)
    for minute in (2, 6, 10):
        now = BEGAN + timedelta(minutes=minute)
        verdict = watch.judge(now, order, PowerAt.BATTERY, {"battery_power": power, **values})
    return verdict, watch.why


@pytest.mark.parametrize(
    "order",
    [told(ControlMode.HOLD), told(ControlMode.CHARGE), told(ControlMode.CHARGE, Why.HIGH_SOC)],
    ids=["hold", "charge", "charge, limited"],
)
def test_nothing_that_keeps_a_battery_from_charging_excuses_that_it_is_emptied(order: Told) -> None:
    """3000 W out of a cold battery that was to give nothing is the wrong way."""
    assert after_ten_minutes(order, 3000, **COLD) == (Verdict.WRONG_WAY, None)


def test_a_cold_battery_that_takes_nothing_is_excused() -> None:
    """0 W into it, where 3000 W were ordered."""
    order = told(ControlMode.CHARGE)
    assert after_ten_minutes(order, 0, **COLD) == (Verdict.LIMITED, Why.BATTERY)


def test_an_outage_excuses_a_battery_that_serves_the_house() -> None:
    """It has to."""
    order = told(ControlMode.HOLD)
    assert after_ten_minutes(order, 1546, grid_connected=False) == (
        Verdict.LIMITED,
        Why.DEVICE_LIMIT,
    )


@pytest.mark.parametrize(
    ("order", "power"),
    [
        (told(ControlMode.DISCHARGE, Why.EXPORT), -3000),
        (told(ControlMode.NO_CHARGE, Why.EXPORT), -3000),
        (told(ControlMode.IDLE), -3000),
        (told(ControlMode.IDLE), 3000),
    ],
    ids=["discharge", "no charge", "idle, charged", "idle, discharged"],
)
def test_nothing_that_keeps_a_battery_from_giving_excuses_that_it_is_filled(
    order: Told, power: float
) -> None:
    """In the night, however cold it is."""
    verdict = after_ten_minutes(order, power, pv_power=0, **COLD)
    assert verdict == (Verdict.WRONG_WAY, None)


@pytest.mark.parametrize("pv_power", [6000, None])
def test_the_sun_excuses_a_battery_that_is_filled_while_it_was_to_give(
    pv_power: float | None,
) -> None:
    """Or it may, where nobody knows what comes from the roof."""
    order = told(ControlMode.DISCHARGE)
    verdict = after_ten_minutes(order, -3000, pv_power=pv_power)
    assert verdict == (Verdict.LIMITED, Why.SUN)


@pytest.mark.parametrize(
    ("order", "soc"),
    [
        (told(ControlMode.DISCHARGE, target=55), 54),
        (told(ControlMode.DISCHARGE, target=55, reached=True), 55),
        (told(ControlMode.CHARGE, target=55, reached=True), 55),
        (told(ControlMode.CHARGE, target=55), 56),
    ],
)
def test_a_battery_that_is_emptied_beyond_its_target_flows_the_wrong_way(
    order: Told, soc: float
) -> None:
    """Once the target is reached it is held, whatever the order was; 300 W are what a held one may give."""
    assert after_ten_minutes(order, 301, battery_soc=soc)[0] is Verdict.WRONG_WAY
    assert after_ten_minutes(order, 300, battery_soc=soc)[0] is Verdict.FOLLOWED


def test_a_battery_may_go_on_for_less_than_a_percent_beyond_its_target() -> None:
    """Many inverters know the state of charge in whole percent."""
    order = told(ControlMode.DISCHARGE, target=55)
    assert after_ten_minutes(order, 3000, battery_soc=54.1)[0] is Verdict.FOLLOWED


def test_a_battery_that_is_held_by_a_reserve_may_be_emptied_down_to_it() -> None:
    """A percent of a large battery lasts longer than the five minutes in which nothing may flow."""
    order = replace(told(ControlMode.HOLD), held_at=59)
    assert after_ten_minutes(order, 1500, battery_soc=58.1)[0] is Verdict.FOLLOWED
    assert after_ten_minutes(order, 1500, battery_soc=58)[0] is Verdict.WRONG_WAY


def test_only_the_sun_may_charge_a_battery_beyond_its_target() -> None:
    """By night it is the grid, and somebody pays for it."""
    order = told(ControlMode.CHARGE, target=70)
    flows = {"battery_soc": 71, "pv_power": 0}
    assert after_ten_minutes(order, -3000, **flows)[0] is Verdict.WRONG_WAY
    assert after_ten_minutes(order, -3000, **{**flows, "pv_power": 4000})[0] is Verdict.FOLLOWED
    assert after_ten_minutes(order, -3000, **{**flows, "battery_soc": 70.9})[0] is Verdict.FOLLOWED
