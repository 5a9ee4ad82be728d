"""A unit without a link: registers in a dict, and a machine that misbehaves on command."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from custom_components.hybrid_inverter.modbus.errors import (
    DeviceError,
    LinkReopened,
    LinkTimeout,
    RejectedError,
)


@dataclass(frozen=True)
class ReadRequest:
    """A read, function code 3."""

    address: int
    count: int
    urgent: bool = False
    once: bool = False


@dataclass(frozen=True)
class WriteRequest:
    """A write, function code 16 or, if it is single, 6."""

    address: int
    values: tuple[int, ...]
    single: bool = False


type Hook = Callable[[], Awaitable[None]]


@dataclass
class FakeUnit:
    """Serves every register, those that are not in the dict as 0, but for what it is told to refuse."""

    registers: dict[int, int] = field(default_factory=dict)
    # Addresses that no read and no write may touch, with the exception code.
    refused: dict[int, int] = field(default_factory=dict)
    # Addresses at whose mention it keeps silent.
    silent: set[int] = field(default_factory=set)
    # Longer reads are refused with exception 3.
    longest: int = 125
    # What the next requests end with, in order; None lets one pass.
    faults: deque[DeviceError | None] = field(default_factory=deque)
    # What every request ends with.
    fault: DeviceError | None = None
    # What happens while the next requests are on their way, before they are carried out, in order.
    meanwhile: deque[Hook | None] = field(default_factory=deque)
    # How many of the next writes are confirmed and not carried out.
    ignored: int = 0
    # Seconds after which a write is carried out; it is confirmed at once.
    commit_after: float = 0.0
    # The addresses of which that is true; all of them if there are none here.
    slow: frozenset[int] = frozenset()
    # How many of the next writes are taken back, and after how many seconds.
    reverted: int = 0
    revert_after: float = 0.0
    # Called after every request that was carried out, as a clock that goes on.
    tick: Callable[[], None] | None = None
    # Whether nobody else uses the line.
    idle: bool = True
    requests: list[ReadRequest | WriteRequest] = field(default_factory=list)
    # The number of the connection that is open.
    connection: int = 1

    def over(self, connection: int) -> FakeUnit:
        """Return the unit; LinkReopened when this is not its connection any more."""
        if connection != self.connection:
            raise LinkReopened("opened again")
        return self

    @property
    def reads(self) -> list[tuple[int, int]]:
        """Return address and count of the reads so far."""
        return [(r.address, r.count) for r in self.requests if isinstance(r, ReadRequest)]

    @property
    def writes(self) -> list[tuple[int, tuple[int, ...]]]:
        """Return address and values of the writes so far."""
        return [(r.address, r.values) for r in self.requests if isinstance(r, WriteRequest)]

    async def read_holding_registers(
        self, address: int, count: int, *, urgent: bool = False, once: bool = False
    ) -> list[int]:
        """Return the words, or refuse."""
        await self._receive(ReadRequest(address, count, urgent, once))
        if count > self.longest:
            raise RejectedError(3, f"{count} registers")
        self._refuse(address, count)
        words = [self.registers.get(address + offset, 0) for offset in range(count)]
        self._carry_on()
        return words

    async def write_registers(self, address: int, values: list[int]) -> None:
        """Write, function code 16."""
        await self._write(WriteRequest(address, tuple(values)))

    async def write_register(self, address: int, value: int) -> None:
        """Write, function code 6."""
        await self._write(WriteRequest(address, (value,), single=True))

    async def _receive(self, request: ReadRequest | WriteRequest) -> None:
        """Take note of a request, and end it if it has to."""
        self.requests.append(request)
        await asyncio.sleep(0)
        if self.meanwhile and (hook := self.meanwhile.popleft()) is not None:
            await hook()
        fault = self.faults.popleft() if self.faults else self.fault
        if fault is not None:
            fault.sent = True
            raise fault

    def _refuse(self, address: int, count: int) -> None:
        """Raise what a refused address among these asks for."""
        for touched in range(address, address + count):
            if touched in self.silent:
                raise LinkTimeout(f"no answer to register {touched}")
            if touched in self.refused:
                refusal = RejectedError(self.refused[touched], f"register {touched}")
                refusal.sent = True
                raise refusal

    async def _write(self, request: WriteRequest) -> None:
        """Carry a write out, or do something else with it."""
        await self._receive(request)
        self._refuse(request.address, len(request.values))
        after = dict(enumerate(request.values, request.address))
        before = {address: self.registers.get(address, 0) for address in after}
        loop = asyncio.get_running_loop()
        if self.ignored:
            self.ignored -= 1
        elif self.commit_after and not (self.slow and self.slow.isdisjoint(after)):
            loop.call_later(self.commit_after, self.registers.update, after)
        else:
            self.registers.update(after)
            if self.reverted:
                self.reverted -= 1
                loop.call_later(self.revert_after, self.registers.update, before)
        self._carry_on()

    def _carry_on(self) -> None:
        """Let the machine's own time pass."""
        if self.tick is not None:
            self.tick()


class Holes(dict[int, int]):
    """Refuses, with exception 2, every address that is not among some registers."""

    def __init__(self, registers: dict[int, int]) -> None:
        """Keep the registers, which may go on changing."""
        super().__init__()
        self._registers = registers

    def __contains__(self, address: object) -> bool:
        """Whether there is a hole at an address."""
        return address not in self._registers

    def __missing__(self, address: int) -> int:
        """Return the exception code."""
        return 2


def full_of_holes(registers: dict[int, int]) -> FakeUnit:
    """Return a unit that serves these registers only, as a meter does."""
    return FakeUnit(registers, refused=Holes(registers))
