"""The energies of a plant, in total and since midnight, from the counters of its members.

The growth of each counter is added, not its reading: a member that is added or removed, a counter that is replaced or a
port that is used for something else makes no energy. A sum begins with the readings of its counters; a difference, such
as the load of several inverters, begins with 0, as counters of different age say nothing about it. The counters are
polled at different moments, so a difference may fall for a moment: the last value is then held until it is exceeded.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..modbus.model.codec import Value, as_number
from ..modbus.model.counter_guard import CounterGuard
from .balance import Sum, Term

# Decimals of a value in kWh.
DIGITS: Final = 3


@dataclass(slots=True)
class MemberCounter:
    """One counter of one member."""

    guard: CounterGuard
    # The time of the last good reading, in seconds, and its day.
    when: float = 0.0
    day: str = ""

    def take(self, value: float, when: float, day: str) -> float:
        """The growth since the last good reading, with this new one."""
        before, rejected = self.guard.value, self.guard.rejections.total()
        now = self.guard.check(value, when)
        # A reading that has yet to be confirmed is not the last good one.
        if now == value:
            self.when, self.day = when, day
        # One that was rejected at first and is accepted now comes from a new counter in its place.
        if before is None or now is None or self.guard.rejections.total() > rejected:
            return 0.0
        return now - before


@dataclass(slots=True)
class Energy:
    """One energy of the plant, in kWh."""

    # The value of its sum, which may fall if it is a difference, and the value that is shown, which never falls.
    exact: float
    shown: float
    # The value that was shown at midnight.
    morning: float
    # The growth since it was settled last, and how much of it belongs to an earlier day.
    grown: float = 0.0
    late: float = 0.0

    def settle(self) -> None:
        """Show the growth; what belongs to an earlier day is not counted as today's."""
        before = self.shown
        self.exact += self.grown
        self.shown = max(self.shown, self.exact)
        self.morning += min(self.shown - before, max(0.0, self.late))
        self.grown = self.late = 0.0


@dataclass(slots=True)
class Ledger:
    """Counts the energies of a plant from the counters of its members."""

    sums: Mapping[str, Sum]
    # The largest power in W that the counters of a member have to follow.
    rated_powers: Mapping[str, float]
    _counters: dict[str, dict[str, MemberCounter]] = field(init=False)
    _energies: dict[str, Energy] = field(init=False, default_factory=dict)
    # Whether each term counted when its counter was polled last.
    _counts: dict[Term, bool] = field(init=False, default_factory=dict)
    _day: str = field(init=False, default="")

    def __post_init__(self) -> None:
        """Make a counter with a guard for each key of each member."""
        self._counters = {}
        for term in self._terms():
            self._counters.setdefault(term.member, {}).setdefault(
                term.key, MemberCounter(CounterGuard(self.rated_powers[term.member]))
            )

    def _terms(self) -> Iterator[Term]:
        """All terms of all energies."""
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
        """Count what a member's counters have grown by, read at `when` (in seconds) on a day.

        After a gap over midnight of more than `gap` seconds it is unknown what belongs to which day: it is counted, but
        not as today's.
        """
        if day != self._day:
            self.settle(day)
        for key, counter in self._counters.get(member, {}).items():
            value = as_number(values.get(key))
            uses = {
                (name, term): term.counts(values)
                for name, terms in self.sums.items()
                for term in terms
                if (term.member, term.key) == (member, key)
            }
            if value is None or None in uses.values():
                continue
            late = counter.day not in ("", day) and when - counter.when > gap
            grown = counter.take(value, when, day)
            for (name, term), counts in uses.items():
                self._counts[term] = bool(counts)
                if counts and (energy := self._energies.get(name)) is not None:
                    energy.grown += term.factor * grown
                    energy.late += term.factor * grown if late else 0.0

    def settle(self, day: str) -> None:
        """Show the growth of all members that were polled together, and begin a new day if it is one."""
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
        """The first value of an energy; None until all of its counters were read, and a sum's are known.

        What does not count, or of what only the growth counts, may still be uncertain.
        """
        if not self._counts.keys() >= set(terms):
            return None
        if any(term.factor < 0 for term in terms):
            return 0.0
        values = [
            self._counters[term.member][term.key].guard.value
            for term in terms
            if self._counts[term]
        ]
        known = [value for value in values if value is not None]
        return sum(known) if len(known) == len(values) else None

    def total(self, name: str) -> float | None:
        """An energy in total; None while it has not begun."""
        energy = self._energies.get(name)
        return None if energy is None else round(energy.shown, DIGITS)

    def today(self, name: str) -> float | None:
        """An energy since midnight, or since it began if that was later; None while it has not begun."""
        energy = self._energies.get(name)
        return None if energy is None else round(energy.shown - energy.morning, DIGITS)

    def rejections(self) -> dict[str, int]:
        """How many readings of all counters were rejected, by reason."""
        every = Counter[str]()
        for counters in self._counters.values():
            for counter in counters.values():
                every.update(counter.guard.rejections)
        return dict(every)

    def as_dict(self) -> dict[str, Any]:
        """Everything that has to survive a restart."""
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
        """Continue from what was saved, without what is no longer part of the plant."""
        self._day = stored["day"]
        for name, (exact, shown, morning) in stored["energies"].items():
            if name in self.sums:
                self._energies[name] = Energy(exact, shown, morning)
        for member, counters in stored["counters"].items():
            for key, (value, when, day) in counters.items():
                if (counter := self._counters.get(member, {}).get(key)) is not None:
                    counter.guard.seed(value, when)
                    counter.when, counter.day = when, day
