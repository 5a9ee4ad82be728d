"""The reserve and the export limit of an inverter: numbers that several of its settings make up."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.number import NumberDeviceClass
from homeassistant.const import PERCENTAGE, UnitOfPower
from homeassistant.core import Context
from homeassistant.exceptions import HomeAssistantError

from ..entities.descriptions import UnitNumberDescription
from ..modbus.control.lease import Lease
from ..modbus.device.to_end import to_end
from ..modbus.model.codec import Value, Values, as_number
from ..modbus.model.condition import BY_STATE_OF_CHARGE
from ..modbus.model.export_limit import EXPORT_LIMIT, ExportLimit
from ..modbus.model.family import Family
from ..modbus.model.part import Part
from ..modbus.model.reserve import RESERVE, Reserve, keys_of, reserve_in_force
from ..runtime.callers import origin_of
from ..runtime.runtime import UnitRuntime
from ..runtime.writes import async_write, display_name
from .facts import SIGHT, not_fresh, sees_grid
from .orders import async_give_back, async_release, async_undo_change
from .setup import driver_of
from .targets import Controlled


class CombinedSetting(ABC):
    """A number that several settings of a unit make up, and that moves every one that has to move, as one change."""

    def __init__(self, unit: UnitRuntime, key: str) -> None:
        """`key` is what a person meets it as."""
        self.unit = unit
        self.key = key
        self._device = unit.device
        # Whether the last number that was written has changed anything.
        self._has_changed = False
        self.inputs = self.polled_from(unit.device.family)
        self._polled = unit.coordinators[unit.device.family.group_of(self.value_key)]

    @staticmethod
    @abstractmethod
    def polled_from(family: Family) -> frozenset[str]:
        """Everything that it rests on; nothing where a family has none."""

    @property
    @abstractmethod
    def value_key(self) -> str:
        """The setting that it is shown with."""

    @property
    @abstractmethod
    def reading(self) -> Value | None:
        """The number that the settings made up when they were last read."""

    @property
    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """The bounds in force."""

    @abstractmethod
    def steps(self, wanted: float, values: Values) -> list[tuple[str, Value]]:
        """What is written for another number, in order; InvalidValueError when it is off its bounds."""

    @property
    def asked(self) -> frozenset[str]:
        """What is read before it is written."""
        return self.inputs

    async def async_check(self, wanted: float) -> None:
        """Work out what it takes, and send nothing; an error with a translated message if it is refused."""
        await self._async_run(wanted, None, dry_run=True)

    async def async_write(self, wanted: float, context: Context | None) -> None:
        """Write another number; an error with a translated message names the setting that it is about."""
        before = self.unit.device.last_changes
        await self._async_run(wanted, context)
        self._has_changed = self.unit.device.last_changes != before

    async def async_take_back(self) -> None:
        """Take back what was just written, as another inverter did not take its share."""
        if self._has_changed:
            await async_undo_change(self.unit)

    async def _async_run(
        self, wanted: float, context: Context | None, *, dry_run: bool = False
    ) -> None:
        """Write with the other settings as they are now."""
        device = self.unit.device

        async def write() -> None:
            values = {**device.values, **await device.read(self.asked)}
            steps = self.steps(wanted, values)
            if dry_run:
                await device.preview_steps(steps)
            else:
                await device.write_steps(steps, origin=origin_of(context))

        name = display_name(self.unit, self.key)
        await async_write(self.unit, name, write, several=True, context=context)


class ReserveSetting(CombinedSetting):
    """The reserve for an outage."""

    @staticmethod
    @override
    def polled_from(family: Family) -> frozenset[str]:
        """Everything that the reserves of a family rest on."""
        return keys_of(family.reserves)

    @property
    @override
    def value_key(self) -> str:
        """The reserve that a family has in any mode until another one is in force."""
        return self.unit.device.family.reserves[-1].key

    @property
    def _reserve(self) -> Reserve:
        """What the reserve is in the mode that the unit is in."""
        device = self._device
        return reserve_in_force(device.family.reserves, device.values)

    @property
    @override
    def reading(self) -> Value | None:
        """The reserve that was last read."""
        return self._polled.data.values.get(self._reserve.key)

    @property
    @override
    def bounds(self) -> tuple[float, float]:
        """The bounds in force."""
        return self._reserve.limits.resolve(self._device.values)

    @override
    def steps(self, wanted: float, values: Values) -> list[tuple[str, Value]]:
        """What the reserve takes."""
        return self._reserve.steps(wanted, self.unit.device.family.registers, values)


class ExportLimitSetting(CombinedSetting):
    """The most that may flow into the grid, in watts; at its maximum nothing is limited."""

    def __init__(self, unit: UnitRuntime, key: str) -> None:
        """ValueError for a unit whose family has no limit."""
        if (limit := unit.device.family.export_limit) is None:
            raise ValueError(f"{unit.name} has no export limit")
        self._limit: ExportLimit = limit
        # The ordered limit that has made room for the last number.
        self._gone: Lease | None = None
        super().__init__(unit, key)

    @staticmethod
    @override
    def polled_from(family: Family) -> frozenset[str]:
        """Everything that the limit of a family rests on."""
        return frozenset() if family.export_limit is None else family.export_limit.keys

    @property
    @override
    def value_key(self) -> str:
        """The setting in watts."""
        return self._limit.key

    @property
    @override
    def reading(self) -> float | None:
        """The limit that the settings made up when they were last read."""
        return self._limit.watts(self._polled.data.values, self.bounds[1])

    @property
    @override
    def bounds(self) -> tuple[float, float]:
        """The bounds in force."""
        return self._device.limits(self._limit.key)

    @override
    def steps(self, wanted: float, values: Values) -> list[tuple[str, Value]]:
        """What the limit takes."""
        registers, sees = self._device.family.registers, sees_grid(self._device)
        return self._limit.steps(wanted, registers, values, sees_grid=sees)

    @property
    @override
    def asked(self) -> frozenset[str]:
        """Also what tells which mode can take the place of selling first, where there is such a mode."""
        if not self._limit.otherwise:
            return self.inputs
        return self.inputs | not_fresh(self.unit.machine, SIGHT)

    @override
    @to_end
    async def async_write(self, wanted: float, context: Context | None) -> None:
        """Write another limit; one that somebody has ordered for some time makes room for it, unless it is not taken.

        In between there is none: a caller that is cancelled does not leave it so.
        """
        if (driver := driver_of(self.unit.hass, self.unit)) is None:
            await super().async_write(wanted, context)
            return
        self._gone = driver.keeper.lease(is_export_limit=True)
        ordered = Controlled(self.unit, driver)
        await async_release(ordered, is_export_limit=True, context=context)
        try:
            await super().async_write(wanted, context)
        except HomeAssistantError:
            await async_give_back(ordered, self._gone)
            raise

    @override
    async def async_take_back(self) -> None:
        """Take back what was just written, and give the ordered limit again that has made room for it."""
        await super().async_take_back()
        if (driver := driver_of(self.unit.hass, self.unit)) is not None:
            await async_give_back(Controlled(self.unit, driver), self._gone)


@dataclass(frozen=True, kw_only=True)
class CombinedDescription(UnitNumberDescription):
    """A number that several settings of a family make up."""

    setting: type[CombinedSetting]
    # Whether the inverters of a plant share it; otherwise each of them has the same.
    is_shared: bool = False

    @override
    def polled_from(self, family: Family) -> frozenset[str]:
        """Everything that it rests on; what no family serves where there is none."""
        return self.setting.polled_from(family) or frozenset({self.key})


COMBINED_NUMBERS: Final = (
    CombinedDescription(
        key=RESERVE,
        setting=ReserveSetting,
        part=Part.BATTERY,
        visible_if=(BY_STATE_OF_CHARGE,),
        needs_write=True,
        device_class=NumberDeviceClass.BATTERY,
        native_unit_of_measurement=PERCENTAGE,
        native_step=1,
    ),
    CombinedDescription(
        key=EXPORT_LIMIT,
        setting=ExportLimitSetting,
        is_shared=True,
        part=Part.GRID,
        needs_write=True,
        device_class=NumberDeviceClass.POWER,
        native_unit_of_measurement=UnitOfPower.WATT,
        native_step=1,
    ),
)


def reading_of(setting: CombinedSetting) -> float | None:
    """The number that was last read; None for what is no number."""
    return as_number(setting.reading)
