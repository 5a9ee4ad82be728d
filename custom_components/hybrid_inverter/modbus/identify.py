"""Which machine answers on a unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from .errors import RejectedError, WrongDeviceError
from .family import Family
from .plan import LineCost, plan_reads
from .register import Register, Value
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


# Rated power in watts, and how many inputs and phases there are.
FACTS: Final = ("rated_power", "mppt_count", "phase_count")


async def identify(unit: Unit) -> Identity:
    """Ask a unit what it is.

    WrongDeviceError when something answers that no table is made for, LinkError when nothing usable does, RejectedError
    when a machine or a gateway cannot answer now.
    """
    found = "a machine without a readable type"
    for family in FAMILIES.values():
        try:
            image = await _read(unit, family, [family.registers[family.marker]])
        except RejectedError as err:
            if not err.is_refusal:
                raise
            found = (
                f"a machine that refuses register {family.registers[family.marker].addresses[0]}"
            )
            continue
        (marker,) = (image[address] for address in family.registers[family.marker].addresses)
        if marker in family.accepts:
            return await _identify_as(unit, family)
        if marker in family.strangers:
            raise WrongDeviceError(family.strangers[marker])
        found = f"an unknown machine of type {marker:#06x}"
    raise WrongDeviceError(found)


async def _identify_as(unit: Unit, family: Family) -> Identity:
    """Read the identity of a machine whose marker is of this family."""
    rows = [family.registers[key] for key in family.identity]
    image = await _read(unit, family, rows)
    values: dict[str, Value | None] = {row.key: row.decode(image) for row in rows}
    serial, rated = values[family.serial], values[family.rated_power]
    if not isinstance(serial, str):
        raise WrongDeviceError("a machine without a serial number")
    if not isinstance(rated, (int, float)):
        raise WrongDeviceError("a machine that does not tell its rated power")
    low, high = family.rated_powers
    if not low <= rated <= high:
        raise WrongDeviceError(f"a machine with a rated power of {rated:g} W")
    model = family.model(rated)
    facts: dict[str, int | float] = dict(family.assumed)
    facts.update(
        {key: value for key in FACTS if isinstance(value := values.get(key), (int, float))}
    )
    return Identity(
        family=family.key,
        serial=serial,
        manufacturer=model.manufacturer,
        model=model.name,
        firmware=family.firmware_text(values),
        facts=facts,
    )


async def _read(unit: Unit, family: Family, rows: Iterable[Register]) -> dict[int, int]:
    """Return the raw words of these registers."""
    image: dict[int, int] = {}
    for read in plan_reads(
        [span for row in rows for span in row.spans],
        readable=family.readable,
        max_read=family.max_read,
        cost=LineCost(baudrate=family.baudrate),
    ):
        words = await unit.read_holding_registers(read.address, read.count)
        image.update(zip(range(read.address, read.last + 1), words, strict=True))
    return image
