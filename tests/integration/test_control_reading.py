"""What is read before an order: all that it rests on, and nothing that the last poll has just brought."""

from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from .helpers import driver_in, unit_of
from .ordered import JSO, KINDS, MORNING, SAJ, House, house_with
from .test_control_actions import act, refused

HOLD: Final[dict[str, Any]] = {"mode": "hold", "duration": 60}
# Registers: the settings of an order, the clock, and what polls bring.
SETTINGS: Final = {JSO: [(98, 80), (336, 1)], SAJ: [(0x3604, 44), (0x3630, 49)]}
# While it is known how the meter is wired, which no poll brings here.
KNOWN: Final = {JSO: [(98, 80), (336, 1)], SAJ: [(0x3604, 44), (0x3636, 43)]}
CLOCK: Final = {JSO: [(62, 3)], SAJ: [(0x4000, 4)]}
POLLED: Final = {
    JSO: [(500, 1), (587, 4), (616, 10), (650, 4)],
    SAJ: [(0x4004, 1), (0x4069, 7), (0x4096, 24)],
}
# The serial number.
IDENTITY: Final = {JSO: (3, 5), SAJ: (0x8F03, 10)}
# The floor, and the work mode, of a SAJ.
FLOOR: Final = 0x3644
MODE: Final = 0x3647

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("socket_enabled", "quick_saj", "in_berlin"),
]


async def asked(hass: HomeAssistant, house: House) -> list[tuple[int, int]]:
    """Return what is read for an order that is only tried: first registers, and how many."""
    reads = len(house.machine.reads)
    await act(hass, "control_battery", house.serial, **HOLD, dry_run=True)
    return sorted((one.address, one.count) for one in list(house.machine.reads)[reads:])


@pytest.mark.parametrize("model", KINDS)
async def test_settings_and_the_clock_are_read_and_what_was_just_polled_is_not(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, model: str
) -> None:
    """For thirty seconds; after a silence, or over another link, all is read, and which machine it is before that."""
    async with house_with(hass, model) as house:
        await hass.async_block_till_done(wait_background_tasks=True)
        machine, polled = unit_of(house.entry).machine, POLLED[model]
        first, later = (sorted([*kept, *CLOCK[model]]) for kept in (SETTINGS[model], KNOWN[model]))
        freezer.tick(30)
        assert await asked(hass, house) == first
        freezer.tick(1)
        assert await asked(hass, house) == sorted([*later, *polled])
        # That has just brought all of it.
        assert await asked(hass, house) == later
        machine.doubt()
        assert await asked(hass, house) == sorted([IDENTITY[model], *first, *polled])
        # A computer whose clock was set back knows nothing of how old that is.
        freezer.tick(-60)
        assert await asked(hass, house) == sorted([*first, *polled])


async def test_a_change_at_the_panel_is_seen_however_fresh_the_last_poll_is(
    hass: HomeAssistant,
) -> None:
    """What is put back is what was there when the order was given."""
    async with house_with(hass, SAJ) as house:
        house.machine.panel_change(FLOOR, 33)
        told = await act(hass, "control_battery", house.serial, **HOLD)
        assert told["registers"] == [{"register": FLOOR, "before": 33, "after": 100}]
        driver = driver_in(house.entry)
        await driver.keeper.async_release()
        assert house.machine.word(FLOOR) == 33


async def test_an_order_on_a_setting_that_the_inverter_does_not_tell_is_refused(
    hass: HomeAssistant,
) -> None:
    """Some network modules refuse the work mode; it is named. What is in force is not known then."""
    async with house_with(hass, SAJ) as house:
        house.machine.trouble.refused_blocks = ((MODE, MODE, 3),)
        assert await refused(hass, "control_battery", house.serial, **HOLD) == (
            "control_not_readable",
            {"setting": "Work mode"},
        )
        known = await act(hass, "get_control", house.serial)
        assert (known["mode"], known["in_registers"]) == ("auto", None)
        assert house.sent == []


@pytest.mark.parametrize("address", [FLOOR, 0x3605])
async def test_an_order_waits_for_no_setting_that_is_only_not_read_now(
    hass: HomeAssistant, address: int
) -> None:
    """A device failure is no answer: nothing is planned around a hole, be it a setting that not all have. Then all goes on."""
    async with house_with(hass, SAJ) as house:
        house.machine.trouble.refused_blocks = ((address, address, 4),)
        with pytest.raises(HomeAssistantError) as caught:
            await act(hass, "control_battery", house.serial, **HOLD)
        assert caught.value.translation_key == "rejected"
        assert house.sent == []
        house.machine.trouble.refused_blocks = ()
        await act(hass, "control_battery", house.serial, **HOLD)
        assert house.sent == [(FLOOR, (100,))]


async def test_a_state_of_charge_that_cannot_be_read_now_is_not_known(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """What the last poll has brought counts for thirty seconds; after that nobody knows what is in the battery."""
    async with house_with(hass, SAJ) as house:
        house.machine.trouble.refused_blocks = ((0x406F, 0x406F, 4),)
        assert (await act(hass, "control_battery", house.serial, **HOLD, dry_run=True))["writes"]
        freezer.tick(31)
        assert await refused(hass, "control_battery", house.serial, **HOLD) == (
            "control_no_soc",
            {},
        )
        assert house.sent == []


async def test_an_order_ends_when_the_inverter_does_not_tell_what_it_has_not_changed(
    hass: HomeAssistant,
) -> None:
    """But not when that is what has to be put back: it stays due."""
    async with house_with(hass, SAJ) as house:
        driver = driver_in(house.entry)
        await act(hass, "control_battery", house.serial, **HOLD)
        house.machine.trouble.refused_blocks = ((FLOOR, FLOOR, 3),)
        with pytest.raises(Exception, match="exception 3"):
            await driver.keeper.async_release()
        assert driver.keeper.memory.before[FLOOR] == 20
        house.machine.trouble.refused_blocks = ((0x3651, 0x3651, 3),)
        await driver.keeper.async_release()
        assert house.machine.word(FLOOR) == 20
        assert driver.keeper.memory.is_empty
