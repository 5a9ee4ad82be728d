"""What is in force at an inverter: by its orders, by the words that it holds, and by somebody else."""

from dataclasses import replace

from ..modbus.control.order import ControlMode
from ..modbus.control.plan import Situation
from ..modbus.control.styles import settings_of
from ..runtime.clock import local_time
from .facts import NOTHING_ALLOWED, nothing_ordered, situation_with
from .keeper import Keeper
from .request import AUTO


def mode_in_force(keeper: Keeper) -> str | None:
    """The name of what an inverter does with its battery: an order, or what its owner has set.

    An order is in force while the inverter holds its words; otherwise its words alone count, whoever has put them there.
    None while they are not known, and while somebody else runs it in a way that has no name here.
    """
    lease = keeper.lease()
    if lease is not None and holds_order(keeper):
        return lease.order.mode.value
    if (situation := situation_now(keeper)) is None or _is_run_by_maker(keeper, situation):
        return None
    mode = keeper.style.mode_of(situation)
    if mode not in (None, ControlMode.EXPORT_LIMIT):
        return mode.value
    return None if _is_run_from_outside(keeper, situation) else AUTO


def holds_order(keeper: Keeper) -> bool:
    """Whether an inverter holds all that the orders in force have put there, by what was last read."""
    held = keeper.machine.device.image
    return all(held.get(address, word) == word for address, word in keeper.memory.after.items())


def situation_now(keeper: Keeper) -> Situation | None:
    """What is known now, with the words as they are; None while not all settings were read.

    A clock that was not read yet is taken to show the local time, as the schedule does.
    """
    machine, style, device = keeper.machine, keeper.style, keeper.machine.device
    # The device decodes only what has changed, and this is asked for every minute.
    settings = device.snapshot(settings_of(style, device.family.registers.keys())).values
    if not style.reads <= settings.keys():
        return None
    # What somebody may be allowed plays no part in what the words are.
    lease = nothing_ordered(machine, NOTHING_ALLOWED)
    situation = situation_with(settings, machine, device.image, lease)
    return situation if situation.clock else replace(situation, clock=local_time())


def _is_run_by_maker(keeper: Keeper, situation: Situation) -> bool:
    """Whether a setting that decides over the battery holds what nobody may choose, as a mode of the maker's app."""
    for key in keeper.style.reads & keeper.style.writes:
        value = situation.values.get(key)
        # Only a choice holds a name, or nothing that has one; to look which it offers takes its time.
        if value is None or isinstance(value, str):
            options = situation.registers[key].options
            if options and value not in options:
                return True
    return False


def _is_run_from_outside(keeper: Keeper, situation: Situation) -> bool:
    """Whether it is in a mode in which some program has to run it."""
    return any(
        residue.run_from_here and situation.values.get(residue.key) == residue.value
        for residue in keeper.machine.device.family.residues
    )
