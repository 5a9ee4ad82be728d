"""One Modbus unit: the device layer's view of whatever the registers are read through."""

from __future__ import annotations

from typing import Protocol


class Unit(Protocol):
    """Reads and writes the holding registers of one unit id.

    Beside the number of its connection a structural subset of modbus_connection's ModbusUnit, so that another link can
    stand behind it. Every request raises LinkError when no usable answer came, and RejectedError when the device refused.
    """

    @property
    def idle(self) -> bool:
        """Whether nobody else uses the line at the moment, or waits for it."""
        ...

    @property
    def connection(self) -> int:
        """The number of the connection that is open to it; another one with every opening, 0 while none is."""
        ...

    def over(self, connection: int) -> Unit:
        """The same unit over this connection alone: LinkReopened, and nothing sent, once that is not open any more."""
        ...

    async def read_holding_registers(
        self, address: int, count: int, *, urgent: bool = False, once: bool = False
    ) -> list[int]:
        """`count` words, function code 3.

        An urgent read goes where writes go, before waiting reads. One that is sent `once` is not repeated if it fails.
        """
        ...

    async def write_registers(self, address: int, values: list[int]) -> None:
        """Write consecutive words in one request, function code 16."""
        ...

    async def write_register(self, address: int, value: int) -> None:
        """Write one word, function code 6."""
        ...
