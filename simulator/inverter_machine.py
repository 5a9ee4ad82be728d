"""The registers of one inverter: a machine that shows what the physics do, and hands its settings to them."""

from __future__ import annotations

from abc import abstractmethod
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from custom_components.hybrid_inverter.modbus.model.codec import Value
from custom_components.hybrid_inverter.modbus.model.family import Family

from .machine import Machine
from .physics import Inverter
from .physics.chance import seconds_of

# Seconds between two looks at real sensors, and from one machine's to those of the next one.
REFRESH: Final = 2.0
OFFSET: Final = 0.7


class InverterMachine(Machine):
    """The registers of one inverter."""

    # How many phases it measures at a solar inverter of another maker.
    solar_phases = 0

    def __init__(
        self,
        inverter: Inverter,
        family: Family,
        *,
        model: str,
        unit: int,
        registers: Sequence[tuple[int, int]],
        readable: Sequence[tuple[int, int]],
        writable: frozenset[int],
        timer: Callable[[], float],
    ) -> None:
        """Make the registers, and show in them what this inverter does."""
        super().__init__(
            family,
            model=model,
            unit=unit,
            registers=registers,
            readable=readable,
            writable=writable,
            timer=timer,
        )
        self.inverter = inverter
        # What the physics go by at the addresses whose new words have no effect, and all that they go by.
        self._still: dict[int, int] = {}
        self._in_force = ChainMap(self._still, self._image)
        self._firmware = self.trouble.firmware
        # In parallel with the others of its kind.
        self.linked = False
        self._installed: object = None

    @property
    def serial_number(self) -> str:
        """The serial number that the machine reports."""
        return str(self.value("serial_number"))

    def glance(self) -> dict[str, Any]:
        """Which machine it is, and its powers."""
        shown = ("battery_soc", "battery_power", "grid_power", "load_power", "inverter_power")
        return {
            "model": self.model,
            "serial_number": self.serial_number,
            "clock": self.inverter.clock.isoformat(timespec="seconds"),
            "pv_power": round(sum(self.inverter.flows.pv)),
            **{key: self.value(key) for key in shown},
        }

    def step(self, seconds: float) -> None:
        """Let time pass, for all that is in the same house."""
        self.settle()
        self.inverter.site.step(seconds)

    def settle(self) -> None:
        """Let the changes take effect that are due, and the trouble reach the physics."""
        super().settle()
        self.inverter.cut_off = self.trouble.outage
        if self._installed != (installed := (self.trouble.installed, self.linked)):
            self._installed = installed
            self.inverter.string_light = self.trouble.string_light
            self.inverter.wire(self.trouble.wiring(self.solar_phases, linked=self.linked))
        if self._firmware != self.trouble.firmware:
            self._firmware = self.trouble.firmware
            for place in self._still.keys() - self.trouble.without_effect:
                del self._still[place]
            self._obey()

    def _commit(self, words: Mapping[int, int]) -> None:
        """Make words effective, but for those that never have an effect."""
        for place in words.keys() & self.trouble.without_effect & self._image.keys():
            self._still.setdefault(place, self._image[place])
        super()._commit(words)
        self._obey()

    def setting(self, key: str) -> Value | None:
        """The value of a setting as its register holds it."""
        return super()._setting(key)

    def _setting(self, key: str) -> Value | None:
        """The value of a setting as the physics go by it."""
        return self.family.registers[key].decode(self._in_force)

    def _refresh(self) -> None:
        """Bring the image up to date with the physics."""
        self.settle()
        self._publish_trouble()
        super()._refresh()

    def _state(self) -> object:
        trouble = self.trouble
        return (
            self.inverter.clock if self.inverter.view.senses is None else self._refreshes(),
            trouble.zero_packs,
            trouble.installed,
        )

    def _refreshes(self) -> int:
        """How often real sensors have been looked at; each machine does that at moments of its own."""
        return int((seconds_of(self.inverter.now) + self.unit * OFFSET) // REFRESH)

    @abstractmethod
    def measured(self) -> Mapping[str, Value]:
        """What its sensors show now, before registers round it."""

    @abstractmethod
    def _obey(self) -> None:
        """Hand the settings to the physics."""

    @abstractmethod
    def _publish_trouble(self) -> None:
        """Put status and faults into the registers."""
