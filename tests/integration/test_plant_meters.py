"""A plant on one line: a JSO and a SAJ, a DTSU666 at the grid, and a DDSU666 at another maker's solar inverter."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

import freezegun
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigSubentryDataWithId
from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.link import Framing, TcpEndpoint
from custom_components.hybrid_inverter.modbus.probe import probe
from custom_components.hybrid_inverter.modbus.register import Group
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.stored import unit_data
from simulator import SimulatedPlant

from .helpers import SERIAL, network_data
from .test_plant import TODAY, compute, plant_entry, set_up, shown

DEVICES: Final = {1: "DTSU666", 2: "DDSU666", 3: "JSO8048104", 4: "H2-6K-S2"}
ROLES: Final = {1: "grid", 2: "solar"}
SAJ_SERIAL: Final = "SAJSIM000000000001"
METERS: Final = {"bus_1": "DTSU666", "bus_2": "DDSU666"}

# What the registers say after a minute, in watts. Sun: 6579 at the JSO, 4009 at the SAJ, 1384.4 beside them. Batteries:
# -6128 and -3606, at 60 % of 30 kWh and 60.56 % of 10 kWh. The inverters give 438 and 391, the grid takes 1400.3.
POWERS: Final = {
    "pv_power": 11972.4,
    "battery_power": -9734,
    "grid_power": -1400.3,
    "load_power": 813.1,  # -1400.3 + 438 + 391 + 1384.4
    "battery_soc": 60.14,
}
ENERGIES: Final = {
    "pv_energy_total": 44524.103,  # 21487.4 + 21487.36 + 1549.343
    "battery_charge_energy_total": 16429.95,  # 8215.0 + 8214.95
    "battery_discharge_energy_total": 15310.4,
    "grid_import_energy_total": 4397.48,
    "grid_export_energy_total": 1006.023,
    "load_energy_total": 0,
}

pytestmark = pytest.mark.freeze_time("2026-06-21 08:01:00+00:00")


@pytest.fixture(autouse=True)
async def _loop_goes_on(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the event loop's own time pass, or no machine would ever answer."""
    monkeypatch.setattr(hass.loop, "time", freezegun.api.real_monotonic)


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


async def test_one_line(
    hass: HomeAssistant,
    bus: MockConfigEntry,
    street: SimulatedPlant,
    freezer: FrozenDateTimeFactory,
) -> None:
    """What they add up to, half an hour of a day, and a meter that is removed."""
    home = plant_entry(
        {SERIAL: "JSO8048104", SAJ_SERIAL: "H2-6K-S2", **METERS}, {SERIAL: 30, SAJ_SERIAL: 10}
    )
    await set_up(hass, bus, home)
    states = shown(hass, home)
    assert numbers(states, POWERS) == pytest.approx(POWERS)
    assert numbers(states, ENERGIES) == pytest.approx(ENERGIES)
    assert {key: states[key] for key in TODAY} == TODAY
    # The losses of conversion: 11972.4 - 9734 - 1400.3 - 813.1.
    assert home.runtime_data.values["balance_error"] == pytest.approx(25)

    freezer.tick(timedelta(minutes=30))
    street.advance(1800)
    for unit in bus.runtime_data.units.values():
        for group in (Group.SETTINGS, Group.ENERGY, Group.POWER):
            await unit.coordinators[group].async_refresh()
    await compute(hass)
    states = shown(hass, home)
    grown = {
        "pv_energy_today": 6.534,  # 3.3 + 2.47 + 0.764
        "battery_charge_energy_today": 5.03,  # 2.8 + 2.23
        "battery_discharge_energy_today": 0,
        # The solar inverter feeds one phase, while another one takes from the grid.
        "grid_import_energy_today": 0.102,
        "grid_export_energy_today": 0.933,
        "load_energy_today": 0.673,  # 0.102 - 0.933 + 6.534 - 5.03
        "autarky_today": 84.844,  # 1 - 0.102 / 0.673
        "self_consumption_today": 85.721,  # 1 - 0.933 / 6.534
    }
    assert numbers(states, grown) == pytest.approx(grown, abs=0.001)
    assert float(states["load_power"]) == pytest.approx(932.3)  # 479 + 453, by the inverters

    # The grid meter is gone; what the inverters tell of the grid does not stand in for it.
    hass.config_entries.async_remove_subentry(bus, "unit_1")
    await hass.config_entries.async_reload(bus.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await compute(hass)
    assert set(shown(hass, home).values()) == {STATE_UNKNOWN}
