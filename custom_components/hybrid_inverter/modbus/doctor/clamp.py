"""What one clamp shows when the inverters move, and what load of the house follows from it."""

from __future__ import annotations

from enum import IntEnum
import math
from typing import Final

from .steps import Step

# How much of what was seen before still counts after a further step: about the last 25 steps do.
KEEP: Final = 0.96
# By how much the changes at two sensors may differ without anything being wrong: W, W a second in which the house goes
# its own way, share of the step, and share of the power that flows.
NOISE: Final = 14.0
DRIFT: Final = 0.5
GAIN: Final = 0.04
READING: Final = 0.012
# A clamp on another conductor shows U x I x cos(120 degrees +- phi): about half, against the sign.
OTHER_PHASE: Final = -0.5
OTHER_PHASE_SPREAD: Final = 0.2
# Ratios, shown by true, that are a ratio of the transformers and no error of measurement.
SMALLEST_RATIO: Final = 0.15
LARGEST_RATIO: Final = 8.0
LEAST_DEVIATION: Final = 0.22
# By so much (of their logarithm) two ratios may differ that are the same.
SAME_RATIO: Final = 0.2

# So many steps are needed, and this share of all has to agree, and so few may speak for a clamp that is right.
ENOUGH: Final = 4.0
AGREEING: Final = 0.4
CONTRADICTING: Final = 0.2
# So many steps, this share of all, may all have followed a load of the house if they differ by so much.
MANY: Final = 5.5
MOST: Final = 0.8
DIFFERENT: Final = 0.5
# The lowest and the highest of nothing; and the votes below which what was lowest and highest is forgotten: one vote after
# 17 other steps.
NO_RANGE: Final = (math.inf, -math.inf)
FORGOTTEN: Final = 0.5
# So many steps in a row speak for a clamp that has been mended.
MENDED: Final = 4

# s of decisive levels that are remembered, and that are needed.
LEVEL_MEMORY: Final = 1200.0
LEVEL_SECONDS: Final = 300.0
LEVEL_SHARE: Final = 0.6
# W and share by which a load may seem to be below nothing.
BELOW: Final = 60.0
BELOW_SHARE: Final = 0.06
# A ratio of a clamp that no step shows for certain, and that makes a load below nothing of a large power.
INEXACT: Final = 1.25
# Share of the time in which the load on the other assumption may seem to be below nothing.
RARELY: Final = 0.25


class Sign(IntEnum):
    """What a step can be a sign of, besides of a clamp that is right."""

    REVERSED = 0
    OTHER_PHASE = 1
    SCALED = 2
    # The clamp does not see the inverter at all.
    UNMOVED = 3


class Clamp:
    """The evidence of one clamp; all votes are steps, and fade."""

    __slots__ = (
        "bad",
        "bad_beyond",
        "bad_opposite",
        "bad_reversed",
        "beside",
        "decisive",
        "imported",
        "independent",
        "is_bad",
        "minutes",
        "ratio",
        "right",
        "scaled_dark",
        "streak",
        "total",
        "votes",
    )

    def __init__(self) -> None:
        self.total = 0.0
        self.right = 0.0
        # By sign: all steps, and those in which the inverters moved for a reason of their own.
        self.votes = [0.0] * len(Sign)
        self.independent = [0.0] * len(Sign)
        # The lowest and the highest of what the next phase showed by its own power in those that were a sign of a reversed
        # clamp: one appliance always gives about the same.
        self.beside = NO_RANGE
        # The lowest and the highest W of all clamps in those that this one did not see.
        self.imported = NO_RANGE
        # The ratio of those that are a sign of one, and how many of them were not the sun's.
        self.ratio = 1.0
        self.scaled_dark = 0.0
        # The steps in a row that spoke for a clamp that is right.
        self.streak = 0
        # Seconds in which the load of the house would be below nothing with this clamp as it is, or reversed.
        self.decisive = 0.0
        self.bad = 0.0
        # Those of them in which it showed an export while the inverters drew power.
        self.bad_opposite = 0.0
        self.bad_reversed = 0.0
        # Those in which it would be so even if the clamp showed a quarter too much or too little.
        self.bad_beyond = 0.0
        self.is_bad = False
        # The minutes in which anything was told.
        self.minutes = 0.0

    def step(self, phase: int, step: Step) -> bool:
        """Take a step into account; whether it told something of this clamp."""
        seen, own = step.seen[phase], step.own[phase]
        slack = NOISE + DRIFT * step.seconds + GAIN * step.size + READING * step.level
        has_moved = abs(own) >= 2 * slack
        by_other = self._by_other(phase, step, slack)
        if by_other and (
            abs(seen) <= slack
            or abs(abs(seen) - abs(own)) <= slack
            or (has_moved and seen / own > SMALLEST_RATIO)
        ):
            # It is a sign of two things, as when the inverter takes a load of one phase on with all three.
            return False
        is_right = has_moved and abs(seen - own) <= slack
        sign = None if is_right else self._sign(phase, slack, step, by_other=by_other)
        if not is_right and sign is None and not (step.is_independent and has_moved):
            # The inverters followed a load of the house, which this clamp has seen, too.
            return False
        self._fade()
        self.right += is_right
        self.streak = self.streak + 1 if is_right else 0
        if sign is not None:
            is_first = self.votes[sign] < FORGOTTEN
            self.votes[sign] += 1
            self.independent[sign] += step.is_independent
            if sign is Sign.REVERSED:
                self._look_beside(phase, step, NO_RANGE if is_first else self.beside)
            elif sign is Sign.UNMOVED:
                low, high = NO_RANGE if is_first else self.imported
                self.imported = min(low, step.shown), max(high, step.shown)
        if self.streak >= MENDED and self.right < self.total / 2:
            self._begin_again(self.streak)
        return True

    def tested(self, sign: Sign | None, ratio: float | None = None) -> None:
        """Know what a test has shown: a clamp that is right, or a sign. Evidence that says something else is forgotten."""
        if self.is_right if sign is None else self.speaks_for(sign, ENOUGH):
            return
        self._begin_again(MENDED)
        if sign is not None:
            self.right, self.streak = 0.0, 0
            self.votes[sign] = self.independent[sign] = self.total
        if ratio is not None:
            self.ratio, self.scaled_dark = ratio, self.total

    def _sign(self, phase: int, slack: float, step: Step, *, by_other: bool) -> Sign | None:
        """What a step is a sign of, if of anything."""
        seen, own = step.seen[phase], step.own[phase]
        if by_other:
            return Sign.OTHER_PHASE
        if abs(own) < 2 * slack:
            return None
        if abs(seen + own) <= slack:
            return Sign.REVERSED
        if abs(seen) <= slack:
            if _is_seen_elsewhere(phase, slack, step):
                return Sign.OTHER_PHASE
            alone = step.is_import and not _is_seen_somewhere(phase, slack, step)
            return Sign.UNMOVED if alone else None
        return Sign.SCALED if self._is_scaled(seen / own, step) else None

    def _look_beside(self, phase: int, step: Step, so_far: tuple[float, float]) -> None:
        """Note what the next phase showed in a step that is a sign of a reversed clamp."""
        self.beside = so_far
        beside = (phase + 1) % len(step.own)
        if beside == phase or not step.own[beside]:
            return
        ratio = min(2.0, max(-2.0, step.seen[beside] / step.own[beside]))
        low, high = so_far
        self.beside = min(low, ratio), max(high, ratio)

    def _by_other(self, phase: int, step: Step, slack: float) -> bool:
        """Whether the step may be that of another conductor, as well as any other."""
        seen = step.seen[phase]
        for other, moved in enumerate(step.own):
            spread = slack + OTHER_PHASE_SPREAD * abs(moved)
            if (
                other != phase
                and abs(moved) >= 2 * slack
                and abs(seen - OTHER_PHASE * moved) <= spread
            ):
                return True
        return False

    def _begin_again(self, right: int) -> None:
        """Forget everything but the last steps, which all spoke for a clamp that is right."""
        fresh = Clamp()
        for name in self.__slots__:
            setattr(self, name, getattr(fresh, name))
        self.total = self.right = float(right)
        self.streak = right

    def _fade(self) -> None:
        self.total = KEEP * self.total + 1
        self.right *= KEEP
        self.scaled_dark *= KEEP
        self.votes = [KEEP * votes for votes in self.votes]
        self.independent = [KEEP * votes for votes in self.independent]

    def _is_scaled(self, ratio: float, step: Step) -> bool:
        """Whether a ratio is about that of the steps before; another one takes its place in time."""
        if not SMALLEST_RATIO <= ratio <= LARGEST_RATIO or abs(ratio - 1) < LEAST_DEVIATION:
            return False
        votes = self.votes[Sign.SCALED]
        if votes >= 0.5 and abs(math.log(ratio / self.ratio)) <= SAME_RATIO:
            self.ratio += (ratio - self.ratio) / (1 + min(votes, 10))
            self.scaled_dark += not step.by_sun
            return True
        if votes < 2:
            self.votes[Sign.SCALED] = self.independent[Sign.SCALED] = 0.0
            self.ratio, self.scaled_dark = ratio, float(not step.by_sun)
            return True
        self.votes[Sign.SCALED] -= 1
        return False

    def level(self, seen: float, own: float, seconds: float) -> bool:
        """Take the powers of a moment into account; whether they told something that was not known yet."""
        limit = -BELOW - BELOW_SHARE * max(abs(seen), abs(own))
        was_bad, self.is_bad = self.is_bad, seen - own < limit
        bad = self.is_bad and was_bad
        bad_reversed = -seen - own < limit
        if bad or bad_reversed:
            keep = 1 - seconds / LEVEL_MEMORY
            self.decisive = keep * self.decisive + seconds
            self.bad = keep * self.bad + seconds * bad
            beyond = bad and (seen / INEXACT if seen < 0 else seen * INEXACT) - own < limit
            self.bad_beyond = keep * self.bad_beyond + seconds * beyond
            self.bad_opposite = keep * self.bad_opposite + seconds * (bad and seen < 0 < own)
            self.bad_reversed = keep * self.bad_reversed + seconds * bad_reversed
        return bad and self.bad <= LEVEL_SECONDS

    @property
    def has_impossible_load(self) -> bool:
        """Whether the load of the house would be below nothing again and again."""
        return self.bad >= LEVEL_SECONDS and self.bad >= LEVEL_SHARE * self.decisive

    @property
    def is_beyond_ratio(self) -> bool:
        """Whether no small error of the clamp explains such a load."""
        return self.bad_beyond >= LEVEL_SECONDS / 2

    @property
    def has_opposite_sign(self) -> bool:
        """Whether that is so because it shows an export while the inverters draw power."""
        return self.bad_opposite >= LEVEL_SECONDS / 2 and self.bad_opposite >= self.bad / 2

    @property
    def may_be_reversed(self) -> bool:
        """Whether the load would be possible with this clamp reversed."""
        return self.bad_reversed <= max(LEVEL_SECONDS / 2, RARELY * self.decisive)

    @property
    def is_right(self) -> bool:
        """Whether enough steps speak for a clamp that is right."""
        return self.right >= max(ENOUGH, self.total / 2)

    @property
    def seems_right(self) -> bool:
        """Whether what is known speaks for it, be it little."""
        return self.right >= max(1.5, self.total / 2)

    @property
    def is_not_right(self) -> bool:
        """Whether too few steps speak for it."""
        return self.right <= CONTRADICTING * self.total

    @property
    def is_reversed_by_many(self) -> bool:
        """Whether so many and so different steps are a sign of a reversed clamp that no appliance can be behind them."""
        votes = self.votes[Sign.REVERSED]
        low, high = self.beside
        return votes >= max(MANY, MOST * self.total) and high - low >= DIFFERENT

    def speaks_for(self, sign: Sign, least: float) -> bool:
        """Whether it is not right, and so many steps at least are a sign of this and not of something else."""
        return self.is_not_right and self.votes[sign] >= max(least, AGREEING * self.total)


def _is_seen_elsewhere(phase: int, slack: float, step: Step) -> bool:
    """Whether the clamp of another phase shows the step of this one, and that other phase itself has not moved."""
    moved = step.own[phase]
    return any(
        other != phase
        and abs(seen) > slack
        and abs(step.own[other]) <= slack
        and abs(seen - OTHER_PHASE * moved) <= slack + OTHER_PHASE_SPREAD * abs(moved)
        for other, seen in enumerate(step.seen)
    )


def _is_seen_somewhere(phase: int, slack: float, step: Step) -> bool:
    """Whether a clamp shows a step of whose own phase nothing has moved: it may be that of this one."""
    return any(
        other != phase and abs(seen) > slack and abs(step.own[other]) <= slack
        for other, seen in enumerate(step.seen)
    )
