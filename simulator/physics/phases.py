"""Powers on the three phases of a house."""

from __future__ import annotations

from typing import Final

type Phases = tuple[float, float, float]

PHASES: Final = ("l1", "l2", "l3")
NOTHING: Final[Phases] = (0.0, 0.0, 0.0)


def add(first: Phases, second: Phases) -> Phases:
    """The sum phase by phase."""
    return first[0] + second[0], first[1] + second[1], first[2] + second[2]


def less(first: Phases, second: Phases) -> Phases:
    """The difference phase by phase."""
    return first[0] - second[0], first[1] - second[1], first[2] - second[2]


def times(powers: Phases, factor: float) -> Phases:
    """A part, or a multiple, of each phase."""
    return powers[0] * factor, powers[1] * factor, powers[2] * factor


def alike(power: float, count: int) -> Phases:
    """A power on as many phases, each of which takes the same."""
    if count == 3:
        share = power / 3
        return share, share, share
    return power, 0.0, 0.0


def wired(demand: Phases, count: int) -> Phases:
    """The power of some circuits on the phases that there are."""
    return demand if count == 3 else (sum(demand), 0.0, 0.0)
