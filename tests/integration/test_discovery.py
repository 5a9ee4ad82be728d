"""Sticks that are found: by a search, by the address that a router gives them, and again after they have moved."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Final
from unittest.mock import patch

from homeassistant.config_entries import (
    SOURCE_DHCP,
    SOURCE_IGNORE,
    SOURCE_USER,
    ConfigEntryDisabler,
    ConfigEntryState,
)
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from pytest_socket import socket_allow_hosts

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.find.identify import Identity
from custom_components.hybrid_inverter.modbus.find.probe import Failure, ProbeError
from custom_components.hybrid_inverter.modbus.find.probe_stick import DeviceBehindStick
from custom_components.hybrid_inverter.modbus.find.sticks import FoundStick, find_sticks
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.transport.endpoint import StickEndpoint
from custom_components.hybrid_inverter.runtime.stick_address import FOLLOW_INTERVAL
from simulator import SimulatedPlant

from .helpers import (
    IDENTITY,
    link_entry,
    network_data,
    refresh,
    state,
    status,
    stick_data,
    unit_of,
)
from .test_config_flow import filled_in, submit

FIRST: Final = FoundStick("192.0.2.20", "e8:fd:f8:00:00:01", 1700000001)
SECOND: Final = FoundStick("192.0.2.21", "e8:fd:f8:00:00:02", 1700000002)
PACKAGE: Final = "custom_components.hybrid_inverter"


@dataclass
class Network:
    """Stands in for the network: the sticks that answer, and what is behind each of them."""

    sticks: list[FoundStick] = field(default_factory=list)
    failure: Failure | None = None
    searches: int = 0
    probed: list[tuple[str, int, int | None, int]] = field(default_factory=list)

    async def find(self, host: str | None = None) -> list[FoundStick]:
        """Return who answers, to a question to everybody or to one host."""
        self.searches += 1
        return [stick for stick in self.sticks if host in (None, stick.host)]

    async def ask(self, host: str) -> FoundStick | None:
        """Return who answers at one host."""
        return next(iter(await self.find(host)), None)

    async def probe(
        self, host: str, port: int, logger_serial: int | None, unit_id: int
    ) -> DeviceBehindStick:
        """Return a machine of its own behind every stick."""
        self.probed.append((host, port, logger_serial, unit_id))
        if self.failure is not None:
            raise ProbeError(self.failure)
        assert logger_serial is not None
        identity = Identity(**{**IDENTITY, "serial": f"JSO{logger_serial % 10_000_000:07}"})
        return DeviceBehindStick(StickEndpoint(host, port, logger_serial=logger_serial), identity)


@pytest.fixture
def network() -> Iterator[Network]:
    """Keep everything from asking a real network."""
    fake = Network()
    with (
        patch(f"{PACKAGE}.flow.link.find_sticks", fake.find),
        patch(f"{PACKAGE}.flow.link.ask_stick", fake.ask),
        patch(f"{PACKAGE}.entry.stick_address.find_sticks", fake.find),
        patch(f"{PACKAGE}.flow.probe.probe_stick", fake.probe),
    ):
        yield fake


@pytest.fixture
def reached() -> Iterator[set[str]]:
    """Stands in for the hosts at which the machines of entries prove that they are there."""
    hosts = set[str]()

    async def are_at(endpoint: StickEndpoint, *_: object) -> bool:
        return endpoint.host in hosts

    with patch(f"{PACKAGE}.entry.stick_address.are_at", are_at):
        yield hosts


@pytest.fixture
def no_setup() -> Iterator[None]:
    """Keep entries from being set up."""
    with patch(f"{PACKAGE}.async_setup_entry", return_value=True):
        yield


def entry_of(stick: FoundStick, *, host: str | None = None, mac: bool = True) -> MockConfigEntry:
    """Return an entry for a stick, as a search leaves it behind, or at a host that a person has typed."""
    data = stick_data(host or stick.host, logger_serial=stick.logger_serial)
    if mac:
        data["mac"] = stick.mac
    return link_entry(data, unique_id=str(stick.logger_serial))


async def search(hass: HomeAssistant) -> dict[str, Any]:
    """Choose the search in the dialog."""
    menu = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    return await submit(hass, dict(menu), {"next_step_id": "search"})


async def lease(hass: HomeAssistant, ip: str, mac: str = "e8fdf8000001") -> dict[str, Any]:
    """Have the router give an address to something, as Home Assistant tells it."""
    info = DhcpServiceInfo(ip=ip, hostname="", macaddress=mac)
    flow = hass.config_entries.flow
    result = dict(await flow.async_init(DOMAIN, context={"source": SOURCE_DHCP}, data=info))
    await hass.async_block_till_done()
    return result


# ---------------------------------------------------------------------- the search


@pytest.mark.usefixtures("no_setup")
async def test_discovered_stick_is_set_up_without_typing(
    hass: HomeAssistant, network: Network
) -> None:
    """Nothing has to be typed: the first that answered is chosen already."""
    network.sticks = [SECOND, FIRST]
    form = await search(hass)
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "search"
    (select,) = form["data_schema"].schema.values()
    assert select.config["options"] == [
        {"value": "1700000002", "label": "192.0.2.21 (1700000002)"},
        {"value": "1700000001", "label": "192.0.2.20 (1700000001)"},
    ]
    assert filled_in(form["data_schema"]) == {"stick": "1700000002"}
    result = await submit(hass, form, {})
    assert network.probed == [("192.0.2.21", 8899, 1700000002, 1)]
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {
        "type": "stick",
        "host": "192.0.2.21",
        "port": 8899,
        "logger_serial": 1700000002,
        "mac": "e8:fd:f8:00:00:02",
    }
    assert result["result"].unique_id == "1700000002"


@pytest.mark.usefixtures("no_setup")
async def test_other_of_two_sticks_can_be_chosen(hass: HomeAssistant, network: Network) -> None:
    """A person may have two inverters."""
    network.sticks = [FIRST, SECOND]
    await submit(hass, await search(hass), {"stick": "1700000002"})
    form = await search(hass)
    # What is set up is not offered again.
    (select,) = form["data_schema"].schema.values()
    assert [option["value"] for option in select.config["options"]] == ["1700000001"]
    result = await submit(hass, form, {"stick": "1700000001"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    # All are set up now.
    assert (await search(hass))["step_id"] == "nothing_found"


@pytest.mark.usefixtures("no_setup")
async def test_empty_search_offers_searching_again_or_entering_the_address(
    hass: HomeAssistant, network: Network
) -> None:
    """The person is told what to do, and can search again or type the address."""
    menu = await search(hass)
    assert menu["type"] is FlowResultType.MENU
    assert menu["step_id"] == "nothing_found"
    assert menu["menu_options"] == ["search", "stick", "network"]
    network.sticks = [FIRST]
    form = await submit(hass, menu, {"next_step_id": "search"})
    assert form["step_id"] == "search"
    result = await submit(hass, form, {"stick": "1700000001"})
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("no_setup")
async def test_found_and_not_understood(hass: HomeAssistant, network: Network) -> None:
    """What the stick told fills the form, which says what is wrong; the MAC address is not forgotten."""
    network.sticks, network.failure = [FIRST], Failure.STICK_BUSY
    form = await submit(hass, await search(hass), {"stick": "1700000001"})
    assert form["step_id"] == "stick"
    assert form["errors"] == {"base": "stick_busy"}
    shown = filled_in(form["data_schema"])
    assert shown == {
        "host": "192.0.2.20",
        "port": 8899,
        "logger_serial": 1700000001,
        "advanced": {"unit_id": 1},
    }
    network.failure = None
    result = await submit(hass, form, shown)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["mac"] == "e8:fd:f8:00:00:01"


# ---------------------------------------------------------------------- an address from the router


@pytest.mark.usefixtures("no_setup")
async def test_new_stick_is_offered_and_set_up_on_confirmation(
    hass: HomeAssistant, network: Network
) -> None:
    """It is offered, and set up when a person says so."""
    network.sticks = [FIRST]
    form = await lease(hass, "192.0.2.20")
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "confirm"
    assert form["description_placeholders"] == {
        "host": "192.0.2.20",
        "logger_serial": "1700000001",
    }
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["title_placeholders"] == {"host": "192.0.2.20"}
    assert network.probed == []
    result = await submit(hass, form, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].unique_id == "1700000001"
    assert result["data"]["mac"] == "e8:fd:f8:00:00:01"


async def test_new_stick_is_offered_once(hass: HomeAssistant, network: Network) -> None:
    """One card is enough."""
    network.sticks = [FIRST]
    await lease(hass, "192.0.2.20")
    again = await lease(hass, "192.0.2.20")
    assert again["type"] is FlowResultType.ABORT
    assert again["reason"] == "already_in_progress"


async def test_something_else_with_the_same_radio(hass: HomeAssistant, network: Network) -> None:
    """A lamp does not answer as a stick: nobody is bothered."""
    result = await lease(hass, "192.0.2.77")
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "not_a_stick"


async def test_a_stick_that_a_person_ignores(hass: HomeAssistant, network: Network) -> None:
    """It stays ignored."""
    ignored = MockConfigEntry(domain=DOMAIN, unique_id="1700000001", source=SOURCE_IGNORE)
    ignored.add_to_hass(hass)
    network.sticks = [FIRST]
    result = await lease(hass, "192.0.2.20")
    assert result["reason"] == "already_configured"


async def test_a_stick_that_is_read_over_modbus_tcp(hass: HomeAssistant, network: Network) -> None:
    """Somebody has added it as a network link, long ago."""
    link_entry(network_data(502, host="192.0.2.20")).add_to_hass(hass)
    network.sticks = [FIRST]
    result = await lease(hass, "192.0.2.20")
    assert result["reason"] == "already_configured"


@pytest.mark.parametrize("mac", [True, False])
async def test_moved_stick_is_recognised_by_mac_address_or_serial_number(
    hass: HomeAssistant, network: Network, reached: set[str], mac: bool
) -> None:
    """It is known by its MAC address or, where that was never told, by its serial number."""
    entry = entry_of(FIRST, mac=mac)
    entry.add_to_hass(hass)
    reached.add("192.0.2.99")
    if not mac:
        network.sticks = [FoundStick("192.0.2.99", FIRST.mac, FIRST.logger_serial)]
    with patch.object(hass.config_entries, "async_schedule_reload") as reload:
        result = await lease(hass, "192.0.2.99")
        assert result["reason"] == "already_configured"
        assert entry.data["host"] == "192.0.2.99"
        assert entry.title == "JSO8048104 (192.0.2.99:8899)"
        # It was not in use.
        reload.assert_not_called()


async def test_moved_stick_keeps_its_entry_name_and_a_host_name(
    hass: HomeAssistant, network: Network, reached: set[str]
) -> None:
    """A name that a person gave the entry stays; a name of the host is the name server's to follow."""
    reached |= {"192.0.2.98", "192.0.2.99"}
    titled = entry_of(FIRST)
    titled.add_to_hass(hass)
    hass.config_entries.async_update_entry(titled, title="Cellar")
    await lease(hass, "192.0.2.99")
    assert (titled.title, titled.data["host"]) == ("Cellar", "192.0.2.99")
    named = entry_of(SECOND, host="stick.local")
    named.add_to_hass(hass)
    await lease(hass, "192.0.2.98", mac="e8fdf8000002")
    assert named.data["host"] == "stick.local"


# ---------------------------------------------------------------------- moved, and nobody tells us


@pytest.fixture
def two_hosts(socket_enabled: None) -> None:
    """Let this computer be several hosts."""
    socket_allow_hosts(["127.0.0.1", "127.0.0.2", "127.0.0.9"])


def tick(hass: HomeAssistant, after: timedelta = FOLLOW_INTERVAL) -> None:
    """Let the time pass after which a lost stick is looked for."""
    async_fire_time_changed(hass, dt_util.utcnow() + after + timedelta(seconds=1))


async def test_stick_that_moved_while_home_assistant_was_off_is_found(
    hass: HomeAssistant, network: Network, two_hosts: None
) -> None:
    """Home Assistant was off while the router gave out another address."""
    async with SimulatedPlant(stick=True) as plant:
        plant.advance(60)
        entry = link_entry(stick_data("127.0.0.9", plant.stick_port), unique_id="1700000001")
        entry.add_to_hass(hass)
        network.sticks = [FoundStick("127.0.0.1", FIRST.mac, 1700000001)]
        await hass.config_entries.async_setup(entry.entry_id)
        assert status(entry) is ConfigEntryState.SETUP_RETRY
        assert entry.data["host"] == "127.0.0.1"
        tick(hass)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert status(entry) is ConfigEntryState.LOADED
        assert state(hass, Platform.SENSOR, "battery_soc").state == "60"
        await hass.config_entries.async_unload(entry.entry_id)


async def lost_stick(hass: HomeAssistant) -> tuple[MockConfigEntry, int]:
    """Return a loaded entry whose stick has just gone from 127.0.0.1, and the port that it had."""
    async with SimulatedPlant(stick=True) as plant:
        plant.advance(60)
        port = plant.stick_port
        data = {**stick_data("127.0.0.1", port), "mac": FIRST.mac}
        entry = link_entry(data, unique_id="1700000001")
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
    return entry, port


@pytest.mark.parametrize("answers_there", [False, True])
async def test_a_stale_address_does_not_move_an_entry_that_works(
    hass: HomeAssistant, network: Network, two_hosts: None, answers_there: bool
) -> None:
    """Whatever the router says, and even if the very same machine answers there, too."""
    async with (
        SimulatedPlant(stick=True) as plant,
        SimulatedPlant(stick=True, host="127.0.0.2", stick_port=plant.stick_port) as other,
    ):
        plant.advance(60)
        if not answers_there:
            await other.stick.stop()
        data = {**stick_data("127.0.0.1", plant.stick_port), "mac": FIRST.mac}
        entry = link_entry(data, unique_id="1700000001")
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        result = await lease(hass, "127.0.0.2")
        assert result["reason"] == "already_configured"
        assert entry.data["host"] == "127.0.0.1"
        assert status(entry) is ConfigEntryState.LOADED
        assert state(hass, Platform.SENSOR, "battery_soc").state == "60"
        assert other.stick.statistics.requests == 0
        # Nor later on, while it works.
        tick(hass)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert entry.data["host"] == "127.0.0.1"
        assert other.stick.statistics.requests == 0
        await hass.config_entries.async_unload(entry.entry_id)


async def test_an_entry_moves_at_once_when_its_stick_is_where_the_router_says(
    hass: HomeAssistant, network: Network, two_hosts: None
) -> None:
    """The last poll was answered, but the stick is gone, and proves that it is there."""
    entry, port = await lost_stick(hass)
    async with SimulatedPlant(stick=True, host="127.0.0.2", stick_port=port) as moved:
        moved.advance(60)
        await lease(hass, "127.0.0.2")
        await hass.async_block_till_done(wait_background_tasks=True)
        assert entry.data["host"] == "127.0.0.2"
        assert status(entry) is ConfigEntryState.LOADED
        assert state(hass, Platform.SENSOR, "battery_soc").state == "60"
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("how", ["router", "search"])
async def test_an_entry_does_not_move_to_another_inverter(
    hass: HomeAssistant, network: Network, two_hosts: None, how: str
) -> None:
    """The stick is the one that is looked for, or says so; the inverter behind it is not."""
    entry, port = await lost_stick(hass)
    async with SimulatedPlant(
        stick=True, host="127.0.0.2", stick_port=port, serial_number="JSO0000002"
    ) as other:
        other.advance(60)
        await refresh(hass, entry, Group.POWER)
        if how == "router":
            await lease(hass, "127.0.0.2")
        else:
            network.sticks = [FoundStick("127.0.0.2", FIRST.mac, 1700000001)]
        tick(hass)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert other.stick.statistics.requests > 0
        assert entry.data["host"] == "127.0.0.1"
        assert status(entry) is ConfigEntryState.LOADED
        await hass.config_entries.async_unload(entry.entry_id)


async def test_an_address_that_came_too_early_is_tried_again(
    hass: HomeAssistant, network: Network, two_hosts: None
) -> None:
    """A stick asks for its address before it serves anybody, and some do not answer a search."""
    entry, port = await lost_stick(hass)
    await lease(hass, "127.0.0.2")
    assert entry.data["host"] == "127.0.0.1"
    async with SimulatedPlant(stick=True, host="127.0.0.2", stick_port=port) as moved:
        moved.advance(60)
        tick(hass)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert entry.data["host"] == "127.0.0.2"
        assert state(hass, Platform.SENSOR, "battery_soc").state == "60"
        await hass.config_entries.async_unload(entry.entry_id)


async def test_not_followed_to_another_stick(
    hass: HomeAssistant, network: Network, two_hosts: None
) -> None:
    """Only the stick of the entry will do."""
    entry = link_entry(stick_data("127.0.0.9", 1), unique_id="1700000001")
    entry.add_to_hass(hass)
    network.sticks = [SECOND]
    await hass.config_entries.async_setup(entry.entry_id)
    assert status(entry) is ConfigEntryState.SETUP_RETRY
    assert entry.data["host"] == "127.0.0.9"
    assert network.searches == 1


async def test_a_gateway_is_not_looked_for(
    hass: HomeAssistant, network: Network, two_hosts: None
) -> None:
    """It does not answer a search."""
    entry = link_entry(network_data(1))
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert status(entry) is ConfigEntryState.SETUP_RETRY
    assert network.searches == 0


async def test_followed_while_it_runs(
    hass: HomeAssistant, network: Network, two_hosts: None
) -> None:
    """The stick is looked for while it is silent, and not before."""
    async with SimulatedPlant(stick=True) as plant:
        plant.advance(60)
        port = plant.stick_port
        entry = link_entry(stick_data("127.0.0.1", port), unique_id="1700000001")
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        tick(hass)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert network.searches == 0
    async with SimulatedPlant(stick=True, host="127.0.0.2", stick_port=port) as moved:
        moved.advance(60)
        await refresh(hass, entry, Group.POWER)
        assert state(hass, Platform.SENSOR, "battery_soc").state == "unavailable"
        tick(hass)
        await hass.async_block_till_done(wait_background_tasks=True)
        # It does not answer the search yet.
        assert network.searches == 1
        assert entry.data["host"] == "127.0.0.1"
        network.sticks = [FoundStick("127.0.0.2", FIRST.mac, 1700000001)]
        tick(hass, 2 * FOLLOW_INTERVAL)
        await hass.async_block_till_done(wait_background_tasks=True)
        assert entry.data["host"] == "127.0.0.2"
        assert status(entry) is ConfigEntryState.LOADED
        assert moved.stick.statistics.requests > 0
        assert state(hass, Platform.SENSOR, "battery_soc").state == "60"
        await hass.config_entries.async_unload(entry.entry_id)


async def test_a_stick_that_is_switched_off_stays_off(
    hass: HomeAssistant, network: Network, reached: set[str]
) -> None:
    """A new address does not load an entry that a person has disabled."""
    entry = entry_of(FIRST)
    entry.add_to_hass(hass)
    reached.add("192.0.2.99")
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await lease(hass, "192.0.2.99")
    await hass.async_block_till_done()
    assert entry.data["host"] == "192.0.2.99"
    assert entry.state is ConfigEntryState.NOT_LOADED


# ---------------------------------------------------------------------- for real


async def test_found_and_set_up_for_real(hass: HomeAssistant, socket_enabled: None) -> None:
    """A question and an answer over UDP, then the inverter through the stick."""
    async with SimulatedPlant(stick=True, stick_udp_port=0) as plant:
        plant.advance(60)
        with (
            patch(f"{PACKAGE}.modbus.find.sticks.DISCOVERY_PORT", plant.stick_udp_port),
            patch(f"{PACKAGE}.flow.link.find_sticks", partial(find_sticks, 0.3)),
            patch(f"{PACKAGE}.flow.link.DEFAULT_STICK_PORT", plant.stick_port),
        ):
            form = await search(hass)
            result = await submit(hass, form, {})
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert result["data"] == {
            **stick_data("127.0.0.1", plant.stick_port),
            "mac": "02:a5:65:53:f1:01",
        }
        entry = result["result"]
        assert entry.state is ConfigEntryState.LOADED
        assert state(hass, Platform.SENSOR, "battery_soc").state == "60"
        await hass.config_entries.async_unload(entry.entry_id)


async def test_the_device_has_the_address_of_its_stick(
    hass: HomeAssistant, socket_enabled: None, hass_client: ClientSessionGenerator
) -> None:
    """By which Home Assistant knows it again when the router moves it; a download does not tell it."""
    async with SimulatedPlant(stick=True) as plant:
        plant.advance(60)
        data = {**stick_data("127.0.0.1", plant.stick_port), "mac": "02:a5:65:53:f1:01"}
        entry = link_entry(data, unique_id="1700000001")
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        device = dr.async_get(hass).async_get(unit_of(entry).device_id)
        assert isinstance(device, dr.DeviceEntry)
        assert device.connections == {("mac", "02:a5:65:53:f1:01")}
        assert device.identifiers == {(DOMAIN, "JSO0000001")}
        download: Any = await get_diagnostics_for_config_entry(hass, hass_client, entry)
        assert "1700000001" not in str(download)
        assert "02:a5:65" not in str(download)
        assert download["link"]["logger_serial"] == "**REDACTED**"
        await hass.config_entries.async_unload(entry.entry_id)


async def test_another_stick_at_the_address_is_named_and_its_number_is_not_logged(
    hass: HomeAssistant, network: Network, two_hosts: None, caplog: pytest.LogCaptureFixture
) -> None:
    """The number is for a dialog; a log is for others to read, too."""
    entry, port = await lost_stick(hass)
    async with SimulatedPlant(stick=True, stick_port=port, logger_serial=1700000099):
        await refresh(hass, entry, Group.POWER)
        error = unit_of(entry).coordinators[Group.POWER].last_exception
        assert "a Wi-Fi stick with another serial number answers at 127.0.0.1" in str(error)
        assert "1700000099" not in caplog.text
        await hass.config_entries.async_unload(entry.entry_id)


# ---------------------------------------------------------------------- pauses


async def test_a_busy_stick_is_asked_less(
    hass: HomeAssistant, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5 s, then 10, 20, 40 and 60 after failures that follow one another; 5 again after a success."""
    async with SimulatedPlant(stick=True) as plant:
        plant.advance(60)
        entry = link_entry(stick_data("127.0.0.1", plant.stick_port), unique_id="1700000001")
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        power = unit_of(entry).coordinators[Group.POWER]
        pauses = []
        plant.stick.habits.error_frames = 1.0
        for _ in range(6):
            await power.async_refresh()
            assert power.last_exception is not None
            pauses.append(power.last_exception.retry_after)  # type: ignore[attr-defined]
        assert pauses == [10, 20, 40, 60, 60, 60]
        assert power.interval == 5
        plant.stick.habits.error_frames = 0.0
        await power.async_refresh()
        assert power.last_update_success
        plant.stick.habits.error_frames = 1.0
        await power.async_refresh()
        assert power.last_exception.retry_after == 10  # type: ignore[union-attr]
        await hass.config_entries.async_unload(entry.entry_id)


async def test_a_gateway_is_asked_as_always(
    hass: HomeAssistant, loaded: MockConfigEntry, plant: SimulatedPlant
) -> None:
    """It has nothing else to do; and whether it can be reached again is tried as often as the link allows."""
    power = unit_of(loaded).coordinators[Group.POWER]
    plant.machine().trouble.silent = True
    await power.async_refresh()
    assert not power.last_update_success
    assert power.last_exception.retry_after is None  # type: ignore[union-attr]
    await plant.tcp.stop()
    await power.async_refresh()
    assert not power.last_update_success
    assert power.last_exception.retry_after == 1  # type: ignore[union-attr]
