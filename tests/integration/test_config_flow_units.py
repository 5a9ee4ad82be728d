"""Moving an entry with several machines: they keep their unit ids, and none may be taken for another."""

from collections.abc import AsyncIterator
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import SimulatedPlant

from .helpers import IDENTITY, link_entry, network_data, state, status, stick_data

BOTH: Final = {1: "JSO0000001", 2: "JSO0000002"}


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait no longer for a machine that is not there."""
    probe = "custom_components.hybrid_inverter.modbus.probe"
    monkeypatch.setattr(f"{probe}.PROBE_TIMEOUT", 0.2)
    monkeypatch.setattr(f"{probe}.SCAN_TIMEOUT", 0.05)


@pytest.fixture
async def line(socket_enabled: None) -> AsyncIterator[SimulatedPlant]:
    """Return two JSO8048104 with the unit ids 1 and 2, on a line that can be reached in more than one way."""
    async with SimulatedPlant(units=(1, 2), serial=True, stick=True) as plant:
        plant.advance(60)
        yield plant


@pytest.fixture
async def entry(hass: HomeAssistant, line: SimulatedPlant) -> MockConfigEntry:
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
    result = dict(await entry.start_reconfigure_flow(hass))
    for user_input in ({"next_step_id": link_type}, *inputs):
        result = dict(await flow.async_configure(result["flow_id"], user_input))
        await hass.async_block_till_done(wait_background_tasks=True)
    return result


def fields(result: dict[str, Any]) -> set[str]:
    """Return what a form asks for."""
    return {str(key) for key in result["data_schema"].schema}


async def test_moved(hass: HomeAssistant, entry: MockConfigEntry, line: SimulatedPlant) -> None:
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
    assert state(hass, Platform.SENSOR, "battery_soc").state == "60"
    assert state(hass, Platform.SENSOR, "battery_soc", "JSO0000002").state == "60"


@pytest.mark.parametrize(("there", "serial"), BOTH.items())
async def test_one_is_asleep(
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


async def test_through_a_stick(
    hass: HomeAssistant, entry: MockConfigEntry, line: SimulatedPlant
) -> None:
    """It is asked in its own language for both of them."""
    user_input = {"host": "127.0.0.1", "port": line.stick_port, "logger_serial": 1700000001}
    form = await move(hass, entry, "stick")
    assert fields(form) == {"host", "port", "logger_serial"}
    result = await move(hass, entry, "stick", user_input)
    assert result["reason"] == "reconfigure_successful"
    assert entry.data == stick_data("127.0.0.1", line.stick_port)


async def test_none_is_there(
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
