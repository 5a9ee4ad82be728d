"""What the doctor says: the causes that there are, what was found, and how much evidence there is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """What can be wrong. The places of a finding are phases, strings or meters."""

    CLAMP_REVERSED = "clamp_reversed"
    # Each of these clamps, or of a meter's phases, is on the conductor of another one.
    PHASES_EXCHANGED = "phases_exchanged"
    METERS_EXCHANGED = "meters_exchanged"
    CLAMP_RATIO = "clamp_ratio"
    # The clamp sees the house only, and nothing of the inverter.
    CLAMP_HOUSE_SIDE = "clamp_house_side"
    # The clamp sees the inverter's own cable only, and nothing of the house.
    CLAMP_INVERTER_SIDE = "clamp_inverter_side"
    # Not wrong: nothing but the backup output is in use, so that the clamp could be on either side.
    NO_LOAD_BEFORE = "no_load_before"
    # It shows nothing: it is not connected, or the inverter is set to its internal clamps.
    CLAMP_SILENT = "clamp_silent"
    # A generator or a solar inverter feeds in that nobody measures.
    SOURCE_NOT_COUNTED = "source_not_counted"
    STRING_DEAD = "string_dead"
    STRING_SHADED = "string_shaded"
    # What is measured at the battery does not fit what the PV inputs and the inverter do.
    BATTERY_CURRENT = "battery_current"
    CLOCK_OFF = "clock_off"


class State(StrEnum):
    """The verdict in one word."""

    GATHERING = "gathering"
    RIGHT = "right"
    WRONG = "wrong"
    # There are two possible causes, and only a test separates them.
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause, where it is, and what is shown there divided by the truth, where that can be told."""

    cause: Cause
    places: tuple[str, ...] = ()
    ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What is wrong at a device: one cause, or two of which only one is true."""

    member: str
    causes: tuple[Finding, ...]
    # The minutes that told something of it.
    minutes: float = 0.0

    @property
    def is_certain(self) -> bool:
        """Whether there is only one cause left."""
        return len(self.causes) == 1


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much there is: minutes that told something, steps of power in them, and the share of what is needed to say that all is right."""

    minutes: int = 0
    steps: int = 0
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known at a moment."""

    state: State
    suspicions: tuple[Suspicion, ...] = ()
    # The power in W that does not add up, about 0 where everything is right; None while it is unknown.
    unexplained: float | None = None
    evidence: Evidence = Evidence()

    @property
    def share(self) -> float:
        """The share of the evidence that is needed: all of it, where it has shown what is wrong."""
        return 1.0 if self.state is State.WRONG else self.evidence.share


def verdict_of(
    suspicions: tuple[Suspicion, ...], unexplained: float | None, evidence: Evidence
) -> Verdict:
    """The verdict that follows."""
    if suspicions:
        certain = all(suspicion.is_certain for suspicion in suspicions)
        state = State.WRONG if certain else State.UNSURE
    else:
        state = State.RIGHT if evidence.share >= 1 else State.GATHERING
    return Verdict(state, suspicions, unexplained, evidence)
