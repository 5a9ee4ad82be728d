"""What the manuals show, let a person set, or demand: one item each, with the keys of the values behind it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a page of the manual shows, lets a person set, or demands."""

    name: str
    # The canonical keys of the values behind it.
    keys: tuple[str, ...] = ()
    # A key of REASONS.
    reason: str | None = None
    # What a person should know about it, in one sentence.
    note: str = ""
    # The code whose repair instructions stand in its place.
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the manual, or of the display."""

    section: str
    title: str
    items: tuple[Item, ...]
    # What to say before the table.
    intro: str = ""


def at(name: str, *keys: str, note: str = "") -> Item:
    """Return an item that is in Home Assistant."""
    return Item(name, keys, note=note)


def no(name: str, reason: str, *keys: str) -> Item:
    """Return an item that cannot be set from Home Assistant; the keys are those of what is known of it."""
    return Item(name, keys, reason)


def fault(code: str, meaning: str) -> Item:
    """Return a code of the fault table."""
    return Item(f"{code}: {meaning}", ("fault",), code=code)
