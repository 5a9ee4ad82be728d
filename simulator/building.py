"""The machines of a plant, built into one house."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from .machine import Machine
from .meter import METER_MACHINES
from .meter_models import METERS, MeterModel, Place
from .models import MODELS, Model
from .options import PlantOptions
from .physics import Inverter, Senses, Site, SolarInverter
from .physics.house import APPLIANCES, CAR, HEAT_PUMP, SMALL_APPLIANCES
from .physics.pv import PvString
from .replay import replayed

# What a meter for a solar inverter sits at: on the first phase, with a small consumption by night.
SOLAR_INVERTER: Final = SolarInverter((PvString(3000.0),), phase=0, standby=3.0)


def inverters_of(options: PlantOptions) -> Mapping[int, Model]:
    """The models of the inverters by their unit ids; KeyError for an unknown one."""
    return {
        unit: MODELS[model]
        for unit, model in options.models.items()
        if isinstance(model, str) and model not in METERS
    }


def meters_of(options: PlantOptions) -> Mapping[int, MeterModel]:
    """The models of the meters by their unit ids."""
    return {
        unit: model if isinstance(model, MeterModel) else METERS[model]
        for unit, model in options.models.items()
        if isinstance(model, MeterModel) or model in METERS
    }


def build_site(options: PlantOptions) -> Site:
    """The house, with as many phases as the largest inverter; KeyError for an unknown model."""
    inverters, meters = inverters_of(options).values(), meters_of(options).values()
    # One that an inverter cannot do without goes before the one that a meter is for.
    solar = next((model.solar for model in inverters if model.solar is not None), None)
    if solar is None and (options.solar or any(meter.place is Place.SOLAR for meter in meters)):
        solar = SOLAR_INVERTER
    appliances = APPLIANCES + (CAR if options.car else ())
    appliances += HEAT_PUMP if options.heat_pump else ()
    return Site(
        start=options.start,
        seed=options.seed,
        phases=max((model.installation.phases for model in inverters), default=3),
        solar=solar,
        weather=options.weather,
        appliances=appliances + (SMALL_APPLIANCES if options.lively else ()),
        apart=options.lively,
    )


def build_machines(
    options: PlantOptions, site: Site, timer: Callable[[], float]
) -> dict[int, Machine]:
    """The machines by their unit ids; `timer` counts seconds. ValueError when a download makes none."""
    inverters, meters = inverters_of(options), meters_of(options)
    machines: dict[int, Machine] = {}
    built = Counter[str]()
    for unit in options.models:
        if (meter := meters.get(unit)) is not None:
            machines[unit] = _build_meter(meter, unit, site, timer, _senses(options, unit))
            continue
        model = inverters[unit]
        installation = replace(model.installation, standby=options.standby)
        inverter = Inverter(
            site, installation=installation, soc=options.soc, senses=_senses(options, unit)
        )
        if options.clock is not None:
            inverter.clock = options.clock
        site.add(inverter)
        number = options.serial_number or model.serial_number
        machine = machines[unit] = model.build(
            inverter,
            serial_number=_count_up(number, built[str(options.models[unit])]),
            unit=unit,
            readable=options.readable,
            packs=options.packs,
            timer=timer,
        )
        # Those of one make are in parallel.
        family = machine.family.key
        machine.linked = sum(one.family == family for one in inverters.values()) > 1
        built[str(options.models[unit])] += 1
    if options.replay is not None:
        machines |= replayed(options.replay, timer=timer)
    return machines


def _senses(options: PlantOptions, unit: int) -> Senses | None:
    """The sensors of a machine; None where they are exact."""
    if options.accuracy is None:
        return None
    return Senses(options.accuracy, 1000 * options.seed + unit)


def _build_meter(
    model: MeterModel, unit: int, site: Site, timer: Callable[[], float], senses: Senses | None
) -> Machine:
    """A meter that counts whatever passes at its place in the house."""
    measure = {
        Place.GRID: site.measure_grid,
        Place.SOLAR: site.measure_solar,
        Place.CAR: site.measure_car,
    }[model.place]
    machine = METER_MACHINES[model.family](
        model, measure, start=site.now, unit=unit, timer=timer, senses=senses
    )
    site.watchers.append(machine.step)
    return machine


def _count_up(serial_number: str, by: int) -> str:
    """A serial number that ends in a number, counted up."""
    if not by:
        return serial_number
    stem = serial_number.rstrip("0123456789")
    digits = len(serial_number) - len(stem)
    return f"{stem}{int(serial_number[len(stem) :] or 0) + by:0{digits}d}"
