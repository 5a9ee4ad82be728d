"""An order is stored with registers that cannot be written here: by another version, or by hand. All others are put back."""

from contextlib import suppress
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady, ServiceValidationError
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.runtime.machine import Machine

from .dying import Died
from .helpers import status
from .test_control_actions import MORNING
from .test_control_life import (
    CHARGE,
    HOLD,
    Home,
    home,  # noqa: F401 - a fixture
    make_home,  # noqa: F401 - a fixture
    stop,
    windows,  # noqa: F401 - a fixture
)
from .test_control_repairs import GIVEN_UP
from .test_removed_units import STATES, not_set_up, remove, take_out
from .test_stores import file_name

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("few_entities", "in_berlin"),
]

# None of either family; the state of charge of the battery, of a JSO and of a SAJ; the first word of a JSO's clock.
ADDRESSES: Final = (60000, 588, 0x406F, 62)
# What is logged of them, but for the device.
TOLD: Final = "stay as an order has left them"


def add(storage: dict[str, Any]) -> None:
    """Have the stored order rest on such registers, too."""
    (key,) = [key for key in storage if key.endswith(".control")]
    (part,) = storage[key]["data"].values()
    for name in {"before", "after", "former"} & part.keys():
        part[name] |= {str(address): 7 if name == "before" else 8 for address in ADDRESSES}


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged of them."""
    return [one.getMessage() for one in caplog.records if TOLD in one.getMessage()]


@pytest.mark.parametrize("minutes", [5, 120])
async def test_an_order_with_unknown_registers_goes_on_and_ends(
    home: Home,  # noqa: F811 - a fixture
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    minutes: int,
) -> None:
    """At its time, or at the start if it is over by then; one line tells what the owner had set there."""
    await home.order(**HOLD)
    await home.life.end(home.entry)
    add(hass_storage)
    home.freezer.tick(timedelta(minutes=minutes))
    await home.life.begin(home.entry)
    await home.wait(65)
    assert home.words == home.before
    assert home.happened == (
        ["started", "adopted_at_start", "ended"]
        if minutes == 5
        else ["started", "restored_at_start"]
    )
    assert home.issues == ({"put_back"} if minutes == 120 else set())
    (line,) = lines(caplog)
    assert line.endswith("{62: 7, 588: 7, 16495: 7, 60000: 7}")
    await home.order(**HOLD)
    await home.restart()
    assert len(lines(caplog)) == 1


async def test_an_order_with_unknown_registers_that_was_broken_off_is_put_back(
    home: Home,  # noqa: F811 - a fixture
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After two writes of its start."""
    home.life.die_after(2)
    with suppress(Died):
        await home.order(**CHARGE)
    await home.life.end(home.entry)
    assert home.words != home.before
    add(hass_storage)
    await home.life.begin(home.entry)
    await home.wait(5)
    assert home.words == home.before
    assert len(lines(caplog)) == 1


async def test_an_order_with_unknown_registers_is_put_back_when_its_entry_is_removed(
    home: Home,  # noqa: F811 - a fixture
    hass_storage: dict[str, Any],
) -> None:
    """Although it is disabled by then."""
    await home.order(**CHARGE)
    home.plant.machine().trouble.locked = True
    await home.hass.config_entries.async_set_disabled_by(
        home.entry.entry_id, ConfigEntryDisabler.USER
    )
    home.plant.machine().trouble.locked = False
    add(hass_storage)
    assert home.words != home.before
    await home.hass.config_entries.async_remove(home.entry.entry_id)
    assert home.words == home.before
    assert home.issues == set()


async def test_registers_that_are_all_unknown_leave_nothing_to_put_back(
    home: Home,  # noqa: F811 - a fixture
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing is written, and nothing is left in the file."""
    await home.order(**HOLD)
    await home.release()
    arrived = home.writes
    await home.life.end(home.entry)
    (key,) = [key for key in hass_storage if key.endswith(".control")]
    words: dict[str, Any] = {"leases": [], "ending": [], "after": {}}
    hass_storage[key]["data"] = {home.serial: words}
    add(hass_storage)
    await home.life.begin(home.entry)
    await home.wait(2)
    assert (home.writes, home.words, home.issues) == (arrived, home.before, set())
    assert hass_storage[key]["data"] == {home.serial: {}}
    (line,) = lines(caplog)
    assert line.endswith("{62: None, 588: None, 16495: None, 60000: None}")


def lose_feature(one: Home) -> None:
    """Have nobody know that a SAJ has discharge slots, as if it had been busy whenever it was asked."""
    (subentry,) = one.entry.subentries.values()
    identity = dict(subentry.data["identity"])
    identity["features"] = [name for name in identity["features"] if name != "discharge_slots"]
    one.hass.config_entries.async_update_subentry(
        one.entry, subentry, data={**subentry.data, "identity": identity}
    )


async def is_busy(_machine: Machine) -> frozenset[str]:
    """Tell of no feature."""
    return frozenset()


async def test_what_only_a_feature_can_write_is_kept_until_it_is_found(
    hass: HomeAssistant,
    windows: Home,  # noqa: F811 - a fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A SAJ that is asked for its discharge slots while it is busy tells later that it has them; the order is over by then."""
    await windows.order(mode="discharge", power=1000, target_soc=30, duration=5)
    await windows.life.end(windows.entry)
    windows.freezer.tick(600)
    lose_feature(windows)
    with monkeypatch.context() as busy:
        busy.setattr(Machine, "async_discover", is_busy)
        await windows.life.begin(windows.entry)
        await windows.wait(2)
    assert await hass.config_entries.async_reload(windows.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await windows.wait(70)
    assert windows.words == windows.before


async def begin_without_feature(one: Home) -> None:
    """Have a discharge in force whose slots cannot be written when Home Assistant starts again."""
    await one.order(mode="discharge", power=1000, target_soc=30, duration=50)
    await one.life.end(one.entry)
    lose_feature(one)
    await one.life.begin(one.entry)


# The switches of the slots that discharge, and the first one: 10:01 until 10:52, 11 % on all days.
DISCHARGE_SLOTS: Final = {0x3605: 64, 0x362D: 2561, 0x362E: 2612, 0x362F: 16396}


def left(one: Home) -> dict[int, int]:
    """Return what an inverter still holds of an order."""
    return {address: word for address, word in one.words.items() if word != one.before[address]}


@STATES
@pytest.mark.parametrize("end", [take_out, remove])
async def test_what_only_a_feature_can_write_is_told_when_its_inverter_goes(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    windows: Home,  # noqa: F811 - a fixture
    monkeypatch: pytest.MonkeyPatch,
    bring: Any,
    state: ConfigEntryState,
    end: Any,
) -> None:
    """It is busy to the end; all others are put back, so that the slots do nothing any more. It is remembered with its entry."""
    monkeypatch.setattr(Machine, "async_discover", is_busy)
    await begin_without_feature(windows)
    await bring(windows, monkeypatch)
    assert status(windows.entry) is state
    await end(windows)
    assert left(windows) == DISCHARGE_SLOTS
    assert windows.issues == {"given_up"}
    issue = ir.async_get(hass).async_get_issue(DOMAIN, GIVEN_UP)
    assert issue is not None
    assert issue.translation_placeholders == {
        "name": "H2-6K-S2",
        "mode": "Discharge",
        "owner": "automation",
        "until": "2026-06-21 10:51",
        "settings": "Schedule",
    }
    kept = hass_storage.get(file_name(windows.entry, "control"), {}).get("data", {})
    if end is take_out:
        assert sorted(kept[windows.serial]["after"]) == ["13829", "13869", "13870", "13871"]
        assert status(windows.entry) is state
    else:
        assert hass.config_entries.async_get_entry(windows.entry.entry_id) is None
        assert kept == {}


@pytest.mark.parametrize("end", [take_out, remove])
async def test_an_inverter_that_tells_of_its_feature_at_last_is_left_as_it_was_found(
    windows: Home,  # noqa: F811 - a fixture
    monkeypatch: pytest.MonkeyPatch,
    end: Any,
) -> None:
    """Its entry could not be set up, and it is busy no more."""
    with monkeypatch.context() as busy:
        busy.setattr(Machine, "async_discover", is_busy)
        await begin_without_feature(windows)
        await not_set_up(ConfigEntryNotReady)(windows, monkeypatch)
    await end(windows)
    assert windows.words == windows.before
    assert windows.issues == set()


async def test_what_stays_of_an_order_is_put_back_when_its_inverter_is_added_again_with_the_feature(
    hass: HomeAssistant,
    windows: Home,  # noqa: F811 - a fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its owner takes it out and searches for it again, for example."""
    (found,) = windows.entry.subentries.values()
    data = dict(found.data)
    with monkeypatch.context() as busy:
        busy.setattr(Machine, "async_discover", is_busy)
        await begin_without_feature(windows)
        await take_out(windows)
        assert windows.issues == {"given_up"}
        again = ConfigSubentry(
            data=MappingProxyType(data),
            subentry_type=found.subentry_type,
            title=found.title,
            unique_id=found.unique_id,
        )
        hass.config_entries.async_add_subentry(windows.entry, again)
        await hass.async_block_till_done(wait_background_tasks=True)
        await windows.wait(2)
    assert windows.words == windows.before
    assert windows.issues == {"put_back"}


async def test_nothing_is_ordered_while_what_an_order_rests_on_cannot_be_written(
    windows: Home,  # noqa: F811 - a fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The settings of a later order would be mixed with what is left of it; it stops in order, too."""
    monkeypatch.setattr(Machine, "async_discover", is_busy)
    await begin_without_feature(windows)
    held, arrived = windows.words, windows.writes
    with pytest.raises(ServiceValidationError) as caught:
        await windows.order(mode="idle", duration=60)
    assert caught.value.translation_key == "control_not_readable"
    with pytest.raises(ServiceValidationError) as caught:
        await windows.release()
    assert caught.value.translation_key == "control_not_readable"
    await stop(windows.hass)
    assert (windows.words, windows.writes) == (held, arrived)


async def test_an_order_of_which_not_all_can_be_written_ends_as_far_as_it_can(
    hass: HomeAssistant,
    windows: Home,  # noqa: F811 - a fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At its time, once; what stays is told, and put back when the inverter tells of its feature."""
    with monkeypatch.context() as busy:
        busy.setattr(Machine, "async_discover", is_busy)
        await begin_without_feature(windows)
        await windows.wait(45)
        assert (left(windows).keys() > DISCHARGE_SLOTS.keys(), windows.issues) == (True, set())
        await windows.wait(10)
        assert (left(windows), windows.issues) == (DISCHARGE_SLOTS, {"given_up"})
        arrived = windows.writes
        await windows.wait(10)
        assert windows.writes == arrived
    assert await hass.config_entries.async_reload(windows.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await windows.wait(70)
    assert (windows.words, windows.issues) == (windows.before, {"put_back"})


async def test_an_order_of_last_week_of_which_not_all_can_be_written_is_left_alone(
    windows: Home,  # noqa: F811 - a fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As any other one; the next order is not kept from the inverter by it."""
    monkeypatch.setattr(Machine, "async_discover", is_busy)
    await windows.order(mode="discharge", power=1000, target_soc=30, duration=50)
    await windows.life.end(windows.entry)
    lose_feature(windows)
    held, arrived = windows.words, windows.writes
    windows.freezer.tick(timedelta(days=8))
    await windows.life.begin(windows.entry)
    await windows.wait(2)
    assert (windows.words, windows.writes, windows.issues) == (held, arrived, {"left_alone"})
    await windows.order(**HOLD)
    assert windows.words != held
    await windows.release()
    assert windows.words == held


async def test_an_order_that_only_home_assistant_ends_does_not_outlive_its_stop_without_a_feature_either(
    windows: Home,  # noqa: F811 - a fixture
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All that can be put back is."""
    monkeypatch.setattr(Machine, "async_discover", is_busy)
    await windows.order(mode="idle", duration=60)
    await windows.life.end(windows.entry)
    lose_feature(windows)
    (part,) = hass_storage[file_name(windows.entry, "control")]["data"].values()
    for name in {"before", "after"} & part.keys():
        part[name]["13829"] = 0
    await windows.life.begin(windows.entry)
    assert windows.words != windows.before
    await stop(windows.hass)
    assert windows.words == windows.before
