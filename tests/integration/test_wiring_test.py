"""The owner's test: what it shows, and that it leaves everything as it was, however it ends."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final
from unittest.mock import Mock

from homeassistant.components import persistent_notification
from homeassistant.const import Platform
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.doctor import wiring_test
from custom_components.hybrid_inverter.doctor.checks import Obstacle, wrong
from custom_components.hybrid_inverter.doctor.wiring_test import TESTS
from custom_components.hybrid_inverter.modbus.doctor.owner_test import OwnerTest
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.runtime.issues import issue_id
from simulator import SimulatedPlant
from simulator.cause import cause
from simulator.steering import steer

from .helpers import SERIAL, find, load, network_entry, refresh, unit_of
from .test_control_actions import MORNING, act
from .test_control_life import (
    HOLD,
    Home,
    home,  # noqa: F401 - a fixture
    jso,  # noqa: F401 - a fixture
    make_home,  # noqa: F401 - a fixture
    stop,
)
from .wired import begin, report_now, seconds

pytestmark = [pytest.mark.freeze_time(MORNING), pytest.mark.usefixtures("in_berlin")]

RIGHT: Final = {"reversed": False, "right_phase": True, "ratio": 1.0, "finding": None}


def clamps_of(report: dict[str, Any]) -> dict[str | None, dict[str, Any]]:
    """What was told of each clamp, by its phase."""
    told = ("reversed", "right_phase", "ratio", "finding")
    return {one["phase"]: {name: one[name] for name in told} for one in report["clamps"]}


@pytest.mark.usefixtures("few_entities")
async def test_right_clamps_are_told_within_three_minutes_and_nothing_is_left(
    home: Home,  # noqa: F811 - a fixture
) -> None:
    """All settings that an order may change are as before, word for word."""
    report = await report_now(home)
    assert report["result"] == "right"
    assert set(clamps_of(report)) in ({"l1", "l2", "l3"}, {"l1"})
    assert all(told == RIGHT for told in clamps_of(report).values())
    assert home.serial not in str(report)
    assert home.happened == ["started", "started", "released"]
    assert home.words == home.before


@pytest.mark.usefixtures("few_entities")
async def test_a_reversed_clamp_is_told(jso: Home) -> None:  # noqa: F811 - a fixture
    """That of L2, and only that."""
    cause(jso.plant, {"reversed_phases": [2]})
    report = await report_now(jso)
    assert report["result"] == "wrong"
    finding = {"cause": "clamp_reversed", "places": ["l2"], "ratio": None}
    assert clamps_of(report) == {
        "l1": RIGHT,
        "l2": RIGHT | {"reversed": True, "finding": finding},
        "l3": RIGHT,
    }
    assert "clamp (L2): Grid clamp reversed (L2), shows -1 W" in report["text"]
    assert jso.words == jso.before


@pytest.mark.usefixtures("few_entities")
async def test_exchanged_clamps_are_told(jso: Home) -> None:  # noqa: F811 - a fixture
    """Each shows half of what flows in the other conductor, the wrong way round."""
    cause(jso.plant, {"phase_order": [2, 1, 3]})
    report = await report_now(jso)
    finding = {"cause": "phases_exchanged", "places": ["l1", "l2"], "ratio": None}
    crossed = {"reversed": None, "right_phase": False, "ratio": None, "finding": finding}
    assert clamps_of(report) == {"l1": crossed, "l2": crossed, "l3": RIGHT}
    assert jso.words == jso.before


# ---------------------------------------------------------------------- why it does not begin


def full(one: Home) -> None:
    """The battery takes nothing more."""
    steer(one.plant, one.plant.machine(), {"soc": 100})


def empty(one: Home) -> None:
    """The battery gives nothing more: the user's floor is at 35 %."""
    steer(one.plant, one.plant.machine(), {"soc": 36})


def without_grid(one: Home) -> None:
    """The grid has gone."""
    steer(one.plant, one.plant.machine(), {"grid": False})


def silent(one: Home) -> None:
    """The inverter does not answer."""
    cause(one.plant, {"silent": True})


@pytest.mark.usefixtures("few_entities")
@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (full, "wiring_test_charge"),
        (empty, "wiring_test_discharge"),
        (without_grid, "wiring_test_grid"),
        (silent, "wiring_test_silent"),
    ],
)
async def test_it_does_not_begin_where_it_could_not_show_anything(
    hass: HomeAssistant,
    jso: Home,  # noqa: F811 - a fixture
    prepare: Callable[[Home], None],
    reason: str,
) -> None:
    """The reason is told, and nothing is written."""
    prepare(jso)
    # What was read at the start is old by then.
    jso.freezer.tick(60)
    await refresh(hass, jso.entry, Group.POWER)
    await refresh(hass, jso.entry, Group.FAULTS)
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "test_wiring", jso.serial, user=jso.user)
    assert caught.value.translation_key == reason
    assert jso.writes == 0


@pytest.mark.usefixtures("few_entities")
async def test_it_does_not_take_the_battery_from_anybody(
    hass: HomeAssistant,
    jso: Home,  # noqa: F811 - a fixture
) -> None:
    """Neither from an order that is in force, nor from another test."""
    await jso.order(**HOLD)
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "test_wiring", jso.serial, user=jso.user)
    assert caught.value.translation_key == "control_busy"
    await jso.release()
    first = await begin(jso)
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "test_wiring", jso.serial, user=jso.user)
    assert caught.value.translation_key == "wiring_test_running"
    await seconds(jso, 175)
    assert first.result()["result"] == "right"


async def test_an_inverter_that_may_only_be_read_is_not_tested(
    hass: HomeAssistant, plant: SimulatedPlant
) -> None:
    """There is no button, and the action says why."""
    await load(hass, network_entry(plant.tcp_port, options={"tier": "read_only"}))
    assert find(hass, Platform.BUTTON, "test_wiring") is None
    assert find(hass, Platform.SENSOR, "wiring") is not None
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "test_wiring", SERIAL)
    assert caught.value.translation_key == "control_view_only"


# ---------------------------------------------------------------------- how it ends before its time


@pytest.mark.usefixtures("few_entities")
async def test_nothing_is_left_of_a_test_whose_caller_is_cancelled(
    home: Home,  # noqa: F811 - a fixture
) -> None:
    """A script that is stopped, say, while the battery is charged."""
    test = await begin(home)
    await seconds(home, 40)
    assert home.words != home.before
    test.cancel()
    with pytest.raises(asyncio.CancelledError):
        await test
    assert home.words == home.before
    assert home.happened == ["started", "released"]


@pytest.mark.usefixtures("few_entities")
@pytest.mark.parametrize("how", ["reload", "stop"])
async def test_nothing_is_left_of_a_test_whose_entry_is_closed(
    hass: HomeAssistant,
    jso: Home,  # noqa: F811 - a fixture
    how: str,
) -> None:
    """It is loaded again, or Home Assistant stops, while the battery is charged."""
    test = await begin(jso)
    await seconds(jso, 40)
    assert jso.words != jso.before
    if how == "stop":
        await stop(hass)
    else:
        assert await hass.config_entries.async_reload(jso.entry.entry_id)
    with pytest.raises(HomeAssistantError) as caught:
        await test
    assert caught.value.translation_key == "wiring_test_stopped"
    assert jso.words == jso.before


@pytest.mark.usefixtures("few_entities")
async def test_nothing_is_left_of_a_test_after_home_assistant_was_killed(
    home: Home,  # noqa: F811 - a fixture
) -> None:
    """Its order ends by its lease: at the next start the settings are put back."""
    test = await begin(home)
    await seconds(home, 40)
    assert home.words != home.before
    await home.restart(timedelta(minutes=10))
    assert test.exception() is not None
    assert home.words == home.before


@pytest.mark.usefixtures("few_entities")
async def test_a_person_who_ends_its_order_ends_the_test(
    jso: Home,  # noqa: F811 - a fixture
) -> None:
    """Nothing is ordered after that."""
    test = await begin(jso)
    await seconds(jso, 40)
    await jso.release()
    await seconds(jso, 60)
    assert test.exception() is not None
    assert jso.happened == ["started", "released"]
    assert jso.words == jso.before


@pytest.mark.usefixtures("few_entities")
@pytest.mark.parametrize("method", ["order", "report"])
async def test_nothing_is_left_of_a_test_that_a_defect_breaks_off(
    jso: Home,  # noqa: F811 - a fixture
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    method: str,
) -> None:
    """While the battery is charged, or when the result is worked out; the error is told and logged once."""
    test = await begin(jso)
    await seconds(jso, 40)
    assert jso.words != jso.before
    monkeypatch.setattr(OwnerTest, method, Mock(side_effect=ZeroDivisionError))
    await seconds(jso, 140)
    with pytest.raises(HomeAssistantError) as caught:
        await test
    assert caught.value.translation_key == "wiring_test_failed"
    assert caplog.text.count("the wiring test has failed") == 1
    assert jso.happened[-1] == "released"
    assert jso.words == jso.before


@pytest.mark.usefixtures("few_entities")
async def test_a_test_that_is_abandoned_while_it_ends_its_order_tells_that_once(
    jso: Home,  # noqa: F811 - a fixture
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not as a defect: nothing is told to those who wait that they have been told already."""
    test = await begin(jso)
    await seconds(jso, 130)
    (running,) = jso.hass.data[TESTS].values()
    release = wiring_test.async_release

    async def abandon(*args: Any, **options: Any) -> None:
        await release(*args, **options)
        running.async_abandon(wrong(Obstacle.STOPPED, device=jso.serial))
        # It takes until the test is over.
        monkeypatch.setattr(OwnerTest, "finished", True)

    monkeypatch.setattr(wiring_test, "async_release", abandon)
    await seconds(jso, 45)
    with pytest.raises(HomeAssistantError) as caught:
        await test
    assert caught.value.translation_key == "wiring_test_stopped"
    assert "the wiring test has failed" not in caplog.text
    assert jso.words == jso.before


@pytest.mark.usefixtures("few_entities")
@pytest.mark.parametrize(
    ("trouble", "cause_told", "places"),
    [
        ({"clamp_place": "house"}, "clamp_house_side", None),
        ({"internal_clamp": True}, "clamp_silent", ["l1", "l2", "l3"]),
    ],
)
async def test_of_a_clamp_that_the_inverter_does_not_reach_nothing_else_is_told(
    jso: Home,  # noqa: F811 - a fixture
    trouble: dict[str, Any],
    cause_told: str,
    places: list[str] | None,
) -> None:
    """Neither its direction, nor its phase, nor its ratio."""
    # On the house's side there is something to see.
    steer(jso.plant, jso.plant.machine(), {"home": 600})
    cause(jso.plant, trouble)
    report = await report_now(jso)
    assert set(clamps_of(report)) == {"l1", "l2", "l3"}
    for phase, told in clamps_of(report).items():
        finding = {"cause": cause_told, "places": places or [phase], "ratio": None}
        unknown = {"reversed": None, "right_phase": None, "ratio": None}
        assert told == {**unknown, "finding": finding}


@pytest.mark.usefixtures("few_entities")
async def test_whoever_waits_is_told_of_a_test_whose_order_cannot_be_ended(
    jso: Home,  # noqa: F811 - a fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the error is: the order ends by itself."""
    test = await begin(jso)
    await seconds(jso, 40)
    monkeypatch.setattr(wiring_test, "async_release", Mock(side_effect=ZeroDivisionError))
    await seconds(jso, 140)
    assert test.done()
    with pytest.raises(HomeAssistantError) as caught:
        await test
    assert caught.value.translation_key == "wiring_test_failed"


# ---------------------------------------------------------------------- the button


async def test_the_button_starts_it_and_a_notification_tells_the_result(
    hass: HomeAssistant,
    jso: Home,  # noqa: F811 - a fixture
) -> None:
    """Whoever presses it does not wait; the sensor and the diagnostics keep the result."""
    assert await async_setup_component(hass, "persistent_notification", {})
    notified: dict[str, persistent_notification.Notification] = {}

    def note(
        _: persistent_notification.UpdateType,
        notifications: dict[str, persistent_notification.Notification],
    ) -> None:
        notified.update(notifications)

    persistent_notification.async_register_callback(hass, note)
    cause(jso.plant, {"reversed_phases": [1]})
    button = find(hass, Platform.BUTTON, "test_wiring")
    await hass.services.async_call(
        "button",
        "press",
        {"entity_id": button},
        blocking=True,
        context=Context(user_id=jso.user.id),
    )
    assert unit_of(jso.entry).may_write
    await seconds(jso, 175)
    (told,) = notified.values()
    assert told["title"] == "Wiring test of JSO8048104"
    assert "clamp (L1): Grid clamp reversed (L1)" in told["message"]
    assert jso.serial not in told["notification_id"]
    wiring = find(hass, Platform.SENSOR, "wiring")
    assert wiring is not None
    shown = hass.states.get(wiring)
    assert shown is not None
    assert shown.attributes["last_test"] == "wrong"
    assert jso.words == jso.before
    # It counts at once: the sensor and a repair tell the same.
    assert shown.state == "clamp_reversed"
    assert shown.attributes["causes"] == [
        {"cause": "clamp_reversed", "places": ["l1"], "ratio": None}
    ]
    assert ir.async_get(hass).async_get_issue(
        DOMAIN, issue_id(jso.serial, "wiring_clamp_reversed", "l1")
    )
