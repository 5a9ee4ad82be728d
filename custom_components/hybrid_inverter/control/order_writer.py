"""From orders to what an inverter holds: read, planned, stored, written and read back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from ..modbus.control.lease import Lease, LeaseMemory
from ..modbus.control.order import ControlMode, ControlRefusedError, Refusal
from ..modbus.control.plan import ControlStyle, Plan
from ..modbus.control.styles import settings_of
from ..modbus.device.wear import Origin
from ..modbus.device.write_request import settings_of_one_word
from ..modbus.errors import ChangedMeanwhileError, DeviceError, NotRememberedError, RejectedError
from ..runtime.clock import CLOCK
from ..runtime.machine import Machine
from .facts import (
    CLOCK_AHEAD,
    Permissions,
    clock_ahead,
    keys_of,
    nothing_ordered,
    plausible_clock,
    situation_of,
)
from .request import Change

# Seconds by which the clock of an inverter has to be off from what it was for the edges to move.
CLOCK_STEP: Final = 60
# How often a change is worked out while somebody else sets something.
ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _PlannedChange:
    """A change that is worked out and not yet written; words are by address."""

    plan: Plan
    requests: Sequence[Mapping[int, int]]
    # The owner's words of all that the device is to hold, and those that orders have put in their place so far.
    before: Mapping[int, int]
    put_there: Mapping[int, int]
    # The words that it rests on, as they are held.
    held: Mapping[int, int]
    change: Change


class OrderWriter:
    """Makes one inverter hold what orders take, and what its owner has set everywhere else."""

    def __init__(self, machine: Machine, style: ControlStyle, memory: LeaseMemory) -> None:
        self.machine = machine
        self.style = style
        self.memory = memory
        # What the orders in force have become.
        self.plan = Plan()
        # The owner's words of everything that a plan may touch, as they were last read.
        self.owners: dict[int, int] = {}
        self._writable = settings_of_one_word(machine.device.family.registers.values()).keys()

    @property
    def missing(self) -> set[int]:
        """The addresses that orders rest on and that cannot be written, as the feature which they belong to was not found."""
        return self.memory.addresses - self._writable

    async def async_read(self) -> None:
        """Read everything that a plan is made from and that is not known from the last seconds; raises the DeviceError.

        ControlRefusedError while orders rest on what cannot be written: they neither change nor end as a whole.
        """
        if missing := self.missing:
            rows = settings_of_one_word(self.machine.device.family.every_row())
            raise ControlRefusedError(Refusal.NOT_READABLE, setting=rows[min(missing)].key)
        keys, device = keys_of(self.machine, self.style), self.machine.device
        # What an earlier write has left undecided would come into force behind it.
        await device.finish()
        await self.machine.async_verify()
        await device.poll(keys, urgent=True)
        await self._async_read_again()
        memory = self.memory
        given_back = self.style.given_back(
            memory.before, (memory.after, memory.former), device.image, device.family.registers
        )
        self.owners = {**device.image, **given_back}

    async def _async_read_again(self) -> None:
        """Read what a poll goes on without, and an order does not; raises the DeviceError.

        A device may refuse to tell a setting: no order can be planned then, but one that has not changed it can end.
        """
        device, registers = self.machine.device, self.machine.device.family.registers
        if lost := {*self.memory.after, *self.memory.former} - device.image.keys():
            await device.read_words(lost)
        every, required = (
            {address for key in keys for address in registers[key].addresses}
            for keys in (settings_of(self.style, registers.keys()), self.style.reads)
        )
        if not (missing := every - device.image.keys() - {*device.quarantined}):
            return
        try:
            await device.read_words(missing)
        except RejectedError as err:
            if not err.is_refusal or not missing & required:
                raise

    async def async_look(self) -> bool:
        """Read only the words that orders rest on, and the clock; whether the words are as they were put there.

        Most of what a plan is made from does not matter to one that is in force, and a slow line has other things to carry.
        """
        await self.machine.async_verify()
        after = self.memory.after
        held = await self.machine.device.read_words(after)
        await self.async_read_clock()
        return held == after

    async def async_read_clock(self) -> None:
        """Read what the clock of the device shows, if it has one."""
        await self.machine.async_verify()
        if self.machine.device.family.serves([CLOCK]):
            await self.machine.device.read([CLOCK])

    def moved(self, leases: Sequence[Lease]) -> list[Lease]:
        """These orders by the clock of the device as it was read last; none when it was not set.

        None either while the computer's own clock is wrong, by which it is told how far the device's is ahead.
        """
        ahead = clock_ahead(self.machine)
        if ahead is None or not all(map(plausible_clock, leases)):
            return []
        moved = [
            replace(lease, facts={**lease.facts, CLOCK_AHEAD: ahead})
            if abs(lease.facts.get(CLOCK_AHEAD, ahead) - ahead) > CLOCK_STEP
            else lease
            for lease in leases
        ]
        return moved if moved != list(leases) else []

    def plan_for(self, leases: Sequence[Lease]) -> Plan:
        """What orders become with the owner's words as they are; ControlRefusedError when they cannot."""
        if not leases:
            return Plan()
        self._check_known()
        situation = situation_of(self.machine, self.style, self.owners, leases[0])
        return self.style.plan([lease.order for lease in leases], situation)

    def found(self, permissions: Permissions) -> ControlMode | None:
        """Which order the words of the device are as they were just read, None for none; ControlRefusedError where some are unknown."""
        self._check_known()
        lease = nothing_ordered(self.machine, permissions)
        return self.style.mode_of(
            situation_of(self.machine, self.style, self.machine.device.image, lease)
        )

    def _check_known(self) -> None:
        """Raise ControlRefusedError when the device does not tell a setting on which every plan rests."""
        held, registers = self.machine.device.image, self.machine.device.family.registers
        for key in sorted(self.style.reads):
            if not held.keys() >= {*registers[key].addresses}:
                raise ControlRefusedError(Refusal.NOT_READABLE, setting=key)

    def running(self, now: datetime) -> list[Lease]:
        """The stored orders whose end, as it was told, is still ahead; the end that was asked for where none can be planned."""
        leases = self.memory.leases
        try:
            ends = [told.until for told in self.plan_for(leases).told]
        except ControlRefusedError:
            ends = [lease.order.until for lease in leases]
        return [lease for lease, end in zip(leases, ends, strict=True) if now < end]

    # ------------------------------------------------------------------ a change: planned, then written

    async def async_change(
        self,
        leases: Sequence[Lease],
        origin: Origin,
        *,
        dry_run: bool = False,
        owners: Mapping[int, int] | None = None,
    ) -> Change:
        """Have the device hold what these orders take, or only work out what that is; what has just been read counts.

        ControlRefusedError when it cannot carry one out; raises the DeviceError of a device that was not reached or
        refused, after which it holds what it did before, unless the error says what is `left`. `owners` are words that
        the owner sets meanwhile.
        """
        for attempts_left in range(ATTEMPTS - 1, -1, -1):
            self.owners |= owners or {}
            planned = self._planned(leases, origin, owners or {})
            if dry_run:
                break
            try:
                await self._async_write(planned, leases, origin)
                break
            except ChangedMeanwhileError:
                # Somebody has set something while this waited for the disk or the line: that is the owner's.
                if not attempts_left:
                    raise
                await self.async_read()
        return planned.change

    def _planned(
        self, leases: Sequence[Lease], origin: Origin, owners: Mapping[int, int]
    ) -> _PlannedChange:
        """What these orders take beside what the device holds, and what of it has to be put back one day.

        ControlRefusedError, and WriteBudgetError when a register may not be written so often today.
        """
        device, memory = self.machine.device, self.memory
        plan, held = self.plan_for(leases), device.image
        # Of two states between which a change was broken off, what it really holds.
        put_there = {
            address: held[address] if memory.is_ours(address, held[address]) else word
            for address, word in {**memory.former, **memory.after}.items()
        }
        restored = {
            address: self.owners[address] for address in put_there.keys() - plan.after.keys()
        }
        target = {**owners, **plan.after, **restored}
        changes = {address: word for address, word in target.items() if held[address] != word}
        requests = self._requests(changes, plan)
        device.check_budget(requests, origin)
        # What is put back has no limit: told is what is left for the next order.
        budget = Origin.AUTOMATION if origin is Origin.RESTORE else origin
        # Also of what is only sent along.
        written = {address for request in requests for address in request}
        return _PlannedChange(
            plan=plan,
            requests=requests,
            before={address: self.owners[address] for address in target},
            put_there={address: word for address, word in put_there.items() if address in target},
            held={address: held[address] for address in {*target, *written}},
            change=Change(
                told=plan.told,
                requests=len(requests),
                words={address: (held[address], word) for address, word in changes.items()},
                left_today=max(device.wear.left(written, budget) - 1, 0) if changes else None,
            ),
        )

    async def _async_write(
        self, planned: _PlannedChange, leases: Sequence[Lease], origin: Origin
    ) -> None:
        """Store what is about to change, send it, and store what has become of it; raises the DeviceError."""
        device, memory = self.machine.device, self.memory
        plan, before, put_there = planned.plan, planned.before, planned.put_there
        ending, former = self._ending(leases), memory.copy()
        # What only ends or goes on is stored already: a full disk does not keep the owner's words from coming back.
        is_new = any(lease not in memory.leases for lease in leases)
        if not await memory.keep(leases, before, plan.after, put_there, ending) and is_new:
            await memory.reset(former)
            raise NotRememberedError(next(iter(self.style.writes)))
        device.leased = frozenset(before)
        try:
            # What ends is not taken back, be it half done: it begins with what does harm.
            await device.write_words(
                planned.requests, origin=origin, just_read=planned.held, all_or_none=bool(leases)
            )
        except DeviceError as err:
            if err.left:
                # Nobody knows what it holds: all of it is put back as soon as that is possible.
                await memory.keep((), before, plan.after, put_there, [*leases, *ending])
                self.plan = Plan()
            else:
                await memory.reset(former)
            device.leased = frozenset(memory.before)
            raise
        await memory.keep(leases, {a: before[a] for a in plan.after}, plan.after)
        device.leased = frozenset(plan.after)
        self.plan = plan

    def _ending(self, leases: Sequence[Lease]) -> list[Lease]:
        """The orders that are over once these are in force."""
        stay = {lease.is_export_limit for lease in leases}
        known = (*self.memory.leases, *self.memory.ending)
        return [lease for lease in known if lease.is_export_limit not in stay]

    def _requests(self, changes: Mapping[int, int], plan: Plan) -> list[dict[int, int]]:
        """The write requests for these words; those that the device takes together are whole."""
        if not changes:
            return []
        device = self.machine.device
        whole = dict(changes)
        if device.family.max_write > 1:
            writable = {
                address
                for key in self.style.writes
                if key in device.family.registers
                for address in device.family.registers[key].addresses
            }
            for address in changes:
                for step in (1, -1):
                    place = address + step
                    while place in writable and place not in whole:
                        whole[place] = device.image[place]
                        place += step
        restored = {address for address in changes if address not in plan.after}
        requests = self.style.requests(whole, restored, device.family.registers, device.image)
        return [one for one in requests if not changes.keys().isdisjoint(one)]
