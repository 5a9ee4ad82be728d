"""Cards of Home Assistant as plain data, and what they say."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

type Card = dict[str, Any]

# The name of the entity alone, where the heading says whose it is.
ENTITY_NAME: Final[Mapping[str, str]] = {"type": "entity"}
FULL: Final[Mapping[str, Any]] = {"columns": "full"}
TREND: Final[Mapping[str, Any]] = {"type": "trend-graph", "hours_to_show": 24}


class Texts(Protocol):
    """The texts of the dashboard, in Home Assistant's language."""

    def __call__(self, key: str, **placeholders: object) -> str:
        """A text by its key in the translations."""
        ...


def section(*cards: Card | None, span: int = 1) -> Card | None:
    """Cards below each other, without those that are None; None if only headings are left."""
    there = [card for card in cards if card is not None]
    if all(card["type"] == "heading" for card in there):
        return None
    wide = {"column_span": span} if span > 1 else {}
    return {"type": "grid", **wide, "cards": there}


def view(title: str, path: str, icon: str, sections: Iterable[Card | None]) -> Card | None:
    """A page of sections; None when there is nothing on it."""
    if not (there := [one for one in sections if one is not None]):
        return None
    return {
        "title": title,
        "path": path,
        "icon": icon,
        "type": "sections",
        "max_columns": 3,
        "sections": there,
    }


def heading(text: str, icon: str | None = None, *, small: bool = False) -> Card:
    """A title above cards, or a small one within a section."""
    return {
        "type": "heading",
        "heading": text,
        **({"icon": icon} if icon else {}),
        **({"heading_style": "subtitle"} if small else {}),
    }


def tile(
    entity: str,
    name: object = ENTITY_NAME,
    *,
    feature: Mapping[str, Any] | None = None,
    wide: bool = False,
    **more: Any,
) -> Card:
    """One entity, with something to look at or to change it by."""
    return {
        "type": "tile",
        "entity": entity,
        "name": _plain(name),
        **more,
        **({"features": [_plain(feature)]} if feature else {}),
        **({"grid_options": _plain(FULL)} if wide else {}),
    }


def gauge(entity: str, name: str, *, yellow: int, green: int) -> Card:
    """A share in percent; nothing while it is unknown."""
    return {
        "type": "gauge",
        "entity": entity,
        "name": name,
        "visibility": [{"condition": "numeric_state", "entity": entity, "above": -1}],
        "needle": True,
        "severity": {"red": 0, "yellow": yellow, "green": green},
        "grid_options": {"columns": 6},
    }


def rows(entities: Iterable[str]) -> Card | None:
    """Entities with their values, one in a row; None without any."""
    if not (there := list(entities)):
        return None
    return {
        "type": "entities",
        "grid_options": _plain(FULL),
        "entities": [{"entity": entity, "name": _plain(ENTITY_NAME)} for entity in there],
    }


def history(title: str, entities: Iterable[tuple[str, str]]) -> Card | None:
    """The last day of entities with names; None without any."""
    if not (there := list(entities)):
        return None
    return {
        "type": "history-graph",
        "title": title,
        "hours_to_show": 24,
        "grid_options": _plain(FULL),
        "entities": [{"entity": entity, "name": name} for entity, name in there],
    }


def statistics(
    title: str, entities: Iterable[tuple[str, str]], *, kinds: list[str], chart: str = "line"
) -> Card | None:
    """The hours of the last day of entities with names; None without any."""
    if not (there := list(entities)):
        return None
    return {
        "type": "statistics-graph",
        "title": title,
        "chart_type": chart,
        "period": "hour",
        "days_to_show": 1,
        "stat_types": kinds,
        "grid_options": _plain(FULL),
        "entities": [{"entity": entity, "name": name} for entity, name in there],
    }


def _plain(value: object) -> object:
    """A copy that nobody else holds, and that YAML can be made of."""
    return dict(value) if isinstance(value, Mapping) else value
