"""What a person is told of orders in repair issues: what could not be put back, and who else is in charge."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from ..entry.texts import async_text
from ..modbus.device.device import Device
from ..modbus.errors import WriteBudgetError
from ..modbus.find.identify import Identity
from ..runtime.busy_automations import async_report_busy
from ..runtime.issues import async_raise, async_withdraw, machine_name
from ..runtime.writes import display_names
from .keeper import Keeper
from .refusals import BATTERY_NAME, EXPORT_NAME
from .request import ControlEvent, ControlEventType

# The kinds of the issues. That of an order that could not be ended has a dialog that tries again.
NOT_PUT_BACK: Final = "control_not_put_back"
PUT_BACK: Final = "control_put_back"
TWO_MASTERS: Final = "control_two_masters"
LEFT_ALONE: Final = "control_left_alone"
GIVEN_UP: Final = "control_given_up"

DAY: Final = timedelta(days=1)
# So many times a day somebody else takes over before a person is told that two programs are in charge.
MASTERS: Final = 3


class ControlIssues:
    """The issues about the orders of one inverter, whether or not its entry is loaded."""

    def __init__(self, hass: HomeAssistant, entry_id: str, keeper: Keeper) -> None:
        self.hass = hass
        self._entry_id = entry_id
        self._keeper = keeper
        # When somebody else has taken over, and the settings that were changed.
        self._overrides: list[tuple[datetime, tuple[str, ...]]] = []

    @property
    def identity(self) -> Identity:
        """Which inverter it is."""
        return self._keeper.machine.identity

    @property
    def device(self) -> Device:
        """What knows its settings."""
        return self._keeper.machine.device

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Tell what happens to orders; returns how to stop that."""
        return self._keeper.async_add_event_listener(self._happened)

    @callback
    def async_not_put_back(self) -> None:
        """Tell that an order is over, and that the inverter does not hold what its owner has set."""
        self._raise(NOT_PUT_BACK, ir.IssueSeverity.ERROR, settings=self._names(self._remaining()))

    @callback
    def async_put_back(self) -> None:
        """Withdraw the issue of an order that could not be ended: the inverter holds again what its owner has set."""
        async_withdraw(self.hass, self.identity.serial, NOT_PUT_BACK)

    @callback
    def async_written_too_often(self, err: WriteBudgetError) -> None:
        """Tell whose order is not made to last longer, as its automation has used up the day's writes."""
        lease = self._keeper.lease() or self._keeper.lease(is_export_limit=True)
        if lease is not None:
            name = EXPORT_NAME if lease.is_export_limit else BATTERY_NAME
            async_report_busy(
                self.hass,
                self._entry_id,
                self.identity,
                err,
                setting=async_text(self.hass, name) or err.key,
                automation=lease.owner,
            )

    @callback
    def async_left_alone(self) -> None:
        """Tell of orders that are so old that nothing is put back any more, until a person has read it."""
        self._tell_remains(LEFT_ALONE)

    @callback
    def async_given_up(self) -> None:
        """Tell of orders at an inverter that nobody looks after any more."""
        self._tell_remains(GIVEN_UP)
        # Its dialog could do nothing any more, and would say that all is well.
        async_withdraw(self.hass, self.identity.serial, NOT_PUT_BACK)

    @callback
    def async_looked_after(self) -> None:
        """Withdraw the issue of an inverter that nobody looks after: it is looked after again."""
        async_withdraw(self.hass, self.identity.serial, GIVEN_UP)

    def _tell_remains(self, kind: str) -> None:
        """Tell which settings an inverter still has from orders."""
        memory = self._keeper.memory
        if not (leases := (*memory.leases, *memory.ending)):
            return
        last = max(leases, key=lambda lease: lease.order.until)
        self._raise(
            kind,
            mode=self._mode(last.order.mode.value),
            owner=last.owner,
            until=f"{dt_util.as_local(last.order.until):%Y-%m-%d %H:%M}",
            settings=self._names(self._remaining()),
        )

    @callback
    def _happened(self, event: ControlEvent) -> None:
        """Raise the issues that belong to an event."""
        told = event.attributes
        if event.type is ControlEventType.RESTORED_AT_START:
            self._raise(PUT_BACK, mode=self._mode(told["mode"]), owner=told["owner"])
        if event.type is not ControlEventType.OVERRIDDEN or event.is_repeated:
            return
        now = dt_util.utcnow()
        self._overrides = [one for one in self._overrides if now - one[0] < DAY]
        self._overrides.append((now, tuple(told["settings"])))
        if len(self._overrides) >= MASTERS:
            writes = self._keeper.style.writes
            changed = [key for _, keys in self._overrides for key in keys if key in writes]
            self._raise(
                TWO_MASTERS,
                times=str(len(self._overrides)),
                owner=told["owner"],
                settings=self._names(changed),
            )

    def _remaining(self) -> list[str]:
        """The settings that the inverter has from an order, as it was last read, and that should be its owner's again."""
        memory, held = self._keeper.memory, self.device.image
        before, put_there = memory.before, memory.former | memory.after
        # An order rests on more than it has changed.
        changed = {address for address, word in put_there.items() if word != before.get(address)}
        left = {
            address
            for address in changed
            if address not in held
            or (memory.is_ours(address, held[address]) and held[address] != before.get(address))
        }
        return self._settings_at(left or changed)

    def _settings_at(self, addresses: Collection[int]) -> list[str]:
        """The settings at these addresses that orders may change."""
        writes = self._keeper.style.writes
        return [
            row.key
            # Those of a feature that was not found may have been changed while it was known.
            for row in self.device.family.every_row()
            if row.key in writes and not set(addresses).isdisjoint(row.addresses)
        ]

    def _mode(self, mode: str) -> str:
        """A mode as a person chooses it."""
        return async_text(self.hass, f"selector.control_mode.options.{mode}") or mode

    def _names(self, keys: Iterable[str]) -> str:
        return display_names(self, keys)

    def _raise(
        self, kind: str, severity: ir.IssueSeverity = ir.IssueSeverity.WARNING, **details: str
    ) -> None:
        name = machine_name(self.hass, self._entry_id, self.identity)
        async_raise(
            self.hass,
            self.identity.serial,
            kind,
            severity=severity,
            fixable=True,
            name=name,
            **details,
        )
