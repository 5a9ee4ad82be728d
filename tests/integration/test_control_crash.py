"""Home Assistant dies after any write of an order or of its release: what flows then, and what the next start puts right."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.hybrid_inverter.const import CONF_MAY_SELL
from custom_components.hybrid_inverter.modbus.control.styles import control_style_of
from custom_components.hybrid_inverter.modbus.model.codec import as_number
from simulator import SimulatedPlant
from simulator.steering import steer

from .dying import Died, Life, told
from .helpers import SERIAL, load, network_entry
from .test_control_actions import act
from .test_schedule_windows import SERIAL as SAJ_SERIAL, set_up

# 10:01 in Berlin, as the machine's clock shows.
MORNING: Final = "2026-06-21 08:01:00+00:00"

# A house that uses 300 W behind the backup output.
DARK: Final = {"sun": 0, "home": 0, "backup": 300, "soc": 60}
# The orders, each of an hour from 10:01 on.
ORDERS: Final[dict[str, dict[str, Any]]] = {
    "charge": {"mode": "charge", "power": 1000, "target_soc": 80, "duration": 60},
    "discharge": {
        "mode": "discharge",
        "power": 3000,
        "at": "grid",
        "target_soc": 40,
        "duration": 60,
    },
    "hold": {"mode": "hold", "duration": 60},
}
# How many writes each order takes, and its release.
JSO_WRITES: Final = {"charge": (4, 4), "discharge": (4, 4), "hold": (1, 1)}
SAJ_WRITES: Final = {"charge": (6, 6), "discharge": (6, 6), "hold": (1, 1)}

# JSO: restart, shutdown and low SOC, off-grid, and the kind of battery. SAJ: what is kept for outages, and the other modes.
FORBIDDEN: Final = {
    SERIAL: frozenset({98, 109, 111, 115, 116, 117}),
    SAJ_SERIAL: frozenset({0x3645, 0x364D, 0x364E, 0x363A}),
}
# What may only be raised, and what may only be lowered.
FLOORS: Final = {SERIAL: (117,), SAJ_SERIAL: (0x3644, 0x3651)}
CEILINGS: Final = {SERIAL: (128, 143, 191), SAJ_SERIAL: (0x3646, 0x364F, 0x3650, 0x365A)}

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("few_entities", "in_berlin"),
]


def words_of(plant: SimulatedPlant) -> dict[int, int]:
    """Return the words of all settings that an order could change, and of those that it must not."""
    machine = plant.machine()
    style = control_style_of(machine.family.registers.keys())
    assert style is not None
    watched = (FORBIDDEN, FLOORS, CEILINGS)
    serial = SERIAL if machine.family.key == "jso" else SAJ_SERIAL
    addresses = {
        address
        for key in style.writes
        if key in machine.family.registers
        for address in machine.family.registers[key].addresses
    }
    addresses.update(*(some[serial] for some in watched))
    return {address: machine.word(address) for address in sorted(addresses)}


def check_writes(plant: SimulatedPlant, serial: str, before: dict[int, int]) -> None:
    """Check that nothing forbidden was written, no floor was lowered, and no limit raised, by any write."""
    for write in plant.machine().writes:
        words = dict(zip(range(write.address, write.address + 30), write.values, strict=False))
        assert FORBIDDEN[serial].isdisjoint(words)
        assert all(words.get(floor, before[floor]) >= before[floor] for floor in FLOORS[serial])
        assert all(
            words.get(ceiling, before[ceiling]) <= before[ceiling] for ceiling in CEILINGS[serial]
        )


def check_outage(plant: SimulatedPlant) -> None:
    """Check that the battery serves the backup output when the grid is cut, with 3 % of losses."""
    machine = plant.machine()
    steer(plant, machine, {"soc": 60, "grid": False})
    assert machine.value("backup_power") == 300
    assert machine.value("battery_power") == 309
    steer(plant, machine, {"grid": True})


def check_a_day(plant: SimulatedPlant) -> None:
    """Check what flows while nobody is there: an hour, in which the order ends, and the day after it."""
    machine = plant.machine()
    plant.advance(1800)
    check_outage(plant)
    # 11:06: the end of the order is rounded to five minutes at most.
    plant.advance(2100)
    check_outage(plant)
    # Each hour until 11:06 of the next day, and so also at 10:06, at which it would be in force again.
    for _ in range(24):
        plant.advance(3600)
        assert as_number(machine.value("grid_power")) in range(2000)
    check_outage(plant)


def cases(writes: dict[str, tuple[int, int]]) -> list[tuple[str, int, bool]]:
    """Return each order with each number of writes that arrive, of itself or of its release."""
    return [
        (mode, arrived, release)
        for mode, counts in writes.items()
        for release, count in zip((False, True), counts, strict=True)
        for arrived in range(count + 1)
    ]


@dataclass(frozen=True, kw_only=True)
class Crash:
    """A crash after so many writes of an order, or of its release."""

    hass: HomeAssistant
    freezer: FrozenDateTimeFactory
    life: Life
    happened: list[tuple[str, str, dict[str, Any]]]
    user: MockUser

    async def check(
        self,
        plant: SimulatedPlant,
        entry: MockConfigEntry,
        serial: str,
        mode: str,
        writes: int,
        *,
        release: bool,
    ) -> None:
        """Check what becomes of it in a day without Home Assistant, and at the next start."""
        life, happened, before = self.life, self.happened, words_of(plant)
        if release:
            await act(self.hass, "control_battery", serial, **ORDERS[mode])
        life.die_after(writes)
        with suppress(Died):
            if release:
                await act(self.hass, "release_battery", serial, user=self.user)
            else:
                await act(self.hass, "control_battery", serial, **ORDERS[mode])
        assert life.is_over
        await life.end(entry)
        happened.clear()
        was_changed = words_of(plant) != before
        check_a_day(plant)
        self.freezer.tick(timedelta(hours=25))
        await life.begin(entry)
        assert words_of(plant) == before
        check_writes(plant, serial, before)
        restored = [("restored_at_start", mode)] if was_changed else []
        assert [one[:2] for one in happened] == restored
        # Nothing is left for another start.
        happened.clear()
        arrived = len(plant.machine().writes)
        await life.end(entry)
        await life.begin(entry)
        assert (happened, len(plant.machine().writes)) == ([], arrived)


@pytest.fixture
def crash(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    hass_admin_user: MockUser,
) -> Crash:
    """Return what crashes."""
    return Crash(
        hass=hass,
        freezer=freezer,
        life=Life(hass, hass_storage, monkeypatch),
        happened=told(monkeypatch),
        user=hass_admin_user,
    )


@pytest.mark.parametrize(("mode", "writes", "release"), cases(JSO_WRITES))
async def test_after_any_write_to_a_table_of_six_slots(
    hass: HomeAssistant,
    *,
    plant: SimulatedPlant,
    crash: Crash,
    mode: str,
    writes: int,
    release: bool,
) -> None:
    """Nothing is sold outside the hour, an outage is served, and the next start puts everything back and tells it once."""
    steer(plant, plant.machine(), DARK)
    entry = await load(hass, network_entry(plant.tcp_port, options={CONF_MAY_SELL: True}))
    await crash.check(plant, entry, SERIAL, mode, writes, release=release)


@pytest.mark.parametrize(("mode", "writes", "release"), cases(SAJ_WRITES))
async def test_after_any_write_to_slots_of_two_kinds(
    hass: HomeAssistant,
    *,
    saj: SimulatedPlant,
    crash: Crash,
    mode: str,
    writes: int,
    release: bool,
) -> None:
    """The same of a SAJ, whose registers are written one by one."""
    steer(saj, saj.machine(), DARK)
    entry = await set_up(hass, saj, "discharge_slots", may_sell_from_battery=True)
    await crash.check(saj, entry, SAJ_SERIAL, mode, writes, release=release)
