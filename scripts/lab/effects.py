"""Cause and effect: a situation, a change through Home Assistant, and the flows that have to follow from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# What is laid down of a machine and its house; the fields of the simulator's /steer.
type Situation = Mapping[str, Any]
# Watts by the sensor that shows them, without "_power": + import, + out of the battery, + into the house.
type Flows = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One change, and what it does; watts are worked out by hand from the manual's rule and the situation."""

    # The page of the manual, and what it says in a few words.
    name: str
    # What is changed, by its canonical key, and to what.
    key: str
    value: Any
    before: Flows
    after: Flows
    # What differs from the bench's own situation and settings.
    situation: Situation = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    # What differed before that, where it matters how things came to be.
    earlier: Situation = field(default_factory=dict)
    # Seconds that are let pass after the change: a generator has to warm up.
    later: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A machine of its own on which cases are tried one after the other."""

    title: str
    model: str
    serial: str
    # A register that every poll of the powers reads.
    polled: int
    # What holds in all its cases, but for what a case says.
    situation: Situation
    settings: Mapping[str, Any]
    cases: Sequence[Case]
    # What somebody has set at its display before it is added: the mode that brings the controls of the first cases.
    display: Mapping[str, Any] = field(default_factory=dict)
