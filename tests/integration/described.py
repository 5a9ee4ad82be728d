"""Everything that the integration can show, from the tables and the platforms, for tests that look at all of it."""

from collections.abc import Iterator
from typing import Final

from homeassistant.const import Platform

from custom_components.hybrid_inverter import OTHER_DESCRIPTIONS
from custom_components.hybrid_inverter.const import MeterRole
from custom_components.hybrid_inverter.entities.base import UnitEntityDescription
from custom_components.hybrid_inverter.entities.descriptions import describe
from custom_components.hybrid_inverter.modbus.model.derived import Derived
from custom_components.hybrid_inverter.modbus.model.family import Family
from custom_components.hybrid_inverter.modbus.model.register import Register, Tier
from custom_components.hybrid_inverter.modbus.tables import FAMILIES

CONTROL_PLATFORMS: Final = (Platform.NUMBER, Platform.SELECT, Platform.SWITCH, Platform.TIME)

type Described = tuple[Platform, UnitEntityDescription]


def values_of(family: Family) -> dict[str, list[Register | Derived]]:
    """Everything that some machine of a family has, by key."""
    values: dict[str, list[Register | Derived]] = {}
    for row in family.every_row():
        values.setdefault(row.key, []).append(row)
    for derived in (family.derived, *(feature.derived for feature in family.features)):
        for key, value in derived.items():
            values.setdefault(key, []).append(value)
    return values


def described_values(family: Family, tier: Tier, role: MeterRole | None = None) -> list[Described]:
    """The entities of all values of a family in a tier."""
    return [
        describe(value, tier, role)
        for values in values_of(family).values()
        for value in values
        if value.part is not None
    ]


def everything_described() -> Iterator[Described]:
    """Every entity that any unit can have, in any tier and role."""
    for family in FAMILIES.values():
        for tier in Tier:
            for role in MeterRole if family.kind == "meter" else (None,):
                yield from described_values(family, tier, role)
    for platform, descriptions in OTHER_DESCRIPTIONS.items():
        for description in descriptions:
            yield platform, description
