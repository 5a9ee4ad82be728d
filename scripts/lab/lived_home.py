"""A home whose days cost only their work: a real Home Assistant, the integration, and simulated inverters, in one process.

Tests and the year of prices live in it. Time jumps from one timer to the next for all of them together: the loop's
timers, the sun and the battery, and the inverters' clocks.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util

from custom_components.hybrid_inverter.const import DOMAIN
from simulator import SimulatedPlant
from simulator.inverter_machine import InverterMachine
from simulator.steering import STEERS, steer

from .flow_log import FlowLog
from .jumping_time import jumping_time
from .memory_network import memory_network
from .price_sensor import PriceSensor

# The kilowatt-hours that the dialog of a plant is told of each battery.
CAPACITY: Final = 30.7
# Seconds between two polls: most of what a day costs. An order's registers are read every half minute all the same.
OPTIONS: Final[dict[str, Any]] = {
    "power_interval": 300,
    "energy_interval": 3600,
    "settings_interval": 3600,
}


class LivedHome:
    """A running home."""

    def __init__(self, hass: HomeAssistant, plant: SimulatedPlant, begin: datetime) -> None:
        """`begin` is the time, with a zone, at which the plant stands."""
        self.hass = hass
        self.plant = plant
        self.begin = begin
        # One for each inverter, and a last one for the plant of several.
        self.entries: list[ConfigEntry] = []
        # What has flowed since the begin.
        self.log = FlowLog(plant.site, begin)
        self._sensors: list[PriceSensor] = []

    @property
    def now(self) -> datetime:
        """The local time of Home Assistant."""
        return dt_util.now()

    @property
    def inverters(self) -> list[InverterMachine]:
        """The simulated inverters."""
        return [one for one in self.plant.machines.values() if isinstance(one, InverterMachine)]

    @property
    def machine(self) -> InverterMachine:
        """The first inverter."""
        return self.inverters[0]

    @property
    def device_id(self) -> str:
        """The device that orders are given to: the inverter, or the plant of several."""
        last = self.entries[-1].entry_id
        name = last if len(self.entries) > 1 else self.machine.serial_number
        device = dr.async_get(self.hass).async_get_device_by_identifier((DOMAIN, name), last)
        return "" if device is None else device.id

    async def live(self, minutes: float) -> None:
        """Let time pass, and all that happens in it happen."""
        await asyncio.sleep(minutes * 60)

    async def live_until(self, moment: datetime) -> None:
        """Let time pass until a moment that has a zone."""
        await self.live((moment.timestamp() - self.now.timestamp()) / 60)

    def energy(self, begin: datetime, end: datetime) -> dict[str, float]:
        """The kilowatt-hours that have flowed between two times with a zone, at full quarters of an hour."""
        return self.log.energy(begin, end)

    def energy_of(self, day: date) -> dict[str, float]:
        """The kilowatt-hours of a day, from one midnight of Home Assistant's to the other."""
        zone = dt_util.get_default_time_zone()
        begin, end = (datetime.combine(one, time(), zone) for one in (day, day + timedelta(days=1)))
        return self.log.energy(begin, end)

    def steer(self, **changes: Any) -> None:
        """Change what is around the first inverter; a second passes there."""
        steer(self.plant, self.machine, changes)

    def prices(
        self,
        price_at: Callable[[datetime], float],
        *,
        entity_id: str = "sensor.price",
        shape: str = "nordpool",
        minutes: int = 60,
    ) -> PriceSensor:
        """Have a sensor with the prices of each day: those of tomorrow from 13:00 on, those of now at each slot's begin.

        `price_at` says what a kilowatt-hour costs in the slot that begins then; `shape` names how its attributes look.
        """
        sensor = PriceSensor(self.hass, price_at, entity_id, shape, timedelta(minutes=minutes))
        self._sensors.append(sensor)
        return sensor

    async def add_inverter(self, port: int, unit: int) -> None:
        """Add an inverter as a person would."""
        installed = self._inverter_of(unit).inverter.installation
        await self._add(
            {
                "user": {"next_step_id": "network"},
                "network": {
                    "host": "127.0.0.1",
                    "port": port,
                    "framing": "tcp",
                    "advanced": {"unit_id": unit},
                },
                "maker": {},
                "rated_power": {"rated_power": installed.rated_power},
            }
        )

    async def add_plant(self) -> None:
        """Make one plant of all inverters as a person would, of which the first one sees the grid."""
        serials = [machine.serial_number for machine in self.inverters]
        await self._add(
            {
                "user": {"next_step_id": "plant"},
                "plant": {"name": "House", "members": serials},
                "plant_grid": {"grid_inverter": serials[0]},
                "plant_battery": {"capacity": CAPACITY},
            }
        )

    async def set_options(self, **options: Any) -> None:
        """Change the options of all inverters."""
        for entry in self.entries:
            self.hass.config_entries.async_update_entry(entry, options={**entry.options, **options})
            await self.hass.config_entries.async_reload(entry.entry_id)

    async def end(self) -> None:
        """Take down what stands."""
        for sensor in self._sensors:
            sensor.stop()
        self._sensors.clear()
        for entry in reversed(self.entries):
            if entry.state is ConfigEntryState.LOADED:
                await self.hass.config_entries.async_unload(entry.entry_id)

    def _inverter_of(self, unit: int) -> InverterMachine:
        (machine,) = [one for one in self.inverters if one.unit == unit]
        return machine

    async def _add(self, answers: Mapping[str, dict[str, Any]]) -> None:
        """Go through the dialog with an answer for each of its steps, and wait until what was added is loaded."""
        flow = self.hass.config_entries.flow
        result: Any = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
        while result["type"] != "create_entry":
            if is_at_work := result["type"] in {"progress", "progress_done"}:
                await self.live(0.01)
            answer = None if is_at_work else answers[result["step_id"]]
            result = await flow.async_configure(result["flow_id"], answer)
        self.entries.append(result["result"])
        await self.live(1)


@asynccontextmanager
async def lived_home(
    hass: HomeAssistant,
    begin: datetime,
    clock: AbstractContextManager[Callable[[timedelta], None]],
    *,
    devices: Mapping[int, str] | None = None,
    options: dict[str, Any] | None = None,
    step: float = 60.0,
    grain: float = 1.0,
    **house: Any,
) -> AsyncIterator[LivedHome]:
    """A home that begins at a time with a zone, in the zone of Home Assistant.

    `clock` sets the computer's clock to the begin, and gives what moves it on. `options` are those of the entries (see
    OPTIONS), `house` are steers of `simulator.steering` (watts, percent) and fields of the simulator's options. A step of the physics takes
    `step` seconds at most; they follow time in whole `grain` seconds.
    """
    steers = {name: house.pop(name) for name in STEERS.keys() & house.keys()}
    local = begin.astimezone(dt_util.get_default_time_zone()).replace(tzinfo=None)
    due, whole = timedelta(), timedelta(seconds=grain)

    def pass_on(jump: timedelta) -> None:
        nonlocal due
        tick(jump)
        due += jump
        if due >= whole:
            plant.advance((due // whole * whole).total_seconds())
            due %= whole

    models = devices or {1: "JSO8048104"}
    with memory_network(hass.loop):
        plant = SimulatedPlant(
            devices=models, lines=[(unit,) for unit in models], start=local, rtu_port=None, **house
        )
        plant.site.longest_step = step
        async with plant:
            home = LivedHome(hass, plant, begin)
            if steers:
                home.steer(**steers, advance=0)
            with jumping_time(hass.loop, pass_on), clock as tick:
                try:
                    for unit, port in zip(models, plant.line_ports, strict=True):
                        await home.add_inverter(port, unit)
                    await home.set_options(**OPTIONS | (options or {}))
                    if len(models) > 1:
                        await home.add_plant()
                    yield home
                finally:
                    await home.end()
