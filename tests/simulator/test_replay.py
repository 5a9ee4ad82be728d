"""Machines made of a diagnostics download, and what is made of a file that is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from simulator import SimulatedPlant
from simulator.cause import cause
from simulator.replay import ReplayedMachine, replayed

from .wire import exchange

# A JSO as it stands in a download: type 5, the serial number (3 to 7) left out, SOC, grid power, work mode, 8 kW.
JSO: Final[dict[str, Any]] = {
    "unit_id": 1,
    "identity": {
        "family": "jso",
        "serial": "**REDACTED**",
        "manufacturer": "JUSTSTANDOUT",
        "model": "JSO8048104",
        "firmware": None,
        "facts": {"rated_power": 8000, "mppt_count": 2, "phase_count": 3},
        "features": [],
    },
    "role": None,
    "inverted": False,
    "registers": {
        "0": "0005",
        "142": "0002 1F40",
        "555": "0000 0001 0000 0000",
        "529": "0043",
        "534": "475A 0003",
        "587": "1464 003E",
        "625": "FD8A",
    },
    "redacted": [3, 4, 5, 6, 7],
}
METER: Final[dict[str, Any]] = {
    "unit_id": 12,
    "identity": {
        "family": "ddsu666",
        "serial": "**REDACTED**",
        "manufacturer": "CHINT",
        "model": "DDSU666",
        "firmware": "504",
        "facts": {"rated_power": 23000},
        "features": [],
    },
    "role": "solar",
    "inverted": True,
    # 231.5 V.
    "registers": {"8192": "4367 8000"},
    "redacted": [],
}
DOWNLOAD: Final = {"home_assistant": {"version": "2026.6.1"}, "data": {"units": [JSO, METER]}}


def machine_of(unit: dict[str, Any]) -> ReplayedMachine:
    """Return the machine of a download that has no other one."""
    (machine,) = replayed({"units": [unit]}).values()
    assert isinstance(machine, ReplayedMachine)
    return machine


def answer_to(machine: ReplayedMachine, pdu: str) -> str:
    """Send a request, and return the answer."""
    answer = machine.respond(bytes.fromhex(pdu))
    assert answer is not None
    return answer.hex(" ")


async def test_only_the_devices_of_the_file_answer_at_their_unit_ids_in_both_framings(
    socket_enabled: None, tmp_path: Path
) -> None:
    """Each machine of the file answers at its unit id, in either framing, and nobody else does."""
    file = tmp_path / "download.json"
    file.write_text(json.dumps(DOWNLOAD), encoding="utf-8")
    async with SimulatedPlant(replay=file) as plant:
        assert list(plant.machines) == [1, 12]
        answer = await exchange(plant.tcp_port, "0001 0000 0006 01 03 024b 0002")
        assert answer == "00 01 00 00 00 07 01 03 04 14 64 00 3e"
        assert (await exchange(plant.rtu_port, "0c 03 2000 0002 ce d6")).startswith(
            "0c 03 04 43 67 80 00"
        )
        nobody = await exchange(plant.tcp_port, "0001 0000 0006 02 03 024b 0002")
        assert nobody == "00 01 00 00 00 03 02 83 0b"
        # Time changes nothing.
        plant.advance(7200)
        assert answer == await exchange(plant.tcp_port, "0001 0000 0006 01 03 024b 0002")


def test_a_read_of_registers_missing_from_the_download_is_refused() -> None:
    """What the download does not have, alone or within a read."""
    machine = machine_of(JSO)
    assert answer_to(machine, "03 0249 0001") == "83 02"
    assert answer_to(machine, "03 024b 0003") == "83 02"
    assert answer_to(machine, "03 024b 0002") == "03 04 14 64 00 3e"


def test_the_made_up_serial_number_is_stable_and_differs_between_devices() -> None:
    """It is made up, always the same for a download, and another one for another machine."""
    machine = machine_of(JSO)
    serial = machine.serial_number
    assert serial is not None
    assert serial[0] == "R"
    assert serial[1:].isdecimal()
    assert len(serial) == 10
    assert answer_to(machine, "03 0003 0005") == "03 0a " + serial.encode().hex(" ")
    assert machine_of(JSO).serial_number == serial
    assert machine_of({**JSO, "unit_id": 2}).serial_number != serial
    # Older downloads do not say what they leave out; a machine without a serial number would not be recognised.
    assert machine_of({**JSO, "redacted": []}).serial_number is not None
    assert machine_of(METER).serial_number is None


def test_settings_can_be_written_but_measurements_and_missing_registers_cannot() -> None:
    """Settings are a plain memory; measurements are not, nor is what the download does not have."""
    machine = machine_of(JSO)
    assert answer_to(machine, "10 008e 0001 02 0000") == "10 00 8e 00 01"
    assert answer_to(machine, "03 008e 0002") == "03 04 00 00 1f 40"
    assert answer_to(machine, "06 008f 1000") == "06 00 8f 10 00"
    assert answer_to(machine, "03 008e 0002") == "03 04 00 00 10 00"
    assert answer_to(machine, "10 024c 0001 02 0000") == "90 02"
    assert answer_to(machine, "10 0075 0001 02 0000") == "90 02"
    # It stays that way when a counter begins again, which is made of what the file says.
    machine.restart("pv_energy_total")
    machine.restart("pv_energy_today")
    assert answer_to(machine, "03 0216 0002") == "03 04 00 00 00 00"
    assert answer_to(machine, "03 0211 0001") == "03 02 00 00"
    assert answer_to(machine, "03 008e 0002") == "03 04 00 00 10 00"


def test_a_glance_shows_the_key_values_and_how_a_meter_must_be_set_up() -> None:
    """What a person wants to know first; of a meter also how it has to be set up."""
    machine = machine_of(JSO)
    assert machine.glance() == {
        "model": "JSO8048104",
        "serial_number": machine.serial_number,
        "work_mode": "zero_export_to_ct",
        "battery_soc": 62,
        "grid_power": -630,
    }
    assert machine_of(METER).glance() == {
        "model": "DDSU666",
        "serial_number": None,
        "role": "solar",
        "inverted": True,
        "voltage": 231.5,
    }


def test_a_replayed_device_can_have_the_same_trouble_as_any_other() -> None:
    """It can have what any machine can have."""
    plant = SimulatedPlant(replay=DOWNLOAD)
    cause(plant, {"spikes": [{"register": "battery_soc", "value": 0, "reads": 1}]})
    assert plant.machine(1).read(588, 1) == [0]
    assert plant.machine(1).read(588, 1) == [62]
    # A fault of its own is in the download already.
    assert plant.machine(1).read(555, 4) == [0, 1, 0, 0]
    cause(plant, {"faults": [63]})
    assert plant.machine(1).read(555, 4) == [0, 0, 0, 0x8000]
    cause(plant, {"faults": []})
    assert plant.machine(1).read(555, 4) == [0, 1, 0, 0]
    # A meter has none.
    cause(plant, {"unit": 12, "faults": [1]})
    assert plant.machine(12).read(8192, 2) == [0x4367, 0x8000]


def test_replayed_devices_are_added_to_the_simulated_ones() -> None:
    """Those of the file come on top."""
    plant = SimulatedPlant(replay=DOWNLOAD, devices={5: "DTSU666"})
    assert list(plant.machines) == [5, 1, 12]


@pytest.mark.parametrize(
    "data",
    [
        [],
        {"data": []},
        {"units": [{"unit_id": 1}]},
        {"units": [{**JSO, "registers": {"0": "XYZ"}}]},
        {"units": [{**JSO, "identity": {**JSO["identity"], "family": "no_such"}}]},
        # Of a plant, and of the link's device.
        {"members": {}},
        {"link": {}},
    ],
)
def test_what_is_no_download(data: Any, tmp_path: Path) -> None:
    """It is refused in a sentence."""
    file = tmp_path / "file.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ValueError, match=r"download"):
        replayed(file)


def test_what_is_no_json(tmp_path: Path) -> None:
    """So is that."""
    file = tmp_path / "file.json"
    file.write_text("nothing", encoding="utf-8")
    with pytest.raises(ValueError, match=r"not a diagnostics download"):
        replayed(file)
