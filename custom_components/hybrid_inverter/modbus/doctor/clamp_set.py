"""The clamps of one device at the house connection, judged together."""

from __future__ import annotations

from typing import Final

from .clamp import Clamp, Reading
from .member import PHASES
from .steps import MAX_PAUSE, Powers, Sample, StepFinder
from .verdict import Cause, Finding

# W that a clamp without a connection shows at most, and that the inverters have to move meanwhile.
SILENT: Final = 3.0
SILENT_OWN: Final = 150.0
# A clamp on the inverter's own cable shows its power within so many W and so much of it.
SAME: Final = 25.0
SAME_SHARE: Final = 0.05
# s of the one or the other until it is believed, and the share of the time that may contradict.
NEEDED_SECONDS: Final = 900.0
CONTRADICTING: Final = 0.02
# W by which the inverters have to change their power in the meantime.
MOVED: Final = 600.0
# W of their strings below which it is dark.
DARK: Final = 20.0
# Below so many W the powers of a moment add up; and how fast the shown sum of what does not follows, in s.
SMOOTHING: Final = 60.0
BELOW: Final = 60.0
BELOW_SHARE: Final = 0.06


class ClampSet:
    """The evidence of the clamps of one device."""

    def __init__(self, phases: int) -> None:
        self.clamps = tuple(Clamp(phases) for _ in range(phases))
        self._finder = StepFinder()
        self._last: float | None = None
        self._lowest = self._highest = 0.0
        # Seconds in which all clamps showed nothing, or the inverters' own power, while there was one; and all such seconds.
        self._silent = 0.0
        self._same = 0.0
        self._seconds = 0.0
        # The smoothed W by which the load of the house is below nothing.
        self.missing: float | None = None
        self.steps = 0
        # The minutes in which anything was told.
        self.minutes = 0
        self._minute = -1

    def add(self, sample: Sample, *, ordered: bool) -> None:
        """Take a moment into account."""
        time, seen, own, sun = sample
        if self._last is None or time - self._last > MAX_PAUSE:
            self._last = time
            self._finder.add(sample, ordered=ordered)
            return
        seconds = time - self._last
        self._last = time
        told = False
        step = self._finder.add(sample, ordered=ordered)
        if step is not None:
            for phase, clamp in enumerate(self.clamps):
                told |= clamp.step(phase, step)
            self.steps += told
        is_dark = sun < DARK
        missing = 0.0
        for clamp, at_clamp, at_terminal in zip(self.clamps, seen, own, strict=True):
            told |= clamp.level(at_clamp, at_terminal, seconds, is_dark=is_dark) and clamp.is_bad
            if clamp.is_bad:
                missing += at_terminal - at_clamp
        if self.missing is None:
            self.missing = missing
        else:
            self.missing += (missing - self.missing) * min(1.0, seconds / SMOOTHING)
        told |= self._compare(seen, own, seconds)
        if told and self._minute != (minute := int(time // 60)):
            self._minute = minute
            self.minutes += 1

    def _compare(self, seen: Powers, own: Powers, seconds: float) -> bool:
        """Count the time in which the clamps show nothing, or the inverters' power and nothing else."""
        if max(map(abs, own)) < SILENT_OWN:
            return False
        whole = sum(own)
        self._lowest, self._highest = min(self._lowest, whole), max(self._highest, whole)
        keep = 1 - seconds / (2 * NEEDED_SECONDS)
        is_silent = max(map(abs, seen)) <= SILENT
        is_same = not is_silent
        for at_clamp, at_terminal in zip(seen, own, strict=True):
            if abs(at_clamp - at_terminal) > SAME + SAME_SHARE * abs(at_terminal):
                is_same = False
                break
        self._seconds = keep * self._seconds + seconds
        self._silent = keep * self._silent + seconds * is_silent
        self._same = keep * self._same + seconds * is_same
        if self._seconds - max(self._silent, self._same) > 5 * CONTRADICTING * NEEDED_SECONDS:
            # What they move from now on counts.
            self._lowest = self._highest = whole
        return is_silent or is_same

    def _holds(self, seconds: float) -> bool:
        """Whether something was so all the time while the inverters moved."""
        return (
            seconds >= NEEDED_SECONDS
            and self._seconds - seconds <= CONTRADICTING * self._seconds
            and self._highest - self._lowest >= MOVED
        )

    @property
    def is_right(self) -> bool:
        """Whether all clamps are known to be right."""
        return all(
            clamp.reading is Reading.RIGHT and not clamp.has_impossible_load
            for clamp in self.clamps
        )

    @property
    def share(self) -> float:
        """The share of the evidence that is needed to say so."""
        return min(min(1.0, clamp.right / 4.0) for clamp in self.clamps)

    def findings(self) -> list[tuple[Finding, ...]]:
        """What is wrong: each one cause, or two of which one is true."""
        if self._holds(self._silent) and len(self.clamps) > 1:
            return [(Finding(Cause.CLAMP_SILENT, self._places(range(len(self.clamps)))),)]
        if self._holds(self._same):
            places = self._places(range(len(self.clamps)))
            return [(Finding(Cause.CLAMP_INVERTER_SIDE, places), Finding(Cause.NO_LOAD_BEFORE))]
        readings = [clamp.reading for clamp in self.clamps]
        found = list(self._exchanged(readings))
        of = {
            reading: [phase for phase, one in enumerate(readings) if one is reading]
            for reading in Reading
        }
        if backwards := of[Reading.REVERSED]:
            found.append((Finding(Cause.CLAMP_REVERSED, self._places(backwards)),))
        if len(of[Reading.UNMOVED]) == len(self.clamps):
            found.append((Finding(Cause.CLAMP_HOUSE_SIDE, self._places(range(len(self.clamps)))),))
        found.extend(self._scaled(of[Reading.SCALED], of[Reading.SCALED_OR_SUN]))
        if not found:
            found.extend(self._impossible(readings))
        return found

    def _exchanged(self, readings: list[Reading]) -> list[tuple[Finding, ...]]:
        """Clamps on each other's conductors; one alone waits for its counterpart."""
        wrong = [phase for phase, one in enumerate(readings) if one is Reading.OTHER_PHASE]
        if len(wrong) < 2:
            return []
        return [(Finding(Cause.PHASES_EXCHANGED, self._places(wrong)),)]

    def _scaled(self, scaled: list[int], scaled_or_sun: list[int]) -> list[tuple[Finding, ...]]:
        """A ratio that is set wrong, of one clamp or of all."""
        phases = sorted(scaled + scaled_or_sun)
        if not phases or (not scaled and len(phases) < len(self.clamps)):
            return []
        ratios = [self.clamps[phase].ratio for phase in phases]
        mean = sum(ratios) / len(ratios)
        if max(ratios) > 1.25 * min(ratios):
            return []
        finding = Finding(Cause.CLAMP_RATIO, self._places(phases), round(mean, 2))
        is_sun = not scaled or any(self.clamps[phase].has_impossible_load for phase in phases)
        return [(finding, Finding(Cause.SOURCE_NOT_COUNTED)) if is_sun else (finding,)]

    def _impossible(self, readings: list[Reading]) -> list[tuple[Finding, ...]]:
        """Loads below nothing, although no clamp is known to be wrong."""
        phases = [phase for phase, clamp in enumerate(self.clamps) if clamp.has_impossible_load]
        if not phases:
            return []
        source = Finding(Cause.SOURCE_NOT_COUNTED)
        if all(readings[phase] is Reading.RIGHT for phase in phases):
            return [(source,)]
        if all(self.clamps[phase].may_be_reversed for phase in phases):
            return [(Finding(Cause.CLAMP_REVERSED, self._places(phases)), source)]
        return []

    def _places(self, phases: list[int] | range) -> tuple[str, ...]:
        """The names of phases; the only clamp of a device needs none."""
        return tuple(PHASES[phase] for phase in phases) if len(self.clamps) > 1 else ()
