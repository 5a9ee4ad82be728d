"""A schedule that is asked for, checked and ready to be written: at once, or when an order of the battery ends."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, ClassVar, override

from homeassistant.core import Context
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.json import JsonValueType

from ..const import DOMAIN
from ..entry.texts import SCHEDULE_NAME, async_text, error_text
from ..modbus.device.device import Device
from ..modbus.device.write_request import AppliedChange
from ..modbus.errors import DeviceError, LinkError, NotAppliedError, RejectedError
from ..modbus.model.codec import Value
from ..modbus.schedule.schedule import ScheduleRequest, ScheduleWrites, Timetable
from ..runtime.callers import origin_of
from ..runtime.issues import machine_name
from ..runtime.machine import Substitute
from ..runtime.runtime import UnitRuntime
from ..runtime.writes import async_write, display_value
from .summary import DRY_RUN, LATER, SET, UNCHANGED, summary_of

type Answer = dict[str, JsonValueType]


@dataclass(kw_only=True)
class Change(ABC):
    """What a request changes at an inverter."""

    unit: UnitRuntime
    request: ScheduleRequest
    held: Timetable[Any]
    planned: ScheduleWrites
    # The words that differ, by address, as they are and as they would be.
    words: dict[int, tuple[int, int]] = field(default_factory=dict)

    # What becomes of it: the key of the first sentence of the response.
    outcome: ClassVar[str]

    @property
    def name(self) -> str:
        """What messages call the schedule."""
        return async_text(self.unit.hass, SCHEDULE_NAME) or DOMAIN

    @abstractmethod
    async def async_carry_out(self, context: Context, *, dry_run: bool) -> int:
        """Write it, unless nothing is to be written; returns how many requests that takes. Raises translated errors."""

    async def async_answer(self, context: Context, *, dry_run: bool) -> Answer:
        """Write it, unless nothing is to be written, and return the response."""
        requests = await self.async_carry_out(context, dry_run=dry_run)
        outcome = self.outcome if self.words else UNCHANGED
        enabled, unit = self.request.enabled, self.unit
        return {
            "summary": summary_of(
                unit.hass,
                DRY_RUN if dry_run else outcome,
                self.request,
                name=machine_name(unit.hass, unit.entry_id, unit.identity),
                unit=self.held.unit,
                enabled=self.held.enabled if enabled is None else enabled,
                switched_off=self.planned.switched_off,
            ),
            "dry_run": dry_run,
            "slots": self.planned.slots,
            "write_requests": requests,
            "registers": [
                {"register": address, "before": before, "after": after}
                for address, (before, after) in self.words.items()
            ],
            "switched_off": list(self.planned.switched_off),
        }


@dataclass(kw_only=True)
class ChangeNow(Change):
    """A change that is written at once, in the order of its style."""

    # Those of the planned requests that change something.
    requests: list[Mapping[str, Value]] = field(default_factory=list)

    outcome = SET

    async def async_prepare(self) -> None:
        """Find out what it changes; raises a translated error for what may not be written."""
        await async_write(self.unit, self.name, self._async_preview)

    async def _async_preview(self) -> None:
        device, planned = self.unit.device, self.planned
        try:
            for values in planned.requests:
                words = await device.preview(values)
                if any(before != after for before, after in words.values()):
                    self.words |= words
                    self.requests.append(values)
            if planned.steps:
                self.words |= await device.preview_steps(planned.steps)
        except (LinkError, RejectedError) as err:
            raise no_answer(self.unit, err) from err

    @override
    async def async_carry_out(self, context: Context, *, dry_run: bool) -> int:
        if not dry_run:
            await self._async_write(context)
        return len(self.requests) + _request_count(self.unit.device, self.planned.steps)

    async def _async_write(self, context: Context) -> None:
        device, steps, origin = self.unit.device, self.planned.steps, origin_of(context)

        async def write() -> None:
            if self.requests:
                await device.write_many(*self.requests, origin=origin)
            if steps:
                await device.write_steps(steps, origin=origin)

        try:
            await async_write(self.unit, self.name, write, context=context)
        except HomeAssistantError as err:
            # The message for settings that are left half changed names them already.
            if (
                isinstance(cause := err.__cause__, NotAppliedError)
                and cause.acknowledged
                and not cause.left
            ):
                raise _not_applied(self.unit, cause) from cause
            raise


@dataclass(kw_only=True)
class ChangeLater(Change):
    """A change of what the owner has set, which comes into its own when the order of the battery that is in force ends."""

    substitute: Substitute
    # The owner's words by address, as they are.
    owners: Mapping[int, int]

    outcome = LATER

    @override
    async def async_carry_out(self, context: Context, *, dry_run: bool) -> int:
        requests = 0
        words = {address: after for address, (_, after) in self.words.items()}

        async def write() -> None:
            nonlocal requests
            requests = await self.substitute.async_become_owners(
                words, origin_of(context), dry_run=dry_run
            )

        await async_write(self.unit, self.name, write, context=context)
        if not dry_run:
            self._remember()
        return requests

    def _remember(self) -> None:
        """Remember what the owner has changed, so that it can be undone as if it had been written at once."""
        device = self.unit.device
        owners = {**self.owners, **{address: after for address, (_, after) in self.words.items()}}

        def changes(keys: Iterable[str]) -> list[AppliedChange]:
            rows = [device.family.registers[key] for key in dict.fromkeys(keys)]
            values = [(row.key, row.decode(self.owners), row.decode(owners)) for row in rows]
            return [
                AppliedChange(key, before, after)
                for key, before, after in values
                if after is not None and after != before
            ]

        for values in self.planned.requests:
            device.remember_changes(changes(values), in_order=False)
        device.remember_changes(changes(key for key, _ in self.planned.steps), in_order=True)


def _request_count(device: Device, steps: Sequence[tuple[str, Value]]) -> int:
    """Number of requests for these steps; those of one register in a row share one."""
    rows = device.family.registers
    return len(list(groupby(rows[key].addresses for key, _ in steps)))


def no_answer(unit: UnitRuntime, err: DeviceError) -> HomeAssistantError:
    """The error for an inverter that could not even be read."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="no_answer",
        translation_placeholders={
            "model": unit.identity.model,
            "error": error_text(unit.hass, err),
        },
    )


def _not_applied(unit: UnitRuntime, err: NotAppliedError) -> HomeAssistantError:
    """The error for a schedule that the inverter has not kept."""
    translation_key = "schedule_not_restored"
    if err.restored:
        translation_key = "schedule_not_applied"
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders={
            "address": str(err.address),
            "wanted": display_value(unit, err.key, err.wanted),
            "held": display_value(unit, err.key, err.held),
        },
    )
