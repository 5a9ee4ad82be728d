"""What an order becomes on a device: the words that it is to hold meanwhile, and what its owner is told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ..model.codec import Values
from ..model.register import Register
from .order import ControlMode, Order


class EndsBy(StrEnum):
    """Who ends what flows."""

    INVERTER = "inverter"
    HOME_ASSISTANT = "home_assistant"


class Recurs(StrEnum):
    """When the device does it again while nobody puts its settings back."""

    NO = "no"
    DAILY = "daily"
    WEEKLY = "weekly"


class AfterEnd(StrEnum):
    """How the device goes on after the end while nobody puts its settings back."""

    # As its owner has set it.
    AUTO = "auto"
    # The battery is held.
    HELD = "held"
    # Otherwise than before.
    CHANGED = "changed"


class Why(StrEnum):
    """Why less becomes of an order than was asked for."""

    # The owner's own floor or ceiling.
    LOW_SOC = "low_soc"
    HIGH_SOC = "high_soc"
    # What the device, or a limit that its owner has set, allows.
    DEVICE_LIMIT = "device_limit"
    # A discharge that may not be sold, or an export limit that is in force.
    EXPORT = "export"
    # The option Maximum import.
    IMPORT = "import"
    # Too many edges for the table of the device: those farthest ahead are left out.
    TABLE_FULL = "table_full"
    # What the device gives follows the load.
    LOAD = "load"
    # The sun fills the battery first.
    SUN = "sun"
    # What the battery's management system allows, for example in the cold.
    BATTERY = "battery"


@dataclass(frozen=True, slots=True)
class Limited:
    """Something that is less than was asked for, and what it is instead if that is a number."""

    why: Why
    value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the owner of an order is told."""

    mode: ControlMode
    # Watts, and percent; None where they mean nothing.
    power: float | None = None
    target_soc: float | None = None
    # In UTC: the end as the device keeps it, which is earlier than what was asked for only where a slot has to keep an edge.
    until: datetime
    ends_by: EndsBy
    recurs: Recurs = Recurs.NO
    after_end: AfterEnd = AfterEnd.AUTO
    # The settings that only Home Assistant puts back.
    stays: tuple[str, ...] = ()
    limited: tuple[Limited, ...] = ()
    target_reached: bool = False
    # The percent down to which a battery is emptied that is held by a reserve; None where it gives nothing.
    held_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a device is to hold while orders are in force; empty for none."""

    # By address: what differs from what the owner has set, and what the order rests on beside it.
    after: Mapping[int, int] = field(default_factory=dict)
    # Those of them that are the order itself: whoever changes one has taken over. A change of any other one becomes the
    # owner's own setting.
    ours: frozenset[int] = frozenset()
    # For each order, in the order in which they were given.
    told: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known when a plan is made. Watts, volts, percent."""

    # By key, with the words of the owner put in, and whatever else was read.
    values: Values
    # By address: what the owner has set, of all that `ControlStyle.reads` names.
    image: Mapping[int, int]
    registers: Mapping[str, Register]
    now: datetime
    # What the clock of the device shows now, without a time zone.
    clock: datetime | None
    rated_power: float
    soc: float | None
    load_power: float | None = None
    # Whether its owner allows to sell from the battery.
    may_sell: bool = False
    # What may come from the grid at most, by its owner, and the highest load of the last hour.
    max_import: float | None = None
    highest_load: float | None = None
    # Whether something at the house connection is measured.
    sees_grid: bool = True
    # Whether the device has ignored the first way to hold its battery.
    hold_ignored: bool = False


class ControlStyle(Protocol):
    """How some families are controlled. It only plans."""

    @property
    def reads(self) -> frozenset[str]:
        """The settings that have to be read before a plan is made, and whose words `Situation.image` has."""
        ...

    @property
    def optional(self) -> frozenset[str]:
        """Further ones that only some devices have."""
        ...

    @property
    def writes(self) -> frozenset[str]:
        """The only settings that a plan may change."""
        ...

    @property
    def modes(self) -> frozenset[ControlMode]:
        """What the family can do."""
        ...

    def plan(self, orders: Sequence[Order], situation: Situation) -> Plan:
        """What the device is to hold for these orders, at most one of the battery and one export limit.

        ControlRefusedError when it cannot carry one out.
        """
        ...

    def requests(
        self,
        target: Mapping[int, int],
        restored: Collection[int],
        registers: Mapping[str, Register],
        held: Mapping[int, int],
    ) -> list[dict[int, int]]:
        """The write requests, in order, that give words to these addresses; `restored` are those that leave an order.

        `held` is what the device holds now, at these addresses at least.

        What leaves an order begins with its mode, what enters one ends with it, so that a device which is left in the
        middle does no harm. Each request is a run of addresses that the device takes at once.
        """
        ...

    def absorbed(
        self,
        plan: Plan,
        before: Mapping[int, int],
        found: Mapping[int, int],
        situation: Situation,
    ) -> dict[int, int] | None:
        """The owner's words after somebody has changed the device while a plan is in force.

        `found` is what it holds now at the addresses that differ from the plan. None when that is a change of the order
        itself: somebody has taken over.
        """
        ...

    def given_back(
        self,
        before: Mapping[int, int],
        put_there: Sequence[Mapping[int, int]],
        held: Mapping[int, int],
        registers: Mapping[str, Register],
    ) -> dict[int, int]:
        """What the device is to hold when orders are over, at all addresses of `before`, which has the owner's words.

        `put_there` are the words that orders have put there: one state of them, or two between which a change was broken
        off. What somebody else has set meanwhile is theirs, and stays.
        """
        ...

    def mode_of(self, situation: Situation) -> ControlMode | None:
        """Which order the words in `situation.image` are now, whoever has given it; None for none."""
        ...
