"""The codecs of clocks and times of day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, datetime, time
from typing import Final

from .codec import Value

# Midnight as the end of a day, which the display of a machine may offer beside 00:00: the same time on the clock, and
# later than all others of the day.
END_OF_DAY: Final = time(fold=1)


@dataclass(frozen=True, slots=True)
class Hhmm:
    """A time of day as the decimal number hour * 100 + minute, up to 2400."""

    def decode(self, words: Sequence[int]) -> time | None:
        """The time; None for a number that is no time of day."""
        hour, minute = divmod(words[0], 100)
        if (hour, minute) == (24, 0):
            return END_OF_DAY
        return time(hour, minute) if hour < 24 and minute < 60 else None

    def encode(self, value: Value) -> list[int]:
        """The word of a time with whole minutes."""
        hour, minute = _hour_and_minute(value)
        return [hour * 100 + minute]


@dataclass(frozen=True, slots=True)
class ByteTime:
    """A time of day as two bytes: the hour, the minute."""

    def decode(self, words: Sequence[int]) -> time | None:
        """The time; None for a word that is no time of day, 24:00 included."""
        hour, minute = words[0].to_bytes(2)
        return time(hour, minute) if hour < 24 and minute < 60 else None

    def encode(self, value: Value) -> list[int]:
        """The word of a time with whole minutes."""
        hour, minute = _hour_and_minute(value)
        return [hour << 8 | minute]


@dataclass(frozen=True, slots=True)
class ClockTime:
    """Date and time in three words of bytes: year - 2000, month; day, hour; minute, second. Local, no zone."""

    first_year: int = 2020

    def decode(self, words: Sequence[int]) -> datetime | None:
        """The time; None when it is no date, or from before the device can have been built."""
        year, month, day, hour, minute, second = b"".join(word.to_bytes(2) for word in words)
        if 2000 + year < self.first_year:
            return None
        try:
            return datetime(2000 + year, month, day, hour, minute, second)  # noqa: DTZ001 - the device knows no zone
        except ValueError:
            return None

    def encode(self, value: Value) -> list[int]:
        """The words of a local time with whole seconds."""
        moment = _local_time(value, self.first_year, 2255)
        return [
            moment.year - 2000 << 8 | moment.month,
            moment.day << 8 | moment.hour,
            moment.minute << 8 | moment.second,
        ]


@dataclass(frozen=True, slots=True)
class WideClockTime:
    """Date and time in four words: the year; month, day; hour, minute; second, nothing. Local, no zone."""

    first_year: int = 2020

    def decode(self, words: Sequence[int]) -> datetime | None:
        """The time; None when it is no date, or from before the device can have been built."""
        year, *others = words
        month, day, hour, minute, second, _ = b"".join(word.to_bytes(2) for word in others)
        if year < self.first_year:
            return None
        try:
            return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the device knows no zone
        except ValueError:
            return None

    def encode(self, value: Value) -> list[int]:
        """The words of a local time with whole seconds."""
        moment = _local_time(value, self.first_year)
        return [
            moment.year,
            moment.month << 8 | moment.day,
            moment.hour << 8 | moment.minute,
            moment.second << 8,
        ]


@dataclass(frozen=True, slots=True)
class WordClockTime:
    """Date and time in a word each: second, minute, hour, day, month, year, of which the century may be left out."""

    first_year: int = 2000

    def decode(self, words: Sequence[int]) -> datetime | None:
        """The time; None when it is no date, or from before the device can have been built."""
        second, minute, hour, day, month, year = words
        year += 2000 if year < 100 else 0
        try:
            moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the device knows no zone
        except ValueError:
            return None
        return moment if year >= self.first_year else None

    def encode(self, value: Value) -> list[int]:
        """The words of a local time with whole seconds, the century among them."""
        moment = _local_time(value, self.first_year)
        return [moment.second, moment.minute, moment.hour, moment.day, moment.month, moment.year]


def _local_time(value: Value, first_year: int, last_year: int = MAXYEAR) -> datetime:
    """A local time with whole seconds that a clock counts from its first to its last year; ValueError for anything else."""
    if not isinstance(value, datetime) or value.tzinfo or value.microsecond:
        raise ValueError("is not a local time with whole seconds")
    if not first_year <= value.year <= last_year:
        raise ValueError("is outside the years that the clock counts")
    return value


def _hour_and_minute(value: Value) -> tuple[int, int]:
    """What a time of day with whole minutes is made of; ValueError for anything else."""
    if not isinstance(value, time):
        raise ValueError("is not a time of day")
    if value.second or value.microsecond or value.tzinfo:
        raise ValueError("has more than hours and minutes")
    return (24, 0) if value.fold else (value.hour, value.minute)
