"""The download that a person attaches to a report."""

import json
from typing import Any
from unittest.mock import patch

from homeassistant.components.diagnostics import REDACTED
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
    get_diagnostics_for_device,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.entry.redaction import redacted_text
from custom_components.hybrid_inverter.modbus.errors import LinkTimeout
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.transport.link import LinkUnit
from custom_components.hybrid_inverter.runtime.issues import async_raise
from simulator import SimulatedPlant
from tests.modbus.fault_server import FaultServer

from .helpers import (
    SERIAL,
    link_entry,
    network_data,
    network_entry,
    refresh,
    requests,
    serial_data,
    stick_data,
    unit_of,
)

# "JSO0000001", "PACK000000000001" and their raw words as they would stand in a dump.
SECRETS = ("JSO0000001", "PACK0000", "127.0.0.1", "4A53 4F30", "5041 434B")


def raw(registers: dict[str, str]) -> dict[int, int]:
    """Return the words of a dump by address."""
    return {
        int(first) + offset: int(word, 16)
        for first, words in registers.items()
        for offset, word in enumerate(words.split())
    }


async def test_diagnostics_show_what_is_wrong_but_not_whose_it_is(
    hass: HomeAssistant,
    pictured: MockConfigEntry,
    picture: FaultServer,
    hass_client: ClientSessionGenerator,
) -> None:
    """Everything that tells what is wrong, nothing that tells who it is."""
    assert await hass.config_entries.async_setup(pictured.entry_id)
    await hass.async_block_till_done()
    # Even what no entity shows may have been read.
    await unit_of(pictured).device.poll(["serial_number", "pack_1_serial", "main_firmware"])
    data: Any = await get_diagnostics_for_config_entry(hass, hass_client, pictured)
    dump = json.dumps(data)
    assert [secret for secret in SECRETS if secret in dump] == []
    assert data["entry"] == {"state": "loaded", "disabled_by": None, "error": None}
    assert data["link"] | {"statistics": None, "frames": None} == {
        "type": "network",
        "host": REDACTED,
        "port": picture.port,
        "framing": "tcp",
        "connected": True,
        "reachable": True,
        "statistics": None,
        "mirror": None,
        "frames": None,
    }
    statistics = data["link"]["statistics"]
    assert statistics["requests"] == len(picture.requests)
    assert statistics["timeouts"] == 0
    assert statistics["exceptions"] == {}
    assert statistics["success_rate"] == 1
    assert statistics["units"]["1"]["requests"] == len(picture.requests)
    assert data["options"] == {}

    (unit,) = data["units"]
    assert unit["unit_id"] == 1
    assert unit["tier"] == "everyday"
    assert unit["identity"] == {
        "family": "jso",
        "serial": REDACTED,
        "manufacturer": "JUSTSTANDOUT",
        "model": "JSO8048104",
        "firmware": "2011-1144-1805 / 1001-C036",
        "facts": {"rated_power": 8000, "mppt_count": 2, "phase_count": 3},
        "features": ["pack_1", "pack_2", "packs"],
    }
    assert unit["polls"] == {
        "power": {"interval": 5.0, "successful": True, "failed": [], "error": None},
        "faults": {"interval": 15.0, "successful": True, "failed": [], "error": None},
        "energy": {"interval": 60.0, "successful": True, "failed": [], "error": None},
        "settings": {"interval": 300.0, "successful": True, "failed": [], "error": None},
        "identity": {"interval": 86400.0, "successful": True, "failed": [], "error": None},
    }
    assert unit["values"]["battery_soc"] == 62
    assert unit["values"]["fault"] == [12]
    assert unit["values"]["main_firmware"] == "2001-1144-1800"
    assert "serial_number" not in unit["values"]
    words = raw(unit["registers"])
    # Battery voltage, SOC, grid power -630 W, work mode, the words of the firmware.
    assert {address: words[address] for address in (587, 588, 625, 142, 14, 15, 11)} == {
        587: 5230,
        588: 62,
        625: 64906,
        142: 2,
        14: 8193,
        15: 4420,
        11: 6144,
    }
    assert not words.keys() & {3, 4, 5, 6, 7, *range(10032, 10040)}
    # The serial number, and that of the first pack; the second one has none.
    assert unit["redacted"] == [3, 4, 5, 6, 7, *range(10032, 10040)]
    # What the machine is recognised by, which nobody polls: its type, its power, its inputs and phases.
    assert {address: words[address] for address in (0, 20, 21, 22)} == {
        0: 5,
        20: 14464,
        21: 1,
        22: 515,
    }
    # A block of consecutive registers is one line.
    assert len(unit["registers"]) < 12


async def test_the_issues_in_a_download_do_not_tell_whose_they_are(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """Home Assistant adds all issues of the integration to what we say: those that stay with everything in them."""
    assert await async_setup_component(hass, "diagnostics", {})
    async_raise(hass, SERIAL, "clock_off", name="JSO8048104", drift="0:07 h ahead")
    client = await hass_client()
    answer = await client.get(f"/api/diagnostics/config_entry/{loaded.entry_id}")
    whole = await answer.text()
    assert [issue["issue_id"] for issue in json.loads(whole)["issues"]] == ["be5729_clock_off"]
    assert SERIAL not in whole


async def test_changes_and_refused_registers(
    hass: HomeAssistant,
    socket_enabled: None,
    hass_client: ClientSessionGenerator,
    loaded: MockConfigEntry,
    plant: SimulatedPlant,
) -> None:
    """What was written, and what the machine does not serve."""
    device = unit_of(loaded).device
    await device.write("work_mode", "selling_first")
    plant.machine().trouble.busy = True
    await refresh(hass, loaded, Group.ENERGY)
    data: Any = await get_diagnostics_for_config_entry(hass, hass_client, loaded)
    (unit,) = data["units"]
    (change,) = unit["changes"]
    assert change.pop("when")
    assert change == {
        "key": "work_mode",
        "before": "zero_export_to_ct",
        "after": "selling_first",
        "group": None,
        "in_order": False,
    }
    assert unit["wear"].pop("day")
    assert unit["wear"] == {"registers": {"142": 1}, "settings": {"work_mode": 1}, "total": 1}
    assert unit["quarantined"] == []
    assert unit["polls"]["energy"]["successful"] is False
    assert data["link"]["statistics"]["exceptions"]["6"] >= 1


async def test_diagnostics_of_a_silent_device_send_no_requests(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    loaded: MockConfigEntry,
    plant: SimulatedPlant,
) -> None:
    """It is not asked for what it is recognised by, as each question takes its time; what was read is there."""
    plant.machine().trouble.silent = True
    plant.tcp.drop_connections()
    with patch.object(LinkUnit, "read_holding_registers", side_effect=LinkTimeout("1 s")):
        await refresh(hass, loaded, Group.POWER)
    asked = requests(plant)
    data: Any = await get_diagnostics_for_config_entry(hass, hass_client, loaded)
    assert requests(plant) == asked
    assert data["units"][0]["polls"]["power"]["successful"] is False
    # The work mode.
    assert raw(data["units"][0]["registers"])[142] == 2


async def test_diagnostics_of_an_entry_that_cannot_connect(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, plant: SimulatedPlant
) -> None:
    """At its first set-up nobody listens: why, and what is known of it."""
    await plant.tcp.stop()
    entry = network_entry(1)
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    data: Any = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    dump = json.dumps(data)
    assert [secret for secret in SECRETS if secret in dump] == []
    assert data["entry"] == {
        "state": "setup_retry",
        "disabled_by": None,
        "error": "The link could not be opened: **REDACTED**:1 refused the connection. Check that the"
        " gateway or adapter is powered and that no other program uses it",
    }
    assert data["link"]["host"] == REDACTED
    assert data["link"]["connected"] is False
    assert data["link"]["reachable"] is False
    assert data["link"]["statistics"]["connects"] == 0
    assert data["link"]["frames"] == []
    assert data["units"] == []
    assert data["stored"] == {
        "units": [
            {
                "unit_id": 1,
                "identity": {
                    "family": "jso",
                    "serial": REDACTED,
                    "manufacturer": "JUSTSTANDOUT",
                    "model": "JSO8048104",
                    "firmware": "2011-1144-1805 / 1001-C036",
                    "facts": {"rated_power": 8000, "mppt_count": 2, "phase_count": 3},
                    "features": [],
                },
            }
        ],
        "files": {
            key: {} for key in ("wear", "residues", "changes", "faults", "interrupted", "control")
        },
    }


async def test_diagnostics_show_why_nobody_answers_and_the_last_frames(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    loaded: MockConfigEntry,
    plant: SimulatedPlant,
) -> None:
    """The error of each group, and the bytes on the line, without the serial number in them."""
    await unit_of(loaded).device.verify()
    plant.machine().trouble.silent = True
    with patch.object(LinkUnit, "read_holding_registers", side_effect=LinkTimeout("1 s")):
        await refresh(hass, loaded, Group.POWER)
    data: Any = await get_diagnostics_for_config_entry(hass, hass_client, loaded)
    assert data["entry"]["state"] == "loaded"
    assert data["units"][0]["polls"]["power"]["error"] == "JSO8048104 did not answer: 1 s"
    frames = data["link"]["frames"]
    assert {frame["direction"] for frame in frames} == {"sent", "received"}
    # The last four bytes of the question for the serial number, and what is left of the answer.
    asked = next(at for at, frame in enumerate(frames) if frame["bytes"].endswith("03 00 03 00 05"))
    assert frames[asked + 1]["bytes"].endswith("01 03 0a" + 10 * " **")
    assert frames[asked + 1]["size"] == 19
    assert frames[asked]["seconds_ago"] >= frames[asked + 1]["seconds_ago"] > 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("127.0.0.1:502 refused the connection", "**REDACTED**:502 refused the connection"),
        # It led somewhere else when that happened.
        ("no response from 192.0.2.20:8899", "no response from **REDACTED**:8899"),
        ("[Errno 113] ('192.0.2.20', 502)", "[Errno 113] ('**REDACTED**', 502)"),
        ("unit 1, JSO0000001 and JSO00000012", "unit 1, **REDACTED** and **REDACTED**2"),
        ("firmware 1.216 / 3.105", "firmware 1.216 / 3.105"),
    ],
)
def test_a_text_does_not_tell_where_and_who(text: str, shown: str) -> None:
    """Neither as the entry is now, nor as it was."""
    assert redacted_text(network_entry(502), text) == shown


async def test_diagnostics_of_a_disabled_entry(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, loaded: MockConfigEntry
) -> None:
    """What is stored of it: nothing is asked of its machines."""
    await unit_of(loaded).device.write("work_mode", "selling_first")
    await hass.config_entries.async_set_disabled_by(loaded.entry_id, ConfigEntryDisabler.USER)
    data: Any = await get_diagnostics_for_config_entry(hass, hass_client, loaded)
    dump = json.dumps(data)
    assert [secret for secret in SECRETS if secret in dump] == []
    assert data["entry"] == {"state": "not_loaded", "disabled_by": "user", "error": None}
    assert data["link"] == {
        "type": "network",
        "host": REDACTED,
        "port": loaded.data["port"],
        "framing": "tcp",
    }
    assert data["units"] == []
    assert data["stored"]["units"][0]["unit_id"] == 1
    assert data["stored"]["files"]["wear"]["unit_1"]["registers"] == {"142": 1}
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, SERIAL), loaded.entry_id)
    assert device is not None
    assert await get_diagnostics_for_device(hass, hass_client, loaded, device) == data


async def test_diagnostics_of_a_stick_do_not_tell_its_number(
    hass: HomeAssistant, socket_enabled: None, hass_client: ClientSessionGenerator
) -> None:
    """It is in the head of every frame: 1700000001 is 0x6553F101."""
    async with SimulatedPlant(stick=True) as plant:
        plant.advance(60)
        entry = link_entry(stick_data("127.0.0.1", plant.stick_port), unique_id="1700000001")
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        data: Any = await get_diagnostics_for_config_entry(hass, hass_client, entry)
        assert "01 f1 53 65" in " ".join(
            frame.data.hex(" ") for frame in unit_of(entry).device._unit._link.frames
        )
        assert data["link"]["frames"]
        assert all(frame["bytes"].split()[7:11] == ["**"] * 4 for frame in data["link"]["frames"])
        assert "01 f1 53 65" not in json.dumps(data)
        assert await hass.config_entries.async_unload(entry.entry_id)


async def test_serial_port_is_not_told(
    hass: HomeAssistant, socket_enabled: None, hass_client: ClientSessionGenerator
) -> None:
    """The path of a USB adapter holds its serial number."""
    async with SimulatedPlant(serial=True) as plant:
        plant.advance(60)
        entry = link_entry(serial_data(plant.serial_device))
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        data: Any = await get_diagnostics_for_config_entry(hass, hass_client, entry)
        assert plant.serial_device not in json.dumps(data)
        assert data["link"]["device"] == REDACTED
        assert data["link"]["baudrate"] == 9600
        assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("identifier", [SERIAL, f"{SERIAL}_battery"])
async def test_diagnostics_of_a_device_or_part_show_its_unit(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    identifier: str,
) -> None:
    """The unit that a device is, or is a part of."""
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, identifier), loaded.entry_id
    )
    assert device is not None
    data: Any = await get_diagnostics_for_device(hass, hass_client, loaded, device)
    dump = json.dumps(data)
    assert [secret for secret in SECRETS if secret in dump] == []
    (unit,) = data["units"]
    assert unit["unit_id"] == 1
    assert unit["values"]["battery_soc"] == 60


async def test_device_of_the_link(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """How it behaves, and not where it leads."""
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, loaded.entry_id), loaded.entry_id
    )
    assert device is not None
    data: Any = await get_diagnostics_for_device(hass, hass_client, loaded, device)
    assert data.keys() == {"link"}
    assert data["link"]["host"] == REDACTED
    assert data["link"]["statistics"]["success_rate"] == 1


async def test_device_of_another_machine(
    hass: HomeAssistant, socket_enabled: None, hass_client: ClientSessionGenerator
) -> None:
    """A serial number that begins like another one is another one."""
    async with SimulatedPlant(serial_number="JSO1", units=(1,)) as plant:
        plant.advance(60)
        plant.machines[2] = plant.machine(1)
        entry = link_entry(network_data(plant.tcp_port), {1: "JSO1", 2: "JSO10"})
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        device = dr.async_get(hass).async_get_device_by_identifier(
            (DOMAIN, "JSO10_battery"), entry.entry_id
        )
        assert device is not None
        data: Any = await get_diagnostics_for_device(hass, hass_client, entry, device)
        assert [unit["unit_id"] for unit in data["units"]] == [2]
        assert await hass.config_entries.async_unload(entry.entry_id)
