"""The orders of an inverter, and what it holds for them: changed together, one change after the other.

Whoever changes them keeps everybody else from it meanwhile.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, override

from homeassistant.util import dt as dt_util

from ..const import LOGGER
from ..modbus.control.lease import Lease, LeaseMemory
from ..modbus.control.order import ControlRefusedError
from ..modbus.control.plan import ControlStyle, Plan, Told
from ..modbus.device.wear import Origin
from ..modbus.device.write_request import settings_of_one_word
from ..modbus.errors import DeviceError
from ..runtime.clock import CLOCK
from ..runtime.machine import Machine, may_pass
from .facts import situation_of
from .listeners import Listeners
from .order_writer import OrderWriter
from .request import Change, ControlEventType

# So often within an hour what somebody else has set beside an order is written over, as the order needs it otherwise, and
# the edges of an order follow a clock that is set: a person who sets slot after slot goes on with it, and a program that
# sets the same again and again takes over.
MAX_OVERWRITTEN: Final = 6
HOUR: Final = timedelta(hours=1)


class OrderBook(Listeners):
    """The orders of one inverter."""

    def __init__(self, machine: Machine, style: ControlStyle, memory: LeaseMemory) -> None:
        super().__init__()
        self.machine = machine
        self.style = style
        self.memory = memory
        self._writer = OrderWriter(machine, style, memory)
        # When something of somebody else was written over.
        self._written_over: list[datetime] = []
        # Whether words are stored that only a feature can write which was not found yet; then the entry is loaded again.
        self.waits_for_feature = False
        self._forget_unknown()

    def _forget_unknown(self) -> None:
        """Forget what orders have put into registers that cannot be written here, and tell it: all others are put back.

        Another version may know more of them, and a person may have edited the file.
        """
        family, name = self.machine.device.family, self.machine.name
        if unknown := self.memory.forget_unknown(settings_of_one_word(family.every_row())):
            LOGGER.warning(
                "%s: registers that are no settings here stay as an order has left them; before, they held %s",
                name,
                unknown,
            )
        if missing := sorted(self._writer.missing):
            self.waits_for_feature = True
            LOGGER.warning(
                "%s: what was ordered is looked after when the feature with the registers %s is found",
                name,
                missing,
            )

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

    # ------------------------------------------------------------------ a change

    async def _async_end(self, lease: Lease, type_: ControlEventType) -> Change:
        """End an order, and tell it; nothing is left to do where it was over by what somebody else has changed."""
        await self._writer.async_read()
        if len(self.leases) > 1:
            # What goes on is written again, and not over what somebody else has set.
            try:
                await self._async_compare()
            except DeviceError as err:
                # What the device refuses of the orders keeps none of them from ending.
                if err.left or may_pass(err):
                    raise
        present = self.lease(is_export_limit=lease.is_export_limit)
        if present is None:
            return Change(told=(), requests=0, words={}, left_today=None)
        others = [one for one in self.leases if one != present]
        return await self._async_go_on(others, over=[present], type_=type_)

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
                # A start that has put back not all goes on with it, and tells it then.
                if type_ is not ControlEventType.RESTORED_AT_START:
                    self.async_tell_all(type_, over, **details)
            raise
        self.async_tell_all(type_, over, **details)
        return change

    async def _async_release_found(self) -> None:
        """Put back what all orders have changed, but for what cannot be written as its feature was not found: that stays known."""
        if missing := self._writer.missing:
            self.memory.set_aside(missing)
        try:
            await self._writer.async_read()
            await self._async_change(over=self.leases, type_=ControlEventType.RELEASED)
        finally:
            if missing:
                await self.memory.take_in()

    # ------------------------------------------------------------------ what somebody else has changed

    async def _async_compare(self) -> None:
        """Make what somebody else has changed the owner's own, or give the orders up; follow the device's clock."""
        memory, held = self.memory, self.machine.device.image
        if found := {a: held[a] for a, word in memory.after.items() if held.get(a, word) != word}:
            await self._async_take_over(found)
        elif moved := self._writer.moved(self.leases):
            LOGGER.info("%s: its clock was set, and the order's edges follow", self.machine.name)
            await self._async_write_again(moved, [CLOCK], {})

    async def _async_take_over(self, found: Mapping[int, int]) -> None:
        """Make what somebody else has changed the owner's own, or give the orders up when it is an order itself."""
        if not self.memory.is_settled:
            # A change was broken off by a crash: what differs may not have been written yet.
            await self._async_change(over=self.leases, type_=ControlEventType.RESTORED_AT_START)
            return
        registers = self.machine.device.family.registers
        names = sorted(
            key for key, row in registers.items() if not found.keys().isdisjoint(row.addresses)
        )
        if self._absorb(found):
            await self._async_write_again(self.leases, names, found)
            self.async_update()
        else:
            await self._async_give_up(names, found)

    async def _async_write_again(
        self, leases: Sequence[Lease], names: Sequence[str], found: Mapping[int, int]
    ) -> None:
        """Go on with orders of which somebody else is in the way; give them up when that happens again and again.

        `names` are the settings that were changed, and `found` their words by address, as far as orders have others there.
        """
        now = dt_util.utcnow()
        self._written_over = [when for when in self._written_over if now - when < HOUR]
        if len(self._written_over) >= MAX_OVERWRITTEN:
            await self._async_give_up(names, found)
            return
        # What the device refuses has reached it, too.
        self._written_over.append(now)
        try:
            change = await self._async_go_on(leases)
        except DeviceError as err:
            if may_pass(err):
                self._written_over.remove(now)
            raise
        if not change.requests:
            self._written_over.remove(now)

    def _absorb(self, found: Mapping[int, int]) -> bool:
        """Take what the device holds otherwise than it should for its owner's own, unless that is the order itself.

        Whether the orders may go on. After a start the plan is made again, by what was known when they were given.
        """
        memory, leases = self.memory, self.leases
        if not (leases and memory.is_settled):
            return False
        image = {**self.machine.device.image, **memory.before}
        situation = situation_of(self.machine, self.style, image, leases[0])
        plan = self.plan
        if not plan.told:
            with suppress(ControlRefusedError):
                plan = self.style.plan([lease.order for lease in leases], situation)
        if plan.after != memory.after:
            return False
        absorbed = self.style.absorbed(plan, memory.before, found, situation)
        if absorbed is None:
            return False
        self._writer.owners |= {**memory.before, **absorbed}
        return True

    async def _async_give_up(self, names: Sequence[str], found: Mapping[int, int]) -> None:
        """End all orders: somebody else has taken over. What is still ours is put back."""
        after = self.memory.after
        await self._async_change(
            over=self.leases,
            type_=ControlEventType.OVERRIDDEN,
            settings=names,
            ours=[after[address] for address in found],
            found=list(found.values()),
        )
        self._written_over.clear()
