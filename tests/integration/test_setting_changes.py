"""What becomes of what was written: taken back by the machine, or changed by somebody else."""

from datetime import timedelta
from typing import Any, Final

from homeassistant.const import ATTR_ENTITY_ID, STATE_UNKNOWN, Platform
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.logbook import async_describe_events
from custom_components.hybrid_inverter.modbus.model.register import Group
from custom_components.hybrid_inverter.runtime.setting_news import EVENT_SETTING_CHANGED
from custom_components.hybrid_inverter.runtime.settings_ledger import Found
from simulator import SimulatedPlant

from .helpers import SERIAL, entity, refresh, state, unit_of
from .test_schedule import NIGHT
from .test_schedule_windows import SERIAL as SAJ_SERIAL, set_up

# The addresses of Zero-export power (20 W), Low SOC (35 %), Restart SOC (50 %) and Work mode of the simulated JSO.
ZERO_EXPORT: Final = 104
RESTART_SOC: Final = 116
LOW_SOC: Final = 117
WORK_MODE: Final = 142


@pytest.fixture
def news(hass: HomeAssistant) -> list[dict[str, Any]]:
    """Return what is told from now on, as it happens."""
    told: list[dict[str, Any]] = []

    @callback
    def note(event: Event) -> None:
        told.append(
            {key: event.data[key] for key in ("change", "setting", "setting_name", "old", "new")}
        )

    hass.bus.async_listen(EVENT_SETTING_CHANGED, note)
    return told


async def set_number(hass: HomeAssistant, key: str, value: float, serial: str = SERIAL) -> None:
    """Set a number as a person does."""
    data = {ATTR_ENTITY_ID: entity(hass, Platform.NUMBER, key, serial), "value": value}
    await hass.services.async_call("number", "set_value", data, blocking=True)


async def select(hass: HomeAssistant, key: str, option: str, serial: str = SERIAL) -> None:
    """Choose an option as a person does."""
    data = {ATTR_ENTITY_ID: entity(hass, Platform.SELECT, key, serial), "option": option}
    await hass.services.async_call("select", "select_option", data, blocking=True)


async def let_pass(hass: HomeAssistant, seconds: float) -> None:
    """Let so many seconds pass at once."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds))
    await hass.async_block_till_done(wait_background_tasks=True)


def reads_of(plant: SimulatedPlant, address: int) -> int:
    """Return how many reads of an address the machine has answered."""
    return sum(
        read.address <= address < read.address + read.count for read in plant.machine().reads
    )


def issues(hass: HomeAssistant) -> dict[str, dict[str, str] | None]:
    """Return the issues of settings that were taken back, with what is put into their texts."""
    return {
        issue_id: issue.translation_placeholders
        for (domain, issue_id), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN and issue.translation_key == "setting_taken_back" and issue.active
    }


def event_state(hass: HomeAssistant, serial: str = SERIAL) -> tuple[str, dict[str, Any]]:
    """Return the state of the event entity, and what it says of the last event."""
    shown = state(hass, Platform.EVENT, "setting_changed", serial)
    names = ("event_type", "setting", "setting_name", "old", "new")
    return shown.state, {name: shown.attributes.get(name) for name in names}


async def test_a_setting_that_is_taken_back_is_told_within_ten_seconds_and_once(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, news: list[dict[str, Any]]
) -> None:
    """Zero-export power is set to 0, and five seconds later the machine has its 20 W again."""
    assert event_state(hass)[0] == STATE_UNKNOWN
    await set_number(hass, "zero_export_power", 0)
    plant.machine().panel_change(ZERO_EXPORT, 20)
    reads = reads_of(plant, ZERO_EXPORT)
    await let_pass(hass, 11)
    assert reads_of(plant, ZERO_EXPORT) == reads + 1
    assert state(hass, Platform.NUMBER, "zero_export_power").state == "20"
    told = {
        "setting": "zero_export_power",
        "setting_name": "Zero export power",
        "old": 0,
        "new": 20,
    }
    assert news == [{"change": "taken_back", **told}]
    assert event_state(hass)[1] == {"event_type": "taken_back", **told}
    assert issues(hass) == {
        "be5729_setting_taken_back_zero_export_power": {
            "name": "JSO8048104",
            "setting": "Zero export power",
            "wanted": "0",
            "held": "20",
        }
    }
    await let_pass(hass, 61)
    await refresh(hass, loaded, Group.SETTINGS)
    assert len(news) == 1


async def test_a_setting_that_is_taken_back_is_told_by_the_name_that_a_person_gave_until_it_is_read(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, news: list[dict[str, Any]]
) -> None:
    """The inverter has another name, and the issue outlives a restart: whoever comes home later confirms it."""
    registry = dr.async_get(hass)
    device = registry.async_get_device_by_identifier((DOMAIN, SERIAL), loaded.entry_id)
    assert device is not None
    registry.async_update_device(device.id, name_by_user="Garage")
    await set_number(hass, "zero_export_power", 0)
    plant.machine().panel_change(ZERO_EXPORT, 20)
    await let_pass(hass, 11)
    issue = ir.async_get(hass).async_get_issue(
        DOMAIN, "be5729_setting_taken_back_zero_export_power"
    )
    assert issue is not None
    assert (issue.translation_placeholders or {})["name"] == "Garage"
    assert issue.is_persistent
    assert issue.is_fixable


async def test_a_setting_that_is_taken_back_after_half_a_minute_is_told_within_a_minute(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, news: list[dict[str, Any]]
) -> None:
    """The first look finds it as it was written, the second one does not."""
    await set_number(hass, "zero_export_power", 0)
    await let_pass(hass, 11)
    assert not news
    plant.machine().panel_change(ZERO_EXPORT, 20)
    await let_pass(hass, 51)
    assert [one["change"] for one in news] == ["taken_back"]
    assert len(issues(hass)) == 1


async def test_a_change_that_lasts_for_a_minute_ends_the_issue(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, news: list[dict[str, Any]]
) -> None:
    """Two looks at it are all that it costs; the second change is kept."""
    await set_number(hass, "zero_export_power", 0)
    plant.machine().panel_change(ZERO_EXPORT, 20)
    await let_pass(hass, 11)
    assert len(issues(hass)) == 1
    await set_number(hass, "zero_export_power", 0)
    reads = reads_of(plant, ZERO_EXPORT)
    for seconds in (11, 51, 61, 61):
        await let_pass(hass, seconds)
    assert reads_of(plant, ZERO_EXPORT) == reads + 2
    assert not issues(hass)
    assert len(news) == 1


async def test_what_was_written_together_is_read_again_in_one_request(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, news: list[dict[str, Any]]
) -> None:
    """Three numbers, and one of them is taken back."""
    await set_number(hass, "zero_export_power", 0)
    await set_number(hass, "battery_restart_soc", 60)
    await set_number(hass, "battery_low_soc", 40)
    plant.machine().panel_change(RESTART_SOC, 50)
    reads = {address: reads_of(plant, address) for address in (ZERO_EXPORT, LOW_SOC)}
    await let_pass(hass, 11)
    assert {address: reads_of(plant, address) for address in reads} == {
        address: before + 1 for address, before in reads.items()
    }
    assert [(one["change"], one["setting"]) for one in news] == [
        ("taken_back", "battery_restart_soc")
    ]


async def test_a_value_that_somebody_else_changes_later_is_told_once(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, news: list[dict[str, Any]]
) -> None:
    """At the display, an hour later: the poll finds it, and no read is made for it."""
    await set_number(hass, "battery_low_soc", 30)
    await select(hass, "work_mode", "selling_first")
    await let_pass(hass, 11)
    await let_pass(hass, 51)
    plant.machine().panel_change(LOW_SOC, 25)
    plant.machine().panel_change(WORK_MODE, 1)
    plant.machine().panel_change(ZERO_EXPORT, 50)
    reads = reads_of(plant, LOW_SOC)
    await refresh(hass, loaded, Group.SETTINGS)
    assert reads_of(plant, LOW_SOC) == reads + 1
    assert news == [
        {
            "change": "changed_elsewhere",
            "setting": "battery_low_soc",
            "setting_name": "Low SOC",
            "old": 30,
            "new": 25,
        },
        {
            "change": "changed_elsewhere",
            "setting": "work_mode",
            "setting_name": "Work mode",
            "old": "Selling first",
            "new": "Zero export to load",
        },
    ]
    assert event_state(hass)[1]["setting"] == "work_mode"
    assert not issues(hass)
    plant.machine().panel_change(LOW_SOC, 22)
    await refresh(hass, loaded, Group.SETTINGS)
    assert len(news) == 2


async def test_what_the_read_back_of_another_setting_brings_is_told_too(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, news: list[dict[str, Any]]
) -> None:
    """An automation that writes every few minutes hides neither what is taken back nor what a person changes."""
    await set_number(hass, "zero_export_power", 0)
    await select(hass, "work_mode", "selling_first")
    plant.machine().panel_change(ZERO_EXPORT, 20)
    await set_number(hass, "battery_low_soc", 40)
    assert [(one["change"], one["setting"]) for one in news] == [
        ("taken_back", "zero_export_power")
    ]
    await let_pass(hass, 11)
    await let_pass(hass, 51)
    plant.machine().panel_change(WORK_MODE, 1)
    await set_number(hass, "battery_low_soc", 35)
    assert [(one["change"], one["setting"]) for one in news[1:]] == [
        ("changed_elsewhere", "work_mode")
    ]


async def test_what_a_machine_moves_together_with_a_setting_is_nobodys_change(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, news: list[dict[str, Any]]
) -> None:
    """It keeps its low state of charge below the restart one, whichever of them is written."""
    await set_number(hass, "battery_low_soc", 45)
    plant.machine().panel_change(LOW_SOC, 44)
    await set_number(hass, "battery_restart_soc", 55)
    await refresh(hass, loaded, Group.SETTINGS)
    assert news == []


async def test_our_own_changes_are_nobody_elses(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, news: list[dict[str, Any]]
) -> None:
    """Another value, the undo of it, and a schedule."""
    await set_number(hass, "battery_low_soc", 30)
    await set_number(hass, "battery_low_soc", 32)
    await refresh(hass, loaded, Group.SETTINGS)
    await unit_of(loaded).device.undo()
    await refresh(hass, loaded, Group.SETTINGS)
    schedule = {"device_id": unit_of(loaded).device_id, "windows": [NIGHT]}
    await hass.services.async_call(DOMAIN, "set_schedule", schedule, blocking=True)
    await refresh(hass, loaded, Group.SETTINGS)
    await let_pass(hass, 11)
    await let_pass(hass, 51)
    assert not news
    assert not issues(hass)


async def test_a_write_that_failed_makes_nothing_ours(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, news: list[dict[str, Any]]
) -> None:
    """What was ours before it is not any more: nobody knows what the machine made of it."""
    await set_number(hass, "battery_low_soc", 30)
    plant.machine().trouble.locked = True
    with pytest.raises(Exception, match="was not changed"):
        await set_number(hass, "battery_low_soc", 40)
    plant.machine().panel_change(LOW_SOC, 25)
    await refresh(hass, loaded, Group.SETTINGS)
    assert not news


async def test_nothing_is_told_after_a_restart(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, news: list[dict[str, Any]]
) -> None:
    """Changed while Home Assistant was away, and once more after it is back."""
    await set_number(hass, "battery_low_soc", 30)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    plant.machine().panel_change(LOW_SOC, 25)
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await hass.async_block_till_done()
    plant.machine().panel_change(LOW_SOC, 22)
    await refresh(hass, loaded, Group.SETTINGS)
    await let_pass(hass, 61)
    assert not news


async def test_a_silent_machine_is_not_accused(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, news: list[dict[str, Any]]
) -> None:
    """The look fails; what was changed meanwhile is told when the machine is polled again."""
    await set_number(hass, "zero_export_power", 0)
    plant.machine().panel_change(ZERO_EXPORT, 20)
    plant.machine().trouble.silent = True
    await let_pass(hass, 11)
    assert not news
    plant.machine().trouble.silent = False
    await let_pass(hass, 51)
    assert [one["change"] for one in news] == ["taken_back"]


async def test_what_a_mode_moves_with_itself_is_nobodys_change(
    hass: HomeAssistant, saj: SimulatedPlant, news: list[dict[str, Any]]
) -> None:
    """The app leaves the backup mode of a SAJ and lowers its SOC with it: the mode was changed, and that is told."""
    entry = await set_up(hass, saj)
    # Its firmware is not known yet, which loads the entry again.
    await hass.async_block_till_done(wait_background_tasks=True)
    await select(hass, "work_mode", "backup", SAJ_SERIAL)
    await set_number(hass, "backup_reserve_soc", 90, SAJ_SERIAL)
    await let_pass(hass, 11)
    await let_pass(hass, 51)
    saj.machine().panel_change(0x3651, 20)
    saj.machine().panel_change(0x3647, 0)
    await refresh(hass, entry, Group.SETTINGS)
    assert [(one["setting"], one["new"]) for one in news] == [("work_mode", "Self-consumption")]


async def test_others_may_rest_on_the_ledger(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry
) -> None:
    """They are told by key, with the values as they are, until they stop listening."""
    heard: list[Found] = []
    stop = unit_of(loaded).machine.settings.add_listener(heard.append)
    await set_number(hass, "battery_low_soc", 30)
    plant.machine().panel_change(LOW_SOC, 25)
    await refresh(hass, loaded, Group.SETTINGS)
    assert heard == [Found("battery_low_soc", 30, 25, taken_back=False)]
    stop()
    await set_number(hass, "battery_low_soc", 30)
    plant.machine().panel_change(LOW_SOC, 25)
    await refresh(hass, loaded, Group.SETTINGS)
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("held", "sentence"),
    [
        (25, "was changed elsewhere: Low SOC from 30 to 25"),
        (35, "did not keep a change: Low SOC went back from 30 to 35"),
    ],
)
async def test_the_logbook_says_it_in_a_sentence(
    hass: HomeAssistant, plant: SimulatedPlant, loaded: MockConfigEntry, held: int, sentence: str
) -> None:
    """With the inverter's name before it, and on the page of its device."""
    events: list[Event] = []

    @callback
    def note(event: Event) -> None:
        events.append(event)

    hass.bus.async_listen(EVENT_SETTING_CHANGED, note)
    described: dict[tuple[str, str], Any] = {}
    async_describe_events(hass, lambda domain, event, how: described.update({(domain, event): how}))
    await set_number(hass, "battery_low_soc", 30)
    plant.machine().panel_change(LOW_SOC, held)
    await refresh(hass, loaded, Group.SETTINGS)
    (event,) = events
    assert event.data["device_id"] == unit_of(loaded).device_id
    assert described[DOMAIN, EVENT_SETTING_CHANGED](event) == {
        "name": "JSO8048104",
        "message": sentence,
    }
