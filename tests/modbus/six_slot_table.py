"""A machine with six slots on paper: its words, a moment on its clock, and orders for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from custom_components.hybrid_inverter.modbus.control.order import ControlMode, Order
from custom_components.hybrid_inverter.modbus.control.plan import Plan, Situation, Told
from custom_components.hybrid_inverter.modbus.control.six_slots import CONTROL_BY_SLOTS
from custom_components.hybrid_inverter.modbus.tables.jso import JSO

# Where the table lies.
TABLE: Final = range(148, 178)

type Slot = tuple[int, int, int, int, int]

# Start, W, hundredths of a volt, %, flags: all six used. One charges from the grid, one has a bit that nobody knows,
# one charges from the generator, and one has a voltage that was never filled.
SIX: Final[list[Slot]] = [
    (100, 5000, 4900, 80, 1),
    (500, 5000, 4900, 40, 0),
    (900, 8000, 4950, 35, 4),
    (1300, 8000, 5000, 35, 2),
    (1700, 6000, 5000, 50, 0),
    (2100, 6000, 0xFFFF, 60, 0),
]
# Two used: of the starts at midnight the last one counts.
TWO: Final[list[Slot]] = [
    (0, 8000, 4900, 20, 1),
    (0, 8000, 4900, 20, 1),
    (0, 8000, 4900, 20, 1),
    (0, 8000, 4900, 20, 1),
    (0, 5000, 4900, 40, 0),
    (1700, 3000, 5000, 50, 0),
]
ALL_DAYS: Final = 0x00FF
NO_DAYS: Final = 0x0001

# Of a lithium battery: 98, 108, 111, 117, 128, 130, 142, 143, 145, 146.
SETTINGS: Final = {
    98: 1,
    108: 115,
    111: 1,
    117: 35,
    128: 100,
    130: 0,
    142: 2,
    143: 6000,
    145: 1,
    146: ALL_DAYS,
}
# A Sunday, while the clock on the wall is two hours ahead of UTC.
NOW: Final = datetime(2026, 6, 21, 16, 0, tzinfo=UTC)
CLOCK: Final = datetime(2026, 6, 21, 18, 0)  # noqa: DTZ001 - the device knows no zone


def image(slots: Sequence[Slot], **settings: int) -> dict[int, int]:
    """The words of a machine with these slots; settings by address, as `a130=1`."""
    words = dict(SETTINGS)
    for number, slot in enumerate(slots):
        words |= {148 + 6 * field + number: word for field, word in enumerate(slot)}
    return words | {int(key[1:]): word for key, word in settings.items()}


def slots_of(words: Mapping[int, int]) -> list[Slot]:
    """The six slots in these words."""
    return [
        (
            words[148 + number],
            words[154 + number],
            words[160 + number],
            words[166 + number],
            words[172 + number],
        )
        for number in range(6)
    ]


def changed(words: Mapping[int, int], plan: Plan) -> dict[int, int]:
    """What a plan changes."""
    return {address: word for address, word in plan.after.items() if word != words[address]}


def situation(words: Mapping[int, int], **known: Any) -> Situation:
    """What is known of the machine: 60 % at 50 V, its house takes 1500 W."""
    values = {
        **{key: JSO.registers[key].decode(words) for key in CONTROL_BY_SLOTS.reads},
        "battery_voltage": 50.0,
        "status": "normal",
        **known.pop("values", {}),
    }
    return Situation(
        **{
            "values": values,
            "image": words,
            "registers": JSO.registers,
            "now": NOW,
            "clock": CLOCK,
            "rated_power": 8000,
            "soc": 60,
            "load_power": 1500,
            **known,
        }
    )


def order(mode: ControlMode, minutes: float = 60, **wishes: Any) -> Order:
    """An order from now on."""
    return Order(mode=mode, start=NOW, until=NOW + timedelta(minutes=minutes), **wishes)


@dataclass(frozen=True, slots=True)
class PlanForTable:
    """A plan, and the words for which it was made."""

    words: Mapping[int, int]
    plan: Plan

    @property
    def slots(self) -> list[Slot]:
        """The slots with the plan in force."""
        return slots_of({**self.words, **self.plan.after})

    @property
    def changed(self) -> dict[int, int]:
        """What it changes."""
        return changed(self.words, self.plan)

    @property
    def beside(self) -> dict[int, int]:
        """What it changes beside the table."""
        return {address: word for address, word in self.changed.items() if address not in TABLE}

    @property
    def told(self) -> Sequence[Told]:
        """What is told of its orders."""
        return self.plan.told

    @property
    def after(self) -> Mapping[int, int]:
        """All words that it looks after."""
        return self.plan.after

    @property
    def ours(self) -> Collection[int]:
        """The addresses at which somebody else takes over."""
        return self.plan.ours


def planned(words: Mapping[int, int], *orders: Order, **known: Any) -> PlanForTable:
    """The plan for these orders."""
    return PlanForTable(words, CONTROL_BY_SLOTS.plan(orders, situation(words, **known)))
