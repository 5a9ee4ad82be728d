"""What is kept of the machines of an entry over a restart of Home Assistant, each kind of thing in a file of its own."""

from collections.abc import Mapping, Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey
import voluptuous as vol

from ..const import DOMAIN
from ..modbus.control.lease import (
    AFTER,
    BEFORE as WORDS_BEFORE,
    ENDING,
    FORMER,
    LEASES,
    LeaseMemory,
)
from ..modbus.control.order import ControlMode, PowerAt
from ..modbus.device.journal import EARLIER, STEPS, Journal
from ..modbus.device.undo import ChangeLog
from ..modbus.device.wear import WearBudget
from ..modbus.model.residue import BEFORE, IN_FORCE, OURS, SET_AT, ResidueMemory
from ..modbus.model.stored_value import from_json
from .json_store import JsonStore

# Seconds from the first write to a machine that is not saved yet to saving it.
WEAR_DELAY: Final = 30
# The same for the changes that can be undone, which are worth more after a crash.
CHANGES_DELAY: Final = 1

# What is kept of a machine, in each file; what a later version has added is passed over.
WEAR: Final = vol.Schema(
    {
        vol.Required("day"): vol.All(str, date.fromisoformat),
        vol.Required("registers"): vol.Schema({vol.All(str, vol.Coerce(int)): int}),
        vol.Required("settings"): {str: int},
        vol.Required("total"): int,
    },
    extra=vol.ALLOW_EXTRA,
)
RESIDUES: Final = vol.Schema(
    {
        str: {
            vol.Required(BEFORE): {str: [int]},
            vol.Required(IN_FORCE): bool,
            vol.Optional(OURS): {str: [[int]]},
            vol.Optional(SET_AT): {str: vol.Any(int, float)},
        }
    },
    extra=vol.ALLOW_EXTRA,
)
FAULTS: Final = vol.Schema(
    {
        vol.Optional("codes"): {str: [str]},
        vol.Optional("outage"): vol.Any(
            None, {vol.Required("start"): str, vol.Required("end"): vol.Any(None, str)}
        ),
    },
    extra=vol.ALLOW_EXTRA,
)
CHANGES: Final = vol.Schema(
    [
        {
            "when": vol.All(str, datetime.fromisoformat),
            "key": str,
            "before": from_json,
            "after": from_json,
            "group": vol.Any(None, int),
            "in_order": bool,
        }
    ],
    required=True,
    extra=vol.ALLOW_EXTRA,
)
CHANGE: Final = [{vol.Required("before"): {str: [int]}, vol.Required("after"): {str: [int]}}]
JOURNALS: Final = vol.Schema(
    {vol.Optional(STEPS): CHANGE, vol.Optional(EARLIER): [CHANGE]},
    extra=vol.ALLOW_EXTRA,
)
NUMBER: Final = vol.Any(int, float)
WORDS: Final = vol.Schema({vol.All(str, vol.Coerce(int)): int})
LEASE: Final = {
    "mode": vol.Coerce(ControlMode),
    "start": vol.All(str, datetime.fromisoformat),
    "until": vol.All(str, datetime.fromisoformat),
    "power": vol.Any(None, NUMBER),
    "at": vol.Coerce(PowerAt),
    "target_soc": vol.Any(None, NUMBER),
    "owner": str,
    "of_person": bool,
    "facts": {str: NUMBER},
    vol.Optional("is_released"): bool,
}
ORDERS: Final = vol.Schema(
    {
        vol.Optional(LEASES): [LEASE],
        vol.Optional(ENDING): [LEASE],
        vol.Optional(WORDS_BEFORE): WORDS,
        vol.Optional(AFTER): WORDS,
        vol.Optional(FORMER): WORDS,
    },
    required=True,
    extra=vol.ALLOW_EXTRA,
)


# What is put back also where the orders themselves cannot be read, as those of a later version.
WORDS_OF_ORDERS: Final = frozenset({WORDS_BEFORE, AFTER, FORMER})


@dataclass(frozen=True, slots=True)
class RunningModes:
    """The memory of a machine's modes for as long as Home Assistant runs, however often its entry is loaded."""

    stored: dict[str, Any]
    # The names of those that were entered since the start.
    running: set[str] = field(default_factory=set)


# By serial number.
RUNNING_MODES: Final = HassKey[dict[str, RunningModes]](f"{DOMAIN}_running_modes")


class MachineStores:
    """What is kept of the machines of an entry, by serial number: their writes, settings to restore, changes and faults."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        self._running_modes = hass.data.setdefault(RUNNING_MODES, {})
        self._wear = JsonStore(hass, f"{entry_id}.wear")
        # Whoever is told that something is stored there relies on it.
        self._residues = JsonStore(hass, f"{entry_id}.residues", durable=True)
        self._journals = JsonStore(hass, f"{entry_id}.interrupted", durable=True)
        self._orders = JsonStore(hass, f"{entry_id}.control", durable=True)
        self._changes = JsonStore(hass, f"{entry_id}.changes")
        self._faults = JsonStore(hass, f"faults.{entry_id}")
        self._loaded_wear: dict[str, Any] = {}
        self._budgets: dict[str, WearBudget] = {}
        self._loaded_changes: dict[str, Any] = {}
        self._change_logs: dict[str, ChangeLog] = {}
        self._kept_residues: dict[str, dict[str, Any]] = {}
        self._kept_journals: dict[str, dict[str, Any]] = {}
        self._kept_orders: dict[str, dict[str, Any]] = {}
        self._kept_faults: dict[str, dict[str, Any]] = {}

    async def async_load(self) -> None:
        """Read the files; each is there once there was something to keep."""
        self._loaded_wear = await self._wear.async_load_parts(WEAR)
        self._kept_residues = await self._residues.async_load_parts(RESIDUES)
        self._kept_journals = await self._journals.async_load_parts(JOURNALS)
        self._kept_orders = await self._orders.async_load_parts(
            ORDERS, most_important=WORDS_OF_ORDERS
        )
        self._loaded_changes = await self._changes.async_load_parts(CHANGES)
        self._kept_faults = await self._faults.async_load_parts(FAULTS)

    async def async_contents(self) -> dict[str, dict[str, Any]]:
        """What the files hold, by their names; for diagnostics, whether or not they are in use."""
        return {
            "wear": await self._wear.async_load_parts(WEAR),
            "residues": await self._residues.async_load_parts(RESIDUES),
            "interrupted": await self._journals.async_load_parts(JOURNALS),
            "control": await self._orders.async_load_parts(ORDERS),
            "changes": await self._changes.async_load_parts(CHANGES),
            "faults": await self._faults.async_load_parts(FAULTS),
        }

    @callback
    def wear(self, serial: str) -> WearBudget:
        """The counts of a machine's writes, going on from the file; a day ends at local midnight."""
        budget = WearBudget(today=lambda: dt_util.now().date())
        if serial in self._loaded_wear:
            budget.restore(self._loaded_wear[serial])
        budget.add_listener(lambda: self._wear.async_save_soon(self._counts, WEAR_DELAY))
        self._budgets[serial] = budget
        return budget

    def _counts(self) -> dict[str, Any]:
        """The content of the file of writes, also of machines that are not in use."""
        counted = {serial: budget.as_dict() for serial, budget in self._budgets.items()}
        return {**self._loaded_wear, **counted}

    @callback
    def changes(self, serial: str) -> ChangeLog:
        """The changes that were made to a machine, going on from the file."""
        log = ChangeLog()
        log.restore(self._loaded_changes.get(serial, ()))
        log.add_listener(lambda: self._changes.async_save_soon(self._logged_changes, CHANGES_DELAY))
        self._change_logs[serial] = log
        return log

    def _logged_changes(self) -> dict[str, Any]:
        """The content of the file of changes, also of machines that are not in use."""
        logged = {serial: log.as_list() for serial, log in self._change_logs.items()}
        return {**self._loaded_changes, **logged}

    @callback
    def residues(self, serial: str) -> ResidueMemory:
        """The settings to restore when a mode is left, saved at once: before one of them is changed at the machine.

        What is known since the start of Home Assistant counts more than the file, which may have been lost.
        """
        modes = self._running_modes.setdefault(
            serial, RunningModes(self._kept_residues.get(serial, {}))
        )
        self._kept_residues[serial] = modes.stored
        return ResidueMemory(
            modes.stored,
            lambda: self._residues.async_save_proved(self._kept_residues),
            modes.running,
        )

    @callback
    def journal(self, serial: str) -> Journal:
        """What is to be finished or put back of a change of several steps, saved at once: before the first step."""
        return Journal(
            self._kept_journals.setdefault(serial, {}),
            lambda: self._journals.async_save_proved(self._kept_journals),
        )

    @callback
    def orders(self, serial: str) -> LeaseMemory:
        """The orders of the battery and the export, saved at once: before anything of them is sent."""
        return LeaseMemory(
            self._kept_orders.setdefault(serial, {}),
            lambda: self._orders.async_save_proved(self._kept_orders),
        )

    def faults(self, serial: str) -> Mapping[str, Any]:
        """What is kept of the faults of a machine; empty at first."""
        return self._kept_faults.get(serial, {})

    async def async_save_faults(self, serial: str, faults: dict[str, Any]) -> None:
        """Keep the faults of a machine, which change so seldom that they are saved at once."""
        self._kept_faults[serial] = faults
        await self._faults.async_save(dict(self._kept_faults))

    async def async_forget_others(self, serials: AbstractSet[str]) -> AbstractSet[str]:
        """Forget all machines but these; returns those that are forgotten.

        One at which something is still to be put back is not: it may be added again.
        """
        to_put_back = (
            (self._residues, self._kept_residues),
            (self._journals, self._kept_journals),
            (self._orders, self._kept_orders),
        )
        contents = (
            (self._wear, self._counts()),
            (self._changes, self._logged_changes()),
            (self._faults, self._kept_faults),
            *to_put_back,
        )
        kept = {serial for _, content in to_put_back for serial, part in content.items() if part}
        gone = {serial for _, content in contents for serial in content} - serials - kept
        for in_use in (self._loaded_wear, self._budgets, self._loaded_changes, self._change_logs):
            _remove(gone, in_use)
        for store, content in contents:
            if not gone.isdisjoint(content):
                _remove(gone, content)
                await store.async_save(dict(content))
        return gone

    async def async_close(self) -> None:
        """Save what is not saved yet."""
        await self._wear.async_close()
        await self._changes.async_close()

    async def async_remove(self) -> None:
        """Delete the files."""
        for store in (
            *(self._wear, self._residues, self._journals),
            *(self._orders, self._changes, self._faults),
        ):
            await store.async_remove()


def _remove(serials: AbstractSet[str], of_machines: dict[str, Any]) -> None:
    """Take machines out of what is kept by serial number."""
    for serial in serials:
        of_machines.pop(serial, None)
