"""Every trouble there is, caused as the command line, a scenario and the control page cause it, and seen on the wire."""

# ruff: noqa: DTZ001 - the machine knows no zone
from __future__ import annotations

import asyncio
from datetime import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from simulator import SimulatedPlant
from simulator.cause import NAMES, cause, parse_trouble
from simulator.scenario import Scenario
from simulator.steering import steer

from .registers import read_float, read_signed, read_words
from .wire import exchange

JSO, SAJ, DTSU, DDSU = 1, 2, 11, 12
HOUSE = {JSO: "JSO8048104", SAJ: "H2-10K-T2", DTSU: "DTSU666", DDSU: "DDSU666"}


@pytest.fixture
def plant() -> SimulatedPlant:
    """Return a house at ten o'clock, without servers; its time stands still."""
    plant = SimulatedPlant(devices=HOUSE)
    plant.advance(60)
    return plant


def answer_to(plant: SimulatedPlant, unit: int, pdu: str) -> str | None:
    """Send a request, and return the answer."""
    answer = plant.machine(unit).respond(bytes.fromhex(pdu))
    return None if answer is None else answer.hex(" ")


# ---------------------------------------------------------------------- of a machine


def test_an_outage_removes_the_grid_voltage_and_silences_the_meter(plant: SimulatedPlant) -> None:
    """No volts at the grid, and a meter has no supply."""
    assert all(word > 2200 for word in read_words(plant, JSO, 598, 3))
    cause(plant, {"outage": True}, JSO)
    plant.advance(1)
    assert read_words(plant, JSO, 598, 3) == [0, 0, 0]
    assert answer_to(plant, DTSU, "03 2000 0002") is None
    cause(plant, {"outage": None}, JSO)
    plant.advance(1)
    assert all(word > 2200 for word in read_words(plant, JSO, 598, 3))


@pytest.mark.parametrize("bit", range(64))
def test_each_fault_sets_its_own_bit_and_the_fault_state(bit: int) -> None:
    """Each has its bit, sixteen to a register, and the machine says that it has one."""
    plant = SimulatedPlant()
    plant.advance(1)
    cause(plant, {"faults": [bit]})
    words = [0, 0, 0, 0]
    words[bit // 16] = 1 << bit % 16
    assert read_words(plant, 1, 555, 4) == words
    assert read_words(plant, 1, 500) == [4]


def test_a_spike_by_name_counts_only_the_reads_that_touch_its_register(
    plant: SimulatedPlant,
) -> None:
    """Only reads that touch it count."""
    cause(plant, {"spikes": [{"register": "battery_soc", "value": 6, "reads": 2}]})
    assert read_words(plant, JSO, 588) == [6]
    assert read_words(plant, JSO, 587) != [6]
    assert read_words(plant, JSO, 586, 4)[2] == 6
    assert read_words(plant, JSO, 588) == [60]


def test_a_spike_by_address_lasts_its_seconds_from_the_first_read_on(plant: SimulatedPlant) -> None:
    """A raw word, for some seconds from the first read on."""
    cause(plant, {"unit": SAJ, "spikes": [{"register": 0x406F, "value": 65535, "seconds": 10}]})
    plant.advance(60)
    assert read_words(plant, SAJ, 0x406F) == [65535]
    plant.advance(9)
    assert read_words(plant, SAJ, 0x406F) == [65535]
    plant.advance(1)
    assert 6000 < read_words(plant, SAJ, 0x406F)[0] < 6200


def test_spike_until_it_is_taken_away(plant: SimulatedPlant) -> None:
    """A counter that falls to 0 on a meter, wherever it is shown."""
    cause(plant, {"unit": DTSU, "spikes": [{"register": "import_energy_total", "value": 0}]})
    for _ in range(3):
        assert read_words(plant, DTSU, 0x101E, 2) == read_words(plant, DTSU, 0x181E, 2) == [0, 0]
    cause(plant, {"unit": DTSU, "spikes": []})
    assert read_float(plant, DTSU, 0x101E) == pytest.approx(4397.49, abs=0.01)


@pytest.mark.parametrize(
    ("unit", "address", "old", "new", "torn"),
    [
        # 6553.5 kWh and 0.2 more in tenths, the low word first: the old high word makes 0.1 of it.
        (JSO, 534, [0xFFFF, 0], [0x0001, 1], [0x0001, 0]),
        # 655.35 kWh and 0.2 more in hundredths, the high word first: 0.19.
        (SAJ, 0x40C5, [0, 0xFFFF], [1, 0x0013], [0, 0x0013]),
    ],
)
def test_a_torn_counter_read_has_the_old_high_word_in_either_word_order(
    plant: SimulatedPlant, unit: int, address: int, old: list[int], new: list[int], torn: list[int]
) -> None:
    """The high word of a counter is from before it rose, wherever it lies."""
    machine: Any = plant.machine(unit)
    low = {JSO: 6_553_510.0, SAJ: 655_351.0}[unit]
    machine.inverter.total["pv"] = low
    machine.inverter.clock_offset = machine.inverter.clock_offset + (
        datetime(1, 1, 2) - datetime(1, 1, 1)
    )
    assert read_words(plant, unit, address, 2) == old
    machine.inverter.total["pv"] = low + 200
    machine.inverter.clock_offset = machine.inverter.clock_offset * 2
    cause(plant, {"torn_reads": 1}, unit)
    assert read_words(plant, unit, address, 2) == torn
    assert read_words(plant, unit, address, 2) == new


def test_counter_that_begins_again(plant: SimulatedPlant) -> None:
    """It counts on from 0, and a daily one is right again when the next day has begun."""
    cause(plant, {"restarted_counters": ["pv_energy_total", "pv_energy_today"]}, JSO)
    assert read_words(plant, JSO, 534, 2) == read_words(plant, JSO, 529, 1) * 2 == [0, 0]
    plant.advance(3600)
    (today,) = read_words(plant, JSO, 529)
    assert 50 < today < 80
    assert read_words(plant, JSO, 534, 2) == [today, 0]
    plant.advance(13 * 3600)
    assert read_words(plant, JSO, 529) == [0]
    plant.advance(8 * 3600)
    machine: Any = plant.machine(JSO)
    assert read_words(plant, JSO, 529) == [int(machine.inverter.today["pv"] / 100)] > [5]


def test_counter_of_a_meter_that_begins_again(plant: SimulatedPlant) -> None:
    """It does in both places where the meter has it."""
    cause(plant, {"unit": DTSU, "restarted_counters": ["import_energy_total"]})
    assert read_float(plant, DTSU, 0x101E) == read_float(plant, DTSU, 0x181E) == 0
    plant.advance(3600)
    assert read_float(plant, DTSU, 0x101E) == read_float(plant, DTSU, 0x181E) > 0.1


def test_an_acknowledged_write_takes_effect_after_the_commit_delay(plant: SimulatedPlant) -> None:
    """What was acknowledged is there after a while."""
    cause(plant, {"slow_commit": 5}, JSO)
    assert answer_to(plant, JSO, "10 008e 0001 02 0000") == "10 00 8e 00 01"
    assert read_words(plant, JSO, 142) == [2]
    plant.advance(5)
    assert read_words(plant, JSO, 142) == [0]


def test_only_some_registers_are_slow(plant: SimulatedPlant) -> None:
    """The work mode is; the floor beside it is not, until all are."""
    cause(plant, {"slow_commit": 5, "slow_registers": [0x3647]}, SAJ)
    for pdu in ("06 3647 0001", "06 3644 001e"):
        answer_to(plant, SAJ, pdu)
    assert (*read_words(plant, SAJ, 0x3647), *read_words(plant, SAJ, 0x3644)) == (0, 30)
    plant.advance(5)
    assert read_words(plant, SAJ, 0x3647) == [1]
    cause(plant, {"slow_registers": []}, SAJ)
    answer_to(plant, SAJ, "06 3644 0028")
    assert read_words(plant, SAJ, 0x3644) == [30]


def test_an_acknowledged_write_is_reverted_after_a_while(plant: SimulatedPlant) -> None:
    """What was acknowledged goes back."""
    cause(plant, {"reverting": 10}, SAJ)
    assert answer_to(plant, SAJ, "06 3647 0001") == "06 36 47 00 01"
    assert read_words(plant, SAJ, 0x3647) == [1]
    plant.advance(10)
    assert read_words(plant, SAJ, 0x3647) == [0]


def test_writes_to_some_addresses_are_refused(plant: SimulatedPlant) -> None:
    """A write that touches one of them gets the exception and changes nothing; the next address is written."""
    cause(plant, {"refused_writes": [[142, 142, 4]]}, JSO)
    assert answer_to(plant, JSO, "10 008e 0001 02 0000") == "90 04"
    assert answer_to(plant, JSO, "10 008d 0002 04 0000 0000") == "90 04"
    assert read_words(plant, JSO, 141, 2) == [1, 2]
    assert answer_to(plant, JSO, "10 008f 0001 02 0bb8") == "10 00 8f 00 01"
    assert read_words(plant, JSO, 143) == [3000]
    assert [write.exception for write in plant.machine(JSO).writes] == [4, 4, 0]


def test_the_answers_of_the_next_writes_get_lost(plant: SimulatedPlant) -> None:
    """They are carried out, reads are answered, and so is the write after them."""
    cause(plant, {"lost_answers": 2}, SAJ)
    assert answer_to(plant, SAJ, "06 3647 0001") is None
    assert read_words(plant, SAJ, 0x3647) == [1]
    assert answer_to(plant, SAJ, "06 3647 0002") is None
    assert answer_to(plant, SAJ, "06 3647 0003") == "06 36 47 00 03"
    assert [write.values for write in plant.machine(SAJ).writes] == [(1,), (2,), (3,)]


def test_another_program_writes_its_words_again_and_again(plant: SimulatedPlant) -> None:
    """At once, and whenever ten seconds of the plant have passed; it is not among the requests of our link."""
    cause(plant, {"rewrites": [{"address": 142, "words": [0], "seconds": 10}]}, JSO)
    plant.advance(1)
    assert read_words(plant, JSO, 142) == [0]
    assert answer_to(plant, JSO, "10 008e 0001 02 0001") == "10 00 8e 00 01"
    plant.advance(8)
    assert read_words(plant, JSO, 142) == [1]
    plant.advance(1)
    assert read_words(plant, JSO, 142) == [0]
    assert len(plant.machine(JSO).writes) == 1
    cause(plant, {"rewrites": []}, JSO)
    answer_to(plant, JSO, "10 008e 0001 02 0002")
    plant.advance(3600)
    assert read_words(plant, JSO, 142) == [2]


def test_another_program_does_not_wait_for_the_end_of_a_long_step() -> None:
    """Within ten hours that pass at once it turns time of use off after half a minute, and the battery rests."""
    plant = SimulatedPlant()
    machine: Any = plant.machine(JSO)
    cause(plant, {"rewrites": [{"address": 146, "words": [0xFE], "seconds": 30}]})
    # A second passes. In the dark, 1000 W cost 1031 W of the battery: 8.3 Wh in 29 s, and 10.3 kWh in ten hours.
    steer(plant, machine, {"sun": 0, "soc": 95, "home": 1000, "backup": 0})
    assert answer_to(plant, JSO, "10 0092 0001 02 00ff") == "10 00 92 00 01"
    given = machine.inverter.total["battery_discharge"]
    plant.advance(36000)
    assert machine.inverter.total["battery_discharge"] - given == pytest.approx(8.3, abs=0.1)


def test_another_program_goes_on_when_the_time_is_set_back(plant: SimulatedPlant) -> None:
    """An hour that is lived through again does not keep it waiting."""
    cause(plant, {"rewrites": [{"address": 0x3647, "words": [1], "seconds": 10}]}, SAJ)
    plant.advance(1)
    steer(plant, plant.machine(SAJ), {"time": "09:00"})
    answer_to(plant, SAJ, "06 3647 0000")
    plant.advance(10)
    assert read_words(plant, SAJ, 0x3647) == [1]


def test_the_clock_of_an_inverter_is_set_or_stepped_and_runs_on(plant: SimulatedPlant) -> None:
    """Year and month, day and hour, minute and second; the sun and the other inverter keep their time."""
    cause(plant, {"clock": "2026-11-29T23:00"}, JSO)
    assert read_words(plant, JSO, 62, 3) == [0x1A0B, 0x1D17, 0x0000]
    plant.advance(90)
    assert read_words(plant, JSO, 62, 3) == [0x1A0B, 0x1D17, 0x011E]
    cause(plant, {"clock": -3600}, JSO)
    assert read_words(plant, JSO, 62, 3) == [0x1A0B, 0x1D16, 0x011E]
    cause(plant, {"clock": 3600}, SAJ)
    assert read_words(plant, SAJ, 0x4000, 4) == [2026, 0x0615, 0x0B02, 0x1E00]
    assert plant.site.now == datetime(2026, 6, 21, 10, 2, 30)


def test_a_battery_in_the_frost_takes_no_current(plant: SimulatedPlant) -> None:
    """The morning's sun charges it until its room is cold, and again when the room is warm."""
    machine = plant.machine(JSO)
    assert machine.value("battery_power") < -1000  # type: ignore[operator]
    cause(plant, {"battery_room": -10}, JSO)
    plant.advance(60)
    assert (machine.value("battery_power"), machine.value("bms_charge_current_limit")) == (0, 0)
    cause(plant, {"battery_room": 21}, JSO)
    plant.advance(60)
    assert machine.value("bms_charge_current_limit") == 150


def test_a_grey_sky_leaves_a_share_of_the_light(plant: SimulatedPlant) -> None:
    """A fifth of it, and a little more of the power, as the modules stay cool; then nothing."""
    machine = plant.machine(SAJ)
    clear = machine.value("pv_power")
    assert isinstance(clear, int)
    assert clear > 3000
    cause(plant, {"sunshine": 0.2})
    plant.advance(1)
    assert machine.value("pv_power") == pytest.approx(0.215 * clear, rel=0.05)
    cause(plant, {"sunshine": 0})
    plant.advance(1)
    assert machine.value("pv_power") == 0


def test_settings_are_changed_at_the_panel_by_name_or_by_address(plant: SimulatedPlant) -> None:
    """Somebody changes settings at the machine itself, by name or by address."""
    assert read_words(plant, JSO, 142, 4) == [2, 8000, 0, 1]
    cause(plant, {"panel": {"work_mode": "selling_first", "145": 0}}, JSO)
    assert read_words(plant, JSO, 142, 4) == [0, 8000, 0, 0]
    assert plant.machine(JSO).writes == []


def test_transformer_the_wrong_way_round(plant: SimulatedPlant) -> None:
    """The grid's power has another sign there, and the load that is reckoned from it is wrong.

    The inverter gives 111 W. It knows nothing of the SAJ and the solar inverter, which give 1043 W.
    """
    assert read_signed(plant, JSO, 622, 4) == [-1401, 335, 333, -733]
    assert read_signed(plant, JSO, 653) == [-733 + 111]
    for unit in (JSO, SAJ, DTSU):
        cause(plant, {"reversed_phases": [1]}, unit)
    assert read_signed(plant, JSO, 622, 4) == [1401, 335, 333, 2069]
    assert read_signed(plant, JSO, 653) == [2069 + 111]
    assert read_signed(plant, SAJ, 0x40AD) == [2069]
    assert read_signed(plant, SAJ, 0xA03F) == [1401]
    assert read_float(plant, DTSU, 0x2014) == pytest.approx(14011, abs=1)
    cause(plant, {"reversed_phases": []}, JSO)
    assert read_signed(plant, JSO, 622, 4) == [-1401, 335, 333, -733]


def test_transformers_on_each_others_phase_show_currents_a_third_of_a_turn_off(
    plant: SimulatedPlant,
) -> None:
    """Of 335 W and -67 var x (-0.5 + 0.2 x 0.866), of -1401 W and 280 var x (-0.5 - 0.2 x 0.866); and the sum is wrong.

    The voltages differ by half a percent.
    """
    for unit in (JSO, SAJ, DTSU):
        cause(plant, {"phase_order": [2, 1, 3]}, unit)
    assert read_signed(plant, JSO, 622, 4) == pytest.approx([-109, 943, 333, 1167], abs=6)
    assert read_signed(plant, SAJ, 0x40AD) == [pytest.approx(1167, abs=6)]
    assert read_signed(plant, SAJ, 0xA03F) == [pytest.approx(-109, abs=1)]
    assert read_float(plant, DTSU, 0x2014) == pytest.approx(-1090, abs=10)
    assert read_float(plant, DTSU, 0x2016) == pytest.approx(9430, abs=60)
    assert read_float(plant, DTSU, 0x2012) == pytest.approx(11670, abs=60)


def test_what_there_is_not(plant: SimulatedPlant) -> None:
    """It is refused with a reason, and nothing has changed."""
    before = plant.machine(JSO).trouble
    for wrong in (
        {"no_such": True},
        {"unit": 99, "outage": True},
        {"outage": True, "faults": [True]},
        {"phase_order": [1, 1, 3]},
        {"clamp_place": "cellar"},
        {"clamp_place": 1},
        {"clamp_ratio": True},
        {"string_light": [1.5]},
        {"string_light": ["all"]},
        {"solar_beside": 1},
        {"spikes": [{"register": "battery_soc"}]},
        {"spikes": [{"register": "no_such", "value": 1}]},
        {"spikes": [{"register": "battery_soc", "value": 99999}]},
        {"spikes": [{"register": 588, "value": 65536}]},
        {"spikes": [{"register": 9999, "value": 1}]},
        {"spikes": [{"register": 588, "value": 1, "reads": 0}]},
        {"restarted_counters": ["battery_soc"]},
        {"restarted_counters": ["no_such"]},
        {"panel": {"work_mode": "no_such"}},
        {"panel": {"142": 65536}},
        {"panel": 1},
        {"refused_writes": [[142, 142]]},
        {"lost_answers": True},
        {"rewrites": [{"address": 142, "words": [0]}]},
        {"rewrites": [{"address": 142, "words": [0], "seconds": 0}]},
        {"rewrites": [{"address": 142, "words": [65536], "seconds": 5}]},
        {"rewrites": [{"address": 142, "words": [], "seconds": 5}]},
        {"rewrites": [{"address": 0, "words": [1], "seconds": 5}]},
        {"unit": SAJ, "rewrites": [{"address": 0x3647, "words": [99], "seconds": 5}]},
        {"clock": "soon"},
        {"clock": "2026-11-29T23:00+01:00"},
        {"clock": 1e300},
        {"clock": True},
        {"unit": DTSU, "clock": 0},
        {"battery_room": "cold"},
        {"unit": DTSU, "battery_room": 0},
        {"sunshine": 1.1},
        {"sunshine": "none"},
        {"exchanged_units": [11]},
        {"exchanged_units": [11, 99]},
        {"lost_link": True},
        {"lost_link": -1},
        {"busy_gateway": 1},
        {"stick": {"late": 2}},
        {"line": {"silent": True}},
    ):
        with pytest.raises(ValueError, match=r".+"):
            cause(plant, wrong)
        assert plant.machine(JSO).trouble is before


# ---------------------------------------------------------------------- of the link


async def test_a_lost_link_refuses_connections_for_a_while_and_then_recovers(
    socket_enabled: None,
) -> None:
    """The connection ends, nobody can connect for a while, and then all is as before."""
    async with SimulatedPlant() as plant:
        port = plant.tcp_port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(bytes.fromhex("0001 0000 0006 01 03 008e 0001"))
        assert (await reader.readexactly(11))[-2:] == b"\0\2"
        cause(plant, {"lost_link": 0.2})
        assert await reader.read(1) == b""
        writer.close()
        with pytest.raises(OSError, match=r".+"):
            await asyncio.open_connection("127.0.0.1", port)
        assert plant.tcp.lost is not None
        await plant.tcp.lost
        assert plant.tcp_port == port
        assert await exchange(port, "0001 0000 0006 01 03 008e 0001") != ""


async def test_plant_that_ends_without_its_link(socket_enabled: None) -> None:
    """Nobody listens when it is over."""
    async with SimulatedPlant() as plant:
        port = plant.tcp_port
        cause(plant, {"lost_link": 60})
    with pytest.raises(OSError, match=r".+"):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_busy_gateway_answers_for_every_unit_and_can_be_limited_to_one_client(
    socket_enabled: None,
) -> None:
    """It answers everything itself, also what no machine is there for; then it hears one client."""
    async with SimulatedPlant() as plant:
        cause(plant, {"busy_gateway": True})
        for unit in ("01", "09"):
            answer = await exchange(plant.tcp_port, f"0001 0000 0006 {unit} 03 008e 0001")
            assert answer == f"00 01 00 00 00 03 {unit} 83 06"
        cause(plant, {"busy_gateway": False, "one_client": True})
        reader, writer = await asyncio.open_connection("127.0.0.1", plant.tcp_port)
        writer.write(bytes.fromhex("0001 0000 0006 01 03 008e 0001"))
        await reader.readexactly(11)
        assert await exchange(plant.tcp_port, "0001 0000 0006 01 03 008e 0001") == ""
        writer.close()


async def test_gateway_that_hangs_up_or_is_late(socket_enabled: None) -> None:
    """A connection ends before a word was said; an answer comes when nobody waits for it any more."""
    async with SimulatedPlant() as plant:
        cause(plant, {"hang_up": True})
        reader, writer = await asyncio.open_connection("127.0.0.1", plant.tcp_port)
        assert await reader.read(1) == b""
        writer.close()
        # Longer than `exchange` waits.
        cause(plant, {"hang_up": False, "late_answers": 5})
        assert await exchange(plant.tcp_port, "0001 0000 0006 01 03 008e 0001") == ""
        cause(plant, {"late_answers": 0})
        plant.tcp.drop_connections()
        assert await exchange(plant.tcp_port, "0001 0000 0006 01 03 008e 0001") != ""


def test_stick_and_line_trouble_are_caused_in_the_same_way_as_any_other() -> None:
    """Their own trouble, which their own tests show, has the same way in."""
    plant = SimulatedPlant(devices=HOUSE, overheard=True)
    cause(plant, {"stick": {"late": 0.5}, "line": {"corrupted": 0.1}})
    assert plant.stick.habits.late == 0.5
    assert plant.overheard is not None
    assert plant.overheard.talk.trouble.corrupted == 0.1


async def test_exchanged_units_answer_at_each_others_unit_ids(socket_enabled: None) -> None:
    """Each of the two meters answers where the other one was."""
    async with SimulatedPlant(devices=HOUSE) as plant:
        # The software versions: 109 of the DTSU666 is at 0; the DDSU666 has the code of its keypad there.
        first, second = "0001 0000 0006 0b 03 0000 0001", "0001 0000 0006 0c 03 0000 0001"
        assert (await exchange(plant.tcp_port, first)).endswith("00 6d")
        cause(plant, {"exchanged_units": [DTSU, DDSU]})
        assert (await exchange(plant.tcp_port, first)).endswith("02 bd")
        assert (await exchange(plant.tcp_port, second)).endswith("00 6d")


# ---------------------------------------------------------------------- from the command line and from a file


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("outage", {"outage": True}),
        ("11:outage", {"unit": 11, "outage": True}),
        ("faults=[3, 63]", {"faults": [3, 63]}),
        ("2:slow_commit=5", {"unit": 2, "slow_commit": 5}),
        (
            'panel={"work_mode": "selling_first"}',
            {"panel": {"work_mode": "selling_first"}},
        ),
    ],
)
def test_on_the_command_line(text: str, what: dict[str, Any]) -> None:
    """[UNIT:]NAME[=JSON]."""
    assert parse_trouble(text) == what


SCENARIO = [
    {"at": "11:30", "unit": JSO, "panel": {"work_mode": "selling_first"}},
    {"at": 90, "unit": JSO, "faults": [63]},
    {"at": "2026-06-22T09:00", "unit": JSO, "faults": []},
    # Tomorrow, as it is ten already.
    {"at": "08:00", "unit": DTSU, "silent": True},
]


def test_each_scenario_entry_happens_at_its_time_whatever_the_step_length(
    plant: SimulatedPlant, tmp_path: Path
) -> None:
    """Each thing happens at its time, however long the steps are."""
    file = tmp_path / "scenario.json"
    file.write_text(json.dumps(SCENARIO), encoding="utf-8")
    Scenario.load(file, datetime(2026, 6, 21, 10)).follow(plant)
    plant.advance(29)
    assert read_words(plant, JSO, 558) == [0]
    plant.advance(1)
    assert read_words(plant, JSO, 558) == [0x8000]
    # From 10:01:30 to 11:31 in one step: it sells for a minute of it, so that the battery is used.
    plant.advance(89.5 * 60)
    assert read_words(plant, JSO, 142) == [0]
    machine: Any = plant.machine(JSO)
    assert machine.inverter.total["battery_discharge"] > 0
    plant.advance(20 * 3600)
    assert answer_to(plant, DTSU, "03 0000 0001") == "03 02 00 6d"
    plant.advance(3600)
    assert answer_to(plant, DTSU, "03 0000 0001") is None
    assert read_words(plant, JSO, 558) == [0x8000]
    plant.advance(3600)
    assert read_words(plant, JSO, 558) == [0]


def test_scenario_with_something_impossible(
    plant: SimulatedPlant, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told, and the time goes on."""
    entries = [{"at": 1, "unit": 99, "outage": True}, {"at": 70, "busy": True}]
    Scenario(entries, plant.site.now).follow(plant)
    plant.advance(70)
    assert "no such unit: 99" in caplog.text
    assert answer_to(plant, JSO, "03 008e 0001") == "83 06"


@pytest.mark.parametrize(
    "entry",
    [
        {"at": 5},
        {"at": 5, "unit": 1},
        {"busy": True},
        {"at": True, "busy": True},
        {"at": "soon", "busy": True},
        {"at": None, "busy": True},
        {"at": 5, "no_such": True},
    ],
)
def test_an_invalid_scenario_is_rejected_before_anything_happens(entry: dict[str, Any]) -> None:
    """It is refused before anything happens."""
    with pytest.raises(ValueError, match=r".+"):
        Scenario([entry], datetime(2026, 6, 21))


def test_the_documentation_has_a_line_for_every_kind_of_trouble() -> None:
    """It has a line for everything that trouble can be called."""
    document = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
    assert [name for name in sorted(NAMES) if f"| `{name}` |" not in document] == []
