"""The triggers and conditions of an inverter: faults, the grid, settings, silence, the schedule and the reserve."""

from datetime import timedelta
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.automation.const import DOMAIN as AUTOMATION
from homeassistant.const import ATTR_DEVICE_ID, STATE_UNAVAILABLE, Platform
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import condition, trigger
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_mock_service,
)
import voluptuous as vol

from custom_components.hybrid_inverter.const import DOMAIN
from simulator import SimulatedPlant

from .helpers import SERIAL, entity, load_plant
from .test_schedule_windows import SERIAL as SAJ_SERIAL, set_up as set_up_saj
from .test_targets import device_of

FAULT: Final = (Platform.EVENT, "fault")
OUTAGE: Final = (Platform.EVENT, "outage")
CHANGED: Final = (Platform.EVENT, "setting_changed")
CODES: Final = (Platform.SENSOR, "fault")
WARNINGS: Final = (Platform.SENSOR, "warning")
SOC: Final = (Platform.SENSOR, "battery_soc")
SLOT: Final = (Platform.SENSOR, "active_slot")
WINDOW: Final = (Platform.SENSOR, "active_window")
GRID: Final = (Platform.BINARY_SENSOR, "grid_connected")
ANSWERS: Final = (Platform.BINARY_SENSOR, "connectivity")
LINK_ANSWERS: Final = (Platform.BINARY_SENSOR, "link_connectivity")


async def automate(
    hass: HomeAssistant, name: str, target: dict[str, Any] | str = SERIAL, **options: Any
) -> list[ServiceCall]:
    """Return what an automation with this trigger for a device, or another target, is going to do."""
    if isinstance(target, str):
        target = {ATTR_DEVICE_ID: device_of(hass, target).id}
    calls: list[ServiceCall] = async_mock_service(hass, "test", "noted")
    assert await async_setup_component(
        hass,
        AUTOMATION,
        {
            AUTOMATION: {
                "mode": "parallel",
                "triggers": {
                    "trigger": f"{DOMAIN}.{name}",
                    "target": target,
                    "options": options,
                },
                "actions": {
                    "action": "test.noted",
                    "data": {
                        "state": "{{ trigger.to_state.state }}",
                        "code": "{{ trigger.code | default(trigger.to_state.attributes.code) }}",
                        "kind": "{{ trigger.kind | default(trigger.to_state.attributes.kind) }}",
                    },
                },
            }
        },
    )
    return calls


def show(
    hass: HomeAssistant,
    what: tuple[Platform, str],
    state: str,
    serial: str = SERIAL,
    **attributes: Any,
) -> None:
    """Have an entity of the inverter show something."""
    hass.states.async_set(entity(hass, *what, serial=serial), state, attributes)


async def noted(hass: HomeAssistant, calls: list[ServiceCall], key: str = "state") -> list[str]:
    """Return what the automation was told, and begin anew."""
    await hass.async_block_till_done()
    told = [str(call.data[key]) for call in calls]
    calls.clear()
    return told


def tell(
    hass: HomeAssistant, what: tuple[Platform, str], happened: str, second: int, **attributes: Any
) -> None:
    """Have an event of the inverter tell something."""
    show(hass, what, f"2026-06-21T08:00:{second:02}.000+00:00", event_type=happened, **attributes)


# ---------------------------------------------------------------------- what happens


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["F24", "W02", "F18"]),
        ({"kind": "warning"}, ["W02"]),
        ({"code": [" f18", "F63"]}, ["F18"]),
        ({"kind": ["fault"], "code": "W02"}, []),
    ],
)
async def test_a_fault_appears(
    hass: HomeAssistant, loaded: MockConfigEntry, options: dict[str, Any], expected: list[str]
) -> None:
    """Of any kind or of one, any code or some; two of one poll in the same millisecond are two."""
    calls = await automate(hass, "fault_appeared", **options)
    for code, kind, second in (("F24", "fault", 1), ("W02", "warning", 1), ("F18", "fault", 2)):
        tell(hass, FAULT, code.lower(), second, code=code, kind=kind)
    assert await noted(hass, calls, "code") == expected


async def test_a_fault_is_cleared(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """Each code once, also one that goes while the inverter is silent; F35 is the grid's absence, and no fault."""
    calls = await automate(hass, "fault_cleared", f"{SERIAL}_battery")
    show(hass, CODES, "F18", codes=["F18", "F24", "F35"])
    show(hass, CODES, "F18", codes=["F18", "F24"])
    show(hass, CODES, "F24", codes=["F24"])
    show(hass, CODES, STATE_UNAVAILABLE)
    show(hass, WARNINGS, "W02", codes=["W02", "W31"])
    show(hass, WARNINGS, "none", codes=[])
    show(hass, CODES, "none", codes=[])
    await hass.async_block_till_done()
    assert [(call.data["code"], call.data["kind"]) for call in calls] == [
        ("F18", "fault"),
        ("W02", "warning"),
        ("W31", "warning"),
        ("F24", "fault"),
    ]


async def test_a_fault_from_before_is_cleared_while_the_inverter_is_silent(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Since before the automation was there."""
    show(hass, CODES, "F18", codes=["F18", "F24"])
    calls = await automate(hass, "fault_cleared")
    show(hass, CODES, STATE_UNAVAILABLE)
    show(hass, CODES, "F24", codes=["F24"])
    assert await noted(hass, calls, "code") == ["F18"]


async def test_some_cleared_faults_may_be_waited_for(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """By their kind and their codes."""
    calls = await automate(hass, "fault_cleared", kind="fault", code=["F24"])
    show(hass, CODES, "F18", codes=["F18", "F24"])
    show(hass, WARNINGS, "W02", codes=["W02"])
    show(hass, WARNINGS, "none", codes=[])
    show(hass, CODES, "none", codes=[])
    assert await noted(hass, calls, "code") == ["F24"]


@pytest.mark.parametrize(("name", "happened"), [("grid_lost", "started"), ("grid_back", "ended")])
async def test_the_grid_comes_and_goes(
    hass: HomeAssistant, loaded: MockConfigEntry, name: str, happened: str
) -> None:
    """Whichever device of the inverter was picked: the event is at the one of the grid."""
    calls = await automate(hass, name)
    tell(hass, OUTAGE, happened, 1)
    tell(hass, OUTAGE, {"started": "ended", "ended": "started"}[happened], 2)
    tell(hass, OUTAGE, happened, 3)
    assert await noted(hass, calls) == [
        "2026-06-21T08:00:01.000+00:00",
        "2026-06-21T08:00:03.000+00:00",
    ]


async def test_a_setting_is_changed_elsewhere(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """By somebody else, and not by the inverter, if only that is asked for."""
    calls = await automate(hass, "setting_changed", change="changed_elsewhere")
    tell(hass, CHANGED, "taken_back", 1)
    tell(hass, CHANGED, "changed_elsewhere", 2)
    assert await noted(hass, calls) == ["2026-06-21T08:00:02.000+00:00"]


async def test_an_inverter_is_silent_for_some_time(
    hass: HomeAssistant, loaded: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    """Not when it is back before that."""
    calls = await automate(hass, "device_silent", **{"for": {"minutes": 5}})

    async def let_pass(minutes: int) -> None:
        freezer.tick(timedelta(minutes=minutes))
        async_fire_time_changed(hass, dt_util.utcnow())
        await hass.async_block_till_done()

    # It is not polled any more.
    await hass.config_entries.async_unload(loaded.entry_id)
    show(hass, ANSWERS, "on")
    show(hass, ANSWERS, "off")
    await hass.async_block_till_done()
    await let_pass(4)
    show(hass, ANSWERS, "on")
    show(hass, ANSWERS, "off")
    await let_pass(4)
    assert await noted(hass, calls) == []
    await let_pass(2)
    assert await noted(hass, calls) == ["off"]


async def test_a_link_is_silent(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """It was picked itself, and not one of the devices on it."""
    calls = await automate(hass, "device_silent", loaded.entry_id)
    # It is not polled any more.
    await hass.config_entries.async_unload(loaded.entry_id)
    for what, serial in ((LINK_ANSWERS, loaded.entry_id), (ANSWERS, SERIAL)):
        show(hass, what, "on", serial)
        await hass.async_block_till_done()
        show(hass, what, "off", serial)
    assert await noted(hass, calls) == ["off"]


async def seen_at(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    what: tuple[Platform, str],
    serial: str,
    *moments: str,
) -> list[tuple[str, int | None]]:
    """Return the states and the slots that an entity shows a second after these hours of June."""
    seen = []
    for moment in moments:
        freezer.move_to(f"2026-06-{moment}:00:01+00:00")
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)
        shown = hass.states.get(entity(hass, *what, serial=serial))
        assert shown is not None
        seen.append((shown.state, shown.attributes.get("slot")))
    return seen


async def test_a_slot_starts(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """One that is asked for; a reading that is back is no start."""
    calls = await automate(hass, "slot_started", slot=["2", 3])
    for state in ("1", "2", STATE_UNAVAILABLE, "2", "3", "4", "unknown", "3"):
        show(hass, SLOT, state)
    assert await noted(hass, calls) == ["2", "3", "3"]


async def test_a_slot_of_a_mode_starts(hass: HomeAssistant, saj: SimulatedPlant) -> None:
    """Between the slots there is none."""
    await set_up_saj(hass, saj, "discharge_slots")
    calls = await automate(hass, "slot_started", SAJ_SERIAL)
    for state in ("none", "charge", "none", "discharge", "none"):
        show(hass, WINDOW, state, SAJ_SERIAL)
    assert await noted(hass, calls) == ["charge", "discharge"]


async def test_each_of_six_slots_starts(
    hass: HomeAssistant, plant: SimulatedPlant, freezer: FrozenDateTimeFactory
) -> None:
    """They share the day, so that each directly follows another: 01:00, 05:00 and 08:00 as the simulated inverter has them.

    The last one goes on over midnight, which is no start.
    """
    await hass.config.async_set_time_zone("UTC")
    freezer.move_to("2026-06-22 22:00:00+00:00")
    await load_plant(hass, plant)
    await hass.async_block_till_done(wait_background_tasks=True)
    calls = await automate(hass, "slot_started")
    assert await seen_at(
        hass, freezer, SLOT, SERIAL, "22T23", "23T00", "23T01", "23T05", "23T08"
    ) == [
        ("6", None),
        ("6", None),
        ("1", None),
        ("2", None),
        ("3", None),
    ]
    assert await noted(hass, calls) == ["1", "2", "3"]


async def test_a_slot_that_directly_follows_another_starts(
    hass: HomeAssistant, saj: SimulatedPlant, freezer: FrozenDateTimeFactory
) -> None:
    """The state stays the same from one slot that charges to the next: it is the slot that counts."""
    await hass.config.async_set_time_zone("UTC")
    freezer.move_to("2026-06-22 00:59:30+00:00")
    machine = saj.machine()
    # Every day: 01:00 to 02:00 and 02:00 to 03:00 charge, 03:00 to 04:00 discharge, of which the slots 1, 2 and 1 are on.
    for first, hour in ((0x3606, 1), (0x3609, 2), (0x361B, 3)):
        for address, word in enumerate((hour << 8, hour + 1 << 8, 0x7F32), first):
            machine.panel_change(address, word)
    machine.panel_change(0x3604, 0b11)
    machine.panel_change(0x3605, 0b1)
    machine.panel_change(0x3647, 1)
    await set_up_saj(hass, saj, "discharge_slots")
    await hass.async_block_till_done(wait_background_tasks=True)
    calls = await automate(hass, "slot_started", SAJ_SERIAL)
    assert await seen_at(hass, freezer, WINDOW, SAJ_SERIAL, "22T01", "22T02", "22T03", "22T04") == [
        ("charge", 1),
        ("charge", 2),
        ("discharge", 1),
        ("none", None),
    ]
    assert await noted(hass, calls) == ["charge", "charge", "discharge"]


async def test_the_battery_reaches_its_reserve(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """35 % as the simulated inverter holds it: once, on the way down."""
    calls = await automate(hass, "battery_reserve_reached", f"{SERIAL}_battery")
    for state in ("37", "36", "35", "34", STATE_UNAVAILABLE, "34", "36", "33"):
        show(hass, SOC, state)
    assert await noted(hass, calls) == ["35", "33"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("fault_appeared", {"kind": "outage"}),
        ("fault_cleared", {"code": []}),
        ("grid_lost", {"kind": "fault"}),
        ("setting_changed", {"change": "kept"}),
        ("slot_started", {"slot": "7"}),
    ],
)
async def test_an_option_that_there_is_not_is_refused(
    hass: HomeAssistant, loaded: MockConfigEntry, name: str, options: dict[str, Any]
) -> None:
    """Before anybody waits for it."""
    target = {ATTR_DEVICE_ID: device_of(hass, SERIAL).id}
    config = {"platform": f"{DOMAIN}.{name}", "target": target, "options": options}
    with pytest.raises(vol.Invalid):
        await trigger.async_validate_trigger_config(hass, [config])


# ---------------------------------------------------------------------- what is so


async def is_met(hass: HomeAssistant, name: str, identifier: str, **options: Any) -> bool | None:
    """Return whether a condition is met for a device."""
    target = {ATTR_DEVICE_ID: device_of(hass, identifier).id}
    config = await condition.async_validate_condition_config(
        hass, {"condition": f"{DOMAIN}.{name}", "target": target, "options": options}
    )
    return (await condition.async_from_config(hass, config)).async_check()


async def test_the_conditions_of_an_inverter(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """Of the grid and of the schedule, for whichever of its devices."""
    for state, expected in (("on", True), ("off", False), (STATE_UNAVAILABLE, False)):
        show(hass, GRID, state)
        for identifier in (SERIAL, f"{SERIAL}_grid"):
            assert await is_met(hass, "grid_is_present", identifier) is expected
    for state, any_slot, wanted in (
        ("2", True, True),
        ("4", True, False),
        ("unknown", False, False),
    ):
        show(hass, SLOT, state)
        assert await is_met(hass, "slot_is_active", SERIAL) is any_slot
        assert await is_met(hass, "slot_is_active", SERIAL, slot=["1", "2"]) is wanted
