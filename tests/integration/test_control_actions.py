"""Battery control by actions, end to end: what arrives at the inverter, what is told, and what is refused."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID, Platform
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    issue_registry as ir,
)
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_fire_time_changed,
)
import voluptuous as vol

from custom_components.hybrid_inverter.const import DOMAIN
from simulator import SimulatedPlant

from .helpers import SERIAL, entity, link_entry, load, network_data, unit_of
from .test_entities_meters import THREE, set_up as set_up_meters
from .test_plant import TWIN_SERIAL, plant_entry
from .test_schedule_windows import set_up as set_up_saj

# 10:01 in Berlin, as the machine's clock shows.
MORNING: Final = "2026-06-21 08:01:00+00:00"
# The table of six slots as the simulated machine holds it: starts, watts, hundredths of volts, percent, flags.
TABLE: Final = (
    *(100, 500, 800, 1000, 1500, 1800),
    *(5000, 5000, 5000, 5000, 5000, 5000),
    *(4900, 5020, 5090, 5140, 4710, 4900),
    *(80, 40, 40, 80, 40, 35),
    *(1, 0, 0, 0, 0, 0),
)
# Held from 10:00 to 11:05: the edge at 08:00, the farthest ahead, has no place.
HELD: Final = (
    *(100, 500, 1000, 1105, 1500, 1800),
    *(5000, 5000, 5000, 5000, 5000, 5000),
    *(4900, 5020, 5140, 5140, 4710, 4900),
    *(80, 40, 100, 80, 40, 35),
    *(1, 0, 0, 0, 0, 0),
)
HOLD: Final[dict[str, Any]] = {"mode": "hold", "duration": 60}

pytestmark = [pytest.mark.freeze_time(MORNING), pytest.mark.usefixtures("in_berlin")]


@pytest.fixture
async def windows(hass: HomeAssistant, saj: SimulatedPlant) -> MockConfigEntry:
    """Return the entry of a SAJ that also discharges by its slots."""
    return await set_up_saj(hass, saj, "discharge_slots")


@pytest.fixture
async def street(socket_enabled: None) -> AsyncIterator[SimulatedPlant]:
    """Return a house with two JSO8048104, with the unit ids 1 and 2."""
    async with SimulatedPlant(units=(1, 2)) as simulated:
        simulated.advance(60)
        yield simulated


@pytest.fixture
async def home(hass: HomeAssistant, street: SimulatedPlant) -> MockConfigEntry:
    """Return the plant of both, of which the first one sees the grid."""
    serials = {1: SERIAL, 2: TWIN_SERIAL}
    await load(hass, link_entry(network_data(street.tcp_port), serials))
    both = {SERIAL: "First", TWIN_SERIAL: "Second"}
    return await load(hass, plant_entry(both, {SERIAL: 30, TWIN_SERIAL: 10}, SERIAL))


def written(plant: SimulatedPlant, unit_id: int = 1) -> list[tuple[int, tuple[int, ...]]]:
    """Return address and words of the writes that have arrived."""
    return [(write.address, write.values) for write in plant.machine(unit_id).writes]


def table(plant: SimulatedPlant, unit_id: int = 1) -> tuple[int, ...]:
    """Return the thirty words of the six slots."""
    return tuple(plant.machine(unit_id).word(address) for address in range(148, 178))


def device_of(hass: HomeAssistant, serial: str) -> str:
    """Return the id of the device with this identifier."""
    (device,) = (
        device for device in dr.async_get(hass).devices if (DOMAIN, serial) in device.identifiers
    )
    return device.id


async def act(
    hass: HomeAssistant,
    action: str,
    target: str | dict[str, Any] = SERIAL,
    user: MockUser | None = None,
    **data: Any,
) -> Any:
    """Call an action for a device, or another target, as an automation or as a user; its response."""
    if isinstance(target, str):
        target = {ATTR_DEVICE_ID: device_of(hass, target)}
    return await hass.services.async_call(
        DOMAIN,
        action,
        {**target, **data},
        blocking=True,
        context=Context(user_id=user.id if user else None),
        return_response=True,
    )


async def let_pass(hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float) -> None:
    """Let time pass, and what waits for it happen."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds))
    freezer.tick(timedelta(seconds=seconds))
    await hass.async_block_till_done(wait_background_tasks=True)


async def refused(
    hass: HomeAssistant, action: str, *args: Any, **data: Any
) -> tuple[str, dict[str, str]]:
    """Call an action that is refused, and return the reason, with what fills its message."""
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, action, *args, **data)
    assert caught.value.translation_key is not None
    return caught.value.translation_key, dict(caught.value.translation_placeholders or {})


# ---------------------------------------------------------------------- six slots that share the day


async def test_a_hold_is_one_request_and_so_is_its_release(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, hass_admin_user: MockUser
) -> None:
    """The table as a whole, and after it the table as it was, word for word."""
    assert table(plant) == TABLE
    told = await act(hass, "control_battery", **HOLD)
    assert written(plant) == [(148, HELD)]
    registers = told.pop("registers")
    assert told == {
        "mode": "hold",
        "power": None,
        "target_soc": None,
        # 11:01, on the steps of the table.
        "until": "2026-06-21T11:05:00+02:00",
        "ends_by": "inverter",
        "recurs": "daily",
        "after_end": "changed",
        "stays": ["schedule"],
        "limited": [{"why": "table_full", "value": 1}],
        "target_reached": False,
        "writes": 1,
        "left_today": 69,
        "owner": "automation",
        "dry_run": False,
    }
    # Starts of slots 3 and 4, volts of slot 3, percent of slots 3 and 4.
    assert registers == [
        {"register": 150, "before": 800, "after": 1000},
        {"register": 151, "before": 1000, "after": 1105},
        {"register": 162, "before": 5090, "after": 5140},
        {"register": 168, "before": 40, "after": 100},
    ]
    released = await act(hass, "release_battery", user=hass_admin_user)
    assert written(plant)[1:] == [(148, TABLE)]
    assert (released["mode"], released["writes"], released["left_today"]) == ("auto", 1, 68)
    assert table(plant) == TABLE


async def test_a_charge_switches_on_what_it_needs_and_off_again(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, hass_admin_user: MockUser
) -> None:
    """18 A of at most 40 A at 53.22 V, on this Sunday only; what the table charges otherwise is not let loose with it."""
    told = await act(
        hass,
        "control_battery",
        mode="charge",
        power="1000",
        target_soc="80",
        until="13:03",
        owner=" cheap hours ",
    )
    ordered = (
        *(100, 500, 1000, 1305, 1500, 1800),
        *(5000, 5000, 1000, 5000, 5000, 5000),
        *(4900, 5020, 5140, 5140, 4710, 4900),
        *(80, 40, 80, 80, 40, 35),
        *(0, 0, 1, 0, 0, 0),
    )
    assert written(plant) == [(128, (18,)), (148, ordered), (146, (0x81,)), (130, (1,))]
    del told["registers"]
    assert told == {
        "mode": "charge",
        "power": 958,
        "target_soc": 80,
        "until": "2026-06-21T13:05:00+02:00",
        "ends_by": "inverter",
        "recurs": "weekly",
        "after_end": "held",
        "stays": ["grid_charge_enabled", "grid_charge_current", "schedule"],
        "limited": [{"why": "table_full", "value": 1}],
        "target_reached": False,
        "writes": 4,
        "left_today": 69,
        "owner": "cheap hours",
        "dry_run": False,
    }
    await act(hass, "release_battery", user=hass_admin_user)
    assert written(plant)[4:] == [(130, (0,)), (148, TABLE), (146, (0xFF,)), (128, (40,))]


async def test_an_order_can_be_worked_out_without_being_given(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Nothing is written, and nothing is in force."""
    told = await act(hass, "control_battery", **HOLD, dry_run="true")
    assert (told["mode"], told["writes"], told["dry_run"]) == ("hold", 1, True)
    assert written(plant) == []
    assert (await act(hass, "get_control"))["mode"] == "auto"


async def test_an_energy_becomes_a_target_once(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """5 kWh are 16 % of 600 Ah at 51.2 V, and the battery is at 60 %."""
    told = await act(hass, "control_battery", mode="charge", energy=5, duration=60)
    assert (told["energy"], told["target_soc"]) == (5, 76)
    # 3 % down.
    told = await act(hass, "control_battery", mode="discharge", energy="0.8", duration=60)
    assert (told["energy"], told["target_soc"]) == (0.8, 57)


async def test_an_energy_needs_a_known_capacity(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Of no amperehours nobody can tell how far an energy goes."""
    plant.machine().panel_change(102, 0)
    reason, filled = await refused(hass, "control_battery", mode="charge", energy=5, duration=60)
    assert (reason, filled) == ("control_no_capacity", {"device": "JSO8048104"})
    assert written(plant) == []


async def test_what_an_inverter_cannot_do_is_refused_with_what_comes_nearest(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """In the words of the form."""
    assert await refused(hass, "control_battery", mode="idle", duration=60) == (
        "control_not_supported",
        {"mode": "Idle", "nearest": "Do not charge"},
    )
    assert await refused(hass, "control_battery", mode="no_charge", duration=300) == (
        "control_too_long",
        {"hours": "4"},
    )
    plant.machine().panel_change(111, 2)
    assert await refused(hass, "control_battery", **HOLD) == ("control_no_battery", {})
    assert written(plant) == []


async def test_export_is_limited_and_let_free_again(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """With a switch for nothing at all, else with the power that may be sold; the end is told to the second."""
    freezer.tick(0.25)
    told = await act(hass, "limit_export", power=0, duration=30)
    assert (told["mode"], told["power"], told["ends_by"]) == ("export_limit", 0, "home_assistant")
    assert told["until"] == "2026-06-21T10:31:00+02:00"
    assert written(plant) == [(145, (0,))]
    await act(hass, "limit_export", power="2500.9", until="12:00")
    # What enters comes before what leaves.
    assert sorted(written(plant)[1:]) == [(143, (2500,)), (145, (1,))]
    lifted = await act(hass, "limit_export")
    assert (lifted["mode"], written(plant)[3:]) == ("auto", [(143, (8000,))])
    # There is none any more.
    assert (await act(hass, "limit_export"))["writes"] == 0


# ---------------------------------------------------------------------- slots of two kinds


async def test_a_charge_takes_a_free_slot(
    hass: HomeAssistant, saj: SimulatedPlant, windows: MockConfigEntry, hass_admin_user: MockUser
) -> None:
    """The seventh: its end, its start, Sunday and 50 %, its switch; the ceiling before them, the mode after them."""
    serial = "SAJSIM000000000001"
    told = await act(
        hass, "control_battery", serial, mode="charge", power=3000, target_soc=80, duration=60
    )
    assert written(saj) == [
        (0x3646, (80,)),
        (0x3619, (0x0B01,)),
        (0x3618, (0x0A01,)),
        (0x361A, (0x4032,)),
        (0x3604, (0x0040,)),
        (0x3647, (1,)),
    ]
    del told["registers"]
    assert told == {
        "mode": "charge",
        "power": 3000,
        "target_soc": 80,
        "until": "2026-06-21T11:01:00+02:00",
        "ends_by": "inverter",
        "recurs": "weekly",
        "after_end": "auto",
        "stays": ["schedule", "work_mode", "charge_upper_limit"],
        "limited": [],
        "target_reached": False,
        "writes": 6,
        "left_today": 69,
        "owner": "automation",
        "dry_run": False,
    }
    await act(hass, "release_battery", serial, user=hass_admin_user)
    words = {address: word for address, (word,) in written(saj)}
    assert words == {
        0x3646: 100,
        0x3618: 0,
        0x3619: 0,
        0x361A: 0x7F64,
        0x3604: 0,
        0x3647: 0,
    }
    assert written(saj)[6] == (0x3647, (0,))


async def test_only_some_inverters_idle(
    hass: HomeAssistant, saj: SimulatedPlant, windows: MockConfigEntry
) -> None:
    """By the passive mode, which ends when Home Assistant ends it."""
    told = await act(hass, "control_battery", "SAJSIM000000000001", mode="idle", duration=60)
    assert (told["mode"], told["ends_by"]) == ("idle", "home_assistant")
    assert written(saj)[-1] == (0x3647, (3,))


# ---------------------------------------------------------------------- whose order it is


async def test_owners_give_way_or_do_not(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """The last one wins, unless it asks not to."""
    await act(hass, "control_battery", **HOLD, owner="one")
    assert await refused(hass, "control_battery", **HOLD, owner="two", if_busy="refuse") == (
        "control_busy",
        {"owner": "one"},
    )
    await act(hass, "control_battery", **HOLD, owner="one", if_busy="refuse")
    await act(hass, "control_battery", **HOLD, owner="two")
    assert (await act(hass, "get_control"))["owner"] == "two"


async def test_an_automation_releases_its_own_order_after_a_while(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The next order of the same owner takes its place, and what follows it nobody releases."""
    await act(hass, "control_battery", **HOLD, owner="planner")
    assert await refused(hass, "release_battery", owner="other") == (
        "control_not_yours",
        {"owner": "planner"},
    )
    released = await act(hass, "release_battery", owner="planner")
    assert released == {"mode": "auto", "releases_in": 10}
    assert (await act(hass, "get_control"))["mode"] == "hold"
    await act(hass, "control_battery", mode="hold", duration=120, owner="planner")
    await let_pass(hass, freezer, 11)
    assert (await act(hass, "get_control"))["mode"] == "hold"
    await act(hass, "release_battery", owner="planner")
    await let_pass(hass, freezer, 11)
    assert (await act(hass, "get_control"))["mode"] == "auto"
    assert table(plant) == TABLE
    # Nothing is in force, and nobody minds.
    assert (await act(hass, "release_battery", owner="planner"))["writes"] == 0


async def test_a_release_goes_on_waiting_when_the_next_order_is_refused(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Or the battery would be held for the rest of the hour."""
    await act(hass, "control_battery", **HOLD, owner="planner")
    await act(hass, "release_battery", owner="planner")
    await refused(hass, "control_battery", mode="idle", duration=60, owner="planner")
    await let_pass(hass, freezer, 11)
    assert table(plant) == TABLE


async def test_a_release_is_tried_again_until_it_has_worked(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The panel was locked for a while."""
    await act(hass, "control_battery", **HOLD)
    await act(hass, "release_battery")
    plant.machine().trouble.locked = True
    await let_pass(hass, freezer, 11)
    assert table(plant) == HELD
    plant.machine().trouble.locked = False
    await let_pass(hass, freezer, 31)
    assert table(plant) == TABLE


async def test_a_person_releases_whoever_has_ordered(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, hass_admin_user: MockUser
) -> None:
    """At once."""
    await act(hass, "control_battery", **HOLD, owner="planner")
    assert (await act(hass, "release_battery", user=hass_admin_user))["mode"] == "auto"
    assert table(plant) == TABLE


async def test_an_order_belongs_to_the_automation_or_the_person(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, hass_admin_user: MockUser
) -> None:
    """By the name of the automation that runs in the context, or else of the user."""
    told = await act(hass, "control_battery", user=hass_admin_user, **HOLD)
    assert told["owner"] == hass_admin_user.name
    context = Context()
    hass.states.async_set(
        "automation.night", "on", {"friendly_name": "Cheap night"}, context=context
    )
    told = await hass.services.async_call(
        DOMAIN,
        "control_battery",
        {ATTR_DEVICE_ID: device_of(hass, SERIAL), **HOLD},
        blocking=True,
        context=Context(parent_id=context.id),
        return_response=True,
    )
    assert told is not None
    assert told["owner"] == "Cheap night"


async def test_what_is_in_force_is_told_to_who_asks(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    hass_read_only_user: MockUser,
) -> None:
    """Both orders, and what the settings say, as far as the inverter answers."""
    plant.machine().panel_change(169, 50)
    assert await act(hass, "get_control") == {
        "mode": "auto",
        "export_limit": None,
        "in_registers": "auto",
    }
    # Up to 80 % the owner's own table holds a battery that is at 60 %.
    plant.machine().panel_change(169, 80)
    assert (await act(hass, "get_control"))["in_registers"] == "hold"
    await act(hass, "control_battery", **HOLD, owner="planner")
    await act(hass, "limit_export", power=0, duration=30, owner="prices")
    await let_pass(hass, freezer, 60)
    shown = await act(hass, "get_control", user=hass_read_only_user)
    limit = shown.pop("export_limit")
    assert (limit["mode"], limit["owner"], limit["seconds_left"]) == (
        "export_limit",
        "prices",
        # 29 minutes.
        1740,
    )
    assert shown == {
        "mode": "hold",
        "power": None,
        "target_soc": None,
        "until": "2026-06-21T11:05:00+02:00",
        "ends_by": "inverter",
        "recurs": "daily",
        "after_end": "changed",
        "stays": ["schedule"],
        "limited": [{"why": "table_full", "value": 1}],
        "target_reached": False,
        "owner": "planner",
        "of_person": False,
        # 63 minutes.
        "seconds_left": 3780,
        "in_registers": "hold",
    }
    plant.machine().trouble.silent = True
    shown = await act(hass, "get_control")
    assert (shown["mode"], shown["in_registers"]) == ("hold", None)


async def test_who_may_only_look_may_not_order(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    hass_read_only_user: MockUser,
) -> None:
    """Whatever the action would do."""
    for action, data in (
        ("control_battery", HOLD),
        ("control_battery", {**HOLD, "dry_run": True}),
        ("release_battery", {}),
        ("limit_export", {"power": 0, "duration": 30}),
    ):
        with pytest.raises(Unauthorized):
            await act(hass, action, user=hass_read_only_user, **data)
    assert written(plant) == []


async def test_an_automation_that_has_written_too_often_is_refused_and_named(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    issue_registry: ir.IssueRegistry,
    hass_admin_user: MockUser,
) -> None:
    """Before its first write; a person may still order, and whatever is released is put back."""
    wear = unit_of(loaded).device.wear
    for _ in range(70):
        wear.count(["tou_slot_1_time"], [148])
    assert await refused(hass, "control_battery", **HOLD) == (
        "write_budget",
        {"entity": "Battery control", "limit": "70"},
    )
    assert written(plant) == []
    (issue,) = (
        issue
        for issue in issue_registry.issues.values()
        if issue.translation_key == "busy_automation"
    )
    assert (issue.translation_placeholders or {})["entity"] == "Battery control"
    told = await act(hass, "control_battery", user=hass_admin_user, **HOLD)
    assert told["left_today"] == 9
    await act(hass, "release_battery", user=hass_admin_user)
    assert table(plant) == TABLE


async def test_an_inverter_that_does_not_answer_takes_no_order(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """The message names what was not changed."""
    plant.machine().trouble.silent = True
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "control_battery", **HOLD)
    assert caught.value.translation_key == "not_changed"
    assert (caught.value.translation_placeholders or {})["entity"] == "Battery control"


# ---------------------------------------------------------------------- what is refused


# Orders that make no sense, and why.
SENSELESS: Final[list[tuple[dict[str, Any], str]]] = [
    ({"mode": "hold"}, "control_one_end"),
    ({"mode": "hold", "duration": 60, "until": "12:00"}, "control_one_end"),
    ({"mode": "hold", "duration": "4"}, "control_duration"),
    ({"mode": "hold", "until": "10:01"}, "control_until_now"),
    ({"mode": "hold", "until": "soon"}, "control_until"),
    ({"mode": "hold", "until": 900}, "control_until"),
    ({"mode": "hold", "until": "2026-06-21 10:00"}, "control_until_past"),
    ({"mode": "hold", "until": "2026-06-23 10:00"}, "control_too_far"),
    ({"mode": "charge", "power": 0, "duration": 60}, "control_no_power"),
    ({"mode": "discharge", "power": "-3000", "duration": 60}, "control_no_power"),
    ({"mode": "charge", "at": "grid", "duration": 60}, "control_at_grid"),
    ({"mode": "hold", "at": "grid", "duration": 60}, "control_at_grid"),
    ({"mode": "charge", "target_soc": 80, "energy": 5, "duration": 60}, "control_one_target"),
    ({"mode": "charge", "target_soc": 101, "duration": 60}, "control_target_range"),
    ({"mode": "discharge", "target_soc": -1, "duration": 60}, "control_target_range"),
    ({"mode": "charge", "energy": 0, "duration": 60}, "control_energy"),
    ({"mode": "hold", "energy": 5, "duration": 60}, "control_energy_mode"),
]
# Data in which something is no value of its field.
NO_VALUES: Final[list[dict[str, Any]]] = [
    {"mode": "export_limit", "duration": 60},
    {"mode": "sell", "duration": 60},
    {"duration": 60},
    {"mode": "charge", "power": "much", "duration": 60},
    {"mode": "charge", "power": "nan", "duration": 60},
    {"mode": "charge", "power": [3000], "duration": 60},
    {"mode": "charge", "at": "house", "duration": 60},
    {"mode": "charge", "if_busy": "wait", "duration": 60},
    {"mode": "charge", "volts": 50, "duration": 60},
]
# Limits that make no sense, and why.
SENSELESS_LIMITS: Final[list[tuple[dict[str, Any], str]]] = [
    ({"power": -1, "duration": 60}, "control_no_limit"),
    ({"duration": 60}, "control_no_limit"),
    ({"power": 0}, "control_one_end"),
]


async def test_what_makes_no_sense_is_refused(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """With a reason of its own, before anything is sent; a limit has a power and an end, or none of both to lift it."""
    for data, reason in SENSELESS:
        assert (await refused(hass, "control_battery", **data))[0] == reason, data
    for data, reason in SENSELESS_LIMITS:
        assert (await refused(hass, "limit_export", **data))[0] == reason, data
    assert written(plant) == []


async def test_what_is_no_value_at_all_is_refused(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """By the schema."""
    for data in NO_VALUES:
        with pytest.raises(vol.Invalid):
            await act(hass, "control_battery", **data)
    assert written(plant) == []


# ---------------------------------------------------------------------- targets


async def test_a_part_an_entity_and_an_area_will_do(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """The battery, an entity of it, and whatever area the inverter is in; meant twice, it is ordered once."""
    battery = entity(hass, Platform.SENSOR, "battery_soc")
    area = ar.async_get(hass).async_create("Cellar")
    device_id = device_of(hass, SERIAL)
    dr.async_get(hass).async_update_device(device_id, area_id=area.id)
    for target in (
        {ATTR_DEVICE_ID: [device_of(hass, f"{SERIAL}_battery")]},
        {ATTR_ENTITY_ID: battery},
        {ATTR_ENTITY_ID: [battery], ATTR_DEVICE_ID: device_id},
        {"area_id": area.id},
    ):
        told = await act(hass, "control_battery", target, **HOLD, dry_run=True)
        assert told["mode"] == "hold", target


async def test_what_takes_no_orders_is_refused(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Nothing at all, an empty area, and an entity of something else."""
    area = ar.async_get(hass).async_create("Attic")
    hass.states.async_set("sensor.other", "1")
    assert (await refused(hass, "get_control", {}))[0] == "no_target"
    assert (await refused(hass, "get_control", {"area_id": area.id}))[0] == "no_target"
    assert await refused(hass, "get_control", {ATTR_ENTITY_ID: "sensor.other"}) == (
        "no_device",
        {"entity": "sensor.other"},
    )


async def test_an_inverter_that_may_only_be_looked_at_takes_no_orders(
    hass: HomeAssistant, plant: SimulatedPlant, entry: MockConfigEntry
) -> None:
    """The message says where that is chosen."""
    hass.config_entries.async_update_entry(entry, options={"tier": "read_only"})
    await load(hass, entry)
    assert await refused(hass, "control_battery", **HOLD) == (
        "control_view_only",
        {"device": "JSO8048104"},
    )


async def test_a_meter_takes_no_orders(hass: HomeAssistant, house: SimulatedPlant) -> None:
    """It has no battery."""
    await set_up_meters(hass, house, 11)
    assert await refused(hass, "get_control", THREE) == (
        "control_not_controlled",
        {"device": "Grid meter"},
    )


# ---------------------------------------------------------------------- plants


async def test_a_plant_shares_an_order(
    hass: HomeAssistant, street: SimulatedPlant, home: MockConfigEntry
) -> None:
    """By the rated powers, which are the same here; the odd watt goes to one of them."""
    told = await act(
        hass,
        "control_battery",
        home.entry_id,
        mode="discharge",
        power=3001,
        target_soc=50,
        duration=60,
    )
    first, second = device_of(hass, SERIAL), device_of(hass, TWIN_SERIAL)
    assert {device: answer["power"] for device, answer in told.items()} == {
        first: 1500,
        second: 1501,
    }
    assert [answer["until"] for answer in told.values()] == ["2026-06-21T11:05:00+02:00"] * 2
    shown = await act(hass, "get_control", home.entry_id)
    assert [answer["mode"] for answer in shown.values()] == ["discharge", "discharge"]


async def test_an_energy_moves_the_batteries_of_a_plant_alike(
    hass: HomeAssistant, street: SimulatedPlant, home: MockConfigEntry
) -> None:
    """10 kWh are 16 % of twice 30.7 kWh."""
    told = await act(hass, "control_battery", home.entry_id, mode="charge", energy=10, duration=60)
    assert [(answer["energy"], answer["target_soc"]) for answer in told.values()] == [(5, 76)] * 2


async def test_a_capacity_that_no_inverter_reports_is_the_one_of_the_plant(
    hass: HomeAssistant, street: SimulatedPlant, home: MockConfigEntry
) -> None:
    """30 and 10 kWh as they were entered: 10 kWh are 25 % of them."""
    for unit_id in (1, 2):
        street.machine(unit_id).panel_change(102, 0)
    told = await act(
        hass, "control_battery", home.entry_id, mode="charge", energy=10, duration=60, dry_run=True
    )
    assert [(answer["energy"], answer["target_soc"]) for answer in told.values()] == [
        (7.5, 85),
        (2.5, 85),
    ]


async def test_several_inverters_are_told_by_their_devices(
    hass: HomeAssistant, street: SimulatedPlant, home: MockConfigEntry
) -> None:
    """Of an area only the inverters are meant, and not the plant that is there, too."""
    area = ar.async_get(hass).async_create("Cellar")
    first, second = device_of(hass, SERIAL), device_of(hass, TWIN_SERIAL)
    for device_id in (first, second, device_of(hass, home.entry_id)):
        dr.async_get(hass).async_update_device(device_id, area_id=area.id)
    told = await act(hass, "control_battery", {"area_id": area.id}, **HOLD)
    assert {device_id: answer["mode"] for device_id, answer in told.items()} == {
        first: "hold",
        second: "hold",
    }


async def test_a_member_that_cannot_take_its_share_keeps_the_others_from_theirs(
    hass: HomeAssistant, street: SimulatedPlant, home: MockConfigEntry
) -> None:
    """Nothing is written, and the message names it."""
    street.machine(2).panel_change(111, 2)
    reason, filled = await refused(hass, "control_battery", home.entry_id, **HOLD)
    assert (reason, filled["member"]) == ("control_member_refused", "JSO8048104")
    assert filled["error"] == "Nothing was changed: the inverter is set up without a battery."
    assert written(street, 1) == written(street, 2) == []


async def test_a_member_that_fails_takes_the_others_with_it(
    hass: HomeAssistant, street: SimulatedPlant, home: MockConfigEntry
) -> None:
    """The first one has begun, and is put back."""
    street.machine(2).trouble.locked = True
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "control_battery", home.entry_id, **HOLD)
    assert caught.value.translation_key == "control_member_failed"
    assert written(street, 1) == [(148, HELD), (148, TABLE)]
    assert table(street, 2) == TABLE
    shown = await act(hass, "get_control", home.entry_id)
    assert [answer["mode"] for answer in shown.values()] == ["auto", "auto"]


async def test_one_of_a_plant_does_not_feed_the_others(
    hass: HomeAssistant, street: SimulatedPlant, home: MockConfigEntry
) -> None:
    """What is sold by one would charge the other; a hold is its own affair."""
    order = {"mode": "discharge", "power": 3000, "at": "grid", "duration": 60}
    assert await refused(hass, "control_battery", **order) == (
        "control_give_to_plant",
        {"device": "JSO8048104", "plant": "Home"},
    )
    await act(hass, "control_battery", **HOLD)


async def test_a_plant_is_released_as_a_whole(
    hass: HomeAssistant, street: SimulatedPlant, home: MockConfigEntry, hass_admin_user: MockUser
) -> None:
    """What is told of each is told by its device."""
    await act(hass, "control_battery", home.entry_id, **HOLD)
    released = await act(hass, "release_battery", home.entry_id, user=hass_admin_user)
    assert [answer["mode"] for answer in released.values()] == ["auto", "auto"]
    assert table(street, 1) == table(street, 2) == TABLE


async def test_a_plant_needs_all_its_members(
    hass: HomeAssistant, street: SimulatedPlant, home: MockConfigEntry
) -> None:
    """One that is not set up any more could not take its share."""
    members = {SERIAL: "First", "JSO0000009": "Ninth"}
    hass.config_entries.async_update_entry(home, data={**home.data, "members": members})
    await hass.async_block_till_done()
    assert await refused(hass, "control_battery", home.entry_id, **HOLD) == (
        "control_member_missing",
        {"plant": "Home", "member": "Ninth"},
    )
