"""The way to one machine: what a write is made of reaches no other one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from ..errors import DeviceError, LinkReopened
from ..transport.unit import Unit

# How often a request is tried whose connection is lost before it is sent.
ATTEMPTS: Final = 3


class VerifiedUnit:
    """A unit as writes use it: its requests reach only the machine that was asked for.

    Behind a link that was opened again there may be another machine, also between two requests of one write. So each of
    them is bound to the connection over which the machine was asked which one it is, and it is asked again before
    anything goes over another one.
    """

    def __init__(self, unit: Unit, ask: Callable[[], Awaitable[None]] | None) -> None:
        """`ask` reads which machine it is, and raises WrongDeviceError for another; None believes whichever answers."""
        self._unit = unit
        self._ask = ask
        # The connection over which the right machine has answered; 0 for none.
        self._verified_over = 0

    @property
    def verified(self) -> bool:
        """Whether the right machine has answered over the connection that is open."""
        return 0 != self._verified_over == self._unit.connection

    def doubt(self) -> None:
        """Ask before the next request: while a machine is silent, another one may take its place."""
        self._verified_over = 0

    async def verify(self) -> None:
        """Ask which machine it is; raises WrongDeviceError for another one."""
        self.doubt()
        if self._ask is not None:
            try:
                await self._ask()
            except DeviceError as err:
                # It is about the question: what comes after it was not sent.
                err.sent = False
                raise
        # Nothing happens between the answer and this line: it came over the connection that is open, if one is.
        self._verified_over = self._unit.connection

    async def read_holding_registers(self, address: int, count: int) -> list[int]:
        """`count` words, function code 3; urgent, like everything here."""
        return await self._request(
            lambda unit: unit.read_holding_registers(address, count, urgent=True)
        )

    async def write_registers(self, address: int, values: list[int]) -> None:
        """Write consecutive words in one request, function code 16."""
        await self._request(lambda unit: unit.write_registers(address, values))

    async def write_register(self, address: int, value: int) -> None:
        """Write one word, function code 6."""
        await self._request(lambda unit: unit.write_register(address, value))

    async def _request[T](self, request: Callable[[Unit], Awaitable[T]]) -> T:
        """What a request to the right machine brings; LinkReopened when no connection stays open for that long."""
        if self._ask is None:
            return await request(self._unit)
        attempts_left = ATTEMPTS
        while True:
            if not self.verified:
                await self.verify()
            attempts_left -= 1
            try:
                return await request(self._unit.over(self._verified_over))
            except LinkReopened:
                if not attempts_left:
                    raise
            except DeviceError as err:
                if err.is_undecided:
                    self.doubt()
                raise
