"""How the energies of a plant are counted, by hand: of counters in kWh that are read once a minute."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from custom_components.hybrid_inverter.plant.balance import Sum, Term
from custom_components.hybrid_inverter.plant.ledger import Ledger

PV: Final[Sum] = (Term("jso", "pv"), Term("saj", "pv"))
# The grid and two inverters: import - export + what the inverters give.
LOAD: Final[Sum] = (
    Term("meter", "import"),
    Term("meter", "export", -1.0),
    Term("jso", "pv"),
    Term("saj", "pv"),
)
SUMS: Final[Mapping[str, Sum]] = {"pv_energy_total": PV, "load_energy_total": LOAD}
RATED: Final = {"jso": 8000.0, "saj": 6000.0, "meter": 20000.0}
GAP: Final = 130.0

MONDAY: Final = "2026-06-22"
TUESDAY: Final = "2026-06-23"


class Clock:
    """A ledger that is read, and the time."""

    def __init__(self, sums: Mapping[str, Sum] = SUMS) -> None:
        """Begin on a Monday."""
        self.ledger = Ledger(sums, RATED)
        self.now = 1_000_000.0
        self.day = MONDAY

    def read(self, minutes: float = 1.0, **members: Mapping[str, Any]) -> None:
        """Read these members after so many minutes."""
        self.now += 60 * minutes
        for member, values in members.items():
            self.ledger.take(member, values, when=self.now, day=self.day, gap=GAP)
        self.ledger.settle(self.day)

    def shown(self, name: str) -> tuple[float | None, float | None]:
        """Return an energy ever and of today."""
        return self.ledger.total(name), self.ledger.today(name)

    def restart(self, sums: Mapping[str, Sum] = SUMS, rated: Mapping[str, float] = RATED) -> None:
        """Have another ledger go on from what this one has saved."""
        saved = self.ledger.as_dict()
        self.ledger = Ledger(sums, rated)
        self.ledger.restore(saved)


def begun(sums: Mapping[str, Sum] = SUMS) -> Clock:
    """Return a ledger of which every counter was read once."""
    clock = Clock(sums)
    clock.read(jso={"pv": 20000.0}, saj={"pv": 5000.0}, meter={"import": 110.0, "export": 45.0})
    return clock


def test_nothing_is_known_until_everything_was_read() -> None:
    """A sum of some of its counters would be wrong."""
    clock = Clock()
    clock.read(jso={"pv": 20000.0})
    assert clock.shown("pv_energy_total") == (None, None)
    clock.read(saj={"pv": 5000.0})
    assert clock.shown("pv_energy_total") == (25000.0, 0.0)
    assert clock.shown("load_energy_total") == (None, None)


def test_a_sum_begins_with_its_counters_and_a_difference_with_nothing() -> None:
    """Counters of different age say nothing of what the house has taken."""
    clock = begun()
    assert clock.shown("pv_energy_total") == (25000.0, 0.0)
    assert clock.shown("load_energy_total") == (0.0, 0.0)


def test_it_counts_what_the_counters_grow_by() -> None:
    """0.2 and 0.1 of sun, 0.1 from the grid, and later 0.2 to it."""
    clock = begun()
    clock.read(jso={"pv": 20000.2}, saj={"pv": 5000.1}, meter={"import": 110.1, "export": 45.0})
    assert clock.shown("pv_energy_total") == (25000.3, 0.3)
    assert clock.shown("load_energy_total") == (0.4, 0.4)
    clock.read(jso={"pv": 20000.4}, saj={"pv": 5000.2}, meter={"import": 110.1, "export": 45.2})
    assert clock.shown("pv_energy_total") == (25000.6, 0.6)
    assert clock.shown("load_energy_total") == (0.5, 0.5)


def test_a_difference_never_falls() -> None:
    """The meter has seen 0.3 kWh go out that the inverters have not told yet."""
    clock = begun()
    clock.read(meter={"import": 110.2, "export": 45.0})
    assert clock.shown("load_energy_total") == (0.2, 0.2)
    clock.read(meter={"import": 110.2, "export": 45.3})
    assert clock.shown("load_energy_total") == (0.2, 0.2)
    clock.read(jso={"pv": 20000.4})
    # 0.2 - 0.3 + 0.4
    assert clock.shown("load_energy_total") == (0.3, 0.3)


@pytest.mark.parametrize("glitch", [0.0, 19000.0, 26553.6, None, True])
def test_a_glitch_is_not_counted(glitch: object) -> None:
    """Zero, a step back, half a carry, nothing at all; then it counts on."""
    clock = begun()
    clock.read(jso={"pv": glitch})
    assert clock.shown("pv_energy_total") == (25000.0, 0.0)
    clock.read(jso={"pv": 20000.2})
    assert clock.shown("pv_energy_total") == (25000.2, 0.2)


def test_another_counter_in_its_place_makes_no_energy() -> None:
    """An exchanged machine begins at 3.0, and is believed after ten minutes."""
    clock = begun()
    for value in (*[3.0] * 10, 3.2, 3.3):
        clock.read(jso={"pv": value})
    assert clock.shown("pv_energy_total") == (25000.1, 0.1)


def test_no_energy_is_lost_when_the_clock_is_set_back_by_an_hour() -> None:
    """Twenty minutes of 18 kW before it, and forty after it: 0.3 kWh each minute, 18.0 in all."""
    clock = begun()
    for minute in range(1, 61):
        if minute == 21:
            clock.now -= 3600
        clock.read(jso={"pv": round(20000.0 + 0.3 * minute, 1)})
    assert clock.shown("pv_energy_total") == (25018.0, 18.0)
    assert clock.ledger.rejections() == {}


def test_a_first_reading_that_was_a_glitch_makes_no_energy() -> None:
    """The machine says 0 when it wakes up, and 20000 ever after: the sum waits for it, over a restart, too."""
    clock = Clock()
    for _ in range(5):
        clock.read(jso={"pv": 0.0}, saj={"pv": 5000.0})
    clock.restart()
    for _ in range(9):
        clock.read(jso={"pv": 0.0}, saj={"pv": 5000.0})
    assert clock.shown("pv_energy_total") == (None, None)
    for value in (20000.0, 20000.1):
        clock.read(jso={"pv": value})
    assert clock.shown("pv_energy_total") == (25000.1, 0.1)


def test_a_new_member_that_has_counted_nothing() -> None:
    """After ten minutes its 0 is believed, and the sum begins."""
    clock = Clock()
    for _ in range(11):
        assert clock.shown("pv_energy_total") == (None, None)
        clock.read(jso={"pv": 0.0}, saj={"pv": 5000.0})
    assert clock.shown("pv_energy_total") == (5000.0, 0.0)
    clock.read(jso={"pv": 0.1})
    assert clock.shown("pv_energy_total") == (5000.1, 0.1)


@pytest.mark.parametrize("glitch", [0.0, 3.0, 26553.6])
def test_a_glitch_of_nine_minutes_is_not_counted(glitch: float) -> None:
    """Down to nothing, down, up, and back again: only 0.2 kWh of sun have come meanwhile."""
    clock = begun()
    for _ in range(10):
        clock.read(jso={"pv": glitch})
    assert clock.shown("pv_energy_total") == (25000.0, 0.0)
    clock.read(jso={"pv": 20000.2})
    assert clock.shown("pv_energy_total") == (25000.2, 0.2)


def test_rejections_are_told() -> None:
    """For the diagnostics."""
    clock = begun()
    clock.read(jso={"pv": 0.0}, meter={"import": 9999.0})
    assert clock.ledger.rejections() == {"nothing": 1, "jumped": 1}


def test_a_new_day_starts_at_zero_and_the_total_carries_on() -> None:
    """Today begins with nothing; what was read a minute before midnight was yesterday's, and the total goes on."""
    clock = begun()
    clock.read(jso={"pv": 20000.2})
    clock.day = TUESDAY
    clock.ledger.settle(TUESDAY)
    assert clock.shown("pv_energy_total") == (25000.2, 0.0)
    clock.read(jso={"pv": 20000.3}, saj={"pv": 5000.0})
    assert clock.shown("pv_energy_total") == (25000.3, 0.1)


def test_a_gap_over_midnight_is_not_todays() -> None:
    """Silent from the evening to the morning: 3 kWh more, and nobody knows on which day. The SAJ's 0.2 are today's."""
    clock = begun()
    clock.read(jso={"pv": 20000.2}, saj={"pv": 5000.0})
    clock.read(minutes=300, saj={"pv": 5000.0})
    clock.day = TUESDAY
    clock.read(minutes=1, saj={"pv": 5000.1})
    clock.read(minutes=300, saj={"pv": 5000.2}, jso={"pv": 20003.2})
    assert clock.shown("pv_energy_total") == (25003.4, 0.2)
    clock.read(jso={"pv": 20003.3})
    assert clock.shown("pv_energy_total") == (25003.5, 0.3)


def test_a_gap_over_midnight_of_a_difference() -> None:
    """Of the 3 kWh of sun at an unknown time 1 kWh has gone out, also at an unknown time."""
    clock = begun()
    clock.read(jso={"pv": 20000.0}, meter={"import": 110.0, "export": 45.0})
    clock.day = TUESDAY
    clock.read(minutes=600, jso={"pv": 20003.0}, meter={"import": 110.0, "export": 46.0})
    assert clock.shown("load_energy_total") == (2.0, 0.0)


def test_a_gap_in_the_day_is_todays() -> None:
    """An hour of silence at noon: what the counter has grown by is of today."""
    clock = begun()
    clock.read(minutes=60, jso={"pv": 20004.0})
    assert clock.shown("pv_energy_total") == (25004.0, 4.0)


def test_energy_counted_while_home_assistant_was_off_belongs_to_the_same_day() -> None:
    """What was counted while Home Assistant was off is found in the counters, on the same day."""
    clock = begun()
    clock.read(jso={"pv": 20000.2})
    clock.restart()
    assert clock.shown("pv_energy_total") == (25000.2, 0.2)
    clock.read(minutes=20, jso={"pv": 20001.2}, saj={"pv": 5000.0})
    assert clock.shown("pv_energy_total") == (25001.2, 1.2)


def test_a_restart_over_midnight() -> None:
    """What was counted while it was off is ever's, and not today's."""
    clock = begun()
    clock.read(jso={"pv": 20000.2})
    clock.restart()
    clock.day = TUESDAY
    clock.read(minutes=600, jso={"pv": 20005.2}, saj={"pv": 5000.0})
    assert clock.shown("pv_energy_total") == (25005.2, 0.0)


def test_a_short_restart_over_midnight() -> None:
    """Two minutes are no more than two readings are apart anyway."""
    clock = begun()
    clock.read(jso={"pv": 20000.2})
    clock.restart()
    clock.day = TUESDAY
    clock.read(minutes=2, jso={"pv": 20000.4}, saj={"pv": 5000.0})
    assert clock.shown("pv_energy_total") == (25000.4, 0.2)


def test_a_glitch_right_after_a_restart() -> None:
    """What was saved is the last good reading."""
    clock = begun()
    clock.restart()
    clock.read(jso={"pv": 0.0})
    clock.read(jso={"pv": 20000.1})
    assert clock.shown("pv_energy_total") == (25000.1, 0.1)


def test_a_new_member_makes_no_energy() -> None:
    """A machine with 700 kWh joins, and has 0.1 more a minute later."""
    clock = begun()
    more = {"pv_energy_total": (*PV, Term("new", "pv"))}
    clock.restart(more, {**RATED, "new": 5000.0})
    clock.read(jso={"pv": 20000.2}, saj={"pv": 5000.0}, new={"pv": 700.0})
    assert clock.shown("pv_energy_total") == (25000.2, 0.2)
    clock.read(new={"pv": 700.1})
    assert clock.shown("pv_energy_total") == (25000.3, 0.3)


def test_a_member_that_leaves_takes_nothing_along() -> None:
    """Nor does what it had counted, if it comes back."""
    clock = begun()
    clock.restart({"pv_energy_total": (Term("jso", "pv"),)})
    clock.read(jso={"pv": 20000.2})
    assert clock.shown("pv_energy_total") == (25000.2, 0.2)
    assert clock.shown("load_energy_total") == (None, None)
    clock.restart()
    clock.read(jso={"pv": 20000.3}, saj={"pv": 5050.0})
    assert clock.shown("pv_energy_total") == (25000.3, 0.3)


def test_a_port_that_is_used_for_something_else() -> None:
    """Its counter is sun while micro inverters are there, and only then."""
    micro = Term("jso", "port", modes=frozenset({"micro_inverter_input"}))
    clock = Clock({"pv_energy_total": (Term("jso", "pv"), micro)})

    def read(pv: float, port: float, mode: str | None) -> None:
        clock.read(jso={"pv": pv, "port": port, "generator_port_mode": mode})

    read(20000.0, 12.0, "generator_input")
    assert clock.shown("pv_energy_total") == (20000.0, 0.0)
    read(20000.1, 12.2, "generator_input")
    assert clock.shown("pv_energy_total") == (20000.1, 0.1)
    read(20000.1, 12.4, "micro_inverter_input")
    assert clock.shown("pv_energy_total") == (20000.3, 0.3)
    # While nobody knows the mode, the counter waits.
    read(20000.1, 12.6, None)
    assert clock.shown("pv_energy_total") == (20000.3, 0.3)
    read(20000.1, 12.7, "micro_inverter_input")
    assert clock.shown("pv_energy_total") == (20000.6, 0.6)


def test_a_port_that_is_sun_from_the_start() -> None:
    """Then the sum begins with what it has counted."""
    micro = Term("jso", "port", modes=frozenset({"micro_inverter_input"}))
    clock = Clock({"pv_energy_total": (Term("jso", "pv"), micro)})
    clock.read(jso={"pv": 20000.0, "port": 12.0, "generator_port_mode": "micro_inverter_input"})
    assert clock.shown("pv_energy_total") == (20012.0, 0.0)


def test_a_port_that_has_counted_nothing_and_is_no_sun_keeps_nobody_waiting() -> None:
    """Its counter is 0 for good, where there is no generator; it is not certain until ten minutes have passed."""
    micro = Term("jso", "port", modes=frozenset({"micro_inverter_input"}))
    clock = Clock({"pv_energy_total": (Term("jso", "pv"), micro)})
    values = {"pv": 20000.0, "port": 0.0}
    clock.read(jso={**values, "generator_port_mode": None})
    assert clock.shown("pv_energy_total") == (None, None)
    clock.read(jso={**values, "generator_port_mode": "generator_input"})
    assert clock.shown("pv_energy_total") == (20000.0, 0.0)
    # As sun it counts from its first certain reading on.
    clock.read(jso={"pv": 20000.1, "port": 0.2, "generator_port_mode": "micro_inverter_input"})
    clock.read(jso={"pv": 20000.1, "port": 0.3, "generator_port_mode": "micro_inverter_input"})
    assert clock.shown("pv_energy_total") == (20000.2, 0.2)
