"""Raw words in several requests: in order, with one settling and one look at all of them, and all or none."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
import time
from typing import Any, Final

import pytest

from custom_components.hybrid_inverter.modbus.device.device import Device
from custom_components.hybrid_inverter.modbus.device.journal import Journal
from custom_components.hybrid_inverter.modbus.device.wear import Origin, WearBudget
from custom_components.hybrid_inverter.modbus.device.write_request import AppliedChange
from custom_components.hybrid_inverter.modbus.errors import (
    InvalidValueError,
    LinkLost,
    LinkTimeout,
    NotAppliedError,
    RejectedError,
    WriteBudgetError,
)
from custom_components.hybrid_inverter.modbus.model.codec import Choice
from custom_components.hybrid_inverter.modbus.model.family import Family, table
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.modbus.model.residue import Residue, ResidueMemory
from custom_components.hybrid_inverter.modbus.tables.jso import JSO
from custom_components.hybrid_inverter.modbus.tables.saj import SAJ
from custom_components.hybrid_inverter.runtime.settings_ledger import Found, SettingsLedger

from .fake_unit import FakeUnit, Hook, ReadRequest
from .test_device_sequence import HELD, ONE_BY_ONE, device_of, row, sent
from .test_device_write_many import NEW, OLD

# What a machine of a register a request is to hold: a packed word, two numbers, and the mode last.
SHARE: Final = {21: 0x7F50}
FLOOR: Final = {30: 25}
CEILING: Final = {31: 80}
TIMES: Final = {10: 1}
ORDER: Final = (SHARE, FLOOR, CEILING, TIMES)
DONE: Final = [(21, 0x7F50), (30, 25), (31, 80), (10, 1)]

# A discharge: the cap, the table, the days, and the mode last.
TABLE: Final = dict(enumerate(NEW, 148))
DISCHARGE: Final = ({143: 3000}, TABLE, {146: 0x0041}, {142: 0})
JSO_HELD: Final = {142: 1, 143: 8000, 146: 0x00FF, **dict(enumerate(OLD, 148))}

# A charge from 02:00 to 05:00: the ceiling, the powers, the seventh slot, its mark, and the mode last.
CHARGE: Final = (
    *({0x3646: 80}, {0x3650: 500}, {0x3660: 0}),
    *({0x3618: 0x0200}, {0x3619: 0x0500}, {0x361A: 0x403C}),
    *({0x3604: 0x0040}, {0x3647: 1}),
)
SAJ_HELD: Final = {
    0x3646: 100,
    0x3650: 1000,
    0x3660: 1,
    0x3618: 0xFFFF,
    0x3619: 0xFFFF,
    0x361A: 0xFFFF,
    0x3604: 0x0001,
    0x3647: 0,
}


@pytest.fixture
def unit() -> FakeUnit:
    """Return a machine that does what it is told."""
    return FakeUnit(dict(HELD))


@pytest.fixture
def device(unit: FakeUnit) -> Device:
    """Return the device of a 6 kW machine that takes a register a request."""
    return device_of(unit)


def kinds(unit: FakeUnit) -> str:
    """Return the requests so far in order, R for a read and W for a write."""
    return "".join("R" if isinstance(one, ReadRequest) else "W" for one in unit.requests)


def at(hooks: Mapping[int, Hook]) -> deque[Hook | None]:
    """Return what happens at some requests, of which 0 is the first."""
    return deque(hooks.get(number) for number in range(max(hooks) + 1))


def ignoring(unit: FakeUnit) -> Hook:
    """Return what makes a machine confirm a write, and not carry it out."""

    async def ignore() -> None:
        unit.ignored = 1

    return ignore


# ---------------------------------------------------------------------- reading


async def test_words_are_read_whole_and_in_one_request(device: Device, unit: FakeUnit) -> None:
    """With all that is in them, before waiting polls; between them lie only a few others."""
    assert await device.read_words([21, 10, 20]) == {21: 0x7F32, 10: 0, 20: 0x0105}
    assert unit.requests == [ReadRequest(10, 12, urgent=True)]
    # All that lies on them is known now.
    known = {key: device.values[key] for key in ("mode", "slot_1", "slot_2", "days", "share")}
    assert known == {"mode": "home", "slot_1": True, "slot_2": False, "days": 0x7F, "share": 50}


async def test_words_that_nobody_knows_are_not_read(device: Device, unit: FakeUnit) -> None:
    """No register of the family is at 22 and 23."""
    with pytest.raises(ValueError, match=r"no registers \[22, 23\]"):
        await device.read_words([21, 22, 23])
    assert unit.requests == []


async def test_words_are_not_read_in_the_middle_of_a_write(device: Device, unit: FakeUnit) -> None:
    """They are those behind it."""
    writing = asyncio.create_task(device.write_words(ORDER))
    await asyncio.sleep(0)
    assert await device.read_words([21, 10]) == {21: 0x7F50, 10: 1}
    await writing
    assert kinds(unit) == "RWWWWRR"


async def test_a_machine_that_is_silent_when_words_are_read(device: Device, unit: FakeUnit) -> None:
    """It raises like any read."""
    unit.fault = LinkTimeout("no answer")
    with pytest.raises(LinkTimeout):
        await device.read_words([21])


# ---------------------------------------------------------------------- in order, with one look


async def test_thirty_words_and_three_requests_settle_once() -> None:
    """One look before, four requests in order, one look behind; the bits that the words have along stay."""
    unit = FakeUnit(dict(JSO_HELD))
    device = Device(unit, replace(JSO, settle=0.1), known={"rated_power": 8000})
    heard: list[Group] = []
    device.add_listener(heard.append)
    started = time.monotonic()
    await device.write_words(DISCHARGE)
    assert 0.1 <= time.monotonic() - started < 0.4
    assert unit.writes == [(143, (3000,)), (148, NEW), (146, (0x0041,)), (142, (0,))]
    assert kinds(unit) == "RWWWWR"
    assert unit.reads == [(142, 36)] * 2
    # Before anything is sent, and when it has settled.
    assert heard == [Group.SETTINGS] * 2
    assert device.values["work_mode"] == "selling_first"
    assert device.values["tou_saturday"] is True
    assert device.values["tou_sunday"] is False
    assert device.values["tou_slot_1_generator_charge"] is True
    assert device.values["tou_slot_6_soc"] == 35
    assert device.read_at("tou_slot_6_soc") is not None


async def test_eight_writes_keep_their_distance_and_settle_once() -> None:
    """A register a request, function code 6; a cell that nobody has filled is filled."""
    unit = FakeUnit(dict(SAJ_HELD))
    family = replace(SAJ, settle=0.1, write_spacing=0.02)
    device = Device(unit, family, known={"rated_power": 10000})
    started = time.monotonic()
    await device.write_words(CHARGE)
    # Seven pauses and one time to settle; with a time to settle for each it would be more than 0.8.
    assert 0.24 <= time.monotonic() - started < 0.8
    assert sent(unit) == [
        (0x3646, 80),
        (0x3650, 500),
        (0x3660, 0),
        (0x3618, 0x0200),
        (0x3619, 0x0500),
        (0x361A, 0x403C),
        (0x3604, 0x0040),
        (0x3647, 1),
    ]
    assert kinds(unit) == "RRWWWWWWWWRR"
    # 0x3604 to 0x361A, and 0x3646 to 0x3660; both tables may be read across their holes.
    assert sorted(unit.reads[:2]) == sorted(unit.reads[2:]) == [(0x3604, 23), (0x3646, 27)]


@pytest.mark.parametrize(
    ("family", "held", "requests", "seconds"),
    [
        # A second to settle.
        (JSO, JSO_HELD, DISCHARGE, 1.0),
        # Seven seconds between the writes, and 0.3 to settle.
        (SAJ, SAJ_HELD, CHARGE, 7.3),
    ],
    ids=["jso", "saj"],
)
async def test_how_long_a_whole_order_takes(
    monkeypatch: pytest.MonkeyPatch,
    family: Family,
    held: dict[int, int],
    requests: Sequence[Mapping[int, int]],
    seconds: float,
) -> None:
    """Nothing is waited for but what the machine needs."""
    slept: list[float] = []
    sleep = asyncio.sleep

    async def note(delay: float) -> None:
        slept.append(delay)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", note)
    device = Device(FakeUnit(dict(held)), family, known={"rated_power": 8000})
    await device.write_words(requests)
    assert sum(delay for delay in slept if delay > 0) == pytest.approx(seconds, abs=0.2)


async def test_what_a_polls_read_brings_along_is_known(device: Device, unit: FakeUnit) -> None:
    """The mode and the ceiling are polled in one read with the share, which goes over the floor."""
    await device.poll(["mode", "share", "ceiling"])
    unit.requests.clear()
    await device.write_words([TIMES, FLOOR])
    assert unit.reads == [(10, 1), (30, 1), (10, 22)]
    assert (device.values["mode"], device.values["floor"]) == ("times", 25)


async def test_what_is_there_already_is_not_sent(device: Device, unit: FakeUnit) -> None:
    """Two of four are as they are to be; and when all are, it ends with the look."""
    unit.registers |= {21: 0x7F50, 31: 80}
    await device.write_words(ORDER)
    assert sent(unit) == [(30, 25), (10, 1)]
    unit.requests.clear()
    await device.write_words(ORDER)
    assert kinds(unit) == "R"


async def test_the_same_word_twice_is_sent_twice(device: Device, unit: FakeUnit) -> None:
    """The mode is home, and it is left and entered again: it holds in the end what it did."""
    await device.write_words([TIMES, SHARE, {10: 0}])
    assert sent(unit) == [(10, 1), (21, 0x7F50), (10, 0)]
    assert unit.registers == {**HELD, 21: 0x7F50}


async def test_a_word_without_a_meaning_is_written(device: Device, unit: FakeUnit) -> None:
    """It may be what was there before: a code that has no name, and a number out of its bounds."""
    await device.write_words([{31: 4}, {10: 9}])
    assert sent(unit) == [(31, 4), (10, 9)]
    assert device.values["mode"] is None


# ---------------------------------------------------------------------- what leaves no trace


async def test_it_cannot_be_undone_and_no_mode_is_remembered() -> None:
    """Whoever ordered it puts it back; the modes' memory is for those who write settings."""
    residue = Residue(key="mode", value="times", keys=("share",), run_from_here=True)
    kept: dict[str, Any] = {}
    device = Device(
        FakeUnit(dict(HELD)),
        replace(ONE_BY_ONE, residues=(residue,)),
        known={"rated_power": 6000},
        residues=ResidueMemory(kept),
    )
    await device.write_words(ORDER)
    assert device.last_changes == []
    assert kept == {}
    assert not device.must_release


async def test_what_was_broken_off_does_not_write_these_settings_any_more(unit: FakeUnit) -> None:
    """The share and the days lie in the word that was written; the floor is somebody else's."""
    stored: dict[str, Any] = {
        "steps": [
            {"before": {"days": [127], "floor": [20]}, "after": {"days": [1], "floor": [30]}},
            {"before": {"mode": [0]}, "after": {"mode": [1]}},
        ]
    }
    device = Device(unit, ONE_BY_ONE, known={"rated_power": 6000}, journal=Journal(stored))
    await device.write_words([SHARE, TIMES])
    assert stored["steps"] == [{"before": {"floor": [20]}, "after": {"floor": [30]}}]


class Watcher:
    """Notes what it is told, and how many requests there were by then."""

    def __init__(self, unit: FakeUnit) -> None:
        self.unit = unit
        self.told: list[tuple[str, list[str]]] = []

    def sending(self, keys: Collection[str]) -> None:
        """Note what is sent."""
        self.told.append((kinds(self.unit), sorted(keys)))

    def proved(self, changes: Sequence[AppliedChange]) -> None:
        """Note that something is said to be proved, which nothing is."""
        self.told.append(("proved", [change.key for change in changes]))


async def test_all_that_lies_on_a_changed_word_is_told_before_it_is_sent(unit: FakeUnit) -> None:
    """Both slots and the packed word; the ceiling is as it was."""
    device, watcher = device_of(unit), Watcher(unit)
    device.proofs.add_watcher(watcher)
    await device.write_words([{20: 0x0106}, {31: 90}, SHARE])
    assert watcher.told == [
        ("R", ["days", "share", "slot_1", "slot_2"]),
        # Each with its request.
        ("R", ["slot_1"]),
        ("RW", ["days"]),
    ]


async def test_own_change_is_not_reported_as_somebody_elses(device: Device, unit: FakeUnit) -> None:
    """What was ours in these words is nobody's; what was ours in others still is."""
    found: list[Found] = []
    ledger = SettingsLedger(device)
    ledger.add_listener(found.append)
    await device.write_steps([("slot_2", True), ("share", 60), ("ceiling", 95)])
    # The first slot is off, the second one stays as it is, and the days are others.
    await device.write_words([{20: 0x0106}, {21: 0x1F50}])
    ledger.compare()
    assert found == []
    assert ledger.fresh(["slot_2", "share", "ceiling"]) == {"ceiling"}
    unit.registers[31] = 70
    await device.poll(["ceiling", "share"])
    ledger.compare()
    assert [(one.key, one.ours, one.found) for one in found] == [("ceiling", 95, 70)]


async def test_other_bits_of_a_word_stay_as_they_were_read(device: Device, unit: FakeUnit) -> None:
    """The word of the slots has a bit that no setting is about."""
    words = await device.read_words([20])
    assert words == {20: 0x0105}
    await device.write_words([{20: words[20] & ~0x0001}])
    assert unit.registers[20] == 0x0104
    await device.write_words([words])
    assert unit.registers == HELD


# ---------------------------------------------------------------------- when it fails


async def test_a_refused_third_write_takes_all_back_in_reverse(
    device: Device, unit: FakeUnit
) -> None:
    """The fourth is not sent, and the one that was refused needs no way back."""
    unit.faults = deque([None] * 3 + [RejectedError(4, "register 31")])
    with pytest.raises(RejectedError) as caught:
        await device.write_words(ORDER)
    assert (caught.value.key, caught.value.address) == ("ceiling", 31)
    assert (caught.value.left, caught.value.unconfirmed) == ((), False)
    assert sent(unit) == [*DONE[:3], (30, 20), (21, 0x7F32)]
    assert unit.registers == HELD


async def test_thirty_words_go_back_in_one_request() -> None:
    """The mode is refused: the days, the table and the cap hold again what they did, in reverse."""
    unit = FakeUnit(dict(JSO_HELD), faults=deque([None] * 4 + [RejectedError(4, "register 142")]))
    device = Device(unit, replace(JSO, settle=0.0), known={"rated_power": 8000})
    with pytest.raises(RejectedError) as caught:
        await device.write_words(DISCHARGE)
    assert (caught.value.key, caught.value.left) == ("work_mode", ())
    assert unit.writes == [
        (143, (3000,)),
        (148, NEW),
        (146, (0x0041,)),
        (142, (0,)),
        (146, (0x00FF,)),
        (148, OLD),
        (143, (8000,)),
    ]
    assert unit.registers == JSO_HELD


async def test_an_ignored_write_is_sent_once_more(device: Device, unit: FakeUnit) -> None:
    """Only that one, and all are looked at again."""
    unit.meanwhile = at({2: ignoring(unit)})
    await device.write_words(ORDER)
    assert sent(unit) == [*DONE, (30, 25)]
    assert kinds(unit) == "RWWWWRWR"
    assert unit.registers == {**HELD, 21: 0x7F50, 30: 25, 31: 80, 10: 1}


async def test_a_write_that_is_ignored_twice_takes_all_back(device: Device, unit: FakeUnit) -> None:
    """The floor is not kept: the error is about it, and everything is as it was."""
    unit.meanwhile = at({2: ignoring(unit), 6: ignoring(unit)})
    with pytest.raises(NotAppliedError) as caught:
        await device.write_words(ORDER)
    error = caught.value
    assert (error.key, error.address, error.wanted, error.held) == ("floor", 30, 25, 20)
    assert (error.acknowledged, error.changed) == (True, False)
    assert (error.restored, error.left, error.unconfirmed) == (True, (), False)
    assert sent(unit) == [*DONE, (30, 25), (10, 0), (31, 90), (21, 0x7F32)]
    assert unit.registers == HELD


async def test_a_firmware_that_keeps_one_less_has_changed_it(
    device: Device, unit: FakeUnit
) -> None:
    """It holds neither what was written nor what was before, and then what was before."""

    async def less() -> None:
        unit.registers[30] = 24

    unit.meanwhile = at({5: less, 7: less})
    with pytest.raises(NotAppliedError) as caught:
        await device.write_words(ORDER)
    assert (caught.value.wanted, caught.value.held, caught.value.changed) == (25, 24, True)
    assert unit.registers == HELD


async def test_an_answer_that_is_lost_costs_nothing(device: Device, unit: FakeUnit) -> None:
    """The floor was written and nobody said so: that is seen when all are read back."""

    async def carry_out() -> None:
        unit.registers[30] = 25

    unit.meanwhile = at({2: carry_out})
    unit.faults = deque([None, None, LinkTimeout("no answer")])
    await device.write_words(ORDER)
    assert sent(unit) == DONE
    assert kinds(unit) == "RWWWWR"


async def test_a_write_that_is_lost_on_its_way_is_sent_once_more(
    device: Device, unit: FakeUnit
) -> None:
    """Behind the others, which are kept."""
    unit.faults = deque([None, None, LinkTimeout("no answer")])
    await device.write_words(ORDER)
    assert sent(unit) == [*DONE, (30, 25)]
    assert unit.registers == {**HELD, 21: 0x7F50, 30: 25, 31: 80, 10: 1}


async def test_a_busy_machine_is_asked_once_more_for_words(unit: FakeUnit) -> None:
    """After a while, and the order stays."""
    device = Device(unit, replace(ONE_BY_ONE, write_retry=frozenset({6})), known={})
    unit.faults = deque([None, None, RejectedError(6, "busy")])
    await device.write_words(ORDER)
    assert sent(unit) == [DONE[0], DONE[1], *DONE[1:]]


async def test_what_nobody_could_put_back_is_named(device: Device, unit: FakeUnit) -> None:
    """The link is gone for good behind the first write; what was never sent is not named."""

    async def close() -> None:
        raise LinkLost("closed")

    unit.meanwhile = at({2: close})
    unit.faults = deque([None, None, *[LinkTimeout("no answer")] * 9])
    with pytest.raises(LinkLost) as caught:
        await device.write_words(ORDER)
    assert (caught.value.left, caught.value.unconfirmed) == (("days",), True)
    assert unit.registers == {**HELD, 21: 0x7F50}


async def test_silence_behind_the_writes_leaves_all_unknown(device: Device, unit: FakeUnit) -> None:
    """All were sent, and none can be read back."""
    unit.faults = deque([*[None] * 5, *[LinkTimeout("no answer")] * 9])
    with pytest.raises(LinkTimeout) as caught:
        await device.write_words(ORDER)
    assert caught.value.left == ("mode", "ceiling", "floor", "days")
    assert caught.value.unconfirmed


async def test_silence_before_the_writes_sends_nothing(device: Device, unit: FakeUnit) -> None:
    """It is not even known what is there."""
    unit.fault = LinkTimeout("no answer")
    with pytest.raises(LinkTimeout) as caught:
        await device.write_words(ORDER)
    assert (caught.value.left, caught.value.unconfirmed) == ((), False)
    assert sent(unit) == []


# ---------------------------------------------------------------------- what is refused before


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({}, "no run"),
        # A register that the family does not know, and one that is only read.
        ({22: 1}, "register 22 is no setting"),
        ({50: 1}, "register 50 is no setting"),
        ({30: 25, 31: 80}, "too many"),
        ({20: 1, 30: 25}, "no run"),
    ],
)
async def test_what_no_wordscan_hold_is_refused(
    device: Device, unit: FakeUnit, words: dict[int, int], reason: str
) -> None:
    """Before anything is read, also when the requests before it are right."""
    with pytest.raises(ValueError, match=reason):
        await device.write_words([SHARE, words])
    with pytest.raises(ValueError, match=reason):
        device.check_budget([SHARE, words], Origin.PERSON)
    assert unit.requests == []


async def test_a_part_of_a_longer_value_is_refused() -> None:
    """The clock of the JSO lies in 62 to 64."""
    unit = FakeUnit()
    with pytest.raises(ValueError, match="register 62 is no setting of one word"):
        await Device(unit, JSO).write_words([{62: 1, 63: 2, 64: 3}])
    assert unit.requests == []


async def test_what_is_no_word_is_refused(device: Device, unit: FakeUnit) -> None:
    """A word has sixteen bits; the right one before it is not sent."""
    with pytest.raises(InvalidValueError):
        await device.write_words([SHARE, {30: 0x10000}])
    assert sent(unit) == []


# ---------------------------------------------------------------------- the budget


def budgeted(unit: FakeUnit, **limits: int) -> Device:
    """Return a device that may write each register so often a day."""
    wear = WearBudget(limits={Origin[name.upper()]: limit for name, limit in limits.items()})
    return Device(unit, ONE_BY_ONE, known={"rated_power": 6000}, wear=wear)


async def test_budget_is_checked_for_all_before_the_first_is_sent(unit: FakeUnit) -> None:
    """The last one is used up: none is written; by somebody with a larger budget, and to restore, all are."""
    device = budgeted(unit, automation=1, person=2)
    device.wear.count(["mode"], [10])
    with pytest.raises(WriteBudgetError) as caught:
        await device.write_words(ORDER, origin=Origin.AUTOMATION)
    error = caught.value
    assert (error.key, error.address, error.limit) == ("mode", 10, 1)
    assert (error.left, error.unconfirmed) == ((), False)
    assert kinds(unit) == "R"
    await device.write_words(ORDER)
    assert unit.registers[10] == 1
    with pytest.raises(WriteBudgetError):
        await device.write_words([{10: 0}])
    await device.write_words([{10: 0}], origin=Origin.RESTORE)
    assert unit.registers[10] == 0


async def test_what_is_there_already_needs_no_budget(unit: FakeUnit) -> None:
    """The mode was written as often as it may be, and stays."""
    device = budgeted(unit, person=1)
    device.wear.count(["mode"], [10])
    await device.write_words([{10: 0}, FLOOR])
    assert sent(unit) == [(30, 25)]


def test_budget_counts_every_wordson_a_register(unit: FakeUnit) -> None:
    """A start and a release are two writes of each; a third one is too many, and nothing is counted."""
    device = budgeted(unit, automation=2)
    device.check_budget([SHARE, FLOOR, FLOOR, SHARE], Origin.AUTOMATION)
    with pytest.raises(WriteBudgetError) as caught:
        device.check_budget([SHARE, FLOOR, {30: 26}, FLOOR], Origin.AUTOMATION)
    assert (caught.value.key, caught.value.address, caught.value.limit) == ("floor", 30, 2)
    device.wear.count(["share"], [21])
    device.check_budget([SHARE, FLOOR, FLOOR], Origin.AUTOMATION)
    with pytest.raises(WriteBudgetError) as caught:
        device.check_budget([FLOOR, SHARE, SHARE], Origin.AUTOMATION)
    # By the first setting of the word.
    assert (caught.value.key, caught.value.address) == ("days", 21)
    device.check_budget([SHARE] * 9, Origin.RESTORE)
    assert device.wear.registers == {21: 1}
    assert unit.requests == []


def test_writes_left_are_those_of_the_busiest_register(unit: FakeUnit) -> None:
    """Seventy for automations and eighty for people, less what was written today; never less than none."""
    device = device_of(unit)
    assert device.wear.left([10, 21], Origin.AUTOMATION) == 70
    for _ in range(75):
        device.wear.count(["mode"], [10])
    device.wear.count(["share"], [21])
    assert device.wear.left([10, 21], Origin.PERSON) == 5
    assert device.wear.left([10, 21], Origin.AUTOMATION) == 0
    assert device.wear.left([21], Origin.AUTOMATION) == 69
    assert device.wear.left([], Origin.AUTOMATION) == 70
    assert device.wear.left([10], Origin.RESTORE) > 1000


async def test_every_request_is_counted_with_all_that_it_carries() -> None:
    """Every register of the table, and the first setting of each word that was changed; the second try, too."""
    unit = FakeUnit(dict(JSO_HELD))
    unit.meanwhile = at({4: ignoring(unit)})
    device = Device(unit, replace(JSO, settle=0.0), known={"rated_power": 8000})
    await device.write_words(DISCHARGE)
    assert device.wear.registers == {
        143: 1,
        **dict.fromkeys(range(148, 178), 1),
        146: 1,
        142: 2,
    }
    assert device.wear.settings == {
        "max_sell_power": 1,
        # 02:00 instead of 01:00, 90 instead of 80 %, and the marks of two slots.
        "tou_slot_1_time": 1,
        "tou_slot_1_soc": 1,
        "tou_slot_1_grid_charge": 1,
        "tou_slot_2_grid_charge": 1,
        "tou_enabled": 1,
        "work_mode": 2,
    }


# ---------------------------------------------------------------------- when nobody waits for it any more


async def test_words_are_written_to_the_end_when_their_caller_is_cancelled(
    device: Device, unit: FakeUnit
) -> None:
    """Once begun they are carried out, and nobody else writes until then."""

    async def cancel() -> None:
        writing.cancel()

    unit.meanwhile = at({2: cancel})
    writing = asyncio.create_task(device.write_words(ORDER))
    with pytest.raises(asyncio.CancelledError):
        await writing
    await device.write("share", 70)
    assert sent(unit) == [*DONE, (21, 0x7F46)]


async def test_words_that_wait_are_not_written_when_their_caller_is_cancelled(
    device: Device, unit: FakeUnit
) -> None:
    """What has not begun is not written."""
    first = asyncio.create_task(device.write("ceiling", 95))
    second = asyncio.create_task(device.write_words(ORDER))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    await first
    await device.finish()
    assert sent(unit) == [(31, 95)]


# ---------------------------------------------------------------------- while somebody sees to the modes


async def test_nothing_is_left_behind_while_somebody_sees_to_it() -> None:
    """A mode that is over, and one that nobody runs any more; afterwards both are seen to again."""
    passive = Residue(key="mode", value="passive", keys=("share",), run_from_here=True)
    family = replace(
        ONE_BY_ONE,
        registers=table(row("mode", 10, Choice({0: "home", 3: "passive"})), row("share", 21)),
        prerequisites={},
        residues=(passive,),
    )
    unit = FakeUnit({10: 0, 21: 50})
    kept: dict[str, Any] = {}
    running: set[str] = set()
    device = Device(unit, family, residues=ResidueMemory(kept, running=running))
    await device.write("share", 80)
    await device.write("mode", "passive")
    running.clear()
    assert device.must_leave
    device.leased = frozenset({10})
    assert not device.must_leave
    unit.registers[10] = 0
    await device.poll(["mode"])
    assert not device.has_residue
    device.leased = frozenset()
    assert device.has_residue


async def test_an_orders_own_mode_is_not_noted_as_entered() -> None:
    """What was set for the mode before, and not entered, stays remembered as it was."""
    passive = Residue(key="mode", value="passive", keys=("share",), run_from_here=True)
    family = replace(
        ONE_BY_ONE,
        registers=table(row("mode", 10, Choice({0: "home", 3: "passive"})), row("share", 21)),
        prerequisites={},
        residues=(passive,),
    )
    unit = FakeUnit({10: 0, 21: 50})
    device = Device(unit, family, residues=ResidueMemory({}))
    await device.write("share", 80)
    device.leased = frozenset({10})
    await device.write_words([{10: 3}])
    await device.poll(["mode"])
    await device.write_words([{10: 0}])
    await device.poll(["mode"])
    device.leased = frozenset()
    assert not device.has_residue
