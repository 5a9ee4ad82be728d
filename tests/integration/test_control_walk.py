"""Orders, panels, reloads, crashes, outages and clocks in any order: in the end all is as its owner has set it."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
import random
from typing import Any, Final

from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.hybrid_inverter.modbus.transport.link import Link
from simulator.cause import cause

from .dying import Died
from .helpers import SERIAL
from .test_control_actions import MORNING, act
from .test_control_crash import CEILINGS, FLOORS, FORBIDDEN
from .test_control_life import Home, home, make_home  # noqa: F401 - fixtures
from .test_control_repairs import wait
from .test_schedule_windows import SERIAL as SAJ_SERIAL

STEPS: Final = 40
# A SAJ's mode, the one in which its reserve counts, and that.
MODE, BACKUP, RESERVE = 0x3647, 2, 0x3651
# What somebody sets at the panel: words that no order puts there.
PANEL: Final = {
    SERIAL: {128: (7, 9, 11), 143: (5000, 6000)},
    SAJ_SERIAL: {0x3644: (30, 33), 0x3646: (90, 95)},
}

pytestmark = [pytest.mark.freeze_time(MORNING), pytest.mark.usefixtures("few_entities")]


@pytest.fixture(autouse=True)
def _impatient(in_berlin: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait long for who is silent."""
    link = partial(Link, timeout=0.3, spacing=0.0)
    monkeypatch.setattr("custom_components.hybrid_inverter.runtime.setup.Link", link)


@dataclass
class Walk:
    """One sequence of what can happen."""

    home: Home
    chance: random.Random
    # What the owner has set.
    owners: dict[int, int]
    # How many writes are checked.
    checked: int = 0

    async def order(self) -> None:
        """Give an order; it may extend the present one, replace it, or be refused."""
        mode = self.chance.choice(("hold", "charge", "discharge", "no_charge"))
        data: dict[str, Any] = {"mode": mode, "duration": self.chance.choice((15, 60, 120))}
        if mode in ("charge", "discharge"):
            data["power"] = self.chance.choice((1000, 3000))
            data["target_soc"] = {"charge": 80, "discharge": 50}[mode]
        if mode == "discharge":
            data["at"] = self.chance.choice(("battery", "grid"))
        with suppress(HomeAssistantError):
            await self.home.order(**data, owner=self.chance.choice(("one", "two")))

    async def limit(self) -> None:
        """Limit the export."""
        with suppress(HomeAssistantError):
            await act(
                self.home.hass,
                "limit_export",
                self.home.serial,
                power=self.chance.choice((0, 2000)),
                duration=30,
            )

    async def release(self) -> None:
        """Release the battery."""
        with suppress(HomeAssistantError):
            await self.home.release()

    async def press(self) -> None:
        """Change a setting at the panel."""
        address, words = self.chance.choice(list(PANEL[self.home.serial].items()))
        word = self.chance.choice(words)
        self.home.plant.machine().panel_change(address, word)
        self.owners[address] = word

    async def pass_time(self) -> None:
        """Let some minutes pass, in which an order may end."""
        await self.home.wait(1)
        minutes = self.chance.choice((5, 20, 70))
        self.home.plant.advance(60 * minutes)
        await wait(self.home.hass, self.home.freezer, minutes)

    async def reload(self) -> None:
        """Load the entry again."""
        assert await self.home.hass.config_entries.async_reload(self.home.entry.entry_id)
        await self.home.hass.async_block_till_done(wait_background_tasks=True)

    async def crash(self) -> None:
        """Die in the middle of an order or of a release, or else afterwards."""
        self.home.life.die_after(self.chance.randrange(5))
        with suppress(Died):
            await self.chance.choice((self.order, self.release))()
        await self.home.restart(timedelta(minutes=self.chance.choice((0, 10, 180))))

    async def cut(self) -> None:
        """Have the grid gone for a while."""
        cause(self.home.plant, {"outage": True})
        await self.home.wait(1)
        cause(self.home.plant, {"outage": False})

    async def fall_silent(self) -> None:
        """Have the inverter answer nobody for a while."""
        self.home.plant.machine().trouble.silent = True
        await self.chance.choice((self.order, self.release))()
        await wait(self.home.hass, self.home.freezer, 1)
        self.home.plant.machine().trouble.silent = False
        await self.home.wait(1)

    async def be_locked(self) -> None:
        """Have the inverter ignore writes for a while."""
        self.home.plant.machine().trouble.locked = True
        await self.chance.choice((self.order, self.release))()
        self.home.plant.machine().trouble.locked = False

    async def set_clock(self) -> None:
        """Set the inverter's clock."""
        cause(self.home.plant, {"clock": self.chance.choice((-3600, -300, 300, 3600))})
        await self.home.wait(1)

    def check(self) -> None:
        """Check what was written since: nothing forbidden, no floor below the owner's, and no limit above it.

        The reserve of a SAJ counts in one mode alone: in every other one of the owner's it is no floor of theirs.
        """
        serial = self.home.serial
        floors = set(FLOORS[serial])
        if self.owners.get(MODE) != BACKUP:
            floors.discard(RESERVE)
        for write in self.home.plant.machine().writes[self.checked :]:
            words = dict(zip(range(write.address, write.address + 30), write.values, strict=False))
            assert FORBIDDEN[serial].isdisjoint(words)
            for address, word in words.items():
                assert address not in floors or word >= self.owners[address]
                assert address not in CEILINGS[serial] or word <= self.owners[address]
        self.checked = len(self.home.plant.machine().writes)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_the_owners_settings_come_back(home: Home, seed: int) -> None:  # noqa: F811 - a fixture
    """With what was changed at the panel meanwhile; and nothing is known of any order."""
    walk = Walk(home, random.Random(seed), dict(home.before))  # noqa: S311 - repeatable, not secret
    steps: list[tuple[Callable[[], Awaitable[None]], int]] = [
        (walk.order, 8),
        (walk.release, 2),
        (walk.limit, 2),
        (walk.press, 2),
        (walk.pass_time, 4),
        (walk.reload, 1),
        (walk.crash, 3),
        (walk.cut, 1),
        (walk.fall_silent, 1),
        (walk.be_locked, 1),
        (walk.set_clock, 2),
    ]
    taken = []
    for _ in range(STEPS):
        (step,) = walk.chance.choices(*zip(*steps, strict=True))  # type: ignore[arg-type]
        taken.append(step.__name__)
        await step()
        walk.check()
    await home.wait(2)
    await walk.release()
    await act(home.hass, "limit_export", home.serial)
    await home.wait(2)
    walk.check()
    assert home.words == walk.owners, taken
    shown = await act(home.hass, "get_control", home.serial)
    assert (shown["mode"], shown["export_limit"]) == ("auto", None)
    arrived = home.writes
    await home.restart(timedelta(hours=3))
    assert home.writes == arrived
