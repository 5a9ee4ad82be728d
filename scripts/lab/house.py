"""The house of the demo: two inverters and three meters, seen as one plant, with an Energy dashboard.

Each inverter has a link of its own, and the meters share one on which Home Assistant is the only master.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import json
import os
from pathlib import Path
from typing import Any, Final
from zoneinfo import available_timezones

from .checking import soon
from .home import Home, RefusedError, home_assistant
from .plant import Plant, simulated_plant
from .process import REPOSITORY

JSO: Final = 1
SAJ: Final = 2
GRID_METER: Final = 3
SOLAR_METER: Final = 4
CAR_METER: Final = 5
MACHINES: Final = {
    JSO: "JSO8048104",
    SAJ: "H2-10K-T2",
    GRID_METER: "DTSU666",
    SOLAR_METER: "DDSU666",
    CAR_METER: "DTSU666-car",
}
LINKS: Final = ((JSO,), (SAJ,), (GRID_METER, SOLAR_METER, CAR_METER))
# What they are called at home.
NAMES: Final = {
    JSO: "JSO8048104",
    SAJ: "Hybrid 10K",
    GRID_METER: "Grid meter",
    SOLAR_METER: "Solar meter",
    CAR_METER: "Load meter",
}
# The rated power of the SAJ, which it does not report, and what the batteries hold.
RATED_POWER: Final = 10000
CAPACITIES: Final = (30.7, 20.0)

# The sun of the simulated house is always that of this day, where Home Assistant may be in winter.
SUMMER: Final = datetime(2026, 6, 20)  # noqa: DTZ001 - the machines know no zone
# How many whole days are lived before the page opens, beside the one of today.
LIVED_DAYS: Final = 1
# The JSO that is sold has a slot that charges from the grid, while that is switched off: at home, both say the same.
SETTINGS: Final = {"tou_slot_1_grid_charge": False}
# The order that is at work in the demo, and for batteries of which one is rather full.
CHARGE: Final = {"mode": "charge", "power": 4000, "target_soc": 100, "duration": 60}
HOLD: Final = {"mode": "hold", "duration": 60}
FULL_SOC: Final = 70
# Where the dashboard is.
DASHBOARD: Final = "hybrid-inverter"
# What was lived, in the configuration folder.
PAST_FILE: Final = "past.json"

# The intervals that go with a clock that runs faster: these many readings are as much as two cores can do.
POWER_INTERVAL: Final = 60
ENERGY_INTERVAL: Final = 120
SETTINGS_INTERVAL: Final = 3600


@dataclass(kw_only=True)
class House:
    """The simulated house, and the Home Assistant in it."""

    plant: Plant
    home: Home
    # The time of Home Assistant at which the simulation began.
    began: datetime
    # The entries of the links, by the unit ids of their machines, and that of all of them together.
    entries: dict[int, str] = field(default_factory=dict)
    together: str = ""

    async def hurry(self, speed: float, span: float) -> None:
        """Let time pass faster for so many seconds of the house, at the same moment for both."""
        await asyncio.gather(
            self.plant.post("time", {"speed": speed, "span": span}),
            self.home.call("fast_clock", "change", speed=speed, span=span),
        )

    async def now(self) -> datetime:
        """The time of the house, in June."""
        return datetime.fromisoformat((await self.plant.get("time"))["now"])

    async def hurry_to(self, moment: datetime, speed: float) -> None:
        """Let time pass faster until a moment of the house."""
        span = (moment - await self.now()).total_seconds()
        await self.hurry(speed, span)
        await asyncio.sleep(span / speed)

    async def entities(self, unit: int) -> Mapping[str, str]:
        """The entity ids of a machine by their keys; an older version may call the machine by another name."""
        if (entry_id := self.entries.get(unit)) is None:
            return {}
        line = next(line for line in LINKS if unit in line)
        machines = [*(await self.home.entities(entry_id)).values()]
        return machines[line.index(unit)]


@asynccontextmanager
async def house(begin: datetime | None = None, tree: Path = REPOSITORY) -> AsyncIterator[House]:
    """Run the house with all that is in it and the integration of `tree`.

    It is now, in this computer's zone, and the days before were lived, if the tree is ours. Or it begins at `begin`
    without a past, and its time can pass faster.
    """
    lived = begin is None and tree == REPOSITORY
    began = begin or datetime.now(UTC).replace(microsecond=0)
    zone = "UTC" if begin is not None else local_zone()
    options = ["--car", *time_options(begin or began.astimezone())]
    if lived:
        options += ["--past", str(LIVED_DAYS)]
    for unit, model in MACHINES.items():
        options += ["--device", f"{unit}:{model}"]
    for units in LINKS:
        options += ["--line", ",".join(map(str, units))]
    async with AsyncExitStack() as running:
        async with asyncio.TaskGroup() as starting:
            plant = starting.create_task(running.enter_async_context(simulated_plant(options)))
            home = starting.create_task(
                running.enter_async_context(
                    home_assistant(
                        quick_reload=False,
                        time_zone=zone,
                        start_time=None if begin is None else begin.timestamp(),
                        lived=lived,
                        tree=tree,
                    )
                )
            )
        found = House(plant=plant.result(), home=home.result(), began=began)
        await found.plant.post("steer", {"settings": SETTINGS, "advance": 0})
        if begin is None:
            # It has taken a while to live the days before.
            late = datetime.now(UTC) - began - (await found.now() - in_summer(began.astimezone()))
            await found.plant.post("time", {"advance": late.total_seconds()})
        await _furnish(found, fast=begin is not None)
        if lived:
            await _remember(found)
        if tree == REPOSITORY:
            await _install_dashboard(found.home)
        yield found


def local_zone() -> str:
    """The name of this computer's time zone; UTC where it has none."""
    named = os.environ.get("TZ", "").removeprefix(":")
    _, _, linked = os.path.realpath("/etc/localtime").partition("zoneinfo/")
    known = available_timezones()
    return next((name for name in (named, linked) if name in known), "UTC")


async def order_something(one: House) -> str:
    """Have the batteries of the house charged or held for an hour; return what it was told."""
    home = one.home
    levels = [
        float(await home.value((await one.entities(unit))["battery_soc"])) for unit in (JSO, SAJ)
    ]
    answer = await home.command(
        "call_service",
        domain="hybrid_inverter",
        service="control_battery",
        target={"entity_id": await home.entity_id(f"{one.together}_battery_control")},
        service_data=HOLD if max(levels) > FULL_SOC else CHARGE,
        return_response=True,
    )
    told = next(iter(answer["response"].values()))
    until = datetime.fromisoformat(told["until"])
    return f"{told['mode']} until {until:%H:%M}, see Controls"


def time_options(began: datetime) -> tuple[str, ...]:
    """Have the inverters' clocks show Home Assistant's time, and the sun be that of June at this time of day."""
    shown = began.replace(tzinfo=None, microsecond=0)
    return "--clock", shown.isoformat(), "--start", in_summer(shown).isoformat()


def in_summer(began: datetime) -> datetime:
    """The same time of day on the day in June whose sun the house has."""
    return datetime.combine(SUMMER, began.time())


def midnight(days: int) -> datetime:
    """The midnight of Home Assistant's so many days ago."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days)


async def _furnish(one: House, *, fast: bool) -> None:
    """Add everything as a user would."""
    home = one.home
    lines = iter(one.plant.lines)
    one.entries[JSO] = (await home.add_inverter(next(lines), unit_id=JSO))["entry_id"]
    one.entries[SAJ] = await _add_saj(home, next(lines))
    meters = await _add_meters(home, next(lines))
    one.entries |= dict.fromkeys(LINKS[-1], meters)
    await _connected(one)
    if fast:
        for entry_id in set(one.entries.values()):
            await home.set_options(
                entry_id,
                power_interval=POWER_INTERVAL,
                energy_interval=ENERGY_INTERVAL,
                settings_interval=SETTINGS_INTERVAL,
                tier="everyday",
            )
        await _connected(one)
    one.together = (await home.add_plant("House", CAPACITIES))["entry_id"]
    car = await one.entities(CAR_METER)
    await home.command(
        "energy/save_prefs",
        energy_sources=await _energy_sources(one),
        device_consumption=[
            {
                "stat_consumption": car["import_energy_total"],
                "stat_rate": car["power"],
                "name": "Car",
            }
        ],
    )
    await _put_into_an_area(home)


async def _put_into_an_area(home: Home) -> None:
    """Have all devices in one room, as the pages of Home Assistant are by rooms."""
    area = await home.command(
        "config/area_registry/create", name="Utility room", icon="mdi:home-lightning-bolt"
    )
    for device in await home.command("config/device_registry/list"):
        if any(domain == "hybrid_inverter" for domain, *_ in device["identifiers"]):
            await home.command(
                "config/device_registry/update", device_id=device["id"], area_id=area["area_id"]
            )


async def _add_saj(home: Home, port: int) -> str:
    """Add the inverter that does not report its rated power; return the id of its entry."""
    result = await home.add_device(port, SAJ)
    if result["type"] == "form":
        result = await home.answer_flow(result["flow_id"], {"rated_power": RATED_POWER})
    return _entry_id(result)


async def _add_meters(home: Home, port: int) -> str:
    """Add the meters on a line of their own; return the id of its entry."""
    result = await home.add_device(port, GRID_METER)
    for answers in ({"next_step_id": "direct"}, {"role": "grid", "inverted": False}):
        result = await home.answer_flow(result["flow_id"], answers)
    entry_id = _entry_id(result)
    await home.add_meter(entry_id, SOLAR_METER, "solar")
    await home.add_meter(entry_id, CAR_METER, "load")
    return entry_id


def _entry_id(result: Mapping[str, Any]) -> str:
    """The id of the entry that a flow has made; RefusedError if it has not."""
    if result["type"] != "create_entry":
        raise RefusedError(json.dumps(result))
    return str(result["result"]["entry_id"])


async def _connected(one: House) -> None:
    """Wait until all machines are connected."""

    async def are() -> bool:
        known = [(await one.entities(unit)).get("connectivity", "") for unit in MACHINES]
        states = await one.home.states()
        return all(states.get(entity_id, {}).get("state") == "on" for entity_id in known)

    await soon(are, "the machines are not connected", 40)


async def _remember(one: House) -> None:
    """Have Home Assistant know what the machines have shown on the days that were lived."""
    recorded = await one.plant.get("recording")
    # The sun's time is that of June, what has passed since is the same.
    start = in_summer(one.began.astimezone())
    before = (start - datetime.fromisoformat(recorded["began"])).total_seconds()
    serials = {
        unit: subentry["unique_id"]
        for unit, entry_id in one.entries.items()
        for name, subentry in (await one.home.subentries(entry_id)).items()
        if name == NAMES[unit]
    }
    past = {
        "began": int(one.began.timestamp() - before),
        "machines": {serial: recorded["units"][str(unit)] for unit, serial in serials.items()},
    }
    (one.home.config / PAST_FILE).write_text(json.dumps(past))
    await one.home.call("lived_days", "put", file=PAST_FILE)


async def _install_dashboard(home: Home) -> None:
    """Have the dashboard that the integration makes for this house in the menu."""
    answer = await home.command(
        "call_service",
        domain="hybrid_inverter",
        service="get_dashboard",
        service_data={},
        return_response=True,
    )
    await home.command(
        "lovelace/dashboards/create",
        url_path=DASHBOARD,
        title="House",
        icon="mdi:home-lightning-bolt",
    )
    await home.command(
        "lovelace/config/save", url_path=DASHBOARD, config=answer["response"]["dashboard"]
    )


async def _energy_sources(one: House) -> list[dict[str, Any]]:
    """What the Energy dashboard is made of: the grid and the solar inverter by their meters, the rest by machine."""
    grid, solar = await one.entities(GRID_METER), await one.entities(SOLAR_METER)
    inverters = {unit: await one.entities(unit) for unit in (JSO, SAJ)}
    return [
        {
            "type": "grid",
            "stat_energy_from": grid["import_energy_total"],
            "stat_energy_to": grid["export_energy_total"],
            "stat_rate": grid["power"],
            "cost_adjustment_day": 0,
        },
        *_solar(
            *(
                (NAMES[unit], known["pv_energy_total"], known["pv_power"])
                for unit, known in inverters.items()
            ),
            ("Solar inverter", solar["import_energy_total"], solar["power"]),
        ),
        *(
            {
                "type": "battery",
                "stat_energy_from": known["battery_discharge_energy_total"],
                "stat_energy_to": known["battery_charge_energy_total"],
                "stat_rate": known["battery_power"],
                "stat_soc": known["battery_soc"],
                "capacity": capacity,
                "name": NAMES[unit],
            }
            for (unit, known), capacity in zip(inverters.items(), CAPACITIES, strict=True)
        ),
    ]


def _solar(*sources: tuple[str, str, str]) -> Iterable[dict[str, Any]]:
    """Solar sources: the name, the counter and the power of each."""
    for name, energy, power in sources:
        yield {
            "type": "solar",
            "stat_energy_from": energy,
            "stat_rate": power,
            "config_entry_solar_forecast": None,
            "name": name,
        }
