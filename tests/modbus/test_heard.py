"""What was overheard is confirmed when another exchange agrees, and only as long as it is fresh."""

from __future__ import annotations

import struct

import pytest

from custom_components.hybrid_inverter.modbus.errors import NotHeardError, SilenceError
from custom_components.hybrid_inverter.modbus.listen.heard import ConfirmedReadings
from custom_components.hybrid_inverter.modbus.listen.sniffer import Exchange


def floats(*values: float) -> tuple[int, ...]:
    """Return the words of numbers of single precision, high word first."""
    raw = struct.pack(f">{len(values)}f", *values)
    return struct.unpack(f">{2 * len(values)}H", raw)


def heard(
    *answers: tuple[float, tuple[int, ...]], address: int = 0x2012, clear: bool = True
) -> ConfirmedReadings:
    """Return what is known after answers at these times to one request to unit 1."""
    memory = ConfirmedReadings()
    for time, words in answers:
        memory.add(Exchange(1, address, words, time, clear))
    return memory


def test_value_heard_once_is_not_confirmed() -> None:
    """A single exchange says nothing, whatever the line is like."""
    with pytest.raises(SilenceError):
        heard((0, floats(1.0))).words(1, 0x2012, 2, 0)


def test_value_heard_twice_is_confirmed_on_any_line() -> None:
    """The very same words are confirmed on any line."""
    memory = heard((0, floats(151.0)), (0.1, floats(151.0)), clear=False)
    assert memory.words(1, 0x2012, 2, 0.2) == [0x4317, 0x0000]


def test_a_damaged_line_needs_the_same_words() -> None:
    """There a near value is not enough; the last one that was borne out stays."""
    memory = heard((0, floats(151.0)), (0.1, floats(151.0)), (0.2, floats(152.0)), clear=False)
    assert memory.words(1, 0x2012, 2, 0.3) == list(floats(151.0))


@pytest.mark.parametrize(
    ("before", "value", "confirmed"),
    [
        ((100.0,), 150.0, True),
        ((100.0,), 50.0, True),
        ((100.0,), 151.0, False),
        ((100.0,), 49.0, False),
        ((100.0,), -100.0, False),
        ((100.0, -300.0), 250.0, True),
        ((100.0, -300.0), -450.0, True),
        ((100.0, -300.0), 251.0, False),
        ((0.0, 0.0), 0.01, False),
        ((float("nan"), 1.0), 1.2, True),
        ((1.0, 1.0), float("nan"), False),
        ((1.0, 1.0), float("inf"), False),
        ((float("nan"), 1.0), float("nan"), True),
    ],
)
def test_near_values_on_a_clear_line(
    before: tuple[float, ...], value: float, *, confirmed: bool
) -> None:
    """Half of the largest neighbour is the margin around them; what is no number has to be the same."""
    answers = [(0.1 * number, floats(230.0, known)) for number, known in enumerate(before)]
    memory = heard(*answers, (1.0, floats(230.0, value)))
    newest = [exchange.confirmed for _, exchange in memory.requests()]
    assert [one is not None and one.time == 1.0 for one in newest] in ([confirmed], [] * confirmed)
    assert bool(newest and newest[0] is not None and newest[0].time == 1.0) is confirmed


def test_a_step_is_confirmed_when_it_stays() -> None:
    """A kettle is switched on: the first exchange is doubted, the second one bears it out."""
    memory = heard((0, floats(300.0)), (0.1, floats(301.0)), (0.2, floats(2300.0)))
    assert memory.words(1, 0x2012, 2, 0.25) == list(floats(301.0))
    memory.add(Exchange(1, 0x2012, floats(2305.0), 0.3))
    assert memory.words(1, 0x2012, 2, 0.35) == list(floats(2305.0))


def test_odd_words_have_to_be_the_same() -> None:
    """A ratio is no floating-point number."""
    memory = heard((0, (40,)), (1, (41,)), address=6)
    with pytest.raises(SilenceError):
        memory.words(1, 6, 1, 1)
    memory.add(Exchange(1, 6, (40,), 2))
    assert memory.words(1, 6, 1, 2) == [40]


def test_an_answer_behind_the_wrong_request() -> None:
    """Where an answer and the next request are lost, voltages seem to be powers: once is not enough, even twice."""
    powers, volts = floats(310.0, 290.0, 300.0), floats(2301.0, 2298.0, 2310.0)
    memory = heard((0, powers), (0.1, powers), (0.2, volts), address=0x2014)
    assert memory.words(1, 0x2014, 6, 0.3) == list(powers)


def test_a_part_of_an_answer() -> None:
    """A value in the middle is found, and no read goes across two answers."""
    memory = heard((0, floats(1.0, 2.0, 3.0)), (0.1, floats(1.0, 2.0, 3.0)), address=0x2014)
    for time in (0, 0.1):
        memory.add(Exchange(1, 0x201A, floats(4.0), time))
    assert memory.words(1, 0x2016, 2, 0.2) == [0x4000, 0x0000]
    assert memory.words(1, 0x2016, 4, 0.2) == [0x4000, 0x0000, 0x4040, 0x0000]
    assert memory.words(1, 0x201A, 2, 0.2) == [0x4080, 0x0000]
    for address, count in ((0x2018, 4), (0x2012, 4), (0x2013, 1), (0x201B, 2)):
        with pytest.raises(NotHeardError) as caught:
            memory.words(1, address, count, 0.2)
        assert (caught.value.code, caught.value.rest, caught.value.is_refusal) == (2, 30, True)


def test_the_newest_of_two_requests() -> None:
    """What two requests bring is taken from the one that was answered last."""
    memory = heard((0, floats(1.0, 2.0)), (0.1, floats(1.0, 2.0)))
    for time in (0.2, 0.3):
        memory.add(Exchange(1, 0x2014, floats(2.5), time))
    assert memory.words(1, 0x2014, 2, 0.4) == list(floats(2.5))
    memory.add(Exchange(1, 0x2012, floats(1.0, 2.1), 0.5))
    assert memory.words(1, 0x2014, 2, 0.6) == list(floats(2.1))


def test_heard_value_expires_ten_seconds_after_the_last_exchange() -> None:
    """Ten seconds after the last exchange a value is no value any more; nor is it one of another unit."""
    memory = heard((0, floats(1.0)), (0.1, floats(1.0)))
    assert memory.words(1, 0x2012, 2, 10.05) == list(floats(1.0))
    for unit, now in ((1, 10.15), (2, 0.2)):
        with pytest.raises(SilenceError):
            memory.words(unit, 0x2012, 2, now)


def test_what_is_not_asked_for_any_more() -> None:
    """The unit is still heard, so nothing is wrong with the line; it is looked at again in a second."""
    memory = heard((0, floats(1.0)), (0.1, floats(1.0)))
    for time in (19.9, 20.0):
        memory.add(Exchange(1, 0x101E, floats(7.0), time))
    assert memory.words(1, 0x101E, 2, 20) == list(floats(7.0))
    with pytest.raises(NotHeardError) as caught:
        memory.words(1, 0x2012, 2, 20)
    assert caught.value.rest == 1


def test_what_is_asked_for_seldom() -> None:
    """Counters that are read once a minute hold for three minutes."""
    answers = [(60.0 * minute, floats(100.0 + minute)) for minute in range(4)]
    memory = heard(*answers, address=0x101E)
    assert memory.words(1, 0x101E, 2, 180 + 179) == list(floats(103.0))
    with pytest.raises(SilenceError):
        memory.words(1, 0x101E, 2, 180 + 181)


def test_a_long_silence_is_not_the_pause_between_requests() -> None:
    """After a night the values hold no longer than before it."""
    answers = [(0.1 * number, floats(1.0)) for number in range(10)]
    memory = heard(*answers, *((40000 + 0.1 * number, floats(1.0)) for number in range(3)))
    with pytest.raises(SilenceError):
        memory.words(1, 0x2012, 2, 40020)


def test_requests_that_are_not_repeated_make_room_for_others() -> None:
    """Requests that nobody repeats make room for others; those that are repeated stay."""
    memory = heard((0, floats(1.0)), (0.1, floats(1.0)))
    for number in range(500):
        memory.add(Exchange(1, 0x3000 + number, (number,), 0.2 + 0.01 * number))
        memory.add(Exchange(1, 0x2012, floats(1.0), 0.2 + 0.01 * number))
    assert len(memory._answers) == 64
    assert memory.words(1, 0x2012, 2, 6) == list(floats(1.0))
