"""The house of the demo: two inverters and two meters on one line, seen as one plant, with an Energy dashboard."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
from typing import Any, Final

from .checking import soon
from .home import Home, RefusedError, home_assistant
from .plant import Plant, simulated_plant
from .process import REPOSITORY

JSO: Final = 1
SAJ: Final = 2
GRID_METER: Final = 3
SOLAR_METER: Final = 4
MACHINES: Final = {
    JSO: "JSO8048104",
    SAJ: "H2-10K-T2",
    GRID_METER: "DTSU666",
    SOLAR_METER: "DDSU666",
}
# What they are called at home.
NAMES: Final = ("JSO8048104", "Hybrid 10K", "Grid meter", "Solar meter")
# The rated power of the SAJ, which it does not report, and what the batteries hold.
RATED_POWER: Final = 10000
CAPACITIES: Final = (30.7, 20.0)

# The sun of the simulated house is always that of this day, where Home Assistant may be in winter.
SUMMER: Final = datetime(2026, 6, 20)  # noqa: DTZ001 - the machines know no zone

# The intervals that go with a clock that runs faster: these many readings are as much as two cores can do.
POWER_INTERVAL: Final = 60
ENERGY_INTERVAL: Final = 120
SETTINGS_INTERVAL: Final = 3600


@dataclass(kw_only=True)
class House:
    """The simulated house, and the Home Assistant in it."""

    plant: Plant
    home: Home
    entry: dict[str, Any] = field(default_factory=dict)

    async def hurry(self, speed: float, span: float) -> None:
        """Let time pass faster for so many seconds of the house, at the same moment for both."""
        await asyncio.gather(
            self.plant.post("time", {"speed": speed, "span": span}),
            self.home.call("fast_clock", "change", speed=speed, span=span),
        )


@asynccontextmanager
async def house(begin: datetime | None = None, tree: Path = REPOSITORY) -> AsyncIterator[House]:
    """Run the house with all that is in it and the integration of `tree`; from `begin` on, its time can pass faster."""
    options = ["--car", *clock_options(begin)]
    for unit, model in MACHINES.items():
        options += ["--device", f"{unit}:{model}"]
    start_time = None
    if begin is not None:
        summer = datetime.combine(SUMMER, begin.time())
        options += ["--start", summer.isoformat()]
        start_time = begin.timestamp()
    async with AsyncExitStack() as running:
        async with asyncio.TaskGroup() as starting:
            plant = starting.create_task(running.enter_async_context(simulated_plant(options)))
            home = starting.create_task(
                running.enter_async_context(
                    home_assistant(dashboard=True, start_time=start_time, tree=tree)
                )
            )
        found = House(plant=plant.result(), home=home.result())
        await _furnish(found, fast=begin is not None)
        yield found


async def order_something(one: House) -> str:
    """Have the battery of the first inverter charged for an hour, for the card of battery control; return what it was told."""
    entities = (await one.home.entities(one.entry["entry_id"]))[NAMES[0]]
    answer = await one.home.command(
        "call_service",
        domain="hybrid_inverter",
        service="control_battery",
        target={"entity_id": entities["battery_soc"]},
        service_data={"mode": "charge", "power": 2000, "target_soc": 100, "duration": 60},
        return_response=True,
    )
    told = answer["response"]
    until = datetime.fromisoformat(told["until"])
    return f"{NAMES[0]}: {told['mode']} with {told['power']} W until {until:%H:%M}, see Controls"


def clock_options(begin: datetime | None = None) -> tuple[str, str]:
    """Have the inverters' clocks show Home Assistant's time, now or at `begin`: only the sun is that of June."""
    shown = (begin or datetime.now(UTC)).replace(tzinfo=None, microsecond=0)
    return "--clock", shown.isoformat()


def midnight(days: int) -> datetime:
    """The midnight of Home Assistant's so many days ago."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days)


async def _furnish(one: House, *, fast: bool) -> None:
    """Add everything as a user would."""
    home = one.home
    one.entry = await home.add_inverter(one.plant.tcp, unit_id=JSO)
    entry_id = one.entry["entry_id"]
    result = await home.search(entry_id, "inverter", "unit_id")
    result = await home.answer_unit_flow(result["flow_id"], {"unit_id": SAJ})
    if result["type"] == "form":
        # It does not report its rated power.
        result = await home.answer_unit_flow(result["flow_id"], {"rated_power": RATED_POWER})
    if result["type"] != "create_entry":
        raise RefusedError(json.dumps(result))
    await _connected(one, 2)
    await home.add_meter(entry_id, GRID_METER, "grid")
    await _connected(one, 3)
    await home.add_meter(entry_id, SOLAR_METER, "solar")
    await _connected(one, 4)
    if fast:
        await home.set_options(
            entry_id,
            power_interval=POWER_INTERVAL,
            energy_interval=ENERGY_INTERVAL,
            settings_interval=SETTINGS_INTERVAL,
            tier="everyday",
        )
        await _connected(one, 4)
    await home.add_plant("House", CAPACITIES)
    await home.command("energy/save_prefs", energy_sources=ENERGY_SOURCES, device_consumption=[])


async def _connected(one: House, count: int) -> None:
    """Wait until the first so many machines are connected; the entry is loaded again for each that is added."""

    async def are() -> bool:
        entities = await one.home.entities(one.entry["entry_id"])
        states = await one.home.states()
        return all(
            states.get(entities.get(name, {}).get("connectivity", ""), {}).get("state") == "on"
            for name in NAMES[:count]
        )

    await soon(are, f"the machines are not connected: {NAMES[:count]}", 40)


# What the Energy dashboard is made of: the grid and the solar inverter by their meters, the rest by machine.
ENERGY_SOURCES: Final[tuple[dict[str, Any], ...]] = (
    {
        "type": "grid",
        "stat_energy_from": "sensor.grid_meter_imported_total",
        "stat_energy_to": "sensor.grid_meter_exported_total",
        "stat_rate": "sensor.grid_meter_power",
        "cost_adjustment_day": 0,
    },
    *(
        {
            "type": "solar",
            "stat_energy_from": f"sensor.{energy}_total",
            "stat_rate": f"sensor.{name}_power",
            "config_entry_solar_forecast": None,
            "name": title,
        }
        for name, energy, title in (
            ("jso8048104_pv", "jso8048104_pv_energy", "JSO8048104"),
            ("hybrid_10k_pv", "hybrid_10k_pv_energy", "SAJ H2-10K"),
            ("solar_meter", "solar_meter_produced", "Solar inverter"),
        )
    ),
    *(
        {
            "type": "battery",
            "stat_energy_from": f"sensor.{name}_battery_discharged_total",
            "stat_energy_to": f"sensor.{name}_battery_charged_total",
            "stat_rate": f"sensor.{name}_battery_power",
            "stat_soc": f"sensor.{name}_battery_soc",
            "capacity": capacity,
            "name": title,
        }
        for name, title, capacity in (
            ("jso8048104", "JSO8048104", CAPACITIES[0]),
            ("hybrid_10k", "SAJ H2-10K", CAPACITIES[1]),
        )
    ),
)
