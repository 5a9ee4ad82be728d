"""PV strings against their twins: dead, or in the shade."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .steps import Elapsed
from .verdict import Cause, Finding

# W of the best string from which the others must show something, and W and share below which one shows nothing.
SUNNY: Final = 300.0
NOTHING: Final = 10.0
NOTHING_SHARE: Final = 0.02
# V of an input that has a string, and W that one has given.
CONNECTED: Final = 100.0
GIVEN: Final = 20.0
# s of it that are needed, and the most that count; when it is not so, they fade as fast.
NEEDED_SECONDS: Final = 600.0
MEMORY: Final = 1500.0

# A string in the shade bypasses modules: its voltage falls below its own usual one by this share, and its twin's does not.
FALLEN: Final = 0.85
# W of a string from which its voltage counts, and s by which a usual voltage is known.
LOADED: Final = 150.0
KNOWN_SECONDS: Final = 600.0
# How fast the usual voltage follows, in s: it falls with the warmth of the day.
FOLLOWING: Final = 3600.0


class PvStrings:
    """The strings of one inverter."""

    def __init__(self, count: int) -> None:
        self._elapsed = Elapsed()
        # Whether there is a string at all.
        self._exists = [False] * count
        self._dead = [0.0] * count
        self._shaded = [0.0] * count
        self._usual = [0.0] * count
        self._known = [0.0] * count

    def recall(self, number: int) -> None:
        """Know of a string, from 1 on, that it exists."""
        self._exists[number - 1] = True

    def add(self, time: float, powers: Sequence[float], volts: Sequence[float | None]) -> None:
        """Take the W and V of the strings at a moment into account; of a voltage that is unknown nothing follows."""
        if not (seconds := self._elapsed.until(time)):
            return
        for number, (power, voltage) in enumerate(zip(powers, volts, strict=True)):
            if power >= GIVEN or (voltage is not None and voltage >= CONNECTED):
                self._exists[number] = True
        best = max(powers)
        if best < SUNNY:
            return
        keep = 1 - seconds / MEMORY
        limit = max(NOTHING, NOTHING_SHARE * best)
        fallen = self._fallen(powers, volts, seconds)
        has_twin = not all(fallen[n] or volts[n] is None for n in range(len(volts)))
        for number, power in enumerate(powers):
            for counted, is_so in (
                (self._dead, power <= limit and self._exists[number]),
                (self._shaded, fallen[number] and has_twin),
            ):
                so_far = counted[number]
                counted[number] = min(MEMORY, so_far + seconds) if is_so else keep * so_far

    def _fallen(
        self, powers: Sequence[float], volts: Sequence[float | None], seconds: float
    ) -> list[bool]:
        """Which strings have less than their usual voltage; the others' usual ones follow."""
        fallen = []
        for number, (power, voltage) in enumerate(zip(powers, volts, strict=True)):
            if voltage is None:
                fallen.append(False)
                continue
            usual, is_known = self._usual[number], self._known[number] >= KNOWN_SECONDS
            fell = is_known and power >= NOTHING and voltage < FALLEN * usual
            fallen.append(fell)
            if power < LOADED or fell:
                continue
            if not self._known[number]:
                usual = voltage
            self._known[number] += seconds
            self._usual[number] = usual + (voltage - usual) * min(1.0, seconds / FOLLOWING)
        return fallen

    def findings(self) -> list[tuple[Finding, ...]]:
        """The strings that are dead, or in the shade."""
        found: list[tuple[Finding, ...]] = []
        for number, (dead, shaded) in enumerate(zip(self._dead, self._shaded, strict=True), 1):
            place = (f"pv{number}",)
            if dead >= NEEDED_SECONDS:
                found.append((Finding(Cause.STRING_DEAD, place),))
            elif shaded >= NEEDED_SECONDS:
                found.append((Finding(Cause.STRING_SHADED, place),))
        return found
