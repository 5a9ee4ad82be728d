"""Meters in the simulated plant: what they measure and count, what they refuse, and what can be wrong with them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
import json
import math
from pathlib import Path
import signal
import struct
import sys

import aiohttp
import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.find.identify import identify
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.transport.link import (
    Framing,
    Link,
    LinkUnit,
    TcpEndpoint,
)
from simulator import METERS, SimulatedPlant
from simulator.__main__ import _parser
from simulator.control import ControlServer
from simulator.meter import MeterMachine

from .registers import read_float

ROOT = Path(__file__).parents[2]
HOUSE = {1: "DTSU666", 2: "DDSU666", 3: "JSO8048104", 4: "H2-10K-T2"}


def meter(plant: SimulatedPlant, unit: int) -> MeterMachine:
    """Return a meter of a plant."""
    machine = plant.machine(unit)
    assert isinstance(machine, MeterMachine)
    return machine


def read_answer(plant: SimulatedPlant, unit: int, address: int, count: int = 2) -> bytes | None:
    """Return the answer to a read."""
    return plant.machine(unit).respond(struct.pack(">BHH", 3, address, count))


# ---------------------------------------------------------------------- what it measures


def test_the_grid_meter_sees_all_machines() -> None:
    """What both inverters take from the grid, less what the solar inverter feeds in on the first phase."""
    plant = SimulatedPlant(devices=HOUSE)
    plant.advance(3600)
    solar = plant.site.solar_point.power
    assert solar > 1000
    expected = list(plant.site.home)
    expected[0] -= solar
    for unit in (3, 4):
        flows = plant.machine(unit).inverter.flows
        for phase in range(3):
            expected[phase] += flows.backup[phase] - flows.inverter_phases[phase]
    # Tenths of watts on the secondary side, tenths of milliwatts of kilowatts on the primary one.
    for phase, watts in enumerate(expected):
        assert read_float(plant, 1, 0x2014 + 2 * phase) / 10 == pytest.approx(watts, abs=0.06)
        assert read_float(plant, 1, 0x151E + 2 * phase) * 1000 == pytest.approx(watts, abs=0.06)
    assert read_float(plant, 1, 0x2012) / 10 == pytest.approx(sum(expected), abs=0.06)
    # The other meter has the solar inverter's production as what flows forth, in kilowatts.
    assert read_float(plant, 2, 0x2004) * 1000 == pytest.approx(solar, abs=0.06)


def test_what_is_measured_fits_together() -> None:
    """Apparent power, power factor, currents and the voltages between the phases."""
    plant = SimulatedPlant(devices=HOUSE)
    plant.advance(60)
    for phase in range(3):
        volts = read_float(plant, 1, 0x1510 + 2 * phase)
        following = read_float(plant, 1, 0x1510 + 2 * ((phase + 1) % 3))
        watts = read_float(plant, 1, 0x151E + 2 * phase) * 1000
        reactive = read_float(plant, 1, 0x1526 + 2 * phase) * 1000
        apparent = read_float(plant, 1, 0x152E + 2 * phase) * 1000
        assert 215 < volts < 245
        assert apparent == pytest.approx(math.hypot(watts, reactive), abs=0.2)
        assert read_float(plant, 1, 0x1516 + 2 * phase) * volts == pytest.approx(apparent, abs=1)
        assert read_float(plant, 1, 0x1536 + 2 * phase) * apparent == pytest.approx(watts, abs=1)
        # A third of a turn apart.
        line = math.sqrt(volts**2 + following**2 + volts * following)
        assert read_float(plant, 1, 0x150A + 2 * phase) == pytest.approx(line, abs=0.05)
    assert 49.9 < read_float(plant, 1, 0x154E) < 50.1
    assert read_float(plant, 1, 0x2044) == round(read_float(plant, 1, 0x154E) * 100)


@pytest.mark.parametrize("steps", [[7200.0], [900.0] * 8, [7.0, 13.0, 1000.0, 6180.0]])
def test_counters_are_the_integral(steps: list[float]) -> None:
    """However the time is cut: what each inverter's own clamps have counted, where nothing else is there."""
    plant = SimulatedPlant(devices={1: "DTSU666", 3: "JSO8048104"})
    own = plant.machine(3).inverter.total
    before = {
        phase: (own[f"grid_l{phase}_import"], own[f"grid_l{phase}_export"]) for phase in (1, 2, 3)
    }
    counter = meter(plant, 1)
    imported, exported = list(counter.imported), list(counter.exported)
    for seconds in steps:
        plant.advance(seconds)
    for phase in (1, 2, 3):
        now = own[f"grid_l{phase}_import"], own[f"grid_l{phase}_export"]
        counted = (
            counter.imported[phase - 1] - imported[phase - 1],
            counter.exported[phase - 1] - exported[phase - 1],
        )
        assert counted == pytest.approx(
            [later - earlier for later, earlier in zip(now, before[phase], strict=True)], abs=0.01
        )
    assert sum(counter.imported) > sum(imported)


def test_midnight_is_a_border_for_all() -> None:
    """No step runs across it, so that the powers hold for all of it."""
    plant = SimulatedPlant(devices=HOUSE, start=datetime(2026, 6, 21, 23, 50))  # noqa: DTZ001
    inverter = plant.machine(3).inverter
    plant.advance(596)
    assert inverter.seconds_to_midnight() == pytest.approx(4)
    plant.advance(8)
    assert inverter.now == plant.site.now == meter(plant, 1).now


def test_totals_of_phases_and_net() -> None:
    """Each phase counts its own direction; the net counters that of all phases together."""
    plant = SimulatedPlant(devices=HOUSE)
    counter = meter(plant, 1)
    before = counter.net_imported - counter.net_exported
    plant.advance(6 * 3600)
    phases = [read_float(plant, 1, 0x1820 + 2 * n) for n in range(3)]
    assert read_float(plant, 1, 0x181E) == pytest.approx(sum(phases), abs=0.003)
    combined = read_float(plant, 1, 0x181E) + read_float(plant, 1, 0x1828)
    assert read_float(plant, 1, 0x1800) == pytest.approx(combined, abs=0.003)
    # What is netted is missing on both sides.
    net = read_float(plant, 1, 0x1826) - read_float(plant, 1, 0x1830)
    assert net == pytest.approx(
        read_float(plant, 1, 0x181E) - read_float(plant, 1, 0x1828), abs=0.01
    )
    assert (counter.net_imported - counter.net_exported - before) < 0
    assert read_float(plant, 1, 0x1826) < read_float(plant, 1, 0x181E)


def test_a_house_with_nothing_but_a_meter() -> None:
    """It only draws."""
    plant = SimulatedPlant(devices={1: "DTSU666"})
    plant.advance(600)
    assert read_float(plant, 1, 0x2012) > 0
    assert read_float(plant, 1, 0x181E) > 4397.48
    assert read_float(plant, 1, 0x1828) == pytest.approx(1006.0)


def test_a_solar_inverter_by_night() -> None:
    """It draws a little, which its meter counts as what flows back."""
    plant = SimulatedPlant(devices={1: "DTSU666", 2: "DDSU666"})
    plant.advance(13 * 3600)
    assert read_float(plant, 2, 0x2004) == pytest.approx(-0.003)
    exported = read_float(plant, 2, 0x400A)
    plant.advance(3600)
    assert read_float(plant, 2, 0x400A) == pytest.approx(exported + 0.003, abs=0.0011)
    assert read_float(plant, 1, 0x2014) > read_float(plant, 2, 0x2004)


def test_without_a_meter_there_is_no_solar_inverter() -> None:
    """A plant without meters is what it was."""
    plant = SimulatedPlant()
    plant.advance(3600)
    assert plant.site.solar_point.power == 0


# ---------------------------------------------------------------------- how it answers


@pytest.mark.parametrize(
    ("model", "served", "refused"),
    [
        (
            "DTSU666",
            [(0x2000, 70), (0x150A, 70), (0x1800, 0x5A), (0, 13)],
            [(0x401E, 2), (0x2050, 2), (0x2045, 2), (0x1509, 2), (0xF100, 10)],
        ),
        (
            "DTSU666-2019",
            [(0x2000, 34), (0x202A, 8), (0x2044, 2), (0x101E, 20), (0x1032, 32)],
            [(0x2000, 35), (0x2022, 8), (0x151C, 2), (0x401E, 2), (0x1000, 2), (0x002F, 6)],
        ),
        (
            "DTSU666-2016",
            [(0x2000, 34), (0x2050, 2), (0x401E, 60), (0x4000, 2), (0x002F, 6)],
            [(0x101E, 2), (0x151C, 2), (0x2000, 70), (0x4000, 60)],
        ),
        (
            "DDSU666",
            [(0x2000, 16), (0x4000, 2), (0x400A, 2)],
            [(0x4000, 4), (0x4000, 12), (0x2010, 1), (0x2044, 2)],
        ),
        (
            "DDSU666-2016",
            [(0x2000, 12), (0x200E, 2), (0x4000, 2)],
            [(0x2000, 16), (0x400A, 2)],
        ),
    ],
)
def test_a_read_that_touches_a_missing_register_is_refused_as_a_whole(
    model: str, served: list[tuple[int, int]], refused: list[tuple[int, int]]
) -> None:
    """A read that touches one register that is not there is refused as a whole."""
    plant = SimulatedPlant(devices={1: model})
    for address, count in served:
        answer = read_answer(plant, 1, address, count)
        assert answer is not None
        assert answer[0] == 3, hex(address)
    for address, count in refused:
        assert read_answer(plant, 1, address, count) == b"\x83\x02", hex(address)


@pytest.mark.parametrize("model", METERS)
def test_keypad_code_and_unit_id_are_where_the_real_meters_have_them(model: str) -> None:
    """The keypad code and the own unit id lie where the real ones have them."""
    plant = SimulatedPlant(devices={7: model})
    three_phase = model.startswith("DTSU")
    machine = plant.machine(7)
    assert machine.word(1 if three_phase else 0) == 701
    assert machine.word(0x002E if three_phase else 0x0006) == 7
    assert (machine.word(6 if three_phase else 8), machine.word(7)) == (1, 10)


def test_meter_before_the_car_counts_what_charges_it() -> None:
    """3680 W on each phase from seven to ten in the evening are 11040 W, and 184 Wh in a minute."""
    evening = datetime.fromisoformat("2026-06-21T18:59")
    plant = SimulatedPlant(devices={1: "JSO8048104", 2: "DTSU666-car"}, car=True, start=evening)
    plant.advance(60)
    meter = plant.machine(2)
    assert meter.value("power") == 0
    before = meter.value("import_energy_total")
    plant.advance(60)
    assert meter.value("power") == pytest.approx(11040)
    assert meter.value("import_energy_total") - before == pytest.approx(0.184, abs=0.01)  # type: ignore[operator]


@pytest.mark.parametrize("pdu", ["1000060001020002", "100002000102 0001", "0600060002"])
def test_nothing_can_be_written(pdu: str) -> None:
    """It is refused, and seen."""
    plant = SimulatedPlant(devices={1: "DTSU666"})
    answer = plant.machine(1).respond(bytes.fromhex(pdu))
    assert answer is not None
    assert answer[0] & 0x80
    assert plant.machine(1).word(6) == 1
    assert len(plant.machine(1).writes) == 1


def test_with_a_ct_ratio_secondary_values_are_whole_counts_and_primary_ones_are_not() -> None:
    """The secondary side is in whole counts behind them, the primary side is not."""
    plant = SimulatedPlant(devices={1: replace(METERS["DTSU666"], ct_ratio=40), 3: "JSO8048104"})
    plant.advance(1800)
    assert plant.machine(1).word(6) == 40
    watts = plant.machine(3).inverter.flows.grid
    assert read_float(plant, 1, 0x151C) * 1000 == pytest.approx(watts, abs=0.06)
    counts = read_float(plant, 1, 0x2012)
    assert counts == round(watts / 4)
    energy = read_float(plant, 1, 0x181E)
    assert read_float(plant, 1, 0x101E) * 40 == pytest.approx(energy, abs=0.041)


# ---------------------------------------------------------------------- what can be wrong


def test_a_torn_read_joins_the_old_high_word_to_the_new_low_word() -> None:
    """The high word is from before the last change, the low one from after it."""
    plant = SimulatedPlant(devices={1: "DTSU666"})
    plant.advance(60)
    old = read_answer(plant, 1, 0x2012)
    plant.advance(60)
    plant.machine(1).trouble.torn_reads = 1
    torn = read_answer(plant, 1, 0x2012)
    new = read_answer(plant, 1, 0x2012)
    assert old is not None
    assert new is not None
    assert old[2:4] != new[2:4]
    assert torn == new[:2] + old[2:4] + new[4:6]
    assert plant.machine(1).trouble.torn_reads == 0


def test_a_shifted_read_answers_from_one_register_later() -> None:
    """The answer begins one register later."""
    plant = SimulatedPlant(devices={1: "DTSU666"})
    plant.advance(60)
    true = read_answer(plant, 1, 0x2006, 5)
    plant.machine(1).trouble.shifted_reads = 1
    shifted = read_answer(plant, 1, 0x2006, 4)
    assert true is not None
    assert shifted == b"\x03\x08" + true[4:12]
    assert read_answer(plant, 1, 0x2006, 5) == true


def test_a_reversed_transformer_flips_one_phase_and_counts_it_the_other_way() -> None:
    """One phase shows the other sign, and counts the other way."""
    plant = SimulatedPlant(devices={1: "DTSU666"})
    plant.advance(60)
    straight = [read_float(plant, 1, 0x2014 + 2 * n) for n in range(3)]
    counter = meter(plant, 1)
    counter.trouble.reversed_phases = frozenset({2})
    crooked = [read_float(plant, 1, 0x2014 + 2 * n) for n in range(3)]
    assert crooked == [straight[0], -straight[1], straight[2]]
    assert read_float(plant, 1, 0x200E) > 0
    imported, exported = list(counter.imported), list(counter.exported)
    plant.advance(600)
    assert counter.imported[1] == imported[1]
    assert counter.exported[1] > exported[1]
    assert counter.imported[0] > imported[0]


def test_a_meter_is_silent_during_an_outage_and_keeps_its_counters() -> None:
    """A meter lives on the voltage that it measures; what was counted is kept."""
    plant = SimulatedPlant(devices={1: "DTSU666", 2: "DDSU666", 3: "JSO8048104"})
    plant.advance(60)
    before = meter(plant, 1).glance()["import_energy_total"]
    plant.machine(3).trouble.outage = True
    plant.advance(60)
    assert read_answer(plant, 1, 0x2000) is None
    assert read_answer(plant, 2, 0x2000) is None
    plant.machine(3).trouble.outage = False
    plant.advance(10)
    assert read_float(plant, 1, 0x2006) > 2000
    assert read_float(plant, 1, 0x181E) == pytest.approx(before, abs=0.05)
    plant.machine(2).trouble.outage = True
    assert read_answer(plant, 2, 0x2000) is None
    assert read_answer(plant, 1, 0x2000) is not None


def test_one_of_them_is_silent() -> None:
    """The others on the line are not."""
    plant = SimulatedPlant(devices=HOUSE)
    plant.machine(2).trouble.silent = True
    assert read_answer(plant, 2, 0x2000) is None
    assert read_answer(plant, 1, 0x2000) is not None
    assert read_answer(plant, 3, 0, 1) is not None


# ---------------------------------------------------------------------- in company


def test_machines_of_any_kind() -> None:
    """Serial numbers count by model; a network module is only that where there is one inverter."""
    plant = SimulatedPlant(
        devices={5: "H2-6K-S2", 6: "JSO8048104", 7: "H2-6K-S2", 8: "JSO8048104", 1: "DTSU666"}
    )
    serials = [plant.machine(unit).serial_number for unit in (5, 7, 6, 8)]
    assert serials == [
        "SAJSIM000000000001",
        "SAJSIM000000000002",
        "JSO0000001",
        "JSO0000002",
    ]
    assert list(plant.machines) == [5, 6, 7, 8, 1]
    assert not plant.tcp.any_unit
    assert not plant.tcp.one_client
    alone = SimulatedPlant(devices={1: "H2-6K-S2"})
    assert alone.tcp.any_unit
    assert alone.tcp.one_client
    assert not SimulatedPlant(devices={1: "H2-6K-S2", 2: "DTSU666"}).tcp.any_unit
    assert not SimulatedPlant(devices={1: "H2-6K-S2", 2: "H2-6K-S2"}).tcp.any_unit
    with pytest.raises(KeyError):
        SimulatedPlant(devices={1: "DTSU999"})


EXPECTED = {
    "DTSU666": ("dtsu666", {"primary_measurements", "primary_counters", "primary_net_counters"}),
    "DTSU666-2019": ("dtsu666", {"new_counters", "new_net_counters", "new_reactive_counters"}),
    "DTSU666-2016": ("dtsu666", {"clock", "demand", "old_counters", "old_phase_counters"}),
    "DDSU666": ("ddsu666", {"apparent_power", "whole_block", "export_counter"}),
    "DDSU666-2016": ("ddsu666", {"apparent_power"}),
}


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("framing", [Framing.TCP, Framing.RTU])
async def test_all_of_them_over_the_wire(framing: Framing) -> None:
    """They are recognised for what they are, and everything that they have can be read."""
    devices = dict(enumerate(EXPECTED, 1))
    async with SimulatedPlant(devices={**devices, 9: "JSO8048104"}) as plant:
        plant.advance(600)
        port = plant.tcp_port if framing is Framing.TCP else plant.rtu_port
        link = Link(TcpEndpoint("127.0.0.1", port, framing), spacing=0)
        try:
            for number, model in devices.items():
                unit = LinkUnit(link, number)
                identity = await identify(unit)
                family, features = EXPECTED[model]
                assert identity.family == family
                assert features <= set(identity.features)
                device = Device(
                    unit,
                    FAMILIES[family],
                    known=identity.facts,
                    features=identity.features,
                )
                snapshot = await device.poll(device.family.registers)
                assert snapshot.failed == frozenset()
                assert None not in snapshot.values.values()
                assert device.dropped == 0
            assert (await identify(LinkUnit(link, 9))).family == "jso"
        finally:
            await link.close()


@pytest.mark.usefixtures("socket_enabled")
async def test_a_meter_is_inspected_and_given_trouble_over_http_like_any_other_device() -> None:
    """A meter is looked into and troubled like any other machine."""
    async with SimulatedPlant(devices=HOUSE) as plant, aiohttp.ClientSession() as session:
        plant.advance(60)
        control = ControlServer(plant)
        await control.start(0)
        url = f"http://127.0.0.1:{control.port}"
        async with session.get(f"{url}/") as answer:
            machines = (await answer.json())["machines"]
        assert list(machines) == ["1", "2", "3", "4"]
        assert machines["1"]["model"] == "DTSU666"
        assert machines["1"]["power"] == round(read_float(plant, 1, 0x2012) / 10)
        assert machines["1"]["import_energy_total"] == pytest.approx(4397.48, abs=0.1)
        assert machines["3"]["serial_number"] == "JSO0000001"
        async with session.get(f"{url}/registers?address=0x2E&unit=1") as answer:
            assert answer.status == 400
        async with session.get(f"{url}/registers?address=46&unit=1") as answer:
            assert (await answer.json())["values"] == [1]
        trouble = {"torn_reads": 3, "reversed_phases": [1, 3], "silent": True}
        async with session.post(f"{url}/trouble?unit=2", json=trouble) as answer:
            assert (await answer.json()).items() >= trouble.items()
        assert plant.machine(2).trouble.reversed_phases == {1, 3}
        assert plant.machine(1).trouble.torn_reads == 0
        await control.stop()


async def _ports(*arguments: str) -> tuple[asyncio.subprocess.Process, dict[str, int]]:
    """Start the command, and return its ports."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--tcp-port", "0", "--rtu-port", "none"),
        *("--control-port", "none", "--start", "2026-06-21", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        return process, json.loads(await process.stdout.readline())


@pytest.mark.usefixtures("socket_enabled")
async def test_the_command_serves_several_kinds_of_device_each_at_its_unit_id() -> None:
    """Machines of several kinds, each with its unit id."""
    process, ports = await _ports("--device", "1:DTSU666", "--device", "3:JSO8048104")
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", ports["tcp"])
        for unit, expected in ((1, "006d"), (3, "0005")):
            writer.write(bytes.fromhex(f"0001 0000 0006 {unit:02x} 03 0000 0001"))
            answer = await reader.readexactly(11)
            assert answer.hex() == f"000100000005{unit:02x}0302{expected}"
        writer.close()
    finally:
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 0


@pytest.mark.parametrize("device", ["1", "1:H9", "x:DTSU666"])
def test_command_with_a_device_that_there_is_not(
    device: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says how it wants to be told."""
    with pytest.raises(SystemExit, match="2"):
        _parser().parse_args(["--device", device])
    assert "--device" in capsys.readouterr().err
