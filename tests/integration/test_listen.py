"""Listening to a meter that an inverter asks, over a real socket, on which nothing is ever sent."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from functools import partial
import re
from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE, Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE, FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.diagnostics import async_get_config_entry_diagnostics
from custom_components.hybrid_inverter.modbus.listen.listener import Listener
from custom_components.hybrid_inverter.modbus.listen.session import listen_for
from custom_components.hybrid_inverter.modbus.model.register import Group
from simulator.overheard import POLLS, OverheardLine, Poll
from tests.modbus.heard_meter import SINGLE_PHASE, THREE_PHASE, holding
from tests.overheard import overheard_line

from .helpers import add_unit, answer, network_entry, open_settings, state, status

# The inverter is faster here, to keep the tests short.
PERIOD = 0.01


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listen no longer than a fast line needs."""
    package = "custom_components.hybrid_inverter"
    monkeypatch.setattr(
        f"{package}.flow.listen.listen_for", partial(listen_for, seconds=1.0, settled=0.4)
    )
    monkeypatch.setattr(
        f"{package}.runtime.setup.Listener", partial(Listener, timeout=1.0, settling=0.4)
    )


@pytest.fixture
def numbers() -> dict[int, float]:
    """Return what the meter holds."""
    return dict(THREE_PHASE)


@pytest.fixture
async def line(socket_enabled: None, numbers: dict[int, float]) -> AsyncIterator[OverheardLine]:
    """Return a line on which a Sofar asks a three-phase meter; in the end nobody else has said a word."""
    async with overheard_line(holding(numbers), POLLS["sofar"], period=PERIOD) as line:
        yield line
        assert line.statistics.bytes_from_clients == 0


def listen_data(port: int) -> dict[str, Any]:
    """Return the data of an entry that listens there."""
    return {"type": "listen", "host": "127.0.0.1", "port": port}


def identity(serial: str, **facts: float) -> dict[str, Any]:
    """Return what is stored of a three-phase meter."""
    return {
        "family": "dtsu666",
        "serial": serial,
        "manufacturer": "CHINT",
        "model": "DTSU666",
        "firmware": None,
        "facts": facts,
        "features": [],
    }


# 230 V, three phases, 250 A as a set, or 40 times 6 A: 172.5 kW either way.
FACTS = {"rated_power": 172500, "ct_ratio": 40, "pt_ratio": 1}


def entry_for(
    hass: HomeAssistant,
    port: int,
    heard: list[list[int]],
    *,
    facts: Mapping[str, float] | None = None,
    inverted: bool = False,
) -> MockConfigEntry:
    """Return an entry for a meter on unit id 1 that was set up before."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=f"DTSU666 (127.0.0.1:{port})",
        data=listen_data(port),
        subentries_data=[
            {
                "data": {
                    "unit_id": 1,
                    "identity": identity("METER", **(facts or FACTS)),
                    "role": "grid",
                    "inverted": inverted,
                    "heard": heard,
                },
                "subentry_type": "meter",
                "title": "Grid meter",
                "unique_id": "METER",
            }
        ],
    )
    entry.add_to_hass(hass)
    return entry


SOFAR = [[0x0006, 1], [0x101E, 12], [0x2014, 6]]


@pytest.fixture
async def entry(hass: HomeAssistant, line: OverheardLine) -> MockConfigEntry:
    """Return the entry of the line, set up."""
    entry = entry_for(hass, line.port, SOFAR)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


async def start(hass: HomeAssistant, entry: MockConfigEntry | None = None) -> dict[str, Any]:
    """Open the dialog, and choose to listen through a gateway."""
    context: dict[str, Any] = (
        {"source": SOURCE_USER}
        if entry is None
        else {"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
    shown = await hass.config_entries.flow.async_init(DOMAIN, context=context)
    if entry is None:
        assert "listen" in shown["menu_options"]
        shown = await send(hass, shown, {"next_step_id": "listen"})
    assert shown["menu_options"] == ["listen_network", "listen_serial"]
    return await send(hass, shown, {"next_step_id": "listen_network"})


async def send(
    hass: HomeAssistant, result: Mapping[str, Any], user_input: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Send a form, or look where the dialog is now."""
    return dict(await hass.config_entries.flow.async_configure(result["flow_id"], user_input))


async def hear(hass: HomeAssistant, result: Mapping[str, Any], port: int) -> dict[str, Any]:
    """Say where to listen, and return what is shown when it is over."""
    shown = await send(hass, result, {"host": " 127.0.0.1", "port": port})
    assert shown["type"] is FlowResultType.SHOW_PROGRESS
    assert shown["progress_action"] == "hear"
    await hass.async_block_till_done(wait_background_tasks=True)
    return await send(hass, shown)


def fields(result: Mapping[str, Any]) -> list[str]:
    """Return the fields of a form."""
    return [str(key) for key in result["data_schema"].schema]


def value(hass: HomeAssistant, key: str, serial: str = "METER") -> str:
    """Return the state of a meter's sensor."""
    return state(hass, Platform.SENSOR, key, serial).state


# ---------------------------------------------------------------------- setting it up


async def test_meter_is_identified_by_what_is_heard_and_shown_at_once(
    hass: HomeAssistant, line: OverheardLine
) -> None:
    """What is heard names the meter; a person says what it measures; it is shown at once."""
    told = async_capture_events(hass, EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE)
    form = await hear(hass, await start(hass), line.port)
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "heard_meter")
    # The ratio was heard, and the meter is known.
    assert fields(form) == ["role", "inverted"]
    told_of = dict(form["description_placeholders"])
    # This inverter is a quick one, but not where the machine that runs the tests is busy.
    assert re.fullmatch(r"0\.\d", told_of.pop("period"))
    assert told_of == {"model": "DTSU666", "unit_id": "1", "count": "19"}
    steps = [event.data["progress"] for event in told]
    assert steps == sorted(steps)
    assert steps[-1] == 1
    result = await send(hass, form, {"role": "grid", "inverted": False})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    entry = result["result"]
    assert entry.title == f"DTSU666 (127.0.0.1:{line.port})"
    assert entry.data == listen_data(line.port)
    assert entry.state is ConfigEntryState.LOADED
    (subentry,) = entry.subentries.values()
    serial = f"{entry.entry_id}_1"
    assert (subentry.subentry_type, subentry.unique_id) == ("meter", serial)
    assert subentry.data == {
        "unit_id": 1,
        "identity": identity(serial, **FACTS),
        "role": "grid",
        "inverted": False,
        "heard": SOFAR,
    }
    # 3100 tenths of a watt times 40; the total is the sum of the phases, which is all that this inverter asks for.
    assert value(hass, "l1_power", serial) == "12400.0"
    assert value(hass, "l2_power", serial) == "-3480.0"
    assert value(hass, "power", serial) == "20920.0"
    # 1250.5 kWh times 40.
    assert value(hass, "import_energy_total", serial) == "50020.0"


async def test_ratio_is_asked_for(hass: HomeAssistant, socket_enabled: None) -> None:
    """Where nobody asks the meter for it, and what is heard means nothing without it."""
    async with overheard_line(holding(THREE_PHASE), POLLS["deye_12k"], period=PERIOD) as line:
        form = await hear(hass, await start(hass), line.port)
        assert fields(form) == ["ct_ratio", "role", "inverted"]
        result = await send(hass, form, {"ct_ratio": 20, "role": "grid", "inverted": True})
        await hass.async_block_till_done(wait_background_tasks=True)
        entry = result["result"]
        (subentry,) = entry.subentries.values()
        assert subentry.data["identity"]["facts"]["ct_ratio"] == 20
        # 5230 tenths of a watt, times 20, the other way round.
        assert value(hass, "power", subentry.unique_id) == "-10460.0"
        assert line.statistics.bytes_from_clients == 0


async def test_meter_is_asked_for(hass: HomeAssistant, socket_enabled: None) -> None:
    """A power of zero fits both meters."""
    async with overheard_line(holding({}), POLLS["foxess_single_phase"], period=PERIOD) as line:
        form = await hear(hass, await start(hass), line.port)
        assert fields(form) == ["family", "role", "inverted"]
        assert form["description_placeholders"]["model"] == "DTSU666 / DDSU666"
        told = {"family": "ddsu666", "role": "solar", "inverted": False}
        result = await send(hass, form, told)
        await hass.async_block_till_done(wait_background_tasks=True)
        (subentry,) = result["result"].subentries.values()
        assert subentry.data["identity"]["model"] == "DDSU666"
        assert value(hass, "power", subentry.unique_id) == "0.0"


async def test_one_of_several_and_then_the_other(hass: HomeAssistant, socket_enabled: None) -> None:
    """The first is chosen, the second is added to the entry, and there is no third."""
    polls = (Poll(0x151C, 8), Poll(0x2000, 6, unit=2))
    three, single = holding(THREE_PHASE), holding(SINGLE_PHASE, units=(2,))

    def respond(unit: int, pdu: bytes) -> bytes | None:
        return three(unit, pdu) or single(unit, pdu)

    async with overheard_line(respond, polls, period=PERIOD) as line:
        form = await hear(hass, await start(hass), line.port)
        assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "heard")
        (selector,) = form["data_schema"].schema.values()
        assert selector.config["options"] == [
            {"value": "1", "label": "1: DTSU666"},
            {"value": "2", "label": "2: DDSU666"},
        ]
        form = await send(hass, form, {"unit_id": "1"})
        assert fields(form) == ["role", "inverted"]
        result = await send(hass, form, {"role": "grid", "inverted": False})
        await hass.async_block_till_done(wait_background_tasks=True)
        entry = result["result"]
        assert dict(entry.supported_subentry_types)["meter"]
        assert "inverter" not in entry.supported_subentry_types

        form = await add_unit(hass, entry, "meter")
        assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "heard_meter")
        result = await answer(hass, form, {"role": "solar", "inverted": False})
        assert result["type"] is FlowResultType.CREATE_ENTRY
        first, second = entry.subentries.values()
        assert second.unique_id == f"{entry.entry_id}_2"
        assert second.data["heard"] == [[0x2000, 6]]
        assert status(entry) is ConfigEntryState.LOADED
        assert value(hass, "power", first.unique_id) == "523.0"
        assert value(hass, "power", second.unique_id) == "-710.0"
        assert value(hass, "voltage", second.unique_id) == "231.5"

        result = await add_unit(hass, entry, "meter")
        assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "nothing_else_heard")
        await hass.config_entries.async_unload(entry.entry_id)
        result = await add_unit(hass, entry, "meter")
        assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_running")
        assert line.statistics.bytes_from_clients == 0


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        ({"silent": True}, "nothing_heard"),
        ({"corrupted": 1.0}, "only_noise_heard"),
        ({"answers_lost": True}, "only_requests_heard"),
        ({"requests_lost": True}, "only_answers_heard"),
    ],
)
async def test_each_failure_to_hear_a_meter_has_a_message(
    hass: HomeAssistant, line: OverheardLine, trouble: Mapping[str, Any], error: str
) -> None:
    """Each has a message of its own, and the same dialog succeeds in the end."""
    for name, setting in trouble.items():
        setattr(line.talk.trouble, name, setting)
    # The answer that is on its way is still a sound one.
    await asyncio.sleep(2 * line.turnaround)
    form = await hear(hass, await start(hass), line.port)
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "listen_network")
    assert form["errors"] == {"base": error}
    for name, setting in trouble.items():
        setattr(line.talk.trouble, name, type(setting)(0))
    form = await hear(hass, form, line.port)
    assert form["step_id"] == "heard_meter"


async def test_unreachable_gateway_and_network_port_are_reported(
    hass: HomeAssistant, line: OverheardLine
) -> None:
    """A gateway that is not there, and a port on the network."""
    form = await hear(hass, await start(hass), 1)
    assert form["errors"] == {"base": "connection_refused"}
    shown = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    shown = await send(hass, shown, {"next_step_id": "listen"})
    form = await send(hass, shown, {"next_step_id": "listen_serial"})
    serial = {"device": "esphome://there", "baudrate": 9600, "parity": "N", "stopbits": 1}
    form = await send(hass, form, serial)
    assert form["errors"] == {"device": "port_on_network"}
    port = await line.start_serial()
    shown = await send(hass, form, {**serial, "device": port})
    assert shown["type"] is FlowResultType.SHOW_PROGRESS
    await hass.async_block_till_done(wait_background_tasks=True)
    form = await send(hass, shown)
    assert form["step_id"] == "heard_meter"
    result = await send(hass, form, {"role": "load", "inverted": False})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert result["result"].data == {"type": "listen", **serial, "device": port}
    assert result["result"].state is ConfigEntryState.LOADED
    form = await hear(hass, await start(hass), line.port)
    assert form["step_id"] == "heard_meter"


async def test_a_line_that_somebody_asks_on(hass: HomeAssistant, line: OverheardLine) -> None:
    """Where another entry sends, there is nothing to listen to."""
    network_entry(line.port).add_to_hass(hass)
    result = await send(hass, await start(hass), {"host": "127.0.0.1", "port": line.port})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert line.statistics.connections == 0


# ---------------------------------------------------------------------- running


async def hear_more(link: Listener, exchanges: int) -> None:
    """Wait until so many more exchanges were heard."""
    enough = link.statistics.heard.exchanges + exchanges
    async with asyncio.timeout(5):
        while link.statistics.heard.exchanges < enough:
            await link._wait_for_reading(asyncio.get_running_loop().time() + 1)


async def test_is_shown_once_a_second(
    hass: HomeAssistant,
    line: OverheardLine,
    numbers: dict[int, float],
    entry: MockConfigEntry,
) -> None:
    """What was heard is looked at once a second, counters every ten; nothing that is not heard is shown."""
    (unit,) = entry.runtime_data.units.values()
    intervals = {group: coordinator.interval for group, coordinator in unit.coordinators.items()}
    assert intervals == {
        Group.POWER: 1,
        Group.FAULTS: 15,
        Group.ENERGY: 10,
        Group.SETTINGS: 30,
        Group.IDENTITY: 86400,
    }
    shown = {
        known.unique_id.removeprefix("METER_")
        for known in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    }
    assert shown >= {"l1_power", "power", "import_energy_total", "l3_import_energy_total"}
    assert shown.isdisjoint({"l1_voltage", "frequency", "reactive_power"})
    # A second is over soon on a busy computer.
    power = unit.coordinators[Group.POWER]
    power.interval = 60
    await power.async_refresh()
    before = value(hass, "l1_power")
    numbers[0x2014] = 3000.0
    line.talk._respond = holding(numbers)
    await hear_more(entry.runtime_data.link, 9)
    assert value(hass, "l1_power") == before
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=61))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert (before, value(hass, "l1_power")) == ("12400.0", "12000.0")
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert [
        (device.model, device.serial_number) for device in devices if device.model is not None
    ] == [("DTSU666", None)]
    # The line is a device, too.
    assert value(hass, "understood", entry.entry_id) == "100"


async def test_meter_becomes_unavailable_when_not_asked_and_comes_back(
    hass: HomeAssistant, line: OverheardLine, entry: MockConfigEntry
) -> None:
    """A meter that is not asked any more is unavailable, and comes back when it is."""
    (unit,) = entry.runtime_data.units.values()
    line.talk.trouble.silent = True
    loop_now = hass.loop.time()
    listener = entry.runtime_data.link
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            "custom_components.hybrid_inverter.modbus.listen.listener._now", lambda: loop_now + 30
        )
        await unit.coordinators[Group.POWER].async_refresh()
        assert value(hass, "power") == STATE_UNAVAILABLE
    assert listener.connected
    line.talk.trouble.silent = False
    await hear_more(listener, 9)
    await unit.coordinators[Group.POWER].async_refresh()
    assert value(hass, "power") == "20920.0"


async def test_listener_finds_a_restarted_gateway_by_itself(
    hass: HomeAssistant, line: OverheardLine, entry: MockConfigEntry
) -> None:
    """A gateway that restarts is found again by itself."""
    link = entry.runtime_data.link
    (unit,) = entry.runtime_data.units.values()
    changes: asyncio.Queue[bool] = asyncio.Queue()
    remove = link.add_listener(changes.put_nowait)
    line.drop_connections()
    assert not await changes.get()
    await unit.coordinators[Group.POWER].async_refresh()
    assert value(hass, "power") == STATE_UNAVAILABLE
    assert await changes.get()
    remove()
    await unit.coordinators[Group.POWER].async_refresh()
    assert value(hass, "power") == "20920.0"


async def test_line_that_cannot_be_reached_at_the_start(
    hass: HomeAssistant, line: OverheardLine, entry: MockConfigEntry
) -> None:
    """A meter that is known is set up all the same, and is heard as soon as the gateway is back."""
    port = line.port
    assert await hass.config_entries.async_unload(entry.entry_id)
    await line.stop()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert status(entry) is ConfigEntryState.LOADED
    assert value(hass, "power") == STATE_UNAVAILABLE
    listener = entry.runtime_data.link
    changes: asyncio.Queue[bool] = asyncio.Queue()
    remove = listener.add_listener(changes.put_nowait)
    await line.start("127.0.0.1", port)
    assert await changes.get()
    remove()
    (unit,) = entry.runtime_data.units.values()
    await unit.coordinators[Group.POWER].async_refresh()
    assert value(hass, "power") == "20920.0"


async def test_silent_line_at_the_start(hass: HomeAssistant, line: OverheardLine) -> None:
    """Without a word on the line the entry waits; a meter that is known keeps its entities after a restart at night."""
    line.talk.trouble.silent = True
    entry = entry_for(hass, line.port, SOFAR)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert status(entry) is ConfigEntryState.SETUP_RETRY
    line.talk.trouble.silent = False
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert status(entry) is ConfigEntryState.LOADED
    line.talk.trouble.silent = True
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert status(entry) is ConfigEntryState.LOADED
    assert value(hass, "power") == STATE_UNAVAILABLE


@pytest.mark.parametrize(("heard", "ratio"), [([[0x2014, 6]], 1), ([[0x2014, 6]], 40), (SOFAR, 1)])
async def test_more_is_heard_later(
    hass: HomeAssistant, line: OverheardLine, heard: list[list[int]], ratio: int
) -> None:
    """What the inverter did not ask for when it was set up is added within a minute, and so is another ratio."""
    entry = entry_for(hass, line.port, heard, facts={**FACTS, "ct_ratio": ratio})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert value(hass, "l1_power") == f"{310 * ratio:.1f}"
    counter = er.async_get(hass).async_get_entity_id("sensor", DOMAIN, "METER_import_energy_total")
    assert (counter is not None) is (heard == SOFAR)
    await hear_more(entry.runtime_data.link, 9)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=61))
    await hass.async_block_till_done(wait_background_tasks=True)
    (subentry,) = entry.subentries.values()
    assert subentry.data["heard"] == SOFAR
    assert subentry.data["identity"]["facts"] == FACTS
    assert status(entry) is ConfigEntryState.LOADED
    assert value(hass, "l1_power") == "12400.0"
    if heard != SOFAR:
        # A counter that is known already does not jump; it is believed when it stays there.
        assert value(hass, "import_energy_total") == "50020.0"


async def test_diagnostics_show_how_much_was_heard_and_understood(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """They say how much was heard and understood, and of what."""
    await hear_more(entry.runtime_data.link, 9)
    told = await async_get_config_entry_diagnostics(hass, entry)
    assert told["link"]["type"] == "listen"
    assert told["link"]["host"] == "**REDACTED**"
    statistics = told["link"]["statistics"]
    assert statistics["understood"] == 1.0
    assert statistics["exchanges"] > 2
    assert {
        (one["unit_id"], one["address"], one["count"]) for one in statistics["requests_heard"]
    } == {
        (1, 0x0006, 1),
        (1, 0x2014, 6),
        (1, 0x101E, 12),
    }


async def test_options_of_a_listener_are_intervals_only(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """There are intervals only: nothing can be changed at a meter that nobody asks."""
    form = await open_settings(hass, entry)
    assert form["step_id"] == "listen"
    assert [(str(key), key.default()) for key in form["data_schema"].schema] == [
        ("power_interval", 1),
        ("energy_interval", 10),
        ("settings_interval", 30),
    ]
    chosen = {"power_interval": 2, "energy_interval": 60, "settings_interval": 60}
    result = await hass.config_entries.options.async_configure(form["flow_id"], chosen)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert entry.options == chosen


# ---------------------------------------------------------------------- changing it


async def test_role_sign_and_ratio_change_and_heard_registers_stay(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Its role, its sign and the ratio can be changed; what was heard of it stays."""
    (subentry_id,) = entry.subentries
    form = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "meter"),
        context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry_id},
    )
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "heard_settings")
    assert [
        (str(key), (key.description or {}).get("suggested_value"))
        for key in form["data_schema"].schema
    ] == [("ct_ratio", 40), ("role", "grid"), ("inverted", False)]
    result = await answer(hass, form, {"ct_ratio": 30, "role": "load", "inverted": True})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    (subentry,) = entry.subentries.values()
    assert subentry.data["heard"] == SOFAR
    assert (subentry.data["role"], subentry.data["inverted"]) == ("load", True)
    assert subentry.data["identity"] == identity("METER", **{**FACTS, "ct_ratio": 30})
    # 3100 tenths of a watt, times 30, the other way round.
    assert value(hass, "l1_power") == "-9300.0"


async def test_listening_entry_moves_only_to_where_one_of_its_meters_is_heard(
    hass: HomeAssistant, line: OverheardLine, entry: MockConfigEntry
) -> None:
    """The entry can be moved to where one of its meters is heard, and to nowhere else."""
    polls = (Poll(0x151E, 6, unit=7),)
    async with overheard_line(holding(THREE_PHASE, units=(7,)), polls, period=PERIOD) as other:
        form = await hear(hass, await start(hass, entry), other.port)
        assert form["errors"] == {"base": "other_meters_heard"}
        assert status(entry) is ConfigEntryState.LOADED
    async with overheard_line(holding(THREE_PHASE), POLLS["sofar"], period=PERIOD) as other:
        result = await hear(hass, form, other.port)
        assert (result["type"], result["reason"]) == (
            FlowResultType.ABORT,
            "reconfigure_successful",
        )
        await hass.async_block_till_done(wait_background_tasks=True)
        assert entry.data == listen_data(other.port)
        assert status(entry) is ConfigEntryState.LOADED
        assert value(hass, "power") == "20920.0"
        await hass.config_entries.async_unload(entry.entry_id)
        assert other.statistics.bytes_from_clients == 0
