"""Which of the two meters answers, or which look-alike: by what it measures, as its settings may hold anything.

The makers of inverters sell meters of the same housing with registers of their own. Of one that Huawei sells, the
DTSU666-FE, no registers are known, so that it is not recognised.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Final

from ...model.codec import FLOAT32
from ...model.recognition import OtherDevice, Recognition, Words

THREE_PHASE: Final = "dtsu666"
SINGLE_PHASE: Final = "ddsu666"

# Both serve these; the single-phase meter has volts at the first, the other one tenths of a volt between two phases.
FIRST: Final = 0x2000
FIRST_WORDS: Final = 8
# Tenths of a volt of the first phase.
PHASE_VOLTAGE_PLACE: Final = 6
THREE_PHASE_FREQUENCY: Final = 0x2044
SINGLE_PHASE_FREQUENCY: Final = 0x200E
SETTINGS: Final = 0
KEYPAD_CODE: Final = 701
HUAWEI_VOLTAGE: Final = 2110
SUNGROW_CODE: Final = 0x5000

ECHO: Final = OtherDevice("echoing_meter")
HUAWEI: Final = OtherDevice("huawei_meter")
SUNGROW: Final = OtherDevice("sungrow_meter")
UNKNOWN: Final = OtherDevice("unknown_meter", certain=False)

# Asks like a recognition, and returns which family it is.
type _Search = Generator[tuple[int, int], Words, str | OtherDevice | None]


def _single(words: Words, place: int = 0) -> float:
    """The single at a place of these words; 0 where there is none."""
    return (words and FLOAT32.decode(words[place : place + 2])) or 0.0


def _search() -> _Search:
    """Find out which of the meters it is."""
    words = yield FIRST, FIRST_WORDS
    if words is None:
        return (yield from _look_alike())
    if list(words) == list(range(FIRST, FIRST + FIRST_WORDS)):
        return ECHO
    first, phase = _single(words), _single(words, PHASE_VOLTAGE_PLACE)
    if 80 <= first <= 350:
        return SINGLE_PHASE
    if 1500 <= first <= 6000 or 800 <= phase <= 3500:
        return THREE_PHASE
    # Without a voltage that tells: where is a frequency? What is one there is a current of the three-phase meter.
    if 4000 <= _single((yield THREE_PHASE_FREQUENCY, 2)) <= 7000:
        return THREE_PHASE
    if 40 <= _single((yield SINGLE_PHASE_FREQUENCY, 2)) <= 70:
        return SINGLE_PHASE
    # Something that measures nothing at all may be known by its settings, as long as the keypad code is the usual one.
    settings = yield SETTINGS, 4
    if settings is not None and first == phase == 0:
        if settings[1] == KEYPAD_CODE and settings[3] in (0, 1):
            return THREE_PHASE
        if settings[0] == KEYPAD_CODE:
            return SINGLE_PHASE
    return (yield from _look_alike()) or UNKNOWN


def _look_alike() -> _Search:
    """Find out whether it is a meter of another maker's that looks the same."""
    if 80 <= _single((yield HUAWEI_VOLTAGE, 2)) <= 350:
        return HUAWEI
    if (yield SUNGROW_CODE, 1) == [0x20D5]:
        return SUNGROW
    return None


def is_meter(family: str) -> Callable[[], Recognition]:
    """Recognise one of the two meters."""

    def recognise() -> Recognition:
        found = yield from _search()
        return True if found == family else found if isinstance(found, OtherDevice) else None

    return recognise
