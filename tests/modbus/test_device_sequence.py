"""Settings that are written one after another, one register at a time: all of them or none, and back in one go."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.device.wear import Origin, WearBudget
from custom_components.hybrid_inverter.modbus.errors import (
    DeviceError,
    InvalidValueError,
    LinkLost,
    LinkTimeout,
    NotAppliedError,
    RejectedError,
    WriteBudgetError,
    WriteDeniedError,
)
from custom_components.hybrid_inverter.modbus.model.codec import (
    Choice,
    Codec,
    Number,
    PermilleOfRated,
    Value,
)
from custom_components.hybrid_inverter.modbus.model.family import Family, table
from custom_components.hybrid_inverter.modbus.model.register import (
    Group,
    Limits,
    Ref,
    Register,
    Tier,
)
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

from .fake_unit import FakeUnit, WriteRequest


def row(
    key: str,
    address: int,
    codec: Codec | None = None,
    *,
    mask: int | None = None,
    limits: Limits | None = None,
    tier: Tier | None = Tier.EVERYDAY,
) -> Register:
    """Return a setting, a number if nothing else is said."""
    return Register(
        key=key,
        addresses=(address,),
        group=Group.SETTINGS,
        codec=codec or Number(),
        mask=mask,
        limits=limits,
        tier=tier,
    )


SWITCH: Final = Choice({0: False, 1: True})
ONE_BY_ONE: Final = replace(
    JSO,
    registers=table(
        row("rated_power", 9, tier=None),
        row("mode", 10, Choice({0: "home", 1: "times", 7: "ageing"}, frozenset({7}))),
        # Two bits of one word, and a word that is packed.
        row("slot_1", 20, SWITCH, mask=0x0001),
        row("slot_2", 20, SWITCH, mask=0x0002),
        row("days", 21, Number(), mask=0x7F00),
        row("share", 21, Number(), mask=0x00FF, limits=Limits(0, 100)),
        row("floor", 30, limits=Limits(5, Ref("ceiling"))),
        row("ceiling", 31, limits=Limits(5, 100)),
        row("limit_mode", 40, Choice({0: "off", 1: "total"})),
        row("limit", 41, PermilleOfRated(), limits=Limits(0, Ref("rated_power", factor=1.1))),
        row("meter", 50, tier=None),
    ),
    derived={},
    readable=((0, 99),),
    max_read=50,
    max_write=1,
    single_write=True,
    settle=0.0,
    prerequisites={("limit_mode", "off"): (("limit", None),)},
)
HELD: Final = {9: 6000, 10: 0, 20: 0x0105, 21: 0x7F32, 30: 20, 31: 90, 40: 1, 41: 500}


@pytest.fixture
def unit() -> FakeUnit:
    """Return a machine that does what it is told."""
    return FakeUnit(dict(HELD))


def device_of(unit: FakeUnit, family: Family = ONE_BY_ONE) -> Device:
    """Return the device of a 6 kW machine."""
    return Device(unit, family, known={"rated_power": 6000})


@pytest.fixture
def device(unit: FakeUnit) -> Device:
    """Return the device of a 6 kW machine."""
    return device_of(unit)


def sent(unit: FakeUnit) -> list[tuple[int, int]]:
    """Return what was written, address and word, all of it with function code 6."""
    writes = [request for request in unit.requests if isinstance(request, WriteRequest)]
    assert all(write.single for write in writes)
    return [(write.address, write.values[0]) for write in writes]


# ---------------------------------------------------------------------- in order


async def test_in_the_given_order(device: Device, unit: FakeUnit) -> None:
    """A slot is switched off, changed and switched on again; the other bits of its word stay, equals are not sent."""
    await device.write_steps(
        [
            ("slot_1", False),
            ("days", 0x1F),
            ("share", 80),
            ("floor", 20),
            ("slot_1", True),
            ("mode", "times"),
        ]
    )
    # 0x0105 without bit 0; 0x1F and 80 = 0x50 lie in one register, and share a write.
    assert sent(unit) == [(20, 0x0104), (21, 0x1F50), (20, 0x0105), (10, 1)]
    assert [(change.key, change.before, change.after) for change in device.changes] == [
        ("slot_1", True, False),
        ("days", 0x7F, 0x1F),
        ("share", 50, 80),
        ("slot_1", False, True),
        ("mode", "home", "times"),
    ]


async def test_one_undo_in_reverse(device: Device, unit: FakeUnit) -> None:
    """The slot is off while it is changed back, too."""
    await device.write("ceiling", 95)
    await device.write_steps(
        [("slot_1", False), ("share", 80), ("slot_1", True), ("mode", "times")]
    )
    unit.requests.clear()
    await device.undo()
    assert sent(unit) == [(10, 0), (20, 0x0104), (21, 0x7F32), (20, 0x0105)]
    assert [change.key for change in device.changes] == ["ceiling"]
    assert unit.registers == {**HELD, 31: 95}


async def test_write_many_does_it_by_itself(device: Device, unit: FakeUnit) -> None:
    """In the order of the mapping, wherever the registers lie."""
    await device.write_many({"ceiling": 50, "mode": "times", "floor": 45})
    assert sent(unit) == [(31, 50), (10, 1), (30, 45)]
    await device.undo()
    assert unit.registers == HELD


async def test_preview_shows_the_words_before_and_after_and_sends_nothing(
    device: Device, unit: FakeUnit
) -> None:
    """The words as they are and as they would be in the end; nothing is sent."""
    words = {20: (0x0105, 0x0106), 21: (0x7F32, 0x7F50), 30: (20, 20)}
    assert (
        await device.preview({"slot_1": False, "slot_2": True, "share": 80, "floor": 20}) == words
    )
    steps: list[tuple[str, Value]] = [("slot_1", False), ("share", 80), ("slot_1", True)]
    assert await device.preview_steps(steps) == {20: (0x0105, 0x0105), 21: (0x7F32, 0x7F50)}
    assert sent(unit) == []


async def test_what_the_panel_changes_between_two_steps(device: Device, unit: FakeUnit) -> None:
    """Each step goes into what the machine holds at that moment."""

    async def change() -> None:
        unit.registers[21] = 0x0132

    # With the last of five requests: the look at all, then the first step's own, its write, and two reads.
    unit.meanwhile = deque([None] * 4 + [change])
    await device.write_steps([("mode", "times"), ("share", 80)])
    assert sent(unit) == [(10, 1), (21, 0x0150)]


# ---------------------------------------------------------------------- checked before anything is sent


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        ([("mode", "times"), ("share", 101)], InvalidValueError),
        ([("mode", "times"), ("mode", "nonsense")], InvalidValueError),
        # What a machine may hold and nobody is to choose.
        ([("share", 80), ("mode", "ageing")], InvalidValueError),
        # The ceiling is 90, and 40 once it has been written.
        ([("mode", "times"), ("floor", 91)], InvalidValueError),
        ([("ceiling", 40), ("floor", 41)], InvalidValueError),
        ([("mode", "times"), ("meter", 1)], WriteDeniedError),
    ],
)
async def test_a_wrong_step_refuses_all(
    device: Device, unit: FakeUnit, steps: Sequence[tuple[str, Value]], error: type[Exception]
) -> None:
    """Not even the right ones before it are written."""
    with pytest.raises(error):
        await device.write_steps(steps)
    assert sent(unit) == []
    assert not device.changes


async def test_a_step_may_make_room_for_the_next(device: Device, unit: FakeUnit) -> None:
    """The bounds are those that will be in force then."""
    await device.write_steps([("ceiling", 98), ("floor", 95)])
    assert sent(unit) == [(31, 98), (30, 95)]


async def test_choosing_again_what_is_only_shown(device: Device, unit: FakeUnit) -> None:
    """It is in force, so nothing is sent; it is put back when it was in force before."""
    unit.registers[10] = 7
    await device.write("mode", "ageing")
    await device.write_steps([("mode", "ageing")])
    assert sent(unit) == []
    await device.write("mode", "home")
    with pytest.raises(InvalidValueError):
        await device.write("mode", "ageing")
    await device.undo()
    assert sent(unit) == [(10, 0), (10, 7)]


# ---------------------------------------------------------------------- when a step fails


async def test_a_step_that_is_not_kept(device: Device, unit: FakeUnit) -> None:
    """What was changed before is put back in reverse."""

    async def lock() -> None:
        unit.ignored = 2

    # The look at all; two steps with a look, a write and two reads; the look of the third, and its write.
    unit.meanwhile = deque([None] * 10 + [lock])
    with pytest.raises(NotAppliedError) as caught:
        await device.write_steps([("slot_1", False), ("share", 80), ("mode", "times")])
    assert (caught.value.key, caught.value.restored, caught.value.left) == ("mode", True, ())
    assert sent(unit) == [
        (20, 0x0104),
        (21, 0x7F50),
        (10, 1),
        (10, 1),
        (21, 0x7F32),
        (20, 0x0105),
    ]
    assert unit.registers == HELD
    assert not device.changes


async def test_a_step_that_is_refused(device: Device, unit: FakeUnit) -> None:
    """The error is that of the step; everything is as it was."""
    unit.faults = deque([None] * 6 + [RejectedError(4, "register 10")])
    with pytest.raises(RejectedError) as caught:
        await device.write_steps([("share", 80), ("mode", "times")])
    assert caught.value.left == ()
    assert sent(unit) == [(21, 0x7F50), (10, 1), (21, 0x7F32)]
    assert unit.registers == HELD


async def test_what_cannot_be_put_back_is_named(device: Device, unit: FakeUnit) -> None:
    """The link is gone for good after the first step."""
    unit.faults = deque([None] * 6 + [LinkTimeout("no answer")] * 30)
    with pytest.raises(LinkTimeout, match=r"changed and not put back: mode, share") as caught:
        await device.write_steps([("share", 80), ("mode", "times")])
    assert caught.value.left == ("mode", "share")
    assert unit.registers == {**HELD, 21: 0x7F50}


async def test_a_last_step_that_was_kept_and_whose_answer_was_lost_is_a_success(
    device: Device, unit: FakeUnit
) -> None:
    """Four steps, and the last one holds: nothing is rolled back."""

    async def carry_out() -> None:
        unit.registers[10] = 1

    # The look at all; three steps with a look, a write and two reads; the look of the fourth, and its write.
    unit.meanwhile = deque([*[None] * 14, carry_out])
    unit.faults = deque([*[None] * 14, LinkTimeout("no answer")])
    await device.write_steps(
        [("slot_1", False), ("share", 80), ("slot_1", True), ("mode", "times")]
    )
    assert sent(unit) == [(20, 0x0104), (21, 0x7F50), (20, 0x0105), (10, 1)]
    assert len(device.changes) == 4


async def test_a_step_that_is_lost_twice_is_rolled_back(device: Device, unit: FakeUnit) -> None:
    """Two writes of the last step without an answer: everything is as it was, and that is known."""
    unit.faults = deque([*[None] * 6, LinkTimeout("no answer"), None, LinkTimeout("no answer")])
    with pytest.raises(NotAppliedError) as caught:
        await device.write_steps([("share", 80), ("mode", "times")])
    assert not caught.value.acknowledged
    assert (caught.value.restored, caught.value.left, caught.value.unconfirmed) == (True, (), False)
    assert sent(unit) == [(21, 0x7F50), (10, 1), (10, 1), (21, 0x7F32)]
    assert unit.registers == HELD


async def test_an_answer_that_is_lost_on_the_way_back_is_no_failure(
    device: Device, unit: FakeUnit
) -> None:
    """The second step is refused; the first goes back, and nobody confirms it: it holds what it did."""

    async def carry_out() -> None:
        unit.registers[21] = 0x7F32

    # Behind the refusal the look of the second step's way back, then the look and the write of the first one's.
    unit.meanwhile = deque([*[None] * 9, carry_out])
    unit.faults = deque(
        [*[None] * 6, RejectedError(4, "register 10"), None, None, LinkTimeout("no answer")]
    )
    with pytest.raises(RejectedError) as caught:
        await device.write_steps([("share", 80), ("mode", "times")])
    assert caught.value.left == ()
    assert (caught.value.key, caught.value.address) == ("mode", 10)
    assert sent(unit) == [(21, 0x7F50), (10, 1), (21, 0x7F32)]


async def test_a_step_that_was_never_sent_is_not_named(device: Device, unit: FakeUnit) -> None:
    """The link is gone before the third of three steps is sent: the first two are changed, and only they."""
    # The look at all; two steps with a look, a write and two reads; the look of the third.
    unit.faults = deque([*[None] * 10, *[LinkTimeout("no answer")] * 9])

    async def close() -> None:
        raise LinkLost("closed")

    unit.meanwhile = deque([*[None] * 10, close])
    with pytest.raises(LinkLost) as caught:
        await device.write_steps([("share", 80), ("ceiling", 95), ("mode", "times")])
    assert caught.value.left == ("ceiling", "share")


async def test_the_budget_of_a_register(unit: FakeUnit) -> None:
    """Enough for one write of the slots' word; what was written is put back all the same."""
    wear = WearBudget(limits={Origin.PERSON: 1})
    device = Device(unit, ONE_BY_ONE, known={"rated_power": 6000}, wear=wear)
    with pytest.raises(WriteBudgetError) as caught:
        await device.write_steps([("slot_1", False), ("share", 80), ("slot_1", True)])
    assert caught.value.left == ()
    assert sent(unit) == [(20, 0x0104), (21, 0x7F50), (21, 0x7F32), (20, 0x0105)]


async def test_failed_undo_is_rolled_back_and_can_be_tried_again(
    device: Device, unit: FakeUnit
) -> None:
    """What it has put back is made again, and it can be tried once more."""
    await device.write_steps([("share", 80), ("mode", "times")])
    unit.requests.clear()
    unit.faults = deque([None] * 6 + [RejectedError(4, "register 21")])
    with pytest.raises(RejectedError):
        await device.undo()
    assert sent(unit) == [(10, 0), (21, 0x7F32), (10, 1)]
    await device.undo()
    assert unit.registers == HELD


# ---------------------------------------------------------------------- when nobody waits for it any more


async def test_cancelled_while_it_is_written(device: Device, unit: FakeUnit) -> None:
    """Once begun it is carried out: half of it would be worse. Until then nobody else writes."""

    async def cancel() -> None:
        writing.cancel()

    # With the third step's write: the look at all, two steps with a look, a write and two reads, and a look.
    unit.meanwhile = deque([None] * 10 + [cancel])
    writing = asyncio.create_task(
        device.write_steps([("slot_1", False), ("share", 80), ("slot_1", True), ("mode", "times")])
    )
    with pytest.raises(asyncio.CancelledError):
        await writing
    waiting = asyncio.create_task(device.write("floor", 25))
    await device.finish()
    await waiting
    assert sent(unit) == [(20, 0x0104), (21, 0x7F50), (20, 0x0105), (10, 1), (30, 25)]
    assert [change.key for change in device.changes] == [
        "slot_1",
        "share",
        "slot_1",
        "mode",
        "floor",
    ]


async def test_cancelled_while_it_waits(device: Device, unit: FakeUnit) -> None:
    """What has not begun is not written."""
    first = asyncio.create_task(device.write("floor", 25))
    second = asyncio.create_task(device.write("mode", "times"))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    await first
    await device.finish()
    assert sent(unit) == [(30, 25)]


async def test_a_failure_that_nobody_waits_for(
    device: Device, unit: FakeUnit, caplog: pytest.LogCaptureFixture
) -> None:
    """It is rolled back as ever, and logged."""

    async def cancel() -> None:
        writing.cancel()

    unit.meanwhile = deque([None] * 2 + [cancel])
    unit.faults = deque([None] * 6 + [RejectedError(4, "register 10")])
    writing = asyncio.create_task(device.write_steps([("share", 80), ("mode", "times")]))
    with pytest.raises(asyncio.CancelledError):
        await writing
    await device.finish()
    await asyncio.sleep(0)
    assert unit.registers == HELD
    assert "has failed: register 10: Modbus exception 4" in caplog.text


STEP: Final = st.one_of(
    st.tuples(st.just("mode"), st.sampled_from(["home", "times"])),
    st.tuples(st.sampled_from(["slot_1", "slot_2"]), st.booleans()),
    st.tuples(st.just("share"), st.integers(0, 100)),
    st.tuples(st.just("ceiling"), st.integers(21, 100)),
)
FAULT: Final = st.sampled_from(
    [None, None, None, None, LinkTimeout("no answer"), RejectedError(4, "no"), RejectedError(6, "")]
)
# Where the values of the steps lie, for a model that knows nothing of the device.
PLACES: Final = {
    "mode": (10, 0xFFFF, {"home": 0, "times": 1}),
    "slot_1": (20, 0x0001, {False: 0, True: 1}),
    "slot_2": (20, 0x0002, {False: 0, True: 2}),
    "share": (21, 0x00FF, {}),
    "ceiling": (31, 0xFFFF, {}),
}


@settings(max_examples=300, deadline=None)
@given(
    steps=st.lists(STEP, min_size=1, max_size=6),
    faults=st.lists(FAULT, max_size=40),
    ignored=st.integers(0, 3),
)
async def test_all_or_none_or_it_is_said(
    steps: list[tuple[str, Value]], faults: list[DeviceError | None], ignored: int
) -> None:
    """Whatever goes wrong and when: all is new, or all is old, or the error names what differs from before."""
    unit = FakeUnit(dict(HELD), faults=deque(faults), ignored=ignored)
    new = dict(HELD)
    for key, value in steps:
        address, mask, words = PLACES[key]
        bits = words.get(value, value)  # type: ignore[attr-defined]
        new[address] = new[address] & ~mask | int(bits)
    failure: DeviceError | None = None
    try:
        await device_of(unit).write_steps(steps)
    except DeviceError as err:
        failure = err
    if failure is None:
        assert unit.registers == new
        return
    differing = {
        key
        for key, (address, mask, _) in PLACES.items()
        if (unit.registers[address] ^ HELD[address]) & mask
    }
    assert differing <= set(failure.left)
    if isinstance(failure, NotAppliedError):
        assert failure.restored is not bool(failure.left)


# ---------------------------------------------------------------------- what is written before a value


async def test_what_leads_up_to_a_value(device: Device, unit: FakeUnit) -> None:
    """Before the limit is lifted it is raised to 110 % of the rated power; one undo takes both back."""
    await device.write("limit_mode", "off")
    assert sent(unit) == [(41, 1100), (40, 0)]
    assert await device.preview({"limit_mode": "total"}) == {40: (0, 1)}
    unit.requests.clear()
    await device.undo()
    assert sent(unit) == [(40, 1), (41, 500)]
    assert unit.registers == HELD


@pytest.mark.parametrize(("rated", "largest"), [(6006, 6607), (6125, 6738), (3680, 4048)])
async def test_what_leads_where_the_largest_is_no_whole_number(
    unit: FakeUnit, rated: int, largest: int
) -> None:
    """110 % of 6006 W are 6606.6 W, which are shown as 6607 W; the machine calls it 1100, and nothing is above it."""
    unit.registers[9] = rated
    device = Device(unit, ONE_BY_ONE, known={"rated_power": rated})
    assert device.limits("limit") == (0, largest)
    await device.write("limit_mode", "off")
    assert sent(unit) == [(41, 1100), (40, 0)]
    with pytest.raises(InvalidValueError, match=f"outside 0 to {largest}"):
        await device.write("limit", largest + 10)
    await device.write("limit", 100)
    await device.undo()
    assert unit.registers[41] == 1100


async def test_nothing_leads_the_other_way(device: Device, unit: FakeUnit) -> None:
    """Nor to what is in force already."""
    await device.write("limit_mode", "total")
    unit.registers[40] = 0
    await device.write("limit_mode", "off")
    assert sent(unit) == []
    await device.write_many({"limit_mode": "total", "limit": 600})
    assert sent(unit) == [(40, 1), (41, 100)]


async def test_prerequisite_comes_right_before_the_step_it_belongs_to(
    device: Device, unit: FakeUnit
) -> None:
    """It comes right before the step that it leads up to, in the preview as well."""
    assert await device.preview({"share": 80, "limit_mode": "off"}) == {
        21: (0x7F32, 0x7F50),
        41: (500, 1100),
        40: (1, 0),
    }
    await device.write_many({"share": 80, "limit_mode": "off"})
    assert sent(unit) == [(21, 0x7F50), (41, 1100), (40, 0)]


class Particular(FakeUnit):
    """A machine that takes no limit above so many thousandths: it refuses more, or takes as much as it can."""

    most = 1000
    clamps = False

    async def write_register(self, address: int, value: int) -> None:
        """Write, function code 6."""
        if address == 41 and value > self.most:
            if not self.clamps:
                self.faults.append(RejectedError(3, "register 41"))
            value = self.most
        await super().write_register(address, value)


async def test_a_lead_that_is_refused_falls_back_to_the_rated_power() -> None:
    """110 % are too much for this machine, 100 % are not; one undo takes both back."""
    unit = Particular(dict(HELD))
    device = device_of(unit)
    await device.write("limit_mode", "off")
    assert unit.registers == {**HELD, 40: 0, 41: 1000}
    assert [(change.key, change.before, change.after) for change in device.changes] == [
        ("limit", 3000, 6000),
        ("limit_mode", "total", "off"),
    ]
    await device.undo()
    assert unit.registers == HELD


async def test_a_lead_that_the_machine_takes_in_part() -> None:
    """It acknowledges 110 % and holds 100 %: that is as much as it takes."""
    unit = Particular(dict(HELD))
    unit.clamps = True
    device = device_of(unit)
    await device.write("limit_mode", "off")
    assert unit.registers == {**HELD, 40: 0, 41: 1000}
    await device.undo()
    assert unit.registers == HELD


async def test_a_lead_that_the_machine_does_not_take_at_all() -> None:
    """The limit stays as it is: it stops at nothing once it is switched off."""
    unit = Particular(dict(HELD))
    unit.most = 500
    device = device_of(unit)
    await device.write("limit_mode", "off")
    assert unit.registers == {**HELD, 40: 0}
    assert [change.key for change in device.changes] == ["limit_mode"]


async def test_the_error_names_the_step_that_was_refused(device: Device, unit: FakeUnit) -> None:
    """Not the one that was asked for first; with a lead that was taken, the setting itself."""
    # The limit rests on the rated power, which is a read of its own: two looks at all, the first step, two more looks.
    unit.faults = deque([*[None] * 8, RejectedError(3, "no")])
    with pytest.raises(RejectedError) as caught:
        await device.write_steps([("share", 80), ("limit", 600)])
    assert (caught.value.key, caught.value.address) == ("limit", 41)
    # A look at the mode, two at both; two for the limit, its write and two reads; the mode's look.
    unit.faults = deque([*[None] * 9, RejectedError(3, "no")])
    with pytest.raises(RejectedError) as caught:
        await device.write("limit_mode", "off")
    assert (caught.value.key, caught.value.address) == ("limit_mode", 40)
    assert unit.registers == HELD


async def test_a_lead_that_cannot_be_known(unit: FakeUnit) -> None:
    """Without a rated power there is no largest limit, and nothing is sent."""
    with pytest.raises(InvalidValueError):
        await Device(unit, ONE_BY_ONE).write("limit_mode", "off")
    assert sent(unit) == []
