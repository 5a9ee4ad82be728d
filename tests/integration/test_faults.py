"""Faults, outages and their repairs, as they happen at the simulated machine."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

from homeassistant.const import (
    EVENT_STATE_CHANGED,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    Platform,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, flush_store

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.modbus.device import quarantine
from custom_components.hybrid_inverter.modbus.model.register import Group
from simulator import SimulatedPlant

from .helpers import entity, link_entry, network_data, refresh, state, unit_of

# The manual's table but for F35, by hand: the bit of each code, and how many seconds it is waited for.
TABLE: Final = {
    "F08": (7, 0),
    "F13": (12, 60),
    "F18": (17, 0),
    "F20": (19, 0),
    "F22": (21, 0),
    "F23": (22, 0),
    "F24": (23, 0),
    "F26": (25, 0),
    "F29": (28, 60),
    "F34": (33, 0),
    "F41": (40, 0),
    "F42": (41, 0),
    "F47": (46, 0),
    "F48": (47, 0),
    "F56": (55, 0),
    "F58": (57, 0),
    "F63": (62, 0),
    "F64": (63, 0),
}
INTERVAL: Final = 15


class House:
    """A home with the machine in it, whose clock only the test moves."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry, plant: SimulatedPlant) -> None:
        """Listen to what happens."""
        self.hass = hass
        self.entry = entry
        self.plant = plant
        self.now = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
        self.happened: list[dict[str, Any]] = []
        hass.bus.async_listen(EVENT_STATE_CHANGED, self._note)

    @callback
    def _note(self, event: Event[Any]) -> None:
        new, old = event.data["new_state"], event.data["old_state"]
        if (
            new is not None
            and new.domain == "event"
            and new.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN)
            and (old is None or old.state not in (STATE_UNAVAILABLE, new.state))
        ):
            hidden = ("event_types", "friendly_name")
            self.happened.append(
                {name: value for name, value in new.attributes.items() if name not in hidden}
            )

    @property
    def types(self) -> list[str]:
        """Return the types of the events so far."""
        return [attributes["event_type"] for attributes in self.happened]

    def set_faults(self, *bits: int) -> None:
        """Set these bits of the fault field and no others."""
        self.plant.machine().trouble.faults = frozenset(bits)

    async def set_up(self) -> None:
        """Load the entry; what happens while it loads is heard, too."""
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done(wait_background_tasks=True)

    async def restart(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Unload and load the entry, with something happening in between."""
        assert await self.hass.config_entries.async_unload(self.entry.entry_id)
        await self.hass.async_block_till_done()
        meanwhile()
        await self.set_up()

    async def poll(self, times: int = 1, after: float = INTERVAL) -> None:
        """Poll the fault codes, each time so many seconds later."""
        for _ in range(times):
            self.now += timedelta(seconds=after)
            await refresh(self.hass, self.entry, Group.FAULTS)

    async def answer_again(self, after: float = INTERVAL) -> None:
        """End a silence: the powers are answered so many seconds later, and the fault codes are read at once."""
        self.plant.machine().trouble.silent = False
        self.now += timedelta(seconds=after)
        await refresh(self.hass, self.entry, Group.POWER)

    @property
    def issues(self) -> list[str]:
        """Return the ids of the issues that are raised and not ignored, in order."""
        registry = ir.async_get(self.hass)
        return sorted(
            issue.issue_id
            for issue in registry.issues.values()
            if issue.domain == DOMAIN and issue.active and issue.dismissed_version is None
        )

    def sensor(self, key: str = "fault") -> tuple[str, list[str]]:
        """Return the state of a sensor of codes, and its codes."""
        shown = state(self.hass, Platform.SENSOR, key)
        return shown.state, shown.attributes["codes"]

    @property
    def problem(self) -> str:
        """Return the state of the problem."""
        return state(self.hass, Platform.BINARY_SENSOR, "problem").state


@pytest.fixture
def unloaded(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    plant: SimulatedPlant,
    monkeypatch: pytest.MonkeyPatch,
) -> House:
    """Return a house whose entry is not loaded yet."""
    house = House(hass, entry, plant)
    clock = SimpleNamespace(utcnow=lambda: house.now, parse_datetime=dt_util.parse_datetime)
    monkeypatch.setattr("custom_components.hybrid_inverter.runtime.faults.dt_util", clock)
    monkeypatch.setattr("custom_components.hybrid_inverter.entities.outage.dt_util", clock)
    return house


@pytest.fixture
async def house(unloaded: House) -> House:
    """Return a house with everything in order."""
    await unloaded.set_up()
    await unloaded.poll()
    return unloaded


# ---------------------------------------------------------------------- the manual's table


@pytest.mark.parametrize("code", TABLE)
async def test_each_code_shows_at_once_raises_a_repair_later_and_clears(
    house: House, code: str
) -> None:
    """Sensor and event with the first poll, the repair one poll after its delay at most; and all clear again."""
    bit, delay = TABLE[code]
    issue_id = f"be5729_{code.lower()}"
    house.set_faults(bit)
    await house.poll()
    assert house.sensor() == (code.lower(), [code])
    assert house.types == [code.lower()]
    assert house.issues == []
    await house.poll(max(1, delay // INTERVAL))
    assert house.issues == [issue_id]
    assert house.problem == "on"
    house.set_faults()
    await house.poll()
    assert house.sensor() == ("none", [])
    assert house.issues == [issue_id]
    await house.poll()
    assert house.issues == []
    assert house.problem == "off"
    assert house.types == [code.lower()]


@pytest.mark.parametrize("code", ["F13", "F29"])
async def test_code_that_clears_within_a_minute_raises_no_repair(house: House, code: str) -> None:
    """A code that is gone within a minute is an event, but no repair."""
    house.set_faults(TABLE[code][0])
    await house.poll(4)
    assert house.issues == []
    house.set_faults()
    await house.poll(3)
    assert house.issues == []
    assert house.types == [code.lower()]


async def test_what_an_issue_says(house: House) -> None:
    """Nothing to press, told about the inverter by its name, and as bad as it is."""
    registry = dr.async_get(house.hass)
    registry.async_update_device(unit_of(house.entry).device_id, name_by_user="Cellar")
    house.set_faults(22, 12)
    await house.poll(14)
    issues = ir.async_get(house.hass)
    broken = issues.async_get_issue(DOMAIN, "be5729_f23")
    healing = issues.async_get_issue(DOMAIN, "be5729_f13")
    assert broken is not None
    assert healing is not None
    assert (broken.severity, healing.severity) == ("error", "warning")
    assert (broken.translation_key, healing.translation_key) == ("fault_f23", "fault_f13")
    assert broken.translation_placeholders == {"name": "Cellar"}
    assert not broken.is_fixable
    assert not broken.is_persistent


async def test_several_faults_show_together_and_clear_separately(house: House) -> None:
    """All are shown and told; one that goes takes no other one along."""
    house.set_faults(22, 63)
    await house.poll(2)
    assert house.sensor() == ("f23", ["F23", "F64"])
    assert house.types == ["f23", "f64"]
    assert house.issues == ["be5729_f23", "be5729_f64"]
    house.set_faults(63)
    await house.poll(2)
    assert house.sensor() == ("f64", ["F64"])
    assert house.issues == ["be5729_f64"]
    house.set_faults(63, 62)
    await house.poll(2)
    assert house.types == ["f23", "f64", "f63"]
    assert house.issues == ["be5729_f63", "be5729_f64"]


async def test_fault_of_a_single_poll_raises_no_repair(house: House) -> None:
    """Seen once: told, and no repair."""
    house.set_faults(22)
    await house.poll()
    house.set_faults()
    await house.poll(3)
    assert house.types == ["f23"]
    assert house.issues == []


async def test_fault_that_comes_back_is_an_event_again(house: House) -> None:
    """A fault that was gone is told again."""
    for _ in range(2):
        house.set_faults(22)
        await house.poll(2)
        assert house.issues == ["be5729_f23"]
        house.set_faults()
        await house.poll(2)
        assert house.issues == []
    assert house.types == ["f23", "f23"]


# ---------------------------------------------------------------------- words


async def test_faults_have_a_meaning_in_words_except_f17(house: House) -> None:
    """In words, for people; F17 has never been documented, and no words are made up for it."""
    house.set_faults(22, 16)
    house.plant.machine().panel_change(554, 0x4000)
    await house.poll()
    assert state(house.hass, Platform.SENSOR, "fault").attributes["meanings"] == [
        {"code": "F17", "meaning": None},
        {"code": "F23", "meaning": "Short peak of AC leakage current"},
    ]
    assert state(house.hass, Platform.SENSOR, "warning").attributes["meanings"] == [
        {"code": "W31", "meaning": "Lithium battery lost"}
    ]
    assert house.happened == [
        {
            "event_type": "f17",
            "code": "F17",
            "meaning": None,
            "kind": "fault",
            "since": "2026-06-01T12:00:30+00:00",
        },
        {
            "event_type": "f23",
            "code": "F23",
            "meaning": "Short peak of AC leakage current",
            "kind": "fault",
            "since": "2026-06-01T12:00:30+00:00",
        },
        {
            "event_type": "w31",
            "code": "W31",
            "meaning": "Lithium battery lost",
            "kind": "warning",
            "since": "2026-06-01T12:00:30+00:00",
        },
    ]


async def test_code_without_a_remedy_is_shown_but_raises_no_repair(house: House) -> None:
    """A code without a remedy is shown and told, and raises nothing; a warning is no problem."""
    house.plant.machine().panel_change(553, 0x0001)
    await house.poll(30)
    assert house.sensor("warning") == ("w01", ["W01"])
    assert house.problem == "off"
    house.set_faults(16, 0)
    await house.poll(30)
    assert house.sensor() == ("f01", ["F01", "F17"])
    assert house.problem == "on"
    assert house.types == ["w01", "f01", "f17"]
    assert house.issues == []


async def test_fault_event_has_a_type_for_every_bit(house: House) -> None:
    """One for every bit, so that an automation can name it; the grid has its own event."""
    types = state(house.hass, Platform.EVENT, "fault").attributes["event_types"]
    assert len(types) == 64 - 1 + 32
    assert {"f01", "f64", "w01", "w32"} <= set(types)
    assert "f35" not in types


async def test_no_word_at_all(house: House) -> None:
    """All ones say that there is no field: nothing is raised, and nothing cleared."""
    house.plant.machine().panel_change(553, 0x0002)
    await house.poll(2)
    assert house.types == ["w02"]
    for address in (553, 554):
        house.plant.machine().panel_change(address, 0xFFFF)
    await house.poll(3)
    house.plant.machine().panel_change(553, 0x0002)
    house.plant.machine().panel_change(554, 0)
    await house.poll(2)
    assert house.types == ["w02"]


# ---------------------------------------------------------------------- silence and restarts


async def test_silent_with_a_fault(house: House) -> None:
    """A machine that does not answer says nothing: what was raised stays, and nothing is told when it is back."""
    house.set_faults(22)
    await house.poll(2)
    house.plant.machine().trouble.silent = True
    await house.poll(5)
    assert house.issues == ["be5729_f23"]
    await house.answer_again()
    await house.poll(2)
    assert house.issues == ["be5729_f23"]
    assert house.types == ["f23"]
    house.set_faults()
    house.plant.machine().trouble.silent = True
    await house.poll(5)
    await house.answer_again()
    assert house.issues == ["be5729_f23"]
    await house.poll()
    assert house.issues == []


async def test_silence_is_no_second_poll(house: House) -> None:
    """Seen once before the machine fell silent is not seen twice, and a poll that failed counts as nothing."""
    house.set_faults(22)
    await house.poll()
    house.plant.machine().trouble.silent = True
    await house.poll(2)
    assert house.issues == []
    await house.answer_again()
    assert house.issues == ["be5729_f23"]


async def test_a_restart_tells_nothing_twice(house: House) -> None:
    """The fault was told; its repair is there again after two polls."""
    house.set_faults(22)
    await house.poll(2)
    await house.restart()
    assert house.sensor() == ("f23", ["F23"])
    assert house.issues == []
    await house.poll(2)
    assert house.types == ["f23"]
    assert house.issues == ["be5729_f23"]
    told = state(house.hass, Platform.EVENT, "fault")
    assert told.attributes["event_type"] == "f23"


async def test_a_fault_that_comes_during_a_restart(house: House) -> None:
    """It was not told before, so it is now; the other one was."""
    house.set_faults(22)
    await house.poll(2)
    await house.restart(lambda: house.set_faults(22, 63))
    await house.poll(2)
    assert house.types == ["f23", "f64"]
    assert house.issues == ["be5729_f23", "be5729_f64"]


async def test_a_fault_that_goes_during_a_restart(house: House) -> None:
    """When it is back later, it is a new one."""
    house.set_faults(22)
    await house.poll(2)
    await house.restart(house.set_faults)
    await house.poll(2)
    house.set_faults(22)
    await house.poll(2)
    assert house.types == ["f23", "f23"]


async def test_a_fault_that_comes_back_during_a_restart(house: House) -> None:
    """It was gone before, so it is a new one, too."""
    house.set_faults(22)
    await house.poll(2)
    house.set_faults()
    await house.poll(2)
    await house.restart(lambda: house.set_faults(22))
    await house.poll(2)
    assert house.types == ["f23", "f23"]


async def test_the_first_start_with_a_fault(unloaded: House) -> None:
    """A fault that nobody has told of yet is told."""
    unloaded.set_faults(22)
    await unloaded.set_up()
    await unloaded.poll()
    assert unloaded.types == ["f23"]
    assert unloaded.issues == ["be5729_f23"]


async def test_an_ignored_issue_stays_ignored(house: House) -> None:
    """Over a reload and a restart, but not for the next time that the fault comes."""
    registry = ir.async_get(house.hass)
    house.set_faults(22)
    await house.poll(2)
    registry.async_ignore(DOMAIN, "be5729_f23", True)
    await house.restart()
    await house.poll(3)
    assert house.issues == []
    # What Home Assistant itself does with issues in a restart.
    assert await house.hass.config_entries.async_unload(house.entry.entry_id)
    await flush_store(registry._store)
    await registry._async_load()
    forgotten = registry.async_get_issue(DOMAIN, "be5729_f23")
    assert forgotten is not None
    assert not forgotten.active
    await house.set_up()
    await house.poll(3)
    ignored = registry.async_get_issue(DOMAIN, "be5729_f23")
    assert ignored is not None
    assert ignored.active
    assert ignored.dismissed_version is not None
    house.set_faults()
    await house.poll(2)
    house.set_faults(22)
    await house.poll(2)
    assert house.issues == ["be5729_f23"]


async def test_removed_entry_takes_its_issues_and_fault_memory_along(
    house: House, hass_storage: dict[str, Any]
) -> None:
    """With the entry go its issues, in the end also the ignored ones, and what was remembered; not another one's."""
    registry = ir.async_get(house.hass)
    ir.async_create_issue(
        house.hass,
        DOMAIN,
        "b226df_f23",
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key="fault_f23",
    )
    house.set_faults(22, 63)
    await house.poll(2)
    registry.async_ignore(DOMAIN, "be5729_f64", True)
    stored = f"hybrid_inverter.faults.{house.entry.entry_id}"
    assert hass_storage[stored]["data"] == {
        "JSO0000001": {"codes": {"fault": ["F23", "F64"], "warning": []}, "outage": None}
    }
    polled = unit_of(house.entry).coordinators[Group.FAULTS]
    assert await house.hass.config_entries.async_unload(house.entry.entry_id)
    assert list(polled.async_contexts()) == []
    assert house.issues == ["b226df_f23"]
    assert registry.async_get_issue(DOMAIN, "be5729_f64") is not None
    assert await house.hass.config_entries.async_remove(house.entry.entry_id)
    await house.hass.async_block_till_done()
    assert {issue_id for domain, issue_id in registry.issues if domain == DOMAIN} == {"b226df_f23"}
    assert stored not in hass_storage


# ---------------------------------------------------------------------- outages


@pytest.fixture
async def logged(house: House) -> House:
    """Return the house with the sensors of the last outage switched on."""
    registry = er.async_get(house.hass)
    for key in ("last_outage", "last_outage_duration"):
        registry.async_update_entity(entity(house.hass, Platform.SENSOR, key), disabled_by=None)
    await house.restart()
    await house.poll()
    return house


def last(house: House) -> tuple[str, str]:
    """Return when the last outage began, and its minutes."""
    return (
        state(house.hass, Platform.SENSOR, "last_outage").state,
        state(house.hass, Platform.SENSOR, "last_outage_duration").state,
    )


async def test_outage_starts_and_ends_once_and_is_neither_fault_nor_problem(logged: House) -> None:
    """Begun and ended once each, counted up meanwhile; F35 is shown, and is neither fault, problem nor repair."""
    start = logged.now
    assert last(logged) == (STATE_UNKNOWN, STATE_UNKNOWN)
    logged.plant.machine().trouble.outage = True
    logged.plant.advance(1)
    await logged.poll()
    assert state(logged.hass, Platform.BINARY_SENSOR, "grid_connected").state == "off"
    begun = (start + timedelta(seconds=15)).isoformat()
    assert last(logged) == (begun, "0.0")
    await logged.poll(after=90)
    assert last(logged) == (begun, "1.5")
    await logged.poll(after=30)
    assert last(logged) == (begun, "2.0")
    assert logged.sensor() == ("f35", ["F35"])
    assert state(logged.hass, Platform.SENSOR, "fault").attributes["meanings"] == [
        {"code": "F35", "meaning": "No grid"}
    ]
    assert (logged.problem, logged.issues) == ("off", [])
    logged.plant.machine().trouble.outage = False
    logged.plant.advance(1)
    await logged.poll(after=60)
    await logged.poll(3)
    assert last(logged) == (begun, "3.0")
    assert logged.happened == [
        {"event_type": "started", "since": begun},
        {"event_type": "ended", "since": begun, "duration": 180},
    ]


async def test_an_outage_with_a_fault(house: House) -> None:
    """A defect during an outage is one."""
    house.plant.machine().trouble.outage = True
    house.set_faults(33)
    house.plant.advance(1)
    await house.poll(2)
    assert house.sensor() == ("f34", ["F34", "F35"])
    assert house.problem == "on"
    assert house.issues == ["be5729_f34"]
    assert sorted(house.types) == ["f34", "started"]


@pytest.mark.parametrize("meanwhile", ["restart", "silence"])
async def test_outage_continues_across_restarts_and_lost_links(
    logged: House, meanwhile: str
) -> None:
    """It begins once, whatever happens to Home Assistant or the link, and counts from there."""
    trouble = logged.plant.machine().trouble
    trouble.outage = True
    logged.plant.advance(1)
    await logged.poll()
    begun = logged.now.isoformat()
    if meanwhile == "restart":
        await logged.restart()
        await logged.poll(after=60)
    else:
        trouble.silent = True
        await logged.poll(3, after=5)
        assert last(logged) == (STATE_UNAVAILABLE, STATE_UNAVAILABLE)
        await logged.answer_again(after=45)
    assert last(logged) == (begun, "1.0")
    assert logged.types == ["started"]


async def test_an_outage_that_ends_during_a_restart(logged: House) -> None:
    """It ends with the first poll that sees the grid, and is still known after one more restart."""
    trouble = logged.plant.machine().trouble
    trouble.outage = True
    logged.plant.advance(1)
    await logged.poll()
    begun = logged.now.isoformat()

    def grid_is_back() -> None:
        trouble.outage = False
        logged.plant.advance(1)
        logged.now += timedelta(seconds=120)

    await logged.restart(grid_is_back)
    assert logged.types == ["started", "ended"]
    assert last(logged) == (begun, "2.0")
    await logged.restart()
    await logged.poll()
    assert last(logged) == (begun, "2.0")
    assert logged.types == ["started", "ended"]


@pytest.mark.parametrize("off_grid", [{557: 0x0004}, {552: 0}])
async def test_either_sign_of_an_outage(house: House, off_grid: dict[int, int]) -> None:
    """F35, or the grid relay that is open; it is over when neither says so."""
    machine = house.plant.machine()
    before = {address: machine.word(address) for address in off_grid}
    if 557 in off_grid:
        house.set_faults(34)
    else:
        machine.panel_change(552, 0)
    await house.poll(2)
    assert house.types == ["started"]
    house.set_faults()
    for address, word in before.items():
        machine.panel_change(address, word)
    await house.poll(2)
    assert house.types == ["started", "ended"]


@pytest.mark.parametrize("seconds", [0.0, 15.0])
async def test_an_outage_lasts_while_the_sign_that_began_it_is_refused(
    house: House, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """The grid relay is open, and not read any more: no fault code is no grid. Refused once, or until it is left alone."""
    passed = [1000.0]
    monkeypatch.setattr(quarantine, "_now", lambda: passed[0])
    machine = house.plant.machine()
    before = machine.word(552)
    machine.panel_change(552, before & ~0x0004)
    await house.poll()
    machine.trouble.refused_blocks = ((552, 552, 2),)
    for _ in range(5):
        passed[0] += seconds
        await house.poll()
        assert state(house.hass, Platform.BINARY_SENSOR, "grid_connected").state == "unavailable"
    assert house.types == ["started"]
    machine.trouble.refused_blocks = ()
    passed[0] += 600
    await house.poll()
    assert house.types == ["started"]
    machine.panel_change(552, before)
    await house.poll()
    assert house.types == ["started", "ended"]


async def test_an_outage_ends_on_a_machine_that_has_never_served_one_of_its_signs(
    unloaded: House,
) -> None:
    """Its relays are refused from the beginning: F35 alone begins it and ends it."""
    unloaded.plant.machine().trouble.refused_blocks = ((552, 552, 2),)
    await unloaded.set_up()
    unloaded.set_faults(34)
    await unloaded.poll()
    assert unloaded.types == ["started"]
    unloaded.set_faults()
    await unloaded.poll()
    assert unloaded.types == ["started", "ended"]


# ---------------------------------------------------------------------- what is polled


async def test_watched_without_the_sensors(unloaded: House) -> None:
    """A person who hides the sensors still gets the repairs."""
    await unloaded.set_up()
    registry = er.async_get(unloaded.hass)
    for platform, key in (
        (Platform.SENSOR, "fault"),
        (Platform.SENSOR, "warning"),
        (Platform.BINARY_SENSOR, "problem"),
        (Platform.BINARY_SENSOR, "grid_connected"),
        (Platform.EVENT, "fault"),
    ):
        registry.async_update_entity(
            entity(unloaded.hass, platform, key), disabled_by=er.RegistryEntryDisabler.USER
        )
    unloaded.set_faults(22)
    await unloaded.restart()
    assert {"fault", "warning", "grid_connected"} <= unit_of(unloaded.entry).coordinators[
        Group.FAULTS
    ].keys
    await unloaded.poll()
    assert unloaded.issues == ["be5729_f23"]


async def test_two_inverters_on_a_link_have_their_own_faults(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    """On one link, each with its own faults."""
    async with SimulatedPlant(units=(1, 2)) as plant:
        plant.advance(60)
        entry = link_entry(network_data(plant.tcp_port), {1: "JSO0000001", 2: "JSO0000002"})
        entry.add_to_hass(hass)
        house = House(hass, entry, plant)
        plant.machine(1).trouble.faults = frozenset({22})
        plant.machine(2).trouble.faults = frozenset({63})
        await house.set_up()
        for unit in entry.runtime_data.units.values():
            await unit.coordinators[Group.FAULTS].async_refresh()
        assert house.issues == ["b226df_f64", "be5729_f23"]
        assert sorted(house.types) == ["f23", "f64"]
        assert await hass.config_entries.async_unload(entry.entry_id)
        assert house.issues == []
