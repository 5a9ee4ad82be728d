"""The days of the week, and the combinations of them that have a name."""

from collections.abc import Mapping
from typing import Final

from ..model.codec import Value

# In the order of datetime.weekday().
DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
EVERY_DAY: Final = frozenset(range(len(DAYS)))

CUSTOM: Final = "custom"
# Monday is 0, as in `datetime.weekday`.
DAYS_OF: Final[Mapping[str, frozenset[int]]] = {
    "every_day": EVERY_DAY,
    "weekdays": frozenset(range(5)),
    "weekend": frozenset({5, 6}),
    **{day: frozenset({number}) for number, day in enumerate(DAYS)},
}


def days_named(days: Value | None) -> str | None:
    """Name of a set of days; `custom` for one without a name, None when the days are not known."""
    if not isinstance(days, frozenset):
        return None
    return next((name for name, named in DAYS_OF.items() if named == days), CUSTOM)


def day_names(days: frozenset[int]) -> list[str]:
    """Names of single days, from Monday on."""
    return [DAYS[day] for day in sorted(days)]
