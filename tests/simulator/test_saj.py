"""The simulated inverters of SAJ: what their registers hold and refuse, and what their settings do to the flows."""

# ruff: noqa: DTZ001 - the machine knows no zone
from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

import pytest

from simulator import SimulatedPlant
from simulator.machine import Machine
from simulator.pdu import Refusal
from simulator.steering import steer

from .wire import exchange

pytestmark = pytest.mark.usefixtures("socket_enabled")

MODELS = ("H2-6K-S2", "H2-10K-T2", "HS2-6K-S2", "AS2-6K-S", "HS3-8K-T2")
# SAJSIM000000000001 and two zero bytes.
SERIAL = "53 41 4a 53 49 4d 30 30 30 30 30 30 30 30 30 30 30 31 00 00"
MIDNIGHT = datetime(2026, 6, 21)
# A Sunday.
NOON = datetime(2026, 6, 21, 12)


def machine_of(model: str, **options: Any) -> Machine:
    """Return a machine whose first ten seconds have passed, without any server."""
    plant = SimulatedPlant(model=model, **options)
    plant.advance(10)
    return plant.machine()


def signed(word: int) -> int:
    """Return a word as a number with a sign."""
    return word - 0x10000 if word & 0x8000 else word


def signed_word(machine: Machine, address: int) -> int:
    """Return a power with a sign, in watts."""
    return signed(machine.word(address))


def long_word(machine: Machine, address: int) -> int:
    """Return two words, the high one first."""
    high, low = machine.read(address, 2)
    return high << 16 | low


@pytest.fixture
async def module() -> AsyncGenerator[SimulatedPlant]:
    """Return an inverter behind its network module, whose time stands still."""
    async with SimulatedPlant(model="H2-6K-S2") as plant:
        yield plant


@pytest.mark.parametrize(
    ("model", "device_type", "rated_power", "grid_type"),
    [
        ("H2-6K-S2", "00 5a", "17 70", "00 00"),
        ("H2-10K-T2", "00 5e", "27 10", "00 03"),
        ("HS2-6K-S2", "00 5c", "17 70", "00 00"),
        ("AS2-6K-S", "00 55", "17 70", "00 00"),
        ("HS3-8K-T2", "00 60", "1f 40", "00 03"),
    ],
)
async def test_identity_registers_hold_type_serial_number_rated_power_and_grid_type(
    model: str, device_type: str, rated_power: str, grid_type: str
) -> None:
    """Type, subtype, protocol 1.021 and serial number; machine model and rated power; the kind of grid."""
    async with SimulatedPlant(model=model) as plant:
        answer = await exchange(
            plant.tcp_port,
            "0001 0000 0006 01 03 8f00 000d",
            "0002 0000 0006 01 03 366c 0002",
            "0003 0000 0006 01 03 3674 0001",
        )
    assert answer == (
        f"00 01 00 00 00 1d 01 03 1a {device_type} 00 00 03 fd {SERIAL}"
        f" 00 02 00 00 00 07 01 03 04 {device_type} {rated_power}"
        f" 00 03 00 00 00 05 01 03 02 {grid_type}"
    )


@pytest.mark.parametrize(
    ("model", "address", "count", "code"),
    [
        # What many single-phase machines do not have, with an exception of their own.
        ("H2-6K-S2", 0x4137, 30, 65),
        ("H2-6K-S2", 0x4176, 1, 65),
        ("H2-6K-S2", 0x40DF, 32, None),
        ("AS2-6K-S", 0x4167, 16, 65),
        ("H2-10K-T2", 0x4137, 30, None),
        ("H2-10K-T2", 0x4155, 34, None),
        ("HS3-8K-T2", 0x4155, 34, None),
        # Reads that run into or over an address at which this one stops.
        ("HS2-6K-S2", 0x4069, 30, None),
        ("HS2-6K-S2", 0x4069, 31, 2),
        ("HS2-6K-S2", 0x4087, 1, 2),
        ("HS2-6K-S2", 0x4088, 38, None),
        ("HS2-6K-S2", 0x40BF, 24, None),
        ("HS2-6K-S2", 0x40BF, 25, 2),
        ("HS2-6K-S2", 0x40D7, 8, None),
        ("HS2-6K-S2", 0x4155, 34, 2),
        ("HS2-6K-S2", 0x4167, 16, None),
        ("H2-10K-T2", 0x4069, 56, None),
        # What no machine of the family has.
        ("H2-10K-T2", 0x3247, 1, 2),
        ("H2-10K-T2", 0x4177, 1, 2),
        ("H2-10K-T2", 0x8020, 4, 2),
        ("H2-10K-T2", 0x0000, 1, 2),
        ("H2-10K-T2", 0x4000, 126, 3),
    ],
)
def test_each_model_refuses_the_reads_that_owners_report_as_refused(
    model: str, address: int, count: int, code: int | None
) -> None:
    """Each model refuses what owners report of it."""
    machine = machine_of(model)
    if code is None:
        assert len(machine.read(address, count)) == count
        return
    with pytest.raises(Refusal) as refusal:
        machine.read(address, count)
    assert refusal.value.code == code


@pytest.mark.parametrize("model", MODELS)
def test_every_row_of_the_table_is_served(model: str) -> None:
    """What the family's table reads of such a machine is there."""
    machine = machine_of(model)
    for row in machine.family.registers.values():
        for first, last in row.spans:
            assert len(machine.read(first, last - first + 1)) == last - first + 1, row.key


@pytest.mark.parametrize("model", MODELS)
def test_what_the_control_page_shows(model: str) -> None:
    """The values that every machine is summed up with are there, derived or not."""
    machine = machine_of(model, start=MIDNIGHT, soc=0.5)
    assert machine.value("battery_soc") == pytest.approx(50, abs=0.1)
    assert machine.value("battery_power") == pytest.approx(machine.inverter.flows.battery, abs=1)
    assert machine.value("grid_power") == pytest.approx(machine.inverter.flows.grid, abs=3)
    assert machine.value("load_power") == pytest.approx(sum(machine.inverter.flows.load), abs=1)
    assert machine.value("inverter_power") == pytest.approx(machine.inverter.flows.inverter, abs=3)
    assert machine.model == model


# What is 0 in a house where nothing is wrong, before noon on a sunny day with everything else as it is.
QUIET = {
    *("fault", "error_count", "drm_hardware_status", "drm_software_status", "active_work_mode"),
    *("grid_connect_countdown", "battery_current_2", "pv_ct_power", "pv_ct_apparent_power"),
    *("battery_1_fault", "battery_1_warning", "battery_2_fault", "battery_2_warning"),
    *("meter_b_l1_current", "meter_b_l1_power", "meter_b_l1_apparent_power"),
    *(f"grid_l{phase}_dc_injection" for phase in (1, 2, 3)),
    *(f"backup_l{phase}_dc_voltage" for phase in (1, 2, 3)),
}


def test_every_measurement_is_there() -> None:
    """No register of powers and energies is forgotten: each but the quiet ones holds something."""
    machine = machine_of("H2-10K-T2", start=MIDNIGHT, soc=0.25)
    # By night the battery gives until the grid has to, in the morning it is filled slowly and the rest is sold.
    machine.write(0x364D, [100])
    machine.step(9 * 3600)
    silent = {
        row.key
        for row in machine.family.registers.values()
        if row.group in ("power", "faults", "energy")
        and not any(machine.word(address) for address in row.addresses)
    }
    assert silent == QUIET


def test_each_power_is_at_its_address_with_the_sign_seen_from_the_house() -> None:
    """Each lies at its address, with the sign of the house: + from the grid, + out of the battery."""
    machine = machine_of("H2-10K-T2", start=NOON, soc=0.5)
    flows = machine.inverter.flows
    assert signed_word(machine, 0x40A5) == pytest.approx(sum(flows.pv), abs=1)
    assert signed_word(machine, 0x40A5) == machine.word(0x4073) + machine.word(0x4076)
    assert machine.word(0x4095) == 1
    # The battery is being charged.
    assert flows.battery < -1000
    assert signed_word(machine, 0x40A6) == signed_word(machine, 0x406D) == round(flows.battery)
    assert machine.word(0x4096) == 0xFFFF
    assert signed(machine.word(0x406A)) * machine.word(0x4069) / 1000 == pytest.approx(
        flows.battery, abs=25
    )
    assert machine.word(0x406F) == round(machine.inverter.soc * 10000)
    # The house takes what the inverter gives and the grid adds; meter A sees the grid phase by phase.
    grid = [signed_word(machine, address) for address in (0xA03F, 0xA045, 0xA04B)]
    assert grid == [round(watts) for watts in flows.grid_phases]
    assert signed_word(machine, 0x40A9) == sum(
        signed_word(machine, a) for a in (0x4049, 0x404E, 0x4053)
    )
    assert signed_word(machine, 0x40A0) == pytest.approx(
        sum(grid) + signed_word(machine, 0x40A9), abs=4
    )
    assert signed_word(machine, 0x40AD) == signed_word(machine, 0x40A1) == sum(grid)
    # The inverter's own terminal is another thing: what its backup output does not take.
    assert signed_word(machine, 0x40A7) == machine.word(0x40AB) - signed_word(machine, 0x40A9)
    assert machine.word(0x40AB) == sum(machine.word(a) for a in (0x4059, 0x405F, 0x4065))
    assert 2100 < machine.word(0x4031) < 2500
    assert 4990 < machine.word(0x4033) < 5010
    assert 3500 < machine.word(0x4069) < 3800


def test_a_discharging_battery_has_positive_power_and_current_and_direction_1() -> None:
    """By night the battery gives: power and current are positive, the direction is 1."""
    machine = machine_of("H2-6K-S2", start=MIDNIGHT, soc=0.8)
    assert signed_word(machine, 0x40A6) > 200
    assert signed(machine.word(0x406A)) > 0
    assert machine.word(0x4096) == 1
    assert machine.word(0x4097) == 0


def test_the_grid_direction_is_minus_1_for_import_and_1_for_export() -> None:
    """-1 is import, 1 is export."""
    machine = machine_of("H2-6K-S2", start=MIDNIGHT, soc=0.1)
    assert signed_word(machine, 0x40AD) > 200
    assert machine.word(0x4097) == 0xFFFF
    machine = machine_of("H2-6K-S2", start=NOON, soc=1.0)
    assert signed_word(machine, 0x40AD) < -1000
    assert machine.word(0x4097) == 1


def test_a_single_phase_model_has_everything_on_phase_one_and_zeros_elsewhere() -> None:
    """Everything is on the first phase; the words of the others are 0."""
    machine = machine_of("H2-6K-S2", start=NOON)
    assert signed_word(machine, 0x4049) == signed_word(machine, 0x40A9) != 0
    assert machine.read(0x4038, 14) == [0] * 14
    assert machine.read(0x404B, 10) == [0] * 10
    assert machine.read(0xA03C, 43) == [0] * 43


def test_missing_pv_inputs_are_not_available_and_ac_coupled_pv_comes_from_a_clamp() -> None:
    """Inputs three and four say "not available"; an AC-coupled machine has none at all, but a clamp."""
    assert machine_of("H2-6K-S2", start=NOON).read(0x4077, 6) == [0xFFFF] * 6
    assert machine_of("H2-6K-S2", start=NOON).word(0x40A3) == 0
    machine = machine_of("AS2-6K-S", start=NOON)
    assert machine.read(0x4071, 12) == [0xFFFF] * 12
    assert machine.word(0x40A5) == 0
    assert machine.word(0x40A3) > 1000
    assert machine.value("pv_power") == machine.word(0x40A3)
    house = signed_word(machine, 0x40AD) + signed_word(machine, 0x40A9) + machine.word(0x40A3)
    assert signed_word(machine, 0x40A0) == pytest.approx(house, abs=3)


def test_energy_counters_are_two_words_in_hundredths_of_a_kwh_high_word_first() -> None:
    """Two words each, the high one first, in hundredths of a kilowatt-hour; they count what flows."""
    machine = machine_of("H2-10K-T2", start=NOON, soc=0.3)
    addresses = {"pv": 0x40BF, "battery_charge": 0x40C7, "load": 0x40DF, "backup": 0x40E7}
    before = {meter: long_word(machine, address + 6) for meter, address in addresses.items()}
    machine.inverter.total["pv"] = 655_369_999.0
    machine.step(0.001)
    # 655369.99 kWh is 65536999 hundredths: 1000 times 65536 and 999.
    assert machine.read(0x40C5, 2) == [1000, 999]
    machine.inverter.total["pv"] = before["pv"] * 10.0
    machine.step(3600)
    for meter, address in addresses.items():
        grown = long_word(machine, address + 6) - before[meter]
        assert grown > 10, meter
        # Of today, this month and this year; everything began today.
        assert (
            long_word(machine, address)
            == long_word(machine, address + 2)
            == long_word(machine, address + 4)
        )
        assert long_word(machine, address) == pytest.approx(grown, abs=3), meter


def test_energies_of_the_grid() -> None:
    """At 0x40EF and 0x40F7 the first phase alone, from 0x4147 on the others, from 0x4167 on all of them."""
    machine = machine_of("H2-10K-T2", start=MIDNIGHT, soc=0.1)
    machine.step(3600)
    total = {"l1": 0x40FD, "l2": 0x415D, "l3": 0x4165, "all": 0x416D}
    bought = {name: long_word(machine, address) for name, address in total.items()}
    assert bought["l1"] > bought["l2"] > bought["l3"] > 200_000
    assert bought["all"] == pytest.approx(sum(bought[p] for p in ("l1", "l2", "l3")), abs=3)
    today = {"l1": 0x40F7, "l2": 0x4157, "l3": 0x415F, "all": 0x4167}
    assert all(long_word(machine, address) > 0 for address in today.values())
    sold = {"l1": 0x40F5, "l2": 0x414D, "l3": 0x4155, "all": 0x4175}
    exported = {name: long_word(machine, address) for name, address in sold.items()}
    assert exported == {"l1": 201_840, "l2": 253_360, "l3": 294_210, "all": 749_410}


def test_two_packs_report_their_own_data_and_share_the_current() -> None:
    """Two packs tell of themselves, and share the current."""
    machine = machine_of("H2-10K-T2", start=NOON, soc=0.5)
    assert machine.word(0xA000) == 2
    assert machine.word(0xA00B) == 0b11
    assert machine.word(0xA00C) == machine.word(0xA012) == machine.word(0x406F)
    assert [machine.word(0xA00D), machine.word(0xA013), machine.word(0xA019)] == [9800, 9700, 0]
    assert 2 * signed(machine.word(0xA00F)) == pytest.approx(signed(machine.word(0x406A)), abs=1)
    # BMSSIM0000000001
    assert machine.read(0x8E01, 3) == [0x424D, 0x5353, 0x494D]


def test_a_battery_of_another_series_leaves_the_pack_registers_at_zero() -> None:
    """A battery of another series leaves all pack registers at 0, and the inverter measures it all the same."""
    machine = machine_of("HS3-8K-T2", soc=0.5)
    assert machine.read(0xA000, 56) == [0] * 56
    assert machine.word(0x406F) > 4000
    machine = machine_of("H2-6K-S2")
    assert machine.word(0xA000) == 1
    machine.trouble.zero_packs = True
    assert machine.read(0xA000, 56) == [0] * 56
    machine.trouble.zero_packs = False
    assert machine.word(0xA000) == 1
    assert machine_of("H2-6K-S2", packs=False).read(0xA000, 56) == [0] * 56


@pytest.mark.parametrize(
    ("request_hex", "answer"),
    [
        # The work mode, and what the machine then holds.
        ("0001 0000 0006 01 06 3647 0002", "00 01 00 00 00 06 01 06 36 47 00 02"),
        ("0002 0000 0006 01 03 3647 0001", "00 02 00 00 00 05 01 03 02 00 00"),
        # Several registers at once are no business of this machine.
        ("0003 0000 0009 01 10 3647 0001 02 0002", "00 03 00 00 00 03 01 90 01"),
        # Outside what the protocol allows, and where nothing may be written.
        ("0004 0000 0006 01 06 3647 000f", "00 04 00 00 00 03 01 86 03"),
        ("0005 0000 0006 01 06 8f00 0055", "00 05 00 00 00 03 01 86 02"),
        ("0006 0000 0006 01 06 40a5 0000", "00 06 00 00 00 03 01 86 02"),
        ("0007 0000 0006 01 06 3677 0001", "00 07 00 00 00 03 01 86 02"),
    ],
)
async def test_modbus_tcp_requests_get_their_literal_answers(
    module: SimulatedPlant, request_hex: str, answer: str
) -> None:
    """Literal requests in Modbus TCP framing and their literal answers."""
    assert await exchange(module.tcp_port, request_hex) == answer


async def test_a_write_is_kept(module: SimulatedPlant) -> None:
    """What function code 6 writes is read back, and recorded and counted."""
    answer = await exchange(
        module.tcp_port,
        "0001 0000 0006 01 06 3644 0023",
        "0002 0000 0006 01 03 3644 0002",
    )
    assert answer == ("00 01 00 00 00 06 01 06 36 44 00 23 00 02 00 00 00 07 01 03 04 00 23 00 0a")
    (write,) = module.machine().writes
    assert (write.function, write.address, write.values, write.exception) == (6, 0x3644, (35,), 0)
    assert module.tcp.statistics.registers_written == 1


@pytest.mark.parametrize(
    ("address", "taken", "refused"),
    [
        (0x3604, (0, 0x7F), (0x80,)),
        (0x3605, (0, 0x7F), (0x80,)),
        # Hour and minute.
        (0x3606, (0, 0x173B), (0x1800, 0x003C)),
        (0x362E, (0, 0x173B), (0x1800, 0x003C)),
        # Weekdays and percent.
        (0x3608, (0, 0x7F64), (0x8000, 0x0065)),
        (0x362F, (0, 0x7F64), (0x8000, 0x0065)),
        (0x3632, (0, 1), (2,)),
        (0x3636, (0, 2), (3,)),
        (0x3637, (0, 1100), (1101,)),
        (0x363A, (0, 1100), (1101,)),
        (0x3644, (5, 100), (4, 101)),
        (0x3645, (5, 100), (4, 101)),
        (0x3646, (20, 100), (19, 101)),
        (0x3647, (0, 14), (15,)),
        (0x364D, (0, 1100), (1101,)),
        (0x3650, (0, 1100), (1101,)),
        (0x3651, (20, 100), (19, 101)),
        (0x365A, (0, 1100), (1101,)),
        (0x365B, (0, 30000), (30001,)),
        (0x365C, (0, 3), (4,)),
        (0x365F, (0, 1), (2,)),
        (0x3660, (0, 1), (2,)),
    ],
)
def test_values_at_the_range_ends_are_accepted_and_the_next_ones_get_exception_3(
    address: int, taken: tuple[int, ...], refused: tuple[int, ...]
) -> None:
    """The raw values at the ends of the protocol's ranges are taken, the next ones refused with exception 3."""
    machine = machine_of("H2-10K-T2")
    for word in taken:
        machine.write(address, [word])
        assert machine.word(address) == word
    for word in refused:
        with pytest.raises(Refusal) as refusal:
            machine.write(address, [word])
        assert refusal.value.code == 3
        assert machine.word(address) == taken[-1]


async def test_the_module_answers_any_unit_id_but_the_serial_port_only_its_own(
    module: SimulatedPlant,
) -> None:
    """The module passes on whatever unit id is asked for; the inverter's serial port does not."""
    answer = "00 01 00 00 00 05 f7 03 02 00 5a"
    assert await exchange(module.tcp_port, "0001 0000 0006 f7 03 8f00 0001") == answer
    # The same to unit 1 and to unit 2, with the CRCs of both.
    assert await exchange(module.rtu_port, "01 03 8f00 0001 aede") == "01 03 02 00 5a 38 7f"
    assert await exchange(module.rtu_port, "02 03 8f00 0001 aeed") == ""
    async with SimulatedPlant(model="HS2-6K-S2") as gateway:
        answer = "00 01 00 00 00 03 f7 83 0b"
        assert await exchange(gateway.tcp_port, "0001 0000 0006 f7 03 8f00 0001") == answer


def test_an_ignored_write_is_acknowledged_without_changing_the_register() -> None:
    """It is acknowledged, and the register holds what it held; others are written."""
    machine = machine_of("H2-10K-T2")
    machine.trouble.ignored_writes = frozenset({0x3644})
    request = bytes.fromhex("0636440023")
    assert machine.respond(request) == request
    assert machine.word(0x3644) == 20
    machine.respond(bytes.fromhex("0636450023"))
    assert machine.word(0x3645) == 35


def test_old_firmware_answers_at_most_thirty_registers() -> None:
    """An old firmware answers thirty registers at most."""
    machine = machine_of("HS2-6K-S2")
    machine.trouble.longest_read = 30
    assert machine.respond(bytes.fromhex("034031001f")) == b"\x83\x03"
    answer = machine.respond(bytes.fromhex("034031001e"))
    assert answer is not None
    assert answer[:2] == b"\x03\x3c"


def test_fault_codes_are_at_their_addresses_with_the_high_word_first() -> None:
    """Codes 1 to 32 are at 0x4007, 33 to 64 at 0x4009, 65 to 96 at 0x4005, each with its high word first."""
    machine = machine_of("H2-10K-T2")
    machine.trouble.faults = frozenset({0, 16, 32 + 15, 32 + 31, 64, 95})
    assert machine.read(0x4005, 6) == [0x8000, 0x0001, 0x0001, 0x0001, 0x8000, 0x8000]
    assert machine.word(0x4004) == 5
    machine.trouble.faults = frozenset()
    assert machine.read(0x4005, 6) == [0] * 6
    assert machine.word(0x4004) == 2


def test_an_outage_takes_the_device_off_grid_with_e56_and_keeps_the_backup_on() -> None:
    """Without a grid the machine is off grid, tells E56, and the backup output goes on."""
    machine = machine_of("H2-10K-T2", soc=0.8)
    machine.trouble.outage = True
    machine.step(10)
    assert machine.word(0x4004) == 3
    # E56 is bit 23 of the codes from 33 on.
    assert machine.read(0x4009, 2) == [0x0080, 0x0000]
    assert machine.word(0x4031) == 0
    assert machine.word(0x4055) == 2300
    assert machine.word(0x40AB) > 100


def test_the_clock_is_four_words_from_the_year_down_to_the_second() -> None:
    """Year, month and day, hour and minute, second: four words that only the machine writes."""
    machine = machine_of("H2-10K-T2", start=datetime(2026, 6, 21, 9, 8, 7))
    assert machine.read(0x4000, 4) == [2026, 0x0615, 0x0908, 0x1100]


# What the settings do to the flows


def test_self_consumption_supplies_the_house_from_the_battery_down_to_its_floor() -> None:
    """The battery serves the house down to its floor, and nothing more."""
    machine = machine_of("H2-6K-S2", start=MIDNIGHT, soc=0.5)
    assert signed_word(machine, 0x40AD) == pytest.approx(0, abs=2)
    machine.write(0x3644, [60])
    machine.step(10)
    assert signed_word(machine, 0x40A6) == 0
    assert signed_word(machine, 0x40AD) > 200


def test_discharge_is_held_to_its_limit_in_thousandths_of_the_rated_power() -> None:
    """The battery gives no more than is set, in thousandths of the rated power: 30 are 180 W of 6 kW."""
    machine = machine_of("H2-6K-S2", start=MIDNIGHT, soc=0.5)
    machine.write(0x364E, [30])
    machine.step(10)
    assert signed_word(machine, 0x40A6) == pytest.approx(180, abs=1)


def test_export_is_held_to_its_limit_in_thousandths_of_the_rated_power() -> None:
    """What is over stays on the roof: 100 thousandths of 6 kW may be sold."""
    machine = machine_of("H2-6K-S2", start=NOON, soc=1.0)
    assert signed_word(machine, 0x40AD) < -2000
    machine.write(0x365C, [1])
    machine.write(0x365A, [100])
    machine.step(10)
    assert signed_word(machine, 0x40AD) == pytest.approx(-600, abs=2)


def test_the_battery_is_not_charged_above_the_charge_upper_limit() -> None:
    """Above it the sun goes to the grid."""
    machine = machine_of("H2-6K-S2", start=NOON, soc=0.8)
    assert signed_word(machine, 0x40A6) < -1000
    machine.write(0x3646, [70])
    machine.step(10)
    assert signed_word(machine, 0x40A6) == 0


def test_backup_mode_charges_from_the_grid_below_the_reserve_and_discharges_above() -> None:
    """Below the reserve the grid fills the battery, with the power that is set; above it the house is served."""
    machine = machine_of("H2-6K-S2", start=MIDNIGHT, soc=0.3)
    machine.write(0x364F, [500])
    machine.write(0x3647, [2])
    machine.step(10)
    assert signed_word(machine, 0x40A6) == pytest.approx(-3000, abs=30)
    assert machine.word(0x4022) == 2
    machine.inverter.soc = 0.9
    machine.step(10)
    assert signed_word(machine, 0x40A6) > 200


def test_the_sun_adds_to_what_a_slot_sells() -> None:
    """The battery gives what the load takes and the slot says, behind 97 %, but the inverter no more than 6000 W."""
    plant = SimulatedPlant(model="H2-6K-S2", start=NOON, soc=0.8)
    machine = plant.machine()
    # From 11:00 to 14:00, 13 % of 6000 W.
    for address, word in {0x361B: 0x0B00, 0x361C: 0x0E00, 0x361D: 0x7F0D}.items():
        machine.write(address, [word])
    for address, word in {0x3660: 1, 0x3605: 1, 0x3647: 1}.items():
        machine.write(address, [word])
    for sun, battery, grid in ((0, 1577, -780), (2000, 1577, -2720), (6000, 186, -5250)):
        steer(plant, machine, {"sun": sun, "home": 0, "backup": 750})
        assert signed_word(machine, 0x40A6) == pytest.approx(battery, abs=1)
        assert signed_word(machine, 0x40AD) == pytest.approx(grid, abs=1)


def test_passive_mode_stands_by_charges_from_the_grid_or_sells_as_ordered() -> None:
    """Standby moves nothing, charging fills from the grid, discharging sells."""
    machine = machine_of("H2-6K-S2", start=MIDNIGHT, soc=0.5)
    machine.write(0x3647, [3])
    machine.step(10)
    assert signed_word(machine, 0x40A6) == 0
    machine.write(0x3639, [250])
    machine.write(0x3636, [2])
    machine.step(10)
    assert signed_word(machine, 0x40A6) == pytest.approx(-1500, abs=20)
    machine.write(0x3638, [200])
    machine.write(0x3636, [1])
    machine.step(10)
    assert signed_word(machine, 0x40AD) == pytest.approx(-1200, abs=3)
    assert signed_word(machine, 0x40A6) > 1200
    machine.write(0x363A, [100])
    machine.step(10)
    assert signed_word(machine, 0x40A6) == pytest.approx(600, abs=5)


def test_a_time_of_use_slot_charges_only_when_enabled_on_its_days_and_times() -> None:
    """A slot charges on its days between its times, if it is enabled and the mode is this one."""
    machine = machine_of("H2-6K-S2", start=MIDNIGHT, soc=0.3)
    # The second slot: 01:00 to 02:00 on Sundays, at half the rated power.
    machine.write(0x3609, [0x0100])
    machine.write(0x360A, [0x0200])
    machine.write(0x360B, [0x4032])
    machine.write(0x3604, [0b10])
    machine.write(0x3647, [1])
    machine.step(3500)
    assert signed_word(machine, 0x40A6) > 0
    machine.step(130)
    assert signed_word(machine, 0x40A6) == pytest.approx(-3000, abs=30)
    machine.write(0x360B, [0x3F32])
    machine.step(10)
    assert signed_word(machine, 0x40A6) > 0
    machine.write(0x360B, [0x4032])
    machine.write(0x3604, [0b01])
    machine.step(10)
    assert signed_word(machine, 0x40A6) > 0
    # What holds outside the slots may be standby.
    machine.write(0x365F, [0])
    machine.step(10)
    assert signed_word(machine, 0x40A6) == 0


def test_time_of_use_sells() -> None:
    """A discharge slot sells its power if the battery may feed the grid, and serves the house if not."""
    machine = machine_of("H2-6K-S2", start=datetime(2026, 6, 21, 1, 30), soc=0.8)
    machine.write(0x361B, [0x0100])
    machine.write(0x361C, [0x0300])
    machine.write(0x361D, [0x7F28])
    machine.write(0x3605, [1])
    machine.write(0x3647, [1])
    machine.step(10)
    assert signed_word(machine, 0x40AD) == pytest.approx(0, abs=2)
    machine.write(0x3660, [1])
    machine.step(10)
    assert signed_word(machine, 0x40AD) == pytest.approx(-2400, abs=3)
