"""A download of diagnostics becomes machines again, of which Home Assistant shows what it showed of the real ones.

All of it, states and attributes, with three exceptions. The numbers that identify a machine are not in the download, so
that others are made up. The link's own entities are about the link of today, not about
the one of the download. The state of an event is when Home Assistant has seen it; what was seen is compared.
With time standing still, as here, even what depends on the time of day is the same.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
import re
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentryDataWithId
from homeassistant.const import STATE_UNAVAILABLE, Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.json import json_dumps
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.diagnostics import async_get_config_entry_diagnostics
from custom_components.hybrid_inverter.entry.data import unit_data
from custom_components.hybrid_inverter.modbus.find.probe import probe
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.transport.link import Framing, TcpEndpoint
from simulator import SimulatedPlant
from simulator.replay import ReplayedMachine

from .helpers import network_data
from .test_config_flow import start, submit

# The roles of the meters, which a person chooses.
ROLES: Final = {11: ("grid", False), 12: ("solar", True)}
PLANTS: Final[dict[str, dict[int, str]]] = {
    "jso": {1: "JSO8048104"},
    "saj": {1: "H2-10K-T2"},
    "meters": {11: "DTSU666", 12: "DDSU666"},
}
# Serial numbers of the simulated machines, and of their batteries.
SECRETS: Final = ("JSO0000001", "SAJSIM0", "BMSSIM0", "BATSIM0", "SIM-H2", "4A53 4F30", "5341 4A53")

# The entities that show one, where all are shown.
IDENTIFYING: Final[dict[str, list[str]]] = {
    "jso": [
        "sensor.jso8048104_battery_pack_1_serial_number",
        "sensor.jso8048104_battery_pack_2_serial_number",
    ],
    "saj": ["sensor.h2_10k_t2_product_code"],
    "meters": [],
}

pytestmark = [
    pytest.mark.freeze_time("2026-06-21 08:01:30+00:00"),
    pytest.mark.usefixtures("socket_enabled"),
]


@pytest.fixture(autouse=True)
def _quick(in_berlin: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have machines need no time of their own."""
    for name, family in FAMILIES.items():
        monkeypatch.setitem(FAMILIES, name, replace(family, spacing=0))


@asynccontextmanager
async def running(name: str) -> AsyncIterator[SimulatedPlant]:
    """Run machines of the morning, the JSO with faults and a setting that is not the usual one."""
    async with SimulatedPlant(devices=PLANTS[name], packs=True) as plant:
        plant.advance(90)
        if name == "jso":
            plant.machine().panel_set("work_mode", "selling_first")
            plant.machine().trouble.faults = frozenset({22, 63})
        yield plant


async def add(hass: HomeAssistant, port: int, units: Mapping[int, str]) -> MockConfigEntry:
    """Return an entry with these machines as the dialogs would make it, set up."""
    endpoint = TcpEndpoint(host="127.0.0.1", port=port, framing=Framing.TCP)
    subentries: list[ConfigSubentryDataWithId] = []
    for unit_id, model in units.items():
        data = unit_data(unit_id, await probe(endpoint, unit_id))
        if (role := ROLES.get(unit_id)) is not None:
            data["identity"]["serial"] = f"bus_{unit_id}"
            data |= {"role": role[0], "inverted": role[1]}
        subentries.append(
            {
                "data": data,
                "subentry_id": f"unit_{unit_id}",
                "subentry_type": "meter" if role else "inverter",
                "title": model,
                "unique_id": data["identity"]["serial"],
            }
        )
    entry = MockConfigEntry(
        domain=DOMAIN, title="Line", data=network_data(port), subentries_data=subentries
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    # The first poll does not know yet what is shown that usually is not.
    for unit in entry.runtime_data.units.values():
        for coordinator in unit.coordinators.values():
            await coordinator.async_refresh()
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


def shown(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return state and attributes of all entities of the machines by entity id."""
    book = {}
    for known in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        state = hass.states.get(known.entity_id)
        # Those without a subentry belong to the link.
        if state is not None and known.config_subentry_id is not None:
            seen = "" if known.domain == Platform.EVENT else state.state
            book[known.entity_id] = (seen, dict(state.attributes))
    return book


@pytest.mark.parametrize(
    ("name", "everything", "at_least"),
    [("jso", True, 300), ("saj", True, 300), ("saj", False, 40), ("meters", True, 60)],
)
async def test_replay_of_a_download_shows_the_same_states_and_attributes(
    hass: HomeAssistant,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    name: str,
    everything: bool,
    at_least: int,
) -> None:
    """States and attributes are the same, whatever is shown, and so is what the machines are taken for."""
    if everything:
        request.getfixturevalue("all_shown")
    units = PLANTS[name]
    async with running(name) as original:
        entry = await add(hass, original.tcp_port, units)
        identities = [unit.data["identity"] for unit in entry.subentries.values()]
        before = shown(hass, entry)
        download = json_dumps(
            {"home_assistant": {}, "data": await async_get_config_entry_diagnostics(hass, entry)}
        )
        await hass.config_entries.async_remove(entry.entry_id)
    assert [secret for secret in SECRETS if secret in download] == []
    assert len(before) >= at_least
    assert [known for known, (state, _) in before.items() if state == STATE_UNAVAILABLE] == []
    file = tmp_path / "download.json"
    file.write_text(download, encoding="utf-8")

    async with SimulatedPlant(replay=file) as plant:
        again = await add(hass, plant.tcp_port, units)
        for unit, identity in zip(again.subentries.values(), identities, strict=True):
            assert {**unit.data["identity"], "serial": ""} == {**identity, "serial": ""}
        after = shown(hass, again)
        assert before.keys() == after.keys()
        identifying = IDENTIFYING[name] if everything else []
        assert sorted(one for one in before if before[one] != after[one]) == identifying
        for one in identifying:
            assert re.fullmatch(r"R\d{9}", after[one][0])
            assert before[one][1] == after[one][1]
        assert await hass.config_entries.async_unload(again.entry_id)


async def test_replayed_device_is_added_through_the_dialog(hass: HomeAssistant) -> None:
    """A person adds it like any other machine, by the serial number that was made up for it."""
    async with running("jso") as original:
        entry = await add(hass, original.tcp_port, PLANTS["jso"])
        data = await async_get_config_entry_diagnostics(hass, entry)
        await hass.config_entries.async_remove(entry.entry_id)
    async with SimulatedPlant(replay=data) as plant:
        form = await start(hass, "network")
        result = await submit(
            hass, form, {"host": "127.0.0.1", "port": plant.rtu_port, "framing": "rtu"}
        )
        assert result["type"] is FlowResultType.CREATE_ENTRY
        added: ConfigEntry = result["result"]
        (unit,) = added.subentries.values()
        machine = plant.machine(1)
        assert isinstance(machine, ReplayedMachine)
        assert (unit.title, unit.unique_id) == ("JSO8048104", machine.serial_number)
        shown_soc = hass.states.get("sensor.jso8048104_battery_soc")
        assert shown_soc is not None
        assert shown_soc.state == "60"
        assert await hass.config_entries.async_unload(added.entry_id)
