"""What a mirror serves of a unit: words that were read, and for how long."""

from __future__ import annotations

from dataclasses import replace

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.errors import LinkTimeout
from custom_components.hybrid_inverter.modbus.mirror import unit as mirrored_unit
from custom_components.hybrid_inverter.modbus.mirror.protocol import ExceptionCode, RefusedError
from custom_components.hybrid_inverter.modbus.mirror.unit import MirroredUnit, shortest
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from .conftest import Clock
from .fake_unit import FakeUnit
from .test_device import family_of, keys, numbered, register, served
from .test_device_write import FAST, SETTINGS

UNKNOWN = ExceptionCode.ILLEGAL_DATA_ADDRESS
SILENT = ExceptionCode.TARGET_FAILED_TO_RESPOND

# Every device of this family has register 0.
FAMILY = replace(numbered(0), presence_register="r0")


@pytest.fixture
def clock(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return a clock that the mirror goes by, too."""
    monkeypatch.setattr(mirrored_unit, "_now", lambda: clock.now)
    return clock


def refused(unit: MirroredUnit, first: int, count: int = 1) -> ExceptionCode:
    """Return the exception code that a read gets."""
    with pytest.raises(RefusedError) as caught:
        unit.read(first, count)
    return caught.value.code


def test_words_are_served_until_they_are_too_old(clock: Clock) -> None:
    """Each by the age that its address has; the exact age is still good, and one read brings all or nothing."""
    unit = MirroredUnit({100: 15, 101: 15}, 900)
    unit.take(100, [1, 2, 3])
    assert unit.read(100, 3) == [1, 2, 3]
    clock.now = 15
    assert unit.read(100, 3) == [1, 2, 3]
    clock.now = 15.5
    assert refused(unit, 100) is SILENT
    assert refused(unit, 101, 2) is SILENT
    assert unit.read(102, 1) == [3]
    unit.take(101, [7])
    assert unit.read(101, 2) == [7, 3]
    clock.now = 900.5
    assert refused(unit, 102) is SILENT


def test_a_read_that_touches_an_unknown_register_is_refused_as_such(clock: Clock) -> None:
    """Whether or not the words beside it are too old."""
    unit = MirroredUnit({}, 15)
    unit.take(100, [1, 2])
    assert refused(unit, 99, 2) is UNKNOWN
    assert refused(unit, 101, 2) is UNKNOWN
    clock.now = 60
    assert refused(unit, 101, 2) is UNKNOWN
    assert refused(unit, 100, 2) is SILENT


def test_a_unit_that_was_never_read_counts_as_silent(clock: Clock) -> None:
    """Nobody knows yet which registers it has."""
    assert refused(MirroredUnit({}, 15), 100) is SILENT


def test_nothing_is_served_while_another_device_answers(clock: Clock) -> None:
    """What the right one has said is served again when it is back."""
    others: list[bool] = []
    unit = MirroredUnit({}, 15, lambda: bool(others))
    unit.take(100, [1])
    others.append(True)
    assert refused(unit, 100) is SILENT
    others.clear()
    assert unit.read(100, 1) == [1]


def test_what_may_be_of_another_device_is_forgotten(clock: Clock) -> None:
    """As if nothing had been read yet."""
    unit = MirroredUnit({}, 15)
    unit.take(100, [1])
    unit.forget()
    assert refused(unit, 100) is SILENT
    unit.take(101, [2])
    assert refused(unit, 100) is UNKNOWN
    assert unit.read(101, 1) == [2]


def test_a_listed_register_is_served_as_long_as_its_polls_say(clock: Clock) -> None:
    """From then on, and for its own words alone."""
    unit = MirroredUnit({100: 15, 101: 15}, 900)
    unit.take(100, [1, 2])
    unit.serve_for({101: 60})
    clock.now = 50
    assert refused(unit, 100) is SILENT
    assert unit.read(101, 1) == [2]


def test_of_several_ages_the_shortest_holds() -> None:
    """A word may belong to registers of several groups."""
    assert shortest([([1, 2], 900.0), ([2, 3], 15.0), ([3], 180.0)]) == {1: 900, 2: 15, 3: 15}


# ---------------------------------------------------------------------- what a device is asked for


async def test_what_is_polled_is_served(clock: Clock) -> None:
    """With what was read along, and as it is after the next poll."""
    unit = FakeUnit(served(0, 1, 4))
    device = Device(unit, numbered(0, 1, 4))
    mirrored = MirroredUnit({}, 15)
    device.follow_words(mirrored)
    await device.poll(keys(0, 1, 4))
    assert unit.reads == [(0, 5)]
    assert mirrored.read(0, 5) == [1000, 1001, 0, 0, 1004]
    unit.registers[1] = 7
    await device.poll(keys(0, 1, 4))
    assert mirrored.read(0, 2) == [1000, 7]
    assert refused(mirrored, 5) is UNKNOWN


async def test_a_failed_poll_leaves_what_was_read_before_until_it_is_too_old(clock: Clock) -> None:
    """Other than in Home Assistant, where it is unavailable at once: a client asks again only later."""
    unit = FakeUnit(served(0))
    device = Device(unit, numbered(0))
    mirrored = MirroredUnit({}, 15)
    device.follow_words(mirrored)
    await device.poll(keys(0))
    clock.now = 5
    unit.fault = LinkTimeout("no answer")
    with pytest.raises(LinkTimeout):
        await device.poll(keys(0))
    assert mirrored.read(0, 1) == [1000]
    clock.now = 15.1
    assert refused(mirrored, 0) is SILENT


async def test_a_word_that_was_written_is_not_served_until_it_is_read_back(clock: Clock) -> None:
    """Nobody knows what the device has made of it."""
    unit = FakeUnit(dict(SETTINGS))
    device = Device(unit, FAST)
    mirrored = MirroredUnit({}, 900)
    device.follow_words(mirrored)
    await device.poll(["battery_low_soc"])
    assert mirrored.read(117, 1) == [20]
    seen: list[ExceptionCode] = []

    async def look() -> None:
        seen.append(refused(mirrored, 117))

    # The current value is read, the new one written, and read back.
    unit.meanwhile.extend((None, None, look))
    await device.write("battery_low_soc", 25)
    assert unit.writes == [(117, (25,))]
    assert seen == [SILENT]
    assert mirrored.read(117, 1) == [25]


# ---------------------------------------------------------------------- listed registers


async def test_mere_words_are_polled_in_few_requests(clock: Clock) -> None:
    """Together with the register that shows whether the device is there."""
    unit = FakeUnit(served(0, 200, 201, 230))
    device = Device(unit, FAMILY)
    mirrored = MirroredUnit({}, 15)
    device.follow_words(mirrored)
    await device.poll_words([200, 201, 230])
    assert unit.reads == [(0, 1), (200, 2), (230, 1)]
    assert mirrored.read(200, 2) == [1200, 1201]
    assert mirrored.read(230, 1) == [1230]


async def test_one_word_of_a_value_is_listed_and_its_others_come_with_it(clock: Clock) -> None:
    """Otherwise a counter would be half of this poll and half of that of its group, and jump by 65536 and back."""
    total = register("total", 500, 501)
    family = replace(
        family_of(register("r0", 0), total, register("r502", 502)), presence_register="r0"
    )
    unit = FakeUnit({500: 0xFFFF, 501: 0})
    device = Device(unit, family)
    mirrored = MirroredUnit({}, 900)
    device.follow_words(mirrored)
    await device.poll(["total"])
    # It counts on, and has the low word first.
    unit.registers.update({500: 0, 501: 1})
    await device.poll_words([500])
    assert mirrored.read(500, 2) == [0, 1]
    assert unit.reads[1:] == [(0, 1), (500, 2)]


async def test_a_listed_value_that_is_refused_is_not_asked_for_with_a_word_beside_it(
    clock: Clock,
) -> None:
    """Of what is left alone, no other word is read either."""
    total = register("total", 200, 201)
    unit = FakeUnit(served(0), refused={200: 2, 201: 2})
    device = Device(unit, replace(family_of(register("r0", 0), total), presence_register="r0"))
    await device.poll_words([200])
    for _ in range(2):
        clock.now += 5
        await device.poll_words([200])
    assert device.quarantined == [200, 201]
    unit.requests.clear()
    await device.poll_words([200])
    assert unit.reads == []


async def test_a_listed_register_that_is_refused_is_quarantined_like_any_other(
    clock: Clock,
) -> None:
    """Three refusals, then it is left alone for a day; even if it is the only one."""
    unit = FakeUnit(served(0), refused={200: 2})
    device = Device(unit, FAMILY)
    await device.poll_words([200])
    for _ in range(2):
        assert device.quarantined == []
        clock.now += 5
        # The polls of registers have nothing to do with it.
        unit.requests.clear()
        await device.poll(keys(0))
        assert unit.reads == [(0, 1)]
        await device.poll_words([200])
    assert device.quarantined == [200]
    clock.now += 5
    unit.requests.clear()
    await device.poll_words([200])
    assert unit.reads == []
    assert (await device.poll(keys(0))).values == {"r0": 1000}


async def test_a_list_of_what_is_never_answered_costs_the_polls_of_registers_nothing(
    clock: Clock,
) -> None:
    """Each silence is a timeout. They are the list's own, two at most in a round, and no register is suspected for them."""
    unit = FakeUnit(served(0, 299, 400), silent={300, 302, 304})
    device = Device(unit, replace(numbered(0, 299), presence_register="r0"))
    mirrored = MirroredUnit({}, 900)
    device.follow_words(mirrored)
    await device.poll(keys(0, 299))
    for _ in range(20):
        unit.requests.clear()
        await device.poll_words([299, 300, 302, 304, 400])
        silent = [read for read in unit.reads if {300, 302, 304} & set(range(read[0], sum(read)))]
        assert len(silent) <= 2
        unit.requests.clear()
        snapshot = await device.poll(keys(0, 299))
        assert snapshot.values == {"r0": 1000, "r299": 1299}
        assert unit.reads == [(0, 1), (299, 1)]
        clock.now += 5
    assert device.quarantined == [300, 302, 304]
    assert mirrored.read(299, 1) == [1299]
    assert mirrored.read(400, 1) == [1400]


async def test_a_silent_device_ends_the_poll_of_listed_registers(clock: Clock) -> None:
    """Its registers are not suspected for it."""
    unit = FakeUnit(served(0, 200))
    device = Device(unit, FAMILY)
    await device.poll_words([200])
    unit.fault = LinkTimeout("no answer")
    with pytest.raises(LinkTimeout):
        await device.poll_words([200])
    unit.fault = None
    clock.now += 5
    unit.requests.clear()
    await device.poll_words([200])
    assert sorted(unit.reads) == [(0, 1), (200, 1)]
    assert device.quarantined == []


async def test_what_is_not_readable_is_never_asked_for() -> None:
    """Whatever an older list says."""
    unit = FakeUnit()
    device = Device(unit, JSO)
    # The readable ranges of a JSO end at 708.
    await device.poll_words([709, 40000])
    assert unit.reads == []
