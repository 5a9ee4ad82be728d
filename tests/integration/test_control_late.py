"""Orders that come too late, or that an inverter does not let go of: nothing begins again, and nothing is written for ever."""

import asyncio
from typing import Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import CONF_TIER
from simulator import SimulatedPlant
from simulator.cause import cause
from simulator.steering import steer

from .helpers import SERIAL, driver_in, state
from .test_control_actions import MORNING, act
from .test_control_entities import POWER, TARGET, choose, set_number, table
from .test_control_life import (
    CHARGE,
    HOLD,
    MASK,
    Home,
    home,  # noqa: F401 - a fixture
    jso,  # noqa: F401 - a fixture
    make_home,  # noqa: F401 - a fixture
    windows,  # noqa: F401 - a fixture
)
from .test_control_many import SELL
from .test_control_repairs import wait
from .test_schedule_windows import SERIAL as SAJ_SERIAL

# The third slot of a JSO's table as its owner has set it.
OWNERS: Final = (800, 5000, 5090, 40, 0)

pytestmark = [pytest.mark.freeze_time(MORNING), pytest.mark.usefixtures("in_berlin")]


# ---------------------------------------------------------------------- the end has passed


@pytest.mark.usefixtures("few_entities")
async def test_an_order_whose_end_passes_while_it_waits_is_refused(
    home: Home,  # noqa: F811 - a fixture
) -> None:
    """Until 10:02, and its turn comes at 10:11: by the inverter's clock that would be nearly a day."""
    async with driver_in(home.entry).keeper.turn:
        waiting = home.hass.async_create_task(
            home.order(mode="charge", power=1000, target_soc=80, until="10:02")
        )
        await asyncio.sleep(0.1)
        home.plant.advance(600)
        home.freezer.tick(600)
    with pytest.raises(ServiceValidationError) as caught:
        await waiting
    assert caught.value.translation_key == "control_until_past"
    assert caught.value.translation_placeholders == {"until": "10:02"}
    assert home.writes == 0


@pytest.mark.usefixtures("few_entities")
async def test_an_order_that_was_kept_for_later_is_over_when_the_inverter_is_back(
    home: Home,  # noqa: F811 - a fixture
) -> None:
    """Until 11:01, asked to last until 11:31, and silent from 10:31 to 12:02: only the owner's words are written."""
    await home.order(**CHARGE)
    await home.order(**{**CHARGE, "duration": 90})
    await home.wait(30)
    home.plant.machine().trouble.silent = True
    await home.wait(1)
    home.plant.advance(5400)
    await wait(home.hass, home.freezer, 90)
    arrived = home.writes
    home.plant.machine().trouble.silent = False
    await home.wait(2)
    assert home.words == home.before
    assert home.happened == ["started", "ended"]
    words = [
        (write.address + place, word)
        for write in home.plant.machine().writes[arrived:]
        for place, word in enumerate(write.values)
    ]
    assert words
    assert words == [(address, home.before[address]) for address, _ in words]


# ---------------------------------------------------------------------- it was released


async def test_the_number_leaves_an_order_alone_that_is_released(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It is what the next order takes: a planner's release that waits is carried out all the same."""
    await act(hass, "control_battery", mode="charge", power=1000, duration=60, owner="planner")
    assert table(plant)[2] == (1000, 1000, 5140, 100, 1)
    await act(hass, "release_battery", owner="planner")
    await set_number(hass, POWER, 2000)
    await wait(hass, freezer, 0.25)
    assert table(plant)[2] == OWNERS
    assert state(hass, Platform.NUMBER, POWER).state == "2000"


async def test_a_number_that_comes_after_the_end_begins_nothing(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """The battery is released in the same second."""
    await set_number(hass, POWER, 1000)
    await choose(hass, "charge")
    released = hass.async_create_task(choose(hass, "auto"))
    await asyncio.sleep(0)
    with pytest.raises(ServiceValidationError) as caught:
        await set_number(hass, POWER, 2000)
    await released
    assert caught.value.translation_key == "control_over"
    assert table(plant)[2] == OWNERS
    assert driver_in(loaded).keeper.leases == ()


# ---------------------------------------------------------------------- it cannot be ended


@pytest.mark.usefixtures("few_entities")
async def test_an_order_that_does_harm_and_is_not_let_go_is_not_written_at_every_poll(
    jso: Home,  # noqa: F811 - a fixture
) -> None:
    """The table is ignored from the start on, and every write later: after 30 s, 1, 2 and 4 minutes twice, and told."""
    steer(jso.plant, jso.plant.machine(), {"backup": 1500, "time": "08:30"})
    cause(jso.plant, {"without_effect": list(range(148, 178))})
    await jso.order(**HOLD)
    await jso.wait(5)
    assert (jso.writes, jso.happened) == (1, ["started"])
    jso.plant.machine().trouble.locked = True
    await jso.wait(10)
    assert jso.writes == 1 + 2 * 5
    assert jso.issues == {"not_put_back"}
    jso.plant.machine().trouble.locked = False
    await jso.wait(9)
    assert jso.words == jso.before
    assert jso.happened == ["started", "failed"]
    assert jso.issues == set()


@pytest.mark.usefixtures("few_entities")
async def test_a_program_that_sets_the_same_beside_an_order_again_and_again_takes_over(
    jso: Home,  # noqa: F811 - a fixture
) -> None:
    """The first slot is held while the battery is discharged at another time: that is written over six times an hour."""
    await jso.order(**{**CHARGE, "mode": "discharge", "target_soc": 50})
    assert jso.words[166] == 100
    arrived = jso.writes
    cause(jso.plant, {"rewrites": [{"address": 166, "words": [99], "seconds": 10}]})
    await jso.wait(3)
    assert jso.writes == arrived + 6
    assert jso.happened == ["started"]
    await jso.wait(3)
    # The work mode, the table and its days.
    assert jso.writes == arrived + 6 + 3
    assert jso.happened == ["started", "overridden"]
    assert (jso.words[142], jso.words[146]) == (jso.before[142], jso.before[146])


@pytest.mark.usefixtures("few_entities")
async def test_a_released_order_that_is_not_let_go_is_written_to_less_and_less(
    windows: Home,  # noqa: F811 - a fixture
) -> None:
    """For two hours the switches of the slots are not kept, long before the order would end itself.

    The release sends six words, the one that is not kept twice, and leaves the other five as they were before. That one is sent twice
    more after 30 s twice, 1, 2, 4, 8, 16 and 32 min. It is told by the first try that comes five minutes later.
    """
    await windows.order(**{**CHARGE, "duration": 600}, owner="planner")
    arrived = windows.writes
    windows.plant.machine().trouble.ignored_writes = frozenset({MASK})
    await act(windows.hass, "release_battery", windows.serial, owner="planner")
    await windows.wait(5)
    assert windows.words == {**windows.before, MASK: 0x40}
    assert windows.issues == set()
    await windows.wait(4)
    assert windows.issues == {"not_put_back"}
    await windows.wait(111)
    assert windows.words == {**windows.before, MASK: 0x40}
    assert windows.writes - arrived == 7 + 8 * 2
    windows.plant.machine().trouble.ignored_writes = frozenset()
    await windows.wait(60)
    assert windows.words == windows.before
    assert windows.happened == ["started", "released"]
    assert windows.issues == set()


# What each inverter does not let go of, and what it holds there from a discharge that sells.
KEPT: Final = {SERIAL: (146, 0x81), SAJ_SERIAL: (0x3605, 0x40)}


@pytest.mark.usefixtures("few_entities")
@pytest.mark.parametrize("is_refused", [False, True])
async def test_a_setting_that_an_inverter_does_not_let_go_of_keeps_no_other_one(
    home: Home,  # noqa: F811 - a fixture
    is_refused: bool,
) -> None:
    """The weekdays of the table, or the switches of the slots: the battery is not sold any more, and the rest follows."""
    address, held = KEPT[home.serial]
    await home.order(**SELL)
    trouble = home.plant.machine().trouble
    if is_refused:
        trouble.refused_writes = ((address, address, 4),)
    else:
        trouble.ignored_writes = frozenset({address})
    with pytest.raises(HomeAssistantError) as caught:
        await home.release()
    assert caught.value.translation_key == "control_left"
    assert home.words == {**home.before, address: held}
    assert home.happened == ["started", "released"]
    trouble.refused_writes, trouble.ignored_writes = (), frozenset()
    await home.wait(1)
    assert home.words == home.before


@pytest.mark.usefixtures("few_entities")
async def test_an_inverter_that_breaks_an_end_off_is_written_to_less_and_less(
    windows: Home,  # noqa: F811 - a fixture
) -> None:
    """Beside an export limit, which goes on, the switches of the slots are answered with a device failure.

    Each try sends the mode, the switches, and the mode of the order again, which stays as a whole: at 10:12, and then after 30 s,
    1, 2, 4, 8, 16 and 32 min.
    """
    await windows.order(**{**CHARGE, "duration": 10})
    await act(windows.hass, "limit_export", windows.serial, power=0, duration=300)
    windows.plant.machine().trouble.refused_writes = ((MASK, MASK, 4),)
    arrived = windows.writes
    await windows.wait(90)
    assert windows.writes - arrived == 8 * 3
    windows.plant.machine().trouble.refused_writes = ()
    await windows.wait(60)
    await act(windows.hass, "limit_export", windows.serial)
    assert windows.words == windows.before


@pytest.mark.usefixtures("few_entities")
async def test_an_export_limit_ends_although_an_order_beside_it_cannot(
    windows: Home,  # noqa: F811 - a fixture
) -> None:
    """Until 10:11 and 10:21, and the switches of the slots are not kept: only they are left when both are over."""
    await windows.order(**{**CHARGE, "duration": 10})
    await act(windows.hass, "limit_export", windows.serial, power=0, duration=20)
    windows.plant.machine().trouble.ignored_writes = frozenset({MASK})
    await windows.wait(30)
    assert windows.words == {**windows.before, MASK: 0x40}
    assert windows.happened == ["started", "started", "ended", "ended"]
    windows.plant.machine().trouble.ignored_writes = frozenset()
    await windows.wait(20)
    assert windows.words == windows.before


@pytest.mark.usefixtures("few_entities")
async def test_an_order_does_not_follow_a_clock_that_is_set_again_and_again(
    jso: Home,  # noqa: F811 - a fixture
) -> None:
    """By ten minutes every half minute: its table is written six times, and then the order ends, in four writes."""
    await jso.order(**{**CHARGE, "duration": 600})
    arrived = jso.writes
    for step in (600, -600) * 30:
        cause(jso.plant, {"clock": step})
        await jso.wait(0.5)
    assert jso.writes - arrived == 6 + 4
    assert [(what, details.get("settings")) for what, _, details in jso.told] == [
        ("started", None),
        ("overridden", ["system_time"]),
    ]
    assert jso.words == jso.before


@pytest.mark.usefixtures("few_entities")
async def test_an_order_that_cannot_be_put_right_is_written_to_less_and_less(
    jso: Home,  # noqa: F811 - a fixture
) -> None:
    """Its first slot is set at the display, and nothing is kept for two hours: it ends at its own time all the same.

    It is tried after 30 s, 1, 2, 4, 8, 16, 32 and 64 min, always twice; at the seventh time the order is given up in
    vain, which is three words that are put back.
    """
    await jso.order(mode="discharge", power=1000, target_soc=50, duration=120)
    assert jso.words[166] == 100
    arrived = jso.writes
    jso.plant.machine().panel_change(166, 99)
    jso.plant.machine().trouble.locked = True
    await jso.wait(115)
    assert jso.writes - arrived == 7 * 2 + 6
    assert jso.happened == ["started"]
    jso.plant.machine().trouble.locked = False
    await jso.wait(15)
    assert jso.words == {**jso.before, 166: 99}
    assert jso.happened == ["started", "ended"]


# ---------------------------------------------------------------------- nobody may write any more


@pytest.mark.usefixtures("few_entities")
@pytest.mark.parametrize("silent", [False, True])
async def test_an_order_is_let_go_before_its_inverter_may_only_be_read(
    hass: HomeAssistant,
    home: Home,  # noqa: F811 - a fixture
    silent: bool,
) -> None:
    """Its slots would recur for ever; where the inverter does not answer, a person is told what it holds."""
    await home.order(**CHARGE)
    home.plant.machine().trouble.silent = silent
    hass.config_entries.async_update_entry(
        home.entry, options={**home.entry.options, CONF_TIER: "read_only"}
    )
    await hass.config_entries.async_reload(home.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert (home.words == home.before, home.issues) == (
        (False, {"given_up"}) if silent else (True, set())
    )


@pytest.mark.usefixtures("few_entities")
@pytest.mark.parametrize("is_removed", [False, True])
async def test_an_order_that_stays_at_an_inverter_that_is_given_up_is_told(
    hass: HomeAssistant,
    home: Home,  # noqa: F811 - a fixture
    is_removed: bool,
) -> None:
    """It keeps nothing while its entry is disabled, or it is taken out of it; enabled again, the order is looked after."""
    await home.order(**CHARGE)
    home.plant.machine().trouble.locked = True
    if is_removed:
        (subentry,) = home.entry.subentries
        hass.config_entries.async_remove_subentry(home.entry, subentry)
    else:
        await hass.config_entries.async_set_disabled_by(
            home.entry.entry_id, ConfigEntryDisabler.USER
        )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert home.words != home.before
    assert home.issues == {"given_up"}
    if is_removed:
        return
    home.plant.machine().trouble.locked = False
    await hass.config_entries.async_set_disabled_by(home.entry.entry_id, None)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert home.issues == set()
    await home.release()
    assert home.words == home.before


# ---------------------------------------------------------------------- no number


@pytest.mark.parametrize("key", [POWER, TARGET])
async def test_what_is_no_number_is_refused(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, key: str
) -> None:
    """It lies neither below nor above a bound, which is all that Home Assistant looks at."""
    for mode in ("auto", "charge"):
        await choose(hass, mode)
        held, shown = table(plant), state(hass, Platform.NUMBER, key).state
        with pytest.raises(ServiceValidationError) as caught:
            await set_number(hass, key, float("nan"))
        assert caught.value.translation_key == "out_of_range"
        assert (table(plant), state(hass, Platform.NUMBER, key).state) == (held, shown)
