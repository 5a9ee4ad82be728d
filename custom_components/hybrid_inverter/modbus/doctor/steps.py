"""Steps of power: what changed from one quiet moment to another, at the clamps and at the inverters' own terminals."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Final, NamedTuple

# W by which a terminal has to move, and by how much more for each second that it takes: what moves slowly moves
# together with the loads of the day.
SMALLEST_STEP: Final = 60.0
PER_SECOND: Final = 1.5
# From one poll to the next everything has to be quiet within so many W, and so much of the step.
QUIET: Final = 60.0
QUIET_SHARE: Final = 0.25
# Polls that are further apart in s say nothing of what is quiet.
QUIET_SECONDS: Final = 30.0
# s after which a step is none any more.
MAX_STEP: Final = 75.0
# s between two polls after which nothing follows from both.
MAX_PAUSE: Final = 75.0
# What the DC power of the sun becomes on the AC side.
EFFICIENCY: Final = 0.97
# Of a step that the sun explains, the share and the W that it need not explain.
UNEXPLAINED_SHARE: Final = 0.3
UNEXPLAINED: Final = 60.0
# W at the house connection between which an inverter may be holding it at nothing: then even its strings follow the house.
HELD: Final = 150.0

type Powers = tuple[float, ...]


class Elapsed:
    """What has gone by from one moment to the next."""

    def __init__(self) -> None:
        self._last: float | None = None

    def until(self, time: float) -> float:
        """The s since the moment before; 0 at the first one and after a pause, for which nothing counts."""
        last, self._last = self._last, time
        if last is None or time - last > MAX_PAUSE:
            return 0.0
        return time - last


class Sample(NamedTuple):
    """A moment, by phase: W at the clamps, W that the inverters draw less what others feed in.

    Then the W of their strings and of their stages; `nan` where one of them is unknown.
    """

    time: float
    seen: Powers
    own: Powers
    sun: float
    stage: float


@dataclass(frozen=True, slots=True)
class Step:
    """The changes in W between two quiet moments."""

    seconds: float
    seen: Powers
    own: Powers
    # Whether the inverters have moved for a reason of their own, and not because the house did: the sun, an order of
    # ours, a load on a backup output.
    is_independent: bool
    # Whether that was the sun, which moves a solar inverter that nobody counts, too; or may have been, where its power is
    # unknown.
    by_sun: bool
    # Whether the clamps showed an import before and after it.
    is_import: bool
    # The W that the clamps showed together after it.
    shown: float
    # The largest change at a terminal, and the largest power that flowed anywhere, in W.
    size: float
    level: float


class StepFinder:
    """Finds the steps in a series of samples."""

    def __init__(self) -> None:
        self._start: Sample | None = None
        self._last: Sample | None = None

    def add(self, sample: Sample, *, ordered: bool) -> Step | None:
        """The step that ends with this sample, if any; `ordered` is whether an order of ours began or ended just now."""
        last, start = self._last, self._start
        self._last = sample
        if last is None or start is None or sample.time - last.time > MAX_PAUSE:
            self._start = sample
            return None
        seconds = sample.time - start.time
        own = tuple([now - then for now, then in zip(sample.own, start.own, strict=True)])
        size = max(map(abs, own))
        if not _is_quiet(sample, last, size):
            if seconds > MAX_STEP:
                self._start = None
            return None
        if size < SMALLEST_STEP + PER_SECOND * seconds:
            if seconds >= MAX_STEP / 2:
                self._start = sample
            return None
        self._start = sample
        whole, sun = sum(own), sample.sun - start.sun
        before, after = sum(start.seen), sum(sample.seen)
        by_sun = (
            abs(sun) >= SMALLEST_STEP
            and abs(whole + EFFICIENCY * sun) <= UNEXPLAINED_SHARE * abs(whole) + UNEXPLAINED
            and abs(before) > HELD
            and abs(after) > HELD
        )
        # A load on a backup output, with or without the inverter's taking it on; its stage moves all phases alike.
        by_backup = (len(own) > 1 and abs(whole) <= UNEXPLAINED_SHARE * size) or abs(
            sample.stage - start.stage
        ) <= UNEXPLAINED / 2 + UNEXPLAINED_SHARE * size / 2
        return Step(
            seconds,
            tuple([now - then for now, then in zip(sample.seen, start.seen, strict=True)]),
            own,
            is_independent=by_sun or ordered or by_backup,
            by_sun=by_sun or math.isnan(sun),
            is_import=before > HELD and after > HELD,
            shown=after,
            size=size,
            level=max(map(abs, sample.seen + sample.own)),
        )


def _is_quiet(sample: Sample, last: Sample, size: float) -> bool:
    """Whether nothing moves at a sample, as far as polls are close enough to show it."""
    if sample.time - last.time > QUIET_SECONDS:
        return True
    limit = QUIET + QUIET_SHARE * size
    for powers, former in ((sample.seen, last.seen), (sample.own, last.own)):
        for now, then in zip(powers, former, strict=True):
            if not -limit <= now - then <= limit:
                return False
    return True
