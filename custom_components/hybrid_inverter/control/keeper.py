"""The keeper of an inverter's orders: they are given through it, and end through it, whatever happens in between."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, override

from homeassistant.util import dt as dt_util

from ..const import LOGGER
from ..modbus.control.lease import Lease, LeaseMemory
from ..modbus.control.order import ControlMode, Order
from ..modbus.control.plan import ControlStyle, Told
from ..modbus.device.to_end import Turn
from ..modbus.device.wear import Origin
from ..modbus.errors import DeviceError, NotAppliedError, RejectedError
from ..modbus.model.codec import RATED_POWER, as_number
from ..runtime.machine import Machine, may_pass
from .deadline import Deadlines
from .facts import HOLD_IGNORED, Permissions, as_allowed, facts_of, plausible_clock
from .order_book import OrderBook
from .refusals import Mistake, mistake
from .renewal import due_at
from .request import Change, ControlEventType, OrderRequest, event_type_of


def in_turn[**P, T](
    change: Callable[Concatenate[Keeper, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Keeper, P], Coroutine[Any, Any, T]]:
    """Have a change of the orders wait for its turn, and then go on to its end, also when its caller is cancelled."""

    @wraps(change)
    async def run(keeper: Keeper, /, *args: P.args, **kwargs: P.kwargs) -> T:
        await keeper.turn.acquire()
        return await keeper.turn.hold_to_end(change(keeper, *args, **kwargs))

    return run


class Keeper(OrderBook):
    """Keeps the orders of one inverter.

    A change goes on to its end when its caller is cancelled: an order half booked would pass for somebody else's. One that
    still waits for its turn is not begun then.
    """

    def __init__(
        self,
        machine: Machine,
        style: ControlStyle,
        memory: LeaseMemory,
        permissions: Callable[[], Permissions],
    ) -> None:
        """`permissions` returns what the owner allows now."""
        super().__init__(machine, style, memory)
        self._permissions = permissions
        self.deadlines = Deadlines(machine)
        # Whose change is under way.
        self.turn = Turn()
        # Whether its entry is about to be unloaded: nothing is ordered any more.
        self.is_left = False
        # Whether it has not taken the words of the first way to hold the battery: they are not sent again until a restart.
        self._refuses_hold = False
        # Orders that take the place of the present ones later, and when, by whether they are export limits.
        self._later: dict[bool, tuple[Lease, datetime]] = {}

    # ------------------------------------------------------------------ what is in force

    @property
    def may_sell(self) -> bool:
        """Whether the owner allows to sell from the battery."""
        return self._permissions().may_sell

    async def async_found(self) -> ControlMode | None:
        """Read which order the settings of the device are now; raises the DeviceError, or ControlRefusedError if not all are told."""
        async with self.turn:
            await self._writer.async_read()
            return self._writer.found(self._permissions())

    # ------------------------------------------------------------------ orders

    async def async_order(self, request: OrderRequest) -> tuple[Told, Change]:
        """Carry an order out, or only work out what it takes; nothing comes of it when the caller is cancelled before it is sent.

        ServiceValidationError or ControlRefusedError when it is refused; raises the DeviceError of a device that was not
        reached or refused, after which it holds what it did before.
        """
        await self.turn.acquire()
        return await self.turn.hold_to_end(
            self._async_order(request), first=self._writer.async_read()
        )

    async def _async_order(self, request: OrderRequest) -> tuple[Told, Change]:
        """Carry an order out with what was just read."""
        if self.is_left:
            raise mistake(Mistake.UNLOADING)
        if not request.dry_run:
            if self.machine.device.is_interrupted:
                # What is half done would pass for what the owner wants.
                await self.machine.async_resume()
                await self._writer.async_read()
            await self._async_compare()
        present = self.lease(is_export_limit=request.is_export_limit)
        self._check_owner(present, request)
        _check_order_it_changes(present, request)
        lease = self._lease_of(request)
        if not request.dry_run:
            # Also of an order that has ended: what it was to become is not wanted any more.
            self._later.pop(lease.is_export_limit, None)
            if present is not None and (waiting := self._put_off(present, lease)):
                if present.is_released:
                    await self.memory.mark_released(present, is_released=False)
                return waiting
        origin = Origin.PERSON if request.of_person else Origin.AUTOMATION
        try:
            change = await self._async_change(self._with(lease), origin, dry_run=request.dry_run)
        except (NotAppliedError, RejectedError) as err:
            other = replace(lease, facts={**lease.facts, HOLD_IGNORED: 1.0})
            if err.left or may_pass(err) or self._is_planned_alike(lease, other):
                raise
            # It does not even take the words of the first way to hold the battery.
            LOGGER.debug("%s: the battery is held in another way: %s", self.machine.name, err)
            lease = other
            await self._writer.async_read()
            change = await self._async_change(self._with(lease), origin)
            self._refuses_hold = True
        told = change.told[self._with(lease).index(lease)]
        if not request.dry_run:
            self.async_tell(
                event_type_of(present, lease), lease, previous_owner=present and present.owner
            )
        return told, change

    def _with(self, lease: Lease) -> list[Lease]:
        """The orders in force with this one in the place of its kind, the battery's first."""
        others = [one for one in self.leases if one.is_export_limit is not lease.is_export_limit]
        return sorted([*others, lease], key=lambda one: one.is_export_limit)

    def _is_planned_alike(self, lease: Lease, other: Lease) -> bool:
        """Whether an order becomes the same with the facts of another one."""
        plans = [self._writer.plan_for(self._with(one)) for one in (lease, other)]
        return plans[0].after == plans[1].after

    def _check_owner(self, present: Lease | None, request: OrderRequest) -> None:
        """Refuse an order while another owner has one in force, unless it gives way."""
        if present is None or present.owner == request.owner or request.replaces:
            return
        raise mistake(Mistake.BUSY, owner=present.owner)

    def _lease_of(self, request: OrderRequest) -> Lease:
        """The order as it is kept; ServiceValidationError for one whose end has passed while it waited for its turn.

        On a clock that knows no dates, an end before the start lies nearly a day ahead.
        """
        now = dt_util.utcnow()
        if request.until <= now:
            raise mistake(Mistake.UNTIL_PAST, until=f"{dt_util.as_local(request.until):%H:%M}")
        order = Order(
            mode=request.mode,
            start=now,
            until=request.until,
            power=request.power,
            at=request.at,
            target_soc=request.target_soc,
        )
        facts = self._facts()
        return Lease(order=order, owner=request.owner, of_person=request.of_person, facts=facts)

    def _facts(self) -> dict[str, float]:
        """What is known now, and goes into the plan of an order."""
        facts = facts_of(self.machine, self._permissions())
        return facts | ({HOLD_IGNORED: 1.0} if self._refuses_hold else {})

    def _put_off(self, present: Lease, wanted: Lease) -> tuple[Told, Change] | None:
        """What is told of an order that need not be written yet, as nearly the same one is in force; it is kept for later."""
        rated = as_number(self.machine.device.values.get(RATED_POWER)) or 0
        told, due = self.told_of(present), due_at(present, wanted, rated)
        if told is None or due is None or dt_util.utcnow() >= due:
            return None
        self._later[wanted.is_export_limit] = (wanted, due)
        return told, Change(told=self.plan.told, requests=0, words={}, left_today=None)

    @in_turn
    async def async_renew(self) -> None:
        """Let orders that were kept for later take the place of the present ones, when it is time; raises the DeviceError."""
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
            if dt_util.utcnow() >= lease.order.until:
                # The device was away for so long that this one is over, too.
                return
            await self._async_compare()
            present = self.lease(is_export_limit=lease.is_export_limit)
            if present is None:
                # It was changed at the device.
                return
            begun = replace(
                lease, order=replace(lease.order, start=dt_util.utcnow()), facts=self._facts()
            )
            leases = [begun if one == present else one for one in self.leases]
            await self._async_change(leases, Origin.AUTOMATION)
        except DeviceError as err:
            if may_pass(err) and not err.left:
                self._later[lease.is_export_limit] = waiting
            raise
        self.async_tell(event_type_of(present, begun), begun)

    # ------------------------------------------------------------------ the end of orders

    @in_turn
    async def async_release(
        self,
        *,
        is_export_limit: bool = False,
        owner: str | None = None,
        meant: Lease | None = None,
        type_: ControlEventType = ControlEventType.RELEASED,
    ) -> Change | None:
        """Put back what an order has changed; None when there is none. An owner only releases what is its own.

        `meant` is the only order that is released, whatever has taken its place; `type_` is what is told of it.
        """
        present = self.lease(is_export_limit=is_export_limit)
        if present is None or meant not in (None, present):
            return None
        if owner is not None and present.owner != owner:
            raise mistake(Mistake.NOT_YOURS, owner=present.owner)
        return await self._async_end(present, type_)

    @in_turn
    async def async_release_soon(self, owner: str) -> bool:
        """Store that an owner releases its order of the battery, before it does; whether there is one.

        After a crash the next start releases it. ServiceValidationError when it is somebody else's.
        """
        if (present := self.lease()) is None:
            return False
        if present.owner != owner:
            raise mistake(Mistake.NOT_YOURS, owner=present.owner)
        self._later.pop(present.is_export_limit, None)
        await self.memory.mark_released(present, is_released=True)
        return True

    @in_turn
    async def async_carry_out_release(self, owner: str) -> None:
        """Release what `async_release_soon` was called for, unless another order has taken its place."""
        present = self.lease()
        if present is not None and present.owner == owner and present.is_released:
            await self._async_end(present, ControlEventType.RELEASED)

    @in_turn
    async def async_release_all(self) -> None:
        """Put back everything that can be, whoever has ordered it; raises the DeviceError."""
        if not self.memory.is_empty:
            await self._async_release_found()

    @in_turn
    async def async_try_other_hold(self, meant: Lease) -> bool:
        """Hold the battery in the family's other way, as this order is not followed in the first one; whether that was done."""
        if meant != self.lease() or meant.facts.get(HOLD_IGNORED):
            return False
        await self._writer.async_read()
        await self._async_compare()
        if (lease := self.lease()) is None:
            return False
        # By what is left in the battery now: a reserve above it would buy.
        now_known = facts_of(self.machine, self._permissions())
        other = replace(lease, facts={**now_known, HOLD_IGNORED: 1.0})
        leases = [other if one == lease else one for one in self.leases]
        if self._writer.plan_for(leases).after == self.plan.after:
            return False
        await self._async_change(leases)
        return True

    def is_over(self, lease: Lease) -> bool:
        """Whether the time of an order in force is over."""
        told = self.told_of(lease)
        return self.deadlines.is_over(lease, told.until if told else lease.order.until)

    @override
    async def _async_end(self, lease: Lease, type_: ControlEventType) -> Change:
        self._later.pop(lease.is_export_limit, None)
        return await super()._async_end(lease, type_)

    @in_turn
    async def async_end_due(self) -> None:
        """End the orders whose time is over; what cannot be put back now is tried again later."""
        due = [lease for lease in self.leases if self.is_over(lease)]
        if len(due) > 1:
            # Together: what the device refuses of one order does not keep the other one from ending.
            await self._writer.async_read()
            await self._async_change(over=due, type_=ControlEventType.ENDED)
        elif due:
            await self._async_end(due[0], ControlEventType.ENDED)
        self.deadlines.forget(self.leases)

    # ------------------------------------------------------------------ while orders are in force

    @in_turn
    async def async_compare(self) -> None:
        """Look whether the device still holds what we have put there, and whether its clock was set."""
        if self.memory.after and (
            not await self._writer.async_look() or self._writer.moved(self.leases)
        ):
            await self._writer.async_read()
            await self._async_compare()

    # ------------------------------------------------------------------ what the owner sets meanwhile

    @property
    def is_in_force(self) -> bool:
        """Whether any order is."""
        return bool(self.leases)

    async def async_owners_words(self) -> Mapping[int, int]:
        """Read what the owner has set, by address, whatever orders have put in its place; raises the DeviceError."""
        async with self.turn:
            await self._writer.async_read()
            return dict(self._writer.owners)

    @in_turn
    async def async_become_owners(
        self, words: Mapping[int, int], origin: Origin, *, dry_run: bool = False
    ) -> int:
        """Make these the owner's words: written where no order is in their place, and else when it ends.

        Returns how many requests that takes now.
        """
        await self._writer.async_read()
        if not dry_run:
            await self._async_compare()
        change = await self._async_change(self.leases, origin, dry_run=dry_run, owners=words)
        return change.requests

    # ------------------------------------------------------------------ after a start

    async def async_now(self) -> datetime | None:
        """The time in UTC, by the clock of the computer, or of the device; None while nobody knows it.

        Raises the DeviceError of a device whose clock has to be asked.
        """
        leases = (*self.leases, *self.memory.ending)
        if not all(map(plausible_clock, leases)):
            await self._writer.async_read_clock()
        return self.deadlines.now(leases)

    @in_turn
    async def async_adopt(self, now: datetime) -> None:
        """Go on with the orders that were in force before Home Assistant has started, or end them."""
        await self._writer.async_read()
        memory, known = self.memory, (*self.leases, *self.memory.ending)
        held, after = self.machine.device.image, memory.after
        found = {a: held[a] for a, word in after.items() if held[a] != word}
        may_go_on = not found or self._absorb(found)
        given = [one for one in self._writer.running(now) if may_go_on and not one.is_released]
        going = [as_allowed(one, self._permissions()) for one in given]
        owners = self._writer.owners
        left = {a for a in {**memory.former, **after} if held[a] != owners[a]}
        if not (going or left):
            await memory.keep((), {}, {})
            self.async_update()
            return
        await self._async_change(
            going,
            over=[one for one in known if one not in given],
            type_=ControlEventType.RESTORED_AT_START,
        )
        for lease in going:
            self.async_tell(ControlEventType.ADOPTED_AT_START, lease)


def _check_order_it_changes(present: Lease | None, request: OrderRequest) -> None:
    """Refuse to change an order that is over by now: what has ended does not begin again."""
    if not request.is_change:
        return
    wanted = (request.owner, request.mode)
    if present is None or present.is_released or wanted != (present.owner, present.order.mode):
        raise mistake(Mistake.OVER)
