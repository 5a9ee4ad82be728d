"""Which machine answers on a unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from .device import Device
from .errors import LinkTimeout, RejectedError, WrongDeviceError
from .family import Family
from .tables import FAMILIES
from .unit import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a machine says about itself, enough to build its entities while it sleeps."""

    family: str
    serial: str
    manufacturer: str
    model: str
    firmware: str | None
    # The identity registers that bound or shape other values, by key: rated power, inputs, phases.
    facts: Mapping[str, int | float]
    # What it was found to have of what only some machines of its family have.
    features: tuple[str, ...] = ()

    @property
    def lacks_rated_power(self) -> bool:
        """Whether the machine has not told its rated power, so that a person has to."""
        return FAMILIES[self.family].rated_power not in self.facts

    @property
    def rated_powers(self) -> tuple[float, float]:
        """Return the smallest and largest rated power in watts that its family is built with."""
        return FAMILIES[self.family].rated_powers

    def with_rated_power(self, watts: float) -> Identity:
        """Return the identity of a machine whose rated power a person has told, with the model's name made of it."""
        family = FAMILIES[self.family]
        facts = {**self.facts, family.rated_power: watts}
        model = family.model(facts)
        return replace(self, facts=facts, manufacturer=model.manufacturer, model=model.name)


# Rated power in watts, and how many inputs and phases there are.
FACTS: Final = ("rated_power", "mppt_count", "phase_count")


async def identify(unit: Unit) -> Identity:
    """Ask a unit what it is.

    WrongDeviceError when something answers that no table is made for, LinkError when nothing usable does, RejectedError
    when a machine or a gateway cannot answer now.
    """
    found: str | None = None
    refusal: str | None = None
    silence: LinkTimeout | None = None
    for family in FAMILIES.values():
        (address,) = family.registers[family.marker].addresses
        try:
            (marker,) = await unit.read_holding_registers(address, 1)
        except RejectedError as err:
            if not err.is_refusal:
                raise
            refusal = refusal or f"a machine that refuses register {address}"
            continue
        except LinkTimeout as err:
            # Some machines do not refuse what they do not have, they keep silent.
            silence = err
            continue
        if marker in family.strangers:
            raise WrongDeviceError(family.strangers[marker])
        if marker in family.accepts:
            return await _identify_as(unit, family)
        found = f"an unknown machine of type {marker:#06x}"
    # That it refuses another family's register says nothing of one that was silent when it was asked for its own.
    if found is None and silence is not None:
        raise silence
    raise WrongDeviceError(found or refusal or "a machine without a readable type")


async def _identify_as(unit: Unit, family: Family) -> Identity:
    """Read the identity of a machine whose marker is of this family."""
    device = Device(unit, family)
    values = await device.read(family.identity)
    serial, rated = values.get(family.serial), values.get(family.rated_power)
    if not isinstance(serial, str):
        raise WrongDeviceError("a machine without a serial number")
    low, high = family.rated_powers
    tells = isinstance(rated, (int, float)) and low <= rated <= high
    if not tells and not family.asks_rated_power:
        raise WrongDeviceError(
            "a machine that does not tell its rated power"
            if rated is None
            else f"a machine with a rated power of {rated:g} W"
        )
    # What the model's name is made of, to name it again when a person has told the rated power.
    kept = FACTS if tells else (*FACTS, family.marker, family.model_key)
    facts: dict[str, int | float] = dict(family.assumed)
    facts.update({key: value for key in kept if isinstance(value := values.get(key), (int, float))})
    if not tells:
        facts.pop(family.rated_power, None)
    model = family.model({**values, family.rated_power: rated if tells else None})
    features = await device.discover()
    return Identity(
        family=family.key,
        serial=serial,
        manufacturer=model.manufacturer,
        model=model.name,
        firmware=family.firmware_text(values),
        facts=facts,
        features=tuple(sorted(features)),
    )
