"""What installers get wrong: each a kind of mistake at a place, as trouble that can be caused in a house. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Miswiring:
    """A mistake in one of the right houses, and the trouble that it is for a unit."""

    house: str
    unit: int = 1
    # What it is, where, and which share of the truth is shown, as far as there is one.
    cause: str
    places: tuple[str, ...] = ()
    ratio: float | None = None
    trouble: Mapping[str, Any]
    # It is there from so many minutes after the start on; a string that has always been weak is just a small one.
    after: float = 0.0


PHASES: Final = ("l1", "l2", "l3")


def _reversed(house: str, *phases: int, unit: int = 1) -> Miswiring:
    return Miswiring(
        house=house,
        unit=unit,
        cause="clamp_reversed",
        places=tuple(PHASES[phase - 1] for phase in phases),
        trouble={"reversed_phases": list(phases)},
    )


def _exchanged(house: str, *order: int, unit: int = 1) -> Miswiring:
    return Miswiring(
        house=house,
        unit=unit,
        cause="phases_exchanged",
        places=tuple(PHASES[place - 1] for place, phase in enumerate(order, 1) if place != phase),
        trouble={"phase_order": list(order)},
    )


def _ratio(house: str, ratio: float) -> Miswiring:
    return Miswiring(
        house=house,
        cause="clamp_ratio",
        places=PHASES,
        ratio=ratio,
        trouble={"clamp_ratio": ratio},
    )


MISWIRINGS: Final[Mapping[str, Miswiring]] = {
    "jso_l1_reversed": _reversed("jso_plain", 1),
    "saj_l2_reversed": _reversed("saj_plain", 2),
    "jso_l3_reversed": _reversed("jso_micro", 3),
    "saj_two_reversed": _reversed("saj_heat_pump", 1, 3),
    "jso_all_reversed": _reversed("jso_car", 1, 2, 3),
    "single_phase_reversed": _reversed("single_phase", 1),
    "meter_l1_reversed": _reversed("two_makes", 1, unit=3),
    "jso_l1_l2_exchanged": _exchanged("jso_plain", 2, 1, 3),
    "saj_l2_l3_exchanged": _exchanged("saj_plain", 1, 3, 2),
    "jso_rotated": _exchanged("jso_smart_load", 2, 3, 1),
    "saj_meters_exchanged": Miswiring(
        house="saj_solar",
        cause="meters_exchanged",
        places=("meter_a", "meter_b"),
        trouble={"meters_exchanged": True},
    ),
    "jso_half_ratio": _ratio("jso_plain", 0.5),
    "saj_double_ratio": _ratio("saj_heat_pump", 2.0),
    "jso_house_side": Miswiring(
        house="jso_car", cause="clamp_house_side", trouble={"clamp_place": "house"}
    ),
    "saj_inverter_side": Miswiring(
        house="saj_plain", cause="clamp_inverter_side", trouble={"clamp_place": "inverter"}
    ),
    "jso_internal": Miswiring(
        house="jso_plain", cause="clamp_silent", trouble={"internal_clamp": True}
    ),
    "jso_solar_beside": Miswiring(
        house="jso_plain", cause="source_not_counted", trouble={"solar_beside": True}
    ),
    "saj_solar_meter_lost": Miswiring(
        house="saj_solar", cause="source_not_counted", trouble={"solar_meter_lost": True}
    ),
    "jso_string_dead": Miswiring(
        house="jso_plain",
        cause="string_dead",
        places=("pv2",),
        trouble={"string_light": [1, 0]},
        after=180,
    ),
    "saj_string_shaded": Miswiring(
        house="saj_plain",
        cause="string_shaded",
        places=("pv1",),
        trouble={"string_light": [0.6, 1]},
        after=180,
    ),
    "jso_battery_ratio": Miswiring(
        house="jso_plain",
        cause="battery_current",
        places=("battery",),
        ratio=0.7,
        trouble={"battery_ratio": 0.7},
    ),
    "saj_battery_reversed": Miswiring(
        house="saj_plain",
        cause="battery_current",
        places=("battery",),
        ratio=-1.0,
        trouble={"battery_ratio": -1.0},
    ),
    "saj_clock": Miswiring(house="saj_plain", cause="clock_off", trouble={"clock": 3600}),
}

# How each mistake that is no trouble of one machine is mended.
MENDED: Final[Mapping[str, Any]] = {"solar_beside": False, "clock": -3600}


def mended(wrong: Miswiring) -> dict[str, Any]:
    """The trouble that takes a mistake away again."""
    return {name: MENDED.get(name) for name in wrong.trouble}
