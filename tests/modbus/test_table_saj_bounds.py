"""What is written: words and bounds."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.errors import InvalidValueError
from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.tables.saj import SAJ

from .table_saj import FEATURES, fitted, image, unit_of


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("work_mode", "backup", [2]),
        ("work_mode", "self_consumption", [0]),
        ("buzzer", True, [0]),
        ("export_limit_power", 11000, [1100]),
        ("export_limit_power", 0, [0]),
        ("battery_charge_power_limit", 2504, [250]),
        ("battery_charge_power_limit", 2506, [251]),
        ("export_limit_current", 16.31, [1631]),
        ("export_limit_mode", "current", [2]),
        ("tou_outside_mode", "standby", [0]),
        ("passive_action", "charge", [2]),
        ("on_grid_discharge_floor", 100, [100]),
        # 0x0005: each bit alone.
        ("charge_slot_2_enabled", True, [0x0007]),
        ("charge_slot_1_enabled", False, [0x0004]),
        ("discharge_slot_7_enabled", True, [0x0042]),
        ("charge_slot_1_start", time(23, 59), [0x173B]),
        ("charge_slot_1_end", time(6, 5), [0x0605]),
        # 0x7F32 and 0x6014: each half alone.
        ("charge_slot_1_days", frozenset({0, 6}), [0x4132]),
        ("charge_slot_1_power", 100, [0x7F64]),
        ("discharge_slot_2_days", frozenset(range(7)), [0x7F14]),
        ("discharge_slot_2_power", 0, [0x6000]),
    ],
)
def test_words_that_are_written(key: str, value: Value, words: list[int]) -> None:
    """The words on the wire, worked out by hand; what else is in the word stays."""
    row = fitted("h2_10k_t2").registers[key]
    assert row.encode(value, image("h2_10k_t2")) == words


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("work_mode", "ai_saving"),
        ("work_mode", "peak_shaving"),
        ("work_mode", "ageing"),
        ("charge_slot_1_power", 256),
        ("charge_slot_1_days", frozenset({7})),
        ("charge_slot_1_start", time(1, 2, 3)),
        ("export_limit_current", 0.005),
    ],
)
def test_values_that_no_word_holds(key: str, value: Value) -> None:
    """Refused before anything is sent."""
    with pytest.raises(InvalidValueError):
        fitted("h2_10k_t2").registers[key].encode(value, image("h2_10k_t2"))


@pytest.mark.parametrize(
    ("key", "bounds"),
    [
        ("on_grid_discharge_floor", (5, 100)),
        ("off_grid_discharge_floor", (5, 100)),
        ("charge_upper_limit", (20, 100)),
        ("backup_reserve_soc", (20, 100)),
        *(
            (key, (0, pytest.approx(11000)))
            for key in (
                "battery_charge_power_limit",
                "battery_discharge_power_limit",
                "grid_charge_power_limit",
                "grid_discharge_power_limit",
                "export_limit_power",
                "passive_grid_charge_power",
                "passive_grid_discharge_power",
                "passive_battery_charge_power",
                "passive_battery_discharge_power",
            )
        ),
        ("export_limit_current", (0, 300)),
        ("charge_slot_1_power", (0, 100)),
        ("discharge_slot_7_power", (0, 100)),
    ],
)
def test_limits_match_the_document_for_a_10_kw_inverter(
    key: str, bounds: tuple[float, float]
) -> None:
    """The bounds of the document, on a machine of 10 kW."""
    limits = fitted("h2_10k_t2").registers[key].limits
    assert limits is not None
    assert limits.resolve({"rated_power": 10000}) == bounds


def test_work_modes_of_app_and_factory_are_shown_but_not_offered() -> None:
    """The modes of the vendor's app and of the factory are shown, and not offered."""
    row = SAJ.registers["work_mode"]
    assert row.options == ["self_consumption", "time_of_use", "backup", "passive"]
    modes = {code: row.decode({0x3647: code}) for code in (0, 3, 10, 11, 12, 14)}
    assert modes == {
        0: "self_consumption",
        3: "passive",
        10: "peak_shaving",
        11: None,
        12: "ai_saving",
        14: "ageing",
    }


async def test_leaving_the_export_limit() -> None:
    """The limit is lifted before it is switched off: 1100 thousandths, then mode 0."""
    unit = unit_of("h2_10k_t2")
    family = replace(SAJ, settle=0, write_spacing=0)
    device = Device(unit, family, known={"rated_power": 10000}, features=FEATURES["h2_10k_t2"])
    await device.write("export_limit_mode", "off")
    assert unit.writes == [(0x365A, (1100,)), (0x365C, (0,))]
