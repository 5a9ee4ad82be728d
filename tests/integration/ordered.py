"""A house in which all that flows can be worked out by hand, and time that passes in it and in Home Assistant alike."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from simulator import SimulatedPlant
from simulator.inverter_machine import InverterMachine
from simulator.steering import steer

from .helpers import SERIAL, bring_forward, load_plant
from .test_schedule_windows import SERIAL as SAJ_SERIAL, set_up as set_up_saj

JSO: Final = "JSO8048104"
SAJ: Final = "H2-6K-S2"
# What each kind of slots is called here.
KINDS: Final = (JSO, SAJ)
# 10:01 in Berlin on a Sunday, as the machines' clocks show.
MORNING: Final = "2026-06-21 08:01:00+00:00"
# Dark, 60 % in the battery, and 1500 W that all hang on the backup output.
HOUSE: Final[dict[str, Any]] = {"sun": 0, "home": 0, "backup": 1500, "soc": 60, "room": 21}
# The battery serves the house at 10:00, and the grid may charge with more than 3000 W.
SETTINGS: Final[dict[str, dict[str, Any]]] = {
    JSO: {"tou_slot_4_soc": 40, "grid_charge_current": 80},
    SAJ: {},
}


@dataclass(frozen=True, slots=True)
class House:
    """An inverter in it, and its loaded entry."""

    plant: SimulatedPlant
    entry: MockConfigEntry

    @property
    def machine(self) -> InverterMachine:
        """The inverter."""
        machine = self.plant.machine()
        assert isinstance(machine, InverterMachine)
        return machine

    @property
    def serial(self) -> str:
        """Its serial number."""
        return SAJ_SERIAL if self.machine.model == SAJ else SERIAL

    def steer(self, **changes: Any) -> None:
        """Change what is around it; a second passes."""
        steer(self.plant, self.machine, changes)

    def flows(self) -> tuple[float, float]:
        """The watts out of the battery, and those out of the grid, of the last moment that has passed."""
        return number(self.machine.value("battery_power")), number(self.machine.value("grid_power"))

    @property
    def pv(self) -> float:
        """The watts that come from the roof."""
        return sum(self.machine.inverter.flows.pv)

    @property
    def sent(self) -> list[tuple[int, tuple[int, ...]]]:
        """Address and words of the writes that have arrived."""
        return [(write.address, write.values) for write in self.machine.writes]

    def words(self, first: int, last: int) -> tuple[int, ...]:
        """What it holds from one address to another."""
        return tuple(self.machine.word(address) for address in range(first, last + 1))


def number(value: object) -> float:
    """A value that is one."""
    assert isinstance(value, int | float)
    return value


@asynccontextmanager
async def house_with(
    hass: HomeAssistant,
    model: str,
    *,
    start: datetime = datetime(2026, 6, 21, 10, 1),  # noqa: DTZ001 - the machine knows no zone
    options: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
    **around: Any,
) -> AsyncIterator[House]:
    """An inverter of a model in the house, whose clock then shows `start`."""
    # A second passes while it is steered.
    async with SimulatedPlant(model=model, start=start - timedelta(seconds=1)) as plant:
        machine = plant.machine()
        held = SETTINGS[model] | (settings or {})
        steer(plant, machine, {**HOUSE, **around, "settings": held})
        if model == JSO:
            entry = await load_plant(hass, plant, options)
        else:
            entry = await set_up_saj(hass, plant, "discharge_slots", **(options or {}))
        yield House(plant, entry)


async def go_on(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, plant: SimulatedPlant, seconds: float
) -> None:
    """Let time pass in the house and in Home Assistant, and what waits for it happen."""
    plant.advance(seconds)
    bring_forward(hass, seconds)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds))
    freezer.tick(timedelta(seconds=seconds))
    await hass.async_block_till_done(wait_background_tasks=True)
