"""One Modbus unit: the device layer's view of whatever the registers are read through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .link import Link


class Unit(Protocol):
    """Reads and writes the holding registers of one unit id.

    A structural subset of modbus_connection's ModbusUnit, so that another link can stand behind it. Every method
    raises LinkError when no usable answer came, and RejectedError when the machine refused.
    """

    async def read_holding_registers(
        self, address: int, count: int, *, urgent: bool = False
    ) -> list[int]:
        """Return `count` words, function code 3; an urgent read goes where writes go, before waiting reads."""
        ...

    async def write_registers(self, address: int, values: list[int]) -> None:
        """Write consecutive words in one request, function code 16."""
        ...

    async def write_register(self, address: int, value: int) -> None:
        """Write one word, function code 6."""
        ...


class LinkUnit:
    """A unit that is reached through a link of our own."""

    def __init__(
        self,
        link: Link,
        unit_id: int,
        spacing: float = 0,
        *,
        patience: float | None = None,
        retries: int | None = None,
    ) -> None:
        """Take the link, which may carry other units too, the unit id, 1 to 247, and the seconds that it rests.

        `patience` is how many seconds the answer to a read may take, and `retries` how often a read is repeated, if
        not what is usual on the link.
        """
        link.pace(unit_id, spacing)
        self._link = link
        self._unit_id = unit_id
        self._patience = patience
        self._retries = retries

    async def read_holding_registers(
        self, address: int, count: int, *, urgent: bool = False
    ) -> list[int]:
        """Return `count` words, function code 3; an urgent read goes where writes go, before waiting reads."""
        return await self._link.read_holding_registers(
            self._unit_id,
            address,
            count,
            urgent=urgent,
            patience=self._patience,
            retries=self._retries,
        )

    async def write_registers(self, address: int, values: list[int]) -> None:
        """Write consecutive words in one request, function code 16."""
        await self._link.write_registers(self._unit_id, address, values)

    async def write_register(self, address: int, value: int) -> None:
        """Write one word, function code 6."""
        await self._link.write_register(self._unit_id, address, value)
