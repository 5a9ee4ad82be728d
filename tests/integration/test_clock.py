"""The machine's clock: how far it is off, and how it is set."""

from datetime import datetime, timedelta
from typing import Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE, STATE_UNKNOWN, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.model.register import Group
from simulator import SimulatedPlant

from .helpers import SERIAL, entity, refresh, state, unit_of

# 10:00:05 in Berlin; the machine's clock stands at 10:01:00.
MORNING: Final = "2026-06-21 08:00:05+00:00"

pytestmark = [pytest.mark.freeze_time(MORNING), pytest.mark.usefixtures("loop_goes_on")]


@pytest.fixture
async def berlin(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    entity_registry: er.EntityRegistry,
) -> MockConfigEntry:
    """Return the entry, set up in Berlin on a June morning, with sensor and button switched on."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    for platform, key in ((Platform.SENSOR, "clock_drift"), (Platform.BUTTON, "sync_clock")):
        entity_registry.async_get_or_create(
            platform, DOMAIN, f"{SERIAL}_{key}", config_entry=entry, disabled_by=None
        )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


async def sync(hass: HomeAssistant) -> None:
    """Press the button as a person does."""
    await hass.services.async_call(
        "button",
        "press",
        {ATTR_ENTITY_ID: entity(hass, Platform.BUTTON, "sync_clock")},
        blocking=True,
    )


def drift(hass: HomeAssistant) -> str:
    """Return what the sensor shows."""
    return state(hass, Platform.SENSOR, "clock_drift").state


def frames(plant: SimulatedPlant) -> list[tuple[int, int, tuple[int, ...]]]:
    """Return function code, address and values of all writes."""
    return [(write.function, write.address, write.values) for write in plant.machine().writes]


# ---------------------------------------------------------------------- the drift


async def test_clock_drift_is_positive_when_the_inverter_is_ahead(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    berlin: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Positive when the machine is ahead, to the second."""
    assert drift(hass) == "55"
    attributes = state(hass, Platform.SENSOR, "clock_drift").attributes
    assert attributes["unit_of_measurement"] == "s"
    assert attributes["device_class"] == "duration"
    assert attributes["state_class"] == "measurement"
    # 10:01:10.9: parts of a second do not count, as the machine has none.
    freezer.move_to("2026-06-21 08:01:10.900000+00:00")
    await refresh(hass, berlin, Group.SETTINGS)
    assert drift(hass) == "-10"


async def test_drift_of_a_clock_that_stands_still_grows_with_each_poll(
    hass: HomeAssistant, berlin: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    """The machine reports the same time again and again, and falls behind more and more."""
    for ahead in (55, -5, -65):
        await refresh(hass, berlin, Group.SETTINGS)
        assert drift(hass) == str(ahead)
        freezer.tick(60)


async def test_the_time_of_the_reading(
    hass: HomeAssistant, berlin: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    """What is shown again minutes later is still the difference at the time of the reading."""
    freezer.tick(240)
    unit_of(berlin).coordinators[Group.SETTINGS].async_publish()
    assert drift(hass) == "55"


async def test_summer_time_that_the_machine_does_not_know(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    berlin: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The night of the 25th of October: an hour is given back, and the machine is ahead by it."""
    plant.machine().inverter.clock = datetime(2026, 10, 25, 3, 0)  # noqa: DTZ001
    freezer.move_to("2026-10-25 01:00:00+00:00")
    await refresh(hass, berlin, Group.SETTINGS)
    assert drift(hass) == "3600"


async def test_a_clock_that_was_lost(
    hass: HomeAssistant, plant: SimulatedPlant, berlin: MockConfigEntry
) -> None:
    """After a power cut a machine may show the year 2000: it tells no time."""
    plant.machine().panel_change(62, 0x0001)
    await refresh(hass, berlin, Group.SETTINGS)
    assert drift(hass) == STATE_UNKNOWN


async def test_clock_drift_is_unavailable_while_the_inverter_does_not_answer(
    hass: HomeAssistant, plant: SimulatedPlant, berlin: MockConfigEntry
) -> None:
    """There is no drift to show."""
    plant.machine().trouble.silent = True
    await refresh(hass, berlin, Group.SETTINGS)
    assert drift(hass) == STATE_UNAVAILABLE


async def test_clock_drift_is_disabled_by_default_and_not_read(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """A person switches it on; until then nobody asks the machine for its time."""
    known = er.async_get(hass).async_get(entity(hass, Platform.SENSOR, "clock_drift"))
    assert known is not None
    assert known.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    assert known.entity_category == "diagnostic"
    assert "system_time" not in unit_of(loaded).coordinators[Group.SETTINGS].keys


# ---------------------------------------------------------------------- the button


@pytest.mark.parametrize(
    ("utc", "words"),
    [
        # 10:00:05 in summer and in winter.
        ("2026-06-21 08:00:05+00:00", (0x1A06, 0x150A, 0x0005)),
        ("2026-12-21 09:00:05+00:00", (0x1A0C, 0x150A, 0x0005)),
        # The second before an hour is left out, and the one after it: 01:59:59 and 03:00:00.
        ("2026-03-29 00:59:59+00:00", (0x1A03, 0x1D01, 0x3B3B)),
        ("2026-03-29 01:00:00+00:00", (0x1A03, 0x1D03, 0x0000)),
        # Half past two, before and after an hour is given back.
        ("2026-10-25 00:30:00+00:00", (0x1A0A, 0x1902, 0x1E00)),
        ("2026-10-25 01:30:00+00:00", (0x1A0A, 0x1902, 0x1E00)),
        # 23:59:59.6 on New Year's Eve is nearer to the next year.
        ("2026-12-31 22:59:59.600000+00:00", (0x1B01, 0x0100, 0x0000)),
    ],
)
async def test_set_in_one_request(
    hass: HomeAssistant,
    *,
    plant: SimulatedPlant,
    berlin: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    utc: str,
    words: tuple[int, ...],
) -> None:
    """Local time with its daylight saving, all three registers at once, seconds included."""
    freezer.move_to(utc)
    await sync(hass)
    assert frames(plant) == [(16, 62, words)]
    assert plant.machine().read(62, 3) == list(words)


async def test_setting_the_clock_shows_at_once_and_is_no_change_to_undo(
    hass: HomeAssistant, plant: SimulatedPlant, berlin: MockConfigEntry
) -> None:
    """It shows at once; a clock is no change to undo, and wears nothing."""
    assert drift(hass) == "55"
    await sync(hass)
    assert drift(hass) == "0"
    assert plant.machine().inverter.clock == datetime(2026, 6, 21, 10, 0, 5)  # noqa: DTZ001
    device = unit_of(berlin).device
    assert list(device.changes) == []
    assert device.wear.total == 0


async def test_clock_follows_home_assistants_time_zone(
    hass: HomeAssistant, plant: SimulatedPlant, berlin: MockConfigEntry
) -> None:
    """What counts is where Home Assistant is: 13:30:05 in Kolkata."""
    await hass.config.async_set_time_zone("Asia/Kolkata")
    await sync(hass)
    assert frames(plant) == [(16, 62, (0x1A06, 0x150D, 0x1E05))]


async def test_setting_a_locked_clock_fails_after_two_tries(
    hass: HomeAssistant, plant: SimulatedPlant, berlin: MockConfigEntry
) -> None:
    """Two tries, then an error; the drift is what it was."""
    plant.machine().trouble.locked = True
    with pytest.raises(HomeAssistantError) as error:
        await sync(hass)
    assert error.value.translation_key == "not_applied"
    assert error.value.translation_placeholders == {
        "entity": "System time",
        "address": "62",
        "wanted": "2026-06-21 10:00:05",
        "held": "2026-06-21 10:01:00",
    }
    assert len(frames(plant)) == 2
    assert drift(hass) == "55"


async def test_lost_answer_to_setting_the_clock_is_no_error(
    hass: HomeAssistant,
    plant: SimulatedPlant,
    berlin: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It shows the time when it is read back."""

    def cut(answer: bytes) -> bytes:
        # Function code 16 behind the seven bytes of the Modbus TCP header.
        return b"" if answer[7] == 16 else answer

    plant.tcp.tamper = cut
    await sync(hass)
    plant.tcp.tamper = None
    freezer.tick(timedelta(seconds=3))
    plant.advance(3)
    await refresh(hass, berlin, Group.SETTINGS)
    assert drift(hass) == "0"
