"""What the machines of a plant add up to: which of their readings are summed for each of its values.

Everything here is about one point: the house's AC node, where the grid, the inverters, the solar inverters of other
makers and the house itself meet. Powers are watts, energies kilowatt-hours. Signs: the grid is positive on import, a
battery while discharging, an inverter while giving, a solar meter while producing. A sum of which a part is not known
is not known; a sum of which a part is not served by some machine is not there at all.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from .const import MeterRole
from .modbus.codec import Value

# What was read of each member just now, by key; nothing of one that is silent.
type Readings = Mapping[str, Mapping[str, Value | None]]

# The setting that says what a generator port is used for, and the uses in which it brings power to the AC node.
PORT_MODE: Final = "generator_port_mode"
MICRO_INVERTER: Final = frozenset({"micro_inverter_input"})
GENERATOR: Final = frozenset({"generator_input"})

# Only an inverter with PV inputs of its own has the power of one. The PV power of any other one is what it sees of a
# solar inverter through a clamp.
PV_INPUT: Final = "pv1_power"

# Less is too little to speak of shares of it: some counters step by 0.1 kWh.
MEANINGFUL_KWH: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One machine of a plant."""

    # What it is known by for ever.
    id: str
    # What flows through a meter; None for an inverter.
    role: MeterRole | None
    # The keys of all values that it serves.
    keys: frozenset[str]
    # The largest power in watts that its counters have to follow.
    rated_power: float
    # Of the battery of an inverter, in kilowatt-hours; 0 where there is none.
    capacity: float = 0.0


@dataclass(frozen=True, slots=True)
class Term:
    """One reading of one member, as a part of a sum."""

    member: str
    key: str
    factor: float = 1
    # The uses of the member's generator port in which it counts; empty where that does not matter.
    modes: frozenset[str] = frozenset()

    @property
    def keys(self) -> frozenset[str]:
        """Return the keys that have to be read for it."""
        return frozenset({self.key, PORT_MODE}) if self.modes else frozenset({self.key})

    def counts(self, values: Mapping[str, Value | None]) -> bool | None:
        """Whether it counts, by what was read of its member; None when that is not known."""
        if not self.modes:
            return True
        mode = values.get(PORT_MODE)
        return None if mode is None else mode in self.modes

    def amount(self, readings: Readings) -> float | None:
        """Return what it brings to the sum; None when that is not known."""
        values = readings.get(self.member, {})
        if (counts := self.counts(values)) is None:
            return None
        if not counts:
            return 0
        value = values.get(self.key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        return value * self.factor


type Sum = tuple[Term, ...]


def total(terms: Iterable[Term], readings: Readings) -> float | None:
    """Return a sum; None as soon as anything of it is not known."""
    amounts = [term.amount(readings) for term in terms]
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The sums that the members of a plant can provide, by the keys of its values."""

    # What is measured now.
    powers: Mapping[str, Sum]
    # What is counted, as the keys of the totals.
    energies: Mapping[str, Sum]
    # Everything that comes to the inverters and the AC node; None where the balance error is not there.
    supply: Sum | None
    # What certainly leaves it, as far as the inverters measure it.
    backup: Sum

    def terms(self) -> Iterator[Term]:
        """Return every part of every sum."""
        for terms in (*self.powers.values(), *self.energies.values(), self.supply or ()):
            yield from terms
        yield from self.backup

    def keys_of(self, member: str) -> frozenset[str]:
        """Return the keys that have to be read of a member."""
        return frozenset[str]().union(
            *(term.keys for term in self.terms() if term.member == member)
        )

    def measured(self, readings: Readings) -> dict[str, float | None]:
        """Return the powers and the SOC, and the balance error where it is there."""
        values = {key: total(terms, readings) for key, terms in self.powers.items()}
        if self.supply is not None:
            values["balance_error"] = balance_error(
                total(self.supply, readings), values["load_power"], total(self.backup, readings)
            )
        return values


def balance_error(supply: float | None, load: float | None, backup: float | None) -> float | None:
    """Return what comes in less what must go out, in watts.

    What must go out is the load, but never less than what the backup outputs give, nor less than nothing. In a sound
    plant a small positive share of the power is left: the losses of conversion. Far below 0, more goes out than comes
    in, which cannot be: a clamp or a meter is the wrong way round (a reversed clamp at the grid shows at night, when it
    makes the load negative), or a machine is not a member.
    """
    if supply is None or load is None or backup is None:
        return None
    return supply - max(load, backup, 0.0)


def autarky(imported: float | None, load: float | None) -> float | None:
    """Return the share of the load in percent that did not come from the grid."""
    return _not_share(imported, load)


def self_consumption(exported: float | None, pv: float | None) -> float | None:
    """Return the share of the PV energy in percent that did not go to the grid."""
    return _not_share(exported, pv)


def _not_share(part: float | None, whole: float | None) -> float | None:
    """Return what is left of a whole in percent, within 0 and 100; None while the whole is too small."""
    if part is None or whole is None or whole < MEANINGFUL_KWH:
        return None
    return min(100.0, max(0.0, 100.0 * (1 - part / whole)))


def balance_of(members: Iterable[Member], sees_grid: str | None = None) -> Balance:
    """Return what these machines can provide together.

    Without a meter at the grid it is the named inverter that tells of the grid; a single inverter needs no naming.
    """
    everyone = tuple(members)
    inverters = _in_role(everyone, None)
    grid = _in_role(everyone, MeterRole.GRID)
    solar = _in_role(everyone, MeterRole.SOLAR)
    alone = len(inverters) == 1
    seeing = tuple(one for one in inverters if alone or one.id == sees_grid)
    batteries = tuple(one for one in inverters if one.capacity > 0)
    own_pv = tuple(one for one in inverters if PV_INPUT in one.keys)
    # What a meter measures better is not counted twice.
    clamps = tuple(
        one for one in inverters if one not in own_pv and "pv_power" in one.keys and not solar
    )
    ports = tuple(one for one in inverters if {PORT_MODE, "generator_power"} <= one.keys)

    pv_power = _all(
        _every(own_pv, "pv_power"),
        _every(solar, "power"),
        _every(clamps, "pv_power"),
        _every(ports, "generator_power", modes=MICRO_INVERTER),
    )
    battery_power = _every(batteries, "battery_power")
    grid_power = _every(grid, "power") if grid else _every(seeing, "grid_power")
    generator_power = _every(ports, "generator_power", modes=GENERATOR)
    load_power = _needing(
        grid_power,
        _every(inverters, "inverter_power"),
        _every(solar, "power"),
        _every(clamps, "pv_power"),
        _every(ports, "generator_power", modes=GENERATOR | MICRO_INVERTER),
    )

    pv_energy = _all(
        _every(own_pv, "pv_energy_total"),
        _every(solar, "import_energy_total"),
        _every(clamps, "pv_energy_total"),
        _every(ports, "generator_energy_total", modes=MICRO_INVERTER),
    )
    charge = _every(batteries, "battery_charge_energy_total")
    discharge = _every(batteries, "battery_discharge_energy_total")
    imported, exported = (
        _every(grid, f"{way}_energy_total") if grid else _every(seeing, f"grid_{way}_energy_total")
        for way in ("import", "export")
    )
    if alone and not grid and not solar:
        load_energy = _every(inverters, "load_energy_total")
    else:
        load_energy = _needing(
            imported,
            _minus(exported),
            pv_energy,
            # What a solar inverter takes from the house at night is not production.
            _minus(
                _every(
                    [one for one in solar if "export_energy_total" in one.keys],
                    "export_energy_total",
                )
            ),
            discharge,
            _minus(charge),
            _every(ports, "generator_energy_total", modes=GENERATOR),
        )

    # Where nothing is converted, nothing can be lost.
    has_balance = bool(load_power and inverters)
    supply = _all(pv_power, battery_power, grid_power, generator_power) if has_balance else None
    backups = tuple(one for one in inverters if "backup_power" in one.keys)
    powers = {
        "pv_power": pv_power,
        "grid_power": grid_power,
        "battery_power": battery_power,
        "load_power": load_power,
        "battery_soc": _weighted(batteries, "battery_soc"),
    }
    energies = {
        "pv_energy_total": pv_energy,
        "battery_charge_energy_total": charge,
        "battery_discharge_energy_total": discharge,
        "grid_import_energy_total": imported,
        "grid_export_energy_total": exported,
        "load_energy_total": load_energy,
    }
    return Balance(
        powers={key: terms for key, terms in powers.items() if terms},
        energies={key: terms for key, terms in energies.items() if terms},
        supply=supply,
        backup=(_every(backups, "backup_power") or ()) if supply else (),
    )


def _in_role(members: Iterable[Member], role: MeterRole | None) -> tuple[Member, ...]:
    """Return the members with this role."""
    return tuple(one for one in members if one.role is role)


def _every(
    members: Iterable[Member], key: str, *, modes: frozenset[str] = frozenset()
) -> Sum | None:
    """Return the sum of a value of these members; None when one of them does not serve it."""
    everyone = tuple(members)
    if not all(key in one.keys for one in everyone):
        return None
    return tuple(Term(one.id, key, modes=modes) for one in everyone)


def _weighted(members: Iterable[Member], key: str) -> Sum | None:
    """Return the mean of a value of these members, each by its share of their capacity."""
    everyone = tuple(members)
    if not all(key in one.keys for one in everyone):
        return None
    whole = sum(one.capacity for one in everyone)
    return tuple(Term(one.id, key, one.capacity / whole) for one in everyone)


def _minus(terms: Sum | None) -> Sum | None:
    """Return a sum with the other sign."""
    if terms is None:
        return None
    return tuple(Term(term.member, term.key, -term.factor, term.modes) for term in terms)


def _all(*sums: Sum | None) -> Sum | None:
    """Return the sum of sums; None when one of them is not there."""
    parts: list[Term] = []
    for terms in sums:
        if terms is None:
            return None
        parts += terms
    return tuple(parts)


def _needing(first: Sum | None, *others: Sum | None) -> Sum | None:
    """Return the sum of sums of which the first one has to have something in it."""
    return _all(first, *others) if first else None
