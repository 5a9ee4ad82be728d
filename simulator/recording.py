"""What the machines of a plant have shown over some days, for whoever wants a past to look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from custom_components.hybrid_inverter.modbus.model.codec import as_number
from custom_components.hybrid_inverter.modbus.model.register import Group

from .machine import Machine
from .physics import Site

# Seconds between two values: of powers, which the means of five minutes are made from, and of everything else.
OFTEN: Final = 60
SELDOM: Final = 300
# What is polled as a measurement or a counter.
RECORDED: Final = frozenset({Group.POWER, Group.ENERGY})


class Recording:
    """The numbers that machines show, each minute or each five minutes of the plant, from the next whole hour on."""

    def __init__(self, site: Site, machines: Mapping[int, Machine]) -> None:
        """Record from now on, until it is stopped."""
        self._site = site
        self._machines = machines
        self.began = site.now.replace(minute=0, second=0, microsecond=0)
        if self.began < site.now:
            self.began += timedelta(hours=1)
        self._next = self.began
        self._values: dict[int, dict[str, list[float | None]]] = {
            unit: {key: [] for key in _keys(machine)} for unit, machine in machines.items()
        }
        self._often = {
            unit: [key for key in series if _seconds(machines[unit], key) == OFTEN]
            for unit, series in self._values.items()
        }
        self._watch(0.0)
        site.watchers.append(self._watch)

    def stop(self) -> None:
        """Record no more."""
        self._site.watchers.remove(self._watch)

    def as_dict(self) -> dict[str, Any]:
        """The time of the first values, and by unit id and key the seconds between two values, and the values."""
        return {
            "began": self.began.isoformat(),
            "units": {
                str(unit): {
                    key: {"seconds": _seconds(self._machines[unit], key), "values": values}
                    for key, values in series.items()
                    if any(value is not None for value in values)
                }
                for unit, series in self._values.items()
            },
        }

    def _watch(self, _: float) -> None:
        """Write down what the machines show when it is time."""
        # A step ends with a whole minute, but for one that a midnight of an inverter has cut.
        while self._site.now >= self._next:
            seldom = not (self._next.minute * 60 + self._next.second) % SELDOM
            for unit, series in self._values.items():
                often = self._often[unit]
                shown = self._machines[unit].values(series if seldom else often)
                for key, value in shown.items():
                    series[key].append(as_number(value))
            self._next += timedelta(seconds=OFTEN)


def _keys(machine: Machine) -> Iterable[str]:
    """All measurements and counters of a machine, and what is derived of them."""
    family = machine.family
    return (key for key in (*family.registers, *family.derived) if family.group_of(key) in RECORDED)


def _seconds(machine: Machine, key: str) -> int:
    """How often a value is written down."""
    row = machine.family.registers.get(key) or machine.family.derived[key]
    return OFTEN if row.unit == "W" else SELDOM
