"""Undoing the last change, also of what its owner has set while an order of the battery is in its place."""

from collections.abc import Sequence
from functools import partial

from ..modbus.control.words import Words
from ..modbus.device.device import Change
from ..modbus.device.undo import check_unchanged, values_before
from ..modbus.device.wear import Origin
from ..modbus.device.word_writer import keys_on
from ..modbus.errors import ChangedElsewhereError, UndoError
from ..modbus.schedule.styles import keys_of, style_of
from .machine import Substitute
from .runtime import UnitRuntime
from .writes import async_write, display_name


async def async_undo(unit: UnitRuntime) -> None:
    """Revert the last change of a unit's settings.

    One of the schedule, or of what an order has changed, is reverted in what its owner has set; what an order has put in its
    place stays until it ends.
    """
    changes, substitute = unit.device.last_changes, unit.machine.substitute
    name = display_name(unit, changes[-1].key) if changes else ""
    undo = unit.device.undo
    if changes and substitute is not None and substitute.is_in_force:
        registers, keys = unit.device.family.registers, {change.key for change in changes}
        style = style_of(registers.keys())
        is_schedule = style is not None and keys_of(style, registers.keys()) >= keys
        if is_schedule or keys <= set(keys_on(unit.device.leased, registers)):
            undo = partial(_async_undo_behind, unit, substitute, changes)
    await async_write(unit, name, undo, several=True)


async def _async_undo_behind(
    unit: UnitRuntime, substitute: Substitute, changes: Sequence[Change]
) -> None:
    """Revert changes in the owner's words; raises like `Device.undo`."""
    registers = unit.device.family.registers
    owners = await substitute.async_owners_words()
    try:
        check_unchanged(changes, {one.key: registers[one.key].decode(owners) for one in changes})
        before = values_before(changes)
    except ChangedElsewhereError, UndoError:
        unit.device.forget_change(changes[-1])
        raise
    words = Words(owners, registers)
    for key, value in reversed(before):
        words.put(key, value)
    await substitute.async_become_owners(words.changed, Origin.RESTORE)
    unit.device.forget_change(changes[-1])
