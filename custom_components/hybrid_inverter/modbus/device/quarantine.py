"""What a device has turned out not to serve: asked for apart from the rest, and then left alone for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import logging
from typing import Final

from ..errors import DeviceError, RejectedError
from ..model.register import Register
from .image import RegisterImage, Span, addresses_of

_LOGGER = logging.getLogger(__name__)

# How many failures in a row are needed before something is left alone.
STRIKES: Final = 3
# For how many seconds: what the device has served before, and what it never has.
REST: Final = 10 * 60.0
LONG_REST: Final = 24 * 60 * 60.0
# The seconds after a failure until it is asked for again; set-up polls one group right after the other.
PAUSE: Final = 1.0


@dataclass(slots=True, eq=False)
class Suspect:
    """Spans that were read together in vain, and are read apart from all others until it is known why."""

    spans: Sequence[Span]
    # Whether the device has served all of them before.
    known: bool
    # How often in a row they were read in vain.
    strikes: int = 0
    # Whether the device refused them; otherwise nobody answered.
    refused: bool = False
    # The time of the event loop at which they are read again.
    due: float = 0.0

    @property
    def parts(self) -> tuple[Sequence[Span], ...]:
        """What to read one after the other: all of them, or after two reads in vain their halves."""
        if len(self.spans) == 1 or self.strikes < 2:
            return (self.spans,)
        middle = len(self.spans) // 2
        return (self.spans[:middle], self.spans[middle:])

    @property
    def is_found(self) -> bool:
        """Whether it is known that the device does not serve them."""
        return len(self.spans) == 1 and self.strikes >= STRIKES


@dataclass(slots=True)
class _Bar:
    """Something that no read may do, and until when: at first until the next poll, so that it is tried again."""

    # Whether the device has done it before.
    known: bool
    strikes: int = 0
    until: float = 0.0
    in_force: bool = False

    def strike(self) -> None:
        """Take note that it has failed once more."""
        self.strikes += 1
        self.in_force = True
        if self.strikes >= STRIKES:
            self.until = _now() + (REST if self.known else LONG_REST)


class Quarantine:
    """The registers that a device does not serve, and the reads that are more than it takes."""

    def __init__(self, image: RegisterImage) -> None:
        """What the device has served before is in the image."""
        self._image = image
        # Rises with every change: other reads may be the best then.
        self.revision = 0
        self._suspects: list[Suspect] = []
        # The addresses of all suspects.
        self.addresses: frozenset[int] = frozenset()
        # The first addresses that no read may reach across, from lower ones.
        self._borders: dict[int, _Bar] = {}
        self._too_long: _Bar | None = None
        # Whether there is anything that a read must not do, or must not do once more; and be long.
        self.limits_reads = False
        self.is_short = False
        # What has been logged is not logged again after each retry.
        self._logged: set[int] = set()
        self._logged_too_long = False

    # ------------------------------------------------------------------ registers

    @property
    def quarantined(self) -> set[int]:
        """The addresses that are known not to be served."""
        return addresses_of(
            span for suspect in self._suspects if suspect.is_found for span in suspect.spans
        )

    def separates(self, register: Register) -> bool:
        """Whether a register is not read with the others."""
        return not self.addresses.isdisjoint(register.read_from)

    def lacks(self, register: Register) -> bool:
        """Whether the device is taken not to have a register; what it has is missing while it is not read."""
        # Two of three signs are enough: one refusal may be false, and a device may be silent for a while.
        return any(
            (suspect.refused, not suspect.known, suspect.is_found).count(True) >= 2
            for suspect in self._suspects_of(register)
        )

    def was_never_served(self, register: Register) -> bool:
        """Whether it is known that the device has never served a register, and does not."""
        return any(
            suspect.is_found and not suspect.known for suspect in self._suspects_of(register)
        )

    def due(self) -> list[Suspect]:
        """The suspects that are to be read again; those that may be served come first."""
        now = _now()
        return sorted(
            (suspect for suspect in self._suspects if suspect.due <= now),
            key=lambda suspect: suspect.strikes,
        )

    def add_unanswered(
        self, spans: Sequence[Span], error: DeviceError, *, at_once: bool = False
    ) -> None:
        """Suspect spans that were read together without an answer; they may be read again at once."""
        suspect = Suspect(spans, self._image.was_read(spans[0][0], spans[-1][1]))
        self._suspects.append(suspect)
        self._strike(suspect, error)
        if at_once:
            suspect.due = 0.0

    def add_refused(self, refusals: Mapping[Span, RejectedError]) -> None:
        """Suspect these spans, each of which the device refuses by itself."""
        for span, refusal in refusals.items():
            suspect = next((one for one in self._suspects if one.spans == (span,)), None)
            if suspect is None:
                suspect = Suspect((span,), self._image.was_read(*span))
                self._suspects.append(suspect)
            self._strike(suspect, refusal)

    def narrow(self, suspect: Suspect, part: int, error: DeviceError) -> None:
        """Suspect the spans of this part once more; those before it were answered, those behind it not yet read."""
        parts = suspect.parts
        self._suspects += [Suspect(spans, suspect.known, 1) for spans in parts[part + 1 :]]
        suspect.spans = tuple(parts[part])
        self._strike(suspect, error)

    def release(self, suspect: Suspect) -> None:
        """Read these spans with all others again."""
        self._suspects.remove(suspect)
        self._suspects_changed()

    def _suspects_of(self, register: Register) -> list[Suspect]:
        """The suspects that hold an address of a register."""
        if not self.separates(register):
            return []
        return [
            suspect
            for suspect in self._suspects
            if not addresses_of(suspect.spans).isdisjoint(register.read_from)
        ]

    def _strike(self, suspect: Suspect, error: DeviceError) -> None:
        """Count one more failure in a row; the last one that is needed is logged."""
        suspect.refused = isinstance(error, RejectedError) and error.is_refusal
        suspect.strikes += 1
        rest = error.rest if isinstance(error, RejectedError) else None
        if rest is not None:
            # Whoever says for how long has no doubts.
            suspect.strikes = max(suspect.strikes, STRIKES)
        elif suspect.is_found:
            rest = REST if suspect.known else LONG_REST
        suspect.due = _now() + (PAUSE if rest is None else rest)
        addresses = addresses_of(suspect.spans)
        if suspect.is_found and not addresses <= self._logged:
            _LOGGER.info("Registers %s to %s are not served (%s)", *suspect.spans[0], error)
            self._logged |= addresses
        self._suspects_changed()

    def _suspects_changed(self) -> None:
        """Take note that the reads have to be planned again."""
        self.addresses = frozenset(
            addresses_of(span for suspect in self._suspects for span in suspect.spans)
        )
        self.revision += 1

    # ------------------------------------------------------------------ reads that are too much

    @property
    def borders(self) -> list[int]:
        """The addresses before which every read ends, in order."""
        return sorted(start for start, bar in self._borders.items() if bar.in_force)

    def add_border(self, start: int) -> None:
        """Let no read reach across the border before an address: its two sides were answered, but not together."""
        bar = self._borders.setdefault(start, _Bar(self._image.was_read(start - 1, start)))
        bar.strike()
        self._bars_changed()

    def add_too_long(self, longest: int) -> None:
        """Let no read be longer than this: long ones are not answered, and short ones are."""
        if self._too_long is None:
            self._too_long = _Bar(known=False)
        if not self._logged_too_long:
            self._logged_too_long = True
            _LOGGER.info("Reads of more than %s registers are too long for the device", longest)
        self._too_long.strike()
        # Many reads are long, and to ask for all of them in vain once more takes long.
        self._too_long.until = max(self._too_long.until, _now() + REST)
        self._bars_changed()

    def acquit(self, first: int, last: int, *, is_long: bool) -> None:
        """Lift what is refuted by this read, which was answered."""
        refuted = [start for start in self._borders if first < start <= last]
        for start in refuted:
            del self._borders[start]
        if is_long and self._too_long is not None:
            self._too_long = None
        elif not refuted:
            return
        self._bars_changed()

    def release_due(self) -> None:
        """Lift what has been in force for long enough; when it fails once more, it is in force again."""
        now = _now()
        due = [bar for bar in self._bars if bar.in_force and bar.until <= now]
        for bar in due:
            bar.in_force = False
        if due:
            self._bars_changed()

    @property
    def _bars(self) -> list[_Bar]:
        return [*self._borders.values(), *([self._too_long] if self._too_long else [])]

    def _bars_changed(self) -> None:
        """Take note that the reads may have to be planned again."""
        self.limits_reads = bool(self._bars)
        self.is_short = self._too_long is not None and self._too_long.in_force
        self.revision += 1


def _now() -> float:
    """The time of the event loop, in seconds."""
    return asyncio.get_running_loop().time()
