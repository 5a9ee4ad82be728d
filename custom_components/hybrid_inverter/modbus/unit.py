"""One Modbus unit: the device layer's view of whatever the registers are read through."""

from __future__ import annotations

from typing import Protocol


class Unit(Protocol):
    """Reads and writes the holding registers of one unit id.

    A structural subset of modbus_connection's ModbusUnit, so that another link can stand behind it. Every method
    raises LinkError when no usable answer came, and RejectedError when the machine refused.
    """

    async def read_holding_registers(self, address: int, count: int) -> list[int]:
        """Return `count` words, function code 3."""
        ...

    async def write_registers(self, address: int, values: list[int]) -> None:
        """Write consecutive words in one request, function code 16."""
        ...

    async def write_register(self, address: int, value: int) -> None:
        """Write one word, function code 6."""
        ...
