"""The dialogs of the repair issues that a person can fix.

`runtime/issues.py` raises them. An issue that only tells what has happened needs no dialog of its own: it is read and
confirmed.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, override

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow, RepairsFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
import voluptuous as vol

from .const import DOMAIN
from .control.issues import NOT_PUT_BACK
from .control.refusals import Mistake, mistake, spoken_error
from .control.setup import driver_of
from .doctor.issues import UNSURE
from .doctor.report import async_notify
from .doctor.wiring_test import async_begin_test, inverter_to_test
from .entry.texts import error_text
from .maintenance.removed_parts import PARTS_GONE, async_forget, async_missing
from .modbus.errors import DeviceError
from .runtime.clock import async_sync_clock
from .runtime.issues import DATA_KIND, DATA_TAG, issue_id, named_in
from .runtime.lookup import unit_of_tag
from .runtime.other_machine import OTHER_MACHINE, async_find_machine
from .runtime.runtime import UnitRuntime
from .runtime.writes import async_write_setting
from .schedule.charge_watch import CHARGE_OFF
from .schedule.clock_watch import CLOCK_OFF


class InverterDialog(RepairsFlow, ABC):
    """Asks, and does something about an inverter; whatever keeps it from being done is shown."""

    # The key of the error, which names the reason.
    failure: ClassVar[str]

    @abstractmethod
    async def async_repair(self, unit: UnitRuntime) -> None:
        """Do it; raises the HomeAssistantError or the DeviceError that keeps it from being done."""

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Begin with the question."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask, and do it."""
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        placeholders = dict((issue and issue.translation_placeholders) or {})
        errors: dict[str, str] = {}
        if user_input is not None:
            unit = unit_of_tag(self.hass, str((self.data or {})[DATA_TAG]))
            if unit is None:
                return self.async_abort(reason="not_loaded")
            try:
                await self.async_repair(unit)
            except HomeAssistantError as err:
                errors["base"], placeholders["error"] = self.failure, spoken_error(self.hass, err)
            except DeviceError as err:
                errors["base"], placeholders["error"] = self.failure, error_text(self.hass, err)
            else:
                return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            errors=errors,
            description_placeholders=placeholders,
        )


class SetClockDialog(InverterDialog):
    """Sets the clock of an inverter whose schedule rests on it."""

    failure = "clock_not_set"

    @override
    async def async_repair(self, unit: UnitRuntime) -> None:
        """Set it to the local time."""
        await async_sync_clock(unit)


class ChargeDialog(InverterDialog):
    """Switches on what the schedule of an inverter needs to charge."""

    failure = "not_switched_on"

    @override
    async def async_repair(self, unit: UnitRuntime) -> None:
        """Switch it on, like a person does at its entity."""
        key = self.issue_id.removeprefix(f"{issue_id(unit.identity.serial, CHARGE_OFF)}_")
        await async_write_setting(unit, key, value=True)


class FindMachineDialog(InverterDialog):
    """Searches the line for an inverter in whose place another one answers."""

    failure = "not_found"

    @override
    async def async_repair(self, unit: UnitRuntime) -> None:
        """Move it to the unit id at which it answers now."""
        entry = self.hass.config_entries.async_get_known_entry(unit.entry_id)
        await async_find_machine(self.hass, entry, unit)


class PutBackDialog(InverterDialog):
    """Puts back what an order that is over has left at an inverter."""

    failure = "not_put_back"

    @override
    async def async_repair(self, unit: UnitRuntime) -> None:
        """Put it back, and leave alone what is still ordered; there is nothing to do where that was possible meanwhile."""
        if (driver := driver_of(self.hass, unit)) is None:
            raise mistake(Mistake.VIEW_ONLY, device=unit.name)
        await driver.async_put_back()


class ForgetPartsDialog(InverterDialog):
    """Forgets what an owner has taken away from an inverter."""

    failure = "not_forgotten"

    @override
    async def async_repair(self, unit: UnitRuntime) -> None:
        """Ask it once more, and forget what it does not show of what a person has read; that may be there again."""
        entry = self.hass.config_entries.async_get_known_entry(unit.entry_id)
        named = named_in(self.data)
        if gone := [one for one in await async_missing(entry, unit) if one.key in named]:
            async_forget(self.hass, entry, unit, gone)


class WiringTestDialog(InverterDialog):
    """Starts the test that tells two causes apart; its result comes in a notification."""

    failure = "not_started"

    @override
    async def async_repair(self, unit: UnitRuntime) -> None:
        """Start it, with the battery of the inverter, or of one beside the meter."""
        inverter = inverter_to_test(self.hass, unit)
        async_notify(inverter, await async_begin_test(inverter, None, of_person=True))


# The dialog of each kind of issue; it finds in its `data` what the issue keeps.
DIALOGS: Final[Mapping[str, Callable[[], RepairsFlow]]] = {
    CLOCK_OFF: SetClockDialog,
    CHARGE_OFF: ChargeDialog,
    OTHER_MACHINE: FindMachineDialog,
    NOT_PUT_BACK: PutBackDialog,
    PARTS_GONE: ForgetPartsDialog,
    UNSURE: WiringTestDialog,
}


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: Mapping[str, Any] | None
) -> RepairsFlow:
    """The dialog of an issue; Home Assistant gives it the issue's data afterwards."""
    kind = (data or {}).get(DATA_KIND, "")
    dialog = DIALOGS.get(kind, ConfirmRepairFlow)
    return dialog()
