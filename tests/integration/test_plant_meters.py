"""A plant on one line: a JSO and a SAJ, a DTSU666 at the grid, and a DDSU666 at another maker's solar inverter."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigSubentryDataWithId
from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.entry.data import unit_data
from custom_components.hybrid_inverter.modbus.find.probe import probe
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.transport.link import Framing, TcpEndpoint
from simulator import SimulatedPlant

from .helpers import SERIAL, network_data
from .test_plant import TODAY, compute, plant_entry, set_up, shown

DEVICES: Final = {1: "DTSU666", 2: "DDSU666", 3: "JSO8048104", 4: "H2-6K-S2"}
ROLES: Final = {1: "grid", 2: "solar"}
SAJ_SERIAL: Final = "SAJSIM000000000001"
METERS: Final = {"bus_1": "DTSU666", "bus_2": "DDSU666"}

# What the registers say after a minute, in watts. Sun: 4247 + 1994 at the JSO, 2832 + 1330 at the SAJ, 1850.1 beside them.
# Batteries: -6128 (the JSO's 115 A) and -4739, at 60 % of 30 kWh and 60.75 % of 10 kWh. The JSO gives 111, the SAJ takes
# 596 of what the solar inverter feeds, the grid takes 943.1, and the one house uses 422.
POWERS: Final = {
    "pv_power": 12253.1,
    "battery_power": -10867,
    "grid_power": -943.1,
    "load_power": 422.0,  # -943.1 + 111 - 596 + 1850.1
    "battery_soc": 60.1875,  # (30 * 60 + 10 * 60.75) / 40
}
ENERGIES: Final = {
    "pv_energy_total": 44524.11,  # 21487.4 + 21487.36 + 1549.35
    "battery_charge_energy_total": 16429.97,  # 8215.0 + 8214.97
    "battery_discharge_energy_total": 15310.4,
    "grid_import_energy_total": 4397.481,
    "grid_export_energy_total": 1006.016,
    "load_energy_total": 0,
}

pytestmark = [
    pytest.mark.freeze_time("2026-06-21 08:01:00+00:00"),
    pytest.mark.usefixtures("loop_goes_on"),
]


@pytest.fixture
async def street(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SimulatedPlant]:
    """Return the four machines, which belong to one house."""
    for name in ("saj", "dtsu666", "ddsu666"):
        monkeypatch.setitem(FAMILIES, name, replace(FAMILIES[name], spacing=0))
    async with SimulatedPlant(devices=DEVICES) as simulated:
        simulated.advance(60)
        yield simulated


@pytest.fixture
async def bus(hass: HomeAssistant, street: SimulatedPlant) -> MockConfigEntry:
    """Return an entry for the line, whose meters have the serial numbers that they are given."""
    endpoint = TcpEndpoint(host="127.0.0.1", port=street.tcp_port, framing=Framing.TCP)
    subentries: list[ConfigSubentryDataWithId] = []
    for unit_id, model in DEVICES.items():
        data = unit_data(unit_id, await probe(endpoint, unit_id))
        if (role := ROLES.get(unit_id)) is not None:
            data["identity"]["serial"] = f"bus_{unit_id}"
            data |= {"role": role, "inverted": False}
        subentries.append(
            {
                "data": data,
                "subentry_id": f"unit_{unit_id}",
                "subentry_type": "inverter" if role is None else "meter",
                "title": model,
                "unique_id": data["identity"]["serial"],
            }
        )
    bus = MockConfigEntry(
        domain=DOMAIN,
        title="Bus",
        data=network_data(street.tcp_port),
        subentries_data=subentries,
    )
    bus.add_to_hass(hass)
    return bus


def numbers(states: dict[str, str], like: dict[str, float]) -> dict[str, float]:
    """Return these states as numbers."""
    return {key: float(states[key]) for key in like}


async def test_plant_of_meters_adds_up_an_hour_and_misses_a_removed_meter(
    hass: HomeAssistant,
    bus: MockConfigEntry,
    street: SimulatedPlant,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What they add up to, an hour of a day, and a meter that is removed."""
    home = plant_entry(
        {SERIAL: "JSO8048104", SAJ_SERIAL: "H2-6K-S2", **METERS}, {SERIAL: 30, SAJ_SERIAL: 10}
    )
    await set_up(hass, bus, home)
    states = shown(hass, home)
    assert numbers(states, POWERS) == pytest.approx(POWERS)
    assert numbers(states, ENERGIES) == pytest.approx(ENERGIES)
    assert {key: states[key] for key in TODAY} == TODAY
    # The losses of conversion: 12253.1 - 10867 - 943.1 - 422.0.
    assert home.runtime_data.values["balance_error"] == pytest.approx(21)

    freezer.tick(timedelta(hours=1))
    street.advance(3600)
    for unit in bus.runtime_data.units.values():
        for group in (Group.SETTINGS, Group.ENERGY, Group.POWER):
            await unit.coordinators[group].async_refresh()
    await compute(hass)
    states = shown(hass, home)
    grown = {
        "pv_energy_today": 13.212,  # 6.7 + 4.5 + 2.012, the growth of the totals
        "battery_charge_energy_today": 10.19,  # 6.1 + 4.09
        "battery_discharge_energy_today": 0,
        # The solar inverter feeds one phase, while an appliance on another one takes from the grid.
        "grid_import_energy_today": 0.312,  # 4397.793 - 4397.481
        "grid_export_energy_today": 2.486,  # 1008.502 - 1006.016
        "load_energy_today": 0.848,  # 0.312 - 2.486 + 13.212 - 10.19
        "autarky_today": 63.208,  # 1 - 0.312 / 0.848
        "self_consumption_today": 81.184,  # 1 - 2.486 / 13.212
    }
    assert numbers(states, grown) == pytest.approx(grown, abs=0.001)
    # -6980.6 + 1038 + 4344 + 2186.7, as the registers round it.
    assert float(states["load_power"]) == pytest.approx(588.1)

    # The grid meter is gone; what the inverters tell of the grid does not stand in for it.
    hass.config_entries.async_remove_subentry(bus, "unit_1")
    await hass.config_entries.async_reload(bus.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await compute(hass)
    assert set(shown(hass, home).values()) == {STATE_UNKNOWN}
