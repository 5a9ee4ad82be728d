"""The dialog of a Wi-Fi stick: by hand, with what the stick tells, moved, and every way in which that can fail."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.errors import WrongDeviceError
from custom_components.hybrid_inverter.modbus.find.identify import Identity
from custom_components.hybrid_inverter.modbus.find.probe import Failure, ProbeError
from custom_components.hybrid_inverter.modbus.find.probe_stick import DeviceBehindStick
from custom_components.hybrid_inverter.modbus.find.sticks import FoundStick
from custom_components.hybrid_inverter.modbus.transport.endpoint import (
    Framing,
    StickEndpoint,
    TcpEndpoint,
)
from simulator import SimulatedPlant

from .helpers import IDENTITY, link_entry, network_data, network_entry, state
from .test_config_flow import STICK_FAILURES, filled_in, reconfigure, start, submit

SERIAL_NUMBER: Final = 2700000001
STICK: Final = FoundStick("192.0.2.20", "02:a5:00:00:00:01", SERIAL_NUMBER)
BY_HAND: Final = {"host": "192.0.2.20", "port": 8899, "logger_serial": SERIAL_NUMBER}
STORED: Final = {"type": "stick", **BY_HAND}
WIRING: Final = "https://github.com/hybrid-inverter/hybrid-inverter/blob/main/docs/wiring.md"
LABEL: Final = (
    "https://github.com/hybrid-inverter/hybrid-inverter/blob/main/docs/images/stick-label.svg"
)


@dataclass
class FakeStick:
    """Stands in for a stick: what it tells of itself, what is behind it, and what it was asked."""

    told: FoundStick | None = None
    answer: Identity | Failure = field(default_factory=lambda: Identity(**IDENTITY))
    found: str = ""
    # The port on which it speaks plain Modbus TCP; none if it has the maker's own protocol.
    plain_port: int | None = None
    probed: list[tuple[str, int, int | None, int]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def ask(self, host: str) -> FoundStick | None:
        """Tell who it is."""
        self.asked.append(host)
        return self.told

    async def probe(
        self, host: str, port: int, logger_serial: int | None, unit_id: int
    ) -> DeviceBehindStick:
        """Answer, or fail."""
        self.probed.append((host, port, logger_serial, unit_id))
        if isinstance(self.answer, Failure):
            if self.answer is Failure.WRONG_DEVICE:
                raise ProbeError(self.answer, other=WrongDeviceError("string_inverter"))
            raise ProbeError(self.answer, self.found)
        if self.plain_port is not None:
            return DeviceBehindStick(TcpEndpoint(host, self.plain_port, Framing.TCP), self.answer)
        assert logger_serial is not None
        return DeviceBehindStick(
            StickEndpoint(host, port, logger_serial=logger_serial), self.answer
        )


@pytest.fixture
def stick() -> Iterator[FakeStick]:
    """Let no flow look for a stick, nor for a machine behind one."""
    fake = FakeStick()
    with (
        patch("custom_components.hybrid_inverter.flow.probe.probe_stick", fake.probe),
        patch("custom_components.hybrid_inverter.flow.link.ask_stick", fake.ask),
    ):
        yield fake


@pytest.fixture
def no_setup() -> Iterator[None]:
    """Keep entries from being set up."""
    with patch("custom_components.hybrid_inverter.async_setup_entry", return_value=True):
        yield


def stick_entry(**data: Any) -> MockConfigEntry:
    """Return an entry for a stick that is not added yet."""
    return link_entry({**STORED, **data}, unique_id=str(SERIAL_NUMBER))


# ---------------------------------------------------------------------- adding


@pytest.mark.usefixtures("no_setup")
async def test_complete_input_is_used_without_asking_the_stick(
    hass: HomeAssistant, stick: FakeStick
) -> None:
    """Who says everything is believed until it turns out wrong: the stick is not asked."""
    form = await start(hass, "stick")
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "stick"
    assert form["errors"] == {}
    assert filled_in(form["data_schema"]) == {"port": 8899, "advanced": {"unit_id": 1}}
    assert form["description_placeholders"] == {"label_url": LABEL, "wiring_url": WIRING}
    result = await submit(hass, form, {**BY_HAND, "port": 8900, "advanced": {"unit_id": 3}})
    assert stick.probed == [("192.0.2.20", 8900, SERIAL_NUMBER, 3)]
    assert stick.asked == []
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "JSO8048104 (192.0.2.20:8900)"
    assert result["data"] == {
        "type": "stick",
        "host": "192.0.2.20",
        "port": 8900,
        "logger_serial": 2700000001,
    }
    assert result["result"].unique_id == "2700000001"
    (subentry,) = result["result"].subentries.values()
    assert subentry.unique_id == "JSO0000001"
    assert subentry.data == {"unit_id": 3, "identity": IDENTITY}


@pytest.mark.usefixtures("no_setup")
async def test_host_is_enough_when_the_stick_reports_its_serial_number(
    hass: HomeAssistant, stick: FakeStick
) -> None:
    """The stick tells its serial number, and its MAC address by which it is known wherever it moves."""
    stick.told = STICK
    result = await submit(hass, await start(hass, "stick"), {"host": "192.0.2.20"})
    assert stick.asked == ["192.0.2.20"]
    assert stick.probed == [("192.0.2.20", 8899, SERIAL_NUMBER, 1)]
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {**STORED, "mac": "02:a5:00:00:00:01"}
    assert result["result"].unique_id == "2700000001"


@pytest.mark.usefixtures("no_setup")
async def test_the_serial_number_is_needed(hass: HomeAssistant, stick: FakeStick) -> None:
    """A stick that does not tell it: the form wants it then, and says so at the field."""
    stick.answer = Failure.NO_LOGGER_SERIAL
    result = await submit(hass, await start(hass, "stick"), {"host": "192.0.2.20"})
    assert stick.probed == [("192.0.2.20", 8899, None, 1)]
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "stick"
    assert result["errors"] == {"logger_serial": "no_logger_serial"}
    assert filled_in(result["data_schema"])["host"] == "192.0.2.20"
    with pytest.raises(InvalidData):
        await submit(hass, result, {"host": "192.0.2.20"})
    stick.answer = Identity(**IDENTITY)
    result = await submit(hass, result, BY_HAND)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == STORED


@pytest.mark.usefixtures("no_setup")
async def test_a_stick_that_speaks_plain_modbus(hass: HomeAssistant, stick: FakeStick) -> None:
    """It becomes a link over the network; nobody is asked which kind it is."""
    stick.plain_port = 502
    result = await submit(hass, await start(hass, "stick"), {"host": "192.0.2.20"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {
        "type": "network",
        "host": "192.0.2.20",
        "port": 502,
        "framing": "tcp",
    }
    assert result["title"] == "JSO8048104 (192.0.2.20:502)"
    assert result["result"].unique_id is None


@pytest.mark.usefixtures("no_setup")
async def test_a_plain_stick_that_tells_who_it_is(hass: HomeAssistant, stick: FakeStick) -> None:
    """It is followed like the others."""
    stick.plain_port, stick.told = 8899, STICK
    result = await submit(hass, await start(hass, "stick"), {"host": "192.0.2.20"})
    assert result["data"] == {**network_data(8899, host="192.0.2.20"), "mac": STICK.mac}
    assert result["result"].unique_id == "2700000001"


@pytest.mark.usefixtures("no_setup")
async def test_a_serial_number_that_nobody_has_confirmed(
    hass: HomeAssistant, stick: FakeStick
) -> None:
    """Plain Modbus does not ask for one, so a wrong one would go unnoticed."""
    stick.plain_port = 502
    result = await submit(hass, await start(hass, "stick"), BY_HAND)
    assert result["data"]["type"] == "network"
    assert result["result"].unique_id is None


async def test_stick_is_set_up_from_dialog_to_running_entry_through_its_envelope(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    """From the dialog to a running entry, through the envelope of a stick."""
    async with SimulatedPlant(stick=True, logger_serial=1700000001) as plant:
        plant.advance(60)
        form = await start(hass, "stick")
        result = await submit(
            hass,
            form,
            {"host": "127.0.0.1", "port": plant.stick_port, "logger_serial": 1700000002},
        )
        assert result["errors"] == {"logger_serial": "wrong_logger_serial"}
        assert result["description_placeholders"]["found"] == "1700000001"
        result = await submit(
            hass,
            result,
            {"host": "127.0.0.1", "port": plant.stick_port, "logger_serial": 1700000001},
        )
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert result["result"].state is ConfigEntryState.LOADED
        assert state(hass, Platform.SENSOR, "battery_soc").state == "60"


# ---------------------------------------------------------------------- failing


@pytest.mark.usefixtures("no_setup")
@pytest.mark.parametrize(
    ("failure", "found", "errors"),
    [
        (Failure.UNRESOLVED, "", {"base": "name_not_resolved"}),
        (Failure.UNREACHABLE, "timed out", {"base": "cannot_connect"}),
        (Failure.WRONG_UNIT, "4", {"base": "wrong_unit"}),
        (Failure.WRONG_DEVICE, "a string inverter", {"base": "wrong_device"}),
        (Failure.NO_LOCAL_PORT, "", {"base": "no_local_port"}),
        (Failure.STICK_BUSY, "", {"base": "stick_busy"}),
        (Failure.OTHER_STICK, "", {"base": "other_stick"}),
        (Failure.ONLY_AT_COMMANDS, "", {"base": "only_at_commands"}),
        (Failure.NO_INVERTER, "", {"base": "no_inverter"}),
        (Failure.WRONG_LOGGER_SERIAL, "2700000009", {"logger_serial": "wrong_logger_serial"}),
        (Failure.NO_LOGGER_SERIAL, "", {"logger_serial": "no_logger_serial"}),
    ],
)
async def test_each_failure_of_a_stick_has_a_message_and_the_next_try_succeeds(
    hass: HomeAssistant, stick: FakeStick, failure: Failure, found: str, errors: dict[str, str]
) -> None:
    """Each is a message of its own, the form keeps what was typed, and the next try succeeds."""
    stick.answer, stick.found = failure, found
    result = await submit(hass, await start(hass, "stick"), BY_HAND)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "stick"
    assert result["errors"] == errors
    assert result["description_placeholders"] == {
        "label_url": LABEL,
        "wiring_url": WIRING,
        "found": found,
        "unit_id": "1",
    }
    assert filled_in(result["data_schema"]) == {**BY_HAND, "advanced": {"unit_id": 1}}
    assert hass.config_entries.async_entries(DOMAIN) == []
    stick.answer = Identity(**IDENTITY)
    result = await submit(hass, result, BY_HAND)
    assert result["type"] is FlowResultType.CREATE_ENTRY


def test_all_failures_of_sticks_are_tried() -> None:
    """A new one needs a line above."""
    (parametrize,) = (
        mark
        for mark in test_each_failure_of_a_stick_has_a_message_and_the_next_try_succeeds.pytestmark
        if mark.name == "parametrize"
    )  # type: ignore[attr-defined]
    tried = {failure.value for failure, *_ in parametrize.args[1]}
    assert tried >= STICK_FAILURES


@pytest.mark.parametrize("serial", [0, -1])
async def test_serial_number_of_a_stick_is_not_0(
    hass: HomeAssistant, stick: FakeStick, serial: int
) -> None:
    """Nor below."""
    form = await start(hass, "stick")
    with pytest.raises(InvalidData):
        await submit(hass, form, {**BY_HAND, "logger_serial": serial})
    assert stick.probed == []


@pytest.mark.usefixtures("no_setup")
@pytest.mark.parametrize(
    "typed",
    [
        # 11 digits, 10 that have more than 32 bits, and the number of an inverter.
        17000000011,
        4294967296,
        2207123456789,
    ],
)
async def test_a_number_that_is_no_sticks_is_explained(
    hass: HomeAssistant, stick: FakeStick, typed: int
) -> None:
    """The form says how many digits the number has; nobody is asked, and the right number goes on."""
    result = await submit(hass, await start(hass, "stick"), {**BY_HAND, "logger_serial": typed})
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"logger_serial": "no_logger_serial_number"}
    assert result["description_placeholders"]["found"] == str(typed)
    assert filled_in(result["data_schema"])["logger_serial"] == typed
    assert stick.probed == []
    result = await submit(hass, result, {**BY_HAND, "logger_serial": 4294967295})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["logger_serial"] == 4294967295


# ---------------------------------------------------------------------- twice


@pytest.mark.usefixtures("no_setup")
@pytest.mark.parametrize(
    "user_input",
    [
        BY_HAND,
        # The same socket.
        {**BY_HAND, "logger_serial": 2700000009},
        # The same stick under another name.
        {**BY_HAND, "host": "stick.local"},
        {**BY_HAND, "host": "192.0.2.21", "port": 8900},
    ],
)
async def test_stick_that_is_already_set_up_is_not_contacted(
    hass: HomeAssistant, stick: FakeStick, user_input: dict[str, Any]
) -> None:
    """It is refused before the stick is spoken to, which has room for one client: the running entry."""
    stick_entry().add_to_hass(hass)
    result = await submit(hass, await start(hass, "stick"), user_input)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "stick_already_configured"
    assert result["description_placeholders"] == {"entry": "JSO8048104 (192.0.2.20:8899)"}
    assert stick.probed == []


@pytest.mark.usefixtures("no_setup")
async def test_a_network_link_to_the_port_of_a_stick(hass: HomeAssistant, stick: FakeStick) -> None:
    """Modbus TCP and the maker's protocol are one port of one stick, whichever came first."""
    stick_entry().add_to_hass(hass)
    form = await start(hass, "network")
    result = await submit(hass, form, {"host": "192.0.2.20", "port": 8899, "framing": "tcp"})
    assert result["reason"] == "stick_already_configured"
    link_entry(network_data(8899, host="192.0.2.30")).add_to_hass(hass)
    result = await submit(
        hass, await start(hass, "stick"), {**BY_HAND, "host": "192.0.2.30", "logger_serial": 1}
    )
    assert result["reason"] == "stick_already_configured"
    assert result["description_placeholders"] == {"entry": "JSO8048104 (192.0.2.30:8899)"}
    assert stick.probed == []


@pytest.mark.usefixtures("no_setup")
async def test_a_plain_stick_that_is_there_already(hass: HomeAssistant, stick: FakeStick) -> None:
    """The port turns out to be 502, and that one is taken."""
    link_entry(network_data(502, host="192.0.2.20"), {1: "JSO0000099"}).add_to_hass(hass)
    stick.plain_port = 502
    result = await submit(hass, await start(hass, "stick"), {"host": "192.0.2.20"})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


@pytest.mark.usefixtures("no_setup")
async def test_a_machine_that_is_there_already(hass: HomeAssistant, stick: FakeStick) -> None:
    """By its RS485 socket: it is the same machine."""
    network_entry(502).add_to_hass(hass)
    result = await submit(hass, await start(hass, "stick"), BY_HAND)
    assert result["reason"] == "machine_already_configured"


# ---------------------------------------------------------------------- moving


@pytest.mark.usefixtures("no_setup")
async def test_stick_can_be_moved_by_hand_and_stays_the_same_entry(
    hass: HomeAssistant, stick: FakeStick
) -> None:
    """The form shows how it is; the entry stays the one of this stick."""
    entry = stick_entry(mac=STICK.mac)
    entry.add_to_hass(hass)
    form = await reconfigure(hass, entry, "stick")
    assert filled_in(form["data_schema"]) == {**BY_HAND, "advanced": {"unit_id": 1}}
    result = await submit(hass, form, {**BY_HAND, "host": "192.0.2.99"})
    assert result["reason"] == "reconfigure_successful"
    assert entry.data == {**STORED, "host": "192.0.2.99"}
    assert entry.title == "JSO8048104 (192.0.2.99:8899)"
    assert entry.unique_id == "2700000001"


@pytest.mark.usefixtures("no_setup")
async def test_another_stick_on_the_same_inverter(hass: HomeAssistant, stick: FakeStick) -> None:
    """The old one broke: the entry follows the new one from now on."""
    entry = stick_entry()
    entry.add_to_hass(hass)
    form = await reconfigure(hass, entry, "stick")
    stick.told = FoundStick("192.0.2.21", "02:a5:00:00:00:02", 2700000002)
    await submit(hass, form, {"host": "192.0.2.21"})
    assert entry.unique_id == "2700000002"
    assert entry.data["mac"] == "02:a5:00:00:00:02"


async def test_from_network_to_stick_and_back(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """Nothing of a stick is left in an entry that has none."""
    before = dict(loaded.data)
    async with SimulatedPlant(stick=True, logger_serial=1700000001) as other:
        other.advance(60)
        result = await submit(
            hass,
            await reconfigure(hass, loaded, "stick"),
            {"host": "127.0.0.1", "port": other.stick_port, "logger_serial": 1700000001},
        )
        assert result["reason"] == "reconfigure_successful"
        assert loaded.data["type"] == "stick"
        assert loaded.unique_id == "1700000001"
        assert loaded.state is ConfigEntryState.LOADED
        assert state(hass, Platform.SENSOR, "battery_soc").state == "60"
        result = await submit(
            hass,
            await reconfigure(hass, loaded, "network"),
            {"host": "127.0.0.1", "port": plant.tcp_port, "framing": "tcp"},
        )
    assert result["reason"] == "reconfigure_successful"
    assert loaded.data == before
    assert loaded.unique_id is None


async def test_moved_to_a_port_that_another_entry_has(
    hass: HomeAssistant, loaded: MockConfigEntry, stick: FakeStick
) -> None:
    """A stick with plain Modbus was found where another entry is: this one runs on as it was."""
    before = dict(loaded.data)
    link_entry(network_data(502, host="192.0.2.20"), {1: "JSO0000099"}).add_to_hass(hass)
    stick.plain_port = 502
    result = await submit(hass, await reconfigure(hass, loaded, "stick"), {"host": "192.0.2.20"})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert loaded.data == before
    assert loaded.state is ConfigEntryState.LOADED
