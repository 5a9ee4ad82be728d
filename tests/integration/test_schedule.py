"""The time-of-use table: actions, calendar and sensors."""

from collections.abc import Callable
from datetime import time
from pathlib import Path
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import ATTR_DEVICE_ID, STATE_OFF, STATE_ON, STATE_UNAVAILABLE, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er, translation
from homeassistant.helpers.selector import validate_selector
from homeassistant.util.yaml import load_yaml_dict
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
import voluptuous as vol

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.schedule.days import DAYS
from custom_components.hybrid_inverter.runtime.targets import TARGET
from custom_components.hybrid_inverter.schedule.request import (
    OTHERWISE,
    SET_SCHEMA,
    WINDOW,
    WINDOW_OF_MODE,
)
from simulator import SimulatedPlant

from .helpers import entity, network_entry, refresh, requests, state, unit_of

# The table on page 5.7 of the manual, as the simulated machine holds it: starts, watts, hundredths of volts, percent,
# and the bits for grid (1) and generator (2).
OLD: Final = (
    *(100, 500, 800, 1000, 1500, 1800),
    *(5000, 5000, 5000, 5000, 5000, 5000),
    *(4900, 5020, 5090, 5140, 4710, 4900),
    *(80, 40, 40, 80, 40, 35),
    *(1, 0, 0, 0, 0, 0),
)
# Two windows, and between them the battery down to its low state of charge of 35 % with the rated power of 8000 W.
# The 12 hours from 05:00 are halved at 11:00, and the 6 hours from 05:00 at 08:00. The volts stay.
NEW: Final = (
    *(100, 500, 800, 1100, 1700, 2100),
    *(8000, 8000, 8000, 8000, 5000, 8000),
    *(4900, 5020, 5090, 5140, 4710, 4900),
    *(80, 35, 35, 35, 40, 35),
    *(1, 0, 0, 0, 0, 0),
)
NIGHT: Final[dict[str, Any]] = {
    "start": "01:00",
    "end": "05:00",
    "target": 80,
    "grid_charge": True,
}
EVENING: Final[dict[str, Any]] = {"start": "17:00", "end": "21:00", "target": 40, "power": 5000}
WINDOWS: Final = [NIGHT, EVENING]


@pytest.fixture(autouse=True)
async def _berlin(hass: HomeAssistant) -> None:
    """Live in a time zone with summer time."""
    await hass.config.async_set_time_zone("Europe/Berlin")


@pytest.fixture(autouse=True)
def _chargers(plant: SimulatedPlant) -> None:
    """Let the battery be charged from the grid (130) and the generator (129) when a slot says so."""
    plant.machine().panel_change(130, 1)
    plant.machine().panel_change(129, 1)


def table(plant: SimulatedPlant) -> tuple[int, ...]:
    """Return the thirty words that the machine holds."""
    return tuple(plant.machine().word(address) for address in range(148, 178))


def written(plant: SimulatedPlant) -> list[tuple[int, int, tuple[int, ...]]]:
    """Return function code, address and words of the writes that have arrived."""
    return [(write.function, write.address, write.values) for write in plant.machine().writes]


async def act(hass: HomeAssistant, entry: MockConfigEntry, action: str, **data: Any) -> Any:
    """Call an action for the inverter, and return its response."""
    device_id = unit_of(entry).device_id
    return await hass.services.async_call(
        DOMAIN,
        action,
        {ATTR_DEVICE_ID: device_id, **data},
        blocking=True,
        return_response=True,
    )


# ---------------------------------------------------------------------- get_schedule


async def test_get_schedule_reads_the_table_from_the_inverter_now(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """As the machine holds it now, not as it was polled."""
    plant.machine().panel_change(146, 0x00C1)  # on; Saturday and Sunday
    plant.machine().panel_change(172, 0x0003)
    schedule = await act(hass, loaded, "get_schedule")
    assert {key: schedule[key] for key in ("enabled", "days", "unit")} == {
        "enabled": True,
        "days": ["saturday", "sunday"],
        "unit": "%",
    }
    assert len(schedule["slots"]) == 6
    assert schedule["slots"][0] == {
        "slot": 1,
        "start": "01:00",
        "target": 80,
        "power": 5000,
        "grid_charge": True,
        "generator_charge": True,
    }
    assert [(item["start"], item["end"], item["target"]) for item in schedule["windows"]] == [
        ("01:00", "05:00", 80),
        # Slots 2 and 3 say the same.
        ("05:00", "10:00", 40),
        ("10:00", "15:00", 80),
        ("15:00", "18:00", 40),
        ("18:00", "01:00", 35),
    ]


async def test_the_response_begins_with_what_was_set(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """And says what is set, but switched off: here charging from the grid (130)."""
    response = await act(hass, loaded, "set_schedule", windows=WINDOWS, days=["sunday"])
    assert next(iter(response)) == "summary"
    assert response["summary"] == (
        "The schedule of JSO8048104 is now: 01:00 to 05:00: Charge to 80 % from grid; "
        "17:00 to 21:00: Use battery down to 40 %. It applies on these days: Sunday."
    )
    plant.machine().panel_change(130, 0)
    night = {**{key: NIGHT[key] for key in ("start", "end", "target")}, "charge_from": ["grid"]}
    response = await act(hass, loaded, "set_schedule", windows=[night], enabled=False)
    assert response["summary"] == (
        "The schedule of JSO8048104 is now: 01:00 to 05:00: Charge to 80 % from grid. "
        "Grid charging is set, but switched off. "
        'It is switched off: set "Enabled" to have the inverter follow it.'
    )


async def test_windows_can_be_given_back(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """What get_schedule returns, set_schedule takes; here it changes no more than where the spare slot is."""
    schedule = await act(hass, loaded, "get_schedule")
    await act(hass, loaded, "set_schedule", windows=schedule["windows"])
    assert (await act(hass, loaded, "get_schedule"))["windows"] == schedule["windows"]
    # The longest one, from 18:00 to 01:00, is halved at 21:30.
    assert table(plant)[:6] == (100, 500, 1000, 1500, 1800, 2130)


async def test_schedule_by_voltage_has_targets_in_volts(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    calendar_at: Callable[[str], None],
) -> None:
    """A lead-acid battery that is run by voltage has targets in volts, and its low one is 47.5 V."""
    plant.machine().panel_change(98, 0)
    plant.machine().panel_change(111, 0)
    schedule = await act(hass, loaded, "get_schedule")
    assert schedule["unit"] == "V"
    assert [slot["target"] for slot in schedule["slots"]] == [49.0, 50.2, 50.9, 51.4, 47.1, 49.0]
    await act(hass, loaded, "set_schedule", windows=[{**NIGHT, "target": 52.5}])
    # 05:00 to 01:00 is halved until there are five of it.
    assert table(plant)[12:18] == (5250, 4750, 4750, 4750, 4750, 4750)
    assert table(plant)[18:24] == OLD[18:24]
    await refresh(hass, loaded, Group.SETTINGS)
    calendar_at("2026-06-10T00:30:00+02:00")
    events = await calendar_events(hass, "2026-06-10T01:00:00+02:00", "2026-06-10T01:05:00+02:00")
    assert events[0]["summary"] == "JSO8048104: Charge to 52.5 V from grid"


# ---------------------------------------------------------------------- set_schedule


async def test_two_windows_are_written_as_six_slots_in_one_request(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Six legal slots, in exactly one write request of thirty registers."""
    assert table(plant) == OLD
    response = await act(hass, loaded, "set_schedule", windows=WINDOWS)
    assert written(plant) == [(16, 148, NEW)]
    assert table(plant) == NEW
    assert response["write_requests"] == 1
    assert response["dry_run"] is False
    assert [slot["start"] for slot in response["slots"]] == [
        "01:00",
        "05:00",
        "08:00",
        "11:00",
        "17:00",
        "21:00",
    ]


async def test_unchanged_schedule_is_not_written(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """What is there already is not written."""
    await act(hass, loaded, "set_schedule", windows=WINDOWS)
    response = await act(hass, loaded, "set_schedule", windows=WINDOWS, enabled=True)
    assert len(written(plant)) == 1
    assert (response["write_requests"], response["registers"]) == (0, [])


async def test_schedule_can_be_set_for_a_part_and_without_a_response(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """A part of the inverter will do as well, and nobody has to want the response."""
    battery = er.async_get(hass).async_get(entity(hass, Platform.SENSOR, "battery_soc"))
    assert battery is not None
    await hass.services.async_call(
        DOMAIN,
        "set_schedule",
        {ATTR_DEVICE_ID: battery.device_id, "windows": WINDOWS},
        blocking=True,
    )
    assert table(plant) == NEW


async def test_days_are_written_after_the_slots_and_gaps_follow_otherwise(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """The days are written after the slots, together; between the windows there is what was asked for."""
    await act(
        hass,
        loaded,
        "set_schedule",
        windows=WINDOWS,
        otherwise={"target": 50, "power": 0},
        days=["monday", "friday"],
        enabled=False,
    )
    words = (
        *NEW[:6],
        *(8000, 0, 0, 0, 5000, 0),
        *NEW[12:18],
        *(80, 50, 50, 50, 40, 50),
        *NEW[24:],
    )
    # Off, Monday is bit 1 and Friday bit 5.
    assert written(plant) == [(16, 148, words), (16, 146, (0x0022,))]


async def test_the_other_marks_of_a_slot_stay(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Bits that no setting is about, and the day's switch for which nobody asked."""
    plant.machine().panel_change(172, 0x0025)
    plant.machine().panel_change(177, 0x0004)
    await act(hass, loaded, "set_schedule", windows=WINDOWS, enabled=False)
    assert table(plant)[24:] == (0x0025, 0, 0, 0, 0, 0x0004)
    assert plant.machine().word(146) == 0x00FE


async def test_dry_run_returns_the_plan_and_writes_nothing(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """What would be written, and nothing that is."""
    response = await act(
        hass, loaded, "set_schedule", windows=WINDOWS, days=["sunday"], dry_run=True
    )
    assert written(plant) == []
    assert table(plant) == OLD
    assert (response["dry_run"], response["write_requests"]) == (True, 2)
    assert [item["register"] for item in response["registers"]] == [*range(148, 178), 146]
    changes = {
        item["register"]: (item["before"], item["after"])
        for item in response["registers"]
        if item["before"] != item["after"]
    }
    assert changes == {
        151: (1000, 1100),
        152: (1500, 1700),
        153: (1800, 2100),
        154: (5000, 8000),
        155: (5000, 8000),
        156: (5000, 8000),
        157: (5000, 8000),
        159: (5000, 8000),
        167: (40, 35),
        168: (40, 35),
        169: (80, 35),
        # On, and Sunday is bit 7.
        146: (0x00FF, 0x0081),
    }


@pytest.mark.parametrize(
    ("data", "translation_key", "placeholders"),
    [
        ({"windows": []}, "schedule_no_windows", {}),
        (
            {"windows": [NIGHT, {**EVENING, "start": "17:01"}]},
            "schedule_not_on_step",
            {"window": "2", "time": "17:01", "minutes": "5"},
        ),
        (
            {"windows": [{**NIGHT, "end": "01:00"}]},
            "schedule_empty_window",
            {"window": "1", "time": "01:00"},
        ),
        (
            {"windows": [NIGHT, {**EVENING, "end": "02:00"}]},
            "schedule_overlap",
            {"window": "2", "other": "1", "time": "01:00"},
        ),
        (
            {"windows": [NIGHT, {**EVENING, "target": 101}]},
            "schedule_target",
            {"window": "2", "value": "101", "minimum": "0", "maximum": "100", "step": "1"},
        ),
        (
            {"windows": [{**NIGHT, "power": 8001}]},
            "schedule_power",
            {"window": "1", "value": "8001", "minimum": "0", "maximum": "8000", "step": "1"},
        ),
        (
            {"windows": WINDOWS, "otherwise": {"power": -1}},
            "schedule_default_power",
            {"value": "-1", "minimum": "0", "maximum": "8000", "step": "1"},
        ),
        (
            {
                "windows": [
                    {**NIGHT, "start": f"{hour:02}:00", "end": f"{hour:02}:30"}
                    for hour in range(0, 8, 2)
                ]
            },
            "schedule_too_many_slots",
            {"count": "8", "most": "6"},
        ),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
async def test_rejected_schedule_names_window_and_reason_and_writes_nothing(
    hass: HomeAssistant,
    *,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    data: dict[str, Any],
    translation_key: str,
    placeholders: dict[str, str],
    dry_run: bool,
) -> None:
    """The message names the window and the reason; not one write frame, for the days neither."""
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, loaded, "set_schedule", **data, days=["monday"], dry_run=dry_run)
    assert caught.value.translation_key == translation_key
    assert caught.value.translation_placeholders == placeholders
    assert written(plant) == []


@pytest.mark.parametrize(
    "data",
    [
        {"windows": [{**NIGHT, "start": "25:00"}]},
        {"windows": [{"start": "01:00", "end": "02:00"}]},
        {"windows": WINDOWS, "days": ["someday"]},
        {"windows": WINDOWS, "slots": 6},
    ],
)
async def test_malformed_call_is_rejected(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, data: dict[str, Any]
) -> None:
    """What is no call of the action at all."""
    with pytest.raises(vol.Invalid):
        await act(hass, loaded, "set_schedule", **data)
    assert written(plant) == []


async def test_read_only_tier_forbids_a_dry_run_too(
    hass: HomeAssistant, plant: SimulatedPlant
) -> None:
    """Who may only look, may look at what would be written neither."""
    entry = network_entry(plant.tcp_port, options={"tier": "read_only"})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, entry, "set_schedule", windows=WINDOWS)
    assert caught.value.translation_key == "needs_tier"
    assert written(plant) == []
    assert (await act(hass, entry, "get_schedule"))["enabled"] is True


async def test_locked_inverter_keeps_its_schedule_and_days(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """The action fails, the old schedule stays, and the days are not touched."""
    plant.machine().trouble.locked = True
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, loaded, "set_schedule", windows=WINDOWS, enabled=False)
    assert caught.value.translation_key == "schedule_not_applied"
    assert caught.value.translation_placeholders == {
        "address": "154",
        "wanted": "8000",
        "held": "5000",
    }
    assert table(plant) == OLD
    assert {address for _, address, _ in written(plant)} == {148}
    assert float(state(hass, Platform.SENSOR, "active_slot").state) in range(1, 7)


async def test_a_machine_that_takes_half(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """It keeps its own start of slot 4 whatever is written: the old schedule is put back in one request."""
    machine = plant.machine()
    respond = machine.respond

    def stubborn(pdu: bytes) -> bytes | None:
        answer = respond(pdu)
        if pdu[0] == 16:
            machine.panel_change(151, 1000)
        return answer

    machine.respond = stubborn  # type: ignore[method-assign]
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, loaded, "set_schedule", windows=WINDOWS)
    assert caught.value.translation_key == "schedule_not_applied"
    assert written(plant) == [(16, 148, NEW), (16, 148, NEW), (16, 148, OLD)]
    assert table(plant) == OLD


@pytest.mark.parametrize(
    "applied", [pytest.param(False, id="before it"), pytest.param(True, id="behind it")]
)
async def test_lost_link_during_a_write_is_no_failure_if_the_inverter_is_back_at_once(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    applied: bool,
) -> None:
    """With the write on its way: what the inverter holds decides whether it is sent once more."""
    machine = plant.machine()
    respond = machine.respond

    def dropping(pdu: bytes) -> bytes | None:
        if pdu[0] != 16:
            return respond(pdu)
        if applied:
            respond(pdu)
        machine.respond = respond  # type: ignore[method-assign]
        plant.tcp.drop_connections()
        return None

    machine.respond = dropping  # type: ignore[method-assign]
    await act(hass, loaded, "set_schedule", windows=WINDOWS, enabled=False)
    assert table(plant) == NEW
    # Days of the week in the upper bits, the switch in the lowest.
    assert written(plant) == [(16, 148, NEW), (16, 146, (0x00FE,))]
    shown = unit_of(loaded).coordinators[Group.SETTINGS].data.values
    assert shown["tou_slot_2_soc"] == 35


async def test_actions_report_an_inverter_that_does_not_answer(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Both actions say so."""
    plant.machine().trouble.silent = True
    for action, data in (("get_schedule", {}), ("set_schedule", {"windows": WINDOWS})):
        with pytest.raises(HomeAssistantError) as caught:
            await act(hass, loaded, action, **data)
        assert caught.value.translation_key == "no_answer"


async def test_nobody_answers_to_the_last_look(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Nothing was sent yet, so the message does not leave it open."""
    machine = plant.machine()
    respond = machine.respond
    # Read thirty registers from 148 on.
    look = bytes.fromhex("03 0094 001e")
    machine.respond = lambda pdu: None if pdu == look else respond(pdu)  # type: ignore[method-assign]
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, loaded, "set_schedule", windows=WINDOWS)
    assert caught.value.translation_key == "no_answer"
    assert written(plant) == []


@pytest.mark.freeze_time("2026-06-10 12:00:00", tick=True)
@pytest.mark.parametrize(
    ("address", "word", "told"),
    [
        (149, 2575, {"slot": 2, "unreadable": ["start"]}),
        (149, 0xFFFF, {"slot": 2, "unreadable": ["start"]}),
        (155, 0xFFFF, {"slot": 2, "start": "05:00", "unreadable": ["power"]}),
        (167, 0xFFFF, {"slot": 2, "start": "05:00", "unreadable": ["target"]}),
        (
            173,
            0xFFFF,
            {"slot": 2, "start": "05:00", "unreadable": ["grid_charge", "generator_charge"]},
        ),
    ],
)
async def test_one_bad_cell_costs_its_slot_only(
    hass: HomeAssistant,
    *,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    address: int,
    word: int,
    told: dict[str, Any],
) -> None:
    """The action names it, calendar and sensors go on with the others, and the next schedule replaces it."""
    plant.machine().panel_change(address, word)
    schedule = await act(hass, loaded, "get_schedule")
    assert schedule["slots"][1] == told
    assert "05:00" not in [window["start"] for window in schedule["windows"]]
    await refresh(hass, loaded, Group.SETTINGS)
    # 14:00 in Berlin.
    assert state(hass, Platform.SENSOR, "active_slot").state == "4"
    assert state(hass, Platform.CALENDAR, "schedule").state == STATE_ON
    change = state(hass, Platform.SENSOR, "next_schedule_change").state
    assert change == "2026-06-10T13:00:00+00:00"
    await act(hass, loaded, "set_schedule", windows=WINDOWS)
    assert table(plant) == NEW


async def test_midnight_as_the_last_start_is_midnight(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """The starts of a display that says 24:00: all of it is shown and can be changed, and undo brings it back."""
    machine = plant.machine()
    for address, word in enumerate((100, 500, 900, 1300, 1700, 2400), 148):
        machine.panel_change(address, word)
    before = table(plant)
    await refresh(hass, loaded, Group.SETTINGS)
    schedule = await act(hass, loaded, "get_schedule")
    assert [slot["start"] for slot in schedule["slots"]] == [
        "01:00",
        "05:00",
        "09:00",
        "13:00",
        "17:00",
        "00:00",
    ]
    assert schedule["windows"][0] == {
        "start": "00:00",
        "end": "01:00",
        "target": 35,
        "power": 5000,
        "grid_charge": False,
        "generator_charge": False,
    }
    device = unit_of(loaded).device
    await device.write("tou_slot_5_time", time(18, 0))
    assert [machine.word(address) for address in range(148, 154)] == [
        *(100, 500, 900, 1300, 1800, 2400),
    ]
    await device.undo()
    await act(hass, loaded, "set_schedule", windows=WINDOWS)
    assert table(plant) == NEW
    await device.undo()
    assert table(plant) == before


async def test_a_table_of_which_nobody_knows_whether_it_is_in_force(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """No entity guesses, and nothing is written over what is not understood."""
    plant.machine().panel_change(146, 0xFFFF)
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, loaded, "set_schedule", windows=WINDOWS)
    assert caught.value.translation_key == "schedule_not_readable"
    await refresh(hass, loaded, Group.SETTINGS)
    for platform, key in SHOWN:
        assert state(hass, platform, key).state == STATE_UNAVAILABLE


async def test_actions_reject_devices_that_are_no_inverter(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Home Assistant's own words for a device that is not ours, ours for one that is no inverter."""
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    registry = dr.async_get(hass)
    stranger = registry.async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("other", "1")}
    )
    leftover = registry.async_get_or_create(
        config_entry_id=loaded.entry_id, identifiers={(DOMAIN, "gone")}
    )
    for device_id, translation_key in (
        ("nothing", "service_device_not_found"),
        (stranger.id, "service_device_wrong_domain"),
        (leftover.id, "no_such_unit"),
    ):
        with pytest.raises(ServiceValidationError) as caught:
            await act(hass, loaded, "get_schedule", device_id=device_id)
        assert caught.value.translation_key == translation_key


async def test_actions_outlive_their_entry(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """They are there while the entry is not loaded, and say so."""
    device_id = unit_of(loaded).device_id
    assert await hass.config_entries.async_unload(loaded.entry_id)
    assert hass.services.has_service(DOMAIN, "get_schedule")
    with pytest.raises(ServiceValidationError) as caught:
        await hass.services.async_call(
            DOMAIN,
            "get_schedule",
            {ATTR_DEVICE_ID: device_id},
            blocking=True,
            return_response=True,
        )
    assert caught.value.translation_key == "service_config_entry_not_loaded"


async def test_form_of_the_actions_offers_what_they_take(hass: HomeAssistant) -> None:
    """What the UI offers is what the actions take, and the selectors are valid."""
    path = Path(__file__).parents[2] / "custom_components" / DOMAIN / "services.yaml"
    services = await hass.async_add_executor_job(load_yaml_dict, str(path))

    def names(schema: vol.Schema) -> dict[str, bool]:
        return {
            str(key): isinstance(key, vol.Required) for key in schema.schema if key not in TARGET
        }

    def offered(fields: dict[str, Any]) -> dict[str, bool]:
        return {name: field.get("required", False) for name, field in fields.items()}

    form = services["set_schedule"]["fields"]
    fields = {
        **form["six_slots"]["fields"],
        **form["charge_and_discharge"]["fields"],
        "enabled": form["enabled"],
        "dry_run": form["dry_run"],
    }
    assert offered(fields) == {**names(SET_SCHEMA), "dry_run": False}
    for field in fields.values():
        validate_selector(field["selector"])

    def window(name: str) -> dict[str, bool]:
        return offered(fields[name]["selector"]["object"]["fields"])

    # Windows of six slots have targets; those with modes are in lists of their own.
    assert window("windows") == {
        "start": True,
        "end": True,
        "target": True,
        "power": False,
        "charge_from": False,
    }
    assert window("windows").keys() < names(WINDOW).keys()
    assert window("otherwise") == names(OTHERWISE)
    assert window("charge_windows") == window("discharge_windows") == names(WINDOW_OF_MODE)
    # In the list of windows, the page shows the labels that the file gives.
    days = fields["days"]["selector"]["select"]["options"]
    texts = await translation.async_get_translations(hass, "en", "selector", {DOMAIN})
    assert {day["value"]: day["label"] for day in days} == {
        day: texts[f"component.{DOMAIN}.selector.day.options.{day}"] for day in DAYS
    }


# ---------------------------------------------------------------------- calendar and sensors

SHOWN: Final = (
    (Platform.CALENDAR, "schedule"),
    (Platform.SENSOR, "active_slot"),
    (Platform.SENSOR, "next_schedule_change"),
)


async def calendar_events(hass: HomeAssistant, start: str, end: str) -> list[dict[str, Any]]:
    """Return the events that the calendar shows."""
    calendar = entity(hass, Platform.CALENDAR, "schedule")
    response: Any = await hass.services.async_call(
        "calendar",
        "get_events",
        {"entity_id": calendar, "start_date_time": start, "end_date_time": end},
        blocking=True,
        return_response=True,
    )
    events: list[dict[str, Any]] = response[calendar]["events"]
    return events


@pytest.fixture
def at(freezer: FrozenDateTimeFactory) -> Callable[[str], None]:
    """Return what sets the time that Home Assistant sees."""
    return freezer.move_to


async def test_a_day_in_the_calendar(
    hass: HomeAssistant, loaded: MockConfigEntry, calendar_at: Callable[[str], None]
) -> None:
    """Wednesday, 2026-06-10, in plain words; slots 2 and 3 say the same, slot 6 goes on into Thursday."""
    calendar_at("2026-06-10T00:30:00+02:00")
    assert entity(hass, Platform.CALENDAR, "schedule") == "calendar.jso8048104_schedule"
    events = await calendar_events(hass, "2026-06-10T00:00:00+02:00", "2026-06-11T00:00:00+02:00")
    assert [(event["start"], event["end"], event["summary"]) for event in events] == [
        (
            "2026-06-09T18:00:00+02:00",
            "2026-06-10T01:00:00+02:00",
            "JSO8048104: Use battery down to 35 %",
        ),
        (
            "2026-06-10T01:00:00+02:00",
            "2026-06-10T05:00:00+02:00",
            "JSO8048104: Charge to 80 % from grid",
        ),
        (
            "2026-06-10T05:00:00+02:00",
            "2026-06-10T10:00:00+02:00",
            "JSO8048104: Use battery down to 40 %",
        ),
        (
            "2026-06-10T10:00:00+02:00",
            "2026-06-10T15:00:00+02:00",
            "JSO8048104: Use battery down to 80 %",
        ),
        (
            "2026-06-10T15:00:00+02:00",
            "2026-06-10T18:00:00+02:00",
            "JSO8048104: Use battery down to 40 %",
        ),
        (
            "2026-06-10T18:00:00+02:00",
            "2026-06-11T01:00:00+02:00",
            "JSO8048104: Use battery down to 35 %",
        ),
    ]
    assert events[0]["description"] == "The battery supplies up to 5000 W."


async def test_what_is_over_is_not_in_the_calendar(
    hass: HomeAssistant, loaded: MockConfigEntry, calendar_at: Callable[[str], None]
) -> None:
    """Nobody knows what the schedule was this morning; what is going on is shown as a whole."""
    calendar_at("2026-06-10T11:00:00+02:00")
    events = await calendar_events(hass, "2026-06-08T00:00:00+02:00", "2026-06-11T00:00:00+02:00")
    assert [(event["start"][:16], event["end"][:16]) for event in events] == [
        ("2026-06-10T10:00", "2026-06-10T15:00"),
        ("2026-06-10T15:00", "2026-06-10T18:00"),
        ("2026-06-10T18:00", "2026-06-11T01:00"),
    ]


async def test_days_in_the_calendar(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    calendar_at: Callable[[str], None],
) -> None:
    """On Saturday, 2026-06-13, only, and with the generator: it ends at midnight."""
    plant.machine().panel_change(146, 0x0041)
    plant.machine().panel_change(172, 0x0003)
    plant.machine().panel_change(177, 0x0002)
    await refresh(hass, loaded, Group.SETTINGS)
    calendar_at("2026-06-08T00:00:00+02:00")
    events = await calendar_events(hass, "2026-06-08T00:00:00+02:00", "2026-06-15T00:00:00+02:00")
    assert [(event["start"][:16], event["end"][:16]) for event in events] == [
        ("2026-06-13T00:00", "2026-06-13T01:00"),
        ("2026-06-13T01:00", "2026-06-13T05:00"),
        ("2026-06-13T05:00", "2026-06-13T10:00"),
        ("2026-06-13T10:00", "2026-06-13T15:00"),
        ("2026-06-13T15:00", "2026-06-13T18:00"),
        ("2026-06-13T18:00", "2026-06-14T00:00"),
    ]
    assert events[1]["summary"] == "JSO8048104: Charge to 80 % from grid and generator"
    assert events[5]["summary"] == "JSO8048104: Charge to 35 % from generator"


@pytest.mark.parametrize(
    ("off", "summary", "why"),
    [
        ((), "Charge to 80 % from grid and generator", ""),
        ((130,), "Charge to 80 % from generator", " Grid charging is set, but switched off."),
        ((129,), "Charge to 80 % from grid", " Generator charging is set, but switched off."),
        (
            (129, 130),
            "Use battery down to 80 %",
            " Grid charging is set, but switched off. Generator charging is set, but switched off.",
        ),
    ],
)
async def test_what_is_switched_off_does_not_charge(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    calendar_at: Callable[[str], None],
    off: tuple[int, ...],
    summary: str,
    why: str,
) -> None:
    """A slot says when, the switches say whether: the calendar says what will happen, and why."""
    plant.machine().panel_change(172, 0x0003)
    for address in off:
        plant.machine().panel_change(address, 0)
    await refresh(hass, loaded, Group.SETTINGS)
    calendar_at("2026-06-10T00:30:00+02:00")
    events = await calendar_events(hass, "2026-06-10T01:00:00+02:00", "2026-06-10T01:05:00+02:00")
    assert events[0]["summary"] == f"JSO8048104: {summary}"
    assert events[0]["description"] == f"The battery supplies up to 5000 W.{why}"


async def test_a_schedule_that_cannot_charge(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """The response says so, also of a dry run; what is not asked for is not named."""
    plant.machine().panel_change(129, 0)
    response = await act(hass, loaded, "set_schedule", windows=[NIGHT], dry_run=True)
    assert response["switched_off"] == []
    plant.machine().panel_change(130, 0)
    response = await act(hass, loaded, "set_schedule", windows=[NIGHT])
    assert response["switched_off"] == ["grid"]


async def test_schedule_states_follow_the_clock_without_a_poll(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    entry: MockConfigEntry,
    at: Callable[[str], None],
) -> None:
    """The states follow the clock without a poll, and the table with one."""
    at("2026-06-10 04:59:50+02:00")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()

    def shown() -> tuple[str, ...]:
        return tuple(state(hass, platform, key).state for platform, key in SHOWN)

    calendar = state(hass, Platform.CALENDAR, "schedule").attributes
    assert (calendar["message"], calendar["end_time"]) == (
        "JSO8048104: Charge to 80 % from grid",
        "2026-06-10 05:00:00",
    )
    for moment, slot, change in (
        ("2026-06-10 04:59:51+02:00", "1", "2026-06-10T03:00:00+00:00"),
        ("2026-06-10 05:00:01+02:00", "2", "2026-06-10T08:00:00+00:00"),
        # Here settings are polled, and they are not due again ten seconds later.
        ("2026-06-10 07:59:51+02:00", "2", "2026-06-10T08:00:00+00:00"),
        ("2026-06-10 08:00:01+02:00", "3", "2026-06-10T08:00:00+00:00"),
        ("2026-06-10 09:59:51+02:00", "3", "2026-06-10T08:00:00+00:00"),
        ("2026-06-10 10:00:01+02:00", "4", "2026-06-10T13:00:00+00:00"),
    ):
        at(moment)
        async_fire_time_changed(hass)
        # The clock must not jump over a request that is on its way.
        await hass.async_block_till_done(wait_background_tasks=True)
        assert shown() == (STATE_ON, slot, change)

    # At the display somebody switches time of use off.
    plant.machine().panel_change(146, 0x00FE)
    await refresh(hass, entry, Group.SETTINGS)
    assert shown() == (STATE_OFF, "unknown", "unknown")
    plant.machine().panel_change(146, 0x0003)
    await refresh(hass, entry, Group.SETTINGS)
    # Only on Mondays; the next one is the 15th.
    assert shown() == (STATE_OFF, "unknown", "2026-06-14T22:00:00+00:00")
    assert state(hass, Platform.CALENDAR, "schedule").attributes["start_time"] == (
        "2026-06-15 00:00:00"
    )


@pytest.mark.freeze_time("2026-06-10 10:00:00", tick=True)
async def test_set_schedule_shows_at_once(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """What a write has read back is on the screen when the action returns; it is noon in Berlin."""
    assert state(hass, Platform.SENSOR, "next_schedule_change").state == (
        "2026-06-10T13:00:00+00:00"
    )
    await act(hass, loaded, "set_schedule", windows=WINDOWS)
    assert state(hass, Platform.SENSOR, "next_schedule_change").state == (
        "2026-06-10T15:00:00+00:00"
    )
    assert state(hass, Platform.CALENDAR, "schedule").attributes["message"] == (
        "JSO8048104: Use battery down to 35 %"
    )


async def test_a_removed_entity_waits_no_more(
    hass: HomeAssistant, loaded: MockConfigEntry, at: Callable[[str], None]
) -> None:
    """The timers go with the entry; Home Assistant's test harness complains about those that are left."""
    assert await hass.config_entries.async_unload(loaded.entry_id)
    async_fire_time_changed(hass, fire_all=True)
    await hass.async_block_till_done()
    assert state(hass, Platform.SENSOR, "active_slot").state == STATE_UNAVAILABLE


async def test_the_table_is_polled_for_them(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """Nobody has enabled a slot's entity, and the group still takes no more than four requests."""
    coordinator = unit_of(loaded).coordinators[Group.SETTINGS]
    assert {f"tou_slot_{n}_{field}" for n in range(1, 7) for field in ("time", "soc", "power")} <= (
        coordinator.keys
    )
    before = requests(plant)
    await coordinator.async_refresh()
    assert requests(plant) - before <= 4


async def test_the_table_is_not_polled_for_nobody(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """With all three disabled, and what shows an order in the table, the slots are not read any more after a reload."""
    registry = er.async_get(hass)
    for platform, key in (*SHOWN, (Platform.SELECT, "battery_control")):
        registry.async_update_entity(
            entity(hass, platform, key), disabled_by=er.RegistryEntryDisabler.USER
        )
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    keys = unit_of(loaded).coordinators[Group.SETTINGS].keys
    assert "tou_slot_6_voltage" not in keys
    assert "work_mode" in keys
