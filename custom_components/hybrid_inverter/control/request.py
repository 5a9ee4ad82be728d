"""What is asked for of a keeper, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonValueType

from ..modbus.control.lease import Lease
from ..modbus.control.order import ControlMode, PowerAt
from ..modbus.control.plan import Told

AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """An order as somebody gives it; `until` in UTC."""

    mode: ControlMode
    until: datetime
    owner: str
    of_person: bool
    # Watts, percent, and the kilowatt-hours from now on that the percent were made of.
    power: float | None = None
    at: PowerAt = PowerAt.BATTERY
    target_soc: float | None = None
    energy: float | None = None
    # Whether it only changes its owner's order in force, and is nothing without that.
    is_change: bool = False
    # Whether an order of another owner gives way.
    replaces: bool = True
    dry_run: bool = False

    @property
    def is_export_limit(self) -> bool:
        """Whether it is about the grid, and not about the battery."""
        return self.mode is ControlMode.EXPORT_LIMIT


def request_of(lease: Lease) -> OrderRequest:
    """An order in force as somebody would give it again, until its end."""
    order = lease.order
    return OrderRequest(
        mode=order.mode,
        until=order.until,
        owner=lease.owner,
        of_person=lease.of_person,
        power=order.power,
        at=order.at,
        target_soc=order.target_soc,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a change of the orders does to a device."""

    told: tuple[Told, ...]
    # The write requests, and each word that differs: its address, what it was and what it will be.
    requests: int
    words: Mapping[int, tuple[int, int]]
    # How often the register that was written most may be written today after that; None when none is touched.
    left_today: int | None

    def response(self, told: Told | None) -> dict[str, JsonValueType]:
        """What an action returns about one order; None for a release."""
        return {
            **({"mode": AUTO} if told is None else told_response(told)),
            "writes": self.requests,
            "registers": [
                {"register": address, "before": before, "after": after}
                for address, (before, after) in sorted(self.words.items())
            ],
            "left_today": self.left_today,
        }


# What became of the device where there was nothing to change.
NO_CHANGE: Final = Change(told=(), requests=0, words={}, left_today=None)


def told_response(told: Told) -> dict[str, JsonValueType]:
    """What is told of an order, in a response and in attributes."""
    return {
        "mode": told.mode.value,
        "power": None if told.power is None else round(told.power),
        "target_soc": told.target_soc,
        "until": dt_util.as_local(told.until).isoformat(timespec="seconds"),
        "ends_by": told.ends_by.value,
        "recurs": told.recurs.value,
        "after_end": told.after_end.value,
        "stays": list(told.stays),
        "limited": [
            {"why": one.why.value, **({} if one.value is None else {"value": one.value})}
            for one in told.limited
        ],
        "target_reached": told.target_reached,
    }


class ControlEventType(StrEnum):
    """What happens to orders."""

    STARTED = "started"
    EXTENDED = "extended"
    CHANGED = "changed"
    TARGET_REACHED = "target_reached"
    ENDED = "ended"
    RELEASED = "released"
    OVERRIDDEN = "overridden"
    NOT_FOLLOWED = "not_followed"
    FAILED = "failed"
    RESTORED_AT_START = "restored_at_start"
    ADOPTED_AT_START = "adopted_at_start"


@dataclass(frozen=True, slots=True)
class ControlEvent:
    """Something that has happened to an order, with what is told of it."""

    type: ControlEventType
    attributes: Mapping[str, Any]
    # Whether the same was told of another order already: what ends two orders has happened once.
    is_repeated: bool = False


def event_type_of(present: Lease | None, lease: Lease) -> ControlEventType:
    """What an order is to the one that was in force before."""
    if present is None or (present.owner, present.order.mode) != (lease.owner, lease.order.mode):
        return ControlEventType.STARTED
    old, new = present.order, lease.order
    same = (old.power, old.at, old.target_soc) == (new.power, new.at, new.target_soc)
    return ControlEventType.EXTENDED if same else ControlEventType.CHANGED
