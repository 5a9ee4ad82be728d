"""Files below `.storage` that hold something else than we have stored: they cost nothing but themselves."""

from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE, Platform
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.hybrid_inverter.entry.json_store import JsonStore
from custom_components.hybrid_inverter.entry.stores import (
    CHANGES,
    FAULTS,
    JOURNALS,
    RESIDUES,
    WEAR,
)
from custom_components.hybrid_inverter.plant.plant import COUNTED
from simulator import SimulatedPlant

from .helpers import SERIAL, state, status

OTHER: Final = "JSO0000002"
# What each file holds of a machine.
SOUND: Final[dict[str, Any]] = {
    "wear": {"day": "2026-06-21", "registers": {"143": 2}, "settings": {"a": 2}, "total": 2},
    "residues": {"work_mode=passive": {"before": {"work_mode": [0]}, "in_force": True}},
    "changes": [
        {
            "when": "2026-06-21T10:00:00+00:00",
            "key": "tou_slot_2_time",
            "before": {"time": "04:00:00"},
            "after": {"time": "05:30:00"},
            "group": None,
            "in_order": False,
        }
    ],
    "faults": {"codes": {"fault": ["F23"]}, "outage": {"start": "2026-06-21", "end": None}},
}
SHAPES: Final = {"wear": WEAR, "residues": RESIDUES, "changes": CHANGES, "faults": FAULTS}
# Each in another way not what was stored.
UNSOUND: Final[dict[str, list[Any]]] = {
    "wear": [
        {},
        None,
        [],
        {**SOUND["wear"], "day": "yesterday"},
        {**SOUND["wear"], "registers": {"a": 1}},
        {**SOUND["wear"], "total": None},
    ],
    "residues": [
        None,
        [],
        {"work_mode=passive": None},
        {"work_mode=passive": {}},
        {"work_mode=passive": {"before": {"work_mode": 0}, "in_force": True}},
    ],
    "changes": [
        {},
        None,
        [None],
        [{**SOUND["changes"][0], "when": 0}],
        [{**SOUND["changes"][0], "after": {"time": "noon"}}],
    ],
    "faults": [None, [], {"codes": []}, {"outage": {"start": None}}],
}


def file_name(entry: MockConfigEntry, name: str) -> str:
    """Return the name of a file of an entry."""
    parts = ("faults", entry.entry_id) if name == "faults" else (entry.entry_id, name)
    return ".".join(("hybrid_inverter", *parts))


@pytest.mark.parametrize("name", list(SHAPES))
def test_what_is_stored_has_the_shape_that_is_asked_for(name: str) -> None:
    """Also with what a later version may add; a test of the literals in this file."""
    SHAPES[name](SOUND[name])
    if isinstance(SOUND[name], dict):
        SHAPES[name]({**SOUND[name], "more": {"before": {}, "in_force": False}})


@pytest.mark.parametrize(
    ("shape", "content"),
    [
        (WEAR, {"day": "2026-06-21", "registers": {}, "settings": {}, "total": 7}),
        (RESIDUES, {}),
        (RESIDUES, {"work_mode=passive": {"before": {}, "in_force": False}}),
        (CHANGES, []),
        (FAULTS, {"codes": {}, "outage": None}),
        (JOURNALS, {}),
        (COUNTED, {"day": "2026-06-21", "energies": {}, "counters": {}}),
        (COUNTED, {"day": "2026-06-21", "energies": {}, "counters": {"JSO0000001": {}}}),
    ],
)
def test_nothing_to_keep_is_sound(shape: vol.Schema, content: Any) -> None:
    """A machine that nobody has written to today, or a plant whose counters nobody has read yet."""
    shape(content)


@pytest.mark.parametrize(
    ("name", "content"), [(name, content) for name, some in UNSOUND.items() for content in some]
)
async def test_a_machine_of_which_something_else_is_stored_begins_anew(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    name: str,
    content: Any,
) -> None:
    """With one line, without the serial number; its entities are there, and what is stored of another machine stays."""
    key = file_name(entry, name)
    data = {SERIAL: content, OTHER: SOUND[name]}
    hass_storage[key] = {"version": 1, "minor_version": 1, "key": key, "data": data}
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert status(entry) is ConfigEntryState.LOADED
    assert state(hass, Platform.SENSOR, "battery_soc").state != STATE_UNAVAILABLE
    lines = [one.getMessage() for one in caplog.records if "begins anew" in one.getMessage()]
    assert len(lines) == 1
    assert lines[0].startswith(f"A part of {key} begins anew")
    assert SERIAL not in lines[0]


@pytest.mark.parametrize("name", list(SHAPES))
async def test_what_was_stored_of_another_machine_is_read(
    hass: HomeAssistant, hass_storage: dict[str, Any], name: str
) -> None:
    """The part that cannot be read costs no other one."""
    hass_storage[f"hybrid_inverter.{name}"] = {
        "version": 1,
        "minor_version": 1,
        "data": {SERIAL: 5, OTHER: SOUND[name]},
    }
    parts = await JsonStore(hass, name).async_load_parts(SHAPES[name])
    assert parts == {OTHER: SOUND[name]}
