"""Adding an inverter to a link that is in use, changing its unit id, and removing it."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import (
    EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE,
    FlowResultType,
    InvalidData,
    UnknownHandler,
)
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.errors import WrongDeviceError
from custom_components.hybrid_inverter.modbus.find.identify import Identity
from custom_components.hybrid_inverter.modbus.find.probe import Failure, ProbeError
from custom_components.hybrid_inverter.modbus.transport.link import Link
from simulator import SimulatedPlant

from .helpers import (
    IDENTITY,
    add_unit,
    answer,
    choose,
    entity,
    link_entry,
    network_data,
    network_entry,
    past_maker,
    searched,
    state,
    status,
)

# An H2 of the series S2, whose register for the rated power says nothing.
SILENT_ABOUT_POWER: Final = Identity(
    family="saj",
    serial="SAJSIM000000000001",
    manufacturer="SAJ",
    model="H2-xK-S2",
    firmware="1.216 / 3.105 / 3.106",
    facts={"device_type": 90},
)


@pytest.fixture
async def line(socket_enabled: None) -> AsyncIterator[SimulatedPlant]:
    """Return three JSO8048104 on one line, with the unit ids 1, 2 and 20."""
    async with SimulatedPlant(units=(1, 2, 20)) as plant:
        plant.advance(60)
        yield plant


@pytest.fixture
async def entry(hass: HomeAssistant, line: SimulatedPlant, few_entities: None) -> MockConfigEntry:
    """Return the entry of the line with the first of the inverters, set up."""
    entry = network_entry(line.tcp_port)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


@pytest.fixture
def unasked() -> Iterator[list[Any]]:
    """Let no dialog ask a machine; what is in the list answers: an identity, or why there is none."""
    answers: list[Any] = []

    async def ask(_link: Link, _unit_id: int) -> Identity:
        found = answers.pop(0)
        if isinstance(found, ProbeError):
            raise found
        assert isinstance(found, Identity)
        return found

    with patch("custom_components.hybrid_inverter.flow.machines.ask", ask):
        yield answers


async def test_inverter_added_by_unit_id_runs_at_once(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """By its unit id; it runs at once, beside the first one."""
    (first,) = entry.subentries
    menu = await add_unit(hass, entry, "inverter")
    assert (menu["type"], menu["step_id"]) == (FlowResultType.MENU, "user")
    assert menu["menu_options"] == ["search", "unit_id"]
    form = await choose(hass, menu, "unit_id")
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "unit_id")
    (field,) = form["data_schema"].schema
    # The lowest one that is free.
    assert field.description == {"suggested_value": 2}
    result = await answer(hass, form, {"unit_id": 2})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    known, added = entry.subentries.values()
    assert known.subentry_id == first
    assert added.subentry_type == "inverter"
    assert added.title == "JSO8048104 0002"
    assert added.unique_id == "JSO0000002"
    assert added.data == {"unit_id": 2, "identity": {**IDENTITY, "serial": "JSO0000002"}}
    assert status(entry) is ConfigEntryState.LOADED
    assert list(entry.runtime_data.units) == [first, added.subentry_id]
    assert state(hass, Platform.BINARY_SENSOR, "problem").state == "off"
    assert state(hass, Platform.BINARY_SENSOR, "problem", "JSO0000002").state == "off"


async def test_search_tries_unit_ids_1_to_16_except_the_known_one(
    hass: HomeAssistant, entry: MockConfigEntry, line: SimulatedPlant
) -> None:
    """Unit ids 1 to 16 without the known one are asked; what is there can be chosen."""
    told = async_capture_events(hass, EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE)
    form = await searched(hass, await add_unit(hass, entry, "inverter"))
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "choose")
    (selector,) = form["data_schema"].schema.values()
    assert selector.config["options"] == [
        {"value": "2", "label": "2: JUSTSTANDOUT JSO8048104 (inverter)"}
    ]
    # Fifteen unit ids and one machine.
    steps = [event.data["progress"] for event in told]
    assert len(steps) == 16
    assert steps == sorted(steps)
    assert (steps[0], steps[-1]) == (0, 0.6)
    result = await answer(hass, form, {"unit_id": "2"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert [unit.data["unit_id"] for unit in entry.subentries.values()] == [1, 2]
    assert status(entry) is ConfigEntryState.LOADED


async def test_inverter_above_the_searched_unit_ids_can_still_be_entered(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """A third one is above the unit ids that are searched: it can still be named."""
    await answer(
        hass, await choose(hass, await add_unit(hass, entry, "inverter"), "unit_id"), {"unit_id": 2}
    )
    menu = await searched(hass, await add_unit(hass, entry, "inverter"))
    assert (menu["type"], menu["step_id"]) == (FlowResultType.MENU, "nothing_found")
    menu = await searched(hass, menu)
    assert menu["step_id"] == "nothing_found"
    form = await choose(hass, menu, "unit_id")
    assert [key.description for key in form["data_schema"].schema] == [{"suggested_value": 3}]
    result = await answer(hass, form, {"unit_id": 20})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert [unit.unique_id for unit in entry.subentries.values()] == [
        "JSO0000001",
        "JSO0000002",
        "JSO0000003",
    ]


async def test_from_mistake_to_mistake(
    hass: HomeAssistant, entry: MockConfigEntry, unasked: list[Any]
) -> None:
    """Each has a message of its own, and the same dialog succeeds in the end."""
    second = Identity(**{**IDENTITY, "serial": "JSO0000002"})
    elsewhere = network_entry(4196, serial="JSO0000099")
    elsewhere.add_to_hass(hass)
    form = await choose(hass, await add_unit(hass, entry, "inverter"), "unit_id")
    for unit_id, found, error, told in (
        (1, None, "unit_id_taken", {"name": "JSO8048104"}),
        (2, ProbeError(Failure.NO_ANSWER), "no_answer", {"found": ""}),
        (2, ProbeError(Failure.UNREACHABLE), "cannot_connect", {"found": ""}),
        (
            2,
            ProbeError(Failure.WRONG_DEVICE, other=WrongDeviceError("saj_h1")),
            "wrong_device",
            {"found": "a SAJ H1 hybrid inverter"},
        ),
        (
            2,
            replace(second, serial="JSO0000099"),
            "already_configured",
            {
                "model": "JSO8048104",
                "name": "JSO8048104",
                "entry": f"JSO8048104 (127.0.0.1:{elsewhere.data['port']})",
            },
        ),
    ):
        if found is not None:
            unasked.append(found)
        form = await answer(hass, form, {"unit_id": unit_id})
        assert form["type"] is FlowResultType.FORM
        assert form["errors"] == {"unit_id": error}
        assert form["description_placeholders"] == {"unit_id": str(unit_id), **told}
        (field,) = form["data_schema"].schema
        assert field.description == {"suggested_value": unit_id}
    assert len(entry.subentries) == 1
    with pytest.raises(InvalidData):
        await answer(hass, form, {"unit_id": 248})
    unasked.append(second)
    assert (await answer(hass, form, {"unit_id": 2}))["type"] is FlowResultType.CREATE_ENTRY


async def test_unit_id_without_answer_or_with_an_unsupported_device_is_reported(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    line: SimulatedPlant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over the line itself: nobody, then a machine that no table is made for, found and named."""
    form = await choose(hass, await add_unit(hass, entry, "inverter"), "unit_id")
    form = await answer(hass, form, {"unit_id": 3})
    assert form["errors"] == {"unit_id": "no_answer"}
    line.machine(2).panel_change(0, 3)
    form = await answer(hass, form, {"unit_id": 2})
    assert form["errors"] == {"unit_id": "wrong_device"}
    assert form["description_placeholders"]["found"] == "a single-phase hybrid inverter"
    form = await searched(hass, await add_unit(hass, entry, "inverter"))
    (selector,) = form["data_schema"].schema.values()
    assert selector.config["options"] == [{"value": "2", "label": "2: not identified"}]
    form = await answer(hass, form, {"unit_id": "2"})
    assert form["errors"] == {"base": "wrong_device"}
    line.machine(2).panel_change(0, 5)
    assert (await answer(hass, form, {"unit_id": "2"}))["type"] is FlowResultType.CREATE_ENTRY


async def test_rated_power_is_asked_for_when_the_inverter_does_not_report_it(
    hass: HomeAssistant, entry: MockConfigEntry, unasked: list[Any]
) -> None:
    """It is asked for where the inverter does not tell it."""
    unasked.append(SILENT_ABOUT_POWER)
    form = await choose(hass, await add_unit(hass, entry, "inverter"), "unit_id")
    form = await answer(hass, form, {"unit_id": 2})
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "rated_power")
    assert form["description_placeholders"] == {
        "model": "H2-xK-S2",
        "serial": "SAJSIM000000000001",
        "low": "1000",
        "high": "60000",
    }
    form = await answer(hass, form, {"rated_power": "6"})
    assert form["errors"] == {"rated_power": "no_rated_power"}
    result = await answer(hass, form, {"rated_power": "6 kW"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "H2-6K-S2"
    assert result["data"]["identity"]["facts"] == {"rated_power": 6000, "device_type": 90}


async def test_a_module_that_answers_everywhere(hass: HomeAssistant, saj: SimulatedPlant) -> None:
    """Every unit id is the same inverter: there is room for one only."""
    saj.tcp.any_unit = True
    entry = link_entry(network_data(saj.tcp_port), {1: "SAJSIM000000000001"})
    identity = {
        "family": "saj",
        "serial": "SAJSIM000000000001",
        "manufacturer": "SAJ",
        "model": "H2-6K-S2",
        "firmware": None,
        "facts": {"rated_power": 6000},
        "features": [],
    }
    entry.add_to_hass(hass)
    (subentry,) = entry.subentries.values()
    hass.config_entries.async_update_subentry(
        entry, subentry, data={"unit_id": 1, "identity": identity}
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    result = await searched(hass, await add_unit(hass, entry, "inverter"))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "answers_everywhere"
    assert result["description_placeholders"] == {"model": "H2-6K-S2"}


async def test_one_after_the_other(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """While the entry is loaded again with the machine that was just added, the next dialog waits for that."""
    for unit_id in (2, 20):
        form = await choose(hass, await add_unit(hass, entry, "inverter"), "unit_id")
        result = await hass.config_entries.subentries.async_configure(
            form["flow_id"], {"unit_id": unit_id}
        )
        result = await past_maker(hass.config_entries.subentries, result)
        assert result["type"] is FlowResultType.CREATE_ENTRY
        # What the dialog has caused has only begun.
        assert status(entry) is not ConfigEntryState.LOADED
    await hass.async_block_till_done()
    assert len(entry.runtime_data.units) == 3


async def test_nothing_is_asked_over_a_link_that_is_not_running(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Nobody can be asked over a link that is not in use, be it from the start or in the middle of the dialog."""
    menu = await add_unit(hass, entry, "inverter")
    form = await choose(hass, await add_unit(hass, entry, "inverter"), "unit_id")
    assert await hass.config_entries.async_unload(entry.entry_id)
    result = await choose(hass, menu, "search")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_running")
    form = await answer(hass, form, {"unit_id": 2})
    assert form["errors"] == {"unit_id": "not_running"}
    result = await add_unit(hass, entry, "inverter")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_running")
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert (await answer(hass, form, {"unit_id": 2}))["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("link_type", ["plant", "listen"])
async def test_where_nothing_can_be_added(hass: HomeAssistant, link_type: str) -> None:
    """Where there is no link there is nobody to ask."""
    entry = MockConfigEntry(domain=DOMAIN, data={"type": link_type})
    entry.add_to_hass(hass)
    with pytest.raises(UnknownHandler):
        await add_unit(hass, entry, "inverter")


# ---------------------------------------------------------------------- reconfiguring


async def test_inverter_with_a_changed_unit_id_keeps_entities_and_history(
    hass: HomeAssistant, entry: MockConfigEntry, line: SimulatedPlant
) -> None:
    """Somebody has changed it at the inverter: entities and history stay."""
    (subentry_id,) = entry.subentries
    before = entity(hass, Platform.BINARY_SENSOR, "problem")
    line.machines[7] = line.machines.pop(1)
    form = dict(await entry.start_subentry_reconfigure_flow(hass, subentry_id))
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "reconfigure")
    assert [key.description for key in form["data_schema"].schema] == [{"suggested_value": 1}]
    form = await answer(hass, form, {"unit_id": 6})
    assert form["errors"] == {"unit_id": "no_answer"}
    form = await answer(hass, form, {"unit_id": 2})
    assert form["errors"] == {"unit_id": "another_machine"}
    assert form["description_placeholders"] == {
        "unit_id": "2",
        "model": "JSO8048104",
        "name": "JSO8048104",
    }
    result = await answer(hass, form, {"unit_id": 7})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    assert entry.subentries[subentry_id].data == {"unit_id": 7, "identity": IDENTITY}
    assert entry.runtime_data.units[subentry_id].unit_id == 7
    assert entity(hass, Platform.BINARY_SENSOR, "problem") == before
    assert state(hass, Platform.BINARY_SENSOR, "problem").state == "off"


async def test_unchanged_unit_id_reloads_nothing(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Nothing changes, and nothing is loaded again."""
    (subentry_id,) = entry.subentries
    unit = entry.runtime_data.units[subentry_id]
    form = dict(await entry.start_subentry_reconfigure_flow(hass, subentry_id))
    result = await answer(hass, form, {"unit_id": 1})
    assert result["reason"] == "reconfigure_successful"
    assert entry.runtime_data.units[subentry_id] is unit


# ---------------------------------------------------------------------- removing, renaming


@pytest.mark.usefixtures("few_entities")
async def test_removed_inverter_leaves_nothing_behind_and_others_keep_running(
    hass: HomeAssistant, line: SimulatedPlant
) -> None:
    """The others run on; nobody asks the one that is gone, and nothing of it is left."""
    entry = link_entry(network_data(line.tcp_port), {1: "JSO0000001", 2: "JSO0000002"})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    first, second = entry.subentries
    kept = {
        known.entity_id
        for known in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        if known.config_subentry_id == second
    }
    assert hass.config_entries.async_remove_subentry(entry, first)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert status(entry) is ConfigEntryState.LOADED
    assert list(entry.runtime_data.units) == [second]
    assert {
        known.entity_id
        for known in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        # Those of the link stay anyway.
        if known.config_subentry_id is not None
    } == kept
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert {device.config_subentry_id for device in devices} <= {second, None}
    # Whoever asks for the one that is gone is told that it is not there.
    del line.machines[1]
    asked = line.tcp.statistics.requests
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=400))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert line.tcp.statistics.requests > asked
    assert line.tcp.statistics.exceptions[11] == 0
    assert all(
        coordinator.last_update_success
        for coordinator in entry.runtime_data.units[second].coordinators.values()
    )
    assert state(hass, Platform.BINARY_SENSOR, "problem", "JSO0000002").state == "off"


async def test_device_takes_the_name_that_a_person_gives_the_unit(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The device has the name that a person gives the machine."""
    (subentry,) = entry.subentries.values()
    hass.config_entries.async_update_subentry(entry, subentry, title="Cellar")
    await hass.async_block_till_done(wait_background_tasks=True)
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, "JSO0000001"), entry.entry_id
    )
    assert device is not None
    assert device.name == "Cellar"
    assert entry.runtime_data.units[subentry.subentry_id].name == "Cellar"
