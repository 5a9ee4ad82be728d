"""A day that EMHASS plans and the blueprint carries out, for real, and its bill beside that of the same day without them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import json
import math
from typing import Any, Final

from .checking import expect, run_checks, soon, suspicious_lines
from .emhass import Emhass, emhass_for
from .home import Home, home_assistant
from .house import ENERGY_INTERVAL, POWER_INTERVAL, SETTINGS_INTERVAL, House
from .plant import Plant, simulated_plant
from .process import REPOSITORY

UNIT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What an owner knows of an inverter and its battery."""

    # The inverter may not report its rated power itself.
    rated_power: int
    # The watts that the battery takes and gives, and what it holds in kilowatt-hours.
    battery_power: int
    capacity: float


MODELS: Final[Mapping[str, Model]] = {
    "JSO8048104": Model(rated_power=8000, battery_power=5500, capacity=30.72),
    "H2-10K-T2": Model(rated_power=10000, battery_power=9500, capacity=20.48),
}
# What its owner has set: the battery follows the house, and is not charged from the grid.
SETTINGS: Final[Mapping[str, dict[str, Any]]] = {
    "JSO8048104": {
        "grid_charge_current": 115,
        **{f"tou_slot_{number}_soc": 35 for number in range(1, 7)},
        **{f"tou_slot_{number}_grid_charge": False for number in range(1, 7)},
    },
    "H2-10K-T2": {},
}
# Percent in the battery at the beginning, and to be in it at the end.
SOC: Final = 50.0

# A day in winter. The forecast of sun and load is what the day before has brought.
DAY: Final = datetime(2026, 2, 10)  # noqa: DTZ001 - the machines know no zone
STEP: Final = timedelta(minutes=30)
STEPS: Final = 48
# With fewer steps ahead EMHASS does not plan again.
FEWEST: Final = 10
# What a kilowatt-hour costs in each hour, and what of that is fees: as much less is paid for one that is sold.
PRICES: Final = (
    *(0.26, 0.22, 0.16, 0.13, 0.13, 0.16, 0.31, 0.36, 0.34, 0.30, 0.27, 0.24),
    *(0.22, 0.20, 0.21, 0.24, 0.27, 0.32, 0.42, 0.46, 0.40, 0.34, 0.30, 0.27),
)
FEES: Final = 0.16
BUY: Final = tuple(price for price in PRICES for _ in range(2))
SELL: Final = tuple(round(price - FEES, 2) for price in BUY)
# How often a register may be written in a day by automations.
MAX_WRITES: Final = 70

# Seconds of the house in a second: what a busy computer takes longer to answer must not look like a clock that was set.
SPEED: Final = 120.0
# How far into a step it is planned, as the clocks of the house and of Home Assistant differ by some seconds.
INTO_STEP: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Flows:
    """What has flowed in half an hour, in kilowatt-hours by name."""

    energies: Mapping[str, float]

    def watts(self, name: str) -> float:
        """The mean of the half-hour."""
        return self.energies[name] * 1000 * (timedelta(hours=1) / STEP)


@dataclass(frozen=True, slots=True)
class Bill:
    """What a day has cost: kilowatt-hours and euros, and the percent in the battery at its end."""

    bought: float
    sold: float
    euros: float
    soc: float

    def __str__(self) -> str:
        """As it is printed."""
        return (
            f"bought {self.bought:5.2f} kWh, sold {self.sold:5.2f} kWh,"
            f" {self.soc:3.0f} % in the battery at the end: {self.euros:5.2f} EUR"
        )


def bill_of(day: Sequence[Flows], soc: float, capacity: float) -> Bill:
    """The bill of a day; what is in the battery more or less than at its beginning counts at the mean price."""
    bought = [step.energies["bought"] for step in day]
    sold = [step.energies["sold"] for step in day]
    paid = math.sumprod(bought, BUY)
    earned = math.sumprod(sold, SELL)
    kept = (soc - SOC) / 100 * capacity * sum(PRICES) / len(PRICES)
    return Bill(sum(bought), sum(sold), paid - earned - kept, soc)


@dataclass(kw_only=True)
class Planned:
    """A house for which EMHASS plans, and its day without that."""

    model: str
    house: House
    emhass: Emhass
    # The entity ids of the inverter by their keys.
    entities: Mapping[str, str]
    forecast: Sequence[Flows]
    without: Bill
    day: list[Flows] = field(default_factory=list)

    @property
    def capacity(self) -> float:
        """The kilowatt-hours of the battery."""
        return MODELS[self.model].capacity

    async def plan(self, number: int) -> None:
        """Have the rest of the day planned, from what is in the battery now."""
        ahead = self.forecast[number:]
        soc = float(await self.house.home.value(self.entities["battery_soc"]))
        await self.emhass.plan(
            soc=soc / 100,
            final_soc=SOC / 100,
            sun=[step.watts("pv") for step in ahead],
            load=[step.watts("house") for step in ahead],
            buy=BUY[number:],
            sell=SELL[number:],
        )

    async def show(self, number: int) -> None:
        """Print what a step was to bring, and what it has brought."""
        states = await self.house.home.states()
        planned = float(states["sensor.p_batt_forecast"]["state"])
        step = self.day[-1]
        battery = step.watts("battery_discharge") - step.watts("battery_charge")
        print(
            f"        {self.model} {DAY + number * STEP:%H:%M} {BUY[number]:.2f} EUR/kWh, battery planned"
            f" {planned:6.0f} W, {battery:6.0f} W, {states[self.entities['battery_soc']]['state']:>4} %",
            flush=True,
        )


async def energies(plant: Plant) -> dict[str, float]:
    """All that has flowed since the beginning, in kilowatt-hours."""
    total = Counter[str]()
    for day in (await plant.get("days")).values():
        total.update(day)
    return dict(total)


async def since(plant: Plant, before: Mapping[str, float]) -> Flows:
    """What has flowed since that much had."""
    return Flows({name: energy - before[name] for name, energy in (await energies(plant)).items()})


@asynccontextmanager
async def plant_at(model: str, begin: datetime) -> AsyncIterator[Plant]:
    """The house with an inverter from a midnight on, as its owner has set it."""
    options = ("--device", f"{UNIT}:{model}", "--start", begin.isoformat())
    async with simulated_plant(options) as plant:
        await plant.post("steer", {"soc": SOC, "settings": SETTINGS[model]})
        yield plant


async def day_without(model: str, begin: datetime) -> tuple[list[Flows], float]:
    """What flows on a day on which nobody plans, by half-hours, and what is in the battery at its end."""
    flows = []
    async with plant_at(model, begin) as plant:
        for _ in range(STEPS):
            before = await energies(plant)
            await plant.post("time", {"advance": STEP.total_seconds()})
            flows.append(await since(plant, before))
        (machine,) = (await plant.get(""))["machines"].values()
        return flows, machine["battery_soc"]


@asynccontextmanager
async def planned_house(model: str) -> AsyncIterator[Planned]:
    """The house, its Home Assistant with the blueprint's automation, and EMHASS."""
    forecast, _ = await day_without(model, DAY - timedelta(days=1))
    flows, soc = await day_without(model, DAY)
    known = MODELS[model]
    began = DAY.replace(tzinfo=UTC)
    async with (
        plant_at(model, DAY) as plant,
        home_assistant(quick_reload=False, start_time=began.timestamp()) as home,
    ):
        entities = await add_inverter(home, plant, known.rated_power)
        await add_automation(home, entities["battery_soc"])
        config = await configuration(home, entities["battery_soc"], known)
        async with emhass_for(home, plant, config) as emhass:
            yield Planned(
                model=model,
                house=House(plant=plant, home=home, began=began),
                emhass=emhass,
                entities=entities,
                forecast=forecast,
                without=bill_of(flows, soc, known.capacity),
            )


async def add_inverter(home: Home, plant: Plant, rated_power: int) -> Mapping[str, str]:
    """Add the inverter as its owner would, who sells from its battery; return its entity ids by their keys."""
    result = await home.add_device(plant.tcp, UNIT)
    if result["type"] == "form":
        result = await home.answer_flow(result["flow_id"], {"rated_power": rated_power})
    entry_id = result["result"]["entry_id"]
    await home.set_options(
        entry_id,
        power_interval=POWER_INTERVAL,
        energy_interval=ENERGY_INTERVAL,
        settings_interval=SETTINGS_INTERVAL,
        tier="everyday",
        may_sell_from_battery=True,
    )
    found: Mapping[str, str] = {}

    async def is_connected() -> bool:
        nonlocal found
        (found,) = (await home.entities(entry_id)).values()
        state = (await home.states()).get(found.get("connectivity", ""), {})
        return state.get("state") == "on"

    await soon(is_connected, "the inverter is not connected", 40)
    return found


async def configuration(home: Home, battery: str, known: Model) -> dict[str, Any]:
    """What the integration has its owner enter in EMHASS, with what the battery takes and gives."""
    answer = await home.command(
        "call_service",
        domain="hybrid_inverter",
        service="get_planner_configuration",
        target={"entity_id": battery},
        service_data={"planner": "emhass", "capacity": known.capacity},
        return_response=True,
    )
    config: dict[str, Any] = json.loads(answer["response"]["files"]["config.json"])
    powers = dict.fromkeys(
        ("battery_charge_power_max", "battery_discharge_power_max"), known.battery_power
    )
    return config | powers


async def add_automation(home: Home, battery: str) -> None:
    """Import the blueprint, and make an automation of it with nothing but the inverter."""
    path = "hybrid_inverter/emhass.yaml"
    blueprint = REPOSITORY / "blueprints" / "automation" / path
    await home.command("blueprint/save", domain="automation", path=path, yaml=blueprint.read_text())
    registered = await home.command("config/entity_registry/get", entity_id=battery)
    made = {"path": path, "input": {"inverter": registered["device_id"]}}
    await home.request(
        "POST", "config/automation/config/emhass", {"alias": "EMHASS", "use_blueprint": made}
    )


async def a_day_is_planned_and_carried_out(one: Planned) -> None:
    """Half-hour by half-hour: EMHASS plans and publishes, and the automation orders."""
    plant = one.house.plant
    before = await energies(plant)
    for number in range(STEPS):
        begin = DAY + number * STEP
        if await one.house.now() < begin + INTO_STEP:
            await one.house.hurry_to(begin + INTO_STEP, SPEED)
        if number <= STEPS - FEWEST:
            await one.plan(number)
        await one.emhass.publish()
        await one.house.hurry_to(begin + STEP, SPEED)
        one.day.append(await since(plant, before))
        before = await energies(plant)
        await one.show(number)


async def the_day_costs_less_than_without_emhass(one: Planned) -> None:
    """By the energies that a meter counts, and what is in the battery at the end."""
    soc = float(await one.house.home.value(one.entities["battery_soc"]))
    planned = bill_of(one.day, soc, one.capacity)
    print(f"        {one.model} without EMHASS: {one.without}", flush=True)
    print(f"        {one.model} with EMHASS:    {planned}", flush=True)
    expect(planned.euros < one.without.euros, "EMHASS has saved nothing")


async def no_register_is_written_too_often(one: Planned) -> None:
    """All writes of the day, by registers."""
    writes = Counter(
        write["address"] + place
        for write in await one.house.plant.writes()
        for place in range(len(write["values"]))
    )
    print(f"        {one.model}: {max(writes.values())} writes of one register at most", flush=True)
    expect(max(writes.values()) <= MAX_WRITES, f"{writes}")


async def the_log_is_clean(one: Planned) -> None:
    """No warning and no error of a day."""
    lines = suspicious_lines(one.house.home.log)
    expect(not lines, "\n".join(lines[:20]))


CHECKS: Final = (
    a_day_is_planned_and_carried_out,
    the_day_costs_less_than_without_emhass,
    no_register_is_written_too_often,
    the_log_is_clean,
)


async def check_emhass() -> int:
    """Live the day with each inverter, all at the same time; return how many checks failed."""

    async def check(model: str) -> int:
        async with planned_house(model) as one:
            return await run_checks(one, CHECKS, f"EMHASS, {model}")

    return sum(await asyncio.gather(*map(check, MODELS)))
