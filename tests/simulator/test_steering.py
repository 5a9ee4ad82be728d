"""Steering a house into a situation: what is laid down, what stays, and what is refused."""

from __future__ import annotations

from datetime import datetime

import pytest

from simulator import SimulatedPlant
from simulator.inverter_machine import InverterMachine
from simulator.steering import steer

NOON = {"time": "12:00", "soc": 50, "sun": 3000, "home": 400, "backup": 600}


def steered(plant: SimulatedPlant, **changes: object) -> InverterMachine:
    """Steer the first machine, and return it."""
    machine = plant.machine()
    assert isinstance(machine, InverterMachine)
    steer(plant, machine, changes)
    return machine


def test_the_powers_follow_from_the_steered_situation() -> None:
    """The powers follow from what is laid down: 980 W cost 1010 W of the sun's 3000, the rest charges."""
    plant = SimulatedPlant()
    machine = steered(plant, **NOON, settings={"solar_sell": False})
    assert machine.inverter.now == datetime(2026, 6, 21, 12, 0, 1)  # noqa: DTZ001 - the machine knows no zone
    keys = ("pv_power", "load_power", "backup_power", "battery_power", "battery_soc")
    # Each phase is rounded: 133 W of the home load, 200 W of the backup load.
    assert [machine.value(key) for key in keys] == [
        3000,
        pytest.approx(1000, abs=2),
        600,
        -1990,
        50,
    ]
    assert machine.value("grid_power") == pytest.approx(20, abs=2)
    # What is not named stays, and the sun does not move: 1480 W cost 1526 W.
    machine = steered(plant, home=900, advance=3600)
    assert machine.inverter.now.hour == 13
    assert (machine.value("pv_power"), machine.value("backup_power")) == (3000, 600)
    assert machine.value("battery_power") == -1474
    machine = steered(plant, backup=0, home=0, grid=False)
    assert (machine.value("grid_connected"), machine.value("backup_power")) == (False, 0)


def test_settings_by_their_names() -> None:
    """As somebody sets them at the display: times, flags that share a register, and numbers."""
    machine = steered(
        SimulatedPlant(),
        settings={"tou_slot_4_time": "13:00", "tou_monday": False, "max_sell_power": 2000},
    )
    # Every day was on, and so was time of use: bits 0 to 7 but for bit 1.
    assert [machine.word(address) for address in (151, 146, 143)] == [1300, 0xFD, 2000]
    slot = steered(SimulatedPlant(model="H2-10K-T2"), settings={"charge_slot_2_start": "06:30"})
    # The hour, the minute.
    assert slot.word(0x3609) == 0x061E


def test_a_micro_inverter_delivers_the_steered_power_at_the_generator_port() -> None:
    """A micro inverter gives what is said; 500 W of it are left, of which the battery gets 97 %."""
    machine = steered(
        SimulatedPlant(),
        **{**NOON, "sun": 0, "port_sun": 1500},
        settings={"generator_port_mode": "micro_inverter_input", "solar_sell": False},
    )
    assert machine.value("generator_power") == 1500
    assert machine.value("battery_power") == -485


def test_a_battery_in_a_cold_room_is_not_charged() -> None:
    """In the frost it takes nothing: 980 W cost 1010 W, and the rest of the sun's 3000 W stays on the roof."""
    machine = steered(SimulatedPlant(), **NOON, room=-10, settings={"solar_sell": False})
    assert machine.value("battery_power") == 0
    assert machine.value("pv_power") == 1010
    machine = steered(SimulatedPlant(), **NOON, room=5, settings={"solar_sell": False})
    # 75 A are more than what the sun has left.
    assert machine.value("battery_power") == -1990


@pytest.mark.parametrize(
    ("model", "changes", "message"),
    [
        ("JSO8048104", {"moon": 1}, "no such steer: moon"),
        ("JSO8048104", {"soc": "full"}, "not a number: 'full'"),
        ("JSO8048104", {"sun": True}, "not a number: True"),
        ("JSO8048104", {"settings": []}, "settings must be a JSON object"),
        ("DTSU666", {"soc": 50}, "only an inverter"),
    ],
)
def test_what_there_is_not(model: str, changes: dict[str, object], message: str) -> None:
    """A wrong request is explained."""
    plant = SimulatedPlant(devices={1: model})
    with pytest.raises(ValueError, match=message):
        steer(plant, plant.machine(), changes)


def test_a_power_of_a_saj() -> None:
    """It is held in thousandths of the rated power: 11000 W of 10 kW are 1100."""
    plant = SimulatedPlant(model="H2-10K-T2")
    machine = steered(plant, settings={"battery_charge_power_limit": 11000})
    assert machine.word(0x364D) == 1100
