"""The keeper of an inverter's orders: they are given through it, and end through it, whatever happens in between."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, override

from homeassistant.util import dt as dt_util

from ..const import LOGGER
from ..modbus.control.lease import Lease, LeaseMemory
from ..modbus.control.order import ControlMode, ControlRefusedError, Order
from ..modbus.control.plan import ControlStyle, Plan, Told
from ..modbus.device.wear import Origin
from ..modbus.errors import DeviceError
from ..modbus.model.codec import RATED_POWER, as_number
from ..runtime.machine import Machine, may_pass
from .facts import HOLD_IGNORED, Permissions, facts_of, nothing_ordered, situation_of
from .listeners import Listeners
from .order_writer import OrderWriter
from .refusals import Mistake, mistake
from .request import Change, ControlEventType, OrderRequest, event_type_of

# The part of an order that has to be over before the same order again makes it last longer.
RENEWED_AFTER: Final = 0.75
# Steps of the power that are smaller than this part of the rated one wait as long: planners reckon with noise.
SMALL_STEP: Final = 0.05


class Keeper(Listeners):
    """Keeps the orders of one inverter."""

    def __init__(
        self,
        machine: Machine,
        style: ControlStyle,
        memory: LeaseMemory,
        permissions: Callable[[], Permissions],
    ) -> None:
        """`permissions` returns what the owner allows now."""
        super().__init__()
        self.machine = machine
        self.style = style
        self.memory = memory
        self._permissions = permissions
        self._writer = OrderWriter(machine, style, memory)
        self._lock = asyncio.Lock()
        # Orders that take the place of the present ones later, and when, by whether they are export limits.
        self._later: dict[bool, tuple[Lease, datetime]] = {}

    # ------------------------------------------------------------------ what is in force

    @property
    def plan(self) -> Plan:
        """What the orders in force have become."""
        return self._writer.plan

    @property
    def leases(self) -> tuple[Lease, ...]:
        """The orders in force."""
        return self.memory.leases

    def lease(self, *, is_export_limit: bool = False) -> Lease | None:
        """The order of the battery, or the export limit."""
        return next((one for one in self.leases if one.is_export_limit is is_export_limit), None)

    @override
    def told_of(self, lease: Lease) -> Told | None:
        """What its owner was told of an order in force."""
        return next(
            (
                told
                for one, told in zip(self.leases, self.plan.told, strict=False)
                if one.is_export_limit is lease.is_export_limit
            ),
            None,
        )

    @property
    def may_sell(self) -> bool:
        """Whether the owner allows to sell from the battery."""
        return self._permissions().may_sell

    async def async_found(self) -> ControlMode | None:
        """Read which order the settings of the device are now, whoever has made them; raises the DeviceError."""
        async with self._lock:
            await self._writer.async_read()
            found = nothing_ordered(self.machine, self._permissions())
            image = self.machine.device.image
            return self.style.mode_of(situation_of(self.machine, self.style, image, found))

    # ------------------------------------------------------------------ orders

    async def async_order(self, request: OrderRequest) -> tuple[Told, Change]:
        """Carry an order out, or only work out what it takes.

        ServiceValidationError or ControlRefusedError when it is refused; raises the DeviceError of a device that was not
        reached or refused, after which it holds what it did before.
        """
        async with self._lock:
            await self._writer.async_read()
            if not request.dry_run:
                await self._async_compare()
            present = self.lease(is_export_limit=request.is_export_limit)
            self._check_owner(present, request)
            lease = self._lease_of(request)
            if present is not None and not request.dry_run:
                self._later.pop(lease.is_export_limit, None)
                if waiting := self._put_off(present, lease):
                    return waiting
            others = [
                one for one in self.leases if one.is_export_limit is not lease.is_export_limit
            ]
            leases = sorted([*others, lease], key=lambda one: one.is_export_limit)
            origin = Origin.PERSON if request.of_person else Origin.AUTOMATION
            change = await self._async_change(leases, origin, dry_run=request.dry_run)
            told = change.told[leases.index(lease)]
            if not request.dry_run:
                self.async_tell(
                    event_type_of(present, lease), lease, previous_owner=present and present.owner
                )
            return told, change

    def _check_owner(self, present: Lease | None, request: OrderRequest) -> None:
        """Refuse an order while another owner has one in force, unless it gives way."""
        if present is None or present.owner == request.owner or request.replaces:
            return
        raise mistake(Mistake.BUSY, owner=present.owner)

    def _lease_of(self, request: OrderRequest) -> Lease:
        """The order as it is kept."""
        order = Order(
            mode=request.mode,
            start=dt_util.utcnow(),
            until=request.until,
            power=request.power,
            at=request.at,
            target_soc=request.target_soc,
        )
        facts = facts_of(self.machine, self._permissions())
        return Lease(order=order, owner=request.owner, of_person=request.of_person, facts=facts)

    def _put_off(self, present: Lease, wanted: Lease) -> tuple[Told, Change] | None:
        """What is told of an order that need not be written yet, as nearly the same one is in force; it is kept for later."""
        now, order, new = dt_util.utcnow(), present.order, wanted.order
        told = self.told_of(present)
        if told is None or wanted.of_person or present.owner != wanted.owner:
            return None
        is_same = (order.mode, order.at, order.target_soc) == (new.mode, new.at, new.target_soc)
        if not is_same or new.until < order.until:
            return None
        due = order.start + RENEWED_AFTER * (order.until - order.start)
        if (step := abs((order.power or 0) - (new.power or 0))) > 0:
            rated = as_number(self.machine.device.values.get(RATED_POWER)) or 0
            # What may be exported is somebody's rule, however small the step.
            if step >= SMALL_STEP * rated or wanted.is_export_limit:
                return None
        if now >= due:
            return None
        self._later[wanted.is_export_limit] = (wanted, due)
        return told, Change(told=self.plan.told, requests=0, words={}, left_today=None)

    async def async_renew(self) -> None:
        """Let orders that were kept for later take the place of the present ones, when it is time; raises the DeviceError."""
        async with self._lock:
            now = dt_util.utcnow()
            for lease in [one for one, due in self._later.values() if now >= due]:
                await self._async_replace(lease)

    async def _async_replace(self, lease: Lease) -> None:
        """Let an order take the place of its owner's present one; it waits on where the device was not reached."""
        waiting = self._later.pop(lease.is_export_limit)
        present = self.lease(is_export_limit=lease.is_export_limit)
        if present is None or present.owner != lease.owner:
            return
        try:
            await self._writer.async_read()
            now_known = facts_of(self.machine, self._permissions())
            begun = replace(
                lease, order=replace(lease.order, start=dt_util.utcnow()), facts=now_known
            )
            leases = [begun if one == present else one for one in self.leases]
            await self._async_change(leases, Origin.AUTOMATION)
        except DeviceError as err:
            if may_pass(err) and not err.left:
                self._later[lease.is_export_limit] = waiting
            raise
        self.async_tell(event_type_of(present, begun), begun)

    # ------------------------------------------------------------------ the end of orders

    async def async_release(
        self,
        *,
        is_export_limit: bool = False,
        owner: str | None = None,
        type_: ControlEventType = ControlEventType.RELEASED,
    ) -> Change | None:
        """Put back what an order has changed; None when there is none. An owner only releases what is its own.

        `type_` is what is told of it.
        """
        async with self._lock:
            present = self.lease(is_export_limit=is_export_limit)
            if present is None:
                return None
            if owner is not None and present.owner != owner:
                raise mistake(Mistake.NOT_YOURS, owner=present.owner)
            return await self._async_end(present, type_)

    async def async_release_all(self) -> None:
        """Put back everything, whoever has ordered it; raises the DeviceError."""
        async with self._lock:
            leases = self.leases
            if self.memory.is_empty:
                return
            await self._writer.async_read()
            await self._async_change(over=leases, type_=ControlEventType.RELEASED)

    async def async_try_other_hold(self) -> bool:
        """Hold the battery in the family's other way, as the first one is not followed; whether there is one."""
        async with self._lock:
            lease = self.lease()
            if lease is None or lease.facts.get(HOLD_IGNORED):
                return False
            await self._writer.async_read()
            other = replace(lease, facts={**lease.facts, HOLD_IGNORED: 1.0})
            leases = [other if one == lease else one for one in self.leases]
            if self._writer.plan_for(leases).after == self.plan.after:
                return False
            await self._async_change(leases)
            return True

    async def async_end_due(self) -> None:
        """End the orders whose time is over; what cannot be put back now is tried again later."""
        async with self._lock:
            for lease in self.leases:
                told = self.told_of(lease)
                if dt_util.utcnow() >= (told.until if told else lease.order.until):
                    await self._async_end(lease, ControlEventType.ENDED)

    async def _async_end(self, lease: Lease, type_: ControlEventType) -> Change:
        """End an order, and tell it."""
        others = [one for one in self.leases if one != lease]
        self._later.pop(lease.is_export_limit, None)
        await self._writer.async_read()
        return await self._async_go_on(others, over=[lease], type_=type_)

    async def _async_go_on(
        self,
        leases: Sequence[Lease],
        over: Sequence[Lease] = (),
        type_: ControlEventType = ControlEventType.FAILED,
    ) -> Change:
        """Go on with some of the orders; `over` are those that end now, which is told as `type_`."""
        try:
            return await self._async_change(leases, over=over, type_=type_)
        except ControlRefusedError:
            # What stays cannot be planned any more, in a fault for example: nothing of it stays either.
            change = await self._async_change(over=over, type_=type_)
            for lease in leases:
                self.async_tell(ControlEventType.FAILED, lease)
            return change

    async def _async_change(
        self,
        leases: Sequence[Lease] = (),
        origin: Origin = Origin.RESTORE,
        *,
        dry_run: bool = False,
        owners: Mapping[int, int] | None = None,
        over: Sequence[Lease] = (),
        type_: ControlEventType = ControlEventType.FAILED,
        **details: Any,
    ) -> Change:
        """Have the device hold what these orders take, and tell which ones are over.

        When nobody knows what it holds after that, all orders are.
        """
        others = [one for one in self.leases if one not in over]
        try:
            change = await self._writer.async_change(leases, origin, dry_run=dry_run, owners=owners)
        except DeviceError as err:
            if err.left:
                for lease in others:
                    self.async_tell(ControlEventType.FAILED, lease)
                for lease in over:
                    self.async_tell(type_, lease, **details)
            raise
        for lease in over:
            self.async_tell(type_, lease, **details)
        return change

    # ------------------------------------------------------------------ while orders are in force

    async def async_compare(self) -> None:
        """Look whether the device still holds what we have put there, and whether its clock was set."""
        async with self._lock:
            if self.memory.after and (
                not await self._writer.async_look() or self._writer.moved(self.leases)
            ):
                await self._writer.async_read()
                await self._async_compare()

    async def _async_compare(self) -> None:
        """Make what somebody else has changed the owner's own, or give the orders up; follow the device's clock."""
        memory, held = self.memory, self.machine.device.image
        if found := {a: held[a] for a, word in memory.after.items() if held.get(a, word) != word}:
            await self._async_take_over(found)
            return
        if moved := self._writer.moved(self.leases):
            LOGGER.info("%s: its clock was set, and the order's edges follow", self.machine.name)
            await self._async_go_on(moved)

    async def _async_take_over(self, found: Mapping[int, int]) -> None:
        """Make what somebody else has changed the owner's own, or give the orders up when it is an order itself."""
        memory, leases = self.memory, self.leases
        absorbed = None
        if leases:
            image = {**self.machine.device.image, **memory.before}
            situation = situation_of(self.machine, self.style, image, leases[0])
            absorbed = self.style.absorbed(self.plan, memory.before, found, situation)
        if absorbed is None:
            await self._async_give_up(found)
            return
        self._writer.owners |= {**memory.before, **absorbed}
        await self._async_go_on(leases)
        self.async_update()

    async def _async_give_up(self, found: Mapping[int, int]) -> None:
        """End all orders: somebody else has taken over. What is still ours is put back."""
        memory, leases = self.memory, self.leases
        ours = {address: memory.after[address] for address in found}
        registers = self.machine.device.family.registers
        names = sorted(
            key for key, row in registers.items() if not found.keys().isdisjoint(row.addresses)
        )
        await self._async_change(
            over=leases,
            type_=ControlEventType.OVERRIDDEN,
            settings=names,
            ours=list(ours.values()),
            found=list(found.values()),
        )

    # ------------------------------------------------------------------ what the owner sets meanwhile

    @property
    def is_in_force(self) -> bool:
        """Whether any order is."""
        return bool(self.leases)

    async def async_owners_words(self) -> Mapping[int, int]:
        """Read what the owner has set, by address, whatever orders have put in its place; raises the DeviceError."""
        async with self._lock:
            await self._writer.async_read()
            return dict(self._writer.owners)

    async def async_become_owners(
        self, words: Mapping[int, int], origin: Origin, *, dry_run: bool = False
    ) -> int:
        """Make these the owner's words: written where no order is in their place, and else when it ends.

        Returns how many requests that takes now.
        """
        async with self._lock:
            await self._writer.async_read()
            if not dry_run:
                await self._async_compare()
            change = await self._async_change(self.leases, origin, dry_run=dry_run, owners=words)
            return change.requests

    # ------------------------------------------------------------------ after a start

    async def async_adopt(self) -> None:
        """Go on with the orders that were in force before Home Assistant has started, or end them."""
        async with self._lock:
            await self._writer.async_read()
            memory, known = self.memory, (*self.leases, *self.memory.ending)
            held, now = self.machine.device.image, dt_util.utcnow()
            is_whole = all(held[a] == word for a, word in memory.after.items())
            going = [one for one in self.leases if is_whole and now < one.order.until]
            words = {**memory.former, **memory.after}
            ours = {a for a in words if memory.is_ours(a, held[a]) and held[a] != memory.before[a]}
            if not (going or ours):
                await memory.keep((), {}, {})
                self.async_update()
                return
            await self._async_change(
                going,
                over=[one for one in known if one not in going],
                type_=ControlEventType.RESTORED_AT_START,
            )
            for lease in going:
                self.async_tell(ControlEventType.ADOPTED_AT_START, lease)
