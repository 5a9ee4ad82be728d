"""Files below `.storage` as they are on the disk: unreadable ones, and a disk that takes nothing."""

from collections.abc import Iterator
import json
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers.storage import Store
import pytest
import voluptuous as vol

from custom_components.hybrid_inverter.entry.json_store import JsonStore
from custom_components.hybrid_inverter.plant.plant import COUNTED

NAME: Final = "hybrid_inverter.some"
SHAPE: Final = vol.Schema({str: int})
CONTENT: Final = {"JSO0000001": 2}


# As they are before a test puts others in their place.
ON_DISK: Final = {name: getattr(Store, name) for name in ("_async_load", "_async_write_data")}


@pytest.fixture(autouse=True)
def _real_files(
    hass: HomeAssistant,
    _no_files_of_this_computer: None,
    tmp_path: Path,
) -> Iterator[None]:
    """Let Home Assistant have a folder of its own, instead of files that are not really there."""
    hass.config.config_dir = str(tmp_path)
    with patch.multiple(Store, **ON_DISK):
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of the files."""
    folder = tmp_path / ".storage"
    folder.mkdir()
    return folder


def files_in(folder: Path) -> list[Path]:
    """Return the files that are there."""
    return list(folder.iterdir())


@pytest.mark.parametrize(
    "content",
    [
        {"version": 2, "minor_version": 1, "data": CONTENT},
        {"version": 0, "minor_version": 1, "data": CONTENT},
        {"version": 1, "minor_version": 1, "data": []},
        {"version": 1, "minor_version": 1, "data": "gone"},
        {"version": 1, "minor_version": 1, "data": {"JSO0000001": "2"}},
        {"version": 1},
        {"data": CONTENT},
        [],
        [1, 2],
        None,
        7,
        "gone",
    ],
)
async def test_a_file_that_cannot_be_read_is_kept_beside_the_new_one(
    hass: HomeAssistant, folder: Path, caplog: pytest.LogCaptureFixture, content: Any
) -> None:
    """Of another version, or of another shape: one line, and the next save makes a new one."""
    text = json.dumps(content)
    (folder / NAME).write_text(text, encoding="utf-8")
    store = JsonStore(hass, "some")
    assert await store.async_load(SHAPE) == {}
    (aside,) = files_in(folder)
    assert aside.name.startswith(f"{NAME}.unreadable.")
    assert aside.read_text(encoding="utf-8") == text
    assert caplog.text.count("begins anew") == 1
    assert "JSO0000001" not in caplog.text
    await store.async_save(CONTENT)
    assert await JsonStore(hass, "some").async_load(SHAPE) == CONTENT


@pytest.mark.parametrize("text", ["", "{", "\0\0\0", '{"version": 1, "data": {"JSO'])
async def test_a_file_that_was_cut_off_begins_anew(
    hass: HomeAssistant, folder: Path, text: str
) -> None:
    """Home Assistant itself tells it, and keeps it."""
    (folder / NAME).write_text(text, encoding="utf-8")
    assert await JsonStore(hass, "some").async_load(SHAPE) == {}
    (aside,) = files_in(folder)
    assert ".corrupt." in aside.name


async def test_a_file_of_a_newer_minor_version_is_read(hass: HomeAssistant, folder: Path) -> None:
    """It has only more than this version knows."""
    content = {"version": 1, "minor_version": 2, "data": CONTENT}
    (folder / NAME).write_text(json.dumps(content), encoding="utf-8")
    assert await JsonStore(hass, "some").async_load(SHAPE) == CONTENT


@pytest.mark.parametrize("content", [{}, {"day": "2026-06-21", "energies": {"a": [1]}}, {"day": 1}])
async def test_the_sums_of_a_plant_begin_anew_when_something_else_is_stored(
    hass: HomeAssistant, folder: Path, content: Any
) -> None:
    """Without a day, or with a sum that has too few numbers."""
    stored = {"version": 1, "minor_version": 1, "data": content}
    (folder / NAME).write_text(json.dumps(stored), encoding="utf-8")
    assert await JsonStore(hass, "some").async_load(COUNTED) == {}


@pytest.mark.parametrize("durable", [False, True])
async def test_a_save_that_the_disk_did_not_take_is_noticed(
    hass: HomeAssistant, folder: Path, durable: bool
) -> None:
    """Home Assistant logs it and goes on; what was stored before is still there."""
    store = JsonStore(hass, "some", durable=durable)
    assert await store.async_save_proved(CONTENT)
    (folder / NAME).unlink()
    # Nothing can be put in the place of a folder.
    (folder / NAME).mkdir()
    assert not await store.async_save_proved({"JSO0000001": 3})
    (folder / NAME).rmdir()
    assert await store.async_save_proved({"JSO0000001": 4})


async def test_while_home_assistant_stops_it_is_written_at_once_too(
    hass: HomeAssistant, folder: Path
) -> None:
    """Home Assistant writes at the very end, before which it may be killed; what it writes then is the same."""
    hass.set_state(CoreState.stopping)
    store = JsonStore(hass, "some", durable=True)
    assert await store.async_save_proved(CONTENT)
    assert files_in(folder) == [folder / NAME]
    written = json.loads((folder / NAME).read_text())
    hass.set_state(CoreState.final_write)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    assert json.loads((folder / NAME).read_text()) == written
    assert written["data"] == CONTENT


async def test_a_disk_that_takes_nothing_while_home_assistant_stops_is_noticed(
    hass: HomeAssistant, folder: Path
) -> None:
    """Then nothing may rest on it either."""
    hass.set_state(CoreState.stopping)
    (folder / NAME).mkdir()
    assert not await JsonStore(hass, "some").async_save_proved(CONTENT)
