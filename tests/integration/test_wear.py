"""How often settings are written: counted, shown, limited, and kept across a restart."""

from datetime import timedelta
from typing import Any, Final

import freezegun
from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import ATTR_ENTITY_ID, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.hybrid_inverter.const import DOMAIN
from simulator import SimulatedPlant

from .helpers import SERIAL, entity, state, unit_of

# An hour before midnight in Berlin.
EVENING: Final = "2026-06-21 21:00:00+00:00"

pytestmark = pytest.mark.freeze_time(EVENING)


@pytest.fixture(autouse=True)
async def _loop_goes_on(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the event loop's own time pass, or no machine would ever answer."""
    monkeypatch.setattr(hass.loop, "time", freezegun.api.real_monotonic)


@pytest.fixture
async def late(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    entity_registry: er.EntityRegistry,
) -> MockConfigEntry:
    """Return the entry with the sensor switched on, not set up yet, on an evening in Berlin."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    entity_registry.async_get_or_create(
        Platform.SENSOR,
        DOMAIN,
        f"{SERIAL}_setting_writes_today",
        config_entry=entry,
        disabled_by=None,
    )
    return entry


async def start(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set the entry up."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


async def sell(hass: HomeAssistant, power: int) -> None:
    """Set the maximum sell power as an automation does."""
    await hass.services.async_call(
        "number",
        "set_value",
        {ATTR_ENTITY_ID: entity(hass, Platform.NUMBER, "max_sell_power"), "value": power},
        blocking=True,
    )


async def let_pass(hass: HomeAssistant, seconds: float) -> None:
    """Call what waits for up to so many seconds from now."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds))
    await hass.async_block_till_done()


def storage(entry: MockConfigEntry) -> str:
    """Return the name of the file."""
    return f"hybrid_inverter.{entry.entry_id}.wear"


def stored(day: str, writes: int) -> dict[str, Any]:
    """Return what a file holds after so many writes of one setting."""
    return {
        SERIAL: {
            "day": day,
            "registers": {"143": writes},
            "settings": {"max_sell_power": writes},
            "total": 1000 + writes,
        }
    }


def shown(hass: HomeAssistant) -> tuple[str, dict[str, int], int]:
    """Return today's writes, the busiest settings and the total as the sensor shows them."""
    sensor = state(hass, Platform.SENSOR, "setting_writes_today")
    return sensor.state, sensor.attributes["busiest"], sensor.attributes["total"]


# ---------------------------------------------------------------------- the sensor


async def test_counted_at_once(
    hass: HomeAssistant, plant: SimulatedPlant, late: MockConfigEntry
) -> None:
    """Also what the machine has not kept; not what it held anyway."""
    await start(hass, late)
    assert shown(hass) == ("0", {}, 0)
    await sell(hass, 4600)
    await sell(hass, 4600)
    assert shown(hass) == ("1", {"max_sell_power": 1}, 1)
    plant.machine().trouble.locked = True
    with pytest.raises(Exception, match="still holds 4600"):
        await sell(hass, 4700)
    assert shown(hass) == ("3", {"max_sell_power": 3}, 3)
    attributes = state(hass, Platform.SENSOR, "setting_writes_today").attributes
    assert attributes["state_class"] == "total_increasing"


async def test_the_busiest_first(hass: HomeAssistant, late: MockConfigEntry) -> None:
    """Five of them, by the key of the setting."""
    await start(hass, late)
    wear = unit_of(late).device.wear
    for count, key in enumerate(("a", "b", "c", "d", "e", "f"), 1):
        for _ in range(count):
            wear.count([key], [count])
    number, busiest, total = shown(hass)
    assert (number, total) == ("21", 21)
    assert list(busiest.items()) == [("f", 6), ("e", 5), ("d", 4), ("c", 3), ("b", 2)]


async def test_midnight(
    hass: HomeAssistant, late: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    """The count of the day starts again by itself when it is midnight where Home Assistant is."""
    await start(hass, late)
    await sell(hass, 4600)
    freezer.move_to("2026-06-21 22:00:00+00:00")
    await let_pass(hass, 3590)
    assert shown(hass) == ("1", {"max_sell_power": 1}, 1)
    await let_pass(hass, 3601)
    assert shown(hass) == ("0", {}, 1)


async def test_a_silent_machine(
    hass: HomeAssistant, plant: SimulatedPlant, late: MockConfigEntry
) -> None:
    """The count is our own, and stays."""
    await start(hass, late)
    await sell(hass, 4600)
    plant.machine().trouble.silent = True
    for coordinator in unit_of(late).coordinators.values():
        await coordinator.async_refresh()
    assert shown(hass) == ("1", {"max_sell_power": 1}, 1)


async def test_hidden_at_first(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    """A person switches it on."""
    known = er.async_get(hass).async_get(entity(hass, Platform.SENSOR, "setting_writes_today"))
    assert known is not None
    assert known.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    assert known.entity_category == "diagnostic"


# ---------------------------------------------------------------------- the limit


async def test_the_hundred_and_first_write(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    plant: SimulatedPlant,
    late: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It is not sent, and the message says why and what to do; tomorrow it is."""
    hass_storage[storage(late)] = {"version": 1, "data": stored("2026-06-21", 99)}
    await start(hass, late)
    await sell(hass, 4600)
    assert len(plant.machine().writes) == 1
    with pytest.raises(ServiceValidationError) as error:
        await sell(hass, 4700)
    assert error.value.translation_domain == DOMAIN
    assert error.value.translation_key == "write_budget"
    assert error.value.translation_placeholders == {"entity": "Max sell power", "limit": "100"}
    assert str(error.value) == (
        "Max sell power was not changed: it has been written 100 times today. The inverter "
        "keeps its settings in a memory that wears with every write. An automation probably writes "
        "too often: let it write only when the value has to change. Values that are already set do "
        "not count, and the count starts again at midnight"
    )
    assert len(plant.machine().writes) == 1
    assert state(hass, Platform.NUMBER, "max_sell_power").state == "4600"
    # What it holds anyway is no write, and another setting has its own hundred.
    await sell(hass, 4600)
    await hass.services.async_call(
        "switch",
        "turn_off",
        {ATTR_ENTITY_ID: entity(hass, Platform.SWITCH, "solar_sell")},
        blocking=True,
    )
    assert shown(hass) == ("101", {"max_sell_power": 100, "solar_sell": 1}, 1101)
    freezer.move_to("2026-06-21 22:00:00+00:00")
    await sell(hass, 4700)
    assert plant.machine().word(143) == 4700


# ---------------------------------------------------------------------- kept


async def test_kept_across_a_restart(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    late: MockConfigEntry,
    hass_client: ClientSessionGenerator,
) -> None:
    """The counts go on where they were; the diagnostics have them."""
    await start(hass, late)
    await sell(hass, 4600)
    await sell(hass, 4700)
    assert storage(late) not in hass_storage
    assert await hass.config_entries.async_unload(late.entry_id)
    await hass.async_block_till_done()
    counts = {
        "day": "2026-06-21",
        "registers": {"143": 2},
        "settings": {"max_sell_power": 2},
        "total": 2,
    }
    assert hass_storage[storage(late)]["data"] == {SERIAL: counts}
    await start(hass, late)
    assert shown(hass) == ("2", {"max_sell_power": 2}, 2)
    data: Any = await get_diagnostics_for_config_entry(hass, hass_client, late)
    assert data["units"][0]["wear"] == counts
    # What the log of the changes tells begins with the start.
    assert data["units"][0]["changes"] == []


async def test_yesterday_is_in_the_total_only(
    hass: HomeAssistant, hass_storage: dict[str, Any], late: MockConfigEntry
) -> None:
    """Home Assistant was off at midnight."""
    hass_storage[storage(late)] = {"version": 1, "data": stored("2026-06-20", 100)}
    await start(hass, late)
    assert shown(hass) == ("0", {}, 1100)
    await sell(hass, 4600)
    assert shown(hass) == ("1", {"max_sell_power": 1}, 1101)


async def test_saved_soon(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    late: MockConfigEntry,
) -> None:
    """Half a minute after the first write, also when others follow; not for every one of them."""
    await start(hass, late)
    await sell(hass, 4600)
    await let_pass(hass, 20)
    await sell(hass, 4700)
    assert storage(late) not in hass_storage
    await let_pass(hass, 31)
    assert hass_storage[storage(late)]["data"][SERIAL]["total"] == 2
    await sell(hass, 4800)
    await let_pass(hass, 31)
    assert hass_storage[storage(late)]["data"][SERIAL]["total"] == 3


async def test_nothing_written_nothing_saved(
    hass: HomeAssistant, hass_storage: dict[str, Any], late: MockConfigEntry
) -> None:
    """Most installations never write a setting."""
    await start(hass, late)
    assert await hass.config_entries.async_unload(late.entry_id)
    await hass.async_block_till_done()
    assert storage(late) not in hass_storage


async def test_removed_with_the_entry(
    hass: HomeAssistant, hass_storage: dict[str, Any], late: MockConfigEntry
) -> None:
    """Nothing is left behind."""
    await start(hass, late)
    await sell(hass, 4600)
    assert await hass.config_entries.async_remove(late.entry_id)
    await hass.async_block_till_done()
    assert storage(late) not in hass_storage
