"""A Home Assistant with the integration, and simulated machines on real sockets."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from functools import partial
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import freezegun
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.transport.link import Framing, Link
from simulator import SimulatedPlant
from tests.modbus.fault_server import FaultServer

from .helpers import load, network_entry
from .pictured import PicturedMachine

# Seconds. A simulated machine keeps what is written at once, and answers within a millisecond.
SETTLE = 0.01
MODE_SETTLE = 0.05
TIMEOUT = 1.0
SPACING = 0.0

# What the fixture's machine has of what only some machines have.
PICTURED_FEATURES = ("pack_1", "pack_2", "packs")

IMAGE = Path(__file__).parents[1] / "fixtures" / "jso_image.json"


@pytest.fixture(autouse=True)
def _custom_integration(enable_custom_integrations: None) -> None:
    """Let Home Assistant find the integration."""


@pytest.fixture(autouse=True)
def _no_files_of_this_computer(hass_storage: dict[str, Any]) -> None:
    """Keep what the integration stores in the test."""


@pytest.fixture(autouse=True)
def _no_ports_of_this_computer() -> Iterator[None]:
    """Keep the component that lists serial ports from looking at the ones of this computer."""
    with patch("homeassistant.components.usb.async_setup", return_value=True):
        yield


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait no longer than a simulated machine needs."""
    link = partial(Link, timeout=TIMEOUT, spacing=SPACING)
    monkeypatch.setattr("custom_components.hybrid_inverter.runtime.setup.Link", link)
    monkeypatch.setitem(FAMILIES, "jso", replace(FAMILIES["jso"], settle=SETTLE, spacing=SPACING))


@pytest.fixture
async def plant(socket_enabled: None) -> AsyncIterator[SimulatedPlant]:
    """Return a JSO8048104 with the serial number JSO0000001 on unit id 1, whose time stands still."""
    async with SimulatedPlant() as plant:
        plant.advance(60)
        yield plant


@pytest.fixture
def entry(hass: HomeAssistant, plant: SimulatedPlant) -> MockConfigEntry:
    """Return an entry for the plant that is not set up yet."""
    entry = network_entry(plant.tcp_port)
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
async def loaded(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """Return the entry, set up."""
    return await load(hass, entry)


@pytest.fixture
async def picture(socket_enabled: None) -> AsyncIterator[FaultServer]:
    """Return a machine that serves the raw registers of the fixture, and remembers every request."""
    image = json.loads(IMAGE.read_text(encoding="utf-8"))
    memory = {(1, int(address)): word for address, word in image.items()}
    server = FaultServer(Framing.TCP, memory=memory)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def pictured(hass: HomeAssistant, picture: FaultServer) -> MockConfigEntry:
    """Return an entry for the fixture's machine that is not set up yet."""
    entry = network_entry(picture.port, features=PICTURED_FEATURES)
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
def loop_goes_on(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the event loop's own time pass where time is frozen, or no machine would ever answer."""
    monkeypatch.setattr(hass.loop, "time", freezegun.api.real_monotonic)


@pytest.fixture
async def in_berlin(hass: HomeAssistant, loop_goes_on: None) -> None:
    """Live in Berlin, where time is frozen and the event loop's own time passes."""
    await hass.config.async_set_time_zone("Europe/Berlin")


@pytest.fixture
def quick_saj(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have SAJ inverters need no time of their own."""
    family = FAMILIES["saj"]
    slow = {
        key: replace(row, settle=MODE_SETTLE) for key, row in family.registers.items() if row.settle
    }
    quick = replace(
        family,
        registers={**family.registers, **slow},
        settle=SETTLE,
        spacing=0,
        write_spacing=0,
        recovery=SETTLE,
    )
    monkeypatch.setitem(FAMILIES, "saj", quick)


@pytest.fixture
async def saj(socket_enabled: None, quick_saj: None) -> AsyncIterator[SimulatedPlant]:
    """Return a SAJ H2 of 6 kW without a schedule, that needs no time of its own and whose time stands still."""
    async with SimulatedPlant(model="H2-6K-S2") as plant:
        plant.advance(60)
        yield plant


@pytest.fixture
async def house(socket_enabled: None) -> AsyncIterator[SimulatedPlant]:
    """Return a JSO8048104 with the unit id 1 on a line with a DTSU666 (11) and a DDSU666 (12), as they were pictured."""
    async with SimulatedPlant() as plant:
        plant.advance(60)
        meters = {11: "chint_dtsu666_1000", 12: "chint_ddsu666_tariffs"}
        for unit_id, name in meters.items():
            plant.machines[unit_id] = PicturedMachine(name)  # type: ignore[assignment]
        yield plant


@pytest.fixture
def few_entities() -> Iterator[None]:
    """Have nothing but binary sensors, where it is not about entities."""
    with patch("custom_components.hybrid_inverter.PLATFORMS", [Platform.BINARY_SENSOR]):
        yield


@pytest.fixture
def all_shown() -> Iterator[None]:
    """Show what is not shown unless somebody asks for it."""
    with patch("homeassistant.helpers.entity.Entity.entity_registry_enabled_default", new=True):
        yield


@pytest.fixture
def calendar_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what sets the time at which the calendar is read, and nothing else: what is written settles in real time."""

    def at(when: str) -> None:
        now = dt_util.parse_datetime(when)
        clock = SimpleNamespace(**{**vars(dt_util), "utcnow": lambda: now})
        monkeypatch.setattr("custom_components.hybrid_inverter.calendar.dt_util", clock)

    return at
