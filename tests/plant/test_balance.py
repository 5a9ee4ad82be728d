"""What the machines of a plant add up to, by hand: a JSO and a SAJ, with and without meters."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from custom_components.hybrid_inverter.const import MeterRole
from custom_components.hybrid_inverter.plant.balance import (
    Balance,
    Member,
    autarky,
    balance_error,
    balance_of,
    self_consumption,
    total,
)

COMMON: Final = frozenset(
    {
        "pv_power",
        "pv1_power",
        "battery_power",
        "battery_soc",
        "grid_power",
        "inverter_power",
        "backup_power",
        "load_power",
        "pv_energy_total",
        "battery_charge_energy_total",
        "battery_discharge_energy_total",
        "grid_import_energy_total",
        "grid_export_energy_total",
        "load_energy_total",
        "inverter_energy_total",
    }
)
PORT: Final = frozenset({"generator_port_mode", "generator_power", "generator_energy_total"})
METERED: Final = frozenset({"power", "import_energy_total", "export_energy_total"})

JSO: Final = Member(id="jso", role=None, keys=COMMON | PORT, rated_power=8000, capacity=30)
SAJ: Final = Member(id="saj", role=None, keys=COMMON, rated_power=6000, capacity=10)
# An AC-coupled one: it sees the PV of another maker's inverter through a clamp, and has no counter of it.
AS2: Final = replace(SAJ, id="as2", keys=COMMON - {"pv1_power", "pv_energy_total"})
GRID: Final = Member(id="grid", role=MeterRole.GRID, keys=METERED, rated_power=55000)
SOLAR: Final = Member(id="solar", role=MeterRole.SOLAR, keys=METERED, rated_power=14000)
HEAT_PUMP: Final = Member(id="heat_pump", role=MeterRole.LOAD, keys=METERED, rated_power=14000)

# The JSO turns 4000 W of sun and 970 W from its battery into 4820 W, the SAJ 2000 W of sun into 540 W and 1400 W for
# its battery. 150 W and 60 W are lost. The JSO sees 1360 W going out.
READ: Final[Mapping[str, Mapping[str, Any]]] = {
    "jso": {
        "pv_power": 4000,
        "battery_power": 970,
        "battery_soc": 60,
        "grid_power": -1360,
        "inverter_power": 4820,
        "backup_power": 700,
        "generator_port_mode": "generator_input",
        "generator_power": 0,
        "pv_energy_total": 20000.0,
        "battery_charge_energy_total": 8000.0,
        "battery_discharge_energy_total": 7600.0,
        "grid_import_energy_total": 9000.0,
        "grid_export_energy_total": 7000.0,
        "load_energy_total": 21000.0,
        "generator_energy_total": 12.0,
    },
    "saj": {
        "pv_power": 2000,
        "battery_power": -1400,
        "battery_soc": 20,
        "grid_power": 0,
        "inverter_power": 540,
        "backup_power": 300,
        "pv_energy_total": 5000.0,
        "battery_charge_energy_total": 1000.0,
        "battery_discharge_energy_total": 900.0,
        "grid_import_energy_total": 0.0,
        "grid_export_energy_total": 0.0,
        "load_energy_total": 0.0,
    },
    "as2": {
        "pv_power": 1500,
        "battery_power": -900,
        "battery_soc": 50,
        "grid_power": 100,
        "inverter_power": -930,
        "backup_power": 0,
    },
    "grid": {"power": -1400, "import_energy_total": 110.0, "export_energy_total": 45.0},
    "solar": {"power": 2500, "import_energy_total": 300.0, "export_energy_total": 2.0},
    "heat_pump": {"power": 1100, "import_energy_total": 50.0, "export_energy_total": 0.0},
}


def changed(**values: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the readings with other values of some members."""
    return {member: {**read, **values.get(member, {})} for member, read in READ.items()}


def energies(balance: Balance) -> dict[str, float | None]:
    """Return what the counters of the readings sum up to."""
    return {key: total(terms, READ) for key, terms in balance.energies.items()}


def test_a_grid_meter_with_one_counter_for_both_ways_counts_no_import() -> None:
    """Its power is that of the grid all the same."""
    combined = replace(GRID, keys=METERED - {"export_energy_total"})
    balance = balance_of([JSO, combined])
    assert balance.measured(READ)["grid_power"] == -1400
    assert balance.energies.keys().isdisjoint(
        {"grid_import_energy_total", "grid_export_energy_total", "load_energy_total"}
    )


def test_a_lone_inverter_supplies_the_grid_power_and_its_own_load_counter() -> None:
    """It sees the grid itself: 4820 W out of it, 1360 W of them sold, leave 3460 W."""
    assert balance_of([JSO]).measured(READ) == {
        "pv_power": 4000,
        "grid_power": -1360,
        "battery_power": 970,
        "load_power": 3460,
        "battery_soc": 60,
        "balance_error": 150,
    }
    assert energies(balance_of([JSO])) == {
        "pv_energy_total": 20000.0,
        "battery_charge_energy_total": 8000.0,
        "battery_discharge_energy_total": 7600.0,
        "grid_import_energy_total": 9000.0,
        "grid_export_energy_total": 7000.0,
        # Its own counter, which knows what is lost.
        "load_energy_total": 21000.0,
    }


def test_two_inverters_use_one_grid_reading_and_weight_soc_by_capacity() -> None:
    """One of them sees the grid; the batteries have 30 and 10 kWh at 60 and 20 %: 20 of 40 kWh are left."""
    balance = balance_of([JSO, SAJ], sees_grid="jso")
    assert balance.measured(READ) == {
        "pv_power": 6000,
        "grid_power": -1360,
        "battery_power": -430,
        "load_power": 4000,
        "battery_soc": 50,
        "balance_error": 210,
    }
    # 9000 - 7000 + 25000 + 8500 - 9000, and 12 of a generator.
    assert energies(balance)["load_energy_total"] == 26512.0


def test_nobody_sees_the_grid() -> None:
    """Without a meter and a named inverter there is neither grid nor load, and so nothing that rests on them."""
    balance = balance_of([JSO, SAJ])
    assert set(balance.measured(READ)) == {"pv_power", "battery_power", "battery_soc"}
    assert set(balance.energies) == {
        "pv_energy_total",
        "battery_charge_energy_total",
        "battery_discharge_energy_total",
    }


def test_a_grid_meter_overrides_the_inverter_and_a_solar_meter_adds_to_pv_and_load() -> None:
    """The grid meter is believed, not the inverter; the solar meter adds 2500 W to the sun and to the load."""
    balance = balance_of([JSO, SAJ, GRID, SOLAR, HEAT_PUMP], sees_grid="jso")
    assert balance.measured(READ) == {
        "pv_power": 8500,
        "grid_power": -1400,
        "battery_power": -430,
        # -1400 + 4820 + 540 + 2500
        "load_power": 6460,
        "battery_soc": 50,
        "balance_error": 210,
    }
    assert energies(balance) == {
        "pv_energy_total": 25300.0,
        "battery_charge_energy_total": 9000.0,
        "battery_discharge_energy_total": 8500.0,
        "grid_import_energy_total": 110.0,
        "grid_export_energy_total": 45.0,
        # 110 - 45 + 25300 - 2 + 8500 - 9000 + 12; the solar inverter has taken 2 kWh at night.
        "load_energy_total": 24875.0,
    }


def test_two_grid_meters_and_no_inverter() -> None:
    """A house with two connections and a solar inverter: nothing is converted, so nothing is lost."""
    second = replace(GRID, id="heat_pump")
    assert balance_of([GRID, second, SOLAR]).measured(READ) == {
        "pv_power": 2500,
        # -1400 + 1100
        "grid_power": -300,
        "load_power": 2200,
    }


@pytest.mark.parametrize(
    ("mode", "pv", "load", "error", "pv_energy"),
    [
        # A generator gives 400 W to the house.
        ("generator_input", 4000, 3860, 150, 20000.0),
        # Micro inverters are sun.
        ("micro_inverter_input", 4400, 3860, 150, 20012.0),
        # A smart load is a part of the house already.
        ("smart_load_output", 4000, 3460, 150, 20000.0),
    ],
)
def test_the_generator_port(
    mode: str, pv: float, load: float, error: float, pv_energy: float
) -> None:
    """What its 400 W are depends on what the port is used for."""
    read = changed(jso={"generator_port_mode": mode, "generator_power": 400})
    balance = balance_of([JSO])
    measured = balance.measured(read)
    assert measured["pv_power"] == pv
    assert measured["load_power"] == load
    assert measured["balance_error"] == error
    assert total(balance.energies["pv_energy_total"], read) == pv_energy


def test_nobody_knows_what_the_port_is_used_for() -> None:
    """Then neither the sun nor the load is known; grid and battery are."""
    measured = balance_of([JSO]).measured(changed(jso={"generator_port_mode": None}))
    assert measured == {
        "pv_power": None,
        "grid_power": -1360,
        "battery_power": 970,
        "load_power": None,
        "battery_soc": 60,
        "balance_error": None,
    }


def test_an_ac_coupled_inverter() -> None:
    """Its clamp sees 1500 W of another inverter's sun: 100 - 930 + 1500 are the house; nobody counts that sun."""
    balance = balance_of([AS2])
    assert balance.measured(READ) == {
        "pv_power": 1500,
        "grid_power": 100,
        "battery_power": -900,
        "load_power": 670,
        "battery_soc": 50,
        "balance_error": 30,
    }
    assert "pv_energy_total" not in balance.energies
    assert "load_energy_total" in balance.energies


def test_a_meter_is_better_than_a_clamp() -> None:
    """The same sun is not counted twice."""
    balance = balance_of([AS2, SOLAR])
    assert balance.measured(READ)["pv_power"] == 2500
    assert balance.measured(READ)["load_power"] == 1670
    assert energies(balance)["pv_energy_total"] == 300.0


def test_an_inverter_without_a_battery() -> None:
    """Its capacity is 0: what it says of a battery means nothing."""
    bare = replace(JSO, capacity=0)
    balance = balance_of([bare, SAJ], sees_grid="jso")
    assert balance.measured(READ)["battery_power"] == -1400
    assert balance.measured(READ)["battery_soc"] == 20
    assert energies(balance)["battery_charge_energy_total"] == 1000.0
    assert not {key for key in balance_of([bare]).powers if key.startswith("battery")}


@pytest.mark.parametrize(
    ("missing", "absent"),
    [
        ("battery_soc", {"battery_soc"}),
        ("battery_power", {"battery_power", "balance_error"}),
        ("inverter_power", {"load_power", "balance_error"}),
        ("pv_power", {"pv_power", "balance_error"}),
    ],
)
def test_what_a_machine_does_not_serve_is_not_there(missing: str, absent: set[str]) -> None:
    """A sum without one of its parts would be wrong."""
    balance = balance_of([JSO, replace(SAJ, keys=SAJ.keys - {missing})], sees_grid="jso")
    every = set(balance_of([JSO, SAJ], sees_grid="jso").measured(READ))
    assert every - set(balance.measured(READ)) == absent


@pytest.mark.parametrize(
    ("missing", "absent"),
    [
        ("pv_energy_total", {"pv_energy_total", "load_energy_total"}),
        ("battery_charge_energy_total", {"battery_charge_energy_total", "load_energy_total"}),
    ],
)
def test_a_counter_that_a_machine_does_not_have(missing: str, absent: set[str]) -> None:
    """Its total is not there, and no other that rests on it."""
    balance = balance_of([JSO, replace(SAJ, keys=SAJ.keys - {missing})], sees_grid="jso")
    every = set(balance_of([JSO, SAJ], sees_grid="jso").energies)
    assert every - set(balance.energies) == absent


@pytest.mark.parametrize("silent", ["jso", "saj", "grid", "solar"])
def test_a_silent_member(silent: str) -> None:
    """What it is a part of is not known; what it has no part in is."""
    read = {member: values for member, values in READ.items() if member != silent}
    balance = balance_of([JSO, SAJ, GRID, SOLAR])
    unknown = {key for key, value in balance.measured(read).items() if value is None}
    expected = {
        "jso": {"pv_power", "battery_power", "load_power", "battery_soc", "balance_error"},
        "saj": {"pv_power", "battery_power", "load_power", "battery_soc", "balance_error"},
        "grid": {"grid_power", "load_power", "balance_error"},
        "solar": {"pv_power", "load_power", "balance_error"},
    }
    assert unknown == expected[silent]


def test_a_reading_that_is_no_number() -> None:
    """A value that cannot be true is not counted as 0, and a flag not as 1."""
    for wrong in (None, True, "3000"):
        assert balance_of([JSO]).measured(changed(jso={"pv_power": wrong}))["pv_power"] is None


@pytest.mark.parametrize(
    ("supply", "load", "backup", "error"),
    [
        (3610.0, 3460.0, 700.0, 150.0),
        # At night a reversed clamp makes of 2000 W from the grid 2000 W to it: the load would be -2000 W.
        (-2000.0, -2000.0, 0.0, -2000.0),
        # Nor can it be less than what the backup outputs give.
        (500.0, 500.0, 700.0, -200.0),
        (None, 3460.0, 700.0, None),
        (3610.0, None, 700.0, None),
        (3610.0, 3460.0, None, None),
    ],
)
def test_balance_error_is_the_supply_minus_the_load_or_the_backup_power_if_higher(
    supply: float | None, load: float | None, backup: float | None, error: float | None
) -> None:
    """What comes in, less the load, or less what the house takes at the very least."""
    assert balance_error(supply, load, backup) == error


@pytest.mark.parametrize(
    ("part", "whole", "share"),
    [
        (2.0, 10.0, 80.0),
        (0.0, 10.0, 100.0),
        # A little more from the grid than the house has taken is a matter of measuring.
        (10.3, 10.0, 0.0),
        (-0.1, 10.0, 100.0),
        (0.2, 0.4, None),
        (0.0, 0.0, None),
        (0.125, 0.5, 75.0),
        (None, 10.0, None),
        (2.0, None, None),
    ],
)
def test_autarky_and_self_consumption_are_the_share_that_bypasses_the_grid(
    part: float | None, whole: float | None, share: float | None
) -> None:
    """Autarky and self-consumption: what did not come from the grid, or go to it."""
    assert autarky(part, whole) == share
    assert self_consumption(part, whole) == share


def test_what_has_to_be_read() -> None:
    """Of a meter its power and its counters, and of the heat pump nothing."""
    balance = balance_of([JSO, GRID, HEAT_PUMP])
    assert balance.keys_of("grid") == {"power", "import_energy_total", "export_energy_total"}
    assert balance.keys_of("heat_pump") == set()
    assert "grid_power" not in balance.keys_of("jso")
    assert {"generator_port_mode", "backup_power"} <= balance.keys_of("jso")


def test_ten_inverters_and_twelve_meters() -> None:
    """As many as there may be: ten of 540 W, and eleven solar inverters of 2500 W."""
    inverters = [replace(SAJ, id=f"saj_{number}") for number in range(10)]
    solar = [replace(SOLAR, id=f"solar_{number}") for number in range(11)]
    read = {
        **{member.id: READ["saj"] for member in inverters},
        **{member.id: READ["solar"] for member in solar},
        "grid": READ["grid"],
    }
    measured = balance_of([*inverters, *solar, GRID]).measured(read)
    assert measured["pv_power"] == 47500
    # -1400 + 5400 + 27500
    assert measured["load_power"] == 31500
    assert measured["battery_soc"] == pytest.approx(20)
    assert measured["balance_error"] == 600
