"""The entities of a plant that order its batteries: one order for all of them or for none, and what they show of it."""

from typing import Any, Final

import freezegun
from homeassistant.const import (
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    EntityCategory,
    Platform,
)
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import condition, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.hybrid_inverter.control.request import Change, OrderRequest
from custom_components.hybrid_inverter.control.setup import DRIVERS
from custom_components.hybrid_inverter.modbus.control.plan import Told
from custom_components.hybrid_inverter.modbus.model.register import Group
from simulator import SimulatedPlant

from .helpers import SERIAL, entity, find, link_entry, load, network_data, refresh, state, unit_of
from .test_control_actions import act, device_of
from .test_control_entities import (
    OWNERS,
    POWER,
    SELECT,
    TARGET,
    call,
    choose,
    set_number,
    shown,
)
from .test_plant import TWIN_SERIAL, compute, plant_entry
from .test_schedule_windows import SERIAL as SAJ_SERIAL, set_up as set_up_saj, written

# The machines show 10:01 on Sunday, 21 June 2026, which is summer time of Berlin; the batteries are at 60 %.
NOW: Final = "2026-06-21 08:01:00+00:00"

LIMIT: Final = "export_limit"
RESERVE: Final = "battery_reserve"
UNTIL: Final = "control_until"
RELEASE: Final = "release_battery"

type Slots = list[tuple[int, ...]]

pytestmark = pytest.mark.freeze_time(NOW)


@pytest.fixture(autouse=True)
async def _loop_goes_on(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the event loop's own time pass, or no machine would ever answer; in Berlin."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    monkeypatch.setattr(hass.loop, "time", freezegun.api.real_monotonic)


@pytest.fixture
async def street(socket_enabled: None) -> Any:
    """Return a house with two JSO8048104, with the unit ids 1 and 2."""
    async with SimulatedPlant(units=(1, 2)) as simulated:
        simulated.advance(60)
        yield simulated


@pytest.fixture
async def link(hass: HomeAssistant, street: SimulatedPlant) -> MockConfigEntry:
    """Return the entry of both."""
    serials = {1: SERIAL, 2: TWIN_SERIAL}
    return await load(hass, link_entry(network_data(street.tcp_port), serials), background=True)


@pytest.fixture
async def home(hass: HomeAssistant, link: MockConfigEntry) -> str:
    """Return the id of a plant of two JSO8048104, of which the first one sees the grid."""
    both = {SERIAL: "First", TWIN_SERIAL: "Second"}
    entry = plant_entry(both, {SERIAL: 30, TWIN_SERIAL: 10}, SERIAL)
    await load(hass, entry, background=True)
    await compute(hass)
    return entry.entry_id


@pytest.fixture
async def windows(hass: HomeAssistant, saj: SimulatedPlant) -> MockConfigEntry:
    """Return the entry of a SAJ that also discharges by its slots."""
    return await set_up_saj(hass, saj, "discharge_slots")


@pytest.fixture
async def brands(hass: HomeAssistant, loaded: MockConfigEntry, windows: MockConfigEntry) -> str:
    """Return the id of a plant of a JSO with 8000 W and a SAJ with 6000 W."""
    both = {SERIAL: "JSO", SAJ_SERIAL: "SAJ"}
    entry = plant_entry(both, {SERIAL: 30, SAJ_SERIAL: 10}, SERIAL)
    await load(hass, entry, background=True)
    await compute(hass)
    return entry.entry_id


def slots(plant: SimulatedPlant, unit_id: int) -> Slots:
    """The six slots of a JSO: start, power, hundredths of a volt, target, flags."""
    word = plant.machine(unit_id).word
    return [tuple(word(first + slot) for first in (148, 154, 160, 166, 172)) for slot in range(6)]


def number(hass: HomeAssistant, key: str, plant: str) -> str:
    """What a number shows."""
    return state(hass, Platform.NUMBER, key, plant).state


def per_inverter(hass: HomeAssistant, plant: str) -> list[str | None]:
    """What the select says of each inverter."""
    attributes = state(hass, Platform.SELECT, SELECT, plant).attributes
    return [inverter["mode"] for inverter in attributes["inverters"]]


# ---------------------------------------------------------------------- what there is

# Platform and key, whether it is on at first, its category, and its name.
ENTITIES: Final = [
    ("select", "battery_control", True, None, "Battery control"),
    ("number", "control_power", True, None, "Control power"),
    ("number", "control_target_soc", True, None, "Control target"),
    ("number", "control_duration", False, None, "Control duration"),
    ("sensor", "control_until", True, None, "Control until"),
    ("sensor", "control_writes_left", False, EntityCategory.DIAGNOSTIC, "Control writes left"),
    ("button", "release_battery", True, None, "Release battery"),
    ("event", "battery_control", True, None, "Control change"),
    ("number", "export_limit", True, EntityCategory.CONFIG, "Export limit"),
    ("number", "battery_reserve", True, EntityCategory.CONFIG, "Battery reserve"),
    ("sensor", "battery_energy_stored", True, None, "Battery energy stored"),
    ("sensor", "battery_capacity_energy", True, None, "Battery capacity"),
    ("binary_sensor", "battery_charging", True, None, "Battery charging"),
]
MEASURED: Final = {"battery_energy_stored", "battery_capacity_energy", "battery_charging"}


def keys_of(hass: HomeAssistant, plant: str) -> set[str]:
    """Those of the entities above that a plant has."""
    return {key for platform, key, *_ in ENTITIES if find(hass, Platform(platform), key, plant)}


async def test_a_plant_has_the_entities_of_its_inverters(
    hass: HomeAssistant, home: str, entity_registry: er.EntityRegistry
) -> None:
    """All of them on the plant's one device, with what its batteries hold: 60 % of 30 and 10 kWh."""
    for platform, key, is_on, category, name in ENTITIES:
        known = entity_registry.async_get(entity(hass, Platform(platform), key, home))
        assert known is not None
        assert (not known.disabled, known.entity_category, known.original_name) == (
            *(is_on, category),
            name,
        )
        assert known.device_id == device_of(hass, home)
    assert state(hass, Platform.SENSOR, "battery_energy_stored", home).state == "24.0"
    assert state(hass, Platform.SENSOR, "battery_capacity_energy", home).state == "40"
    # Twice 5808 W flow in.
    assert state(hass, Platform.BINARY_SENSOR, "battery_charging", home).state == "on"


async def test_where_one_inverter_may_not_be_changed_the_plant_is_not_either(
    hass: HomeAssistant, brands: str, windows: MockConfigEntry
) -> None:
    """The entities go with the tier of one entry, and are back with it; what is measured stays."""
    hass.config_entries.async_update_entry(windows, options={"tier": "read_only"})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert keys_of(hass, brands) == MEASURED
    hass.config_entries.async_update_entry(windows, options={})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert keys_of(hass, brands) == {key for _, key, *_ in ENTITIES}


async def test_the_export_of_an_inverter_without_a_battery_is_not_limited_by_the_others(
    hass: HomeAssistant, link: MockConfigEntry
) -> None:
    """So the plant promises no limit; with one battery, all else is that of its inverter."""
    entry = plant_entry({SERIAL: "First", TWIN_SERIAL: "Second"}, {SERIAL: 30, TWIN_SERIAL: 0})
    await load(hass, entry, background=True)
    assert keys_of(hass, entry.entry_id) == {key for _, key, *_ in ENTITIES} - {LIMIT}
    assert number(hass, POWER, entry.entry_id) == "8000"


# ---------------------------------------------------------------------- orders


async def test_two_inverters_share_an_order_and_give_it_back(
    hass: HomeAssistant, street: SimulatedPlant, home: str
) -> None:
    """3000 W to 75 % are 1500 W each; the order in force is changed by the numbers, at both."""
    assert (number(hass, POWER, home), number(hass, TARGET, home)) == ("16000", STATE_UNKNOWN)
    # From 10:00 the owner's own slot keeps both batteries up to 80 %.
    assert (shown(hass, home), per_inverter(hass, home)) == ("hold", ["hold", "hold"])
    await set_number(hass, POWER, 3000, home)
    await set_number(hass, TARGET, 75, home)
    assert street.machine(1).writes == street.machine(2).writes == []
    await choose(hass, "charge", home)
    for unit_id in (1, 2):
        assert slots(street, unit_id)[2] == (1000, 1500, 5140, 75, 1)
    assert (shown(hass, home), shown(hass), shown(hass, TWIN_SERIAL)) == ("charge",) * 3
    # Each holds its own share, and the plant what they are together.
    assert number(hass, POWER, SERIAL) == number(hass, POWER, TWIN_SERIAL) == "1500"
    assert number(hass, POWER, home) == "3000"
    until = state(hass, Platform.SENSOR, UNTIL, home)
    assert until.state == "2026-06-21T09:05:00+00:00"
    told = {name: until.attributes[name] for name in ("owner", "ends_by", "recurs", "stays")}
    alone = state(hass, Platform.SENSOR, UNTIL).attributes
    assert told == {name: alone[name] for name in told}
    assert (told["owner"], told["ends_by"], told["recurs"]) == ("automation", "inverter", "weekly")

    await set_number(hass, POWER, 4001, home)
    assert [slots(street, unit_id)[2][1] for unit_id in (1, 2)] == [2000, 2001]
    await set_number(hass, TARGET, 90, home)
    assert [slots(street, unit_id)[2][3] for unit_id in (1, 2)] == [90, 90]
    assert (number(hass, POWER, home), number(hass, TARGET, home)) == ("4001", "90")
    assert state(hass, Platform.SENSOR, UNTIL, home).state == "2026-06-21T09:05:00+00:00"

    await call(hass, Platform.BUTTON, "press", RELEASE, home)
    assert slots(street, 1) == slots(street, 2) == OWNERS
    # What was chosen before the order is what the next one takes.
    assert (number(hass, POWER, home), number(hass, TARGET, home)) == ("3000", "75")
    assert state(hass, Platform.SENSOR, UNTIL, home).state == STATE_UNKNOWN


async def test_at_the_grid_the_power_is_that_of_the_one_that_sees_it(
    hass: HomeAssistant, street: SimulatedPlant, home: str
) -> None:
    """3000 W sold together: the first one regulates all of them, and the second gives its half."""
    order = {"mode": "discharge", "power": 3000, "at": "grid", "target_soc": 40, "duration": 60}
    await act(hass, "control_battery", home, **order)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert number(hass, POWER, SERIAL) == "3000"
    assert number(hass, POWER, TWIN_SERIAL) == "1500"
    assert number(hass, POWER, home) == "3000"
    await set_number(hass, POWER, 2000, home)
    assert number(hass, POWER, SERIAL) == "2000"
    assert number(hass, POWER, TWIN_SERIAL) == "1000"
    assert number(hass, POWER, home) == "2000"


async def test_two_brands_share_by_what_they_are_built_for(
    hass: HomeAssistant, plant: SimulatedPlant, saj: SimulatedPlant, brands: str
) -> None:
    """Of 3500 W 2000 W are for 8000 W of a JSO, and 1500 W for 6000 W of a SAJ, which is 25 %."""
    options = state(hass, Platform.SELECT, SELECT, brands).attributes["options"]
    # Only a SAJ could be idle.
    assert options == ["auto", "hold", "charge", "discharge", "no_charge"]
    assert (shown(hass, brands), per_inverter(hass, brands)) == (STATE_UNKNOWN, ["hold", "auto"])
    assert number(hass, POWER, brands) == "14000"
    await set_number(hass, POWER, 3500, brands)
    await set_number(hass, TARGET, 80, brands)
    await choose(hass, "charge", brands)
    assert slots(plant, 1)[2] == (1000, 2000, 5140, 80, 1)
    assert (saj.machine().word(0x3646), saj.machine().word(0x361A)) == (80, 0x4019)
    assert shown(hass, brands) == "charge"
    # The SAJ ends it at 11:01, and the JSO at the next full five minutes.
    until = state(hass, Platform.SENSOR, UNTIL, brands)
    assert until.state == "2026-06-21T09:05:00+00:00"
    # The one does it again next week, as the other does; both leave settings of their own to Home Assistant.
    assert until.attributes["recurs"] == "weekly"
    assert {"grid_charge_enabled", "charge_upper_limit"} <= set(until.attributes["stays"])
    await choose(hass, "hold", brands)
    assert slots(plant, 1)[2] == (1000, 5000, 5140, 100, 0)
    assert saj.machine().word(0x3644) == 100
    await choose(hass, "auto", brands)
    assert slots(plant, 1) == OWNERS
    assert [saj.machine().word(address) for address in (0x3644, 0x3646)] == [20, 100]


async def test_what_one_inverter_does_otherwise_is_said_and_is_no_order_of_the_plant(
    hass: HomeAssistant, home: str, hass_admin_user: MockUser
) -> None:
    """The numbers are then what the next order takes, and the next order is for both."""
    await choose(hass, "charge", TWIN_SERIAL)
    assert (shown(hass, home), per_inverter(hass, home)) == (STATE_UNKNOWN, ["hold", "charge"])
    assert state(hass, Platform.SENSOR, UNTIL, home).state == STATE_UNKNOWN
    await set_number(hass, POWER, 5000, home)
    assert number(hass, POWER, TWIN_SERIAL) == "8000"
    await choose(hass, "no_charge", home)
    assert (shown(hass, home), per_inverter(hass, home)) == ("no_charge", ["no_charge"] * 2)
    await choose(hass, "auto", home)
    assert shown(hass, home) == "hold"
    # A person is told that there is nothing to end.
    person = Context(user_id=hass_admin_user.id)
    with pytest.raises(ServiceValidationError) as error:
        await call(
            hass, Platform.SELECT, "select_option", SELECT, home, context=person, option="auto"
        )
    assert error.value.translation_key == "control_not_ordered"
    assert error.value.translation_placeholders == {"entity": "Battery control"}


async def test_an_inverter_of_a_plant_does_not_sell_alone(
    hass: HomeAssistant, street: SimulatedPlant, home: str
) -> None:
    """The other one would charge from it: its select says so as the action does."""
    with pytest.raises(ServiceValidationError) as error:
        await choose(hass, "discharge", SERIAL)
    assert error.value.translation_key == "control_give_to_plant"
    assert street.machine(1).writes == []
    await choose(hass, "discharge", home)
    assert shown(hass, home) == "discharge"


# ---------------------------------------------------------------------- all or none


async def test_when_one_inverter_fails_both_are_as_before(
    hass: HomeAssistant, street: SimulatedPlant, home: str
) -> None:
    """Without an order as its owner has set it, and with one under that order."""
    street.machine(2).trouble.locked = True
    with pytest.raises(HomeAssistantError) as caught:
        await choose(hass, "no_charge", home)
    assert caught.value.translation_key == "control_member_failed"
    assert [street.machine(unit_id).word(108) for unit_id in (1, 2)] == [115, 115]
    assert shown(hass, home) == "hold"
    street.machine(2).trouble.locked = False

    await set_number(hass, POWER, 3000, home)
    await choose(hass, "charge", home)
    charging = slots(street, 1)
    street.machine(2).trouble.locked = True
    for order in (choose(hass, "hold", home), set_number(hass, POWER, 4000, home)):
        with pytest.raises(HomeAssistantError) as caught:
            await order
        assert caught.value.translation_key == "control_member_failed"
        assert slots(street, 1) == slots(street, 2) == charging
        assert (shown(hass, home), number(hass, POWER, home)) == ("charge", "3000")
    assert state(hass, Platform.SENSOR, UNTIL, home).state == "2026-06-21T09:05:00+00:00"


async def test_what_somebody_orders_of_one_inverter_meanwhile_is_not_taken_back(
    hass: HomeAssistant, street: SimulatedPlant, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second inverter fails after a person has held the battery of the first one: that order is the later one."""
    keeper = hass.data[DRIVERS][TWIN_SERIAL].keeper
    ordered = keeper.async_order

    async def order_late(request: OrderRequest) -> tuple[Told, Change]:
        if not request.dry_run:
            await act(hass, "control_battery", mode="hold", duration=60, owner="somebody")
            street.machine(2).trouble.locked = True
        return await ordered(request)

    monkeypatch.setattr(keeper, "async_order", order_late)
    with pytest.raises(HomeAssistantError) as caught:
        await choose(hass, "no_charge", home)
    assert caught.value.translation_key == "control_member_failed"
    assert hass.data[DRIVERS][SERIAL].keeper.lease().owner == "somebody"
    # From 10:00 to 11:05, at 100 %.
    assert slots(street, 1)[2:4] == [(1000, 5000, 5140, 100, 0), (1105, 5000, 5140, 80, 0)]


async def test_what_one_inverter_refuses_no_other_begins(
    hass: HomeAssistant, street: SimulatedPlant, home: str
) -> None:
    """All are asked before the first one is written to."""
    street.machine(2).panel_change(111, 2)
    with pytest.raises(ServiceValidationError) as error:
        await choose(hass, "hold", home)
    assert error.value.translation_key == "control_member_refused"
    assert street.machine(1).writes == []


# ---------------------------------------------------------------------- members that are away, and restarts


async def test_without_a_member_nothing_can_be_ordered(
    hass: HomeAssistant, brands: str, windows: MockConfigEntry, saj: SimulatedPlant
) -> None:
    """Unavailable while its entry is not loaded, or while it does not answer; then all is back."""
    everything = [
        (Platform(platform), key)
        for platform, key, *_ in ENTITIES
        if find(hass, Platform(platform), key, brands)
        and key not in {*MEASURED, "control_duration", "control_writes_left"}
    ]
    assert await hass.config_entries.async_unload(windows.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    states = {state(hass, platform, key, brands).state for platform, key in everything}
    assert states == {STATE_UNAVAILABLE}
    assert await hass.config_entries.async_setup(windows.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert per_inverter(hass, brands) == ["hold", "auto"]
    await choose(hass, "hold", brands)
    assert shown(hass, brands) == "hold"
    await saj.tcp.stop()
    await refresh(hass, windows, Group.POWER)
    assert shown(hass, brands) == STATE_UNAVAILABLE


async def test_without_a_member_the_others_can_be_released(
    hass: HomeAssistant,
    street: SimulatedPlant,
    link: MockConfigEntry,
    home: str,
    hass_admin_user: MockUser,
) -> None:
    """The second inverter is taken out of its entry, which lets it go, and the first one would go on selling."""
    before = slots(street, 1), slots(street, 2)
    await choose(hass, "discharge", home)
    (gone,) = (one for one in link.subentries.values() if one.unique_id == TWIN_SERIAL)
    hass.config_entries.async_remove_subentry(link, gone.subentry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert slots(street, 2) == before[1]
    assert slots(street, 1) != before[0]
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, "control_battery", home, mode="hold", duration=60)
    assert caught.value.translation_key == "control_member_missing"
    answer = await act(hass, "release_battery", home, user=hass_admin_user)
    assert list(answer) == [device_of(hass, SERIAL)]
    assert slots(street, 1) == before[0]


async def test_a_running_order_survives_a_restart(
    hass: HomeAssistant, link: MockConfigEntry, street: SimulatedPlant, home: str
) -> None:
    """Whichever of the two is there first, and what was chosen for the next order is kept."""
    await set_number(hass, POWER, 3000, home)
    await choose(hass, "charge", home)
    charging, sent = slots(street, 1), len(street.machine(1).writes)
    for one in (home, link.entry_id):
        assert await hass.config_entries.async_unload(one)
    for one in (home, link.entry_id):
        assert await hass.config_entries.async_setup(one)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert shown(hass, home) == "charge"
    assert number(hass, POWER, home) == "3000"
    assert state(hass, Platform.SENSOR, UNTIL, home).state == "2026-06-21T09:05:00+00:00"
    assert (slots(street, 1), len(street.machine(1).writes)) == (charging, sent)
    await choose(hass, "auto", home)
    assert slots(street, 1) == slots(street, 2) == OWNERS


# ---------------------------------------------------------------------- what is told


async def test_what_happens_at_both_is_told_once(
    hass: HomeAssistant, street: SimulatedPlant, link: MockConfigEntry, home: str
) -> None:
    """And at once, with its name, what only one of them does otherwise than ordered."""
    happened: list[tuple[str, str, str | None]] = []
    entity_id = entity(hass, Platform.EVENT, "battery_control", home)

    def note(event: Any) -> None:
        told = event.data["new_state"]
        if event.data["entity_id"] == entity_id and told.state != STATE_UNAVAILABLE:
            attributes = told.attributes
            assert "power" not in attributes
            happened.append(
                (attributes["event_type"], attributes["mode"], attributes.get("inverter"))
            )

    hass.bus.async_listen("state_changed", note)
    await set_number(hass, POWER, 3000, home)
    await choose(hass, "charge", home)
    assert happened == [("started", "charge", None)]
    assert state(hass, Platform.EVENT, "battery_control", home).attributes["owner"] == "automation"
    await set_number(hass, POWER, 5000, home)
    await choose(hass, "hold", home)
    await choose(hass, "auto", home)
    assert happened[1:] == [
        *(("changed", "charge", None), ("started", "hold", None), ("released", "hold", None)),
    ]
    # What only one inverter was ordered is none of the plant's, until the other one does the same.
    await choose(hass, "hold", TWIN_SERIAL)
    assert happened[4:] == []
    await choose(hass, "hold", home)
    assert happened.pop() == ("started", "hold", None)
    street.machine(2).panel_change(168, 20)
    (_, second) = link.runtime_data.units.values()
    await second.coordinators[Group.SETTINGS].async_refresh()
    driver = second.hass.data["hybrid_inverter_control_drivers"][TWIN_SERIAL]
    await driver.keeper.async_compare()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert happened[4:] == [("overridden", "hold", "JSO8048104")]


async def test_the_condition_knows_a_plant(hass: HomeAssistant, home: str) -> None:
    """Its device as the target of an automation."""
    config = {
        "condition": "hybrid_inverter.battery_is_controlled",
        "target": {"device_id": device_of(hass, home)},
        "options": {"mode": ["charge"]},
    }
    checked = await condition.async_validate_condition_config(hass, config)
    test = await condition.async_from_config(hass, checked)
    assert not test.async_check()
    await choose(hass, "charge", home)
    assert test.async_check()


async def test_the_fewest_writes_that_are_left_count(
    hass: HomeAssistant, link: MockConfigEntry, all_shown: None
) -> None:
    """70 a day; an order and a release of one of the two are two of them."""
    entry = plant_entry({SERIAL: "First", TWIN_SERIAL: "Second"}, {SERIAL: 30, TWIN_SERIAL: 10})
    await load(hass, entry, background=True)
    left, duration = "control_writes_left", "control_duration"
    assert state(hass, Platform.SENSOR, left, entry.entry_id).state == "70"
    await choose(hass, "no_charge", TWIN_SERIAL)
    assert state(hass, Platform.SENSOR, left, entry.entry_id).state == "69"
    await choose(hass, "auto", TWIN_SERIAL)
    assert state(hass, Platform.SENSOR, left, entry.entry_id).state == "68"
    await set_number(hass, duration, 120, entry.entry_id)
    await choose(hass, "hold", entry.entry_id)
    # 12:01 is 12:05 on the grid of the slots.
    until = state(hass, Platform.SENSOR, UNTIL, entry.entry_id)
    assert until.state == "2026-06-21T10:05:00+00:00"


# ---------------------------------------------------------------------- the export limit and the reserve


async def test_the_export_limit_is_shared_by_what_each_may_sell_at_most(
    hass: HomeAssistant, plant: SimulatedPlant, saj: SimulatedPlant, brands: str
) -> None:
    """8000 W of a JSO and 6600 W of a SAJ: half of it is half of each, and 3300 W are 550 thousandths of 6000 W."""
    limit = state(hass, Platform.NUMBER, LIMIT, brands)
    assert (limit.state, limit.attributes["min"], limit.attributes["max"]) == ("14600", 0, 14600)
    await set_number(hass, LIMIT, 7300, brands)
    assert plant.machine().word(143) == 4000
    assert written(saj) == [(0x365C, 1), (0x365A, 550)]
    assert number(hass, LIMIT, brands) == "7300"
    await set_number(hass, LIMIT, 0, brands)
    assert (plant.machine().word(145), saj.machine().word(0x365A)) == (0, 0)
    assert number(hass, LIMIT, brands) == "0"
    await set_number(hass, LIMIT, 14600, brands)
    assert [plant.machine().word(address) for address in (143, 145)] == [8000, 1]
    assert saj.machine().word(0x365C) == 0
    assert number(hass, LIMIT, brands) == "14600"
    with pytest.raises(ServiceValidationError) as error:
        await set_number(hass, LIMIT, 14601, brands)
    assert error.value.translation_key == "control_member_refused"


async def test_a_limit_that_one_inverter_does_not_take_is_undone_at_the_other(
    hass: HomeAssistant, street: SimulatedPlant, home: str
) -> None:
    """What was changed before stays changed: nothing else is undone."""
    await set_number(hass, LIMIT, 9000, home)
    assert [street.machine(unit_id).word(143) for unit_id in (1, 2)] == [4500, 4500]
    street.machine(2).trouble.locked = True
    with pytest.raises(HomeAssistantError) as caught:
        await set_number(hass, LIMIT, 3000, home)
    assert caught.value.translation_key == "control_member_failed"
    assert [street.machine(unit_id).word(143) for unit_id in (1, 2)] == [4500, 4500]
    assert number(hass, LIMIT, home) == "9000"


async def test_an_ordered_limit_stays_when_no_other_one_is_taken_in_its_place(
    hass: HomeAssistant, street: SimulatedPlant, home: str
) -> None:
    """It was lifted at both already, and the second inverter ignores what one may sell at most."""
    await act(hass, "limit_export", home, power=0, duration=60)
    assert [street.machine(unit_id).word(145) for unit_id in (1, 2)] == [0, 0]
    street.machine(2).trouble.ignored_writes = frozenset({143})
    with pytest.raises(HomeAssistantError) as caught:
        await set_number(hass, LIMIT, 3000, home)
    assert caught.value.translation_key == "control_member_failed"
    assert [street.machine(unit_id).word(145) for unit_id in (1, 2)] == [0, 0]
    street.machine(2).trouble.ignored_writes = frozenset()
    await act(hass, "limit_export", home)
    assert [street.machine(unit_id).word(143) for unit_id in (1, 2)] == [8000, 8000]
    assert [street.machine(unit_id).word(145) for unit_id in (1, 2)] == [1, 1]


async def test_every_inverter_has_the_reserve_of_the_plant(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    saj: SimulatedPlant,
    loaded: MockConfigEntry,
    brands: str,
) -> None:
    """Unknown while they differ; its bounds are those that both take, and each is told by its own."""
    plant.machine().panel_change(117, 35)
    await refresh(hass, loaded, Group.SETTINGS)
    assert number(hass, RESERVE, brands) == STATE_UNKNOWN
    await set_number(hass, RESERVE, 40, brands)
    assert (plant.machine().word(117), saj.machine().word(0x3644)) == (40, 40)
    assert number(hass, RESERVE, brands) == "40"
    # A JSO has to stop one percent below its restart, and a SAJ 6 % above its minimum without a grid, which is 10 %.
    attributes = state(hass, Platform.NUMBER, RESERVE, brands).attributes
    assert attributes["max"] == 99
    with pytest.raises(ServiceValidationError) as error:
        await set_number(hass, RESERVE, 100, brands)
    assert error.value.translation_key == "control_member_refused"
    assert (plant.machine().word(117), saj.machine().word(0x3644)) == (40, 40)
    # A battery that is run by its voltage has no reserve in percent.
    plant.machine().panel_change(98, 0)
    plant.machine().panel_change(111, 0)
    await refresh(hass, loaded, Group.SETTINGS)
    assert number(hass, RESERVE, brands) == STATE_UNAVAILABLE
    assert unit_of(loaded).device.values["battery_operation_mode"] == "voltage"
