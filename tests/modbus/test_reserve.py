"""The reserve for an outage: what is written for another one, in which order, and what it is bounded by."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from custom_components.hybrid_inverter.modbus.errors import InvalidValueError
from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.model.family import Family
from custom_components.hybrid_inverter.modbus.model.reserve import keys_of, reserve_in_force
from custom_components.hybrid_inverter.modbus.tables import FAMILIES
from custom_components.hybrid_inverter.modbus.tables.jso import JSO
from custom_components.hybrid_inverter.modbus.tables.saj import SAJ

type Steps = list[tuple[str, Value]]

JSO_HELD: Mapping[str, Value] = {
    "battery_shutdown_soc": 20,
    "battery_low_soc": 35,
    "battery_restart_soc": 50,
}
SAJ_HELD: Mapping[str, Value] = {
    "work_mode": "self_consumption",
    "off_grid_discharge_floor": 10,
    "on_grid_discharge_floor": 20,
    "charge_upper_limit": 90,
    "backup_reserve_soc": 50,
}
IN_BACKUP: Mapping[str, Value] = {**SAJ_HELD, "work_mode": "backup"}


def steps(family: Family, wanted: float, held: Mapping[str, Value]) -> Steps:
    """Return what is written for this reserve to a machine that holds this."""
    return reserve_in_force(family.reserves, held).steps(wanted, family.registers, held)


@pytest.mark.parametrize(
    ("family", "held", "wanted", "written"),
    [
        (JSO, JSO_HELD, 40, [("battery_low_soc", 40)]),
        (JSO, JSO_HELD, 49, [("battery_low_soc", 49)]),
        (JSO, JSO_HELD, 50, [("battery_restart_soc", 51), ("battery_low_soc", 50)]),
        (JSO, JSO_HELD, 99, [("battery_restart_soc", 100), ("battery_low_soc", 99)]),
        (JSO, JSO_HELD, 21, [("battery_low_soc", 21)]),
        (SAJ, SAJ_HELD, 84, [("on_grid_discharge_floor", 84)]),
        (SAJ, SAJ_HELD, 85, [("charge_upper_limit", 91), ("on_grid_discharge_floor", 85)]),
        (SAJ, SAJ_HELD, 94, [("charge_upper_limit", 100), ("on_grid_discharge_floor", 94)]),
        (SAJ, SAJ_HELD, 100, [("charge_upper_limit", 100), ("on_grid_discharge_floor", 100)]),
        (SAJ, SAJ_HELD, 16, [("on_grid_discharge_floor", 16)]),
        (SAJ, IN_BACKUP, 89, [("backup_reserve_soc", 89)]),
        (SAJ, IN_BACKUP, 90, [("charge_upper_limit", 91), ("backup_reserve_soc", 90)]),
        (SAJ, IN_BACKUP, 20, [("backup_reserve_soc", 20)]),
    ],
)
def test_what_has_to_move_moves_first(
    family: Family, held: Mapping[str, Value], wanted: int, written: Steps
) -> None:
    """The setting above it is raised before it where it is in the way, and is else left alone."""
    assert steps(family, wanted, held) == written


@pytest.mark.parametrize(
    ("family", "held", "wanted", "neighbour"),
    [
        (JSO, JSO_HELD, 20, "battery_shutdown_soc"),
        (JSO, JSO_HELD, 100, None),
        (SAJ, SAJ_HELD, 15, "off_grid_discharge_floor"),
        (SAJ, SAJ_HELD, 101, None),
        (SAJ, IN_BACKUP, 19, None),
    ],
)
def test_the_floor_of_a_time_without_the_grid_is_never_moved(
    family: Family, held: Mapping[str, Value], wanted: int, neighbour: str | None
) -> None:
    """A reserve that would need it is refused, and the floor is named."""
    with pytest.raises(InvalidValueError) as refused:
        steps(family, wanted, held)
    assert refused.value.key == "battery_reserve"
    assert refused.value.details.get("neighbour") == neighbour


def test_half_a_percent_is_refused() -> None:
    """No machine holds it."""
    with pytest.raises(InvalidValueError):
        steps(JSO, 40.5, JSO_HELD)


def test_a_mode_that_is_not_known_is_not_the_backup_mode() -> None:
    """As of a machine that has not been read yet, or that its maker's app has put into another mode."""
    for mode in (None, "ai_saving"):
        assert reserve_in_force(SAJ.reserves, {"work_mode": mode}).key == "on_grid_discharge_floor"


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_everything_is_a_setting_that_everybody_may_change(family: Family) -> None:
    """In every mode of every family, and the last one holds in any."""
    for key in keys_of(family.reserves):
        assert family.registers[key].tier == "everyday"
    assert not family.reserves or family.reserves[-1].while_in is None
