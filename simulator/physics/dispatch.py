"""How an inverter shares its power out: pure arithmetic on watts.

PV and battery are on the DC side, load and grid on the AC side, and each watt that changes sides costs a little.
"""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Final

EFFICIENCY: Final = 0.97


def to_ac(power: float) -> float:
    """The AC watts that DC watts become, or that negative ones cost."""
    return power * EFFICIENCY if power > 0 else power / EFFICIENCY


def to_dc(power: float) -> float:
    """The DC watts that AC watts cost, or that negative ones become."""
    return power / EFFICIENCY if power > 0 else power * EFFICIENCY


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is available, and what is wanted of it; `need`, `most`, `surplus`, `excess`, `least` are AC watts."""

    sunshine: float
    # What the inverter should deliver, and what it may.
    need: float
    most: float
    # What others feed on the AC side and nobody uses, and how much of it may not flow into the grid.
    surplus: float = 0.0
    excess: float = 0.0
    load_first: bool = True
    # What the battery accepts, gives, may sell and how much of that; and what the grid or the generator should put into it.
    room: float
    give: float
    sells_battery: bool = False
    sells: float = math.inf
    charger: float = 0.0
    # So much has to come out, or not more may go in, or the grid gives more than it should; for that the battery
    # gives even so much.
    least: float
    shave: float = 0.0
    rated: float


def share_out(task: Task) -> tuple[float, float]:
    """The PV power that is taken, and the battery's, + discharging."""
    sunshine, room = task.sunshine, task.room
    need, most = to_dc(task.need), to_dc(task.most)
    strongest = task.rated * EFFICIENCY
    # PV comes before what others feed in, but for what has to go somewhere.
    absorbed = min(task.excess * EFFICIENCY, strongest, room)
    left = room - absorbed
    if task.load_first:
        to_load = min(sunshine, need)
        charge = min(sunshine - to_load, left)
    else:
        charge = min(sunshine, left)
        to_load = min(sunshine - charge, need)
    # What nobody takes is not produced.
    sold = max(0.0, min(sunshine - to_load - charge, most - to_load))
    used = to_load + charge + sold
    if not (task.sells_battery and task.give > 0):
        # Who sells from the battery does not buy for it what others sell.
        offered = (task.surplus - task.excess) * EFFICIENCY
        absorbed += min(offered, strongest - absorbed, left - charge)
    stored = charge + absorbed
    if task.charger > 0:
        battery = -min(max(stored, task.charger), room, used + strongest)
    elif stored > 0:
        battery = -stored
    else:
        gap = need - used
        if task.sells_battery:
            gap = min(most - used, need + to_dc(task.sells))
        battery = min(max(0.0, gap), task.give)
    return _shaved(task, used, battery)


def _shaved(task: Task, used: float, battery: float) -> tuple[float, float]:
    """Both powers so that the grid gives no more than it should, as far as sun and battery suffice."""
    least = min(to_dc(task.least), task.rated / EFFICIENCY)
    if used + battery >= least:
        return used, battery
    battery = max(battery, min(least - task.sunshine, task.shave))
    return min(task.sunshine, max(used, least - battery)), battery
