"""Values of settings in JSON, which knows neither times of day nor sets."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from .codec import Value


def to_json(value: Value | None) -> Any:
    """A value as it is stored: as itself, or under the name of the type that JSON does not know."""
    match value:
        case datetime():
            return {"datetime": value.isoformat()}
        case time():
            return {"time": value.isoformat()}
        case frozenset():
            return {"set": sorted(value)}
        case _:
            return value


def from_json(stored: Any) -> Value | None:
    """The value that was stored; ValueError for what `to_json` does not return."""
    match stored:
        case None | bool() | int() | float() | str():
            return stored
        case {"datetime": str(text)}:
            return datetime.fromisoformat(text)
        case {"time": str(text)}:
            return time.fromisoformat(text)
        case {"set": [*members]} if all(isinstance(one, int) for one in members):
            return frozenset(members)
        case _:
            raise ValueError("not the value of a setting")
