"""The dialogs: adding a link, moving it, its options, and every way in which that can fail."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_USER, ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData, section
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import voluptuous as vol

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.errors import WrongDeviceError
from custom_components.hybrid_inverter.modbus.find.identify import Identity
from custom_components.hybrid_inverter.modbus.find.probe import Failure, ProbeError
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.transport.link import (
    Endpoint,
    Framing,
    SerialEndpoint,
    TcpEndpoint,
)
from simulator import SimulatedPlant

from .helpers import (
    DTSU666,
    IDENTITY,
    link_entry,
    network_data,
    network_entry,
    open_settings,
    past_maker,
    state,
    status,
    unit_of,
)

NETWORK: Final = {
    "host": "192.0.2.10",
    "port": 4196,
    "framing": "rtu",
    "advanced": {"unit_id": 3},
}
SERIAL_PORT: Final = {
    "device": "/dev/serial/by-id/usb-rs485",
    "baudrate": 9600,
    "parity": "N",
    "stopbits": 1,
    "advanced": {"unit_id": 1},
}
# A machine of 90, an H2 of the series S2, whose register for the rated power says nothing.
SILENT_ABOUT_POWER: Final = Identity(
    family="saj",
    serial="SAJSIM000000000001",
    manufacturer="SAJ",
    model="H2-xK-S2",
    firmware="1.216 / 3.105 / 3.106",
    facts={"device_type": 90},
)
# What only sticks are the reason for; tried with them.
STICK_FAILURES: Final = {
    "only_at_commands",
    "no_local_port",
    "stick_busy",
    "other_stick",
    "no_inverter",
    "wrong_logger_serial",
    "no_logger_serial",
}
OTHER_MACHINE: Final = {**IDENTITY, "serial": "JSO0000099", "model": "SUN-12K-SG04LP3"}


@dataclass
class FakeProbe:
    """Stands in for the probe: what it was asked, and the answers it gives."""

    answer: Identity | Failure = field(default_factory=lambda: Identity(**IDENTITY))
    found: str = ""
    asked: list[tuple[Endpoint, int]] = field(default_factory=list)

    async def __call__(self, endpoint: Endpoint, unit_id: int) -> Identity:
        """Answer, or fail."""
        self.asked.append((endpoint, unit_id))
        if isinstance(self.answer, Failure):
            if self.answer is Failure.WRONG_DEVICE:
                raise ProbeError(self.answer, other=WrongDeviceError("string_inverter"))
            raise ProbeError(self.answer, self.found)
        return self.answer

    async def any_framing(self, host: str, port: int, unit_id: int) -> tuple[TcpEndpoint, Identity]:
        """Answer at once, or fail."""
        endpoint = TcpEndpoint(host, port, Framing.TCP)
        return endpoint, await self(endpoint, unit_id)


@pytest.fixture
def probe() -> Iterator[FakeProbe]:
    """Let no flow look for a machine."""
    fake = FakeProbe()
    module = "custom_components.hybrid_inverter.flow.probe"
    with patch(f"{module}.probe", fake), patch(f"{module}.probe_framings", fake.any_framing):
        yield fake


@pytest.fixture
def no_setup() -> Iterator[None]:
    """Keep entries from being set up."""
    with patch("custom_components.hybrid_inverter.async_setup_entry", return_value=True):
        yield


@pytest.fixture
async def elsewhere(socket_enabled: None) -> AsyncIterator[SimulatedPlant]:
    """Return the same machine at another address, on unit id 7."""
    async with SimulatedPlant(units=(7,), serial=True) as plant:
        plant.advance(60)
        yield plant


async def start(hass: HomeAssistant, link_type: str) -> dict[str, Any]:
    """Open the dialog and choose a type of link."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "user"
    assert result["menu_options"] == [
        *("network", "serial", "stick", "search", "listen", "plant"),
    ]
    return await submit(hass, dict(result), {"next_step_id": link_type})


async def reconfigure(
    hass: HomeAssistant, entry: MockConfigEntry, link_type: str
) -> dict[str, Any]:
    """Open the dialog that moves an entry and choose a type of link."""
    result = await entry.start_reconfigure_flow(hass)
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "reconfigure"
    assert result["menu_options"] == ["network", "serial", "stick"]
    return await submit(hass, dict(result), {"next_step_id": link_type})


async def submit(
    hass: HomeAssistant, result: dict[str, Any], user_input: dict[str, Any]
) -> dict[str, Any]:
    """Send a form, or choose from a menu."""
    flow = hass.config_entries.flow
    result = await past_maker(flow, await flow.async_configure(result["flow_id"], user_input))
    await hass.async_block_till_done()
    return result


def filled_in(schema: vol.Schema) -> dict[str, Any]:
    """Return what a form shows before anybody has typed: suggested values, else defaults."""
    shown = {}
    for key, value in schema.schema.items():
        if isinstance(value, section):
            shown[str(key)] = filled_in(value.schema)
        elif key.description:
            shown[str(key)] = key.description["suggested_value"]
        elif not isinstance(key.default, vol.Undefined):
            shown[str(key)] = key.default()
    return shown


# ---------------------------------------------------------------------- adding


@pytest.mark.usefixtures("no_setup")
async def test_network_entry_and_its_subentry_are_stored_as_they_always_are(
    hass: HomeAssistant, probe: FakeProbe
) -> None:
    """The entry is the link, its subentry the machine; everything is as it is stored for ever."""
    form = await start(hass, "network")
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "network"
    assert form["errors"] == {}
    assert filled_in(form["data_schema"]) == {
        "port": 502,
        "framing": "find_out",
        "advanced": {"unit_id": 1},
    }
    result = await submit(hass, form, NETWORK)
    assert probe.asked == [(TcpEndpoint("192.0.2.10", 4196, Framing.RTU), 3)]
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "JSO8048104 (192.0.2.10:4196)"
    assert result["description_placeholders"] == {"model": "JSO8048104", "serial": "JSO0000001"}
    assert result["data"] == {
        "type": "network",
        "host": "192.0.2.10",
        "port": 4196,
        "framing": "rtu",
    }
    (subentry,) = result["result"].subentries.values()
    assert subentry.subentry_type == "inverter"
    assert subentry.title == "JSO8048104"
    assert subentry.unique_id == "JSO0000001"
    assert subentry.data == {
        "unit_id": 3,
        "identity": {
            "family": "jso",
            "serial": "JSO0000001",
            "manufacturer": "JUSTSTANDOUT",
            "model": "JSO8048104",
            "firmware": "2011-1144-1805 / 1001-C036",
            "facts": {"rated_power": 8000, "mppt_count": 2, "phase_count": 3},
            "features": [],
        },
    }


@pytest.mark.usefixtures("no_setup")
async def test_serial_entry_and_its_subentry_are_stored_as_they_always_are(
    hass: HomeAssistant, probe: FakeProbe
) -> None:
    """The same over a serial port."""
    form = await start(hass, "serial")
    assert form["step_id"] == "serial"
    assert filled_in(form["data_schema"]) == {
        "baudrate": 9600,
        "parity": "N",
        "stopbits": 1,
        "advanced": {"unit_id": 1},
    }
    result = await submit(hass, form, SERIAL_PORT)
    assert probe.asked == [(SerialEndpoint("/dev/serial/by-id/usb-rs485", 9600, "N", 1), 1)]
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "JSO8048104 (/dev/serial/by-id/usb-rs485)"
    assert result["data"] == {
        "type": "serial",
        "device": "/dev/serial/by-id/usb-rs485",
        "baudrate": 9600,
        "parity": "N",
        "stopbits": 1,
    }
    (subentry,) = result["result"].subentries.values()
    assert subentry.data["unit_id"] == 1


@pytest.mark.usefixtures("no_setup")
@pytest.mark.parametrize(
    ("typed", "host", "port"),
    [
        (" Inverter.LOCAL ", "inverter.local", 502),
        ("192.0.2. 10", "192.0.2.10", 502),
        ("192.0.2.10:4196", "192.0.2.10", 4196),
        ("tcp://192.0.2.10:4196/", "192.0.2.10", 4196),
        ("http://192.0.2.10/index.html", "192.0.2.10", 502),
        # The port of a web page is not the one for Modbus.
        ("https://admin@192.0.2.10:8443", "192.0.2.10", 502),
        ("[2001:db8::10]:4196", "2001:db8::10", 4196),
        ("[2001:DB8::10]", "2001:db8::10", 502),
        ("2001:db8::10", "2001:db8::10", 502),
        ("192.0.2.10:", "192.0.2.10", 502),
        ("192.0.2.10:70000", "192.0.2.10", 502),
    ],
)
@pytest.mark.usefixtures("no_setup")
async def test_a_host_is_one_however_it_is_typed(
    hass: HomeAssistant, probe: FakeProbe, typed: str, host: str, port: int
) -> None:
    """Blanks, capitals, what a browser shows, and a port do not make another endpoint."""
    result = await submit(hass, await start(hass, "network"), {"host": typed})
    assert (result["data"]["host"], result["data"]["port"]) == (host, port)


async def test_no_host_is_not_this_computer(hass: HomeAssistant, probe: FakeProbe) -> None:
    """An empty name would be one of this computer."""
    result = await submit(hass, await start(hass, "network"), {"host": " http:// "})
    assert result["errors"] == {"host": "no_host"}
    assert probe.asked == []


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("framing", ["tcp", "rtu"])
async def test_network_link_is_set_up_over_a_real_socket(
    hass: HomeAssistant, plant: SimulatedPlant, framing: str
) -> None:
    """From the dialog to a running entry, over a socket."""
    form = await start(hass, "network")
    port = plant.tcp_port if framing == "tcp" else plant.rtu_port
    result = await submit(hass, form, {"host": "127.0.0.1", "port": port, "framing": framing})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == network_data(port, framing)
    (subentry,) = result["result"].subentries.values()
    assert subentry.data == {"unit_id": 1, "identity": IDENTITY}
    assert result["result"].state is ConfigEntryState.LOADED
    assert hass.states.get("sensor.jso8048104_battery_soc").state == "60"  # type: ignore[union-attr]


async def test_serial_link_is_set_up_over_a_pseudo_terminal(
    hass: HomeAssistant, elsewhere: SimulatedPlant
) -> None:
    """From the dialog to a running entry, over a pseudo terminal."""
    form = await start(hass, "serial")
    result = await submit(
        hass, form, {"device": elsewhere.serial_device, "advanced": {"unit_id": 7}}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].state is ConfigEntryState.LOADED
    assert hass.states.get("sensor.jso8048104_battery_soc").state == "60"  # type: ignore[union-attr]


@pytest.mark.usefixtures("no_setup")
async def test_the_contract_of_the_api(
    hass: HomeAssistant, probe: FakeProbe, socket_enabled: None, hass_client: ClientSessionGenerator
) -> None:
    """Other programs use these names; what they leave out has the defaults of the form."""
    for component in ("config", "usb"):
        assert await async_setup_component(hass, component, {})
    client = await hass_client()
    path = "/api/config/config_entries/flow"

    async def post(flow: str, body: dict[str, Any]) -> dict[str, Any]:
        response = await client.post(f"{path}{flow}", json=body)
        assert response.status == HTTPStatus.OK, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer

    async def add(link_type: str, body: dict[str, Any]) -> dict[str, Any]:
        menu = await post("", {"handler": "hybrid_inverter"})
        assert (menu["type"], menu["step_id"]) == ("menu", "user")
        assert menu["menu_options"] == [
            *("network", "serial", "stick", "search", "listen", "plant"),
        ]
        form = await post(f"/{menu['flow_id']}", {"next_step_id": link_type})
        assert (form["type"], form["step_id"]) == ("form", link_type)
        assert {field["name"] for field in form["data_schema"]} >= body.keys()
        return await post(f"/{form['flow_id']}", body)

    probe.answer = Identity(**IDENTITY)
    assert (await add("network", {"host": "gateway.local"}))["type"] == "create_entry"
    probe.answer = Identity(**{**IDENTITY, "serial": "2"})
    body: dict[str, Any] = {
        "host": "gateway.local",
        "port": 4196,
        "framing": "rtu",
        "advanced": {"unit_id": 2},
    }
    assert (await add("network", body))["type"] == "create_entry"
    probe.answer = Identity(**{**IDENTITY, "serial": "3"})
    assert (await add("serial", {"device": "/dev/ttyUSB0", "advanced": {}}))[
        "type"
    ] == "create_entry"
    probe.answer = Identity(**{**IDENTITY, "serial": "4"})
    body = {
        "device": "/dev/ttyUSB1",
        "baudrate": 19200,
        "parity": "E",
        "stopbits": 2,
        "advanced": {"unit_id": 4},
    }
    assert (await add("serial", body))["type"] == "create_entry"
    assert probe.asked == [
        (TcpEndpoint("gateway.local", 502, Framing.TCP), 1),
        (TcpEndpoint("gateway.local", 4196, Framing.RTU), 2),
        (SerialEndpoint("/dev/ttyUSB0", 9600, "N", 1), 1),
        (SerialEndpoint("/dev/ttyUSB1", 19200, "E", 2), 4),
    ]


@pytest.mark.parametrize(
    ("link_type", "user_input"),
    [
        ("network", {**NETWORK, "port": 0}),
        ("network", {**NETWORK, "port": 65536}),
        ("network", {**NETWORK, "framing": "ascii"}),
        ("network", {**NETWORK, "advanced": {"unit_id": 0}}),
        ("network", {**NETWORK, "advanced": {"unit_id": 248}}),
        ("network", {"port": 502}),
        ("serial", {**SERIAL_PORT, "parity": "M"}),
        ("serial", {**SERIAL_PORT, "stopbits": 3}),
        ("serial", {**SERIAL_PORT, "baudrate": 0}),
    ],
)
async def test_form_rejects_input_that_cannot_make_a_link(
    hass: HomeAssistant, probe: FakeProbe, link_type: str, user_input: dict[str, Any]
) -> None:
    """What no link can be made of is refused by the form."""
    form = await start(hass, link_type)
    with pytest.raises(InvalidData):
        await submit(hass, form, user_input)
    assert probe.asked == []


# ---------------------------------------------------------------------- failing, and going on


@pytest.mark.usefixtures("no_setup")
@pytest.mark.parametrize(
    ("link_type", "failure", "found", "error"),
    [
        ("network", Failure.UNRESOLVED, "", "name_not_resolved"),
        ("network", Failure.REFUSED, "", "connection_refused"),
        ("serial", Failure.BUSY, "", "port_busy"),
        ("network", Failure.UNREACHABLE, "timed out", "cannot_connect"),
        ("network", Failure.NO_ANSWER, "", "no_answer"),
        ("network", Failure.HUNG_UP, "", "hung_up"),
        ("network", Failure.WEB_PAGE, "", "web_page"),
        ("serial", Failure.DEVICE_BUSY, "6", "device_busy"),
        ("network", Failure.WRONG_FRAMING, "Modbus TCP", "wrong_framing"),
        ("network", Failure.WRONG_UNIT, "4, 11", "wrong_unit"),
        ("serial", Failure.WRONG_DEVICE, "a string inverter", "wrong_device"),
    ],
)
async def test_each_failure_has_a_message_and_the_next_try_succeeds(
    hass: HomeAssistant,
    *,
    probe: FakeProbe,
    link_type: str,
    failure: Failure,
    found: str,
    error: str,
) -> None:
    """Each failure is a message of its own, the form keeps what was typed, and the next try succeeds."""
    user_input = NETWORK if link_type == "network" else SERIAL_PORT
    form = await start(hass, link_type)
    probe.answer, probe.found = failure, found
    result = await submit(hass, form, user_input)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == link_type
    assert result["errors"] == {"base": error}
    unit_id = str(user_input["advanced"]["unit_id"])  # type: ignore[index]
    assert result["description_placeholders"] == {"found": found, "unit_id": unit_id}
    assert filled_in(result["data_schema"]) == user_input
    assert hass.config_entries.async_entries(DOMAIN) == []
    probe.answer = Identity(**IDENTITY)
    result = await submit(hass, result, user_input)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("no_setup")
async def test_a_port_of_a_serial_proxy(hass: HomeAssistant, probe: FakeProbe) -> None:
    """The selector offers ports that only Home Assistant's own serial library can open; what may be a secret is not shown."""
    device = "esphome://192.0.2.10:6053/?port_name=RS485&key=secret"
    proxy = {**SERIAL_PORT, "device": device}
    result = await submit(hass, await start(hass, "serial"), proxy)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert probe.asked == [(SerialEndpoint(device, 9600), 1)]
    assert result["title"] == "JSO8048104 (esphome://192.0.2.10:6053/)"
    assert result["data"]["device"] == device


def test_all_failures_are_tried() -> None:
    """A new failure needs a line above, or one with the sticks, and a message."""
    assert {failure.value for failure in Failure} == {
        "name_not_resolved",
        "connection_refused",
        "port_busy",
        "cannot_connect",
        "no_answer",
        "hung_up",
        "web_page",
        "device_busy",
        "wrong_framing",
        "wrong_unit",
        "wrong_device",
        *STICK_FAILURES,
    }


async def test_dialog_recovers_from_one_mistake_after_the_other(
    hass: HomeAssistant, plant: SimulatedPlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One dialog from mistake to mistake to a running entry, over sockets."""
    monkeypatch.setattr("custom_components.hybrid_inverter.modbus.find.probe.PROBE_TIMEOUT", 0.2)
    form = await start(hass, "network")
    right = {"host": "127.0.0.1", "port": plant.tcp_port, "framing": "tcp"}

    result = await submit(hass, form, {**right, "port": 1})
    assert result["errors"] == {"base": "connection_refused"}
    result = await submit(hass, result, {**right, "port": plant.rtu_port})
    assert result["errors"] == {"base": "wrong_framing"}
    assert result["description_placeholders"] == {"found": "RTU over TCP", "unit_id": "1"}
    plant.machine().panel_change(0, 3)
    result = await submit(hass, result, right)
    assert result["errors"] == {"base": "wrong_device"}
    assert result["description_placeholders"] == {
        "found": "a single-phase hybrid inverter",
        "unit_id": "1",
    }
    # What answers is offered, and may turn out to be nothing that can be used, or to have another unit id by now.
    result = await submit(hass, result, {**right, "advanced": {"unit_id": 9}})
    assert (result["step_id"], result["errors"]) == ("unit", {})
    assert offered_units(result) == {"1": "1: not identified"}
    result = await submit(hass, result, {"unit_id": "1"})
    assert (result["step_id"], result["errors"]) == ("unit", {"base": "wrong_device"})
    plant.machine().panel_change(0, 5)
    plant.machines[7] = plant.machines.pop(1)
    result = await submit(hass, result, {"unit_id": "1"})
    assert (result["step_id"], result["errors"]) == ("unit", {"base": "wrong_unit"})
    assert result["description_placeholders"] == {"found": "7", "unit_id": "1"}
    assert offered_units(result) == {"7": "7: JUSTSTANDOUT JSO8048104 (inverter)"}
    result = await submit(hass, result, {"unit_id": "7"})
    (subentry,) = result["result"].subentries.values()
    assert subentry.data["unit_id"] == 7
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].state is ConfigEntryState.LOADED


def offered_units(result: dict[str, Any]) -> dict[str, str]:
    """Return what is offered where other unit ids answer."""
    options = result["data_schema"].schema["unit_id"].config["options"]
    return {option["value"]: option["label"] for option in options}


@pytest.mark.parametrize("unit_id", [1, 3])
async def test_framing_and_unit_id_are_found_out(
    hass: HomeAssistant,
    socket_enabled: None,
    monkeypatch: pytest.MonkeyPatch,
    unit_id: int,
) -> None:
    """A gateway that passes the bytes on, with a device that has a unit id of its own: nothing is typed but the address."""
    for name, seconds in (("PROBE_TIMEOUT", 0.2), ("SCAN_TIMEOUT", 0.05)):
        monkeypatch.setattr(f"custom_components.hybrid_inverter.modbus.find.probe.{name}", seconds)
    async with SimulatedPlant(units=(unit_id,)) as plant:
        plant.advance(60)
        address = {"host": f"127.0.0.1:{plant.rtu_port}"}
        result = await submit(hass, await start(hass, "network"), address)
        if unit_id != 1:
            assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "unit")
            assert offered_units(result) == {"3": "3: JUSTSTANDOUT JSO8048104 (inverter)"}
            assert result["description_placeholders"] == {"unit_id": "1", "found": "3"}
            result = await submit(hass, result, {"unit_id": "3"})
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert result["data"] == network_data(plant.rtu_port, "rtu")
        (subentry,) = result["result"].subentries.values()
        assert subentry.data["unit_id"] == unit_id


async def test_nobody_behind_the_gateway(hass: HomeAssistant, socket_enabled: None) -> None:
    """A gateway that reports every unit id as absent, from 1 to 16."""
    async with SimulatedPlant(units=(40,)) as plant:
        form = await start(hass, "network")
        result = await submit(hass, form, {"host": "127.0.0.1", "port": plant.tcp_port})
        assert result["errors"] == {"base": "no_answer"}
        assert plant.tcp.statistics.exceptions[11] >= 16


@pytest.mark.usefixtures("no_setup")
@pytest.mark.parametrize(
    ("link_type", "user_input"),
    [
        ("network", NETWORK),
        # The same socket cannot be two links, whatever is spoken over it.
        ("network", {**NETWORK, "framing": "tcp", "advanced": {"unit_id": 9}}),
        ("serial", SERIAL_PORT),
        ("serial", {**SERIAL_PORT, "baudrate": 19200}),
    ],
)
async def test_link_that_is_already_set_up_is_not_opened_again(
    hass: HomeAssistant, probe: FakeProbe, link_type: str, user_input: dict[str, Any]
) -> None:
    """A link that is set up is not even tried: the running entry holds it."""
    form = await start(hass, link_type)
    await submit(hass, form, NETWORK if link_type == "network" else SERIAL_PORT)
    probe.asked.clear()
    form = await start(hass, link_type)
    result = await submit(hass, form, user_input)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert probe.asked == []
    assert len(hass.config_entries.async_entries(DOMAIN)) == 1


@pytest.mark.usefixtures("no_setup")
async def test_inverter_on_another_link_is_recognised_as_already_set_up(
    hass: HomeAssistant, probe: FakeProbe
) -> None:
    """Over another link it is still the same machine; another machine is welcome."""
    await submit(hass, await start(hass, "network"), NETWORK)
    result = await submit(hass, await start(hass, "serial"), SERIAL_PORT)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "machine_already_configured"
    assert result["description_placeholders"] == {
        "model": "JSO8048104",
        "entry": "JSO8048104 (192.0.2.10:4196)",
    }
    probe.answer = Identity(**OTHER_MACHINE)
    result = await submit(hass, await start(hass, "serial"), SERIAL_PORT)
    assert result["type"] is FlowResultType.CREATE_ENTRY


# ---------------------------------------------------------------------- a rated power that is not told


@pytest.mark.usefixtures("no_setup")
async def test_rated_power_is_asked_for(hass: HomeAssistant, probe: FakeProbe) -> None:
    """The answer bounds the settings, and is in the model's name; nothing is kept before."""
    probe.answer = SILENT_ABOUT_POWER
    form = await submit(hass, await start(hass, "network"), NETWORK)
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "rated_power"
    assert form["description_placeholders"] == {
        "model": "H2-xK-S2",
        "serial": "SAJSIM000000000001",
        "low": "1000",
        "high": "60000",
    }
    assert filled_in(form["data_schema"]) == {}
    offered = [
        option["value"] for option in form["data_schema"].schema["rated_power"].config["options"]
    ]
    assert offered[:4] == ["3000", "3600", "4000", "5000"]
    assert offered[-1] == "30000"
    assert hass.config_entries.async_entries(DOMAIN) == []
    result = await submit(hass, form, {"rated_power": 6000})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "H2-6K-S2 (192.0.2.10:4196)"
    assert result["data"] == {
        "type": "network",
        "host": "192.0.2.10",
        "port": 4196,
        "framing": "rtu",
    }
    (subentry,) = result["result"].subentries.values()
    assert subentry.title == "H2-6K-S2"
    assert subentry.data["unit_id"] == 3
    identity = subentry.data["identity"]
    assert identity["model"] == "H2-6K-S2"
    assert identity["manufacturer"] == "SAJ"
    assert identity["facts"] == {"rated_power": 6000, "device_type": 90}


@pytest.mark.usefixtures("no_setup")
async def test_rated_power_has_bounds_and_is_typed_as_people_do(
    hass: HomeAssistant, probe: FakeProbe
) -> None:
    """A family is built with some rated powers only; 6 is not 6 kW."""
    probe.answer = SILENT_ABOUT_POWER
    form = await submit(hass, await start(hass, "network"), NETWORK)
    for typed in (0, 999, 60001, "6", "60.1 kW", "six"):
        form = await submit(hass, form, {"rated_power": typed})
        assert (form["step_id"], form["errors"]) == (
            "rated_power",
            {"rated_power": "no_rated_power"},
        )
    result = await submit(hass, form, {"rated_power": "3,68 kW"})
    (subentry,) = result["result"].subentries.values()
    assert subentry.data["identity"]["facts"]["rated_power"] == 3680


@pytest.mark.usefixtures("no_setup")
async def test_a_known_machine_is_not_asked_about(hass: HomeAssistant, probe: FakeProbe) -> None:
    """One that is set up already is refused before a person has looked at its type plate."""
    link_entry(network_data(502), {1: "SAJSIM000000000001"}).add_to_hass(hass)
    probe.answer = SILENT_ABOUT_POWER
    result = await submit(hass, await start(hass, "network"), NETWORK)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "machine_already_configured"


async def test_rated_power_is_asked_for_when_moved(
    hass: HomeAssistant, loaded: MockConfigEntry, probe: FakeProbe
) -> None:
    """With the former answer; while the dialog waits, or when it is left, the entry runs as it was."""
    probe.answer = replace(
        Identity(**IDENTITY), facts={"mppt_count": 2, "phase_count": 3}, model="SUN-xK-SG04LP3"
    )
    form = await reconfigure(hass, loaded, "network")
    form = await submit(hass, form, {"host": "127.0.0.1", "port": loaded.data["port"]})
    assert form["step_id"] == "rated_power"
    assert filled_in(form["data_schema"]) == {"rated_power": "8000"}
    assert status(loaded) is ConfigEntryState.LOADED
    result = await submit(hass, form, {"rated_power": 12000})
    assert result["reason"] == "reconfigure_successful"
    assert status(loaded) is ConfigEntryState.LOADED
    assert unit_of(loaded).identity.facts["rated_power"] == 12000


# ---------------------------------------------------------------------- moving


async def test_same_inverter_at_another_address_keeps_entities_and_history(
    hass: HomeAssistant, loaded: MockConfigEntry, elsewhere: SimulatedPlant
) -> None:
    """The same machine at another address and unit id: entities and history stay."""
    (subentry_id,) = loaded.subentries
    before = {
        known.entity_id: known.id
        for known in er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
    }
    form = await reconfigure(hass, loaded, "network")
    result = await submit(
        hass,
        form,
        {"host": "127.0.0.1", "port": elsewhere.tcp_port, "advanced": {"unit_id": 7}},
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert loaded.data == network_data(elsewhere.tcp_port)
    assert list(loaded.subentries) == [subentry_id]
    assert loaded.subentries[subentry_id].data == {"unit_id": 7, "identity": IDENTITY}
    assert loaded.state is ConfigEntryState.LOADED
    after = {
        known.entity_id: known.id
        for known in er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
    }
    assert after == before
    assert unit_of(loaded).unit_id == 7
    assert elsewhere.tcp.statistics.requests > 0
    assert state(hass, Platform.SENSOR, "battery_soc").state == "60"


async def test_moved_to_a_serial_port(
    hass: HomeAssistant, loaded: MockConfigEntry, elsewhere: SimulatedPlant
) -> None:
    """The type of the link may change; nothing of the old one is left in the data."""
    form = await reconfigure(hass, loaded, "serial")
    # Another type than the entry's: nothing to fill in.
    assert "device" not in filled_in(form["data_schema"])
    result = await submit(
        hass, form, {"device": elsewhere.serial_device, "advanced": {"unit_id": 7}}
    )
    assert result["reason"] == "reconfigure_successful"
    assert loaded.data == {
        "type": "serial",
        "device": elsewhere.serial_device,
        "baudrate": 9600,
        "parity": "N",
        "stopbits": 1,
    }
    assert loaded.state is ConfigEntryState.LOADED
    assert loaded.title == f"JSO8048104 ({elsewhere.serial_device})"
    assert state(hass, Platform.SENSOR, "battery_soc").state == "60"


@pytest.mark.usefixtures("no_setup")
async def test_a_second_machine_of_the_model(hass: HomeAssistant, probe: FakeProbe) -> None:
    """It is told from the first by the end of its serial number."""
    link_entry(network_data(502, host="192.0.2.11"), {1: "JSO0000002"}).add_to_hass(hass)
    form = await start(hass, "network")
    result = await submit(hass, form, {"host": "192.0.2.10"})
    (subentry,) = result["result"].subentries.values()
    assert subentry.title == "JSO8048104 0001"


async def test_a_name_that_a_person_gave_stays(
    hass: HomeAssistant, loaded: MockConfigEntry, elsewhere: SimulatedPlant
) -> None:
    """Only the name that we gave follows the address."""
    hass.config_entries.async_update_entry(loaded, title="Cellar")
    form = await reconfigure(hass, loaded, "serial")
    await submit(hass, form, {"device": elsewhere.serial_device, "advanced": {"unit_id": 7}})
    assert loaded.title == "Cellar"


async def test_form_shows_how_it_is(hass: HomeAssistant, probe: FakeProbe) -> None:
    """A person sees the current settings, and changes one."""
    entry = network_entry(4196, unit_id=3)
    entry.add_to_hass(hass)
    form = await reconfigure(hass, entry, "network")
    assert form["step_id"] == "network"
    assert filled_in(form["data_schema"]) == {
        "host": "127.0.0.1",
        "port": 4196,
        "framing": "tcp",
        "advanced": {"unit_id": 3},
    }


@pytest.mark.usefixtures("no_setup")
async def test_same_link_other_settings(hass: HomeAssistant, probe: FakeProbe) -> None:
    """The entry's own address is not in its own way, and what the machine now says is kept."""
    entry = network_entry(4196)
    entry.add_to_hass(hass)
    probe.answer = Identity(**{**IDENTITY, "firmware": "2011-1144-1900 1001-C036"})
    form = await reconfigure(hass, entry, "network")
    result = await submit(hass, form, {"host": "127.0.0.1", "port": 4196, "framing": "rtu"})
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["framing"] == "rtu"
    (subentry,) = entry.subentries.values()
    assert subentry.data["identity"]["firmware"] == "2011-1144-1900 1001-C036"


@pytest.mark.usefixtures("no_setup")
async def test_a_part_that_is_silent_during_a_move_stays(
    hass: HomeAssistant, probe: FakeProbe
) -> None:
    """And one that answers for the first time is there, too."""
    entry = network_entry(4196)
    entry.add_to_hass(hass)
    (subentry,) = entry.subentries.values()
    identity = {**subentry.data["identity"], "features": ["pack_1", "packs"]}
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, "identity": identity}
    )
    probe.answer = Identity(**{**IDENTITY, "features": ("meter", "packs")})
    form = await reconfigure(hass, entry, "network")
    result = await submit(hass, form, {"host": "127.0.0.1", "port": 4197, "framing": "rtu"})
    assert result["reason"] == "reconfigure_successful"
    (subentry,) = entry.subentries.values()
    assert subentry.data["identity"]["features"] == ["meter", "pack_1", "packs"]


async def test_another_machine_is_refused(
    hass: HomeAssistant, loaded: MockConfigEntry, socket_enabled: None
) -> None:
    """Its values would go into the wrong history. The entry runs on as it was."""
    before = dict(loaded.data)
    async with SimulatedPlant(serial_number="JSO0000099") as other:
        form = await reconfigure(hass, loaded, "network")
        result = await submit(hass, form, {"host": "127.0.0.1", "port": other.tcp_port})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "another_machine"
    assert result["description_placeholders"] == {"model": "JSO8048104", "found": "JSO8048104"}
    assert loaded.data == before
    assert loaded.state is ConfigEntryState.LOADED
    assert state(hass, Platform.SENSOR, "battery_soc").state == "60"


async def test_failed_move_then_success(
    hass: HomeAssistant, loaded: MockConfigEntry, elsewhere: SimulatedPlant
) -> None:
    """After a failure the entry runs on as it was, and the same dialog can still succeed."""
    before = dict(loaded.data)
    form = await reconfigure(hass, loaded, "network")
    result = await submit(hass, form, {"host": "127.0.0.1", "port": 1})
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": "connection_refused"}
    assert loaded.state is ConfigEntryState.LOADED
    assert loaded.data == before
    result = await submit(
        hass,
        result,
        {"host": "127.0.0.1", "port": elsewhere.tcp_port, "advanced": {"unit_id": 7}},
    )
    assert result["reason"] == "reconfigure_successful"
    assert loaded.data["port"] == elsewhere.tcp_port
    assert loaded.state is ConfigEntryState.LOADED


async def test_the_line_is_free_while_it_is_tried(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """A gateway that serves one client would refuse the second one: ours."""
    seen: list[ConfigEntryState] = []

    async def look(_endpoint: Endpoint, _unit_id: int) -> Identity:
        seen.append(loaded.state)
        return Identity(**IDENTITY)

    with patch("custom_components.hybrid_inverter.flow.probe.probe", look):
        form = await reconfigure(hass, loaded, "network")
        result = await submit(
            hass, form, {"host": "127.0.0.1", "port": loaded.data["port"], "framing": "tcp"}
        )
    assert result["reason"] == "reconfigure_successful"
    assert seen == [ConfigEntryState.NOT_LOADED]
    assert loaded.state is ConfigEntryState.LOADED


async def test_moved_while_it_is_retried(
    hass: HomeAssistant, plant: SimulatedPlant, elsewhere: SimulatedPlant
) -> None:
    """The gateway got another address: the entry waits for the old one, until somebody says so."""
    entry = network_entry(1)
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert status(entry) is ConfigEntryState.SETUP_RETRY
    form = await reconfigure(hass, entry, "network")
    result = await submit(hass, form, {"host": "127.0.0.1", "port": 2})
    assert result["errors"] == {"base": "connection_refused"}
    assert status(entry) is ConfigEntryState.SETUP_RETRY
    result = await submit(hass, result, {"host": "127.0.0.1", "port": plant.tcp_port})
    assert result["reason"] == "reconfigure_successful"
    assert status(entry) is ConfigEntryState.LOADED


async def test_moving_an_entry_that_is_switched_off(hass: HomeAssistant, probe: FakeProbe) -> None:
    """A failure does not switch it on."""
    entry = network_entry(4196)
    entry.add_to_hass(hass)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    form = await reconfigure(hass, entry, "network")
    probe.answer = Failure.UNREACHABLE
    result = await submit(hass, form, {"host": "127.0.0.1"})
    assert result["errors"] == {"base": "cannot_connect"}
    assert status(entry) is ConfigEntryState.NOT_LOADED


@pytest.mark.usefixtures("no_setup")
async def test_moved_to_the_link_of_another_entry(hass: HomeAssistant, probe: FakeProbe) -> None:
    """Two entries cannot share one address."""
    network_entry(4196, serial="JSO0000099").add_to_hass(hass)
    entry = network_entry(502)
    entry.add_to_hass(hass)
    form = await reconfigure(hass, entry, "network")
    result = await submit(hass, form, {"host": "127.0.0.1", "port": 4196, "framing": "rtu"})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert probe.asked == []


async def test_moving_an_entry_without_a_machine(hass: HomeAssistant) -> None:
    """Somebody deleted the subentry: there is nothing left to move."""
    entry = network_entry(502)
    entry.add_to_hass(hass)
    (subentry_id,) = entry.subentries
    hass.config_entries.async_remove_subentry(entry, subentry_id)
    result = await entry.start_reconfigure_flow(hass)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "no_machine"


# ---------------------------------------------------------------------- options


async def test_options_are_in_force_after_the_dialog_closes(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Intervals and tier, in force after the dialog closes."""
    result = await open_settings(hass, loaded)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "settings"
    assert filled_in(result["data_schema"]) == {  # type: ignore[arg-type]
        "power_interval": 5,
        "energy_interval": 60,
        "settings_interval": 300,
        "tier": "everyday",
        # Surplus flows into the grid.
        "may_sell_from_battery": True,
    }
    options = {
        "power_interval": 1,
        "energy_interval": 30,
        "settings_interval": 120,
        "tier": "read_only",
    }
    old = unit_of(loaded)
    result = await hass.config_entries.options.async_configure(result["flow_id"], options)
    await hass.async_block_till_done()
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert loaded.options == options
    assert loaded.state is ConfigEntryState.LOADED
    unit = unit_of(loaded)
    assert unit is not old
    assert unit.device.tier == "read_only"
    intervals = {group: coordinator.interval for group, coordinator in unit.coordinators.items()}
    assert intervals == {
        "power": 1,
        "faults": 15,
        "energy": 30,
        "settings": 120,
        "identity": 86400,
    }
    # The next time the form shows what was chosen.
    result = await open_settings(hass, loaded)
    shown = filled_in(result["data_schema"])  # type: ignore[arg-type]
    assert shown == options | {"may_sell_from_battery": True}


async def test_what_orders_may_do_is_chosen_or_follows_the_inverter(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """A permission that was left as it is shown is not kept; one that was changed is, and so is the most of a tariff."""
    polling = {
        "power_interval": 5,
        "energy_interval": 60,
        "settings_interval": 300,
        "tier": "everyday",
    }

    async def answer(**chosen: Any) -> dict[str, Any]:
        """Send the form, and return what it shows the next time."""
        form = await open_settings(hass, loaded)
        await hass.config_entries.options.async_configure(form["flow_id"], polling | chosen)
        await hass.async_block_till_done(wait_background_tasks=True)
        form = await open_settings(hass, loaded)
        return filled_in(form["data_schema"])  # type: ignore[arg-type]

    assert (await answer(may_sell_from_battery=True))["may_sell_from_battery"] is True
    assert loaded.options == polling
    # Neither by the switch nor by the mode does anything flow.
    plant.machine().panel_change(145, 0)
    await unit_of(loaded).coordinators[Group.SETTINGS].async_refresh()
    shown = await answer(may_sell_from_battery=False, maximum_import=4200)
    assert (shown["may_sell_from_battery"], shown["maximum_import"]) == (False, 4200)
    assert loaded.options == polling | {"maximum_import": 4200}
    shown = await answer(may_sell_from_battery=True)
    assert shown == polling | {"may_sell_from_battery": True}
    assert loaded.options == polling | {"may_sell_from_battery": True}


async def test_a_line_without_an_inverter_is_not_asked_what_orders_may_do(
    hass: HomeAssistant,
) -> None:
    """A meter has no battery."""
    identity = {**DTSU666, "serial": "METER"}
    entry = MockConfigEntry(
        domain=DOMAIN,
        data=network_data(502),
        subentries_data=[
            {
                "data": {"unit_id": 11, "identity": identity, "role": "grid", "inverted": False},
                "subentry_type": "meter",
                "title": "DTSU666",
                "unique_id": "METER",
            }
        ],
    )
    entry.add_to_hass(hass)
    form = await open_settings(hass, entry)
    assert filled_in(form["data_schema"]).keys() == {  # type: ignore[arg-type]
        *("power_interval", "energy_interval", "settings_interval", "tier")
    }


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("power_interval", 0),
        ("power_interval", 61),
        ("energy_interval", 9),
        ("energy_interval", 3601),
        ("settings_interval", 29),
        ("settings_interval", 3601),
        ("tier", "factory"),
        ("maximum_import", 499),
        ("maximum_import", 100_001),
    ],
)
async def test_options_are_limited_to_a_second_and_exclude_grid_codes(
    hass: HomeAssistant, option: str, value: int | str
) -> None:
    """The bus has room for one reading a second, and grid codes are nobody's option."""
    entry = network_entry(502)
    entry.add_to_hass(hass)
    result = await open_settings(hass, entry)
    with pytest.raises(InvalidData):
        await hass.config_entries.options.async_configure(result["flow_id"], {option: value})
