"""Everything that can happen to an order while it is in force, over real sockets and on both families."""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.hybrid_inverter.const import CONF_MAY_SELL
from custom_components.hybrid_inverter.entry.json_store import JsonStore
from custom_components.hybrid_inverter.modbus.device.verified_unit import VerifiedUnit
from custom_components.hybrid_inverter.runtime.issues import machine_tag
from simulator import SimulatedPlant
from simulator.cause import cause
from simulator.steering import steer

from .dying import Died, Life, told
from .helpers import SERIAL, load, network_entry
from .test_control_actions import MORNING, act
from .test_control_crash import DARK, words_of
from .test_control_repairs import wait
from .test_schedule_windows import SERIAL as SAJ_SERIAL, set_up

HOLD: Final[dict[str, Any]] = {"mode": "hold", "duration": 60}
CHARGE: Final[dict[str, Any]] = {
    "mode": "charge",
    "power": 1000,
    "target_soc": 80,
    "duration": 60,
}
# The minimum state of charge on the grid, the mode, and the switches of the slots that charge, of a SAJ.
FLOOR, MODE, MASK = 0x3644, 0x3647, 0x3604

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("few_entities", "in_berlin"),
]


@dataclass(frozen=True, kw_only=True)
class Home:
    """A dark house with one inverter that holds 60 %, and what happens to orders of its battery."""

    hass: HomeAssistant
    freezer: FrozenDateTimeFactory
    plant: SimulatedPlant
    entry: MockConfigEntry
    serial: str
    life: Life
    told: list[tuple[str, str, dict[str, Any]]]
    user: MockUser
    before: dict[int, int]

    @property
    def words(self) -> dict[int, int]:
        """What the inverter holds now."""
        return words_of(self.plant)

    @property
    def writes(self) -> int:
        """How many writes have arrived."""
        return len(self.plant.machine().writes)

    @property
    def happened(self) -> list[str]:
        """What was told, in order."""
        return [what for what, _, _ in self.told]

    @property
    def issues(self) -> set[str]:
        """The kinds of the repair issues about orders."""
        start = f"{machine_tag(self.serial)}_control_"
        registry = ir.async_get(self.hass)
        return {
            issue.issue_id.removeprefix(start)
            for issue in registry.issues.values()
            if issue.issue_id.startswith(start)
        }

    async def order(self, **data: Any) -> Any:
        """Give an order, for an automation."""
        return await act(self.hass, "control_battery", self.serial, **data)

    async def release(self) -> Any:
        """Release the battery, as a person."""
        return await act(self.hass, "release_battery", self.serial, user=self.user)

    async def wait(self, minutes: float) -> None:
        """Let some minutes pass, half a minute at a time."""
        for _ in range(round(minutes * 2)):
            self.plant.advance(30)
            await wait(self.hass, self.freezer, 0.5)

    async def restart(self, away: timedelta = timedelta()) -> None:
        """Crash, and start again."""
        await self.life.end(self.entry)
        self.freezer.tick(away)
        await self.life.begin(self.entry)


@pytest.fixture
def make_home(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    hass_admin_user: MockUser,
) -> Callable[[SimulatedPlant, MockConfigEntry, str], Home]:
    """Return what makes a home of a plant and its entry."""

    def make(plant: SimulatedPlant, entry: MockConfigEntry, serial: str) -> Home:
        return Home(
            hass=hass,
            freezer=freezer,
            plant=plant,
            entry=entry,
            serial=serial,
            life=Life(hass, hass_storage, monkeypatch),
            told=told(monkeypatch),
            user=hass_admin_user,
            before=words_of(plant),
        )

    return make


@pytest.fixture
async def jso(hass: HomeAssistant, plant: SimulatedPlant, make_home: Callable[..., Home]) -> Home:
    """Return the home of a JSO."""
    steer(plant, plant.machine(), DARK)
    entry = await load(hass, network_entry(plant.tcp_port, options={CONF_MAY_SELL: True}))
    return make_home(plant, entry, SERIAL)


@pytest.fixture
async def windows(hass: HomeAssistant, saj: SimulatedPlant, make_home: Callable[..., Home]) -> Home:
    """Return the home of a SAJ."""
    steer(saj, saj.machine(), DARK)
    entry = await set_up(hass, saj, "discharge_slots", may_sell_from_battery=True)
    return make_home(saj, entry, SAJ_SERIAL)


@pytest.fixture(params=["jso", "saj"])
async def home(
    request: pytest.FixtureRequest,
    hass: HomeAssistant,
    socket_enabled: None,
    quick_saj: None,
    make_home: Callable[..., Home],
) -> AsyncIterator[Home]:
    """Return both, one after the other."""
    options = {"model": "H2-6K-S2"} if request.param == "saj" else {}
    async with SimulatedPlant(**options) as plant:
        plant.advance(60)
        steer(plant, plant.machine(), DARK)
        if request.param == "saj":
            entry = await set_up(hass, plant, "discharge_slots", may_sell_from_battery=True)
            yield make_home(plant, entry, SAJ_SERIAL)
        else:
            entry = await load(hass, network_entry(plant.tcp_port, options={CONF_MAY_SELL: True}))
            yield make_home(plant, entry, SERIAL)


# ---------------------------------------------------------------------- starts


async def test_an_order_survives_a_reload(hass: HomeAssistant, home: Home) -> None:
    """Nothing is written, and one event tells that it is looked after again; it ends at its time."""
    await home.order(**HOLD)
    held, arrived = home.words, home.writes
    assert await hass.config_entries.async_reload(home.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert (home.words, home.writes) == (held, arrived)
    assert home.happened == ["started", "adopted_at_start"]
    await home.wait(65)
    assert home.happened[2:] == ["ended"]
    assert home.words == home.before


async def test_an_order_survives_a_restart(home: Home) -> None:
    """The same after a crash."""
    await home.order(**CHARGE)
    held, arrived = home.words, home.writes
    await home.restart(timedelta(minutes=5))
    assert (home.words, home.writes) == (held, arrived)
    assert home.happened == ["started", "adopted_at_start"]
    assert home.issues == set()
    await home.release()
    assert home.words == home.before


async def test_a_restart_just_before_the_end_that_was_told_ends_nothing_early(jso: Home) -> None:
    """11:01 was asked for, which is 11:05 in steps of five minutes: the inverter goes on until then, and so does the order."""
    await jso.order(**CHARGE)
    held, arrived = jso.words, jso.writes
    jso.plant.advance(3720)
    await jso.restart(timedelta(minutes=62))
    assert (jso.words, jso.writes) == (held, arrived)
    assert jso.happened == ["started", "adopted_at_start"]
    await jso.wait(1.5)
    assert jso.words == held
    await jso.wait(1)
    assert jso.words == jso.before
    assert jso.happened == ["started", "adopted_at_start", "ended"]


async def test_an_order_of_nearly_a_day_gives_up_a_step(jso: Home) -> None:
    """10:01 until 09:56 would be 10:00 until 10:00: it ends at 09:55, and says so; one that needs no slot keeps its end."""
    answer = await jso.order(mode="hold", duration=1435)
    # The clock of the inverter is a second ahead.
    assert (answer["until"], answer["ends_by"]) == ("2026-06-22T09:54:59+02:00", "inverter")
    limit = await act(jso.hass, "limit_export", jso.serial, power=0, duration=1435)
    assert limit["until"] == "2026-06-22T09:56:00+02:00"


async def test_an_order_that_is_over_at_the_start_is_put_back(home: Home) -> None:
    """One event and a repair tell it."""
    await home.order(**CHARGE)
    await home.restart(timedelta(hours=2))
    assert home.words == home.before
    assert home.happened == ["started", "restored_at_start"]
    assert home.issues == {"put_back"}


@pytest.mark.parametrize("writes", [None, 1])
async def test_an_order_of_last_week_is_left_alone(home: Home, writes: int | None) -> None:
    """Nothing is written, also when its end was broken off; a repair tells what is left."""
    await home.order(**CHARGE)
    if writes is not None:
        home.life.die_after(writes)
        with suppress(Died):
            await home.release()
    held, arrived = home.words, home.writes
    await home.restart(timedelta(days=8))
    assert (home.words, home.writes) == (held, arrived)
    assert home.happened == ["started"]
    assert home.issues == {"left_alone"}
    # And nothing is known of it any more.
    await home.restart()
    assert (home.writes, home.happened) == (arrived, ["started"])
    # A later order that is looked after says nothing about what has stayed since then.
    await act(home.hass, "limit_export", home.serial, power=0, duration=60)
    await home.restart()
    assert home.happened == ["started", "started", "adopted_at_start"]
    assert home.issues == {"left_alone"}


async def test_what_somebody_has_put_back_meanwhile_is_forgotten(home: Home) -> None:
    """Without a word."""
    await home.order(**CHARGE)
    arrived = home.writes
    await home.life.end(home.entry)
    for address, word in home.before.items():
        home.plant.machine().panel_change(address, word)
    home.freezer.tick(timedelta(hours=2))
    await home.life.begin(home.entry)
    assert (home.writes, home.happened, home.issues) == (arrived, ["started"], set())


# ---------------------------------------------------------------------- silence, and a lost link


async def test_an_inverter_that_is_silent_at_the_end_is_put_right_when_it_is_back(
    home: Home,
) -> None:
    """And then the end is told."""
    await home.order(**CHARGE)
    held = home.words
    await home.wait(30)
    home.plant.machine().trouble.silent = True
    home.plant.advance(2400)
    await wait(home.hass, home.freezer, 40)
    await wait(home.hass, home.freezer, 1)
    assert home.words == held
    assert home.happened == ["started"]
    home.plant.machine().trouble.silent = False
    await home.wait(2)
    assert home.words == home.before
    assert home.happened == ["started", "ended"]


async def test_a_link_that_is_lost_in_the_middle_of_a_start_leaves_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has arrived is put back once the inverter is there again."""
    sent = 0

    def counted(write: Callable[..., Any]) -> Callable[..., Any]:
        async def write_and_lose(*args: Any) -> None:
            nonlocal sent
            sent += 1
            home.plant.machine().trouble.silent = sent >= 3
            await write(*args)

        return write_and_lose

    for name in ("write_register", "write_registers"):
        monkeypatch.setattr(VerifiedUnit, name, counted(getattr(VerifiedUnit, name)))
    with pytest.raises(HomeAssistantError):
        await home.order(**CHARGE)
    assert home.words != home.before
    sent = -100
    home.plant.machine().trouble.silent = False
    await home.wait(2)
    assert home.words == home.before
    assert home.happened == []


# ---------------------------------------------------------------------- given up, and stopped


async def test_what_is_disabled_is_let_go(hass: HomeAssistant, home: Home) -> None:
    """Nobody would end the order."""
    await home.order(**CHARGE)
    await hass.config_entries.async_set_disabled_by(home.entry.entry_id, ConfigEntryDisabler.USER)
    assert home.words == home.before
    assert home.happened == ["started", "released"]


async def test_what_is_removed_is_let_go(hass: HomeAssistant, home: Home) -> None:
    """Nobody would end the order."""
    await home.order(**CHARGE)
    await hass.config_entries.async_remove(home.entry.entry_id)
    assert home.words == home.before
    assert home.happened == ["started", "released"]


async def test_an_inverter_that_is_taken_out_of_its_entry_is_let_go(
    hass: HomeAssistant, home: Home
) -> None:
    """Nobody would end the order."""
    await home.order(**CHARGE)
    (subentry,) = home.entry.subentries
    hass.config_entries.async_remove_subentry(home.entry, subentry)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert home.words == home.before
    assert home.happened == ["started", "released"]


async def stop(hass: HomeAssistant) -> None:
    """Stop Home Assistant in order."""
    hass.set_state(CoreState.stopping)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_what_only_home_assistant_ends_is_ended_when_it_stops(
    hass: HomeAssistant, jso: Home
) -> None:
    """A battery that takes nothing would stay so."""
    await jso.order(mode="no_charge", duration=60)
    assert jso.words != jso.before
    await stop(hass)
    assert jso.words == jso.before
    assert jso.happened == ["started", "released"]


async def test_a_battery_that_rests_goes_on_when_home_assistant_stops(
    hass: HomeAssistant, windows: Home
) -> None:
    """Nothing of the inverter ends the passive mode."""
    await windows.order(mode="idle", duration=60)
    assert windows.words[MODE] == 3
    await stop(hass)
    assert windows.words == windows.before
    assert windows.happened == ["started", "released"]


async def test_what_the_inverter_ends_goes_on_when_home_assistant_stops(
    hass: HomeAssistant, home: Home
) -> None:
    """Slots stay, and are looked after at the next start."""
    await home.order(**CHARGE)
    held, arrived = home.words, home.writes
    await stop(hass)
    assert (home.words, home.writes, home.happened) == (held, arrived, ["started"])


# ---------------------------------------------------------------------- a full disk


async def test_an_order_that_cannot_be_remembered_is_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is sent; an order that is in force still ends, be it beside an export limit that goes on."""
    await act(home.hass, "limit_export", home.serial, power=0, duration=60)
    limited = home.words
    await home.order(**HOLD)
    arrived, held = home.writes, home.words

    async def full(self: JsonStore, content: dict[str, Any]) -> bool:
        return False

    monkeypatch.setattr(JsonStore, "async_save_proved", full)
    with pytest.raises(HomeAssistantError):
        await home.order(**CHARGE)
    assert (home.words, home.writes) == (held, arrived)
    await home.release()
    assert home.words == limited
    await act(home.hass, "limit_export", home.serial)
    assert home.words == home.before
    assert home.happened == ["started", "started", "released", "released"]


# ---------------------------------------------------------------------- somebody else


async def test_a_change_beside_the_order_becomes_the_owners(jso: Home) -> None:
    """35 % in the sixth slot become 50 %, and stay when the order is released."""
    await jso.order(**HOLD)
    jso.plant.machine().panel_change(171, 50)
    await jso.wait(1)
    assert jso.happened == ["started"]
    await jso.release()
    assert jso.words == {**jso.before, 171: 50}


async def test_a_slot_beside_the_order_becomes_the_owners(windows: Home) -> None:
    """The first slot is switched on, beside the seventh that charges."""
    await windows.order(**CHARGE)
    assert windows.words[MASK] == 0x40
    windows.plant.machine().panel_change(MASK, 0x41)
    await windows.wait(1)
    assert windows.happened == ["started"]
    await windows.release()
    assert windows.words == {**windows.before, MASK: 1}


async def test_a_change_of_the_order_itself_ends_it(jso: Home) -> None:
    """It is told with what was ours and what was found; all else is put back."""
    await jso.order(**CHARGE)
    # Not from the grid any more.
    jso.plant.machine().panel_change(130, 0)
    jso.plant.machine().panel_change(128, 7)
    await jso.wait(1)
    assert jso.words == {**jso.before, 128: 7}
    (_, _, details) = jso.told[-1]
    assert jso.happened == ["started", "overridden"]
    assert details == {
        "settings": ["grid_charge_current", "grid_charge_enabled"],
        # 1000 W at 52 V.
        "ours": [19, 1],
        "found": [7, 0],
    }


async def test_another_program_that_writes_again_and_again_takes_over(windows: Home) -> None:
    """An energy manager sets the floor to 30 % every ten seconds; its word stays, and a repair tells of the third time."""
    cause(
        windows.plant,
        {"rewrites": [{"address": FLOOR, "words": [30], "seconds": 10}]},
    )
    for _ in range(3):
        await windows.order(**HOLD)
        await windows.wait(1)
    assert windows.happened == ["started", "overridden"] * 3
    assert windows.words == {**windows.before, FLOOR: 30}
    assert windows.issues == {"two_masters"}


# ---------------------------------------------------------------------- clocks


async def test_the_edges_follow_a_clock_that_is_set(jso: Home) -> None:
    """Within a minute, with one request: from 10:01 to 11:01 on the old clock is from 11:01 to 12:01 on the new one.

    The owner's edge at 10:00 is one of two that have no place any more.
    """
    await jso.order(**HOLD)
    arrived = jso.writes
    cause(jso.plant, {"clock": 3600})
    await jso.wait(1)
    assert jso.writes == arrived + 1
    write = jso.plant.machine().writes[-1]
    assert (write.address, len(write.values)) == (148, 30)
    assert [word for word in write.values[:6] if 1000 <= word <= 1300] == [1100, 1205]
    await jso.release()
    assert jso.words == jso.before


async def test_a_slot_follows_a_clock_that_is_set(windows: Home) -> None:
    """Start and end are words of their own; the clock is a second ahead, which makes a minute more of the end."""
    await windows.order(**CHARGE)
    cause(windows.plant, {"clock": 3600})
    await windows.wait(1)
    assert (windows.words[0x3618], windows.words[0x3619]) == (0x0B01, 0x0C02)
    assert windows.happened == ["started"]
    await windows.release()
    assert windows.words == windows.before


async def test_an_order_ends_when_the_clock_is_a_year_off(home: Home) -> None:
    """Nobody knows when its slots would be in force."""
    await home.order(**CHARGE)
    cause(home.plant, {"clock": "2025-01-01T00:00:00"})
    await home.wait(1)
    assert home.words == home.before
    assert home.happened == ["started", "failed"]


# ---------------------------------------------------------------------- what flows


async def test_a_battery_that_rests_serves_an_outage(windows: Home) -> None:
    """The passive mode is left at once when the grid is gone."""
    await windows.order(mode="idle", duration=60)
    cause(windows.plant, {"outage": True})
    await windows.wait(1)
    assert windows.words == windows.before
    assert windows.happened == ["started", "failed"]


async def test_a_battery_that_is_discharged_while_it_is_held_is_let_go(jso: Home) -> None:
    """The table is stored without an effect: 1500 W flow down to 40 %, as the owner's does at half past eight."""
    steer(jso.plant, jso.plant.machine(), {"backup": 1500, "time": "08:30"})
    cause(jso.plant, {"without_effect": list(range(148, 178))})
    await jso.order(**HOLD)
    await jso.wait(4)
    assert jso.happened == ["started"]
    await jso.wait(4)
    assert jso.words == jso.before
    assert jso.happened == ["started", "failed"]


async def test_a_floor_that_is_ignored_becomes_a_reserve(windows: Home) -> None:
    """Within two minutes and a half: the backup mode, 1 % below the 59 % that are left in the battery."""
    steer(windows.plant, windows.plant.machine(), {"backup": 1500})
    cause(windows.plant, {"without_effect": [FLOOR]})
    await windows.order(**HOLD)
    await windows.wait(1)
    assert windows.words[MODE] == 0
    await windows.wait(1.5)
    assert (windows.words[MODE], windows.words[0x3651]) == (2, 58)
    # 1 % of 10 kWh is gone by then.
    windows.plant.advance(1200)
    assert windows.plant.machine().value("battery_power") == 0
    await windows.release()
    assert windows.words == windows.before
