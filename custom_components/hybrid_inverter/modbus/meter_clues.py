"""Which meter answers, judged by the registers that somebody else asks it for and by what is in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import struct
from typing import Final

from .heard import Answers, Heard, Request
from .heard_family import HEARD_FAMILIES, rests_on_ct_ratio
from .tables.chint.recognition import SINGLE_PHASE, THREE_PHASE

# Registers that only the three-phase meter has: energies and primary values, and what lies behind the single-phase
# meter's frequency and its reserved registers.
THREE_PHASE_ONLY: Final = ((0x1000, 0x1FFF), (0x2012, 0x2051))
# Where it tells the ratio of its current transformers, and what that can be.
CT_RATIO: Final = 0x0006
CT_RATIOS: Final = range(1, 10000)

_WORDS: Final = struct.Struct(">HH")
_FLOAT: Final = struct.Struct(">f")


@dataclass(frozen=True, slots=True)
class Clue:
    """What a number in a register, other than zero, says about the meter, from the least to the most it may be."""

    address: int
    least: float
    most: float
    family: str


# Three-phase: line voltages, then phase voltages, in tenths of a volt. Single-phase: V, A, kW, kvar, kVA, power factor.
CLUES: Final = (
    *(Clue(address, 1500, 6000, THREE_PHASE) for address in (0x2000, 0x2002, 0x2004)),
    *(Clue(address, 800, 3500, THREE_PHASE) for address in (0x2006, 0x2008, 0x200A)),
    Clue(0x2000, 80, 350, SINGLE_PHASE),
    *(Clue(address, -100, 100, SINGLE_PHASE) for address in (0x2002, 0x2004, 0x2006, 0x2008)),
    Clue(0x200A, -1.01, 1.01, SINGLE_PHASE),
)


@dataclass(frozen=True, slots=True)
class HeardMeter:
    """A unit that somebody polls, and what that says about it."""

    unit_id: int
    requests: tuple[Request, ...]
    # The seconds between two answers to the request that is sent most often.
    period: float
    # The key of its family; None when nothing tells it.
    family: str | None
    # What was heard of the ratio of its current transformers.
    ct_ratio: int | None

    @property
    def lacks_ct_ratio(self) -> bool:
        """Whether values were heard that mean nothing without the ratio of the current transformers."""
        families = HEARD_FAMILIES if self.family is None else (self.family,)
        return self.ct_ratio is None and any(
            rests_on_ct_ratio(family, self.requests) for family in families
        )


def meters_of(heard: Heard) -> tuple[HeardMeter, ...]:
    """Return the units that were heard, and what that says about each."""
    answers = dict(heard.requests())
    units = sorted({request.unit for request in answers})
    return tuple(_judge(answers, unit) for unit in units)


def _judge(answers: Mapping[Request, Answers], unit_id: int) -> HeardMeter:
    """Return what the answers to a unit's requests, one at least, say about it."""
    own = {request: heard for request, heard in answers.items() if request.unit == unit_id}
    words = {
        request.address + offset: word
        for request, heard in own.items()
        if heard.believed is not None
        for offset, word in enumerate(heard.believed.words)
    }
    ratio = words.get(CT_RATIO)
    return HeardMeter(
        unit_id,
        tuple(own),
        min(heard.period for heard in own.values()),
        _family_of(own, words),
        ratio if ratio in CT_RATIOS else None,
    )


def _family_of(requests: Iterable[Request], words: Mapping[int, int]) -> str | None:
    """Return the only family that everything points to; None when nothing does, or not everything to the same."""
    if any(_touches(request, THREE_PHASE_ONLY) for request in requests):
        return THREE_PHASE
    numbers = {
        address: _FLOAT.unpack(_WORDS.pack(word, words[address + 1]))[0]
        for address, word in words.items()
        if address + 1 in words
    }
    families = {
        clue.family
        for clue in CLUES
        if (number := numbers.get(clue.address)) and clue.least <= number <= clue.most
    }
    return families.pop() if len(families) == 1 else None


def _touches(request: Request, ranges: Iterable[tuple[int, int]]) -> bool:
    """Whether any of its registers lies in one of these inclusive ranges."""
    last = request.address + request.count - 1
    return any(request.address <= high and low <= last for low, high in ranges)
