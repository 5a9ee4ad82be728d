"""What several batteries do of what is ordered of them together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..modbus.control.order import ControlMode, Refusal
from ..modbus.model.codec import RATED_POWER, Value, as_number
from ..runtime.battery_capacity import CAPACITY, VOLTAGE, kilowatt_hours
from .facts import SOC
from .orders import async_run
from .refusals import Mistake, mistake
from .targets import Controlled, stated_capacity


def shares_of(power: float, inverters: Sequence[Controlled]) -> list[float]:
    """A power in watts, split by the rated powers into whole watts that add up to it; one alone has all of it."""
    if len(inverters) == 1:
        return [power]
    rated = [as_number(one.unit.identity.facts.get(RATED_POWER)) or 0.0 for one in inverters]
    edges = [round(power * sum(rated[:end]) / sum(rated)) for end in range(len(rated) + 1)]
    return [float(high - low) for low, high in pairwise(edges)]


@dataclass(frozen=True, slots=True)
class Goal:
    """Where an energy leads a battery: kilowatt-hours, and percent."""

    energy: float
    target_soc: float


async def async_goals(
    energy: float, mode: ControlMode, inverters: Sequence[Controlled]
) -> list[Goal]:
    """Where so many kilowatt-hours, into or out of these batteries together, lead each of them.

    All of them move by the same percentage, of at least one, as more precisely no inverter stops.
    """
    batteries = [await _async_battery(one) for one in inverters]
    capacity = sum(held for held, _ in batteries)
    step = max(1, round(100 * energy / capacity)) * (1 if mode is ControlMode.CHARGE else -1)
    return [
        Goal(round(energy * held / capacity, 2), min(max(soc + step, 0.0), 100.0))
        for held, soc in batteries
    ]


async def _async_battery(one: Controlled) -> tuple[float, float]:
    """The capacity of a battery in kWh, and its state of charge now."""
    machine = one.unit.machine
    keys = [key for key in (SOC, CAPACITY, VOLTAGE) if machine.device.family.serves([key])]
    values: Mapping[str, Value | None] = {}

    async def read() -> None:
        nonlocal values
        await machine.async_verify()
        values = (await machine.device.poll(keys)).values

    await async_run(one, read)
    capacity = kilowatt_hours(values) or stated_capacity(one)
    if capacity is None:
        raise mistake(Mistake.NO_CAPACITY, device=one.name)
    if (soc := as_number(values.get(SOC))) is None:
        raise mistake(Refusal.NO_SOC)
    return capacity, soc
