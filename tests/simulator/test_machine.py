"""The registers of the simulated JSO8048104: what they hold, what they refuse, and the trouble they make."""

# ruff: noqa: DTZ001 - the machine knows no zone
from __future__ import annotations

from datetime import datetime
from typing import Final

import pytest

from simulator.jso import JsoMachine
from simulator.machine import Machine
from simulator.pdu import Refusal
from simulator.trouble import Trouble, change_trouble

from .lone_inverter import LoneInverter


class Clock:
    """A timer that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a timer at zero."""
    return Clock()


@pytest.fixture
def machine(clock: Clock) -> Machine:
    """Return a machine at ten in the morning."""
    plant = LoneInverter(start=datetime(2026, 6, 21, 10, 0))
    machine = JsoMachine(plant, timer=clock)
    plant.step(10)
    return machine


def test_identity_registers_hold_type_address_protocol_serial_and_rated_power(
    machine: Machine,
) -> None:
    """Type, Modbus address, protocol, serial number and rated power as raw words."""
    assert machine.read(0, 8) == [5, 1, 0x0104, 0x4A53, 0x4F30, 0x3030, 0x3030, 0x3031]
    assert machine.read(20, 4) == [0x3880, 0x0001, 0xFFFF, 2]


def test_settings_of_the_manual(machine: Machine) -> None:
    """The examples of the manual's pages 5.6 to 5.9 are in the registers."""
    assert machine.read(115, 3) == [20, 50, 35]
    assert machine.read(128, 3) == [40, 0, 0]
    assert machine.read(141, 5) == [1, 2, 8000, 0, 1]
    assert machine.read(146, 1) == [0x00FF]
    assert machine.read(148, 12) == [100, 500, 800, 1000, 1500, 1800, *[5000] * 6]
    assert machine.read(160, 6) == [4900, 5020, 5090, 5140, 4710, 4900]
    assert machine.read(166, 12) == [80, 40, 40, 80, 40, 35, 1, 0, 0, 0, 0, 0]
    assert machine.read(135, 5) == [95, 5400, 100, 1, 500]
    assert machine.read(178, 2) == [0xAAAA, 0xFFFF]


def test_registers_without_a_meaning(machine: Machine) -> None:
    """Unused ones read 0, those of other firmware 0xFFFF."""
    assert machine.read(63 - 3, 2) == [0, 0xFFFF]
    assert machine.read(601, 3) == [0, 0, 0]
    assert machine.read(674, 2) == [0, 0]


@pytest.mark.parametrize(
    ("address", "count", "code"),
    [
        (237, 1, None),
        (238, 1, 2),
        (230, 9, 2),
        (425, 1, 2),
        (500, 125, None),
        (500, 126, 3),
        (584, 125, None),
        (585, 125, 2),
        (0, 0, 3),
        (65535, 2, 2),
    ],
)
def test_reads_are_limited_to_125_registers_and_to_the_devices_ranges(
    machine: Machine, address: int, count: int, code: int | None
) -> None:
    """Reads are limited to 125 registers and to the ranges that the machine has."""
    if code is None:
        assert len(machine.read(address, count)) == count
        return
    with pytest.raises(Refusal) as refusal:
        machine.read(address, count)
    assert refusal.value.code == code


def test_readable_ranges_can_be_smaller() -> None:
    """An old firmware refuses the optional ranges."""
    plant = LoneInverter(start=datetime(2026, 6, 21, 10, 0))
    machine = JsoMachine(plant, readable=((0, 237), (500, 708)))
    with pytest.raises(Refusal):
        machine.read(340, 1)


def test_identities_in_the_registers(machine: Machine) -> None:
    """The sums that a real machine's dump keeps hold to the watt, through a day."""
    signed = [0] * 709
    for _ in range(24):
        machine.step(3600)
        for address in range(586, 709):
            word = machine.word(address)
            signed[address] = word - 65536 if word > 32767 else word
        for phase in range(3):
            assert signed[650 + phase] == signed[616 + phase] + signed[633 + phase]
            assert signed[640 + phase] == signed[604 + phase] + signed[633 + phase]
            assert signed[622 + phase] == signed[616 + phase]
        for total in (607, 619, 625, 636, 643, 653):
            first = total - 3
            assert signed[total] == sum(signed[first:total])
        battery = signed[587] * signed[591] / 10000
        assert signed[590] == pytest.approx(battery, abs=3)
        assert signed[653] == pytest.approx(sum(machine.inverter.flows.load), abs=4)
        assert signed[672] == pytest.approx(signed[676] * signed[677] / 100, abs=31)
        # High words only repeat the sign.
        assert signed[690] == (-1 if signed[625] < 0 else 0)
        assert signed[694] == (-1 if signed[636] < 0 else 0)


def test_counters_in_the_registers(machine: Machine) -> None:
    """Registers hold full tenths of a kilowatt-hour, low word first."""
    machine.inverter.total["pv"] = 6_553_799.0
    machine.inverter.today["pv"] = 12_399.9
    machine.step(0.001)
    # 6553.7 kWh is 65537 tenths: 1 above one full low word.
    assert machine.read(534, 2) == [1, 1]
    assert machine.read(529, 1) == [123]


def test_the_clock_runs_and_can_be_set_without_moving_the_sun(machine: Machine) -> None:
    """It runs, and can be set; the sun does not follow."""
    assert machine.read(62, 3) == [0x1A06, 0x150A, 0x000A]
    machine.write(62, [0x1A0B, 0x1517, 0x3B32])
    assert machine.inverter.clock == datetime(2026, 11, 21, 23, 59, 50)
    machine.step(10)
    assert machine.read(62, 3) == [0x1A0B, 0x1600, 0x0000]
    assert machine.inverter.now == datetime(2026, 6, 21, 10, 0, 20)
    assert machine.inverter.today["pv"] == 0


@pytest.mark.parametrize("words", [[0x1A0D, 0x1517, 0x3B32], [0x1A0B, 0x1518, 0x3B32], [0, 0, 0]])
def test_an_impossible_date_or_time_leaves_the_clock_unchanged(
    machine: Machine, words: list[int]
) -> None:
    """A month of 13, an hour of 24 or the year 2000 change nothing."""
    machine.write(62, words)
    assert machine.inverter.clock == datetime(2026, 6, 21, 10, 0, 10)


@pytest.mark.parametrize(
    ("address", "words", "held"),
    [
        (142, [0], [0]),
        (142, [3], [2]),
        (142, [0xFFFF], [2]),
        (143, [8000], [8000]),
        (143, [8001], [8000]),
        (108, [190], [190]),
        (108, [191], [115]),
        (145, [2], [1]),
        (99, [6101], [5760]),
        # Shutdown < low < restart, alone and together.
        (117, [49], [49]),
        (117, [50], [35]),
        (117, [20], [35]),
        (115, [35], [20]),
        (116, [35], [50]),
        (115, [10, 90, 80], [10, 90, 80]),
        (115, [40, 101, 60], [20, 50, 35]),
        (115, [10, 50, 5], [20, 50, 35]),
        # The slots of a day start one after the other, every five minutes.
        (148, [0, 0, 600, 600, 2355, 2355], [0, 0, 600, 600, 2355, 2355]),
        (148, [100, 500, 800, 700, 1500, 1800], [100, 500, 800, 1000, 1500, 1800]),
        (149, [805], [500]),
        (149, [755], [755]),
        (149, [502], [500]),
        (149, [560], [500]),
        (149, [2400], [500]),
        # Two-bit pairs: 10 disables, 11 enables, 00 and 01 leave the item alone.
        (178, [0x00C0], [0xAAEA]),
        (178, [0x0000], [0xAAAA]),
        (178, [0x5555], [0xAAAA]),
        (178, [0xAAEA], [0xAAEA]),
        (146, [0x00FE], [0x00FE]),
        (172, [0x0003], [0x0003]),
    ],
)
def test_a_write_is_acknowledged_even_if_the_register_keeps_its_old_value(
    machine: Machine, address: int, words: list[int], held: list[int]
) -> None:
    """A write is acknowledged either way; afterwards the register holds the new or the old value."""
    machine.write(address, words)
    assert machine.read(address, len(words)) == held


def test_smaller_order_violations_keep_the_rest(machine: Machine) -> None:
    """In a block that is good but for the starts, all else is taken."""
    block = machine.read(148, 30)
    block[0], block[6], block[18] = 2300, 1000, 55
    machine.write(148, block)
    assert machine.word(148) == 100
    assert machine.word(154) == 1000
    assert machine.word(166) == 55


@pytest.mark.parametrize(
    ("address", "words", "code"),
    [
        (0, [1], 2),
        (81, [1], 2),
        (182, [1], 2),
        (214, [50], 2),
        (500, [0], 2),
        (237, [0, 0], 2),
        (209, [1], 2),
        (1100, [0], 2),
        (142, [], 3),
    ],
)
def test_what_cannot_be_written(
    machine: Machine, address: int, words: list[int], code: int
) -> None:
    """Identity, factory reset, grid code, measurements and unknown areas are refused."""
    before = machine.read(0, 125)
    with pytest.raises(Refusal) as refusal:
        machine.write(address, words)
    assert refusal.value.code == code
    assert machine.read(0, 125) == before


def test_settings_reach_the_plant(machine: Machine) -> None:
    """Writing the work mode changes where the power goes."""
    machine.inverter.soc = 1.0
    machine.write(145, [0])
    machine.step(10)
    assert machine.value("grid_power") == pytest.approx(20, abs=2)
    machine.write(142, [0])
    machine.step(10)
    assert machine.value("grid_power") < -1000  # type: ignore[operator]
    machine.write(80, [0])
    machine.step(10)
    assert machine.value("status") == "standby"
    assert machine.value("inverter_power") == 0


def test_the_display_can_change_what_the_bus_cannot(machine: Machine) -> None:
    """Somebody at the display may do what the wire may not."""
    machine.panel_change(182, 2)
    assert machine.word(182) == 2
    machine.panel_change(142, 0)
    machine.inverter.soc = 1.0
    machine.step(10)
    assert machine.inverter.flows.grid < -1000
    assert machine.writes == []
    with pytest.raises(KeyError):
        machine.panel_change(9999, 0)


def test_each_write_request_is_recorded_with_its_time_and_outcome(
    machine: Machine, clock: Clock
) -> None:
    """Each request to write is kept with its time and what it was answered."""
    clock.now = 3.5
    machine.respond(bytes.fromhex("10008e0001020000"))
    machine.respond(bytes.fromhex("1000000001020007"))
    machine.respond(bytes.fromhex("06008e0001"))
    assert [(w.function, w.address, w.values, w.time, w.exception) for w in machine.writes] == [
        (16, 142, (0,), 3.5, 0),
        (16, 0, (7,), 3.5, 2),
        (6, 142, (1,), 3.5, 1),
    ]


def test_a_locked_panel_acknowledges_writes_and_ignores_them(machine: Machine) -> None:
    """A locked panel acknowledges and ignores."""
    machine.trouble.locked = True
    assert machine.respond(bytes.fromhex("10008e0001020000")) == bytes.fromhex("10008e0001")
    assert machine.word(142) == 2


def test_a_slow_commit_shows_the_written_value_after_the_delay(
    machine: Machine, clock: Clock
) -> None:
    """The written value appears after a while."""
    machine.trouble.slow_commit = 2
    machine.write(142, [0])
    clock.now = 1.9
    assert machine.word(142) == 2
    clock.now = 2.0
    assert machine.word(142) == 0
    assert machine.inverter.controls.work_mode == "selling_first"


def test_a_reverting_write_takes_effect_and_then_goes_back(machine: Machine, clock: Clock) -> None:
    """The written value appears and goes back."""
    machine.trouble = Trouble(slow_commit=1, reverting=5)
    machine.write(142, [0])
    clock.now = 5.9
    assert machine.word(142) == 0
    clock.now = 6.0
    assert machine.word(142) == 2


def test_a_busy_device_answers_exception_6_and_a_silent_one_not_at_all(machine: Machine) -> None:
    """Exception 6 to everything, or no answer at all."""
    machine.trouble.busy = True
    assert machine.respond(bytes.fromhex("03008e0001")) == b"\x83\x06"
    machine.trouble.silent = True
    assert machine.respond(bytes.fromhex("03008e0001")) is None


def test_faults_set_their_bits_and_change_the_running_state(machine: Machine) -> None:
    """F64 and F13 are bits 63 and 12; the state follows."""
    machine.trouble.faults = frozenset({63, 12})
    assert machine.read(555, 4) == [0x1000, 0, 0, 0x8000]
    assert machine.word(500) == 4
    machine.trouble.faults = frozenset()
    assert machine.read(555, 4) == [0, 0, 0, 0]
    assert machine.word(500) == 2


def test_an_outage_removes_the_grid_voltage_opens_the_relay_and_raises_f35(
    machine: Machine,
) -> None:
    """Without a grid there is no voltage, its relay is open, and F35 (bit 34) is set."""
    machine.trouble.outage = True
    machine.step(10)
    assert machine.read(598, 3) == [0, 0, 0]
    assert machine.word(552) == 0x0001
    assert machine.read(555, 4) == [0, 0, 4, 0]
    assert machine.value("grid_power") == pytest.approx(0, abs=2)


def test_trouble_can_refuse_further_blocks_with_its_own_exception_code(machine: Machine) -> None:
    """Trouble refuses more than the model does, with a code of its own."""
    machine.trouble.refused_blocks = ((310, 334, 65), (600, 610, 4))
    for address, count, code in ((334, 1, 65), (309, 1, 2), (590, 11, 4), (610, 5, 4)):
        with pytest.raises(Refusal) as refusal:
            machine.read(address, count)
        assert refusal.value.code == code
    assert len(machine.read(590, 10)) == 10
    assert len(machine.read(611, 10)) == 10


PACK_READ: Final = bytes.fromhex("0327100003")  # 10000 to 10002


def test_packs_are_refused_at_first() -> None:
    """Other makers' batteries tell the machine nothing of their packs."""
    machine = JsoMachine(LoneInverter(start=datetime(2026, 6, 21, 10, 0)))
    assert machine.respond(PACK_READ) == bytes.fromhex("8302")
    with pytest.raises(KeyError):
        machine.word(10032)


def test_packs_can_be_silent() -> None:
    """Some machines give no answer at all there, and go on as if nothing had been asked."""
    machine = JsoMachine(LoneInverter(start=datetime(2026, 6, 21, 10, 0)))
    machine.trouble = Trouble(silent_blocks=((10000, 10335),))
    assert machine.respond(PACK_READ) is None
    assert machine.respond(bytes.fromhex("0327580001")) is None  # 10072
    assert machine.respond(bytes.fromhex("0300000001")) == bytes.fromhex("03020005")


def test_packs_can_be_served() -> None:
    """Two of them, with their serial numbers, in registers that are 38 apart; a third one is none."""
    plant = LoneInverter(start=datetime(2026, 6, 21, 10, 0), soc=0.6)
    machine = JsoMachine(plant, packs=True)
    plant.step(10)
    assert machine.respond(PACK_READ) == bytes.fromhex("0306070000000002")
    assert machine.read(10032, 8) == [0x5041, 0x434B, *[0x3030] * 5, 0x3031]
    assert machine.read(10070, 8) == [0x5041, 0x434B, *[0x3030] * 5, 0x3032]
    assert machine.read(10108, 38) == [0] * 38
    # The battery is 60 % full, 51 to 55 V; state of health, capacity, cycles.
    for start, health, cycles in ((10032, 980, 214), (10070, 970, 213)):
        words = machine.read(start, 38)
        assert 600 <= words[15] <= 602
        assert words[16:19] == [health, 0, 1400]
        assert words[24] == cycles
        assert words[8] == machine.word(587)
        # Sixteen cells in series, 8 mV from the lowest to the highest.
        assert 8 - 1 <= words[22] - words[23] <= 8 + 1
        assert abs(16 * words[22] - 10 * words[8]) <= 16 * 5
        assert words[11] - words[10] == words[10] - words[12] == 10


def test_changing_trouble_keeps_unnamed_fields_and_rejects_invalid_ones() -> None:
    """Fields that are not named stay; wrong ones are refused."""
    trouble = change_trouble(Trouble(locked=True), {"slow_commit": 2, "faults": [3]})
    assert trouble == Trouble(locked=True, slow_commit=2.0, faults=frozenset({3}))
    blocks = {"silent_blocks": [[1, 2], [5, 9]], "refused_blocks": [[3, 4, 65]], "longest_read": 30}
    assert change_trouble(Trouble(), blocks) == Trouble(
        silent_blocks=((1, 2), (5, 9)), refused_blocks=((3, 4, 65),), longest_read=30
    )
    for wrong in (
        {"lokced": True},
        {"locked": 1},
        {"slow_commit": "2"},
        {"slow_commit": True},
        {"longest_read": 2.5},
        {"longest_read": True},
        {"silent_blocks": [[1, 2, 3]]},
        {"refused_blocks": [[1, 2]]},
        {"refused_blocks": [1]},
    ):
        with pytest.raises(ValueError, match="no such trouble"):
            change_trouble(Trouble(), wrong)
