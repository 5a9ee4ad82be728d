"""What one clamp shows when the inverters move, and what load of the house follows from it."""

from __future__ import annotations

from enum import Enum, auto
import math
from typing import Final

from .steps import Step

# How much of what was seen before still counts after a further step: about the last 25 steps do.
KEEP: Final = 0.96
# W, W a second and share of a step by which two sensors may differ without anything being wrong.
NOISE: Final = 35.0
DRIFT: Final = 0.5
GAIN: Final = 0.06
# A clamp on another conductor shows U x I x cos(120 degrees +- phi): about half, against the sign.
OTHER_PHASE: Final = -0.5
OTHER_PHASE_SPREAD: Final = 0.2
# Ratios, shown by true, that are a ratio of the transformers and no error of measurement.
SMALLEST_RATIO: Final = 0.15
LARGEST_RATIO: Final = 8.0
LEAST_DEVIATION: Final = 0.22
# By so much two ratios may differ that are the same.
SAME_RATIO: Final = 0.15

# So many steps are needed, and this share of all has to agree, and so few may speak for a clamp that is right.
ENOUGH: Final = 4.0
AGREEING: Final = 0.5
CONTRADICTING: Final = 0.2
# As many where the load that follows cannot be, too.
ENOUGH_WITH_LOAD: Final = 1.9
# So many steps in a row speak for a clamp that has been mended.
MENDED: Final = 4

# s of decisive levels that are remembered, and that are needed.
LEVEL_MEMORY: Final = 1200.0
LEVEL_SECONDS: Final = 300.0
LEVEL_SHARE: Final = 0.6
# W and share by which a load may seem to be below nothing.
BELOW: Final = 60.0
BELOW_SHARE: Final = 0.06
# Shares of the time in which the load on the other assumption may seem to be below nothing.
RARELY: Final = 0.25


class Reading(Enum):
    """What a clamp is, as far as is known."""

    UNKNOWN = auto()
    RIGHT = auto()
    REVERSED = auto()
    OTHER_PHASE = auto()
    SCALED = auto()
    # A ratio, or a solar inverter that nobody counts: only the sun has moved.
    SCALED_OR_SUN = auto()
    UNMOVED = auto()


class Clamp:
    """The evidence of one clamp; all counts are of steps and fade."""

    __slots__ = (
        "bad",
        "bad_dark",
        "bad_reversed",
        "decisive",
        "is_bad",
        "others",
        "ratio",
        "reversed",
        "right",
        "scaled",
        "scaled_dark",
        "streak",
        "total",
        "unmoved",
    )

    def __init__(self, phases: int) -> None:
        self.total = 0.0
        self.right = 0.0
        self.reversed = 0.0
        # On the conductor of which phase.
        self.others = [0.0] * phases
        # All with about this ratio, and those that were not the sun's.
        self.scaled = 0.0
        self.scaled_dark = 0.0
        self.ratio = 1.0
        self.unmoved = 0.0
        # The steps in a row that spoke for a clamp that is right.
        self.streak = 0
        # Seconds in which the load of the house would be below nothing with this clamp as it is, or reversed.
        self.decisive = 0.0
        self.bad = 0.0
        self.bad_dark = 0.0
        self.bad_reversed = 0.0
        self.is_bad = False

    def step(self, phase: int, step: Step) -> bool:
        """Take a step into account; whether it told something of this clamp."""
        own, seen = step.own[phase], step.seen[phase]
        size = max(map(abs, step.own))
        slack = NOISE + DRIFT * step.seconds + GAIN * max(size, abs(seen))
        if abs(own) < 2 * slack:
            return step.is_independent and self._by_another(phase, step, slack)
        self._fade()
        if abs(seen - own) <= slack:
            self.right += 1
            self.streak += 1
            if self.streak >= MENDED and self.right < AGREEING * self.total:
                self._begin_again(self.streak)
        else:
            self.streak = 0
        if abs(seen + own) <= slack:
            self.reversed += 1
        if step.is_independent:
            if abs(seen) <= slack / 2:
                self.unmoved += 1
            self._on_another(phase, step, slack)
        self._scaled(seen / own, step)
        return True

    def _begin_again(self, right: int) -> None:
        """Forget everything but the last steps, which all spoke for a clamp that is right."""
        fresh = Clamp(len(self.others))
        for name in self.__slots__:
            setattr(self, name, getattr(fresh, name))
        self.total = self.right = float(right)
        self.streak = right

    def _fade(self) -> None:
        self.total = KEEP * self.total + 1
        self.right *= KEEP
        self.reversed *= KEEP
        self.scaled *= KEEP
        self.scaled_dark *= KEEP
        self.unmoved *= KEEP
        self.others = [KEEP * votes for votes in self.others]

    def _by_another(self, phase: int, step: Step, slack: float) -> bool:
        """Count a step of other phases only that this clamp has seen."""
        if abs(step.seen[phase]) < 2 * slack:
            return False
        self._fade()
        self._on_another(phase, step, slack)
        return True

    def _on_another(self, phase: int, step: Step, slack: float) -> None:
        """Count the conductors that this clamp could be on besides its own."""
        seen, own = step.seen[phase], step.own[phase]
        for other, moved in enumerate(step.own):
            spread = slack / 2 + OTHER_PHASE_SPREAD * abs(moved)
            if (
                other != phase
                and abs(moved) >= 2 * slack
                and abs(seen - own) > slack
                and abs(seen - OTHER_PHASE * moved) <= spread
            ):
                self.others[other] += 1

    def _scaled(self, ratio: float, step: Step) -> None:
        """Count a ratio that is about the one of the steps before; another one begins anew."""
        if not SMALLEST_RATIO <= ratio <= LARGEST_RATIO or abs(ratio - 1) < LEAST_DEVIATION:
            return
        if abs(math.log(ratio / self.ratio)) <= SAME_RATIO and self.scaled > 0:
            self.ratio += (ratio - self.ratio) / (1 + min(self.scaled, 10))
            self.scaled += 1
            self.scaled_dark += not step.by_sun
        elif self.scaled < 2:
            self.ratio, self.scaled, self.scaled_dark = ratio, 1.0, float(not step.by_sun)
        else:
            self.scaled -= 1

    def level(self, seen: float, own: float, seconds: float, *, is_dark: bool) -> bool:
        """Take the powers of a moment into account; whether they told something."""
        limit = -BELOW - BELOW_SHARE * max(abs(seen), abs(own))
        bad, was_bad = seen - own < limit, self.is_bad
        self.is_bad = bad
        bad = bad and was_bad
        bad_reversed = -seen - own < limit
        if not (bad or bad_reversed):
            return False
        keep = 1 - seconds / LEVEL_MEMORY
        self.decisive = keep * self.decisive + seconds
        self.bad = keep * self.bad + seconds * bad
        self.bad_dark = keep * self.bad_dark + seconds * (bad and is_dark)
        self.bad_reversed = keep * self.bad_reversed + seconds * bad_reversed
        return True

    @property
    def has_impossible_load(self) -> bool:
        """Whether the load of the house would be below nothing again and again."""
        return self.bad >= LEVEL_SECONDS and self.bad >= LEVEL_SHARE * self.decisive

    @property
    def may_be_reversed(self) -> bool:
        """Whether the load would be possible with this clamp reversed."""
        return self.bad_reversed <= RARELY * self.decisive

    @property
    def reading(self) -> Reading:
        """What the clamp is."""
        total, right = self.total, self.right
        enough = ENOUGH_WITH_LOAD if self.has_impossible_load else ENOUGH
        agreeing = max(enough, AGREEING * total)
        contradicting = CONTRADICTING * total
        if self.reversed >= agreeing and right <= contradicting and self.may_be_reversed:
            return Reading.REVERSED
        if right >= max(ENOUGH, AGREEING * total):
            return Reading.RIGHT
        if right > contradicting:
            return Reading.UNKNOWN
        if max(self.others) >= agreeing:
            return Reading.OTHER_PHASE
        if self.unmoved >= max(ENOUGH, AGREEING * total):
            return Reading.UNMOVED
        if self.scaled >= max(ENOUGH, AGREEING * total):
            dark = self.scaled_dark >= ENOUGH / 2
            return Reading.SCALED if dark else Reading.SCALED_OR_SUN
        return Reading.UNKNOWN
