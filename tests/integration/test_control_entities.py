"""The entities of battery control, as a person uses them from a dashboard."""

from datetime import timedelta
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import ATTR_ENTITY_ID, STATE_UNKNOWN, Platform
from homeassistant.core import Context, Event, HomeAssistant, State, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    mock_restore_cache_with_extra_data,
)

from custom_components.hybrid_inverter.modbus.control.lease import Lease
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.runtime.ticks import INTERVAL
from simulator import SimulatedPlant

from .helpers import SERIAL, driver_in, entity, find, load_plant, refresh, state, unit_of
from .test_control_actions import act
from .test_control_cancelled import arrivals, cancel_after
from .test_schedule_windows import SERIAL as SAJ_SERIAL, set_up, written

# The machines show 10:01 on Sunday, 21 June 2026, which is summer time of Berlin.
NOW: Final = "2026-06-21 08:01:00+00:00"

SELECT: Final = "battery_control"
POWER: Final = "control_power"
TARGET: Final = "control_target_soc"

# A JSO's table as it leaves the installer's hands: start, power, hundredths of a volt, target and flags of each slot.
OWNERS: Final = [
    (100, 5000, 4900, 80, 1),
    (500, 5000, 5020, 40, 0),
    (800, 5000, 5090, 40, 0),
    (1000, 5000, 5140, 80, 0),
    (1500, 5000, 4710, 40, 0),
    (1800, 5000, 4900, 35, 0),
]


pytestmark = [pytest.mark.freeze_time(NOW), pytest.mark.usefixtures("in_berlin")]


async def call(
    hass: HomeAssistant,
    platform: Platform,
    action: str,
    key: str,
    serial: str = SERIAL,
    *,
    context: Context | None = None,
    **data: Any,
) -> None:
    """Use an entity."""
    data[ATTR_ENTITY_ID] = entity(hass, platform, key, serial)
    await hass.services.async_call(platform, action, data, blocking=True, context=context)
    await hass.async_block_till_done(wait_background_tasks=True)


async def choose(hass: HomeAssistant, mode: str, serial: str = SERIAL) -> None:
    """Choose a mode as an automation does."""
    await call(hass, Platform.SELECT, "select_option", SELECT, serial, option=mode)


async def set_number(hass: HomeAssistant, key: str, value: float, serial: str = SERIAL) -> None:
    """Set a number as an automation does."""
    await call(hass, Platform.NUMBER, "set_value", key, serial, value=value)


def shown(hass: HomeAssistant, serial: str = SERIAL) -> str:
    """What the select shows."""
    return state(hass, Platform.SELECT, SELECT, serial).state


def table(plant: SimulatedPlant) -> list[tuple[int, ...]]:
    """The six slots of a JSO: start, power, hundredths of a volt, target, flags."""
    word = plant.machine().word
    return [tuple(word(first + slot) for first in (148, 154, 160, 166, 172)) for slot in range(6)]


def lease_of(entry: MockConfigEntry) -> Lease:
    """The order of the battery in force."""
    lease = driver_in(entry).keeper.lease()
    assert lease is not None
    return lease


# ---------------------------------------------------------------------- what there is


# Platform and key, whether it is on at first, its category, and its name.
ENTITIES: Final = [
    ("select", "battery_control", True, None, "Battery control"),
    ("number", "control_power", True, None, "Control power"),
    ("number", "control_target_soc", True, None, "Control target"),
    ("sensor", "control_until", True, None, "Control until"),
    ("button", "release_battery", True, None, "Release battery"),
    ("event", "battery_control", True, None, "Control change"),
    ("number", "control_duration", False, None, "Control duration"),
    ("sensor", "control_writes_left", False, "diagnostic", "Control writes left"),
    ("number", "export_limit", True, None, "Export limit"),
    ("sensor", "battery_energy_stored", True, None, "Energy stored"),
    ("sensor", "battery_capacity_energy", True, None, "Energy capacity"),
    ("binary_sensor", "battery_charging", True, None, "Charging"),
]


async def test_which_entities_there_are(
    hass: HomeAssistant, loaded: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    """What a person uses is there at once and among the others; what few need waits to be switched on."""
    for platform, key, is_on, category, name in ENTITIES:
        known = entity_registry.async_get(entity(hass, Platform(platform), key))
        assert known is not None
        assert (not known.disabled, known.entity_category, known.original_name) == (
            *(is_on, category),
            name,
        )


async def test_there_are_none_where_nothing_may_be_changed(
    hass: HomeAssistant, plant: SimulatedPlant
) -> None:
    """What is only measured is there all the same."""
    await load_plant(hass, plant, {"tier": "read_only"})
    measured = {"battery_energy_stored", "battery_capacity_energy", "battery_charging"}
    there = {key for platform, key, *_ in ENTITIES if find(hass, Platform(platform), key)}
    assert there == measured


# ---------------------------------------------------------------------- what is shown


async def test_without_an_order_the_registers_say_what_is_in_force(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """From 10:00 the owner's own slot keeps the battery up to 80 %, and it is at 60 %; a target of 40 % does not."""
    options = state(hass, Platform.SELECT, SELECT).attributes["options"]
    assert options == ["auto", "hold", "charge", "discharge", "no_charge"]
    assert shown(hass) == "hold"
    plant.machine().panel_change(169, 40)
    await refresh(hass, loaded, Group.SETTINGS)
    assert shown(hass) == "auto"
    assert state(hass, Platform.SENSOR, "control_until").state == STATE_UNKNOWN
    assert state(hass, Platform.NUMBER, POWER).state == "8000"
    assert state(hass, Platform.NUMBER, TARGET).state == STATE_UNKNOWN


async def test_the_next_slot_is_shown_a_second_after_its_minute_has_begun(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The owner's slot until 10:05 keeps the battery, and the one behind it does not; neither a poll nor a setting says so."""
    plant.machine().panel_change(152, 1005)
    await refresh(hass, loaded, Group.SETTINGS)
    for moment, mode in (("08:04:58", "hold"), ("08:05:01", "auto")):
        freezer.move_to(f"2026-06-21 {moment}+00:00")
        async_fire_time_changed(hass, dt_util.utcnow() + INTERVAL)
        assert shown(hass) == mode


async def test_a_mode_of_the_makers_app_has_no_name(
    hass: HomeAssistant, saj: SimulatedPlant
) -> None:
    """Peak shaving and a battery that is run from outside are not what Home Assistant has ordered."""
    entry = await set_up(hass, saj, "discharge_slots")
    await hass.async_block_till_done(wait_background_tasks=True)
    options = state(hass, Platform.SELECT, SELECT, SAJ_SERIAL).attributes["options"]
    assert options == ["auto", "hold", "charge", "discharge", "no_charge", "idle"]
    assert shown(hass, SAJ_SERIAL) == "auto"
    for word, named in ((10, STATE_UNKNOWN), (3, "idle"), (0, "auto")):
        saj.machine().panel_change(0x3647, word)
        await refresh(hass, entry, Group.SETTINGS)
        assert shown(hass, SAJ_SERIAL) == named


# ---------------------------------------------------------------------- orders to a JSO


async def test_a_jso_is_held_for_an_hour_and_released(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """The piece from 10:00 to 11:05 is held; the edge that is farthest ahead, 08:00, has no room."""
    await choose(hass, "hold")
    assert table(plant) == [
        (100, 5000, 4900, 80, 1),
        (500, 5000, 5020, 40, 0),
        (1000, 5000, 5140, 100, 0),
        (1105, 5000, 5140, 80, 0),
        (1500, 5000, 4710, 40, 0),
        (1800, 5000, 4900, 35, 0),
    ]
    assert shown(hass) == "hold"
    until = state(hass, Platform.SENSOR, "control_until")
    assert until.state == "2026-06-21T09:05:00+00:00"
    assert {name: until.attributes[name] for name in ("owner", "ends_by", "recurs", "stays")} == {
        "owner": "automation",
        "ends_by": "inverter",
        "recurs": "daily",
        "stays": ["schedule"],
    }
    await call(hass, Platform.BUTTON, "press", "release_battery")
    assert table(plant) == OWNERS
    assert state(hass, Platform.SENSOR, "control_until").state == STATE_UNKNOWN


async def test_no_end_is_shown_before_the_inverter_keeps_it(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """While the order is written it is not in force yet; then it ends at 11:05, and not at 11:01, an hour from now."""
    ends = []

    @callback
    def note(event: Event[Any]) -> None:
        ends.append(event.data["new_state"].state)

    entity_id = entity(hass, Platform.SENSOR, "control_until")
    async_track_state_change_event(hass, entity_id, note)
    await choose(hass, "hold")
    assert ends == ["2026-06-21T09:05:00+00:00"]


async def test_a_jso_is_charged_with_the_numbers_that_were_chosen(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """1000 W to 75 %: the slot, the switch for the grid, and as the switch was off, no other slot and no other day."""
    await set_number(hass, POWER, 1000)
    await set_number(hass, TARGET, 75)
    assert plant.machine().writes == []
    await choose(hass, "charge")
    assert table(plant) == [
        (100, 5000, 4900, 80, 0),
        (500, 5000, 5020, 40, 0),
        (1000, 1000, 5140, 75, 1),
        (1105, 5000, 5140, 80, 0),
        (1500, 5000, 4710, 40, 0),
        (1800, 5000, 4900, 35, 0),
    ]
    # On, and Sunday; the grid charges with 18 A of 40, at 53 V.
    assert [plant.machine().word(address) for address in (130, 128, 146)] == [1, 18, 0x81]
    assert shown(hass) == "charge"
    await choose(hass, "auto")
    assert table(plant) == OWNERS
    assert [plant.machine().word(address) for address in (130, 128, 146)] == [0, 40, 0xFF]
    # The owner's own slot is in force again.
    assert shown(hass) == "hold"


async def test_a_jso_is_discharged_and_takes_nothing(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """It sells, as its owner lets surplus flow into the grid; without a charge it takes no current at all."""
    await set_number(hass, POWER, 3000)
    await set_number(hass, TARGET, 50)
    await choose(hass, "discharge")
    assert table(plant)[2] == (1000, 3000, 5140, 50, 0)
    assert {slot[3] for number, slot in enumerate(table(plant)) if number != 2} == {100}
    assert plant.machine().word(142) == 0
    assert shown(hass) == "discharge"
    await choose(hass, "no_charge")
    assert table(plant) == OWNERS
    assert [plant.machine().word(address) for address in (142, 108)] == [2, 0]
    assert shown(hass) == "no_charge"
    await choose(hass, "auto")
    assert plant.machine().word(108) == 115


# ---------------------------------------------------------------------- orders to a SAJ


CHARGE_7: Final = 0x3618
DISCHARGE_7: Final = 0x362D


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        # Standby would be 0 in 0x3636, where it is already.
        ("idle", {0x3647: 3}),
        ("hold", {0x3644: 100}),
        # From 10:01 to 11:01 on Sunday, with half of the rated power, to 80 %.
        (
            "charge",
            {
                0x3646: 80,
                CHARGE_7: 0x0A01,
                CHARGE_7 + 1: 0x0B01,
                CHARGE_7 + 2: 0x4032,
                0x3604: 0x40,
                0x3647: 1,
            },
        ),
        (
            "no_charge",
            {
                DISCHARGE_7: 0x0A01,
                DISCHARGE_7 + 1: 0x0B01,
                DISCHARGE_7 + 2: 0x4064,
                0x3605: 0x40,
                0x3647: 1,
            },
        ),
    ],
)
async def test_a_saj_holds_the_words_of_each_mode(
    hass: HomeAssistant, saj: SimulatedPlant, mode: str, words: dict[int, int]
) -> None:
    """And its owner's words again when the order is released."""
    await set_up(hass, saj, "discharge_slots")
    await hass.async_block_till_done(wait_background_tasks=True)
    await set_number(hass, POWER, 3000, SAJ_SERIAL)
    await set_number(hass, TARGET, 80, SAJ_SERIAL)
    before = {address: saj.machine().word(address) for address in words}
    await choose(hass, mode, SAJ_SERIAL)
    assert dict(written(saj)) == words
    assert shown(hass, SAJ_SERIAL) == mode
    await choose(hass, "auto", SAJ_SERIAL)
    assert {address: saj.machine().word(address) for address in words} == before
    assert shown(hass, SAJ_SERIAL) == "auto"


# ---------------------------------------------------------------------- numbers


async def test_another_power_changes_the_order_in_force_until_its_end(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It stays the owner's; what was chosen before is there again when the order is over."""
    await set_number(hass, POWER, 1000)
    await choose(hass, "charge")
    assert table(plant)[2] == (1000, 1000, 5140, 100, 1)
    until, owner = lease_of(loaded).order.until, lease_of(loaded).owner
    freezer.tick(timedelta(minutes=10))
    await set_number(hass, POWER, 2000)
    assert table(plant)[2] == (1000, 2000, 5140, 100, 1)
    await set_number(hass, TARGET, 90)
    assert table(plant)[2] == (1000, 2000, 5140, 90, 1)
    lease = lease_of(loaded)
    assert (lease.order.until, lease.owner) == (until, owner)
    assert state(hass, Platform.NUMBER, POWER).state == "2000"
    assert state(hass, Platform.NUMBER, TARGET).state == "90"
    await choose(hass, "auto")
    assert state(hass, Platform.NUMBER, POWER).state == "1000"
    assert state(hass, Platform.NUMBER, TARGET).state == STATE_UNKNOWN


async def test_a_power_beyond_the_rated_one_is_refused(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """By Home Assistant itself, which knows the bounds."""
    attributes = state(hass, Platform.NUMBER, POWER).attributes
    assert (attributes["min"], attributes["max"], attributes["mode"]) == (100, 8000, "box")
    with pytest.raises(ServiceValidationError):
        await set_number(hass, POWER, 8001)


async def test_an_order_that_the_inverter_cannot_carry_out_is_refused_in_words(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """With the reason that the actions give."""
    plant.machine().panel_change(111, 2)
    with pytest.raises(ServiceValidationError) as error:
        await choose(hass, "hold")
    assert error.value.translation_key == "control_no_battery"
    assert table(plant) == OWNERS


async def test_the_numbers_outlive_a_restart(
    hass: HomeAssistant, plant: SimulatedPlant, all_shown: None
) -> None:
    """They are what was chosen, and the next order takes them."""
    stored = {
        "native_max_value": 8000,
        "native_min_value": 100,
        "native_step": 1,
        "native_unit_of_measurement": "W",
    }
    mock_restore_cache_with_extra_data(
        hass,
        [
            (State(f"number.jso8048104_{name}", str(value)), {**stored, "native_value": value})
            for name, value in (
                # Without decimals that it does not have.
                ("control_power", 1500.0),
                ("control_target", 70),
                ("control_duration", 120),
            )
        ],
    )
    entry = await load_plant(hass, plant)
    for key, value in ((POWER, "1500"), (TARGET, "70"), ("control_duration", "120")):
        assert state(hass, Platform.NUMBER, key).state == value
    await choose(hass, "charge")
    order = lease_of(entry).order
    assert (order.power, order.target_soc) == (1500, 70)
    assert order.until - order.start == timedelta(minutes=120)


async def test_an_order_in_force_is_not_what_a_restart_brings_back(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """The entry is loaded again: the order goes on, and behind it is what was chosen."""
    await set_number(hass, POWER, 1000)
    await choose(hass, "charge")
    await set_number(hass, POWER, 2000)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert shown(hass) == "charge"
    assert state(hass, Platform.NUMBER, POWER).state == "2000"
    await choose(hass, "auto")
    assert state(hass, Platform.NUMBER, POWER).state == "1000"
    assert table(plant) == OWNERS


# ---------------------------------------------------------------------- who it is, and what happens


async def test_what_happens_is_an_event(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """An automation can wait for it."""
    entity_id = entity(hass, Platform.EVENT, SELECT)
    happened: list[tuple[str, Any]] = []

    @callback
    def note(event: Event[Any]) -> None:
        if event.data["entity_id"] == entity_id and event.data["new_state"] is not None:
            attributes = event.data["new_state"].attributes
            if attributes.get("event_type") is not None:
                happened.append((attributes["event_type"], attributes["mode"]))

    hass.bus.async_listen("state_changed", note)
    await choose(hass, "hold")
    await set_number(hass, POWER, 1000)
    await choose(hass, "no_charge")
    await choose(hass, "auto")
    assert happened == [("started", "hold"), ("started", "no_charge"), ("released", "no_charge")]


async def test_a_person_is_told_that_there_is_nothing_to_end(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, hass_admin_user: Any
) -> None:
    """The owner's own slot holds the battery, which no choice here ends; an automation may choose it all the same."""
    assert shown(hass) == "hold"
    await choose(hass, "auto")
    person = Context(user_id=hass_admin_user.id)
    with pytest.raises(ServiceValidationError) as error:
        await call(*(hass, Platform.SELECT, "select_option", SELECT), context=person, option="auto")
    assert str(error.value).startswith(
        "Battery control was not changed: Home Assistant has ordered"
    )
    assert plant.machine().writes == []


async def test_an_order_of_a_person_is_theirs(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_admin_user: Any
) -> None:
    """By the name that they log in with."""
    person = Context(user_id=hass_admin_user.id)
    await call(hass, Platform.SELECT, "select_option", SELECT, context=person, option="hold")
    lease = lease_of(loaded)
    assert (lease.owner, lease.of_person) == (hass_admin_user.name, True)


async def test_writes_that_are_left_today(
    hass: HomeAssistant, plant: SimulatedPlant, all_shown: None
) -> None:
    """70 a day, less those of the register that was written most: started and released are two."""
    await load_plant(hass, plant)
    assert state(hass, Platform.SENSOR, "control_writes_left").state == "70"
    await choose(hass, "no_charge")
    assert state(hass, Platform.SENSOR, "control_writes_left").state == "69"
    await choose(hass, "auto")
    assert state(hass, Platform.SENSOR, "control_writes_left").state == "68"


# ---------------------------------------------------------------------- the export limit


async def test_the_export_limit_of_a_jso_is_one_number(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Nothing takes the switch, and the mode while it sells first, as one change and one undo."""
    limit = state(hass, Platform.NUMBER, "export_limit")
    assert (limit.state, limit.attributes["max"]) == ("8000", 8000)
    assert limit.attributes["device_class"] == "power"
    plant.machine().panel_change(142, 0)
    await refresh(hass, loaded, Group.SETTINGS)
    await set_number(hass, "export_limit", 0)
    frames = [(write.address, write.values) for write in plant.machine().writes]
    assert frames == [(142, (2,)), (145, (0,))]
    assert state(hass, Platform.NUMBER, "export_limit").state == "0"
    await unit_of(loaded).device.undo()
    assert [plant.machine().word(address) for address in (142, 145)] == [0, 1]
    await set_number(hass, "export_limit", 0)
    await set_number(hass, "export_limit", 3000)
    assert [plant.machine().word(address) for address in (143, 145)] == [3000, 1]
    assert state(hass, Platform.NUMBER, "export_limit").state == "3000"


async def test_an_export_limit_whose_number_is_cancelled_is_not_lost(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """The ordered one makes room in one write; the new one is set all the same."""
    machine = plant.machine()
    await act(hass, "limit_export", power=0, duration=60)
    await cancel_after(hass, machine, 1, set_number(hass, "export_limit", 3000))
    await arrivals(machine, 1)
    await unit_of(loaded).device.finish()
    assert (machine.word(143), machine.word(145)) == (3000, 1)


async def test_the_export_limit_of_a_saj_is_free_at_its_maximum(
    hass: HomeAssistant, saj: SimulatedPlant
) -> None:
    """110 % of 6000 W; half of the rated power are 500 thousandths."""
    entry = await set_up(hass, saj)
    await hass.async_block_till_done(wait_background_tasks=True)
    limit = state(hass, Platform.NUMBER, "export_limit", SAJ_SERIAL)
    assert (limit.state, limit.attributes["max"]) == ("6600", 6600)
    await set_number(hass, "export_limit", 3000, SAJ_SERIAL)
    assert written(saj) == [(0x365C, 1), (0x365A, 500)]
    assert state(hass, Platform.NUMBER, "export_limit", SAJ_SERIAL).state == "3000"
    await set_number(hass, "export_limit", 6600, SAJ_SERIAL)
    assert written(saj)[2:] == [(0x365A, 1100), (0x365C, 0)]
    assert state(hass, Platform.NUMBER, "export_limit", SAJ_SERIAL).state == "6600"
    await unit_of(entry).device.undo()
    assert state(hass, Platform.NUMBER, "export_limit", SAJ_SERIAL).state == "3000"


async def test_an_export_limit_beyond_the_maximum_is_refused(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Under the name that the person has read."""
    with pytest.raises(ServiceValidationError, match="Export limit was not changed: 8001"):
        await set_number(hass, "export_limit", 8001)
    assert plant.machine().writes == []
