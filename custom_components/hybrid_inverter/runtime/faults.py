"""The faults and outages of a machine: passed on to entities, raised as repair issues, and kept over a restart."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..entry.stores import MachineStores
from ..entry.texts import async_text
from ..modbus.device.device import Snapshot
from ..modbus.model.codec import Values
from ..modbus.model.faults import (
    CodeChanges,
    CodeWatch,
    FaultRules,
    Outage,
    OutageWatch,
)
from ..modbus.model.register import Group
from .coordinator import GroupCoordinator
from .issues import async_kinds_raised, async_withdraw, issue_id, machine_name

# Where the translations say what a code means: with the types of the event, which the user interface shows as well.
MEANING: Final = "entity.event.fault.state_attributes.event_type.state."


@callback
def async_meaning(hass: HomeAssistant, code: str) -> str | None:
    """The meaning of a code in the language of the house; None for one that nobody has documented."""
    return async_text(hass, MEANING + code.lower())


@dataclass(frozen=True, slots=True)
class News:
    """What a poll has brought: the codes that appeared in each bit field, and whether an outage began or ended."""

    appeared: dict[str, tuple[str, ...]]
    outage: bool
    now: datetime


class FaultMemory:
    """The codes and the last outage of a machine, kept so that a restart reports nothing twice."""

    def __init__(self, stores: MachineStores, serial: str) -> None:
        self._stores = stores
        self._serial = serial

    def codes(self, field: str) -> list[str]:
        """The codes of a bit field that were set at the last poll."""
        codes: list[str] = self._stores.faults(self._serial).get("codes", {}).get(field, [])
        return codes

    @property
    def outage(self) -> Outage | None:
        """The last outage."""
        stored = self._stores.faults(self._serial).get("outage")
        if stored is None or (start := dt_util.parse_datetime(stored["start"])) is None:
            return None
        return Outage(start, stored["end"] and dt_util.parse_datetime(stored["end"]))

    async def async_keep(self, codes: dict[str, list[str]], outage: Outage | None) -> None:
        """Save what there is now."""
        await self._stores.async_save_faults(
            self._serial,
            {
                "codes": codes,
                "outage": outage
                and {
                    "start": outage.start.isoformat(),
                    "end": outage.end and outage.end.isoformat(),
                },
            },
        )


class FaultMonitor:
    """Watches the fault codes and the grid of a machine."""

    def __init__(
        self, coordinator: GroupCoordinator, rules: FaultRules, memory: FaultMemory
    ) -> None:
        """`coordinator` polls the fault codes; `memory` has what was there before a restart."""
        self.rules = rules
        self.outages = OutageWatch(memory.outage)
        self._hass = coordinator.hass
        self._coordinator = coordinator
        self._memory = memory
        self._watches = {
            field: CodeWatch(rules.lasting_after, memory.codes(field)) for field in rules.fields
        }
        self._listeners: list[Callable[[News], None]] = []
        # A poll without any code or outage; the same values once more have nothing to tell.
        self._quiet: Snapshot | None = None

    @property
    def group(self) -> Group:
        """The group in which all that is watched is polled."""
        return self._coordinator.group

    @property
    def codes(self) -> list[str]:
        """All codes that can appear, in order, but for those of the grid's absence, which are an outage."""
        registers = self._coordinator.machine.device.family.registers
        codes = {code for field in self.rules.fields for code in registers[field].labels.values()}
        return sorted(codes - self.rules.no_grid)

    def kind(self, field: str, code: str) -> str:
        """The kind of a code of a bit field: fault or warning."""
        return "warning" if code in self.rules.warnings else field

    @callback
    def async_add_listener(self, listener: Callable[[News], None]) -> CALLBACK_TYPE:
        """Call back after every poll that brought something; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Judge the first poll and all that follow; returns how to stop that.

        The entities have to be there by then, or they would miss what has happened in the meantime.
        """
        stop = self._coordinator.async_add_poll_listener(
            self._handle_poll, watched_keys(self.rules)
        )
        if self._coordinator.last_update_success:
            self._handle_poll()

        @callback
        def async_stop() -> None:
            stop()
            self._withdraw_issues()

        return async_stop

    @callback
    def _handle_poll(self) -> None:
        """Look at the codes and the grid connection of a poll."""
        snapshot = self._coordinator.data
        if snapshot is self._quiet:
            return
        values = snapshot.values
        now = dt_util.utcnow()
        changes: dict[str, CodeChanges] = {}
        for field, watch in self._watches.items():
            bits = values.get(field)
            if not isinstance(bits, frozenset):
                continue
            labels = self._coordinator.machine.device.family.registers[field].labels
            codes = {labels[bit] for bit in bits}
            changes[field] = watch.update(codes - self.rules.no_grid, now)

        off_grid = self._is_off_grid(values)
        outage = off_grid is not None and self.outages.update(off_grid=off_grid, now=now)
        for changed in changes.values():
            self._repair(changed)
        if outage or any(changed.appeared or changed.gone for changed in changes.values()):
            active = {field: watch.active for field, watch in self._watches.items()}
            self._coordinator.config_entry.async_create_task(
                self._hass, self._memory.async_keep(active, self.outages.last)
            )
        news = News({field: changed.appeared for field, changed in changes.items()}, outage, now)
        for listener in tuple(self._listeners):
            listener(news)
        lasts = self.outages.lasts or any(watch.active for watch in self._watches.values())
        self._quiet = None if lasts else snapshot

    def _is_off_grid(self, values: Values) -> bool | None:
        """Whether a sign of an outage is set; None if no other one is and one was not read, which may be set as well."""
        device, rules = self._coordinator.machine.device, self.rules
        signs = {rules.grid}
        grid = values.get(rules.grid)
        told = [] if grid is None else [grid is False]
        for field in rules.fields:
            labels = device.family.registers[field].labels
            if rules.no_grid.isdisjoint(labels.values()):
                continue
            signs.add(field)
            if isinstance(bits := values.get(field), frozenset):
                told.append(any(labels[bit] in rules.no_grid for bit in bits))
        if any(told):
            return True
        return False if told and not device.unread(signs) else None

    def _repair(self, changed: CodeChanges) -> None:
        """Raise an issue for a code that lasts and has a remedy, and delete it when the code is gone."""
        for code in changed.lasting:
            if code in self.rules.remedies:
                ir.async_create_issue(
                    self._hass,
                    DOMAIN,
                    self._issue_id(code),
                    is_fixable=False,
                    # What mostly goes away by itself is not broken yet.
                    severity=ir.IssueSeverity.WARNING
                    if code in self.rules.lasting_after or code in self.rules.warnings
                    else ir.IssueSeverity.ERROR,
                    translation_key=f"fault_{code.lower()}",
                    translation_placeholders={"name": self._name},
                )
        for code in changed.gone:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id(code))

    def _withdraw_issues(self) -> None:
        """Delete the issues that nobody ignores."""
        serial = self._coordinator.machine.identity.serial
        for code in self.rules.remedies:
            async_withdraw(self._hass, serial, code.lower(), keep_ignored=True)

    def _issue_id(self, code: str) -> str:
        """The id of the issue of a code."""
        return issue_id(self._coordinator.machine.identity.serial, code.lower())

    @property
    def _name(self) -> str:
        """What a person calls the inverter."""
        coordinator = self._coordinator
        return machine_name(
            self._hass, coordinator.config_entry.entry_id, coordinator.machine.identity
        )


def watched_keys(rules: FaultRules | None) -> frozenset[str]:
    """The keys that have to be polled for the faults, whatever entities are shown."""
    return frozenset() if rules is None else frozenset({*rules.fields, rules.grid})


@callback
def async_remove_issues_of(hass: HomeAssistant, *serials: str) -> None:
    """Delete the issues of machines, also those that a person ignores."""
    for serial in serials:
        for kind in async_kinds_raised(hass, serial):
            async_withdraw(hass, serial, kind)
