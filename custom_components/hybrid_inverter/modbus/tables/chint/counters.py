"""What the three-phase meter has counted, which lies in one of two places; some count on the primary side as well.

The totals are the sums of the phases, each of which counts its own direction. The net counters count the direction of
the three phases together, as the meters of many utilities do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from ...model.codec import Values, as_number
from ...model.family import table
from ...model.features import Feature, Proof
from ...model.part import Kind
from ...model.register import Group, Register
from .page import (
    NO_RATIO,
    POWER_RATIO,
    QUADRANTS,
    ChintPage,
    each_phase,
    quadrant_energy,
)

WAYS: Final = ("import", "export")
# From where the counters of a place begin: combined, import, export, and the first quadrant.
COMBINED: Final = 0x00
WAY_STARTS: Final = {"import": 0x1E, "export": 0x28}
QUADRANT_STARTS: Final = (0x32, 0x3C, 0x46, 0x50)
# After the total come the phases, and the net counter.
NET: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where counters lie, and how sure it is what they are."""

    name: str
    start: int
    ratios: tuple[str, ...] = POWER_RATIO
    # On which devices they are looked for.
    needs: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()
    # The others of this place are not looked for on devices with these.
    others_unless: frozenset[str] = frozenset()
    phases: str = "high"
    combined: str = "medium"
    # Of each quadrant.
    reactive: tuple[str, str, str, str] = ("medium", "medium", "medium", "medium")
    # Whether the manual calls the phases' counters reserved.
    phases_reserved: bool = False

    @property
    def counters(self) -> str:
        """The key of the feature that has the totals."""
        return f"{self.name}_counters"


OLD: Final = Place(
    name="old",
    start=0x4000,
    unless=frozenset({"new_counters"}),
    phases="medium",
    # One project takes it for the import; by where it lies it is both ways together.
    combined="low",
    phases_reserved=True,
)
NEW: Final = Place(
    name="new",
    start=0x1000,
    others_unless=frozenset({"primary_counters"}),
    reactive=("medium", "high", "medium", "high"),
)
PRIMARY: Final = Place(
    name="primary",
    start=0x1800,
    ratios=NO_RATIO,
    needs=frozenset({"primary_measurements"}),
    reactive=("low", "medium", "low", "medium"),
)


class _Rows:
    """The rows of a place, and the same as they are looked at, before any ratio."""

    def __init__(self, place: Place) -> None:
        """Write them down."""
        sure, unsure = ChintPage(Group.ENERGY), ChintPage(Group.ENERGY, confidence="medium")
        start, ratios = place.start, place.ratios
        phase_page = ChintPage(Group.ENERGY, confidence=place.phases)
        combined_page = ChintPage(Group.ENERGY, source="measured", confidence=place.combined)
        self.totals = [
            sure.counter(
                f"{way}_energy_total",
                start + WAY_STARTS[way],
                ratios=ratios,
                shown=True,
                named_by_role=True,
            )
            for way in WAYS
        ]
        self.phases = {
            way: [
                phase_page.counter(
                    key,
                    start + WAY_STARTS[way] + 2 * (n + 1),
                    ratios=ratios,
                )
                for n, key in enumerate(each_phase(f"{way}_energy_total"))
            ]
            for way in WAYS
        }
        self.nets = [
            unsure.counter(f"net_{way}_energy_total", start + WAY_STARTS[way] + NET, ratios=ratios)
            for way in WAYS
        ]
        self.combined = combined_page.counter(
            "combined_energy_total", start + COMBINED, ratios=ratios, kind=Kind.MAY_FALL
        )
        self.quadrants = [
            ChintPage(Group.ENERGY, confidence=confidence).counter(
                quadrant_energy(quadrant), start + offset, "kvarh", ratios
            )
            for quadrant, offset, confidence in zip(
                QUADRANTS, QUADRANT_STARTS, place.reactive, strict=True
            )
        ]

    @property
    def all_phases(self) -> list[Register]:
        """The counters of the phases, both ways."""
        return [row for way in WAYS for row in self.phases[way]]


def _proof(place: Place, holds: Callable[..., bool], *rows: Register) -> Proof:
    """Prove by the raw numbers of these rows, which are given in their order; all have to be known."""
    page = ChintPage(Group.ENERGY)
    raw = [page.counter(f"{place.name}_{row.key}", row.addresses[0]) for row in rows]

    def all_hold(values: Values) -> bool:
        numbers = [as_number(values.get(row.key)) for row in raw]
        return None not in numbers and holds(*numbers)

    return Proof(tuple(row.key for row in raw), all_hold, table(*raw))


def _is_served(*_: float) -> bool:
    """Whether there are counters: being known is enough."""
    return True


def _equals(first: float, second: float, size: float) -> bool:
    """Whether two energies are the same but for rounding, where something was counted at all."""
    return size > 0 and abs(first - second) <= 0.005 + 0.002 * size


def _is_sum(combined: float, imported: float, exported: float) -> bool:
    """Whether the first is both ways together."""
    return combined > 0 and _equals(combined, imported + exported, combined)


def _are_net(imported: float, exported: float, net_import: float, net_export: float) -> bool:
    """Whether netting the phases has taken the same from both ways."""
    return net_import + net_export > 0 and _equals(
        net_import - net_export, imported - exported, imported + exported
    )


def _are_phases(imported: float, exported: float, *phases: float) -> bool:
    """Whether the phases make up the totals."""
    return _equals(sum(phases[:3]), imported, imported + exported) and _equals(
        sum(phases[3:]), exported, imported + exported
    )


def _features(place: Place) -> Iterator[Feature]:
    """What a device may have of a place."""
    rows = _Rows(place)
    needs = frozenset({place.counters})
    yield Feature(
        key=place.counters,
        proof=_proof(place, _is_served, rows.totals[0]),
        registers=table(*rows.totals, *([] if place.phases_reserved else rows.all_phases)),
        needs=place.needs,
        unless=place.unless,
    )
    others = {
        "net_counters": (_proof(place, _are_net, *rows.totals, *rows.nets), rows.nets),
        "combined_counter": (
            _proof(place, _is_sum, rows.combined, *rows.totals),
            [rows.combined],
        ),
        "reactive_counters": (_proof(place, _is_served, *rows.quadrants), rows.quadrants),
    }
    if place.phases_reserved:
        proof = _proof(place, _are_phases, *rows.totals, *rows.all_phases)
        others["phase_counters"] = (proof, rows.all_phases)
    for name, (proof, brought) in others.items():
        yield Feature(
            key=f"{place.name}_{name}",
            proof=proof,
            registers=table(*brought),
            needs=needs,
            unless=place.others_unless,
        )


FEATURES: Final = tuple(feature for place in (OLD, NEW, PRIMARY) for feature in _features(place))
