"""Which values of a device the doctor goes by, and which of its values prove nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PHASES: Final = ("l1", "l2", "l3")
# The PV inputs that a device may have, by number.
STRINGS: Final = range(1, 5)

CLOCK_DRIFT: Final = "clock_drift"


class Role(StrEnum):
    """What a device is in a plant."""

    INVERTER = "inverter"
    # Meters that are devices of their own.
    GRID_METER = "grid_meter"
    SOLAR_METER = "solar_meter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """Where a family measures what. Of several candidates the first is used of which a device serves all keys."""

    # What its clamps, or its meter, show at the house connection: + import.
    clamps: tuple[tuple[str, ...], ...] = ()
    # What it draws at its own terminal, by sensors that nobody has to wire.
    terminals: tuple[tuple[str, ...], ...] = ()
    # What its clamp or second meter shows at a solar inverter: + production.
    solar: tuple[tuple[str, ...], ...] = ()
    # The output of its inverter stage.
    stage: tuple[tuple[str, ...], ...] = ()
    # The meters that it reads itself, by what they are called.
    meters: tuple[str, ...] = ()
    # What it works out from its other values: such a balance always adds up and proves nothing.
    derived: frozenset[str] = frozenset()


def each(key: str) -> tuple[str, ...]:
    """The keys of a value on each phase."""
    return tuple(key.format(phase) for phase in PHASES)


_TERMINALS: Final = (each("grid_{}_internal_power"), ("grid_l1_internal_power",))
_STAGE: Final = (("inverter_power",),)

INSTRUMENTS: Final = {
    "jso": Instruments(
        clamps=(each("grid_{}_ct_power"),),
        terminals=_TERMINALS,
        stage=_STAGE,
        # Deye protocol, checked on a dump: load is CT plus inverter power (register 650), backup is internal plus inverter
        # power (640), both with that of the generator; that of the battery is its voltage times its current (590).
        derived=frozenset({"load_power", "backup_power", "battery_power"}),
    ),
    "saj": Instruments(
        clamps=(
            each("meter_a_{}_power"),
            ("meter_a_l1_power",),
            ("grid_ct_power",),
            ("grid_power",),
        ),
        terminals=_TERMINALS,
        solar=(each("meter_b_{}_power"), ("meter_b_l1_power",), ("pv_ct_power",)),
        stage=_STAGE,
        meters=("meter_a", "meter_b"),
        # SAJ protocol of 2022: load is made of grid, inverter and PV CT power (register 0x40A0), and the inverter's own leg of
        # backup and inverter power (0x40A7).
        derived=frozenset({"load_power", "grid_internal_power"}),
    ),
    "dtsu666": Instruments(clamps=(each("{}_power"), ("power",))),
    "ddsu666": Instruments(clamps=(("power",),)),
}

# What all inverters have, as far as they serve it.
_OF_INVERTER: Final = (
    *("battery_power", "battery_voltage", "battery_current", "bms_current"),
    *(f"pv{number}_{value}" for number in STRINGS for value in ("power", "voltage")),
    CLOCK_DRIFT,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A device of the plant: the key of its family, and the keys of all values that it serves."""

    id: str
    family: str
    role: Role = Role.INVERTER
    keys: frozenset[str] = frozenset()
    rated_power: float = 0.0
    # Whether its clamps or its meter are at the house connection: those of a second inverter in parallel are not.
    sees_grid: bool = True

    @property
    def instruments(self) -> Instruments:
        """Where it measures what."""
        return INSTRUMENTS[self.family]


def first_served(candidates: Iterable[tuple[str, ...]], served: Collection[str]) -> tuple[str, ...]:
    """The first of several groups of keys that is served whole; an empty one where none is."""
    return next((keys for keys in candidates if all(key in served for key in keys)), ())


def keys_of(member: Member) -> frozenset[str]:
    """The keys that the doctor can use of a device."""
    instruments = member.instruments
    groups = (
        first_served(candidates, member.keys)
        for candidates in (
            instruments.clamps,
            instruments.terminals,
            instruments.solar,
            instruments.stage,
        )
    )
    wanted = frozenset(key for keys in groups for key in keys)
    if member.role is Role.INVERTER:
        wanted |= frozenset(_OF_INVERTER)
    return wanted & member.keys
