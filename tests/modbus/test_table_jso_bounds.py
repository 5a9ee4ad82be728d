"""What is written: words, bounds and steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.errors import InvalidValueError
from custom_components.hybrid_inverter.modbus.model.codec import Bits, Choice, Value
from custom_components.hybrid_inverter.modbus.model.codec_time import ClockTime
from custom_components.hybrid_inverter.modbus.model.register import Register, Tier
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from .fake_unit import FakeUnit
from .table_jso import IMAGE, LIVE, ROWS, WRITABLE


@pytest.mark.parametrize("row", WRITABLE, ids=[row.key for row in WRITABLE])
def test_writing_back_what_was_read_changes_nothing(row: Register) -> None:
    """Encode is the inverse of decode, other bits of the same word included."""
    value = row.decode(IMAGE)
    if value is None:
        assert row.key in {"auto_dim", "force_off_grid"}
        return
    words = row.encode(value, IMAGE)
    if row.key == "grid_peak_shaving":
        # The pair 00 is off as 10 is, which is what turns it off.
        assert words == [IMAGE[178] | 0x0020]
        return
    assert words == [IMAGE[address] for address in row.addresses]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("on_grid_always_on", False, [0xAE8E]),  # 0xAECE, the fourth pair from 11 to 10
        ("grid_peak_shaving", True, [0xAEFE]),  # the third pair from 00 to 11
        ("grid_peak_shaving", False, [0xAEEE]),  # and to 10, not 00
        ("beep", True, [0xC06F]),  # 0xC06B, the second pair from 10 to 11
        ("energy_pattern", "battery_first", [2]),  # 3, the high bit stays
        ("tou_enabled", False, [126]),
        ("tou_sunday", True, [255]),
        ("battery_1_wake_up", False, [256]),  # bit 8 belongs to another battery
        ("tou_slot_5_grid_charge", False, [0x20]),
        ("work_mode", "zero_export_to_load", [1]),
        ("generator_port_mode", "micro_inverter_input", [2]),
        ("battery_operation_mode", "voltage", [0]),
        ("solar_sell", False, [0]),
        ("zero_export_power", 20, [20]),
        ("zero_export_power", -1, [0xFFFF]),
        ("zero_export_power", -500, [0xFE0C]),
        ("battery_low_voltage", 47.6, [4760]),
        ("equalization_time", 2.5, [5]),
        ("tou_slot_2_time", time(23, 55), [2355]),
        ("system_time", datetime(2027, 1, 2, 3, 4, 5), [0x1B01, 0x0203, 0x0405]),  # noqa: DTZ001
        ("lithium_protocol", 0, [0]),
    ],
)
def test_words_that_are_written(key: str, value: Value, words: list[int]) -> None:
    """The words on the wire, worked out by hand."""
    assert JSO.registers[key].encode(value, IMAGE) == words


@pytest.mark.parametrize(
    ("key", "rated_power", "bounds"),
    [
        ("battery_max_charge_current", 8000.0, (0, 190)),
        ("battery_max_discharge_current", 12000.0, (0, 240)),
        ("grid_charge_current", 14000.0, (0, 260)),
        ("generator_charge_current", 15000.0, (0, 280)),
        ("battery_max_charge_current", 16000.0, (0, 300)),
        ("battery_max_charge_current", 18000.0, (0, 330)),
        ("battery_max_charge_current", 20000.0, (0, 350)),
        ("battery_max_charge_current", 5000.0, (0, 120)),
        ("battery_max_discharge_current", 6000.0, (0, 150)),
        ("grid_charge_current", 10000.0, (0, 210)),
        # A rating that no data sheet has takes the next larger one.
        ("battery_max_charge_current", 7000.0, (0, 190)),
        ("generator_charge_current", 13000.0, (0, 260)),
        ("battery_max_charge_current", 30000.0, (0, 350)),
        ("battery_max_charge_current", None, (0, 115)),
        ("max_sell_power", 12000.0, (0, 12000)),
        ("max_sell_power", None, (0, 8000)),
        ("tou_slot_6_power", 5000.0, (0, 5000)),
        ("smart_load_min_solar_power", 10000.0, (0, 10000)),
        ("max_solar_power", 8000.0, (0, 10400)),
        ("max_solar_power", 10000.0, (0, 13000)),
        ("max_solar_power", None, (0, 10400)),
        ("zero_export_power", 8000.0, (-500, 500)),
        ("grid_peak_shaving_power", 8000.0, (0, 16000)),
        ("generator_rated_power", 8000.0, (0, 16000)),
        ("tou_slot_1_time", 8000.0, (0, 1435)),
        ("tou_slot_1_voltage", 8000.0, (38, 63)),
        ("battery_shutdown_soc", 8000.0, (0, 34)),
        ("battery_low_soc", 8000.0, (21, 49)),
        ("battery_restart_soc", 8000.0, (36, 100)),
        ("battery_shutdown_voltage", 8000.0, (38, 47.49)),
        ("battery_low_voltage", 8000.0, (46.51, 51.99)),
        ("battery_restart_voltage", 8000.0, (47.51, 61)),
        ("smart_load_off_soc", 8000.0, (0, 99)),
        ("smart_load_on_soc", 8000.0, (96, 100)),
        ("smart_load_off_voltage", 8000.0, (38, 53.99)),
        ("smart_load_on_voltage", 8000.0, (51.01, 63)),
    ],
)
def test_limits_follow_the_model_and_other_settings(
    key: str, rated_power: float | None, bounds: tuple[float, float]
) -> None:
    """The bounds of a model, and those that another setting sets."""
    limits = JSO.registers[key].limits
    assert limits is not None
    assert limits.resolve(LIVE | {"rated_power": rated_power}) == pytest.approx(bounds)


@pytest.mark.parametrize(
    ("key", "bounds"),
    [
        ("smart_load_off_soc", (0, 100)),
        ("smart_load_on_soc", (0, 100)),
        ("smart_load_off_voltage", (38, 63)),
        ("smart_load_on_voltage", (38, 63)),
    ],
)
def test_a_micro_inverter_goes_off_above_the_threshold_at_which_it_comes_on(
    key: str, bounds: tuple[float, float]
) -> None:
    """Manual 5.9: off when the battery exceeds its value, on when it is lower. The thresholds of a smart load bound each other."""
    limits = JSO.registers[key].limits
    assert limits is not None
    assert limits.resolve(LIVE | {"generator_port_mode": "micro_inverter_input"}) == bounds
    # While nobody knows the mode, they bound each other.
    assert limits.resolve(LIVE | {"generator_port_mode": None}) != bounds


def test_a_bound_that_does_not_count_is_not_named_as_the_reason() -> None:
    """Of 101 %, the threshold of the other direction is no neighbour."""
    values = LIVE | {"generator_port_mode": "micro_inverter_input"}
    with pytest.raises(InvalidValueError) as refused:
        JSO.registers["smart_load_off_soc"].check(101, values)
    assert "neighbour" not in refused.value.details
    with pytest.raises(InvalidValueError) as refused:
        JSO.registers["smart_load_off_soc"].check(
            100, LIVE | {"generator_port_mode": "smart_load_output"}
        )
    assert refused.value.details["neighbour"] == "smart_load_on_soc"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("battery_shutdown_soc", 34),
        ("battery_low_soc", 21),
        ("battery_low_soc", 49),
        ("battery_restart_soc", 36),
        ("battery_shutdown_voltage", 47.49),
        ("battery_low_voltage", 46.51),
        ("battery_low_voltage", 51.99),
        ("battery_restart_voltage", 47.51),
        ("smart_load_off_soc", 99),
        ("smart_load_on_voltage", 51.01),
        ("battery_max_charge_current", 190),
        ("max_solar_power", 10400),
        ("tou_slot_1_time", time(23, 55)),
        ("tou_slot_1_time", time(0, 0)),
        ("generator_max_run_time", 24.0),
        ("equalization_time", 0.5),
        ("zero_export_power", -500),
        ("grid_peak_shaving_power", 16000),
        ("absorption_voltage", 55.2),
        ("absorption_voltage", 57.6),
    ],
)
def test_value_on_a_computed_bound_is_allowed(key: str, value: Value) -> None:
    """A value on its bound is allowed, although a computed bound is a hair off."""
    JSO.registers[key].check(value, LIVE)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("battery_shutdown_soc", 35),
        ("battery_low_soc", 20),
        ("battery_low_soc", 50),
        ("battery_restart_soc", 35),
        ("battery_restart_soc", 101),
        ("battery_shutdown_voltage", 47.5),
        ("battery_low_voltage", 46.5),
        ("battery_restart_voltage", 61.01),
        ("smart_load_off_soc", 100),
        ("smart_load_on_soc", 95),
        ("battery_max_charge_current", 191),
        ("battery_max_charge_current", 12.5),
        ("max_sell_power", 8001),
        ("max_solar_power", 10401),
        ("zero_export_power", -501),
        ("grid_peak_shaving_power", 22001),
        ("zero_export_power", 501),
        ("tou_slot_1_time", time(23, 59)),
        ("tou_slot_1_time", time(5, 32)),
        ("tou_slot_1_soc", 101),
        ("tou_slot_1_voltage", 37.99),
        ("equalization_time", 0.25),
        ("generator_max_run_time", 24.1),
        ("tempco", -1),
        ("lithium_protocol", 20),
    ],
)
def test_values_that_are_refused(key: str, value: Value) -> None:
    """Outside the bounds, or off the step."""
    with pytest.raises(InvalidValueError):
        JSO.registers[key].check(value, LIVE)


@pytest.mark.parametrize("address", [129, 130])
@pytest.mark.parametrize(
    ("held", "on", "off"), [(0x0101, 0x0101, 0x0100), (0x0100, 0x0101, 0x0100)]
)
def test_writing_a_switch_keeps_what_other_programs_set_above_it(
    address: int, held: int, on: int, off: int
) -> None:
    """Charging from the generator and from the grid."""
    row = next(row for row in WRITABLE if row.addresses == (address,))
    assert row.encode(True, {address: held}) == [on]
    assert row.encode(False, {address: held}) == [off]


@pytest.mark.parametrize(
    ("key", "held", "most"),
    [
        # 8 kW: 190 A, 8000 W and 10400 W.
        ("battery_max_charge_current", 210, 210),
        ("battery_max_charge_current", 100, 190),
        ("battery_max_charge_current", 400, 350),
        ("max_sell_power", 9000, 9000),
        ("tou_slot_3_power", 30000, 20000),
        ("max_solar_power", 13000, 13000),
        ("grid_peak_shaving_power", 20000, 20000),
        ("grid_peak_shaving_power", 30000, 22000),
        # Where another setting decides, what is held does not.
        ("battery_low_soc", 60, 49),
    ],
)
def test_a_limit_is_never_below_what_the_machine_holds(key: str, held: float, most: float) -> None:
    """Up to the largest that any machine of the family takes."""
    row = JSO.registers[key]
    assert row.bounds(LIVE, held)[1] == most
    row.check(most, LIVE, held)
    with pytest.raises(InvalidValueError):
        row.check(most + 1, LIVE, held)


@pytest.mark.parametrize(
    ("firmware", "held", "lowest"),
    [
        ("2011-1134-1807", 20, 0),
        ("2011-1135-1807", 20, -500),
        ("2107-1184-1809", 20, -500),
        # What is no release, or not known.
        ("2011-FFFF-1807", 20, 0),
        ("0000-0000-0000", 20, 0),
        (None, 20, 0),
        (None, None, 0),
        # What it holds, whoever has set it, it takes.
        ("2011-1134-1807", -60, -60),
        (None, -1, -1),
        (None, -501, -500),
    ],
)
def test_less_than_nothing_may_be_imported_where_the_firmware_takes_it(
    firmware: str | None, held: int | None, lowest: int
) -> None:
    """An earlier one acknowledges it, and puts something else back."""
    row, values = JSO.registers["zero_export_power"], {**LIVE, "main_firmware": firmware}
    assert row.bounds(values, held) == (lowest, 500)
    row.check(lowest, values, held)
    with pytest.raises(InvalidValueError):
        row.check(lowest - 1, values, held)


async def test_a_negative_zero_export_power_comes_back_with_an_undo() -> None:
    """Also where the firmware is not known: it was held before."""
    unit = FakeUnit({104: 65476})
    device = Device(unit, replace(JSO, settle=0), known={"rated_power": 8000})
    await device.write("zero_export_power", 20)
    await device.undo()
    assert unit.registers[104] == 65476


async def test_an_owner_of_a_larger_battery_keeps_the_current_that_it_is_set_to() -> None:
    """10 kW, and 210 A: both limits are those of the data sheet, and what is lowered can be undone."""
    unit = FakeUnit({20: 34464, 21: 1, 108: 210, 109: 300})
    device = Device(unit, replace(JSO, settle=0), known={"rated_power": 10000}, tier=Tier.INSTALLER)
    await device.poll({"battery_max_charge_current", "battery_max_discharge_current"})
    assert device.limits("battery_max_charge_current") == (0, 210)
    # More than the data sheet has: the machine takes it.
    assert device.limits("battery_max_discharge_current") == (0, 300)
    with pytest.raises(InvalidValueError):
        await device.write("battery_max_discharge_current", 301)
    await device.write("battery_max_discharge_current", 250)
    assert device.limits("battery_max_discharge_current") == (0, 250)
    await device.undo()
    assert unit.registers[109] == 300


def test_slot_times_travel_together() -> None:
    """All six starts go in one request, which the machine's order of them demands."""
    times = [f"tou_slot_{slot}_time" for slot in (1, 2, 3, 4, 5, 6)]
    for key in times:
        assert {key, *JSO.registers[key].written_with} == set(times)
    assert [row.key for row in ROWS if row.written_with] == times


def test_writable_rows_are_bounded() -> None:
    """A number has limits; everything else cannot go astray by its nature."""
    for row in WRITABLE:
        if isinstance(row.codec, (Choice, ClockTime)):
            assert row.limits is None, row.key
        else:
            assert row.limits is not None, row.key
            assert row.limits.step > 0, row.key
        assert not isinstance(row.codec, Bits), row.key
