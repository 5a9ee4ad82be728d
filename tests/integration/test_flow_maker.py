"""What is asked of an inverter that does not tell it: who has made it, and whether it is one of an unknown type."""

from collections.abc import AsyncIterator
from typing import Any, Final
from unittest.mock import patch

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
)
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.find.identify import Identity
from custom_components.hybrid_inverter.modbus.transport.endpoint import Framing, TcpEndpoint
from simulator import SimulatedPlant

from .helpers import IDENTITY, SERIAL, add_unit, choose, entity, network_data, network_entry

# A three-phase machine of SAJ, of a type that nobody has published; it does not report its rated power.
UNKNOWN: Final = Identity(
    family="saj",
    serial="SAJSIM000000000001",
    manufacturer="SAJ",
    model="Hybrid xK (type 0x0130)",
    firmware=None,
    facts={"device_type": 0x0130},
    is_doubtful=True,
)
TOLD: Final = {"model": UNKNOWN.model, "serial": UNKNOWN.serial}


@pytest.fixture
async def line(socket_enabled: None) -> AsyncIterator[SimulatedPlant]:
    """Return two inverters on one line."""
    async with SimulatedPlant(units=(1, 2)) as plant:
        plant.advance(60)
        yield plant


@pytest.fixture
async def first(hass: HomeAssistant, few_entities: None, line: SimulatedPlant) -> MockConfigEntry:
    """Return the line with its first inverter set up."""
    entry = network_entry(line.tcp_port)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


async def begin(hass: HomeAssistant, port: int) -> dict[str, Any]:
    """Open the dialog, and send the form of a network link."""
    flow = hass.config_entries.flow
    result = dict(await flow.async_init(DOMAIN, context={"source": SOURCE_USER}))
    for answers in ({"next_step_id": "network"}, {"host": "127.0.0.1", "port": port}):
        result = dict(await flow.async_configure(result["flow_id"], answers))
    return result


async def go_on(
    hass: HomeAssistant, result: dict[str, Any], answers: dict[str, Any]
) -> dict[str, Any]:
    """Send a form of that dialog."""
    result = dict(await hass.config_entries.flow.async_configure(result["flow_id"], answers))
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


@pytest.mark.parametrize(
    ("answers", "manufacturer", "model", "title", "slug"),
    [
        # What is chosen already.
        ({}, "JUSTSTANDOUT", "JSO8048104", "JSO8048104", "jso8048104"),
        ({"maker": "deye"}, "Deye", "SUN-8K-SG04LP3", "SUN-8K-SG04LP3", "sun_8k_sg04lp3"),
        (
            {"maker": "sunsynk"},
            "Sunsynk",
            "SUNSYNK-8K-SG04LP3",
            "SUNSYNK-8K-SG04LP3",
            "sunsynk_8k_sg04lp3",
        ),
        ({"maker": "other"}, "", "Hybrid 8K (SG04LP3)", "Hybrid 8K", "hybrid_8k"),
    ],
)
@pytest.mark.usefixtures("few_entities")
async def test_an_inverter_and_its_entities_are_named_after_who_has_made_it(
    hass: HomeAssistant,
    line: SimulatedPlant,
    answers: dict[str, Any],
    manufacturer: str,
    model: str,
    title: str,
    slug: str,
) -> None:
    """It is asked before anything is saved, and never again."""
    form = await begin(hass, line.tcp_port)
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "maker")
    assert form["description_placeholders"] == {"serial": SERIAL}
    assert form["data_schema"]({}) == {"maker": "juststandout"}
    assert hass.config_entries.async_entries(DOMAIN) == []
    result = await go_on(hass, form, answers)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == f"{model} (127.0.0.1:{line.tcp_port})"
    entry: ConfigEntry = result["result"]
    (subentry,) = entry.subentries.values()
    assert subentry.title == title
    named = {**IDENTITY, "manufacturer": manufacturer, "model": model}
    assert subentry.data == {"unit_id": 1, "identity": named}
    assert entity(hass, Platform.BINARY_SENSOR, "problem") == f"binary_sensor.{slug}_problem"
    (device,) = dr.async_get(hass).async_get_devices(identifiers={(DOMAIN, SERIAL)})
    assert (device.manufacturer, device.model) == (manufacturer, model)
    # Moved to another port, it is still what its owner has said.
    menu = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
    form = await go_on(hass, dict(menu), {"next_step_id": "network"})
    moved = {"host": "127.0.0.1", "port": line.rtu_port, "framing": "rtu"}
    result = await go_on(hass, form, moved)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    (subentry,) = entry.subentries.values()
    assert subentry.data == {"unit_id": 1, "identity": named}
    assert entry.title == f"{model} (127.0.0.1:{line.rtu_port})"
    assert entry.state is ConfigEntryState.LOADED
    assert entity(hass, Platform.BINARY_SENSOR, "problem") == f"binary_sensor.{slug}_problem"


async def test_an_inverter_that_is_added_to_a_line_is_asked_about_too(
    hass: HomeAssistant, first: MockConfigEntry
) -> None:
    """Two of the same kind may be of different makers."""
    form = await choose(hass, await add_unit(hass, first, "inverter"), "unit_id")
    subentries = hass.config_entries.subentries
    form = dict(await subentries.async_configure(form["flow_id"], {"unit_id": 2}))
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "maker")
    assert form["description_placeholders"] == {"serial": "JSO0000002"}
    with pytest.raises(InvalidData):
        await subentries.async_configure(form["flow_id"], {"maker": "nobody"})
    result = await subentries.async_configure(form["flow_id"], {"maker": "deye"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    known, added = first.subentries.values()
    assert (known.title, known.data["identity"]) == ("JSO8048104", IDENTITY)
    assert added.title == "SUN-8K-SG04LP3"
    assert added.data["identity"]["manufacturer"] == "Deye"


async def test_whoever_sets_up_an_inverter_of_an_unknown_type_is_asked_whether_it_is_one(
    hass: HomeAssistant,
) -> None:
    """Then for what it does not report; nothing is kept before."""

    async def probe(host: str, port: int, _: int) -> tuple[TcpEndpoint, Identity]:
        return TcpEndpoint(host, port, Framing.TCP), UNKNOWN

    with (
        patch("custom_components.hybrid_inverter.flow.probe.probe_framings", probe),
        patch("custom_components.hybrid_inverter.async_setup_entry", return_value=True),
    ):
        form = await begin(hass, 502)
        assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "unknown_type")
        assert form["description_placeholders"] == TOLD
        assert hass.config_entries.async_entries(DOMAIN) == []
        form = await go_on(hass, form, {})
        assert form["step_id"] == "rated_power"
        result = await go_on(hass, form, {"rated_power": 10000})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    (subentry,) = result["result"].subentries.values()
    assert subentry.data["identity"] == {
        "family": "saj",
        "serial": "SAJSIM000000000001",
        "manufacturer": "SAJ",
        "model": "Hybrid 10K",
        "firmware": None,
        "facts": {"device_type": 0x0130, "rated_power": 10000},
        "features": [],
    }
    assert result["result"].data == network_data(502, host="127.0.0.1")


async def test_an_inverter_of_an_unknown_type_on_a_line(
    hass: HomeAssistant, first: MockConfigEntry
) -> None:
    """The same question, where another one is set up already."""

    async def ask(*_: object) -> Identity:
        return UNKNOWN

    form = await choose(hass, await add_unit(hass, first, "inverter"), "unit_id")
    subentries = hass.config_entries.subentries
    with patch("custom_components.hybrid_inverter.flow.machines.ask", ask):
        form = dict(await subentries.async_configure(form["flow_id"], {"unit_id": 2}))
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "unknown_type")
    assert form["description_placeholders"] == TOLD
    form = dict(await subentries.async_configure(form["flow_id"], {}))
    assert form["step_id"] == "rated_power"
    result = await subentries.async_configure(form["flow_id"], {"rated_power": 10000})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Hybrid 10K"
    await hass.async_block_till_done(wait_background_tasks=True)
