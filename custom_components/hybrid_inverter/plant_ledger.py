"""The energies of a plant: ever and since midnight, made of the counters of its members.

What is added is what each counter has grown by, not what it stands at: a member that is added or taken away, a counter
that is exchanged or a port that is used for something else makes no energy. Sums begin with what the counters say;
a difference, as the load of several machines is one, begins with 0, as counters of different age say nothing of it. The
counters are read at different moments, so a difference may step back for a moment: it is held until it is more again.
"""

from collections import Counter as Count
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .modbus.codec import Value
from .modbus.guard import CounterGuard
from .plant_balance import Sum, Term

# Digits behind the point of a kilowatt-hour.
DIGITS: Final = 3


@dataclass(slots=True)
class Counter:
    """One counter of one member."""

    guard: CounterGuard
    # When it was read last, in seconds, and on which day.
    when: float = 0.0
    day: str = ""

    def take(self, value: float, when: float, day: str) -> float:
        """Take a reading, and return what has been counted since the last good one."""
        before, rejected = self.guard.value, self.guard.rejections.total()
        now = self.guard.judge(value, when)
        # A reading that is held back until it is certain is not the last good one.
        if now == value:
            self.when, self.day = when, day
        # One that was not believed at first, but is now, comes from another counter in its place.
        if before is None or now is None or self.guard.rejections.total() > rejected:
            return 0.0
        return now - before


@dataclass(slots=True)
class Energy:
    """One energy of the plant, in kilowatt-hours."""

    # What its sum says, which may step back if it is a difference; and what is shown of it, which never does.
    exact: float
    shown: float
    # What was shown when the day began.
    morning: float
    # What has been counted since it was settled last, and how much of that in an earlier day.
    grown: float = 0.0
    late: float = 0.0

    def settle(self) -> None:
        """Show what was counted; today is only what was not counted in an earlier day."""
        before = self.shown
        self.exact += self.grown
        self.shown = max(self.shown, self.exact)
        self.morning += min(self.shown - before, max(0.0, self.late))
        self.grown = self.late = 0.0


@dataclass(slots=True)
class Ledger:
    """Counts the energies of a plant from the counters that its members are read with."""

    sums: Mapping[str, Sum]
    # The largest power in watts that a member's counters have to follow.
    rated_powers: Mapping[str, float]
    _counters: dict[str, dict[str, Counter]] = field(init=False)
    _energies: dict[str, Energy] = field(init=False, default_factory=dict)
    # The parts that counted when their counters were read last.
    _counting: set[Term] = field(init=False, default_factory=set)
    _day: str = field(init=False, default="")

    def __post_init__(self) -> None:
        """Have a guard for each counter."""
        self._counters = {}
        for term in self._terms():
            self._counters.setdefault(term.member, {}).setdefault(
                term.key, Counter(CounterGuard(self.rated_powers[term.member]))
            )

    def _terms(self) -> Iterator[Term]:
        """Return every part of every energy."""
        for terms in self.sums.values():
            yield from terms

    def take(
        self,
        member: str,
        values: Mapping[str, Value | None],
        *,
        when: float,
        day: str,
        gap: float,
    ) -> None:
        """Take what was read of a member at a time in seconds on a day.

        After a gap of more seconds than this over midnight nobody knows what belongs to which day: it is counted, but
        not as today's.
        """
        if day != self._day:
            self.settle(day)
        for key, counter in self._counters.get(member, {}).items():
            value = values.get(key)
            uses = {
                (name, term): term.counts(values)
                for name, terms in self.sums.items()
                for term in terms
                if (term.member, term.key) == (member, key)
            }
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                continue
            if None in uses.values():
                continue
            late = counter.day not in ("", day) and when - counter.when > gap
            grown = counter.take(value, when, day)
            for (name, term), counts in uses.items():
                if not counts:
                    self._counting.discard(term)
                    continue
                self._counting.add(term)
                if (energy := self._energies.get(name)) is not None:
                    energy.grown += term.factor * grown
                    energy.late += term.factor * grown if late else 0.0

    def settle(self, day: str) -> None:
        """Show what was counted of all members that were read together, and begin the day if it is another one."""
        for name, terms in self.sums.items():
            if (energy := self._energies.get(name)) is not None:
                energy.settle()
            elif (begin := self._beginning(terms)) is not None:
                self._energies[name] = Energy(begin, begin, begin)
        if day != self._day:
            self._day = day
            for energy in self._energies.values():
                energy.morning = energy.shown

    def _beginning(self, terms: Sum) -> float | None:
        """Return what an energy begins with; None until all of its counters were read."""
        values = [self._counters[term.member][term.key].guard.value for term in terms]
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return None
        if any(term.factor < 0 for term in terms):
            return 0.0
        return sum(
            value for term, value in zip(terms, known, strict=True) if term in self._counting
        )

    def total(self, name: str) -> float | None:
        """Return an energy ever; None while it has not begun."""
        energy = self._energies.get(name)
        return None if energy is None else round(energy.shown, DIGITS)

    def today(self, name: str) -> float | None:
        """Return an energy since midnight, or since it began if that was later; None while it has not begun."""
        energy = self._energies.get(name)
        return None if energy is None else round(energy.shown - energy.morning, DIGITS)

    def rejections(self) -> dict[str, int]:
        """Return how many readings of all counters were not believed, by reason."""
        every = Count[str]()
        for counters in self._counters.values():
            for counter in counters.values():
                every.update(counter.guard.rejections)
        return dict(every)

    def as_dict(self) -> dict[str, Any]:
        """Return everything that has to survive a restart."""
        return {
            "day": self._day,
            "energies": {
                name: [energy.exact, energy.shown, energy.morning]
                for name, energy in self._energies.items()
            },
            "counters": {
                member: {
                    key: [counter.guard.value, counter.when, counter.day]
                    for key, counter in counters.items()
                    if counter.guard.value is not None
                }
                for member, counters in self._counters.items()
            },
        }

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Go on from what was saved; what has no place any more is left out."""
        self._day = stored["day"]
        for name, (exact, shown, morning) in stored["energies"].items():
            if name in self.sums:
                self._energies[name] = Energy(exact, shown, morning)
        for member, counters in stored["counters"].items():
            for key, (value, when, day) in counters.items():
                if (counter := self._counters.get(member, {}).get(key)) is not None:
                    counter.guard.seed(value, when)
                    counter.when, counter.day = when, day
