"""Who else uses a connection is named before it is tried; whoever knows better goes on."""

from collections.abc import Mapping
from pathlib import Path
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from .test_config_flow import NETWORK, SERIAL_PORT, FakeProbe, no_setup, probe, start, submit

__all__ = ["no_setup", "probe"]

pytestmark = pytest.mark.usefixtures("no_setup")


def other(hass: HomeAssistant, title: str, domain: str = "modbus", **data: Any) -> MockConfigEntry:
    """Have an entry of another integration that tries to connect."""
    entry = MockConfigEntry(
        domain=domain, title=title, data=data, state=ConfigEntryState.SETUP_RETRY
    )
    entry.add_to_hass(hass)
    return entry


@pytest.mark.parametrize(
    ("domain", "data", "names"),
    [
        ("modbus", {"host": "192.0.2.10", "port": 4196}, "Roof (Modbus)"),
        ("gone", {"host": " 192.0.2.10", "port": "4196"}, "Roof (gone)"),
        ("modbus", {"host": "192.0.2.10", "port": 502}, None),
        ("modbus", {"host": "192.0.2.11", "port": 4196}, None),
        ("modbus", {"name": "192.0.2.10"}, None),
    ],
)
async def test_an_integration_with_the_same_address_is_named_once(
    hass: HomeAssistant, probe: FakeProbe, domain: str, data: Mapping[str, Any], names: str | None
) -> None:
    """The form comes back with its name, and goes on when it is sent again."""
    other(hass, "Roof", domain, **data)
    form = await start(hass, "network")
    result = await submit(hass, form, NETWORK)
    if names is not None:
        assert (result["type"], result["errors"]) == (FlowResultType.FORM, {"base": "in_use"})
        assert result["description_placeholders"] == {"others": names}
        assert probe.asked == []
        result = await submit(hass, result, NETWORK)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_an_integration_that_is_switched_off_is_not_named(
    hass: HomeAssistant, probe: FakeProbe
) -> None:
    """It has nothing open."""
    entry = MockConfigEntry(domain="modbus", data={"host": "192.0.2.10", "port": 4196})
    entry.add_to_hass(hass)
    result = await submit(hass, await start(hass, "network"), NETWORK)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_serial_port_is_known_by_all_its_paths(
    hass: HomeAssistant, probe: FakeProbe, tmp_path: Path
) -> None:
    """The path that stays the same leads to the one that does not."""
    port, link = tmp_path / "ttyUSB0", tmp_path / "usb-rs485"
    port.touch()
    link.symlink_to(port)
    other(hass, "Stick", "zha", device={"path": "x"}, serial_port=str(port))
    result = await submit(hass, await start(hass, "serial"), SERIAL_PORT | {"device": str(link)})
    assert result["description_placeholders"] == {"others": "Stick (Zigbee Home Automation)"}


@pytest.mark.parametrize(
    ("endpoint", "link_type", "user_input"),
    [
        (("tcp", "192.0.2.10", 4196), "network", NETWORK),
        (("serial", "socket://192.0.2.10:4196"), "network", NETWORK),
        (("serial", "/dev/serial/by-id/usb-rs485"), "serial", SERIAL_PORT),
    ],
)
async def test_whoever_shares_a_modbus_connection_is_named(
    hass: HomeAssistant,
    probe: FakeProbe,
    monkeypatch: pytest.MonkeyPatch,
    endpoint: tuple[Any, ...],
    link_type: str,
    user_input: dict[str, Any],
) -> None:
    """Home Assistant knows who holds a connection of its Modbus integration, whatever their data looks like."""
    entry = other(hass, "Heat pump", "flexit")
    module: Any = ModuleType("homeassistant.components.modbus.connection")
    module.async_get_connection_info = lambda hass: [
        SimpleNamespace(endpoint=("tcp", "192.0.2.99", 502), units={"gone": [1]}),
        SimpleNamespace(endpoint=endpoint, units={entry.entry_id: [1, 2], "gone": [3]}),
    ]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    hass.config.components.add("modbus")
    result = await submit(hass, await start(hass, link_type), user_input)
    assert result["errors"] == {"base": "in_use"}
    assert result["description_placeholders"] == {"others": "Heat pump (Flexit)"}
