"""How often settings are written: counted, shown, limited, and kept across a restart."""

from datetime import timedelta
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import ATTR_ENTITY_ID, Platform
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.runtime.issues import machine_tag
from simulator import SimulatedPlant

from .helpers import SERIAL, entity, state, unit_of

# An hour before midnight in Berlin.
EVENING: Final = "2026-06-21 21:00:00+00:00"

pytestmark = [pytest.mark.freeze_time(EVENING), pytest.mark.usefixtures("loop_goes_on")]


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


async def sell(hass: HomeAssistant, power: int, context: Context | None = None) -> None:
    """Set the maximum sell power, as an automation does unless somebody else is named."""
    await hass.services.async_call(
        "number",
        "set_value",
        {ATTR_ENTITY_ID: entity(hass, Platform.NUMBER, "max_sell_power"), "value": power},
        blocking=True,
        context=context,
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


async def test_setting_writes_count_at_once_except_unchanged_values(
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


async def test_five_most_written_settings_are_listed(
    hass: HomeAssistant, late: MockConfigEntry
) -> None:
    """Five of them, by the key of the setting."""
    await start(hass, late)
    wear = unit_of(late).device.wear
    for count, key in enumerate(("a", "b", "c", "d", "e", "f"), 1):
        for _ in range(count):
            wear.count([key], [count])
    number, busiest, total = shown(hass)
    assert (number, total) == ("21", 21)
    assert list(busiest.items()) == [("f", 6), ("e", 5), ("d", 4), ("c", 3), ("b", 2)]


async def test_write_count_restarts_at_local_midnight(
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


async def test_setting_writes_stay_available_while_the_inverter_is_silent(
    hass: HomeAssistant, plant: SimulatedPlant, late: MockConfigEntry
) -> None:
    """The count is our own, and stays."""
    await start(hass, late)
    await sell(hass, 4600)
    plant.machine().trouble.silent = True
    for coordinator in unit_of(late).coordinators.values():
        await coordinator.async_refresh()
    assert shown(hass) == ("1", {"max_sell_power": 1}, 1)


async def test_setting_writes_sensor_is_disabled_by_default(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """A person switches it on."""
    known = er.async_get(hass).async_get(entity(hass, Platform.SENSOR, "setting_writes_today"))
    assert known is not None
    assert known.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    assert known.entity_category == "diagnostic"


# ---------------------------------------------------------------------- the limit


@pytest.fixture
def owner(hass_admin_user: MockUser) -> Context:
    """Return the context of what a person does."""
    return Context(user_id=hass_admin_user.id)


async def test_the_eighty_first_write_of_a_person(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    plant: SimulatedPlant,
    late: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    owner: Context,
) -> None:
    """It is not sent, and the message says why and what to do; tomorrow it is."""
    hass_storage[storage(late)] = {"version": 1, "data": stored("2026-06-21", 79)}
    await start(hass, late)
    await sell(hass, 4600, owner)
    assert len(plant.machine().writes) == 1
    with pytest.raises(ServiceValidationError) as error:
        await sell(hass, 4700, owner)
    assert error.value.translation_domain == DOMAIN
    assert error.value.translation_key == "write_budget"
    assert error.value.translation_placeholders == {"entity": "Max sell power", "limit": "80"}
    assert str(error.value) == (
        "Max sell power was not changed: it has already been written 80 times today. The "
        "inverter stores its settings in a memory that wears out with every write. An automation "
        "probably writes too often: let it write only when the value needs to change. Values that "
        "are already set do not count, and the count restarts at midnight"
    )
    assert len(plant.machine().writes) == 1
    assert ir.async_get(hass).issues == {}
    assert state(hass, Platform.NUMBER, "max_sell_power").state == "4600"
    # What it holds anyway is no write, and another setting has its own eighty.
    await sell(hass, 4600, owner)
    await hass.services.async_call(
        "switch",
        "turn_off",
        {ATTR_ENTITY_ID: entity(hass, Platform.SWITCH, "solar_sell")},
        blocking=True,
    )
    assert shown(hass) == ("81", {"max_sell_power": 80, "solar_sell": 1}, 1081)
    freezer.move_to("2026-06-21 22:00:00+00:00")
    await sell(hass, 4700, owner)
    assert plant.machine().word(143) == 4700


async def automate(hass: HomeAssistant, action: dict[str, Any], script: dict[str, Any]) -> None:
    """Have an automation do something, perhaps with a script, at every event *sell*."""
    assert await async_setup_component(hass, "script", {"script": script})
    automation = {
        "alias": "Sell more",
        "triggers": {"trigger": "event", "event_type": "sell"},
        "actions": action,
    }
    assert await async_setup_component(hass, "automation", {"automation": automation})
    await hass.async_block_till_done()


@pytest.mark.parametrize("with_script", [False, True])
async def test_the_seventy_first_write_of_an_automation_is_refused_and_a_repair_names_it(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    plant: SimulatedPlant,
    late: MockConfigEntry,
    owner: Context,
    with_script: bool,
) -> None:
    """A person still has ten; undo is not refused for them either."""
    hass_storage[storage(late)] = {"version": 1, "data": stored("2026-06-21", 69)}
    await start(hass, late)
    number = entity(hass, Platform.NUMBER, "max_sell_power")
    action = {
        "action": "number.set_value",
        "target": {"entity_id": number},
        "data": {"value": "{{ trigger.event.data.power }}"},
    }
    if with_script:
        await automate(
            hass,
            {"action": "script.sell", "data": {"power": "{{ trigger.event.data.power }}"}},
            {"sell": {"sequence": [{**action, "data": {"value": "{{ power }}"}}]}},
        )
    else:
        await automate(hass, action, {})
    hass.bus.async_fire("sell", {"power": 4600})
    await hass.async_block_till_done()
    assert plant.machine().word(143) == 4600
    assert ir.async_get(hass).issues == {}
    hass.bus.async_fire("sell", {"power": 4700})
    await hass.async_block_till_done()
    assert plant.machine().word(143) == 4600
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.issue_id == f"{machine_tag(SERIAL)}_busy_automation_max_sell_power"
    assert issue.is_fixable
    assert issue.translation_placeholders == {
        "name": "JSO8048104",
        "entity": "Max sell power",
        "limit": "70",
        "automation": "Sell more (automation.sell_more)",
    }
    await sell(hass, 4800, owner)
    assert plant.machine().word(143) == 4800
    await hass.services.async_call(
        DOMAIN,
        "undo_last_change",
        {"device_id": unit_of(late).device_id},
        blocking=True,
    )
    assert plant.machine().word(143) == 4600


async def test_what_writes_too_often_may_be_unknown(
    hass: HomeAssistant, hass_storage: dict[str, Any], late: MockConfigEntry
) -> None:
    """A program that uses the interface of Home Assistant without a user, or an automation that is gone."""
    hass_storage[storage(late)] = {"version": 1, "data": stored("2026-06-21", 70)}
    await start(hass, late)
    with pytest.raises(ServiceValidationError):
        await sell(hass, 4600)
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["automation"] == (
        "an automation or a script that could not be identified"
    )


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
    assert [change["after"] for change in data["units"][0]["changes"]] == [4600, 4700]


async def test_yesterday_is_in_the_total_only(
    hass: HomeAssistant, hass_storage: dict[str, Any], late: MockConfigEntry
) -> None:
    """Home Assistant was off at midnight."""
    hass_storage[storage(late)] = {"version": 1, "data": stored("2026-06-20", 100)}
    await start(hass, late)
    assert shown(hass) == ("0", {}, 1100)
    await sell(hass, 4600)
    assert shown(hass) == ("1", {"max_sell_power": 1}, 1101)


async def test_write_counts_are_saved_half_a_minute_after_the_first_write(
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
