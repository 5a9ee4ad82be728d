"""Which meter answers, judged by the registers that somebody else reads from it and by what is in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import struct
from typing import Final

from ..model.clues import CT_RATIOS
from ..tables import FAMILIES
from .heard import Answers, ConfirmedReadings, Request
from .heard_family import HEARD_FAMILIES, rests_on_ct_ratio

__all__ = ["CT_RATIOS", "HeardMeter", "meters_of"]

_WORDS: Final = struct.Struct(">HH")
_FLOAT: Final = struct.Struct(">f")


@dataclass(frozen=True, slots=True)
class HeardMeter:
    """A unit that another master polls, and what that says about it."""

    unit_id: int
    requests: tuple[Request, ...]
    # The seconds between two answers to the request that is sent most often.
    period: float
    # The key of its family; None when nothing reveals it.
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


def meters_of(heard: ConfirmedReadings) -> tuple[HeardMeter, ...]:
    """The units that were heard, and what that says about each."""
    answers = dict(heard.requests())
    units = sorted({request.unit for request in answers})
    return tuple(_judge(answers, unit) for unit in units)


def _judge(answers: Mapping[Request, Answers], unit_id: int) -> HeardMeter:
    """What the answers to a unit's requests, one at least, say about it."""
    own = {request: heard for request, heard in answers.items() if request.unit == unit_id}
    words = {
        request.address + offset: word
        for request, heard in own.items()
        if heard.confirmed is not None
        for offset, word in enumerate(heard.confirmed.words)
    }
    return HeardMeter(
        unit_id,
        tuple(own),
        min(heard.period for heard in own.values()),
        _family_of(own, words),
        _ct_ratio_in(words),
    )


def _ct_ratio_in(words: Mapping[int, int]) -> int | None:
    """The ratio of the current transformers, where any family has it in what was read."""
    addresses = {FAMILIES[key].clues.ct_ratio_address for key in HEARD_FAMILIES}
    ratios = (words[address] for address in addresses if address is not None and address in words)
    return next((ratio for ratio in ratios if ratio in CT_RATIOS), None)


def _family_of(requests: Iterable[Request], words: Mapping[int, int]) -> str | None:
    """The only family that everything points to; None when nothing does, or not everything to the same."""
    clues = {key: FAMILIES[key].clues for key in HEARD_FAMILIES}
    for key, known in clues.items():
        if any(_touches(request, known.own_registers) for request in requests):
            return key
    numbers = {
        address: _FLOAT.unpack(_WORDS.pack(word, words[address + 1]))[0]
        for address, word in words.items()
        if address + 1 in words
    }
    families = {
        key
        for key, known in clues.items()
        for fingerprint in known.fingerprints
        if (number := numbers.get(fingerprint.address))
        and fingerprint.least <= number <= fingerprint.most
    }
    return families.pop() if len(families) == 1 else None


def _touches(request: Request, ranges: Iterable[tuple[int, int]]) -> bool:
    """Whether any of its registers lies in one of these inclusive ranges."""
    last = request.address + request.count - 1
    return any(request.address <= high and low <= last for low, high in ranges)
