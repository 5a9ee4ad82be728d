"""A Home Assistant that dies in the middle of something, and starts again from what it has stored until then."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.hybrid_inverter.const import DOMAIN
from custom_components.hybrid_inverter.control.keeper import Keeper
from custom_components.hybrid_inverter.control.request import ControlEventType
from custom_components.hybrid_inverter.entry.stores import RUNNING_MODES
from custom_components.hybrid_inverter.modbus.control.lease import Lease
from custom_components.hybrid_inverter.modbus.device.verified_unit import VerifiedUnit

# What keeps Home Assistant from leaving an inverter in order.
HAND_OVER: Final = f"custom_components.{DOMAIN}.async_hand_over"


class Died(BaseException):
    """The process is gone."""


class Life:
    """One life of Home Assistant after the other."""

    def __init__(self, hass: HomeAssistant, storage: dict[str, Any], patch: pytest.MonkeyPatch):
        """`storage` is the disk."""
        self._hass = hass
        self._storage = storage
        self._patch = patch
        # How many more writes reach the inverter; None for all.
        self._left: int | None = None
        # The disk at the moment of death.
        self._disk: dict[str, Any] | None = None
        for name in ("write_register", "write_registers"):
            patch.setattr(VerifiedUnit, name, self._mortal(getattr(VerifiedUnit, name)))

    def die_after(self, writes: int) -> None:
        """Die as soon as so many writes have reached the inverter, before the answer to the last one is here."""
        self._left = writes

    @property
    def is_over(self) -> bool:
        """Whether it has died."""
        return self._disk is not None

    def die(self) -> None:
        """Die now."""
        self._disk = deepcopy(self._storage)

    def _mortal(self, write: Callable[..., Any]) -> Callable[..., Any]:
        async def write_or_die(*args: Any) -> None:
            if not (self.is_over or self._left == 0):
                await write(*args)
                if self._left is None:
                    return
                self._left -= 1
                if self._left:
                    return
            if not self.is_over:
                self.die()
            raise Died

        return write_or_die

    async def end(self, entry: MockConfigEntry) -> None:
        """Have nothing of it go on, and the disk hold what it held when it died."""
        if not self.is_over:
            self.die()
        with self._patch.context() as patch:
            patch.setattr(HAND_OVER, _nothing)
            assert await self._hass.config_entries.async_unload(entry.entry_id)
        await self._hass.async_block_till_done(wait_background_tasks=True)
        self._hass.data.pop(RUNNING_MODES, None)
        assert self._disk is not None
        self._storage.clear()
        self._storage.update(self._disk)

    def revive(self) -> None:
        """Have another process reach the inverter again, which is yet to set the entry up."""
        self._left = self._disk = None

    async def begin(self, entry: MockConfigEntry) -> None:
        """Start again."""
        self.revive()
        assert await self._hass.config_entries.async_setup(entry.entry_id)
        await self._hass.async_block_till_done(wait_background_tasks=True)


async def _nothing(*_: object) -> None:
    """Be dead."""


def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, dict[str, Any]]]:
    """Return what will have happened to orders: what, to one of which mode, and what else is told of it."""
    happened: list[tuple[str, str, dict[str, Any]]] = []
    tell = Keeper.async_tell

    def listen(
        self: Keeper,
        type_: ControlEventType,
        lease: Lease,
        *,
        is_repeated: bool = False,
        **details: Any,
    ) -> None:
        happened.append((type_.value, lease.order.mode.value, details))
        tell(self, type_, lease, is_repeated=is_repeated, **details)

    monkeypatch.setattr(Keeper, "async_tell", listen)
    return happened
