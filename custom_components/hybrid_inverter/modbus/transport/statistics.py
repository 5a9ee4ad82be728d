"""What a link has done so far: counters, latencies, and how busy the line is."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
import math
from typing import Final

from .solarman import Dropped

# How many of the last requests, and of the last answers, the rates and percentiles are taken of.
RECENT: Final = 256
# Seconds over which the load of the line is measured, and the fewest.
LOAD_WINDOW: Final = 60.0
MIN_WINDOW: Final = 10.0


@dataclass(slots=True, kw_only=True)
class Tally:
    """How requests were answered. Every request on the wire counts, repeated ones too."""

    requests: int = 0
    # Whole frames that belong to a request, refusals included.
    answers: int = 0
    _latencies: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))
    _outcomes: deque[bool] = field(default_factory=lambda: deque(maxlen=RECENT))

    def count(self, seconds: float, *, answered: bool) -> None:
        """Count a request that was answered, or given up, after so many seconds."""
        self.requests += 1
        self._outcomes.append(answered)
        if answered:
            self.answers += 1
            self._latencies.append(seconds)

    def latency(self, share: float) -> float | None:
        """The milliseconds within which this share of the last answers came; None before the first."""
        if not self._latencies:
            return None
        return sorted(self._latencies)[math.ceil(share * len(self._latencies)) - 1] * 1000

    @property
    def latency_p50(self) -> float | None:
        """The median latency in milliseconds."""
        return self.latency(0.50)

    @property
    def latency_p95(self) -> float | None:
        """The latency in milliseconds that 19 of 20 answers kept."""
        return self.latency(0.95)

    @property
    def success_rate(self) -> float | None:
        """The share of the last requests that were answered, 0 to 1; None before the first."""
        if not self._outcomes:
            return None
        return sum(self._outcomes) / len(self._outcomes)

    def as_dict(self) -> dict[str, object]:
        """The numbers, for diagnostics: latencies in milliseconds, the rate as a share of 1."""
        return {
            "requests": self.requests,
            "answers": self.answers,
            "success_rate": _rounded(self.success_rate, 4),
            "latency_p50": _rounded(self.latency_p50),
            "latency_p95": _rounded(self.latency_p95),
        }


def _rounded(number: float | None, digits: int = 1) -> float | None:
    """A number with so many decimals, if there is one."""
    return None if number is None else round(number, digits)


@dataclass(slots=True)
class LinkStatistics:
    """Counters of one link since it was made."""

    # The clock of the spans, in seconds.
    clock: Callable[[], float]
    # All requests, and those of each unit.
    total: Tally = field(default_factory=Tally)
    units: dict[int, Tally] = field(default_factory=dict)
    timeouts: int = 0
    desyncs: int = 0
    # Frames that came after their request was given up, and were thrown away.
    late_answers: int = 0
    # Answers to earlier requests, over Modbus TCP, that nobody waited for, and that were thrown away.
    stale_answers: int = 0
    # Requests that the adapter has sent back before their answers.
    echoes: int = 0
    retries: int = 0
    connects: int = 0
    connection_losses: int = 0
    # Modbus exceptions by their code.
    exceptions: Counter[int] = field(default_factory=Counter)
    # Error frames of a stick by their code.
    stick_errors: Counter[int] = field(default_factory=Counter)
    # What a stick sent that is no answer, by its kind.
    dropped: Counter[Dropped] = field(default_factory=Counter)
    bytes_sent: int = 0
    bytes_received: int = 0
    registers_read: int = 0
    # Seconds between a request and its answer, or the end of waiting for it.
    busy_seconds: float = 0.0
    _spans: deque[tuple[float, float]] = field(default_factory=deque)
    # When the first request was sent.
    _first: float | None = None

    def record(self, unit_id: int, started: float, ended: float, *, answered: bool) -> None:
        """Count a request to a unit that was sent and then answered, or given up, at these times."""
        if (unit := self.units.get(unit_id)) is None:
            unit = self.units[unit_id] = Tally()
        self.total.count(ended - started, answered=answered)
        unit.count(ended - started, answered=answered)
        self.busy_seconds += ended - started
        if self._first is None:
            self._first = started
        self._spans.append((started, ended))
        while self._spans[0][1] < ended - LOAD_WINDOW:
            self._spans.popleft()

    @property
    def bus_load(self) -> float:
        """The share of the last 60 s in which a request was on the line, 0 to 1.

        Until the first request is so old, the share of the time since then, but of 10 s at least.
        """
        now = self.clock()
        if self._first is None:
            return 0.0
        window = min(max(now - self._first, MIN_WINDOW), LOAD_WINDOW)
        begin = now - window
        return sum(max(0.0, end - max(start, begin)) for start, end in self._spans) / window

    def as_dict(self) -> dict[str, object]:
        """Everything, for diagnostics: latencies in milliseconds, the load as a share of 1."""
        return {
            **self.total.as_dict(),
            "timeouts": self.timeouts,
            "desyncs": self.desyncs,
            "late_answers": self.late_answers,
            "stale_answers": self.stale_answers,
            "echoes": self.echoes,
            "retries": self.retries,
            "connects": self.connects,
            "connection_losses": self.connection_losses,
            "exceptions": dict(sorted(self.exceptions.items())),
            "stick_errors": dict(sorted(self.stick_errors.items())),
            "dropped": {kind.value: count for kind, count in sorted(self.dropped.items())},
            "bytes_sent": self.bytes_sent,
            "bytes_received": self.bytes_received,
            "registers_read": self.registers_read,
            "busy_seconds": _rounded(self.busy_seconds),
            "bus_load": _rounded(self.bus_load, 4),
            "units": {unit: tally.as_dict() for unit, tally in sorted(self.units.items())},
        }
