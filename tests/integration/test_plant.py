"""A plant of simulated machines in entries of their own: what it adds up, and what it says while one of them is away."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
import json
from typing import Any, Final
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
    get_diagnostics_for_device,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.entry.data import unit_data
from custom_components.hybrid_inverter.modbus.find.probe import probe
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.transport.link import Framing, TcpEndpoint
from custom_components.hybrid_inverter.runtime.lookup import unit_of_device
from simulator import SimulatedPlant

from .helpers import SERIAL, network_data, network_entry, refresh, status, unit_of

SAJ_SERIAL: Final = "SAJSIM000000000001"
TWIN_SERIAL: Final = "JSO0000002"

# What the registers of the simulated JSO say after a minute: 4247 W and 1994 W of sun (672, 673), -5808 W of its battery
# (590), 420 W out of it (636), nothing at its clamps (625). There are two that are alike, each in a house of its own, and
# the first sees the grid.
POWERS: Final = {
    "pv_power": "12482",
    "battery_power": "-11616",
    "grid_power": "0",
    "load_power": "840",  # 0 + 420 + 420
    "battery_soc": "60.0",
    "battery_energy_stored": "24.0",  # 60 % of 30 and 10 kWh
    "balance_error": "26",  # 12482 - 11616 + 0 - 840
}
ENERGIES: Final = {
    "pv_energy_total": "42974.8",  # twice 21487.4
    "battery_charge_energy_total": "16429.8",  # twice 8214.9
    "battery_discharge_energy_total": "15310.4",  # twice 7655.2
    "grid_import_energy_total": "9120.4",
    "grid_export_energy_total": "7031.6",
    # It begins with nothing.
    "load_energy_total": "0.0",
}
TODAY: Final = {key.replace("_total", "_today"): "0.0" for key in ENERGIES}
SHARES: Final = {"autarky_today": STATE_UNKNOWN, "self_consumption_today": STATE_UNKNOWN}
EVERYTHING: Final = {**POWERS, **ENERGIES, **TODAY, **SHARES}


# Sensors of a plant that show nothing that its members measure.
NOT_MEASURED: Final = ("_battery_capacity_energy", "_control_until")


def plant_entry(
    members: dict[str, str],
    capacities: dict[str, float],
    grid_inverter: str | None = None,
    title: str = "Home",
) -> MockConfigEntry:
    """Return an entry for a plant of these machines, named by serial number."""
    data = {"type": "plant", "members": members, "capacities": capacities}
    if grid_inverter is not None:
        data["grid_inverter"] = grid_inverter
    return MockConfigEntry(domain=DOMAIN, title=title, data=data)


async def machine_entry(
    port: int, unit_id: int = 1, title: str = "H2-6K-S2", **extra: Any
) -> MockConfigEntry:
    """Return an entry for the machine on a port of this computer, as the config flow keeps it."""
    endpoint = TcpEndpoint(host="127.0.0.1", port=port, framing=Framing.TCP)
    identity = await probe(endpoint, unit_id)
    return MockConfigEntry(
        domain=DOMAIN,
        title=f"{title} (127.0.0.1:{port})",
        data=network_data(port),
        subentries_data=[
            {
                "data": {**unit_data(unit_id, identity), **extra},
                "subentry_type": "inverter",
                "title": title,
                "unique_id": identity.serial,
            }
        ],
    )


async def set_up(hass: HomeAssistant, *entries: MockConfigEntry) -> None:
    """Set up entries one after the other."""
    for entry in entries:
        if hass.config_entries.async_get_entry(entry.entry_id) is None:
            entry.add_to_hass(hass)
        if entry.state is ConfigEntryState.NOT_LOADED:
            assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await compute(hass)


def count(simulated: SimulatedPlant, **watt_hours: float) -> None:
    """Let a machine have counted so much more."""
    physics = simulated.machine().inverter
    for meter, more in watt_hours.items():
        physics.total[meter] += more
    # Registers show what is new when its clock moves.
    physics.clock_offset += timedelta(seconds=1)


async def compute(hass: HomeAssistant) -> None:
    """Let the moment pass in which polls are taken together."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=1.1))
    await hass.async_block_till_done()


async def poll(hass: HomeAssistant, *entries: MockConfigEntry) -> None:
    """Poll the powers and the counters of all machines, and compute."""
    for entry in entries:
        for group in (Group.POWER, Group.ENERGY):
            await refresh(hass, entry, group)
    await compute(hass)


def shown(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """Return the states of a plant's values by key: what its members measure, without what is ordered of them."""
    registry = er.async_get(hass)
    found = {}
    for known in er.async_entries_for_config_entry(registry, entry.entry_id):
        if known.domain != Platform.SENSOR or known.unique_id.endswith(NOT_MEASURED):
            continue
        if (state := hass.states.get(known.entity_id)) is not None:
            found[known.unique_id.removeprefix(f"{entry.entry_id}_")] = state.state
    return found


@pytest.fixture
async def second(socket_enabled: None) -> AsyncIterator[SimulatedPlant]:
    """Return another JSO, with the same sun."""
    async with SimulatedPlant(serial_number=TWIN_SERIAL) as simulated:
        simulated.advance(60)
        yield simulated


@pytest.fixture
def twin(hass: HomeAssistant, second: SimulatedPlant) -> MockConfigEntry:
    """Return an entry for the other JSO that is not set up yet."""
    twin = network_entry(second.tcp_port, serial=TWIN_SERIAL)
    twin.add_to_hass(hass)
    return twin


@pytest.fixture
def home(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    twin: MockConfigEntry,
    entity_registry: er.EntityRegistry,
) -> MockConfigEntry:
    """Return a plant of both that is not set up yet, with everything switched on."""
    home = plant_entry({SERIAL: "East", TWIN_SERIAL: "West"}, {SERIAL: 30, TWIN_SERIAL: 10}, SERIAL)
    home.add_to_hass(hass)
    entity_registry.async_get_or_create(
        Platform.SENSOR,
        DOMAIN,
        f"{home.entry_id}_balance_error",
        config_entry=home,
        disabled_by=None,
    )
    return home


@pytest.fixture
async def running(
    hass: HomeAssistant, entry: MockConfigEntry, twin: MockConfigEntry, home: MockConfigEntry
) -> MockConfigEntry:
    """Return the plant of both, set up after them."""
    await set_up(hass, entry, twin, home)
    return home


# ---------------------------------------------------------------------- what it adds up


async def test_two_inverters_provide_everything_together_as_one_device(
    hass: HomeAssistant, running: MockConfigEntry
) -> None:
    """Everything that two inverters can provide together, of one device that is nothing that one could touch."""
    assert shown(hass, running) == EVERYTHING
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), running.entry_id)
    assert device.entry_type is dr.DeviceEntryType.SERVICE
    assert device.identifiers == {(DOMAIN, running.entry_id)}
    assert device.name == "Home"
    power = hass.states.get("sensor.home_pv_power")
    assert power is not None
    assert dict(power.attributes) == {
        "state_class": "measurement",
        "unit_of_measurement": "W",
        "device_class": "power",
        "friendly_name": "Home PV power",
    }
    for period in ("total", "today"):
        energy = hass.states.get(f"sensor.home_grid_imported_{period}")
        assert energy is not None
        assert energy.attributes["state_class"] == "total_increasing"
        assert energy.attributes["device_class"] == "energy"
        assert energy.attributes["unit_of_measurement"] == "kWh"


async def test_values_of_two_brands_add_up(
    hass: HomeAssistant, entry: MockConfigEntry, saj: SimulatedPlant
) -> None:
    """The SAJ has 2832 W and 1330 W of sun, -3727 W of its battery at 60.59 %, and gives 421 W."""
    other = await machine_entry(saj.tcp_port)
    home = plant_entry({SERIAL: "JSO", SAJ_SERIAL: "H2"}, {SERIAL: 30, SAJ_SERIAL: 10}, SERIAL)
    await set_up(hass, entry, other, home)
    assert shown(hass, home) == TODAY | SHARES | {
        "pv_power": "10403",  # 6241 + 4162
        "battery_power": "-9535",  # -5808 - 3727
        "grid_power": "0",
        "load_power": "841",  # 0 + 420 + 421
        "battery_soc": "60.1475",  # (30 * 60 + 10 * 60.59) / 40
        "battery_energy_stored": "24.1",  # 24.059 of 40
        "pv_energy_total": "42974.76",  # 21487.4 + 21487.36
        "battery_charge_energy_total": "16429.86",  # 8214.9 + 8214.96
        "battery_discharge_energy_total": "15310.4",  # twice 7655.2
        "grid_import_energy_total": "9120.4",
        "grid_export_energy_total": "7031.6",
        "load_energy_total": "0.0",
    }
    # It is there for finding out what is wrong, and computed all the same: 10403 - 9535 + 0 - 841.
    assert home.runtime_data.values["balance_error"] == 27


@pytest.mark.parametrize(
    ("model", "load"),
    # As the register says that the machine itself computes, but for the T2, whose meter rounds each phase: 421.
    [("H2-10K-T2", "420"), ("AS2-6K-S", "421")],
)
async def test_one_inverter_takes_its_own_load(
    hass: HomeAssistant,
    socket_enabled: None,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    load: str,
) -> None:
    """What grid and inverter give is what the machine itself calls the load: backup outputs, and clamps, included."""
    monkeypatch.setitem(FAMILIES, "saj", replace(FAMILIES["saj"], spacing=0))
    async with SimulatedPlant(model=model) as simulated:
        simulated.advance(60)
        machine = await machine_entry(simulated.tcp_port)
        (subentry,) = machine.subentries.values()
        serial = str(subentry.unique_id)
        home = plant_entry({serial: model}, {serial: 10})
        await set_up(hass, machine, home)
        states = shown(hass, home)
        assert states["load_power"] == load
        assert states["load_energy_total"] == "22803.1"
        assert ("pv_energy_total" in states) is (model != "AS2-6K-S")


async def test_what_is_not_there_any_more_is_forgotten(
    hass: HomeAssistant, running: MockConfigEntry
) -> None:
    """Nobody sees the grid now, and nobody has a battery: the entities go, and those that rest on them."""
    data = {**running.data, "capacities": {SERIAL: 0, TWIN_SERIAL: 0}}
    del data["grid_inverter"]
    hass.config_entries.async_update_entry(running, data=data)
    assert await hass.config_entries.async_reload(running.entry_id)
    await compute(hass)
    assert shown(hass, running) == {
        "pv_power": "12482",
        "pv_energy_total": "42974.8",
        "pv_energy_today": "0.0",
    }


@pytest.mark.parametrize("content", [{}, None, {"day": "2026-06-21", "energies": {"pv": 1}}])
async def test_sums_of_another_shape_begin_anew(
    hass: HomeAssistant, running: MockConfigEntry, hass_storage: dict[str, Any], content: Any
) -> None:
    """They begin with the readings of the counters, as at first."""
    before = shown(hass, running)
    assert await hass.config_entries.async_unload(running.entry_id)
    key = f"{DOMAIN}.{running.entry_id}.plant"
    hass_storage[key] = {"version": 1, "minor_version": 1, "key": key, "data": content}
    await set_up(hass, running)
    assert running.state is ConfigEntryState.LOADED
    assert shown(hass, running) == before


# ---------------------------------------------------------------------- how it is computed


async def test_it_polls_what_nobody_else_shows(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    twin: MockConfigEntry,
    home: MockConfigEntry,
    entity_registry: er.EntityRegistry,
) -> None:
    """The members' entities may be disabled, all of them."""
    await set_up(hass, entry)
    for known in er.async_entries_for_config_entry(entity_registry, entry.entry_id):
        entity_registry.async_update_entity(
            known.entity_id, disabled_by=er.RegistryEntryDisabler.USER
        )
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await set_up(hass, twin, home)
    assert shown(hass, home) == EVERYTHING


async def test_a_burst_is_computed_once(
    hass: HomeAssistant,
    running: MockConfigEntry,
    entry: MockConfigEntry,
    twin: MockConfigEntry,
    plant: SimulatedPlant,
) -> None:
    """Four polls within a moment are one update, and only what has changed is written."""
    updates: list[None] = []
    stop = running.runtime_data.async_add_listener(lambda: updates.append(None))
    before = {state.entity_id: state.last_reported for state in hass.states.async_all("sensor")}
    count(plant, pv=200)
    for one in (entry, twin):
        for group in (Group.POWER, Group.ENERGY):
            await unit_of(one).coordinators[group].async_refresh()
    assert updates == []
    await compute(hass)
    assert len(updates) == 1
    assert {
        state.entity_id
        for state in hass.states.async_all("sensor")
        if state.entity_id.startswith("sensor.home_")
        and state.last_reported != before[state.entity_id]
    } == {
        f"sensor.home_{energy}_energy_{period}"
        for energy in ("pv", "load")
        for period in ("today", "total")
    }
    stop()


# ---------------------------------------------------------------------- members that are away

UNKNOWN: Final = dict.fromkeys(EVERYTHING, STATE_UNKNOWN)
# What rests on the one that sees the grid, and on nothing else.
GRID: Final = {
    "grid_power",
    *(
        f"grid_{way}_energy_{period}"
        for way in ("import", "export")
        for period in ("total", "today")
    ),
}


async def test_values_of_a_silent_member_are_unknown_until_it_is_back(
    hass: HomeAssistant,
    running: MockConfigEntry,
    entry: MockConfigEntry,
    twin: MockConfigEntry,
    second: SimulatedPlant,
) -> None:
    """What it is a part of is unknown, not less and not unavailable; then all is back."""
    port = second.tcp_port
    await second.tcp.stop()
    await poll(hass, twin)
    assert shown(hass, running) == UNKNOWN | {key: EVERYTHING[key] for key in GRID}
    await second.tcp.start("127.0.0.1", port)
    await poll(hass, twin)
    assert shown(hass, running) == EVERYTHING


async def test_an_entry_comes_and_goes(
    hass: HomeAssistant, running: MockConfigEntry, entry: MockConfigEntry, twin: MockConfigEntry
) -> None:
    """Unloaded it is silent; loaded, or loaded again, it is read through its new coordinators."""
    assert await hass.config_entries.async_unload(twin.entry_id)
    await compute(hass)
    assert shown(hass, running) == UNKNOWN | {key: EVERYTHING[key] for key in GRID}
    assert running.runtime_data.polls(TWIN_SERIAL) is None
    await set_up(hass, twin)
    assert shown(hass, running) == EVERYTHING
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await compute(hass)
    assert shown(hass, running) == EVERYTHING


async def test_the_plant_is_there_first(
    hass: HomeAssistant, running: MockConfigEntry, entry: MockConfigEntry, twin: MockConfigEntry
) -> None:
    """As after a start of Home Assistant: everything is there, and unknown until its members are."""
    for one in (running, entry, twin):
        assert await hass.config_entries.async_unload(one.entry_id)
    await set_up(hass, running)
    assert shown(hass, running) == UNKNOWN
    await set_up(hass, entry, twin)
    assert shown(hass, running) == EVERYTHING


async def test_an_old_reading_is_not_fresh(
    hass: HomeAssistant, running: MockConfigEntry, entry: MockConfigEntry
) -> None:
    """Powers are polled every 5 s, and 2 intervals and 10 s later they are too old."""
    now = dt_util.utcnow()
    with patch(
        "custom_components.hybrid_inverter.plant.plant.dt_util.utcnow",
        return_value=now + timedelta(seconds=30),
    ):
        unit_of(entry).coordinators[Group.ENERGY].async_update_listeners()
        await compute(hass)
    states = shown(hass, running)
    assert states["grid_power"] == STATE_UNKNOWN
    assert states["grid_import_energy_total"] == "9120.4"


async def test_removed_member_raises_a_repair_until_it_is_back(
    hass: HomeAssistant,
    running: MockConfigEntry,
    twin: MockConfigEntry,
    issue_registry: ir.IssueRegistry,
) -> None:
    """A repair tells of it, everything is unknown, and all comes back with it."""
    removed = twin.as_dict()
    await hass.config_entries.async_remove(twin.entry_id)
    await hass.async_block_till_done()
    await compute(hass)
    issue = issue_registry.async_get_issue(DOMAIN, f"plant_member_missing_{running.entry_id}")
    assert issue is not None
    assert issue.translation_placeholders == {"plant": "Home", "machines": "West"}
    assert shown(hass, running) == UNKNOWN
    # Whatever happens to the others, and to the day.
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(days=1))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert shown(hass, running) == UNKNOWN

    again = network_entry(removed["data"]["port"], serial=TWIN_SERIAL)
    await set_up(hass, again)
    assert status(running) is ConfigEntryState.LOADED
    assert shown(hass, running)["pv_energy_total"] == "42974.8"
    assert not issue_registry.issues


async def test_a_machine_that_is_no_member(
    hass: HomeAssistant, entry: MockConfigEntry, twin: MockConfigEntry
) -> None:
    """Entries of other machines, and of other integrations, come and go without a word."""
    alone = plant_entry({SERIAL: "JSO8048104"}, {SERIAL: 30})
    await set_up(hass, entry, alone)
    before = alone.runtime_data
    await set_up(hass, twin)
    await hass.config_entries.async_remove(twin.entry_id)
    await hass.async_block_till_done()
    await compute(hass)
    assert alone.runtime_data is before
    updates: list[None] = []
    before.async_add_listener(lambda: updates.append(None))
    other = MockConfigEntry(domain="sun", title="Sun")
    other.add_to_hass(hass)
    hass.config_entries.async_update_entry(other, title="Star")
    await compute(hass)
    assert updates == []
    assert shown(hass, alone)["load_power"] == "420"


# ---------------------------------------------------------------------- up and down


async def test_removed_plant_leaves_its_members_running(
    hass: HomeAssistant,
    running: MockConfigEntry,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
) -> None:
    """The members go on, and are not asked for the plant any more; its file goes with it."""
    power = unit_of(entry).coordinators[Group.POWER]
    before = len(list(power.async_contexts()))
    assert await hass.config_entries.async_unload(running.entry_id)
    await hass.async_block_till_done()
    assert set(shown(hass, running).values()) == {STATE_UNAVAILABLE}
    assert entry.state is ConfigEntryState.LOADED
    assert len(list(power.async_contexts())) == before - 1
    assert f"hybrid_inverter.{running.entry_id}.plant" in hass_storage
    await hass.config_entries.async_remove(running.entry_id)
    assert f"hybrid_inverter.{running.entry_id}.plant" not in hass_storage


async def test_an_action_for_a_plant(hass: HomeAssistant, running: MockConfigEntry) -> None:
    """It has no schedule, and says so."""
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), running.entry_id)
    with pytest.raises(ServiceValidationError) as refusal:
        unit_of_device(hass, device.id)
    assert refusal.value.translation_key == "no_such_unit"


async def test_diagnostics_of_a_plant_have_no_serial_numbers(
    hass: HomeAssistant, running: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """How it is put together and what it makes of it, without serial numbers."""
    data: Any = await get_diagnostics_for_config_entry(hass, hass_client, running)
    dump = json.dumps(data)
    assert "JSO000000" not in dump
    assert data["members"]["member_1"] == {
        "role": "inverter",
        "capacity": 30,
        "sees_grid": True,
        "polls": {
            "power": {"successful": True, "fresh_for": 20.0},
            "energy": {"successful": True, "fresh_for": 130.0},
            "settings": {"successful": True, "fresh_for": 610.0},
        },
    }
    assert data["members"]["member_2"]["sees_grid"] is False
    assert data["missing"] == 0
    assert data["values"]["load_power"] == 840
    assert data["sums"]["grid_power"] == ["+1 member_1 grid_power"]
    assert "-1 member_2 battery_charge_energy_total" in data["sums"]["load_energy_total"]
    assert "+1 member_1 generator_power while micro_inverter_input" in data["sums"]["pv_power"]
    assert data["counters"]["member_2"]["pv_energy_total"][0] == 21487.4
    assert data["rejections"] == {}
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), running.entry_id)
    assert await get_diagnostics_for_device(hass, hass_client, running, device) == data


async def test_diagnostics_of_a_plant_that_is_disabled(
    hass: HomeAssistant, running: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """How it is put together, and what is kept of its counters."""
    await hass.config_entries.async_set_disabled_by(running.entry_id, ConfigEntryDisabler.USER)
    data: Any = await get_diagnostics_for_config_entry(hass, hass_client, running)
    assert "JSO000000" not in json.dumps(data)
    assert data["entry"] == {"state": "not_loaded", "disabled_by": "user", "error": None}
    assert data["members"] == {
        "member_1": {"capacity": 30, "sees_grid": True},
        "member_2": {"capacity": 10, "sees_grid": False},
    }
    assert data["stored"]["counters"]["member_2"]["pv_energy_total"][0] == 21487.4


async def test_the_issue_of_a_plant_that_is_disabled_is_gone(
    hass: HomeAssistant,
    running: MockConfigEntry,
    twin: MockConfigEntry,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Nobody wants to know what it lacks; when it is enabled again it says so again."""
    await hass.config_entries.async_remove(twin.entry_id)
    await hass.async_block_till_done()
    name = f"plant_member_missing_{running.entry_id}"
    assert issue_registry.async_get_issue(DOMAIN, name)
    await hass.config_entries.async_set_disabled_by(running.entry_id, ConfigEntryDisabler.USER)
    await hass.async_block_till_done()
    assert not issue_registry.async_get_issue(DOMAIN, name)
    await hass.config_entries.async_set_disabled_by(running.entry_id, None)
    await hass.async_block_till_done()
    assert issue_registry.async_get_issue(DOMAIN, name)
