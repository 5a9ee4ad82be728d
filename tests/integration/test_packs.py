"""The packs of a battery, on a machine that tells of them, one that refuses to and one that keeps silent."""

from collections.abc import AsyncIterator
import logging
from typing import Any, Final

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.transport.link import Link
from simulator import SimulatedPlant
from simulator.trouble import Trouble

from .helpers import entity, find, network_data, past_maker, refresh, state

VALUES: Final = (
    "serial",
    "voltage",
    "current",
    "temperature",
    "cell_temperature_max",
    "cell_temperature_min",
    "soc",
    "soh",
    "total_capacity",
    "cell_voltage_max",
    "cell_voltage_min",
    "cycles",
)
# Two packs with a value of each kind, and the two that are told of all packs.
KEYS: Final = {
    "pack_count",
    "pack_device_type",
    *(f"pack_{number}_{value}" for number in (1, 2) for value in VALUES),
}


SERVED, REFUSED, SILENT = "served", "refused", "silent"


@pytest.fixture(params=[SERVED, REFUSED, SILENT])
async def machine(
    request: pytest.FixtureRequest, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SimulatedPlant]:
    """Return a machine that answers in one way where the packs are; nobody waits long for one that is silent."""
    monkeypatch.setattr("custom_components.hybrid_inverter.modbus.find.probe.PROBE_TIMEOUT", 0.3)
    async with SimulatedPlant(packs=request.param == SERVED) as plant:
        if request.param == SILENT:
            plant.machines[1].trouble = Trouble(silent_blocks=((10000, 10335),))
        plant.advance(60)
        yield plant


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[range]:
    """Return the registers at which packs are, as they are asked for from now on."""
    asked: list[range] = []
    read = Link.read_holding_registers

    async def note(link: Link, unit: int, address: int, count: int, **options: Any) -> list[int]:
        if address + count > 10000:
            asked.append(range(address, address + count))
        return await read(link, unit, address, count, **options)

    monkeypatch.setattr(Link, "read_holding_registers", note)
    return asked


async def add(hass: HomeAssistant, plant: SimulatedPlant) -> MockConfigEntry:
    """Add the machine through the dialog, and return the entry."""
    flow: Any = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    for answers in (
        {"next_step_id": "network"},
        {"host": "127.0.0.1", "port": plant.tcp_port, "framing": "tcp"},
    ):
        flow = await hass.config_entries.flow.async_configure(flow["flow_id"], answers)
    flow = await past_maker(hass.config_entries.flow, flow)
    await hass.async_block_till_done(wait_background_tasks=True)
    entry: MockConfigEntry = flow["result"]
    assert entry.data == network_data(plant.tcp_port)
    assert entry.state is ConfigEntryState.LOADED
    return entry


def features(entry: MockConfigEntry) -> list[str]:
    """Return what is kept of what only some machines have."""
    (subentry,) = entry.subentries.values()
    kept: list[str] = subentry.data["identity"]["features"]
    return kept


def pack_keys(hass: HomeAssistant, entry: MockConfigEntry) -> set[str]:
    """Return the keys of the entities of packs."""
    known = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    keys = {item.unique_id.removeprefix("JSO0000001_") for item in known}
    return {key for key in keys if key.startswith("pack_")}


async def poll_all(hass: HomeAssistant, entry: MockConfigEntry, asked: list[range]) -> None:
    """Poll every group twice: nothing asks for packs but the daily look at what the machine has, for their number."""
    asked.clear()
    for group in (Group.POWER, Group.FAULTS, Group.ENERGY, Group.SETTINGS) * 2:
        await refresh(hass, entry, group)
    assert asked == []
    await refresh(hass, entry, Group.IDENTITY)
    assert set(asked) <= {range(10002, 10003)}


@pytest.mark.parametrize("machine", [SERVED], indirect=True)
async def test_packs_that_are_served(
    hass: HomeAssistant, machine: SimulatedPlant, asked: list[range]
) -> None:
    """They are found once, and are there for a person to switch on."""
    entry = await add(hass, machine)
    assert features(entry) == ["pack_1", "pack_2", "packs"]
    assert pack_keys(hass, entry) == KEYS
    registry = er.async_get(hass)
    known = {key: registry.async_get(entity(hass, Platform.SENSOR, key)) for key in KEYS}
    assert {
        (item.disabled, item.entity_category) for item in known.values() if item is not None
    } == {(True, "diagnostic")}
    # As long as nobody looks at them, they are not read.
    await poll_all(hass, entry, asked)

    for key in KEYS:
        registry.async_update_entity(entity(hass, Platform.SENSOR, key), disabled_by=None)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    # A battery of 60 %, in two packs that bear half of its current each.
    percent = float(state(hass, Platform.SENSOR, "battery_soc").state)
    volts = float(state(hass, Platform.SENSOR, "battery_voltage").state)
    amperes = float(state(hass, Platform.SENSOR, "battery_current").state)
    for pack, serial, health, cycles in (
        ("pack_1", "PACK000000000001", "98.0", "214"),
        ("pack_2", "PACK000000000002", "97.0", "213"),
    ):
        shown = {value: state(hass, Platform.SENSOR, f"{pack}_{value}").state for value in VALUES}
        assert (shown["serial"], shown["soh"], shown["cycles"]) == (serial, health, cycles)
        assert shown["total_capacity"] == "140.0"
        assert float(shown["soc"]) == pytest.approx(percent, abs=0.5)
        assert float(shown["voltage"]) == pytest.approx(volts, abs=0.011)
        assert float(shown["current"]) == pytest.approx(amperes / 2, abs=0.06)
        assert 20 < float(shown["cell_temperature_min"]) < float(shown["cell_temperature_max"]) < 40
        assert 3 < float(shown["cell_voltage_min"]) < float(shown["cell_voltage_max"]) < 3.6
    assert state(hass, Platform.SENSOR, "pack_count").state == "2"
    assert state(hass, Platform.SENSOR, "pack_2_soc").attributes["friendly_name"] == (
        "JSO8048104 battery Pack 2 SOC"
    )
    # No read reaches from one pack into another, or into registers of anything else.
    assert all(
        any(set(addresses) <= set(area) for area in (range(10000, 10003), range(10032, 10070)))
        or set(addresses) <= set(range(10070, 10108))
        for addresses in asked
    )
    assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("machine", [REFUSED, SILENT], indirect=True)
async def test_inverter_without_packs_is_set_up_without_a_log_entry(
    hass: HomeAssistant,
    machine: SimulatedPlant,
    asked: list[range],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is set up as any other, says nothing in the log, and is not asked again."""
    # As it is where nobody is debugging.
    caplog.set_level(logging.WARNING, "pymodbus.logging")
    entry = await add(hass, machine)
    # It was looked for.
    assert set(asked) == {range(10002, 10003)}
    assert features(entry) == []
    assert pack_keys(hass, entry) == set()
    assert find(hass, Platform.SENSOR, "battery_soc") is not None
    await poll_all(hass, entry, asked)
    assert state(hass, Platform.SENSOR, "battery_soc").state == "60"
    assert [
        item.getMessage()
        for item in caplog.records
        if item.levelno >= logging.WARNING
        and any(name in item.name for name in (DOMAIN, "pymodbus"))
    ] == []
    assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("machine", [SILENT], indirect=True)
async def test_a_silent_machine_on_a_transparent_gateway(
    hass: HomeAssistant, machine: SimulatedPlant
) -> None:
    """There an answer does not say what it answers: what never comes keeps nothing else from being read."""
    flow = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    flow = await hass.config_entries.flow.async_configure(
        flow["flow_id"], {"next_step_id": "network"}
    )
    result = await hass.config_entries.flow.async_configure(
        flow["flow_id"], {"host": "127.0.0.1", "port": machine.rtu_port, "framing": "rtu"}
    )
    result = await past_maker(hass.config_entries.flow, result)
    await hass.async_block_till_done()
    assert result["result"].state is ConfigEntryState.LOADED
    assert state(hass, Platform.SENSOR, "battery_soc").state == "60"
