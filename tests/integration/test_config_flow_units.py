"""An entry that begins with a meter, and moving one with several machines, none of which may be taken for another."""

from collections.abc import AsyncIterator
from typing import Any, Final

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntryState,
    ConfigFlowContext,
)
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import DOMAIN
from simulator import SimulatedPlant

from .helpers import DTSU666, IDENTITY, link_entry, network_data, state, status, stick_data

BOTH: Final = {1: "JSO0000001", 2: "JSO0000002"}


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait no longer for a machine that is not there."""
    probe = "custom_components.hybrid_inverter.modbus.find.probe"
    monkeypatch.setattr(f"{probe}.PROBE_TIMEOUT", 0.2)
    monkeypatch.setattr(f"{probe}.SCAN_TIMEOUT", 0.05)


@pytest.fixture
async def line(socket_enabled: None) -> AsyncIterator[SimulatedPlant]:
    """Return two JSO8048104 with the unit ids 1 and 2, on a line that can be reached in more than one way."""
    async with SimulatedPlant(units=(1, 2), serial=True, stick=True) as plant:
        plant.advance(60)
        yield plant


@pytest.fixture
async def entry(hass: HomeAssistant, line: SimulatedPlant, few_entities: None) -> MockConfigEntry:
    """Return an entry with both, set up."""
    entry = link_entry(network_data(line.tcp_port), BOTH)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


async def move(
    hass: HomeAssistant, entry: MockConfigEntry, link_type: str, *inputs: dict[str, Any]
) -> dict[str, Any]:
    """Open the dialog that moves an entry, and send one form after another; return what is shown then."""
    flow = hass.config_entries.flow
    context: ConfigFlowContext = {"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    result = dict(await flow.async_init(DOMAIN, context=context))
    for user_input in ({"next_step_id": link_type}, *inputs):
        result = dict(await flow.async_configure(result["flow_id"], user_input))
        await hass.async_block_till_done(wait_background_tasks=True)
    return result


def fields(result: dict[str, Any]) -> set[str]:
    """Return what a form asks for."""
    return {str(key) for key in result["data_schema"].schema}


async def test_entry_moves_to_another_kind_of_link_without_asking_for_unit_ids(
    hass: HomeAssistant, entry: MockConfigEntry, line: SimulatedPlant
) -> None:
    """To another kind of link; the form asks for no unit id, and all stay what they were."""
    before = {key: dict(unit.data) for key, unit in entry.subentries.items()}
    form = await move(hass, entry, "serial")
    assert fields(form) == {"device", "baudrate", "parity", "stopbits"}
    result = await move(hass, entry, "serial", {"device": line.serial_device})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    assert entry.data["type"] == "serial"
    assert entry.title == f"JSO8048104 ({line.serial_device})"
    assert {key: dict(unit.data) for key, unit in entry.subentries.items()} == before
    assert status(entry) is ConfigEntryState.LOADED
    assert state(hass, Platform.BINARY_SENSOR, "problem").state == "off"
    assert state(hass, Platform.BINARY_SENSOR, "problem", "JSO0000002").state == "off"


@pytest.mark.parametrize(("there", "serial"), BOTH.items())
async def test_one_answering_unit_is_enough_to_move_an_entry(
    hass: HomeAssistant, entry: MockConfigEntry, there: int, serial: str
) -> None:
    """It is enough that one of them answers."""
    form = await move(hass, entry, "network")
    assert fields(form) == {"host", "port", "framing"}
    async with SimulatedPlant(units=(there,), serial_number=serial) as other:
        result = await move(hass, entry, "network", {"host": "127.0.0.1", "port": other.tcp_port})
        assert result["reason"] == "reconfigure_successful"
        assert entry.data == network_data(other.tcp_port)
        assert [unit.data["unit_id"] for unit in entry.subentries.values()] == [1, 2]
        assert status(entry) is ConfigEntryState.LOADED
        await hass.config_entries.async_unload(entry.entry_id)


async def test_units_are_found_again_through_a_stick(
    hass: HomeAssistant, entry: MockConfigEntry, line: SimulatedPlant
) -> None:
    """It is asked in its own language for both of them."""
    user_input = {"host": "127.0.0.1", "port": line.stick_port, "logger_serial": 1700000001}
    form = await move(hass, entry, "stick")
    assert fields(form) == {"host", "port", "logger_serial"}
    result = await move(hass, entry, "stick", user_input)
    assert result["reason"] == "reconfigure_successful"
    assert entry.data == stick_data("127.0.0.1", line.stick_port)


async def test_entry_keeps_running_when_none_of_its_units_is_at_the_new_address(
    hass: HomeAssistant, entry: MockConfigEntry, line: SimulatedPlant
) -> None:
    """Then nobody, or somebody with another unit id: each has its message, and the entry runs on as it was."""
    before = dict(entry.data)
    async with SimulatedPlant(units=(40,)) as other:
        there = {"host": "127.0.0.1", "port": other.tcp_port}
        result = await move(hass, entry, "network", there)
        assert result["errors"] == {"base": "no_answer"}
        assert result["description_placeholders"] == {"found": "", "unit_id": "1, 2"}
        assert fields(result) == {"host", "port", "framing"}
        other.machines[5] = other.machines.pop(40)
        result = await move(hass, entry, "network", there)
        assert result["errors"] == {"base": "wrong_units"}
        assert result["description_placeholders"] == {"found": "5", "unit_id": "1, 2"}
    assert entry.data == before
    assert status(entry) is ConfigEntryState.LOADED
    result = dict(
        await hass.config_entries.flow.async_configure(
            result["flow_id"], {"host": "127.0.0.1", "port": line.rtu_port, "framing": "rtu"}
        )
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert result["reason"] == "reconfigure_successful"


@pytest.mark.parametrize("numbers", ["JSO0000002", "JSO0000098"])
async def test_another_machine_in_its_place(
    hass: HomeAssistant, entry: MockConfigEntry, numbers: str
) -> None:
    """Not even one of its own in the place of another: values would go into the wrong history."""
    before = dict(entry.data)
    async with SimulatedPlant(units=(1,), serial_number=numbers) as other:
        result = await move(hass, entry, "network", {"host": "127.0.0.1", "port": other.tcp_port})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "another_machine")
    assert result["description_placeholders"] == {"model": "JSO8048104", "found": "JSO8048104"}
    assert entry.data == before
    assert status(entry) is ConfigEntryState.LOADED


async def test_a_stranger_in_its_place(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The second of them is a machine that no table is made for."""
    async with SimulatedPlant(units=(1, 2)) as other:
        other.machine(2).panel_change(0, 3)
        result = await move(hass, entry, "network", {"host": "127.0.0.1", "port": other.tcp_port})
    assert result["errors"] == {"base": "wrong_device"}
    assert result["description_placeholders"]["found"] == "a single-phase hybrid inverter"
    assert status(entry) is ConfigEntryState.LOADED
    assert [dict(unit.data["identity"]) for unit in entry.subentries.values()] == [
        IDENTITY,
        {**IDENTITY, "serial": "JSO0000002"},
    ]


# ---------------------------------------------------------------------- a meter as the first machine


async def begin(hass: HomeAssistant, port: int, unit_id: int) -> dict[str, Any]:
    """Open the dialog that adds an entry, and send the form of a network link."""
    flow = hass.config_entries.flow
    result = dict(await flow.async_init(DOMAIN, context={"source": SOURCE_USER}))
    for user_input in (
        {"next_step_id": "network"},
        {"host": "127.0.0.1", "port": port, "advanced": {"unit_id": unit_id}},
    ):
        result = dict(await flow.async_configure(result["flow_id"], user_input))
    return result


async def go_on(
    hass: HomeAssistant, result: dict[str, Any], user_input: dict[str, Any]
) -> dict[str, Any]:
    """Send a form of that dialog, or choose from its menu."""
    result = dict(await hass.config_entries.flow.async_configure(result["flow_id"], user_input))
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


async def test_meter_as_first_unit_is_asked_for_wiring_and_role(
    hass: HomeAssistant, house: SimulatedPlant
) -> None:
    """How it is wired and what it measures is asked; it is given a serial number that stays."""
    menu = await begin(hass, house.tcp_port, 11)
    assert (menu["type"], menu["step_id"]) == (FlowResultType.MENU, "wiring")
    assert menu["menu_options"] == ["direct", "behind_inverter", "listen_only"]
    assert menu["description_placeholders"] == {"model": "DTSU666"}
    form = await go_on(hass, menu, {"next_step_id": "direct"})
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "direct")
    assert fields(form) == {"role", "inverted"}
    result = await go_on(hass, form, {"role": "solar", "inverted": True})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == f"DTSU666 (127.0.0.1:{house.tcp_port})"
    assert result["description"] == "meter"
    entry = result["result"]
    assert entry.data == network_data(house.tcp_port)
    assert status(entry) is ConfigEntryState.LOADED
    (meter,) = entry.subentries.values()
    serial = f"{entry.entry_id}_11"
    assert (meter.subentry_type, meter.title, meter.unique_id) == ("meter", "Solar meter", serial)
    assert meter.data == {
        "unit_id": 11,
        "identity": {**DTSU666, "serial": serial},
        "role": "solar",
        "inverted": True,
    }
    assert state(hass, Platform.SENSOR, "power", serial).state == "-1234.5"
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert [unit.unique_id for unit in entry.subentries.values()] == [serial]


@pytest.mark.parametrize(
    ("way", "reason"), [("behind_inverter", "read_by_other"), ("listen_only", "listen_only")]
)
async def test_a_meter_that_must_not_be_asked(
    hass: HomeAssistant, house: SimulatedPlant, way: str, reason: str
) -> None:
    """Then nothing is kept."""
    result = await go_on(hass, await begin(hass, house.tcp_port, 12), {"next_step_id": way})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, reason)
    assert hass.config_entries.async_entries(DOMAIN) == []


async def test_second_device_of_a_line_joins_its_entry(
    hass: HomeAssistant, house: SimulatedPlant
) -> None:
    """Another machine of the line is added to the entry that is there."""
    entry = link_entry(network_data(house.tcp_port))
    entry.add_to_hass(hass)
    result = await begin(hass, house.tcp_port, 11)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")


async def test_a_meter_that_is_moved(hass: HomeAssistant, house: SimulatedPlant) -> None:
    """Another kind of meter is refused; the same one keeps its serial number, its role and its direction."""
    menu = await begin(hass, house.tcp_port, 11)
    form = await go_on(hass, menu, {"next_step_id": "direct"})
    entry = (await go_on(hass, form, {"role": "load", "inverted": True}))["result"]
    (meter,) = entry.subentries.values()
    before = dict(meter.data)
    there = {"host": "127.0.0.1", "port": house.rtu_port, "framing": "rtu"}
    result = await move(hass, entry, "network", {**there, "advanced": {"unit_id": 12}})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "another_machine")
    assert result["description_placeholders"] == {"model": "DTSU666", "found": "DDSU666"}
    result = await move(hass, entry, "network", {**there, "advanced": {"unit_id": 11}})
    assert result["reason"] == "reconfigure_successful"
    assert entry.data == network_data(house.rtu_port, "rtu")
    assert [dict(unit.data) for unit in entry.subentries.values()] == [before]
    assert status(entry) is ConfigEntryState.LOADED
