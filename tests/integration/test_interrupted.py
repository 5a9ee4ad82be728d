"""A schedule that is broken off by a crash, a reload, a stop or a lost link: whole in the end, and a person is told."""

import asyncio
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final

from homeassistant.const import ATTR_DEVICE_ID, EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.runtime.issues import machine_tag
from simulator import SimulatedPlant

from .helpers import network_entry, refresh, unit_of
from .test_schedule_windows import (
    CHARGE_1,
    CHARGE_MASK,
    DISCHARGE_1,
    DISCHARGE_MASK,
    EVENING,
    NIGHT,
    SERIAL,
    act,
    set_up,
)

# 31 % of 6000 W, and an evening that is half an hour longer.
OTHERS: Final = [{**NIGHT, "power": 1860}, {**EVENING, "end": "21:00"}]
# What the machine holds of both slots and their switches, before and after.
WORDS: Final = (
    CHARGE_MASK,
    DISCHARGE_MASK,
    *range(CHARGE_1, CHARGE_1 + 3),
    *range(DISCHARGE_1, DISCHARGE_1 + 3),
)
BEFORE: Final = [1, 1, 0x0100, 0x0500, 0x7F1E, 0x1200, 0x141E, 0x1F32]
AFTER: Final = [1, 1, 0x0100, 0x0500, 0x7F1F, 0x1200, 0x1500, 0x1F32]

# What is stored of the change of one slot.
STEPS: Final = [
    {"before": {"charge_slot_1_enabled": [1]}, "after": {"charge_slot_1_enabled": [0]}},
    {"before": {"charge_slot_1_power": [30]}, "after": {"charge_slot_1_power": [31]}},
    {"before": {"charge_slot_1_enabled": [0]}, "after": {"charge_slot_1_enabled": [1]}},
]


def held(plant: SimulatedPlant) -> list[int]:
    """Return the words of both slots and their switches."""
    return [plant.machine().word(address) for address in WORDS]


def issues(hass: HomeAssistant) -> set[str]:
    """Return the kinds of the issues about broken off changes."""
    kinds = ("change_finished", "change_put_back", "change_left")
    registry = ir.async_get(hass)
    return {
        kind for kind in kinds if registry.async_get_issue(DOMAIN, f"{machine_tag(SERIAL)}_{kind}")
    }


def hold(plant: SimulatedPlant, words: list[int]) -> None:
    """Have the machine hold these words."""
    for address, word in zip(WORDS, words, strict=True):
        plant.machine().panel_change(address, word)


@pytest.fixture
async def scheduled(
    hass: HomeAssistant, saj: SimulatedPlant, monkeypatch: pytest.MonkeyPatch
) -> MockConfigEntry:
    """Return the entry of a machine that holds two windows, and that nobody waits for when it is unloaded."""
    monkeypatch.setattr("custom_components.hybrid_inverter.runtime.machine.RELEASE_SECONDS", 0)
    hold(saj, BEFORE)
    return await set_up(hass, saj, "discharge_slots")


# ---------------------------------------------------------------------- after a crash


@pytest.mark.parametrize(
    ("words", "written"),
    [
        # Before the first of three requests, and after each of them.
        pytest.param((1, 0x7F1E), 3, id="before the first"),
        pytest.param((0, 0x7F1E), 2, id="after the first"),
        pytest.param((0, 0x7F1F), 1, id="after the second"),
        pytest.param((1, 0x7F1F), 0, id="after the last"),
    ],
)
async def test_a_schedule_that_a_crash_has_broken_off_is_finished_at_the_next_start(
    hass: HomeAssistant,
    *,
    saj: SimulatedPlant,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    words: tuple[int, int],
    written: int,
) -> None:
    """Just what was missing is written; a repair, an event and the log say so, and one undo takes all of it back."""
    hold(saj, BEFORE)
    mask, share = words
    saj.machine().panel_change(CHARGE_MASK, mask)
    saj.machine().panel_change(CHARGE_1 + 2, share)
    events = async_capture_events(hass, f"{DOMAIN}_change_resumed")
    entry = await set_up_after_a_crash(hass, saj, hass_storage, STEPS)
    assert held(saj) == [1, 1, 0x0100, 0x0500, 0x7F1F, 0x1200, 0x141E, 0x1F32]
    assert len(saj.machine().writes) == written
    assert issues(hass) == {"change_finished"}
    assert [event.data for event in events] == [
        {
            "device_id": unit_of(entry).device_id,
            "name": "H2-6K-S2",
            "settings": ["charge_slot_1_enabled", "charge_slot_1_power"],
            "outcome": "finished",
            "changed_elsewhere": [],
        }
    ]
    assert "H2-6K-S2: a change of Schedule was interrupted, and is finished" in caplog.text
    await hass.services.async_call(
        DOMAIN,
        "undo_last_change",
        {ATTR_DEVICE_ID: unit_of(entry).device_id},
        blocking=True,
    )
    assert held(saj) == BEFORE
    assert hass_storage[f"{DOMAIN}.{entry.entry_id}.interrupted"]["data"] == {SERIAL: {"steps": []}}


async def test_what_was_changed_at_the_panel_meanwhile_stays(
    hass: HomeAssistant, saj: SimulatedPlant, hass_storage: dict[str, Any]
) -> None:
    """Somebody has given the slot 50 % while it was off: it is switched on again, as it was, and keeps that."""
    hold(saj, BEFORE)
    saj.machine().panel_change(CHARGE_MASK, 0)
    saj.machine().panel_change(CHARGE_1 + 2, 0x7F32)
    await set_up_after_a_crash(hass, saj, hass_storage, STEPS)
    assert held(saj) == [1, 1, 0x0100, 0x0500, 0x7F32, 0x1200, 0x141E, 0x1F32]
    assert issues(hass) == {"change_put_back"}


async def test_what_the_machine_does_not_keep_is_put_back(
    hass: HomeAssistant, saj: SimulatedPlant, hass_storage: dict[str, Any]
) -> None:
    """The slot acts again as it did."""
    hold(saj, BEFORE)
    saj.machine().panel_change(CHARGE_MASK, 0)
    saj.machine().trouble.ignored_writes = frozenset({CHARGE_1 + 2})
    await set_up_after_a_crash(hass, saj, hass_storage, STEPS)
    assert held(saj) == BEFORE
    assert issues(hass) == {"change_put_back"}


@pytest.mark.parametrize(
    "stored",
    [{}, None, [], {"steps": None}, {"steps": [{"before": {}}]}, {"steps": [1]}],
    ids=str,
)
async def test_a_file_of_another_shape_begins_anew(
    hass: HomeAssistant, saj: SimulatedPlant, hass_storage: dict[str, Any], stored: Any
) -> None:
    """Nothing is written for it, and the entry is set up."""
    hold(saj, BEFORE)
    entry = await set_up_after_a_crash(hass, saj, hass_storage, stored, whole=True)
    assert saj.machine().writes == []
    assert issues(hass) == set()
    await act(hass, entry, "set_schedule", windows=OTHERS)
    assert held(saj) == AFTER


async def set_up_after_a_crash(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    storage: dict[str, Any],
    steps: Any,
    *,
    whole: bool = False,
) -> MockConfigEntry:
    """Return the entry of a machine for which this is stored, set up."""
    entry_id = "01JZ0000000000000000000000"
    key = f"{DOMAIN}.{entry_id}.interrupted"
    content = deepcopy(steps) if whole else {"steps": deepcopy(steps)}
    storage[key] = {"version": 1, "minor_version": 1, "key": key, "data": {SERIAL: content}}
    entry = await set_up(hass, plant, "discharge_slots", entry_id=entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


# ---------------------------------------------------------------------- while Home Assistant runs


def interrupt(plant: SimulatedPlant, writes: int, happens: Callable[[], Any]) -> None:
    """Have something happen with the write after so many, which is carried out; nobody gets an answer from then on."""
    machine = plant.machine()
    respond, left = machine.respond, writes

    def interrupted(pdu: bytes) -> bytes | None:
        nonlocal left
        answer = respond(pdu)
        if pdu[0] != 6:
            return answer
        left -= 1
        if left >= 0:
            return answer
        machine.respond = respond  # type: ignore[method-assign]
        machine.trouble.silent = True
        happens()
        return None

    machine.respond = interrupted  # type: ignore[method-assign]


@pytest.mark.parametrize("writes", range(6))
async def test_a_reload_in_the_middle_costs_nothing(
    hass: HomeAssistant, saj: SimulatedPlant, scheduled: MockConfigEntry, writes: int
) -> None:
    """The caller is told that it goes on; when the entry is loaded again, the machine holds what was asked for."""
    unloading: list[asyncio.Task[bool]] = []

    def unload() -> None:
        task = hass.async_create_task(hass.config_entries.async_unload(scheduled.entry_id))
        unloading.append(task)

    interrupt(saj, writes, unload)
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, scheduled, "set_schedule", windows=OTHERS)
    assert caught.value.translation_key == "interrupted"
    assert await unloading[0]
    await start_again(hass, saj, scheduled)
    assert held(saj) == AFTER
    assert issues(hass) == {"change_finished"}


async def start_again(hass: HomeAssistant, plant: SimulatedPlant, entry: MockConfigEntry) -> None:
    """Set an entry up again whose machine answers again."""
    plant.machine().trouble.silent = False
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_an_orderly_stop_in_the_middle_costs_one_slot_until_the_next_start(
    hass: HomeAssistant, saj: SimulatedPlant, scheduled: MockConfigEntry
) -> None:
    """The evening acts as it did while the night changes; after the next start both are as wanted."""
    interrupt(saj, 1, lambda: hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP))
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, scheduled, "set_schedule", windows=OTHERS)
    assert caught.value.translation_key == "interrupted"
    placeholders = caught.value.translation_placeholders
    assert placeholders is not None
    assert "" not in placeholders.values()
    assert held(saj) == [0, 1, 0x0100, 0x0500, 0x7F1F, 0x1200, 0x141E, 0x1F32]
    assert await hass.config_entries.async_unload(scheduled.entry_id)
    await start_again(hass, saj, scheduled)
    assert held(saj) == AFTER
    assert issues(hass) == {"change_finished"}


async def test_a_link_that_is_lost_and_comes_back_finishes_it(
    hass: HomeAssistant, saj: SimulatedPlant, scheduled: MockConfigEntry
) -> None:
    """The next poll of the settings that is answered goes on."""
    interrupt(saj, 2, saj.tcp.drop_connections)
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, scheduled, "set_schedule", windows=OTHERS)
    assert caught.value.translation_key == "interrupted"
    assert issues(hass) == set()
    saj.machine().trouble.silent = False
    await refresh(hass, scheduled, Group.POWER)
    await refresh(hass, scheduled, Group.SETTINGS)
    assert held(saj) == AFTER
    assert issues(hass) == {"change_finished"}


async def test_at_no_time_do_more_slots_than_one_not_act(
    hass: HomeAssistant, saj: SimulatedPlant, scheduled: MockConfigEntry
) -> None:
    """Both windows change: one of them acts all the time, and a window that stays always does."""
    writes: list[int] = []
    machine = saj.machine()
    respond = machine.respond

    def watched(pdu: bytes) -> bytes | None:
        answer = respond(pdu)
        if pdu[0] == 6:
            writes.append(machine.word(CHARGE_MASK) + machine.word(DISCHARGE_MASK))
        return answer

    machine.respond = watched  # type: ignore[method-assign]
    await act(hass, scheduled, "set_schedule", windows=OTHERS)
    assert held(saj) == AFTER
    assert writes == [1, 1, 2, 1, 1, 2]


async def test_table_and_days_are_finished_together(
    hass: HomeAssistant, plant: SimulatedPlant, hass_storage: dict[str, Any]
) -> None:
    """A JSO takes its table in one request and its days in another: killed between the two."""
    entry_id = "01JZ0000000000000000000000"
    key = f"{DOMAIN}.{entry_id}.interrupted"
    steps = [
        {"before": {"tou_slot_1_power": [5000]}, "after": {"tou_slot_1_power": [4000]}},
        {"before": {"tou_enabled": [1]}, "after": {"tou_enabled": [0]}},
    ]
    hass_storage[key] = {
        "version": 1,
        "minor_version": 1,
        "key": key,
        "data": {"JSO0000001": {"steps": steps}},
    }
    plant.machine().panel_change(154, 4000)
    entry = network_entry(plant.tcp_port, entry_id=entry_id)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert plant.machine().word(154) == 4000
    assert plant.machine().word(146) == 0x00FE
    assert ir.async_get(hass).async_get_issue(DOMAIN, "be5729_change_finished")
