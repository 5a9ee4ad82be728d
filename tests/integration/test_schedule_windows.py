"""The schedule of a machine with slots that charge and slots that discharge: actions, calendar and sensors."""

from collections.abc import Callable
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import ATTR_DEVICE_ID, STATE_OFF, STATE_ON, Platform
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.runtime.coordinator import GroupCoordinator
from simulator import SimulatedPlant
from simulator.trouble import Trouble

from .helpers import find, network_data, refresh, unit_of

SERIAL: Final = "SAJSIM000000000001"
CHARGE_MASK: Final = 0x3604
DISCHARGE_MASK: Final = 0x3605
CHARGE_1: Final = 0x3606
DISCHARGE_1: Final = 0x361B
WORK_MODE: Final = 0x3647

# 1800 W are 30 % of 6000 W.
NIGHT: Final[dict[str, Any]] = {
    "mode": "charge",
    "start": "01:00",
    "end": "05:00",
    "power": 1800,
}
EVENING: Final[dict[str, Any]] = {
    "mode": "discharge",
    "start": "18:00",
    "end": "20:30",
    "power": 3000,
    "days": ["monday", "tuesday", "wednesday", "thursday", "friday"],
}
WINDOWS: Final = [NIGHT, EVENING]
# Hours in the high byte, minutes in the low one; days in the high byte, percent in the low one.
WRITTEN: Final = (
    (CHARGE_1, 0x0100),
    (CHARGE_1 + 1, 0x0500),
    (CHARGE_1 + 2, 0x7F1E),
    (DISCHARGE_1, 0x1200),
    (DISCHARGE_1 + 1, 0x141E),
    (DISCHARGE_1 + 2, 0x1F32),
    (CHARGE_MASK, 0x0001),
    (DISCHARGE_MASK, 0x0001),
)


@pytest.fixture(autouse=True)
async def _berlin(hass: HomeAssistant) -> None:
    """Live in a time zone with summer time."""
    await hass.config.async_set_time_zone("Europe/Berlin")


# What such a machine has besides.
FEATURES: Final = ("backup_output", "battery_1", "battery_packs", "bms_1", "passive_mode", "pv")


async def set_up(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    *features: str,
    entry_id: str | None = None,
    **options: Any,
) -> MockConfigEntry:
    """Return the entry of a machine that has these features too, set up."""
    identity = {
        "family": "saj",
        "serial": SERIAL,
        "manufacturer": "SAJ",
        "model": "H2-6K-S2",
        "firmware": None,
        "facts": {"rated_power": 6000},
        "features": [*FEATURES, *features],
    }
    entry = MockConfigEntry(
        domain=DOMAIN,
        entry_id=entry_id,
        data=network_data(plant.tcp_port),
        options=options,
        subentries_data=[
            {
                "data": {"unit_id": 1, "identity": identity},
                "subentry_type": "inverter",
                "title": "H2-6K-S2",
                "unique_id": SERIAL,
            }
        ],
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


@pytest.fixture
async def loaded(hass: HomeAssistant, saj: SimulatedPlant) -> MockConfigEntry:
    """Return the entry of a machine that also discharges by its slots."""
    return await set_up(hass, saj, "discharge_slots")


async def act(hass: HomeAssistant, entry: MockConfigEntry, action: str, **data: Any) -> Any:
    """Call an action for the inverter, and return its response."""
    return await hass.services.async_call(
        DOMAIN,
        action,
        {ATTR_DEVICE_ID: unit_of(entry).device_id, **data},
        blocking=True,
        return_response=True,
    )


def written(plant: SimulatedPlant) -> list[tuple[int, int]]:
    """Return address and word of the writes that have arrived, each of them of one register."""
    found: list[tuple[int, int]] = []
    for write in plant.machine().writes:
        assert write.function == 6
        (word,) = write.values
        found.append((write.address, word))
    return found


def shown(hass: HomeAssistant, platform: Platform, key: str) -> State:
    """Return the state of an entity."""
    entity_id = find(hass, platform, key, SERIAL)
    assert entity_id is not None, key
    found = hass.states.get(entity_id)
    assert found is not None, key
    return found


# ---------------------------------------------------------------------- actions


async def test_windows_read_back_as_set_and_change_nothing_when_set_again(
    hass: HomeAssistant, saj: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Slots first, switches after them, the work mode last; what is read is what was asked for, and changes nothing."""
    response = await act(hass, loaded, "set_schedule", windows=WINDOWS, enabled=True)
    assert written(saj) == [*WRITTEN, (WORK_MODE, 1)]
    assert response["write_requests"] == 9
    assert response["dry_run"] is False
    assert {item["register"] for item in response["registers"]} == {
        address for address, _ in [*WRITTEN, (WORK_MODE, 1)]
    }

    schedule = await act(hass, loaded, "get_schedule")
    every_day = [*EVENING["days"], "saturday", "sunday"]
    assert schedule["windows"] == [{**NIGHT, "days": every_day}, EVENING]
    assert schedule["enabled"] is True
    assert len(schedule["slots"]) == 14
    again = await act(hass, loaded, "set_schedule", windows=schedule["windows"], enabled=True)
    assert (again["write_requests"], again["registers"]) == (0, [])
    assert len(written(saj)) == 9


async def test_slots_are_off_while_they_change_and_matching_ones_stay(
    hass: HomeAssistant, saj: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """A slot is off while it changes, one that stays is not touched, and one that goes keeps what it says."""
    await act(
        hass,
        loaded,
        "set_schedule",
        windows=[*WINDOWS, {**NIGHT, "start": "12:00", "end": "13:00"}],
    )
    before = len(written(saj))
    await act(hass, loaded, "set_schedule", windows=[{**NIGHT, "power": 1860}])
    assert written(saj)[before:] == [
        # The slot that discharges, then both that charge in one write.
        (DISCHARGE_MASK, 0x0000),
        (CHARGE_MASK, 0x0000),
        (CHARGE_1 + 2, 0x7F1F),
        (CHARGE_MASK, 0x0001),
    ]
    machine = saj.machine()
    assert [machine.word(DISCHARGE_1 + word) for word in range(3)] == [0x1200, 0x141E, 0x1F32]


async def test_dry_run_of_windows_returns_the_plan_and_writes_nothing(
    hass: HomeAssistant, saj: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """What would be written, and nothing that is."""
    response = await act(hass, loaded, "set_schedule", windows=[NIGHT], enabled=True, dry_run=True)
    assert written(saj) == []
    assert (response["dry_run"], response["write_requests"]) == (True, 5)
    assert {
        item["register"]: (item["before"], item["after"]) for item in response["registers"]
    } == {
        CHARGE_1: (0, 0x0100),
        CHARGE_1 + 1: (0, 0x0500),
        CHARGE_1 + 2: (0x7F64, 0x7F1E),
        CHARGE_MASK: (0, 1),
        WORK_MODE: (0, 1),
    }
    assert response["slots"][0] == {
        "slot": 1,
        "enabled": True,
        **NIGHT,
        "days": [*EVENING["days"], "saturday", "sunday"],
    }


async def test_windows_are_given_in_a_list_of_their_mode_and_the_response_says_what_was_set(
    hass: HomeAssistant, saj: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """As the form has them; the same windows once more change nothing, which the sentence says, too."""
    night = {key: value for key, value in NIGHT.items() if key != "mode"}
    evening = {key: value for key, value in EVENING.items() if key != "mode"}
    lists = {"charge_windows": [night], "discharge_windows": [evening]}
    told = (
        "01:00 to 05:00: Charge at 1800 W; 18:00 to 20:30: Discharge at 3000 W "
        "(Monday, Tuesday, Wednesday, Thursday, Friday)"
    )
    off = 'It is switched off: set "Enabled" to have the inverter follow it.'
    response = await act(hass, loaded, "set_schedule", **lists)
    assert next(iter(response)) == "summary"
    assert response["summary"] == f"The schedule of H2-6K-S2 is now: {told}. {off}"
    assert sorted(written(saj)) == sorted(WRITTEN)
    response = await act(hass, loaded, "set_schedule", **lists)
    assert response["summary"] == (
        f"Nothing was written, as the schedule of H2-6K-S2 was already: {told}. {off}"
    )
    response = await act(hass, loaded, "set_schedule", windows=[], enabled=True, dry_run=True)
    assert response["summary"] == (
        "Nothing was written. The schedule of H2-6K-S2 would be: no windows."
    )


@pytest.mark.parametrize(
    ("data", "translation_key", "placeholders"),
    [
        (
            {"windows": [{"start": "01:00", "end": "02:00", "target": 80}]},
            "schedule_with_modes",
            {},
        ),
        (
            {"windows": [{key: value for key, value in NIGHT.items() if key != "power"}]},
            "schedule_missing_field",
            {"window": "1", "field": "Power"},
        ),
        ({}, "schedule_no_windows", {}),
        (
            {"windows": [{**NIGHT, "generator_charge": False}]},
            "schedule_unknown_window_field",
            {"window": "1", "field": "Charge from generator"},
        ),
        (
            {"windows": [NIGHT], "otherwise": {"power": 100}},
            "schedule_unknown_field",
            {"field": "Between windows"},
        ),
        (
            {"windows": [NIGHT, {**EVENING, "power": 6001}]},
            "schedule_power",
            {"window": "2", "value": "6001", "minimum": "60", "maximum": "6000", "step": "1"},
        ),
        (
            {"windows": [NIGHT, {**EVENING, "start": "04:00"}]},
            "schedule_overlap",
            {"window": "2", "other": "1", "time": "04:00"},
        ),
    ],
)
async def test_rejected_windows_name_the_reason_and_write_nothing(
    hass: HomeAssistant,
    *,
    saj: SimulatedPlant,
    loaded: MockConfigEntry,
    data: dict[str, Any],
    translation_key: str,
    placeholders: dict[str, str],
) -> None:
    """The message names the window and the reason; nothing is written."""
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, loaded, "set_schedule", **data)
    assert caught.value.translation_key == translation_key
    assert caught.value.translation_placeholders == placeholders
    assert written(saj) == []


async def test_read_only_tier_forbids_a_dry_run_of_windows_too(
    hass: HomeAssistant, saj: SimulatedPlant
) -> None:
    """Who may only look, may look at what would be written neither."""
    entry = await set_up(hass, saj, "discharge_slots", tier="read_only")
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, entry, "set_schedule", windows=WINDOWS, dry_run=True)
    assert caught.value.translation_key == "needs_tier"
    assert (await act(hass, entry, "get_schedule"))["windows"] == []


async def test_a_step_that_is_not_kept(
    hass: HomeAssistant, saj: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """What was written before it is put back, and no slot is on."""
    saj.machine().trouble.ignored_writes = frozenset({DISCHARGE_1 + 1})
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, loaded, "set_schedule", windows=WINDOWS, enabled=True)
    assert caught.value.translation_key == "schedule_not_applied"
    machine = saj.machine()
    assert [machine.word(CHARGE_1 + word) for word in range(3)] == [0, 0, 0x7F64]
    assert [machine.word(DISCHARGE_1 + word) for word in range(3)] == [0, 0, 0x7F64]
    assert (machine.word(CHARGE_MASK), machine.word(DISCHARGE_MASK)) == (0, 0)
    assert machine.word(WORK_MODE) == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        # 25:00, 01:61, and words of ones.
        ({CHARGE_1: 0x1900}, ["start"]),
        ({CHARGE_1 + 1: 0x013D}, ["end"]),
        ({CHARGE_1: 0xFFFF, CHARGE_1 + 1: 0xFFFF}, ["start", "end"]),
        ({CHARGE_1 + 2: 0xFFFF}, ["days", "power"]),
    ],
)
async def test_one_bad_cell_costs_its_slot_only(
    hass: HomeAssistant,
    *,
    saj: SimulatedPlant,
    loaded: MockConfigEntry,
    words: dict[int, int],
    told: list[str],
) -> None:
    """It is named, the evening goes on in the calendar, and the next schedule replaces it."""
    machine = saj.machine()
    for address, word in [*WRITTEN, (WORK_MODE, 1), *words.items()]:
        machine.panel_change(address, word)
    schedule = await act(hass, loaded, "get_schedule")
    assert schedule["slots"][0] == {
        "slot": 1,
        "enabled": True,
        "mode": "charge",
        "unreadable": told,
    }
    assert schedule["windows"] == [EVENING]
    await refresh(hass, loaded, Group.SETTINGS)
    assert shown(hass, Platform.CALENDAR, "schedule").state in (STATE_ON, STATE_OFF)
    assert shown(hass, Platform.SENSOR, "next_schedule_change").state != "unknown"
    await act(hass, loaded, "set_schedule", windows=WINDOWS)
    assert [(address, machine.word(address)) for address, _ in WRITTEN] == list(WRITTEN)


async def test_switches_that_cannot_be_read_are_written_again(
    hass: HomeAssistant, saj: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """A word of ones for all slots that charge: the others stay, and a schedule writes the word as a whole."""
    machine = saj.machine()
    for address, word in [*WRITTEN, (WORK_MODE, 1), (CHARGE_MASK, 0xFFFF)]:
        machine.panel_change(address, word)
    schedule = await act(hass, loaded, "get_schedule")
    assert [slot.get("unreadable") for slot in schedule["slots"][:7]] == [["enabled"]] * 7
    assert schedule["windows"] == [EVENING]
    await act(hass, loaded, "set_schedule", windows=WINDOWS)
    assert [(address, machine.word(address)) for address, _ in WRITTEN] == list(WRITTEN)


async def test_it_goes_back_as_a_whole(
    hass: HomeAssistant, saj: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """One undo takes a schedule back."""
    await act(hass, loaded, "set_schedule", windows=WINDOWS, enabled=True)
    device_id = unit_of(loaded).device_id
    await hass.services.async_call(
        DOMAIN, "undo_last_change", {ATTR_DEVICE_ID: device_id}, blocking=True
    )
    schedule = await act(hass, loaded, "get_schedule")
    assert (schedule["enabled"], schedule["windows"]) == (False, [])
    assert saj.machine().word(CHARGE_1) == 0


async def test_without_slots_that_discharge(hass: HomeAssistant, saj: SimulatedPlant) -> None:
    """Some firmwares have none; the others are scheduled and shown all the same."""
    saj.machine().trouble = Trouble(refused_blocks=((0x361B, 0x362F, 2),))
    entry = await set_up(hass, saj)
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, entry, "set_schedule", windows=WINDOWS)
    assert caught.value.translation_key == "schedule_no_slots"
    await act(hass, entry, "set_schedule", windows=[NIGHT], enabled=True)
    assert len((await act(hass, entry, "get_schedule"))["slots"]) == 7
    assert shown(hass, Platform.SENSOR, "active_window").state in ("none", "charge")


# ---------------------------------------------------------------------- calendar and sensors


async def test_a_week_in_the_calendar(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    loaded: MockConfigEntry,
    calendar_at: Callable[[str], None],
) -> None:
    """Friday, 2026-06-12, and Saturday; nothing while the machine goes by another mode."""
    calendar_at("2026-06-12T00:00:00+02:00")
    calendar = find(hass, Platform.CALENDAR, "schedule", SERIAL)

    async def events() -> list[tuple[str, str, str]]:
        response: Any = await hass.services.async_call(
            "calendar",
            "get_events",
            {
                "entity_id": calendar,
                "start_date_time": "2026-06-12T00:00:00+02:00",
                "end_date_time": "2026-06-14T00:00:00+02:00",
            },
            blocking=True,
            return_response=True,
        )
        found = response[calendar]["events"]
        return [(item["start"][:16], item["end"][:16], item["summary"]) for item in found]

    await act(hass, loaded, "set_schedule", windows=WINDOWS)
    assert await events() == []
    await act(hass, loaded, "set_schedule", windows=WINDOWS, enabled=True)
    assert await events() == [
        ("2026-06-12T01:00", "2026-06-12T05:00", "H2-6K-S2: Charge at 1800 W"),
        ("2026-06-12T18:00", "2026-06-12T20:30", "H2-6K-S2: Discharge at 3000 W"),
        ("2026-06-13T01:00", "2026-06-13T05:00", "H2-6K-S2: Charge at 1800 W"),
    ]


async def test_active_window_follows_the_clock_without_a_poll(
    hass: HomeAssistant,
    saj: SimulatedPlant,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The states are there with the first poll, and follow the clock without another one."""
    freezer.move_to("2026-06-12 04:59:50+02:00")
    machine = saj.machine()
    for address, word in [*WRITTEN, (WORK_MODE, 1)]:
        machine.panel_change(address, word)
    # Nothing is polled when its time comes, and given up at once because time has passed.
    monkeypatch.setattr(GroupCoordinator, "_schedule_refresh", lambda _: None)
    entry = await set_up(hass, saj, "discharge_slots")
    for moment, state, window, change in (
        ("2026-06-12 04:59:51+02:00", STATE_ON, "charge", "2026-06-12T03:00:00+00:00"),
        ("2026-06-12 05:00:01+02:00", STATE_OFF, "none", "2026-06-12T16:00:00+00:00"),
        ("2026-06-12 18:00:01+02:00", STATE_ON, "discharge", "2026-06-12T18:30:00+00:00"),
        ("2026-06-12 20:30:01+02:00", STATE_OFF, "none", "2026-06-12T23:00:00+00:00"),
    ):
        freezer.move_to(moment)
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        assert shown(hass, Platform.CALENDAR, "schedule").state == state
        assert shown(hass, Platform.SENSOR, "active_window").state == window
        assert shown(hass, Platform.SENSOR, "next_schedule_change").state == change
    assert find(hass, Platform.SENSOR, "active_slot", SERIAL) is None

    machine.panel_change(WORK_MODE, 0)
    await refresh(hass, entry, Group.SETTINGS)
    assert shown(hass, Platform.SENSOR, "active_window").state == "none"
    assert shown(hass, Platform.SENSOR, "next_schedule_change").state == "unknown"
