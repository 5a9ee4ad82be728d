"""A plant with meters: a DTSU666 at the grid, a DDSU666 at another maker's solar inverter, and a JSO."""

from collections.abc import AsyncIterator
import json
from pathlib import Path
from typing import Final

from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.link import Framing, TcpEndpoint
from custom_components.hybrid_inverter.modbus.probe import probe
from custom_components.hybrid_inverter.stored import unit_data
from tests.modbus.fault_server import FaultServer

from .helpers import SERIAL, network_data
from .test_plant import TODAY, plant_entry, poll, set_up, shown

FIXTURES: Final = Path(__file__).parents[1] / "fixtures"
GRID_METER: Final = 1
SOLAR_METER: Final = 2


def image(name: str) -> dict[int, int]:
    """Return the raw registers of a meter."""
    runs = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return {
        address: word
        for first, words in runs.items()
        for address, word in enumerate(words, int(first, 16))
    }


@pytest.fixture
async def bus(socket_enabled: None) -> AsyncIterator[FaultServer]:
    """Return both meters on one line; the solar inverter gives 0.5391 kW."""
    memory = {
        (unit, address): word
        for unit, name in (
            (GRID_METER, "chint_dtsu666_1000"),
            (SOLAR_METER, "chint_ddsu666_solar"),
        )
        for address, word in image(name).items()
    }
    # The sign of a single is the first bit of its first word.
    memory[SOLAR_METER, 0x2004] &= 0x7FFF
    server = FaultServer(Framing.TCP, memory=memory)
    await server.start()
    yield server
    await server.stop()


async def meters_entry(port: int) -> MockConfigEntry:
    """Return an entry for the line, whose meters have the serial numbers that they are given."""
    endpoint = TcpEndpoint(host="127.0.0.1", port=port, framing=Framing.TCP)
    subentries = []
    for unit_id, role in ((GRID_METER, "grid"), (SOLAR_METER, "solar")):
        data = unit_data(unit_id, await probe(endpoint, unit_id))
        data["identity"]["serial"] = f"bus_{unit_id}"
        subentries.append(
            {
                "data": {**data, "role": role, "inverted": False},
                "subentry_type": "meter",
                "title": role.title(),
                "unique_id": f"bus_{unit_id}",
            }
        )
    return MockConfigEntry(
        domain=DOMAIN, title="Bus", data=network_data(port), subentries_data=subentries
    )


@pytest.fixture
async def meters(hass: HomeAssistant, bus: FaultServer) -> MockConfigEntry:
    """Return an entry for the meters that is not set up yet."""
    meters = await meters_entry(bus.port)
    meters.add_to_hass(hass)
    return meters


async def test_meters(hass: HomeAssistant, entry: MockConfigEntry, meters: MockConfigEntry) -> None:
    """1234.5 W from the grid, 539.1 W of another sun, and a JSO with 6579 W of sun, -6128 W and 438 W."""
    home = plant_entry({SERIAL: "JSO", "bus_1": "Grid", "bus_2": "Solar"}, {SERIAL: 30})
    await set_up(hass, entry, meters, home)
    states = shown(hass, home)
    assert {key: float(states[key]) for key in states if key.endswith("_power")} == {
        "pv_power": pytest.approx(7118.1),
        "battery_power": -6128,
        "grid_power": pytest.approx(1234.5),
        "load_power": pytest.approx(2211.6),
    }
    assert home.runtime_data.values["balance_error"] == pytest.approx(13.0)
    assert {key: float(states[key]) for key in states if key.endswith("_energy_total")} == {
        "pv_energy_total": pytest.approx(22721.96),  # 21487.4 + 1234.56
        "battery_charge_energy_total": 8215.0,
        "battery_discharge_energy_total": 7655.2,
        "grid_import_energy_total": pytest.approx(12345.678),
        "grid_export_energy_total": pytest.approx(567.891),
        "load_energy_total": 0,
    }
    assert {key: states[key] for key in TODAY} == TODAY

    # Both go; what the inverter itself tells of the grid does not stand in for the meter.
    assert await hass.config_entries.async_unload(meters.entry_id)
    await poll(hass, entry)
    states = shown(hass, home)
    assert {key for key, state in states.items() if state != STATE_UNKNOWN} == {
        "battery_power",
        "battery_soc",
        "battery_charge_energy_total",
        "battery_discharge_energy_total",
        "battery_charge_energy_today",
        "battery_discharge_energy_today",
    }
