"""What several batteries do of what is ordered of them together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ..const import CONF_GRID_INVERTER
from ..modbus.control.order import ControlMode, PowerAt, Refusal
from ..modbus.model.codec import RATED_POWER, Value, as_number
from ..runtime.battery_capacity import CAPACITY, VOLTAGE, kilowatt_hours
from .facts import SOC
from .orders import async_run
from .refusals import Mistake, mistake
from .request import OrderRequest
from .targets import Controlled, Target, counteracting_plant, stated_capacity


def shares_of(power: float, inverters: Sequence[Controlled]) -> list[float]:
    """A power in watts, split by the rated powers into whole watts that add up to it; one alone has all of it."""
    if len(inverters) == 1:
        return [power]
    rated = [as_number(one.unit.identity.facts.get(RATED_POWER)) or 0.0 for one in inverters]
    edges = [round(power * sum(rated[:end]) / sum(rated)) for end in range(len(rated) + 1)]
    return [high - low for low, high in pairwise(edges)]


def shared(target: Target, request: OrderRequest, power: float | None) -> list[OrderRequest]:
    """What each inverter of a target does of a power in watts, or each of them all that it can."""
    if power is None:
        return [request] * len(target.inverters)
    return [replace(request, power=share) for share in powers_of(power, request.at, target)]


def powers_of(power: float, at: PowerAt, target: Target) -> list[float]:
    """The power in watts that each inverter of a target is ordered."""
    shares = shares_of(power, target.inverters)
    if (place := _regulator(at, target)) is not None:
        shares[place] = power
    return shares


def whole_power(powers: Sequence[float], at: PowerAt, target: Target) -> float:
    """The power in watts that these powers, ordered of the inverters of a target, are together."""
    place = _regulator(at, target)
    return sum(powers) if place is None else powers[place]


def _regulator(at: PowerAt, target: Target) -> int | None:
    """The place of the inverter that sees the house connection: it regulates what flows there, with what the others feed in."""
    if at is not PowerAt.GRID or target.plant is None:
        return None
    serials = [one.unit.identity.serial for one in target.inverters]
    sees_grid = target.plant.data.get(CONF_GRID_INVERTER)
    return serials.index(sees_grid) if sees_grid in serials else None


def check_alone(target: Target, request: OrderRequest) -> None:
    """Refuse to feed the grid from one battery of a plant: the others would take it for surplus and store it."""
    if target.plant is not None or request.mode is not ControlMode.DISCHARGE:
        return
    (one,) = target.inverters
    if request.at is not PowerAt.GRID and not one.driver.keeper.may_sell:
        return
    if (plant := counteracting_plant(one)) is not None:
        raise mistake(Mistake.GIVE_TO_PLANT, device=one.name, plant=plant.title)


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
