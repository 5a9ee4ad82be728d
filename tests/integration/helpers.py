"""What several tests of the integration share: an entry as it is stored, and short ways to look things up."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, State
from homeassistant.data_entry_flow import FlowManager, FlowResultType
from homeassistant.helpers import entity_registry as er
from homeassistant.util.async_ import get_scheduled_timer_handles
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.control.driver import Driver
from custom_components.hybrid_inverter.control.setup import driver_of
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.runtime.runtime import RuntimeData, UnitRuntime
from simulator import SimulatedPlant

SERIAL = "JSO0000001"

# What the config flow stores of the simulated machine; worked out by hand from its identity registers.
IDENTITY: dict[str, Any] = {
    "family": "jso",
    "serial": SERIAL,
    "manufacturer": "JUSTSTANDOUT",
    "model": "JSO8048104",
    "firmware": "2011-1144-1805 / 1001-C036",
    "facts": {"rated_power": 8000, "mppt_count": 2, "phase_count": 3},
    "features": [],
}

# And of the pictured three-phase meter, but for the serial number that it is given.
DTSU666: dict[str, Any] = {
    "family": "dtsu666",
    "manufacturer": "CHINT",
    "model": "DTSU666",
    "firmware": "207",
    "facts": {"rated_power": 172500, "ct_ratio": 1, "pt_ratio": 1.0},
    "features": ["new_counters", "new_net_counters", "new_reactive_counters"],
}


def serial_data(device: str, baudrate: int = 9600) -> dict[str, Any]:
    """Return the data of an entry for a serial port."""
    return {
        "type": "serial",
        "device": device,
        "baudrate": baudrate,
        "parity": "N",
        "stopbits": 1,
    }


def network_data(port: int, framing: str = "tcp", host: str = "127.0.0.1") -> dict[str, Any]:
    """Return the data of an entry for a network link."""
    return {"type": "network", "host": host, "port": port, "framing": framing}


def stick_data(host: str, port: int = 8899, logger_serial: int = 1700000001) -> dict[str, Any]:
    """Return the data of an entry for a Wi-Fi stick."""
    return {"type": "stick", "host": host, "port": port, "logger_serial": logger_serial}


def link_entry(
    data: Mapping[str, Any],
    serials: Mapping[int, str] | None = None,
    options: Mapping[str, Any] | None = None,
    features: Sequence[str] = (),
    unique_id: str | None = None,
    entry_id: str | None = None,
) -> MockConfigEntry:
    """Return an entry for a link with machines, given as their serial numbers by unit id."""
    identity = {**IDENTITY, "features": list(features)}
    return MockConfigEntry(
        domain=DOMAIN,
        entry_id=entry_id,
        unique_id=unique_id,
        title=f"JSO8048104 ({data.get('device') or f'{data["host"]}:{data["port"]}'})",
        data=dict(data),
        options=dict(options or {}),
        subentries_data=[
            {
                "data": {"unit_id": unit_id, "identity": {**identity, "serial": serial}},
                "subentry_type": "inverter",
                "title": "JSO8048104",
                "unique_id": serial,
            }
            for unit_id, serial in (serials or {1: SERIAL}).items()
        ],
    )


def network_entry(
    port: int,
    *,
    unit_id: int = 1,
    serial: str = SERIAL,
    options: Mapping[str, Any] | None = None,
    features: Sequence[str] = (),
    entry_id: str | None = None,
) -> MockConfigEntry:
    """Return an entry for a machine on a port of this computer."""
    return link_entry(network_data(port), {unit_id: serial}, options, features, entry_id=entry_id)


async def load(
    hass: HomeAssistant, entry: MockConfigEntry, *, background: bool = False
) -> MockConfigEntry:
    """Load an entry, and wait for what follows; also for background tasks if wanted."""
    if hass.config_entries.async_get_entry(entry.entry_id) is None:
        entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=background)
    return entry


async def load_plant(
    hass: HomeAssistant, plant: SimulatedPlant, options: Mapping[str, Any] | None = None
) -> MockConfigEntry:
    """Load an entry for a simulated plant with these options."""
    return await load(hass, network_entry(plant.tcp_port, options=options))


def status(entry: MockConfigEntry) -> ConfigEntryState:
    """Return whether an entry is set up; unlike the attribute, it may differ from one line to the next."""
    state: ConfigEntryState = entry.state
    return state


def unit_of(entry: MockConfigEntry) -> UnitRuntime:
    """Return the only unit of a loaded entry."""
    (unit,) = entry.runtime_data.units.values()
    assert isinstance(unit, UnitRuntime)
    return unit


def driver_in(entry: MockConfigEntry) -> Driver:
    """Return what drives the orders of the only inverter of a loaded entry."""
    unit = unit_of(entry)
    found = driver_of(unit.hass, unit)
    assert found is not None
    return found


def timers_of(owner: object) -> list[asyncio.TimerHandle]:
    """The timers that call something back, as a coordinator for its next poll."""
    return [
        handle
        for handle in get_scheduled_timer_handles(asyncio.get_running_loop())
        if getattr(handle._callback, "__self__", None) is owner and not handle.cancelled()
    ]


async def refresh(hass: HomeAssistant, entry: MockConfigEntry, group: Group) -> None:
    """Poll a group now, and let everything happen that follows from it."""
    await unit_of(entry).coordinators[group].async_refresh()
    await hass.async_block_till_done(wait_background_tasks=True)


def bring_forward(hass: HomeAssistant, seconds: float) -> None:
    """Have what follows the polls of the powers due so much sooner: the event loop's time does not jump along with ours."""
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        if isinstance(entry.runtime_data, RuntimeData):
            for unit in entry.runtime_data.units.values():
                for coordinator in unit.coordinators.values():
                    coordinator.due_at -= seconds


async def pass_time(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let time pass by the clock of the event loop, by which polls are due, and everything happen that follows."""
    time = hass.loop.time
    monkeypatch.setattr(hass.loop, "time", lambda: time() + seconds)
    # The loop looks what is due before it calls anybody.
    for _ in range(2):
        await asyncio.sleep(0)
    await hass.async_block_till_done(wait_background_tasks=True)


def find(hass: HomeAssistant, platform: Platform, key: str, serial: str = SERIAL) -> str | None:
    """Return the entity id of a value."""
    return er.async_get(hass).async_get_entity_id(platform, DOMAIN, f"{serial}_{key}")


def entity(hass: HomeAssistant, platform: Platform, key: str, serial: str = SERIAL) -> str:
    """Return the entity id of a value that has one."""
    entity_id = find(hass, platform, key, serial)
    assert entity_id is not None, key
    return entity_id


def state(hass: HomeAssistant, platform: Platform, key: str, serial: str = SERIAL) -> State:
    """Return the state of a value that is shown."""
    shown = hass.states.get(entity(hass, platform, key, serial))
    assert shown is not None, key
    return shown


def names_twice(hass: HomeAssistant, entry: MockConfigEntry) -> list[tuple[str | None, str | None]]:
    """Return the devices with the names that more than one of their entities has."""
    known = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    counted = Counter((one.device_id, one.original_name) for one in known)
    return [name for name, count in counted.items() if count > 1]


def requests(plant: SimulatedPlant) -> int:
    """Return how many requests the plant has got over Modbus TCP."""
    return plant.tcp.statistics.requests


async def add_unit(hass: HomeAssistant, entry: MockConfigEntry, kind: str) -> dict[str, Any]:
    """Open the dialog that adds a machine of this kind to an entry."""
    return dict(
        await hass.config_entries.subentries.async_init(
            (entry.entry_id, kind), context={"source": SOURCE_USER}
        )
    )


async def answer(
    hass: HomeAssistant, result: Mapping[str, Any], user_input: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Send a form of such a dialog, choose from its menu, or, without an answer, look where it is now."""
    manager = hass.config_entries.subentries
    shown = await past_maker(manager, await manager.async_configure(result["flow_id"], user_input))
    await hass.async_block_till_done(wait_background_tasks=True)
    return shown


async def past_maker(
    manager: FlowManager[Any, Any, Any], result: Mapping[str, Any]
) -> dict[str, Any]:
    """Go on with the likeliest maker where a dialog asks who has made a machine."""
    if result.get("step_id") == "maker":
        result = await manager.async_configure(result["flow_id"], {})
    return dict(result)


async def open_settings(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    """Open the options of an entry, and choose how it is polled."""
    manager = hass.config_entries.options
    menu = await manager.async_init(entry.entry_id)
    assert menu["type"] is FlowResultType.MENU
    (step,) = {"settings", "listen"}.intersection(menu["menu_options"])
    return dict(await manager.async_configure(menu["flow_id"], {"next_step_id": step}))


async def choose(hass: HomeAssistant, result: Mapping[str, Any], *steps: str) -> dict[str, Any]:
    """Choose from one menu after another."""
    shown = dict(result)
    for step in steps:
        assert shown["type"] is FlowResultType.MENU
        shown = await answer(hass, shown, {"next_step_id": step})
    return shown


async def searched(hass: HomeAssistant, result: Mapping[str, Any]) -> dict[str, Any]:
    """Choose the search, and return what is shown when it is over."""
    shown = await choose(hass, result, "search")
    assert shown["type"] is FlowResultType.SHOW_PROGRESS
    assert shown["progress_action"] == "search"
    return await answer(hass, shown)
