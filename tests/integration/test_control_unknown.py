"""An order is stored with registers that cannot be written here: by another version, or by hand. All others are put back."""

from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
import pytest

from custom_components.hybrid_inverter.runtime.machine import Machine

from .dying import Died
from .test_control_actions import MORNING
from .test_control_life import (
    CHARGE,
    HOLD,
    Home,
    home,  # noqa: F401 - a fixture
    make_home,  # noqa: F401 - a fixture
    windows,  # noqa: F401 - a fixture
)

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


async def test_what_only_a_feature_can_write_is_kept_until_it_is_found(
    hass: HomeAssistant,
    windows: Home,  # noqa: F811 - a fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A SAJ that is asked for its discharge slots while it is busy tells later that it has them; the order is over by then."""
    await windows.order(mode="discharge", power=1000, target_soc=30, duration=5)
    await windows.life.end(windows.entry)
    windows.freezer.tick(600)
    (subentry,) = windows.entry.subentries.values()
    identity = dict(subentry.data["identity"])
    identity["features"] = [name for name in identity["features"] if name != "discharge_slots"]
    hass.config_entries.async_update_subentry(
        windows.entry, subentry, data={**subentry.data, "identity": identity}
    )

    async def nothing(_machine: Machine) -> frozenset[str]:
        return frozenset()

    with monkeypatch.context() as busy:
        busy.setattr(Machine, "async_discover", nothing)
        await windows.life.begin(windows.entry)
        await windows.wait(2)
    assert await hass.config_entries.async_reload(windows.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await windows.wait(70)
    assert windows.words == windows.before
