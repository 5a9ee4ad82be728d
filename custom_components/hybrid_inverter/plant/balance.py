"""The values of a plant as sums: which readings of its devices are added up for each of them.

Everything here is about one point: the house's AC node, where the grid, the inverters, the solar inverters of other
makers and the loads meet. Powers are in W, energies in kWh. Signs: the grid is positive on import, a battery while
discharging, an inverter while supplying power, a solar meter while producing. A sum with an unknown term is unknown; a
sum with a term that a device does not serve does not exist.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from ..const import MeterRole
from ..modbus.model.codec import Value, as_number

# The fresh values of each member, by key; none of a member that does not answer.
type Readings = Mapping[str, Mapping[str, Value | None]]

# The setting that says what a generator port is used for, and the uses that bring power to the AC node.
PORT_MODE: Final = "generator_port_mode"
MICRO_INVERTER: Final = frozenset({"micro_inverter_input"})
GENERATOR: Final = frozenset({"generator_input"})

# Only an inverter with PV inputs of its own has this value. The PV power of any other one is that of a solar inverter,
# measured through a clamp.
PV_INPUT: Final = "pv1_power"

# The state of charge.
SOC: Final = "battery_soc"

# Of less energy a share means nothing: some counters step by 0.1 kWh.
MEANINGFUL_KWH: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One device of a plant."""

    # Its serial number.
    id: str
    # The role of a meter; None for an inverter.
    role: MeterRole | None
    # The keys of all values that it serves.
    keys: frozenset[str]
    # The largest power in W that its counters have to follow.
    rated_power: float
    # Of the battery of an inverter, in kWh; 0 where there is none.
    capacity: float = 0.0


@dataclass(frozen=True, slots=True)
class Term:
    """One value of one member as a part of a sum."""

    member: str
    key: str
    factor: float = 1
    # The uses of the member's generator port in which it counts; empty where that does not matter.
    modes: frozenset[str] = frozenset()

    @property
    def keys(self) -> frozenset[str]:
        """The keys that have to be polled for it."""
        return frozenset({self.key, PORT_MODE}) if self.modes else frozenset({self.key})

    def counts(self, values: Mapping[str, Value | None]) -> bool | None:
        """Whether it counts, by the values of its member; None when that is unknown."""
        if not self.modes:
            return True
        mode = values.get(PORT_MODE)
        return None if mode is None else mode in self.modes

    def amount(self, readings: Readings) -> float | None:
        """What it adds to the sum; None when that is unknown."""
        values = readings.get(self.member, {})
        if (counts := self.counts(values)) is None:
            return None
        if not counts:
            return 0
        value = as_number(values.get(self.key))
        return None if value is None else value * self.factor


type Sum = tuple[Term, ...]


def total(terms: Iterable[Term], readings: Readings) -> float | None:
    """The value of a sum; None if any of its terms is unknown."""
    amounts = [term.amount(readings) for term in terms]
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The sums that the members of a plant can provide, by the keys of its values."""

    # Powers, and the state of charge.
    powers: Mapping[str, Sum]
    # Lifetime energies.
    energies: Mapping[str, Sum]
    # All power that comes to the inverters and the AC node; None where there is no balance error.
    supply: Sum | None
    # The power of the backup outputs, as far as the inverters measure it.
    backup: Sum
    # The capacity of all batteries in kWh; 0 where there is none.
    capacity: float = 0.0

    def terms(self) -> Iterator[Term]:
        """All terms of all sums."""
        for terms in (*self.powers.values(), *self.energies.values(), self.supply or ()):
            yield from terms
        yield from self.backup

    def keys_of(self, member: str) -> frozenset[str]:
        """The keys that have to be polled of a member."""
        return frozenset[str]().union(
            *(term.keys for term in self.terms() if term.member == member)
        )

    def measured(self, readings: Readings) -> dict[str, float | None]:
        """The powers and the state of charge, and the balance error where there is one."""
        values = {key: total(terms, readings) for key, terms in self.powers.items()}
        if self.supply is not None:
            values["balance_error"] = balance_error(
                total(self.supply, readings), values["load_power"], total(self.backup, readings)
            )
        return values


def held(capacity: float, soc: float | None) -> dict[str, float | None]:
    """The energy that batteries hold and can hold, in tenths of a kWh, by their capacity in kWh and their charge in percent."""
    stored = None if soc is None else round(capacity * soc / 100, 1)
    return {"battery_energy_stored": stored, "battery_capacity_energy": round(capacity, 1)}


def balance_error(supply: float | None, load: float | None, backup: float | None) -> float | None:
    """The power that comes in less the power that must go out, in W.

    What must go out is the load, but never less than the power of the backup outputs, and never less than 0. In a sound
    plant a small positive rest remains: the conversion losses. Far below 0, more would go out than comes in: a clamp or
    a meter is reversed (a reversed clamp at the grid shows at night, when it makes the load negative), or a device is
    not a member.
    """
    if supply is None or load is None or backup is None:
        return None
    return supply - max(load, backup, 0.0)


def autarky(imported: float | None, load: float | None) -> float | None:
    """The share of the load in percent that did not come from the grid."""
    return _remaining_share(imported, load)


def self_consumption(exported: float | None, pv: float | None) -> float | None:
    """The share of the PV energy in percent that did not go to the grid."""
    return _remaining_share(exported, pv)


def _remaining_share(part: float | None, whole: float | None) -> float | None:
    """What is left of a whole in percent, from 0 to 100; None while the whole is too small."""
    if part is None or whole is None or whole < MEANINGFUL_KWH:
        return None
    return min(100.0, max(0.0, 100.0 * (1 - part / whole)))


class Whose(Enum):
    """The members whose values are summed."""

    INVERTERS = auto()
    # The only inverter, where no meter is a member.
    LONE_INVERTER = auto()
    BATTERY_INVERTERS = auto()
    # Inverters with PV inputs of their own, and those that measure a solar inverter through a clamp. A clamp does not
    # count where a meter measures the same better.
    PV_INVERTERS = auto()
    PV_CLAMPS = auto()
    GENERATOR_PORTS = auto()
    BACKUP_OUTPUTS = auto()
    # One of the two measures the grid; a meter is preferred.
    GRID_METERS = auto()
    GRID_INVERTERS = auto()
    SOLAR_METERS = auto()
    # Those that count what a solar inverter takes from the house at night.
    TWO_WAY_SOLAR_METERS = auto()


@dataclass(frozen=True, slots=True)
class Part:
    """A value that is summed over some of the members."""

    whose: Whose
    key: str
    sign: int = 1
    # As of a term.
    modes: frozenset[str] = frozenset()


# The parts of each sum. A sum exists if all members serve the values of its parts.
PV_POWER: Final = (
    Part(Whose.PV_INVERTERS, "pv_power"),
    Part(Whose.SOLAR_METERS, "power"),
    Part(Whose.PV_CLAMPS, "pv_power"),
    Part(Whose.GENERATOR_PORTS, "generator_power", modes=MICRO_INVERTER),
)
BATTERY_POWER: Final = (Part(Whose.BATTERY_INVERTERS, "battery_power"),)
GRID_POWER: Final = (Part(Whose.GRID_METERS, "power"), Part(Whose.GRID_INVERTERS, "grid_power"))
GENERATOR_POWER: Final = (Part(Whose.GENERATOR_PORTS, "generator_power", modes=GENERATOR),)
LOAD_POWER: Final = (
    *GRID_POWER,
    Part(Whose.INVERTERS, "inverter_power"),
    Part(Whose.SOLAR_METERS, "power"),
    Part(Whose.PV_CLAMPS, "pv_power"),
    Part(Whose.GENERATOR_PORTS, "generator_power", modes=GENERATOR | MICRO_INVERTER),
)
SUPPLY: Final = (*PV_POWER, *BATTERY_POWER, *GRID_POWER, *GENERATOR_POWER)
BACKUP_POWER: Final = (Part(Whose.BACKUP_OUTPUTS, "backup_power"),)
PV_ENERGY: Final = (
    Part(Whose.PV_INVERTERS, "pv_energy_total"),
    Part(Whose.SOLAR_METERS, "import_energy_total"),
    Part(Whose.PV_CLAMPS, "pv_energy_total"),
    Part(Whose.GENERATOR_PORTS, "generator_energy_total", modes=MICRO_INVERTER),
)
POWERS: Final = {
    "pv_power": PV_POWER,
    "grid_power": GRID_POWER,
    "battery_power": BATTERY_POWER,
    "load_power": LOAD_POWER,
}
ENERGIES: Final = {
    "pv_energy_total": PV_ENERGY,
    "battery_charge_energy_total": (Part(Whose.BATTERY_INVERTERS, "battery_charge_energy_total"),),
    "battery_discharge_energy_total": (
        Part(Whose.BATTERY_INVERTERS, "battery_discharge_energy_total"),
    ),
    "grid_import_energy_total": (
        Part(Whose.GRID_METERS, "import_energy_total"),
        Part(Whose.GRID_INVERTERS, "grid_import_energy_total"),
    ),
    "grid_export_energy_total": (
        Part(Whose.GRID_METERS, "export_energy_total"),
        Part(Whose.GRID_INVERTERS, "grid_export_energy_total"),
    ),
    "load_energy_total": (
        Part(Whose.GRID_METERS, "import_energy_total"),
        Part(Whose.GRID_INVERTERS, "grid_import_energy_total"),
        Part(Whose.GRID_METERS, "export_energy_total", -1),
        Part(Whose.GRID_INVERTERS, "grid_export_energy_total", -1),
        *PV_ENERGY,
        Part(Whose.TWO_WAY_SOLAR_METERS, "export_energy_total", -1),
        Part(Whose.BATTERY_INVERTERS, "battery_discharge_energy_total"),
        Part(Whose.BATTERY_INVERTERS, "battery_charge_energy_total", -1),
        Part(Whose.GENERATOR_PORTS, "generator_energy_total", modes=GENERATOR),
    ),
}
# A lone inverter counts the energy of the load itself.
LONE_LOAD_ENERGY: Final = (Part(Whose.LONE_INVERTER, "load_energy_total"),)

type Groups = Mapping[Whose, tuple[Member, ...]]


def balance_of(members: Iterable[Member], sees_grid: str | None = None) -> Balance:
    """The sums that these members can provide together.

    Without a meter at the grid it is measured by the inverter with the id `sees_grid`, or by the only one there is.
    """
    groups = _groups(tuple(members), sees_grid)
    powers = {key: _sum(parts, groups) for key, parts in POWERS.items()}
    energies = {key: _sum(parts, groups) for key, parts in ENERGIES.items()}
    if groups[Whose.LONE_INVERTER]:
        energies["load_energy_total"] = _sum(LONE_LOAD_ENERGY, groups)
    elif not energies["grid_import_energy_total"]:
        energies["load_energy_total"] = None
    if not energies["grid_export_energy_total"]:
        # A meter with one counter for both ways does not know what was imported.
        energies["grid_import_energy_total"] = None
    # Without the grid nothing is known of the load.
    if not powers["grid_power"]:
        powers["load_power"] = None
    powers[SOC] = _mean_by_capacity(groups[Whose.BATTERY_INVERTERS], SOC)
    # Without an inverter nothing is converted, so nothing can be lost.
    has_balance = powers["load_power"] and groups[Whose.INVERTERS]
    supply = _sum(SUPPLY, groups) if has_balance else None
    return Balance(
        powers={key: terms for key, terms in powers.items() if terms},
        energies={key: terms for key, terms in energies.items() if terms},
        supply=supply,
        backup=(_sum(BACKUP_POWER, groups) or ()) if supply else (),
        capacity=sum(one.capacity for one in groups[Whose.BATTERY_INVERTERS]),
    )


def _groups(members: tuple[Member, ...], sees_grid: str | None) -> Groups:
    """The members by whose values are summed."""
    inverters = tuple(one for one in members if one.role is None)
    grid_meters = tuple(one for one in members if one.role is MeterRole.GRID)
    solar_meters = tuple(one for one in members if one.role is MeterRole.SOLAR)
    is_only = len(inverters) == 1
    with_grid = tuple(one for one in inverters if is_only or one.id == sees_grid)
    with_pv = tuple(one for one in inverters if PV_INPUT in one.keys)
    with_clamp = tuple(one for one in inverters if one not in with_pv and "pv_power" in one.keys)
    return {
        Whose.INVERTERS: inverters,
        Whose.LONE_INVERTER: inverters if is_only and not (grid_meters or solar_meters) else (),
        Whose.BATTERY_INVERTERS: tuple(one for one in inverters if one.capacity > 0),
        Whose.PV_INVERTERS: with_pv,
        Whose.PV_CLAMPS: () if solar_meters else with_clamp,
        Whose.GENERATOR_PORTS: _serving(inverters, PORT_MODE, "generator_power"),
        Whose.BACKUP_OUTPUTS: _serving(inverters, "backup_power"),
        Whose.GRID_METERS: grid_meters,
        Whose.GRID_INVERTERS: () if grid_meters else with_grid,
        Whose.SOLAR_METERS: solar_meters,
        Whose.TWO_WAY_SOLAR_METERS: _serving(solar_meters, "export_energy_total"),
    }


def _serving(members: tuple[Member, ...], *keys: str) -> tuple[Member, ...]:
    """Those of the members that serve all these values."""
    return tuple(one for one in members if one.keys.issuperset(keys))


def _sum(parts: Iterable[Part], groups: Groups) -> Sum | None:
    """The terms of a sum; None when a member does not serve the value of a part."""
    terms: list[Term] = []
    for part in parts:
        for member in groups[part.whose]:
            if part.key not in member.keys:
                return None
            terms.append(Term(member.id, part.key, part.sign, part.modes))
    return tuple(terms)


def _mean_by_capacity(members: tuple[Member, ...], key: str) -> Sum | None:
    """The mean of a value of these members, weighted by the capacities of their batteries."""
    if not all(key in one.keys for one in members):
        return None
    whole = sum(one.capacity for one in members)
    return tuple(Term(one.id, key, one.capacity / whole) for one in members)
