"""The doctor: PV strings, battery, clock, and the meters that an inverter reads itself."""

from typing import Final

import pytest

from custom_components.hybrid_inverter.modbus.doctor.doctor import Doctor
from custom_components.hybrid_inverter.modbus.doctor.member import Member
from custom_components.hybrid_inverter.modbus.doctor.verdict import Cause, Finding, State

from .doctor_polls import OWN_KEYS

STRINGS: Final = frozenset(f"pv{n}_{what}" for n in (1, 2) for what in ("power", "voltage"))
BATTERY: Final = frozenset(
    {"battery_power", "battery_voltage", "battery_current", "inverter_power"}
)
JSO: Final = Member(id="one", family="jso", keys=frozenset({*OWN_KEYS, *STRINGS, *BATTERY}))
SAJ: Final = Member(
    id="one",
    family="saj",
    keys=frozenset(
        {
            *OWN_KEYS,
            *STRINGS,
            *BATTERY,
            *(f"meter_a_l{n}_power" for n in (1, 2, 3)),
            "meter_b_l1_power",
        }
    ),
)
NIGHT: Final[dict[str, float | None]] = {
    **dict.fromkeys(OWN_KEYS, 100.0),
    **dict.fromkeys(STRINGS, 0.0),
    "inverter_power": 0.0,
    "battery_power": 0.0,
}


def said(
    member: Member, shown: dict[str, float | None], minutes: float, doctor: Doctor | None = None
) -> list[tuple[Finding, ...]]:
    """What is said after so many minutes of polls, every 5 s, that all bring the same."""
    doctor = doctor or Doctor((member,))
    for number in range(round(minutes * 12)):
        doctor.observe(member.id, number * 5.0, NIGHT | shown)
    return [suspicion.causes for suspicion in doctor.verdict().suspicions]


def sun(
    pv1: float, pv2: float, volts1: float = 400.0, volts2: float = 400.0
) -> dict[str, float | None]:
    """Watts and volts of two strings that are wholly turned into AC power, less 3 percent and 60 W."""
    return {
        "pv1_power": pv1,
        "pv2_power": pv2,
        "pv1_voltage": volts1,
        "pv2_voltage": volts2,
        "inverter_power": (pv1 + pv2 - 60) * 0.97,
    }


def test_an_input_without_a_string_is_not_dead() -> None:
    """It has no voltage, and has never given any power."""
    assert said(JSO, sun(2000, 0, volts2=0), minutes=60) == []
    doctor = Doctor((JSO,))
    doctor.observe("one", 0.0, NIGHT | sun(2000, 100))
    doctor.observe("one", 5.0, NIGHT | sun(2000, 100))
    for number in range(2, 200):
        doctor.observe("one", number * 5.0, NIGHT | sun(2000, 0, volts2=0))
    assert [one.causes for one in doctor.verdict().suspicions] == [
        (Finding(Cause.STRING_DEAD, ("pv2",)),)
    ]


def test_a_string_that_gives_nothing_while_the_other_one_does_is_dead() -> None:
    """After ten minutes."""
    assert said(JSO, sun(2000, 3), minutes=9.5) == []
    assert said(JSO, sun(2000, 3), minutes=11) == [(Finding(Cause.STRING_DEAD, ("pv2",)),)]


def test_a_string_that_was_told_to_be_dead_exists() -> None:
    """As before a restart."""
    doctor = Doctor((JSO,))
    doctor.recall("one", ("pv2",))
    assert said(JSO, sun(2000, 0, volts2=0), minutes=11, doctor=doctor) == [
        (Finding(Cause.STRING_DEAD, ("pv2",)),)
    ]


def test_strings_of_two_slopes_differ() -> None:
    """In the morning one has a tenth of the other."""
    assert said(JSO, sun(2000, 200), minutes=120) == []


def test_a_string_in_the_shade_has_less_voltage_than_it_had() -> None:
    """Modules in the shade are bypassed, as those on another slope are not."""
    doctor = Doctor((JSO,))
    for number in range(500):
        shade = 0.6 if number > 250 else 1.0
        doctor.observe("one", number * 5.0, NIGHT | sun(2000 * shade, 2000, 400 * shade))
    assert [one.causes for one in doctor.verdict().suspicions] == [
        (Finding(Cause.STRING_SHADED, ("pv1",)),)
    ]


def without(shown: dict[str, float | None], *keys: str) -> dict[str, float | None]:
    """A poll that did not bring these keys."""
    return {key: value for key, value in shown.items() if key not in keys}


def test_nothing_is_said_of_strings_whose_power_is_not_polled() -> None:
    """Neither of them, nor of the battery that gives what they do not; the voltage may come all the same."""
    doctor = Doctor((JSO,))
    shown = NIGHT | sun(2000, 2000)
    for number in range(1000):
        gone = ("pv2_power",) if number >= 200 else ()
        doctor.observe("one", number * 5.0, without(shown, *gone))
    assert doctor.verdict().suspicions == ()


def test_a_string_that_is_polled_and_gives_no_number_gives_nothing() -> None:
    """As by night, when some inverters have none."""
    assert said(JSO, sun(2000, 0) | {"pv2_power": None}, minutes=11) == [
        (Finding(Cause.STRING_DEAD, ("pv2",)),)
    ]


@pytest.mark.parametrize("volts", [400.0, 240.0])
def test_a_voltage_that_is_not_known_is_not_one_that_has_fallen(volts: float) -> None:
    """Not polled, or no number; nor has its twin anything to be compared with then."""
    doctor = Doctor((JSO,))
    for number in range(1000):
        shown = NIGHT | sun(2000, 2000)
        if 200 <= number < 600:
            shown = NIGHT | sun(2000, 2000, volts1=volts, volts2=0.0)
            shown = without(shown, "pv2_voltage") if number % 2 else shown | {"pv2_voltage": None}
        doctor.observe("one", number * 5.0, shown)
        assert doctor.verdict().suspicions == ()


def test_a_battery_gives_what_the_strings_do_not() -> None:
    """1940 W out of the inverter are 2000 W into it; with 500 W of sun and 60 W for itself the battery gives 1560 W."""
    shown = {**sun(250, 250), "inverter_power": 1940.0, "battery_power": 1560.0}
    assert said(JSO, shown, minutes=60) == []


def test_a_battery_meter_the_wrong_way_round_shows_what_it_gives_as_what_it_takes() -> None:
    """And one of another ratio shows a share of it."""
    shown = {**sun(250, 250), "inverter_power": 1940.0}
    assert said(JSO, shown | {"battery_power": -1560.0}, minutes=12) == [
        (Finding(Cause.BATTERY_CURRENT, ("battery",), -1.0),)
    ]
    assert said(JSO, shown | {"battery_power": 780.0}, minutes=12) == [
        (Finding(Cause.BATTERY_CURRENT, ("battery",), 0.5),)
    ]


def test_the_battery_current_of_a_saj_is_compared_with_its_power() -> None:
    """On a JSO the power is made of the current, and tells nothing."""
    shown: dict[str, float | None] = {
        **sun(250, 250),
        "inverter_power": 1940.0,
        "battery_power": 1560.0,
        "battery_voltage": 390.0,
        "battery_current": -4.0,
    }
    assert said(SAJ, shown, minutes=12) == [(Finding(Cause.BATTERY_CURRENT, ("battery",), -1.0),)]
    assert said(JSO, shown, minutes=12) == []


def test_a_clock_is_off_from_five_minutes_on() -> None:
    """Three readings in a row."""
    doctor = Doctor((JSO,))
    for time, drift in enumerate((-310.0, 290.0, 305.0, 306.0)):
        doctor.observe("one", time * 300.0, {"clock_drift": drift})
    assert doctor.verdict().suspicions == ()
    doctor.observe("one", 1500.0, {"clock_drift": 306.0})
    assert doctor.verdict().state is State.WRONG
    assert doctor.verdict_of("one").suspicions[0].causes == (Finding(Cause.CLOCK_OFF),)


def meters(at_grid: float, at_solar: float) -> dict[str, float | None]:
    """What both meters of a SAJ show."""
    return {
        "meter_a_l1_power": at_grid,
        "meter_a_l2_power": 0.0,
        "meter_a_l3_power": 0.0,
        "meter_b_l1_power": at_solar,
    }


def test_a_solar_meter_that_shows_an_import_by_day_is_the_grid_s() -> None:
    """And by night one that shows a production."""
    exchanged = (Finding(Cause.METERS_EXCHANGED, ("meter_a", "meter_b")),)
    assert said(SAJ, sun(1000, 1000) | meters(1500, -900), minutes=6) == [exchanged]
    assert said(SAJ, meters(0, 400), minutes=22) == [exchanged]


def test_it_is_not_dark_while_the_power_of_a_string_is_not_polled() -> None:
    """What a solar meter shows then may be the sun."""
    doctor = Doctor((SAJ,))
    for number in range(400):
        doctor.observe("one", number * 5.0, without(NIGHT | meters(0, 400), "pv2_power"))
    assert doctor.verdict().suspicions == ()


def test_meters_in_their_places_are_not_exchanged() -> None:
    """An export at the grid is nothing that a solar inverter could show, and in the dark it draws a little."""
    assert said(SAJ, sun(1000, 1000) | meters(-1500, 900), minutes=60) == []
    assert said(SAJ, meters(400, -15), minutes=60) == []
