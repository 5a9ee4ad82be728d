"""The grid fails while the battery is controlled: what still has power, in each mode that control puts an inverter into.

The house uses 1500 W in the dark, all of it behind the backup output, and the battery is at 60 %. 1500 W out of the
inverter are 1546 W out of the battery.
"""

# ruff: noqa: DTZ001 - the machine knows no zone
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from simulator import SimulatedPlant

from .houses import set_load, set_sun

# A Sunday, in the last slot of the table of a JSO.
EVENING = datetime(2026, 6, 21, 19)

type Words = Mapping[int, int]

# From 18:00 to 23:00 every day at 3000 W: the seventh slot of each kind, and the mode that looks at it.
CHARGE_SLOT: Words = {0x3618: 0x1200, 0x3619: 0x1700, 0x361A: 0x7F1E, 0x3604: 0x40, 0x3647: 1}
DISCHARGE_SLOT: Words = {0x362D: 0x1200, 0x362E: 0x1700, 0x362F: 0x7F1E, 0x3605: 0x40, 0x3647: 1}

# Each: the inverter, what is written, and the power of the battery while there is a grid.
ALIVE: dict[str, tuple[str, Words, float]] = {
    "JSO as it is": ("JSO8048104", {}, 1546),
    "JSO hold": ("JSO8048104", {171: 100}, 0),
    # 40 A at 52.4 V.
    "JSO charge": ("JSO8048104", {171: 80, 177: 1, 130: 1}, -2095),
    "JSO discharge": ("JSO8048104", {171: 40, 159: 3000, 142: 0}, 3000),
    "JSO no charge": ("JSO8048104", {108: 0}, 1546),
    # 20 W are always drawn then.
    "JSO export limit": ("JSO8048104", {145: 0}, 1526),
    "JSO without time of use": ("JSO8048104", {146: 0}, 0),
    "SAJ as it is": ("H2-10K-T2", {}, 1546),
    "SAJ hold": ("H2-10K-T2", {0x3644: 100}, 0),
    # The last percent above the reserve serves the house.
    "SAJ hold by the reserve": ("H2-10K-T2", {0x3651: 59, 0x3647: 2}, 1546),
    "SAJ charge": ("H2-10K-T2", {0x3646: 80, **CHARGE_SLOT}, -3000),
    # 3000 W into the grid: 4500 W out of the inverter.
    "SAJ discharge": ("H2-10K-T2", {0x3660: 1, **DISCHARGE_SLOT}, 4639),
    "SAJ no charge": ("H2-10K-T2", {0x3660: 0, **DISCHARGE_SLOT}, 1546),
    "SAJ idle": ("H2-10K-T2", {0x3636: 0, 0x3647: 3}, 0),
    "SAJ passive charge": ("H2-10K-T2", {0x3639: 300, 0x3636: 2, 0x3647: 3}, -3000),
    "SAJ passive discharge": ("H2-10K-T2", {0x3638: 200, 0x3636: 1, 0x3647: 3}, 3608),
    "SAJ export limit": ("H2-10K-T2", {0x365C: 1, 0x365A: 0}, 1546),
}

# What control must never write: nothing comes out of the battery then.
DEAD: dict[str, tuple[str, Words]] = {
    "JSO discharge current of 0": ("JSO8048104", {109: 0}),
    "SAJ passive discharge power of 0": ("H2-10K-T2", {0x363A: 0, 0x3636: 0, 0x3647: 3}),
    "SAJ off-grid floor above the SOC": ("H2-10K-T2", {0x3645: 65}),
}


def controlled(model: str, words: Words) -> Any:
    """Return a machine in this house that holds these words, after ten seconds."""
    machine: Any = SimulatedPlant(model=model, start=EVENING, soc=0.6).machine()
    set_sun(machine.inverter, 0)
    set_load(machine.inverter, backup=1500)
    for address, word in words.items():
        machine.write(address, [word])
        assert machine.word(address) == word
    machine.step(10)
    return machine


@pytest.mark.parametrize("mode", ALIVE)
def test_an_outage_in_every_mode_is_served_from_the_battery_and_the_mode_goes_on_after_it(
    mode: str,
) -> None:
    """The backup output has its 1500 W whatever was ordered, and when the grid is back the order is in force again."""
    model, words, on_grid = ALIVE[mode]
    machine = controlled(model, words)
    assert machine.value("battery_power") == pytest.approx(on_grid, abs=3)
    machine.trouble.outage = True
    machine.step(10)
    assert machine.value("backup_power") == 1500
    assert machine.value("battery_power") == 1546
    assert machine.value("grid_power") == 0
    machine.trouble.outage = False
    machine.step(10)
    assert machine.value("battery_power") == pytest.approx(on_grid, abs=3)


@pytest.mark.parametrize("mode", DEAD)
def test_what_leaves_the_backup_output_dead_in_an_outage(mode: str) -> None:
    """All is well as long as there is a grid, and then nothing has power."""
    model, words = DEAD[mode]
    machine = controlled(model, words)
    assert machine.value("backup_power") == 1500
    machine.trouble.outage = True
    machine.step(10)
    assert machine.value("backup_power") == 0
    assert machine.value("battery_power") == 0
