"""What battery control costs on a line of 9600 baud: an order in force, the time to its first write, and to its proof.

A byte takes ten bits. A read is 8 bytes there and 5 and two for each register back; a write of one register 8 and 8, of
the thirty of a table 69 and 8. What the device needs of time is counted as what is waited for.
"""

from typing import Any, Final

import freezegun
from homeassistant.core import HomeAssistant
import pytest

from custom_components.hybrid_inverter.control.setup import driver_of
from custom_components.hybrid_inverter.modbus.tables import FAMILIES

from .helpers import unit_of
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
    pytest.mark.usefixtures("socket_enabled", "quick_saj"),
]


@pytest.fixture(autouse=True)
async def _loop_goes_on(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the event loop's own time pass; in Berlin."""
    monkeypatch.setattr(hass.loop, "time", freezegun.api.real_monotonic)
    await hass.config.async_set_time_zone("Europe/Berlin")


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
        driver = driver_of(hass, unit_of(house.entry))
        assert driver is not None
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


# Requests before the first write, registers in them, and what the families need of time: seconds between two requests,
# between two writes, and to settle.
@pytest.mark.parametrize(
    ("model", "asked", "writes", "to_first", "confirmed"),
    [
        # 78 and 180 bytes, and six times 0.05 s; then writes of 16, 77, 16 and 16 bytes, a second, and 81 registers back.
        (JSO, [(62, 3), (98, 80), (500, 1), (587, 4), (625, 1), (653, 1)], 4, 0.57, 2.1),
        # 78 and 258 bytes, and six times 0.2 s; then eight writes a second apart, 0.3 s, and 92 registers back in two reads.
        (
            SAJ,
            [(0x3604, 44), (0x3630, 49), (0x4000, 4), (0x4004, 1), (0x4069, 7), (0x4096, 24)],
            8,
            1.55,
            9.6,
        ),
    ],
)
async def test_the_longest_order_is_soon_on_the_wire_and_soon_confirmed(
    hass: HomeAssistant,
    model: str,
    asked: list[tuple[int, int]],
    writes: int,
    to_first: float,
    confirmed: float,
) -> None:
    """At most four seconds on a JSO, ten on a SAJ, with the families' own times; it settles once after all writes."""
    family = AT_WORK[model]
    async with house_with(hass, model, options={"may_sell_from_battery": True}) as house:
        await hass.async_block_till_done(wait_background_tasks=True)
        machine = house.machine
        reads = len(machine.reads)
        await act(hass, "control_battery", house.serial, duration=60, **ORDERS["at the grid"])
        read = [(one.address, one.count) for one in list(machine.reads)[reads:]]
        assert read[: len(asked)] == asked
        back = read[len(asked) :]
        assert len(machine.writes) == writes
        first = sum(13 + 2 * count for _, count in asked) * BYTE + len(asked) * family.spacing
        assert first == pytest.approx(to_first, abs=0.01)
        whole = (
            on_the_line(house, reads, 0)
            + len(asked + back) * family.spacing
            + (writes - 1) * max(family.write_spacing, family.spacing)
            + family.settle
        )
        assert whole == pytest.approx(confirmed, abs=0.02)
