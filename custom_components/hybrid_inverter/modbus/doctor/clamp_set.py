"""The clamps of one device at the house connection, judged together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
import math
from typing import Final

from .clamp import AGREEING, ENOUGH, Clamp, Sign
from .steps import Elapsed, Powers, Sample, StepFinder
from .verdict import Cause, Finding

# W that a clamp without a connection shows at most, and that the inverters have to move meanwhile.
SILENT: Final = 6.0
SILENT_OWN: Final = 150.0
# A clamp on the inverter's own cable shows its power within so many W and so much of it; of more W than these the errors
# of the sensors are larger than what a sleeping house draws.
SAME: Final = 20.0
SAME_SHARE: Final = 0.04
SAME_MAX: Final = 800.0
# s of the one or the other until it is believed, and the share of the time that may contradict.
NEEDED_SECONDS: Final = 480.0
RARELY: Final = 0.02
# s that are remembered of it: by night a house may draw nothing.
DAY: Final = 86400.0
# W by which the power of the inverters has to differ while the clamps are silent, and W that one phase has to have while they
# show the same.
MOVED: Final = 300.0
LARGE: Final = 200.0
# Steps that all clamps together need, those among them in which the inverters did not just follow a load (a load of which
# an inverter covers a part looks like much), and those of each clamp that is named.
TOGETHER: Final = 4.0
INDEPENDENT: Final = 1.3
EACH: Final = 1.5
# W by which the import has to differ between steps that a clamp does not see: one that somebody holds where it is, as a
# charging station does at the limit of the connection, or one that is not measured any more, stays the same.
VARIES: Final = 400.0
# By so much the ratios of the clamps of a set may differ.
SAME_RATIO: Final = 1.25
# A source that nobody counts is believed to be counted after so many s of so many W of sun without a load below nothing.
SUNNY: Final = 500.0
SUNNY_SECONDS: Final = 3600.0
# What a test of a clamp shows that steps are a sign of as well.
TESTED: Final = {
    Cause.CLAMP_REVERSED: Sign.REVERSED,
    Cause.PHASES_EXCHANGED: Sign.OTHER_PHASE,
    Cause.CLAMP_RATIO: Sign.SCALED,
}
# s in which the shown sum of what does not add up follows.
SMOOTHING: Final = 60.0


class ClampSet:
    """The evidence of the clamps of one device."""

    def __init__(self, names: tuple[str, ...]) -> None:
        """`names` are those of its clamps; what several phases show together has none."""
        self.clamps = tuple(Clamp() for _ in names)
        self._names = names
        self._all = tuple(range(len(names)))
        self._finder = StepFinder()
        self._elapsed = Elapsed()
        # Seconds in which all clamps showed nothing, or the inverters' own power, while there was one; and all such seconds.
        self._silent = 0.0
        self._same = 0.0
        self._seconds = 0.0
        # The lowest and the highest W of all phases together since the clamps are silent, and the largest W of a phase since
        # they show the inverters' own power.
        self._lowest, self._highest = math.inf, -math.inf
        self._largest = 0.0
        # The smoothed W by which the load of the house is below nothing.
        self.missing: float | None = None
        self.steps = 0
        self._minutes = [-1] * len(names)
        # What is known for certain until the clamps that it is about are right.
        self._held: tuple[Finding, ...] = ()
        self._judged = -1
        # Seconds in the sun since a load was below nothing.
        self._sunny = 0.0

    def add(self, sample: Sample, *, ordered: bool) -> None:
        """Take a moment into account."""
        time, seen, own = sample.time, sample.seen, sample.own
        step = self._finder.add(sample, ordered=ordered)
        if not (seconds := self._elapsed.until(time)):
            return
        has_compared = self._compare(seen, own, seconds)
        missing = 0.0
        has_told = False
        for phase, clamp in enumerate(self.clamps):
            told = step is not None and clamp.step(phase, step)
            has_told |= told
            told |= clamp.level(seen[phase], own[phase], seconds)
            if clamp.is_bad:
                missing += own[phase] - seen[phase]
            if told and self._minutes[phase] != (now := int(time // 60)):
                self._minutes[phase] = now
                clamp.minutes += 1
            elif has_compared and not told:
                clamp.minutes += seconds / 60
        self.steps += has_told
        if any(clamp.is_bad for clamp in self.clamps):
            self._sunny = 0.0
        elif sample.sun >= SUNNY:
            self._sunny += seconds
        if self._judged != (minute := int(time // 60)):
            self._judged = minute
            self._hold()
        if self.missing is None:
            self.missing = missing
        else:
            self.missing += (missing - self.missing) * min(1.0, seconds / SMOOTHING)

    def _compare(self, seen: Powers, own: Powers, seconds: float) -> bool:
        """Count the time in which the clamps show nothing, or the inverters' power and nothing else; whether it told that.

        A silence tells nothing before the inverters have moved: until then the house may be covered.
        """
        largest = max(map(abs, own))
        is_silent = max(map(abs, seen)) <= SILENT
        if largest < SILENT_OWN or (largest > SAME_MAX and not is_silent and not self._silent):
            return False
        keep = 1 - seconds / DAY
        is_same = not is_silent
        for at_clamp, at_terminal in zip(seen, own, strict=True):
            if abs(at_clamp - at_terminal) > SAME + SAME_SHARE * abs(at_terminal):
                is_same = False
                break
        self._seconds = keep * self._seconds + seconds
        self._silent = keep * self._silent + seconds * is_silent
        self._same = keep * self._same + seconds * is_same
        self._largest = max(self._largest, largest) if is_same else 0.0
        if is_silent:
            whole = sum(own)
            self._lowest, self._highest = min(self._lowest, whole), max(self._highest, whole)
            return self._have_moved
        self._lowest, self._highest = math.inf, -math.inf
        return is_same

    @property
    def _have_moved(self) -> bool:
        """Whether the inverters have, since the clamps are silent."""
        return self._highest - self._lowest >= MOVED

    def _holds(self, seconds: float) -> bool:
        """Whether something was so all the time."""
        return seconds >= NEEDED_SECONDS and self._seconds - seconds <= RARELY * self._seconds

    @property
    def share(self) -> float:
        """The share of the evidence that is needed to say that all clamps are right."""
        return min(min(1.0, clamp.right / ENOUGH) for clamp in self.clamps)

    @property
    def minutes(self) -> float:
        """The minutes that told something of the clamp of which least is known."""
        return min(clamp.minutes for clamp in self.clamps)

    def _hold(self) -> None:
        """Keep what is known for certain, and let go of what has been mended."""
        found = self._judge()
        if len(found) == 1:
            self._held = found
        elif self._held and self._held[0].cause is Cause.SOURCE_NOT_COUNTED:
            if self._sunny >= SUNNY_SECONDS:
                self._held = ()
        elif self._held and all(
            self.clamps[phase].is_right
            for phase in self._all
            if not self._held[0].places or self._names[phase] in self._held[0].places
        ):
            self._held = ()

    def tested(self, shown: Mapping[str, Finding | None]) -> None:
        """Know what a test has shown of some clamps, by their names; None of one that is right."""
        for name, finding in shown.items():
            clamp = self.clamps[self._names.index(name)]
            if finding is None:
                clamp.tested(None)
            elif (sign := TESTED.get(finding.cause)) is not None:
                clamp.tested(sign, finding.ratio)
        self._hold()

    def findings(self) -> tuple[Finding, ...]:
        """What is wrong: one cause, or two of which one is true."""
        return self._held or self._judge()

    def minutes_of(self, finding: Finding) -> float:
        """The minutes that told something of what was found: of the clamps that it names, of whichever least is known."""
        if finding.cause is Cause.SOURCE_NOT_COUNTED:
            return max(clamp.bad for clamp in self.clamps) / 60
        return min(
            clamp.minutes
            for name, clamp in zip(self._names, self.clamps, strict=True)
            if not finding.places or name in finding.places
        )

    def _judge(self) -> tuple[Finding, ...]:
        if self._holds(self._silent) and self._have_moved and len(self.clamps) > 1:
            return (Finding(Cause.CLAMP_SILENT, self._places(self._all)),)
        if self._holds(self._same) and self._largest >= LARGE:
            places = self._places(self._all)
            return Finding(Cause.CLAMP_INVERTER_SIDE, places), Finding(Cause.NO_LOAD_BEFORE)
        for find in (self._reversed, self._exchanged, self._unmoved, self._scaled):
            if found := find():
                return found
        return self._impossible()

    def _agree(self, sign: Sign, phases: Iterable[int]) -> bool:
        """Whether some clamps together speak for what a step is a sign of."""
        clamps = [self.clamps[phase] for phase in phases]
        votes = sum(clamp.votes[sign] for clamp in clamps)
        independent = sum(clamp.independent[sign] for clamp in clamps)
        return votes >= TOGETHER and (
            independent >= INDEPENDENT or all(clamp.has_impossible_load for clamp in clamps)
        )

    def _reversed(self) -> tuple[Finding, ...]:
        """The clamps that are the wrong way round.

        With a ratio that is wrong, too, which all have, clamps on each other's conductors look like it.
        """
        if any(clamp.speaks_for(Sign.SCALED, EACH) for clamp in self.clamps):
            return ()
        phases = [
            phase
            for phase, clamp in enumerate(self.clamps)
            if clamp.speaks_for(Sign.REVERSED, EACH) and clamp.may_be_reversed
        ]
        if not self._agree(Sign.REVERSED, phases):
            # Loads that cannot be do not need so many steps, and many steps need no other reason.
            phases = [
                phase
                for phase in phases
                if self.clamps[phase].has_impossible_load or self.clamps[phase].is_reversed_by_many
            ]
        return (Finding(Cause.CLAMP_REVERSED, self._places(phases)),) if phases else ()

    def _exchanged(self) -> tuple[Finding, ...]:
        """The clamps that are on each other's conductors; one alone waits for its counterpart."""
        phases = [
            phase
            for phase, clamp in enumerate(self.clamps)
            if clamp.speaks_for(Sign.OTHER_PHASE, EACH)
        ]
        if len(phases) < 2 or not self._agree(Sign.OTHER_PHASE, phases):
            return ()
        if others := [clamp for phase, clamp in enumerate(self.clamps) if phase not in phases]:
            other = others[0]
            if not other.seems_right:
                # Either all three are on each other's conductors, or not enough is known of this one.
                if other.total < ENOUGH or not other.is_not_right:
                    return ()
                phases = list(self._all)
        return (Finding(Cause.PHASES_EXCHANGED, self._places(phases)),)

    def _all_agree(self, sign: Sign) -> bool:
        """Whether all clamps together speak for it, and none is right."""
        total = sum(clamp.total for clamp in self.clamps)
        votes = sum(clamp.votes[sign] for clamp in self.clamps)
        return (
            votes >= AGREEING * total
            and all(clamp.is_not_right for clamp in self.clamps)
            and self._agree(sign, self._all)
        )

    def _sees_loads(self) -> bool:
        """Whether the clamps showed different loads of the house while they did not see the inverter."""
        shown = [one.imported for one in self.clamps if one.votes[Sign.UNMOVED]]
        highest = max((high for _, high in shown), default=0.0)
        return highest - min((low for low, _ in shown), default=0.0) >= VARIES

    def _unmoved(self) -> tuple[Finding, ...]:
        """Clamps that see nothing of the inverter."""
        if not self._all_agree(Sign.UNMOVED) or not self._sees_loads():
            return ()
        return (Finding(Cause.CLAMP_HOUSE_SIDE, self._places(self._all)),)

    def _scaled(self) -> tuple[Finding, ...]:
        """A ratio that is set wrong, of all clamps, or of one while the others are right."""
        phases = [
            phase for phase, clamp in enumerate(self.clamps) if clamp.speaks_for(Sign.SCALED, EACH)
        ]
        if not phases:
            return ()
        ratios = [self.clamps[phase].ratio for phase in phases]
        if max(ratios) > SAME_RATIO * min(ratios):
            return ()
        are_all = self._all_agree(Sign.SCALED)
        others = (clamp for phase, clamp in enumerate(self.clamps) if phase not in phases)
        if not are_all and not (
            all(clamp.is_right for clamp in others) and self._agree(Sign.SCALED, phases)
        ):
            return ()
        places = self._places(self._all if are_all else phases)
        finding = Finding(Cause.CLAMP_RATIO, places, round(sum(ratios) / len(ratios), 1))
        dark = sum(self.clamps[phase].scaled_dark for phase in phases)
        if dark >= ENOUGH / 2 and not any(self.clamps[n].has_impossible_load for n in phases):
            return (finding,)
        return finding, Finding(Cause.SOURCE_NOT_COUNTED)

    def _impossible(self) -> tuple[Finding, ...]:
        """Loads below nothing, although no clamp is known to be wrong."""
        clamps = {n: clamp for n, clamp in enumerate(self.clamps) if clamp.has_impossible_load}
        if not clamps:
            return ()
        source = Finding(Cause.SOURCE_NOT_COUNTED)
        if all(clamp.is_right for clamp in clamps.values()):
            return (source,) if any(one.is_beyond_ratio for one in clamps.values()) else ()
        # Two that are exchanged would both be impossible, and a ratio changes no sign.
        if len(clamps) == 1 and all(
            clamp.may_be_reversed and clamp.has_opposite_sign for clamp in clamps.values()
        ):
            return Finding(Cause.CLAMP_REVERSED, self._places(clamps)), source
        return ()

    def _places(self, phases: Iterable[int]) -> tuple[str, ...]:
        """The names of clamps."""
        return tuple(self._names[phase] for phase in phases if self._names[phase])
