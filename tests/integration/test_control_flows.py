"""What flows, what is written and how often, for each mode on both kinds of slots: dark, in the sun, in the cold, in an outage.

What the battery and the house exchange goes through 97 %: 1500 W of the house are 1546 W of the battery, and of 6000 W
from the roof 4454 W are left for it, or 4320 W for the grid.
"""

from typing import Any, Final

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from simulator.cause import cause

from .ordered import JSO, MORNING, SAJ, house_with
from .test_control_actions import act

pytestmark = [
    pytest.mark.freeze_time(MORNING),
    pytest.mark.usefixtures("socket_enabled", "quick_saj", "in_berlin"),
]


ORDERS: Final[dict[str, dict[str, Any]]] = {
    "hold": {"mode": "hold"},
    "charge": {"mode": "charge", "power": 3000, "target_soc": 80},
    "discharge": {"mode": "discharge", "power": 3000, "target_soc": 40},
    "into the house": {"mode": "discharge", "power": 3000, "target_soc": 40},
    "at the grid": {"mode": "discharge", "power": 2000, "at": "grid", "target_soc": 40},
    "no charge": {"mode": "no_charge"},
    "idle": {"mode": "idle"},
    "no export": {"power": 0},
    "less export": {"power": 2000},
}
# What is around the inverter, one after the other.
SITUATIONS: Final[dict[str, dict[str, Any]]] = {
    "dark": {},
    "sun": {"sun": 6000},
    "full": {"sun": 6000, "soc": 100},
    "cold": {"sun": 0, "soc": 60, "room": -5},
}
# In an outage the battery serves the backup output, whatever was ordered.
OUTAGE: Final = (1546, 0)

# Watts of battery and grid in these situations, without and with what is throttled of the roof.
FLOWS: Final[dict[tuple[str, str], tuple[tuple[int, int, int], ...]]] = {
    # Only the sun charges; of a full battery nothing goes in or out, and the sun is sold.
    (JSO, "hold"): ((0, 1500, 0), (-4454, 0, 6000), (0, -4320, 6000), (0, 1500, 0)),
    # 58 A at 52.6 V. More than that comes from the sun; in the cold the battery takes nothing, and is held.
    (JSO, "charge"): ((-3051, 4645, 0), (-4454, 0, 6000), (0, -4320, 6000), (0, 1500, 0)),
    # 2910 W behind the inverter. The sun goes into the battery first; as long as it is full, 8000 W come out together.
    (JSO, "discharge"): (
        *((3000, -1410, 0), (-4454, 0, 6000)),
        *((2247, -6500, 6000), (3000, -1410, 0)),
    ),
    (JSO, "into the house"): ((1546, 0, 0), (-4454, 0, 6000), (0, -4320, 6000), (1546, 0, 0)),
    # 3500 W behind the inverter, whoever gives them.
    (JSO, "at the grid"): (
        *((3608, -2000, 0), (-4454, 0, 6000)),
        *((0, -2000, 3608), (3608, -2000, 0)),
    ),
    (JSO, "no charge"): ((1546, 0, 0), (0, -4320, 6000), (0, -4320, 6000), (1546, 0, 0)),
    # 20 W are always drawn.
    (JSO, "no export"): ((1526, 20, 0), (-4474, 20, 6000), (0, 20, 1526), (1526, 20, 0)),
    (JSO, "less export"): ((1546, 0, 0), (-4454, 0, 6000), (0, -2000, 3608), (1546, 0, 0)),
    (SAJ, "hold"): ((0, 1500, 0), (-4454, 0, 6000), (0, -4320, 6000), (0, 1500, 0)),
    # Half the rated power, through 97 %; 25 A at 212.4 V of sun, and the house has the rest.
    (SAJ, "charge"): ((-3000, 4593, 0), (-5310, 831, 6000), (0, -4320, 6000), (0, 1500, 0)),
    # 25 % beside the house; with the sun 6000 W come out together.
    (SAJ, "discharge"): (
        *((3093, -1500, 0), (186, -4500, 6000)),
        *((186, -4500, 6000), (3093, -1500, 0)),
    ),
    (SAJ, "into the house"): ((1546, 0, 0), (0, -4320, 6000), (0, -4320, 6000), (1546, 0, 0)),
    # 33 % of 6000 W, and never more than 333 thousandths.
    (SAJ, "at the grid"): (
        *((3588, -1980, 0), (0, -1998, 3606)),
        *((0, -1998, 3606), (3588, -1980, 0)),
    ),
    (SAJ, "no charge"): ((1546, 0, 0), (0, -4320, 6000), (0, -4320, 6000), (1546, 0, 0)),
    (SAJ, "idle"): ((0, 1500, 0), (0, -4320, 6000), (0, -4320, 6000), (0, 1500, 0)),
    (SAJ, "no export"): ((1546, 0, 0), (-4454, 0, 6000), (0, 0, 1546), (1546, 0, 0)),
    (SAJ, "less export"): ((1546, 0, 0), (-4454, 0, 6000), (0, -1998, 3606), (1546, 0, 0)),
}

STARTS: Final = (100, 500, 1000, 1105, 1500, 1800)
WATTS: Final = (5000,) * 6
VOLTS: Final = (4900, 5020, 5140, 5140, 4710, 4900)
# While it sells first, the night goes on with what the evening has, and every other slot holds.
SELLING: Final = (
    (500, 800, 1000, 1105, 1500, 1800),
    (5020, 5090, 5140, 5140, 4710, 4900),
    (100, 100, 40, 100, 100, 100),
)
NO_FLAGS: Final = (0,) * 6
# The switch of the table, and Sunday.
SUNDAY: Final = (146, (0x81,))

# Address and words of each request, in order.
SENT: Final[dict[tuple[str, str], list[tuple[int, tuple[int, ...]]]]] = {
    (JSO, "hold"): [
        (148, (*STARTS, *WATTS, *VOLTS, 80, 40, 100, 40, 40, 35, 1, 0, 0, 0, 0, 0)),
    ],
    # 3000 W are 58.2 A at the 51.54 V that there are before it.
    (JSO, "charge"): [
        (128, (58,)),
        (
            148,
            (
                *(*STARTS, 5000, 5000, 3000, 5000, 5000, 5000, *VOLTS),
                *(80, 40, 80, 40, 40, 35, 0, 0, 1, 0, 0, 0),
            ),
        ),
        SUNDAY,
        (130, (1,)),
    ],
    (JSO, "discharge"): [
        (
            148,
            (
                *(*SELLING[0], 5000, 5000, 3000, 5000, 5000, 5000),
                *(*SELLING[1], *SELLING[2], *NO_FLAGS),
            ),
        ),
        SUNDAY,
        (142, (0,)),
    ],
    (JSO, "into the house"): [
        (
            148,
            (
                *(*STARTS, 5000, 5000, 3000, 5000, 5000, 5000, *VOLTS),
                *(80, 40, 40, 40, 40, 35, 1, 0, 0, 0, 0, 0),
            ),
        ),
        SUNDAY,
    ],
    (JSO, "at the grid"): [
        (143, (2000,)),
        (
            148,
            (
                *(*SELLING[0], 5000, 5000, 8000, 5000, 5000, 5000),
                *(*SELLING[1], *SELLING[2], *NO_FLAGS),
            ),
        ),
        SUNDAY,
        (142, (0,)),
    ],
    (JSO, "no charge"): [(108, (0,))],
    (JSO, "no export"): [(145, (0,))],
    (JSO, "less export"): [(143, (2000,))],
    (SAJ, "hold"): [(0x3644, (100,))],
    # The ceiling; 10:01 to 11:01 on Sundays with 50 % in the seventh slot, its switch, the mode.
    (SAJ, "charge"): [
        *((0x3646, (80,)), (0x3619, (0x0B01,)), (0x3618, (0x0A01,)), (0x361A, (0x4032,))),
        *((0x3604, (0x40,)), (0x3647, (1,))),
    ],
    # The floor, and the slots that discharge; 25 %.
    (SAJ, "discharge"): [
        *((0x3644, (40,)), (0x362E, (0x0B01,)), (0x362D, (0x0A01,)), (0x362F, (0x4019,))),
        *((0x3660, (1,)), (0x3605, (0x40,)), (0x3647, (1,))),
    ],
    (SAJ, "into the house"): [
        *((0x3644, (40,)), (0x362E, (0x0B01,)), (0x362D, (0x0A01,)), (0x362F, (0x4032,))),
        *((0x3605, (0x40,)), (0x3647, (1,))),
    ],
    (SAJ, "at the grid"): [
        *((0x3644, (40,)), (0x3650, (333,))),
        *((0x362E, (0x0B01,)), (0x362D, (0x0A01,)), (0x362F, (0x4021,))),
        *((0x3660, (1,)), (0x3605, (0x40,)), (0x3647, (1,))),
    ],
    (SAJ, "no charge"): [
        *((0x362E, (0x0B01,)), (0x362D, (0x0A01,)), (0x362F, (0x4064,))),
        *((0x3605, (0x40,)), (0x3647, (1,))),
    ],
    (SAJ, "idle"): [(0x3647, (3,))],
    (SAJ, "no export"): [(0x365C, (1,)), (0x365A, (0,))],
    (SAJ, "less export"): [(0x365C, (1,)), (0x365A, (333,))],
}


@pytest.mark.parametrize(("model", "name"), FLOWS, ids=lambda part: part.replace(" ", "_"))
async def test_all_that_flows_and_is_written(
    hass: HomeAssistant, hass_admin_user: MockUser, model: str, name: str
) -> None:
    """An order is given once, whatever comes after it; its end takes as many requests, and all is as it was."""
    options = {"may_sell_from_battery": name != "into the house"}
    async with house_with(hass, model, options=options) as house:
        first, last = (108, 177) if model == JSO else (0x3600, 0x3668)
        before = house.words(first, last)
        is_limit = "export" in name
        action = "limit_export" if is_limit else "control_battery"
        told = await act(hass, action, house.serial, duration=60, **ORDERS[name])
        assert house.sent == SENT[model, name]
        assert told["writes"] == len(SENT[model, name])
        for (situation, around), (battery, grid, pv) in zip(
            SITUATIONS.items(), FLOWS[model, name], strict=True
        ):
            house.steer(**around)
            # Of three phases each is rounded.
            assert house.flows() == pytest.approx((battery, grid), abs=2), situation
            assert house.pv == pytest.approx(pv, abs=1), situation
        cause(house.plant, {"outage": True})
        house.plant.advance(1)
        assert house.flows() == OUTAGE
        assert house.sent == SENT[model, name]
        cause(house.plant, {"outage": False})
        if is_limit:
            await act(hass, "limit_export", house.serial)
        else:
            await act(hass, "release_battery", house.serial, user=hass_admin_user)
        assert len(house.sent) == 2 * len(SENT[model, name])
        assert house.words(first, last) == before
