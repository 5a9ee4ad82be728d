"""What battery control costs on a line of 9600 baud: an order in force, the time to its first write, and to its proof.

A byte takes ten bits. A read is 8 bytes there and 5 and two for each register back; a write of one register 8 and 8, of
the thirty of a table 69 and 8. What the device needs of time is counted as what is waited for.
"""

from dataclasses import dataclass
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest

from custom_components.hybrid_inverter.modbus.tables import FAMILIES

from .helpers import driver_in
from .ordered import JSO, SAJ, House, house_with
from .test_control_actions import act

MORNING: Final = "2026-06-21 08:01:00+00:00"
# Seconds of a byte.
BYTE: Final = 10 / 9600
# The families with the times that they really need.
AT_WORK: Final = {JSO: FAMILIES["jso"], SAJ: FAMILIES["saj"]}
# Seconds in thirty on the line that an order in force may cost.
RUNNING: Final = {JSO: 0.15, SAJ: 0.3}

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("socket_enabled", "quick_saj", "in_berlin"),
]


ORDERS: Final[dict[str, dict[str, Any]]] = {
    "hold": {"mode": "hold"},
    "charge": {"mode": "charge", "power": 3000, "target_soc": 80},
    "at the grid": {"mode": "discharge", "power": 2000, "at": "grid", "target_soc": 40},
    "no charge": {"mode": "no_charge"},
}
# The reads of a look at an order: first register, and how many.
LOOKS: Final[dict[tuple[str, str], list[tuple[int, int]]]] = {
    (JSO, "hold"): [(146, 32), (62, 3)],
    (JSO, "charge"): [(128, 50), (62, 3)],
    (JSO, "at the grid"): [(142, 36), (62, 3)],
    (JSO, "no charge"): [(108, 1), (62, 3)],
    (SAJ, "hold"): [(0x3644, 4), (0x4000, 4)],
    (SAJ, "charge"): [(0x3604, 23), (0x3646, 2), (0x4000, 4)],
    (SAJ, "at the grid"): [(0x3604, 44), (0x3644, 29), (0x4000, 4)],
    (SAJ, "no charge"): [(0x3604, 44), (0x3647, 26), (0x4000, 4)],
}


def on_the_line(house: House, reads: int, writes: int) -> float:
    """Seconds that the line has carried what has arrived since there were so many reads and writes."""
    machine = house.machine
    read = sum(13 + 2 * one.count for one in list(machine.reads)[reads:])
    written = sum(
        16 if len(one.values) == 1 else 17 + 2 * len(one.values) for one in machine.writes[writes:]
    )
    return (read + written) * BYTE


@pytest.mark.parametrize(("model", "name"), LOOKS, ids=lambda part: part.replace(" ", "_"))
async def test_an_order_in_force_costs_next_to_nothing(
    hass: HomeAssistant, model: str, name: str
) -> None:
    """Every thirty seconds its own words are read, and the clock; the longest takes 113 + 19 bytes of a JSO."""
    async with house_with(hass, model, options={"may_sell_from_battery": True}) as house:
        await act(hass, "control_battery", house.serial, duration=60, **ORDERS[name])
        await hass.async_block_till_done(wait_background_tasks=True)
        driver = driver_in(house.entry)
        reads, writes = len(house.machine.reads), len(house.machine.writes)
        await driver.keeper.async_compare()
        looked = [(one.address, one.count) for one in list(house.machine.reads)[reads:]]
        assert looked == LOOKS[model, name]
        assert on_the_line(house, reads, writes) <= RUNNING[model]
        # Only what somebody else has changed is looked at as a whole.
        reads = len(house.machine.reads)
        house.machine.panel_set("battery_low_soc" if model == JSO else "backup_reserve_soc", 40)
        await driver.keeper.async_compare()
        assert len(house.machine.reads) - reads == len(LOOKS[model, name])


@dataclass(frozen=True, kw_only=True)
class Start:
    """What the longest order costs until its first write, and until it is confirmed."""

    # Reads before it: first register, and how many.
    asked: list[tuple[int, int]]
    # Seconds.
    first: float
    confirmed: float


# The settings, which are always read, and the clock.
SETTINGS_READ: Final = {
    JSO: [(62, 3), (98, 80), (336, 1)],
    SAJ: [(0x3604, 44), (0x3630, 49), (0x4000, 4)],
}
WRITES: Final = {JSO: 4, SAJ: 8}
STARTS: Final[dict[tuple[str, float], Start]] = {
    # Of the powers, the state of charge and the status the last poll counts. 207 bytes, and three times 0.05 s; then writes
    # of 16, 77, 16 and 16 bytes 0.05 s apart, a second, and 81 registers back.
    (JSO, 29): Start(asked=SETTINGS_READ[JSO], first=0.37, confirmed=1.88),
    # 39 and 194 bytes, and three times 0.2 s; then eight writes a second apart, 0.3 s, and 92 registers back in two reads.
    (SAJ, 29): Start(asked=SETTINGS_READ[SAJ], first=0.84, confirmed=8.89),
    # What is older is read: 297 bytes, and seven times 0.05 s.
    (JSO, 31): Start(
        asked=[*SETTINGS_READ[JSO], (500, 1), (587, 4), (616, 10), (650, 4)],
        first=0.66,
        confirmed=2.17,
    ),
    # 78 and 258 bytes, and six times 0.2 s.
    (SAJ, 31): Start(
        asked=[*SETTINGS_READ[SAJ], (0x4004, 1), (0x4069, 7), (0x4096, 24)],
        first=1.55,
        confirmed=9.6,
    ),
}


@pytest.mark.parametrize(("model", "age"), STARTS, ids=str)
async def test_the_longest_order_is_soon_on_the_wire_and_soon_confirmed(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, model: str, age: float
) -> None:
    """At most one second after the call while polls go on, with the families' own times; it settles once after all writes."""
    family, start = AT_WORK[model], STARTS[model, age]
    async with house_with(hass, model, options={"may_sell_from_battery": True}) as house:
        await hass.async_block_till_done(wait_background_tasks=True)
        machine = house.machine
        reads = len(machine.reads)
        # Nothing is polled while nobody tells the timers.
        freezer.tick(age)
        await act(hass, "control_battery", house.serial, duration=60, **ORDERS["at the grid"])
        read = [(one.address, one.count) for one in list(machine.reads)[reads:]]
        asked, back = read[: len(start.asked)], read[len(start.asked) :]
        assert asked == start.asked
        assert len(machine.writes) == WRITES[model]
        first = sum(13 + 2 * count for _, count in asked) * BYTE + len(asked) * family.spacing
        assert first == pytest.approx(start.first, abs=0.01)
        whole = (
            on_the_line(house, reads, 0)
            + len(asked + back) * family.spacing
            + (len(machine.writes) - 1) * max(family.write_spacing, family.spacing)
            + family.settle
        )
        assert whole == pytest.approx(start.confirmed, abs=0.02)
