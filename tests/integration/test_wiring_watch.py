"""What the doctor is told by polls, at no cost on the line; and what it tells: a sensor, and repairs that come and go."""

from collections.abc import Callable, Mapping
from dataclasses import replace
import math
import time
from typing import Any, Final

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.doctor.setup import feed_of
from custom_components.hybrid_inverter.doctor.terminals import completed
from custom_components.hybrid_inverter.doctor.watch import HouseWatch
from custom_components.hybrid_inverter.modbus.doctor.doctor import Doctor
from custom_components.hybrid_inverter.modbus.doctor.verdict import (
    Cause,
    Evidence,
    Finding,
    Suspicion,
    Verdict,
    verdict_of,
)
from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.runtime.issues import issue_id
from simulator import SimulatedPlant

from .helpers import SERIAL, find, load, network_entry, refresh, unit_of
from .test_entities_saj import set_up
from .test_repair_dialogs import Post, post  # noqa: F401 - a fixture

ENOUGH: Final = Evidence(20, 9, 1.0)
REVERSED: Final = Finding(Cause.CLAMP_REVERSED, ("l1", "l3"))
UNCOUNTED: Final = Finding(Cause.SOURCE_NOT_COUNTED)


def watch_of(entry: MockConfigEntry) -> HouseWatch:
    """Return what watches the house of the only device of an entry."""
    watch = feed_of(unit_of(entry)).watch
    assert watch is not None
    return watch


@pytest.fixture
def observed(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Value | None]]:
    """Return what is kept for the doctor, poll by poll."""
    told: list[dict[str, Value | None]] = []
    observe = HouseWatch.async_observe

    def note(self: HouseWatch, serial: str, values: Mapping[str, Value | None]) -> None:
        told.append(dict(values))
        observe(self, serial, values)

    monkeypatch.setattr(HouseWatch, "async_observe", note)
    return told


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what has the doctor say something else from now on."""
    said = [Verdict(verdict_of((), None, Evidence()).state)]

    def say(*suspicions: tuple[Finding, ...], evidence: Evidence = ENOUGH) -> None:
        found = tuple(Suspicion(SERIAL, causes) for causes in suspicions)
        said[0] = verdict_of(found, 120, evidence)

    monkeypatch.setattr(Doctor, "verdict_of", lambda *_: said[0])
    return say


def issues(hass: HomeAssistant) -> dict[str, ir.IssueEntry]:
    """Return the repairs about the wiring, by their kinds."""
    start = issue_id(SERIAL, "wiring_")
    return {
        known.removeprefix(start): issue
        for (domain, known), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN and known.startswith(start)
    }


# ---------------------------------------------------------------------- what polls bring


async def test_the_doctor_is_told_what_lies_in_the_reads_of_the_powers(
    loaded: MockConfigEntry, observed: list[dict[str, Value | None]], hass: HomeAssistant
) -> None:
    """The clamps and the inverter's own terminals, which no entity shows at first."""
    observed.clear()
    await refresh(hass, loaded, Group.POWER)
    (values,) = observed
    unit = unit_of(loaded)
    shown = unit.coordinators[Group.POWER].keys
    for phase in ("l1", "l2", "l3"):
        for key in (f"grid_{phase}_ct_power", f"grid_{phase}_internal_power"):
            assert key not in shown
            assert values[key] == unit.device.family.registers[key].decode(unit.device.image)
    assert values["inverter_power"] is not None
    assert values["battery_power"] is not None


async def test_the_doctor_looks_at_all_polls_in_their_order_with_the_next_verdict(
    hass: HomeAssistant, loaded: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And before an order, as a step of the battery from then on is its doing, and before the test of an owner."""
    watch = watch_of(loaded)
    watch.async_judge()
    seen: list[str | float] = []
    monkeypatch.setattr(
        Doctor, "observe", lambda _, member, *rest: seen.append(rest[1]["pv_power"])
    )
    monkeypatch.setattr(Doctor, "ordered", lambda _, member, time: seen.append("order"))
    monkeypatch.setattr(watch, "_judge_at", math.inf)
    for power in (1.0, 2.0):
        watch.async_observe(SERIAL, {"pv_power": power})
    assert seen == []
    watch.async_ordered(SERIAL)
    assert seen == [1.0, 2.0, "order"]
    watch.async_observe(SERIAL, {"pv_power": 3.0})
    monkeypatch.setattr(watch, "_judge_at", 0.0)
    watch.async_observe(SERIAL, {"pv_power": 4.0})
    assert seen == [1.0, 2.0, "order", 3.0, 4.0]
    monkeypatch.setattr(watch, "_judge_at", math.inf)
    watch.async_observe(SERIAL, {"pv_power": 5.0})
    watch.async_owner_test()
    assert seen[5:] == [5.0]


async def test_a_poll_that_the_doctor_fails_at_does_not_keep_the_rest_from_being_looked_at(
    loaded: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The defect is told where it is, and the polls behind it count with the next verdict."""
    watch = watch_of(loaded)
    watch.async_judge()
    seen: list[float] = []

    def observe(_self: Doctor, _serial: str, when: float, _values: Any) -> None:
        seen.append(when)
        if len(seen) == 1:
            raise RuntimeError("a defect")

    monkeypatch.setattr(Doctor, "observe", observe)
    monkeypatch.setattr(watch, "_judge_at", math.inf)
    for _ in range(3):
        watch.async_observe(SERIAL, {})
    with pytest.raises(RuntimeError):
        watch.async_judge()
    assert len(seen) == 1
    watch.async_judge()
    assert len(seen) == 3


@pytest.mark.parametrize("model", ["JSO8048104", "H2-6K-S2", "H2-10K-T2"])
async def test_nothing_is_read_for_the_doctor(
    hass: HomeAssistant,
    socket_enabled: None,
    quick_saj: None,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
) -> None:
    """With it and without it, the same requests for the same registers are sent."""
    sent: list[list[tuple[int, int]]] = []
    for is_told in (True, False):
        with monkeypatch.context() as patch:
            if not is_told:
                patch.setattr(
                    "custom_components.hybrid_inverter.doctor.setup.Feed.async_start",
                    lambda _: lambda: None,
                )
            async with SimulatedPlant(model=model) as plant:
                plant.advance(60)
                entry = await enter(hass, plant, model)
                machine = plant.machine()
                machine.reads.clear()
                for group in (Group.POWER, Group.ENERGY, Group.SETTINGS, Group.POWER):
                    await refresh(hass, entry, group)
                sent.append([(read.address, read.count) for read in machine.reads])
                assert await hass.config_entries.async_remove(entry.entry_id)
    told, untold = sent
    assert len(told) > 3
    assert told == untold


async def enter(hass: HomeAssistant, plant: SimulatedPlant, model: str) -> MockConfigEntry:
    """Set up an inverter of a model."""
    if model == "JSO8048104":
        return await load(hass, network_entry(plant.tcp_port), background=True)
    entry = await set_up(hass, plant.tcp_port)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


@pytest.mark.parametrize(
    ("values", "whole"),
    [
        # 900 less 400 and 300.
        ({"l1": 400, "l2": 300, "grid_internal_power": 900}, {"l3": 200}),
        ({"l1": 400, "l2": 300, "l3": 200}, {}),
        ({"l1": 400, "l2": None, "grid_internal_power": 900}, {"l3": None}),
        ({"l1": 400, "grid_internal_power": 900}, None),
        ({"l1": 400, "l2": 300}, None),
    ],
)
def test_the_only_phase_that_polls_do_not_bring_is_what_is_left_of_the_total(
    values: dict[str, Value | None], whole: dict[str, Value | None] | None
) -> None:
    """With two of them missing nobody knows which of them it is."""
    expected = None if whole is None else values | whole
    assert completed(values, ("l1", "l2", "l3")) == expected


@pytest.mark.parametrize(
    ("model", "group", "terminals"),
    [
        ("H2-6K-S2", Group.POWER, {"grid_l1_internal_power"}),
        ("H2-10K-T2", Group.ENERGY, {f"grid_l{phase}_internal_power" for phase in (1, 2, 3)}),
    ],
)
async def test_the_terminals_of_a_saj_are_told_with_the_poll_that_completes_them(
    hass: HomeAssistant,
    socket_enabled: None,
    quick_saj: None,
    observed: list[dict[str, Value | None]],
    model: str,
    group: Group,
    terminals: set[str],
) -> None:
    """With three phases that is the poll of the energies, once a minute, right behind one of the powers."""
    async with SimulatedPlant(model=model) as plant:
        plant.advance(60)
        entry = await enter(hass, plant, model)
        observed.clear()
        await refresh(hass, entry, Group.POWER)
        assert len(observed) == (group is Group.POWER)
        if group is not Group.POWER:
            await refresh(hass, entry, group)
        (values,) = observed
        measured = plant.machine().measured()
        for key in terminals:
            shown = values[key]
            assert isinstance(shown, int | float)
            assert shown == pytest.approx(measured[key], abs=2)
        assert await hass.config_entries.async_unload(entry.entry_id)


async def test_what_a_poll_has_not_brought_is_not_told_again(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    observed: list[dict[str, Value | None]],
    plant: SimulatedPlant,
) -> None:
    """A value of an earlier poll would pass for a new one."""
    await refresh(hass, loaded, Group.POWER)
    observed.clear()
    plant.machine().trouble.silent = True
    await refresh(hass, loaded, Group.POWER)
    assert observed == []


def test_a_read_that_was_not_answered_brings_nothing_along(loaded: MockConfigEntry) -> None:
    """Its words are those of an earlier poll; and what lies in no read is not there at all."""
    device = unit_of(loaded).device
    polled = unit_of(loaded).coordinators[Group.POWER].polled
    along = device.read_along({"grid_l1_ct_power", "bms_current"})
    assert set(along.values(polled, 0.0)) == {"grid_l1_ct_power"}
    assert set(along.values(polled, time.time() + 1)) == set()


# ---------------------------------------------------------------------- what it tells


def shown(hass: HomeAssistant) -> tuple[str, dict[str, Any]]:
    """Return what the sensor shows."""
    wiring = find(hass, Platform.SENSOR, "wiring")
    assert wiring is not None
    state = hass.states.get(wiring)
    assert state is not None
    return state.state, dict(state.attributes)


async def test_the_sensor_tells_the_cause_and_how_much_is_known(
    hass: HomeAssistant, loaded: MockConfigEntry, says: Callable[..., None]
) -> None:
    """Evidence first, then the cause; several causes are told as that."""
    assert shown(hass)[0] == "gathering"
    says(evidence=Evidence(5, 2, 0.5))
    watch_of(loaded).async_judge()
    state, attributes = shown(hass)
    assert (state, attributes["evidence"], attributes["steps"]) == ("gathering", 50, 2)
    says()
    watch_of(loaded).async_judge()
    assert shown(hass)[0] == "right"
    says((REVERSED,))
    watch_of(loaded).async_judge()
    state, attributes = shown(hass)
    assert state == "clamp_reversed"
    assert attributes["causes"] == [
        {"cause": "clamp_reversed", "places": ["l1", "l3"], "ratio": None}
    ]
    says((REVERSED,), (Finding(Cause.STRING_DEAD, ("pv2",)),))
    watch_of(loaded).async_judge()
    assert shown(hass)[0] == "several"
    says((REVERSED, UNCOUNTED))
    watch_of(loaded).async_judge()
    assert shown(hass)[0] == "unsure"


async def test_a_repair_says_what_to_check_and_goes_when_it_is_right(
    hass: HomeAssistant, loaded: MockConfigEntry, says: Callable[..., None]
) -> None:
    """It names the clamps and the page of the manual; after a start it stays until something is known again."""
    says((REVERSED,))
    watch_of(loaded).async_judge()
    assert set(issues(hass)) == {"clamp_reversed_l1_l3"}
    placeholders = issues(hass)["clamp_reversed_l1_l3"].translation_placeholders
    assert placeholders is not None
    assert placeholders["name"] == "JSO8048104"
    assert placeholders["places"] == "L1, L3"
    assert "3.6 *CT Connection*" in placeholders["manual"]
    says(evidence=Evidence())
    HouseWatch(hass, watch_of(loaded).house).async_judge()
    assert set(issues(hass)) == {"clamp_reversed_l1_l3"}
    says((Finding(Cause.CLAMP_RATIO, ("l1", "l2", "l3"), 2.0),))
    watch_of(loaded).async_judge()
    assert set(issues(hass)) == {"clamp_ratio_l1_l2_l3"}
    says()
    watch_of(loaded).async_judge()
    assert issues(hass) == {}


async def test_a_repair_does_not_wait_for_what_is_unknown_of_the_rest(
    hass: HomeAssistant, loaded: MockConfigEntry, says: Callable[..., None]
) -> None:
    """A string gives power again, while the clamps have not seen anything yet and perhaps never will."""
    says((Finding(Cause.STRING_DEAD, ("pv2",)),), evidence=Evidence())
    watch_of(loaded).async_judge()
    assert set(issues(hass)) == {"string_dead_pv2"}
    says(evidence=Evidence())
    watch_of(loaded).async_judge()
    assert issues(hass) == {}


async def test_a_string_that_was_dead_before_a_restart_is_known_to_be_one(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    says: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An input that has not given anything since could as well be one that nothing is connected to."""
    says((Finding(Cause.STRING_DEAD, ("pv2",)),))
    watch_of(loaded).async_judge()
    recalled: list[tuple[str, tuple[str, ...]]] = []
    monkeypatch.setattr(
        Doctor, "recall", lambda _, member, places: recalled.append((member, places))
    )
    HouseWatch(hass, watch_of(loaded).house)
    assert recalled == [(SERIAL, ("pv2",))]


async def test_a_repair_of_clamps_goes_where_nobody_judges_them_any_more(
    hass: HomeAssistant, loaded: MockConfigEntry, says: Callable[..., None]
) -> None:
    """A second inverter has come, and nobody has said which of them has the clamps; a dead string is still one."""
    says((REVERSED,), (Finding(Cause.STRING_DEAD, ("pv2",)),))
    watch = watch_of(loaded)
    watch.async_judge()
    assert set(issues(hass)) == {"clamp_reversed_l1_l3", "string_dead_pv2"}
    (member,) = watch.house.members
    HouseWatch(hass, replace(watch.house, members=(replace(member, sees_grid=False),)))
    assert set(issues(hass)) == {"string_dead_pv2"}


async def test_all_repairs_go_where_no_doctor_looks_at_the_device_any_more(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    says: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As at a meter that has become that of a part of the house."""
    says((REVERSED,), (Finding(Cause.STRING_DEAD, ("pv2",)),))
    watch_of(loaded).async_judge()
    assert len(issues(hass)) == 2
    monkeypatch.setattr(
        "custom_components.hybrid_inverter.doctor.watch.async_house_of", lambda *_: None
    )
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert issues(hass) == {}


async def test_an_ignored_repair_stays_ignored(
    hass: HomeAssistant, loaded: MockConfigEntry, says: Callable[..., None]
) -> None:
    """Also when it is right for a while."""
    says((REVERSED,))
    watch_of(loaded).async_judge()
    kind = issue_id(SERIAL, "wiring_clamp_reversed", "l1_l3")
    ir.async_ignore_issue(hass, DOMAIN, kind, ignore=True)
    says()
    watch_of(loaded).async_judge()
    says((REVERSED,))
    watch_of(loaded).async_judge()
    assert issues(hass)["clamp_reversed_l1_l3"].dismissed_version is not None


@pytest.mark.parametrize(
    ("second", "told"), [(Cause.SOURCE_NOT_COUNTED, True), (Cause.NO_LOAD_BEFORE, False)]
)
async def test_two_causes_are_told_when_they_stay_and_one_of_them_is_a_mistake(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    says: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    second: Cause,
    told: bool,
) -> None:
    """For an hour they may become one; a house without loads in front of the inverter is no mistake."""
    now = [1000.0]
    monkeypatch.setattr("custom_components.hybrid_inverter.doctor.issues.monotonic", lambda: now[0])
    says((REVERSED, Finding(second)))
    watch_of(loaded).async_judge()
    assert issues(hass) == {}
    now[0] += 3600
    watch_of(loaded).async_judge()
    assert set(issues(hass)) == ({f"unsure_clamp_reversed_{second}"} if told else set())
    if told:
        (issue,) = issues(hass).values()
        assert issue.is_fixable
        assert issue.translation_placeholders is not None
        assert issue.translation_placeholders["first"] == "Grid clamp reversed (L1, L3)"
        assert issue.translation_placeholders["second"] == "Unmeasured power source"


async def test_the_evidence_survives_a_reload_of_the_entry(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """It takes hours; what belongs to a house of other devices begins anew."""
    before = watch_of(loaded)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert watch_of(loaded) is before


async def test_the_repair_of_two_causes_starts_the_test(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    says: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    post: Post,  # noqa: F811 - a fixture
) -> None:
    """And says why, where the test cannot begin."""
    now = [1000.0]
    monkeypatch.setattr("custom_components.hybrid_inverter.doctor.issues.monotonic", lambda: now[0])
    says((REVERSED, UNCOUNTED))
    for _ in range(2):
        watch_of(loaded).async_judge()
        now[0] += 3600
    (issue,) = (one.issue_id for one in issues(hass).values())
    watch_of(loaded).is_tested = True
    form = await post("", {"handler": DOMAIN, "issue_id": issue})
    assert (form["type"], form["step_id"]) == ("form", "confirm")
    refused = await post(f"/{form['flow_id']}", {})
    assert refused["errors"] == {"base": "not_started"}
    assert "is being tested already" in refused["description_placeholders"]["error"]
