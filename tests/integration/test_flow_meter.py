"""Adding a meter to a link that is in use, once it is clear that it may be asked; changing it; removing it."""

from typing import Any, Final
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import DOMAIN
from simulator import SimulatedPlant

from .helpers import (
    DTSU666,
    add_unit,
    answer,
    choose,
    network_entry,
    searched,
    state,
    status,
)
from .pictured import PicturedMachine

GRID: Final = {"role": "grid", "inverted": False}


@pytest.fixture
async def entry(hass: HomeAssistant, house: SimulatedPlant, few_entities: None) -> MockConfigEntry:
    """Return the entry of the line with its inverter, set up."""
    entry = network_entry(house.tcp_port)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


async def add(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    unit_id: int,
    *,
    role: str = "grid",
    inverted: bool = False,
) -> str:
    """Add a meter by its unit id, and return the id of its subentry."""
    form = await choose(hass, await add_unit(hass, entry, "meter"), "direct", "unit_id")
    form = await answer(hass, form, {"unit_id": unit_id})
    result = await answer(hass, form, {"role": role, "inverted": inverted})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    return list(entry.subentries)[-1]


def offered(form: dict[str, Any]) -> list[str]:
    """Return the unit ids of what was found, in the order in which it is shown."""
    (selector,) = form["data_schema"].schema.values()
    return [option["value"] for option in selector.config["options"]]


# ---------------------------------------------------------------------- which ways there are


async def test_wiring_is_asked_before_anything_is_sent_to_a_meter(
    hass: HomeAssistant, entry: MockConfigEntry, house: SimulatedPlant
) -> None:
    """Nothing is sent to a meter before it is clear that nobody else asks it."""
    before = house.tcp.statistics.requests
    menu = await add_unit(hass, entry, "meter")
    assert (menu["type"], menu["step_id"]) == (FlowResultType.MENU, "user")
    assert menu["menu_options"] == ["direct", "behind_inverter", "listen_only"]
    menu = await choose(hass, menu, "direct")
    assert (menu["type"], menu["step_id"]) == (FlowResultType.MENU, "direct")
    assert menu["menu_options"] == ["search", "unit_id"]
    assert house.tcp.statistics.requests == before


async def test_meter_behind_an_inverter_is_not_added_but_its_entities_are_named(
    hass: HomeAssistant, house: SimulatedPlant
) -> None:
    """The entity with which the inverter tells what its meter measures is named; nothing is added."""
    entry = network_entry(house.tcp_port)
    entry.add_to_hass(hass)
    with patch("custom_components.hybrid_inverter.PLATFORMS", [Platform.SENSOR]):
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        await hass.config_entries.async_unload(entry.entry_id)
    result = await choose(hass, await add_unit(hass, entry, "meter"), "behind_inverter")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "read_by_inverter")
    assert result["description_placeholders"] == {
        "entities": "- JSO8048104 grid: sensor.jso8048104_grid_ct_power"
    }
    assert len(entry.subentries) == 1


async def test_behind_an_inverter_that_is_not_here(
    hass: HomeAssistant, house: SimulatedPlant
) -> None:
    """Where no inverter tells anything, what to do is said."""
    entry = network_entry(house.tcp_port)
    entry.add_to_hass(hass)
    result = await choose(hass, await add_unit(hass, entry, "meter"), "behind_inverter")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "read_by_other")


async def test_listening_needs_an_entry_of_its_own(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """That is an entry of its own."""
    result = await choose(hass, await add_unit(hass, entry, "meter"), "listen_only")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "listen_only")


# ---------------------------------------------------------------------- adding


async def test_added_meter_has_its_data_device_and_first_values(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """What is kept of it, its device, and its first values."""
    form = await choose(hass, await add_unit(hass, entry, "meter"), "direct", "unit_id")
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "unit_id")
    form = await answer(hass, form, {"unit_id": 11})
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "role")
    assert form["description_placeholders"] == {"model": "DTSU666"}
    assert [key.default() for key in form["data_schema"].schema] == ["grid", False]
    result = await answer(hass, form, GRID)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    _, meter = entry.subentries.values()
    serial = f"{entry.entry_id}_11"
    assert (meter.subentry_type, meter.title, meter.unique_id) == ("meter", "Grid meter", serial)
    assert meter.data == {
        "unit_id": 11,
        "identity": {**DTSU666, "serial": serial},
        "role": "grid",
        "inverted": False,
    }
    assert status(entry) is ConfigEntryState.LOADED
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, serial), entry.entry_id)
    assert device is not None
    assert (device.name, device.manufacturer, device.model) == ("Grid meter", "CHINT", "DTSU666")
    assert (device.serial_number, device.sw_version) == (None, "207")
    assert device.config_subentry_id == meter.subentry_id
    assert state(hass, Platform.BINARY_SENSOR, "connectivity", serial).name == (
        "Grid meter Connection"
    )
    # The inverter runs on.
    assert state(hass, Platform.BINARY_SENSOR, "problem").state == "off"


async def test_search_finds_both_meters_and_then_only_the_other_one(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Both meters are found, with what they are; one is chosen, then only the other one is found."""
    menu = await choose(hass, await add_unit(hass, entry, "meter"), "direct")
    form = await searched(hass, menu)
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "choose")
    (selector,) = form["data_schema"].schema.values()
    assert selector.config["options"] == [
        {"value": "11", "label": "11: CHINT DTSU666 (meter)"},
        {"value": "12", "label": "12: CHINT DDSU666 (meter)"},
    ]
    form = await answer(hass, form, {"unit_id": "12"})
    assert form["step_id"] == "role"
    result = await answer(hass, form, {"role": "solar", "inverted": True})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    meter = list(entry.subentries.values())[-1]
    assert (meter.title, meter.data["role"], meter.data["inverted"]) == (
        "Solar meter",
        "solar",
        True,
    )
    menu = await choose(hass, await add_unit(hass, entry, "meter"), "direct")
    form = await searched(hass, menu)
    assert offered(form) == ["11"]


async def test_dialog_sends_a_device_of_the_other_kind_to_the_other_dialog(
    hass: HomeAssistant, entry: MockConfigEntry, house: SimulatedPlant
) -> None:
    """Each dialog sends to the other one, whether the machine was named or found; what fits comes first."""
    house.machines[15] = house.machine(1)
    form = await searched(hass, await add_unit(hass, entry, "inverter"))
    assert offered(form) == ["15", "11", "12"]
    menu = await choose(hass, await add_unit(hass, entry, "meter"), "direct")
    assert offered(await searched(hass, menu)) == ["11", "12", "15"]
    form = await answer(hass, form, {"unit_id": "11"})
    assert form["errors"] == {"base": "wrong_kind"}
    assert form["description_placeholders"] == {"unit_id": "11", "model": "DTSU666"}
    house.machines[2] = house.machine(1)
    form = await choose(hass, await add_unit(hass, entry, "meter"), "direct", "unit_id")
    form = await answer(hass, form, {"unit_id": 2})
    assert form["errors"] == {"unit_id": "wrong_kind"}
    form = await answer(hass, form, {"unit_id": 1})
    assert form["errors"] == {"unit_id": "unit_id_taken"}
    house.machines[13] = PicturedMachine("chint_sungrow_dtsu666")  # type: ignore[assignment]
    form = await answer(hass, form, {"unit_id": 13})
    assert form["errors"] == {"unit_id": "wrong_device"}
    assert form["description_placeholders"] == {
        "unit_id": "13",
        "found": "a Sungrow DTSU666 meter",
    }
    form = await answer(hass, form, {"unit_id": 14})
    assert form["errors"] == {"unit_id": "no_answer"}
    form = await answer(hass, form, {"unit_id": 12})
    assert form["step_id"] == "role"
    with pytest.raises(InvalidData):
        await answer(hass, form, {"role": "battery", "inverted": False})
    assert (await answer(hass, form, GRID))["type"] is FlowResultType.CREATE_ENTRY


async def test_meters_are_named_by_role_and_numbered(
    hass: HomeAssistant, entry: MockConfigEntry, house: SimulatedPlant
) -> None:
    """By what they measure, and with a number where there are several."""
    house.machines[13] = house.machines[12]
    for unit_id, role, name in (
        (11, "grid", "Grid meter"),
        (12, "load", "Load meter"),
        (13, "load", "Load meter 2"),
    ):
        added = await add(hass, entry, unit_id, role=role)
        assert entry.subentries[added].title == name


# ---------------------------------------------------------------------- reconfiguring


async def change(
    hass: HomeAssistant, entry: MockConfigEntry, subentry_id: str, **settings: Any
) -> dict[str, Any]:
    """Open the dialog that changes a meter, and send it with these settings."""
    form = dict(await entry.start_subentry_reconfigure_flow(hass, subentry_id))
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "reconfigure")
    shown = {str(key): key.description["suggested_value"] for key in form["data_schema"].schema}
    return await answer(hass, form, {**shown, **settings})


async def test_name_follows_the_role_unless_a_person_gave_it(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The name follows unless it is a person's; the machine stays the same."""
    meter = await add(hass, entry, 11)
    serial = f"{entry.entry_id}_11"
    result = await change(hass, entry, meter, role="solar", inverted=True)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    assert entry.subentries[meter].title == "Solar meter"
    assert entry.subentries[meter].data == {
        "unit_id": 11,
        "identity": {**DTSU666, "serial": serial},
        "role": "solar",
        "inverted": True,
    }
    unit = entry.runtime_data.units[meter]
    assert (unit.name, unit.role, unit.inverted) == ("Solar meter", "solar", True)
    hass.config_entries.async_update_subentry(entry, entry.subentries[meter], title="Roof")
    await hass.async_block_till_done(wait_background_tasks=True)
    await change(hass, entry, meter, role="load")
    assert entry.subentries[meter].title == "Roof"
    assert entry.runtime_data.units[meter].role == "load"


async def test_numbered_name_stays_while_the_role_stays(
    hass: HomeAssistant, entry: MockConfigEntry, house: SimulatedPlant
) -> None:
    """It stays while it says the same, and gives way to another one that is free."""
    house.machines[13] = house.machines[12]
    first = await add(hass, entry, 12, role="load")
    second = await add(hass, entry, 13, role="load")
    await change(hass, entry, second, inverted=True)
    assert entry.subentries[second].title == "Load meter 2"
    await change(hass, entry, first, role="grid")
    await change(hass, entry, second, role="grid")
    assert [entry.subentries[meter].title for meter in (first, second)] == [
        "Grid meter",
        "Grid meter 2",
    ]


async def test_meter_with_a_changed_unit_id_keeps_its_identity(
    hass: HomeAssistant, entry: MockConfigEntry, house: SimulatedPlant
) -> None:
    """It keeps the serial number that it was given, which another meter cannot get any more."""
    meter = await add(hass, entry, 11)
    serial = f"{entry.entry_id}_11"
    house.machines[21] = house.machines.pop(11)
    result = await change(hass, entry, meter, unit_id=12)
    assert result["errors"] == {"unit_id": "another_machine"}
    assert result["description_placeholders"] == {
        "unit_id": "12",
        "model": "DDSU666",
        "name": "Grid meter",
    }
    result = await answer(hass, result, {"unit_id": 21, **GRID})
    assert result["reason"] == "reconfigure_successful"
    assert entry.subentries[meter].data["unit_id"] == 21
    assert entry.subentries[meter].unique_id == serial
    assert entry.runtime_data.units[meter].identity.serial == serial
    assert state(hass, Platform.BINARY_SENSOR, "connectivity", serial).state == "on"
    house.machines[11] = house.machines[21]
    other = await add(hass, entry, 11, role="load")
    assert entry.subentries[other].unique_id == f"{entry.entry_id}_11_2"


async def test_role_without_the_meter(
    hass: HomeAssistant, entry: MockConfigEntry, house: SimulatedPlant
) -> None:
    """What a person knows can be changed while nobody answers, and while the entry is not running."""
    meter = await add(hass, entry, 11)
    del house.machines[11]
    assert await hass.config_entries.async_unload(entry.entry_id)
    result = await change(hass, entry, meter, unit_id=12)
    assert result["errors"] == {"unit_id": "not_running"}
    result = await answer(hass, result, {"unit_id": 11, "role": "load", "inverted": False})
    assert result["reason"] == "reconfigure_successful"
    assert entry.subentries[meter].data["role"] == "load"


async def test_removed_meter_leaves_inverter_and_other_meter_running(
    hass: HomeAssistant, entry: MockConfigEntry, house: SimulatedPlant
) -> None:
    """The inverter and the other meter run on."""
    first, second = await add(hass, entry, 11), await add(hass, entry, 12, role="solar")
    assert hass.config_entries.async_remove_subentry(entry, first)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert status(entry) is ConfigEntryState.LOADED
    assert first not in entry.runtime_data.units
    assert second in entry.runtime_data.units
    assert not [
        known
        for known in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        if known.config_subentry_id == first
    ]
    serial = f"{entry.entry_id}_12"
    assert state(hass, Platform.BINARY_SENSOR, "connectivity", serial).state == "on"
    assert state(hass, Platform.BINARY_SENSOR, "problem").state == "off"


async def test_two_dialogs_do_not_add_the_same_meter_twice(
    hass: HomeAssistant, entry: MockConfigEntry, house: SimulatedPlant
) -> None:
    """The second one says whose the unit id is by now."""
    forms = []
    for _ in range(2):
        form = await choose(hass, await add_unit(hass, entry, "meter"), "direct", "unit_id")
        forms.append(await answer(hass, form, {"unit_id": 11}))
    first, second = [
        await answer(hass, form, {"role": "grid", "inverted": False}) for form in forms
    ]
    await hass.async_block_till_done(wait_background_tasks=True)
    assert first["type"] == "create_entry"
    assert (second["step_id"], second["errors"]) == ("unit_id", {"unit_id": "unit_id_taken"})
    ids = [unit.data["unit_id"] for unit in entry.subentries.values()]
    assert ids == [1, 11]
