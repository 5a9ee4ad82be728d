"""The orders of an inverter as those see them who write what its owner has set: what goes wrong is a message."""

from collections.abc import Mapping

from ..modbus.control.order import ControlRefusedError
from ..modbus.device.wear import Origin
from ..runtime.machine import Substitute
from ..runtime.runtime import UnitRuntime
from .keeper import Keeper
from .refusals import refusal


class OrdersInstead(Substitute):
    """What a keeper has put in the place of the owner's words, for as long as its orders are in force."""

    def __init__(self, unit: UnitRuntime, keeper: Keeper) -> None:
        self._unit = unit
        self._keeper = keeper

    @property
    def is_in_force(self) -> bool:
        """Whether any order is."""
        return self._keeper.is_in_force

    async def async_owners_words(self) -> Mapping[int, int]:
        """Read what the owner has set, by address; raises the DeviceError."""
        return await self._keeper.async_owners_words()

    async def async_become_owners(
        self, words: Mapping[int, int], origin: Origin, *, dry_run: bool = False
    ) -> int:
        """Make these the owner's words; how many requests that takes now.

        Raises the DeviceError, and ServiceValidationError where the orders in force cannot go on beside them.
        """
        try:
            return await self._keeper.async_become_owners(words, origin, dry_run=dry_run)
        except ControlRefusedError as err:
            raise refusal(self._unit, err) from err
