"""What the row of a value says about how a person meets it, in words of the device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .condition import Condition
from .part import Kind, Part


@dataclass(frozen=True, slots=True)
class Name:
    """The key of a text, and the numbers or phases that are put into it."""

    key: str
    placeholders: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Named:
    """A key, with a name that it shares with others that differ only in a number or a phase."""

    key: str
    name: Name

    def followed_by(self, word: str) -> Named:
        """The same with one word more."""
        return Named(f"{self.key}_{word}", replace(self.name, key=f"{self.name.key}_{word}"))


def numbered(pattern: str, number: int, noun: str = "") -> Named:
    """`tou_slot_{}_power` of slot 3, named `tou_slot_power`; a noun in place of the number makes another name."""
    stem = pattern.format(noun) if noun else pattern.replace("_{}", "").replace("{}", "")
    return Named(pattern.format(number), Name(stem, {"number": str(number)}))


def of_phase(pattern: str, phase: str) -> Named:
    """`grid_{}_power` of the phase `l2`, named `grid_phase_power`."""
    return Named(pattern.format(phase), Name(pattern.format("phase"), {"phase": phase.upper()}))


def named(key: str | Named) -> Named:
    """The key with its name, which is its own where it shares none."""
    return key if isinstance(key, Named) else Named(key, Name(key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """A value of a device: where it belongs, and when a person sees it."""

    key: str
    # None: it is used inside only, and no person sees it.
    part: Part | None = None
    # Whether it is shown at first; a person can enable what is not.
    shown: bool = False
    # Whether it is for finding out what is wrong, rather than for everyday use.
    diagnostic: bool = False
    # Whether a person changes it in everyday life, so that whoever picks the whole device means it, too.
    primary: bool = False
    # The conditions under which the device uses it; all of them have to be met.
    when: tuple[Condition, ...] = ()
    # Whether the conditions are newer than the value: who uses it already keeps it, whatever they say.
    kept: bool = False
    kind: Kind | None = None
    # None: the key is its name.
    name: Name | None = None
    # Whether the name of a meter's value says what flows through the meter.
    named_by_role: bool = False
